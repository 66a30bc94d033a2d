//! Hostile and broken input against the real program: every line of what bad input gets, with the message that a person reads.

#[path = "../support/mod.rs"]
mod support;

mod attachments;
mod attacks;
mod attacks_on_sight;
mod config;
mod environment;
mod memory;
mod parsers;
mod recipients;
mod secrets;
mod seeds;
mod structured;
mod templates;

use demarche::domain::outcome::Phase;
use demarche::postbox::{Action, Script};
use support::campaign::{Campaign, Run};

/// The warning that every list of placeholder addresses gets; it has a test of its own.
const PLACEHOLDERS: &str = "warning[placeholder";

/// A small campaign for a relay on this machine that nobody listens at, without recipients.
fn campaign() -> Campaign {
    Campaign::small(2525, 0)
}

/// What a person reads of a run: its code, then standard error without the warning of placeholder addresses. The folder
/// reads as `FOLDER`.
fn read_by_a_person(campaign: &Campaign, run: &Run) -> String {
    let folder = campaign.path("");
    let folder = folder.to_str().expect("UTF-8").trim_end_matches('/');
    let mut shown = format!("exit {}\n", run.code.expect("no signal"));
    let mut skip = false;
    for line in run.stderr.lines() {
        skip = line.starts_with(PLACEHOLDERS) || (skip && line.starts_with("-->"));
        if !skip {
            shown.push_str(line.replace(folder, "FOLDER").trim_end());
            shown.push('\n');
        }
    }
    shown
}

/// What a person reads of `demarche check`.
fn check(campaign: &Campaign) -> String {
    read_by_a_person(campaign, &campaign.run(&["check"]))
}

/// What a person reads of `demarche check` over each recipients file, with its name before it.
fn check_each<T: AsRef<[u8]>>(files: &[(&str, T)]) -> String {
    let told = |(name, bytes): &(&str, T)| {
        let campaign = campaign().file("recipients.csv", bytes);
        format!("== {name}: {}", check(&campaign))
    };
    files.iter().map(told).collect()
}

/// The problems of `demarche check --json` as `severity code`, sorted, without the warning of placeholder addresses.
fn codes(campaign: &Campaign) -> Vec<String> {
    let report = campaign.run(&["check", "--json"]).json();
    let of = |kind: &str| report[kind].as_array().expect("a list").clone();
    let all = of("errors").into_iter().chain(of("warnings"));
    let mut codes: Vec<String> = all
        .map(|problem| {
            format!("{} {}", problem["severity"].as_str().expect("a word"), problem["code"].as_str().expect("a code"))
        })
        .filter(|told| !told.contains("placeholder"))
        .collect();
    codes.sort();
    codes
}

/// A script that answers each cue of `phase` with `reply` and behaves else.
fn answering(phase: Phase, reply: Action) -> Script {
    Script::new(move |cue| if cue.phase == phase { reply.clone() } else { Action::Behave })
}

/// Every file below a folder that is no folder, with its bytes; links are not followed.
fn files_below(folder: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            let kind = entry.file_type().expect("a kind");
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                found.push((entry.path().display().to_string(), std::fs::read(entry.path()).expect("readable")));
            }
        }
    }
    found
}
