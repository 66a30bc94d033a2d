//! What changed from one version of the batch to the next, as far as the ledger holds both: what was approved, and what is
//! planned now.

use std::collections::BTreeMap;

use crate::domain::delivery::State;
use crate::domain::digest::Digest;
use crate::domain::recipient::Recipient;
use crate::domain::record::DeliveryRecord;
use crate::ledger::{Edition, LedgerError, Reader};
use crate::report::{Changes, Facts, History, versions};

use super::prepare::name_of;

/// What is said of a letter that differs though its row does not.
const TEXT_OR_ENCLOSURES: &str = "text or enclosures";

/// A version as the ledger holds it.
struct Version {
    letters: BTreeMap<String, (Recipient, Digest)>,
    /// The content of each source by its name.
    files: BTreeMap<String, Digest>,
    /// The files that go with every letter.
    with_all: Vec<String>,
}

/// For each version but the first, what changed since the one before it.
///
/// # Errors
/// [`LedgerError`]
pub(super) fn history(reader: &Reader, facts: &Facts, records: &[DeliveryRecord]) -> Result<History, LedgerError> {
    let mut history = History::new();
    let mut before: Option<Version> = None;
    for digest in versions(facts) {
        let now = version(reader, facts, records, digest)?;
        if let (Some(before), Some(now)) = (&before, &now) {
            history.insert(digest, changes(before, now));
        }
        before = now;
    }
    Ok(history)
}

/// `None` for a version that was sent and neither approved nor kept: the ledger has its digest only.
fn version(
    reader: &Reader,
    facts: &Facts,
    records: &[DeliveryRecord],
    digest: Digest,
) -> Result<Option<Version>, LedgerError> {
    if facts.approvals.iter().any(|approval| approval.digest == digest) {
        let batch = reader.approved_batch(digest)?;
        return Ok(Some(Version::new(batch.letters, &batch.edition)));
    }
    if digest != facts.digest {
        return Ok(None);
    }
    let Some(latest) = reader.latest_edition()? else { return Ok(None) };
    let planned = records.iter().filter(|record| record.state != State::Suppressed);
    let letters = planned.map(|record| (record.recipient.clone(), record.digest)).collect();
    Ok(Some(Version::new(letters, &reader.edition(latest)?)))
}

impl Version {
    fn new(letters: Vec<(Recipient, Digest)>, edition: &Edition) -> Self {
        let by_id = |(row, digest): (Recipient, Digest)| (row.id.to_string(), (row, digest));
        let files = edition.sources.iter().map(|source| (source.name.clone(), Digest::of(&source.bytes)));
        let settings: serde_json::Value = serde_json::from_str(&edition.settings).unwrap_or_default();
        let with_all = settings["attachments"].as_array().into_iter().flatten();
        let with_all = with_all.filter_map(|name| Some(format!("attachment:{}", name.as_str()?))).collect();
        Self { letters: letters.into_iter().map(by_id).collect(), files: files.collect(), with_all }
    }
}

fn changes(before: &Version, now: &Version) -> Changes {
    let mut changes = Changes::default();
    let content = |version: &Version| -> Vec<(String, Option<Digest>)> {
        version.with_all.iter().map(|name| (name.clone(), version.files.get(name).copied())).collect()
    };
    let is_every_letter_another = content(before) != content(now);
    for (id, (row, digest)) in &now.letters {
        match before.letters.get(id) {
            None => changes.joined.push(name_of(row)),
            Some((_, was)) if was == digest => {}
            Some((was, _)) => {
                let told = what(was, row);
                // A letter whose row differs, too, goes with the new enclosure all the same.
                if is_every_letter_another && told != TEXT_OR_ENCLOSURES {
                    changes.letters.push((name_of(row), TEXT_OR_ENCLOSURES.to_owned()));
                }
                changes.letters.push((name_of(row), told));
            }
        }
    }
    let gone = before.letters.iter().filter(|(id, _)| !now.letters.contains_key(*id));
    changes.left = gone.map(|(_, (row, _))| name_of(row)).collect();
    let names = before.files.keys().chain(now.files.keys().filter(|name| !before.files.contains_key(*name)));
    let differ = names.filter(|name| before.files.get(*name) != now.files.get(*name));
    // The name behind the kind of source.
    changes.files =
        differ.map(|name| name.split_once(':').map_or(name.as_str(), |(_, path)| path).to_owned()).collect();
    changes
}

/// What differs in a row, in a few words; if nothing does, the letter that is made of it does.
fn what(was: &Recipient, is: &Recipient) -> String {
    let parts = [
        ("address", was.to != is.to),
        ("copies", (&was.cc, &was.bcc) != (&is.cc, &is.bcc)),
        ("language", was.language != is.language),
        ("form of address", (&was.name, &was.rank, &was.gender) != (&is.name, &is.rank, &is.gender)),
        ("enclosures", was.attachments != is.attachments),
    ];
    let parts: Vec<&str> = parts.into_iter().filter(|(_, differs)| *differs).map(|(what, _)| what).collect();
    if parts.is_empty() && was.columns != is.columns {
        return "text, by details in the list".to_owned();
    }
    if parts.is_empty() { TEXT_OR_ENCLOSURES.to_owned() } else { parts.join(", ") }
}
