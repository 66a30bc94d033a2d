//! The config file → settings, with every problem at its place.

mod campaign;
mod duration;
mod event;
mod holidays;
mod pace;
mod password;
mod paths;
mod recipients;
mod secrets;
mod smtp;
mod source;
mod value;
mod walk;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use toml::de::DeTable;

use crate::diagnostic::{Diagnostic, any_error};
use crate::domain::audience::Audience;
use crate::domain::mailbox::Mailbox;
use crate::domain::rate::Rate;
use crate::domain::relay::Relay;
use crate::domain::retry::RetryPolicy;
use crate::domain::schedule::Hours;
use crate::domain::settings::LetterSettings;

/// Everything a campaign's config says, valid.
#[derive(Debug, Clone)]
pub struct Config {
    /// The campaign folder: the folder of the config file, canonical.
    pub folder: PathBuf,
    /// What shapes the letter.
    pub settings: LetterSettings,
    /// `campaign.approvals`: how many people have to approve a batch before it goes out; 0 for none.
    pub approvals: usize,
    /// `[recipients]`.
    pub recipients: Recipients,
    /// `letter.templates`, absolute.
    pub templates: PathBuf,
    /// The same as it is written.
    pub templates_shown: String,
    /// `[smtp]`; its host is empty where the config names none.
    pub relay: Relay,
    /// `[pace]`.
    pub pace: Pace,
    /// `[retry]`.
    pub retry: RetryPolicy,
    /// `ledger.file`, absolute.
    pub ledger: PathBuf,
}

/// `[recipients]`: where the rows are and how to read them.
#[derive(Debug, Clone)]
pub struct Recipients {
    /// The file, absolute and inside the folder.
    pub file: PathBuf,
    /// The same as it is written.
    pub file_shown: String,
    /// The sheet of a workbook; the one that has addresses if absent.
    pub sheet: Option<String>,
    /// Whom the campaign means to reach.
    pub audience: Audience,
    /// After how long a row that nobody verified since counts as old.
    pub stale_after: Duration,
    /// The WHATWG name of the file's encoding; detected if absent.
    pub encoding: Option<String>,
    /// The byte between fields; detected if absent.
    pub delimiter: Option<u8>,
    /// Our name of a column → its header in the file.
    pub columns: BTreeMap<String, String>,
    /// The addresses never to write to: `suppressed.csv` in the folder, which need not exist.
    pub suppressed: PathBuf,
}

/// `[pace]`: how fast and when.
#[derive(Debug, Clone)]
pub struct Pace {
    /// Limits of the whole campaign, all of which hold; none for no limit.
    pub rates: Vec<Rate>,
    /// Limits for each recipient domain.
    pub per_domain: Vec<Rate>,
    /// When letters may go out; always if absent.
    pub hours: Option<Hours>,
    /// The same for people: `09:00-18:00, Mon-Fri, America/New_York, except 2 holidays`.
    pub hours_shown: Option<String>,
}

/// Reads the config file. `None` if there is any error; a file that cannot be read is one.
#[must_use]
pub fn read(path: &Path, now: Timestamp) -> (Option<Config>, Vec<Diagnostic>) {
    without_errors(read_as_far_as_possible(path, now))
}

/// Reads the config file to check more than itself. `None` if anything that the letters are made of has an error
/// (`[campaign]`, `[vars]`, `[sender]`, `[letter]`, `[recipients]`, or the syntax). With errors elsewhere the config is
/// there, so that rows and letters can be checked in the same run; it must not be sent with.
#[must_use]
pub fn read_as_far_as_possible(path: &Path, now: Timestamp) -> (Option<Config>, Vec<Diagnostic>) {
    match source::load(path) {
        Ok(source) => understand(&source.text, &source.shown, &source.folder, now, source.exposed),
        Err(problem) => (None, vec![*problem]),
    }
}

