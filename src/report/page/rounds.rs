//! The rounds in which it was sent (the ledger's runs): how far each came, and by whom, with which version and under whose approval
//! it was begun.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::Timestamp;

use super::super::dossier::Dossier;
use super::super::name;
use super::approvals::{stamps, telling, verdict, version_of};
use super::text::{counted, grouped, instant_among, names, ordinal};
use crate::domain::approval::Approval;
use crate::domain::delivery::State;
use crate::domain::markup::escape;
use crate::domain::record::{DeliveryRecord, RunRecord};
use crate::domain::run::{Confirmation, Counted, Cover};

/// The most letters that are named as tried again.
const NAMED: usize = 6;

/// What one round did.
struct Round<'a> {
    /// True if it was cut off, or still goes on.
    is_open: bool,
    /// Letters that were tried for the first time.
    first: usize,
    /// Letters that had been tried before.
    again: Vec<&'a DeliveryRecord>,
}

/// How far each round came; a round that tried no letter is none.
fn rounds(dossier: &Dossier) -> Vec<Round<'_>> {
    let mut rounds = Vec::new();
    for run in &dossier.facts.runs {
        let mut round = Round { is_open: run.ended_at.is_none(), first: 0, again: Vec::new() };
        for record in &dossier.records {
            let mut tried = dossier.tries(record).map(|attempt| attempt.run);
            match tried.next() {
                Some(first) if first == run.run => round.first += 1,
                Some(_) if tried.any(|later| later == run.run) => round.again.push(record),
                _ => {}
            }
        }
        if round.first > 0 || !round.again.is_empty() {
            rounds.push(round);
        }
    }
    rounds
}

/// In how many rounds it was sent, and whether one ended before its letters were done; empty if nothing was tried.
pub(super) fn in_short(dossier: &Dossier) -> String {
    let rounds = rounds(dossier);
    let is_due = |record: &&DeliveryRecord| record.attempts > 0 || record.state != State::Suppressed;
    let due = dossier.records.iter().filter(is_due).count();
    let mut done = 0;
    let mut parts = Vec::new();
    for (place, round) in rounds.iter().enumerate() {
        done += round.first;
        let rest = due.saturating_sub(done);
        let mut part = match (place, rest) {
            (0, 0) => "tried every letter".to_owned(),
            (0, _) => {
                format!("ended after {} of {}{}", grouped(done), counted(due, "letter", "letters"), why_early(round))
            }
            (_, 0) if round.first > 0 => format!("went on with the other {}", grouped(round.first)),
            (_, _) if round.first > 0 => {
                format!(
                    "went on with {} and ended before the other {}{}",
                    grouped(round.first),
                    grouped(rest),
                    why_early(round)
                )
            }
            _ => String::new(),
        };
        if !round.again.is_empty() {
            let shown = names(round.again.iter().take(NAMED).map(|record| name(record)));
            let more = if round.again.len() > NAMED { ", …" } else { "" };
            let and = if part.is_empty() { "" } else { " and " };
            let _ = write!(part, "{and}tried {} again ({shown}{more})", grouped(round.again.len()));
        }
        parts.push(format!("the {} {part}", ordinal(place + 1)));
    }
    let once = if is_sent_once(dossier) { " No letter was sent again after a server had taken it." } else { "" };
    match rounds.len() {
        0 => String::new(),
        1 if done == due => "in one round".to_owned(),
        1 if dossier.facts.runs.iter().any(|run| run.attempts > 0 && run.ended_at.is_none()) => {
            format!(
                "in one round, which was cut off after {} of {}, or still goes on",
                grouped(done),
                counted(due, "letter", "letters")
            )
        }
        1 => format!("in one round, which {}", parts[0].trim_start_matches("the first ")),
        count => format!("in {} rounds: {}.{once}", grouped(count), parts.join("; ")),
    }
}

