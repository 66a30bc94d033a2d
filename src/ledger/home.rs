//! Where a ledger is at home: the machine that sends from it. A campaign folder is easily copied, and two copies at work would
//! send everything twice; so the first run of another machine needs a person's word, and so does an older copy.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::columns;
use super::error::LedgerError;
use super::machine::{Machine, Mark};
use super::trail;
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
    /// Letters that were accepted, or may have been.
    letters: u64,
    home: Option<(Mark, String)>,
    last_run: Option<String>,
}

impl Standing {
    /// True if a run began on it.
    pub(super) fn has_a_home(&self) -> bool {
        self.home.is_some() || self.last_run.is_some()
    }
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
    let letters: i64 = connection.query_row(
        "SELECT COUNT(*) FROM deliveries WHERE state IN ('accepted', 'uncertain', 'handed-over')",
        [],
        |row| row.get(0),
    )?;
    let letters = u64::try_from(letters).unwrap_or(0);
    Ok(Standing { mark, turn, letters, home, last_run })
}

/// What it means that `machine` wants to send from it.
///
/// # Errors
/// [`LedgerError::Foreign`] and [`LedgerError::Outdated`] without a person's word, and [`LedgerError::Memory`].
pub(super) fn judge(
    standing: &Standing,
    machine: &Machine,
    ledger: &Path,
    take_over: bool,
) -> Result<Arrival, LedgerError> {
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
        (None, Some(memory)) => Err(older(standing, machine, ledger, memory.at)),
        (None, None) if standing.home.is_none() => Ok(Arrival::First),
        (None, None) => Ok(Arrival::AtHome),
    }
}

/// Which copy is newer, and what would be sent twice, as far as this machine remembers.
fn older(standing: &Standing, machine: &Machine, ledger: &Path, at: String) -> LedgerError {
    let newer = trail::newer(machine, &standing.mark);
    let same = |one: &Path, other: &Path| {
        let whole = |path: &Path| std::fs::canonicalize(path).ok();
        whole(one).is_some() && whole(one) == whole(other)
    };
    let other = newer.as_ref().filter(|newer| !same(&newer.path, ledger));
    let since = newer.as_ref().map_or(0, |newer| newer.letters.saturating_sub(standing.letters));
    let named = other.map_or_else(String::new, |newer| format!(", {},", visible(&newer.path.display().to_string())));
    let again = match (since, newer.as_ref().is_some_and(|newer| newer.is_whole)) {
        (0, _) | (_, false) => " and what was sent then would be sent again".to_owned(),
        (1, _) => " and 1 letter that went out from that since would be sent again".to_owned(),
        (many, _) => format!(" and {many} letters that went out from that since would be sent again"),
    };
    let comma = if other.is_some() { "" } else { "," };
    let instead = if other.is_some() { "go on with that one" } else { "put the newer one back" };
    LedgerError::Outdated { at, newer: format!("{named}{comma}{again}"), instead }
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
