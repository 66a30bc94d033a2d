//! `resend`: what was deferred or failed, and nothing else; with the addresses that were corrected in the file since.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::cli::ResendArgs;
use crate::clock;
use crate::domain::approval::distinct;
use crate::domain::delivery::State;
use crate::domain::digest::Digest;
use crate::domain::prose::letters;
use crate::domain::recipient::{Recipient, RecipientId};
use crate::domain::record::{AddressRecord, DeliveryRecord};
use crate::domain::run::Confirmation;
use crate::ledger::{Correction, Ledger, LedgerError, Reader, Start};
use crate::report;
use crate::smtp::Connector;

use super::approval::{Standing, require_letters};
use super::exit::{DATA, FAILED, Failure, OK};
use super::frozen::Frozen;
use super::prepare::{Batch, Purpose, batch, compose_for_look, select};
use super::readers::Readers;
use super::{Context, approval, drive, progress, recovered, send};

pub(super) fn run(context: &Context, args: &ResendArgs) -> Result<u8, Failure> {
    let batch = batch(context, Purpose::Send)?;
    context.screen.remarks(&batch.diagnostics);
    let ledger = Ledger::open(&batch.config.ledger, false, "resend")?;
    let machine = recovered::recover(context, &ledger, &batch.config, args.take_over)?;
    send::suppress_known(context, &batch, &ledger)?;
    let frozen = Frozen::new(ledger.reader()?)?;
    let again = Again::new(context, &batch, &ledger, &frozen, args)?;
    if again.is_empty() {
        if again.settled.is_empty() {
            context.screen.say("Nothing was deferred or failed: there is nothing to send again.");
        } else {
            again.say_more(context, &ledger, args.uncertain)?;
        }
        let chosen = (!args.only.is_empty()).then(|| again.settled.iter().map(|(id, _)| id.clone()).collect());
        let about = send::About { selection: chosen.as_ref(), gone: &[] };
        return send::finish(context, &ledger, &batch, None, about, args.json);
    }
    let held: Vec<(String, String)> = again.held.iter().map(|(id, why)| (id.to_string(), why.clone())).collect();
    let list = report::resend_list(
        &report::Again { records: &again.records, complete: &again.complete, held: &held, replaced: &again.replaced },
        &clock::zone(),
        &context.screen.style(),
    );
    if args.json {
        context.screen.say(&list);
    } else {
        context.screen.result(&list);
    }
    again.say_more(context, &ledger, args.uncertain)?;
    if args.dry_run || again.records.is_empty() {
        if !args.dry_run {
            // Nothing goes out: what the file leaves out is taken over, and nobody has to be asked.
            again.take_corrections(&batch, &ledger)?;
        }
        if args.json {
            context.screen.json(&again.json());
        }
        // Whoever scripts it has to learn that a failure is left.
        return Ok(if args.dry_run || again.held.is_empty() { OK } else { FAILED });
    }
    let going: Vec<(&DeliveryRecord, Digest)> =
        again.records.iter().map(|record| (record, again.letter(record))).collect();
    let reader = ledger.reader()?;
    let standing = Standing::of(&reader, &batch.config, again.digest(&reader)?)?;
    let counted = approval::of_letters(&reader, &going)?;
    context.screen.say(&summary(&standing, &counted));
    require_letters(&reader, &batch.config, &going, batch.digest())?;
    match again.records.iter().filter(|record| record.state == State::Uncertain).count() {
        0 => {}
        1 => context.screen.warn("1 of these is uncertain: it may have arrived, and may arrive twice"),
        many => {
            context.screen.warn(&format!("{many} of these are uncertain: they may have arrived, and may arrive twice"));
        }
    }
    if !args.yes && !context.screen.ask(&again.question(&batch), "send", "look at the list above, then pass --yes")? {
        context.screen.say("Nothing was sent.");
        return Ok(OK);
    }
    let how = if args.yes { Confirmation::Yes } else { Confirmation::Word };
    let start = Start {
        command: "resend",
        digest: standing.digest,
        confirmed: Some((how, clock::now())),
        by: approval::person(None),
        approvals: counted,
    };
    let connector = Connector::new(batch.config.relay.clone())?;
    let ids = again.requeue(&batch, &ledger)?;
    ledger.restrict(Some(ids.clone()))?;
    let drive = drive::Drive::new(&batch, (&ledger, start), connector, Arc::new(frozen), &ids)?;
    recovered::begin(context, (&ledger, &machine), &batch.config, args.take_over, ids.len())?;
    let ending = drive::block_on(drive::drive(&context.screen, drive));
    recovered::end(context, &ledger, &machine);
    let ending = ending?;
    let complete = again.complete.iter().map(|record| record.id.clone());
    let selection = ids.into_iter().chain(complete).chain(again.held.iter().map(|(id, _)| id.clone())).collect();
    let about = send::About { selection: Some(&selection), gone: &[] };
    send::finish(context, &ledger, &batch, Some(&ending), about, args.json)
}

