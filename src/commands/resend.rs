//! `resend`: what was deferred or failed, and nothing else; with the addresses that were corrected in the file since.

use std::collections::HashMap;
use std::sync::Arc;

use crate::cli::ResendArgs;
use crate::domain::delivery::State;
use crate::domain::recipient::{Recipient, RecipientId};
use crate::domain::record::DeliveryRecord;
use crate::ledger::{Correction, Ledger};
use crate::report;
use crate::smtp::Connector;

use super::exit::{DATA, Failure, OK};
use super::frozen::Frozen;
use super::prepare::{Batch, Purpose, batch, compose_for_look, select};
use super::{Context, drive, recovered, send};

pub(super) fn run(context: &Context, args: &ResendArgs) -> Result<u8, Failure> {
    let batch = batch(context, Purpose::Send)?;
    context.screen.problems(&batch.diagnostics);
    let ledger = Ledger::open(&batch.config.ledger, false, "resend")?;
    recovered::recover(context, &ledger, &batch.config)?;
    let frozen = Frozen::new(ledger.reader()?)?;
    let again = Again::new(context, &batch, &ledger, &frozen, args)?;
    if again.records.is_empty() && again.held.is_empty() {
        context.screen.say("Nothing was deferred or failed: there is nothing to send again.");
        return send::finish(context, &ledger, &batch, None, None, args.json);
    }
    context.screen.result(&report::resend_list(&again.records, &again.held, &context.screen.style()));
    if args.dry_run || again.records.is_empty() {
        return Ok(OK);
    }
    let uncertain = again.records.iter().filter(|record| record.state == State::Uncertain).count();
    if uncertain > 0 {
        context
            .screen
            .warn(&format!("{uncertain} of these are uncertain: they may have arrived, and may arrive twice"));
    }
    if !args.yes && !context.screen.ask(&format!("Send these {} again?", again.records.len()), "send")? {
        context.screen.say("Nothing was sent.");
        return Ok(OK);
    }
    let connector = Connector::new(batch.config.relay.clone())?;
    let ids = again.requeue(&batch, &ledger)?;
    let letters = ids.len() as u64;
    ledger.restrict(Some(ids.clone()))?;
    let ending = drive::runtime()?.block_on(drive::drive(
        &context.screen,
        drive::Drive {
            ledger: ledger.clone(),
            connector,
            compose: Arc::new(frozen),
            pace: batch.config.pace.clone(),
            retry: batch.config.retry.clone(),
            letters,
        },
    ))?;
    let selection = ids.into_iter().collect();
    send::finish(context, &ledger, &batch, Some(&ending), Some(&selection), args.json)
}

/// Why a row is held back.
pub(super) const HELD: &str = "the server does not know this address";

/// What is sent again, what is held back and why, and what changes before.
struct Again {
    records: Vec<DeliveryRecord>,
    held: Vec<(String, String)>,
    corrections: Vec<Correction>,
    refreshed: bool,
}

impl Again {
    fn new(
        context: &Context,
        batch: &Batch,
        ledger: &Ledger,
        frozen: &Frozen,
        args: &ResendArgs,
    ) -> Result<Self, Failure> {
        let rows: HashMap<&RecipientId, (&Recipient, crate::domain::digest::Digest)> = batch
            .rows
            .iter()
            .zip(&batch.digests)
            .map(|(row, digest)| (&row.recipient.id, (&row.recipient, *digest)))
            .collect();
        let mut candidates = Vec::new();
        ledger.reader()?.deliveries(&mut |record| {
            let wanted = matches!(record.state, State::Deferred | State::Failed)
                || (record.state == State::Uncertain && args.uncertain);
            if wanted {
                candidates.push(record);
            }
        })?;
        let chosen = select(&args.only, candidates.iter().map(|record| &record.id))?;
        let mut again =
            Self { records: Vec::new(), held: Vec::new(), corrections: Vec::new(), refreshed: args.refresh };
        let mut changed = Vec::new();
        for mut record in candidates {
            if chosen.as_ref().is_some_and(|chosen| !chosen.contains(&record.id)) {
                continue;
            }
            let row = rows.get(&record.id).copied();
            let correction = match row {
                Some((row, digest)) => correction(batch, frozen, &record, row, digest, args.refresh)?,
                None => None,
            };
            if correction.is_none() && !args.force && record.is_refused_as_unknown() {
                again.held.push((record.id.to_string(), HELD.to_owned()));
                continue;
            }
            if let Some((_, digest)) = row
                && correction.is_none()
                && digest != record.digest
            {
                changed.push(record.id.to_string());
            }
            if let Some(correction) = correction {
                record.recipient = correction.recipient.clone();
                again.corrections.push(correction);
            }
            again.records.push(record);
        }
        if !changed.is_empty() {
            context.screen.warn(&format!(
                "other changes to the letters of {} rows are not taken ({}): pass --refresh to take them",
                changed.len(),
                changed.join(", ")
            ));
        }
        Ok(again)
    }

    /// Writes corrections down and puts everything back into the queue.
    fn requeue(&self, batch: &Batch, ledger: &Ledger) -> Result<Vec<RecipientId>, Failure> {
        let edition = if self.refreshed && !self.corrections.is_empty() {
            Some(ledger.add_edition(&batch.edition)?)
        } else {
            None
        };
        for record in self.records.iter().filter(|record| record.state == State::Uncertain) {
            ledger.resolve(&record.id, false, "sent again by a person's word: resend --uncertain")?;
        }
        let corrections = self
            .corrections
            .iter()
            .map(|correction| Correction {
                recipient: correction.recipient.clone(),
                addresses: correction.addresses.clone(),
                digest: correction.digest,
                edition,
            })
            .collect();
        ledger.correct(corrections)?;
        let ids: Vec<RecipientId> = self.records.iter().map(|record| record.id.clone()).collect();
        ledger.requeue(&ids)?;
        Ok(ids)
    }
}

/// What changes for a row: with `refresh` all of it; else only its addresses, in the letter that was frozen.
fn correction(
    batch: &Batch,
    frozen: &Frozen,
    record: &DeliveryRecord,
    row: &Recipient,
    digest: crate::domain::digest::Digest,
    refresh: bool,
) -> Result<Option<Correction>, Failure> {
    if refresh {
        return Ok((digest != record.digest).then(|| Correction {
            recipient: row.clone(),
            addresses: batch.composer.addresses(row),
            digest,
            edition: None,
        }));
    }
    let old = &record.recipient;
    if old.to == row.to && old.cc == row.cc && old.bcc == row.bcc {
        return Ok(None);
    }
    let mut recipient = old.clone();
    recipient.to.clone_from(&row.to);
    recipient.cc.clone_from(&row.cc);
    recipient.bcc.clone_from(&row.bcc);
    let composer = frozen.edition(record.edition).map_err(|why| Failure::new(DATA, why))?;
    let composed =
        compose_for_look(&composer, &recipient).map_err(|diagnostics| Failure::Problems { code: DATA, diagnostics })?;
    let addresses = composer.addresses(&recipient);
    Ok(Some(Correction { recipient, addresses, digest: composed.message.digest, edition: None }))
}
