//! `status`: one screen of what is known and what to do next. Works beside a running `send`.

use crate::cli::StatusArgs;
use crate::clock;
use crate::config::Config;
use crate::domain::coverage::Coverage;
use crate::domain::delivery::{Event, State};
use crate::domain::recipient::RecipientId;
use crate::domain::record::DeliveryRecord;
use crate::ledger::Reader;
use crate::report::{self, Facts};

use super::Context;
use super::exit::Failure;
use super::{frozen, prepare};

pub(super) fn run(context: &Context, args: &StatusArgs) -> Result<u8, Failure> {
    let (config, _) = prepare::config(context)?;
    let reader = Reader::open(&config.ledger)?;
    let (records, facts) = gather(&reader, &config)?;
    let counts = reader.counts()?;
    if args.json {
        context.screen.json(&report::status_json(&records, &counts, &facts));
    } else {
        context.screen.result(&report::status(&records, &counts, &facts, &context.screen.style()));
    }
    Ok(report::exit_code(&counts))
}

/// What `status --json` prints.
pub(super) fn json(reader: &Reader, config: &Config) -> Result<serde_json::Value, Failure> {
    let (records, facts) = gather(reader, config)?;
    Ok(report::status_json(&records, &reader.counts()?, &facts))
}

/// Every delivery, and what is known of the campaign as a whole.
pub(super) fn gather(reader: &Reader, config: &Config) -> Result<(Vec<DeliveryRecord>, Facts), Failure> {
    frozen::same_campaign(reader, &config.settings)?;
    let mut records = Vec::new();
    reader.deliveries(&mut |record| records.push(record))?;
    let coverage = if records.is_empty() {
        Coverage::default()
    } else {
        let gets = |record: &DeliveryRecord| record.state != State::Suppressed;
        let rows = records.iter().map(|record| (&record.id, record.recipient.state, gets(record)));
        Coverage::of(&config.recipients.audience, rows)
    };
    let facts = facts(reader, config, coverage)?;
    Ok((records, facts))
}

/// What is known of the campaign as a whole, by a ledger that is the campaign's.
pub(super) fn facts(reader: &Reader, config: &Config, coverage: Coverage) -> Result<Facts, Failure> {
    let approvals = reader.approvals()?;
    // Before the first plan there is nothing that could have a digest but what was approved.
    let approved = approvals.iter().rev().find(|approval| approval.withdrawn.is_none());
    let digest = match approved {
        Some(approved) if reader.counts()?.total() == 0 => approved.digest,
        _ => reader.batch_digest()?,
    };
    let mut resolved = Vec::new();
    reader.all_remarks(&mut |id, remark| {
        if matches!(remark.event, Event::ResolveSent | Event::ResolveNotSent)
            && let Ok(id) = RecipientId::parse(id)
        {
            resolved.push((id, remark));
        }
    })?;
    Ok(Facts {
        campaign: config.settings.campaign_name.clone(),
        digest,
        missing: Coverage::names(&coverage.missing),
        coverage,
        zone: clock::zone(),
        now: clock::now(),
        ledger: config.ledger.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned()),
        resolved,
        running: reader.holder(),
        rehearsal: reader.is_rehearsal()?,
        runs: reader.runs()?,
        approvals,
    })
}
