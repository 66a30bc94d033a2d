//! What the DNS says of domains: whether mail can go to them (MX, RFC 5321 §5.1, RFC 7505), and what the sender's says of
//! itself (SPF, RFC 7208; DMARC, RFC 7489). Every question has its time, and an answer that does not come is no answer.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

#[cfg(feature = "dns")]
mod lookup;

/// All questions together may take so long.
pub const LONGEST: Duration = Duration::from_secs(30);
/// More domains than this are not asked about: a list of missions has some hundreds.
pub const MOST_DOMAINS: usize = 2_000;

/// What is known of a domain that mail should go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inbox {
    /// It names a mail server, or has an address of its own, which is one.
    Takes,
    /// It says that it takes no mail (a null MX).
    TakesNone,
    /// It is there, and has neither.
    NoServer,
    /// There is no such domain.
    Missing,
    /// No answer came, or none that could be read: the words of what went wrong.
    Unknown(String),
}

/// Whether a domain has a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presence {
    /// It has.
    There,
    /// It has not.
    Absent,
    /// No answer came: the words of what went wrong.
    Unknown(String),
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// By domain.
    pub inboxes: BTreeMap<String, Inbox>,
    /// SPF of the sender's domain, if it was asked about.
    pub spf: Option<Presence>,
    /// DMARC of the sender's domain or of one above it, if it was asked about.
    pub dmarc: Option<Presence>,
}

/// Asks for each domain once, the sender's policies included, and returns after [`LONGEST`] with what is known by then.
/// `server` is asked in place of the system's resolver.
///
/// # Errors
/// If there is no resolver to ask: what is wrong with the system's settings, or that this build has none.
#[cfg(feature = "dns")]
pub async fn look(domains: &[String], sender: Option<&str>, server: Option<SocketAddr>) -> Result<Found, String> {
    lookup::look(domains, sender, server).await
}

/// Without the feature "dns" nothing is asked.
///
/// # Errors
/// Always.
#[cfg(not(feature = "dns"))]
#[expect(clippy::unused_async, reason = "the same as with the feature")]
pub async fn look(_: &[String], _: Option<&str>, _: Option<SocketAddr>) -> Result<Found, String> {
    Err("this program was built without the feature \"dns\"".to_owned())
}
