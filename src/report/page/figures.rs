//! What was sent, in facts and figures, and whom it reached by regional group.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::dossier::{Dossier, GroupCoverage, Sample};
use super::super::table::{meaning, share_of_due};
use super::super::{counted as states_counted, duration, shown};
use super::proof::is_late;
use super::{counted, moment, names, tag};
use crate::domain::approval::{approvers, is_same_person};
use crate::domain::coverage::Coverage;
use crate::domain::delivery::State;
use crate::domain::markup::escape;
use crate::domain::record::DeliveryRecord;

/// The facts, and the table of outcomes.
pub(super) fn sent(dossier: &Dossier) -> String {
    let mut list = String::from("<dl>\n");
    let mut fact = |name: &str, html: String| {
        let _ = writeln!(list, "<dt>{name}</dt><dd>{html}</dd>");
    };
    let english = dossier.letters.iter().find(|letter| letter.language.as_str() == "en").or(dossier.letters.first());
    if let Some(letter) = english {
        fact("Subject", subject(letter));
        fact("Languages", escape(&languages(dossier)));
    }
    fact("From", format!("<bdi>{}</bdi>", escape(&dossier.sender)));
    if let Some(reply_to) = &dossier.reply_to {
        fact("Answers to", format!("<bdi>{}</bdi>", escape(reply_to)));
    }
    let sent: Vec<&DeliveryRecord> = dossier.records.iter().filter(|record| record.attempts > 0).collect();
    let addresses: usize = sent.iter().map(|record| record.addresses.len()).sum();
    let of = match dossier.records.len() - sent.len() {
        0 => String::new(),
        rest => format!("; {rest} not tried yet, or left out"),
    };
    fact(
        "To",
        format!(
            "{}, {}{of}",
            counted(sent.len(), "recipient", "recipients"),
            counted(addresses, "address", "addresses")
        ),
    );
    if let Some((first, last)) = dossier.accepted_between() {
        let is_one = first.as_second().div_euclid(60) == last.as_second().div_euclid(60);
        let span = if is_one { moment(first) } else { format!("from {} to {}", moment(first), moment(last)) };
        fact("Taken", span);
    }
    if let Some(event) = &dossier.event {
        fact("Written before", format!("{}, {}", escape(&event.name), moment(event.at)));
    }
    let approved = approved(dossier);
    if !approved.is_empty() {
        fact("Approved by", approved);
    }
    list.push_str("</dl>\n");
    if dossier.counts.total() > 0 {
        list.push_str(&outcomes(dossier));
    }
    list
}

/// Whose approval of this very batch stands, each with when, and whether the letters were under way by then.
fn approved(dossier: &Dossier) -> String {
    let facts = &dossier.facts;
    let one = |by: &str| {
        let mut given = facts.approvals.iter().filter(|approval| {
            approval.digest == facts.digest && approval.withdrawn.is_none() && is_same_person(&approval.by, by)
        });
        let when = given.next().map_or_else(String::new, |approval| {
            let late = if is_late(dossier, approval.at) { ", after the first letter went out" } else { "" };
            format!(" ({}{late})", moment(approval.at))
        });
        format!("<bdi>{}</bdi>{when}", escape(by))
    };
    approvers(&facts.approvals, facts.digest).into_iter().map(one).collect::<Vec<_>>().join(", ")
}

fn subject(letter: &Sample) -> String {
    format!(
        "<bdi lang=\"{}\">{}</bdi> <span class=\"quiet\">(to <bdi>{}</bdi>)</span>",
        escape(letter.language.as_str()),
        escape(&letter.subject),
        escape(&letter.mission)
    )
}

/// `8 Arabic, 160 English`.
fn languages(dossier: &Dossier) -> String {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for letter in &dossier.letters {
        *counts.entry(letter.language.as_str()).or_default() += letter.count;
    }
    let words: Vec<String> =
        counts.iter().map(|(language, count)| format!("{count} {}", language_name(language))).collect();
    words.join(", ")
}

fn outcomes(dossier: &Dossier) -> String {
    let total = dossier.counts.total();
    let mut table = String::from(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Outcomes\">\n<table class=\"figures\">\n\
         <caption>What became of the letters</caption>\n<thead><tr><th scope=\"col\">Outcome</th>\
         <th scope=\"col\" class=\"number\">Letters</th><th scope=\"col\" class=\"number\">Share of those to go</th>\
         <th scope=\"col\">What it means</th></tr></thead>\n<tbody>\n",
    );
    for (state, count) in states_counted(&dossier.counts).into_iter().filter(|(_, count)| *count > 0) {
        let _ = writeln!(
            table,
            "<tr><th scope=\"row\">{}</th><td class=\"number\">{count}</td><td class=\"number\">{}</td><td>{}</td></tr>",
            tag(state),
            escape(&share_of_due(state, count, &dossier.counts)),
            meaning(state)
        );
    }
    let _ = writeln!(
        table,
        "</tbody>\n<tfoot><tr><th scope=\"row\">all</th><td class=\"number\">{total}</td><td></td><td></td></tr></tfoot>\n</table>\n</div>"
    );
    table.push_str(
        "<p class=\"quiet\">“Accepted” means that the server which carries our mail, or the mission’s own, took the letter and \
         answers for it from there. It is no proof that somebody read it, and a notice of failure may still come later to the \
         sender’s mailbox.</p>\n",
    );
    table
}

