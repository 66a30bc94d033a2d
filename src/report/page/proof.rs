//! The proof: the digest, who approved it, and the runs that sent it, each with the batch that it was begun with.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::super::dossier::Dossier;
use super::text::{counted, instant};
use crate::domain::approval::{Approval, approvers};
use crate::domain::markup::escape;
use crate::domain::record::RunRecord;
use crate::domain::run::Cover;

/// Digest, approvals, runs.
pub(super) fn section(dossier: &Dossier) -> String {
    let mut html = format!(
        "<p>Every letter, with the addresses that it goes to, has a fingerprint: a number that becomes another one if a single \
         comma changes. The fingerprint of the whole batch (its SHA-256 digest) is</p>\n<p class=\"digest\">{}</p>\n",
        dossier.facts.digest
    );
    html.push_str(&approvals(dossier));
    html.push_str(&runs(dossier));
    html.push_str(
        "<p class=\"quiet\">An evidence pack can go with this page (<code>demarche report --pack</code>): it holds every message, byte \
         for byte as it was handed over, for anybody who wants to check these words (<code>demarche report --verify</code>).</p>\n",
    );
    html
}

fn approvals(dossier: &Dossier) -> String {
    let all = &dossier.facts.approvals;
    let people = approvers(all, dossier.facts.digest);
    let needed = match dossier.approvals_needed {
        0 => String::new(),
        needed => format!(" The campaign asks for {}.", counted(needed, "approval", "approvals")),
    };
    if all.is_empty() {
        return format!("<h3>Approval</h3>\n<p>No approval is on record.{needed}</p>\n");
    }
    let verdict = match people.len() {
        0 => format!("Nobody approved this very batch as a whole.{needed}"),
        count => format!("{} approved this very batch.{needed}", counted(count, "person", "people")),
    };
    let mut table = format!(
        "<h3>Approval</h3>\n<p>{verdict}</p>\n<table class=\"list free\">\n<thead><tr><th scope=\"col\">Who</th>\
         <th scope=\"col\">What</th><th scope=\"col\">Note</th><th scope=\"col\">When (UTC)</th></tr></thead>\n<tbody>\n"
    );
    for approval in all {
        let _ = writeln!(
            table,
            "<tr><th scope=\"row\"><bdi>{}</bdi></th><td data-label=\"What\">{}</td><td data-label=\"Note\">{}</td>\
             <td data-label=\"When (UTC)\" class=\"when\">{}{}</td></tr>",
            escape(&approval.by),
            what(dossier, approval),
            note(approval),
            instant(approval.at),
            if is_late(dossier, approval.at) { "<br><strong>after the first letter went out</strong>" } else { "" }
        );
    }
    table.push_str("</tbody>\n</table>\n");
    table
}

/// True if the first letter had its answer by then.
pub(super) fn is_late(dossier: &Dossier, at: Timestamp) -> bool {
    dossier.settled.first().is_some_and(|(first, _)| at > *first)
}

/// Whose approvals stood when a run of an earlier version began. Which state of the batch that was is not on record.
fn stood_by_then(dossier: &Dossier, run: &RunRecord) -> String {
    let stood = dossier.facts.approvals.iter().filter(|approval| {
        approval.at <= run.started_at
            && approval.withdrawn.as_ref().is_none_or(|withdrawn| withdrawn.at > run.started_at)
    });
    let one = |approval: &Approval| {
        let which = if approval.digest == dossier.facts.digest {
            "this batch".to_owned()
        } else {
            format!("<span class=\"digest\">{}…</span>", &approval.digest.to_string()[..12])
        };
        format!("<bdi>{}</bdi> ({which}, {} UTC)", escape(&approval.by), instant(approval.at))
    };
    let all: Vec<String> = stood.map(one).collect();
    if all.is_empty() { "nobody".to_owned() } else { all.join("<br>") }
}

fn what(dossier: &Dossier, approval: &Approval) -> String {
    let letters = counted(usize::try_from(approval.letters).unwrap_or(usize::MAX), "letter", "letters");
    if approval.digest == dossier.facts.digest {
        format!("this batch of {letters}")
    } else {
        format!(
            "another version of the batch, of {letters}; its fingerprint: <span class=\"digest\">{}</span>",
            approval.digest
        )
    }
}

fn note(approval: &Approval) -> String {
    let mut note =
        if approval.note.is_empty() { String::new() } else { format!("<bdi>{}</bdi><br>", escape(&approval.note)) };
    if let Some(withdrawn) = &approval.withdrawn {
        let why = if withdrawn.note.is_empty() { String::new() } else { format!(": {}", escape(&withdrawn.note)) };
        let _ = write!(note, "<strong>Withdrawn</strong> {} UTC{why}", instant(withdrawn.at));
    }
    note
}

