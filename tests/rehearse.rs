//! The rehearsal that the README begins with, on the project's own files.

mod support;

use std::path::Path;
use std::process::Command;

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
