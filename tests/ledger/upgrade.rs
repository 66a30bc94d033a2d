//! A ledger that an older program wrote: it can be read as it is, and is brought up to date by whoever writes to it.

use demarche::domain::delivery::Event;
use demarche::domain::digest::Digest;
use demarche::ledger::{ApprovedBatch, Ledger, Reader};

use crate::support::{Desk, attempt, edition, id, recipient, record, row};

/// What the version before approvals had not; approvals came last.
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
    ledger.start_run().unwrap();
    attempt(&ledger, "ken", &[("to@ken.test", Event::LoseTrack)]).await.unwrap();
    ledger.resolve(&id("ken"), true, "they phoned", None).unwrap();
    let known = record(&ledger, "ken");
    drop(ledger);
    let file = rusqlite::Connection::open(desk.path()).unwrap();
    file.execute_batch(BACK_BEFORE_APPROVALS).unwrap();
    let version: i64 = file.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    file.pragma_update(None, "user_version", version - 1).unwrap();
    drop(file);

    let old = Reader::open(&desk.path()).unwrap();
    assert_eq!(old.delivery(&id("ken")).unwrap().as_ref(), Some(&known));
    assert_eq!((old.approvals().unwrap(), old.last_approval().unwrap()), (Vec::new(), None));
    assert_eq!((old.runs().unwrap()[0].program.clone(), old.remarks(&id("ken")).unwrap()[0].by.clone()), (None, None));
    assert_eq!(old.handed_over(&known).unwrap().len(), 1);
    drop(old);

    let ledger = Ledger::open(&desk.path(), false, "send").unwrap();
    assert_eq!(record(&ledger, "ken"), known);
    assert!(ledger.approve("campaign", batch("one"), "Chair", "fine").unwrap());
    ledger.start_run().unwrap();
    let reader = ledger.reader().unwrap();
    assert_eq!(reader.runs().unwrap()[1].program.as_deref(), Some(env!("CARGO_PKG_VERSION")));
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
    assert_eq!(reader.approvers_of_letter(&id("ken"), Digest::of(b"ken")).unwrap(), ["Chair"]);
    assert!(ledger.approve("another", batch("one"), "Desk", "").is_err(), "the ledger is a campaign's from then on");
}
