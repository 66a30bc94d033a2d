//! Random stories against a model of a few lines: whatever is done in whatever order, and wherever the run dies, an
//! address that was taken or may have been is never due.

use std::collections::{BTreeMap, HashSet};

use demarche::domain::attempt::DeliveryId;
use demarche::domain::delivery::{Event, State};
use demarche::ledger::{Claim, Ledger, NewDelivery};
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::{Desk, at, claim_of, due, id, row, settlement, states};

const NAMES: [&str; 3] = ["ken", "fra", "abw"];
const ADDRESSES: [&str; 2] = ["to@x.test", "cc@x.test"];

#[derive(Debug, Clone)]
enum Step {
    Claim(usize),
    Intend(usize),
    Settle(usize, Event, Event),
    Requeue(usize),
    Resolve(usize, bool),
    SendAgain(usize),
    Suppress(usize),
    Die,
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0..NAMES.len();
    let event = || select(vec![Event::Accept, Event::Defer, Event::Fail, Event::LoseTrack, Event::Release]);
    prop_oneof![
        6 => which.clone().prop_map(Step::Claim),
        6 => which.clone().prop_map(Step::Intend),
        6 => (which.clone(), event(), event()).prop_map(|(n, one, two)| Step::Settle(n, one, two)),
        2 => which.clone().prop_map(Step::Requeue),
        2 => (which.clone(), any::<bool>()).prop_map(|(n, sent)| Step::Resolve(n, sent)),
        2 => which.clone().prop_map(Step::SendAgain),
        1 => which.prop_map(Step::Suppress),
        1 => Just(Step::Die),
    ]
}

/// The states of each delivery's two addresses, by the state machine alone; which of them were uncertain at the end of their
/// last attempt that came to one; and of which deliveries the last word is to send them again all the same.
#[derive(Debug, Clone, PartialEq)]
struct Model(Vec<[State; 2]>, Vec<[bool; 2]>, Vec<bool>);

impl Model {
    /// Applies `event` to those addresses of a delivery that `takes` accepts; false and unchanged if one cannot.
    fn all(&mut self, n: usize, event: Event, takes: impl Fn(State) -> bool) -> bool {
        let mut next = self.0[n];
        let mut any = false;
        for state in next.iter_mut().filter(|state| takes(**state)) {
            let Ok(after) = state.next(event) else { return false };
            *state = after;
            any = true;
        }
        self.0[n] = next;
        any
    }

    /// True for an address that waits only because a person wants it sent again.
    fn in_doubt(&self, n: usize, address: usize) -> bool {
        self.0[n][address] == State::Queued && self.1[n][address] && self.2[n]
    }

    /// As a run's end or death leaves it.
    fn take_back(&mut self, n: usize) {
        for address in 0..2 {
            if self.in_doubt(n, address) {
                self.0[n][address] = State::Uncertain;
            }
        }
    }

    fn recover(&mut self, n: usize) {
        for (lost, state) in self.1[n].iter_mut().zip(self.0[n]) {
            *lost |= state == State::HandedOver;
        }
        self.all(n, Event::Recover, |state| matches!(state, State::Sending | State::HandedOver));
        self.take_back(n);
    }

    /// A person's word: on what is uncertain; where nothing is, on what only the contrary word settled.
    fn say(&mut self, n: usize, sent: bool) -> bool {
        let event = if sent { Event::ResolveSent } else { Event::ResolveNotSent };
        if self.whole(n) == State::Uncertain {
            return self.all(n, event, |state| state == State::Uncertain);
        }
        let (wrong, right) = if sent { (State::Queued, State::Accepted) } else { (State::Accepted, State::Queued) };
        let in_flight = self.0[n].iter().any(|state| matches!(state, State::Sending | State::HandedOver));
        let mut any = false;
        for (state, lost) in self.0[n].iter_mut().zip(self.1[n]) {
            if !in_flight && *state == wrong && lost {
                *state = right;
                any = true;
            }
        }
        any
    }

    fn whole(&self, n: usize) -> State {
        State::of_addresses(self.0[n])
    }

    fn settle(&mut self, n: usize, events: [Event; 2]) -> Option<Vec<(&'static str, Event)>> {
        let mut next = self.0[n];
        let mut named = Vec::new();
        for ((state, event), address) in next.iter_mut().zip(events).zip(ADDRESSES) {
            if matches!(state, State::Sending | State::HandedOver) {
                named.push((address, event));
                *state = state.next(event).ok()?;
            }
        }
        for (lost, (_, event)) in self.1[n].iter_mut().zip(ADDRESSES.into_iter().zip(events)).zip(self.0[n]).filter_map(
            |((lost, ended), before)| matches!(before, State::Sending | State::HandedOver).then_some((lost, ended)),
        ) {
            if event != Event::Release {
                *lost = event == Event::LoseTrack;
            }
        }
        self.0[n] = next;
        Some(named).filter(|named| !named.is_empty())
    }
}

fn open(state: State) -> bool {
    matches!(state, State::Queued | State::Deferred)
}

