//! The Member States and observers of the United Nations, from the tables in `data/` (sources in `data/README.md`).

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// An ISO 3166-1 alpha-3 code of a state in the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StateCode([u8; 3]);

impl StateCode {
    /// The code of that name, if it is in the tables.
    #[must_use]
    pub fn parse(iso3: &str) -> Option<Self> {
        by_iso3(iso3).map(|state| state.code)
    }

    /// The three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Its row of the tables.
    ///
    /// # Panics
    /// Never: a code exists only for a row.
    #[must_use]
    pub fn state(self) -> &'static State {
        by_iso3(self.as_str()).expect("a code exists only for a row of the tables")
    }
}

impl fmt::Display for StateCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for StateCode {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("\"{text}\" is no ISO alpha-3 code of a UN Member State or observer"))
    }
}

impl From<StateCode> for String {
    fn from(code: StateCode) -> Self {
        code.as_str().to_owned()
    }
}

/// One state: its codes and names. Fields are the columns of `data/member_states.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// ISO alpha-3.
    pub code: StateCode,
    /// ISO alpha-2.
    pub iso2: String,
    /// True for the 193 members, false for the two observers.
    pub member: bool,
    /// `AFR`, `APG`, `EEG`, `GRULAC`, `WEOG`, or empty for observers.
    pub group: String,
    /// The regional group's name in English.
    pub group_name: String,
    columns: HashMap<String, String>,
}

impl State {
    /// A column of the table by its header (`name_fr`, `formal_ru`, `running_en`, `de_es` …); empty if there is none.
    #[must_use]
    pub fn column(&self, header: &str) -> &str {
        self.columns.get(header).map_or("", String::as_str)
    }

    /// The short name, as in lists: `name_<language>`, in English where the table has no such language.
    #[must_use]
    pub fn name(&self, language: &str) -> &str {
        self.in_language("name", language)
    }

    /// The formal name with its article: `formal_<language>`, in English where the table has no such language.
    #[must_use]
    pub fn formal(&self, language: &str) -> &str {
        self.in_language("formal", language)
    }

    fn in_language(&self, kind: &str, language: &str) -> &str {
        let primary = language.split('-').next().unwrap_or(language);
        let found = self.column(&format!("{kind}_{primary}"));
        if found.is_empty() { self.column(&format!("{kind}_en")) } else { found }
    }
}

struct Tables {
    states: Vec<State>,
    by_iso3: HashMap<String, usize>,
    by_alias: HashMap<String, usize>,
    names: Vec<Name>,
}

/// A name that a misspelt one can be near to.
struct Name {
    /// Its key.
    whole: String,
    /// Its key without what many names have.
    distinctive: String,
    state: usize,
}

static TABLES: LazyLock<Tables> = LazyLock::new(load);

/// All 195: the 193 members in the order of their English names, then the two observers.
#[must_use]
pub fn all() -> &'static [State] {
    &TABLES.states
}

/// The state of an ISO alpha-3 code, in any case.
#[must_use]
pub fn by_iso3(iso3: &str) -> Option<&'static State> {
    TABLES.by_iso3.get(&iso3.to_ascii_uppercase()).map(|index| &TABLES.states[*index])
}

