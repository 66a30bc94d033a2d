//! The header row → which column is which, by our names, by the table of aliases or by the config.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use crate::diagnostic::{Diagnostic, Place};
use crate::domain::mailbox::trim_blank;
use crate::domain::state::fold;

use super::Options;
use super::findings::{Findings, listed};
use super::table::{Record, Table};

/// What the program itself reads from a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    State,
    /// An ISO code beside the name of the state: it decides where the name does not.
    StateCode,
    To,
    Cc,
    Bcc,
    Language,
    Rank,
    Name,
    Gender,
    Attachment,
    VerifiedOn,
    Id,
    /// "Do not send": not obeyed, but never passed over in silence.
    Skip,
}

use Column::{Attachment, Bcc, Cc, Gender, Id, Language, Name, Rank, Skip, State, StateCode, To, VerifiedOn};

/// Our names, as in the shipped file and in `recipients.columns`.
const NAMES: [(Column, &str); 11] = [
    (State, "state"),
    (To, "to"),
    (Cc, "cc"),
    (Bcc, "bcc"),
    (Language, "language"),
    (Rank, "rank"),
    (Name, "name"),
    (Gender, "gender"),
    (Attachment, "attachment"),
    (VerifiedOn, "verified_on"),
    (Id, "id"),
];

/// The fields of `data/column_aliases.csv` that we read. "Title" and its like stay plain columns: they may be a rank or
/// an honorific.
const FIELDS: [(&str, Column); 9] = [
    ("email", To),
    ("cc", Cc),
    ("bcc", Bcc),
    ("country", State),
    ("iso2", StateCode),
    ("language", Language),
    ("rank", Rank),
    ("full_name", Name),
    ("gender", Gender),
];

/// Folded header → column. The aliases of `skip` are kept too.
static ALIASES: LazyLock<HashMap<String, Column>> = LazyLock::new(|| {
    let mut reader = csv::Reader::from_reader(include_bytes!("../../data/column_aliases.csv").as_slice());
    let mut aliases = HashMap::new();
    for record in reader.records().map_while(Result::ok) {
        let (field, alias) = (record.get(0).unwrap_or_default(), record.get(1).unwrap_or_default());
        let column = FIELDS.iter().find_map(|(name, column)| (*name == field).then_some(*column));
        if let Some(column) = column.or((field == "skip").then_some(Skip)) {
            aliases.insert(fold(alias), column);
        }
    }
    aliases
});

/// True if a header names a column of addresses in a list that has no other addresses than those.
pub(super) fn is_address_header(header: &str) -> bool {
    let key = fold(header);
    key == "address" || ALIASES.get(&key) == Some(&To)
}

/// Where each column is.
pub(super) struct Columns {
    at: BTreeMap<Column, usize>,
    /// The headers as templates see them: `row.<key>`.
    pub(super) keys: Vec<String>,
}

impl Columns {
    /// Finds the columns; says what was taken for what, and what is missing, doubled or nameless.
    pub(super) fn read(table: &Table<'_>, header: &Record, options: &Options, findings: &mut Findings) -> Self {
        let names: Vec<&str> = header.cells.iter().map(trim_blank).collect();
        let mut finder = Finder { table, header, names, options, findings, at: BTreeMap::new(), guessed: Vec::new() };
        let keys = finder.keys();
        finder.configured();
        finder.by_name();
        finder.by_alias();
        finder.note();
        finder.complain_if_incomplete();
        Self { at: finder.at, keys }
    }

    pub(super) fn get(&self, column: Column) -> Option<usize> {
        self.at.get(&column).copied()
    }

    /// True if rows can have a name: by their state or by an id.
    pub(super) fn can_name_rows(&self) -> bool {
        [State, StateCode, Id].iter().any(|column| self.at.contains_key(column))
    }
}

/// The name of a column in messages.
pub(super) fn name_of(column: Column) -> &'static str {
    match column {
        StateCode => "state",
        Skip => "skip",
        _ => NAMES.iter().find_map(|(known, name)| (*known == column).then_some(*name)).unwrap_or_default(),
    }
}

