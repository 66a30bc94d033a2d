//! What a `send` would do: which rows join, which wait, which letters the ledger has frozen, and what was approved.

use std::collections::{HashMap, HashSet};

use crate::compose::Composer;
use crate::domain::delivery::State;
use crate::domain::digest::Digest;
use crate::domain::prose::letters;
use crate::domain::recipient::{Recipient, RecipientId};
use crate::domain::record::DeliveryRecord;
use crate::ledger::{Correction, Ledger, NewDelivery, Reader};
use crate::roster::{self, Row};

use super::exit::{DATA, Failure};
use super::prepare::{Batch, compose_for_look};
use super::progress::{listed, named};
use super::readers::Readers;
use super::resend::replaces_a_reader;
use super::summary::{NAMED, state_or_id, suppressed_line};
use super::{Context, frozen, underway};

/// What the ledger will hold once this `send` is enrolled, and what of it waits.
pub(super) struct Plan {
    /// Of the letters of this plan that go out or went out: the one that `preview` prints, as long as nothing differs.
    pub(super) digest: Digest,
    /// The sender of the letters as they are frozen, which may not be that of the config any more.
    pub(super) from: String,
    /// Every row's state, by id.
    known: HashMap<RecipientId, State>,
    /// Deferred ones that have used up their attempts: they are left for `resend`.
    exhausted: HashSet<RecipientId>,
    new: Vec<NewDelivery>,
    corrections: Vec<Correction>,
    /// Rows still to be sent whose letter in the files differs from the frozen one, and is not taken.
    changed: Vec<RecipientId>,
    /// Rows that were accepted, or may have been, and differ in the file now: nothing is sent to them again.
    settled_changed: Vec<RecipientId>,
    /// Suppressed on record, though the list does not name them any more: they stay so.
    lifted: Vec<RecipientId>,
    /// What `check` says of an event that is at another moment than in the frozen letters.
    moved: Option<String>,
    /// In the ledger and not in the file: kept, and not sent.
    gone: Vec<RecipientId>,
    order: Vec<RecipientId>,
}

impl Plan {
    pub(super) fn new(batch: &Batch, ledger: &Ledger, refresh: bool) -> Result<Self, Failure> {
        let reader = ledger.reader()?;
        let mut records: HashMap<RecipientId, (State, Digest)> = HashMap::new();
        let (mut order, mut exhausted) = (Vec::new(), HashSet::new());
        reader.deliveries(&mut |record: DeliveryRecord| {
            order.push(record.id.clone());
            if record.state == State::Deferred && record.not_before.is_none() {
                exhausted.insert(record.id.clone());
            }
            records.insert(record.id, (record.state, record.digest));
        })?;
        let thawed = Self::frozen_composer(&reader, refresh)?;
        let mut plan = Self {
            digest: batch.digest(),
            from: thawed.as_ref().unwrap_or(&batch.composer).settings().from.to_string(),
            known: HashMap::new(),
            exhausted,
            new: Vec::new(),
            corrections: Vec::new(),
            changed: Vec::new(),
            settled_changed: Vec::new(),
            lifted: Vec::new(),
            moved: None,
            gone: Vec::new(),
            order,
        };
        for (row, digest) in batch.rows.iter().zip(&batch.digests) {
            let recipient = &row.recipient;
            let Some((state, frozen)) = records.get(&recipient.id).copied() else {
                let new = Self::new_delivery(batch, thawed.as_ref(), row, *digest)?;
                if new.digest != *digest && new.suppressed.is_none() {
                    plan.changed.push(recipient.id.clone());
                }
                records.insert(recipient.id.clone(), (Self::first_state(&new), new.digest));
                plan.order.push(recipient.id.clone());
                plan.new.push(new);
                continue;
            };
            // What failed, and what has used up its attempts, is left for `resend`.
            let waits = matches!(state, State::Queued | State::Deferred) && !plan.exhausted.contains(&recipient.id);
            if state == State::Suppressed && row.suppressed.is_none() {
                plan.lifted.push(recipient.id.clone());
            }
            if frozen != *digest && matches!(state, State::Accepted | State::Uncertain) {
                plan.settled_changed.push(recipient.id.clone());
            }
            if frozen == *digest || !waits {
                continue;
            }
            if refresh {
                let addresses = batch.composer.addresses(recipient);
                let recipient = recipient.clone();
                plan.corrections.push(Correction { recipient, addresses, digest: *digest, edition: None });
            } else {
                plan.changed.push(recipient.id.clone());
            }
        }
        plan.finish(batch, &records);
        let settings = &batch.config.settings;
        if let Some(from) = underway::moved_from(&reader, settings)? {
            let waiting: Vec<RecipientId> = plan.corrections.iter().map(|one| one.recipient.id.clone()).collect();
            let changed = if refresh { &waiting } else { &plan.changed };
            plan.moved = Some(underway::moved(&from, settings, changed, &plan.settled_changed));
        }
        plan.refuse(&reader, batch)?;
        Ok(plan)
    }