/// Reads the config's text; `shown` names it in problems, `folder` is the campaign folder. `None` if there is any error.
#[must_use]
pub fn parse(text: &str, shown: &str, folder: &Path, now: Timestamp) -> (Option<Config>, Vec<Diagnostic>) {
    without_errors(understand(text, shown, folder, now, source::Exposed::No))
}

fn without_errors((config, problems): (Option<Config>, Vec<Diagnostic>)) -> (Option<Config>, Vec<Diagnostic>) {
    (config.filter(|_| !any_error(&problems)), problems)
}

/// What would keep `send` from sending, though the config is good enough for everything else: no relay, the sample's
/// relay, and placeholder addresses in `[sender]` unless the relay is on loopback. They are found from the values, so
/// they name the key and have no place.
#[must_use]
pub fn problems_for_send(config: &Config) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let host = &config.relay.host;
    if host.is_empty() {
        problems.push(
            Diagnostic::error("host-missing", "smtp.host is missing, so there is no server to send through")
                .help("write host = \"…\" in [smtp]: the provider of the sender's mailbox tells its name"),
        );
    } else if is_placeholder(host) {
        problems.push(
            Diagnostic::error(
                "host-placeholder",
                format!("smtp.host \"{host}\" is the sample's: there is no such server"),
            )
            .help("write the name that the provider of the sender's mailbox tells; `rehearse` needs none"),
        );
    }
    let settings = &config.settings;
    let ours = [("sender.from", Some(&settings.from)), ("sender.reply_to", settings.reply_to.as_ref())];
    let ours = ours.into_iter().chain(settings.bcc.iter().map(|copy| ("sender.bcc", Some(copy))));
    for (name, mailbox) in ours.filter_map(|(name, mailbox)| Some((name, mailbox?))) {
        if mailbox.is_placeholder() && !config.relay.is_loopback() {
            let message = format!("{name} \"{}\" is a placeholder: no mail ever arrives there", mailbox.address());
            problems.push(Diagnostic::error("sender-placeholder", message).help("write an address of your own"));
        }
    }
    problems
}

/// True for the names that stand for no server (RFC 2606).
fn is_placeholder(host: &str) -> bool {
    Mailbox::parse(&format!("postmaster@{host}")).is_ok_and(|mailbox| mailbox.is_placeholder())
}

fn understand(
    text: &str,
    shown: &str,
    folder: &Path,
    now: Timestamp,
    exposed: source::Exposed,
) -> (Option<Config>, Vec<Diagnostic>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let sheet = walk::Sheet::new(text, shown, folder);
    for error in &errors {
        sheet.tell_syntax(error);
    }
    let config = sections(&sheet, table.get_ref(), now, exposed);
    (config, sheet.into_problems())
}

fn sections(sheet: &walk::Sheet<'_>, table: &DeTable<'_>, now: Timestamp, exposed: source::Exposed) -> Option<Config> {
    let known = ["campaign", "vars", "sender", "recipients", "letter", "smtp", "pace", "retry", "ledger"];
    let root = walk::Section::root(sheet, table, &known);
    let (templates, templates_shown, letter) = campaign::letter(&root);
    let settings = campaign::settings(&root, letter, now);
    let approvals = campaign::approvals(&root);
    let recipients = recipients::recipients(&root);
    let from = settings.as_ref().map(|settings| settings.from.clone());
    let settings = settings.filter(|_| !sheet.has_error());
    let relay = smtp::relay(&root, from.as_ref(), exposed);
    let pace = pace::pace(&root, now);
    let retry = pace::retry(&root);
    let ledger = root.section("ledger", &["file"]);
    let (ledger, _) = paths::inside(&ledger, "file", "ledger.db");
    let folder = sheet.folder.to_path_buf();
    settings.map(|settings| Config {
        folder,
        settings,
        approvals,
        recipients,
        templates,
        templates_shown,
        relay,
        pace,
        retry,
        ledger,
    })
}