/// Why a row is held back.
pub(super) fn why_held(record: &DeliveryRecord) -> String {
    let unknown: Vec<String> = record.addresses.iter().filter(|a| a.is_unknown()).map(AddressRecord::named).collect();
    let these = if unknown.len() == 1 { "this address" } else { "these addresses" };
    format!("the server does not know {these}: {}", unknown.join(", "))
}

/// The same for a row in which somebody has the letter already.
const REPLACED: &str =
    "an address that has the letter was replaced in the file by another: the mission might get it twice";

/// The same for a row that took over an address of another.
const MOVED: &str =
    "its address is that of another row by the ledger, which has the letter: the mission might get it twice";
/// The same for a row that is not in the file, whatever `--force` says.
const LEFT: &str =
    "its row is not in the recipients file any more, and `--force` does not change that: put it back to send again";
/// The same for a row that asked not to be written to, whatever `--force` says.
const SUPPRESSED: &str = "its address is in suppressed.csv, and `--force` does not change that";

/// What is sent again, what is held back and why, and what changes before.
struct Again {
    records: Vec<DeliveryRecord>,
    /// Nothing is left to send of these: the mission has the letter, and the addresses that have not are out of the file.
    complete: Vec<DeliveryRecord>,
    held: Vec<(RecipientId, String)>,
    /// Rows that `--only` names and that have nothing to send again, with their state.
    settled: Vec<(RecipientId, State)>,
    corrections: Vec<Correction>,
    /// Addresses that have not got the letter and are not in the file any more, by the row.
    replaced: Vec<(String, String)>,
    refreshed: bool,
    /// Also what was refused as unknown.
    forced: bool,
}

