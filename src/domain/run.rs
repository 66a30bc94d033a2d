//! How a run was begun: which batch was shown and confirmed, how and by whom, and whose approvals counted for it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::approval::{Approval, distinct};
use super::digest::Digest;

/// How a person said that a run may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confirmation {
    /// The word that was asked for was typed.
    Word,
    /// `--yes` was passed.
    Yes,
    /// `--approve DIGEST` was passed, and the digest was that of the batch.
    Approve,
}

impl Confirmation {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Word, Self::Yes, Self::Approve];

    /// As it stands in the ledger and in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Word => "word",
            Self::Yes => "yes",
            Self::Approve => "approve",
        }
    }

    /// The way of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// In a few words, for people.
    #[must_use]
    pub fn described(self) -> &'static str {
        match self {
            Self::Word => "by typing the word",
            Self::Yes => "by --yes",
            Self::Approve => "by --approve with its digest",
        }
    }
}

/// What is on record of a run's beginning; nothing of it if a version before these columns began it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Beginning {
    /// Which command it was of: `send`, `resend` or `rehearse`.
    pub command: Option<String>,
    /// Of the batch as it was shown and confirmed.
    pub digest: Option<Digest>,
    /// How it was confirmed; a rehearsal asks nobody.
    pub confirmed: Option<Confirmation>,
    /// When it was confirmed, which may be long before the run began.
    pub confirmed_at: Option<Timestamp>,
    /// The account that ran the command, as the system names it.
    pub by: Option<String>,
    /// The machine's name.
    pub host: Option<String>,
    /// The approvals that counted for it.
    pub approvals: Vec<Counted>,
}

/// An approval that counted for a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// The ledger's number of it.
    pub number: i64,
    /// Who gave it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Of which batch.
    pub digest: Digest,
}

impl From<&Approval> for Counted {
    fn from(approval: &Approval) -> Self {
        Self { number: approval.number, by: approval.by.clone(), at: approval.at, digest: approval.digest }
    }
}

/// Whether what a run sent was approved before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cover<'a> {
    /// The batch that it was begun with is not on record: an earlier version of the program began it.
    NotOnRecord,
    /// These people had approved exactly this batch before it began.
    Batch(Vec<&'a str>),
    /// These people together had approved each letter of it before it began, in this batch or in another.
    Letters(Vec<&'a str>),
    /// Nobody had; these people approved this batch only afterwards.
    Afterwards(Vec<&'a str>),
    /// Nobody ever approved this batch.
    Nobody,
}

impl Beginning {
    /// What the approvals on record say of a run that began at `started_at`.
    #[must_use]
    pub fn cover<'a>(&'a self, started_at: Timestamp, all: &'a [Approval]) -> Cover<'a> {
        let Some(digest) = self.digest else { return Cover::NotOnRecord };
        let people = distinct(self.approvals.iter().map(|one| one.by.as_str()));
        if !people.is_empty() {
            let whole = self.approvals.iter().all(|one| one.digest == digest);
            return if whole { Cover::Batch(people) } else { Cover::Letters(people) };
        }
        let since = all.iter().filter(|one| one.digest == digest && one.withdrawn.is_none() && one.at > started_at);
        let since = distinct(since.map(|one| one.by.as_str()));
        if since.is_empty() { Cover::Nobody } else { Cover::Afterwards(since) }
    }
}

impl Cover<'_> {
    /// In a sentence without its full stop: `approved by A and B before it began`.
    #[must_use]
    pub fn described(&self) -> String {
        match self {
            Self::NotOnRecord => {
                "the batch that it was begun with is not on record: an earlier version of the program sent it"
                    .to_owned()
            }
            Self::Batch(people) => format!("approved by {} before it began", and(people)),
            Self::Letters(people) => {
                format!("each of its letters approved before it began, in this batch or another, by {}", and(people))
            }
            Self::Afterwards(people) => format!("NOT approved before it began; only afterwards, by {}", and(people)),
            Self::Nobody => "approved by nobody".to_owned(),
        }
    }
}

/// `every letter that went out was approved before its run: 10 as 37f9…, 183 as 59e5…, by A and B`, for runs given by how many
/// letters they tried and how they were begun; `None` if nothing went out, or a run went out without an approval.
#[must_use]
pub fn approved_before<'a>(runs: impl IntoIterator<Item = (u64, &'a Beginning)>) -> Option<String> {
    let (mut parts, mut people): (Vec<(Digest, bool, u64)>, Vec<&str>) = (Vec::new(), Vec::new());
    for (letters, began) in runs.into_iter().filter(|(letters, _)| *letters > 0) {
        let digest = began.digest.filter(|_| !began.approvals.is_empty())?;
        let whole = began.approvals.iter().all(|one| one.digest == digest);
        people.extend(began.approvals.iter().map(|one| one.by.as_str()));
        match parts.iter_mut().find(|(of, as_whole, _)| (*of, *as_whole) == (digest, whole)) {
            Some((.., count)) => *count += letters,
            None => parts.push((digest, whole, letters)),
        }
    }
    let part = |(digest, whole, letters): &(Digest, bool, u64)| {
        if *whole { format!("{letters} as {digest}") } else { format!("{letters} letter by letter") }
    };
    let told: Vec<String> = parts.iter().map(part).collect();
    let people = and(&distinct(people));
    (!told.is_empty())
        .then(|| format!("every letter that went out was approved before its run: {}, by {people}", told.join(", ")))
}

