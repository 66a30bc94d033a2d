//! What was sent, in facts and figures.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::dossier::{Dossier, Sample};
use super::super::table::share;
use super::super::tally::{Bridge, Standing};
use super::proof::is_late;
use super::text::{counted, grouped, mailbox, moment, tag};
use crate::domain::approval::{approvers, is_same_person};
use crate::domain::markup::escape;
use crate::domain::record::DeliveryRecord;
use crate::report::duration;

/// The facts, and the table of outcomes.
pub(super) fn sent(dossier: &Dossier) -> String {
    let mut list = String::from("<dl>\n");
    let mut fact = |name: &str, html: String| {
        let _ = writeln!(list, "<dt>{name}</dt><dd>{html}</dd>");
    };
    if !dossier.letters.is_empty() {
        fact(if dossier.letters.len() == 1 { "Subject" } else { "Subjects" }, subjects(dossier));
        fact("Languages", escape(&languages(dossier)));
    }
    fact("From", mailbox(&dossier.sender));
    if let Some(reply_to) = &dossier.reply_to {
        fact("Answers to", mailbox(reply_to));
    }
    fact("Handed over", handed_over(dossier));
    if let Some((first, last)) = dossier.accepted_between() {
        let is_one = first.as_second().div_euclid(60) == last.as_second().div_euclid(60);
        let span = if is_one { moment(first) } else { format!("from {} to {}", moment(first), moment(last)) };
        fact("Accepted", span);
    }
    if let Some(event) = &dossier.event {
        fact("Written before", format!("{}, {}", escape(&event.name), moment(event.at)));
    }
    let approved = approved(dossier);
    if !approved.is_empty() {
        fact("Approved by", approved);
    }
    list.push_str("</dl>\n");
    if !dossier.records.is_empty() {
        list.push_str(&outcomes(dossier));
    }
    list
}

