//! Config + roster + letter → a composed batch, with every problem of all three at once.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use jiff::Timestamp;

use crate::clock;
use crate::compose::{Composed, Composer, stamp};
use crate::config::{self, Config};
use crate::diagnostic::{Diagnostic, Place, any_error};
use crate::domain::digest::Digest;
use crate::domain::language::Language;
use crate::domain::message::Stamp;
use crate::domain::recipient::{Recipient, RecipientId};
use crate::domain::relay::{PasswordSource, Relay};
use crate::domain::reply::visible;
use crate::domain::state::{Resolution, lookup, resolve};
use crate::inside::{Folder, Refused};
use crate::ledger::Edition;
use crate::letter::{self, Letter, SourceFile};
use crate::roster::{self, Coverage, Row};

use super::exit::{CONFIG, DATA, Failure, IO, USAGE};
use super::render::render_all;
use super::strangers::Strangers;
use super::{Context, attachments, frozen, nearby};

/// The largest recipients file read.
pub(super) const LARGEST_FILE: u64 = 1024 * 1024 * 1024;
/// Who is not written to, beside the config.
pub(super) const SUPPRESSED: &str = "suppressed.csv";

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
    /// Octets of each letter as it goes over the wire, in the order of `rows`.
    pub(super) sizes: Vec<u64>,
    pub(super) coverage: Coverage,
    /// The folded addresses of `suppressed.csv`.
    pub(super) suppressed: Vec<String>,
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

/// How a row is named on the command line.
pub(super) const NAMED_BY: &str =
    "rows are named by their id, for missions the three letters of the state, such as KEN, or by the name of the state";

/// "KEN Kenya": the row that a misspelt name is nearest to, if one is near.
pub(super) fn meant(text: &str, known: &[&RecipientId]) -> Option<String> {
    let near: Vec<&str> = match resolve(text) {
        Resolution::Found(_) => Vec::new(),
        Resolution::Unknown(states) | Resolution::Ambiguous(states) => {
            states.into_iter().map(|state| state.code.as_str()).collect()
        }
    };
    let state = near.into_iter().find_map(|code| known.iter().find(|id| id.as_str() == code));
    let alike = |id: &RecipientId| strsim::jaro(&id.as_str().to_lowercase(), &text.to_lowercase());
    let by_id = || known.iter().max_by(|a, b| alike(a).total_cmp(&alike(b))).filter(|id| alike(id) > 0.8);
    state.or_else(by_id).map(|id| super::progress::named(id))
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
        // Two rows of a ledger may differ in case alone: the exact one is meant before any other. A state may be named, too.
        let text = id.trim();
        let is = |wanted: &str| known.iter().find(|known| known.as_str() == wanted);
        let found = is(text).or_else(|| known.iter().find(|known| known.as_str().eq_ignore_ascii_case(text)));
        match found.or_else(|| is(lookup(text)?.code.as_str())) {
            Some(id) => {
                chosen.insert((*id).clone());
            }
            None => unknown.push(text),
        }
    }
    if unknown.is_empty() {
        return Ok(Some(chosen));
    }
    let meant: Vec<String> = unknown.iter().filter_map(|text| meant(text, &known)).collect();
    let meant = if meant.is_empty() { String::new() } else { format!("did you mean {}? ", meant.join(", ")) };
    Err(Failure::new(USAGE, format!("--only names rows that there are not: {}", visible(&unknown.join(", "))))
        .help(format!("{meant}{NAMED_BY}")))
}

