//! A cursor over the parsed config: getters that collect what is wrong, each problem at its place, and go on.

use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::path::Path;

use toml::de::DeTable;

use super::secrets::{Secrets, names_a_secret};
use super::value::Value;
use crate::diagnostic::{Diagnostic, Place, any_error};

/// How many problems are told of one file: with more, it is most likely no config at all.
const MOST_PROBLEMS: usize = 200;

/// The longest name of an unknown key that is repeated, in characters.
const MOST_OF_A_KEY: usize = 60;

/// The text being read, and what was found wrong with it so far.
pub(super) struct Sheet<'s> {
    text: &'s str,
    shown: &'s str,
    /// The campaign folder.
    pub(super) folder: &'s Path,
    secrets: RefCell<Secrets>,
    found: RefCell<Vec<Diagnostic>>,
    /// Lines whose syntax is wrong: what was understood of them is not judged.
    broken: RefCell<Vec<usize>>,
    /// Some syntax is wrong: what is missing may only not have been understood.
    quiet: Cell<bool>,
}

impl<'s> Sheet<'s> {
    /// A sheet on which nothing was found yet.
    pub(super) fn new(text: &'s str, shown: &'s str, folder: &'s Path) -> Self {
        Self {
            text,
            shown,
            folder,
            secrets: RefCell::new(Secrets::find(text)),
            found: RefCell::default(),
            broken: RefCell::default(),
            quiet: Cell::new(false),
        }
    }

    /// A problem of syntax; the first of a line is told, since the others mostly follow from it.
    pub(super) fn tell_syntax(&self, error: &toml::de::Error) {
        self.quiet.set(true);
        if self.overflows() {
            return;
        }
        let range = error.span().unwrap_or(self.text.len()..self.text.len());
        let place = Place::in_text(self.shown, self.text, range);
        if self.broken.borrow().contains(&place.line) {
            return;
        }
        self.broken.borrow_mut().push(place.line);
        if error.message() == "duplicate key"
            && let Some(problem) = self.twice(place.line)
        {
            self.found.borrow_mut().push(problem.at(place));
            return;
        }
        if let Some(problem) = self.without_quotes(place.line) {
            self.found.borrow_mut().push(problem.at(place));
            return;
        }
        let message = format!("this is not TOML: {}", error.message());
        let help = "write key = \"text in quotes\", key = 5 or key = [\"a\", \"list\"], one to a line";
        self.found.borrow_mut().push(Diagnostic::error("toml-syntax", message).at(place).help(help));
    }

    /// A text that stands without quotes in that line. What it is may be a secret, and is not said.
    fn without_quotes(&self, line: usize) -> Option<Diagnostic> {
        let (key, value) = self.text.lines().nth(line.checked_sub(1)?)?.split_once('=')?;
        let (key, value) = (key.trim(), value.trim());
        let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        let text = value.starts_with(|c: char| c.is_alphanumeric()) && !value.contains(['"', '\'', '[', '{']);
        (bare && text).then(|| {
            Diagnostic::error("toml-syntax", "this is not TOML: a text stands in quotes")
                .help(format!("write {key} = \"…\""))
        })
    }

    /// A table whose header stands in that line and in an earlier one. What is in the second is told with it, and not again.
    fn twice(&self, line: usize) -> Option<Diagnostic> {
        let header = |text: &str| {
            let name = text.trim().strip_prefix('[')?.split_once(']')?.0.trim().to_owned();
            let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
            (!name.is_empty() && name.chars().all(bare)).then_some(name)
        };
        let lines: Vec<&str> = self.text.lines().collect();
        let name = header(lines.get(line.checked_sub(1)?)?)?;
        let first = 1 + lines.iter().position(|text| header(text).as_ref() == Some(&name))?;
        if first == line {
            return None;
        }
        let inside = lines[line..].iter().take_while(|text| !text.trim_start().starts_with('[')).count();
        self.broken.borrow_mut().extend(line + 1..=line + inside);
        let message = format!("[{name}] stands twice, in line {first} and in line {line}");
        let help =
            format!("change the values in line {first} and below it, and take out the second [{name}] with its lines");
        Some(Diagnostic::error("table-twice", message).help(help))
    }

    /// True if no further problem is told; the last one says so, and is an error, since one may be among the others.
    fn overflows(&self) -> bool {
        let mut found = self.found.borrow_mut();
        if found.len() == MOST_PROBLEMS {
            let problem = Diagnostic::error("too-many-problems", "there are more problems than are shown");
            let mut place = Place::file(self.shown);
            place.line = self.text.lines().count().max(1);
            found.push(problem.at(place).help("correct these first; or is this another file than the config?"));
        }
        found.len() > MOST_PROBLEMS
    }

    /// A problem at a byte range.
    pub(super) fn tell(&self, problem: Diagnostic, range: &Range<usize>) {
        if self.overflows() {
            return;
        }
        let place = Place::in_text(self.shown, self.text, range.clone());
        if self.broken.borrow().contains(&place.line) {
            return;
        }
        self.found.borrow_mut().push(problem.at(place));
    }

    /// A problem of the file as a whole.
    pub(super) fn tell_whole(&self, problem: Diagnostic) {
        self.found.borrow_mut().push(problem.at(Place::file(self.shown)));
    }

    /// True if an error was found so far.
    pub(super) fn has_error(&self) -> bool {
        any_error(&self.found.borrow())
    }

