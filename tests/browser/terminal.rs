//! What a person sees in a terminal, as a page: a real terminal by `tmux`, its colours by `aha`.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::driver::Browser;
use crate::support::supervised::poll;

/// How long a screen may take to show what it is awaited for.
const PATIENCE: Duration = Duration::from_secs(30);

const PAGE: (&str, &str) = (
    "<!DOCTYPE html><meta charset=\"utf-8\"><style>body { margin: 0; background: #1b1e24; } pre { display: inline-block; margin: 0; \
     padding: 14px 18px; color: #d7dae0; background: #1b1e24; font: 14px/1.35 'DejaVu Sans Mono', 'Noto Sans Mono', monospace; }</style><pre>",
    "</pre>",
);

/// A terminal of 80 columns with a server of its own; it ends when dropped.
pub(crate) struct Terminal {
    name: String,
}

impl Terminal {
    /// Starts one in `folder`, where `demarche` is on the path.
    pub(crate) fn start(folder: &Path, rows: usize) -> Self {
        // A server that ends still holds its name for a moment.
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let this = Self { name: format!("demarche-screens-{}-{number}", std::process::id()) };
        let program = Path::new(env!("CARGO_BIN_EXE_demarche")).parent().expect("a folder");
        let path = std::env::var("PATH").unwrap_or_default();
        this.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", &rows.to_string(), "-c"])
            .arg(folder)
            // Told to the shell itself: a tmux of one's own settings may have other ideas of an environment.
            .args(["env", &format!("PATH={}:{path}", program.display()), "LC_ALL=C.UTF-8", "PS1=$ ", "NO_COLOR="])
            // What this machine remembers of the campaigns of its user is none of the tests'.
            .arg(format!("XDG_STATE_HOME={}", folder.join("..").join("state").display()))
            .args(["bash", "--norc", "--noprofile"])
            .status()
            .expect("tmux starts");
        this.wait("$");
        this
    }

    /// Types a line.
    pub(crate) fn line(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]).status().expect("tmux answers");
        self.tmux(&["send-keys", "Enter"]).status().expect("tmux answers");
    }

    /// Waits until the screen holds a text.
    #[track_caller]
    pub(crate) fn wait(&self, text: &str) {
        let seen = poll(PATIENCE, || self.text().contains(text).then_some(()));
        assert!(seen.is_some(), "no \"{text}\" in:\n{}", self.text());
    }

    /// Waits until the command has ended and the prompt is back.
    #[track_caller]
    pub(crate) fn wait_for_prompt(&self) {
        let seen = poll(PATIENCE, || self.text().trim_end().ends_with("\n$").then_some(()));
        assert!(seen.is_some(), "no prompt in:\n{}", self.text());
    }

    /// Takes the screen as a picture, without the prompt that waits below it.
    pub(crate) fn picture(&self, browser: &Browser, folder: &Path) -> Vec<u8> {
        let coloured = self.tmux(&["capture-pane", "-e", "-p"]).output().expect("tmux answers").stdout;
        let text = String::from_utf8(coloured).expect("UTF-8");
        let text = text.trim_end().strip_suffix("\n$").unwrap_or(text.trim_end()).to_owned();
        let mut aha = Command::new("aha")
            .args(["--no-header", "--black"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("aha starts (apt-get install aha)");
        aha.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("aha reads");
        let html = String::from_utf8(aha.wait_with_output().expect("aha ends").stdout).expect("UTF-8");
        let page = folder.join("terminal.html");
        std::fs::write(&page, format!("{}{html}{}", PAGE.0, PAGE.1)).expect("our own folder");
        browser.media("screen", "light");
        browser.size(900, 900);
        browser.open(&page, "");
        let size = browser.script("const box = document.querySelector('pre').getBoundingClientRect(); return [Math.ceil(box.width), Math.ceil(box.height)];");
        let pixels = |at: usize| u32::try_from(size[at].as_u64().expect("pixels")).expect("a picture");
        browser.size(pixels(0), pixels(1));
        browser.picture()
    }

    fn text(&self) -> String {
        let output = self.tmux(&["capture-pane", "-p"]).output().expect("tmux answers");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    fn tmux(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("tmux");
        command.args(["-L", &self.name]).args(arguments);
        command
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.tmux(&["kill-server"]).status();
    }
}
