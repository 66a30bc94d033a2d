//! Tera's errors → diagnostics with the file's own lines, the row where a row is the cause, and near names.

use std::collections::HashMap;
use std::ops::Range;

use tera::{ErrorKind, Value};

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

const VALUE_HELP: &str = "look at the value that it is made of, in the row or under [vars]";
const REQUIRED_HELP: &str = "fill in the cell; or, if a letter may go without it, take `| required` out and write {% if %} … {% endif %} around it";

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
pub(super) fn place(sources: &Sources, template: &str, range: &Range<usize>) -> Option<Place> {
    let source = sources.get(template)?;
    let start = (source.at.start + range.start).min(source.at.end);
    let end = (source.at.start + range.end).min(source.at.end);
    Some(Place::in_text(&source.file, &source.text, start..end))
}

/// The first line of a message, its full stop dropped.
pub(super) fn sentence(message: &str) -> String {
    message.lines().next().unwrap_or_default().trim_end_matches('.').to_owned()
}

pub(super) fn with_place(problem: Diagnostic, place: Option<Place>) -> Diagnostic {
    match place {
        Some(place) => problem.at(place),
        None => problem,
    }
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

/// The most values that are missing at once.
const MOST_MISSING: usize = 25;

/// Everything that is missing in a template, of which rendering told the first: what was missing is put in its place and
/// the template rendered again, until nothing more is.
pub(super) fn all_of(
    first: &tera::Error,
    context: &tera::Context,
    sources: &Sources,
    rendering: &Rendering<'_>,
    mut again: impl FnMut(&tera::Context) -> Result<(), tera::Error>,
) -> Vec<Diagnostic> {
    let (problem, mut path, mut is_missing) = on_render(first, sources, rendering);
    let (mut context, mut problems, mut stood_in) = (context.clone(), vec![problem], Vec::new());
    while problems.len() < MOST_MISSING && is_missing && stand_in(&mut context, &path) {
        stood_in.push(path);
        let Err(error) = again(&context) else { break };
        let problem;
        (problem, path, is_missing) = on_render(&error, sources, rendering);
        // What a stand-in brought about is no problem of the letter; and if one was of no use, there is no going on.
        if problems.contains(&problem) || (!is_missing && (path.is_empty() || stood_in.contains(&path))) {
            break;
        }
        problems.push(problem);
    }
    problems
}

/// Puts something that is a text, a date and not empty where nothing is; false if there is no such place.
fn stand_in(context: &mut tera::Context, path: &str) -> bool {
    let mut names = path.split('.');
    let Some(root) = names.next().filter(|root| !root.is_empty() && !functions::NAMES.contains(root)) else {
        return false;
    };
    let rest: Vec<&str> = names.collect();
    if path.contains(['[', '(']) || rest.iter().any(|name| name.is_empty()) {
        return false;
    }
    // One word about a state or an event that is not there is enough.
    let now = context.get(root).cloned();
    if now.is_none() && ["state", "event"].contains(&root) {
        return false;
    }
    let value = filled(now.as_ref(), &rest);
    context.insert_value(root.to_owned(), value);
    true
}

fn filled(now: Option<&Value>, path: &[&str]) -> Value {
    let Some((first, rest)) = path.split_first() else { return Value::from("2000-01-01") };
    let mut table = now.and_then(Value::as_map).cloned().unwrap_or_default();
    let inner = table.iter().find(|(name, _)| name.as_str() == Some(first)).map(|(_, inner)| inner.clone());
    table.insert((*first).to_owned().into(), filled(inner.as_ref(), rest));
    Value::from(table)
}

/// What rendering said, the path of what it is about if there is one, and whether that is missing.
fn on_render(error: &tera::Error, sources: &Sources, rendering: &Rendering<'_>) -> (Diagnostic, String, bool) {
    let report = match error.kind() {
        ErrorKind::RenderingError(report) => report,
        ErrorKind::Io(_) => {
            let message = format!("the letter is over {}{}", super::BODY_CAP_SHOWN, rendering.suffix(""));
            let problem = Diagnostic::error("letter-too-big", message);
            return (problem.help(super::checks::TOO_BIG_HELP), String::new(), false);
        }
        other => {
            let message = format!("{}{}", sentence(&other.to_string()), rendering.suffix(""));
            return (Diagnostic::error("template-value", message).help(VALUE_HELP), String::new(), false);
        }
    };
    let place = place(sources, report.filename(), &report.span().range);
    let body = sources.get(report.filename()).map_or("", |source| &source.text[source.at.clone()]);
    let range = &report.span().range;
    let path = match body.get(range.clone()).and_then(counted) {
        Some(path) if report.message().contains("undefined") => path.to_owned(),
        _ => path_at(body, range),
    };
    let root = path.split(['.', '[']).next().unwrap_or_default();
    let problem = with_place(of_message(report.message(), &path, root, rendering), place);
    let is_missing = problem.code == "template-undefined" || report.message().starts_with(functions::NEEDED);
    (problem, path, is_missing)
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
    if root == "state" && ["of", "of_formal", "in_running", "to_running"].contains(&leaf) {
        let help = "the tables have no such form in the letter's language: turn the sentence round, or have a column of your own";
        return problem.help(help);
    }
    match nearest(leaf, available.iter().copied()) {
        Some(near) => problem.help(format!("did you mean `{}{near}`?", path.strip_suffix(leaf).unwrap_or(""))),
        None if root == "vars" => {
            problem.help(format!("set `{}` under [vars] in the config", path.strip_prefix("vars.").unwrap_or(leaf)))
        }
        None if available.is_empty() => problem,
        None => problem.help(format!("there are {}", available.join(", "))),
    }
}

/// What a call counts by or lists: `vars.countries` of `plural(n=vars.countries, …)`.
fn counted(call: &str) -> Option<&str> {
    let (name, arguments) = call.split_once('(')?;
    let argument = match name.trim() {
        "plural" => "n=",
        "list" => "items=",
        _ => return None,
    };
    let value = arguments.split_once(argument)?.1.trim_start();
    let end = value.find(|c| !in_path(c)).unwrap_or(value.len());
    (end > 0).then(|| &value[..end])
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
