//! The rehearsal that the README begins with, on the project's own files.

mod support;

use std::path::Path;
use std::process::Command;

use support::campaign::Campaign;
use support::server::Server;

fn rehearse(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_demarche"))
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .args(["--config", "config.example.toml", "rehearse"])
        .args(arguments)
        .env("NO_COLOR", "1")
        .output()
        .expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_rehearsal_brings_all_193_rows_to_a_known_state_that_the_server_agrees_with() {
    let (code, stdout, stderr) = rehearse(&["--seed", "7", "--json"]);
    assert_eq!(code, Some(0), "{stderr}");
    let report: serde_json::Value = serde_json::from_str(&stdout).expect("JSON");
    let counts = &report["counts"];
    let count = |name: &str| counts[name].as_u64().expect("a count");
    assert_eq!(count("queued") + count("sending"), 0, "{counts}");
    let settled = count("accepted") + count("deferred") + count("failed") + count("uncertain") + count("suppressed");
    assert_eq!(settled, 193);
    for kind in ["accepted", "deferred", "failed", "uncertain"] {
        assert!(count(kind) > 0, "a rehearsal shows every outcome: {counts}");
    }
    assert_eq!(report["disagreements"], serde_json::json!([]));
}

#[test]
fn the_same_seed_gives_the_same_result_and_another_seed_another() {
    let of = |seed: &str| rehearse(&["--seed", seed, "--json"]).1;
    let first = of("3");
    assert_eq!(first, of("3"));
    assert_ne!(first, of("4"));
}

#[test]
fn a_rehearsal_leaves_nothing_behind() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (code, stdout, _) = rehearse(&[]);
    assert_eq!(code, Some(0));
    assert!(stdout.contains("The server's own books agree with every row"), "{stdout}");
    assert!(!root.join("ledger.db").exists() && !root.join("rehearsal.db").exists());
}

#[test]
fn the_record_of_a_rehearsal_says_so_everywhere_and_nothing_is_sent_from_it() {
    const MARK: &str = "REHEARSAL: nothing was sent";
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 60);
    campaign.run(&["rehearse", "--keep", "try"]).expect_code(0);
    let campaign = campaign.set("ledger.file", "\"try/rehearsal.db\"");
    let status = campaign.run(&["status"]);
    assert!(status.stdout.lines().nth(1).is_some_and(|line| line.starts_with(MARK)), "{}", status.stdout);
    assert_eq!(campaign.run(&["status", "--json"]).json()["rehearsal"], true);
    // A pack with every outcome, and with a person's word, is what its ledger gives.
    let rows = campaign.run(&["status", "--json"]).json()["deliveries"].as_array().expect("rows").clone();
    let uncertain = rows.iter().find(|row| row["state"] == "uncertain").expect("an uncertain row");
    let id = uncertain["id"].as_str().expect("an id");
    assert!(campaign.run(&["resolve", id]).expect_code(0).stdout.starts_with(MARK));
    campaign.run(&["resolve", id, "--sent", "--note", "they told us", "--by", "The Desk"]).expect_code(0);
    for arguments in [&["log"][..], &["log", id]] {
        let log = campaign.run(arguments).expect_code(0).stdout;
        let said = log.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.starts_with(&format!("{MARK}. Nothing of this left the machine:")), "{log}");
    }
    assert_eq!(campaign.run(&["log", id, "--json"]).json()["rehearsal"], true);
    let made = ["report", "--html", "r.html", "--csv", "r.csv", "--json"];
    assert_eq!(campaign.run(&made).expect_code(0).json()["rehearsal"], true);
    assert!(campaign.read("r.html").contains(&format!("<header>\n<p class=\"rehearsal\"><strong>{MARK}</strong>")));
    let table = campaign.read("r.csv");
    assert!(table.lines().skip(1).all(|line| line.contains(MARK)), "{table}");
    let pack = campaign.run(&["report", "--pack", "r.zip"]).expect_code(0);
    assert!(pack.stderr.contains(MARK), "{}", pack.stderr);
    let verified = campaign.run(&["report", "--verify", "r.zip"]).expect_code(0);
    assert!(verified.stdout.starts_with(MARK), "{}", verified.stdout);
    let digest = campaign.run(&["preview", "--json"]).json()["digest"].as_str().expect("a digest").to_owned();
    for arguments in [&["send", "--yes"][..], &["resend", "--yes"], &["approve", &digest, "--by", "The Chair"]] {
        let refused = campaign.run(arguments).expect_code(65);
        assert!(refused.stderr.contains("rehearsal.db is the record of a REHEARSAL"), "{}", refused.stderr);
        assert!(refused.stderr.contains("let [ledger] file name another file"), "{}", refused.stderr);
    }
    assert_eq!(server.letters().len(), 0);
}

#[test]
fn what_a_rehearsal_keeps_can_be_looked_at_with_the_command_that_it_prints() {
    let campaign = Campaign::small(2525, 20)
        .set("smtp.username", "\"somebody\"")
        .set("smtp.password", "{ env = \"DEMARCHE_TEST_PASSWORD\" }");
    let kept = campaign.run(&["rehearse", "--keep", "keep"]).expect_code(0).stderr;
    let printed = "\n    demarche --config keep/config.toml status\n    demarche --config keep/config.toml log\n";
    assert!(kept.contains(printed), "{kept}");
    let status = campaign.run(&["--config", "keep/config.toml", "status"]).stdout;
    assert!(status.starts_with("An open letter\nREHEARSAL: nothing was sent"), "{status}");
    assert!(campaign.run(&["--config", "keep/config.toml", "log"]).expect_code(0).stdout.contains("Attempt 1"));
    assert!(!campaign.read("keep/config.toml").contains("smtp"), "nothing of the relay");
    let refused = campaign.run(&["--config", "keep/config.toml", "resend", "--yes"]);
    assert!(!matches!(refused.code, Some(0..=2)), "{refused:?}");
    let again = campaign.run(&["rehearse", "--keep", "keep"]).expect_code(73).stderr;
    assert!(again.contains("keep holds a rehearsal or a campaign already"), "{again}");
}
