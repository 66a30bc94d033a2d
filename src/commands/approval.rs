//! Who approved the batch, who has to, and what is said of it wherever a batch is shown.

use std::collections::BTreeSet;

use crate::config::Config;
use crate::domain::approval::{Approval, approvers, distinct};
use crate::domain::digest::Digest;
use crate::domain::record::DeliveryRecord;
use crate::domain::reply::visible;
use crate::ledger::{LedgerError, Reader};

use super::exit::{DATA, Failure};
use super::frozen;

/// Where the approval of one batch stands.
pub(super) struct Standing {
    /// The batch.
    pub(super) digest: Digest,
    /// How many people have to approve it; 0 for none.
    pub(super) needed: usize,
    /// Everything on record, withdrawn ones and those of other batches too.
    pub(super) approvals: Vec<Approval>,
}

impl Standing {
    /// Of the batch of that digest, by a ledger that is open already.
    pub(super) fn of(reader: &Reader, config: &Config, digest: Digest) -> Result<Self, LedgerError> {
        let mut approvals = reader.approvals()?;
        // What people typed is shown, and never obeyed by a terminal.
        for approval in &mut approvals {
            approval.by = visible(&approval.by);
            approval.note = visible(&approval.note);
            if let Some(withdrawn) = &mut approval.withdrawn {
                withdrawn.note = visible(&withdrawn.note);
            }
        }
        Ok(Self { digest, needed: config.approvals, approvals })
    }

    /// The same where there may be no ledger yet, or another campaign's, which knows nothing of this batch.
    pub(super) fn look(config: &Config, digest: Digest) -> Result<Self, LedgerError> {
        let nothing = Self { digest, needed: config.approvals, approvals: Vec::new() };
        if !config.ledger.exists() {
            return Ok(nothing);
        }
        let reader = Reader::open(&config.ledger)?;
        match frozen::same_campaign(&reader, &config.settings) {
            Ok(()) => Self::of(&reader, config, digest),
            Err(_) => Ok(nothing),
        }
    }

    /// Those who approved this very batch, each person once.
    pub(super) fn people(&self) -> Vec<&str> {
        approvers(&self.approvals, self.digest)
    }

    /// The numbers of the approvals of this very batch that stand.
    pub(super) fn numbers(&self) -> Vec<i64> {
        let these = self.approvals.iter().filter(|one| one.digest == self.digest && one.withdrawn.is_none());
        these.map(|one| one.number).collect()
    }

    /// True if as many people approved as have to.
    pub(super) fn is_enough(&self) -> bool {
        self.people().len() >= self.needed
    }

    /// In a few words; `None` where nobody asks for approvals and nobody gave one.
    pub(super) fn line(&self) -> Option<String> {
        let people = self.people();
        let needed =
            if self.needed > 0 { format!("{} of {} needed", people.len(), self.needed) } else { String::new() };
        if !people.is_empty() {
            let needed = if needed.is_empty() { needed } else { format!(" ({needed})") };
            return Some(format!("by {}{needed}", people.join(", ")));
        }
        let before = self.approvals.iter().rev().find(|approval| approval.withdrawn.is_none());
        match (before, self.needed) {
            (Some(before), _) => {
                let needed = if needed.is_empty() { needed } else { format!("; {needed}") };
                let people = approvers(&self.approvals, before.digest).join(", ");
                Some(format!("not as it is now; another batch was, by {people}{needed}"))
            }
            (None, 0) => None,
            (None, _) => Some(format!("by nobody ({needed})")),
        }
    }

    /// Refuses a batch that too few people approved.
    ///
    /// # Errors
    /// A [`Failure`] that says who did, and how another one does.
    pub(super) fn require(&self) -> Result<(), Failure> {
        if self.is_enough() {
            return Ok(());
        }
        let people = self.people();
        let who = if people.is_empty() { "nobody did".to_owned() } else { format!("{} did", people.join(", ")) };
        Err(Failure::new(
            DATA,
            format!(
                "campaign.approvals asks for {} to approve exactly this batch, and {who}; nothing was sent",
                counted(self.needed)
            ),
        )
        .help(format!(
            "whoever approves looks at `demarche preview`, then runs\n    demarche approve {} --by NAME --note TEXT\n\
             `demarche approve --list` shows who approved what, and what has changed since",
            self.digest
        )))
    }
}

/// Refuses to send letters again that too few people approved. A letter is approved with any batch that it is in as it is.
///
/// # Errors
/// A [`Failure`] that names them.
pub(super) fn require_letters(
    reader: &Reader,
    config: &Config,
    records: &[(&DeliveryRecord, Digest)],
    digest: Digest,
) -> Result<(), Failure> {
    if config.approvals == 0 {
        return Ok(());
    }
    let mut unapproved = Vec::new();
    for (record, letter) in records {
        let names = reader.approvers_of_letter(&record.id, *letter)?;
        if distinct(names.iter().map(|(_, name)| name.as_str())).len() < config.approvals {
            unapproved.push(record.id.to_string());
        }
    }
    if unapproved.is_empty() {
        return Ok(());
    }
    let rest = unapproved.len().saturating_sub(10);
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    unapproved.truncate(10);
    Err(Failure::new(
        DATA,
        format!(
            "campaign.approvals asks for {} to approve every letter as it goes out, and these were not: {}{more}; nothing \
             was sent",
            counted(config.approvals),
            unapproved.join(", ")
        ),
    )
    .help(format!(
        "a corrected address makes another letter: look at `demarche preview`, then each runs\n    demarche approve {digest} \
         --by NAME --note TEXT"
    )))
}

/// The numbers of the approvals that stand of these letters, in whatever batches; none if there is a letter that nobody approved.
///
/// # Errors
/// A ledger that cannot be read.
pub(super) fn of_letters(reader: &Reader, letters: &[(&DeliveryRecord, Digest)]) -> Result<Vec<i64>, LedgerError> {
    let mut numbers = BTreeSet::new();
    for (record, letter) in letters {
        let of_letter = reader.approvers_of_letter(&record.id, *letter)?;
        if of_letter.is_empty() {
            return Ok(Vec::new());
        }
        numbers.extend(of_letter.into_iter().map(|(number, _)| number));
    }
    Ok(numbers.into_iter().collect())
}

fn counted(people: usize) -> String {
    if people == 1 { "one person".to_owned() } else { format!("{people} people") }
}

/// The name that was given, else that of the account, if the system tells one.
pub(super) fn person(given: Option<&str>) -> Option<String> {
    let tidy = |name: &str| name.split_whitespace().collect::<Vec<_>>().join(" ");
    let account = || ["LOGNAME", "USER", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
    given.map(tidy).or_else(|| account().map(|name| tidy(&name))).filter(|name| !name.is_empty())
}
