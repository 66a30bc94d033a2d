//! What is to be done next, in the same words wherever it is said.

use jiff::Timestamp;

use super::super::dossier::Dossier;
use super::text::{instant, plain};
use crate::domain::cause::Cause;
use crate::domain::delivery::State;
use crate::domain::markup::escape;
use crate::domain::message::Field;
use crate::domain::record::{AddressRecord, DeliveryRecord};

/// For a mission without a row.
pub(super) const ADD: &str = "Add a row to the list of recipients, then send.";

/// For a letter that waits, or that was cut off.
pub(super) const SEND: &str = "Unless it is being sent right now, go on with <code>demarche send</code>.";

/// For all that a cause kept back.
pub(super) fn of(cause: Cause) -> String {
    plain(cause.advice())
}

/// The same, and what holds for this address alone: from when on, and that only the copy goes again.
pub(super) fn for_address(dossier: &Dossier, record: &DeliveryRecord, address: &AddressRecord, cause: Cause) -> String {
    let due = record.not_before.filter(|_| address.state == State::Deferred && cause != Cause::FullMailbox);
    format!("{}{}{}", of(cause), due.map_or_else(String::new, |at| from(dossier, at)), alone(record, address))
}

/// ` It is due from … on.`, or that it can be sent now if that time is over.
pub(super) fn from(dossier: &Dossier, due: Timestamp) -> String {
    if due <= dossier.facts.now {
        " It can be sent again now.".to_owned()
    } else {
        format!(" It is due from {}\u{a0}UTC on.", instant(due))
    }
}

/// ` Only the copy goes again.`, where the letter itself was taken for the mission.
pub(super) fn alone(record: &DeliveryRecord, address: &AddressRecord) -> String {
    match address.field {
        _ if !record.has_letter() => String::new(),
        Field::To => format!(" Only <bdi>{}</bdi> is written to again.", escape(&address.address)),
        Field::Cc | Field::Bcc => " Only the copy goes again.".to_owned(),
    }
}