    /// Refuses what would bring a mission a second letter, or one to somebody who asked for none.
    fn refuse(&self, reader: &Reader, batch: &Batch) -> Result<(), Failure> {
        let new = self.new.iter().filter(|new| new.suppressed.is_none()).map(|new| &new.recipient);
        let written_to: Vec<&Recipient> = new.chain(self.corrections.iter().map(|one| &one.recipient)).collect();
        if !written_to.is_empty() && !self.known.is_empty() {
            Readers::of(reader, batch)?.refuse(written_to.into_iter())?;
        }
        let mut replaced = Vec::new();
        for correction in &self.corrections {
            let record = reader.delivery(&correction.recipient.id)?;
            if record.is_some_and(|record| replaces_a_reader(&record, correction)) {
                replaced.push(correction.recipient.id.clone());
            }
        }
        if !replaced.is_empty() {
            return Err(Failure::new(
                DATA,
                format!(
                    "in the rows {} an address that has the letter was replaced in the file by another: the mission might get \
                     it twice; nothing was sent",
                    listed(&replaced)
                ),
            )
            .help("put the address that has it back beside the new one; or, by your word, `demarche resend --refresh --force`"));
        }
        let mut unwanted = Vec::new();
        for id in self.changed.iter().filter(|_| !batch.suppressed.is_empty()) {
            let record = reader.delivery(id)?;
            if record.is_some_and(|record| writes_to_suppressed(&record, &batch.suppressed)) {
                unwanted.push(id.clone());
            }
        }
        if unwanted.is_empty() {
            return Ok(());
        }
        Err(Failure::new(
            DATA,
            format!(
                "the letters of {}, as they were frozen, would go to addresses that are in suppressed.csv now; nothing was sent",
                listed(&unwanted)
            ),
        )
        .help("--refresh sends the letters of the files, which leave these addresses out"))
    }

    fn finish(&mut self, batch: &Batch, records: &HashMap<RecipientId, (State, Digest)>) {
        let in_file: HashSet<&RecipientId> = batch.rows.iter().map(|row| &row.recipient.id).collect();
        self.gone = self.order.iter().filter(|id| !in_file.contains(*id)).cloned().collect();
        if !self.changed.is_empty() {
            let planned = batch.rows.iter().filter(|row| row.suppressed.is_none()).filter_map(|row| {
                let id = &row.recipient.id;
                records.get(id).map(|(_, digest)| (id.as_str(), *digest))
            });
            self.digest = Digest::of_batch(planned);
        }
        self.known = records.iter().map(|(id, (state, _))| (id.clone(), *state)).collect();
    }

    /// Refuses a plan that is not what was approved. Rows that are settled get nothing more, so that what became of them
    /// does not matter here; every letter still to go out has to be as it was previewed.
    pub(super) fn check_approval(&self, approved: Digest, batch: &Batch, frozen: bool) -> Result<(), Failure> {
        let files = batch.digest();
        if approved == self.digest && (self.changed.is_empty() || frozen) {
            return Ok(());
        }
        let differ = || {
            format!(
                "{} rows render differently in the files than in the letter that was frozen when the campaign began",
                self.changed.len()
            )
        };
        let (why, help) = if approved == self.digest {
            let why = format!("{} ({})", differ(), listed(&self.changed));
            (why, "this digest is that of the frozen letters: pass --frozen too, to send exactly these")
        } else if approved == files {
            let why = format!("{}, and which would be sent ({})", differ(), listed(&self.changed));
            (why, "put the files back as they were; or pass --refresh too, to send them as they are in the files now")
        } else {
            let why =
                "letters, rows or settings have changed since it was previewed, or a digit of it is wrong".to_owned();
            (why, "run `demarche preview`, look, and approve its digest")
        };
        let digests = if self.changed.is_empty() {
            format!("approved: {approved}\nnow:      {files}")
        } else {
            format!("approved:      {approved}\nwould be sent: {} (frozen)\nin the files:  {files}", self.digest)
        };
        Err(Failure::new(DATA, format!("this is not the batch that was approved: {why}; nothing was sent"))
            .help(format!("{digests}\n{help}")))
    }

