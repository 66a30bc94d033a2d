//! The life of one letter as a state machine: (state, event) → state, everything else illegal (DESIGN: "The life of one letter").

use std::fmt;

use serde::{Deserialize, Serialize};

use super::message::Field;

/// What is known of a delivery, or of one of its addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Waiting to be claimed.
    Queued,
    /// Claimed by a run; the terminator has provably not left.
    Sending,
    /// The intent is durable; the terminator may have left.
    HandedOver,
    /// A server took it.
    Accepted,
    /// Refused for now; due again at a known time.
    Deferred,
    /// Refused for good.
    Failed,
    /// Handed over, and nobody can know whether it was taken.
    Uncertain,
    /// Never to be sent.
    Suppressed,
}

impl State {
    /// Every state, in the order in which people read them.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Sending,
        Self::HandedOver,
        Self::Accepted,
        Self::Deferred,
        Self::Failed,
        Self::Uncertain,
        Self::Suppressed,
    ];

    /// The stable name used in the ledger.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::HandedOver => "handed-over",
            Self::Accepted => "accepted",
            Self::Deferred => "deferred",
            Self::Failed => "failed",
            Self::Uncertain => "uncertain",
            Self::Suppressed => "suppressed",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// True if nothing more happens without a person.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Accepted | Self::Failed | Self::Uncertain | Self::Suppressed)
    }

    /// The state after `event`.
    ///
    /// # Errors
    /// [`IllegalTransition`] if that cannot happen in this state; the caller has a defect, and nothing may be written.
    pub fn next(self, event: Event) -> Result<Self, IllegalTransition> {
        use Event as E;
        use State as S;
        let next = match (self, event) {
            (S::Queued | S::Deferred, E::Claim) => S::Sending,
            (S::Sending, E::Intend) => S::HandedOver,
            // Before the terminator every failure is provably no delivery.
            (S::Sending, E::Release | E::Recover) => S::Queued,
            // With an intent, only the session that holds the connection can still prove that nothing was delivered;
            // a later run that finds the row cannot.
            (S::HandedOver, E::Release) => S::Queued,
            (S::HandedOver, E::Recover | E::LoseTrack) => S::Uncertain,
            (S::HandedOver, E::Accept) => S::Accepted,
            (S::Sending | S::HandedOver, E::Defer) => S::Deferred,
            (S::Sending | S::HandedOver, E::Fail) => S::Failed,
            (S::Deferred | S::Failed, E::Requeue) => S::Queued,
            (S::Uncertain, E::ResolveSent) => S::Accepted,
            (S::Uncertain, E::ResolveNotSent | E::SendAgain) => S::Queued,
            (S::Queued, E::Doubt) => S::Uncertain,
            // Only by `of_word`, which asks what the acceptance rests on.
            (S::Accepted, E::CorrectToNotSent) => S::Queued,
            (S::Queued, E::CorrectToSent) => S::Accepted,
            (S::Queued | S::Deferred | S::Failed, E::Suppress) => S::Suppressed,
            (state, event) => return Err(IllegalTransition { state, event }),
        };
        Ok(next)
    }

    /// What a delivery is, given what its addresses are: uncertain before all else, because a person has to look; then
    /// what is still to come; then what failed.
    #[must_use]
    pub fn of_addresses(addresses: impl IntoIterator<Item = Self>) -> Self {
        let rank = |state: Self| match state {
            Self::Uncertain => 7,
            Self::HandedOver => 6,
            Self::Sending => 5,
            Self::Queued => 4,
            Self::Deferred => 3,
            Self::Failed => 2,
            Self::Accepted => 1,
            Self::Suppressed => 0,
        };
        addresses.into_iter().max_by_key(|state| rank(*state)).unwrap_or(Self::Suppressed)
    }

    /// True if the mission has the letter: a main address (To) took it, whatever became of the copies. `of_addresses` calls
    /// such a delivery failed, deferred or uncertain while a copy is, because it needs a person or another run; people who
    /// count missions count it as reached.
    #[must_use]
    pub fn mission_has_it(addresses: impl IntoIterator<Item = (Field, Self)>) -> bool {
        addresses.into_iter().any(|(field, state)| field == Field::To && state == Self::Accepted)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What can happen to a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// A run takes it (W1).
    Claim,
    /// The intent is durable (W2).
    Intend,
    /// The transaction ended before the terminator by no fault of the letter.
    Release,
    /// A 2yz after the terminator (W3).
    Accept,
    /// A 4yz, or a failure in the body (W3).
    Defer,
    /// A 5yz (W3).
    Fail,
    /// No valid reply after the terminator (W3).
    LoseTrack,
    /// A later run found it claimed: its run died.
    Recover,
    /// A person asks to send it again.
    Requeue,
    /// A person knows that it arrived.
    ResolveSent,
    /// A person knows that it did not.
    ResolveNotSent,
    /// A person wants it sent again, although it may have arrived.
    SendAgain,
    /// The run that was to send it again ended before it did: it is as uncertain as before.
    Doubt,
    /// A person takes back their word that it arrived ([`Event::of_word`]).
    CorrectToNotSent,
    /// A person takes back their word that it did not, before it was sent again ([`Event::of_word`]).
    CorrectToSent,
    /// It must not be sent any more.
    Suppress,
}

