//! `check --online`: what the relay says, whether it takes letters of this size, and what the DNS says of the domains. Nothing is
//! sent.

use std::net::SocketAddr;

use crate::diagnostic::Diagnostic;
use crate::smtp::Connector;

use super::exit::{DATA, Failure, OK, UNAVAILABLE};
use super::prepare::Batch;
use super::progress::listed;
use super::{Context, domains, drive};

/// What was found.
pub(super) struct Online {
    /// For people, every line ended.
    pub(super) lines: String,
    /// Letters that the relay would refuse for their size.
    pub(super) problems: Vec<Diagnostic>,
    /// The exit code, if nothing else decides it.
    pub(super) code: u8,
}

/// Opens a session, logs in, and leaves; then asks the DNS, that of the system or the one named.
///
/// # Errors
/// If there is no session to be had.
pub(super) fn look(context: &Context, batch: &Batch, resolver: Option<SocketAddr>) -> Result<Online, Failure> {
    let connector = Connector::new(batch.config.relay.clone())?;
    let relay = connector.relay().clone();
    let limit = drive::block_on(async {
        let session = connector.open().await.map_err(|fault| {
            Failure::new(UNAVAILABLE, format!("no session with {} on port {}: {fault}", relay.host, relay.port))
                .help("look at [smtp] in the config: host, port, security, username and password")
        })?;
        // A size of 0 is no limit (RFC 1870 §4).
        let limit = session.capabilities().size.filter(|limit| *limit > 0);
        session.quit().await;
        Ok(limit)
    })?;
    let largest = batch.sizes.iter().max().copied().unwrap_or(0);
    let size = match limit {
        None => format!("no size limit said; the largest letter has {}", octets(largest)),
        Some(limit) => format!("it takes letters of up to {}, the largest here has {}", octets(limit), octets(largest)),
    };
    let mut lines = format!(
        "Relay: {} on port {} answers ({}{}); {size}.\n",
        relay.host,
        relay.port,
        relay.security.described(),
        if relay.login.is_some() { ", and takes the login" } else { "" },
    );
    let mut problems: Vec<Diagnostic> = limit.and_then(|limit| too_large(batch, limit)).into_iter().collect();
    let code = if problems.is_empty() { OK } else { DATA };
    let domains = domains::look(batch, resolver)?;
    problems.extend(domains.problems);
    lines.push_str(&context.screen.style().hanging("DNS:   ", &domains.line));
    Ok(Online { lines, problems, code })
}

/// The letters that are larger than the relay takes (RFC 1870: octets of the message as it goes over the wire).
fn too_large(batch: &Batch, limit: u64) -> Option<Diagnostic> {
    let rows = batch.rows.iter().zip(&batch.sizes).filter(|(row, size)| row.suppressed.is_none() && **size > limit);
    let mut rows: Vec<_> = rows.map(|(row, size)| (row.recipient.id.clone(), *size)).collect();
    rows.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let largest = rows.first()?.1;
    let ids: Vec<_> = rows.into_iter().map(|(id, _)| id).collect();
    let letters = if ids.len() == 1 { "letter is" } else { "letters are" };
    let message = format!(
        "{} {letters} larger than the relay takes ({}), the largest with {}: {}",
        ids.len(),
        octets(limit),
        octets(largest),
        listed(&ids)
    );
    let help = "attach less, or link to the files in the letter: an attachment grows by a third on its way";
    Some(Diagnostic::error("letter-too-large", message).help(help))
}

/// An amount of octets for people: `812 B`, `14.2 KiB`, `3.1 MiB`, rounded up, so that what is over a limit never reads as
/// the limit.
pub(super) fn octets(octets: u64) -> String {
    let tenths = |unit: u64| {
        let tenths = octets.saturating_mul(10).div_ceil(unit);
        format!("{}.{}", tenths / 10, tenths % 10)
    };
    match octets {
        0..1_024 => format!("{octets} B"),
        1_024..1_048_576 => format!("{} KiB", tenths(1_024)),
        _ => format!("{} MiB", tenths(1_048_576)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_shown_in_the_unit_that_fits() {
        let shown = [0, 1_023, 1_024, 14_541, 3_250_585, 10 * 1_048_576].map(octets);
        assert_eq!(shown, ["0 B", "1023 B", "1.0 KiB", "14.3 KiB", "3.1 MiB", "10.0 MiB"]);
    }
}