async fn apply(ledger: &Ledger, model: &mut Model, numbers: &BTreeMap<&str, DeliveryId>, step: &Step) {
    match *step {
        Step::Claim(n) => {
            // As a run does: only what is due is claimed.
            let found = due(ledger, 1_000).into_iter().find(|d| d.recipient.id.as_str() == NAMES[n]);
            assert_eq!(found.is_some(), open(model.whole(n)), "{} is due exactly if it is open", NAMES[n]);
            if let Some(delivery) = found {
                ledger.claim(claim_of(&delivery, 5)).unwrap();
                model.all(n, Event::Claim, open);
            } else {
                // A run with a defect claims what is not due.
                let addresses = ADDRESSES.map(str::to_owned).to_vec();
                let delivery = numbers[NAMES[n]];
                let claim = Claim { delivery, addresses, ..claim_of(&template(delivery), 5) };
                ledger.claim(claim).unwrap();
            }
        }
        Step::Intend(n) => {
            let legal = model.all(n, Event::Intend, |state| state == State::Sending);
            assert_eq!(ledger.intend(numbers[NAMES[n]]).await.is_ok(), legal);
        }
        Step::Settle(n, one, two) => {
            let before = model.0[n];
            let in_flight = |state: &State| matches!(state, State::Sending | State::HandedOver);
            let all: Vec<_> = ADDRESSES.into_iter().zip([one, two]).collect();
            let flying: Vec<_> =
                all.iter().zip(&before).filter(|(_, state)| in_flight(state)).map(|(named, _)| *named).collect();
            let legal = model.settle(n, [one, two]).is_some();
            let named = if flying.is_empty() { all } else { flying };
            let done = ledger.settle(numbers[NAMES[n]], settlement(&named, Some(at(60)))).await;
            assert_eq!(done.is_ok(), legal, "{done:?} of {before:?} by {named:?}");
        }
        Step::Requeue(n) => {
            ledger.requeue(vec![(id(NAMES[n]), Vec::new())]).unwrap();
            if matches!(model.whole(n), State::Queued | State::Deferred | State::Failed) {
                model.all(n, Event::Requeue, |state| matches!(state, State::Deferred | State::Failed));
            }
        }
        Step::Resolve(n, sent) => {
            let legal = model.say(n, sent);
            assert_eq!(ledger.resolve(&id(NAMES[n]), sent, "a word", None).is_ok(), legal);
            model.2[n] &= !legal;
        }
        Step::SendAgain(n) => {
            let legal = model.all(n, Event::SendAgain, |state| state == State::Uncertain);
            assert_eq!(ledger.send_again(&id(NAMES[n]), "a word", None).is_ok(), legal);
            model.2[n] |= legal;
        }
        Step::Suppress(n) => {
            let takes = |state| matches!(state, State::Queued | State::Deferred | State::Failed);
            let whole = model.whole(n);
            let legal = whole == State::Suppressed || whole.next(Event::Suppress).is_ok();
            assert_eq!(ledger.suppress(&id(NAMES[n]), "a word").is_ok(), legal);
            if legal {
                model.take_back(n);
                model.all(n, Event::Suppress, takes);
            }
        }
        Step::Die => {}
    }
}

fn template(number: DeliveryId) -> demarche::ledger::DueDelivery {
    let NewDelivery { recipient, digest, .. } = row("ken", &ADDRESSES);
    let addresses = ADDRESSES.map(str::to_owned).to_vec();
    demarche::ledger::DueDelivery { number, recipient, addresses, attempts: 0, edition: 1, digest, earlier: None }
}

/// No address that was taken, or may have been, is due; every one that is due is open.
fn check(ledger: &Ledger, model: &Model) {
    for (n, name) in NAMES.into_iter().enumerate() {
        let known: Vec<State> = states(ledger, name).into_iter().map(|(_, state)| state).collect();
        assert_eq!(known, model.0[n], "{name}");
    }
    for delivery in ledger.due(at(1_000), 100, &HashSet::new()).unwrap() {
        let n = NAMES.iter().position(|name| *name == delivery.recipient.id.as_str()).unwrap();
        assert_ne!(model.whole(n), State::Uncertain);
        for (address, state) in ADDRESSES.iter().zip(model.0[n]) {
            assert_eq!(delivery.addresses.iter().any(|due| due == address), open(state), "{address} is {state}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn no_story_makes_an_address_due_that_was_taken_or_may_have_been(steps in proptest::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (desk, mut ledger) = Desk::with(NAMES.map(|name| row(name, &ADDRESSES)).to_vec());
        let mut model = Model(vec![[State::Queued; 2]; NAMES.len()], vec![[false; 2]; NAMES.len()], vec![false; NAMES.len()]);
        let numbers: BTreeMap<&str, DeliveryId> = NAMES.into_iter().zip(due(&ledger, 0).iter().map(|d| d.number)).collect();
        for step in &steps {
            if matches!(step, Step::Die) {
                drop(ledger);
                ledger = desk.open();
                ledger.recover().unwrap();
                for n in 0..NAMES.len() {
                    model.recover(n);
                }
            }
            runtime.block_on(apply(&ledger, &mut model, &numbers, step));
            // Claims are not waited for, but this question stands behind them.
            due(&ledger, 0);
            check(&ledger, &model);
        }
    }
}
