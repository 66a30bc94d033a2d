//! Freezing and thawing: what shapes the letters goes into the ledger with the plan, and `send` and `resend` render from there.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock;
use crate::compose::{Composer, stamp};
use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::dispatch::{Compose, RunError};
use crate::domain::message::{Message, Stamp};
use crate::domain::settings::LetterSettings;
use crate::ledger::{DueDelivery, Edition, LedgerError, Reader, Source};
use crate::letter::{Letter, SourceFile};

use super::attachments;
use super::exit::{DATA, Failure};

const TEMPLATE: &str = "template:";
const ATTACHMENT: &str = "attachment:";

/// What is frozen of a letter: its settings, templates and attachments.
pub(super) fn freeze(settings: &LetterSettings, templates: &[SourceFile], attached: &[SourceFile]) -> Edition {
    let named = |prefix: &'static str| {
        move |file: &SourceFile| Source { name: format!("{prefix}{}", file.name), bytes: file.bytes.clone() }
    };
    let sources = templates.iter().map(named(TEMPLATE)).chain(attached.iter().map(named(ATTACHMENT))).collect();
    Edition { settings: serde_json::to_string(settings).unwrap_or_default(), sources }
}

/// The path of an attachment, if a frozen source of that name is one.
pub(super) fn attachment_path(name: &str) -> Option<&str> {
    name.strip_prefix(ATTACHMENT)
}

/// The composer that an edition was frozen from.
///
/// # Errors
/// What does not load any more: a defect, or a ledger from another version.
pub(super) fn thaw(edition: &Edition) -> Result<Composer, Vec<Diagnostic>> {
    let settings: LetterSettings = serde_json::from_str(&edition.settings).map_err(|error| {
        vec![Diagnostic::error("frozen-settings", format!("the frozen settings cannot be read: {error}"))]
    })?;
    let files = |prefix: &str| -> Vec<SourceFile> {
        edition
            .sources
            .iter()
            .filter_map(|source| {
                let name = source.name.strip_prefix(prefix)?;
                Some(SourceFile { name: name.to_owned(), bytes: source.bytes.clone() })
            })
            .collect()
    };
    let (letter, problems) = Letter::load(&files(TEMPLATE), "templates", &settings);
    let letter = letter.ok_or(problems)?;
    Ok(Composer::new(letter, settings, attachments::encode(&files(ATTACHMENT))))
}

/// Makes sure that the ledger is this campaign's, or nobody's yet: in another one's, every mission would look served.
///
/// # Errors
/// [`LedgerError::OtherCampaign`], and what the reader says.
pub(super) fn same_campaign(reader: &Reader, settings: &LetterSettings) -> Result<(), LedgerError> {
    match reader.campaign()? {
        Some(campaign) if campaign.id != settings.campaign_id => {
            Err(LedgerError::OtherCampaign { found: campaign.id, given: settings.campaign_id.clone() })
        }
        _ => Ok(()),
    }
}

/// Makes sure that the ledger is not the record of a rehearsal: by that, every mission would look served.
///
/// # Errors
/// A [`Failure`] that says what to do.
pub(super) fn not_a_rehearsal(reader: &Reader, config: &Config) -> Result<(), Failure> {
    if !reader.is_rehearsal()? {
        return Ok(());
    }
    let shown = config.ledger.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let what =
        format!("{shown} is the record of a REHEARSAL, of which nothing was sent; nothing was sent or recorded now");
    Err(Failure::new(DATA, what)
        .help("in the config, let [ledger] file name another file: the record of the real batch, or a new one"))
}

/// Composes due deliveries from the ledger's frozen editions.
pub(super) struct Frozen {
    key: Vec<u8>,
    reader: Mutex<Reader>,
    editions: Mutex<HashMap<i64, Arc<Composer>>>,
}

impl Frozen {
    /// Over the ledger that `reader` reads, which must hold a campaign.
    pub(super) fn new(reader: Reader) -> Result<Self, LedgerError> {
        let key = reader.campaign()?.map(|campaign| campaign.key.to_vec()).unwrap_or_default();
        Ok(Self { key, reader: Mutex::new(reader), editions: Mutex::default() })
    }

    /// Over the same ledger as another reader.
    pub(super) fn again(reader: &Reader) -> Result<Self, LedgerError> {
        Self::new(reader.again()?)
    }

    /// The composer of an edition, thawed once.
    pub(super) fn edition(&self, edition: i64) -> Result<Arc<Composer>, String> {
        let mut editions = self.editions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(composer) = editions.get(&edition) {
            return Ok(Arc::clone(composer));
        }
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let stored = reader.edition(edition).map_err(|error| error.to_string())?;
        let composer = Arc::new(thaw(&stored).map_err(|problems| first(&problems))?);
        editions.insert(edition, Arc::clone(&composer));
        Ok(composer)
    }
}

impl Compose for Frozen {
    fn compose(&self, due: &DueDelivery) -> Result<(Stamp, Message), RunError> {
        let fail = |why: String| RunError::Compose { id: due.recipient.id.clone(), why };
        let composer = self.edition(due.edition).map_err(fail)?;
        let stamp = due
            .earlier
            .clone()
            .unwrap_or_else(|| stamp(&self.key, composer.settings(), &due.recipient.id, clock::now()));
        let composed = composer.compose(&due.recipient, &stamp).map_err(|problems| fail(first(&problems)))?;
        Ok((stamp, composed.message))
    }
}

fn first(problems: &[Diagnostic]) -> String {
    problems.first().map_or_else(|| "no reason given".to_owned(), |problem| problem.message.clone())
}
