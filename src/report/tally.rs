//! What became of the letters as people count them: each mission once, in words that need no knowledge of mail, and the sums by
//! which the numbers of a page come to each other.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::dossier::{Dossier, group_key, group_name};
use super::name;
use crate::domain::delivery::State;
use crate::domain::message::Field;
use crate::domain::record::{AddressRecord, DeliveryRecord};
use crate::domain::state::StateCode;

/// What became of a letter, for people. The order is the one in which they read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// A server took it for every address.
    Accepted,
    /// A server took it for the mission; a copy, or a further address of it, stands as the state says.
    LacksCopies(State),
    /// No server is known to have taken it; a person knows that it arrived.
    OnWord,
    /// Nobody can know.
    Uncertain,
    /// Refused for good.
    Failed,
    /// Refused for now.
    Deferred,
    /// On its way, or cut off there.
    Sending,
    /// Waiting.
    Queued,
    /// Never to be sent.
    Suppressed,
    /// Expected, and not on the list.
    NotPlanned,
}

impl Standing {
    /// The standing of one address, or of a letter that has one only.
    pub(super) fn of_state(state: State) -> Self {
        match state {
            State::Accepted => Self::Accepted,
            State::Uncertain => Self::Uncertain,
            State::Failed => Self::Failed,
            State::Deferred => Self::Deferred,
            State::Sending | State::HandedOver => Self::Sending,
            State::Queued => Self::Queued,
            State::Suppressed => Self::Suppressed,
        }
    }

    /// True if a server took it for the mission, or a person confirms that it arrived.
    pub(super) fn has_letter(self) -> bool {
        matches!(self, Self::Accepted | Self::LacksCopies(_) | Self::OnWord)
    }

    /// The word for it on a page.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::LacksCopies(State::Failed) => "accepted, copy refused",
            Self::LacksCopies(State::Deferred) => "accepted, copy put off",
            Self::LacksCopies(State::Uncertain) => "accepted, copy uncertain",
            Self::LacksCopies(_) => "accepted, copy to be sent",
            Self::OnWord => "on a person’s word",
            Self::Uncertain => "uncertain",
            Self::Failed => "refused",
            Self::Deferred => "put off",
            Self::Sending => "being sent",
            Self::Queued => "to be sent",
            Self::Suppressed => "left out",
            Self::NotPlanned => "no letter planned",
        }
    }

    /// The name of its colour in the style sheet.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Accepted | Self::LacksCopies(_) | Self::OnWord => "accepted",
            Self::Uncertain => "uncertain",
            Self::Failed => "failed",
            Self::Deferred => "deferred",
            Self::Sending | Self::Queued | Self::Suppressed | Self::NotPlanned => "waiting",
        }
    }

    /// Where the missions that stand so are named, as an anchor of the page.
    pub(super) fn anchor(self) -> &'static str {
        match self {
            Self::Accepted => "missions",
            Self::LacksCopies(State::Failed) => "copy-refused",
            Self::LacksCopies(State::Deferred) => "copy-put-off",
            Self::LacksCopies(State::Uncertain) => "copy-uncertain",
            Self::LacksCopies(_) => "copy-to-be-sent",
            Self::OnWord => "on-word",
            Self::Uncertain => "uncertain",
            Self::Failed => "refused",
            Self::Deferred => "put-off",
            Self::Sending => "being-sent",
            Self::Queued => "to-be-sent",
            Self::Suppressed => "left-out",
            Self::NotPlanned => "not-planned",
        }
    }

    /// What it means for the mission, in a sentence without an end.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Self::Accepted => "a mail server took the letter",
            Self::LacksCopies(State::Failed) => "taken for the mission; a copy to a second address was refused",
            Self::LacksCopies(State::Deferred) => "taken for the mission; a copy to a second address was put off",
            Self::LacksCopies(State::Uncertain) => {
                "taken for the mission; a copy to a second address may or may not have arrived"
            }
            Self::LacksCopies(_) => "taken for the mission; a copy to a second address is still to be sent",
            Self::OnWord => "no server confirmed it; a person found out that it arrived, and recorded that",
            Self::Uncertain => "the connection broke before the receipt: it may or may not have arrived",
            Self::Failed => "a mail server refused the letter for good",
            Self::Deferred => "a mail server asked to try again later",
            Self::Sending => "being handed over now, or cut off on the way",
            Self::Queued => "waiting for its turn",
            Self::Suppressed => "on the list, left out on purpose, never sent",
            Self::NotPlanned => "not on the list of recipients",
        }
    }

    /// Of several letters to one state, which tells more of whether it has the letter.
    fn reach(self) -> u8 {
        match self {
            Self::Accepted => 9,
            Self::LacksCopies(_) => 8,
            Self::OnWord => 7,
            Self::Uncertain => 6,
            Self::Sending => 5,
            Self::Queued => 4,
            Self::Deferred => 3,
            Self::Failed => 2,
            Self::Suppressed => 1,
            Self::NotPlanned => 0,
        }
    }
}

