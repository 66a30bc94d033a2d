//! Everything that a report tells, gathered from the ledger: for `report`, and for the evidence that it packs.

use std::collections::{BTreeMap, HashMap};

use crate::clock;
use crate::compose::{Composer, stamp};
use crate::config::Config;
use crate::domain::delivery::State;
use crate::domain::language::Language;
use crate::domain::record::{AttemptRecord, DeliveryRecord, Remark};
use crate::ledger::Reader;
use crate::report::{self, Dossier, Sample};

use super::exit::{DATA, Failure};
use super::frozen::Frozen;
use super::{status, versions};

/// The dossier, from the ledger; the config says only whom the campaign means to reach.
pub(super) fn gather(reader: &Reader, config: &Config) -> Result<Dossier, Failure> {
    let (records, facts) = status::gather(reader, config)?;
    let mut remarks: HashMap<String, Vec<Remark>> = HashMap::new();
    reader.all_remarks(&mut |id, remark| remarks.entry(id.to_owned()).or_default().push(remark))?;
    // What was frozen is what was sent; before that, the config is all there is.
    let frozen = reader.latest_edition()?.and_then(|edition| reader.edition(edition).ok());
    let frozen = frozen.and_then(|edition| serde_json::from_str(&edition.settings).ok());
    let settings = frozen.unwrap_or_else(|| config.settings.clone());
    let audience = &config.recipients.audience;
    let frozen = Frozen::again(reader)?;
    Ok(Dossier {
        counts: reader.counts()?,
        letters: samples(&frozen, &records)?,
        languages: languages(&frozen, &records)?,
        attempts: attempts(reader, &records)?,
        history: versions::history(reader, &facts, &records)?,
        records,
        remarks,
        settled: reader.settled()?,
        sender: settings.from.to_string(),
        reply_to: settings.reply_to.as_ref().map(ToString::to_string),
        event: settings.event,
        audience: audience.to_string(),
        expected: audience.states().into_iter().map(|state| state.code).collect(),
        approvals_needed: config.approvals,
        facts: report::Facts { now: clock::now(), ..facts },
    })
}

/// Every attempt on the rows that were tried.
fn attempts(reader: &Reader, records: &[DeliveryRecord]) -> Result<HashMap<String, Vec<AttemptRecord>>, Failure> {
    let tried = records.iter().filter(|record| record.attempts > 0);
    tried.map(|record| Ok((record.id.to_string(), reader.attempts(&record.id)?))).collect()
}

/// The language of each letter.
fn languages(frozen: &Frozen, records: &[DeliveryRecord]) -> Result<HashMap<String, Language>, Failure> {
    let language = |record: &DeliveryRecord| {
        let composer = frozen.edition(record.edition).map_err(|why| Failure::new(DATA, why))?;
        let language = record.recipient.language.as_ref().unwrap_or(&composer.settings().default_language);
        Ok((record.id.to_string(), language.clone()))
    };
    records.iter().map(language).collect()
}

/// One letter for each language and each text that was frozen: an accepted one where there is any, rendered as it was sent.
fn samples(frozen: &Frozen, records: &[DeliveryRecord]) -> Result<Vec<Sample>, Failure> {
    let mut chosen: BTreeMap<(i64, String), (&DeliveryRecord, u64)> = BTreeMap::new();
    // Before the first letter goes out, what is planned is all there is to show.
    let any = records.iter().any(|record| record.attempts > 0);
    let shown = |record: &&DeliveryRecord| if any { record.attempts > 0 } else { record.state != State::Suppressed };
    for record in records.iter().filter(shown) {
        let composer = frozen.edition(record.edition).map_err(|why| Failure::new(DATA, why))?;
        let language = record.recipient.language.as_ref().unwrap_or(&composer.settings().default_language);
        let entry = chosen.entry((record.edition, language.to_string())).or_insert((record, 0));
        entry.1 += 1;
        if entry.0.state != State::Accepted && record.state == State::Accepted {
            entry.0 = record;
        }
    }
    let mut samples = Vec::new();
    for ((edition, _), (record, count)) in chosen {
        let composer = frozen.edition(edition).map_err(|why| Failure::new(DATA, why))?;
        samples.extend(sample(&composer, record, edition, count));
    }
    Ok(samples)
}

/// `None` for a letter that this program cannot render any more: the report is none the worse for the others.
fn sample(composer: &Composer, record: &DeliveryRecord, edition: i64, count: u64) -> Option<Sample> {
    let date = record.date.unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let stamp = stamp(b"report", composer.settings(), &record.id, date);
    let composed = composer.compose(&record.recipient, &stamp).ok()?;
    Some(Sample {
        language: composed.rendered.language,
        edition,
        count,
        mission: report::name(record).to_owned(),
        subject: composed.rendered.subject,
        text: composed.rendered.text,
        attachments: composed.attachments,
    })
}

/// The table as bytes.
pub(super) fn table(dossier: &Dossier) -> Result<Vec<u8>, Failure> {
    let mut table = Vec::new();
    report::csv(dossier, &mut table)
        .map_err(|error| Failure::new(DATA, format!("the table cannot be written: {error}")))?;
    Ok(table)
}
