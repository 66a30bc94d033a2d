//! A few letters that stand for all: one of each kind there is, then an even share of the rest.

use std::collections::{BTreeMap, HashSet};

use crate::domain::language::Language;
use crate::domain::recipient::Rank;
use crate::roster::Row;

/// A row as the sample looks at it.
pub(super) struct Candidate<'a> {
    pub(super) row: &'a Row,
    /// Octets of its letter.
    pub(super) size: u64,
    /// The codes of what `check` says about it.
    pub(super) codes: &'a [&'static str],
}

/// The places of at most `most` candidates with why each was chosen, in the order of the candidates; and how many kinds
/// of letters the sample had no room for. The same candidates give the same sample.
pub(super) fn sample(
    candidates: &[Candidate<'_>],
    default_language: &Language,
    most: usize,
) -> (BTreeMap<usize, &'static str>, usize) {
    let mut chosen = BTreeMap::new();
    let mut left_out = 0;
    for (place, why) in kinds(candidates, default_language) {
        if chosen.contains_key(&place) {
            continue;
        }
        if chosen.len() < most {
            chosen.insert(place, why);
        } else {
            left_out += 1;
        }
    }
    let rest: Vec<usize> = (0..candidates.len()).filter(|place| !chosen.contains_key(place)).collect();
    let room = most.saturating_sub(chosen.len()).min(rest.len());
    for at in 0..room {
        chosen.insert(rest[at * rest.len() / room], "one of the others");
    }
    (chosen, left_out)
}

/// The first of each kind: what shapes a letter most comes first, those with an attachment of their own, all of them, last.
fn kinds(candidates: &[Candidate<'_>], default_language: &Language) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    let mut seen: HashSet<String> = HashSet::new();
    for (place, candidate) in candidates.iter().enumerate() {
        let recipient = &candidate.row.recipient;
        let language = recipient.language.as_ref().unwrap_or(default_language);
        if seen.insert(format!("language {language}")) {
            found.push((place, "first in its language"));
        }
    }
    for (place, candidate) in candidates.iter().enumerate() {
        if seen.insert(format!("rank {:?} {}", candidate.row.recipient.rank, candidate.row.recipient.name.is_some())) {
            found.push((place, rank(candidate.row.recipient.rank)));
        }
    }
    let by_size = |place: &usize| candidates[*place].size;
    found.extend((0..candidates.len()).max_by_key(by_size).map(|place| (place, "the longest letter")));
    found.extend((0..candidates.len()).min_by_key(by_size).map(|place| (place, "the shortest letter")));
    for (place, candidate) in candidates.iter().enumerate() {
        let mut new = false;
        for code in candidate.codes {
            new |= seen.insert(format!("code {code}"));
        }
        if new {
            found.push((place, "has a remark that no other here has"));
        }
    }
    let own = |(place, candidate): (usize, &Candidate<'_>)| {
        (!candidate.row.recipient.attachments.is_empty()).then_some((place, "has its own attachment"))
    };
    found.extend(candidates.iter().enumerate().filter_map(own));
    found
}

fn rank(rank: Rank) -> &'static str {
    match rank {
        Rank::PermanentRepresentative => "to a Permanent Representative",
        Rank::ChargeDAffaires => "to a chargé d'affaires",
        Rank::PermanentObserver => "to a Permanent Observer",
        Rank::Vacant => "to a mission with a vacant post",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::recipient::{Recipient, RecipientId};

    fn row(id: &str, language: Option<&str>, rank: Rank, attachment: bool) -> Row {
        let recipient = Recipient {
            id: RecipientId::parse(id).expect("an id"),
            state: None,
            to: Vec::new(),
            cc: Vec::new(),
            bcc: Vec::new(),
            language: language.map(|tag| Language::parse(tag).expect("a tag")),
            rank,
            name: None,
            gender: None,
            attachments: if attachment { vec!["a.pdf".into()] } else { Vec::new() },
            verified_on: None,
            columns: BTreeMap::new(),
            line: 2,
        };
        Row { recipient, suppressed: None }
    }

    #[test]
    fn a_sample_has_one_of_each_kind_and_all_with_an_attachment_of_their_own() {
        let mut rows: Vec<Row> =
            (0..100).map(|n| row(&format!("r{n}"), None, Rank::PermanentRepresentative, false)).collect();
        rows[40] = row("french", Some("fr"), Rank::PermanentRepresentative, false);
        rows[50] = row("vacant", None, Rank::Vacant, false);
        rows[60] = row("one", None, Rank::PermanentRepresentative, true);
        rows[61] = row("two", None, Rank::PermanentRepresentative, true);
        let english = Language::parse("en").expect("a tag");
        let candidates: Vec<Candidate<'_>> = rows
            .iter()
            .enumerate()
            .map(|(place, row)| Candidate {
                row,
                size: if place == 70 { 9 } else { 5 - u64::from(place == 71) },
                codes: if place == 80 { &["stale"] } else { &[] },
            })
            .collect();
        let (chosen, left_out) = sample(&candidates, &english, 12);
        for place in [0, 40, 50, 60, 61, 70, 71, 80] {
            assert!(chosen.contains_key(&place), "{place}: {chosen:?}");
        }
        assert_eq!((chosen.len(), left_out), (12, 0));
        let (chosen, left_out) = sample(&candidates, &english, 5);
        assert_eq!((chosen.len(), left_out), (5, 3));
        assert_eq!(sample(&candidates, &english, 1_000).0.len(), 100);
    }
}
