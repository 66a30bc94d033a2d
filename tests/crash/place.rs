//! A ledger that is not what it should be: each gets its message and exit code from every command, and is left as it was.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use rusqlite::Connection;

use crate::support::campaign::Campaign;
use crate::support::server::Server;

/// Commands that write to the ledger, and those that only read it.
const WRITERS: [&[&str]; 4] = [
    &["send", "--yes"],
    &["resend", "--yes"],
    &["resolve", "AND", "--sent", "--note", "they telephoned"],
    &["report", "--pack", "out.zip"],
];
const READERS: [&[&str]; 4] = [&["status"], &["status", "--json"], &["log"], &["report", "--csv", "out.csv"]];

/// A campaign of which half was sent: its ledger is worth something.
fn half_sent(server: &Server) -> Campaign {
    let campaign = Campaign::small(server.port(), 10);
    campaign.run(&["send", "--yes", "--limit", "5"]).expect_code(0);
    assert_eq!(server.letters().len(), 5);
    assert!(!campaign.path("ledger.db-wal").exists(), "a clean end leaves one file");
    campaign
}

/// Every file beside and behind the ledger's name, but for the lock, which says who came last, and what SQLite's readers
/// leave for each other: an index, and a log of no bytes.
fn files(campaign: &Campaign) -> BTreeMap<String, Vec<u8>> {
    let folder = campaign.path("ledger.db").parent().expect("a folder").to_owned();
    let entries = fs::read_dir(folder).expect("our own folder").map(|entry| entry.expect("an entry").path());
    let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
    let ours = |path: &Path| name(path).starts_with("ledger") && path.extension().is_none_or(|it| it != "lock");
    entries
        .filter(|path| path.is_file() && ours(path) && !name(path).ends_with("-shm"))
        .map(|path| (name(&path), fs::read(&path).expect("our own file")))
        .filter(|(name, bytes)| !name.ends_with("-wal") || !bytes.is_empty())
        .collect()
}

/// Each of `commands` refuses with 74 and says `message`; nothing is sent and no byte changes.
#[track_caller]
fn refused(campaign: &Campaign, server: &Server, commands: &[&[&str]], message: &str) {
    let before = files(campaign);
    let sent = server.letters().len();
    for command in commands {
        let run = campaign.run(command);
        assert_eq!(run.code, Some(74), "{command:?}: {run:?}");
        assert!(run.stderr.contains(message), "{command:?} does not say {message:?}: {}", run.stderr);
        let after = files(campaign);
        let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&after), names(&before), "{command:?} left other files");
        assert!(after == before, "{command:?} changed the ledger");
    }
    assert_eq!(server.letters().len(), sent, "something was sent");
}

fn all() -> Vec<&'static [&'static str]> {
    WRITERS.iter().chain(&READERS).copied().collect()
}

fn damage(campaign: &Campaign, at: usize, with: &[u8]) {
    let path = campaign.path("ledger.db");
    let mut bytes = fs::read(&path).expect("the ledger");
    assert!(at + with.len() <= bytes.len(), "the ledger is too short to damage it there");
    bytes[at..at + with.len()].copy_from_slice(with);
    fs::write(path, bytes).expect("our own file");
}

#[test]
fn a_ledger_with_a_damaged_page_is_refused_before_anything_is_sent() {
    let server = Server::start();
    let whole = fs::read(half_sent(&server).path("ledger.db")).expect("the ledger").len();
    let mut random = fastrand::Rng::with_seed(21);
    // The head of a page in the middle, with the tables' content around it.
    for page in [1, 3, whole / 4096 / 2] {
        let server = Server::start();
        let campaign = half_sent(&server);
        let noise: Vec<u8> = (0..64).map(|_| random.u8(..)).collect();
        damage(&campaign, page * 4096, &noise);
        refused(&campaign, &server, &WRITERS, "the ledger is damaged");
    }
}

#[test]
fn a_ledger_whose_header_is_overwritten_is_no_ledger() {
    let server = Server::start();
    let campaign = half_sent(&server);
    damage(&campaign, 0, &[0x5a; 100]);
    refused(&campaign, &server, &all(), "is not a ledger of demarche");
}

#[test]
fn a_truncated_ledger_is_refused() {
    let server = Server::start();
    for (keep, message) in
        [(3 * 4096, "the ledger is damaged"), (5000, "the ledger is damaged"), (50, "is not a ledger")]
    {
        let campaign = half_sent(&Server::start());
        let bytes = fs::read(campaign.path("ledger.db")).expect("the ledger");
        fs::write(campaign.path("ledger.db"), &bytes[..keep]).expect("our own file");
        refused(&campaign, &server, &WRITERS, message);
    }
}

#[test]
fn a_ledger_of_a_newer_program_is_left_to_it() {
    let server = Server::start();
    let campaign = half_sent(&server);
    let ledger = Connection::open(campaign.path("ledger.db")).expect("the ledger");
    ledger.pragma_update(None, "user_version", 99).expect("a newer version");
    drop(ledger);
    refused(&campaign, &server, &all(), "written by a newer demarche (its version is 99");
}

