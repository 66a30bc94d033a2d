//! Tera's errors → diagnostics with the file's own lines, the row where a row is the cause, and near names.

use std::collections::HashMap;
use std::ops::Range;

use tera::ErrorKind;

use crate::diagnostic::{Diagnostic, Place};

use super::{context, functions};

/// The text behind a template's name: the file it comes from and where in it the template begins.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// As shown to people.
    pub(super) file: String,
    /// The whole file.
    pub(super) text: String,
    /// Where the template is in it.
    pub(super) at: Range<usize>,
}

/// The sources of all templates by name.
pub(super) type Sources = HashMap<String, Source>;

/// The nearest of some names, if one is near.
pub(super) fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let folded = word.to_lowercase();
    names
        .map(|name| (strsim::jaro_winkler(&name.to_lowercase(), &folded), name))
        .filter(|(score, _)| *score > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(a.1)))
        .map(|(_, name)| name)
}

/// Where a span of a template is in its file.
fn place(sources: &Sources, template: &str, range: &Range<usize>) -> Option<Place> {
    let source = sources.get(template)?;
    let start = (source.at.start + range.start).min(source.at.end);
    let end = (source.at.start + range.end).min(source.at.end);
    Some(Place::in_text(&source.file, &source.text, start..end))
}

/// The first line of a message, its full stop dropped.
fn sentence(message: &str) -> String {
    message.lines().next().unwrap_or_default().trim_end_matches('.').to_owned()
}

/// What loading said: one problem for each of Tera's reports.
pub(super) fn on_load(error: &tera::Error, sources: &Sources) -> Vec<Diagnostic> {
    match error.kind() {
        ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => {
            let problem = Diagnostic::error("template-syntax", sentence(report.message()));
            vec![with_place(problem, place(sources, report.filename(), &report.span().range))]
        }
        ErrorKind::Msg(text) if text.starts_with("error: ") => {
            text.split("\n\n").filter_map(|report| of_report(report, sources)).collect()
        }
        ErrorKind::MissingParent { current, parent } => {
            let message = format!("\"{parent}\" is not in the templates folder");
            vec![with_place(Diagnostic::error("template-include", message), naming(sources, current, parent))]
        }
        ErrorKind::CircularInclude { tpl, include_chain } => {
            let message = format!("templates include each other in a circle: {}", include_chain.join(", "));
            vec![with_place(Diagnostic::error("template-include", message), naming(sources, tpl, ""))]
        }
        other => vec![Diagnostic::error("template-syntax", sentence(&other.to_string()))],
    }
}

fn with_place(problem: Diagnostic, place: Option<Place>) -> Diagnostic {
    match place {
        Some(place) => problem.at(place),
        None => problem,
    }
}

/// Where a template names another.
fn naming(sources: &Sources, template: &str, name: &str) -> Option<Place> {
    let source = sources.get(template)?;
    let at = if name.is_empty() { None } else { source.text.find(name) };
    Some(at.map_or_else(
        || Place::file(&source.file),
        |at| Place::in_text(&source.file, &source.text, at..at + name.len()),
    ))
}

/// Tera checks the names of filters, functions and includes in one go and reports in text: `error: …` and
/// `--> template:line:column`.
fn of_report(report: &str, sources: &Sources) -> Option<Diagnostic> {
    let mut lines = report.lines();
    let message = lines.next()?.strip_prefix("error: ")?;
    let mut parts = lines.next()?.split("--> ").nth(1)?.rsplitn(3, ':');
    let column: usize = parts.next()?.trim().parse().ok()?;
    let line: usize = parts.next()?.parse().ok()?;
    let template = parts.next()?;
    let width = report.lines().last().map_or(1, |underline| underline.matches('^').count());
    let outside = message.contains("nclude") || message.contains("emplate");
    let code = if outside { "template-include" } else { "template-syntax" };
    let mut problem = Diagnostic::error(code, sentence(message));
    if outside {
        problem.help =
            Some("a template may include only files of the templates folder, by their path in it".to_owned());
    }
    let source = sources.get(template)?;
    let body = &source.text[source.at.clone()];
    let start: usize = body.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let offset: usize = body[start..].chars().take(column - 1).map(char::len_utf8).sum();
    Some(with_place(problem, place(sources, template, &(start + offset..start + offset + width))))
}

