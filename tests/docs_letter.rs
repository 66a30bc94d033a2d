//! The pages on templates and on addressing say what is so: each example is tried.

mod letter_common;

use demarche::domain::language::Language;
use demarche::domain::recipient::{Gender, Rank, Recipient};
use letter_common::{render, row, shown, try_load, with_rank};

const ADDRESSING: &str = include_str!("../docs/addressing.md");
const TEMPLATES: &str = include_str!("../docs/templates.md");

/// The cells of a row of a Markdown table; `\|` is a bar in a cell.
fn cells(line: &str) -> Vec<String> {
    let line = line.trim().trim_start_matches('|').trim_end_matches('|').replace("\\|", "\u{1}");
    line.split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect()
}

/// `KEN, chargé d'affaires, female, name (Name)`, or `an office`.
fn recipient(text: &str) -> Recipient {
    let mut parts = text.split(", ");
    let state = parts.next().expect("a state");
    let (mut rank, mut gender, mut name) = (Rank::PermanentRepresentative, None, None);
    for part in parts {
        match part {
            "chargé d'affaires" => rank = Rank::ChargeDAffaires,
            "permanent observer" => rank = Rank::PermanentObserver,
            "vacant" => rank = Rank::Vacant,
            "female" => gender = Some(Gender::Female),
            "male" => gender = Some(Gender::Male),
            other => name = Some(other.strip_prefix("name ").unwrap_or_else(|| panic!("{other}: what is that?"))),
        }
    }
    with_rank(if state == "an office" { "" } else { state }, rank, gender, name)
}

#[test]
fn every_example_of_the_page_on_addressing_comes_out_as_it_says() {
    let mut tried = 0;
    for line in ADDRESSING.lines().filter(|line| line.starts_with("| `")) {
        let [template, language, row, expected] = <[String; 4]>::try_from(cells(line)).expect("four cells");
        let body = template.trim_matches('`');
        let letter = format!("+++\nsubject = 'S'\n+++\n{body}\n");
        let (letter, problems) =
            try_load(&[("letter.en.md", "+++\nsubject = 'S'\n+++\nA\n"), (&format!("letter.{language}.md"), &letter)]);
        let letter = letter.unwrap_or_else(|| panic!("{line}\n{}", shown(&problems)));
        let row = Recipient { language: Language::parse(&language).ok(), ..recipient(&row) };
        let got = render(&letter, &row).text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(got, expected, "{line}");
        tried += 1;
    }
    assert!(tried > 60, "only {tried} examples found");
}

#[test]
fn every_value_of_the_page_on_templates_can_be_written() {
    let mut tried = 0;
    for line in TEMPLATES.lines().filter(|line| line.starts_with("| `{")) {
        for body in cells(line)[0].split("`, `").map(|body| body.trim_matches('`')) {
            let files = [("letter.en.md", format!("+++\nsubject = 'S'\n+++\nA {body}\n"))];
            let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
            let (letter, problems) = try_load(&files);
            let letter = letter.unwrap_or_else(|| panic!("{line}\n{}", shown(&problems)));
            let mut row = row("KEN");
            row.columns.extend([("delegate".into(), "x".into()), ("rank".into(), "vacant".into())]);
            assert!(!render(&letter, &row).text.trim().is_empty(), "{line}");
            tried += 1;
        }
    }
    assert!(tried > 10, "only {tried} values found");
}

#[test]
fn the_pages_are_found_from_the_readme() {
    let readme = include_str!("../README.md");
    for page in ["docs/templates.md", "docs/addressing.md", "docs/languages.md"] {
        assert!(readme.contains(&format!("({page})")), "{page}");
    }
}
