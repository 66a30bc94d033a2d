//! `smtp.password`: where the secret comes from. It is never part of a message, and its lines are never shown.

use secrecy::SecretString;
use toml::de::DeValue;

use super::paths;
use super::source::Exposed;
use super::value::{Refusal, Value};
use super::walk::Section;
use crate::domain::relay::PasswordSource;

const SOURCES: [&str; 4] = ["command", "env", "file", "keyring"];
const HELP: &str =
    "write password = { env = \"NAME\" }, { file = \"path\" } or { command = [\"pass\", \"show\", \"name\"] }";

/// The source of the password, if the config names one that is valid.
pub(super) fn password(smtp: &Section<'_>, exposed: Exposed) -> Option<PasswordSource> {
    let value = smtp.value("password")?;
    match value.inner {
        DeValue::String(secret) => inline(smtp, &value, secret, exposed),
        DeValue::Table(_) => source(smtp, &value),
        _ => {
            smtp.sheet.cover(&value.span);
            value.refuse(&Refusal::new("wrong-type", "must say where the password is", HELP));
            None
        }
    }
}

fn inline(smtp: &Section<'_>, value: &Value<'_>, secret: &str, exposed: Exposed) -> Option<PasswordSource> {
    smtp.sheet.cover(&value.span);
    if secret.is_empty() {
        value.refuse(&Refusal::new("password-empty", "is empty", HELP));
        return None;
    }
    if exposed == Exposed::Yes {
        let message = "stands in a file that everybody on this machine can read";
        let help = format!("{HELP}; or at least close the file: chmod 600");
        value.refuse(&Refusal::new("password-exposed", message, help));
    } else {
        let message = "stands in the config itself, which is easily copied or shared with it";
        value.warn(&Refusal::new("password-inline", message, HELP));
    }
    Some(PasswordSource::Inline(SecretString::from(secret.to_owned())))
}

fn source(smtp: &Section<'_>, value: &Value<'_>) -> Option<PasswordSource> {
    for (key, item) in value.children() {
        if !SOURCES.contains(&key) {
            smtp.sheet.cover(&item.span);
        }
    }
    let section = smtp.section("password", &SOURCES);
    let named: Vec<&str> = SOURCES.into_iter().filter(|key| section.value(key).is_some()).collect();
    if named.len() > 1 {
        let message = format!("names several sources ({})", named.join(", "));
        value.refuse(&Refusal::new("password-sources", message, "keep one of them"));
        return None;
    }
    let Some(key) = named.first() else {
        value.refuse(&Refusal::new("password-sources", "names no source", HELP));
        return None;
    };
    let item = section.value(key)?;
    match *key {
        "command" => command(&item),
        "env" => {
            let name = item.read("\"DEMARCHE_SMTP_PASSWORD\"", variable);
            if name.is_none() {
                // What is no name may well be the password itself.
                smtp.sheet.cover(&item.span);
            }
            name.map(PasswordSource::Env)
        }
        "file" => {
            let folder = smtp.sheet.folder;
            item.read("\"smtp-password\"", |text| paths::anywhere(text, folder)).map(PasswordSource::File)
        }
        _ => {
            let help = "use command, such as command = [\"secret-tool\", \"lookup\", \"service\", \"smtp\"]";
            item.refuse(&Refusal::new("keyring-unsupported", "is not built into this version", help));
            None
        }
    }
}

fn variable(name: &str) -> Result<String, Refusal> {
    if !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Ok(name.to_owned());
    }
    let help = "write the variable's name, such as \"DEMARCHE_SMTP_PASSWORD\", and not its value";
    Err(Refusal::new("variable-invalid", "is not the name of an environment variable", help))
}

fn command(item: &Value<'_>) -> Option<PasswordSource> {
    const EXAMPLE: &str = "[\"pass\", \"show\", \"coalition/smtp\"]";
    if !item.inner.is_array() {
        item.wrong_type("a list of the program and its arguments", &format!("command = {EXAMPLE}"));
        return None;
    }
    let items = item.items(EXAMPLE);
    let words: Vec<String> = items.iter().filter_map(|word| word.text(EXAMPLE).map(str::to_owned)).collect();
    if items.is_empty() || words.first().is_some_and(String::is_empty) {
        let help = format!("write command = {EXAMPLE}");
        item.refuse(&Refusal::new("command-empty", "names no program", help));
        return None;
    }
    (words.len() == items.len()).then_some(PasswordSource::Command(words))
}
