//! The evidence pack from the outside: it holds every message as it was handed over, and no change of it goes unnamed.

mod support;

use std::fs::{self, File};
use std::io::{Cursor, Read as _, Write as _};
use std::path::Path;
use std::process::Command;

use demarche::domain::digest::Digest;
use demarche::domain::outcome::Phase;
use demarche::ledger::Ledger;
use demarche::postbox::{Action, Rule, Script};
use support::campaign::{Campaign, Run};
use support::server::{Server, row_of};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// Names and contents, in their order.
type Files = Vec<(String, Vec<u8>)>;

fn refuse(who: &str, times: Option<u64>, text: &str) -> Rule {
    let recipient = Some(format!("{who}@missions.example"));
    Rule { phase: Phase::Rcpt, connection: None, recipient, times, action: Action::Reply(text.to_owned()) }
}

/// A batch with everything in it: an address corrected after a refusal, one put off, one lost and resolved, an attachment, an
/// archive copy, an approval.
fn campaign(server: &Server) -> Campaign {
    let campaign = Campaign::small(server.port(), 6)
        .file("annex.txt", "An annex.\n.\n..two dots\n")
        .set("letter.attachments", "[\"annex.txt\"]")
        .set("sender.bcc", "[\"archive@coalition.example\"]");
    let digest = campaign.run(&["preview", "--json"]).json()["digest"].as_str().expect("a digest").to_owned();
    campaign.run(&["approve", &digest, "--by", "The Chair"]).expect_code(0);
    campaign.run(&["send", "--yes"]).expect_code(2);
    let rows = campaign.read("recipients.csv").replace("afg@missions.example", "kabul@missions.example");
    let campaign = campaign.recipients(&rows);
    campaign.run(&["resolve", "ALB", "--sent", "--note", "=they telephoned", "--by", "The Desk"]).expect_code(0);
    campaign.run(&["resend", "--yes"]).expect_code(0);
    campaign
}

fn server() -> Server {
    let lost = Rule {
        phase: Phase::EndOfData,
        connection: None,
        recipient: Some("alb@missions.example".to_owned()),
        times: Some(1),
        action: Action::AcceptThen(Box::new(Action::Close)),
    };
    Server::scripted(Script::rules(vec![
        refuse("afg", None, "550 5.1.1 no such user"),
        refuse("and", Some(1), "451 4.7.1 later"),
        lost,
    ]))
}

fn packed() -> (Server, Campaign, String) {
    let server = server();
    let campaign = campaign(&server);
    let made = campaign.run(&["report", "--pack", "evidence.zip"]).expect_code(0);
    let manifest = made.stdout.lines().find_map(|line| line.strip_prefix("manifest: ")).expect("a digest").to_owned();
    (server, campaign, manifest)
}

fn unpack(path: &Path) -> Files {
    let mut archive = ZipArchive::new(File::open(path).expect("the pack")).expect("a ZIP file");
    let count = archive.len();
    let read = |place| {
        let mut file = archive.by_index(place).expect("a file");
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).expect("readable");
        (file.name().expect("a name").to_string(), bytes)
    };
    (0..count).map(read).collect()
}

fn zipped(files: &Files) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(name, SimpleFileOptions::default()).expect("a new name");
        zip.write_all(bytes).expect("memory");
    }
    zip.finish().expect("memory").into_inner()
}

/// The manifest made anew, as somebody would who wants to hide a change.
fn with_new_manifest(mut files: Files) -> Files {
    files.retain(|(name, _)| name != "MANIFEST.sha256");
    let lines: Vec<String> = files.iter().map(|(name, bytes)| format!("{}  {name}\n", Digest::of(bytes))).collect();
    files.push(("MANIFEST.sha256".to_owned(), lines.concat().into_bytes()));
    files
}

fn content<'a>(files: &'a mut Files, name: &str) -> &'a mut Vec<u8> {
    &mut files.iter_mut().find(|(found, _)| found == name).unwrap_or_else(|| panic!("no {name}")).1
}

fn check(campaign: &Campaign, files: &Files) -> Run {
    fs::write(campaign.path("changed.zip"), zipped(files)).expect("our own file");
    campaign.run(&["report", "--verify", "changed.zip"])
}

#[track_caller]
fn named(campaign: &Campaign, files: &Files, finding: &str) {
    let run = check(campaign, files).expect_code(65);
    assert!(run.stdout.contains(&format!("WRONG  {finding}")), "{finding:?} is not in:\n{}", run.stdout);
    assert!(run.stdout.contains("is NOT in order"), "{}", run.stdout);
}