impl Again {
    fn new(
        context: &Context,
        batch: &Batch,
        ledger: &Ledger,
        frozen: &Frozen,
        args: &ResendArgs,
    ) -> Result<Self, Failure> {
        let rows: HashMap<&RecipientId, (&Recipient, Digest)> = batch
            .rows
            .iter()
            .zip(&batch.digests)
            .map(|(row, digest)| (&row.recipient.id, (&row.recipient, *digest)))
            .collect();
        let (mut candidates, mut states) = (Vec::new(), Vec::new());
        ledger.reader()?.deliveries(&mut |record| {
            states.push((record.id.clone(), record.state));
            let wanted = matches!(record.state, State::Deferred | State::Failed)
                || (record.state == State::Uncertain && args.uncertain);
            if wanted {
                candidates.push(record);
            }
        })?;
        let chosen = select(&args.only, states.iter().map(|(id, _)| id))?;
        let is_settled = |id: &RecipientId| !candidates.iter().any(|record| record.id == *id);
        let settled = states.iter().filter(|(id, _)| chosen.as_ref().is_some_and(|chosen| chosen.contains(id)));
        let mut again = Self {
            records: Vec::new(),
            complete: Vec::new(),
            held: Vec::new(),
            settled: settled.filter(|(id, _)| is_settled(id)).cloned().collect(),
            corrections: Vec::new(),
            replaced: Vec::new(),
            refreshed: args.refresh,
            forced: args.force,
        };
        let readers = Readers::of(&ledger.reader()?, batch)?;
        let unwanted: HashSet<&RecipientId> =
            batch.rows.iter().filter(|row| row.suppressed.is_some()).map(|row| &row.recipient.id).collect();
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
            let fixed = |is: bool, why: &str| is.then(|| why.to_owned());
            let why = match &correction {
                _ if row.is_none() => Some(LEFT.to_owned()),
                _ if unwanted.contains(&record.id) => Some(SUPPRESSED.to_owned()),
                _ if args.force => None,
                Some(correction) if readers.owner(&correction.recipient).is_some() => Some(MOVED.to_owned()),
                None => record.is_refused_as_unknown().then(|| why_held(&record)),
                Some(correction) => fixed(replaces_a_reader(&record, correction), REPLACED),
            };
            if let Some(why) = why {
                again.held.push((record.id, why));
                continue;
            }
            if let Some((_, digest)) = row
                && correction.is_none()
                && digest != record.digest
            {
                changed.push(record.id.to_string());
            }
            if let Some(correction) = correction {
                let listed = |address: &str| correction.addresses.iter().any(|path| path.address == address);
                let left = record.addresses.iter().filter(|one| one.state != State::Accepted && !listed(&one.address));
                again.replaced.extend(left.map(|one| (record.id.to_string(), one.address.clone())));
                record.recipient = correction.recipient.clone();
                record.addresses = corrected(&record, &correction);
                again.corrections.push(correction);
            }
            if record.addresses.iter().all(|one| matches!(one.state, State::Accepted | State::Suppressed)) {
                again.complete.push(record);
                continue;
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

    /// True if there is nothing to show or to write down.
    fn is_empty(&self) -> bool {
        self.records.is_empty() && self.complete.is_empty() && self.held.is_empty()
    }

    /// What is asked before they go.
    fn question(&self, batch: &Batch) -> String {
        let which = letters(self.records.len());
        match &batch.config.settings.event {
            Some(event) if event.at <= crate::clock::now() => {
                format!("The event lies in the past. Send {which} again all the same?")
            }
            _ => format!("Send {which} again now?"),
        }
    }

    /// The letter of a record as it would be sent.
    fn letter(&self, record: &DeliveryRecord) -> Digest {
        let corrected = self.corrections.iter().find(|correction| correction.recipient.id == record.id);
        corrected.map_or(record.digest, |correction| correction.digest)
    }

    /// Of the whole batch on record as it is once the corrections are taken.
    fn digest(&self, reader: &Reader) -> Result<Digest, LedgerError> {
        if self.corrections.is_empty() {
            return reader.batch_digest();
        }
        let corrected: HashMap<&RecipientId, Digest> =
            self.corrections.iter().map(|one| (&one.recipient.id, one.digest)).collect();
        let mut letters = Vec::new();
        reader.deliveries(&mut |record| {
            if record.state != State::Suppressed {
                let digest = corrected.get(&record.id).copied().unwrap_or(record.digest);
                letters.push((record.id, digest));
            }
        })?;
        Ok(Digest::of_batch(letters.iter().map(|(id, digest)| (id.as_str(), *digest))))
    }

    /// `{"again": [id], "complete": [id], "held_back": [{"id", "why"}]}`: for scripts, where nothing is sent.
    fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "again": self.records.iter().map(|record| &record.id).collect::<Vec<_>>(),
            "complete": self.complete.iter().map(|record| &record.id).collect::<Vec<_>>(),
            "held_back": self.held.iter().map(|(id, why)| serde_json::json!({ "id": id, "why": why })).collect::<Vec<_>>(),
        })
    }

    /// Writes corrections down and puts everything back into the queue.
    fn requeue(&self, batch: &Batch, ledger: &Ledger) -> Result<Vec<RecipientId>, Failure> {
        let by = approval::person(None);
        for record in self.records.iter().filter(|record| record.state == State::Uncertain) {
            ledger.send_again(&record.id, "resend --uncertain", by.as_deref())?;
        }
        self.take_corrections(batch, ledger)?;
        let what = self.records.iter().map(|record| {
            let except = if self.forced { Vec::new() } else { record.unknown_addresses() };
            (record.id.clone(), except)
        });
        ledger.requeue(what.collect())?;
        Ok(self.records.iter().map(|record| record.id.clone()).collect())
    }

    /// Writes down what the file has otherwise.
    fn take_corrections(&self, batch: &Batch, ledger: &Ledger) -> Result<(), Failure> {
        if self.corrections.is_empty() {
            return Ok(());
        }
        let edition = if self.refreshed { Some(ledger.add_edition(&batch.edition)?) } else { None };
        let taken = |correction: &Correction| Correction { edition, ..correction.clone() };
        ledger.correct(self.corrections.iter().map(taken).collect())?;
        Ok(())
    }

    /// What a person should know besides: which of the named have nothing to send again, who is uncertain and not touched, and
    /// who asked to be left alone for a while.
    fn say_more(&self, context: &Context, ledger: &Ledger, uncertain_too: bool) -> Result<(), Failure> {
        for (id, state) in &self.settled {
            context.screen.say(&format!("{} {}.", progress::named(id), nothing_again(*state)));
        }
        let told = |id: &RecipientId| {
            let held = self.held.iter().any(|(held, _)| held == id);
            held || self.settled.iter().any(|(named, _)| named == id)
                || self.records.iter().chain(&self.complete).any(|taken| taken.id == *id)
        };
        let mut uncertain = Vec::new();
        ledger.reader()?.deliveries(&mut |record| {
            if record.state == State::Uncertain && !told(&record.id) {
                uncertain.push(progress::named(&record.id));
            }
        })?;
        if !uncertain.is_empty() {
            let why = if uncertain_too { "not chosen" } else { "not touched without --uncertain" };
            context.screen.say(&format!("Uncertain, and {why}: {}. See `demarche status`.", uncertain.join(", ")));
        }
        let early = self.records.iter().filter(|record| record.not_before.is_some_and(|at| at > crate::clock::now()));
        let early = early.count();
        if early > 0 {
            context.screen.warn(&format!(
                "{early} of these {} not due yet: a server that asked to wait may refuse {} again; `demarche send` tries \
                 {} when {} due",
                if early == 1 { "was deferred and is" } else { "were deferred and are" },
                if early == 1 { "it" } else { "them" },
                if early == 1 { "it" } else { "them" },
                if early == 1 { "it is" } else { "they are" },
            ));
        }
        Ok(())
    }
}