    /// Never shows the lines of a byte range.
    pub(super) fn cover(&self, range: &Range<usize>) {
        self.secrets.borrow_mut().cover(self.text, range);
    }

    /// Everything found, in the order of the text.
    pub(super) fn into_problems(self) -> Vec<Diagnostic> {
        let secrets = self.secrets.into_inner();
        let understood = !self.quiet.get();
        let mut found = self.found.into_inner();
        for place in found.iter_mut().filter_map(|problem| problem.place.as_mut()) {
            if secrets.hide(place.line, understood) {
                place.excerpt.clear();
            }
        }
        found.sort_by_key(|problem| problem.place.as_ref().map_or((0, 0), |place| (place.line, place.column)));
        found
    }

    /// A key that nobody knows. Beside the server's settings no more than the key is shown of its line: the value may be a
    /// secret under a wrong name.
    fn tell_unknown(&self, section: &str, key: &str, range: &Range<usize>, known: &[&str]) {
        if self.overflows() {
            return;
        }
        let mut place = Place::in_text(self.shown, self.text, range.clone());
        let hidden = self.secrets.borrow().hide(place.line, !self.quiet.get());
        if self.broken.borrow().contains(&place.line) {
            return;
        }
        if section.split('.').next() == Some("smtp") {
            let end = place.column - 1 + place.width;
            place.excerpt = place.excerpt.chars().take(end).chain(" = …".chars()).collect();
        }
        let shown = key.chars().take(MOST_OF_A_KEY).collect::<String>();
        let message = if hidden && !names_a_secret(key) {
            format!("an unknown key in {}", called(section))
        } else if section.is_empty() {
            format!("unknown table or key \"{shown}\"")
        } else {
            format!("unknown key \"{shown}\" in {}", called(section))
        };
        let list = known.join(", ");
        let help = match nearest(key, known.iter().copied()) {
            Some(near) => format!("did you mean \"{near}\"? Known here: {list}"),
            None => format!("known here: {list}"),
        };
        self.found.borrow_mut().push(Diagnostic::error("unknown-key", message).at(place).help(help));
    }
}

fn called(section: &str) -> String {
    if section.is_empty() { "the config".to_owned() } else { format!("[{section}]") }
}

/// The nearest of some names, if one is near enough to be meant.
pub(super) fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let folded = name.to_lowercase();
    names
        .map(|known| (strsim::jaro_winkler(&folded, &known.to_lowercase()), known))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

/// One table of the config, or the place where it would be.
pub(super) struct Section<'s> {
    /// The sheet it is on.
    pub(super) sheet: &'s Sheet<'s>,
    name: String,
    head: Option<Range<usize>>,
    table: Option<&'s DeTable<'s>>,
    /// Known keys that an unknown one was taken for: they are not called missing too.
    meant: Vec<String>,
    /// The table itself is misspelt or of another type, which was told.
    told: bool,
}

impl<'s> Section<'s> {
    /// The whole config, with the tables there may be.
    pub(super) fn root(sheet: &'s Sheet<'s>, table: &'s DeTable<'s>, known: &[&str]) -> Self {
        Self::open(sheet, String::new(), None, Some(table), known)
    }

    fn open(
        sheet: &'s Sheet<'s>,
        name: String,
        head: Option<Range<usize>>,
        table: Option<&'s DeTable<'s>>,
        known: &[&str],
    ) -> Self {
        let mut meant = Vec::new();
        for key in table.into_iter().flat_map(|table| table.keys()) {
            if !known.contains(&key.get_ref().as_ref()) {
                sheet.tell_unknown(&name, key.get_ref(), &key.span(), known);
                meant.extend(nearest(key.get_ref(), known.iter().copied()).map(str::to_owned));
            }
        }
        Self { sheet, name, head, table, meant, told: false }
    }

    /// A table in this one, with the keys there may be in it; an absent one is empty.
    pub(super) fn section(&self, key: &str, known: &[&str]) -> Section<'s> {
        let Some(value) = self.value(key) else {
            let mut section = Self::open(self.sheet, self.path(key), self.head.clone(), None, known);
            section.told = self.told || self.meant.iter().any(|meant| meant == key);
            return section;
        };
        let table = value.table(&format!("a table, as in [{}]", self.path(key)));
        let mut section = Self::open(self.sheet, self.path(key), Some(value.key.clone()), table, known);
        section.told = table.is_none();
        section
    }

    /// The value of a key, if it is there.
    pub(super) fn value(&self, key: &str) -> Option<Value<'s>> {
        let (found, value) = self.table?.iter().find(|(found, _)| found.get_ref() == key)?;
        Some(Value {
            sheet: self.sheet,
            name: self.path(key),
            key: found.span(),
            span: value.span(),
            inner: value.get_ref(),
        })
    }

    /// The value of a key that must be there; `example` is what to write.
    pub(super) fn required(&self, key: &str, example: &str) -> Option<Value<'s>> {
        let value = self.value(key);
        let told = self.told || self.meant.iter().any(|meant| meant == key) || self.sheet.quiet.get();
        if value.is_none() && !told {
            let problem = Diagnostic::error("missing-key", format!("{} is missing", self.path(key)));
            if let Some(head) = &self.head {
                self.sheet.tell(problem.help(format!("write {key} = {example}")), head);
            } else {
                let help = format!("write {key} = {example} in a table [{}]", self.name);
                self.sheet.tell_whole(problem.help(help));
            }
        }
        value
    }

    /// A path that a person would call the key by: `smtp.port`.
    pub(super) fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }
}
