//! What can be seen only from inside: groups, and a ledger that cannot take what it is given.

use std::sync::mpsc;

use super::*;
use crate::domain::attempt::LastWord;
use crate::domain::delivery::{Event, State};
use crate::domain::digest::Digest;
use crate::domain::fault::{AddressJudgement, Judgement, Run};
use crate::domain::message::{Field, ForwardPath};
use crate::domain::outcome::Phase;

fn row(number: usize) -> NewDelivery {
    let address = format!("to@m{number}.test");
    let recipient = serde_json::json!({ "id": format!("m{number}"), "to": [address] });
    NewDelivery {
        recipient: serde_json::from_value(recipient).unwrap(),
        addresses: vec![ForwardPath { address, field: Field::To }],
        digest: Digest::of(b"letter"),
        suppressed: None,
    }
}

fn edition() -> Edition {
    Edition { settings: "{}".into(), sources: Vec::new() }
}

fn ledger(rows: usize) -> (tempfile::TempDir, PathBuf, Ledger) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let ledger = Ledger::open(&path, true, "send").unwrap();
    ledger.enrol("c", &edition(), (0..rows).map(row).collect()).unwrap();
    (folder, path, ledger)
}

fn all_due(ledger: &Ledger) -> Vec<DueDelivery> {
    ledger.due(Timestamp::MAX, usize::MAX, &HashSet::new()).unwrap()
}

fn claim(delivery: &DueDelivery) -> Claim {
    Claim {
        delivery: delivery.number,
        run: 1,
        addresses: delivery.addresses.clone(),
        message_id: "<m@c.example>".into(),
        date: Timestamp::UNIX_EPOCH,
        bytes_digest: Digest::of(b"bytes"),
        at: Timestamp::UNIX_EPOCH,
    }
}

fn accepted(delivery: &DueDelivery, text: &str) -> Settlement {
    let at = Timestamp::UNIX_EPOCH;
    let word = LastWord { phase: Phase::EndOfData, code: Some(250), enhanced: None, text: text.into(), at };
    let one =
        |address: &String| AddressJudgement { address: address.clone(), event: Event::Accept, word: word.clone() };
    let addresses = delivery.addresses.iter().map(one).collect();
    let judgement = Judgement { addresses, last: word.clone(), run: Run::GoOn, charged: true, breaker: false };
    Settlement { judgement, not_before: None, at }
}

fn state(ledger: &Ledger, delivery: &DueDelivery) -> State {
    ledger.reader().unwrap().delivery(&delivery.recipient.id).unwrap().unwrap().state
}

/// Holds the writer in its own hands until the sender is used.
fn hold(ledger: &Ledger) -> (mpsc::Sender<()>, std::thread::JoinHandle<()>) {
    let (go_on, wait) = mpsc::channel::<()>();
    let (held, is_held) = mpsc::channel::<()>();
    let ledger = ledger.clone();
    let thread = std::thread::spawn(move || {
        let done = ledger.ask(move |_| {
            held.send(()).unwrap();
            wait.recv().unwrap();
            Ok(())
        });
        done.unwrap();
    });
    is_held.recv().unwrap();
    (go_on, thread)
}

/// Until that many intents are in the queue.
async fn until_waiting(ledger: &Ledger, intents: usize) {
    while ledger.inner.intents.available_permits() > INTENTS - intents {
        tokio::task::yield_now().await;
    }
}

/// A file that can grow no more; what needs a new page fails as on a full disk.
fn fill_disk(ledger: &Ledger) {
    ledger
        .ask(|connection| {
            let _: i64 = connection.query_row("PRAGMA max_page_count = 1", [], |row| row.get(0))?;
            Ok(())
        })
        .unwrap();
}

const LONG: usize = 100_000;

#[tokio::test]
async fn what_waits_shares_a_commit_and_a_refused_one_takes_nobody_with_it() {
    let (_folder, _path, ledger) = ledger(300);
    let all = all_due(&ledger);
    let (go_on, thread) = hold(&ledger);
    let before = ledger.commits();
    let mut waiting = tokio::task::JoinSet::new();
    for (n, delivery) in all.iter().enumerate() {
        // Every tenth has no claim, so that its intent is refused.
        if n % 10 > 0 {
            ledger.claim(claim(delivery)).unwrap();
        }
        let (ledger, number) = (ledger.clone(), delivery.number);
        waiting.spawn(async move { ledger.intend(number).await.is_ok() });
    }
    until_waiting(&ledger, all.len()).await;
    go_on.send(()).unwrap();
    let durable = waiting.join_all().await.into_iter().filter(|done| *done).count();
    thread.join().unwrap();
    assert_eq!(durable, 270);
    assert!(ledger.commits() - before <= 3, "{} commits", ledger.commits() - before);
    assert_eq!(ledger.reader().unwrap().counts().unwrap().sending, 270);
}

