//! The whole way: open, enrol, due, claim, intend, settle, and what can be read of it.

use std::collections::HashSet;

use demarche::domain::delivery::{Event, State};
use demarche::domain::digest::Digest;
use demarche::domain::record::Counts;
use demarche::ledger::{LedgerError, NewDelivery, Reader};

use crate::support::{
    Desk, at, attempt, claim_of, due, due_ids, edition, hand_over, id, record, row, settlement, start, states, word,
};

fn three() -> Vec<NewDelivery> {
    vec![row("ken", &["to@ken.test", "cc@ken.test"]), row("fra", &["to@fra.test"]), row("abw", &["to@abw.test"])]
}

#[tokio::test]
async fn a_letter_is_known_at_every_step_and_its_attempt_is_kept() {
    let (_desk, ledger) = Desk::with(three());
    let run = ledger.start_run(&start("one")).unwrap();
    assert_eq!(due_ids(&ledger, 0), ["ken", "fra", "abw"]);
    let ken = due(&ledger, 0).remove(0);
    assert_eq!((ken.addresses.len(), ken.attempts, ken.earlier.clone()), (2, 0, None));

    ledger.claim(claim_of(&ken, 1)).unwrap();
    assert_eq!(due_ids(&ledger, 0), ["fra", "abw"]);
    assert_eq!(record(&ledger, "ken").state, State::Sending);
    ledger.intend(ken.number).await.unwrap();
    assert_eq!(record(&ledger, "ken").state, State::HandedOver);
    let going = ledger.reader().unwrap().attempts(&id("ken")).unwrap().remove(0);
    assert_eq!((going.addresses.len(), going.outcome), (2, None));

    let outcome = settlement(&[("to@ken.test", Event::Accept), ("cc@ken.test", Event::Fail)], None);
    ledger.settle(ken.number, outcome).await.unwrap();
    ledger.end_run(run).unwrap();

    let known = record(&ledger, "ken");
    assert_eq!((known.state, known.attempts, known.last), (State::Failed, 1, Some(word("the whole"))));
    assert_eq!((known.message_id.as_deref(), known.date), (Some("<ken@campaign.example>"), Some(at(1))));
    assert_eq!(known.addresses[1].word, Some(word("cc@ken.test Fail")));
    let kept = ledger.reader().unwrap().attempts(&id("ken")).unwrap().remove(0);
    assert_eq!((kept.number, kept.run, kept.claimed_at, kept.settled_at), (1, 1, at(1), Some(at(10))));
    assert!(kept.intent_at.is_some());
    assert_eq!((kept.outcome, kept.addresses), (Some(State::Failed), known.addresses));
    let counts = ledger.reader().unwrap().counts().unwrap();
    assert_eq!(counts, Counts { queued: 2, failed: 1, ..Counts::default() });
}

#[tokio::test]
async fn each_address_has_an_outcome_of_its_own_and_only_the_open_ones_are_due_again() {
    let (_desk, ledger) = Desk::with(three());
    attempt(&ledger, "ken", &[("to@ken.test", Event::Accept), ("cc@ken.test", Event::Defer)]).await.unwrap();
    assert_eq!(ledger.next_due().unwrap(), Some(at(60)));
    assert_eq!(due_ids(&ledger, 59), ["fra", "abw"]);
    assert_eq!(due_ids(&ledger, 60), ["fra", "abw", "ken"]);
    let again = due(&ledger, 60).pop().unwrap();
    assert_eq!((again.addresses, again.attempts), (vec!["cc@ken.test".to_owned()], 1));
}

#[tokio::test]
async fn a_letter_that_was_given_back_counts_no_attempt_but_keeps_it() {
    let (_desk, ledger) = Desk::with(three());
    attempt(&ledger, "fra", &[("to@fra.test", Event::Release)]).await.unwrap();
    let known = record(&ledger, "fra");
    assert_eq!((known.state, known.attempts), (State::Queued, 0));
    assert_eq!(ledger.reader().unwrap().attempts(&id("fra")).unwrap()[0].outcome, Some(State::Queued));
}

#[tokio::test]
async fn a_deferred_letter_without_a_time_waits_for_a_person() {
    let (_desk, ledger) = Desk::with(three());
    let number = hand_over(&ledger, "fra").await;
    ledger.settle(number, settlement(&[("to@fra.test", Event::Defer)], None)).await.unwrap();
    assert_eq!(due_ids(&ledger, 9_999_999), ["ken", "abw"]);
    assert_eq!(ledger.next_due().unwrap(), None);
    ledger.requeue(vec![(id("fra"), Vec::new())]).unwrap();
    assert_eq!(due_ids(&ledger, 0), ["ken", "fra", "abw"]);
}

