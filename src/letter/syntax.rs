//! What loading a template said: every problem of its syntax with its place, and what to write instead.

use tera::{ErrorKind, Tera};

use crate::diagnostic::{Diagnostic, Place};

use super::errors::{Sources, nearest, place, sentence, with_place};
use super::{functions, markdown};

/// More problems of one file than anybody mends in one go.
const MOST: usize = 20;

const SYNTAX_HELP: &str = "a value is {{ vars.name }}, a choice {% if state %}…{% else %}…{% endif %}, a loop {% for one in vars.list %}…{% endfor %}";
const INCLUDE_HELP: &str = "a template may include only files of the templates folder, by their path in it";

/// Tera's own filters and tests that letters have a use for, beside ours, for "did you mean".
const FILTERS: [&str; 24] = [
    "capitalize",
    "default",
    "first",
    "int",
    "float",
    "join",
    "keys",
    "last",
    "length",
    "lower",
    "nth",
    "pairs",
    "replace",
    "reverse",
    "round",
    "sort",
    "split",
    "title",
    "trim",
    "truncate",
    "unique",
    "upper",
    "values",
    "abs",
];
const TESTS: [&str; 8] =
    ["defined", "undefined", "string", "number", "containing", "starting_with", "ending_with", "divisible_by"];

/// The problems of one template's syntax. The parser ends at the first; a broken `{{ … }}` is taken out and the rest read
/// on, so that a file with three slips is mended in one go.
///
/// With them the body without what was taken out, as long as before; `None` if it cannot be read on.
pub(super) fn problems(name: &str, body: &str, sources: &Sources) -> (Vec<Diagnostic>, Option<String>) {
    let (mut body, mut found) = (body.to_owned(), Vec::new());
    while let Err(error) = Tera::default().add_raw_template(name, &body) {
        let ErrorKind::SyntaxError(report) = error.kind() else { break };
        let range = report.span().range.clone();
        let message = sentence(report.message());
        let before = sources.get(name).map_or(0, |source| source.text[..source.at.start].matches('\n').count());
        let help = help(&message, &body, range.start, before);
        let problem = Diagnostic::error("template-syntax", message).help(help);
        found.push(with_place(problem, place(sources, report.filename(), &range)));
        let broken = markdown::tags(&body)
            .into_iter()
            .find(|tag| tag.contains(&range.start) && body[tag.clone()].starts_with("{{"));
        let Some(broken) = broken.filter(|tag| found.len() < MOST && body[tag.clone()].ends_with("}}")) else {
            return (found, None);
        };
        let blanks: String = body[broken.clone()].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
        body.replace_range(broken, &blanks);
    }
    (found, Some(body))
}

/// What to do about a problem of syntax at an offset of a body that begins after so many lines of its file.
fn help(message: &str, body: &str, at: usize, before: usize) -> String {
    let tags = markdown::tags(body);
    let line = |offset: usize| before + body[..offset].matches('\n').count() + 1;
    let tag = tags.iter().rev().find(|tag| tag.start <= at).map(|tag| &body[tag.clone()]);
    if let Some(quote) = tag.and_then(|tag| tag.chars().find(|c| "“”„«»‘’".contains(*c))) {
        return format!("the quote {quote} is one of a text: within {{{{ }}}} write straight quotes, \"…\"");
    }
    for open in &tags {
        let tag = &body[open.clone()];
        let (opening, closing) = match tag.get(..2) {
            Some("{%") => ("{%", "%}"),
            Some("{#") => ("{#", "#}"),
            _ => ("{{", "}}"),
        };
        if !tag.ends_with(closing) {
            return format!("a `{opening}` has no `{closing}`: {:?}", first_words(tag));
        }
    }
    if let Some((word, offset)) =
        unclosed(body, &tags).filter(|_| message.starts_with("Unexpected end") || message.contains("end"))
    {
        return format!("the {{% {word} … %}} of line {} has no {{% end{word} %}}", line(offset));
    }
    if message.contains("`}}`") && message.contains("identifier") {
        return "a name is missing before `}}`: {{ vars.name }}, or with a filter {{ vars.name | long_date }}"
            .to_owned();
    }
    if message.contains("Found `%}`") {
        return "something is missing before `%}`: {% if state %}, {% for one in vars.list %}".to_owned();
    }
    SYNTAX_HELP.to_owned()
}