/// The columns of the coverage table, in their order.
const REACHED: [State; 6] =
    [State::Accepted, State::Uncertain, State::Failed, State::Deferred, State::Queued, State::Suppressed];

/// The expected states by regional group.
pub(super) fn coverage(dossier: &Dossier) -> String {
    if dossier.expected.is_empty() {
        return "<p>The campaign expects no set of states: its list of recipients is what it is.</p>\n".to_owned();
    }
    if dossier.records.is_empty() {
        return "<p>No letter was planned or sent yet.</p>\n".to_owned();
    }
    let groups = dossier.coverage();
    let reached: usize = groups.iter().filter_map(|group| group.states.get(shown(State::Accepted))).sum();
    let mut html = format!(
        "<p>{reached} of the {} that the campaign means to reach (<code>{}</code>) {} the letter.</p>\n",
        counted(dossier.expected.len(), "state", "states"),
        escape(&dossier.audience),
        if reached == 1 { "has" } else { "have" }
    );
    html.push_str(&coverage_table(dossier, &groups));
    html.push_str(&beside(dossier));
    html
}

fn coverage_table(dossier: &Dossier, groups: &[GroupCoverage]) -> String {
    let used: Vec<State> =
        REACHED.into_iter().filter(|state| groups.iter().any(|g| count(&g.states, *state) > 0)).collect();
    let missing: usize = groups.iter().map(|group| group.missing.len()).sum();
    let row = |head: &str, counts: &[usize], missing_here: usize, expected: usize| {
        let cells = counts.iter().copied().chain((missing > 0).then_some(missing_here)).chain([expected]);
        let cells: Vec<String> = cells.map(|count| format!("<td class=\"number\">{}</td>", number(count))).collect();
        format!("<tr><th scope=\"row\">{head}</th>{}</tr>\n", cells.concat())
    };
    let mut html = String::from(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Coverage\">\n<table class=\"figures\">\n\
         <caption>States by regional group</caption>\n<thead><tr><th scope=\"col\">Regional group</th>",
    );
    let heads = used.iter().map(|state| tag(*state)).chain((missing > 0).then(|| "no letter planned".to_owned()));
    for head in heads.chain(["expected".to_owned()]) {
        let _ = write!(html, "<th scope=\"col\" class=\"number\">{head}</th>");
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for group in groups {
        let counts: Vec<usize> = used.iter().map(|state| count(&group.states, *state)).collect();
        html.push_str(&row(&escape(&group.name), &counts, group.missing.len(), group.expected));
    }
    let totals: Vec<usize> =
        used.iter().map(|state| groups.iter().map(|group| count(&group.states, *state)).sum()).collect();
    let _ = writeln!(
        html,
        "</tbody>\n<tfoot>{}</tfoot>\n</table>\n</div>",
        row("all", &totals, missing, dossier.expected.len()).trim_end()
    );
    html
}

/// A letter in flight counts as one that is still to go.
fn count(states: &BTreeMap<&'static str, usize>, state: State) -> usize {
    let of = |state: State| states.get(shown(state)).copied().unwrap_or(0);
    if state == State::Queued { of(State::Queued) + of(State::Sending) } else { of(state) }
}

fn number(count: usize) -> String {
    if count == 0 { "<span class=\"quiet\">–</span>".to_owned() } else { count.to_string() }
}

/// What a count of states leaves out: missing, doubled and foreign ones, by name.
fn beside(dossier: &Dossier) -> String {
    let mut html = String::new();
    let mut say = |what: &str, names_of: &[&str]| {
        if !names_of.is_empty() {
            let _ = writeln!(html, "<p><strong>{what}</strong> {}.</p>", names(names_of.iter().copied()));
        }
    };
    let missing: Vec<&str> = dossier.facts.missing.iter().map(String::as_str).collect();
    say("No letter planned:", &missing);
    let doubled = Coverage::names(&dossier.facts.coverage.doubled);
    say("Several rows for one state:", &doubled.iter().map(String::as_str).collect::<Vec<_>>());
    say("Beyond the states that were meant:", &dossier.foreign());
    html
}

/// The English name of a language that missions write in, else its tag.
pub(super) fn language_name(tag: &str) -> &str {
    match tag.split('-').next().unwrap_or(tag) {
        "ar" => "Arabic",
        "en" => "English",
        "es" => "Spanish",
        "fr" => "French",
        "pt" => "Portuguese",
        "ru" => "Russian",
        "zh" => "Chinese",
        _ => tag,
    }
}

/// How long before or after the event the last letter was taken, in words.
pub(super) fn beside_event(dossier: &Dossier) -> Option<String> {
    let event = dossier.event.as_ref()?;
    let (_, last) = dossier.accepted_between()?;
    let seconds = event.at.as_second() - last.as_second();
    let length = duration(seconds.unsigned_abs());
    let when = if seconds >= 0 { format!("{length} before") } else { format!("{length} after the beginning of") };
    Some(format!("The last letter so far was taken {when} the event ({}).", escape(&event.name)))
}
