//! What an earlier run left behind, sorted out before a new one begins, and said.

use std::path::PathBuf;

use crate::config::Config;
use crate::ledger::{Arrival, Ledger, Machine};

use super::exit::{CANNOT_CREATE, Failure};
use super::{Context, frozen};

/// Makes sure that this machine is the one that sends from the ledger, and does [`sort_out`].
///
/// # Errors
/// A ledger of another campaign, machine or time, which is left alone, and one that cannot be written.
pub(super) fn recover(context: &Context, ledger: &Ledger, config: &Config, take_over: bool) -> Result<(), Failure> {
    let reader = ledger.reader()?;
    frozen::same_campaign(&reader, &config.settings)?;
    frozen::not_a_rehearsal(&reader, config)?;
    let machine = Machine::here(&state_folder()?)?;
    if let Arrival::TakenOver { from } = ledger.arrive(&machine, take_over)? {
        context.screen.warn(&format!(
            "taken over from {from}, and recorded so: nothing may be sent from the other copy of this ledger any more"
        ));
    }
    sort_out(context, ledger, config)
}

/// Where the program keeps what it knows of this machine (XDG Base Directory Specification).
fn state_folder() -> Result<PathBuf, Failure> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
    state.map(|state| state.join("demarche")).ok_or_else(|| {
        Failure::new(CANNOT_CREATE, "there is no place to keep what this machine knows of its ledgers: HOME is not set")
            .help("set HOME, or XDG_STATE_HOME to a folder that stays")
    })
}

/// Sorts out what a run that died left in the ledger, and says that and what came from the emergency journal.
///
/// # Errors
/// A ledger of another campaign, which is left alone, and one that cannot be written.
pub(super) fn sort_out(context: &Context, ledger: &Ledger, config: &Config) -> Result<(), Failure> {
    frozen::same_campaign(&ledger.reader()?, &config.settings)?;
    say_replayed(context, ledger);
    let recovered = ledger.recover()?;
    let letters = |number: u64| if number == 1 { "1 letter".to_owned() } else { format!("{number} letters") };
    if recovered.requeued > 0 {
        let them = if recovered.requeued == 1 { "was on its way; it was" } else { "were on their way; they were" };
        context.screen.say(&format!(
            "The last run ended while {} {them} provably not delivered, and will be sent.",
            letters(recovered.requeued)
        ));
    }
    if recovered.uncertain > 0 {
        let them = if recovered.uncertain == 1 { "was" } else { "were" };
        context.screen.warn(&format!(
            "the last run ended while {} {them} being handed over; nobody can know whether they arrived, so they are \
             uncertain and are not sent again by themselves: see `demarche status`",
            letters(recovered.uncertain)
        ));
    }
    if recovered.doubtful > 0 {
        context.screen.warn(&format!(
            "the last run ended before it sent {} again that may have arrived the first time: they are uncertain as before, \
             and `demarche resend --uncertain` sends them",
            letters(recovered.doubtful)
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
