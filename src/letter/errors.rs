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

const SYNTAX_HELP: &str =
    "a value is {{ name }}, a choice {% if name %} … {% endif %}, a loop {% for a in list %} … {% endfor %}";
const VALUE_HELP: &str = "look at the value that it is made of, in the row or under [vars]";
const REQUIRED_HELP: &str = "fill in the cell; or, if a letter may go without it, take `| required` out and write {% if %} … {% endif %} around it";
const INCLUDE_HELP: &str = "a template may include only files of the templates folder, by their path in it";

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
            let problem = Diagnostic::error("template-syntax", sentence(report.message())).help(SYNTAX_HELP);
            vec![with_place(problem, place(sources, report.filename(), &report.span().range))]
        }
        ErrorKind::Msg(text) if text.starts_with("error: ") => {
            text.split("\n\n").filter_map(|report| of_report(report, sources)).collect()
        }
        ErrorKind::MissingParent { current, parent } => {
            let message = format!("\"{parent}\" is not in the templates folder");
            let problem = Diagnostic::error("template-include", message).help(INCLUDE_HELP);
            vec![with_place(problem, naming(sources, current, parent))]
        }
        ErrorKind::CircularInclude { tpl, include_chain } => {
            let message = format!("templates include each other in a circle: {}", include_chain.join(", "));
            let problem = Diagnostic::error("template-include", message).help("take one of these includes out");
            vec![with_place(problem, naming(sources, tpl, ""))]
        }
        other => vec![Diagnostic::error("template-syntax", sentence(&other.to_string())).help(SYNTAX_HELP)],
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
    problem.help = if outside { Some(INCLUDE_HELP.to_owned()) } else { near_function(message) };
    let source = sources.get(template)?;
    let body = &source.text[source.at.clone()];
    let start: usize = body.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let offset: usize = body[start..].chars().take(column - 1).map(char::len_utf8).sum();
    Some(with_place(problem, place(sources, template, &(start + offset..start + offset + width))))
}

/// What to do about "Unknown function `salutaton`".
fn near_function(message: &str) -> Option<String> {
    if !message.starts_with("Unknown function") {
        return None;
    }
    let name = message.split('`').nth(1)?;
    Some(match nearest(name, functions::NAMES.into_iter()) {
        Some(near) => format!("did you mean `{near}()`?"),
        None => format!("there are {}", functions::NAMES.map(|name| format!("`{name}()`")).join(", ")),
    })
}

/// Who a rendering is for, as errors name it.
pub(super) struct Rendering<'a> {
    /// The row; `None` for the layout.
    pub(super) row: Option<&'a str>,
    /// The names in `vars` and in `row`.
    pub(super) vars: Vec<&'a str>,
    /// See `vars`.
    pub(super) columns: Vec<&'a str>,
}

impl Rendering<'_> {
    /// The end of a message, unless only the config can be the cause: one missing variable is one problem then, and not
    /// one for each row.
    fn suffix(&self, root: &str) -> String {
        let of_the_config = ["vars", "campaign", "event", "sender", "language", "dir"].contains(&root)
            || functions::NAMES.contains(&root);
        self.row.filter(|_| !of_the_config).map_or_else(String::new, |row| format!(" (row {row})"))
    }
}

/// What rendering said.
pub(super) fn on_render(error: &tera::Error, sources: &Sources, rendering: &Rendering<'_>) -> Diagnostic {
    let report = match error.kind() {
        ErrorKind::RenderingError(report) => report,
        ErrorKind::Io(_) => {
            let message = format!("the letter is over {}{}", super::BODY_CAP_SHOWN, rendering.suffix(""));
            return Diagnostic::error("letter-too-big", message).help(super::checks::TOO_BIG_HELP);
        }
        other => {
            let message = format!("{}{}", sentence(&other.to_string()), rendering.suffix(""));
            return Diagnostic::error("template-value", message).help(VALUE_HELP);
        }
    };
    let place = place(sources, report.filename(), &report.span().range);
    let path = sources
        .get(report.filename())
        .map(|source| path_at(&source.text[source.at.clone()], &report.span().range))
        .unwrap_or_default();
    let root = path.split(['.', '[']).next().unwrap_or_default();
    with_place(of_message(report.message(), &path, root, rendering), place)
}

