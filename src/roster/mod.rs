//! The recipients file → rows, with every problem at its place.

mod decode;
mod findings;
mod table;
