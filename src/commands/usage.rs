//! A command line that is not understood: what `clap` says of it, and what was probably meant.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::exit::{OK, USAGE};

/// Prints help, a version or what is wrong, and gives the exit code.
#[must_use]
pub fn answer(error: &clap::Error) -> u8 {
    let text = error.render().to_string();
    match super::screen::fitted_aside(&text) {
        Some(fitted) if error.use_stderr() => super::screen::aside(&fitted),
        // A closed pipe is no reason to fail.
        _ => drop(error.print()),
    }
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return OK;
    }
    if let Some(tip) = tip(error) {
        super::screen::aside(&format!("\n{tip}"));
    }
    USAGE
}

fn tip(error: &clap::Error) -> Option<String> {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(" ")),
        _ => None,
    };
    match error.kind() {
        ErrorKind::InvalidSubcommand => meant_by(&context(ContextKind::InvalidSubcommand)?),
        ErrorKind::MissingRequiredArgument if context(ContextKind::InvalidArg)?.contains("DIR") => {
            Some("Name a new folder, for example: demarche init open-letter".to_owned())
        }
        _ => None,
    }
}

/// A file where a command is due.
fn meant_by(word: &str) -> Option<String> {
    let lower = word.to_lowercase();
    let ends = |ends: &[&str]| ends.iter().any(|end| lower.ends_with(end));
    if ends(&[".csv", ".xlsx", ".xls", ".ods", ".tsv"]) {
        return Some(format!(
            "To start a campaign from a list:     demarche init DIR --from {word}\n\
             To check the campaign in this folder: demarche check"
        ));
    }
    if ends(&[".toml"]) {
        return Some(format!("To check the campaign of that config: demarche --config {word} check"));
    }
    if ends(&[".db"]) {
        return Some("To see what is on record: demarche status, in the campaign folder".to_owned());
    }
    ends(&[".md", ".html"])
        .then(|| "To check letters and lists of a campaign: demarche check, in its folder".to_owned())
}
