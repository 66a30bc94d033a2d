//! What is promised when things break: kill -9 at any moment, a disk that fills up, a ledger that is not what it should be, two
//! terminals, signals. The real program, against a server that keeps the truth.

#[path = "../support/mod.rs"]
mod support;

mod disk;
mod kills;
mod machines;
mod order;
mod place;
mod points;
mod signals;
mod stage;
mod truth;