/// Why a row that was named has nothing to send again.
fn nothing_again(state: State) -> &'static str {
    match state {
        State::Accepted => "is accepted: nothing to send again",
        State::Suppressed => "is suppressed: nothing is sent to it",
        State::Uncertain => "is uncertain, and not touched without --uncertain: it may have arrived",
        _ => "was not sent yet: `demarche send` sends it",
    }
}

/// What is about to be sent again is part of: the digest of the batch on record, and who approved these letters.
fn summary(standing: &Standing, counted: &[i64]) -> String {
    let of_these = standing.approvals.iter().filter(|one| counted.contains(&one.number));
    let people = distinct(of_these.map(|one| one.by.as_str()));
    let approved = match (people.is_empty(), standing.approvals.is_empty()) {
        (false, _) => format!("\n  Approved: each of these letters ({})", people.join(", ")),
        (true, false) => "\n  Approved: not every one of these letters as it is".to_owned(),
        (true, true) => String::new(),
    };
    format!("\n  Digest:   {}{approved}\n", standing.digest)
}

/// True if an address that has the letter left the row while others joined it: nobody can tell which of them stands for it.
pub(super) fn replaces_a_reader(record: &DeliveryRecord, correction: &Correction) -> bool {
    let listed = |address: &str| correction.addresses.iter().any(|path| path.address == address);
    let known = |address: &str| record.addresses.iter().any(|known| known.address == address);
    let left = record.addresses.iter().any(|known| known.state == State::Accepted && !listed(&known.address));
    left && correction.addresses.iter().any(|path| !known(&path.address))
}

/// The addresses of a row once it is corrected, to be shown.
fn corrected(record: &DeliveryRecord, correction: &Correction) -> Vec<AddressRecord> {
    let known = |address: &str| record.addresses.iter().find(|known| known.address == address).cloned();
    let paths = correction.addresses.iter();
    paths
        .map(|path| {
            known(&path.address).unwrap_or_else(|| AddressRecord {
                address: path.address.clone(),
                field: path.field,
                state: State::Queued,
                word: None,
            })
        })
        .collect()
}

/// What changes for a row: with `refresh` all of it; else only its addresses, in the letter that was frozen.
fn correction(
    batch: &Batch,
    frozen: &Frozen,
    record: &DeliveryRecord,
    row: &Recipient,
    digest: Digest,
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