#[test]
fn a_pack_holds_every_message_byte_for_byte_as_the_server_got_it() {
    let (server, campaign, manifest) = packed();
    let files = unpack(&campaign.path("evidence.zip"));
    let bytes = |name: &str| files.iter().find(|(found, _)| found == name).map(|(_, bytes)| bytes.clone());
    for letter in server.letters() {
        let id = row_of(&letter);
        let kept = (1..=3).filter_map(|attempt| bytes(&format!("messages/{id}/{attempt}.eml")));
        assert!(kept.into_iter().any(|message| message == letter.bytes), "{id} is not in the pack as it was sent");
    }
    assert_eq!(server.letters().len(), 6);
    let verified = campaign.run(&["report", "--verify", "evidence.zip", "--expect", &manifest]).expect_code(0);
    assert!(verified.stdout.contains("is in order"), "{}", verified.stdout);
    assert!(verified.stdout.contains("6 recipients"), "{}", verified.stdout);
    let runs: Vec<&str> = verified.stdout.lines().filter(|line| line.starts_with("run ")).collect();
    assert!(runs[0].ends_with(", approved by The Chair before it began"), "{runs:?}");
    assert!(runs[1].ends_with(", approved by nobody"), "{runs:?}");
    let json = campaign.run(&["report", "--verify", "evidence.zip", "--json"]).expect_code(0).json();
    assert_eq!((&json["in_order"], &json["manifest"]), (&true.into(), &manifest.as_str().into()));
    assert_eq!(json["batch"], campaign.run(&["status", "--json"]).json()["digest"]);
}

