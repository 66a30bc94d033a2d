//! A password is in the program's memory while it runs: no crash and no debug print may carry it out.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use demarche::domain::outcome::Phase;
use demarche::domain::relay::{Login, PasswordSource, Relay, Security, Timeouts};
use demarche::postbox::{Action, Options, Script};
use demarche::smtp::Connector;

use crate::files_below;
use crate::secrets::{CANARY, USER, holds_no_canary, sources};
use crate::support::campaign::Campaign;
use crate::support::server::Server;
use crate::support::supervised::poll;

/// Runs a program where cores may be as large as they like.
fn with_cores(folder: &Path, command: &[&str]) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -c unlimited && exec \"$@\"", "sh"]).args(command).current_dir(folder);
    shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    shell
}

fn crash(mut child: Child, signal: &str) -> ExitStatus {
    let id = child.id().to_string();
    let sent = Command::new("sh").args(["-c", "kill -s \"$1\" \"$2\"", "kill", signal, &id]).status();
    assert!(sent.expect("sh starts").success(), "it still runs");
    child.wait().expect("a child of ours")
}

#[test]
fn a_crash_while_logged_in_leaves_no_core_with_the_password() {
    // Without this, a machine that writes no cores would prove nothing.
    let elsewhere = tempfile::tempdir().expect("a folder");
    let other = with_cores(elsewhere.path(), &["sleep", "60"]).spawn().expect("sh starts");
    // The shell has to have become the program.
    let comm = format!("/proc/{}/comm", other.id());
    let started = poll(Duration::from_secs(10), || (std::fs::read_to_string(&comm).ok()? == "sleep\n").then_some(()));
    assert!(started.is_some(), "sleep starts");
    if !crash(other, "ABRT").core_dumped() {
        #[expect(clippy::print_stderr, reason = "a test that is left out says so")]
        {
            eprintln!("left out: a crash while logged in needs a machine that writes core files");
        }
        return;
    }
    let login = Some((USER.to_owned(), CANARY.to_owned()));
    let script = Script::new(|cue| if cue.phase == Phase::Mail { Action::Stall } else { Action::Behave });
    for signal in ["ABRT", "QUIT"] {
        let server = Server::with(Options { login: login.clone(), script: script.clone(), ..Options::default() });
        let (_, campaign) = sources(|| Campaign::small(server.port(), 1)).swap_remove(1);
        let mut command = with_cores(&campaign.path(""), &[env!("CARGO_BIN_EXE_demarche"), "-vv", "send", "--yes"]);
        let child = command.env("CANARY", CANARY).spawn().expect("sh starts");
        let heard = || server.transcript(1).iter().any(|line| line.starts_with("MAIL")).then_some(());
        assert!(poll(Duration::from_secs(60), heard).is_some(), "it logs in");
        let ended = crash(child, signal);
        assert!(ended.signal().is_some(), "{ended}");
        assert!(!ended.core_dumped(), "SIG{signal} wrote a core");
        for (path, bytes) in files_below(&campaign.path("")) {
            holds_no_canary(&format!("SIG{signal}: {path}"), &bytes);
        }
    }
}

#[test]
fn a_debug_print_of_the_relay_and_its_connector_does_not_tell_the_password() {
    let sources = [
        PasswordSource::Inline(CANARY.to_owned().into()),
        PasswordSource::Command(vec!["printf".to_owned(), CANARY.to_owned()]),
    ];
    for password in sources {
        let relay = Relay {
            host: "localhost".to_owned(),
            port: 25,
            security: Security::None,
            login: Some(Login { username: USER.to_owned(), password }),
            connections: 1,
            ca_file: None,
            ehlo_name: "client.example".to_owned(),
            messages_per_connection: 100,
            timeouts: Timeouts::default(),
        };
        let printed = format!("{relay:#?} {:?}", Connector::new(relay.clone()).expect("settings"));
        assert!(printed.contains(USER), "{printed}");
        holds_no_canary("a debug print", printed.as_bytes());
    }
}
