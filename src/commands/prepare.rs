//! Config + roster + letter → a composed batch, with every problem of all three at once.

use std::collections::{BTreeMap, HashSet};
use std::io::ErrorKind;
use std::path::Path;

use jiff::Timestamp;

use crate::clock;
use crate::compose::{Composed, Composer, stamp};
use crate::config::{self, Config};
use crate::diagnostic::{Diagnostic, Place, any_error};
use crate::domain::digest::Digest;
use crate::domain::message::Stamp;
use crate::domain::recipient::{Recipient, RecipientId};
use crate::domain::relay::{PasswordSource, Relay};
use crate::domain::reply::visible;
use crate::ledger::Edition;
use crate::letter::{self, Letter};
use crate::roster::{self, Coverage, Row};

use super::exit::{CONFIG, DATA, Failure, USAGE};
use super::render::render_all;
use super::{Context, attachments, frozen};

/// The largest recipients file read.
const LARGEST_FILE: u64 = 1024 * 1024 * 1024;

/// What the batch is prepared for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To look at: placeholder addresses are fine.
    Look,
    /// To go out: the relay must be named, and placeholders may only go to this machine.
    Send,
}

/// A batch that is free of errors.
pub(super) struct Batch {
    pub(super) config: Config,
    pub(super) composer: Composer,
    pub(super) rows: Vec<Row>,
    /// Of each row's letter, in the order of `rows`.
    pub(super) digests: Vec<Digest>,
    /// Octets of all letters together.
    pub(super) octets: u64,
    pub(super) coverage: Coverage,
    pub(super) edition: Edition,
    /// Warnings and notes.
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl Batch {
    /// The digest of the whole batch: of every letter that may go out, so that lifting a suppression changes it.
    pub(super) fn digest(&self) -> Digest {
        let letters = self.rows.iter().zip(&self.digests).filter(|(row, _)| row.suppressed.is_none());
        Digest::of_batch(letters.map(|(row, digest)| (row.recipient.id.as_str(), *digest)))
    }

    /// The rows whose ids are in `only`, all if that is empty.
    ///
    /// # Errors
    /// Ids that are not in the file.
    pub(super) fn select(&self, only: &[String]) -> Result<Option<HashSet<RecipientId>>, Failure> {
        select(only, self.rows.iter().map(|row| &row.recipient.id))
    }
}

/// Which of the known ids `only` names; None if it names none at all, which means all.
pub(super) fn select<'a>(
    only: &[String],
    known: impl Iterator<Item = &'a RecipientId>,
) -> Result<Option<HashSet<RecipientId>>, Failure> {
    if only.is_empty() {
        return Ok(None);
    }
    let known: Vec<&RecipientId> = known.collect();
    let (mut chosen, mut unknown) = (HashSet::new(), Vec::new());
    for id in only {
        // Two rows of a ledger may differ in case alone: the exact one is meant before any other.
        let exact = known.iter().find(|known| known.as_str() == id.trim());
        match exact.or_else(|| known.iter().find(|known| known.as_str().eq_ignore_ascii_case(id.trim()))) {
            Some(id) => {
                chosen.insert((*id).clone());
            }
            None => unknown.push(visible(id)),
        }
    }
    if unknown.is_empty() {
        return Ok(Some(chosen));
    }
    Err(Failure::new(USAGE, format!("--only names rows that there are not: {}", unknown.join(", ")))
        .help("rows are named by their id, for missions the three letters of the state, such as KEN"))
}

/// Reads the config alone.
///
/// # Errors
/// All its errors.
pub(super) fn config(context: &Context) -> Result<(Config, Vec<Diagnostic>), Failure> {
    let (config, diagnostics) = config::read(&context.config, clock::now());
    match config {
        Some(config) => Ok((config, diagnostics)),
        None => Err(Failure::Problems { code: CONFIG, diagnostics }),
    }
}

/// Reads everything and renders every letter.
///
/// # Errors
/// Every error of config, recipients, templates and attachments.
pub(super) fn batch(context: &Context, purpose: Purpose) -> Result<Batch, Failure> {
    let (config, mut diagnostics) = config::read_as_far_as_possible(&context.config, clock::now());
    let Some(config) = config else {
        return Err(Failure::Problems { code: CONFIG, diagnostics });
    };
    let mut code = if any_error(&diagnostics) { CONFIG } else { DATA };
    if purpose == Purpose::Send || config::problems_for_send(&config).is_empty() {
        diagnostics.extend(password_problem(&config.relay, purpose));
    }
    if purpose == Purpose::Send {
        let problems = config::problems_for_send(&config);
        if any_error(&problems) {
            code = CONFIG;
        }
        diagnostics.extend(problems);
    }
    let (templates, problems) = letter::read_folder(&config.templates, &config.templates_shown);
    diagnostics.extend(problems);
    let (letter, problems) = Letter::load(&templates, &config.templates_shown, &config.settings);
    diagnostics.extend(problems);
    let languages = letter.as_ref().map(Letter::languages);
    let (rows, coverage) = read_rows(context, &config, languages, purpose, &mut diagnostics);
    let Some(letter) = letter else {
        return Err(Failure::Problems { code, diagnostics });
    };
    let (attached, problems) = attachments::read(&config.folder, &attachment_paths(&config, &letter, &rows));
    let attachments_missing = any_error(&problems);
    diagnostics.extend(problems);
    let edition = frozen::freeze(&config.settings, &templates, &attached);
    let composer = Composer::new(letter, config.settings.clone(), attachments::encode(&attached));
    let (mut digests, mut octets) = (Vec::new(), 0);
    if !attachments_missing {
        let rendered = render_all(&composer, &rows);
        diagnostics.extend(rendered.problems);
        (digests, octets) = (rendered.digests, rendered.octets);
    }
    if any_error(&diagnostics) {
        return Err(Failure::Problems { code, diagnostics });
    }
    Ok(Batch { config, composer, rows, digests, octets, coverage, edition, diagnostics })
}

