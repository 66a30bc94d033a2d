//! What an earlier run left behind, sorted out before a new one begins, and said.

use std::path::PathBuf;

use crate::config::Config;
use crate::domain::prose::letters;
use crate::domain::reply::visible;
use crate::ledger::{Arrival, Ledger, Machine, OtherLedger};

use super::exit::{CANNOT_CREATE, Failure, IO};
use super::{Context, frozen};

/// Makes sure that this machine is one that may send from the ledger, and does [`sort_out`]. That a run begins is said with
/// [`begin`]: whoever only looks, and says no, moves nothing.
///
/// # Errors
/// A ledger of another campaign, machine or time, which is left alone, and one that cannot be written.
pub(super) fn recover(
    context: &Context,
    ledger: &Ledger,
    config: &Config,
    take_over: bool,
) -> Result<Machine, Failure> {
    let reader = ledger.reader()?;
    frozen::same_campaign(&reader, &config.settings)?;
    frozen::not_a_rehearsal(&reader, config)?;
    let machine = Machine::here(&state_folder()?)?;
    ledger.stands(&machine, take_over)?;
    sort_out(context, ledger, config)?;
    Ok(machine)
}

/// A run for so many `letters` begins: from now on this machine is the ledger's home, and remembers that it sends from it.
///
/// # Errors
/// A ledger from which something else was sent meanwhile, and what cannot be written.
pub(super) fn begin(
    context: &Context,
    (ledger, machine): (&Ledger, &Machine),
    config: &Config,
    take_over: bool,
    letters: usize,
) -> Result<(), Failure> {
    if let Arrival::TakenOver { from } = ledger.arrive(machine, take_over)? {
        context.screen.warn(&format!(
            "taken over from {from}, and recorded so: nothing may be sent from the other copy of this ledger any more"
        ));
    }
    let elsewhere = !config.relay.is_loopback();
    Ok(ledger.begin_trail(machine, &config.settings.campaign_id, letters as u64, elsewhere)?)
}

/// The run has ended, however it did.
pub(super) fn end(context: &Context, ledger: &Ledger, machine: &Machine) {
    if let Err(error) = ledger.end_trail(machine) {
        context.screen.warn(&error.to_string());
    }
}

/// Whether a ledger that is new may be begun, where letters of the campaign went out from another one on this machine. If that
/// was no trial, whoever has the letter would get it twice: a word of its own says that it is meant.
///
/// # Errors
/// Where nobody can be asked, or another word was given beforehand.
pub(super) fn may_begin_anew(
    context: &Context,
    (ledger, machine): (&Ledger, &Machine),
    config: &Config,
    said: bool,
    unasked: bool,
) -> Result<bool, Failure> {
    let campaign = &config.settings.campaign_id;
    let others = ledger.others(machine, campaign)?;
    let (trials, real): (Vec<&OtherLedger>, Vec<&OtherLedger>) = others.iter().partition(|other| other.trial);
    if let Some(trial) = trials.last() {
        context.screen.say(&format!(
            "Another ledger of this campaign, {}, is taken for that of a trial: its letters went to a relay on this machine.",
            visible(&trial.path.display().to_string())
        ));
    }
    let Some(other) = real.last() else { return Ok(true) };
    let message = format!(
        "this starts a new record. On this machine {} of campaign {} {} under another one ({}, last used on {}): whoever has the \
         letter would get it twice",
        counted(other),
        visible(campaign),
        if other.letters == 1 && other.perhaps == 0 { "was accepted" } else { "were accepted, or may have been," },
        visible(&other.path.display().to_string()),
        other.at.strftime("%-d %B %Y, %H:%M UTC"),
    );
    let help = "if [ledger] file names another file by mistake, or the ledger was moved, put that right: it knows who has the \
                letter. --new-ledger says that a new record is meant";
    if said {
        context.screen.warn(&message);
        return Ok(true);
    }
    if unasked {
        return Err(Failure::new(IO, format!("{message}; nothing was sent")).help(help));
    }
    context.screen.warn(&message);
    context.screen.ask("Begin a new record, and send to all of them?", "new", help)
}

/// `186 letters`, `at least 2 letters, and perhaps 191 more,`.
fn counted(other: &OtherLedger) -> String {
    let letters = letters(other.letters);
    match other.perhaps {
        0 => letters,
        more => format!("{letters}, and perhaps {more} more,"),
    }
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
