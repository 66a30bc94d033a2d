//! What a preview is told: the letters, the batch, and what they were earlier.

use std::sync::Arc;

use jiff::Timestamp;

use super::files::Attached;
use crate::domain::digest::Digest;
use crate::domain::language::Language;
use crate::domain::state::StateCode;

/// One letter of the preview.
#[derive(Debug, Clone)]
pub struct Item {
    /// The row's id; it names the files.
    pub id: String,
    /// The mission: its state's short name, or the id.
    pub name: String,
    /// The state, for rows that have one.
    pub state: Option<StateCode>,
    /// The letter's language.
    pub language: Language,
    /// The To mailboxes as they stand in the header.
    pub to: Vec<String>,
    /// The Cc mailboxes.
    pub cc: Vec<String>,
    /// The Bcc mailboxes, which stand in the envelope only.
    pub bcc: Vec<String>,
    /// The decoded subject.
    pub subject: String,
    /// The size of the message in octets.
    pub bytes: u64,
    /// The digest of this letter.
    pub digest: Digest,
    /// The text/plain part, decoded.
    pub text: String,
    /// The text/html part, decoded, with its pictures in it.
    pub html: String,
    /// The attached files.
    pub attachments: Vec<Arc<Attached>>,
    /// The pictures that stand in the HTML.
    pub pictures: Vec<Arc<Attached>>,
    /// The names of those that are this row's alone.
    pub own_attachments: Vec<String>,
    /// Whom the list has the letter address.
    pub addressee: Addressee,
    /// What `check` says of the row.
    pub warnings: Vec<Warning>,
    /// What the ledger says has become of it, if it is not to be sent any more.
    pub settled: Option<String>,
    /// Why it is in the sample, if the preview is one.
    pub chosen: Option<&'static str>,
    /// What it is against what was approved; `None` where nothing was.
    pub approved: Option<Standing>,
}

/// What somebody should look at in one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// In a sentence or two.
    pub text: String,
    /// True if a remark of [`Page::warnings`] tells it of all its rows at once.
    pub told_at_once: bool,
}

/// Whom a letter addresses, as the list has it; what a template makes of that is its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addressee {
    /// The office.
    pub office: Office,
    /// The person's name, if the list gives one.
    pub name: Option<String>,
}

/// The office that is addressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Office {
    /// A Permanent Representative.
    Representative,
    /// A Permanent Observer.
    Observer,
    /// A chargé d'affaires ad interim.
    Charge,
    /// The mission itself: its post is vacant.
    Mission,
    /// No mission's.
    Other,
}

impl Addressee {
    /// `the Permanent Representative (no name in the list)`.
    #[must_use]
    pub fn in_words(&self) -> String {
        let office = match self.office {
            Office::Representative => "the Permanent Representative",
            Office::Observer => "the Permanent Observer",
            Office::Charge => "the chargé d'affaires a.i.",
            Office::Mission => "the mission (its post is vacant in the list)",
            Office::Other => "an office that is no mission",
        };
        match (&self.name, self.office) {
            (_, Office::Mission) => office.to_owned(),
            (Some(name), _) => format!("{office}, by name: {name}"),
            (None, _) => format!("{office} (no name in the list)"),
        }
    }

    /// How it is counted: `Permanent Representatives`.
    pub(super) fn group(&self) -> &'static str {
        match (self.office, &self.name) {
            (Office::Mission, _) => "missions themselves",
            (Office::Charge, _) => "chargés d'affaires",
            (_, Some(_)) => "by name",
            (Office::Representative, None) => "Permanent Representatives",
            (Office::Observer, None) => "Permanent Observers",
            (Office::Other, None) => "others than missions",
        }
    }
}

/// A letter against an earlier one of the same row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// The same, to the byte.
    Same,
    /// There was none.
    New,
    /// Another one.
    Changed(Box<Earlier>),
}

/// What a letter was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Earlier {
    /// What stood where: `("Subject", "An open letter")`; empty if it is not known any more.
    pub fields: Vec<(String, String)>,
    /// The text/plain part, if it is still known.
    pub text: Option<String>,
    /// The attached files and the pictures, if they are still known.
    pub files: Option<Vec<EarlierFile>>,
}

/// A file that went with an earlier letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierFile {
    /// Its name in the letter.
    pub name: String,
    /// SHA-256 of its content.
    pub digest: Digest,
    /// Its size in octets.
    pub bytes: u64,
}

impl Earlier {
    /// The fields of a letter by their labels; `mailboxes` are its To, Cc and Bcc.
    #[must_use]
    pub fn fields(
        subject: &str,
        mailboxes: [&[String]; 3],
        language: &Language,
        attachments: &[&str],
    ) -> Vec<(String, String)> {
        [
            ("Subject", subject.to_owned()),
            ("To", mailboxes[0].join(", ")),
            ("Cc", mailboxes[1].join(", ")),
            ("Bcc (not in the header)", mailboxes[2].join(", ")),
            ("Language", super::language_name(language.as_str()).to_owned()),
            ("Attachments", attachments.join(", ")),
        ]
        .map(|(label, value)| (label.to_owned(), value))
        .into()
    }
}

