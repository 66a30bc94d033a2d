//! The ledger from outside: its story, what it refuses, what survives a crash, and what people's words do.

#[cfg(test)]
mod crash;
#[cfg(test)]
mod model;
#[cfg(test)]
mod people;
#[cfg(test)]
mod power;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod story;
#[cfg(test)]
mod support;
#[cfg(test)]
mod upgrade;
