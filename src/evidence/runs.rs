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
    /// Runs that tell nothing of their beginning, as those of earlier versions do.
    silent: Vec<i64>,
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
            "runs" => self.silent.push(int("run")?),
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
        // Whoever upgrades a ledger does not go back.
        let first = self.begun.keys().next().copied().unwrap_or(i64::MAX);
        for run in self.silent.iter().filter(|run| **run > first) {
            findings.push(format!("{LEDGER}: run {run} does not tell what it was begun with, and one before it does"));
        }
        for (run, begun) in &self.begun {
            findings.extend(self.uncounted(*run, begun));
            let of_run: Vec<&Letter> = sent.iter().filter(|(one, _)| one == run).map(|(_, letter)| letter).collect();
            findings.extend(self.foreign(*run, begun, &of_run, approved));
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
            return Some("which was given after it began, by the clocks of both");
        }
        if approval.withdrawn_at.is_some_and(|at| at < begun.at) {
            return Some("which was withdrawn before it began, by the clocks of both");
        }
        (begun.command == "send" && approval.digest != begun.digest).then_some("which is of another batch")
    }

    /// A `send` counts every approval of its batch that stands when it begins.
    fn uncounted(&self, run: i64, begun: &Begun) -> Vec<String> {
        let stands = |approval: &Approval| {
            begun.command == "send"
                && approval.digest == begun.digest
                && approval.at <= begun.at
                && approval.withdrawn_at.is_none_or(|at| at > begun.at)
        };
        let standing = self.approvals.iter().filter(|(_, approval)| stands(approval)).map(|(number, _)| *number);
        let left_out = standing.filter(|number| !self.counted.contains(&(run, *number)));
        left_out.map(|number| format!("{LEDGER}: run {run} does not count approval {number}, which stood")).collect()
    }

    /// What a `resend` counts is of the letters that it sends.
    fn foreign(
        &self,
        run: i64,
        begun: &Begun,
        sent: &[&Letter],
        approved: &BTreeMap<Digest, Vec<Letter>>,
    ) -> Vec<String> {
        let of_run = self.counted.iter().filter(|(one, _)| *one == run && begun.command == "resend");
        let holds = |number: &i64| {
            let letters = self.approvals.get(number).and_then(|approval| approved.get(&approval.digest));
            letters.is_none_or(|letters| letters.iter().any(|letter| sent.contains(&letter)))
        };
        let foreign = of_run.map(|(_, number)| *number).filter(|number| !sent.is_empty() && !holds(number));
        foreign
            .map(|number| {
                format!(
                    "{LEDGER}: run {run} counts approval {number}, whose batch has none of the letters that it sent"
                )
            })
            .collect()
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn digest(text: &str) -> Digest {
        Digest::of(text.as_bytes())
    }

    fn runs(lines: &[Value]) -> Runs {
        let mut runs = Runs::default();
        for line in lines {
            assert!(runs.take(line).is_some(), "{line}");
        }
        runs
    }

    fn run(number: i64, command: &str, of: &str, minute: u8) -> Value {
        let at = format!("2021-10-01T10:{minute:02}:00Z");
        json!({ "table": "runs", "run": number, "command": command, "digest": digest(of).to_string(), "started_at": at })
    }

    fn approval(number: i64, of: &str) -> Value {
        json!({ "table": "approvals", "approval": number, "digest": digest(of).to_string(), "at": "2021-10-01T09:00:00Z",
                "withdrawn_at": null })
    }

    fn counted(run: i64, approval: i64) -> Value {
        json!({ "table": "run_approvals", "run": run, "approval": approval })
    }

    #[test]
    fn a_run_that_hides_what_one_before_it_tells_is_found() {
        let silent = json!({ "table": "runs", "run": 2, "digest": null });
        let told = run(1, "send", "batch", 1);
        let findings = runs(&[told.clone(), silent.clone()]).findings(&[], &BTreeMap::new());
        assert_eq!(findings, ["ledger.jsonl: run 2 does not tell what it was begun with, and one before it does"]);
        let upgraded = [silent, run(3, "send", "batch", 1)];
        assert!(runs(&upgraded).findings(&[], &BTreeMap::new()).is_empty(), "an earlier version began the first");
    }

    #[test]
    fn a_resend_counts_nobody_who_approved_none_of_its_letters() {
        let ken = ("KEN".to_owned(), digest("letter to KEN"));
        let fra = ("FRA".to_owned(), digest("letter to FRA"));
        let approved = BTreeMap::from([(digest("one"), vec![ken.clone()]), (digest("other"), vec![fra])]);
        let lines =
            [approval(1, "one"), approval(2, "other"), run(1, "resend", "now", 1), counted(1, 1), counted(1, 2)];
        let findings = runs(&lines).findings(&[(1, ken)], &approved);
        let foreign = "ledger.jsonl: run 1 counts approval 2, whose batch has none of the letters that it sent";
        assert_eq!(findings, [foreign]);
    }
}