fn of_message(message: &str, path: &str, root: &str, rendering: &Rendering<'_>) -> Diagnostic {
    let suffix = rendering.suffix(root);
    let field = message.starts_with("Field `");
    if !field && !message.contains("undefined") && !message.starts_with("Variable `") {
        let problem = Diagnostic::error("template-value", format!("{}{suffix}", sentence(message)));
        // Our own functions say what to do after a colon.
        return match message {
            own if own.contains(": ") => problem,
            own if own.contains("needs a value") => problem.help(REQUIRED_HELP),
            _ => problem.help(VALUE_HELP),
        };
    }
    let undefined = |message: String| Diagnostic::error("template-undefined", message);
    let missing_root = message.starts_with("Variable `") || path == root;
    match (root, rendering.row) {
        ("state" | "row" | "enclosures", None) => {
            return undefined(format!("undefined variable `{path}`"))
                .help("the layout is the same for all rows: it sees no row and no state");
        }
        ("state", Some(row)) if missing_root => {
            return undefined(format!("the letter names `{path}`, and row {row} has no state"))
                .help("put the words that need a state between {% if state %} and {% endif %}");
        }
        ("event", _) if missing_root => {
            return undefined("the letter names `event`, and the config has no campaign.event".to_owned());
        }
        _ => {}
    }
    let problem = undefined(format!("undefined variable `{path}`{suffix}"));
    if missing_root && !context::NAMES.contains(&root) {
        let near = nearest(root, context::NAMES.into_iter());
        return problem.help(near.map_or_else(
            || format!("there are {}", context::NAMES[..10].join(", ")),
            |near| format!("did you mean `{near}{}`?", &path[root.len()..]),
        ));
    }
    let available: Vec<&str> = match root {
        "vars" => rendering.vars.clone(),
        "row" => rendering.columns.clone(),
        _ => message.split("Available fields: ").nth(1).map_or_else(Vec::new, |list| list.split(", ").collect()),
    };
    let leaf = path.rsplit('.').next().unwrap_or(path);
    match nearest(leaf, available.iter().copied()) {
        Some(near) => problem.help(format!("did you mean `{}{near}`?", path.strip_suffix(leaf).unwrap_or(""))),
        None if root == "vars" => problem.help(format!("set `{leaf}` under [vars] in the config")),
        None if available.is_empty() => problem,
        None => problem.help(format!("there are {}", available.join(", "))),
    }
}

/// The dotted name of which a span is a part: `vars.reply_by` for the span of `reply_by`, and for that of a filter
/// what is filtered.
fn path_at(body: &str, range: &Range<usize>) -> String {
    let (Some(before), Some(after)) = (body.get(..range.start), body.get(range.start..)) else { return String::new() };
    if before.trim_end().ends_with('|') {
        let tag = before.rfind("{{").max(before.rfind("{%")).map_or(before, |at| &before[at + 2..]);
        let value = tag.split('|').next().unwrap_or_default().trim_start_matches('-').trim();
        let start =
            value.rfind(|c| !in_path(c)).map_or(0, |at| at + value[at..].chars().next().map_or(1, char::len_utf8));
        return value[start..].to_owned();
    }
    if body.get(range.clone()).is_some_and(|span| span.contains('[')) {
        return after[..after.find(']').map_or(after.len(), |at| at + 1)].to_owned();
    }
    let start =
        before.rfind(|c| !in_path(c)).map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8));
    let span = range.len().min(after.len());
    let end = after.find(|c| !in_path(c)).unwrap_or(after.len());
    // The span of a call or an index is longer than its name.
    let end = if end == 0 { span } else { end };
    body[start..range.start + end].trim_matches('.').to_owned()
}

fn in_path(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '.'
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
        assert_eq!(path_at(body, &(24..33)), "vars.reply_by");
        assert_eq!(path_at("é{{x}}", &(4..5)), "x");
    }

    #[test]
    fn a_near_name_is_found_and_a_far_one_is_not() {
        assert_eq!(nearest("organisations", ["countries", "organizations"].into_iter()), Some("organizations"));
        assert_eq!(nearest("xyz", ["countries", "organizations"].into_iter()), None);
    }
}