#[test]
fn a_file_or_a_folder_without_write_permission_is_refused_whoever_asks() {
    let server = Server::start();
    let campaign = half_sent(&server);
    let ledger = campaign.path("ledger.db");
    fs::set_permissions(&ledger, Permissions::from_mode(0o444)).expect("our own file");
    refused(&campaign, &server, &WRITERS, "cannot be written: make it, and the folder it is in, writable");
    fs::set_permissions(&ledger, Permissions::from_mode(0o644)).expect("our own file");
    let folder = ledger.parent().expect("a folder").to_owned();
    fs::set_permissions(&folder, Permissions::from_mode(0o555)).expect("our own folder");
    refused(&campaign, &server, &WRITERS, "cannot be written: make it, and the folder it is in, writable");
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).expect("our own folder");
    campaign.run(&["send", "--yes"]).expect_code(0);
    assert_eq!(server.letters().len(), 10);
}

#[test]
fn a_symbolic_link_is_not_followed() {
    let server = Server::start();
    let campaign = half_sent(&server);
    let target = campaign.path("ledger-elsewhere.db");
    fs::rename(campaign.path("ledger.db"), &target).expect("our own file");
    symlink(&target, campaign.path("ledger.db")).expect("a link");
    refused(&campaign, &server, &all(), "is a symbolic link");
}

#[test]
fn a_lock_that_leads_elsewhere_is_not_followed() {
    let server = Server::start();
    let campaign = half_sent(&server).file("elsewhere", "not a lock");
    fs::remove_file(campaign.path("ledger.db.lock")).expect("our own file");
    symlink(campaign.path("elsewhere"), campaign.path("ledger.db.lock")).expect("a link");
    refused(&campaign, &server, &WRITERS, "ledger.db.lock is a symbolic link");
    assert_eq!(campaign.read("elsewhere"), "not a lock");
}

#[test]
fn no_file_beside_the_ledger_is_written_through_a_link() {
    for suffix in ["-wal", "-shm", "-journal", ".lock", ".journal", ".reserve"] {
        for there in [true, false] {
            let server = Server::start();
            let campaign = half_sent(&server);
            let elsewhere = campaign.path("home/precious");
            if there {
                fs::write(&elsewhere, "precious").expect("our own folder");
            }
            let link = campaign.path(&format!("ledger.db{suffix}"));
            let _ = fs::remove_file(&link);
            symlink(&elsewhere, &link).expect("a link");
            let run = campaign.run(&["send", "--yes"]);
            assert_eq!(run.code, Some(74), "{suffix}: {run:?}");
            let said = format!("ledger.db{suffix} is a symbolic link, and nothing is written through one");
            assert!(run.stderr.contains(&said), "{suffix}: {}", run.stderr);
            assert_eq!(fs::read(&elsewhere).ok(), there.then(|| b"precious".to_vec()), "{suffix}");
            assert_eq!(server.letters().len(), 5, "{suffix}");
        }
    }
}

#[test]
fn a_text_file_a_folder_and_another_programs_database_are_not_touched() {
    let server = Server::start();
    let text = Campaign::small(server.port(), 5).file("ledger.db", "Dear diary,\n".repeat(40));
    refused(&text, &server, &all(), "is not a ledger of demarche");
    let folder = Campaign::small(server.port(), 5);
    fs::create_dir(folder.path("ledger.db")).expect("our own folder");
    refused(&folder, &server, &all(), "is not a ledger of demarche");
    let other = Campaign::small(server.port(), 5);
    let database = Connection::open(other.path("ledger.db")).expect("a database");
    database.execute_batch("CREATE TABLE songs (name TEXT); INSERT INTO songs VALUES ('Aux armes');").expect("a table");
    drop(database);
    refused(&other, &server, &all(), "is not a ledger of demarche");
}

#[test]
fn a_ledger_of_another_campaign_is_not_mixed_up_with_this_one() {
    let server = Server::start();
    let campaign = half_sent(&server).set("campaign.id", "\"another-letter\"");
    refused(&campaign, &server, &WRITERS, "belongs to the campaign \"open-letter\"");
}

#[test]
fn readers_say_what_is_wrong_with_a_damaged_ledger_or_show_what_is_there_and_change_nothing() {
    let server = Server::start();
    let campaign = half_sent(&server);
    let noise = [0xa5; 64];
    damage(&campaign, 4096, &noise);
    let before = files(&campaign);
    for command in READERS {
        let run = campaign.run(command);
        assert!(matches!(run.code, Some(0 | 74 | 75)), "{command:?}: {run:?}");
        assert!(run.code != Some(74) || run.stderr.contains("the ledger"), "{command:?}: {}", run.stderr);
        assert!(!run.stderr.contains("panicked"), "{command:?}: {}", run.stderr);
    }
    assert!(files(&campaign) == before, "the ledger changed");
}

#[test]
fn a_ledger_that_is_not_there_is_missing_to_all_but_send() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 5);
    let commands: Vec<&[&str]> = WRITERS[1..].iter().chain(&READERS).copied().collect();
    refused(&campaign, &server, &commands, "there is no ledger at");
}