/// What a text from a file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// One state.
    Found(&'static State),
    /// Several could be meant ("Korea", "Congo").
    Ambiguous(Vec<&'static State>),
    /// None; those with the nearest names.
    Unknown(Vec<&'static State>),
}

/// Which state a name, code or alias means, accents, case and punctuation aside. "&" is read as "and", and the words
/// before and behind the name of a mission's state ("Permanent Mission of", "to the United Nations") are passed over.
#[must_use]
pub fn resolve(text: &str) -> Resolution {
    if let Some(found) = resolve_key(&fold(text)) {
        return found;
    }
    let key = fold(&text.replace('&', " and "));
    if let Some(found) = resolve_key(&key) {
        return found;
    }
    let whole = TO_THE_UN.iter().find_map(|suffix| key.strip_suffix(suffix)).unwrap_or(&key);
    MISSION_OF
        .iter()
        .filter_map(|prefix| whole.strip_prefix(prefix))
        .map(|name| ARTICLES.iter().find_map(|article| name.strip_prefix(article)).unwrap_or(name))
        .find_map(resolve_key)
        .or_else(|| resolve_key(ARTICLES.iter().find_map(|article| whole.strip_prefix(article)).unwrap_or(whole)))
        .unwrap_or_else(|| Resolution::Unknown(nearest(whole)))
}

/// The state of which a text is a name, code or alias that means no other. Unlike [`resolve`] it searches for no near ones.
#[must_use]
pub fn lookup(text: &str) -> Option<&'static State> {
    match resolve_key(&fold(text)) {
        Some(Resolution::Found(state)) => Some(state),
        _ => None,
    }
}

fn resolve_key(key: &str) -> Option<Resolution> {
    if let Some(codes) = AMBIGUOUS.iter().find_map(|(names, codes)| names.contains(&key).then_some(*codes)) {
        return Some(Resolution::Ambiguous(codes.iter().filter_map(|code| by_iso3(code)).collect()));
    }
    TABLES.by_alias.get(key).map(|index| Resolution::Found(&TABLES.states[*index]))
}

/// Names that two states share in everyday use, as keys. "Guinea" is not one of them: it is a state's own name.
const AMBIGUOUS: [(&[&str], &[&str]); 3] = [
    (&["korea", "coree", "corea", "coreia", "корея", "كوريا"], &["PRK", "KOR"]),
    (&["congo", "the congo", "le congo", "el congo", "kongo", "конго", "刚果", "الكونغو"], &["COG", "COD"]),
    (&["sudans"], &["SDN", "SSD"]),
];

/// What the name of a mission begins with, as keys.
const MISSION_OF: [&str; 17] = [
    "permanent mission of ",
    "permanent observer mission of ",
    "observer mission of ",
    "mission of ",
    "mission permanente d observation de la ",
    "mission permanente d observation de l ",
    "mission permanente d observation du ",
    "mission permanente d observation de ",
    "mision permanente de observacion de la ",
    "mision permanente de observacion del ",
    "mision permanente de observacion de ",
    "mission permanente de la ",
    "mission permanente de l ",
    "mission permanente du ",
    "mission permanente des ",
    "mission permanente de ",
    "mision permanente de ",
];

/// What it ends with, as keys.
const TO_THE_UN: [&str; 5] = [
    " to the united nations",
    " to the un",
    " aupres de l organisation des nations unies",
    " aupres des nations unies",
    " ante las naciones unidas",
];

/// What may stand before a name, as keys.
const ARTICLES: [&str; 6] = ["the ", "le ", "la ", "l ", "les ", "el "];

/// Everyday names that the table of aliases lacks.
const MORE_ALIASES: [(&str, &str); 9] = [
    ("Palestine", "PSE"),
    ("Vatican", "VAT"),
    ("Vatican City", "VAT"),
    ("Republic of Congo", "COG"),
    ("Democratic Republic of Congo", "COD"),
    ("Bosnia-Herzegovina", "BIH"),
    ("St. Vincent", "VCT"),
    ("Saint Vincent", "VCT"),
    ("KSA", "SAU"),
];

/// The columns of an observer's table that hold a name, its own or its mission's.
const NAMES_OF_OBSERVERS: [&str; 13] = [
    "name_en",
    "running_en",
    "formal_en",
    "mission",
    "name_fr",
    "name_es",
    "name_ru",
    "name_zh",
    "name_ar",
    "de_fr",
    "de_es",
    "of_ru",
    "of_formal_ru",
];

/// The key under which names are compared: NFKD without marks, case folded, everything but letters and digits to a blank.
#[must_use]
pub fn fold(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    use unicode_normalization::char::is_combining_mark;
    let mut key = String::with_capacity(text.len());
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            key.push(c);
        } else if !key.ends_with(' ') && !key.is_empty() {
            key.push(' ');
        }
    }
    key.truncate(key.trim_end().len());
    key
}

