//! The settings that shape a letter. They are frozen with the plan, so that a re-send renders what was approved.

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use super::language::Language;
use super::mailbox::Mailbox;

/// What the campaign is before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// In the letter's words.
    pub name: String,
    /// The moment.
    pub at: Timestamp,
    /// The IANA zone in which it is announced.
    pub zone: String,
}

impl Event {
    /// Date and time at the place of the event.
    #[must_use]
    pub fn local(&self) -> DateTime {
        jiff::tz::TimeZone::get(&self.zone).map_or_else(
            |_| self.at.to_zoned_datetime(jiff::tz::TimeZone::UTC).datetime(),
            |zone| self.at.to_zoned_datetime(zone).datetime(),
        )
    }
}

/// Everything from the config that changes the bytes of a letter or its envelope, and nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LetterSettings {
    /// `campaign.id`: of the form of a row id.
    pub campaign_id: String,
    /// `campaign.name`.
    pub campaign_name: String,
    /// `campaign.event`.
    pub event: Option<Event>,
    /// `[vars]`, as JSON values; dates as text.
    pub vars: serde_json::Map<String, serde_json::Value>,
    /// `sender.from`.
    pub from: Mailbox,
    /// `sender.reply_to`.
    pub reply_to: Option<Mailbox>,
    /// `sender.bcc`: copies of every letter, an archive for instance.
    pub bcc: Vec<Mailbox>,
    /// `sender.list_unsubscribe`: an https or mailto URL (RFC 2369, 8058).
    pub list_unsubscribe: Option<String>,
    /// `letter.default_language`.
    pub default_language: Language,
    /// `letter.attachments`: paths relative to the campaign folder.
    pub attachments: Vec<String>,
}
