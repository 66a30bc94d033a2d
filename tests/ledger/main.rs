//! The ledger from outside: its story, what it refuses, what survives a crash, and what people's words do.

mod crash;
mod model;
mod people;
mod refusals;
mod story;
mod support;
