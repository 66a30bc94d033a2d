//! `log`: every attempt with phase, server reply and times.

use crate::cli::LogArgs;
use crate::domain::recipient::RecipientId;
use crate::domain::record::DeliveryRecord;
use crate::ledger::Reader;
use crate::report;

use super::Context;
use super::exit::{Failure, OK, USAGE};
use super::{frozen, prepare};

pub(super) fn run(context: &Context, args: &LogArgs) -> Result<u8, Failure> {
    let (config, _) = prepare::config(context)?;
    let reader = Reader::open(&config.ledger)?;
    frozen::same_campaign(&reader, &config.settings)?;
    let records = if let Some(mission) = &args.mission {
        vec![find(&reader, mission)?]
    } else {
        let mut tried = Vec::new();
        reader.deliveries(&mut |record: DeliveryRecord| {
            if record.message_id.is_some() {
                tried.push(record);
            }
        })?;
        tried
    };
    let mut entries = Vec::new();
    for record in &records {
        let attempts = reader.attempts(&record.id)?;
        if args.json {
            entries.push(report::log_json(record, &attempts));
        } else {
            context.screen.result(&report::log(record, &attempts, &context.screen.style()));
        }
    }
    if args.json {
        match (&args.mission, entries.pop()) {
            (Some(_), Some(entry)) => context.screen.json(&entry),
            (_, last) => {
                entries.extend(last);
                context.screen.json(&serde_json::Value::Array(entries));
            }
        }
    } else if records.is_empty() {
        context.screen.say("Nothing was tried yet.");
    }
    Ok(OK)
}

/// The delivery that a person names, by its id in any case.
pub(super) fn find(reader: &Reader, mission: &str) -> Result<DeliveryRecord, Failure> {
    let unknown = || {
        let shown = crate::domain::reply::visible(mission);
        Failure::new(USAGE, format!("the ledger has no row \"{shown}\""))
            .help("rows are named by their id, for missions the three letters of the state, such as KEN")
    };
    let id = RecipientId::parse(mission).map_err(|_| unknown())?;
    if let Some(record) = reader.delivery(&id)? {
        return Ok(record);
    }
    let mut found = None;
    reader.deliveries(&mut |record: DeliveryRecord| {
        if found.is_none() && record.id.as_str().eq_ignore_ascii_case(id.as_str()) {
            found = Some(record);
        }
    })?;
    found.ok_or_else(unknown)
}