fn runs(dossier: &Dossier) -> String {
    if dossier.facts.runs.is_empty() {
        return String::new();
    }
    let mut table = format!(
        "<h3>Runs</h3>\n<p>Each time that the program was started to send is a run. An attempt is one letter handed to a mail server, \
         or refused by it, once.</p>\n<p>{}</p>\n<table class=\"list free\">\n<thead><tr><th scope=\"col\">Run</th>\
         <th scope=\"col\">When (UTC)</th><th scope=\"col\">By</th><th scope=\"col\">Batch that it was begun with</th>\
         <th scope=\"col\">Approved</th><th scope=\"col\">Attempts</th></tr></thead>\n<tbody>\n",
        verdict(dossier)
    );
    for run in &dossier.facts.runs {
        let ended = run.ended_at.map_or_else(|| "was cut off, or still goes on".to_owned(), instant);
        let command = run.began.command.as_deref().map_or_else(String::new, |name| format!("<br>{}", escape(name)));
        let _ = writeln!(
            table,
            "<tr><th scope=\"row\">{}{command}</th><td data-label=\"When (UTC)\" class=\"when\">{}<br>to {ended}</td>\
             <td data-label=\"By\">{}</td><td data-label=\"Batch that it was begun with\">{}</td>\
             <td data-label=\"Approved\">{}</td><td data-label=\"Attempts\">{}</td></tr>",
            run.run,
            instant(run.started_at),
            by(run),
            batch(dossier, run),
            approved(dossier, run),
            run.attempts,
        );
    }
    table.push_str("</tbody>\n</table>\n");
    table
}

/// Whether everything that went out was approved before, in a sentence or two.
fn verdict(dossier: &Dossier) -> String {
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
        (false, true, true) => "Everything that went out was approved before the run that sent it began.".to_owned(),
        (true, true, true) => "No letter was tried yet.".to_owned(),
        (_, true, false) => String::new(),
    };
    if !unknown.is_empty() {
        let _ = write!(
            text,
            " With which batch {} begun is not on record, because an earlier version of the program sent it; approvals that \
             stood by then are named.",
            numbered(&unknown, "was", "were")
        );
    }
    text.trim_start().to_owned()
}

/// `run 1 was`, `runs 1, 3 were`.
fn numbered(runs: &[i64], one: &str, many: &str) -> String {
    let numbers: Vec<String> = runs.iter().map(ToString::to_string).collect();
    match numbers.as_slice() {
        [number] => format!("run {number} {one}"),
        _ => format!("runs {} {many}", numbers.join(", ")),
    }
}

/// The account, the machine and the program.
fn by(run: &RunRecord) -> String {
    let who = run.began.by.as_deref().map(|who| format!("<bdi>{}</bdi>", escape(who)));
    let host = run.began.host.as_deref().map(|host| format!("on <bdi>{}</bdi>", escape(host)));
    let program = run.program.as_deref().map(|version| format!("demarche {}", escape(version)));
    let parts: Vec<String> = [who, host, program].into_iter().flatten().collect();
    if parts.is_empty() { "not on record".to_owned() } else { parts.join("<br>") }
}

/// The digest, and how it was confirmed.
fn batch(dossier: &Dossier, run: &RunRecord) -> String {
    let Some(digest) = run.began.digest else { return "not on record".to_owned() };
    let which = if digest == dossier.facts.digest { "this batch: " } else { "another version of the batch: " };
    let confirmed = run.began.confirmed.map_or_else(String::new, |how| {
        let at = run.began.confirmed_at.map_or_else(String::new, |at| format!(", {} UTC", instant(at)));
        format!("<br>confirmed {}{at}", how.described())
    });
    format!("{which}<span class=\"digest\">{digest}</span>{confirmed}")
}

/// By whom before it began; or plainly that it was not.
fn approved(dossier: &Dossier, run: &RunRecord) -> String {
    let cover = run.began.cover(run.started_at, &dossier.facts.approvals);
    match cover {
        Cover::NotOnRecord => format!("by then: {}", stood_by_then(dossier, run)),
        Cover::Batch(_) | Cover::Letters(_) => {
            let one =
                |one: &crate::domain::run::Counted| format!("<bdi>{}</bdi>, {} UTC", escape(&one.by), instant(one.at));
            let all: Vec<String> = run.began.approvals.iter().map(one).collect();
            let which = if matches!(cover, Cover::Letters(_)) { "each letter, in this batch or another; " } else { "" };
            format!("{which}before it began:<br>{}", all.join("<br>"))
        }
        cover => format!("<strong>{}</strong>", escape(&cover.described())),
    }
}
