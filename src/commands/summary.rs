//! What stands in the summary of a batch, wherever one is shown: figures that add up, and what the digest is.

use crate::domain::coverage::Coverage;
use crate::domain::digest::Digest;
use crate::domain::recipient::RecipientId;
use crate::domain::state::by_iso3;

use super::prepare::{Batch, name_of};

/// Labels and what stands beside them; a line each.
pub(super) type Facts = Vec<(&'static str, String)>;

/// More names than a line should hold.
pub(super) const NAMED: usize = 10;

/// The digest, and what it is good for.
pub(super) fn digest(digest: Digest) -> (&'static str, String) {
    ("Digest", format!("{digest}\nstands for exactly these letters; any change gives another"))
}

/// Who gets a letter, without those who get none for a reason that [`left_out`] tells.
pub(super) fn coverage(batch: &Batch) -> String {
    if batch.coverage.expected == 0 {
        return "no audience is set, so nobody can be missing".to_owned();
    }
    format!("{} ({})", batch.coverage.reach(), batch.config.recipients.audience)
}

/// Everybody who gets nothing, so that with the letters the figures add up: rows that are suppressed, states without a row.
pub(super) fn left_out(batch: &Batch) -> Vec<String> {
    let suppressed: Vec<String> =
        batch.rows.iter().filter(|row| row.suppressed.is_some()).map(|row| name_of(&row.recipient)).collect();
    suppressed_line(&suppressed).into_iter().chain(missing(batch)).collect()
}

/// "1 left out on purpose: Malta"; nothing for none.
pub(super) fn suppressed_line(names: &[String]) -> Option<String> {
    (!names.is_empty()).then(|| format!("{} left out on purpose: {}", names.len(), named(names)))
}

/// "1 state without a row: Tuvalu"; nothing if all have one.
pub(super) fn missing(batch: &Batch) -> Option<String> {
    let names = Coverage::names(&batch.coverage.missing);
    let noun = if names.len() == 1 { "state" } else { "states" };
    (!names.is_empty()).then(|| format!("{} {noun} without a row: {}", names.len(), named(&names)))
}

/// The first few names, and how many more there are.
pub(super) fn named(names: &[String]) -> String {
    let more = names.len().saturating_sub(NAMED);
    let shown = names[..names.len().min(NAMED)].join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

/// The state that a row is for, by its name.
pub(super) fn state_or_id(id: &RecipientId) -> String {
    by_iso3(id.as_str()).map_or_else(|| id.to_string(), |state| state.name("en").to_owned())
}
