//! Who approved what, version by version, and whether everything that went out was approved before.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::super::dossier::Dossier;
use super::super::versions::versions;
use super::text::{counted, instant_among, moment_among};
use super::versions::table as versions_table;
use crate::domain::approval::{Approval, approvers, distinct};
use crate::domain::digest::Digest;
use crate::domain::markup::escape;
use crate::domain::record::RunRecord;
use crate::domain::run::{Counted, Cover};

/// The versions, and the approvals.
pub(super) fn section(dossier: &Dossier) -> String {
    format!("{}{}", versions_table(dossier), approvals(dossier))
}

/// `version 2`; where there is one only, `the letters`.
pub(super) fn version_of(dossier: &Dossier, digest: Digest) -> String {
    let all = versions(&dossier.facts);
    match all.iter().position(|one| *one == digest) {
        Some(place) if all.len() > 1 => format!("version\u{a0}{}", place + 1),
        _ => "the letters".to_owned(),
    }
}

/// Every time of an approval or a round: those of one second have to be told apart.
pub(super) fn stamps(dossier: &Dossier) -> Vec<Timestamp> {
    let facts = &dossier.facts;
    let given = facts.approvals.iter().flat_map(|one| [Some(one.at), one.withdrawn.as_ref().map(|taken| taken.at)]);
    let runs = facts.runs.iter().flat_map(|run| [Some(run.started_at), run.ended_at, run.began.confirmed_at]);
    given.chain(runs).flatten().collect()
}

fn approvals(dossier: &Dossier) -> String {
    let all = &dossier.facts.approvals;
    let people = approvers(all, dossier.facts.digest);
    let needed = match dossier.approvals_needed {
        0 => String::new(),
        needed => format!(" The campaign asks for {}.", counted(needed, "approval", "approvals")),
    };
    if all.is_empty() {
        return format!("<p>No approval is on record.{needed}</p>\n");
    }
    let these = match version_of(dossier, dossier.facts.digest) {
        only if only == "the letters" => only,
        last => format!("the letters as they stand now, {last}"),
    };
    let said = match people.len() {
        0 => format!("Nobody approved {these} as a whole.{needed}"),
        count => format!("{} approved {these}.{needed}", counted(count, "person", "people")),
    };
    let near = stamps(dossier);
    let mut table = format!(
        "<p>{said}</p>\n<table class=\"list free\">\n<thead><tr><th scope=\"col\">Approved by</th>\
         <th scope=\"col\">What</th><th scope=\"col\">Note</th><th scope=\"col\">When (UTC)</th></tr></thead>\n<tbody>\n"
    );
    for approval in all {
        let _ = writeln!(
            table,
            "<tr><th scope=\"row\"><bdi>{}</bdi></th><td data-label=\"What\">{}</td><td data-label=\"Note\">{}</td>\
             <td data-label=\"When (UTC)\" class=\"when\">{}{}</td></tr>",
            escape(&approval.by),
            what(dossier, approval),
            note(approval, &near),
            instant_among(approval.at, &near),
            if is_late(dossier, approval) { "<br><strong>after it had begun to go out</strong>" } else { "" }
        );
    }
    table.push_str("</tbody>\n</table>\n");
    table
}

/// True if a round had begun to send this very version by then.
fn is_late(dossier: &Dossier, approval: &Approval) -> bool {
    let mut runs = dossier.facts.runs.iter().filter(|run| run.attempts > 0);
    runs.any(|run| run.began.digest == Some(approval.digest) && run.started_at < approval.at)
}

fn what(dossier: &Dossier, approval: &Approval) -> String {
    let letters = counted(usize::try_from(approval.letters).unwrap_or(usize::MAX), "letter", "letters");
    match version_of(dossier, approval.digest) {
        only if only == "the letters" => letters,
        version => format!("{version}, of {letters}"),
    }
}

fn note(approval: &Approval, near: &[Timestamp]) -> String {
    let mut note =
        if approval.note.is_empty() { String::new() } else { format!("<bdi>{}</bdi><br>", escape(&approval.note)) };
    if let Some(withdrawn) = &approval.withdrawn {
        let why = if withdrawn.note.is_empty() { String::new() } else { format!(": {}", escape(&withdrawn.note)) };
        let _ = write!(note, "<strong>Withdrawn</strong> {} UTC{why}", instant_among(withdrawn.at, near));
    }
    note
}

