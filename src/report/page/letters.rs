//! The letter in each language, as plain text: what a mission read, in one mission's copy.

use std::fmt::Write as _;

use super::super::dossier::{Dossier, Sample};
use super::figures::{self, language_name};
use super::text::counted;
use crate::domain::markup::escape;

/// A line of fewer signs fits every screen.
const SHORTEST_RULE: usize = 8;

/// Each language, and each text of it where the letter was corrected under way.
pub(super) fn section(dossier: &Dossier) -> String {
    if dossier.letters.is_empty() {
        return "<p>No letter was planned yet.</p>\n".to_owned();
    }
    let several = dossier.letters.iter().any(|letter| letter.edition != dossier.letters[0].edition);
    let mut html = String::from(
        "<p>One copy for each language, as its recipient reads it; the others differ in names and addresses.</p>\n",
    );
    for letter in figures::most_used_first(dossier) {
        html.push_str(&one(letter, several));
    }
    html
}

fn one(letter: &Sample, several: bool) -> String {
    let language = escape(letter.language.as_str());
    let text = if several { format!(", text {}", letter.edition) } else { String::new() };
    let mut html = format!(
        "<article class=\"letter\">\n<h3>{}{text} <span class=\"quiet\">({}; the copy to <bdi>{}</bdi>)</span></h3>\n\
         <p><span class=\"quiet\">Subject:</span> <bdi lang=\"{language}\">{}</bdi></p>\n",
        escape(language_name(letter.language.as_str())),
        counted(usize::try_from(letter.count).unwrap_or(usize::MAX), "letter", "letters"),
        escape(&letter.mission),
        escape(&letter.subject)
    );
    if !letter.attachments.is_empty() {
        let _ = writeln!(
            html,
            "<p><span class=\"quiet\">Attached:</span> <bdi>{}</bdi></p>",
            escape(&letter.attachments.join(", "))
        );
    }
    let _ = writeln!(
        html,
        "<div class=\"text\" lang=\"{language}\" dir=\"{}\">{}</div>\n</article>",
        letter.language.direction(),
        ruled(&letter.text)
    );
    html
}

/// The text, escaped; a line that is nothing but signs to draw a rule with does not wrap.
fn ruled(text: &str) -> String {
    let is_rule = |line: &str| line.len() >= SHORTEST_RULE && line.chars().all(|c| matches!(c, '=' | '-' | '_' | '*'));
    let line = |line: &str| {
        if is_rule(line) { format!("<span class=\"rule\">{}</span>", escape(line)) } else { escape(line) }
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}
