//! demarche delivers one letter to a list of permanent missions, each exactly once as far as SMTP allows, and knows
//! what became of every one.
//!
//! The house has floors, and imports go downwards only (ARCHITECTURE.md has the map, `tests/house.rs` holds it):
//! `commands` · `compose` and `dispatch` · the inlets and outlets · `domain`, `diagnostic`, `clock`, `inside` and `cli`.

pub mod cli;
pub mod clock;
pub mod commands;
pub mod compose;
pub mod config;
pub mod diagnostic;
pub mod dispatch;
pub mod dns;
pub mod domain;
pub mod evidence;
pub mod inside;
pub mod ledger;
pub mod letter;
pub mod postbox;
pub mod preview;
pub mod report;
pub mod roster;
pub mod smtp;
