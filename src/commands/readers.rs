//! Who has the letter by an address that stands in another row of the file now: ids or addresses slipped, or a row was renamed.

use std::collections::HashMap;

use crate::domain::delivery::State;
use crate::domain::mailbox::Mailbox;
use crate::domain::recipient::{Recipient, RecipientId};
use crate::ledger::{LedgerError, Reader};

use super::exit::{DATA, Failure};
use super::prepare::Batch;

/// Addresses that are another row's by the ledger, and not by the file any more.
pub(super) struct Readers(HashMap<String, RecipientId>);

impl Readers {
    /// To addresses that have the letter, or may have it, and that their row does not list any more; and those of rows that
    /// left the file and would get it if they came back.
    pub(super) fn of(reader: &Reader, batch: &Batch) -> Result<Self, LedgerError> {
        let rows: HashMap<&RecipientId, &Recipient> =
            batch.rows.iter().map(|row| (&row.recipient.id, &row.recipient)).collect();
        let mut readers = HashMap::new();
        reader.deliveries(&mut |record| {
            let row = rows.get(&record.id);
            let may_get_it = row.is_none() && !matches!(record.state, State::Failed | State::Suppressed);
            let has_it = |to: &Mailbox| {
                let mut all = record.addresses.iter().filter(|one| one.address == to.address());
                all.any(|one| matches!(one.state, State::Accepted | State::Uncertain))
            };
            let listed = |folded: &str| row.is_some_and(|row| row.to.iter().any(|to| to.folded() == folded));
            let to = record.recipient.to.iter().filter(|to| may_get_it || has_it(to));
            let left = to.map(Mailbox::folded).filter(|folded| !listed(folded));
            readers.extend(left.map(|folded| (folded, record.id.clone())));
        })?;
        Ok(Self(readers))
    }

    /// The other row that one of the To addresses belongs to by the ledger.
    pub(super) fn owner(&self, recipient: &Recipient) -> Option<&RecipientId> {
        recipient.to.iter().find_map(|to| self.0.get(&to.folded())).filter(|owner| **owner != recipient.id)
    }

    /// Refuses rows that would bring a mission a second letter.
    ///
    /// # Errors
    /// A [`Failure`] that names the first such row.
    pub(super) fn refuse<'a>(&self, mut rows: impl Iterator<Item = &'a Recipient>) -> Result<(), Failure> {
        let Some((new, old)) = rows.find_map(|row| Some((&row.id, self.owner(row)?))) else { return Ok(()) };
        Err(Failure::new(
            DATA,
            format!(
                "row {new} has an address of row {old}, which does not list it any more: its mission would get the letter twice; \
                 nothing was sent"
            ),
        )
        .help(format!(
            "give the row its old id {old} again, or the addresses their old rows; an id stays what it is while a campaign is \
             under way"
        )))
    }
}
