//! Who approved which batch: a person's name, taken on trust, the digest, and when.

use jiff::Timestamp;
use serde::Serialize;
use unicode_normalization::UnicodeNormalization as _;

use super::digest::Digest;

/// One person's approval of one batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Approval {
    /// The ledger's number of it.
    pub number: i64,
    /// Of the batch that was approved.
    pub digest: Digest,
    /// The name that was given.
    pub by: String,
    /// In their words; may be empty.
    pub note: String,
    /// When.
    pub at: Timestamp,
    /// How many letters the batch has.
    pub letters: u64,
    /// Set if the approval was taken back.
    pub withdrawn: Option<Withdrawal>,
}

/// An approval that was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Withdrawal {
    /// When.
    pub at: Timestamp,
    /// In their words; may be empty.
    pub note: String,
}

/// True if two names are those of one person, as far as names tell: blanks and case make no difference.
#[must_use]
pub fn is_same_person(one: &str, other: &str) -> bool {
    folded(one) == folded(other)
}

fn folded(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().collect();
    words.join(" ").nfkc().flat_map(char::to_lowercase).collect()
}

/// The names of those whose approval of `digest` stands, each person once, in the order in which they gave it.
#[must_use]
pub fn approvers(approvals: &[Approval], digest: Digest) -> Vec<&str> {
    distinct(approvals.iter().filter(|one| one.digest == digest && one.withdrawn.is_none()).map(|one| one.by.as_str()))
}

/// Names, each person once.
#[must_use]
pub fn distinct<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut people: Vec<&str> = Vec::new();
    for name in names {
        if !people.iter().any(|known| is_same_person(known, name)) {
            people.push(name);
        }
    }
    people
}

#[cfg(test)]
mod tests {
    use super::*;

    fn approval(batch: &[u8], by: &str) -> Approval {
        let at = Timestamp::UNIX_EPOCH;
        Approval {
            number: 1,
            digest: Digest::of(batch),
            by: by.into(),
            note: String::new(),
            at,
            letters: 1,
            withdrawn: None,
        }
    }

    #[test]
    fn one_person_counts_once_however_the_name_is_written() {
        let given =
            [approval(b"a", "Chair"), approval(b"a", " chair "), approval(b"a", "CHAIR"), approval(b"b", "Desk")];
        assert_eq!(approvers(&given, Digest::of(b"a")), ["Chair"]);
        assert_eq!(approvers(&given, Digest::of(b"b")), ["Desk"]);
        assert!(approvers(&given, Digest::of(b"c")).is_empty());
    }

    #[test]
    fn what_was_withdrawn_does_not_count() {
        let mut taken_back = approval(b"a", "Chair");
        taken_back.withdrawn = Some(Withdrawal { at: Timestamp::UNIX_EPOCH, note: String::new() });
        assert!(approvers(&[taken_back.clone()], Digest::of(b"a")).is_empty());
        assert_eq!(approvers(&[taken_back, approval(b"a", "Chair")], Digest::of(b"a")), ["Chair"]);
    }
}