#[tokio::test]
async fn an_impossible_step_is_refused_and_writes_nothing() {
    let (_desk, ledger) = Desk::with(three());
    let ken = due(&ledger, 0).remove(0);
    assert!(matches!(ledger.intend(ken.number).await, Err(LedgerError::Illegal(_))));
    let accepted = settlement(&[("to@ken.test", Event::Accept), ("cc@ken.test", Event::Accept)], None);
    assert!(matches!(ledger.settle(ken.number, accepted).await, Err(LedgerError::Illegal(_))));
    hand_over(&ledger, "ken").await;
    let before = record(&ledger, "ken");
    // The first address could take its event; the second cannot.
    let half = settlement(&[("to@ken.test", Event::Accept), ("cc@ken.test", Event::Requeue)], None);
    assert!(matches!(ledger.settle(ken.number, half).await, Err(LedgerError::Illegal(_))));
    let part = settlement(&[("to@ken.test", Event::Accept)], None);
    assert!(matches!(ledger.settle(ken.number, part).await, Err(LedgerError::Mismatch { .. })));
    let other = settlement(&[("to@fra.test", Event::Accept)], None);
    assert!(matches!(ledger.settle(ken.number, other).await, Err(LedgerError::Mismatch { .. })));
    // A second claim of what is in flight does not give a second intent.
    ledger.claim(claim_of(&ken, 7)).unwrap();
    assert!(matches!(ledger.intend(ken.number).await, Err(LedgerError::Illegal(_))));
    assert_eq!(record(&ledger, "ken"), before);
    assert_eq!(ledger.reader().unwrap().attempts(&id("ken")).unwrap().len(), 1);
}

#[test]
fn due_leaves_out_what_is_in_hand_and_stops_at_its_limit() {
    let (_desk, ledger) = Desk::with(three());
    let ken = due(&ledger, 0).remove(0).number;
    let found = ledger.due(at(0), 1, &HashSet::from([ken])).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].recipient.id, id("fra"));
}

#[tokio::test]
async fn a_restriction_follows_its_deliveries_and_can_be_lifted() {
    let (_desk, ledger) = Desk::with(three());
    ledger.restrict(Some(vec![id("abw"), id("ken")])).unwrap();
    assert_eq!(due_ids(&ledger, 0), ["ken", "abw"]);
    attempt(&ledger, "abw", &[("to@abw.test", Event::Defer)]).await.unwrap();
    assert_eq!((due_ids(&ledger, 0), ledger.next_due().unwrap()), (vec!["ken".to_owned()], Some(at(60))));
    assert_eq!(due_ids(&ledger, 61), ["ken", "abw"]);
    assert!(matches!(ledger.restrict(Some(vec![id("xyz")])), Err(LedgerError::Unknown { .. })));
    assert_eq!(due_ids(&ledger, 0), ["ken"], "a refused restriction changes nothing");
    ledger.restrict(Some(vec![id("fra")])).unwrap();
    assert_eq!((due_ids(&ledger, 61), ledger.next_due().unwrap()), (vec!["fra".to_owned()], None));
    ledger.restrict(None).unwrap();
    assert_eq!(due_ids(&ledger, 61), ["ken", "fra", "abw"]);
}

#[test]
fn enrolling_again_adds_only_new_rows_and_names_what_differs() {
    let (_desk, ledger) = Desk::with(three());
    let same = ledger.enrol("campaign", &edition("one"), three()).unwrap();
    assert_eq!((same.new, same.known, same.edition, same.edition_differs), (0, 3, 1, false));
    assert!(same.changed.is_empty() && same.gone.is_empty());

    let mut moved = row("ken", &["new@ken.test"]);
    moved.recipient.line = 7;
    let mut other_line = row("fra", &["to@fra.test"]);
    other_line.recipient.line = 9;
    let again = ledger.enrol("campaign", &edition("two"), vec![other_line, moved, row("deu", &["to@deu.test"])]);
    let again = again.unwrap();
    assert_eq!((again.new, again.known, again.edition, again.edition_differs), (1, 2, 1, true));
    assert_eq!((again.changed, again.gone), (vec![id("ken")], vec![id("abw")]));
    assert_eq!(states(&ledger, "ken")[0].0, "to@ken.test", "a changed row is not taken over");
    assert_eq!(due_ids(&ledger, 0), ["ken", "fra", "abw", "deu"]);
}

