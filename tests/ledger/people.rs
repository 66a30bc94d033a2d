//! What a person's word does: correct, resend, resolve, suppress.

use demarche::domain::delivery::{Event, State};
use demarche::domain::digest::Digest;
use demarche::ledger::{Correction, Ledger, LedgerError};

use crate::support::{
    Desk, at, attempt, claim_of, due, due_ids, edition, hand_over, id, paths, recipient, record, row, start, states,
};

fn correction(name: &str, addresses: &[&str], edition: Option<i64>) -> Correction {
    Correction {
        recipient: recipient(name, &addresses[..1]),
        addresses: paths(addresses),
        digest: Digest::of(b"corrected"),
        edition,
    }
}

#[tokio::test]
async fn a_correction_keeps_accepted_addresses_and_queues_only_new_ones() {
    let (_desk, ledger) = Desk::with(vec![row("ken", &["to@ken.test", "a@ken.test", "b@ken.test"])]);
    let outcome = [("to@ken.test", Event::Accept), ("a@ken.test", Event::Fail), ("b@ken.test", Event::Fail)];
    attempt(&ledger, "ken", &outcome).await.unwrap();
    let second = ledger.add_edition(&edition("two")).unwrap();
    let new = correction("ken", &["new@ken.test", "b@ken.test"], Some(second));
    assert_eq!(ledger.correct(vec![new.clone()]).unwrap(), 1);
    let expected = [
        ("new@ken.test".to_owned(), State::Queued),
        ("to@ken.test".to_owned(), State::Accepted),
        ("b@ken.test".to_owned(), State::Failed),
    ];
    assert_eq!(states(&ledger, "ken"), expected);
    let known = record(&ledger, "ken");
    assert_eq!((known.state, known.attempts, known.edition), (State::Queued, 1, second));
    assert_eq!(due(&ledger, 0)[0].attempts, 0, "the tries begin anew");
    assert_eq!((known.recipient, known.digest), (new.recipient, new.digest));
    assert_eq!(due(&ledger, 0)[0].addresses, ["new@ken.test"]);
    let history = ledger.reader().unwrap().attempts(&id("ken")).unwrap();
    assert!(history[0].addresses.iter().any(|address| address.address == "a@ken.test"));
}

#[tokio::test]
async fn a_correction_leaves_what_is_not_open_alone() {
    let (_desk, ledger) = Desk::with(vec![row("ken", &["to@ken.test"]), row("fra", &["to@fra.test"])]);
    attempt(&ledger, "ken", &[("to@ken.test", Event::Accept)]).await.unwrap();
    attempt(&ledger, "fra", &[("to@fra.test", Event::LoseTrack)]).await.unwrap();
    let both = ["ken", "fra"].map(|name| correction(name, &["new@x.test"], None)).to_vec();
    assert_eq!(ledger.correct(both).unwrap(), 0);
    assert_eq!(states(&ledger, "ken"), [("to@ken.test".to_owned(), State::Accepted)]);
    assert_eq!(states(&ledger, "fra"), [("to@fra.test".to_owned(), State::Uncertain)]);
    let unknown = vec![correction("xyz", &["new@x.test"], None)];
    assert!(matches!(ledger.correct(unknown), Err(LedgerError::Unknown { .. })));
}

#[tokio::test]
async fn a_resend_takes_failed_and_deferred_addresses_only() {
    let names = ["acc", "def", "fai", "unc", "que"];
    let rows = names.map(|name| row(name, &["to@x.test"])).to_vec();
    let (_desk, ledger) = Desk::with(rows);
    for (name, event) in
        [("acc", Event::Accept), ("def", Event::Defer), ("fai", Event::Fail), ("unc", Event::LoseTrack)]
    {
        attempt(&ledger, name, &[("to@x.test", event)]).await.unwrap();
    }
    assert_eq!(due_ids(&ledger, 0), ["que"]);
    assert_eq!(ledger.requeue(names.map(|name| (id(name), Vec::new())).to_vec()).unwrap(), 2);
    assert_eq!(due_ids(&ledger, 0), ["def", "fai", "que"]);
    assert_eq!((record(&ledger, "fai").attempts, record(&ledger, "def").not_before), (1, None));
    assert!(due(&ledger, 0).iter().all(|delivery| delivery.attempts == 0), "the tries begin anew");
    assert_eq!(ledger.requeue(names.map(|name| (id(name), Vec::new())).to_vec()).unwrap(), 0);
}