/// A password that is plainly not there: an error before a send, a warning before. Commands are not run to find out.
fn password_problem(relay: &Relay, purpose: Purpose) -> Option<Diagnostic> {
    let (message, help) = match &relay.login.as_ref()?.password {
        PasswordSource::Env(name) if std::env::var_os(name).is_none() => (
            format!("the password is missing: the environment variable {name} is not set"),
            format!("set it in this terminal before you send: export {name}=…"),
        ),
        PasswordSource::File(path) if !path.exists() => (
            format!("the password is missing: there is no file {}", path.display()),
            "write the password into that file, readable by you alone".to_owned(),
        ),
        _ => return None,
    };
    let problem = match purpose {
        Purpose::Send => Diagnostic::error("password-missing", message),
        Purpose::Look => Diagnostic::warning("password-missing", message),
    };
    Some(problem.help(help))
}

/// The attachments that anything names, each with the first place that names it.
fn attachment_paths(config: &Config, letter: &Letter, rows: &[Row]) -> BTreeMap<String, Place> {
    let mut paths = BTreeMap::new();
    for path in &config.settings.attachments {
        paths.entry(path.clone()).or_insert_with(|| Place::file("letter.attachments in the config"));
    }
    for language in letter.languages() {
        for path in letter.attachments(&language) {
            let file = format!("{}/letter.{language}.md", config.templates_shown.trim_end_matches('/'));
            paths.entry(path).or_insert_with(|| Place::file(file));
        }
    }
    for row in rows {
        for path in &row.recipient.attachments {
            let file = &config.recipients.file_shown;
            let place = || Place { line: usize::try_from(row.recipient.line).unwrap_or(0), ..Place::file(file) };
            paths.entry(path.clone()).or_insert_with(place);
        }
    }
    paths
}

fn read_rows(
    context: &Context,
    config: &Config,
    languages: Option<Vec<crate::domain::language::Language>>,
    purpose: Purpose,
    diagnostics: &mut Vec<Diagnostic>,
) -> (Vec<Row>, Coverage) {
    let recipients = &config.recipients;
    let suppressed = match read_capped(&recipients.suppressed) {
        Ok(bytes) => {
            let (addresses, problems) = roster::read_suppressed(&bytes, "suppressed.csv");
            diagnostics.extend(problems);
            addresses
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            diagnostics.push(unreadable("suppressed.csv", &error));
            Vec::new()
        }
    };
    let options = roster::Options {
        file: recipients.file_shown.clone(),
        sheet: context.sheet.clone().or_else(|| recipients.sheet.clone()),
        hidden_rows: roster::HiddenRows::Refuse,
        encoding: recipients.encoding.clone(),
        delimiter: recipients.delimiter,
        columns: recipients.columns.clone(),
        audience: recipients.audience.clone(),
        stale_after: Some(recipients.stale_after),
        today: clock::now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date(),
        default_language: config.settings.default_language.clone(),
        languages: languages.unwrap_or_default(),
        suppressed,
        placeholders_allowed: purpose == Purpose::Look || config.relay.is_loopback(),
    };
    let bytes = match read_capped(&recipients.file) {
        Ok(bytes) => bytes,
        Err(error) => {
            diagnostics.push(unreadable(&recipients.file_shown, &error));
            return (Vec::new(), Coverage::default());
        }
    };
    let roster = roster::read(&bytes, &options);
    diagnostics.extend(roster.diagnostics);
    (roster.rows, roster.coverage)
}

/// A file of a sane size. A FIFO or a device would be waited for without end: only a file is opened.
pub(super) fn read_capped(path: &Path) -> std::io::Result<Vec<u8>> {
    let facts = std::fs::metadata(path)?;
    if !facts.is_file() {
        return Err(ErrorKind::InvalidInput.into());
    }
    if facts.len() > LARGEST_FILE {
        return Err(ErrorKind::FileTooLarge.into());
    }
    std::fs::read(path)
}

pub(super) fn unreadable(shown: &str, error: &std::io::Error) -> Diagnostic {
    let (message, help) = match error.kind() {
        ErrorKind::InvalidInput => (format!("{shown} is not a file"), "put a file there, not a folder or a device"),
        ErrorKind::FileTooLarge => (format!("{shown} is larger than 1 GiB"), "split it"),
        ErrorKind::NotFound => (
            format!("there is no file {shown}"),
            "put it into the campaign folder, or name the right one under [recipients] in the config",
        ),
        _ => (format!("{shown} cannot be read: {error}"), "look at the file and its permissions"),
    };
    Diagnostic::error("file-unreadable", message).at(Place::file(shown)).help(help)
}

/// A row's letter with the stamp of a preview: the digest does not depend on it.
pub(super) fn compose_for_look(composer: &Composer, recipient: &Recipient) -> Result<Composed, Vec<Diagnostic>> {
    composer.compose(recipient, &preview_stamp(composer, recipient, Timestamp::UNIX_EPOCH))
}

/// The stamp of a preview at `date`.
pub(super) fn preview_stamp(composer: &Composer, recipient: &Recipient, date: Timestamp) -> Stamp {
    stamp(b"preview", composer.settings(), &recipient.id, date)
}

/// What a row is called: its state's short name, else its id.
pub(super) fn name_of(recipient: &Recipient) -> String {
    recipient.state.map_or_else(|| recipient.id.to_string(), |code| code.state().name("en").to_owned())
}
