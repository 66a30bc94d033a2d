//! `send`: check, show what would go out, ask, freeze the plan, run.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::{Timestamp, ZonedDateTime};

use crate::cli::{PreviewArgs, SendArgs};
use crate::clock;
use crate::compose::Composer;
use crate::domain::delivery::State;
use crate::domain::digest::Digest;
use crate::domain::recipient::RecipientId;
use crate::domain::record::{Counts, DeliveryRecord};
use crate::ledger::{Correction, Ledger, NewDelivery, Reader};
use crate::report;
use crate::smtp::Connector;

use super::check::{load, pace_line};
use super::exit::{DATA, Failure, OK, USAGE};
use super::frozen::Frozen;
use super::prepare::{Batch, Purpose, batch, compose_for_look};
use super::{Context, drive, frozen, preview};

pub(super) fn run(context: &Context, args: &SendArgs) -> Result<u8, Failure> {
    if args.dry_run {
        let preview_args = PreviewArgs { out: None, open: false, only: args.only.clone(), json: args.json };
        return preview::run(context, &preview_args);
    }
    let approved: Option<Digest> = match &args.approve {
        Some(text) => Some(text.parse().map_err(|error| Failure::new(USAGE, format!("--approve: {error}")))?),
        None => None,
    };
    let at = args.at.as_deref().map(parse_time).transpose()?;
    let batch = batch(context, Purpose::Send)?;
    let chosen = batch.select(&args.only)?;
    context.screen.problems(&batch.diagnostics);
    let connector = Connector::new(batch.config.relay.clone())?;
    let ledger = Ledger::open(&batch.config.ledger, true, "send")?;
    say_recovered(context, &ledger)?;
    let plan = Plan::new(&batch, &ledger, args.refresh)?;
    say_plan(context, &plan);
    if let Some(approved) = approved
        && approved != plan.digest
    {
        return Err(not_approved(approved, &plan));
    }
    let ids = plan.to_send(chosen.as_ref(), args.limit);
    if ids.is_empty() {
        context.screen.say("Nothing is waiting to be sent.");
        plan.enrol(&batch, &ledger, args.refresh)?;
        return finish(context, &ledger, &batch, None, None, args.json);
    }
    context.screen.say(&summary(&batch, &plan, ids.len()));
    let past = batch.config.settings.event.as_ref().is_some_and(|event| event.at < clock::now());
    if approved.is_none() && !args.yes {
        let question = if past { "The event lies in the past. Send all the same?" } else { "Send?" };
        if !context.screen.ask(question, "send")? {
            context.screen.say("Nothing was sent.");
            return Ok(OK);
        }
    }
    plan.enrol(&batch, &ledger, args.refresh)?;
    let whole = chosen.is_none() && args.limit.is_none();
    ledger.restrict(if whole { None } else { Some(ids.clone()) })?;
    let ending = go(context, &batch, &ledger, connector, ids.len(), at)?;
    let selection = (!whole).then(|| ids.into_iter().collect());
    finish(context, &ledger, &batch, Some(&ending), selection.as_ref(), args.json)
}

fn go(
    context: &Context,
    batch: &Batch,
    ledger: &Ledger,
    connector: Connector,
    letters: usize,
    at: Option<Timestamp>,
) -> Result<crate::dispatch::Ending, Failure> {
    let compose = Arc::new(Frozen::new(ledger.reader()?)?);
    drive::runtime()?.block_on(async {
        if let Some(at) = at
            && !drive::wait_until(&context.screen, at).await?
        {
            return Ok(crate::dispatch::Ending::Stopped);
        }
        let drive = drive::Drive {
            ledger: ledger.clone(),
            connector,
            compose,
            pace: batch.config.pace.clone(),
            retry: batch.config.retry.clone(),
            letters: letters as u64,
        };
        drive::drive(&context.screen, drive).await
    })
}

/// What the ledger will hold once this `send` is enrolled, and what of it waits.
struct Plan {
    digest: Digest,
    /// Every row's state, by id.
    known: HashMap<RecipientId, State>,
    /// Deferred ones that have used up their attempts: they are left for `resend`.
    exhausted: HashSet<RecipientId>,
    new: Vec<NewDelivery>,
    corrections: Vec<Correction>,
    /// Rows whose letter in the files differs from the frozen one, and is not taken.
    changed: Vec<RecipientId>,
    gone: Vec<RecipientId>,
    order: Vec<RecipientId>,
}

