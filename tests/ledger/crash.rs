//! What a run leaves behind when it ends in the middle.

use std::path::Path;
use std::process::{Command, Stdio};

use demarche::domain::delivery::{Event, State};
use demarche::domain::outcome::Phase;
use demarche::ledger::{Ledger, Recovered};

use crate::support::{Desk, at, attempt, claim_of, due, due_ids, edition, hand_over, id, record, row};

#[tokio::test]
async fn a_claimed_letter_is_queued_again_and_a_handed_over_one_becomes_uncertain() {
    let (desk, ledger) =
        Desk::with(vec![row("ken", &["to@ken.test"]), row("fra", &["to@fra.test"]), row("abw", &["to@abw.test"])]);
    ledger.claim(claim_of(&due(&ledger, 0)[1], 1)).unwrap();
    hand_over(&ledger, "ken").await;
    drop(ledger);

    let ledger = desk.open();
    assert_eq!(due_ids(&ledger, 0), ["abw"], "what is in flight is not due before somebody sorts it out");
    assert_eq!(ledger.recover().unwrap(), Recovered { requeued: 1, uncertain: 1, doubtful: 0 });
    assert_eq!(ledger.recover().unwrap(), Recovered::default());
    assert_eq!(due_ids(&ledger, 0), ["fra", "abw"]);
    let ken = record(&ledger, "ken");
    let word = ken.last.expect("a word");
    assert_eq!((ken.state, ken.attempts, word.phase), (State::Uncertain, 1, Phase::EndOfData));
    assert_eq!(word.text, "the run ended before the server's answer was known");
    let of = |name| ledger.reader().unwrap().attempts(&id(name)).unwrap().remove(0);
    assert_eq!((of("ken").outcome, of("fra").outcome), (Some(State::Uncertain), Some(State::Queued)));
    assert_eq!(of("ken").addresses[0].state, State::Uncertain);
    assert_eq!(record(&ledger, "fra").attempts, 0);
    // The one that was given back can be sent.
    attempt(&ledger, "fra", &[("to@fra.test", Event::Accept)]).await.unwrap();
    assert_eq!(ledger.reader().unwrap().attempts(&id("fra")).unwrap().len(), 2);
}

#[tokio::test]
async fn a_claim_is_durable_once_the_last_handle_is_gone() {
    let (desk, ledger) = Desk::with(vec![row("ken", &["to@ken.test"])]);
    let clone = ledger.clone();
    clone.claim(claim_of(&due(&ledger, 0)[0], 3)).unwrap();
    drop(ledger);
    drop(clone);
    let ledger = desk.open();
    assert_eq!((record(&ledger, "ken").state, record(&ledger, "ken").date), (State::Sending, Some(at(3))));
}

#[test]
fn nothing_but_the_ledger_and_its_lock_is_left_after_a_clean_end() {
    let (desk, ledger) = Desk::with(vec![row("ken", &["to@ken.test"])]);
    drop(ledger);
    let mut names: Vec<_> =
        std::fs::read_dir(desk.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["ledger.db", "ledger.db.lock"]);
}

/// Tells a process of this test program that it is the one to die, and where its ledger is.
const PATH: &str = "DEMARCHE_TEST_LEDGER_OF_A_DYING_PROCESS";

async fn die_in_the_middle(path: &Path) -> ! {
    let ledger = Ledger::open(path, true, "send").unwrap();
    let rows = vec![row("ken", &["to@ken.test"]), row("fra", &["to@fra.test"]), row("abw", &["to@abw.test"])];
    ledger.enrol("campaign", &edition("one"), rows).unwrap();
    attempt(&ledger, "ken", &[("to@ken.test", Event::Accept)]).await.unwrap();
    // This claim is not durable by itself, but the next intent stands behind it.
    ledger.claim(claim_of(&due(&ledger, 0)[1], 1)).unwrap();
    hand_over(&ledger, "fra").await;
    std::process::abort();
}

/// Runs itself again in a process of its own, which dies.
#[tokio::test]
async fn a_process_that_is_killed_leaves_its_intents_and_outcomes_and_no_lock() {
    if let Some(path) = std::env::var_os(PATH) {
        die_in_the_middle(Path::new(&path)).await;
    }
    let desk = Desk::new();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::a_process_that_is_killed_leaves_its_intents_and_outcomes_and_no_lock"])
        .env(PATH, desk.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(!status.success());
    let ledger = desk.open();
    assert_eq!(ledger.recover().unwrap(), Recovered { requeued: 1, uncertain: 1, doubtful: 0 });
    let state = |name| record(&ledger, name).state;
    assert_eq!((state("ken"), state("fra"), state("abw")), (State::Accepted, State::Uncertain, State::Queued));
}