    /// Rows that the ledger holds and the file does not: nothing is sent to them.
    pub(super) fn gone(&self) -> &[RecipientId] {
        &self.gone
    }

    /// True if the ledger holds rows that left the file.
    pub(super) fn has_gone(&self) -> bool {
        !self.gone.is_empty()
    }

    /// Rows still to be sent whose letter in the files is not the one that would go out.
    pub(super) fn changed(&self) -> &[RecipientId] {
        &self.changed
    }

    /// The rows that get nothing from this `send`, and why, a line for each reason: with the chosen ones they are all that the
    /// ledger will hold.
    pub(super) fn others(&self, chosen: &[RecipientId]) -> Vec<String> {
        let chosen: HashSet<&RecipientId> = chosen.iter().collect();
        let gone: HashSet<&RecipientId> = self.gone.iter().collect();
        let mut suppressed = Vec::new();
        let mut counts = [0_usize; REASONS.len()];
        for id in self.order.iter().filter(|id| !chosen.contains(id)) {
            match self.known.get(id) {
                Some(State::Suppressed) => suppressed.push(state_or_id(id)),
                Some(State::Accepted) => counts[0] += 1,
                Some(State::Failed) => counts[1] += 1,
                Some(State::Uncertain | State::HandedOver) => counts[2] += 1,
                _ if gone.contains(id) => counts[3] += 1,
                _ if self.exhausted.contains(id) => counts[4] += 1,
                _ => counts[5] += 1,
            }
        }
        let reasons = counts.into_iter().zip(REASONS).filter(|(count, _)| *count > 0);
        reasons.map(|(count, why)| format!("{count} {why}")).chain(suppressed_line(&suppressed)).collect()
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
        row: &Row,
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

    /// Ids that wait, in the plan's order: queued and then deferred ones, because those may not be due, the chosen ones, at
    /// most `limit`.
    pub(super) fn to_send(&self, chosen: Option<&HashSet<RecipientId>>, limit: Option<usize>) -> Vec<RecipientId> {
        let gone: HashSet<&RecipientId> = self.gone.iter().collect();
        let is_deferred = |id: &RecipientId| self.known.get(id) == Some(&State::Deferred);
        let waiting = |id: &&RecipientId| {
            chosen.is_none_or(|chosen| chosen.contains(*id))
                && matches!(self.known.get(*id), Some(State::Queued | State::Deferred | State::Sending))
                && !self.exhausted.contains(*id)
                && !gone.contains(*id)
        };
        let (deferred, queued): (Vec<_>, Vec<_>) = self.order.iter().filter(waiting).partition(|id| is_deferred(id));
        queued.into_iter().chain(deferred).take(limit.unwrap_or(usize::MAX)).cloned().collect()
    }

    /// Why nothing goes out: what became of the rows that were chosen, and how many others wait.
    pub(super) fn nothing_to_send(&self, chosen: Option<&HashSet<RecipientId>>) -> String {
        let waiting = self.to_send(None, None).len();
        let others = match waiting {
            0 => "Nothing is waiting to be sent.".to_owned(),
            _ if chosen.is_none() => format!("Nothing was chosen by --limit; {} waiting to be sent.", are(waiting)),
            _ => format!("Nothing of the chosen is waiting to be sent; {} waiting.", other(waiting)),
        };
        let chosen: Vec<&RecipientId> =
            self.order.iter().filter(|id| chosen.is_some_and(|chosen| chosen.contains(*id))).collect();
        let mut lines: Vec<String> =
            chosen.iter().take(NAMED).map(|id| format!("{} {}.\n", named(id), self.why_not(id))).collect();
        if chosen.len() > NAMED {
            lines.push(format!("And {} more.\n", chosen.len() - NAMED));
        }
        format!("{}{others}", lines.concat())
    }

    /// Why a row gets nothing.
    fn why_not(&self, id: &RecipientId) -> &'static str {
        match self.known.get(id) {
            Some(State::Suppressed) => "is suppressed: nothing is sent to it",
            Some(State::Accepted) => "has the letter",
            Some(State::Failed) => "failed: `demarche resend` sends again",
            Some(State::Uncertain | State::HandedOver) => "is uncertain: `demarche resolve` takes a person's word",
            _ if self.gone.contains(id) => "is not in the file any more",
            _ if self.exhausted.contains(id) => "is out of tries: `demarche resend` tries again",
            _ => "waits",
        }
    }

