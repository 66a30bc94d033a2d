//! Which states a misspelt name may mean.

use super::State;
use super::tables::{Name, TABLES};

/// The states with a name that shares most of its letters with `key`, the words aside that half of all names have.
pub(super) fn nearest(key: &str) -> Vec<&'static State> {
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
pub(super) fn distinctive(key: &str) -> String {
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

#[cfg(test)]
mod tests {
    use crate::domain::state::{Resolution, resolve};

    #[test]
    fn a_misspelt_name_gets_the_near_ones() {
        let Resolution::Unknown(near) = resolve("Kenia republic") else { panic!("should be unknown") };
        assert!(near.iter().any(|state| state.code.as_str() == "KEN"), "{near:?}");
    }
}
