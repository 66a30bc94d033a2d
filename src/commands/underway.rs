//! What a campaign that is under way makes of the letters in the files: who has one, whose was frozen with another text, and
//! whether the event moved since.

use std::collections::HashMap;

use crate::diagnostic::Diagnostic;
use crate::domain::delivery::State;
use crate::domain::recipient::RecipientId;
use crate::domain::settings::{Event, LetterSettings};
use crate::ledger::{LedgerError, Reader};

use super::exit::Failure;
use super::prepare::Batch;
use super::{frozen, timing};

/// Against the ledger; nothing where there is none, or it is another campaign's.
#[derive(Default)]
pub(super) struct Underway {
    /// How many letters went out, or may have.
    pub(super) settled: u64,
    /// How many of those may have gone out, and nobody knows.
    pub(super) uncertain: u64,
    /// How many were refused for good.
    pub(super) failed: u64,
    /// Of the settled, the ones that differ from the files now.
    pub(super) settled_changed: Vec<RecipientId>,
    /// Still to go, and frozen with another text than that of the files.
    pub(super) changed: Vec<RecipientId>,
    /// The event as it was when the letters were frozen, if it is at another moment now.
    pub(super) moved_from: Option<Event>,
}

impl Underway {
    /// Looks at the ledger without opening it for writing.
    pub(super) fn look(batch: &Batch) -> Result<Self, Failure> {
        let mut found = Self::default();
        if !batch.config.ledger.exists() {
            return Ok(found);
        }
        let reader = Reader::open(&batch.config.ledger)?;
        if frozen::same_campaign(&reader, &batch.config.settings).is_err() {
            return Ok(found);
        }
        let rows: HashMap<_, _> =
            batch.rows.iter().zip(&batch.digests).map(|(row, digest)| (&row.recipient.id, *digest)).collect();
        reader.deliveries(&mut |record| {
            let Some(digest) = rows.get(&record.id) else { return };
            let changed = *digest != record.digest;
            match record.state {
                State::Accepted | State::Uncertain => {
                    found.settled += 1;
                    found.uncertain += u64::from(record.state == State::Uncertain);
                    found.settled_changed.extend(changed.then_some(record.id));
                }
                State::Queued | State::Sending | State::HandedOver | State::Deferred if changed => {
                    found.changed.push(record.id);
                }
                State::Failed => found.failed += 1,
                _ => {}
            }
        })?;
        found.moved_from = moved_from(&reader, &batch.config.settings)?;
        Ok(found)
    }

    /// "4 would go now; 179 went out; 7 failed (for `demarche resend`)", of `letters` in the files; `None` before the first send.
    pub(super) fn line(&self, letters: usize) -> Option<String> {
        if self.settled + self.failed == 0 {
            return None;
        }
        let now = (letters as u64).saturating_sub(self.settled + self.failed);
        let mut line = format!("{now} would go now; {} went out", self.settled - self.uncertain);
        if self.uncertain > 0 {
            line.push_str(&format!("; {} may have gone out (for `demarche resolve`)", self.uncertain));
        }
        if self.failed > 0 {
            line.push_str(&format!("; {} failed (for `demarche resend`)", self.failed));
        }
        Some(line)
    }

    /// What a person should know before the next `send`, if the event moved.
    pub(super) fn warning(&self, settings: &LetterSettings) -> Option<Diagnostic> {
        let message = moved(self.moved_from.as_ref()?, settings, &self.changed, &self.settled_changed);
        let help =
            "`demarche send --refresh` sends the letters of the files to those still to go; nobody gets a second one";
        Some(Diagnostic::warning("event-moved", message).help(help))
    }
}

/// The event of the latest frozen letters, if it was at another moment than now.
pub(super) fn moved_from(reader: &Reader, settings: &LetterSettings) -> Result<Option<Event>, LedgerError> {
    let Some(edition) = reader.latest_edition()? else { return Ok(None) };
    let frozen: Option<LetterSettings> = serde_json::from_str(&reader.edition(edition)?.settings).ok();
    let frozen = frozen.and_then(|frozen| frozen.event);
    let now = settings.event.as_ref().map(|event| event.at);
    Ok(frozen.filter(|frozen| now.is_some_and(|now| now != frozen.at)))
}

/// "the event moved from … to …", and whose letters do not know.
pub(super) fn moved(
    from: &Event,
    settings: &LetterSettings,
    changed: &[RecipientId],
    settled_changed: &[RecipientId],
) -> String {
    let when = |event: &Event| timing::on(event).trim_start_matches("on ").to_owned();
    let to = settings.event.as_ref().map_or_else(|| "no date".to_owned(), when);
    let mut message = format!("the event moved from {} to {to} since this campaign's letters were frozen", when(from));
    let mut tell = |ids: &[RecipientId], what: &str| {
        if !ids.is_empty() {
            message.push_str(&format!("; {} {what}: {}", ids.len(), super::progress::listed(ids)));
        }
    };
    tell(changed, "still to go differ from the files");
    tell(settled_changed, "that went out, or may have, differ from the files");
    message
}