/// `A`, `A and B`, `A, B and C`.
fn and(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::approval::Withdrawal;

    fn approval(number: i64, batch: &[u8], by: &str, at: i64) -> Approval {
        let at = Timestamp::from_second(at).expect("a time");
        Approval {
            number,
            digest: Digest::of(batch),
            by: by.into(),
            note: String::new(),
            at,
            letters: 1,
            withdrawn: None,
        }
    }

    fn began(batch: &[u8], counted: &[&Approval]) -> Beginning {
        let approvals = counted.iter().map(|one| Counted::from(*one)).collect();
        Beginning { digest: Some(Digest::of(batch)), approvals, ..Beginning::default() }
    }

    #[test]
    fn a_run_is_approved_by_what_counted_for_it_and_by_nothing_that_came_later() {
        let start = Timestamp::from_second(100).expect("a time");
        let (chair, desk) = (approval(1, b"a", "Chair", 10), approval(2, b"a", "Desk", 20));
        let (late, other) = (approval(3, b"a", "Late", 200), approval(4, b"b", "Other", 10));
        let all = [chair.clone(), desk.clone(), late, other.clone()];
        let told = |began: &Beginning| began.cover(start, &all).described();
        assert_eq!(told(&began(b"a", &[&chair, &desk])), "approved by Chair and Desk before it began");
        assert_eq!(told(&began(b"a", &[])), "NOT approved before it began; only afterwards, by Late");
        assert_eq!(told(&began(b"c", &[])), "approved by nobody");
        assert!(told(&began(b"c", &[&chair, &other])).ends_with(" by Chair and Other"));
        assert_eq!(Beginning::default().cover(start, &all), Cover::NotOnRecord);
    }

    #[test]
    fn an_approval_that_was_given_afterwards_and_taken_back_is_none() {
        let start = Timestamp::from_second(100).expect("a time");
        let mut late = approval(1, b"a", "Late", 200);
        late.withdrawn = Some(Withdrawal { at: start, note: String::new() });
        assert_eq!(began(b"a", &[]).cover(start, &[late]), Cover::Nobody);
    }

    #[test]
    fn every_way_to_confirm_is_read_back_by_its_name() {
        for one in Confirmation::ALL {
            assert_eq!(Confirmation::from_name(one.name()), Some(one));
            assert_eq!(serde_json::to_value(one).expect("JSON"), one.name());
        }
        assert_eq!(Confirmation::from_name("telepathy"), None);
    }
}