/// Reads the config alone.
///
/// # Errors
/// All its errors.
pub(super) fn config(context: &Context) -> Result<(Config, Vec<Diagnostic>), Failure> {
    let (config, mut diagnostics) = config::read(&context.config, clock::now());
    nearby::help_with_config(&mut diagnostics, &context.config);
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
    nearby::help_with_config(&mut diagnostics, &context.config);
    let Some(config) = config else {
        return Err(Failure::Problems { code: CONFIG, diagnostics });
    };
    diagnostics.extend(password_exposed(&config.relay));
    let mut code = if any_error(&diagnostics) { CONFIG } else { DATA };
    if purpose == Purpose::Send || config::problems_for_send(&config).is_empty() {
        let problem = password_problem(&config.relay, purpose);
        if problem.as_ref().is_some_and(Diagnostic::is_error) {
            code = CONFIG;
        }
        diagnostics.extend(problem);
    }
    if purpose == Purpose::Send {
        let mut problems = config::problems_for_send(&config);
        for problem in &mut problems {
            problem.place.get_or_insert_with(|| Place::file(context.config.display().to_string()));
        }
        if any_error(&problems) {
            code = CONFIG;
        }
        diagnostics.extend(problems);
    }
    let folder = Folder::open(&config.folder).map_err(|error| {
        Failure::new(IO, format!("the campaign folder {} cannot be opened: {error}", config.folder.display()))
    })?;
    let (templates, problems) = match folder.folder(Path::new(&config.templates_shown)) {
        Ok(templates) => letter::read_templates(&templates, &config.templates_shown),
        Err(why) => (Vec::new(), vec![letter::unreadable(&config.templates_shown, &why)]),
    };
    diagnostics.extend(problems);
    let (letter, problems) = Letter::load(&templates, &config.templates_shown, &config.settings);
    diagnostics.extend(problems);
    // Of a letter that does not load the rows are read as if it did: its slips are not theirs.
    let languages = letter.as_ref().map_or_else(|| letter::languages_of(&templates), Letter::languages);
    let suppressed = read_suppressed(&folder, &mut diagnostics);
    let reading = Reading { folder: &folder, languages, suppressed: &suppressed, purpose };
    let (rows, coverage, in_rows) = read_rows(context, &config, reading, &mut diagnostics);
    let Some(letter) = letter else {
        return Err(Failure::Problems { code, diagnostics });
    };
    let (attached, problems) =
        attachments::read(&folder, &attachment_paths(context, &config, &letter, &templates, in_rows));
    let attachments_missing = any_error(&problems);
    diagnostics.extend(problems);
    let edition = frozen::freeze(&config.settings, &templates, &attached);
    let composer = Composer::new(letter, config.settings.clone(), attachments::encode(&attached));
    let (mut digests, mut sizes) = (Vec::new(), Vec::new());
    if !attachments_missing {
        let strangers = Strangers::of(&rows, &templates, &config.settings, &config.recipients.file_shown);
        let rendered = render_all(&composer, &rows, strangers.as_ref());
        diagnostics.extend(rendered.problems);
        (digests, sizes) = (rendered.digests, rendered.sizes);
    }
    if any_error(&diagnostics) {
        return Err(Failure::Problems { code, diagnostics });
    }
    Ok(Batch { config, composer, rows, digests, sizes, coverage, suppressed, edition, diagnostics })
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
    let help = if relay.is_loopback() {
        format!("a server on this machine needs none: take username and password out of [smtp]; or {help}")
    } else {
        help
    };
    let problem = match purpose {
        Purpose::Send => Diagnostic::error("password-missing", message),
        Purpose::Look => Diagnostic::warning("password-missing", message),
    };
    Some(problem.help(help))
}

/// A password file that its permissions let anyone read. What is no file, such as a pipe of the shell, is nobody else's.
fn password_exposed(relay: &Relay) -> Option<Diagnostic> {
    use std::os::unix::fs::PermissionsExt as _;
    let PasswordSource::File(path) = &relay.login.as_ref()?.password else { return None };
    let facts = std::fs::metadata(path).ok()?;
    if !facts.is_file() || facts.permissions().mode() & 0o004 == 0 {
        return None;
    }
    let path = path.display();
    let message = format!("the password stands in {path}, which everybody on this machine can read");
    Some(Diagnostic::error("password-exposed", message).help(format!("close the file: chmod 600 {path}")))
}

