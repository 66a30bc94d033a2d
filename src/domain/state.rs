//! The Member States and observers of the United Nations, from the tables in `data/` (sources in `data/README.md`).

mod names;
mod near;
mod tables;

use std::collections::HashMap;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use names::{Resolution, fold, lookup, resolve};
use tables::TABLES;

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
}