struct Finder<'f> {
    table: &'f Table<'f>,
    header: &'f Record,
    names: Vec<&'f str>,
    options: &'f Options,
    findings: &'f mut Findings,
    at: BTreeMap<Column, usize>,
    guessed: Vec<String>,
}

impl Finder<'_> {
    fn keys(&mut self) -> Vec<String> {
        let mut seen: HashMap<String, usize> = HashMap::new();
        let mut keys = Vec::with_capacity(self.names.len());
        for (index, name) in self.names.clone().into_iter().enumerate() {
            let key = name.to_lowercase().split_whitespace().collect::<Vec<_>>().join("_");
            let place = || self.table.cell(self.header, index);
            if key.is_empty() {
                let message = format!("column {} has no header", index + 1);
                let help = "give it a name, or take the column out";
                self.findings.push(Diagnostic::error("header-blank", message).at(place()).help(help));
            } else if let Some(first) = seen.insert(key.clone(), index) {
                let message = format!("columns {} and {} have the same header \"{name}\"", first + 1, index + 1);
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
            let column = column.or_else(|| FIELDS.iter().find_map(|(name, column)| (name == ours).then_some(*column)));
            let index = self.names.iter().position(|name| name == header);
            let index = index.or_else(|| self.names.iter().position(|name| fold(name) == fold(header)));
            let place = self.table.first_line(self.header);
            match (column, index) {
                (Some(column), Some(index)) => {
                    self.at.insert(column, index);
                }
                (None, _) => {
                    let all: Vec<&str> = NAMES.iter().map(|(_, name)| *name).collect();
                    let message = format!("recipients.columns names \"{ours}\", which is none of our columns");
                    let help = format!("ours are {}; every other column is row.<header> in templates", all.join(", "));
                    self.findings.push(Diagnostic::error("column-unknown", message).at(place).help(help));
                }
                (_, None) => {
                    let message = format!("there is no column \"{header}\", which recipients.columns names for {ours}");
                    let help = format!("the headers are {}", quoted(&self.names));
                    self.findings.push(Diagnostic::error("column-missing", message).at(place).help(help));
                }
            }
        }
    }

    fn by_name(&mut self) {
        for (column, ours) in NAMES {
            let free = |index: &usize| !self.at.values().any(|taken| taken == index);
            let index = self.names.iter().position(|name| fold(name) == fold(ours)).filter(free);
            if let Some(index) = index {
                self.at.entry(column).or_insert(index);
            }
        }
    }

    fn by_alias(&mut self) {
        let mut candidates: BTreeMap<Column, Vec<usize>> = BTreeMap::new();
        for (index, name) in self.names.iter().enumerate() {
            let taken = self.at.values().any(|taken| *taken == index);
            if let Some(column) = ALIASES.get(&fold(name)).filter(|column| !taken && !self.at.contains_key(column)) {
                candidates.entry(*column).or_default().push(index);
            }
        }
        for (column, mut indices) in candidates {
            // "Mission" is the state's name in some files and the mission's in others.
            if indices.len() > 1 {
                indices.retain(|index| fold(self.names[*index]) != "mission");
            }
            match indices.as_slice() {
                [index] => {
                    self.at.insert(column, *index);
                    if column != Skip {
                        self.guessed.push(format!("\"{}\" as {}", self.names[*index], name_of(column)));
                    }
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
        let help = format!("say which in the config: recipients.columns = {{ {ours} = {} }}", names[0]);
        let place = self.table.cell(self.header, indices[1]);
        self.findings.push(diagnostic.at(place).help(help));
    }

    fn note(&mut self) {
        if !self.guessed.is_empty() {
            let message = format!("columns were known by their headers: {}", self.guessed.join(", "));
            let help = "recipients.columns in the config says otherwise where that is wrong";
            self.findings
                .push(Diagnostic::note("columns-taken", message).at(Place::file(&self.options.file)).help(help));
        }
    }

    fn complain_if_incomplete(&mut self) {
        let place = self.table.first_line(self.header);
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