impl Plan {
    fn new(batch: &Batch, ledger: &Ledger, refresh: bool) -> Result<Self, Failure> {
        let reader = ledger.reader()?;
        let mut records: HashMap<RecipientId, (State, Digest)> = HashMap::new();
        let mut order = Vec::new();
        let mut exhausted = HashSet::new();
        reader.deliveries(&mut |record: DeliveryRecord| {
            order.push(record.id.clone());
            if record.state == State::Deferred && record.not_before.is_none() {
                exhausted.insert(record.id.clone());
            }
            records.insert(record.id, (record.state, record.digest));
        })?;
        let thawed = Self::frozen_composer(&reader, refresh)?;
        let mut plan = Self {
            digest: Digest::of(&[]),
            known: HashMap::new(),
            exhausted,
            new: Vec::new(),
            corrections: Vec::new(),
            changed: Vec::new(),
            gone: Vec::new(),
            order,
        };
        let mut in_file = HashSet::new();
        for (row, digest) in batch.rows.iter().zip(&batch.digests) {
            let recipient = &row.recipient;
            in_file.insert(recipient.id.clone());
            let Some((state, frozen)) = records.get(&recipient.id).copied() else {
                let new = Self::new_delivery(batch, thawed.as_ref(), row, *digest)?;
                records.insert(recipient.id.clone(), (Self::first_state(&new), new.digest));
                plan.order.push(recipient.id.clone());
                plan.new.push(new);
                continue;
            };
            if frozen == *digest || !matches!(state, State::Queued | State::Deferred | State::Failed) {
                continue;
            }
            if refresh {
                let addresses = batch.composer.addresses(recipient);
                let recipient = recipient.clone();
                records.insert(recipient.id.clone(), (state, *digest));
                plan.corrections.push(Correction { recipient, addresses, digest: *digest, edition: None });
            } else {
                plan.changed.push(recipient.id.clone());
            }
        }
        plan.gone = plan.order.iter().filter(|id| !in_file.contains(*id)).cloned().collect();
        plan.digest = Digest::of_batch(records.iter().map(|(id, (_, digest))| (id.as_str(), *digest)));
        plan.known = records.into_iter().map(|(id, (state, _))| (id, state)).collect();
        Ok(plan)
    }

    /// New rows of a campaign that is under way get the letter that was frozen, unless the new one is asked for.
    fn frozen_composer(reader: &Reader, refresh: bool) -> Result<Option<Composer>, Failure> {
        match reader.latest_edition()? {
            Some(edition) if !refresh => {
                let thawed = frozen::thaw(&reader.edition(edition)?);
                thawed.map(Some).map_err(|diagnostics| Failure::Problems { code: DATA, diagnostics })
            }
            _ => Ok(None),
        }
    }

    fn new_delivery(
        batch: &Batch,
        thawed: Option<&Composer>,
        row: &crate::roster::Row,
        digest: Digest,
    ) -> Result<NewDelivery, Failure> {
        let composer = thawed.unwrap_or(&batch.composer);
        let digest = match thawed {
            Some(composer) => {
                compose_for_look(composer, &row.recipient)
                    .map_err(|diagnostics| Failure::Problems { code: DATA, diagnostics })?
                    .message
                    .digest
            }
            None => digest,
        };
        Ok(NewDelivery {
            recipient: row.recipient.clone(),
            addresses: composer.addresses(&row.recipient),
            digest,
            suppressed: row.suppressed.clone(),
        })
    }

    fn first_state(new: &NewDelivery) -> State {
        if new.suppressed.is_some() { State::Suppressed } else { State::Queued }
    }

    /// Ids that wait, in the plan's order: queued and deferred, the chosen ones, at most `limit`.
    fn to_send(&self, chosen: Option<&HashSet<RecipientId>>, limit: Option<usize>) -> Vec<RecipientId> {
        self.order
            .iter()
            .filter(|id| chosen.is_none_or(|chosen| chosen.contains(*id)))
            .filter(|id| matches!(self.known.get(*id), Some(State::Queued | State::Deferred | State::Sending)))
            .filter(|id| !self.exhausted.contains(*id))
            .take(limit.unwrap_or(usize::MAX))
            .cloned()
            .collect()
    }

    /// Writes the plan down (W0).
    fn enrol(&self, batch: &Batch, ledger: &Ledger, refresh: bool) -> Result<(), Failure> {
        if refresh && !self.corrections.is_empty() {
            let edition = ledger.add_edition(&batch.edition)?;
            let corrections = self
                .corrections
                .iter()
                .map(|correction| Correction {
                    recipient: correction.recipient.clone(),
                    addresses: correction.addresses.clone(),
                    digest: correction.digest,
                    edition: Some(edition),
                })
                .collect();
            ledger.correct(corrections)?;
        }
        let rows = self
            .new
            .iter()
            .map(|new| NewDelivery {
                recipient: new.recipient.clone(),
                addresses: new.addresses.clone(),
                digest: new.digest,
                suppressed: new.suppressed.clone(),
            })
            .collect::<Vec<_>>();
        if !rows.is_empty() {
            ledger.enrol(&batch.config.settings.campaign_id, &batch.edition, rows)?;
        }
        Ok(())
    }
}