/// How many stand how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tally(BTreeMap<Standing, usize>);

impl Tally {
    /// How many there are of one standing.
    pub(super) fn of(&self, standing: Standing) -> usize {
        self.0.get(&standing).copied().unwrap_or(0)
    }

    /// All of them.
    pub(super) fn total(&self) -> usize {
        self.0.values().sum()
    }

    /// Those for which a server took it, or a person confirms that it arrived.
    pub(super) fn reached(&self) -> usize {
        self.each().filter(|(standing, _)| standing.has_letter()).map(|(_, count)| count).sum()
    }

    /// Those that a server took but for a copy, or a further address.
    pub(super) fn lacking(&self) -> usize {
        self.each().filter(|(standing, _)| matches!(standing, Standing::LacksCopies(_))).map(|(_, count)| count).sum()
    }

    /// Every standing that there is, with how many, in the order of reading.
    pub(super) fn each(&self) -> impl Iterator<Item = (Standing, usize)> {
        self.0.iter().map(|(standing, count)| (*standing, *count))
    }

    /// These and those.
    pub(super) fn plus(mut self, other: &Self) -> Self {
        for (standing, count) in other.each() {
            *self.0.entry(standing).or_default() += count;
        }
        self
    }
}

impl FromIterator<Standing> for Tally {
    fn from_iter<T: IntoIterator<Item = Standing>>(standings: T) -> Self {
        let mut tally = Self::default();
        for standing in standings {
            *tally.0.entry(standing).or_default() += 1;
        }
        tally
    }
}

/// How the number of missions comes to the number of letters: `expected - missing + doubles + beyond = letters`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Bridge {
    /// The states that the campaign means to reach.
    pub(super) expected: usize,
    /// Those of them without a letter.
    pub(super) missing: usize,
    /// Second and further letters to one of them.
    pub(super) doubles: usize,
    /// Letters to anybody else.
    pub(super) beyond: usize,
    /// All letters.
    pub(super) letters: usize,
}

impl Dossier {
    /// What became of one letter.
    pub(super) fn standing(&self, record: &DeliveryRecord) -> Standing {
        if !record.has_letter() {
            return Standing::of_state(record.state);
        }
        let mut main =
            record.addresses.iter().filter(|a| a.field == Field::To && a.state == State::Accepted).peekable();
        if main.peek().is_some() && main.all(|address| self.on_a_persons_word(record, address).is_some()) {
            Standing::OnWord
        } else if record.lacks_only_copies() {
            Standing::LacksCopies(match record.state {
                State::Sending | State::HandedOver => State::Queued,
                state => state,
            })
        } else {
            Standing::Accepted
        }
    }

    /// What became of one address.
    pub(super) fn standing_of(&self, record: &DeliveryRecord, address: &AddressRecord) -> Standing {
        match self.on_a_persons_word(record, address) {
            Some(_) => Standing::OnWord,
            None => Standing::of_state(address.state),
        }
    }

