//! Where a ledger is at home: the machine that sends from it. A campaign folder is easily copied, and two copies at work would
//! send everything twice; so the first run of another machine needs a person's word, and so does an older copy.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::columns;
use super::error::LedgerError;
use super::machine::{Machine, Mark};
use crate::clock;
use crate::domain::reply::visible;

/// How a machine stands to a ledger that it is about to send from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// No run was recorded yet: it is at home here from now on.
    First,
    /// The last run was here.
    AtHome,
    /// Taken over by a person's word: from that host; it may be this one, if the ledger is an older copy.
    TakenOver {
        /// The name of the machine.
        from: String,
    },
}

/// What the ledger says of itself.
pub(super) struct Standing {
    pub(super) mark: Mark,
    pub(super) turn: Option<Mark>,
    home: Option<(Mark, String)>,
    last_run: Option<String>,
}

pub(super) fn standing(connection: &Connection) -> Result<Standing, LedgerError> {
    let (mark, turn) = connection.query_row("SELECT mark, turn FROM mark", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let home = connection
        .query_row("SELECT machine, host FROM homes ORDER BY home DESC LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    let last_run = connection
        .query_row("SELECT started_at FROM runs ORDER BY run DESC LIMIT 1", [], |row| Ok(columns::time(row, 0)))
        .optional()?
        .transpose()?
        .map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string());
    Ok(Standing { mark, turn, home, last_run })
}

/// What it means that `machine` wants to send from it.
///
/// # Errors
/// [`LedgerError::Foreign`] and [`LedgerError::Outdated`] without a person's word, and [`LedgerError::Memory`].
pub(super) fn judge(standing: &Standing, machine: &Machine, take_over: bool) -> Result<Arrival, LedgerError> {
    let memory = machine.recall(&standing.mark)?;
    let foreign = standing.home.as_ref().filter(|(home, _)| *home != machine.id);
    let outdated = memory.filter(|memory| !memory.knows(standing.turn.unwrap_or_default()));
    match (foreign, outdated) {
        (Some((_, host)), _) if take_over => Ok(Arrival::TakenOver { from: visible(host) }),
        (Some((_, host)), _) => {
            let at = standing.last_run.clone().unwrap_or_else(|| "no letter sent".to_owned());
            Err(LedgerError::Foreign { host: visible(host), at })
        }
        (None, Some(_)) if take_over => Ok(Arrival::TakenOver { from: machine.host.clone() }),
        (None, Some(memory)) => Err(LedgerError::Outdated { at: memory.at }),
        (None, None) if standing.home.is_none() => Ok(Arrival::First),
        (None, None) => Ok(Arrival::AtHome),
    }
}

/// Writes down the turn, and the new home if it moved.
pub(super) fn settle_in(connection: &Connection, turn: Mark, new_home: Option<&Machine>) -> Result<(), LedgerError> {
    connection.execute("UPDATE mark SET turn = ?1", [turn])?;
    if let Some(machine) = new_home {
        connection.execute(
            "INSERT INTO homes (machine, host, since) VALUES (?1, ?2, ?3)",
            params![machine.id, machine.host, clock::now().as_millisecond()],
        )?;
    }
    Ok(())
}