fn first_words(text: &str) -> String {
    text.chars().take_while(|c| *c != '\n').take(30).collect()
}

/// The last block that was opened and not closed, and its offset.
fn unclosed(body: &str, tags: &[std::ops::Range<usize>]) -> Option<(&'static str, usize)> {
    let mut open: Vec<(&'static str, usize)> = Vec::new();
    for tag in tags {
        let word = body[tag.clone()].trim_start_matches(['{', '%', '-']).trim_start();
        if word.starts_with("end") {
            open.pop();
        } else if let Some(kind) = ["if", "for", "block", "raw"].into_iter().find(|kind| {
            body[tag.clone()].starts_with("{%")
                && word.strip_prefix(kind).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        }) {
            open.push((kind, tag.start));
        }
    }
    open.pop()
}

/// What loading said about templates as a whole: names of filters, functions and files.
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
            vec![with_place(
                Diagnostic::error("template-include", message).help(INCLUDE_HELP),
                naming(sources, current, parent),
            )]
        }
        ErrorKind::CircularInclude { tpl, include_chain } => {
            let message = format!("templates include each other in a circle: {}", include_chain.join(", "));
            let problem = Diagnostic::error("template-include", message).help("take one of these includes out");
            vec![with_place(problem, naming(sources, tpl, ""))]
        }
        other => vec![Diagnostic::error("template-syntax", sentence(&other.to_string())).help(SYNTAX_HELP)],
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
    problem.help = if outside { Some(INCLUDE_HELP.to_owned()) } else { known_names(message) };
    let source = sources.get(template)?;
    let body = &source.text[source.at.clone()];
    let start: usize = body.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let offset: usize = body[start..].chars().take(column - 1).map(char::len_utf8).sum();
    Some(with_place(problem, place(sources, template, &(start + offset..start + offset + width))))
}

/// For "Unknown filter `long_dat`": the near name, else the names there are.
fn known_names(message: &str) -> Option<String> {
    let unknown = message.split('`').nth(1)?;
    let (names, written): (Vec<&str>, fn(&str) -> String) = if message.contains("filter") {
        (functions::FILTERS.into_iter().chain(FILTERS).collect(), |name| format!("| {name}"))
    } else if message.contains("function") {
        (functions::NAMES.to_vec(), |name| format!("{name}(…)"))
    } else if message.contains("test") {
        (TESTS.to_vec(), |name| format!("is {name}"))
    } else {
        return None;
    };
    // A filter written as a function, or the other way round.
    if message.contains("function") && functions::FILTERS.contains(&unknown) {
        return Some(format!("`{unknown}` is a filter: {{{{ value | {unknown} }}}}"));
    }
    if message.contains("filter") && functions::NAMES.contains(&unknown) {
        return Some(format!("`{unknown}` is a function: {{{{ {unknown}() }}}}"));
    }
    Some(match nearest(unknown, names.iter().copied()) {
        Some(near) => format!("did you mean `{}`?", written(near)),
        None => format!("there are {}", names.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(body: &str) -> Vec<String> {
        problems("x", body, &Sources::new()).0.into_iter().map(|problem| problem.help.unwrap_or_default()).collect()
    }

    #[test]
    fn each_slip_gets_its_own_help() {
        assert_eq!(told("a\n{% if x %}b"), ["the {% if … %} of line 2 has no {% endif %}"]);
        assert_eq!(told("{% if x"), ["a `{%` has no `%}`: \"{% if x\""]);
        assert_eq!(told("{{ a | }}")[0][..35], *"a name is missing before `}}`: {{ v");
        assert_eq!(told("{{ row[“x”] }}"), ["the quote “ is one of a text: within {{ }} write straight quotes, \"…\""]);
        assert_eq!(told("{{ a b }}")[0][..34], *"a value is {{ vars.name }}, a choi");
    }

    #[test]
    fn several_slips_of_one_file_are_told_at_once() {
        assert_eq!(told("{{ a | }} {{ b b }} {{ fine }} {{ c. }}").len(), 3);
    }

    proptest::proptest! {
        #[test]
        fn no_template_makes_it_panic(body in "(\\{\\{|\\}\\}|\\{%|%\\}|if|endif|for|[a-zé“ \n|.\"]){0,30}") {
            let _ = told(&body);
        }
    }
}
