//! Which state a text means: names, codes and aliases, and how they are compared.

use super::near::nearest;
use super::tables::TABLES;
use super::{State, by_iso3};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_alias_of_the_table_names_its_state_or_asks_which() {
        let mut aliases = csv::Reader::from_reader(include_bytes!("../../../data/state_aliases.csv").as_slice());
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
        let mut table = csv::Reader::from_reader(include_bytes!("../../../data/observer_states.csv").as_slice());
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
}