/// The states with a name that shares most of its letters with `key`, the words aside that half of all names have.
fn nearest(key: &str) -> Vec<&'static State> {
    let (own, whole) = (distinctive(key), key);
    let near = |one: &str, other: &str| {
        // Of very different lengths they are not near, and need no comparison, which takes a table of both.
        let (one_has, other_has) = (one.chars().count(), other.chars().count());
        if one_has.abs_diff(other_has) * 2 > one_has.max(other_has) {
            0.0
        } else {
            strsim::normalized_damerau_levenshtein(one, other)
        }
    };
    // As wholes, names are near by what all of them have: there it takes more.
    let score = |name: &Name| {
        let as_a_whole = near(&name.whole, whole);
        if as_a_whole >= NEAR_AS_A_WHOLE { as_a_whole } else { near(&name.distinctive, &own) }
    };
    let mut scored: Vec<(f64, usize)> =
        TABLES.names.iter().map(|name| (score(name), name.state)).filter(|(score, _)| *score >= NEAR).collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut found: Vec<usize> = Vec::new();
    for (_, index) in scored {
        if !found.contains(&index) && found.len() < 3 {
            found.push(index);
        }
    }
    found.into_iter().map(|index| &TABLES.states[index]).collect()
}

/// The part of its letters that a near name shares.
const NEAR: f64 = 0.7;
const NEAR_AS_A_WHOLE: f64 = 0.9;

/// A key without what says of what kind a state is, unless it has nothing else.
fn distinctive(key: &str) -> String {
    const KINDS: [&str; 18] = [
        "the",
        "of",
        "and",
        "state",
        "states",
        "republic",
        "kingdom",
        "union",
        "federation",
        "federal",
        "islamic",
        "republique",
        "etat",
        "estado",
        "republica",
        "de",
        "du",
        "la",
    ];
    let words: Vec<&str> = key.split(' ').filter(|word| !KINDS.contains(word)).collect();
    if matches!(words.as_slice(), [] | ["united"]) { key.to_owned() } else { words.join(" ") }
}

fn load() -> Tables {
    let mut states = Vec::with_capacity(195);
    read_states(include_str!("../../data/member_states.csv"), true, &mut states);
    read_states(include_str!("../../data/observer_states.csv"), false, &mut states);
    let by_iso3: HashMap<String, usize> = states.iter().enumerate().map(|(i, s)| (s.code.to_string(), i)).collect();
    let by_iso2: HashMap<&str, usize> = states.iter().enumerate().map(|(i, s)| (s.iso2.as_str(), i)).collect();
    let mut by_alias = HashMap::with_capacity(2_400);
    for (index, state) in states.iter().enumerate() {
        by_alias.insert(fold(&state.iso2), index);
        by_alias.insert(fold(state.code.as_str()), index);
    }
    let mut aliases = csv::Reader::from_reader(include_bytes!("../../data/state_aliases.csv").as_slice());
    for record in aliases.records().map_while(Result::ok) {
        if let (Some(iso2), Some(alias)) = (record.get(0), record.get(1))
            && let Some(index) = by_iso2.get(iso2)
        {
            by_alias.insert(fold(alias), *index);
        }
    }
    // The table of aliases has members only; observers are known by every name of their own table.
    for (index, state) in states.iter().enumerate().filter(|(_, state)| !state.member) {
        for name in state.columns.iter().filter(|(header, _)| NAMES_OF_OBSERVERS.contains(&header.as_str())) {
            let key = fold(name.1);
            if !key.is_empty() {
                by_alias.entry(key).or_insert(index);
            }
        }
    }
    for (alias, iso3) in MORE_ALIASES {
        if let Some(index) = by_iso3.get(iso3) {
            by_alias.entry(fold(alias)).or_insert(*index);
        }
    }
    // Of a code every letter counts: nothing is near it.
    let is_name = |alias: &&String| alias.len() > 3;
    let name = |(whole, state): (&String, &usize)| Name {
        whole: whole.clone(),
        distinctive: distinctive(whole),
        state: *state,
    };
    let names = by_alias.iter().filter(|(alias, _)| is_name(alias)).map(name).collect();
    Tables { states, by_iso3, by_alias, names }
}

