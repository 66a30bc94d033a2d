//! The ledger's content in a pack, read back into the records that a report is made of: what the report in the pack has to say
//! follows from them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::domain::approval::{Approval, Withdrawal};
use crate::domain::attempt::{DeliveryId, LastWord};
use crate::domain::delivery::State;
use crate::domain::digest::Digest;
use crate::domain::recipient::{Recipient, RecipientId};
use crate::domain::record::{AddressRecord, DeliveryRecord, Remark, RunRecord};
use crate::domain::run::Beginning;

/// What a report is made of, as far as the ledger knows it.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// The version of the program that wrote the pack.
    pub program: String,
    /// The version of the ledger's tables, from 1 on.
    pub version: i64,
    /// Whether it is the record of a rehearsal.
    pub rehearsal: bool,
    /// Every delivery, by position.
    pub records: Vec<DeliveryRecord>,
    /// What people said about a row, by its id.
    pub remarks: HashMap<String, Vec<Remark>>,
    /// Every run.
    pub runs: Vec<RunRecord>,
    /// Every approval.
    pub approvals: Vec<Approval>,
}

/// A line of the table `deliveries`.
struct Delivery {
    id: RecipientId,
    state: State,
    tries: u64,
    edition: i64,
    digest: Digest,
    not_before: Option<Timestamp>,
    note: Option<String>,
}

/// A line of the table `attempts`.
struct Attempt {
    message_id: String,
    date: Timestamp,
    word: Option<LastWord>,
}

/// The lines as they come.
#[derive(Default)]
pub(super) struct Lines {
    record: Record,
    deliveries: BTreeMap<i64, Delivery>,
    recipients: HashMap<i64, Recipient>,
    addresses: HashMap<i64, Vec<(i64, AddressRecord)>>,
    attempts: HashMap<i64, BTreeMap<u64, Attempt>>,
    /// Attempts of a delivery that were settled and not given back.
    counted: HashMap<i64, BTreeSet<u64>>,
    approved: HashMap<Digest, u64>,
}

impl Lines {
    /// Takes one line; `None` if it is not what an export writes.
    pub(super) fn take(&mut self, line: &Value) -> Option<()> {
        match line["table"].as_str()? {
            "ledger" => {
                line["program"].as_str()?.clone_into(&mut self.record.program);
                self.record.version = line["version"].as_i64()?;
            }
            "rehearsal" => self.record.rehearsal = true,
            "deliveries" => {
                let delivery = Delivery {
                    id: RecipientId::parse(line["id"].as_str()?).ok()?,
                    state: state(&line["state"])?,
                    tries: line["tries"].as_u64()?,
                    edition: line["edition"].as_i64()?,
                    digest: line["digest"].as_str()?.parse().ok()?,
                    not_before: of(line, "not_before")?,
                    note: of(line, "note")?,
                };
                self.deliveries.insert(line["number"].as_i64()?, delivery);
            }
            "recipients" => {
                self.recipients.insert(line["number"].as_i64()?, of(line, "recipient")?);
            }
            "addresses" => {
                let address = AddressRecord {
                    address: of(line, "address")?,
                    field: of(line, "field")?,
                    state: state(&line["state"])?,
                    word: of(line, "word")?,
                };
                self.addresses.entry(line["delivery"].as_i64()?).or_default().push((line["place"].as_i64()?, address));
            }
            "attempts" => self.attempt(line)?,
            "attempt_addresses" => self.attempt_address(line)?,
            "runs" => self.record.runs.push(RunRecord {
                run: line["run"].as_i64()?,
                started_at: of(line, "started_at")?,
                ended_at: of(line, "ended_at")?,
                program: of(line, "program")?,
                attempts: 0,
                began: beginning(line)?,
            }),
            "run_approvals" => self.counted(line)?,
            "remarks" => {
                let remark = Remark {
                    at: of(line, "at")?,
                    event: of(line, "event")?,
                    note: of(line, "note")?,
                    by: of(line, "person")?,
                };
                let id = self.deliveries.get(&line["delivery"].as_i64()?)?.id.to_string();
                self.record.remarks.entry(id).or_default().push(remark);
            }
            "approvals" => self.approval(line)?,
            "approved_letters" => *self.approved.entry(line["digest"].as_str()?.parse().ok()?).or_default() += 1,
            _ => {}
        }
        Some(())
    }