impl Event {
    /// What a person's word does to an address in `state`: that it was `sent`, or that it was not. `seen` is what the last
    /// attempt on the address ended as, but for those that were given back. `None` if it has no say: a server's answer stands above it, so that a word
    /// settles what is uncertain, and corrects only what nothing but another word settled.
    #[must_use]
    pub fn of_word(state: State, seen: Option<State>, sent: bool) -> Option<Self> {
        match (state, seen, sent) {
            (State::Uncertain, _, true) => Some(Self::ResolveSent),
            (State::Uncertain, _, false) => Some(Self::ResolveNotSent),
            // Seen as uncertain and no more so: that took a person's word.
            (State::Accepted, Some(State::Uncertain), false) => Some(Self::CorrectToNotSent),
            (State::Queued, Some(State::Uncertain), true) => Some(Self::CorrectToSent),
            _ => None,
        }
    }
}

/// An event that cannot happen in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a delivery that is {state} cannot {event:?}")]
pub struct IllegalTransition {
    /// The state it was in.
    pub state: State,
    /// What was to happen.
    pub event: Event,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const EVENTS: [Event; 16] = [
        Event::Claim,
        Event::Intend,
        Event::Release,
        Event::Accept,
        Event::Defer,
        Event::Fail,
        Event::LoseTrack,
        Event::Recover,
        Event::Requeue,
        Event::ResolveSent,
        Event::ResolveNotSent,
        Event::SendAgain,
        Event::Doubt,
        Event::CorrectToNotSent,
        Event::CorrectToSent,
        Event::Suppress,
    ];

    #[test]
    fn a_mission_has_the_letter_once_a_main_address_took_it_whatever_became_of_the_copies() {
        use Field::{Bcc, Cc, To};
        for other in State::ALL {
            for field in [To, Cc, Bcc] {
                assert!(State::mission_has_it([(To, State::Accepted), (field, other)]), "{field:?} {other}");
                assert!(State::mission_has_it([(field, other), (To, State::Accepted)]), "{field:?} {other}");
            }
            let has = State::mission_has_it([(To, other), (Cc, State::Accepted), (Bcc, State::Accepted)]);
            assert_eq!(has, other == State::Accepted, "{other}");
        }
        assert!(!State::mission_has_it([]));
    }

    #[test]
    fn nothing_takes_an_acceptance_back_but_the_word_that_corrects_a_word() {
        for event in EVENTS {
            assert_eq!(State::Accepted.next(event).is_ok(), event == Event::CorrectToNotSent, "{event:?}");
        }
    }

    #[test]
    fn a_word_has_its_say_only_where_no_answer_of_a_server_stands() {
        for (state, seen, sent) in State::ALL
            .into_iter()
            .flat_map(|state| std::iter::once(None).chain(State::ALL.map(Some)).map(move |seen| (state, seen)))
            .flat_map(|(state, seen)| [true, false].map(|sent| (state, seen, sent)))
        {
            let event = Event::of_word(state, seen, sent);
            let by_word = seen == Some(State::Uncertain);
            let has_a_say = match state {
                State::Uncertain => true,
                State::Accepted => by_word && !sent,
                State::Queued => by_word && sent,
                _ => false,
            };
            assert_eq!(event.is_some(), has_a_say, "{state} {seen:?} {sent}");
            let after = event.map(|event| state.next(event).expect("what a word does is legal"));
            let meant = if sent { State::Accepted } else { State::Queued };
            assert!(after.is_none_or(|after| after == meant), "{state} {seen:?} {sent}");
        }
    }

