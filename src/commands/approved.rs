//! What was approved before: the letters as the campaign's ledger holds them, against those of the files now.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::domain::delivery::State;
use crate::domain::digest::Digest;
use crate::domain::mailbox::Mailbox;
use crate::domain::recipient::{Recipient, RecipientId};
use crate::ledger::Reader;
use crate::preview::{Approved, Earlier, Standing};

use super::exit::Failure;
use super::frozen::{self, Frozen};
use super::prepare::{Batch, compose_for_look, name_of};

/// The most letters that are composed anew to show what changed in them.
const COMPOSED: usize = 2_000;

/// A letter that was approved.
struct Letter {
    digest: Digest,
    state: State,
    name: String,
    /// What it is composed from, where it differs from the files' and is among the first that do.
    source: Option<(Recipient, i64)>,
}

/// What was approved; empty if nothing was.
pub(super) struct Approval {
    what: String,
    letters: HashMap<RecipientId, Letter>,
    frozen: OnceLock<Frozen>,
    settled: u64,
    /// Still to go, and frozen with another text.
    old: u64,
}

/// Reads what was approved last: today what was frozen when the campaign began. Whatever else comes to stand for an
/// approval is put in here.
///
/// # Errors
/// A ledger that cannot be read.
pub(super) fn read(batch: &Batch) -> Result<Approval, Failure> {
    let mut approval =
        Approval { what: String::new(), letters: HashMap::new(), frozen: OnceLock::new(), settled: 0, old: 0 };
    if !batch.config.ledger.exists() {
        return Ok(approval);
    }
    let reader = Reader::open(&batch.config.ledger)?;
    if frozen::same_campaign(&reader, &batch.config.settings).is_err() {
        return Ok(approval);
    }
    let Some(campaign) = reader.campaign()? else { return Ok(approval) };
    approval.what =
        format!("the letters as they were frozen on {}", campaign.created_at.strftime("%Y-%m-%d %H:%M UTC"));
    let now: HashMap<_, _> =
        batch.rows.iter().zip(&batch.digests).map(|(row, digest)| (&row.recipient.id, *digest)).collect();
    let mut kept = 0;
    reader.deliveries(&mut |record| {
        let digest = now.get(&record.id).copied();
        let differs = digest.is_some_and(|digest| digest != record.digest);
        match record.state {
            State::Accepted | State::Uncertain if digest.is_some() => approval.settled += 1,
            State::Queued | State::Sending | State::HandedOver | State::Deferred if differs => approval.old += 1,
            _ => {}
        }
        let name = name_of(&record.recipient);
        let source = (differs && kept < COMPOSED).then_some((record.recipient, record.edition));
        kept += usize::from(source.is_some());
        approval.letters.insert(record.id, Letter { digest: record.digest, state: record.state, name, source });
    })?;
    if kept > 0 {
        let _ = approval.frozen.set(Frozen::new(reader)?);
    }
    Ok(approval)
}

impl Approval {
    /// What a campaign that is under way makes of the letters shown, in words.
    pub(super) fn told(&self) -> String {
        let mut text = String::new();
        if self.settled > 0 {
            text.push_str(&format!("Of these letters, {} went out already and are not sent again.\n", self.settled));
        }
        if self.old > 0 {
            text.push_str(&format!(
                "{} still to go were frozen with another text when the campaign began: `demarche send --refresh` sends \
                 what is shown here.\n",
                self.old
            ));
        }
        text
    }

    /// True if sending what is shown takes a `--refresh`.
    pub(super) fn needs_refresh(&self) -> bool {
        self.old > 0
    }

    /// Why the row's letter is not to be sent any more.
    pub(super) fn settled(&self, id: &RecipientId) -> Option<String> {
        match self.letters.get(id)?.state {
            State::Accepted => Some("went out already".to_owned()),
            State::Uncertain => Some("may have gone out already".to_owned()),
            _ => None,
        }
    }

    /// A letter of now against the one that was approved; `None` if nothing was.
    pub(super) fn standing(&self, recipient: &Recipient, digest: Digest) -> Option<Standing> {
        if self.what.is_empty() {
            return None;
        }
        Some(match self.letters.get(&recipient.id) {
            None => Standing::New,
            Some(letter) if letter.digest == digest => Standing::Same,
            Some(letter) => Standing::Changed(Box::new(self.earlier(letter).unwrap_or_default())),
        })
    }

    /// What stood in a letter. One that does not compose any more is shown as not known: nothing depends on it here.
    fn earlier(&self, letter: &Letter) -> Option<Earlier> {
        let (recipient, edition) = letter.source.as_ref()?;
        let composer = self.frozen.get()?.edition(*edition).ok()?;
        let composed = compose_for_look(&composer, recipient).ok()?;
        let all = |mailboxes: &[Mailbox]| mailboxes.iter().map(ToString::to_string).collect::<Vec<_>>();
        let bcc = [recipient.bcc.as_slice(), composer.settings().bcc.as_slice()].concat();
        Some(Earlier {
            fields: Earlier::fields(
                &composed.message.subject,
                [&all(&recipient.to), &all(&recipient.cc), &all(&bcc)],
                &composed.message.language,
                &composed.attachments,
            ),
            text: Some(composed.rendered.text),
        })
    }

    /// The batch of now against the one that was approved.
    pub(super) fn as_a_whole(&self, batch: &Batch) -> Option<Approved> {
        if self.what.is_empty() {
            return None;
        }
        let now: HashMap<&RecipientId, Digest> = batch
            .rows
            .iter()
            .zip(&batch.digests)
            .filter(|(row, _)| row.suppressed.is_none())
            .map(|(row, digest)| (&row.recipient.id, *digest))
            .collect();
        let changed = now
            .iter()
            .filter(|(id, digest)| self.letters.get(**id).is_none_or(|letter| letter.digest != **digest))
            .count();
        let mut gone: Vec<String> = self
            .letters
            .iter()
            .filter(|(id, letter)| !now.contains_key(id) && letter.state != State::Suppressed)
            .map(|(_, letter)| letter.name.clone())
            .collect();
        gone.sort_unstable();
        Some(Approved { what: self.what.clone(), gone, changed })
    }
}
