//! The tables in `data/`, read once.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::near::distinctive;
use super::{State, StateCode, fold};

pub(super) struct Tables {
    pub(super) states: Vec<State>,
    pub(super) by_iso3: HashMap<String, usize>,
    pub(super) by_alias: HashMap<String, usize>,
    pub(super) names: Vec<Name>,
}

/// A name that a misspelt one can be near to.
pub(super) struct Name {
    /// Its key.
    pub(super) whole: String,
    /// Its key without what many names have.
    pub(super) distinctive: String,
    pub(super) state: usize,
}

pub(super) static TABLES: LazyLock<Tables> = LazyLock::new(load);

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

fn load() -> Tables {
    let mut states = Vec::with_capacity(195);
    read_states(include_str!("../../../data/member_states.csv"), true, &mut states);
    read_states(include_str!("../../../data/observer_states.csv"), false, &mut states);
    let by_iso3: HashMap<String, usize> = states.iter().enumerate().map(|(i, s)| (s.code.to_string(), i)).collect();
    let by_iso2: HashMap<&str, usize> = states.iter().enumerate().map(|(i, s)| (s.iso2.as_str(), i)).collect();
    let mut by_alias = HashMap::with_capacity(2_400);
    for (index, state) in states.iter().enumerate() {
        by_alias.insert(fold(&state.iso2), index);
        by_alias.insert(fold(state.code.as_str()), index);
    }
    let mut aliases = csv::Reader::from_reader(include_bytes!("../../../data/state_aliases.csv").as_slice());
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
