//! What a finished letter must be before anybody sees it.

use crate::diagnostic::{Diagnostic, Place};
use crate::domain::recipient::Recipient;

use super::load::Kind;
use super::{BODY_CAP, BODY_CAP_SHOWN, Letter, Variant};

/// The longest subject, in bytes (RFC 5322 §2.1.1: a line).
const SUBJECT_CAP: usize = 998;
/// What a finished letter never holds: a template that was not rendered.
const LEFTOVERS: [&str; 3] = ["{{", "{%", "<no value>"];
const LEFTOVER_HELP: &str = "missions would read it as it stands: write what is meant in its place";
pub(super) const TOO_BIG_HELP: &str =
    "a loop in a template may not end soon enough; long texts belong into an attachment";

impl Letter {
    /// The subject's problems.
    pub(super) fn check_subject(
        &self,
        variant: &Variant,
        row: &Recipient,
        subject: &str,
        problems: &mut Vec<Diagnostic>,
    ) {
        let place = || {
            let found = self.sources.get(&variant.subject);
            found.map_or_else(
                || self.file(variant),
                |source| Place::in_text(&source.file, &source.text, source.at.clone()),
            )
        };
        let (message, help) = if subject.trim().is_empty() {
            ("is empty".to_owned(), "write one, or fill in the cell that it is made of")
        } else if subject.len() > SUBJECT_CAP {
            (format!("is {} bytes long, and {SUBJECT_CAP} is the most", subject.len()), "shorten it")
        } else if let Some(control) = subject.chars().find(|c| c.is_control()) {
            let what = if matches!(control, '\r' | '\n') { "a line end" } else { "a control character" };
            (format!("holds {what}{}", self.culprit(row, &control.to_string())), "write it in one line, by hand")
        } else if let Some(leftover) = LEFTOVERS.iter().find(|leftover| subject.contains(**leftover)) {
            (format!("holds \"{leftover}\"{}", self.culprit(row, leftover)), LEFTOVER_HELP)
        } else {
            return;
        };
        let problem = Diagnostic::error("letter-subject", format!("the subject {message} (row {})", row.id));
        problems.push(problem.at(place()).help(help));
    }

    /// The body's problems.
    pub(super) fn check_body(
        &self,
        variant: &Variant,
        row: &Recipient,
        text: &str,
        html: &str,
        problems: &mut Vec<Diagnostic>,
    ) {
        let mut tell = |code, message: String, help: &str| {
            let problem = Diagnostic::error(code, format!("{message} (row {})", row.id));
            problems.push(problem.at(self.file(variant)).help(help));
        };
        if text.trim().is_empty() || html.trim().is_empty() {
            tell("letter-empty", "the letter is empty".to_owned(), "is all of it in an {% if %} that does not hold?");
        }
        if text.len() > BODY_CAP || html.len() > BODY_CAP {
            tell("letter-too-big", format!("the letter is over {BODY_CAP_SHOWN}"), TOO_BIG_HELP);
        }
        // The layout's CSS may well hold two braces in a row; of Markdown's HTML, the text says the same.
        let in_html = variant.kind == Kind::Pair;
        for leftover in LEFTOVERS {
            if text.contains(leftover) || (in_html && html.contains(leftover)) {
                let message = format!("\"{leftover}\" is left in the letter{}", self.culprit(row, leftover));
                tell("letter-leftover", message, LEFTOVER_HELP);
            }
        }
    }

    /// Which value brought something into a letter, as the rest of a sentence.
    fn culprit(&self, row: &Recipient, what: &str) -> String {
        let holds = |value: &str| value.contains(what);
        if let Some((column, _)) = row.columns.iter().find(|(_, value)| holds(value)) {
            return format!(": it comes from the column \"{column}\"");
        }
        if row.name.as_deref().is_some_and(holds) {
            return ": it comes from the name".to_owned();
        }
        self.vars
            .iter()
            .find(|(_, value)| holds(value))
            .map_or_else(String::new, |(name, _)| format!(": it comes from `vars.{name}`"))
    }
}
