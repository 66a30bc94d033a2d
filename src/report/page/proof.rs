//! The proof: the digest, who approved it, and the runs that sent it.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::super::dossier::Dossier;
use super::text::{counted, instant};
use crate::domain::approval::{Approval, approvers};
use crate::domain::markup::escape;
use crate::domain::record::RunRecord;

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

/// Whose approvals stood when a run began. Which state of the batch a run was begun with is not on record.
fn approved_by(dossier: &Dossier, run: &RunRecord) -> String {
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
    if dossier.runs.is_empty() {
        return String::new();
    }
    let mut table = String::from(
        "<h3>Runs</h3>\n<p>Each time that the program was started to send is a run. An attempt is one letter handed to a mail server, \
         or refused by it, once.</p>\n<table class=\"list free\">\n<thead><tr><th scope=\"col\">Run</th><th scope=\"col\">Began (UTC)</th>\
         <th scope=\"col\">Ended (UTC)</th><th scope=\"col\">Attempts</th><th scope=\"col\">Approved by then</th><th scope=\"col\">Program</th></tr></thead>\n<tbody>\n",
    );
    for run in &dossier.runs {
        let ended = run.ended_at.map_or_else(|| "was cut off, or still goes on".to_owned(), instant);
        let program =
            run.program.as_deref().map_or_else(|| "not on record".to_owned(), |v| format!("demarche {}", escape(v)));
        let _ = writeln!(
            table,
            "<tr><th scope=\"row\">{}</th><td data-label=\"Began (UTC)\" class=\"when\">{}</td>\
             <td data-label=\"Ended (UTC)\" class=\"when\">{ended}</td><td data-label=\"Attempts\">{}</td><td data-label=\"Approved by then\">{}</td>\
             <td data-label=\"Program\">{program}</td></tr>",
            run.run,
            instant(run.started_at),
            run.attempts,
            approved_by(dossier, run)
        );
    }
    table.push_str("</tbody>\n</table>\n");
    table
}
