//! `report`: what became of the batch, for a board, for spreadsheets and for scripts; and the evidence that goes with it.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use crate::cli::ReportArgs;
use crate::clock;
use crate::compose::{Composer, stamp};
use crate::config::Config;
use crate::domain::delivery::State;
use crate::domain::record::{DeliveryRecord, Remark};
use crate::ledger::Reader;
use crate::report::{self, Dossier, Sample};

use super::Context;
use super::exit::{DATA, Failure, OK};
use super::frozen::Frozen;
use super::{evidence, prepare, status};

pub(super) fn run(context: &Context, args: &ReportArgs) -> Result<u8, Failure> {
    if let Some(path) = &args.verify {
        return evidence::verify(context, path, args.expect.as_deref(), args.json);
    }
    let (config, _) = prepare::config(context)?;
    if let Some(path) = &args.pack {
        let code = evidence::pack(context, &config, path)?;
        if args.html.is_none() && args.csv.is_none() && !args.json {
            return Ok(code);
        }
    }
    let reader = Reader::open(&config.ledger)?;
    let dossier = gather(&reader, &config)?;
    if let Some(path) = &args.html {
        write(path, report::html(&dossier).as_bytes())?;
        context.screen.say(&format!("Report: {}", path.display()));
    }
    if args.json {
        context.screen.json(&report::report_json(&dossier));
    }
    if let Some(path) = &args.csv {
        write(path, &table(&dossier)?)?;
        context.screen.say(&format!("Table: {}", path.display()));
    }
    Ok(OK)
}

/// The table as bytes.
pub(super) fn table(dossier: &Dossier) -> Result<Vec<u8>, Failure> {
    let mut table = Vec::new();
    report::csv(dossier.records.iter().cloned(), &mut table)
        .map_err(|error| Failure::new(DATA, format!("the table cannot be written: {error}")))?;
    Ok(table)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, bytes).map_err(|error| Failure::cannot_write(path, &error))
}

/// Everything that a report tells, from the ledger; the config says only whom the campaign means to reach.
pub(super) fn gather(reader: &Reader, config: &Config) -> Result<Dossier, Failure> {
    let (records, facts) = status::gather(reader, config)?;
    let mut remarks: HashMap<String, Vec<Remark>> = HashMap::new();
    reader.all_remarks(&mut |id, remark| remarks.entry(id.to_owned()).or_default().push(remark))?;
    // What was frozen is what was sent; before that, the config is all there is.
    let frozen = reader.latest_edition()?.and_then(|edition| reader.edition(edition).ok());
    let frozen = frozen.and_then(|edition| serde_json::from_str(&edition.settings).ok());
    let settings = frozen.unwrap_or_else(|| config.settings.clone());
    let audience = &config.recipients.audience;
    Ok(Dossier {
        counts: reader.counts()?,
        letters: samples(reader, &records)?,
        records,
        remarks,
        runs: reader.runs()?,
        settled: reader.settled()?,
        sender: settings.from.to_string(),
        reply_to: settings.reply_to.as_ref().map(ToString::to_string),
        event: settings.event,
        audience: audience.to_string(),
        expected: audience.states().into_iter().map(|state| state.code).collect(),
        approvals_needed: config.approvals,
        facts: crate::report::Facts { now: clock::now(), ..facts },
    })
}

/// One letter for each language and each text that was frozen: an accepted one where there is any, rendered as it was sent.
fn samples(reader: &Reader, records: &[DeliveryRecord]) -> Result<Vec<Sample>, Failure> {
    let frozen = Frozen::again(reader)?;
    let mut chosen: BTreeMap<(i64, String), (&DeliveryRecord, u64)> = BTreeMap::new();
    for record in records.iter().filter(|record| record.state != State::Suppressed) {
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
        mission: prepare::name_of(&record.recipient),
        subject: composed.rendered.subject,
        text: composed.rendered.text,
        attachments: composed.attachments,
    })
}
