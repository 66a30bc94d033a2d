//! A disk that fills up at each durable write point: nothing is sent without a record, nothing accepted is forgotten.
//!
//! Two ways to be full. A limit on the size of files (`RLIMIT_FSIZE`), drawn tight around a running process with prlimit(1),
//! works for every user; a small file system of its own, filled to the brim, is the real thing and needs root.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use demarche::domain::outcome::Phase;
use demarche::postbox::Action;

use crate::stage::Stage;
use crate::support::campaign::{Campaign, Run, Running};
use crate::support::server::row_of;

const ROWS: usize = 8;
const NTH: u32 = 4;

/// How the disk is filled.
enum Disk {
    /// No file of the process may grow any more.
    Limit,
    /// No block is left.
    Small(Mount),
}

/// A small file system in memory, gone when dropped.
struct Mount(PathBuf);

impl Mount {
    fn new(place: &Path, size: &str) -> Option<Self> {
        fs::create_dir_all(place).expect("our own folder");
        let options = format!("size={size}");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(place).stderr(Stdio::null());
        let mounted = mount.status().is_ok_and(|status| status.success());
        mounted.then(|| Self(place.to_owned()))
    }

    fn fill(&self) {
        let mut file = File::create(self.0.join("ballast")).expect("room for a name");
        while file.write_all(&[0; 4096]).is_ok() {}
    }

    fn make_room(&self) {
        fs::remove_file(self.0.join("ballast")).expect("the ballast");
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

impl Disk {
    /// A small file system for the ledger, or a word that there can be none here.
    fn small(campaign: &Campaign, test: &str) -> Option<Self> {
        let mount = Mount::new(&campaign.path("disk"), "4m");
        if mount.is_none() {
            left_out(test, "a file system of its own (mounting needs root)");
        }
        mount.map(Self::Small)
    }

    fn fill(&self, campaign: &Campaign, running: &Running) {
        match self {
            Self::Small(mount) => mount.fill(),
            // What is in the log already may be written again; what has to be appended may not.
            Self::Limit => {
                let size = fs::metadata(campaign.path("disk/ledger.db-wal")).map_or(0, |meta| meta.len());
                let limit = format!("--fsize={size}:{size}");
                let id = running.process_id().to_string();
                let status = Command::new("prlimit").args(["--pid", &id, &limit]).status();
                assert!(status.expect("prlimit starts").success(), "prlimit");
            }
        }
    }

    fn make_room(&self) {
        if let Self::Small(mount) = self {
            mount.make_room();
        }
    }
}

#[expect(clippy::print_stderr, reason = "a test that is left out says so")]
fn left_out(test: &str, need: &str) {
    eprintln!("left out: {test} needs {need}");
}

fn campaign(stage: &Stage) -> Campaign {
    with_sessions(stage, 1)
}

fn with_sessions(stage: &Stage, sessions: usize) -> Campaign {
    let campaign = Campaign::small(stage.server.port(), ROWS)
        .set("smtp.connections", &sessions.to_string())
        .set("ledger.file", "\"disk/ledger.db\"");
    fs::create_dir(campaign.path("disk")).expect("our own folder");
    campaign
}

/// Fills the disk when `phase` comes up for the letter in flight, and lets the program come to its end.
fn full_at(phase: Phase, nth: u32, small: bool) -> Option<(Stage, Campaign, Disk, Run)> {
    let stage = Stage::new();
    let mut campaign = campaign(&stage);
    let disk = if small { Disk::small(&campaign, &format!("a full disk at {phase}"))? } else { Disk::Limit };
    stage.hold(phase, nth, Action::Behave);
    let mut running = campaign.spawn(&["send", "--yes"]);
    stage.expect(&mut running);
    disk.fill(&campaign, &running);
    stage.go_on();
    let run = running.wait();
    Some((stage, campaign, disk, run))
}

/// The run ended by itself, with the code of a ledger that cannot be written, and said why.
#[track_caller]
fn assert_loud(run: &Run, small: bool) {
    assert_eq!(run.code, Some(74), "{run:?}");
    let reason = if small { "the disk is full" } else { "a write failed" };
    assert!(run.stderr.contains(reason), "{}", run.stderr);
}

/// With room again the same command sends the rest, each row once.
#[track_caller]
fn assert_goes_on(campaign: &Campaign, stage: &Stage, disk: &Disk, uncertain: usize) -> Run {
    disk.make_room();
    let run = campaign.run(&["send", "--yes"]).expect_code(if uncertain == 0 { 0 } else { 2 });
    let mut ids = stage.server.ids();
    ids.dedup();
    assert_eq!(stage.server.letters().len(), ids.len(), "a row has two letters");
    let counts = campaign.run(&["status", "--json"]).json()["counts"].clone();
    assert_eq!(counts["uncertain"], uncertain, "{counts}");
    assert_eq!(counts["accepted"], ROWS - uncertain, "{counts}");
    run
}

#[test]
fn full_before_the_plan_nothing_is_sent() {
    for kilobytes in [0, 8, 64, 200, 300, 340] {
        let stage = Stage::new();
        let campaign = campaign(&stage);
        let Some(mount) = Mount::new(&campaign.path("disk"), &format!("{}k", kilobytes.max(4))) else {
            return left_out("a full disk before the plan", "a file system of its own (mounting needs root)");
        };
        let run = campaign.run(&["send", "--yes"]);
        assert!(matches!(run.code, Some(73 | 74)), "{kilobytes} KiB: {run:?}");
        let said =
            "error: the disk is full, so the ledger cannot record anything: make room, then run the same command again";
        assert!(
            run.stderr.split_whitespace().collect::<Vec<_>>().join(" ").contains(said),
            "{kilobytes} KiB: {}",
            run.stderr
        );
        assert_eq!(stage.server.letters().len(), 0);
        drop(mount);
    }
}

#[test]
fn full_by_a_limit_before_the_plan_nothing_is_sent_and_the_program_lives_to_say_so() {
    for blocks in [0, 8, 64, 400] {
        let stage = Stage::new();
        let campaign = campaign(&stage);
        let program = campaign.command(&["send", "--yes"]);
        let script = format!("ulimit -f {blocks}; exec \"$0\" send --yes");
        let mut limited = Command::new("sh");
        limited.args(["-c", &script]).arg(program.get_program()).current_dir(campaign.path("")).stdin(Stdio::null());
        limited.env("HOME", campaign.path("home"));
        let output = limited.output().expect("sh starts");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(73 | 74)), "{blocks} blocks: {:?} {stderr}", output.status);
        assert!(stderr.contains("a write failed") || stderr.contains("File too large"), "{blocks} blocks: {stderr}");
        assert_eq!(stage.server.letters().len(), 0);
        campaign.run(&["send", "--yes"]).expect_code(0);
        assert_eq!(stage.server.letters().len(), ROWS);
    }
}

