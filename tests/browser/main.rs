//! The pages in a real browser: Chromium, headless, from a disk, with a network that would notice any request.

mod access;
mod driver;
mod letters;
mod list;
mod pictures;
mod privacy;
mod proxy;
mod report;
#[path = "../report_sample/mod.rs"]
mod report_sample;
mod stage;
#[path = "../support/mod.rs"]
mod support;
mod terminal;
