//! What was approved before: the letters as the campaign's ledger holds them, against those of the files now.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use crate::compose::{Composed, Composer};
use crate::domain::approval::Approval as Given;
use crate::domain::delivery::State;
use crate::domain::digest::Digest;
use crate::domain::mailbox::Mailbox;
use crate::domain::recipient::{Recipient, RecipientId};
use crate::domain::reply::visible;
use crate::ledger::Reader;
use crate::preview::{Approved, Basis, Earlier, EarlierFile, Standing, Word};

use super::exit::Failure;
use super::frozen::{self, Frozen};
use super::prepare::{Batch, compose_for_look, name_of};

/// The most letters that are composed anew to show what changed in them.
const COMPOSED: usize = 2_000;

/// A letter that was approved.
struct Letter {
    digest: Digest,
    name: String,
    /// What it is composed from, where it differs from the files' and is among the first that do.
    source: Option<(Recipient, Text)>,
}

/// Where the text of a letter is kept.
#[derive(Clone, Copy)]
enum Text {
    /// In this frozen edition.
    Edition(i64),
    /// With the approval.
    Approval,
}

/// What was approved; empty if nothing was.
#[derive(Default)]
pub(super) struct Approval {
    basis: Option<Basis>,
    letters: HashMap<RecipientId, Letter>,
    /// What the ledger says has become of the rows.
    states: HashMap<RecipientId, State>,
    frozen: OnceLock<Frozen>,
    approved: Option<Arc<Composer>>,
}

/// Reads what was approved last; where nobody used `approve`, what was frozen when the campaign began.
///
/// # Errors
/// A ledger that cannot be read.
pub(super) fn read(batch: &Batch) -> Result<Approval, Failure> {
    let mut approval = Approval::default();
    if !batch.config.ledger.exists() {
        return Ok(approval);
    }
    let reader = Reader::open(&batch.config.ledger)?;
    if frozen::same_campaign(&reader, &batch.config.settings).is_err() {
        return Ok(approval);
    }
    let now: HashMap<_, _> =
        batch.rows.iter().zip(&batch.digests).map(|(row, digest)| (&row.recipient.id, *digest)).collect();
    let all = reader.approvals()?;
    let given = all.iter().rev().find(|approval| approval.withdrawn.is_none());
    let mut kept = 0;
    let mut letter = |recipient: Recipient, digest: Digest, text: Text| {
        let differs = now.get(&recipient.id).is_some_and(|now| *now != digest);
        let name = name_of(&recipient);
        let source = (differs && kept < COMPOSED).then_some((recipient, text));
        kept += usize::from(source.is_some());
        Letter { digest, name, source }
    };
    let frozen_alone = given.is_none();
    reader.deliveries(&mut |record| {
        approval.states.insert(record.id.clone(), record.state);
        if frozen_alone && record.state != State::Suppressed {
            let of = letter(record.recipient, record.digest, Text::Edition(record.edition));
            approval.letters.insert(record.id, of);
        }
    })?;
    if let Some(given) = given {
        approval.basis = Some(Basis::Words(approved_by(&all, given.digest)));
        let batch = reader.approved_batch(given.digest)?;
        approval.approved = frozen::thaw(&batch.edition).ok().map(Arc::new);
        for (recipient, digest) in batch.letters {
            approval.letters.insert(recipient.id.clone(), letter(recipient, digest, Text::Approval));
        }
    } else if let Some(campaign) = reader.campaign()? {
        approval.basis = Some(Basis::Frozen(campaign.created_at));
    }
    if frozen_alone && kept > 0 {
        let _ = approval.frozen.set(Frozen::new(reader)?);
    }
    Ok(approval)
}

/// Who approved the batch, and when.
fn approved_by(all: &[Given], digest: Digest) -> Vec<Word> {
    let these = all.iter().filter(|one| one.digest == digest && one.withdrawn.is_none());
    these.map(|one| Word { by: visible(&one.by), note: visible(&one.note), at: one.at }).collect()
}

impl Approval {
    /// Why the row's letter is not to be sent any more.
    pub(super) fn settled(&self, id: &RecipientId) -> Option<String> {
        match self.states.get(id)? {
            State::Accepted => Some("went out already".to_owned()),
            State::Uncertain => Some("may have gone out already".to_owned()),
            _ => None,
        }
    }

    /// A letter of now against the one that was approved; `None` if nothing was.
    pub(super) fn standing(&self, recipient: &Recipient, digest: Digest) -> Option<Standing> {
        self.basis.as_ref()?;
        Some(match self.letters.get(&recipient.id) {
            None => Standing::New,
            Some(letter) if letter.digest == digest => Standing::Same,
            Some(letter) => Standing::Changed(Box::new(self.earlier(letter).unwrap_or_default())),
        })
    }

    /// What stood in a letter. One that does not compose any more is shown as not known: nothing depends on it here.
    fn earlier(&self, letter: &Letter) -> Option<Earlier> {
        let (recipient, text) = letter.source.as_ref()?;
        let composer = match text {
            Text::Edition(edition) => self.frozen.get()?.edition(*edition).ok()?,
            Text::Approval => Arc::clone(self.approved.as_ref()?),
        };
        let composed = compose_for_look(&composer, recipient).ok()?;
        let all = |mailboxes: &[Mailbox]| mailboxes.iter().map(ToString::to_string).collect::<Vec<_>>();
        let bcc = [recipient.bcc.as_slice(), composer.settings().bcc.as_slice()].concat();
        Some(Earlier {
            fields: Earlier::fields(
                &composed.message.subject,
                [&all(&recipient.to), &all(&recipient.cc), &all(&bcc)],
                &composed.message.language,
                &composed.attachments.iter().map(String::as_str).collect::<Vec<_>>(),
            ),
            files: Some(files(&composer, recipient, &composed)),
            text: Some(composed.rendered.text),
        })
    }

    /// The batch of now against the one that was approved.
    pub(super) fn as_a_whole(&self, batch: &Batch) -> Option<Approved> {
        let basis = self.basis.clone()?;
        let now: HashMap<&RecipientId, Digest> = batch
            .rows
            .iter()
            .zip(&batch.digests)
            .filter(|(row, _)| row.suppressed.is_none())
            .map(|(row, digest)| (&row.recipient.id, *digest))
            .collect();
        let new = now.keys().filter(|id| !self.letters.contains_key(**id)).count();
        let is_other = |(id, digest): &(&&RecipientId, &Digest)| {
            self.letters.get(**id).is_some_and(|letter| letter.digest != **digest)
        };
        let changed = now.iter().filter(is_other).count();
        let mut gone: Vec<String> = self
            .letters
            .iter()
            .filter(|(id, _)| !now.contains_key(id))
            .map(|(_, letter)| letter.name.clone())
            .collect();
        gone.sort_unstable();
        Some(Approved { basis, gone, changed, new })
    }
}

/// What goes with a letter.
fn files(composer: &Composer, recipient: &Recipient, composed: &Composed) -> Vec<EarlierFile> {
    let paths = composer.attachment_paths(recipient);
    let attached = paths
        .iter()
        .filter_map(|path| composer.attachment(path))
        .map(|it| (it.name().to_owned(), it.digest(), it.size()));
    let pictures =
        composed.rendered.pictures.iter().map(|it| (it.name.clone(), Digest::of(&it.bytes), it.bytes.len() as u64));
    let file = |(name, digest, bytes)| EarlierFile { name, digest, bytes };
    attached.chain(pictures).map(file).collect()
}