/// The attachments that anything names, each with the first place that names it: config, letter, row.
fn attachment_paths(
    context: &Context,
    config: &Config,
    letter: &Letter,
    templates: &[SourceFile],
    in_rows: BTreeMap<String, Place>,
) -> BTreeMap<String, Place> {
    let mut paths = in_rows;
    for language in letter.languages() {
        for path in letter.attachments(&language) {
            let place = letter_place(config, templates, &language, &path);
            paths.insert(path, place);
        }
    }
    let shown = context.config.display().to_string();
    for path in &config.settings.attachments {
        let text = std::fs::read_to_string(&context.config).unwrap_or_default();
        paths.insert(path.clone(), in_quotes(&shown, &text, path));
    }
    paths
}

/// Where a letter's front matter names an attachment.
fn letter_place(config: &Config, templates: &[SourceFile], language: &Language, path: &str) -> Place {
    let names = ["md", "txt"].map(|kind| format!("letter.{language}.{kind}"));
    let file = templates.iter().find(|file| names.contains(&file.name));
    let name = file.map_or(names[0].as_str(), |file| &file.name);
    let shown = format!("{}/{name}", config.templates_shown.trim_end_matches('/'));
    in_quotes(&shown, &file.map(|file| String::from_utf8_lossy(&file.bytes)).unwrap_or_default(), path)
}

/// Where a text holds a path in quotes; the file as a whole if it is written in another way.
fn in_quotes(shown: &str, text: &str, path: &str) -> Place {
    let written = ['"', '\''].into_iter().find_map(|quote| text.find(&format!("{quote}{path}{quote}")));
    written.map_or_else(|| Place::file(shown), |at| Place::in_text(shown, text, at..at + path.len() + 2))
}

fn read_suppressed(folder: &Folder, diagnostics: &mut Vec<Diagnostic>) -> Vec<String> {
    match folder.read(Path::new(SUPPRESSED), LARGEST_FILE) {
        Ok(bytes) => {
            let (addresses, problems) = roster::read_suppressed(&bytes, SUPPRESSED);
            diagnostics.extend(problems);
            addresses
        }
        Err(refused) if refused.is_missing() => Vec::new(),
        Err(refused) => {
            diagnostics.push(unreadable(SUPPRESSED, &refused));
            Vec::new()
        }
    }
}

/// How the recipients are read.
struct Reading<'a> {
    folder: &'a Folder,
    languages: Vec<Language>,
    suppressed: &'a [String],
    purpose: Purpose,
}

fn read_rows(
    context: &Context,
    config: &Config,
    reading: Reading<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> (Vec<Row>, Coverage, BTreeMap<String, Place>) {
    let Reading { folder, languages, suppressed, purpose } = reading;
    let recipients = &config.recipients;
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
        languages,
        suppressed: suppressed.to_vec(),
        placeholders_allowed: purpose == Purpose::Look || config.relay.is_loopback(),
    };
    let bytes = match folder.read(Path::new(&recipients.file_shown), LARGEST_FILE) {
        Ok(bytes) => bytes,
        Err(error) => {
            let mut problem = unreadable(&recipients.file_shown, &error);
            if let Some(help) = error.is_missing().then(|| nearby::instead_of_recipients(&config.folder)).flatten() {
                problem = problem.help(help);
            }
            diagnostics.push(problem);
            return (Vec::new(), Coverage::default(), BTreeMap::new());
        }
    };
    diagnostics.extend(nearby::open_elsewhere(&config.folder, &recipients.file_shown));
    let roster = roster::read(&bytes, &options);
    diagnostics.extend(roster.diagnostics);
    (roster.rows, roster.coverage, roster.attachments)
}

pub(super) fn unreadable(shown: &str, refused: &Refused) -> Diagnostic {
    let (message, help) = match refused {
        Refused::NotAFile => (format!("{shown} is not a file"), "put a file there, not a folder or a device"),
        Refused::TooLarge => (format!("{shown} is larger than 1 GB"), "split it"),
        Refused::Outside => {
            (format!("{shown} is a link that leads out of the campaign folder"), "copy the file into the folder")
        }
        refused if refused.is_missing() => (
            format!("there is no file {shown}"),
            "put it into the campaign folder, or name the right one under [recipients] in the config",
        ),
        Refused::Io(error) => (format!("{shown} cannot be read: {error}"), "look at the file and its permissions"),
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
