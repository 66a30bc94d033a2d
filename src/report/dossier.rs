//! Everything that a report tells, gathered: the records, what people said and approved, the runs, and the letter itself.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use super::{Facts, History, name, shown};
use crate::domain::attempt::LastWord;
use crate::domain::cause::Cause;
use crate::domain::delivery::{self, State};
use crate::domain::language::Language;
use crate::domain::record::{AddressRecord, AttemptRecord, Counts, DeliveryRecord, Remark};
use crate::domain::settings::Event;
use crate::domain::state::{self, StateCode};

/// What a report is made of.
#[derive(Debug, Clone)]
pub struct Dossier {
    /// What the records do not say themselves.
    pub facts: Facts,
    /// How many deliveries are in which state.
    pub counts: Counts,
    /// Every delivery, by position.
    pub records: Vec<DeliveryRecord>,
    /// What people said about a row, by its id, in the order in which they did.
    pub remarks: HashMap<String, Vec<Remark>>,
    /// Every attempt on a row that was tried, by its id, the first one first.
    pub attempts: HashMap<String, Vec<AttemptRecord>>,
    /// The language of each letter, by the id of its row.
    pub languages: HashMap<String, Language>,
    /// What changed from one version of the batch to the next.
    pub history: History,
    /// When attempts were settled and as what, in the order of time.
    pub settled: Vec<(Timestamp, State)>,
    /// The letter, once for each language and each text of it that was frozen.
    pub letters: Vec<Sample>,
    /// Who the letters come from, as the header has it.
    pub sender: String,
    /// Where answers go, if elsewhere.
    pub reply_to: Option<String>,
    /// What the letters are written before.
    pub event: Option<Event>,
    /// The audience's name in the config.
    pub audience: String,
    /// The states that the audience expects; none for any list.
    pub expected: Vec<StateCode>,
    /// How many people have to approve a batch.
    pub approvals_needed: usize,
}

/// One letter as an example of all in its language.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The language.
    pub language: Language,
    /// Which frozen text it is of, from 1.
    pub edition: i64,
    /// How many letters of the batch are in this language, of this text.
    pub count: u64,
    /// Whose letter is shown.
    pub mission: String,
    /// The decoded subject.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The file names attached.
    pub attachments: Vec<String>,
}

/// An address that has not got the letter, and why.
pub(super) struct Miss<'a> {
    pub(super) record: &'a DeliveryRecord,
    pub(super) address: &'a AddressRecord,
    pub(super) word: &'a LastWord,
}

impl Dossier {
    /// The addresses that were refused, deferred or lost, by cause: the causes that a person has most to do with first.
    pub(super) fn causes(&self) -> BTreeMap<Cause, Vec<Miss<'_>>> {
        let mut causes: BTreeMap<Cause, Vec<Miss<'_>>> = BTreeMap::new();
        for record in &self.records {
            for address in &record.addresses {
                if let Some((cause, word)) = cause(record, address) {
                    causes.entry(cause).or_default().push(Miss { record, address, word });
                }
            }
        }
        causes
    }

    /// What people said about a row, in the order in which they did.
    pub(super) fn remarks_on(&self, record: &DeliveryRecord) -> &[Remark] {
        self.remarks.get(record.id.as_str()).map_or(&[], Vec::as_slice)
    }

    /// The attempts on a row that were not given back, the first one first.
    pub(super) fn tries(&self, record: &DeliveryRecord) -> impl Iterator<Item = &AttemptRecord> {
        let all = self.attempts.get(record.id.as_str()).map_or(&[][..], Vec::as_slice);
        all.iter().filter(|attempt| attempt.outcome.is_some_and(|outcome| outcome != State::Queued))
    }

    /// How many addresses the letters go to that were tried.
    pub(super) fn tried_addresses(&self) -> usize {
        self.records.iter().filter(|record| record.attempts > 0).map(|record| record.addresses.len()).sum()
    }

    /// To addresses that stand for more than one mission, each with the missions' names, by address.
    pub(super) fn shared_addresses(&self) -> Vec<(String, Vec<&str>)> {
        self.shared_by_folded().into_values().collect()
    }

    /// The same by the folded address.
    pub(super) fn shared_by_folded(&self) -> BTreeMap<String, (String, Vec<&str>)> {
        let mut shared: BTreeMap<String, (String, Vec<&str>)> = BTreeMap::new();
        for record in self.records.iter().filter(|record| record.state != State::Suppressed) {
            for to in &record.recipient.to {
                let (_, names) = shared.entry(to.folded()).or_insert_with(|| (to.address(), Vec::new()));
                if !names.contains(&name(record)) {
                    names.push(name(record));
                }
            }
        }
        shared.retain(|_, (_, names)| names.len() > 1);
        shared
    }

    /// What a person recorded of an address that no server is known to have taken the letter for.
    pub(super) fn on_a_persons_word(&self, record: &DeliveryRecord, address: &AddressRecord) -> Option<&Remark> {
        let unanswered = address.state == State::Accepted
            && address.word.as_ref().is_some_and(|word| !word.code.is_some_and(|code| (200..300).contains(&code)));
        let said = self.remarks_on(record).iter().rev().find(|remark| remark.event == delivery::Event::ResolveSent);
        said.filter(|_| unanswered)
    }

    /// The first and the last moment at which a letter was taken.
    pub(super) fn accepted_between(&self) -> Option<(Timestamp, Timestamp)> {
        let mut taken = self.settled.iter().filter(|(_, state)| *state == State::Accepted).map(|(at, _)| *at);
        let first = taken.next()?;
        Some((first, taken.next_back().unwrap_or(first)))
    }

    /// For each regional group of the expected states, what became of each state.
    pub(super) fn coverage(&self) -> Vec<GroupCoverage> {
        let mut states: HashMap<StateCode, State> = HashMap::new();
        for record in &self.records {
            let Some(code) = record.recipient.state else { continue };
            // A mission whose copy was refused has the letter all the same.
            let state = if record.has_letter() { State::Accepted } else { record.state };
            let best = states.entry(code).or_insert(state);
            if reach(state) > reach(*best) {
                *best = state;
            }
        }
        let mut groups: BTreeMap<&str, GroupCoverage> = BTreeMap::new();
        for code in &self.expected {
            let state = code.state();
            let group = groups.entry(group_key(Some(*code))).or_insert_with(|| GroupCoverage {
                name: group_name(group_key(Some(*code))).to_owned(),
                ..GroupCoverage::default()
            });
            group.expected += 1;
            match states.get(code) {
                Some(known) => *group.states.entry(shown(*known)).or_default() += 1,
                None => group.missing.push(state.name("en").to_owned()),
            }
        }
        groups.into_values().collect()
    }
}

