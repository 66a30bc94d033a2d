//! A power cut: the log of the ledger ends anywhere behind what was synced, with anything after that; the file itself is cut.

use std::fs;
use std::path::Path;

use demarche::domain::delivery::{Event, State};
use demarche::ledger::{Ledger, Reader};
use proptest::prelude::*;

use crate::support::{Desk, claim_of, due, edition, row, settlement};

/// Every row's state and attempts, in order.
type States = Vec<(String, State, u32)>;

/// What becomes of one letter before the cut.
#[derive(Debug, Clone, Copy)]
enum Fate {
    /// W1 and nothing more, until the next letter's intent.
    Claimed,
    /// W2.
    HandedOver,
    /// W3.
    Settled(Event),
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        Just(Fate::Claimed),
        Just(Fate::HandedOver),
        Just(Fate::Settled(Event::Accept)),
        Just(Fate::Settled(Event::Fail)),
    ]
}

/// A moment that was durable: so long was the log, and so stood the rows.
struct Moment {
    log: usize,
    states: States,
}

/// The files of a ledger that was never closed, and every moment at which something was promised.
struct Story {
    ledger: Vec<u8>,
    log: Vec<u8>,
    moments: Vec<Moment>,
}

fn states(path: &Path) -> States {
    let mut states = Vec::new();
    let add = &mut |record: demarche::domain::record::DeliveryRecord| {
        states.push((record.id.to_string(), record.state, record.attempts));
    };
    Reader::open(path).unwrap().deliveries(add).unwrap();
    states
}

/// What a start makes of a state: a claim was provably not delivered, an intent is uncertain.
fn recovered(states: &States) -> States {
    let of = |state: State, attempts| match state {
        State::Sending => (State::Queued, 0),
        State::HandedOver => (State::Uncertain, attempts + 1),
        state => (state, attempts),
    };
    states
        .iter()
        .map(|(id, state, attempts)| (id.clone(), of(*state, *attempts)))
        .map(|(id, (s, a))| (id, s, a))
        .collect()
}

fn tell(fates: &[Fate]) -> Story {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let desk = Desk::new();
    let ledger = desk.open();
    let log = desk.folder.path().join("ledger.db-wal");
    let moment = || Moment { log: fs::read(&log).map_or(0, |bytes| bytes.len()), states: states(&desk.path()) };
    let mut moments = vec![moment()];
    let names: Vec<String> = (0..fates.len()).map(|n| format!("m{n}")).collect();
    ledger.enrol("campaign", &edition("one"), names.iter().map(|name| row(name, &["to@m.test"])).collect()).unwrap();
    moments.push(moment());
    for (name, fate) in names.iter().zip(fates) {
        let delivery = due(&ledger, 0).into_iter().find(|due| due.recipient.id.as_str() == name).unwrap();
        ledger.claim(claim_of(&delivery, 5)).unwrap();
        if matches!(fate, Fate::Claimed) {
            continue;
        }
        runtime.block_on(ledger.intend(delivery.number)).unwrap();
        moments.push(moment());
        if let Fate::Settled(event) = fate {
            runtime.block_on(ledger.settle(delivery.number, settlement(&[("to@m.test", *event)], None))).unwrap();
            moments.push(moment());
        }
    }
    Story { ledger: fs::read(desk.path()).unwrap(), log: fs::read(&log).unwrap(), moments }
}

/// Opens what the cut left, lets a start sort it out, and gives the rows.
fn after_the_cut(ledger: &[u8], log: &[u8]) -> Result<States, demarche::ledger::LedgerError> {
    let desk = Desk::new();
    fs::write(desk.path(), ledger).unwrap();
    if !log.is_empty() {
        fs::write(desk.folder.path().join("ledger.db-wal"), log).unwrap();
    }
    let opened = Ledger::open(&desk.path(), true, "send")?;
    opened.recover()?;
    drop(opened);
    Ok(states(&desk.path()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn whatever_was_promised_before_a_power_cut_is_there_after_it(
        fates in proptest::collection::vec(fate(), 1..5),
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), proptest::collection::vec(any::<u8>(), 0..6000)), 6),
    ) {
        let story = tell(&fates);
        for (cut, garbage) in cuts {
            // Anywhere in the log, so also before what was synced: then the disk lied, and an earlier moment is all there is.
            let cut = cut.index(story.log.len() + 1);
            let log = [&story.log[..cut], &garbage].concat();
            let last = story.moments.iter().rfind(|moment| moment.log <= cut).unwrap();
            match after_the_cut(&story.ledger, &log) {
                Ok(found) => prop_assert_eq!(found, recovered(&last.states), "cut at {} of {}", cut, story.log.len()),
                Err(error) => prop_assert!(false, "a log that ends too soon is no damage: {}", error),
            }
        }
    }

    #[test]
    fn a_ledger_that_lost_its_end_is_refused_or_whole(
        fates in proptest::collection::vec(fate(), 1..5),
        cut in any::<prop::sample::Index>(),
    ) {
        let story = tell(&fates);
        let whole = closed(&story);
        let rows = recovered(&story.moments.last().unwrap().states);
        if let Ok(found) = after_the_cut(&whole[..cut.index(whole.len() + 1)], &[]) {
            prop_assert_eq!(found, rows, "something is gone and nobody is told");
        }
    }

    /// The log is emptied only once what it held is in the file and synced: until then it mends whatever was half written.
    #[test]
    fn a_power_cut_while_the_log_is_written_into_the_file_loses_nothing(
        fates in proptest::collection::vec(fate(), 1..5),
        written in proptest::collection::vec(any::<bool>(), 64),
        length in any::<bool>(),
    ) {
        const SECTOR: usize = 512;
        let story = tell(&fates);
        let whole = closed(&story);
        let mut torn = story.ledger.clone();
        if length {
            torn.resize(whole.len(), 0);
        }
        for (number, new) in whole.chunks(SECTOR).enumerate() {
            let range = number * SECTOR..(number * SECTOR + new.len()).min(torn.len());
            if written[number % written.len()] && !range.is_empty() {
                let length = range.len();
                torn[range].copy_from_slice(&new[..length]);
            }
        }
        let found = after_the_cut(&torn, &story.log);
        prop_assert_eq!(found.map_err(|error| error.to_string()), Ok(recovered(&story.moments.last().unwrap().states)));
    }
}

/// The file after a clean end, when all of the log is in it.
fn closed(story: &Story) -> Vec<u8> {
    let desk = Desk::new();
    fs::write(desk.path(), &story.ledger).unwrap();
    fs::write(desk.folder.path().join("ledger.db-wal"), &story.log).unwrap();
    drop(desk.open());
    fs::read(desk.path()).unwrap()
}