#[test]
fn a_message_of_before_a_correction_is_made_again_from_the_row_of_then() {
    // A server without CHUNKING has no message before it took the address; this one refuses after the message.
    let mut rule = refuse("afg", Some(1), "554 5.7.1 no");
    rule.phase = Phase::EndOfData;
    let server = Server::scripted(Script::rules(vec![rule]));
    let campaign = Campaign::small(server.port(), 3);
    campaign.run(&["send", "--yes"]).expect_code(1);
    let rows = campaign.read("recipients.csv").replace("afg@missions.example", "kabul@missions.example");
    let campaign = campaign.recipients(&rows);
    campaign.run(&["resend", "--yes"]).expect_code(0);
    campaign.run(&["report", "--pack", "evidence.zip"]).expect_code(0);
    let mut files = unpack(&campaign.path("evidence.zip"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(text(content(&mut files, "messages/AFG/1.eml")).contains("To: afg@missions.example"));
    assert!(text(content(&mut files, "messages/AFG/2.eml")).contains("To: kabul@missions.example"));
    campaign.run(&["report", "--verify", "evidence.zip"]).expect_code(0);
}

#[test]
fn anything_missing_extra_altered_or_renamed_is_named() {
    let (_server, campaign, _) = packed();
    let whole = unpack(&campaign.path("evidence.zip"));
    check(&campaign, &whole).expect_code(0);
    let with = |change: &dyn Fn(&mut Files)| {
        let mut files = whole.clone();
        change(&mut files);
        files
    };
    let altered = with(&|files| content(files, "report.html").extend(b"<!-- -->"));
    named(&campaign, &altered, "report.html: was altered, its digest is not the manifest's");
    let less = with(&|files| files.retain(|(name, _)| name != "messages/DZA/1.eml"));
    named(&campaign, &less, "messages/DZA/1.eml: is missing, the manifest names it");
    let more = with(&|files| files.push(("messages/DZA/7.eml".to_owned(), b"To: me\r\n\r\n".to_vec())));
    named(&campaign, &more, "messages/DZA/7.eml: is extra, the manifest does not name it");
    named(&campaign, &more, "messages/DZA/7.eml: is a message that the ledger knows nothing of");
    let renamed = with(&|files| {
        files.iter_mut().filter(|(name, _)| name == "messages/DZA/1.eml").for_each(|(name, _)| {
            "messages/FRA/1.eml".clone_into(name);
        });
    });
    named(&campaign, &renamed, "messages/DZA/1.eml: is missing, the manifest names it");
    named(&campaign, &renamed, "messages/FRA/1.eml: is extra, the manifest does not name it");
    let swapped = with(&|files| {
        let one = content(files, "messages/DZA/1.eml").clone();
        let other = std::mem::replace(content(files, "messages/AGO/1.eml"), one);
        *content(files, "messages/DZA/1.eml") = other;
    });
    named(&campaign, &swapped, "messages/AGO/1.eml: was altered");
    let without = with(&|files| files.retain(|(name, _)| name != "MANIFEST.sha256"));
    named(&campaign, &without, "MANIFEST.sha256: is missing");
    let torn = with(&|files| content(files, "MANIFEST.sha256").extend(b"not a line\n"));
    named(&campaign, &torn, "MANIFEST.sha256: line ");
}

#[test]
fn a_change_with_a_manifest_made_to_fit_is_found_by_the_record_or_by_the_manifests_digest() {
    let (_server, campaign, manifest) = packed();
    let whole = unpack(&campaign.path("evidence.zip"));
    let with = |name: &str, from: &str, to: &str| {
        let mut files = whole.clone();
        let text = String::from_utf8(content(&mut files, name).clone()).expect("UTF-8");
        assert!(text.contains(from), "{name} does not hold {from:?}");
        *content(&mut files, name) = text.replacen(from, to, 1).into_bytes();
        with_new_manifest(files)
    };
    let message = with("messages/DZA/1.eml", "Open letter", "Open Letter");
    named(
        &campaign,
        &message,
        "messages/DZA/1.eml: is not the message that was handed over, by its digest in the ledger",
    );

    // The ledger's own line made to fit as well: then it is not the letter that was planned.
    let mut deeper = message.clone();
    let old = Digest::of(content(&mut whole.clone(), "messages/DZA/1.eml")).to_string();
    let new = Digest::of(content(&mut deeper, "messages/DZA/1.eml")).to_string();
    let ledger = String::from_utf8(content(&mut deeper, "ledger.jsonl").clone()).expect("UTF-8").replace(&old, &new);
    *content(&mut deeper, "ledger.jsonl") = ledger.into_bytes();
    let deeper = with_new_manifest(deeper);
    named(&campaign, &deeper, "messages/DZA/1.eml: is not the letter that was planned, by its digest in the ledger");

    let batch = campaign.run(&["status", "--json"]).json()["digest"].as_str().expect("a digest").to_owned();
    let report = with("report.json", &batch, &"0".repeat(64));
    named(&campaign, &report, "report.json: its digest of the batch is not the one that the letters give");

    // The reports follow from the record.
    named(&campaign, &with("report.csv", "accepted", "failed"), "report.csv: line ");
    let other = with("report.json", "\"outcome\": \"accepted\"", "\"outcome\": \"failed\"");
    named(&campaign, &other, "report.json: \"deliveries\" of ");
    named(&campaign, &with("report.json", "\"run\": 1", "\"run\": 2"), "report.json: \"runs\" is not what follows");

    // Nor does a run count what it did not have.
    let began_with = campaign.run(&["status", "--json"]).json()["runs"][0]["digest"].as_str().expect("one").to_owned();
    let text = String::from_utf8(content(&mut whole.clone(), "report.json").clone()).expect("UTF-8");
    let in_run =
        text.rfind(&format!("\"digest\": \"{began_with}\"")).map(|at| text[..at].to_owned()).expect("it is there");
    let lied = format!("{in_run}{}", text[in_run.len()..].replacen(&began_with, &"0".repeat(64), 1));
    let mut files = whole.clone();
    *content(&mut files, "report.json") = lied.into_bytes();
    named(&campaign, &with_new_manifest(files), "report.json: run 1 was not begun with the batch that it says");
    let counted = "\"run\":1,\"table\":\"run_approvals\"";
    let moved = with("ledger.jsonl", counted, &counted.replace('1', "2"));
    named(&campaign, &moved, "ledger.jsonl: run 2 sent a letter to AFG that is not in the batch approved for it");
    let unknown = with("ledger.jsonl", &format!("\"approval\":1,{counted}"), &format!("\"approval\":9,{counted}"));
    assert_eq!(check(&campaign, &unknown).code, Some(65));
    // Nor does it hide what it had.
    let ledger = String::from_utf8(content(&mut whole.clone(), "ledger.jsonl").clone()).expect("UTF-8");
    let hidden: Vec<&str> = ledger.lines().filter(|line| !line.contains("\"run_approvals\"")).collect();
    assert!(hidden.len() < ledger.lines().count());
    let mut files = whole.clone();
    *content(&mut files, "ledger.jsonl") = format!("{}\n", hidden.join("\n")).into_bytes();
    named(&campaign, &with_new_manifest(files), "ledger.jsonl: run 1 does not count approval 1, which stood");

    // A pack of another version's ledger is checked but for the reports, whose words were others.
    let older = with("ledger.jsonl", &format!("\"version\":{}", Ledger::version()), "\"version\":3");
    let told = check(&campaign, &older).expect_code(0);
    assert!(told.stderr.contains("another version of demarche made it"), "{}", told.stderr);

    // What no digest of the record covers is found by the manifest's own.
    let verdict = with("report.html", "accepted", "failed");
    let alone = check(&campaign, &verdict).expect_code(0);
    assert!(alone.stdout.contains("is consistent in itself") && !alone.stdout.contains("in order"), "{}", alone.stdout);
    assert!(alone.stdout.contains("compare with the one that was handed on"), "{}", alone.stdout);
    let told = campaign.run(&["report", "--verify", "changed.zip", "--expect", &manifest]).expect_code(65);
    assert!(told.stdout.contains("MANIFEST.sha256: is not the one that was expected"), "{}", told.stdout);
}

#[test]
fn a_hostile_file_is_refused_and_nothing_is_written_anywhere() {
    let (_server, campaign, _) = packed();
    let whole = unpack(&campaign.path("evidence.zip"));
    let mut outside = whole.clone();
    outside.push(("../../outside.txt".to_owned(), b"x".to_vec()));
    outside.push(("/tmp/outside.txt".to_owned(), b"x".to_vec()));
    named(&campaign, &with_new_manifest(outside), "../../outside.txt: is no file of an evidence pack");
    assert!(!campaign.path("../outside.txt").exists());

    let mut bomb = whole.clone();
    *content(&mut bomb, "messages/DZA/1.eml") = vec![b'0'; 128 * 1024 * 1024];
    let run = check(&campaign, &bomb).expect_code(65);
    assert!(run.stdout.contains("it would unpack to") && run.stdout.contains("nothing was read"), "{}", run.stdout);

    // Two files of one name, made by giving another the same name byte by byte.
    let mut twice = whole.clone();
    twice.push(("messages/DZA/9.eml".to_owned(), b"x".to_vec()));
    let bytes = zipped(&twice);
    let mut bytes = String::from_utf8_lossy(&bytes).contains("PK").then_some(bytes).expect("a ZIP file");
    while let Some(at) = bytes.windows(18).position(|part| part == b"messages/DZA/9.eml") {
        bytes[at..at + 18].copy_from_slice(b"messages/DZA/1.eml");
    }
    fs::write(campaign.path("twice.zip"), bytes).expect("our own file");
    let run = campaign.run(&["report", "--verify", "twice.zip"]).expect_code(65);
    assert!(run.stdout.contains("two files have the same name"), "{}", run.stdout);

    let pack = fs::read(campaign.path("evidence.zip")).expect("the pack");
    let campaign = campaign.file("text.zip", "no ZIP file at all").file("half.zip", &pack[..pack.len() / 2]);
    for name in ["text.zip", "half.zip"] {
        let run = campaign.run(&["report", "--verify", name]).expect_code(65);
        assert!(run.stderr.contains("is no evidence pack, or is damaged"), "{}", run.stderr);
    }
    campaign.run(&["report", "--verify", "nowhere.zip"]).expect_code(74);
    let mut random = fastrand::Rng::with_seed(7);
    for round in 0..120 {
        let mut noisy = pack.clone();
        // Every other time in the list of files at the end, where names, sizes and methods are.
        let at = if round % 2 == 0 { random.usize(..noisy.len()) } else { noisy.len() - 1 - random.usize(..1_500) };
        noisy[at] ^= 1 << random.u8(..8);
        fs::write(campaign.path("noisy.zip"), &noisy).expect("our own file");
        let run = campaign.run(&["report", "--verify", "noisy.zip"]);
        // A bit of a date or of a flag changes no content; whatever does is told.
        let told = matches!(run.code, Some(65)) || unpack_or_none(&campaign.path("noisy.zip")) == Some(whole.clone());
        assert!(told && !run.stderr.contains("panicked"), "octet {at}: {run:?}");
    }
}

fn unpack_or_none(path: &Path) -> Option<Files> {
    std::panic::catch_unwind(|| unpack(path)).ok()
}

#[test]
fn a_pack_can_be_checked_without_the_program() {
    if support::program("sha256sum").is_none() {
        return;
    }
    let (_server, campaign, manifest) = packed();
    for (name, bytes) in unpack(&campaign.path("evidence.zip")) {
        let path = campaign.path("unpacked").join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("our own folder");
        fs::write(path, bytes).expect("our own file");
    }
    let check = Command::new("sha256sum")
        .args(["--check", "--strict", "--quiet", "MANIFEST.sha256"])
        .current_dir(campaign.path("unpacked"))
        .output()
        .expect("sha256sum starts");
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
    let bytes = fs::read(campaign.path("unpacked/MANIFEST.sha256")).expect("the manifest");
    assert_eq!(Digest::of(&bytes).to_string(), manifest);
}

#[test]
fn a_pack_holds_no_secret_and_needs_no_campaign_to_be_checked() {
    let server = server();
    let campaign = campaign(&server).env("DEMARCHE_TEST_PASSWORD", "correct horse");
    campaign.run(&["report", "--pack", "evidence.zip"]).expect_code(0);
    let files = unpack(&campaign.path("evidence.zip"));
    let ledger = rusqlite::Connection::open(campaign.path("ledger.db")).expect("the ledger");
    let key = "SELECT lower(hex(key)) FROM campaign";
    let key: String = ledger.query_row(key, [], |row| row.get(0)).expect("a key");
    for (name, bytes) in &files {
        let text = String::from_utf8_lossy(bytes);
        assert!(!text.contains(&key) && !text.contains("correct horse"), "{name}");
    }
    let elsewhere = Campaign::new().file("evidence.zip", fs::read(campaign.path("evidence.zip")).expect("the pack"));
    elsewhere.run(&["report", "--verify", "evidence.zip"]).expect_code(0);
}

#[test]
fn the_same_campaign_makes_the_same_messages_ledger_and_sources_again() {
    let (_server, campaign, _) = packed();
    campaign.run(&["report", "--pack", "again.zip"]).expect_code(0);
    let lasting = |files: Files| -> Files {
        files.into_iter().filter(|(name, _)| name.contains('/') || name == "ledger.jsonl").collect()
    };
    assert_eq!(lasting(unpack(&campaign.path("evidence.zip"))), lasting(unpack(&campaign.path("again.zip"))));
    assert!(!campaign.path("again.zip.partial").exists());
}

#[test]
fn no_pack_is_made_while_letters_are_being_sent() {
    let server = Server::scripted(Script::new(|cue| match (cue.phase, cue.nth) {
        (Phase::EndOfData, 2) => Action::Stall,
        _ => Action::Behave,
    }));
    let mut campaign = Campaign::small(server.port(), 5).set("smtp.connections", "1");
    let sending = campaign.spawn(&["send", "--yes"]);
    server.wait_for(1);
    let refused = campaign.run(&["report", "--pack", "evidence.zip"]).expect_code(74);
    assert!(refused.stderr.contains("the ledger is in use"), "{}", refused.stderr);
    campaign.run(&["report", "--html", "report.html"]).expect_code(0);
    sending.kill();
}

#[test]
fn a_message_that_cannot_be_made_again_is_told_and_never_made_up() {
    let (_server, campaign, _) = packed();
    let ledger = rusqlite::Connection::open(campaign.path("ledger.db")).expect("the ledger");
    ledger
        .execute("UPDATE attempts SET bytes_digest = zeroblob(32) WHERE delivery = (SELECT number FROM deliveries WHERE id = 'DZA')", [])
        .expect("our own ledger");
    drop(ledger);
    let made = campaign.run(&["report", "--pack", "again.zip"]).expect_code(1);
    assert!(
        made.stderr.contains("not in the pack: messages/DZA/1.eml: made again, it is not what was handed over"),
        "{}",
        made.stderr
    );
    let files = unpack(&campaign.path("again.zip"));
    assert!(files.iter().all(|(name, _)| name != "messages/DZA/1.eml"));
    let verified = campaign.run(&["report", "--verify", "again.zip"]).expect_code(0);
    assert!(verified.stdout.contains("1 messages that were handed over are not in it"), "{}", verified.stdout);
}

#[test]
fn a_pack_does_not_take_the_place_of_one_that_may_have_been_handed_on() {
    let (_server, campaign, _) = packed();
    let before = fs::read(campaign.path("evidence.zip")).expect("the pack");
    let refused = campaign.run(&["report", "--pack", "evidence.zip"]).expect_code(73).stderr;
    assert!(refused.contains("evidence.zip is there already, and a pack replaces no file"), "{refused}");
    assert!(refused.contains("name another file, or move that one away"), "{refused}");
    assert_eq!(fs::read(campaign.path("evidence.zip")).expect("the pack"), before);
}
