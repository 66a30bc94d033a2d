//! The header row → which column is which, by our names, by the table of aliases or by the config.

use std::collections::{BTreeMap, HashMap};

use crate::diagnostic::{Diagnostic, Place};
use crate::domain::mailbox::trim_blank;
use crate::domain::state::fold;

use super::Options;
use super::aliases::{ALIASES, Column, FIELDS, NAMES, PLAIN, RANK_OR_HONORIFIC, name_of};
use super::findings::{Findings, listed};
use super::table::{Record, Table};

use Column::{Bcc, Cc, Id, Rank, Skip, State, StateCode, To};

/// A header that could mean several things: somebody has to say which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// What is asked.
    pub text: String,
    /// What can be answered, the first being the likelier.
    pub answers: Vec<Answer>,
}

/// One answer: this header is that column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Our name of the column, as in `recipients.columns`.
    pub column: String,
    /// The header in the file.
    pub header: String,
    /// What that means, for a person.
    pub meaning: String,
}

/// Where each column is.
pub(super) struct Columns {
    at: BTreeMap<Column, usize>,
    /// Every column that says whom not to write to: several are as good as one.
    pub(super) skips: Vec<usize>,
    /// The headers as templates see them: `row.<key>`; empty where there is no header.
    pub(super) keys: Vec<String>,
    /// The columns that were known by their headers alone.
    pub(super) guessed: Vec<Column>,
    /// What has to be asked.
    pub(super) questions: Vec<Question>,
}

impl Columns {
    /// Finds the columns; says what was taken for what, and what is missing, doubled or nameless.
    pub(super) fn read(table: &Table<'_>, header: &Record, options: &Options, findings: &mut Findings) -> Self {
        let names: Vec<&str> = header.cells.iter().map(trim_blank).collect();
        let (at, skips, guessed, plain, questions) = Default::default();
        let mut finder = Finder { table, header, names, options, findings, at, skips, guessed, plain, questions };
        let mut keys = finder.keys();
        finder.configured();
        finder.by_name();
        finder.by_alias();
        finder.rank_or_honorific();
        finder.note();
        finder.complain_if_incomplete();
        for (index, name) in finder.plain {
            if !keys.contains(&name) {
                keys[index] = name;
            }
        }
        let skips = match finder.at.get(&Skip) {
            Some(configured) if finder.skips.is_empty() => vec![*configured],
            _ => finder.skips,
        };
        Self { at: finder.at, skips, keys, guessed: finder.guessed, questions: finder.questions }
    }

    /// The column that an index of the file is, if it is one of ours.
    pub(super) fn column_at(&self, index: usize) -> Option<Column> {
        self.at.iter().find_map(|(column, at)| (*at == index).then_some(*column))
    }

    pub(super) fn get(&self, column: Column) -> Option<usize> {
        self.at.get(&column).copied()
    }

    /// True if rows can have a name: by their state or by an id.
    pub(super) fn can_name_rows(&self) -> bool {
        [State, StateCode, Id].iter().any(|column| self.at.contains_key(column))
    }
}

struct Finder<'f> {
    table: &'f Table<'f>,
    header: &'f Record,
    names: Vec<&'f str>,
    options: &'f Options,
    findings: &'f mut Findings,
    at: BTreeMap<Column, usize>,
    skips: Vec<usize>,
    guessed: Vec<Column>,
    /// Columns to which the config gives a name of the table that is none of ours.
    plain: BTreeMap<usize, String>,
    questions: Vec<Question>,
}

