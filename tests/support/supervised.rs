//! A server process that cannot outlive the test: it ends with its owner, with a panic, and with a killed test run.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Starts the server named by its arguments in a session of its own, tells its process id, waits until the test closes
/// the pipe (or dies, which closes it too), then ends the server. Other programs that tests start do not inherit the pipe.
const SUPERVISOR: &str = r#"
setsid "$@" </dev/null >&2 &
echo "$!"
cat >/dev/null
kill -TERM "$!" 2>/dev/null
wait "$!"
"#;

/// How long a server may take to end by itself before it is killed with all its processes.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often an event is looked for.
const TICK: Duration = Duration::from_millis(20);

/// A server in the foreground, and the shell that watches over it.
pub struct Supervised {
    supervisor: Child,
    /// The server's process id, and its session's and process group's.
    server: u32,
    patience: Duration,
}

impl Supervised {
    /// Starts `command` with its output added to the file `log`.
    pub fn start(command: &[&str], log: &Path) -> Self {
        let output = File::options().create(true).append(true).open(log).expect("the log can be written");
        let mut supervisor = Command::new("sh")
            .args(["-c", SUPERVISOR, "supervisor"])
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(output)
            // Ctrl-C at the test run shall not end the one who cleans up.
            .process_group(0)
            .spawn()
            .expect("sh starts");
        let mut line = String::new();
        let told = supervisor.stdout.take().expect("a pipe");
        BufReader::new(told).read_line(&mut line).expect("the supervisor answers");
        Self { supervisor, server: line.trim().parse().expect("a process id"), patience: PATIENCE }
    }

    /// The same server, with another limit than 20 s for its end.
    pub fn with_patience(self, patience: Duration) -> Self {
        let mut this = self;
        this.patience = patience;
        this
    }

    /// The session of the server and of all that it started.
    pub fn session(&self) -> u32 {
        self.server
    }

    /// Whether everything has ended: the server before its children, and the supervisor when it has seen that.
    fn has_ended(&mut self) -> bool {
        matches!(self.supervisor.try_wait(), Ok(Some(_))) && processes_of(self.server) == 0
    }
}

impl Drop for Supervised {
    // No assertion here: a panic within a panic would abort the run.
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        if poll(self.patience, || self.has_ended().then_some(())).is_none() {
            let group = format!("-{}", self.server);
            let _ = Command::new("sh").args(["-c", "kill -s KILL -- \"$1\"", "kill", &group]).status();
            let _ = poll(PATIENCE, || self.has_ended().then_some(()));
        }
    }
}

/// How many processes run in a session. Those that ended and that nobody has asked after do not count.
pub fn processes_of(session: u32) -> usize {
    let entries = fs::read_dir("/proc").expect("proc is mounted").flatten();
    let stats = entries.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    stats.filter(|stat| runs_in(stat, session).unwrap_or(false)).count()
}

/// From proc(5): after the name in brackets come the state, the parent, the process group and the session.
fn runs_in(stat: &str, session: u32) -> Option<bool> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let state = fields.next()?;
    Some(state != "Z" && state != "X" && fields.nth(2)?.parse() == Ok(session))
}

/// Asks until there is an answer; `None` when there is none in time.
pub fn poll<T>(within: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + within;
    loop {
        if let Some(answer) = ask() {
            return Some(answer);
        }
        if Instant::now() >= deadline {
            return None;
        }
        thread::sleep(TICK);
    }
}