/// Whether everything that went out was approved before, in a sentence or two.
pub(super) fn verdict(dossier: &Dossier) -> String {
    let all = &dossier.facts.approvals;
    let (mut before, mut not, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for run in dossier.facts.runs.iter().filter(|run| run.attempts > 0) {
        match run.began.cover(run.started_at, all) {
            Cover::Batch(_) | Cover::Letters(_) => before.push(run.run),
            Cover::Afterwards(_) | Cover::Nobody => not.push(run.run),
            Cover::NotOnRecord => unknown.push(run.run),
        }
    }
    if all.is_empty() && dossier.approvals_needed == 0 && unknown.is_empty() && !not.is_empty() {
        return "Nobody approved what went out before it did; the campaign asks for no approval.".to_owned();
    }
    let mut text = match (before.is_empty(), not.is_empty(), unknown.is_empty()) {
        (_, false, _) => format!(
            "<strong>Not everything was approved before it went out:</strong> {} not.",
            numbered(&not, "was", "were")
        ),
        (false, true, true) => "Everything that went out was approved before the round that sent it began.".to_owned(),
        (true, true, true) => "No letter was tried yet.".to_owned(),
        (_, true, false) => String::new(),
    };
    if !unknown.is_empty() {
        let _ = write!(
            text,
            " With which version {} begun is not on record, because an earlier version of the program sent it; approvals that \
             stood by then are named.",
            numbered(&unknown, "was", "were")
        );
    }
    text.trim_start().to_owned()
}

/// `round 1 was`, `rounds 1, 3 were`.
fn numbered(runs: &[i64], one: &str, many: &str) -> String {
    match runs {
        [_] => format!("{} {one}", rounds(runs)),
        _ => format!("{} {many}", rounds(runs)),
    }
}

/// `round 1`, `rounds 1, 3`.
pub(super) fn rounds(runs: &[i64]) -> String {
    let numbers: Vec<String> = runs.iter().map(ToString::to_string).collect();
    format!("round{} {}", if runs.len() == 1 { "" } else { "s" }, numbers.join(", "))
}

/// The verdict, and whose approvals counted for each version that went out: what the record of each round says, in short.
pub(super) fn in_short(dossier: &Dossier) -> String {
    if dossier.facts.approvals.is_empty() {
        return String::new();
    }
    let mut lines = vec![verdict(dossier)];
    for digest in versions(&dossier.facts) {
        let sent = |run: &&RunRecord| run.attempts > 0 && run.began.digest == Some(digest);
        let runs: Vec<&RunRecord> = dossier.facts.runs.iter().filter(sent).collect();
        if !runs.is_empty() {
            lines.push(of_version(dossier, digest, &runs));
        }
    }
    lines.join("<br>\n")
}

/// Where each of those who counted approved this very version, what else they approved adds nothing.
pub(super) fn telling(counted: Vec<&Counted>, digest: Digest) -> Vec<&Counted> {
    let own: Vec<&Counted> = counted.iter().copied().filter(|one| one.digest == digest).collect();
    let people = |of: &[&Counted]| distinct(of.iter().map(|one| one.by.as_str())).len();
    if people(&own) == people(&counted) { own } else { counted }
}

/// `Version 2, sent in rounds 1, 2: A (when), B (when)`.
fn of_version(dossier: &Dossier, digest: Digest, runs: &[&RunRecord]) -> String {
    let near = stamps(dossier);
    let mut counted: Vec<&Counted> = Vec::new();
    for one in runs.iter().flat_map(|run| &run.began.approvals) {
        if !counted.iter().any(|known| known.number == one.number) {
            counted.push(one);
        }
    }
    let counted = telling(counted, digest);
    let of_letters = counted.iter().any(|one| one.digest != digest);
    let people: Vec<String> = counted
        .iter()
        .map(|one| {
            let of = if of_letters && one.digest != digest {
                format!(", of the same letter in {}", version_of(dossier, one.digest))
            } else {
                String::new()
            };
            format!("<bdi>{}</bdi> ({}{of})", escape(&one.by), moment_among(one.at, &near))
        })
        .collect();
    let who = match people.as_slice() {
        [] => {
            let cover = runs[0].began.cover(runs[0].started_at, &dossier.facts.approvals);
            format!("<strong>{}</strong>", escape(&cover.described()))
        }
        people => people.join(", "),
    };
    let numbers: Vec<i64> = runs.iter().map(|run| run.run).collect();
    match version_of(dossier, digest) {
        only if only == "the letters" => who,
        version => format!("V{}, sent in {}: {who}", &version[1..], rounds(&numbers)),
    }
}