impl Finder<'_> {
    fn keys(&mut self) -> Vec<String> {
        let mut seen: HashMap<String, usize> = HashMap::new();
        let mut keys = Vec::with_capacity(self.names.len());
        for (index, name) in self.names.clone().into_iter().enumerate() {
            let key = name.to_lowercase().split_whitespace().collect::<Vec<_>>().join("_");
            let place = || self.table.cell(self.header, index);
            // A column without a header is told only if there is anything in it.
            if !key.is_empty()
                && let Some(first) = seen.insert(key.clone(), index)
            {
                let (first, second) = (self.table.column_name(first), self.table.column_name(index));
                let message = format!("columns {first} and {second} have the same header \"{name}\"");
                let help = "rename one of them, or take it out";
                self.findings.push(Diagnostic::error("header-doubled", message).at(place()).help(help));
            }
            keys.push(key);
        }
        keys
    }

    fn configured(&mut self) {
        for (ours, header) in &self.options.columns {
            let column = NAMES.iter().find_map(|(column, name)| (name == ours).then_some(*column));
            // The table's own words (`email`, `country`) are understood too.
            let column = column.or_else(|| (ours == name_of(Skip)).then_some(Skip));
            let column = column.or_else(|| FIELDS.iter().find_map(|(name, column)| (name == ours).then_some(*column)));
            let index = self.names.iter().position(|name| name == header);
            let index = index.or_else(|| self.names.iter().position(|name| fold(name) == fold(header)));
            let place = self.table.whole(self.header);
            let plain = PLAIN.contains(&ours.as_str());
            match (column, index) {
                (Some(column), Some(index)) => {
                    self.at.insert(column, index);
                }
                (None, Some(index)) if plain => {
                    self.plain.insert(index, ours.clone());
                }
                (None, _) if !plain => {
                    let all: Vec<&str> = NAMES.iter().map(|(_, name)| *name).collect();
                    let message = format!("recipients.columns names \"{ours}\", which is none of our columns");
                    let help = format!("ours are {}; every other column is row.<header> in templates", all.join(", "));
                    self.findings.push(Diagnostic::error("column-unknown", message).at(place).help(help));
                }
                _ => {
                    let message = format!("there is no column \"{header}\", which recipients.columns names for {ours}");
                    let help = format!("the headers are {}", quoted(&self.names));
                    self.findings.push(Diagnostic::error("column-missing", message).at(place).help(help));
                }
            }
        }
    }

    fn by_name(&mut self) {
        for (column, ours) in NAMES {
            let free = |index: &usize| !self.at.values().any(|taken| taken == index) && !self.plain.contains_key(index);
            let index = self.names.iter().position(|name| fold(name) == fold(ours)).filter(free);
            if let Some(index) = index {
                self.at.entry(column).or_insert(index);
            }
        }
    }

    fn by_alias(&mut self) {
        let mut candidates: BTreeMap<Column, Vec<usize>> = BTreeMap::new();
        for (index, name) in self.names.iter().enumerate() {
            let taken = self.at.values().any(|taken| *taken == index) || self.plain.contains_key(&index);
            if let Some(column) = ALIASES.get(&fold(name)).filter(|column| !taken && !self.at.contains_key(column)) {
                candidates.entry(*column).or_default().push(index);
            }
        }
        for (column, mut indices) in candidates {
            if let (Skip, [first, ..]) = (column, indices.as_slice()) {
                self.at.insert(Skip, *first);
                self.skips = indices;
                continue;
            }
            // "Mission" is the state's name in some files and the mission's in others.
            if indices.len() > 1 {
                indices.retain(|index| fold(self.names[*index]) != "mission");
            }
            match indices.as_slice() {
                [index] => {
                    self.at.insert(column, *index);
                    self.guessed.push(column);
                }
                _ => self.several(column, &indices),
            }
        }
    }

    fn several(&mut self, column: Column, indices: &[usize]) {
        let names: Vec<String> = indices.iter().map(|index| format!("\"{}\"", self.names[*index])).collect();
        let ours = name_of(column);
        let message = format!("{} could each be the column {ours}", listed(&names));
        let needed = matches!(column, To | Cc | Bcc | State | StateCode);
        let diagnostic = if needed {
            Diagnostic::error("header-ambiguous", message)
        } else {
            Diagnostic::warning("header-ambiguous", format!("{message}; none is taken"))
        };
        // `state` is also what an ISO code is given as.
        let answer = |index: &usize| Answer {
            column: ours.to_owned(),
            header: self.names[*index].to_owned(),
            meaning: format!("\"{}\"", self.names[*index]),
        };
        let answers: Vec<Answer> = indices.iter().map(answer).collect();
        let help = format!("say which in the config, under [recipients]: {}", self.lines(&answers[..1]));
        if needed {
            self.questions.push(Question { text: format!("Which column is \"{ours}\"?"), answers });
        }
        let place = self.table.cell(self.header, indices[1]);
        self.findings.push(diagnostic.at(place).help(help));
    }

    /// "Title" is a rank in some files and an honorific in others. Where another column is the rank it is settled.
    fn rank_or_honorific(&mut self) {
        let settled = |index: &usize| self.plain.contains_key(index) || self.at.values().any(|taken| taken == index);
        let is_title = |name: &str| RANK_OR_HONORIFIC.contains(&fold(name).as_str());
        let index = (0..self.names.len()).find(|index| is_title(self.names[*index]) && !settled(index));
        let Some(index) = index.filter(|_| !self.at.contains_key(&Rank)) else { return };
        let header = self.names[index].to_owned();
        let answer = |column: &str, meaning: &str| Answer {
            column: column.to_owned(),
            header: header.clone(),
            meaning: meaning.to_owned(),
        };
        let answers = vec![
            answer("honorific", "an honorific, such as \"H.E. Mr.\""),
            answer("rank", "the rank, such as \"Permanent Representative\""),
        ];
        let message = format!("\"{header}\" could be an honorific or the rank");
        let help = format!(
            "say which in the config, under [recipients]:\n{}\nfor \"H.E. Mr.\" and the like, or\n{}\nfor \"Permanent Representative\" and the like",
            self.lines(&answers[..1]),
            self.lines(&answers[1..])
        );
        let place = self.table.cell(self.header, index);
        self.findings.push(Diagnostic::error("header-ambiguous", message).at(place).help(help));
        self.questions.push(Question { text: format!("What is \"{header}\"?"), answers });
    }

    /// The line of the config that says so, with what it says already.
    fn lines(&self, answers: &[Answer]) -> String {
        let mut all: BTreeMap<&str, &str> =
            self.options.columns.iter().map(|(ours, header)| (ours.as_str(), header.as_str())).collect();
        all.extend(answers.iter().map(|answer| (answer.column.as_str(), answer.header.as_str())));
        let pairs: Vec<String> = all.iter().map(|(ours, header)| format!("{ours} = {header:?}")).collect();
        format!("columns = {{ {} }}", pairs.join(", "))
    }

    fn note(&mut self) {
        if !self.guessed.is_empty() {
            let known = |column: &Column| {
                let name = self.at.get(column).and_then(|index| self.names.get(*index)).unwrap_or(&"");
                let ours = if *column == StateCode { "state code" } else { name_of(*column) };
                format!("\"{name}\" as {ours}")
            };
            let guessed: Vec<String> = self.guessed.iter().map(known).collect();
            let message = format!("columns were known by their headers: {}", guessed.join(", "));
            let help = "recipients.columns in the config says otherwise where that is wrong";
            self.findings
                .push(Diagnostic::note("columns-taken", message).at(Place::file(&self.options.file)).help(help));
        }
    }

    fn complain_if_incomplete(&mut self) {
        let place = self.table.whole(self.header);
        let ambiguous =
            |column| ALIASES.iter().any(|(alias, c)| *c == column && self.names.iter().any(|n| fold(n) == *alias));
        let configured = |name: &str| self.options.columns.contains_key(name);
        if !self.at.contains_key(&To) && !ambiguous(To) && !configured("to") {
            let near = self.nearest();
            let help = match near {
                Some(name) => {
                    format!("is it \"{name}\"? Then say so in the config: recipients.columns = {{ to = \"{name}\" }}")
                }
                None => format!("name the column of addresses \"to\"; the headers are {}", quoted(&self.names)),
            };
            self.findings
                .push(Diagnostic::error("column-to-missing", "there is no column \"to\"").at(place.clone()).help(help));
        }
        let named = [State, StateCode, Id].iter().any(|column| self.at.contains_key(column) || ambiguous(*column));
        if !named && !configured("state") && !configured("id") {
            let message = "there is neither a column \"state\" nor a column \"id\"";
            let help = "a row is known by its state, or by an id of its own";
            self.findings.push(Diagnostic::error("column-id-missing", message).at(place).help(help));
        }
    }

    /// The free header most like a header of addresses.
    fn nearest(&self) -> Option<&str> {
        let aliases = || ALIASES.iter().filter(|(_, column)| **column == To).map(|(alias, _)| alias);
        let score = |name: &str| {
            let key = fold(name);
            let contained = key.contains("mail") || key.contains("address");
            let near = aliases().map(|alias| strsim::jaro_winkler(alias, &key)).fold(0.0, f64::max);
            if contained { near.max(0.95) } else { near }
        };
        let free = self.names.iter().enumerate().filter(|(index, _)| !self.at.values().any(|taken| taken == index));
        let scored = free.map(|(_, name)| (score(name), *name)).filter(|(score, _)| *score > 0.8);
        scored.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, name)| name)
    }
}

fn quoted(names: &[&str]) -> String {
    listed(&names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>())
}