/// What the pages say about the batch as a whole, shown or not.
#[derive(Debug, Clone)]
pub struct Page {
    /// The campaign's name.
    pub campaign: String,
    /// The batch's digest: what `send --approve` takes.
    pub digest: Digest,
    /// The whole command that approves it.
    pub command: String,
    /// What a campaign under way has become, in a sentence.
    pub underway: Option<String>,
    /// Where the approvals stand; `None` where none are asked for.
    pub approvals: Option<Approvals>,
    /// The event the letter is written for.
    pub event: Option<Moment>,
    /// The dates among the values that letters are merged with.
    pub dates: Vec<Moment>,
    /// How many letters of the batch go to an address that is a placeholder.
    pub placeholders: usize,
    /// The sender's own blind copies.
    pub archive: Vec<String>,
    /// The From mailbox.
    pub from: String,
    /// The Reply-To mailbox.
    pub reply_to: Option<String>,
    /// How many letters the batch has in each language.
    pub languages: Vec<(String, usize)>,
    /// Octets of all letters of the batch together.
    pub octets: u64,
    /// The rows that get no letter, and why.
    pub without: Vec<(String, String)>,
    /// Each state of the audience; empty if it is any list.
    pub coverage: Vec<Reach>,
    /// The names of states with several rows.
    pub doubled: Vec<String>,
    /// The ids of rows of states outside the audience.
    pub foreign: Vec<String>,
    /// How many letters go to others than the audience's states.
    pub beyond: usize,
    /// What `check` says that is about several rows or none.
    pub warnings: Vec<Remark>,
    /// What was approved, if anything was.
    pub approved: Option<Approved>,
    /// When the preview was made.
    pub generated: Timestamp,
}

/// A time that the letters speak of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// What it is and when.
    pub text: String,
    /// Seen from when the preview was made: `in 6 days`.
    pub away: String,
    /// True if it is over.
    pub is_past: bool,
}

/// Something that somebody should look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// In a sentence or two.
    pub text: String,
    /// The id and the name, as it stands in the text, of each row that it is about.
    pub about: Vec<(String, String)>,
}

/// The approvals that a batch needs before it may go out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approvals {
    /// How many people have to approve it; at least 1.
    pub needed: usize,
    /// Who did.
    pub people: Vec<String>,
    /// What each who approves runs.
    pub command: String,
}

impl Approvals {
    /// True if as many people approved as have to.
    #[must_use]
    pub fn is_enough(&self) -> bool {
        self.people.len() >= self.needed
    }

    /// "1 of 2 approvals so far (The Chair)".
    #[must_use]
    pub fn so_far(&self) -> String {
        let who = if self.people.is_empty() { String::new() } else { format!(" ({})", self.people.join(", ")) };
        let noun = if self.needed == 1 { "approval" } else { "approvals" };
        format!("{} of {} {noun} so far{who}", self.people.len(), self.needed)
    }

    /// "Two different people must approve; whoever approves twice counts once."; empty where one is enough.
    pub(super) fn different(&self) -> String {
        let people = match self.needed {
            0 | 1 => return String::new(),
            2 => "Two".to_owned(),
            3 => "Three".to_owned(),
            4 => "Four".to_owned(),
            needed => needed.to_string(),
        };
        format!("{people} different people must approve; whoever approves twice counts once.")
    }

    /// "After both approvals".
    pub(super) fn after(&self) -> String {
        match self.needed {
            1 => "After the approval".to_owned(),
            2 => "After both approvals".to_owned(),
            needed => format!("After all {needed} approvals"),
        }
    }

    /// "once both have".
    #[must_use]
    pub fn once(&self) -> String {
        match self.needed {
            1 => "once one person has".to_owned(),
            2 => "once both have".to_owned(),
            needed => format!("once all {needed} have"),
        }
    }
}

/// What becomes of one state of the audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// The state.
    pub state: StateCode,
    /// Its row's id and what it gets; `None` if it has no row.
    pub row: Option<(String, Gets)>,
}

/// What a row gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gets {
    /// A letter.
    Letter,
    /// None, for this reason.
    Nothing(String),
}

/// What an earlier batch rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Basis {
    /// Nobody used `approve`: the letters as they were frozen when the campaign began.
    Frozen(Timestamp),
    /// The word of people, which counts for nothing but that batch. At least one.
    Words(Vec<Word>),
}

/// One person's word for a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The name.
    pub by: String,
    /// What was noted with it; may be empty.
    pub note: String,
    /// When it was given.
    pub at: Timestamp,
}

/// An earlier batch as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    /// Since when it is compared.
    pub basis: Basis,
    /// The names of rows that were in it and are in the batch no more.
    pub gone: Vec<String>,
    /// How many letters of the batch are other ones.
    pub changed: usize,
    /// How many letters of the batch were not in it.
    pub new: usize,
}
