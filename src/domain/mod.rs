//! Values and pure decisions: no I/O, no async, no command line. Everything above speaks in these terms.

pub mod approval;
pub mod attempt;
pub mod audience;
pub mod cause;
pub mod clocks;
pub mod coverage;
pub mod delivery;
pub mod digest;
pub mod estimate;
pub mod fault;
pub mod language;
pub mod mailbox;
pub mod markup;
pub mod message;
pub mod outcome;
pub mod prose;
pub mod rate;
pub mod recipient;
pub mod record;
pub mod relay;
pub mod reply;
pub mod retry;
pub mod schedule;
pub mod settings;
pub mod size;
pub mod state;
