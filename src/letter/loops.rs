//! What the loops of a template may be: not too deep, and over something that has an order.

use crate::diagnostic::{Diagnostic, Place};

use super::errors::Source;
use super::markdown;

/// How deep loops may lie in each other: with at most 1,000 turns each, a million.
const LOOP_DEPTH_CAP: usize = 2;

/// `[vars]` of the config.
pub(super) type Vars = serde_json::Map<String, serde_json::Value>;

/// True for what a loop names if it is a table as it stands.
fn is_table(list: &str, vars: &Vars) -> bool {
    if ["row", "state", "vars", "campaign", "event", "sender"].contains(&list) || list.starts_with('{') {
        return true;
    }
    let mut path = list.split('.');
    let in_vars = path.next() == Some("vars");
    let first = path.next().and_then(|name| vars.get(name));
    in_vars
        && path
            .try_fold(first, |value, name| Some(value?.get(name)))
            .flatten()
            .is_some_and(serde_json::Value::is_object)
}

/// Loops in loops past the cap, and loops over tables, which have no order.
pub(super) fn lint(source: &Source, vars: &Vars) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let body = &source.text[source.at.clone()];
    let mut depth: usize = 0;
    for tag in markdown::tags(body) {
        let words = body[tag.clone()].trim_start_matches(['{', '%', '-']).trim_start();
        let place =
            || Place::in_text(&source.file, &source.text, source.at.start + tag.start..source.at.start + tag.end);
        if words.starts_with("endfor") {
            depth = depth.saturating_sub(1);
        } else if let Some(names) = words.strip_prefix("for ") {
            depth += 1;
            if depth > LOOP_DEPTH_CAP {
                let message = format!("a loop within {LOOP_DEPTH_CAP} others is past the cap");
                problems.push(
                    Diagnostic::error("letter-loop", message)
                        .at(place())
                        .help("write the innermost list out, or put it into one text of [vars]"),
                );
            }
            let (names, list) = names.split_once(" in ").unwrap_or((names, ""));
            if names.contains(',') || is_table(list.trim_end_matches(['%', '}', '-']).trim(), vars) {
                problems.push(
                    Diagnostic::error("letter-loop", "a loop over a table has no fixed order")
                        .at(place())
                        .help("write {% for pair in table | pairs %} and use pair[0] and pair[1]"),
                );
            }
        }
    }
    problems
}
