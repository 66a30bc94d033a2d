//! Problems in a few lines: how many there are and where, and of warnings and notes a few lines for each kind.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Severity};
use crate::domain::reply::visible;

/// The most kinds that have lines of their own.
const KINDS: usize = 8;
/// The most lines of a kind: two missions that share an address, and two others that do, are two questions.
const OF_A_KIND: usize = 3;

/// "2 warnings and 1 note; `demarche check` shows each at its place:".
pub(super) fn heading(remarks: &[Diagnostic]) -> String {
    let which = if remarks.len() == 1 { "it" } else { "each" };
    format!("{}; `demarche check` shows {which} at its place:", counts(remarks))
}

/// "3 errors (recipients.csv 2, config.toml 1) and 2 warnings".
pub(super) fn errors(problems: &[Diagnostic]) -> String {
    let mut files: BTreeMap<&str, usize> = BTreeMap::new();
    let errors: Vec<&Diagnostic> = problems.iter().filter(|problem| problem.is_error()).collect();
    for place in errors.iter().filter_map(|problem| problem.place.as_ref()) {
        *files.entry(&place.file).or_default() += 1;
    }
    let told = count(errors.len(), "error");
    if files.len() < 2 || files.values().sum::<usize>() < errors.len() {
        return told;
    }
    let files: Vec<String> = files.into_iter().map(|(file, count)| format!("{count} in {}", visible(file))).collect();
    format!("{told} ({})", files.join(", "))
}

/// "2 warnings and 1 note"; empty if there are none.
pub(super) fn counts(problems: &[Diagnostic]) -> String {
    let of = |severity| problems.iter().filter(|problem| problem.severity == severity).count();
    let kinds = [(of(Severity::Warning), "warning"), (of(Severity::Note), "note")];
    let kinds: Vec<String> =
        kinds.iter().filter(|(number, _)| *number > 0).map(|(number, noun)| count(*number, noun)).collect();
    kinds.join(" and ")
}

fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Lines for each kind, warnings before notes: the first few of the kind with their places, and how many more there are.
pub(super) fn lines(remarks: &[Diagnostic]) -> Vec<String> {
    let mut kinds: Vec<Vec<&Diagnostic>> = Vec::new();
    for severity in [Severity::Warning, Severity::Note] {
        for remark in remarks.iter().filter(|remark| remark.severity == severity) {
            // What has no name is a kind of its own.
            let same = |kind: &&mut Vec<&Diagnostic>| {
                !remark.code.is_empty() && kind[0].code == remark.code && kind[0].severity == severity
            };
            match kinds.iter_mut().find(same) {
                Some(kind) => kind.push(remark),
                None => kinds.push(vec![remark]),
            }
        }
    }
    let rest: usize = kinds.iter().skip(KINDS).map(Vec::len).sum();
    let mut lines: Vec<String> = kinds.iter().take(KINDS).flat_map(|kind| of_kind(kind)).collect();
    if rest > 0 {
        lines.push(format!("and {rest} more"));
    }
    lines
}

/// The first few, each with its place; the last of these says how many more there are.
fn of_kind(kind: &[&Diagnostic]) -> Vec<String> {
    let last = kind.len().min(OF_A_KIND) - 1;
    let more = |index: usize| if index == last { kind.len() - 1 - last } else { 0 };
    kind.iter().take(OF_A_KIND).enumerate().map(|(index, remark)| line(remark, more(index))).collect()
}

/// "recipients.csv:17 (and 2 more): the cell is not …": what matters stands where a narrow terminal does not cut it.
fn line(remark: &Diagnostic, more: usize) -> String {
    let place = remark.place.as_ref().filter(|place| place.line > 0).map(|place| match &place.cell {
        Some(cell) => format!("{}:{}", place.file, cell.name),
        None => format!("{}:{}", place.file, place.line),
    });
    let more = (more > 0).then(|| format!("(and {more} more like it)"));
    let head: Vec<String> = place.into_iter().chain(more).collect();
    let head = if head.is_empty() { String::new() } else { format!("{}: ", head.join(" ")) };
    visible(&format!("{head}{}", remark.message.lines().next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Place;

    #[test]
    fn each_kind_has_a_few_lines_and_nothing_goes_uncounted() {
        let shared = |line: usize| {
            Diagnostic::warning("address-shared", format!("{line}@m.example stands in 2 rows"))
                .at(Place { line, ..Place::file("recipients.csv") })
        };
        let mut remarks = vec![
            Diagnostic::note("columns-taken", "two columns were taken for ours"),
            shared(17),
            Diagnostic::warning("placeholders", "193 placeholder addresses"),
            shared(40),
        ];
        assert_eq!(heading(&remarks), "3 warnings and 1 note; `demarche check` shows each at its place:");
        let two =
            ["recipients.csv:17: 17@m.example stands in 2 rows", "recipients.csv:40: 40@m.example stands in 2 rows"];
        let others = ["193 placeholder addresses", "two columns were taken for ours"];
        assert_eq!(lines(&remarks), [two, others].concat());
        remarks.extend([shared(50), shared(60), shared(70)]);
        let third = "recipients.csv:50 (and 2 more like it): 50@m.example stands in 2 rows";
        assert_eq!(lines(&remarks), [&two[..], &[third], &others].concat());
    }

    #[test]
    fn errors_are_counted_by_file_where_there_are_several() {
        let error = |file: &str| Diagnostic::error("x", "x").at(Place::file(file));
        assert_eq!(errors(&[error("a"), Diagnostic::warning("w", "w")]), "1 error");
        assert_eq!(errors(&[error("b"), error("a"), error("b")]), "3 errors (1 in a, 2 in b)");
    }
}
