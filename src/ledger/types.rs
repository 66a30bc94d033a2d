//! What goes into the ledger and what comes out of it, beside the records of `domain`.

use jiff::Timestamp;

use crate::domain::attempt::DeliveryId;
use crate::domain::digest::Digest;
use crate::domain::fault::Judgement;
use crate::domain::message::{ForwardPath, Stamp};
use crate::domain::recipient::{Recipient, RecipientId};
use crate::domain::run::Confirmation;

/// What is frozen of a letter: everything that shapes it beside the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edition {
    /// JSON of the settings that shape the letter.
    pub settings: String,
    /// Templates and attachments.
    pub sources: Vec<Source>,
}

/// One file that a letter is made of. Its bytes are stored once, however many editions name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The path that the letter knows it by.
    pub name: String,
    /// The content.
    pub bytes: Vec<u8>,
}

/// A row to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDelivery {
    /// The row.
    pub recipient: Recipient,
    /// The letter's whole envelope, at least one, no address twice, in the order To, Cc, Bcc.
    pub addresses: Vec<ForwardPath>,
    /// The letter as planned.
    pub digest: Digest,
    /// Why it must never be sent, if it must not.
    pub suppressed: Option<String>,
}

/// What an enrolment found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolled {
    /// The edition that new rows render from.
    pub edition: i64,
    /// True if the edition given is not the one that is frozen. The frozen one stays in force.
    pub edition_differs: bool,
    /// Rows that were not there before.
    pub new: u64,
    /// Rows that were.
    pub known: u64,
    /// Known rows that had not been suppressed and now are.
    pub suppressed: u64,
    /// Known rows whose data or letter is not what is frozen. The frozen ones stay in force.
    pub changed: Vec<RecipientId>,
    /// Rows of the ledger that were not given. They stay.
    pub gone: Vec<RecipientId>,
}

/// New data for a row that was not delivered yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Correction {
    /// The row; its id says which.
    pub recipient: Recipient,
    /// As in [`NewDelivery`].
    pub addresses: Vec<ForwardPath>,
    /// The letter as planned now.
    pub digest: Digest,
    /// Another edition to render from.
    pub edition: Option<i64>,
}

/// What a start found of a run that died: deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recovered {
    /// Claimed, provably not handed over: queued again. Those that are `doubtful` are not among them.
    pub requeued: u64,
    /// Handed over, the answer unknown.
    pub uncertain: u64,
    /// To be sent again by a person's word, and not come to: uncertain as before.
    pub doubtful: u64,
}

/// What an open found in the emergency journal: outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replayed {
    /// Taken over into the ledger.
    pub taken: u64,
    /// Already in the ledger, so left out.
    pub known: u64,
    /// Lines that cannot be read: the write was cut off. Their deliveries become uncertain.
    pub torn: u64,
}

/// How a run is begun; recorded with it, before anything is claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The command's name: `send`, `resend` or `rehearse`.
    pub command: &'static str,
    /// Of the batch as it was shown and confirmed.
    pub digest: Digest,
    /// How and when it was confirmed; `None` where nobody is asked.
    pub confirmed: Option<(Confirmation, Timestamp)>,
    /// The account that runs the command, if the system tells.
    pub by: Option<String>,
    /// The numbers of the approvals that count for it.
    pub approvals: Vec<i64>,
}

/// A delivery that may be sent now.
#[derive(Debug, Clone, PartialEq)]
pub struct DueDelivery {
    /// The ledger's number.
    pub number: DeliveryId,
    /// The row.
    pub recipient: Recipient,
    /// Those still to be sent to, in the order To, Cc, Bcc: queued or deferred.
    pub addresses: Vec<String>,
    /// Attempts that count so far.
    pub attempts: u32,
    /// What to render from.
    pub edition: i64,
    /// The letter as planned.
    pub digest: Digest,
    /// Message-ID and Date of an attempt that became uncertain: a re-send keeps both, so that a mail system that did
    /// take the first can tell the second as the same.
    pub earlier: Option<Stamp>,
}

/// An attempt about to begin (W1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Of which delivery.
    pub delivery: DeliveryId,
    /// By which run.
    pub run: i64,
    /// To which of its addresses.
    pub addresses: Vec<String>,
    /// With angle brackets.
    pub message_id: String,
    /// The Date field; kept to the millisecond.
    pub date: Timestamp,
    /// SHA-256 of the bytes that go over the wire.
    pub bytes_digest: Digest,
    /// When.
    pub at: Timestamp,
}

/// What became of an attempt (W3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// For each address and for the whole.
    pub judgement: Judgement,
    /// When deferred addresses are due again. Without it they wait for [`super::Ledger::requeue`].
    pub not_before: Option<Timestamp>,
    /// When the outcome was known.
    pub at: Timestamp,
}

/// The campaign that the ledger belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Campaign {
    /// `campaign.id`.
    pub id: String,
    /// A random value made at the first enrolment, part of every Message-ID.
    pub key: [u8; 16],
    /// When that was.
    pub created_at: Timestamp,
}

/// A batch as a person approved it.
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovedBatch {
    /// Of the batch, as `preview` prints it.
    pub digest: Digest,
    /// What shapes its letters.
    pub edition: Edition,
    /// Every letter of it: its row, and the letter's digest. In the order of the ids when read back.
    pub letters: Vec<(Recipient, Digest)>,
}

/// An attempt that handed a message over, and what the message was made of.
#[derive(Debug, Clone, PartialEq)]
pub struct HandedOver {
    /// From 1, per delivery.
    pub number: u32,
    /// With angle brackets.
    pub message_id: String,
    /// The Date field.
    pub date: Timestamp,
    /// SHA-256 of the bytes that went over the wire.
    pub bytes_digest: Digest,
    /// The row as it was then.
    pub recipient: Recipient,
    /// The edition as it was then.
    pub edition: i64,
    /// The letter as it was planned then.
    pub letter: Digest,
}