#[test]
fn full_before_a_claim_nothing_is_finished_and_the_run_says_so() {
    for small in [false, true] {
        let Some((stage, campaign, disk, run)) = full_at(Phase::Connect, 1, small) else { continue };
        assert_loud(&run, small);
        assert_eq!(stage.server.letters().len(), 0);
        assert_goes_on(&campaign, &stage, &disk, 0);
    }
}

#[test]
fn full_before_an_intent_the_letter_is_not_finished_and_the_run_says_so() {
    for small in [false, true] {
        let Some((stage, campaign, disk, run)) = full_at(Phase::Data, NTH, small) else { continue };
        assert_loud(&run, small);
        assert_eq!(stage.server.letters().len(), NTH as usize - 1);
        assert_goes_on(&campaign, &stage, &disk, 0);
    }
}

#[test]
fn full_after_the_250_the_outcome_is_in_the_journal_and_the_next_start_takes_it_over() {
    for small in [false, true] {
        let Some((stage, campaign, disk, run)) = full_at(Phase::EndOfData, NTH, small) else { continue };
        assert_loud(&run, small);
        assert!(
            run.stderr.contains("disk/ledger.db.journal") && run.stderr.contains("do not delete"),
            "{}",
            run.stderr
        );
        let journal = campaign.read("disk/ledger.db.journal");
        assert_eq!(journal.lines().filter(|line| line.starts_with('{')).count(), 1, "{journal}");
        let taken: Vec<String> = stage.server.letters().iter().map(row_of).collect();
        assert_eq!(taken.len(), NTH as usize);
        let rest = assert_goes_on(&campaign, &stage, &disk, 0);
        assert!(!campaign.path("disk/ledger.db.journal").exists());
        assert!(rest.stderr.contains("emergency journal"), "taken over without a word: {}", rest.stderr);
    }
}

#[test]
fn full_with_several_sessions_no_row_is_uncertain_and_none_has_two_letters() {
    for phase in [Phase::Mail, Phase::Body, Phase::EndOfData] {
        let stage = Stage::new();
        let mut campaign = with_sessions(&stage, 4);
        stage.hold(phase, NTH, Action::Behave);
        let mut running = campaign.spawn(&["send", "--yes"]);
        stage.expect(&mut running);
        Disk::Limit.fill(&campaign, &running);
        stage.go_on();
        assert_loud(&running.wait(), false);
        assert_goes_on(&campaign, &stage, &Disk::Limit, 0);
    }
}

#[test]
fn an_outcome_that_neither_ledger_nor_journal_takes_is_said_and_the_row_is_uncertain() {
    let stage = Stage::new();
    let mut campaign = campaign(&stage);
    stage.hold(Phase::EndOfData, NTH, Action::Behave);
    let mut running = campaign.spawn(&["send", "--yes"]);
    stage.expect(&mut running);
    Disk::Limit.fill(&campaign, &running);
    // Something is in the journal's place.
    let journal = campaign.path("disk/ledger.db.journal");
    fs::create_dir(&journal).expect("our own folder");
    stage.go_on();
    let run = running.wait().expect_code(74);
    assert!(run.stderr.contains("could be recorded nowhere") && run.stderr.contains("write it down"), "{}", run.stderr);
    fs::remove_dir(&journal).expect("our own folder");
    assert_goes_on(&campaign, &stage, &Disk::Limit, 1);
    assert_eq!(stage.server.letters().len(), ROWS);
}
