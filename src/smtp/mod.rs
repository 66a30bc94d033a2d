//! One SMTP session (RFC 5321), with the phase in every outcome.
//!
//! [`Connector`] opens sessions to one relay; a [`Session`] takes one letter after another. What each phase proves about a
//! letter is in [`crate::domain::outcome`]. Inside, from the socket upwards: `stream` (deadlines, the receive buffer),
//! `reply` (the parser), `tls` and `secured`, `capabilities`, `auth` and `password`, `dot_stuffing` and `body`,
//! `command`, `transaction` (MAIL to the reply after the dot; `chunking` for its other form, in one chunk), `session`, `connector`.
//!
//! Absent on purpose: BINARYMIME, messages in more than one chunk, and any command that follows the end of data before its
//! reply.

mod auth;
mod body;
mod capabilities;
mod command;
mod connector;
mod dot_stuffing;
mod password;
mod reply;
mod secured;
mod session;
mod stream;
mod tls;
mod transaction;

#[cfg(test)]
mod tests;

pub use capabilities::Capabilities;
pub use connector::Connector;
pub use session::Session;
pub use tls::SetupError;
