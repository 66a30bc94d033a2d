//! `log`: every attempt with phase, server reply and times.

use std::collections::{BTreeSet, HashMap};

use crate::cli::LogArgs;
use crate::domain::coverage::Coverage;
use crate::domain::recipient::RecipientId;
use crate::domain::record::{DeliveryRecord, Remark, RunRecord};
use crate::domain::reply::visible;
use crate::domain::state;
use crate::ledger::Reader;
use crate::report;

use super::Context;
use super::exit::{Failure, OK, USAGE};
use super::{frozen, prepare, status};

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
    let facts = status::facts(&reader, &config, Coverage::default())?;
    let mut remarks: HashMap<String, Vec<Remark>> = HashMap::new();
    reader.all_remarks(&mut |id, remark| remarks.entry(id.to_owned()).or_default().push(remark))?;
    let style = context.screen.style();
    if !args.json && facts.rehearsal {
        context.screen.result(&report::rehearsal(&style));
    }
    let (mut entries, mut tried_in) = (Vec::new(), BTreeSet::new());
    for record in &records {
        let attempts = reader.attempts(&record.id)?;
        let none = Vec::new();
        let remarks = remarks.get(record.id.as_str()).unwrap_or(&none);
        if args.json {
            entries.push(report::log_json(record, &attempts, remarks, &facts));
        } else {
            let gap = if tried_in.is_empty() { "" } else { "\n" };
            context.screen.result(&format!("{gap}{}", report::log(record, &attempts, remarks, &facts, &style)));
            tried_in.extend(attempts.iter().map(|attempt| attempt.run));
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
    } else {
        let runs: Vec<&RunRecord> = facts.runs.iter().filter(|run| tried_in.contains(&run.run)).collect();
        context.screen.result(&format!("\n{}", report::runs(&runs, &facts, &style)));
    }
    Ok(OK)
}

/// The delivery that a person names, by its id in any case or by the name of its state.
pub(super) fn find(reader: &Reader, mission: &str) -> Result<DeliveryRecord, Failure> {
    if let Ok(id) = RecipientId::parse(mission)
        && let Some(record) = reader.delivery(&id)?
    {
        return Ok(record);
    }
    // A state by its name, if it has one row.
    let named = state::lookup(mission).map(|state| state.code);
    let (mut found, mut of_state, mut known) = (None, Vec::new(), Vec::new());
    reader.deliveries(&mut |record: DeliveryRecord| {
        known.push(record.id.clone());
        if found.is_none() && record.id.as_str().eq_ignore_ascii_case(mission) {
            found = Some(record);
        } else if named.is_some() && record.recipient.state == named {
            of_state.push(record);
        }
    })?;
    let only = if of_state.len() == 1 { of_state.pop() } else { None };
    found.or(only).ok_or_else(|| {
        let meant = prepare::meant(mission, &known.iter().collect::<Vec<_>>());
        let meant = meant.map_or_else(String::new, |meant| format!("did you mean {meant}? "));
        Failure::new(USAGE, format!("the ledger has no row \"{}\"", visible(mission)))
            .help(format!("{meant}{}", prepare::NAMED_BY))
    })
}
