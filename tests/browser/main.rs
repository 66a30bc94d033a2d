//! The pages in a real browser: Chromium, headless, from a disk, with a network that would notice any request.

mod access;
mod driver;
mod letters;
mod list;
mod pictures;
mod privacy;
mod proxy;
mod report;
mod stage;
#[path = "../support/mod.rs"]
mod support;
mod terminal;
