//! What the ledger knows, as values to show: deliveries, their addresses and attempts, and the counts.

use jiff::Timestamp;

use super::attempt::{DeliveryId, LastWord};
use super::delivery::{Event, State};
use super::digest::Digest;
use super::message::Field;
use super::recipient::{Recipient, RecipientId};
use super::run::Beginning;

/// One address of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressRecord {
    /// `local@domain`.
    pub address: String,
    /// Where it stands in the header.
    pub field: Field,
    /// What is known of it.
    pub state: State,
    /// The last word about it, if any was said.
    pub word: Option<LastWord>,
}

/// One delivery as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct DeliveryRecord {
    /// The ledger's number.
    pub number: DeliveryId,
    /// The row's id.
    pub id: RecipientId,
    /// The row as it was frozen, or taken by a correction.
    pub recipient: Recipient,
    /// What is known of the delivery as a whole.
    pub state: State,
    /// Every address, in the order To, Cc, Bcc.
    pub addresses: Vec<AddressRecord>,
    /// Attempts that were made and settled, over all resends; given-back ones do not count.
    pub attempts: u32,
    /// The Message-ID of its attempts, once there was one.
    pub message_id: Option<String>,
    /// The Date of the last attempt, once there was one.
    pub date: Option<Timestamp>,
    /// The digest of the letter as planned.
    pub digest: Digest,
    /// Which frozen edition of the letter it renders from.
    pub edition: i64,
    /// Not again before this, for deferred ones.
    pub not_before: Option<Timestamp>,
    /// The last word on it.
    pub last: Option<LastWord>,
    /// Why it is suppressed, or what a person noted on it.
    pub note: Option<String>,
}

impl DeliveryRecord {
    /// True if every address that has not got the letter was refused as unknown (5.1.x, RFC 3463 §3.2): sending again to
    /// the same addresses cannot help. Copies that were never refused themselves, and only went unsent with their letter,
    /// say nothing against that.
    #[must_use]
    pub fn is_refused_as_unknown(&self) -> bool {
        let unsent = |address: &AddressRecord| {
            address.field != Field::To
                && address.state == State::Failed
                && address.word.as_ref().is_some_and(|word| word.code.is_none())
        };
        let mut refused =
            self.addresses.iter().filter(|address| address.state != State::Accepted && !unsent(address)).peekable();
        refused.peek().is_some() && refused.all(AddressRecord::is_unknown)
    }

    /// True if the mission itself has the letter, by the word of a server or of a person: a copy may still be out.
    #[must_use]
    pub fn has_letter(&self) -> bool {
        State::mission_has_it(self.addresses.iter().map(|address| (address.field, address.state)))
            || self.state == State::Accepted
    }

    /// True if the mission has the letter and only copies, or further addresses of it, were refused, wait or are uncertain.
    /// Its state is theirs; for people it is neither failed nor deferred.
    #[must_use]
    pub fn lacks_only_copies(&self) -> bool {
        self.has_letter() && self.state != State::Accepted
    }

    /// The addresses that were refused as unknown (5.1.x): sending to them again cannot help.
    #[must_use]
    pub fn unknown_addresses(&self) -> Vec<String> {
        self.addresses.iter().filter(|address| address.is_unknown()).map(|address| address.address.clone()).collect()
    }
}

impl AddressRecord {
    /// `office@mission.example`, with ` (cc)` behind it where it is a copy.
    #[must_use]
    pub fn named(&self) -> String {
        match self.field {
            Field::To => self.address.clone(),
            field => format!("{} ({})", self.address, field.name()),
        }
    }

    /// True if the server refused it as unknown (5.1.x, RFC 3463 §3.2).
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        let enhanced = self.word.as_ref().and_then(|word| word.enhanced.as_ref());
        self.state == State::Failed && enhanced.is_some_and(|code| code.starts_with("5.1."))
    }
}

/// One attempt as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptRecord {
    /// From 1, per delivery; given-back attempts are numbered too.
    pub number: u32,
    /// Which run made it.
    pub run: i64,
    /// When it was claimed.
    pub claimed_at: Timestamp,
    /// When the intent was durable, if it came so far.
    pub intent_at: Option<Timestamp>,
    /// When the outcome was recorded, if it was.
    pub settled_at: Option<Timestamp>,
    /// What became of the delivery by it: its state afterwards (`queued` for one that was given back).
    pub outcome: Option<State>,
    /// The last word on the attempt as a whole.
    pub word: Option<LastWord>,
    /// What was said of each address in this attempt.
    pub addresses: Vec<AddressRecord>,
}

/// What a person said about a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// When.
    pub at: Timestamp,
    /// What it did.
    pub event: Event,
    /// In their words.
    pub note: String,
    /// Who said it, where that is on record.
    pub by: Option<String>,
}

/// One run of `send` or `resend`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RunRecord {
    /// The ledger's number of it.
    pub run: i64,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; a run that died has no end.
    pub ended_at: Option<Timestamp>,
    /// The version of the program, where that is on record.
    pub program: Option<String>,
    /// Attempts that it made, given-back ones aside.
    pub attempts: u64,
    /// How it was begun.
    #[serde(flatten)]
    pub began: Beginning,
}

/// How many deliveries are in which state. A handed-over one counts as sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Counts {
    /// Waiting.
    pub queued: u64,
    /// Claimed or handed over by a run.
    pub sending: u64,
    /// Taken by a server.
    pub accepted: u64,
    /// Refused for now.
    pub deferred: u64,
    /// Refused for good.
    pub failed: u64,
    /// Nobody can know.
    pub uncertain: u64,
    /// Never to be sent.
    pub suppressed: u64,
}

impl Counts {
    /// Counts one more (or `count` more) in `state`.
    pub fn add(&mut self, state: State, count: u64) {
        let slot = match state {
            State::Queued => &mut self.queued,
            State::Sending | State::HandedOver => &mut self.sending,
            State::Accepted => &mut self.accepted,
            State::Deferred => &mut self.deferred,
            State::Failed => &mut self.failed,
            State::Uncertain => &mut self.uncertain,
            State::Suppressed => &mut self.suppressed,
        };
        *slot += count;
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.queued + self.sending + self.accepted + self.deferred + self.failed + self.uncertain + self.suppressed
    }
}
