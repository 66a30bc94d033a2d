//! `check --online`: what the relay says, whether it takes letters of this size, and what the DNS says of the domains. Nothing is
//! sent.

use std::net::SocketAddr;

use crate::diagnostic::Diagnostic;
use crate::domain::outcome::{Fault, Phase};
use crate::domain::relay::Relay;
use crate::domain::size::size;
use crate::smtp::Connector;

use super::exit::{DATA, Failure, OK, UNAVAILABLE};
use super::prepare::Batch;
use super::progress::listed;
use super::summary::Facts;
use super::{domains, drive};

/// What was found.
pub(super) struct Online {
    /// For people.
    pub(super) facts: Facts,
    /// Letters that the relay would refuse for their size.
    pub(super) problems: Vec<Diagnostic>,
    /// The exit code, if nothing else decides it.
    pub(super) code: u8,
}

/// Opens a session, logs in, and leaves; then asks the DNS, that of the system or the one named.
///
/// # Errors
/// If there is no session to be had.
pub(super) fn look(batch: &Batch, resolver: Option<SocketAddr>) -> Result<Online, Failure> {
    let connector = Connector::new(batch.config.relay.clone())?;
    let relay = connector.relay().clone();
    let limit = drive::block_on(async {
        let session = connector.open().await.map_err(|fault| unavailable(&relay, &fault))?;
        // A size of 0 is no limit (RFC 1870 §4).
        let limit = session.capabilities().size.filter(|limit| *limit > 0);
        session.quit().await;
        Ok(limit)
    })?;
    let largest = batch.sizes.iter().max().copied().unwrap_or(0);
    let limits = match limit {
        None => format!("no size limit said; the largest letter has {}", size(largest)),
        Some(limit) => format!("it takes letters of up to {}, the largest here has {}", size(limit), size(largest)),
    };
    let relay = format!(
        "{} on port {} answers ({}{}); {limits}",
        relay.host,
        relay.port,
        relay.security.described(),
        if relay.login.is_some() { ", and takes the login" } else { "" },
    );
    let mut problems: Vec<Diagnostic> = limit.and_then(|limit| too_large(batch, limit)).into_iter().collect();
    let code = if problems.is_empty() { OK } else { DATA };
    let domains = domains::look(batch, resolver)?;
    problems.extend(domains.problems);
    Ok(Online { facts: vec![("Relay", relay), ("DNS", domains.line)], problems, code })
}

/// No session was to be had: what to look at depends on how far it came.
pub(super) fn unavailable(relay: &Relay, fault: &Fault) -> Failure {
    let help = match fault.phase {
        Phase::Connect if relay.is_loopback() => "is `demarche postbox` running in another terminal, on that port?",
        Phase::Connect => "look at host and port under [smtp] in the config, and whether this network lets mail out",
        Phase::Tls | Phase::Banner | Phase::Ehlo | Phase::StartTls => {
            "look at port and security under [smtp] in the config: \"tls\" goes with 465, \"starttls\" with 587"
        }
        Phase::Auth => {
            "look at username and password under [smtp] in the config; some providers want a password for programs"
        }
        _ => "look at [smtp] in the config: host, port, security, username and password",
    };
    let message = format!("no session with {} on port {}: {fault}; nothing was sent", relay.host, relay.port);
    Failure::new(UNAVAILABLE, message).help(help)
}

/// The letters that are larger than the relay takes (RFC 1870: octets of the message as it goes over the wire).
fn too_large(batch: &Batch, limit: u64) -> Option<Diagnostic> {
    let rows = batch.rows.iter().zip(&batch.sizes).filter(|(row, octets)| row.suppressed.is_none() && **octets > limit);
    let mut rows: Vec<_> = rows.map(|(row, octets)| (row.recipient.id.clone(), *octets)).collect();
    rows.sort_by_key(|(_, octets)| std::cmp::Reverse(*octets));
    let largest = rows.first()?.1;
    let ids: Vec<_> = rows.into_iter().map(|(id, _)| id).collect();
    let letters = if ids.len() == 1 { "letter is" } else { "letters are" };
    let message = format!(
        "{} {letters} larger than the relay takes ({}), the largest with {}: {}",
        ids.len(),
        size(limit),
        size(largest),
        listed(&ids)
    );
    let help = "attach less, or link to the files in the letter: an attachment grows by a third on its way";
    Some(Diagnostic::error("letter-too-large", message).help(help))
}
