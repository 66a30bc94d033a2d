//! The order of system calls, seen from outside by strace(1): the intent of a letter is on the disk before its terminator, or
//! the first octet of its chunk, leaves.

use std::env;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use demarche::domain::outcome::Phase;
use demarche::postbox::{Action, Chunk, Offers, Options, Script};

use crate::support::campaign::Campaign;
use crate::support::program;
use crate::support::server::Server;

const LETTERS: usize = 10;
/// As strace writes it.
const TERMINATOR: &str = r#"".\r\n""#;
/// The last word on each chunk.
const TAKEN: &str = "250 2.6.0 taken";

/// Whether strace is here and may trace; if not, the test is left out aloud, or fails where everything has to run.
pub(crate) fn strace_or_skip(what: &str) -> bool {
    let traced = program("strace").is_some_and(|strace| {
        let mut command = Command::new(strace);
        command.args(["-f", "-o", "/dev/null", "true"]).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    });
    if traced {
        return true;
    }
    let required = env::var_os("DEMARCHE_TEST_SERVERS").is_some_and(|it| it == "require");
    assert!(!required, "{what} needs strace, and leave to trace");
    #[expect(clippy::print_stderr, reason = "a test that is left out says so")]
    {
        eprintln!("left out: {what} needs strace, and leave to trace");
    }
    false
}

/// A system call: the lines of its beginning and end in the trace, and its text.
struct Call {
    begun: usize,
    ended: usize,
    text: String,
}

/// Puts calls together that strace wrote in two halves because another thread came between.
fn calls(trace: &str) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    let mut open: Vec<(String, usize)> = Vec::new();
    for (at, line) in trace.lines().enumerate() {
        let Some((thread, text)) = line.trim_start().split_once(' ') else { continue };
        let text = text.trim_start();
        if let Some(half) = text.strip_suffix("<unfinished ...>") {
            open.push((thread.to_owned(), calls.len()));
            calls.push(Call { begun: at, ended: usize::MAX, text: half.to_owned() });
        } else if text.starts_with("<... ") {
            let Some(index) = open.iter().position(|(of, _)| of == thread) else { continue };
            let (_, call) = open.swap_remove(index);
            calls[call].ended = at;
            calls[call].text.push_str(text.split_once("resumed>").map_or("", |(_, rest)| rest));
        } else {
            calls.push(Call { begun: at, ended: at, text: text.to_owned() });
        }
    }
    calls
}

impl Call {
    fn is(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.text.starts_with(&format!("{name}(")))
    }

    fn sends(&self) -> bool {
        self.is(&["sendto", "write", "writev", "sendmsg"])
    }

    fn receives(&self) -> bool {
        self.is(&["recvfrom", "read"])
    }

    fn is_to_log(&self) -> bool {
        self.text.contains("ledger.db-wal>")
    }

    fn writes_log(&self) -> bool {
        self.is(&["pwrite64", "write"]) && self.is_to_log()
    }

    /// True if it made durable what `written` wrote, before `leaving` began.
    fn syncs(&self, written: &Self, leaving: &Self) -> bool {
        let done = self.text.trim_end().ends_with("= 0") && self.ended < leaving.begun;
        self.is(&["fsync", "fdatasync"]) && self.is_to_log() && self.begun > written.ended && done
    }
}

/// For every terminator in the trace: whether, after the server let the message begin (354), something was written to the
/// log of the ledger, and a sync of the log that began after that write had returned before the terminator left.
fn intents_first(trace: &str) -> Vec<bool> {
    let calls = calls(trace);
    let mut found = Vec::new();
    let mut let_in = None;
    for (index, call) in calls.iter().enumerate() {
        let begins = call.text.contains("\"354 ") || call.text.contains("\\n354 ");
        if begins && call.receives() {
            let_in = Some(index);
        }
        if !(call.sends() && call.text.contains(TERMINATOR)) {
            continue;
        }
        let Some(from) = let_in.take() else {
            found.push(false);
            continue;
        };
        let since = &calls[from..index];
        let written = since.iter().find(|call| call.writes_log());
        found.push(written.is_some_and(|written| since.iter().any(|sync| sync.syncs(written, call))));
    }
    found
}