fn read_states(text: &str, member: bool, states: &mut Vec<State>) {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headers = reader.headers().cloned().unwrap_or_default();
    for record in reader.records().map_while(Result::ok) {
        let mut columns: HashMap<String, String> =
            headers.iter().zip(&record).map(|(header, cell)| (header.to_owned(), cell.to_owned())).collect();
        let mut take = |header: &str| columns.remove(header).unwrap_or_default();
        let (iso2, iso3, group, group_name) = (take("iso2"), take("iso3"), take("un_group"), take("un_group_name"));
        if let Ok(code) = <[u8; 3]>::try_from(iso3.as_bytes()) {
            states.push(State { code: StateCode(code), iso2, member, group, group_name, columns });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_193_members_and_two_observers() {
        assert_eq!(all().iter().filter(|state| state.member).count(), 193);
        assert_eq!(all().iter().filter(|state| !state.member).count(), 2);
        assert_eq!(all().len(), by_iso3_count());
    }

    fn by_iso3_count() -> usize {
        all().iter().filter(|state| by_iso3(state.code.as_str()) == Some(state)).count()
    }

    #[test]
    fn every_alias_of_the_table_names_its_state_or_asks_which() {
        let mut aliases = csv::Reader::from_reader(include_bytes!("../../data/state_aliases.csv").as_slice());
        let mut count = 0;
        for record in aliases.records() {
            let record = record.expect("a row");
            match resolve(&record[1]) {
                Resolution::Found(state) => assert_eq!(state.iso2, record[0], "{}", &record[1]),
                Resolution::Ambiguous(states) => assert!(states.iter().any(|s| s.iso2 == record[0]), "{}", &record[1]),
                Resolution::Unknown(_) => panic!("{} resolves to nothing", &record[1]),
            }
            count += 1;
        }
        assert_eq!(count, 1_689);
    }

    #[test]
    fn a_name_that_two_states_share_is_not_guessed() {
        for text in ["Korea", "Congo", " CORÉE ", "the Congo", "Конго", "Корея", "Permanent Mission of Korea"]
        {
            assert!(matches!(resolve(text), Resolution::Ambiguous(states) if states.len() == 2), "{text}");
        }
        assert!(matches!(resolve("Guinea"), Resolution::Found(state) if state.code.as_str() == "GIN"));
    }

    #[test]
    fn everyday_spellings_name_their_state() {
        for (text, code) in [
            ("Trinidad & Tobago", "TTO"),
            ("Saint Vincent & the Grenadines", "VCT"),
            ("Côte d\u{2019}Ivoire", "CIV"),
            ("Permanent Mission of the Gambia", "GMB"),
            ("Mission permanente de la République démocratique du Congo", "COD"),
            ("Palestine", "PSE"),
            ("Republic of Congo", "COG"),
            ("uk", "GBR"),
        ] {
            assert!(matches!(resolve(text), Resolution::Found(state) if state.code.as_str() == code), "{text}");
        }
    }

    #[test]
    fn every_name_of_an_observer_names_it() {
        let mut table = csv::Reader::from_reader(include_bytes!("../../data/observer_states.csv").as_slice());
        let headers = table.headers().expect("headers").clone();
        let mut names = 0;
        for record in table.records() {
            let record = record.expect("a row");
            for (header, cell) in headers.iter().zip(&record) {
                if !["m49", "head"].contains(&header) && !cell.is_empty() {
                    let found = resolve(cell);
                    assert!(
                        matches!(&found, Resolution::Found(state) if state.iso2 == record[0]),
                        "{header} {cell}: {found:?}"
                    );
                    names += 1;
                }
            }
        }
        assert_eq!(names, 28);
    }

    #[test]
    fn a_misspelt_name_gets_the_near_ones() {
        let Resolution::Unknown(near) = resolve("Kenia republic") else { panic!("should be unknown") };
        assert!(near.iter().any(|state| state.code.as_str() == "KEN"), "{near:?}");
    }
}
