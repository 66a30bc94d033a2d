//! What was sent, in facts and figures.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;

use super::super::dossier::{Dossier, Sample};
use super::super::table::share;
use super::super::tally::{Bridge, Standing};
use super::text::{counted, grouped, mailbox, moment, names, tag};
use super::{approvals, rounds};
use crate::domain::delivery::State;
use crate::domain::markup::escape;
use crate::domain::record::DeliveryRecord;
use crate::report::{duration, name};

/// The facts, and the table of outcomes.
pub(super) fn sent(dossier: &Dossier) -> String {
    let mut list = String::from("<dl>\n");
    let mut fact = |name: &str, html: String| {
        let _ = writeln!(list, "<dt>{name}</dt><dd>{html}</dd>");
    };
    if !dossier.letters.is_empty() {
        fact(if dossier.letters.len() == 1 { "Subject" } else { "Subjects" }, subjects(dossier));
        fact(if dossier.letters.len() == 1 { "Language" } else { "Languages" }, languages(dossier));
    }
    fact("From", mailbox(&dossier.sender));
    if let Some(reply_to) = &dossier.reply_to {
        fact("Replies to", mailbox(reply_to));
    }
    fact("Tried", tried(dossier));
    let rounds = rounds::in_short(dossier);
    if !rounds.is_empty() {
        fact("Sent", rounds);
    }
    if let Some((first, last)) = dossier.accepted_between() {
        let is_one = first.as_second().div_euclid(60) == last.as_second().div_euclid(60);
        let span = if is_one { moment(first) } else { format!("from {} to {}", moment(first), moment(last)) };
        fact("Taken by mail servers", span);
    }
    if let Some(event) = &dossier.event {
        fact("Occasion", format!("{}, {}", escape(&event.name), moment(event.at)));
    }
    let approved = approvals::in_short(dossier);
    if !approved.is_empty() {
        fact("Approved", approved);
    }
    list.push_str("</dl>\n");
    if !dossier.records.is_empty() {
        list.push_str(&outcomes(dossier));
    }
    list
}

/// `191 of 193 letters, at 195 addresses`.
fn tried(dossier: &Dossier) -> String {
    let tried = dossier.records.iter().filter(|record| record.attempts > 0).count();
    let all = counted(dossier.records.len(), "letter", "letters");
    match tried {
        0 => format!("none of {all} yet"),
        count => format!(
            "{} of {all}, at {} in all",
            grouped(count),
            counted(dossier.tried_addresses(), "address", "addresses")
        ),
    }
}

/// The subject of each language, in one mission's copy; the language of most letters first.
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
    most_used_first(dossier).into_iter().map(line).collect::<Vec<_>>().join("<br>\n")
}

/// The letters as examples, the language of most first, each text of a language in its order.
pub(super) fn most_used_first(dossier: &Dossier) -> Vec<&Sample> {
    let counts = counts(dossier);
    let place = |tag: &str| counts.iter().position(|(known, _)| *known == tag);
    let mut letters: Vec<&Sample> = dossier.letters.iter().collect();
    letters.sort_by_key(|letter| (place(letter.language.as_str()), letter.edition));
    letters
}

/// How many letters there are in each language, the most first.
fn counts(dossier: &Dossier) -> Vec<(&str, usize)> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for letter in &dossier.letters {
        *counts.entry(letter.language.as_str()).or_default() += letter.count;
    }
    let mut counts: Vec<(&str, usize)> =
        counts.into_iter().map(|(tag, count)| (tag, usize::try_from(count).unwrap_or(usize::MAX))).collect();
    counts.sort_by_key(|(tag, count)| (std::cmp::Reverse(*count), *tag));
    counts
}

/// The language of most letters.
pub(super) fn main_language(dossier: &Dossier) -> Option<&str> {
    counts(dossier).first().map(|(tag, _)| *tag)
}

/// `168 letters were to go out, whatever became of them`, then `160 in English`, `8 in Arabic, to Algeria, …`. Whose letter is in the language of most is not listed.
fn languages(dossier: &Dossier) -> String {
    let counts = counts(dossier);
    let total = counts.iter().map(|(_, count)| count).sum();
    let all = counted(total, "letter", "letters");
    if let [(tag, _)] = counts.as_slice() {
        return format!("{all} in {}", escape(language_name(tag)));
    }
    let tried = dossier.records.iter().any(|record| record.attempts > 0);
    let one = |(place, (tag, count)): (usize, &(&str, usize))| {
        let head = format!("{} in {}", grouped(*count), escape(language_name(tag)));
        let is_shown = |record: &&DeliveryRecord| {
            let counts = if tried { record.attempts > 0 } else { record.state != State::Suppressed };
            counts && dossier.languages.get(record.id.as_str()).is_some_and(|language| language.as_str() == *tag)
        };
        let mut who: Vec<&str> = dossier.records.iter().filter(is_shown).map(name).collect();
        who.sort_by_key(|name| crate::domain::state::fold(name));
        if place == 0 || who.is_empty() { head } else { format!("{head}, to {}", names(who)) }
    };
    let lines: Vec<String> = counts.iter().enumerate().map(one).collect();
    let (were, them) = if total == 1 { ("was", "it") } else { ("were", "them") };
    format!("{all} {were} to go out, whatever became of {them}:<br>\n{}", lines.join("<br>\n"))
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
         <th scope=\"col\" class=\"number\">Share of the {} to be sent</th><th scope=\"col\">What it means</th></tr></thead>\n<tbody>",
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
         sender’s mailbox.</p>\n<details>\n<summary>For whoever runs the program</summary>\n<p class=\"quiet\">Its own screens and tables say <i>failed</i> for refused, <i>deferred</i> for put off, \
         <i>queued</i> for to be sent and <i>suppressed</i> for left out; a letter whose \
         copy alone has not arrived is counted there by what became of the copy.</p>\n</details>\n",
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
            "The campaign means to reach {}; {}: <span class=\"whole\">{steps} = <strong>{}</strong></span>.",
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
            " {} of the {} {were} left out on purpose: <span class=\"whole\">{letters} − {left_out} = <strong>{due}</strong></span> to be sent.",
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

/// How long before or after the event it went out, in a sentence.
pub(super) fn beside_event(dossier: &Dossier) -> Option<String> {
    let event = dossier.event.as_ref()?;
    let (first, last) = dossier.accepted_between()?;
    let before = |at: Timestamp| event.at.as_second() - at.as_second();
    let name = escape(&event.name);
    Some(match (before(first), before(last)) {
        (_, rest) if rest >= 0 => {
            format!("The last letter so far went out {} before the event ({name}).", length(rest.unsigned_abs()))
        }
        (since, _) if since < 0 => {
            format!("It went out <strong>{} after</strong> the event ({name}) had begun.", length(since.unsigned_abs()))
        }
        (first, last) => format!(
            "The event ({name}) began while it went out: {} after the first letter, {} before the last.",
            length(first.unsigned_abs()),
            length(last.unsigned_abs())
        ),
    })
}

/// A length of time as people say it: beyond two days, in days.
fn length(seconds: u64) -> String {
    let days = seconds / 86_400;
    if days < 2 { duration(seconds) } else { format!("{} days", grouped(usize::try_from(days).unwrap_or(usize::MAX))) }
}