/// Why a round ended before its letters were done, as far as the ledger knows.
fn why_early(round: &Round<'_>) -> &'static str {
    if round.is_open { " (it was cut off)" } else { " (the record does not say why)" }
}

/// True if no address was handed a letter again that a server took, or may have taken, before.
fn is_sent_once(dossier: &Dossier) -> bool {
    dossier.records.iter().all(|record| {
        let mut taken = BTreeSet::new();
        let mut addresses = dossier.tries(record).flat_map(|attempt| &attempt.addresses);
        addresses.all(|one| !matches!(one.state, State::Accepted | State::Uncertain) || taken.insert(&one.address))
    })
}

/// The table of the rounds, with how far they came.
pub(super) fn section(dossier: &Dossier) -> String {
    if dossier.facts.runs.is_empty() {
        return "<p>Nothing was sent yet.</p>\n".to_owned();
    }
    let near = stamps(dossier);
    let mut text = in_short(dossier);
    if !text.is_empty() {
        text = format!("<p>It was sent {}.</p>\n", text.trim_end_matches('.'));
    }
    let mut table = format!(
        "{text}<p>Each time that the program was started to send is a round; a try is one try at delivering one letter.</p>\n<p>{}</p>\n\
         <table class=\"list free\">\n<thead><tr><th scope=\"col\">Round</th>\
         <th scope=\"col\">When (UTC)</th><th scope=\"col\">By</th><th scope=\"col\">What was sent</th>\
         <th scope=\"col\">Approved</th><th scope=\"col\" class=\"number\">Tries</th></tr></thead>\n<tbody>\n",
        verdict(dossier)
    );
    for run in &dossier.facts.runs {
        let ended =
            run.ended_at.map_or_else(|| "was cut off, or still goes on".to_owned(), |at| instant_among(at, &near));
        let _ = writeln!(
            table,
            "<tr><th scope=\"row\" data-label=\"Round\">{}</th><td data-label=\"When (UTC)\" class=\"when\">{}<br>to {ended}</td>\
             <td data-label=\"By\">{}</td><td data-label=\"What was sent\">{}</td>\
             <td data-label=\"Approved\">{}</td><td data-label=\"Tries\" class=\"number\">{}</td></tr>",
            run.run,
            instant_among(run.started_at, &near),
            by(run),
            batch(dossier, run, &near),
            approved(dossier, run, &near),
            run.attempts,
        );
    }
    table.push_str("</tbody>\n</table>\n");
    table
}

/// The account, the machine and the program.
fn by(run: &RunRecord) -> String {
    let who = run.began.by.as_deref().map(|who| format!("<bdi>{}</bdi>", escape(who)));
    let host = run.began.host.as_deref().map(|host| format!("at the computer “<bdi>{}</bdi>”", escape(host)));
    let program = run.program.as_deref().map(|version| format!("demarche {}", escape(version)));
    let parts: Vec<String> = [who, host, program].into_iter().flatten().collect();
    if parts.is_empty() { "not on record".to_owned() } else { parts.join("<br>") }
}

/// The version, and how it was confirmed.
fn batch(dossier: &Dossier, run: &RunRecord, near: &[Timestamp]) -> String {
    let Some(digest) = run.began.digest else { return "not on record".to_owned() };
    let confirmed = run.began.confirmed.map_or_else(String::new, |how| {
        let at =
            run.began.confirmed_at.map_or_else(String::new, |at| format!(", {}\u{a0}UTC", instant_among(at, near)));
        format!("<br>confirmed {}{at}", in_plain_words(how))
    });
    format!("{}{confirmed}", version_of(dossier, digest))
}

/// How it was confirmed, for people who never saw the program.
fn in_plain_words(how: Confirmation) -> &'static str {
    match how {
        Confirmation::Word => "by typing the word that was asked for",
        Confirmation::Yes => "in advance, together with the command",
        Confirmation::Approve => "by giving its fingerprint",
    }
}

/// By whom before it began; or plainly that it was not.
fn approved(dossier: &Dossier, run: &RunRecord, near: &[Timestamp]) -> String {
    let cover = run.began.cover(run.started_at, &dossier.facts.approvals);
    match cover {
        Cover::NotOnRecord => format!("by then: {}", stood_by_then(dossier, run, near)),
        Cover::Batch(_) | Cover::Letters(_) => {
            let counted: Vec<&Counted> = run.began.approvals.iter().collect();
            let counted = run.began.digest.map_or_else(Vec::new, |digest| telling(counted, digest));
            let is_by_letter = counted.iter().any(|one| Some(one.digest) != run.began.digest);
            let one = |one: &Counted| {
                let of = if is_by_letter { format!(" ({})", version_of(dossier, one.digest)) } else { String::new() };
                format!("<bdi>{}</bdi>, {}\u{a0}UTC{of}", escape(&one.by), instant_among(one.at, near))
            };
            let all: Vec<String> = counted.into_iter().map(one).collect();
            let which = if is_by_letter { "each letter, in this version or another; " } else { "" };
            format!("{which}before it began:<br>{}", all.join("<br>"))
        }
        cover => format!("<strong>{}</strong>", escape(&cover.described())),
    }
}

/// Whose approvals stood when a run of an earlier version of the program began. Which version of the letters that was is not on
/// record.
fn stood_by_then(dossier: &Dossier, run: &RunRecord, near: &[Timestamp]) -> String {
    let stood = dossier.facts.approvals.iter().filter(|approval| {
        approval.at <= run.started_at
            && approval.withdrawn.as_ref().is_none_or(|withdrawn| withdrawn.at > run.started_at)
    });
    let one = |approval: &Approval| {
        let which = version_of(dossier, approval.digest);
        format!("<bdi>{}</bdi> ({which}, {}\u{a0}UTC)", escape(&approval.by), instant_among(approval.at, near))
    };
    let all: Vec<String> = stood.map(one).collect();
    if all.is_empty() { "nobody".to_owned() } else { all.join("<br>") }
}
