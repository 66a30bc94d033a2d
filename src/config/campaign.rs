//! `[campaign]`, `[vars]`, `[sender]` and `[letter]`: what shapes the letter.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::{Map, Value as Json};
use toml::de::DeValue;

use super::value::{Refusal, Value};
use super::walk::Section;
use super::{event, paths};
use crate::diagnostic::Severity;
use crate::domain::language::Language;
use crate::domain::mailbox::{Mailbox, MailboxError};
use crate::domain::recipient::RecipientId;
use crate::domain::settings::{Event, LetterSettings};

const MAILBOX: &str = "\"Coalition Secretariat <letters@coalition.example>\"";

/// The keys of `[campaign]`.
const CAMPAIGN: [&str; 4] = ["id", "name", "event", "approvals"];

/// What `[letter]` says besides the templates' folder.
pub(super) struct Letter {
    default_language: Option<Language>,
    attachments: Vec<String>,
}

/// `[letter]`: the templates' folder, absolute and as written, and the rest.
pub(super) fn letter(root: &Section<'_>) -> (PathBuf, String, Letter) {
    let section = root.section("letter", &["templates", "default_language", "attachments"]);
    let (templates, shown) = paths::inside(&section, "templates", "templates");
    let language = |text: &str| {
        Language::parse(text).map_err(|_| {
            let help = "write for example \"en\", \"fr\" or \"pt-BR\"";
            Refusal::new("language-invalid", "is not a language tag", help)
        })
    };
    let default_language = match section.value("default_language") {
        Some(value) => value.read("\"en\"", language),
        None => Language::parse("en").ok(),
    };
    let folder = section.sheet.folder;
    let attachments = section
        .value("attachments")
        .map_or_else(Vec::new, |value| value.read_items("[\"annex.pdf\"]", |text| paths::stay_inside(text, folder)));
    (templates, shown, Letter { default_language, attachments })
}

/// `campaign.approvals`. It shapes no letter, and so is none of the settings that are frozen.
pub(super) fn approvals(root: &Section<'_>) -> usize {
    let table = root
        .value("campaign")
        .and_then(|campaign| campaign.children().find(|(key, _)| *key == "approvals").map(|(_, value)| value));
    let number = table.and_then(|value| value.whole(&(0..=20), "2"));
    number.and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
}

/// Everything that shapes the letter, if what must be there is.
pub(super) fn settings(root: &Section<'_>, letter: Letter, now: Timestamp) -> Option<LetterSettings> {
    let campaign = root.section("campaign", &CAMPAIGN);
    let campaign_id =
        campaign.required("id", "\"open-letter-2021\"").and_then(|value| value.read("\"open-letter-2021\"", id));
    let campaign_name =
        campaign.required("name", "\"Open letter\"").and_then(|value| value.read("\"Open letter\"", line));
    let sender = root.section("sender", &["from", "reply_to", "bcc", "list_unsubscribe"]);
    let from = sender.required("from", MAILBOX).and_then(|value| value.read(MAILBOX, mailbox));
    let reply_to = sender.value("reply_to").and_then(|value| value.read(MAILBOX, mailbox));
    let bcc = sender.value("bcc").map_or_else(Vec::new, |value| value.read_items("[\"archive@…\"]", mailbox));
    let list_unsubscribe =
        sender.value("list_unsubscribe").and_then(|value| value.read("\"https://…\"", unsubscribe_url));
    let sample = from.as_ref().is_some_and(Mailbox::is_placeholder);
    let event = event(&campaign, now, sample);
    let vars = vars(root);
    Some(LetterSettings {
        campaign_id: campaign_id?,
        campaign_name: campaign_name?,
        event,
        vars,
        from: from?,
        reply_to,
        bcc,
        list_unsubscribe,
        default_language: letter.default_language?,
        attachments: letter.attachments,
    })
}

fn id(text: &str) -> Result<String, Refusal> {
    RecipientId::parse(text).map(|id| id.as_str().to_owned()).map_err(|_| {
        let message = "must be 1 to 64 letters, digits, \".\", \"_\" or \"-\", not beginning with a dot";
        Refusal::new("id-invalid", message, "write for example \"open-letter-2021\"")
    })
}

