//! A ledger that an older program wrote: it can be read as it is, and is brought up to date by whoever writes to it.

use demarche::domain::delivery::Event;
use demarche::domain::digest::Digest;
use demarche::domain::run::{Beginning, Confirmation, Counted, Cover};
use demarche::ledger::{ApprovedBatch, Ledger, Reader, Start};

use crate::support::{Desk, attempt, edition, id, recipient, record, row, start};

/// What the version before the beginnings of runs had not.
const BACK_BEFORE_BEGINNINGS: &str = "
DROP TABLE run_approvals;
ALTER TABLE runs DROP COLUMN command; ALTER TABLE runs DROP COLUMN digest; ALTER TABLE runs DROP COLUMN confirmed;
ALTER TABLE runs DROP COLUMN confirmed_at; ALTER TABLE runs DROP COLUMN person; ALTER TABLE runs DROP COLUMN host;";

/// What the version before approvals had not either.
const BACK_BEFORE_APPROVALS: &str = "
DROP TABLE approvals; DROP TABLE approved_letters; DROP TABLE approved_sources; DROP TABLE approved_batches;
DROP TABLE former_recipients;
ALTER TABLE runs DROP COLUMN program; ALTER TABLE remarks DROP COLUMN person;";

fn batch(text: &str) -> ApprovedBatch {
    ApprovedBatch {
        digest: Digest::of(text.as_bytes()),
        edition: edition(text),
        letters: vec![(recipient("ken", &["to@ken.test"]), Digest::of(b"ken"))],
    }
}

#[tokio::test]
async fn a_ledger_from_before_approvals_is_read_as_it_is_and_upgraded_when_written_to() {
    let (desk, ledger) = Desk::with(vec![row("ken", &["to@ken.test"]), row("fra", &["to@fra.test"])]);
    ledger.start_run(&start("one")).unwrap();
    attempt(&ledger, "ken", &[("to@ken.test", Event::LoseTrack)]).await.unwrap();
    ledger.resolve(&id("ken"), true, "they phoned", None).unwrap();
    let known = record(&ledger, "ken");
    drop(ledger);
    back(&desk, &[BACK_BEFORE_BEGINNINGS, BACK_BEFORE_APPROVALS]);

    let old = Reader::open(&desk.path()).unwrap();
    assert_eq!(old.delivery(&id("ken")).unwrap().as_ref(), Some(&known));
    assert_eq!((old.approvals().unwrap(), old.last_approval().unwrap()), (Vec::new(), None));
    assert_eq!((old.runs().unwrap()[0].program.clone(), old.remarks(&id("ken")).unwrap()[0].by.clone()), (None, None));
    assert_eq!(old.handed_over(&known).unwrap().len(), 1);
    drop(old);

    let ledger = Ledger::open(&desk.path(), false, "send").unwrap();
    assert_eq!(record(&ledger, "ken"), known);
    assert!(ledger.approve("campaign", batch("one"), "Chair", "fine").unwrap());
    ledger.start_run(&Start { approvals: vec![1], ..start("one") }).unwrap();
    let reader = ledger.reader().unwrap();
    let runs = reader.runs().unwrap();
    assert_eq!(runs[1].program.as_deref(), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!((runs[0].began.digest, runs[1].began.digest), (None, Some(Digest::of(b"one"))));
    assert_eq!(runs[1].began.approvals[0].by, "Chair");
}

/// Makes the ledger one of an older version: the last steps are undone, the last one first.
fn back(desk: &Desk, steps: &[&str]) {
    let file = rusqlite::Connection::open(desk.path()).unwrap();
    let version: i64 = file.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    for step in steps {
        file.execute_batch(step).unwrap();
    }
    file.pragma_update(None, "user_version", version - i64::try_from(steps.len()).unwrap()).unwrap();
}

#[test]
fn what_a_run_was_begun_with_is_on_record_and_older_runs_have_nothing_of_it() {
    let (desk, ledger) = Desk::with(vec![row("ken", &["to@ken.test"])]);
    assert!(ledger.approve("campaign", batch("one"), "Chair", "").unwrap());
    let with_approval = Start { approvals: vec![1], ..start("one") };
    ledger.start_run(&with_approval).unwrap();
    let run = ledger.reader().unwrap().runs().unwrap().remove(0);
    let began = &run.began;
    assert_eq!((began.command.as_deref(), began.digest), (Some("send"), Some(Digest::of(b"one"))));
    assert_eq!((began.confirmed, began.by.as_deref()), (Some(Confirmation::Word), Some("desk")));
    assert_eq!(began.confirmed_at, Some(jiff::Timestamp::UNIX_EPOCH));
    assert!(began.host.is_some());
    let approvals = ledger.reader().unwrap().approvals().unwrap();
    assert_eq!(began.approvals, [Counted::from(&approvals[0])]);
    assert_eq!(began.cover(run.started_at, &approvals), Cover::Batch(vec!["Chair"]));
    drop(ledger);

    back(&desk, &[BACK_BEFORE_BEGINNINGS]);
    let old = Reader::open(&desk.path()).unwrap();
    assert_eq!(old.runs().unwrap()[0].began, Beginning::default());
    drop(old);
    let ledger = Ledger::open(&desk.path(), false, "send").unwrap();
    ledger.start_run(&start("two")).unwrap();
    let runs = ledger.reader().unwrap().runs().unwrap();
    assert_eq!((&runs[0].began, runs[1].began.digest), (&Beginning::default(), Some(Digest::of(b"two"))));
    assert_eq!(runs[1].began.cover(runs[1].started_at, &approvals), Cover::Nobody);
    assert!(ledger.start_run(&with_approval).is_ok());
}

#[test]
fn the_last_approval_that_stands_is_given_back_as_it_was() {
    let desk = Desk::new();
    let ledger = desk.open();
    assert!(ledger.approve("campaign", batch("one"), "Chair", "").unwrap());
    assert!(ledger.approve("campaign", batch("two"), "Chair", "").unwrap());
    assert!(!ledger.approve("campaign", batch("two"), "chair ", "").unwrap());
    let reader = ledger.reader().unwrap();
    assert_eq!(reader.last_approval().unwrap(), Some(batch("two")));
    assert_eq!(reader.latest_edition().unwrap(), None, "nothing is frozen by an approval");
    assert_eq!(ledger.withdraw_approval(Digest::of(b"two"), "CHAIR", "no").unwrap(), 1);
    assert_eq!(ledger.withdraw_approval(Digest::of(b"two"), "CHAIR", "no").unwrap(), 0);
    assert_eq!(reader.last_approval().unwrap(), Some(batch("one")));
    assert_eq!(reader.approvers_of_letter(&id("ken"), Digest::of(b"ken")).unwrap(), [(1, "Chair".to_owned())]);
    assert!(ledger.approve("another", batch("one"), "Desk", "").is_err(), "the ledger is a campaign's from then on");
}