#[tokio::test]
async fn only_an_uncertain_row_can_be_resolved_and_a_resend_keeps_its_message_id_and_date() {
    let (_desk, ledger) = Desk::with(vec![row("ken", &["to@ken.test", "cc@ken.test"]), row("fra", &["to@fra.test"])]);
    assert!(matches!(ledger.resolve(&id("ken"), true, "x", None), Err(LedgerError::Illegal(_))));
    attempt(&ledger, "ken", &[("to@ken.test", Event::LoseTrack), ("cc@ken.test", Event::Fail)]).await.unwrap();
    attempt(&ledger, "fra", &[("to@fra.test", Event::LoseTrack)]).await.unwrap();
    ledger.resolve(&id("fra"), true, "they phoned", None).unwrap();
    assert_eq!(record(&ledger, "fra").state, State::Accepted);
    assert_eq!(record(&ledger, "fra").note.as_deref(), Some("they phoned"));
    let remarks = ledger.reader().unwrap().remarks(&id("fra")).unwrap();
    assert_eq!((remarks[0].event, remarks[0].note.as_str()), (Event::ResolveSent, "they phoned"));

    ledger.resolve(&id("ken"), false, "not in their inbox", None).unwrap();
    let again = due(&ledger, 0).remove(0);
    assert_eq!(again.addresses, ["to@ken.test"]);
    let earlier = again.earlier.expect("the stamp of the lost attempt");
    assert_eq!((earlier.message_id.as_str(), earlier.date), ("<ken@campaign.example>", at(5)));
    assert!(matches!(ledger.resolve(&id("ken"), false, "x", None), Err(LedgerError::Illegal(_))), "it is said already");
}

#[tokio::test]
async fn a_word_corrects_another_and_never_what_a_server_answered() {
    let (_desk, ledger) = Desk::with(vec![row("ken", &["to@ken.test", "cc@ken.test"]), row("fra", &["to@fra.test"])]);
    attempt(&ledger, "ken", &[("to@ken.test", Event::LoseTrack), ("cc@ken.test", Event::Accept)]).await.unwrap();
    let states_of_ken = || states(&ledger, "ken").into_iter().map(|(_, state)| state).collect::<Vec<_>>();
    for (sent, after) in
        [(true, State::Accepted), (false, State::Queued), (true, State::Accepted), (false, State::Queued)]
    {
        ledger.resolve(&id("ken"), sent, "a word", None).unwrap();
        assert_eq!(states_of_ken(), [after, State::Accepted]);
    }
    let reader = ledger.reader().unwrap();
    assert!(reader.correctable(&id("ken"), true).unwrap() && !reader.correctable(&id("ken"), false).unwrap());
    assert_eq!(reader.remarks(&id("ken")).unwrap().len(), 4, "every word stays");

    // Given back, it proves nothing new; while it is in flight, and once a server answered, no word has a say.
    attempt(&ledger, "ken", &[("to@ken.test", Event::Release)]).await.unwrap();
    assert!(ledger.reader().unwrap().correctable(&id("ken"), true).unwrap());
    hand_over(&ledger, "ken").await;
    assert!(ledger.resolve(&id("ken"), true, "x", None).is_err());
    ledger.recover().unwrap();
    ledger.resolve(&id("ken"), false, "not there", None).unwrap();
    attempt(&ledger, "ken", &[("to@ken.test", Event::Accept)]).await.unwrap();
    attempt(&ledger, "fra", &[("to@fra.test", Event::Fail)]).await.unwrap();
    for (name, sent) in [("ken", true), ("ken", false), ("fra", true), ("fra", false)] {
        assert!(matches!(ledger.resolve(&id(name), sent, "x", None), Err(LedgerError::Illegal(_))), "{name} {sent}");
    }
    assert_eq!(states_of_ken(), [State::Accepted, State::Accepted]);
}

