//! Every file in `tests/fixtures`, as it came: exactly these rows, and exactly these complaints.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::options;
use demarche::diagnostic::Diagnostic;
use demarche::domain::audience::Audience;
use demarche::domain::language::Language;
use demarche::domain::mailbox::Mailbox;
use demarche::roster::{self, Options, Row};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// How the names of lists end; other tests keep other files there.
const LISTS: [&str; 4] = [".csv", ".txt", ".xlsx", ".ods"];

fn files() -> Vec<String> {
    let entries = fs::read_dir(folder()).expect("readable");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name in UTF-8"));
    let mut files: Vec<String> = names.filter(|name| LISTS.iter().any(|end| name.ends_with(end))).collect();
    files.sort();
    files
}

fn row(row: &Row) -> String {
    let recipient = &row.recipient;
    let list = |all: &[Mailbox]| all.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    let language = recipient.language.as_ref().map_or("-", Language::as_str);
    let gender = recipient.gender.map_or("-".to_owned(), |gender| format!("{gender:?}"));
    let cc = if recipient.cc.is_empty() { String::new() } else { format!(" cc {}", list(&recipient.cc)) };
    format!("{} {} {:?} {gender} {language} {}{cc}", recipient.line, recipient.id, recipient.rank, list(&recipient.to))
}

fn complaint(problem: &Diagnostic) -> String {
    let place = problem.place.as_ref().expect("a place");
    let place = match (&place.cell, place.line) {
        (Some(cell), _) => cell.name.clone(),
        (None, 0) => "whole".to_owned(),
        (None, line) => format!("{line}:{}", place.column),
    };
    let help = problem.help.as_ref().map_or_else(String::new, |help| format!("\n    {}", help.replace('\n', "\n    ")));
    format!("{:?} {} at {place}: {}{help}", problem.severity, problem.code, problem.message)
}

#[test]
fn every_file_gives_the_right_rows_and_the_right_complaints() {
    let languages = ["ar", "en", "es", "fr", "ru", "zh"].map(|tag| Language::parse(tag).expect("a tag")).to_vec();
    for file in files() {
        let options =
            Options { file: file.clone(), audience: Audience::Any, languages: languages.clone(), ..options() };
        let roster = roster::read(&fs::read(folder().join(&file)).expect("readable"), &options);
        let rows = roster.rows.iter().map(row);
        let complaints = roster.diagnostics.iter().filter(|problem| problem.code != "placeholders").map(complaint);
        let seen = rows.chain([String::new()]).chain(complaints).collect::<Vec<_>>().join("\n");
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(file.replace('.', "_"), seen);
        });
    }
}

#[test]
fn every_file_is_explained() {
    let page = fs::read_to_string(folder().join("README.md")).expect("a page");
    for file in files() {
        assert!(page.contains(&format!("`{file}`")), "{file} is not in tests/fixtures/README.md");
    }
}
