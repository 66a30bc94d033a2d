//! The room `roster` from outside: files as they come, and what a person reads about those that are wrong.

mod common;
mod complaints;
mod files;
mod fixtures;
mod make;
mod workbooks;