/// For every group with a chunk in the trace: whether the log of the ledger was written since the last letter was taken, all
/// of it was synced before the group left, and nothing more was written to it before the server took the letter. What is
/// recorded then cannot have been done without the intent, so that the intent was among what was synced.
fn intents_before_chunks(trace: &str) -> Vec<bool> {
    let calls = calls(trace);
    let taken = |call: &Call| call.receives() && call.text.contains(TAKEN);
    let mut found = Vec::new();
    let mut from = 0;
    for (index, call) in calls.iter().enumerate() {
        if taken(call) {
            from = index;
        }
        if !(call.sends() && call.text.contains("BDAT ")) {
            continue;
        }
        let since = &calls[from..index];
        let last = since.iter().rfind(|call| call.writes_log());
        let durable = last.is_some_and(|last| since.iter().any(|sync| sync.syncs(last, call)));
        let until_taken = calls[index..].iter().position(taken);
        let quiet = until_taken.is_some_and(|count| !calls[index..index + count].iter().any(Call::writes_log));
        found.push(durable && quiet);
    }
    found
}

/// Sends a campaign under strace; the trace of these system calls.
fn traced_send(campaign: &Campaign, calls: &str) -> String {
    let trace = campaign.path("home/trace");
    let program = campaign.command(&["send", "--yes"]);
    let mut traced = Command::new("strace");
    traced.args(["-f", "-y", "-s", "4096", "-e", &format!("trace={calls}")]);
    traced.arg("-o").arg(&trace).arg(program.get_program()).args(["send", "--yes"]);
    let output = traced.current_dir(campaign.path("")).stdin(Stdio::null()).output().expect("strace starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&fs::read(trace).expect("the trace")).into_owned()
}

#[test]
fn no_group_of_commands_waits_for_the_acknowledgement_of_the_one_before() {
    if !strace_or_skip("TCP_NODELAY on every connection") {
        return;
    }
    let server = Server::start();
    let campaign = Campaign::small(server.port(), LETTERS);
    let trace = traced_send(&campaign, "connect,setsockopt");
    let count = |words: &[&str]| calls(&trace).iter().filter(|c| words.iter().all(|w| c.text.contains(w))).count();
    let connections = count(&["connect(", &format!("htons({})", server.port())]);
    assert!(connections > 0, "{trace}");
    assert_eq!(count(&["setsockopt(", "TCP_NODELAY, [1]", "= 0"]), connections, "{trace}");
}

#[test]
fn the_intent_of_each_letter_is_synced_to_the_disk_before_its_terminator_is_written() {
    if !strace_or_skip("the order of fsync and terminator") {
        return;
    }
    // The claim has time to reach the disk on its own, so that what is written after the 354 is the intent.
    let server = Server::scripted(Script::new(|cue| match cue.phase {
        Phase::Mail => {
            Action::Raw(vec![Chunk { after: Duration::from_millis(40), bytes: b"250 2.1.0 ok\r\n".to_vec() }])
        }
        _ => Action::Behave,
    }));
    let campaign = Campaign::small(server.port(), LETTERS).set("smtp.connections", "1");
    let trace = traced_send(&campaign, "fsync,fdatasync,pwrite64,write,writev,sendto,sendmsg,read,recvfrom");
    assert_eq!(server.letters().len(), LETTERS);
    assert_eq!(intents_first(&trace), [true; LETTERS]);
}

#[test]
fn the_intent_of_each_letter_is_synced_to_the_disk_before_the_first_octet_of_its_chunk_is_written() {
    if !strace_or_skip("the order of fsync and chunk") {
        return;
    }
    // An intent that was not waited for has time to be seen behind the chunk.
    let script = Script::new(|cue| match cue.phase {
        Phase::EndOfData => {
            let bytes = format!("{TAKEN}\r\n").into_bytes();
            Action::Raw(vec![Chunk { after: Duration::from_millis(40), bytes }])
        }
        _ => Action::Behave,
    });
    let offers = Offers { chunking: true, ..Offers::default() };
    let server = Server::with(Options { offers, script, ..Options::default() });
    let campaign = Campaign::small(server.port(), LETTERS).set("smtp.connections", "1");
    let trace = traced_send(&campaign, "fsync,fdatasync,pwrite64,write,writev,sendto,sendmsg,read,recvfrom");
    assert_eq!(server.letters().len(), LETTERS);
    assert_eq!(intents_before_chunks(&trace), [true; LETTERS]);
    assert!(intents_first(&trace).is_empty(), "no letter went by DATA");
}

#[test]
fn the_reader_of_traces_knows_right_from_wrong() {
    const LET_IN: &str = "7 recvfrom(9<socket:[1]>, \"354 go on\\r\\n\", 4096, 0, NULL, NULL) = 11\n";
    const WRITE: &str = "8 pwrite64(5</x/ledger.db-wal>, \"...\", 4096, 32) = 4096\n";
    const SYNC: &str = "8 fdatasync(5</x/ledger.db-wal>) = 0\n";
    const DOT: &str = "7 sendto(9<socket:[1]>, \".\\r\\n\", 3, MSG_NOSIGNAL, NULL, 0) = 3\n";
    const BEGUN: &str = "8 fdatasync(5</x/ledger.db-wal> <unfinished ...>\n";
    const ENDED: &str = "8 <... fdatasync resumed>) = 0\n";
    const GROUP: &str =
        "7 sendto(9<socket:[1]>, \"MAIL FROM:<a@b.example>\\r\\nBDAT 5 LAST\\r\\nText.\", 60, 0, NULL, 0) = 60\n";
    const DONE: &str = "7 recvfrom(9<socket:[1]>, \"250 2.6.0 taken\\r\\n\", 4096, 0, NULL, NULL) = 17\n";
    let verdict = |lines: &[&str]| intents_first(&lines.concat());
    assert_eq!(verdict(&[LET_IN, WRITE, SYNC, DOT]), [true]);
    assert_eq!(verdict(&[LET_IN, WRITE, BEGUN, ENDED, DOT]), [true]);
    assert_eq!(verdict(&[LET_IN, WRITE, BEGUN, DOT, ENDED]), [false], "the sync has not returned");
    assert_eq!(verdict(&[LET_IN, WRITE, DOT, SYNC]), [false]);
    assert_eq!(verdict(&[LET_IN, SYNC, WRITE, DOT]), [false], "the write is not synced");
    assert_eq!(verdict(&[WRITE, SYNC, LET_IN, DOT]), [false], "that was the claim");
    assert_eq!(verdict(&[LET_IN, WRITE, SYNC, DOT, LET_IN, DOT]), [true, false]);

    let verdict = |lines: &[&str]| intents_before_chunks(&lines.concat());
    assert_eq!(verdict(&[WRITE, SYNC, GROUP, DONE]), [true]);
    assert_eq!(verdict(&[WRITE, WRITE, BEGUN, ENDED, GROUP, DONE, WRITE, SYNC, GROUP, DONE]), [true, true]);
    assert_eq!(verdict(&[WRITE, SYNC, WRITE, GROUP, DONE]), [false], "the second write is not synced");
    assert_eq!(verdict(&[WRITE, BEGUN, GROUP, ENDED, DONE]), [false], "the sync has not returned");
    assert_eq!(verdict(&[WRITE, SYNC, GROUP, WRITE, SYNC, DONE]), [false], "that was the claim");
    assert_eq!(verdict(&[WRITE, SYNC, GROUP, DONE, GROUP, DONE]), [true, false]);
    assert_eq!(verdict(&[WRITE, SYNC, GROUP]), [false], "the letter was never taken");
}