/// What became of the states of one regional group.
#[derive(Default)]
pub(super) struct GroupCoverage {
    pub(super) name: String,
    pub(super) expected: usize,
    /// How many states by what is known of them, by the name of it.
    pub(super) states: BTreeMap<&'static str, usize>,
    pub(super) missing: Vec<String>,
}

/// What a remark records.
pub(super) fn remark_head(event: delivery::Event) -> &'static str {
    match event {
        delivery::Event::ResolveSent => "recorded as arrived",
        delivery::Event::ResolveNotSent => "recorded as not arrived",
        delivery::Event::SendAgain => "to be sent again",
        delivery::Event::Suppress => "left out from then on",
        _ => "note",
    }
}

/// `recorded as arrived by X on 2021-10-20`, and what they said.
#[must_use]
pub fn remark_line(remark: &Remark) -> String {
    let by = remark.by.as_deref().map_or_else(String::new, |by| format!(" by {by}"));
    let note = if remark.note.is_empty() { String::new() } else { format!(": {}", remark.note) };
    format!("{}{by} on {}{note}", remark_head(remark.event), remark.at.strftime("%Y-%m-%d"))
}

/// What people said of a row, each with who and when; a note that is no remark stands as it is.
pub(super) fn notes(remarks: &[Remark], record: &DeliveryRecord) -> Vec<String> {
    let bare = record.note.iter().filter(|note| !note.is_empty() && !remarks.iter().any(|said| said.note == **note));
    remarks.iter().map(remark_line).chain(bare.cloned()).collect()
}

/// Why an address has not got the letter, and the word that says so; `None` for those that have, wait or are left out.
pub(super) fn cause<'a>(record: &'a DeliveryRecord, address: &'a AddressRecord) -> Option<(Cause, &'a LastWord)> {
    if !matches!(address.state, State::Failed | State::Deferred | State::Uncertain) {
        return None;
    }
    let word = address.word.as_ref().or(record.last.as_ref())?;
    Some((Cause::of(word), word))
}

/// True if all that keeps a deferred letter back are full mailboxes.
pub(super) fn waits_for_room(record: &DeliveryRecord) -> bool {
    let mut causes = record
        .addresses
        .iter()
        .filter(|address| address.state == State::Deferred)
        .filter_map(|address| cause(record, address))
        .map(|(cause, _)| cause)
        .filter(|cause| *cause != Cause::FollowedTheLetter)
        .peekable();
    causes.peek().is_some() && causes.all(|cause| cause == Cause::FullMailbox)
}

/// The group of a row: the code in the tables, `observers`, or `other` for rows that are no mission.
pub(super) fn group_key(code: Option<StateCode>) -> &'static str {
    match code.map(StateCode::state) {
        Some(state) if state.group.is_empty() => "observers",
        Some(state) => &state.group,
        None => "other",
    }
}

/// The group's name for people.
pub(super) fn group_name(key: &str) -> &'static str {
    match key {
        "observers" => "Observer States",
        "other" => "Other recipients",
        _ => state::all().iter().find(|state| state.group == key).map_or("Other recipients", |state| &state.group_name),
    }
}

/// Of several rows of one state, which tells more of whether the letter got there.
fn reach(state: State) -> u8 {
    match state {
        State::Accepted => 6,
        State::Uncertain => 5,
        State::Sending | State::HandedOver => 4,
        State::Queued => 3,
        State::Deferred => 2,
        State::Failed => 1,
        State::Suppressed => 0,
    }
}