fn say_recovered(context: &Context, ledger: &Ledger) -> Result<(), Failure> {
    let recovered = ledger.recover()?;
    if recovered.requeued > 0 {
        context.screen.say(&format!(
            "The last run ended while {} letters were on their way; they were provably not delivered and are queued again.",
            recovered.requeued
        ));
    }
    if recovered.uncertain > 0 {
        context.screen.warn(&format!(
            "the last run ended while {} letters were being handed over; nobody can know whether they arrived, so they are \
             uncertain and are not sent again by themselves: see `demarche status`",
            recovered.uncertain
        ));
    }
    Ok(())
}

fn say_plan(context: &Context, plan: &Plan) {
    let list = |ids: &[RecipientId]| {
        let shown: Vec<&str> = ids.iter().take(10).map(RecipientId::as_str).collect();
        let more = ids.len().saturating_sub(10);
        if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
    };
    let known = plan.known.len() - plan.new.len();
    if known > 0 && !plan.new.is_empty() {
        let ids: Vec<RecipientId> = plan.new.iter().map(|new| new.recipient.id.clone()).collect();
        context.screen.say(&format!("{} rows are new in the file and join the batch: {}", ids.len(), list(&ids)));
    }
    if !plan.changed.is_empty() {
        context.screen.warn(&format!(
            "the letters of {} rows differ in the files from what was frozen when this campaign was first sent ({}); the frozen \
             ones are used: pass --refresh to take the new ones",
            plan.changed.len(),
            list(&plan.changed)
        ));
    }
    if !plan.gone.is_empty() {
        context.screen.warn(&format!(
            "{} rows are in the ledger and no longer in the file: {}; they are kept",
            plan.gone.len(),
            list(&plan.gone)
        ));
    }
}

fn not_approved(approved: Digest, plan: &Plan) -> Failure {
    let why = if plan.changed.is_empty() {
        "letters, rows or settings have changed since it was previewed".to_owned()
    } else {
        format!(
            "{} rows render differently in the files than in the ledger's frozen letter, which would be sent",
            plan.changed.len()
        )
    };
    Failure::new(DATA, format!("this is not the batch that was approved: {why}; nothing was sent")).help(format!(
        "approved: {approved}\nnow:      {}\nrun `demarche preview`, look, and approve its digest",
        plan.digest
    ))
}

fn summary(batch: &Batch, plan: &Plan, letters: usize) -> String {
    let relay = &batch.config.relay;
    let settings = &batch.config.settings;
    let counts = plan.known.values().fold(Counts::default(), |mut counts, state| {
        counts.add(*state, 1);
        counts
    });
    let settled = counts.accepted + counts.failed + counts.uncertain;
    let before =
        if settled > 0 { format!(" ({settled} of the batch are settled and left alone)") } else { String::new() };
    let coverage = &batch.coverage;
    let coverage = if coverage.expected == 0 {
        String::new()
    } else {
        format!("\n  Coverage: {} of {} states", coverage.present, coverage.expected)
    };
    format!(
        "\n{}\n  Letters:  {letters}{before}\n  From:     {}\n  Through:  {} port {}, {}, {} sessions{coverage}\n  Pace:     {}\n  Digest:   {}\n",
        crate::domain::reply::visible(&settings.campaign_name),
        settings.from,
        relay.host,
        relay.port,
        relay.security.name(),
        relay.connections,
        pace_line(batch, load(batch)),
        plan.digest,
    )
}

fn parse_time(text: &str) -> Result<Timestamp, Failure> {
    let zoned = text.parse::<ZonedDateTime>().map(|zoned| zoned.timestamp());
    zoned.or_else(|_| text.parse::<Timestamp>()).map_err(|_| {
        Failure::new(USAGE, format!("--at: \"{}\" is no time with a zone", crate::domain::reply::visible(text)))
            .help("write for example 2021-10-15T09:00[America/New_York] or 2021-10-15T13:00:00Z")
    })
}

/// Prints what became of the batch, and gives the exit code of what was to be sent.
pub(super) fn finish(
    context: &Context,
    ledger: &Ledger,
    batch: &Batch,
    ending: Option<&crate::dispatch::Ending>,
    selection: Option<&HashSet<RecipientId>>,
    json: bool,
) -> Result<u8, Failure> {
    let reader = ledger.reader()?;
    let counts = reader.counts()?;
    let code = ending.and_then(|ending| drive::ending(&context.screen, ending));
    if json {
        context.screen.json(&super::status::json(&reader, &batch.config)?);
    } else {
        context.screen.result(&report::outcome_table(&counts, &context.screen.style()));
        if counts.uncertain + counts.failed + counts.deferred > 0 {
            context.screen.say("`demarche status` shows which, and what to do.");
        }
    }
    let counted = match selection {
        None => counts,
        Some(selection) => {
            let mut counts = Counts::default();
            for id in selection {
                if let Some(record) = reader.delivery(id)? {
                    counts.add(record.state, 1);
                }
            }
            counts
        }
    };
    let by_counts = report::exit_code(&counted);
    Ok(match code {
        // What became of the letters says more than that the run was stopped.
        Some(super::exit::TRY_AGAIN) if matches!(by_counts, 1 | 2) => by_counts,
        Some(code) => code,
        None => by_counts,
    })
}
