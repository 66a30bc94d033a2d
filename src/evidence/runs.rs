//! The runs in a pack's ledger against the approvals and letters in it: a run may count no approval that was not given for its
//! batch before it began, and may have sent nothing that is not in the batches that were approved for it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::names::LEDGER;
use crate::domain::digest::Digest;

/// A letter as a batch names it: the row's id, and the digest.
type Letter = (String, Digest);

/// How a run was begun.
struct Begun {
    command: String,
    digest: Digest,
    at: Timestamp,
}

/// An approval.
struct Approval {
    digest: Digest,
    at: Timestamp,
    withdrawn_at: Option<Timestamp>,
}

/// The lines that tell of runs and approvals.
#[derive(Default)]
pub(super) struct Runs {
    begun: BTreeMap<i64, Begun>,
    approvals: BTreeMap<i64, Approval>,
    counted: Vec<(i64, i64)>,
}

impl Runs {
    /// Takes one line; `None` if it is not what an export writes. Runs whose batch is not on record say nothing.
    pub(super) fn take(&mut self, line: &Value) -> Option<()> {
        let int = |name: &str| line[name].as_i64();
        let time = |name: &str| line[name].as_str()?.parse::<Timestamp>().ok();
        let digest = || line["digest"].as_str()?.parse::<Digest>().ok();
        match line["table"].as_str()? {
            "runs" if !line["digest"].is_null() => {
                let command = line["command"].as_str()?.to_owned();
                self.begun.insert(int("run")?, Begun { command, digest: digest()?, at: time("started_at")? });
            }
            "approvals" => {
                let withdrawn_at = if line["withdrawn_at"].is_null() { None } else { Some(time("withdrawn_at")?) };
                let approval = Approval { digest: digest()?, at: time("at")?, withdrawn_at };
                self.approvals.insert(int("approval")?, approval);
            }
            "run_approvals" => self.counted.push((int("run")?, int("approval")?)),
            _ => {}
        }
        Some(())
    }

    /// Each run's digest.
    pub(super) fn digests(&self) -> impl Iterator<Item = (i64, Digest)> {
        self.begun.iter().map(|(run, begun)| (*run, begun.digest))
    }

    /// What does not fit together. `sent` is what each run handed over, `approved` the letters of each approved batch.
    pub(super) fn findings(&self, sent: &[(i64, Letter)], approved: &BTreeMap<Digest, Vec<Letter>>) -> Vec<String> {
        let mut findings = Vec::new();
        for (run, number) in &self.counted {
            if let Some(wrong) = self.false_count(*run, *number) {
                findings.push(format!("{LEDGER}: run {run} counts approval {number}, {wrong}"));
            }
        }
        for (run, begun) in &self.begun {
            let of_run: Vec<&Letter> = sent.iter().filter(|(one, _)| one == run).map(|(_, letter)| letter).collect();
            let letters = self.approved_for(*run, begun, approved);
            let Some(letters) = letters else { continue };
            for (id, _) in of_run.into_iter().filter(|letter| !letters.contains(letter)) {
                findings.push(format!(
                    "{LEDGER}: run {run} sent a letter to {id} that is not in the batch approved for it"
                ));
            }
        }
        findings
    }

    fn false_count(&self, run: i64, number: i64) -> Option<&'static str> {
        let (Some(begun), Some(approval)) = (self.begun.get(&run), self.approvals.get(&number)) else {
            return Some("and one of them is not on record");
        };
        if approval.at > begun.at {
            return Some("which was given after it began");
        }
        if approval.withdrawn_at.is_some_and(|at| at < begun.at) {
            return Some("which was withdrawn before it began");
        }
        (begun.command == "send" && approval.digest != begun.digest).then_some("which is of another batch")
    }

    /// The letters that were approved for a run; `None` if none were.
    fn approved_for<'a>(
        &self,
        run: i64,
        begun: &Begun,
        approved: &'a BTreeMap<Digest, Vec<Letter>>,
    ) -> Option<BTreeSet<&'a Letter>> {
        let counted = self.counted.iter().filter(|(one, _)| *one == run);
        let mut batches: BTreeSet<Digest> =
            counted.filter_map(|(_, number)| self.approvals.get(number)).map(|approval| approval.digest).collect();
        if begun.command == "send" {
            batches.insert(begun.digest);
        }
        let known: Vec<&Vec<Letter>> = batches.iter().filter_map(|digest| approved.get(digest)).collect();
        (!known.is_empty()).then(|| known.into_iter().flatten().collect())
    }
}
