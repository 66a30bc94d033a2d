//! One row of the recipients file, valid by construction: what the letter is merged with and where it goes.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::language::Language;
use super::mailbox::Mailbox;
use super::message::{Field, ForwardPath};
use super::state::StateCode;

/// The stable name of a row: 1 to 64 of `A-Z a-z 0-9 . _ -`, not beginning with a dot, so that it can name a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RecipientId(String);

/// Not a row id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not an id: use 1 to 64 letters, digits, \".\", \"_\" or \"-\", not beginning with a dot")]
pub struct RecipientIdError(String);

impl RecipientId {
    /// Reads an id; blanks around it are dropped.
    ///
    /// # Errors
    /// [`RecipientIdError`] if it has other characters or another length.
    pub fn parse(text: &str) -> Result<Self, RecipientIdError> {
        let text = text.trim();
        let fits = (1..=64).contains(&text.len())
            && !text.starts_with('.')
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
        if fits { Ok(Self(text.to_owned())) } else { Err(RecipientIdError(super::reply::visible(text))) }
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RecipientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RecipientId {
    type Error = RecipientIdError;

    fn try_from(text: String) -> Result<Self, RecipientIdError> {
        Self::parse(&text)
    }
}

impl From<RecipientId> for String {
    fn from(id: RecipientId) -> Self {
        id.0
    }
}

/// Who heads the mission; it decides the form of address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rank {
    /// An ambassador as Permanent Representative: the default, which needs neither name nor gender.
    #[default]
    PermanentRepresentative,
    /// A chargé d'affaires ad interim: never "Excellency".
    ChargeDAffaires,
    /// The head of an observer mission.
    PermanentObserver,
    /// Nobody, or nobody known: the mission itself is addressed.
    Vacant,
}

/// The grammatical gender to use in forms of address, only where the row gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Gender {
    /// Feminine forms.
    Female,
    /// Masculine forms.
    Male,
}

/// One row: the mission, its addresses and what the templates see of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recipient {
    /// Unique in the file; by default the state's ISO alpha-3 code.
    pub id: RecipientId,
    /// The state, absent for rows that are no mission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<StateCode>,
    /// At least one.
    pub to: Vec<Mailbox>,
    /// Copies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cc: Vec<Mailbox>,
    /// Blind copies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bcc: Vec<Mailbox>,
    /// The letter's language, if the row names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Who heads the mission.
    #[serde(default)]
    pub rank: Rank,
    /// The person's name as it should be written, if given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only if given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gender: Option<Gender>,
    /// Paths relative to the campaign folder, for this row only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<String>,
    /// When somebody last checked the row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_on: Option<jiff::civil::Date>,
    /// Every column of the row by its header, as templates see it: `row.<column>`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, String>,
    /// The line of the file on which the row starts, from 1. Not part of the letter.
    #[serde(skip)]
    pub line: u64,
}

impl Recipient {
    /// To whom the row's letter goes: To, Cc, Bcc and the sender's `archive` copies, no address twice.
    #[must_use]
    pub fn forward_paths(&self, archive: &[Mailbox]) -> Vec<ForwardPath> {
        let fields =
            [(Field::To, &self.to[..]), (Field::Cc, &self.cc[..]), (Field::Bcc, &self.bcc[..]), (Field::Bcc, archive)];
        let mut seen = std::collections::HashSet::new();
        let mut paths = Vec::with_capacity(self.to.len() + self.cc.len());
        for (field, mailboxes) in fields {
            for mailbox in mailboxes {
                if seen.insert(mailbox.folded()) {
                    paths.push(ForwardPath { address: mailbox.address(), field });
                }
            }
        }
        paths
    }
}