    fn attempt(&mut self, line: &Value) -> Option<()> {
        let attempt = Attempt { message_id: of(line, "message_id")?, date: of(line, "date")?, word: of(line, "word")? };
        self.attempts.entry(line["delivery"].as_i64()?).or_default().insert(line["number"].as_u64()?, attempt);
        if line["outcome"].as_str() != Some(State::Queued.name())
            && let Some(run) = self.record.runs.iter_mut().find(|run| Some(run.run) == line["run"].as_i64())
        {
            run.attempts += 1;
        }
        Some(())
    }

    fn attempt_address(&mut self, line: &Value) -> Option<()> {
        let (delivery, attempt) = (line["delivery"].as_i64()?, line["attempt"].as_u64()?);
        // What was given back counts for nothing.
        if state(&line["state"])? != State::Queued {
            self.counted.entry(delivery).or_default().insert(attempt);
        }
        Some(())
    }

    /// An approval that counted for a run. Both stand above it in an export.
    fn counted(&mut self, line: &Value) -> Option<()> {
        let (run, number) = (line["run"].as_i64()?, line["approval"].as_i64()?);
        let approval = self.record.approvals.iter().find(|approval| approval.number == number)?;
        let run = self.record.runs.iter_mut().find(|one| one.run == run)?;
        run.began.approvals.push(approval.into());
        Some(())
    }

    fn approval(&mut self, line: &Value) -> Option<()> {
        let note: Option<String> = of(line, "withdrawn_note")?;
        let at: Option<Timestamp> = of(line, "withdrawn_at")?;
        self.record.approvals.push(Approval {
            number: line["approval"].as_i64()?,
            digest: line["digest"].as_str()?.parse().ok()?,
            by: of(line, "person")?,
            note: of(line, "note")?,
            at: of(line, "at")?,
            letters: 0,
            withdrawn: at.map(|at| Withdrawal { at, note: note.unwrap_or_default() }),
        });
        Some(())
    }

    /// All of it together; `None` if a delivery has no row.
    pub(super) fn finish(mut self) -> Option<Record> {
        for approval in &mut self.record.approvals {
            approval.letters = self.approved.get(&approval.digest).copied().unwrap_or(0);
        }
        for (number, delivery) in self.deliveries {
            let attempts = self.attempts.remove(&number).unwrap_or_default();
            let last = attempts.get(&delivery.tries);
            let mut addresses = self.addresses.remove(&number).unwrap_or_default();
            addresses.sort_by_key(|(place, _)| *place);
            self.record.records.push(DeliveryRecord {
                number: DeliveryId(number),
                recipient: self.recipients.remove(&number)?,
                addresses: addresses.into_iter().map(|(_, address)| address).collect(),
                attempts: self.counted.get(&number).map_or(0, |all| u32::try_from(all.len()).unwrap_or(u32::MAX)),
                message_id: last.map(|attempt| attempt.message_id.clone()),
                date: last.map(|attempt| attempt.date),
                not_before: delivery.not_before.filter(|_| delivery.state == State::Deferred),
                last: attempts.values().rev().find_map(|attempt| attempt.word.clone()),
                id: delivery.id,
                state: delivery.state,
                digest: delivery.digest,
                edition: delivery.edition,
                note: delivery.note,
            });
        }
        Some(self.record)
    }
}

fn beginning(line: &Value) -> Option<Beginning> {
    Some(Beginning {
        command: of(line, "command")?,
        digest: of::<Option<String>>(line, "digest")?.map(|hex| hex.parse()).transpose().ok()?,
        confirmed: of(line, "confirmed")?,
        confirmed_at: of(line, "confirmed_at")?,
        by: of(line, "person")?,
        host: of(line, "host")?,
        approvals: Vec::new(),
    })
}

fn of<T: DeserializeOwned>(line: &Value, name: &str) -> Option<T> {
    serde_json::from_value(line.get(name).cloned().unwrap_or(Value::Null)).ok()
}

fn state(value: &Value) -> Option<State> {
    State::from_name(value.as_str()?)
}
