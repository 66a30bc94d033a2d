//! What the ledger's content in a pack says the rest has to be: which messages, of which digest, giving which batch.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::names::{LEDGER, message_name, source_name};
use super::runs::Runs;
use crate::domain::digest::Digest;
use crate::domain::message::Envelope;
use crate::domain::recipient::{Recipient, RecipientId};
use crate::domain::settings::LetterSettings;

/// One message that was handed over.
pub(super) struct Expected {
    /// SHA-256 of its bytes.
    pub(super) bytes: Digest,
    /// The letter's digest as planned.
    pub(super) letter: Digest,
    /// To whom the letter goes.
    pub(super) envelope: Envelope,
}

/// A row at the time of an attempt.
struct Version {
    edition: i64,
    letter: Digest,
    recipient: Recipient,
}

/// An attempt that handed a message over.
struct Attempt {
    delivery: i64,
    number: u64,
    run: i64,
    bytes: Digest,
}

/// The ledger's content, read line by line.
#[derive(Default)]
pub(super) struct Chain {
    settings: HashMap<i64, LetterSettings>,
    /// The id, the edition and digest, and whether the row counts for the batch.
    deliveries: HashMap<i64, (RecipientId, i64, Digest, bool)>,
    recipients: HashMap<i64, Recipient>,
    /// By delivery and last attempt.
    former: BTreeMap<(i64, u64), Version>,
    /// Those that handed a message over.
    attempts: Vec<Attempt>,
    /// Each approved batch's letters.
    approved: BTreeMap<Digest, Vec<(String, Digest)>>,
    /// Who approved which, as far as it stands.
    approvals: Vec<(Digest, String)>,
    /// How runs were begun, and what was approved for them.
    pub(super) runs: Runs,
    /// Files that have to be in the pack.
    sources: Vec<String>,
    /// Whether it is the record of a rehearsal.
    pub(super) rehearsal: bool,
}

impl Chain {
    /// Takes one line; `None` if it is not what an export writes.
    pub(super) fn take(&mut self, line: &Value) -> Option<()> {
        let int = |name: &str| line[name].as_i64();
        let digest = |name: &str| line[name].as_str()?.parse::<Digest>().ok();
        let value = |name: &str| line.get(name).cloned();
        let id = |name: &str| RecipientId::parse(line[name].as_str()?).ok();
        match line["table"].as_str()? {
            "editions" => {
                self.settings.insert(int("edition")?, serde_json::from_value(value("settings")?).ok()?);
            }
            "deliveries" => {
                let counts = line["state"].as_str()? != "suppressed";
                self.deliveries.insert(int("number")?, (id("id")?, int("edition")?, digest("digest")?, counts));
            }
            "recipients" => {
                self.recipients.insert(int("number")?, serde_json::from_value(value("recipient")?).ok()?);
            }
            "former_recipients" => {
                let recipient = serde_json::from_value(value("recipient")?).ok()?;
                let version = Version { edition: int("edition")?, letter: digest("digest")?, recipient };
                self.former.insert((int("delivery")?, line["last_attempt"].as_u64()?), version);
            }
            "attempts" if !line["intent_at"].is_null() => {
                self.attempts.push(Attempt {
                    delivery: int("delivery")?,
                    number: line["number"].as_u64()?,
                    run: int("run")?,
                    bytes: digest("bytes_digest")?,
                });
            }
            "approved_letters" => {
                let letter = (id("id")?.as_str().to_owned(), digest("letter")?);
                self.approved.entry(digest("digest")?).or_default().push(letter);
            }
            "approvals" if line["withdrawn_at"].is_null() => {
                self.approvals.push((digest("digest")?, line["person"].as_str()?.to_owned()));
            }
            "rehearsal" => self.rehearsal = true,
            "sources" => self.sources.push(source_name(digest("sha256")?)),
            _ => {}
        }
        self.runs.take(line)
    }

    /// Every message that was handed over, by its name in the pack; what does not fit together is named.
    pub(super) fn messages(&self) -> (BTreeMap<String, Expected>, Vec<String>) {
        let (mut messages, mut wrong) = (BTreeMap::new(), Vec::new());
        for Attempt { delivery, number, bytes, .. } in &self.attempts {
            match self.message(*delivery, *number, *bytes) {
                Some((name, expected)) => {
                    messages.insert(name, expected);
                }
                None => wrong.push(format!("{LEDGER}: attempt {number} of delivery {delivery} has no row")),
            }
        }
        (messages, wrong)
    }

    fn message(&self, delivery: i64, number: u64, bytes: Digest) -> Option<(String, Expected)> {
        let (id, edition, letter, _) = self.deliveries.get(&delivery)?;
        let (edition, letter, recipient) = match self.former(delivery, number) {
            Some(version) => (version.edition, version.letter, &version.recipient),
            None => (*edition, *letter, self.recipients.get(&delivery)?),
        };
        let settings = self.settings.get(&edition)?;
        let envelope =
            Envelope { reverse_path: settings.from.address(), forward_paths: recipient.forward_paths(&settings.bcc) };
        Some((message_name(id, u32::try_from(number).ok()?), Expected { bytes, letter, envelope }))
    }

    /// The row that an attempt was made of, if it was corrected since.
    fn former(&self, delivery: i64, number: u64) -> Option<&Version> {
        self.former.range((delivery, number)..=(delivery, u64::MAX)).next().map(|(_, version)| version)
    }

    /// What does not fit together between runs, approvals and letters.
    pub(super) fn false_runs(&self) -> Vec<String> {
        let letter = |attempt: &Attempt| {
            let (id, _, letter, _) = self.deliveries.get(&attempt.delivery)?;
            let letter = self.former(attempt.delivery, attempt.number).map_or(*letter, |version| version.letter);
            Some((attempt.run, (id.as_str().to_owned(), letter)))
        };
        let sent: Vec<_> = self.attempts.iter().filter_map(letter).collect();
        self.runs.findings(&sent, &self.approved)
    }

    /// The digest of the batch that the letters' digests give.
    pub(super) fn batch(&self) -> Digest {
        let letters = self.deliveries.values().filter(|(_, _, _, counts)| *counts);
        Digest::of_batch(letters.map(|(id, _, digest, _)| (id.as_str(), *digest)))
    }

    /// How many deliveries there are.
    pub(super) fn deliveries(&self) -> usize {
        self.deliveries.len()
    }

    /// Approved batches whose letters do not give their digest.
    pub(super) fn false_approvals(&self) -> Vec<Digest> {
        let given = |letters: &Vec<(String, Digest)>| Digest::of_batch(letters.iter().map(|(id, d)| (id.as_str(), *d)));
        self.approved.iter().filter(|(digest, letters)| given(letters) != **digest).map(|(digest, _)| *digest).collect()
    }

    /// Names of those who approved the batch of that digest, as often as they did.
    pub(super) fn approvers(&self, batch: Digest) -> Vec<&str> {
        self.approvals.iter().filter(|(digest, _)| *digest == batch).map(|(_, person)| person.as_str()).collect()
    }

    /// The sources that have to be there.
    pub(super) fn sources(&self) -> &[String] {
        &self.sources
    }
}
