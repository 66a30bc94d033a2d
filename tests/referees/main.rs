//! Servers of others as referees: the same batch through Postfix, OpenSMTPD and Exim and against Postfix's `smtp-sink`, and for
//! every address the ledger's outcome against what the server holds.

#[path = "../support/mod.rs"]
mod support;

mod agreement;
mod batch;
mod exim;
mod opensmtpd;
mod relay;
mod relays;
mod sink;
mod sinks;
mod unpacked;

/// A figure for the page on reliability (`scripts/soak`).
#[expect(clippy::print_stderr, reason = "scripts/soak reads it")]
fn figure(name: &str, value: &str) {
    eprintln!("reliability: {name} = {value}");
}
