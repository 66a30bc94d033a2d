//! What scripts read: `status --json` and `log --json`. Fields are added, never renamed; times are RFC 3339.

use serde_json::{Value, json};

use super::log::queue_id;
use super::{Facts, shown};
use crate::domain::attempt::LastWord;
use crate::domain::record::{AddressRecord, AttemptRecord, Counts, DeliveryRecord};

/// The batch: `{"campaign", "digest", "counts": {…}, "approvals": [{"digest", "by", "note", "at",
/// "letters", "withdrawn"}], "deliveries": [{"id", "state", "to": [{"address", "field",
/// "outcome", "code", "enhanced", "text"}], "attempts", "message_id", "last": {"phase", "code", "enhanced", "text",
/// "at"}, "not_before"}], "coverage": {"expected", "present", "missing", "doubled", "foreign"}}`. `to` holds every address of the envelope; `field` tells To, Cc and Bcc apart.
#[must_use]
pub fn status_json(records: &[DeliveryRecord], counts: &Counts, facts: &Facts) -> Value {
    json!({
        "campaign": facts.campaign,
        "digest": facts.digest,
        "counts": counts,
        "approvals": facts.approvals,
        "deliveries": records.iter().map(delivery).collect::<Vec<_>>(),
        "coverage": facts.coverage.to_json(),
    })
}

/// One delivery as in [`status_json`], and every attempt: `"log": [{"number", "run", "claimed_at", "intent_at",
/// "settled_at", "outcome", "queue_id", "last": {…}, "to": […]}]`.
#[must_use]
pub fn log_json(record: &DeliveryRecord, attempts: &[AttemptRecord]) -> Value {
    let mut value = delivery(record);
    value["digest"] = json!(record.digest);
    value["note"] = json!(record.note);
    value["log"] = attempts.iter().map(attempt).collect();
    value
}

fn delivery(record: &DeliveryRecord) -> Value {
    json!({
        "id": record.id,
        "state": shown(record.state),
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
