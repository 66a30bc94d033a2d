//! The recipients file → rows, with every problem at its place.
