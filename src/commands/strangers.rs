//! Letters that name somebody else's state, person or address: a column that slipped by a row, or a copied sentence.
//!
//! What all letters say is meant for all of them: words that stand in the templates or in the settings, and words that most
//! letters of a language have, are no sign of anything.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aho_corasick::{AhoCorasick, MatchKind};

use crate::diagnostic::{Diagnostic, Place};
use crate::domain::language::Language;
use crate::domain::recipient::Recipient;
use crate::domain::settings::LetterSettings;
use crate::domain::state::{self, StateCode};
use crate::letter::{Rendered, SourceFile};
use crate::roster::Row;

use super::prepare::name_of;

/// Above so many rows a list is no list of missions, and the search would cost more than it finds.
const MOST_ROWS: usize = 5_000;
/// So many warnings are told; of the others only the number.
const MOST_TOLD: usize = 20;

/// What other rows are known by, in each language of the batch.
pub(super) struct Strangers {
    by_language: BTreeMap<Language, Signs>,
    default_language: Language,
    file: String,
    letters: BTreeMap<Language, usize>,
}

struct Signs {
    search: AhoCorasick,
    signs: Vec<Sign>,
}

/// A text, and whose it is.
struct Sign {
    text: String,
    kind: Kind,
    states: BTreeSet<StateCode>,
    /// Indexes of the rows it stands in.
    rows: BTreeSet<usize>,
    /// In the templates or the settings: the letter says it of itself.
    own_words: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    State,
    Person,
    Address,
}

/// A sign of another row in a letter.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Met {
    /// The line of the row to which the letter goes.
    line: u64,
    language: Language,
    kind: Kind,
    text: String,
    /// Whose it is, in words.
    whose: String,
}

impl Strangers {
    /// The signs of all rows; `None` for lists that are too long, or have nobody to be mixed up with.
    pub(super) fn of(rows: &[Row], templates: &[SourceFile], settings: &LetterSettings, file: &str) -> Option<Self> {
        if rows.len() > MOST_ROWS || rows.len() < 2 {
            return None;
        }
        let mut letters: BTreeMap<Language, usize> = BTreeMap::new();
        for row in rows {
            let language = row.recipient.language.as_ref().unwrap_or(&settings.default_language);
            *letters.entry(language.clone()).or_default() += 1;
        }
        let mut own_words: String = templates.iter().map(|file| String::from_utf8_lossy(&file.bytes)).collect();
        own_words.push_str(&serde_json::to_string(settings).unwrap_or_default());
        let own_words = plain(&own_words);
        let mut by_language = BTreeMap::new();
        for language in letters.keys() {
            by_language.insert(language.clone(), Signs::of(rows, language, &own_words)?);
        }
        let default_language = settings.default_language.clone();
        Some(Self { by_language, default_language, file: file.to_owned(), letters })
    }

    /// What the letter to `recipient` has of others.
    pub(super) fn meet(&self, recipient: &Recipient, index: usize, rendered: &Rendered) -> BTreeSet<Met> {
        let language = recipient.language.as_ref().unwrap_or(&self.default_language);
        let Some(signs) = self.by_language.get(language) else { return BTreeSet::new() };
        let text = plain(&format!("{}\n{}", rendered.subject, rendered.text));
        let met = |kind, text: &str, whose| Met {
            line: recipient.line,
            language: language.clone(),
            kind,
            text: text.to_owned(),
            whose,
        };
        let mut found: BTreeSet<Met> = signs
            .in_text(&text)
            .filter(|sign| !sign.own_words || sign.kind != Kind::State)
            .filter(|sign| !sign.is_of(recipient, index))
            .map(|sign| met(sign.kind, &sign.text, sign.whose()))
            .collect();
        for (column, cell) in &recipient.columns {
            let other =
                Some(cell).filter(|cell| cell.len() > 3 && column != "name").and_then(|cell| state::lookup(cell));
            if let Some(other) = other.filter(|other| recipient.state.is_some_and(|own| own != other.code))
                && contains(&text, &plain(cell))
            {
                found.insert(met(Kind::State, cell, other.name("en").to_owned()));
            }
        }
        found
    }

    /// A warning for each, but for what most letters of a language have.
    pub(super) fn warnings(&self, met: &[Met], rows: &[Row]) -> Vec<Diagnostic> {
        let mut counts: HashMap<(&Language, &str), usize> = HashMap::new();
        for one in met {
            *counts.entry((&one.language, &one.text)).or_default() += 1;
        }
        let in_most = |one: &Met| {
            let (count, all) = (counts[&(&one.language, one.text.as_str())], self.letters[&one.language]);
            all > 2 && count * 2 > all
        };
        let lines: HashMap<u64, &Recipient> = rows.iter().map(|row| (row.recipient.line, &row.recipient)).collect();
        let told: Vec<&Met> = met.iter().filter(|one| !in_most(one)).collect();
        let mut warnings: Vec<Diagnostic> =
            told.iter().take(MOST_TOLD).filter_map(|one| Some(self.warning(one, lines.get(&one.line)?))).collect();
        if told.len() > MOST_TOLD {
            let message =
                format!("{} letters more name somebody else's state, person or address", told.len() - MOST_TOLD);
            warnings.push(Diagnostic::warning("letter-mixed-up", message).at(Place::file(&self.file)));
        }
        warnings
    }

