//! What scripts read: `status --json` and `log --json`. Fields are added, never renamed; times are RFC 3339.

use serde_json::{Value, json};

use super::dossier::{Dossier, GroupCoverage, Miss, Sample, group_key, group_name};
use super::log::queue_id;
use super::{Facts, name, shown};
use crate::domain::attempt::LastWord;
use crate::domain::cause::Cause;
use crate::domain::record::{AddressRecord, AttemptRecord, Counts, DeliveryRecord, Remark};

/// The batch: `{"campaign", "rehearsal", "running", "digest", "counts": {…}, "approvals": [{"number", "digest", "by", "note", "at",
/// "letters", "withdrawn"}], "runs": [{"run", "started_at", "ended_at", "program", "attempts", "command", "digest", "confirmed",
/// "confirmed_at", "by", "host", "approvals": [{"number", "by", "at", "digest"}]}], "deliveries": [{"id", "state", "mission_has_letter", "to": [{"address", "field",
/// "outcome", "code", "enhanced", "text"}], "attempts", "message_id", "last": {"phase", "code", "enhanced", "text",
/// "at"}, "not_before"}], "coverage": {"expected", "present", "missing", "suppressed", "doubled", "foreign"}}`. `to` holds every address of the envelope; `field` tells To, Cc and Bcc apart.
#[must_use]
pub fn status_json(records: &[DeliveryRecord], counts: &Counts, facts: &Facts) -> Value {
    json!({
        "campaign": facts.campaign,
        "rehearsal": facts.rehearsal,
        "running": facts.running,
        "digest": facts.digest,
        "counts": counts,
        "approvals": facts.approvals,
        "runs": facts.runs,
        "deliveries": records.iter().map(delivery).collect::<Vec<_>>(),
        "coverage": facts.coverage.to_json(),
    })
}

/// The whole report: [`status_json`], and beside it `"generated_at", "sender", "event": {"name", "at", "zone"}, "coverage":
/// {…, "audience", "groups": [{"group", "expected", "states": {…}, "missing"}]}, "causes": [{"cause", "meaning", "advice", "addresses":
/// [{"id", "address", "outcome"}]}], "letters": [{"language", "edition", "count", "subject", "text", "attachments"}]`; each
/// delivery has `"name", "group", "note", "digest"` and `"remarks": [{"at", "event", "note", "by"}]` too.
#[must_use]
pub fn report_json(dossier: &Dossier) -> Value {
    let mut value = status_json(&dossier.records, &dossier.counts, &dossier.facts);
    value["generated_at"] = json!(dossier.facts.now);
    value["sender"] = json!(dossier.sender);
    value["event"] = json!(dossier.event);
    value["coverage"] = coverage(dossier);
    value["causes"] = dossier.causes().into_iter().map(|(cause, misses)| causes(cause, &misses)).collect();
    value["letters"] = dossier.letters.iter().map(sample).collect();
    value["deliveries"] = dossier
        .records
        .iter()
        .map(|record| {
            let mut value = delivery(record);
            value["name"] = json!(name(record));
            value["group"] = json!(group_name(group_key(record.recipient.state)));
            value["note"] = json!(record.note);
            value["digest"] = json!(record.digest);
            value["remarks"] = said(dossier.remarks_on(record));
            value
        })
        .collect();
    value
}

fn said(remarks: &[Remark]) -> Value {
    let one = |said: &Remark| json!({ "at": said.at, "event": said.event, "note": said.note, "by": said.by });
    remarks.iter().map(one).collect()
}

fn coverage(dossier: &Dossier) -> Value {
    let groups = dossier.coverage();
    let group = |group: &GroupCoverage| json!({ "group": group.name, "expected": group.expected, "states": group.states, "missing": group.missing });
    let mut value = dossier.facts.coverage.to_json();
    value["audience"] = json!(dossier.audience);
    value["groups"] = groups.iter().map(group).collect();
    value
}

fn causes(cause: Cause, misses: &[Miss<'_>]) -> Value {
    let address = |miss: &Miss<'_>| json!({ "id": miss.record.id, "address": miss.address.address, "outcome": shown(miss.address.state) });
    json!({
        "cause": cause.name(),
        "meaning": cause.meaning(),
        "advice": cause.advice(),
        "addresses": misses.iter().map(address).collect::<Vec<_>>(),
    })
}

fn sample(letter: &Sample) -> Value {
    json!({
        "language": letter.language.as_str(),
        "edition": letter.edition,
        "count": letter.count,
        "subject": letter.subject,
        "text": letter.text,
        "attachments": letter.attachments,
    })
}

/// One delivery as in [`status_json`], `"remarks"` as in [`report_json`], whether it is of a rehearsal, and every attempt, `batch` being the digest that its run was begun with:
/// `"rehearsal", "log": [{"number", "run", "batch", "claimed_at", "intent_at",
/// "settled_at", "outcome", "queue_id", "last": {…}, "to": […]}]`.
#[must_use]
pub fn log_json(record: &DeliveryRecord, attempts: &[AttemptRecord], remarks: &[Remark], facts: &Facts) -> Value {
    let mut value = delivery(record);
    value["digest"] = json!(record.digest);
    value["note"] = json!(record.note);
    value["remarks"] = said(remarks);
    value["rehearsal"] = json!(facts.rehearsal);
    let began_with = |one: &AttemptRecord| facts.runs.iter().find(|run| run.run == one.run)?.began.digest;
    let with_batch = |one: &AttemptRecord| {
        let mut value = attempt(one);
        value["batch"] = json!(began_with(one));
        value
    };
    value["log"] = attempts.iter().map(with_batch).collect();
    value
}

fn delivery(record: &DeliveryRecord) -> Value {
    json!({
        "id": record.id,
        "state": shown(record.state),
        "mission_has_letter": record.has_letter(),
        "to": record.addresses.iter().map(address).collect::<Vec<_>>(),
        "attempts": record.attempts,
        "message_id": record.message_id,
        "last": record.last.as_ref().map(word),
        "not_before": record.not_before,
    })
}

fn address(record: &AddressRecord) -> Value {
    let said = record.word.as_ref();
    json!({
        "address": record.address,
        "field": record.field,
        "outcome": shown(record.state),
        "code": said.and_then(|word| word.code),
        "enhanced": said.and_then(|word| word.enhanced.as_deref()),
        "text": said.map(|word| word.text.as_str()),
    })
}

fn attempt(record: &AttemptRecord) -> Value {
    json!({
        "number": record.number,
        "run": record.run,
        "claimed_at": record.claimed_at,
        "intent_at": record.intent_at,
        "settled_at": record.settled_at,
        "outcome": record.outcome.map(shown),
        "queue_id": record.word.as_ref().and_then(|word| queue_id(&word.text)),
        "last": record.word.as_ref().map(word),
        "to": record.addresses.iter().map(address).collect::<Vec<_>>(),
    })
}

fn word(word: &LastWord) -> Value {
    json!({
        "phase": word.phase.name(),
        "code": word.code,
        "enhanced": word.enhanced,
        "text": word.text,
        "at": word.at,
    })
}