    #[test]
    fn a_suppressed_delivery_never_moves() {
        for event in EVENTS {
            assert!(State::Suppressed.next(event).is_err(), "{event:?}");
        }
    }

    #[test]
    fn only_a_persons_word_leaves_uncertain() {
        for event in EVENTS {
            let persons = matches!(event, Event::ResolveSent | Event::ResolveNotSent | Event::SendAgain);
            assert_eq!(State::Uncertain.next(event).is_ok(), persons, "{event:?}");
        }
    }

    proptest! {
        /// The promise itself: without a person's word, a letter whose terminator may have left is never claimed again,
        /// unless a reply proved that it was not taken; and no word of anybody sends again what a server took.
        #[test]
        fn a_letter_is_never_claimed_again_after_a_handover_that_could_have_been_accepted(
            picks in proptest::collection::vec((0..EVENTS.len(), any::<bool>()), 0..200)
        ) {
            let mut state = State::Queued;
            let (mut could_have_been_accepted, mut taken_by_a_server) = (false, false);
            // What the last attempt ended as, and a person's words since, in their order.
            let (mut seen, mut words) = (None, Vec::new());
            for (event, sent) in picks.into_iter().map(|(i, sent)| (EVENTS[i], sent)) {
                use Event as E;
                let persons = matches!(event, E::ResolveSent | E::ResolveNotSent | E::CorrectToNotSent | E::CorrectToSent);
                // A person does not choose among events; the word does.
                let event = if persons { E::of_word(state, seen, sent) } else { Some(event) };
                let Some(event) = event else { continue };
                let before = state;
                let Ok(next) = state.next(event) else { continue };
                state = next;
                if persons {
                    words.push(sent);
                    could_have_been_accepted = sent;
                    prop_assert!(!taken_by_a_server, "{event:?}");
                    prop_assert_eq!(state, if sent { State::Accepted } else { State::Queued });
                    continue;
                }
                match event {
                    E::Accept => {
                        could_have_been_accepted = true;
                        taken_by_a_server = true;
                    }
                    E::LoseTrack => could_have_been_accepted = true,
                    E::Recover if before == State::HandedOver => could_have_been_accepted = true,
                    E::Claim => {
                        prop_assert!(!could_have_been_accepted && !taken_by_a_server);
                        prop_assert!(words.last() != Some(&true), "{words:?}");
                        words.clear();
                    }
                    E::SendAgain => {
                        could_have_been_accepted = false;
                        words.clear();
                    }
                    E::Doubt => {
                        could_have_been_accepted = true;
                        words.clear();
                    }
                    _ => {}
                }
                // What was given back was nothing to the address.
                let ended = matches!(event, E::Accept | E::Defer | E::Fail | E::LoseTrack | E::Recover | E::Release);
                if ended && state != State::Queued {
                    seen = Some(state);
                }
            }
        }

        #[test]
        fn an_uncertain_address_makes_the_delivery_uncertain(picks in proptest::collection::vec(0..State::ALL.len(), 0..6)) {
            let mut addresses: Vec<State> = picks.into_iter().map(|i| State::ALL[i]).collect();
            addresses.push(State::Uncertain);
            prop_assert_eq!(State::of_addresses(addresses), State::Uncertain);
        }

        #[test]
        fn a_delivery_is_accepted_only_if_every_address_that_may_be_sent_to_is(picks in proptest::collection::vec(0..State::ALL.len(), 1..6)) {
            let addresses: Vec<State> = picks.into_iter().map(|i| State::ALL[i]).collect();
            if State::of_addresses(addresses.iter().copied()) == State::Accepted {
                prop_assert!(addresses.iter().all(|s| matches!(s, State::Accepted | State::Suppressed)));
            }
        }
    }
}