    /// What became of all letters.
    pub(super) fn letters_tally(&self) -> Tally {
        self.records.iter().map(|record| self.standing(record)).collect()
    }

    /// What became of the missions that were meant, by regional group; of all recipients where the campaign names no states.
    pub(super) fn groups(&self) -> Vec<(&'static str, Tally)> {
        let mut groups: BTreeMap<&str, Vec<Standing>> = BTreeMap::new();
        if self.expected.is_empty() {
            for record in &self.records {
                groups.entry(group_key(record.recipient.state)).or_default().push(self.standing(record));
            }
        } else {
            let best = self.best_by_state();
            for code in &self.expected {
                let standing = best.get(code).copied().unwrap_or(Standing::NotPlanned);
                groups.entry(group_key(Some(*code))).or_default().push(standing);
            }
        }
        let mut groups: Vec<_> =
            groups.into_iter().map(|(key, standings)| (key, standings.into_iter().collect())).collect();
        groups.sort_by_key(|(key, _)| group_place(key));
        groups.into_iter().map(|(key, tally)| (group_name(key), tally)).collect()
    }

    fn best_by_state(&self) -> HashMap<StateCode, Standing> {
        let mut best: HashMap<StateCode, Standing> = HashMap::new();
        for record in &self.records {
            let Some(code) = record.recipient.state else { continue };
            let standing = self.standing(record);
            let known = best.entry(code).or_insert(standing);
            if standing.reach() > known.reach() {
                *known = standing;
            }
        }
        best
    }

    /// How many of those that were reached have an address that another mission has, too; each mission once.
    pub(super) fn reached_at_shared(&self) -> usize {
        let shared = self.shared_addresses();
        let sharing: HashSet<&str> = shared.iter().flat_map(|(_, who)| who.iter().copied()).collect();
        let meant = |record: &&DeliveryRecord| {
            self.expected.is_empty() || record.recipient.state.is_some_and(|code| self.expected.contains(&code))
        };
        let reached = self.records.iter().filter(|record| self.standing(record).has_letter());
        let names: HashSet<&str> = reached.filter(meant).map(name).filter(|name| sharing.contains(name)).collect();
        names.len()
    }

    /// How missions come to letters; all nothing but the letters where the campaign names no states.
    pub(super) fn bridge(&self) -> Bridge {
        let letters = self.records.len();
        let with_row: HashMap<StateCode, usize> =
            self.records.iter().filter_map(|record| record.recipient.state).fold(HashMap::new(), |mut rows, code| {
                *rows.entry(code).or_default() += 1;
                rows
            });
        let present: Vec<usize> = self.expected.iter().filter_map(|code| with_row.get(code).copied()).collect();
        let within: usize = present.iter().sum();
        let expected = self.expected.len();
        let beyond = if expected == 0 { 0 } else { letters - within };
        Bridge { expected, missing: expected - present.len(), doubles: within - present.len(), beyond, letters }
    }

    /// The names of whom letters go to beyond the states that were meant; nobody where the campaign names no states.
    pub(super) fn beyond(&self) -> Vec<&str> {
        let meant = |record: &DeliveryRecord| record.recipient.state.is_some_and(|code| self.expected.contains(&code));
        let all = self.records.iter().filter(|record| !self.expected.is_empty() && !meant(record));
        all.map(name).collect()
    }

    /// What one and several of those who were written to are called.
    pub(super) fn noun(&self) -> (&'static str, &'static str) {
        let any_state = self.records.iter().any(|record| record.recipient.state.is_some());
        if any_state || !self.expected.is_empty() { ("mission", "missions") } else { ("recipient", "recipients") }
    }
}

/// Groups of states first, by their names; then observers, then what is no mission.
pub(super) fn group_place(key: &str) -> (u8, &'static str) {
    let place = match key {
        "observers" => 1,
        "other" => 2,
        _ => 0,
    };
    (place, group_name(key))
}
