//! The TOML between `+++` lines at the head of a letter: `subject`, `attachments`, `translated_from`.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Diagnostic, Place};
use crate::domain::language::Language;

/// The keys there are.
const KEYS: [&str; 3] = ["subject", "attachments", "translated_from"];

/// What a letter says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct FrontMatter {
    /// A template.
    pub(super) subject: String,
    /// Where the subject's text is in the file. Its offsets are those of the template only if it has no escapes.
    pub(super) subject_at: Range<usize>,
    /// Paths relative to the campaign folder.
    pub(super) attachments: Vec<String>,
    /// The language of the original.
    pub(super) translated_from: Option<Language>,
    /// Where the body begins in the file.
    pub(super) body_at: usize,
}

/// Reads the head of a letter. `text` has LF line ends only; `file` is how the path is shown.
pub(super) fn read(file: &str, text: &str) -> (Option<FrontMatter>, Vec<Diagnostic>) {
    let missing = |message: &str| {
        let help = "begin the letter with\n+++\nsubject = \"…\"\n+++";
        vec![Diagnostic::error("front-matter", message).at(Place::in_text(file, text, 0..0)).help(help)]
    };
    let Some(head_at) = fence(text, 0) else {
        return (None, missing("the letter has no front matter"));
    };
    let mut at = head_at;
    let end = loop {
        if let Some(body_at) = fence(text, at) {
            break body_at;
        }
        match text[at..].find('\n') {
            Some(length) => at += length + 1,
            None => return (None, missing("the front matter has no end: a line with \"+++\"")),
        }
    };
    let mut reader = Reader {
        file,
        text,
        head_at,
        found: FrontMatter { body_at: end, ..FrontMatter::default() },
        problems: Vec::new(),
    };
    match DeTable::parse(&text[head_at..at]) {
        Ok(table) => reader.table(table.get_ref()),
        Err(error) => {
            reader.problem(error.span().unwrap_or(0..0), error.message().to_owned());
            return (None, reader.problems);
        }
    }
    if reader.found.subject_at.is_empty() && reader.problems.is_empty() {
        return (None, missing("the front matter has no `subject`"));
    }
    if reader.problems.is_empty() { (Some(reader.found), Vec::new()) } else { (None, reader.problems) }
}

/// The end of a fence line that begins at `at`.
fn fence(text: &str, at: usize) -> Option<usize> {
    let line_end = text[at..].find('\n').map_or(text.len(), |length| at + length + 1);
    (text[at..line_end].trim_end() == "+++").then_some(line_end)
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    head_at: usize,
    found: FrontMatter,
    problems: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn problem(&mut self, span: Range<usize>, message: String) -> &mut Diagnostic {
        let place = Place::in_text(self.file, self.text, self.head_at + span.start..self.head_at + span.end);
        self.problems.push(Diagnostic::error("front-matter", message).at(place));
        let last = self.problems.len() - 1;
        &mut self.problems[last]
    }

    fn table(&mut self, table: &DeTable<'_>) {
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in entries {
            match key.get_ref().as_ref() {
                "subject" => self.subject(value),
                "attachments" => self.attachments(value),
                "translated_from" => self.translated_from(value),
                other => {
                    let near = super::errors::nearest(other, KEYS.into_iter());
                    let help = near.map_or_else(
                        || format!("the keys are {}", KEYS.join(", ")),
                        |near| format!("did you mean \"{near}\"?"),
                    );
                    self.problem(key.span(), format!("unknown key \"{other}\"")).help = Some(help);
                }
            }
        }
    }

    fn string<'a>(&mut self, value: &'a Spanned<DeValue<'_>>, what: &str) -> Option<&'a str> {
        if let DeValue::String(text) = value.get_ref() {
            return Some(text.as_ref());
        }
        self.problem(value.span(), format!("{what} is a text in quotes"));
        None
    }

    fn subject(&mut self, value: &Spanned<DeValue<'_>>) {
        let Some(subject) = self.string(value, "subject").map(str::to_owned) else { return };
        if subject.trim().is_empty() {
            self.problem(value.span(), "the subject is empty".to_owned());
            return;
        }
        let span = self.head_at + value.span().start..self.head_at + value.span().end;
        let within = self.text[span.clone()].find(&subject).unwrap_or(0);
        self.found.subject_at = span.start + within..span.end;
        self.found.subject = subject;
    }

    fn attachments(&mut self, value: &Spanned<DeValue<'_>>) {
        let DeValue::Array(items) = value.get_ref() else {
            self.problem(value.span(), "attachments is a list of paths: [\"annex.pdf\"]".to_owned());
            return;
        };
        for item in items {
            if let Some(path) = self.string(item, "an attachment").map(str::to_owned) {
                self.found.attachments.push(path);
            }
        }
    }

    fn translated_from(&mut self, value: &Spanned<DeValue<'_>>) {
        let Some(tag) = self.string(value, "translated_from").map(str::to_owned) else { return };
        match Language::parse(&tag) {
            Ok(language) => self.found.translated_from = Some(language),
            Err(error) => drop(self.problem(value.span(), error.to_string()).help.take()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_is_read_and_the_body_begins_after_it() {
        let text = "+++\nsubject = \"A {{ b }}\"\nattachments = [\"x.pdf\"]\ntranslated_from = \"en\"\n+++\nBody\n";
        let (found, problems) = read("letter.en.md", text);
        let found = found.expect("read");
        assert!(problems.is_empty());
        assert_eq!(&text[found.body_at..], "Body\n");
        assert!(text[found.subject_at.clone()].starts_with("A {{ b }}"));
        assert_eq!((found.subject.as_str(), found.attachments.len()), ("A {{ b }}", 1));
        assert_eq!(found.translated_from.expect("a language").as_str(), "en");
    }

    #[test]
    fn every_problem_of_the_head_is_told_with_its_place() {
        let text = "+++\nsubjet = \"A\"\nattachments = \"x\"\ntranslated_from = \"english\"\n+++\nBody\n";
        let (found, problems) = read("letter.en.md", text);
        assert!(found.is_none());
        let told: Vec<String> = problems.iter().map(|problem| problem.render(false)).collect();
        insta::assert_snapshot!(told.concat());
    }

    #[test]
    fn a_letter_without_a_head_or_with_one_that_does_not_end_is_told() {
        for text in [
            "",
            "Body\n",
            "+++\nsubject = \"x\"\nBody\n",
            "+++\n+++\n",
            "+++\nsubject = \n+++\n",
            "+++\nsubject = \" \"\n+++\n",
        ] {
            let (found, problems) = read("f", text);
            assert!(found.is_none() && problems.len() == 1, "{text}: {problems:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(\\+\\+\\+\n)?(?s).{0,80}(\n\\+\\+\\+\n)?") {
            let _ = read("f", &text);
        }
    }
}