/// A text of one line, as a header needs it.
fn line(text: &str) -> Result<String, Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::new("text-empty", "is empty", "write what readers of the letter call it"));
    }
    if text.chars().any(char::is_control) {
        return Err(Refusal::new(
            "text-control",
            "holds a line break or another control character",
            "write it on one line",
        ));
    }
    Ok(text.trim().to_owned())
}

fn mailbox(text: &str) -> Result<Mailbox, Refusal> {
    Mailbox::parse(text).map_err(|error| {
        let message = match error {
            MailboxError::Empty => "is empty",
            MailboxError::Form(_) => "is not an e-mail address",
            MailboxError::Domain(_) => "has a domain that mail cannot be sent to",
            MailboxError::Header(_) => "is a header line, not an e-mail address",
            MailboxError::Long(_) => "is longer than 64 octets before the \"@\"",
            MailboxError::Control(_) => "holds a control character",
        };
        Refusal::new("address-invalid", message, "write \"name@domain\" or \"Display Name <name@domain>\"")
    })
}

fn unsubscribe_url(text: &str) -> Result<String, Refusal> {
    let clean = text.is_ascii() && !text.contains(|c: char| c.is_ascii_control() || " <>\"".contains(c));
    let host = |rest: &str| rest.split(['/', '?', '#']).next().is_some_and(|host| host.contains('.'));
    let fits = match text.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => rest.strip_prefix("//").is_some_and(host),
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("mailto") => {
            Mailbox::parse(rest.split('?').next().unwrap_or_default()).is_ok()
        }
        _ => false,
    };
    if clean && fits {
        return Ok(text.to_owned());
    }
    let help = "write \"https://…\" or \"mailto:name@domain\", or leave the key out";
    Err(Refusal::new("unsubscribe-invalid", "must be an https or a mailto URL", help))
}

fn event(campaign: &Section<'_>, now: Timestamp, sample: bool) -> Option<Event> {
    campaign.value("event")?;
    let section = campaign.section("event", &["name", "at"]);
    let name = section.required("name", "\"Security Council open debate\"");
    let name = name.and_then(|value| value.read("\"Security Council open debate\"", line));
    let value = section.required("at", event::EXAMPLE)?;
    let moment = match value.inner {
        // TOML has dates of its own; they are read by the same rules.
        DeValue::Datetime(datetime) => {
            event::moment(&datetime.to_string()).map_err(|refusal| value.refuse(&refusal)).ok()
        }
        _ => value.read(event::EXAMPLE, event::moment),
    };
    let (at, zone) = moment?;
    if at < now {
        let severity = if sample { Severity::Note } else { Severity::Warning };
        let help = "correct the date, or send a letter that does not look forward to it";
        value.tell(severity, &Refusal::new("event-past", "lies in the past", help));
    }
    Some(Event { name: name?, at, zone })
}

fn vars(root: &Section<'_>) -> Map<String, Json> {
    let Some(value) = root.value("vars") else { return Map::new() };
    if value.table("a table, as in [vars]").is_none() {
        return Map::new();
    }
    match json(&value) {
        Some(Json::Object(vars)) => vars,
        _ => Map::new(),
    }
}

/// A value as templates see it; numbers that JSON has not are refused where they stand.
fn json(at: &Value<'_>) -> Option<Json> {
    let number = |number: Option<Json>| {
        if number.is_none() {
            let help = "write a number that fits, or a text in quotes";
            at.refuse(&Refusal::new("number-invalid", "is a number that a letter cannot show", help));
        }
        number
    };
    match at.inner {
        DeValue::String(text) => Some(Json::from(text.as_ref())),
        DeValue::Integer(integer) => {
            number(i64::from_str_radix(integer.as_str(), integer.radix()).ok().map(Json::from))
        }
        DeValue::Float(float) => {
            let float = float.as_str().parse().ok().and_then(serde_json::Number::from_f64);
            number(float.map(Json::Number))
        }
        DeValue::Boolean(truth) => Some(Json::from(*truth)),
        DeValue::Datetime(datetime) => Some(Json::from(datetime.to_string())),
        DeValue::Array(list) => {
            list.iter().map(|item| json(&at.within("[]", item))).collect::<Option<Vec<_>>>().map(Json::Array)
        }
        DeValue::Table(table) => Some(Json::Object(
            table
                .iter()
                .filter_map(|(key, item)| {
                    let key = key.get_ref();
                    Some((key.to_string(), json(&at.within(&format!(".{key}"), item))?))
                })
                .collect(),
        )),
    }
}