/// What rendering said. `row` is named unless only the config can be the cause, so that one missing variable is one
/// problem and not one for each row.
pub(super) fn on_render(error: &tera::Error, sources: &Sources, row: &str) -> Diagnostic {
    let report = match error.kind() {
        ErrorKind::RenderingError(report) => report,
        ErrorKind::Io(_) => {
            return Diagnostic::error(
                "letter-too-big",
                format!("the letter to {row} is over {}", super::BODY_CAP_SHOWN),
            )
            .help("a loop in a template may not end soon enough");
        }
        other => return Diagnostic::error("template-value", format!("{} (row {row})", sentence(&other.to_string()))),
    };
    let place = place(sources, report.filename(), &report.span().range);
    let path = sources
        .get(report.filename())
        .map(|source| path_at(&source.text[source.at.clone()], &report.span().range))
        .unwrap_or_default();
    let root = path.split('.').next().unwrap_or_default();
    with_place(of_message(report.message(), &path, root, row), place)
}

fn of_message(message: &str, path: &str, root: &str, row: &str) -> Diagnostic {
    let of_the_config =
        ["vars", "campaign", "event", "sender", "language", "dir"].contains(&root) || functions::NAMES.contains(&root);
    let suffix = if of_the_config { String::new() } else { format!(" (row {row})") };
    let undefined = message.starts_with("Variable `") || message.contains("is undefined");
    if undefined && root == "state" {
        return Diagnostic::error(
            "template-undefined",
            format!("the letter names `{path}`, and row {row} has no state"),
        )
        .help("put the words that need a state between {% if state %} and {% endif %}");
    }
    if undefined && root == "event" {
        return Diagnostic::error(
            "template-undefined",
            "the letter names `event`, and the config has no campaign.event",
        );
    }
    if undefined && !path.contains('.') {
        let problem = Diagnostic::error("template-undefined", format!("undefined variable `{path}`{suffix}"));
        let names = context::NAMES.iter().copied();
        return problem.help(nearest(path, names).map_or_else(
            || format!("there are {}", context::NAMES[..10].join(", ")),
            |near| format!("did you mean `{near}`?"),
        ));
    }
    if let Some(fields) = message.strip_prefix("Field `") {
        let missing = fields.split('`').next().unwrap_or_default();
        let available: Vec<&str> =
            message.split("Available fields: ").nth(1).map_or_else(Vec::new, |list| list.split(", ").collect());
        let shown = if path.contains('.') { path } else { missing };
        let problem = Diagnostic::error("template-undefined", format!("undefined variable `{shown}`{suffix}"));
        let prefix = path.strip_suffix(missing).unwrap_or("");
        let help = match (nearest(missing, available.iter().copied()), root) {
            (Some(near), _) => format!("did you mean `{prefix}{near}`?"),
            (None, "vars") => format!("set `{missing}` under [vars] in the config"),
            (None, _) if available.is_empty() => "there is nothing of that name".to_owned(),
            (None, _) => format!("there are {}", available.join(", ")),
        };
        return problem.help(help);
    }
    if undefined {
        let problem = Diagnostic::error("template-undefined", format!("undefined variable `{path}`{suffix}"));
        let leaf = path.rsplit('.').next().unwrap_or(path);
        return if root == "vars" { problem.help(format!("set `{leaf}` under [vars] in the config")) } else { problem };
    }
    Diagnostic::error("template-value", format!("{}{suffix}", sentence(message)))
}

/// The dotted name of which a span is a part: `vars.reply_by` for the span of `reply_by`.
fn path_at(body: &str, range: &Range<usize>) -> String {
    let part = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let Some(before) = body.get(..range.start) else { return String::new() };
    let Some(after) = body.get(range.start..) else { return String::new() };
    let start = before.rfind(|c| !part(c)).map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    let span = body.get(range.clone()).map_or(0, str::len);
    let end = after.find(|c| !part(c)).unwrap_or(after.len()).max(after[..span].find(|c| !part(c)).unwrap_or(span));
    body[start..range.start + end].trim_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_widened_to_its_dotted_name() {
        let body = "Dear {{ vars.reply_by | long_date }}";
        for range in [8..12, 13..21, 8..21] {
            assert_eq!(path_at(body, &range), "vars.reply_by");
        }
        assert_eq!(path_at("é{{x}}", &(4..5)), "x");
    }

    #[test]
    fn a_near_name_is_found_and_a_far_one_is_not() {
        assert_eq!(nearest("organisations", ["countries", "organizations"].into_iter()), Some("organizations"));
        assert_eq!(nearest("xyz", ["countries", "organizations"].into_iter()), None);
    }
}