#[test]
fn a_plan_with_a_row_twice_is_refused_whole() {
    let desk = Desk::new();
    let ledger = desk.open();
    let rows = vec![row("ken", &["a@ken.test"]), row("fra", &["a@fra.test"]), row("ken", &["a@ken.test"])];
    assert_eq!(ledger.enrol("c", &edition("one"), rows), Err(LedgerError::Twice { id: id("ken") }));
    let doubled = vec![row("ken", &["a@ken.test", "a@ken.test"])];
    assert_eq!(ledger.enrol("c", &edition("one"), doubled), Err(LedgerError::Addresses { id: id("ken") }));
    assert_eq!(ledger.reader().unwrap().counts().unwrap().total(), 0);
    assert_eq!(ledger.reader().unwrap().campaign().unwrap(), None);
}

#[test]
fn a_suppressed_row_is_recorded_and_never_due() {
    let suppressed =
        |name: &str, why: Option<&str>| NewDelivery { suppressed: why.map(str::to_owned), ..row(name, &["to@x.test"]) };
    let (_desk, ledger) = Desk::with(vec![suppressed("ken", Some("asked us not to")), suppressed("fra", None)]);
    assert_eq!(due_ids(&ledger, 0), ["fra"]);
    assert_eq!(record(&ledger, "ken").note.as_deref(), Some("asked us not to"));
    let later = vec![suppressed("ken", Some("x")), suppressed("fra", Some("asked later"))];
    let again = ledger.enrol("campaign", &edition("one"), later).unwrap();
    assert_eq!((again.suppressed, due(&ledger, 0).len()), (1, 0));
    assert_eq!(record(&ledger, "fra").note.as_deref(), Some("asked later"));
}

#[test]
fn what_is_frozen_comes_back_and_equal_sources_are_stored_once() {
    let (desk, ledger) = Desk::with(three());
    let reader = Reader::open(&desk.path()).unwrap();
    assert_eq!(reader.latest_edition().unwrap(), Some(1));
    assert_eq!(reader.edition(1).unwrap(), edition("one"));
    assert_eq!(ledger.add_edition(&edition("one")).unwrap(), 1);
    assert_eq!(ledger.add_edition(&edition("two")).unwrap(), 2);
    assert_eq!(reader.edition(2).unwrap(), edition("two"));
    assert!(matches!(reader.edition(3), Err(LedgerError::Unknown { .. })));
    let raw = rusqlite::Connection::open(desk.path()).unwrap();
    let stored: i64 = raw.query_row("SELECT COUNT(*) FROM sources", [], |row| row.get(0)).unwrap();
    assert_eq!(stored, 2);
}

#[test]
fn the_batch_digest_is_that_of_the_plan_whatever_the_order() {
    let (_desk, ledger) = Desk::with(three());
    let plan = three();
    let letters = plan.iter().map(|row| (row.recipient.id.as_str(), row.digest));
    assert_eq!(ledger.reader().unwrap().batch_digest().unwrap(), Digest::of_batch(letters));
    let mut seen = Vec::new();
    ledger.reader().unwrap().deliveries(&mut |delivery| seen.push(delivery.recipient)).unwrap();
    assert_eq!(seen, plan.into_iter().map(|row| row.recipient).collect::<Vec<_>>());
}

#[tokio::test]
async fn addresses_count_against_a_cap_from_their_intent_on() {
    let (_desk, ledger) = Desk::with(three());
    let long_ago = at(0);
    let fra = due(&ledger, 0).remove(1);
    ledger.claim(claim_of(&fra, 1)).unwrap();
    assert_eq!(ledger.handed_over_since(long_ago).unwrap(), []);
    hand_over(&ledger, "ken").await;
    let minutes = ledger.handed_over_since(long_ago).unwrap();
    assert_eq!(minutes.iter().map(|(_, addresses)| addresses).sum::<u32>(), 2);
    assert_eq!(ledger.handed_over_since(jiff::Timestamp::MAX).unwrap(), []);
}

#[test]
fn the_campaigns_key_is_made_once() {
    let (desk, ledger) = Desk::with(three());
    let first = ledger.reader().unwrap().campaign().unwrap().unwrap();
    assert_eq!(first.id, "campaign");
    drop(ledger);
    let ledger = desk.open();
    ledger.enrol("campaign", &edition("one"), three()).unwrap();
    assert_eq!(ledger.reader().unwrap().campaign().unwrap(), Some(first.clone()));
    let (_other, ledger) = Desk::with(three());
    assert_ne!(ledger.reader().unwrap().campaign().unwrap().unwrap().key, first.key);
}