    /// Writes the plan down (W0).
    pub(super) fn enrol(&self, batch: &Batch, ledger: &Ledger, refresh: bool) -> Result<(), Failure> {
        if refresh && !(self.corrections.is_empty() && self.new.is_empty()) {
            let edition = ledger.add_edition(&batch.edition)?;
            let taken = |correction: &Correction| Correction { edition: Some(edition), ..correction.clone() };
            let corrections = self.corrections.iter().map(taken).collect();
            ledger.correct(corrections)?;
        }
        if !self.new.is_empty() {
            ledger.enrol(&batch.config.settings.campaign_id, &batch.edition, self.new.clone())?;
        }
        Ok(())
    }

    /// Tells a person what of the plan is not simply the file.
    pub(super) fn say(&self, context: &Context) {
        let known = self.known.len() - self.new.len();
        if known > 0 && !self.new.is_empty() {
            let ids: Vec<RecipientId> = self.new.iter().map(|new| new.recipient.id.clone()).collect();
            context.screen.say(&format!("{} rows are new in the file and join the batch: {}", ids.len(), listed(&ids)));
        }
        if let Some(moved) = &self.moved {
            context.screen.warn(moved);
        }
        if !self.changed.is_empty() {
            context.screen.warn(&format!(
                "{} letters still to go have another text in the files than the one that was frozen when this campaign began: \
                 {}. What `preview` shows is not what would go out",
                self.changed.len(),
                listed(&self.changed)
            ));
        }
        if !self.settled_changed.is_empty() {
            context.screen.warn(&format!(
                "{} rows that have their letter, or may have it, differ in the files now: {}. Nothing is sent to them again. \
                 If what is on record was only a trial, move the ledger away first",
                self.settled_changed.len(),
                listed(&self.settled_changed)
            ));
        }
        if !self.lifted.is_empty() {
            context.screen.warn(&format!(
                "{} rows are not in suppressed.csv any more, but were when they were recorded: {}; they stay suppressed in this \
                 campaign and get no letter",
                self.lifted.len(),
                listed(&self.lifted)
            ));
        }
        if !self.gone.is_empty() {
            let (rows, kept) = if self.gone.len() == 1 {
                ("1 row is".to_owned(), "it is kept, and nothing is sent to it unless it comes back")
            } else {
                (
                    format!("{} rows are", self.gone.len()),
                    "they are kept, and nothing is sent to them unless they come back",
                )
            };
            let gone = listed(&self.gone);
            context
                .screen
                .warn(&format!("{rows} in the ledger and no longer in the file: {gone}; {kept} into the file"));
        }
    }
}

/// "1 letter is", "2 letters are".
fn are(count: usize) -> String {
    format!("{} {}", letters(count), if count == 1 { "is" } else { "are" })
}

/// "1 other is", "2 others are".
fn other(count: usize) -> String {
    if count == 1 { "1 other is".to_owned() } else { format!("{count} others are") }
}

/// Why rows get nothing from a `send`.
const REASONS: [&str; 6] = [
    "sent before: a server has the letter",
    "refused before: left to `demarche resend`",
    "uncertain: left alone until a person says what became of it (`demarche resolve`)",
    "no longer in the file: left alone",
    "put off too often: left to `demarche resend`",
    "not chosen this time",
];

/// True if an address of a row that is still to be written to is a suppressed one.
fn writes_to_suppressed(record: &DeliveryRecord, suppressed: &[String]) -> bool {
    let row = &record.recipient;
    let open = |address: &str| {
        let mut all = record.addresses.iter();
        all.any(|one| one.address == address && matches!(one.state, State::Queued | State::Deferred))
    };
    let mut mailboxes = row.to.iter().chain(&row.cc).chain(&row.bcc);
    mailboxes.any(|mailbox| roster::is_suppressed(suppressed, mailbox) && open(&mailbox.address()))
}