#[tokio::test]
async fn outcomes_get_through_while_more_intents_wait_than_may() {
    let (_folder, _path, ledger) = ledger(INTENTS + 100);
    let all = all_due(&ledger);
    let first = &all[0];
    ledger.claim(claim(first)).unwrap();
    ledger.intend(first.number).await.unwrap();
    let (go_on, thread) = hold(&ledger);
    let mut waiting = tokio::task::JoinSet::new();
    for delivery in &all[1..] {
        ledger.claim(claim(delivery)).unwrap();
        let (ledger, number) = (ledger.clone(), delivery.number);
        waiting.spawn(async move { ledger.intend(number).await });
    }
    until_waiting(&ledger, INTENTS).await;
    go_on.send(()).unwrap();
    ledger.settle(first.number, accepted(first, "ok")).await.unwrap();
    assert!(waiting.join_all().await.into_iter().all(|done| done.is_ok()));
    thread.join().unwrap();
}

#[tokio::test]
async fn work_that_fails_is_undone_alone() {
    let (_folder, _path, ledger) = ledger(1);
    let delivery = all_due(&ledger).remove(0);
    let (go_on, thread) = hold(&ledger);
    ledger.claim(claim(&delivery)).unwrap();
    let other = ledger.clone();
    let enrolling = std::thread::spawn(move || other.enrol("c", &edition(), vec![row(7), row(8), row(7)]));
    go_on.send(()).unwrap();
    assert!(matches!(enrolling.join().unwrap(), Err(LedgerError::Twice { .. })));
    thread.join().unwrap();
    ledger.intend(delivery.number).await.unwrap();
    assert_eq!(ledger.reader().unwrap().counts().unwrap().total(), 1);
}

#[tokio::test]
async fn an_outcome_that_the_full_disk_refuses_is_journaled_and_taken_over_at_the_next_open() {
    let (_folder, path, ledger) = ledger(2);
    let all = all_due(&ledger);
    for delivery in &all {
        ledger.claim(claim(delivery)).unwrap();
        ledger.intend(delivery.number).await.unwrap();
    }
    fill_disk(&ledger);
    let long = "x".repeat(LONG);
    for delivery in &all {
        let error = ledger.settle(delivery.number, accepted(delivery, &long)).await.unwrap_err();
        let LedgerError::Journaled { journal, cause, .. } = &error else { panic!("{error}") };
        assert_eq!((journal, &**cause), (&lock::beside(&path, ".journal"), &LedgerError::Full));
    }
    assert_eq!(state(&ledger, &all[0]), State::HandedOver);
    drop(ledger);

    let ledger = Ledger::open(&path, false, "send").unwrap();
    assert_eq!(ledger.replayed(), Replayed { taken: 2, known: 0, torn: 0 });
    assert_eq!(ledger.recover().unwrap(), Recovered::default());
    assert_eq!((state(&ledger, &all[0]), state(&ledger, &all[1])), (State::Accepted, State::Accepted));
    assert!(!lock::beside(&path, ".journal").exists());
}

#[tokio::test]
async fn no_intent_is_given_once_a_commit_has_failed() {
    let (_folder, _path, ledger) = ledger(2);
    let all = all_due(&ledger);
    fill_disk(&ledger);
    let mut long = claim(&all[0]);
    long.message_id = "x".repeat(LONG);
    ledger.claim(long).unwrap();
    assert_eq!(ledger.intend(all[0].number).await, Err(LedgerError::Full));
    ledger.claim(claim(&all[1])).unwrap();
    assert_eq!(ledger.intend(all[1].number).await, Err(LedgerError::Full));
    assert_eq!(ledger.reader().unwrap().counts().unwrap().queued, 2);
}

#[tokio::test]
async fn a_torn_line_is_reported_and_kept_and_its_letter_becomes_uncertain() {
    let (_folder, path, ledger) = ledger(3);
    let all = all_due(&ledger);
    for delivery in &all[..2] {
        ledger.claim(claim(delivery)).unwrap();
        ledger.intend(delivery.number).await.unwrap();
    }
    // One outcome is in both, as after a commit that was durable though its answer was not.
    for delivery in &all[..2] {
        ledger.inner.journal.take(delivery.number, &accepted(delivery, "250 taken"), LedgerError::Full);
    }
    let journal = lock::beside(&path, ".journal");
    let text = std::fs::read(&journal).unwrap();
    std::fs::write(&journal, &text[..text.len() - 20]).unwrap();
    ledger.settle(all[0].number, accepted(&all[0], "250 taken")).await.unwrap();
    drop(ledger);

    let ledger = Ledger::open(&path, false, "send").unwrap();
    assert_eq!(ledger.replayed(), Replayed { taken: 0, known: 1, torn: 1 });
    assert_eq!(ledger.recover().unwrap(), Recovered { requeued: 0, uncertain: 1, doubtful: 0 });
    assert_eq!((state(&ledger, &all[0]), state(&ledger, &all[1])), (State::Accepted, State::Uncertain));
    assert!(!journal.exists() && lock::beside(&path, ".journal.torn").exists());
}