/// `191 of 193 letters, to 195 addresses`.
fn handed_over(dossier: &Dossier) -> String {
    let sent: Vec<&DeliveryRecord> = dossier.records.iter().filter(|record| record.attempts > 0).collect();
    let addresses: usize = sent.iter().map(|record| record.addresses.len()).sum();
    let all = counted(dossier.records.len(), "letter", "letters");
    match sent.len() {
        0 => format!("none of {all} yet"),
        count => {
            format!("{} of {all}, to {} in all", grouped(count), counted(addresses, "address", "addresses"))
        }
    }
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

/// The subject of each language, in one mission's copy.
fn subjects(dossier: &Dossier) -> String {
    let line = |letter: &Sample| {
        format!(
            "<bdi lang=\"{}\">{}</bdi> <span class=\"quiet\">({}, to <bdi>{}</bdi>)</span>",
            escape(letter.language.as_str()),
            escape(&letter.subject),
            escape(language_name(letter.language.as_str())),
            escape(&letter.mission)
        )
    };
    dossier.letters.iter().map(line).collect::<Vec<_>>().join("<br>\n")
}

/// `160 English, 8 Arabic: 168 letters`.
fn languages(dossier: &Dossier) -> String {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for letter in &dossier.letters {
        *counts.entry(letter.language.as_str()).or_default() += letter.count;
    }
    let mut counts: Vec<(&str, usize)> =
        counts.into_iter().map(|(tag, count)| (tag, usize::try_from(count).unwrap_or(usize::MAX))).collect();
    counts.sort_by_key(|(tag, count)| (std::cmp::Reverse(*count), *tag));
    let total = counts.iter().map(|(_, count)| count).sum();
    let of: Vec<String> =
        counts.iter().map(|(tag, count)| format!("{} in {}", grouped(*count), language_name(tag))).collect();
    let all = counted(total, "letter", "letters");
    if of.len() == 1 { format!("{all} in {}", language_name(counts[0].0)) } else { format!("{all}: {}", of.join(", ")) }
}

fn outcomes(dossier: &Dossier) -> String {
    let tally = dossier.letters_tally();
    let total = tally.total();
    let due = total - tally.of(Standing::Suppressed);
    let mut table = sum(dossier, due);
    let _ = writeln!(
        table,
        "<table class=\"figures outcomes\">\n<caption>What became of the {}</caption>\n<thead><tr>\
         <th scope=\"col\">Outcome</th><th scope=\"col\" class=\"number\">Letters</th>\
         <th scope=\"col\" class=\"number\">Share of the {}\u{a0}to\u{a0}go</th><th scope=\"col\">What it means</th></tr></thead>\n<tbody>",
        if total == 1 { "one letter".to_owned() } else { format!("{} letters", grouped(total)) },
        grouped(due)
    );
    for (standing, count) in tally.each() {
        let share = if standing == Standing::Suppressed { String::new() } else { share(big(count), big(due)) };
        let _ = writeln!(
            table,
            "<tr><th scope=\"row\">{}</th><td class=\"number\">{}</td><td class=\"number\">{}</td><td class=\"meaning\">{}</td></tr>",
            tag(standing),
            grouped(count),
            escape(&share),
            standing.meaning()
        );
    }
    let _ = writeln!(
        table,
        "</tbody>\n<tfoot><tr><th scope=\"row\">all</th><td class=\"number\">{}</td><td></td><td></td></tr></tfoot>\n</table>",
        grouped(total)
    );
    table.push_str(
        "<p class=\"quiet\">“Accepted” means that the server which carries our mail, or the mission’s own, took the letter and \
         answers for it from there. It is no proof that somebody read it, and a notice of failure may still come later to the \
         sender’s mailbox.</p>\n<p class=\"quiet\">The program’s own screens and tables say <i>failed</i> for refused, <i>deferred</i> for put off, \
         <i>queued</i> for still to go and <i>suppressed</i> for left out; a letter of which only a copy is out is counted there \
         by what became of the copy.</p>\n",
    );
    table
}

fn big(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// How the missions come to the letters, and these to those that were to go: a sum that a reader can do again.
fn sum(dossier: &Dossier, due: usize) -> String {
    let (one, many) = dossier.noun();
    let Bridge { expected, missing, doubles, beyond, letters } = dossier.bridge();
    let mut text = if expected == 0 {
        if letters == 1 {
            format!("One letter, to one {one}.")
        } else {
            format!("One letter for each of {}.", counted(letters, one, many))
        }
    } else if (expected, letters, missing) == (1, 1, 0) {
        format!("One letter, to the one {one} that the campaign means to reach.")
    } else if missing + doubles + beyond == 0 {
        format!("One letter for each of the {} that the campaign means to reach.", counted(expected, one, many))
    } else {
        let mut steps = expected.to_string();
        let mut words = Vec::new();
        let mut step = |sign: &str, count: usize, what: String| {
            if count > 0 {
                let _ = write!(steps, " {sign} {count}");
                words.push(what);
            }
        };
        step("−", missing, format!("{missing} of them without a letter planned"));
        step("+", doubles, format!("{} more to one that has a letter already", counted(doubles, "letter", "letters")));
        step("+", beyond, format!("{} to somebody else", counted(beyond, "letter", "letters")));
        format!(
            "The campaign means to reach {}; {}: {steps} = <strong>{}</strong>.",
            counted(expected, one, many),
            words.join(", "),
            counted(letters, "letter", "letters")
        )
    };
    let left_out = letters - due;
    if left_out > 0 {
        let were = if left_out == 1 { "was" } else { "were" };
        let _ = write!(
            text,
            " {} of the {} {were} left out on purpose: {letters} − {left_out} = <strong>{due}</strong> to go.",
            grouped(left_out),
            counted(letters, "letter", "letters")
        );
    }
    format!("<p>{text}</p>\n")
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

/// How long before or after the event the last letter was accepted, in words.
pub(super) fn beside_event(dossier: &Dossier) -> Option<String> {
    let event = dossier.event.as_ref()?;
    let (_, last) = dossier.accepted_between()?;
    let seconds = event.at.as_second() - last.as_second();
    let length = length(seconds.unsigned_abs());
    let when = if seconds >= 0 { format!("{length} before") } else { format!("{length} after the beginning of") };
    Some(format!("The last letter so far was accepted {when} the event ({}).", escape(&event.name)))
}

/// A length of time as people say it: beyond two days, in days.
fn length(seconds: u64) -> String {
    let days = seconds / 86_400;
    if days < 2 { duration(seconds) } else { format!("{} days", grouped(usize::try_from(days).unwrap_or(usize::MAX))) }
}