#[tokio::test]
async fn a_word_to_send_again_what_may_have_arrived_holds_for_one_run_and_nothing_of_it_becomes_never_sent() {
    let names = ["sent", "back", "left", "asked"];
    let (desk, ledger) = Desk::with(names.map(|name| row(name, &["to@x.test"])).to_vec());
    for name in names {
        attempt(&ledger, name, &[("to@x.test", Event::LoseTrack)]).await.unwrap();
        ledger.send_again(&id(name), "all the same", None).unwrap();
    }
    let run = ledger.start_run(&start("resend")).unwrap();
    attempt(&ledger, "sent", &[("to@x.test", Event::Accept)]).await.unwrap();
    attempt(&ledger, "back", &[("to@x.test", Event::Release)]).await.unwrap();
    assert_eq!(ledger.suppress(&id("asked"), "on the list").unwrap(), State::Uncertain, "it may have the letter");
    ledger.end_run(run).unwrap();
    let now = |ledger: &Ledger| names.map(|name| record(ledger, name).state);
    let expected = [State::Accepted, State::Uncertain, State::Uncertain, State::Uncertain];
    assert_eq!((now(&ledger), due_ids(&ledger, 0)), (expected, Vec::new()));

    // A run that dies takes the word with it, too.
    ledger.send_again(&id("left"), "once more", None).unwrap();
    drop(ledger);
    let ledger = desk.open();
    assert_eq!(ledger.recover().unwrap().doubtful, 1);
    assert_eq!(now(&ledger), expected);

    // What a person found out stays found out.
    ledger.resolve(&id("left"), false, "not in their inbox", None).unwrap();
    assert_eq!(ledger.recover().unwrap().doubtful, 0);
    assert_eq!(ledger.suppress(&id("left"), "on the list").unwrap(), State::Suppressed);
}

#[tokio::test]
async fn what_one_address_lost_again_and_the_other_gave_back_is_uncertain_for_both() {
    let (_desk, ledger) = Desk::with(vec![row("ken", &["to@ken.test", "cc@ken.test"])]);
    attempt(&ledger, "ken", &[("to@ken.test", Event::LoseTrack), ("cc@ken.test", Event::LoseTrack)]).await.unwrap();
    ledger.send_again(&id("ken"), "all the same", None).unwrap();
    let run = ledger.start_run(&start("resend")).unwrap();
    attempt(&ledger, "ken", &[("to@ken.test", Event::Release), ("cc@ken.test", Event::LoseTrack)]).await.unwrap();
    ledger.end_run(run).unwrap();
    assert!(states(&ledger, "ken").iter().all(|(_, state)| *state == State::Uncertain), "{:?}", states(&ledger, "ken"));
}

#[tokio::test]
async fn a_suppressed_row_is_never_due_and_what_is_in_flight_cannot_be_suppressed() {
    let (_desk, ledger) = Desk::with(vec![row("ken", &["to@ken.test"]), row("fra", &["to@fra.test"])]);
    ledger.suppress(&id("ken"), "asked us not to").unwrap();
    ledger.suppress(&id("ken"), "again").unwrap();
    assert_eq!((record(&ledger, "ken").state, due_ids(&ledger, 0)), (State::Suppressed, vec!["fra".to_owned()]));
    hand_over(&ledger, "fra").await;
    assert!(matches!(ledger.suppress(&id("fra"), "x"), Err(LedgerError::Illegal(_))));
    assert_eq!(record(&ledger, "fra").note, None);
}

#[tokio::test]
async fn while_one_address_is_uncertain_no_other_of_its_delivery_can_be_claimed() {
    let (_desk, ledger) = Desk::with(vec![row("ken", &["to@ken.test", "cc@ken.test"])]);
    let mut copy = claim_of(&due(&ledger, 0)[0], 7);
    copy.addresses.remove(0);
    attempt(&ledger, "ken", &[("to@ken.test", Event::LoseTrack), ("cc@ken.test", Event::Defer)]).await.unwrap();
    let before = record(&ledger, "ken");
    assert_eq!((before.state, due_ids(&ledger, 9_999)), (State::Uncertain, Vec::new()));
    let delivery = copy.delivery;
    ledger.claim(copy).unwrap();
    assert!(matches!(ledger.intend(delivery).await, Err(LedgerError::Illegal(_))));
    assert_eq!(record(&ledger, "ken"), before);
    // Once a person has said that it arrived, the copy goes out when its time has come.
    ledger.resolve(&id("ken"), true, "they phoned", None).unwrap();
    assert_eq!(
        (due_ids(&ledger, 59).len(), due(&ledger, 60)[0].addresses.as_slice()),
        (0, &["cc@ken.test".to_owned()][..])
    );
}