    fn warning(&self, met: &Met, recipient: &Recipient) -> Diagnostic {
        let what = match met.kind {
            Kind::State => format!("another state, \"{}\"", met.text),
            Kind::Person => format!("\"{}\", who stands in the row of {}", met.text, met.whose),
            Kind::Address => format!("{}, an address of {}", met.text, met.whose),
        };
        let message = format!("the letter to {} names {what}", name_of(recipient));
        let place = Place { line: usize::try_from(met.line).unwrap_or(0), ..Place::file(&self.file) };
        let help = "look at it in `demarche preview`: has a column slipped by a row, or was a sentence copied?";
        Diagnostic::warning("letter-mixed-up", message).at(place).help(help)
    }
}

impl Signs {
    fn of(rows: &[Row], language: &Language, own_words: &str) -> Option<Self> {
        let mut signs: BTreeMap<String, Sign> = BTreeMap::new();
        let mut add = |text: &str, kind: Kind, state: Option<StateCode>, row: Option<usize>| {
            let text = plain(text);
            if text.is_empty() {
                return;
            }
            let new =
                || Sign { text: text.clone(), kind, states: BTreeSet::new(), rows: BTreeSet::new(), own_words: false };
            let sign = signs.entry(text.clone()).or_insert_with(new);
            sign.states.extend(state);
            sign.rows.extend(row);
        };
        let names: Vec<(StateCode, String)> = state::all()
            .iter()
            .flat_map(|state| {
                [state.name(language.as_str()), state.formal(language.as_str())].map(|name| (state.code, plain(name)))
            })
            .collect();
        for state in state::all() {
            let formal = plain(without_article(state.formal(language.as_str())));
            // A name inside another's ("Ireland") may be part of the other's, however that is written.
            if !names.iter().any(|(other, name)| *other != state.code && name.contains(&formal)) {
                add(&formal, Kind::State, Some(state.code), None);
            }
        }
        for (index, row) in rows.iter().enumerate() {
            let recipient = &row.recipient;
            if let Some(name) = &recipient.name {
                add(name, Kind::Person, recipient.state, Some(index));
            }
            for mailbox in recipient.to.iter().chain(&recipient.cc) {
                add(&mailbox.address(), Kind::Address, recipient.state, Some(index));
            }
        }
        let signs: Vec<Sign> = signs.into_values().collect();
        let texts = signs.iter().map(|sign| &sign.text);
        let search = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(texts).ok()?;
        let mut signs = Self { search, signs };
        let own: Vec<usize> = signs.found(own_words).collect();
        for index in own {
            signs.signs[index].own_words = true;
        }
        Some(signs)
    }

    /// Indexes of the signs in a text, where they stand as words of their own.
    fn found<'a>(&'a self, text: &'a str) -> impl Iterator<Item = usize> + 'a {
        let matches = self.search.find_iter(text);
        matches.filter(|found| stands_alone(text, found.start(), found.end())).map(|found| found.pattern().as_usize())
    }

    fn in_text<'a>(&'a self, text: &'a str) -> impl Iterator<Item = &'a Sign> + 'a {
        self.found(text).map(|index| &self.signs[index])
    }
}

impl Sign {
    /// True if a letter to that row may have it: it is its own, or its state's. A name of one word is no sign at all: it is
    /// known so that a state's name in it is not taken for the state.
    fn is_of(&self, recipient: &Recipient, index: usize) -> bool {
        self.rows.contains(&index)
            || recipient.state.is_some_and(|state| self.states.contains(&state))
            || (self.kind == Kind::Person && !self.text.contains(' '))
    }

    fn whose(&self) -> String {
        let names: Vec<&str> = self.states.iter().map(|code| code.state().name("en")).collect();
        if names.is_empty() { "another row".to_owned() } else { names.join(" and ") }
    }
}

/// The formal name without its article, which a sentence may have changed.
fn without_article(formal: &str) -> &str {
    let articles = ["the ", "la ", "le ", "les ", "el ", "los ", "las ", "l'", "l\u{2019}"];
    articles.iter().find_map(|article| formal.strip_prefix(article)).unwrap_or(formal)
}

/// As a reader reads it: one blank between words, plain apostrophes, no marks of direction.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{feff}' => {}
            '\u{2019}' => plain.push('\''),
            c if c.is_whitespace() => {
                if !plain.ends_with(' ') && !plain.is_empty() {
                    plain.push(' ');
                }
            }
            c => plain.push(c),
        }
    }
    plain.truncate(plain.trim_end().len());
    plain
}

fn contains(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| stands_alone(text, at, at + word.len()))
}

/// True if no word goes on over either end. Chinese has no blanks between words.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() && !('\u{2e80}'..='\u{9fff}').contains(&c));
    let (before, after) = (text[..start].chars().next_back(), text[end..].chars().next());
    let (first, last) = (text[start..end].chars().next(), text[start..end].chars().next_back());
    let goes_on = joins(before) && joins(first) || joins(after) && joins(last);
    !goes_on
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_inside_another_does_not_stand_alone() {
        assert!(contains("to Niger, and", "Niger") && !contains("to Nigeria", "Niger"));
        assert!(contains("致尼日尔共和国的", "尼日尔共和国"));
        assert_eq!(plain(" a\u{a0}\n b\u{200f}c\u{2019}s "), "a bc's");
    }
}
