//! What an earlier run left behind, sorted out before a new one begins, and said.

use crate::config::Config;
use crate::ledger::Ledger;

use super::exit::Failure;
use super::{Context, frozen};

/// Sorts out what a run that died left in the ledger, and says that and what came from the emergency journal.
///
/// # Errors
/// A ledger of another campaign, which is left alone, and one that cannot be written.
pub(super) fn recover(context: &Context, ledger: &Ledger, config: &Config) -> Result<(), Failure> {
    frozen::same_campaign(&ledger.reader()?, &config.settings)?;
    say_replayed(context, ledger);
    let recovered = ledger.recover()?;
    if recovered.requeued > 0 {
        context.screen.say(&format!(
            "The last run ended while {} letters were on their way; they were provably not delivered and are queued again.",
            recovered.requeued
        ));
    }
    if recovered.uncertain > 0 {
        context.screen.warn(&format!(
            "the last run ended while {} letters were being handed over; nobody can know whether they arrived, so they are \
             uncertain and are not sent again by themselves: see `demarche status`",
            recovered.uncertain
        ));
    }
    Ok(())
}

fn say_replayed(context: &Context, ledger: &Ledger) {
    let replayed = ledger.replayed();
    if replayed.taken > 0 {
        context.screen.say(&format!(
            "The last run could not write to the ledger; the outcomes of {} letters were taken over from its emergency journal.",
            replayed.taken
        ));
    }
    if replayed.torn > 0 {
        context.screen.warn(&format!(
            "{} lines of the emergency journal beside the ledger cannot be read; it is kept as a file that ends in \
             \".journal.torn\": what they were about shows as uncertain in `demarche status`",
            replayed.torn
        ));
    }
}
