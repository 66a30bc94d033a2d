//! One screen: how the batch stands, who needs attention and why, and what to do next.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::copies::{self, is_short_of_a_copy};
use super::dossier::{cause, remark_line, waits_for_room};
use super::{Facts, Style, doubled_and_foreign, duration, minute, moment, name, outcome_table, rehearsal, runs, said};
use crate::domain::approval::approvers;
use crate::domain::cause::Cause;
use crate::domain::coverage::Coverage;
use crate::domain::delivery::{Event, State};
use crate::domain::digest::Digest;
use crate::domain::prose::letters;
use crate::domain::recipient::RecipientId;
use crate::domain::record::{Counts, DeliveryRecord};
use crate::domain::run::approved_before;
use crate::domain::state::StateCode;

/// The most entries of a list that is cut; uncertain letters are never cut.
const LISTED: usize = 20;
/// Where the rest of such a list is.
const THE_REST: &str = "`demarche report --csv FILE` lists all";
/// The most lines that a server's words get here; `log` shows all of them.
const LINES_OF_WORDS: usize = 3;
/// The most lines of names of doubled and of foreign rows; the report has all of them.
const LINES_OF_NAMES: usize = 3;

/// The screen, every line ended. `records` may be all deliveries, or those alone that are not accepted.
#[must_use]
pub fn status(records: &[DeliveryRecord], counts: &Counts, facts: &Facts, style: &Style) -> String {
    let mut screen = style.bold(&style.cut(&style.text(&facts.campaign), style.columns()));
    screen.push('\n');
    if facts.rehearsal {
        screen.push_str(&rehearsal(style));
    }
    screen.push_str(&style.wrapped(&headline(counts, by_persons(facts), records), 0));
    if let Some(running) = &facts.running {
        screen.push_str(&style.wrapped(&style.text(&format!("At work now: {running}.")), 0));
    }
    if counts.total() > 0 {
        screen.push('\n');
        screen.push_str(&outcome_table(counts, style));
    }
    for state in [State::Uncertain, State::Failed, State::Deferred, State::Suppressed] {
        screen.push_str(&section(state, records, facts, style));
        screen.push_str(&of_copies(state, records, facts, style));
    }
    screen.push_str(&on_a_persons_word(records, facts, style));
    screen.push_str(&missing(records, facts, style));
    screen.push_str(&next_steps(records, counts, facts, style));
    screen.push_str(&digest(facts, style));
    screen.push_str(&approved(facts, style));
    screen.push_str(&last_run(facts, style));
    let ledger = style.cut(&style.text(&facts.ledger), style.columns().saturating_sub(40));
    let _ = writeln!(screen, "ledger  {ledger}, as of {}", moment(facts.now, &facts.zone));
    screen
}

/// The digest of what is on record, and why it may be that of no run; nothing while nothing is on record.
fn digest(facts: &Facts, style: &Style) -> String {
    if facts.digest == Digest::of_batch([]) {
        return "\n".to_owned();
    }
    let mut text = format!("\ndigest  {}\n", facts.digest);
    if facts.runs.iter().any(|run| run.attempts > 0 && run.began.digest.is_some_and(|began| began != facts.digest)) {
        let why = "of what is on record now: a letter keeps the text that it went out with, and rows that joined, were corrected or \
                   suppressed since count as they are now, so that it may be the digest of no run";
        text.push_str(&style.wrapped(why, 8));
    }
    text
}

/// Who approved the batch, where anybody approved one; or what went out in batches that were approved each before its run.
fn approved(facts: &Facts, style: &Style) -> String {
    let people = approvers(&facts.approvals, facts.digest);
    let before = facts.runs.iter().map(|run| (run.attempts, &run.began));
    let who = match facts.approvals.last() {
        None => return String::new(),
        Some(_) if !people.is_empty() => format!("approved by {}", people.join(", ")),
        Some(_) => approved_before(before)
            .unwrap_or_else(|| "not approved as a whole; `demarche approve --list` shows what was".to_owned()),
    };
    style.wrapped(&style.text(&who), 0)
}

/// With what the last run was begun, and whether that had been approved by then; `log` and the report tell of all.
fn last_run(facts: &Facts, style: &Style) -> String {
    let Some(last) = facts.runs.last() else { return String::new() };
    let line = runs::line(last, facts);
    let (head, line) = match facts.runs.len() {
        1 => ("run     ", line),
        count => ("runs    ", format!("{count}, the last: {line}")),
    };
    style.hanging(head, &style.text(&line))
}

/// How many rows count as accepted because a person said so.
fn by_persons(facts: &Facts) -> usize {
    let last: BTreeMap<&str, Event> = facts.resolved.iter().map(|(id, said)| (id.as_str(), said.event)).collect();
    last.values().filter(|event| **event == Event::ResolveSent).count()
}

fn headline(counts: &Counts, by_persons: usize, records: &[DeliveryRecord]) -> String {
    let due = counts.total() - counts.suppressed;
    if counts.total() == 0 {
        return "No letter was planned or sent yet.".into();
    }
    if due == 0 {
        return "Every letter is suppressed: nothing was sent, and nothing will be.".into();
    }
    let word = if by_persons > 0 { format!(", {by_persons} of them on a person's word") } else { String::new() };
    let open = [
        (counts.uncertain, "uncertain", Some(State::Uncertain)),
        (counts.failed, "failed", Some(State::Failed)),
        (counts.deferred, "deferred", Some(State::Deferred)),
        (counts.sending + counts.queued, "still to be sent", None),
    ];
    let one = |(count, what, state): &(u64, &str, Option<State>)| {
        let copies = state.map_or_else(String::new, |state| copies::in_brackets(copies::count(records, state), state));
        format!("{count} {what}{copies}")
    };
    let open: Vec<String> = open.iter().filter(|(count, ..)| *count > 0).map(one).collect();
    if open.is_empty() {
        return format!("Every letter was accepted: {due} of {due}{word}.");
    }
    format!("{} of {} accepted{word}; {}.", counts.accepted, letters(due), open.join(", "))
}

/// The deliveries in `state`, each with the addresses concerned and what was said of them.
fn section(state: State, records: &[DeliveryRecord], facts: &Facts, style: &Style) -> String {
    let concerned: Vec<&DeliveryRecord> =
        records.iter().filter(|record| record.state == state && !is_short_of_a_copy(record, state)).collect();
    let what = match state {
        State::Uncertain => "Uncertain: no valid reply came, so it may or may not have arrived",
        State::Failed => "Failed: refused for good, not delivered to the addresses named",
        State::Deferred => "Deferred: refused for now, not delivered yet",
        _ => "Suppressed: left out on purpose, never sent",
    };
    listed(state, what, &concerned, facts, style)
}

/// Those that are in `state` for a copy's sake alone.
fn of_copies(state: State, records: &[DeliveryRecord], facts: &Facts, style: &Style) -> String {
    let concerned: Vec<&DeliveryRecord> = records.iter().filter(|record| is_short_of_a_copy(record, state)).collect();
    let what = match state {
        State::Uncertain => "Uncertain for a copy only: the mission itself has the letter",
        State::Deferred => "Deferred for a copy only: the mission itself has the letter",
        _ => "Failed for a copy only: the mission itself has the letter",
    };
    listed(state, what, &concerned, facts, style)
}

fn listed(state: State, what: &str, concerned: &[&DeliveryRecord], facts: &Facts, style: &Style) -> String {
    if concerned.is_empty() {
        return String::new();
    }
    let heading = style.wrapped(&format!("{what} ({})", concerned.len()), 0);
    let mut text = format!("\n{}\n", style.paint(state, heading.trim_end()));
    let most = if state == State::Uncertain { concerned.len() } else { LISTED };
    for record in concerned.iter().take(most) {
        text.push_str(&entry(record, facts, style));
    }
    if concerned.len() > most {
        text.push_str(&style.wrapped(&format!("and {} more: {THE_REST}", concerned.len() - most), 2));
    }
    text
}

fn entry(record: &DeliveryRecord, facts: &Facts, style: &Style) -> String {
    let title = format!("{}  {}", record.id, style.text(name(record)));
    let mut text = format!("  {}\n", style.cut(&title, style.columns() - 2));
    let concerned = record.addresses.iter().filter(|address| address.state == record.state);
    for address in concerned.filter(|_| record.state != State::Suppressed) {
        let line = style.text(&said(address, record, &facts.zone));
        text.push_str(&style.wrapped_at_most(&line, 4, LINES_OF_WORDS));
    }
    if record.state == State::Deferred {
        text.push_str(&style.wrapped(&waits(record, facts), 4));
    }
    let taken: Vec<&str> =
        record.addresses.iter().filter(|a| a.state == State::Accepted).map(|a| a.address.as_str()).collect();
    if !taken.is_empty() {
        let line = format!("taken for {}", style.text(&taken.join(", ")));
        text.push_str(&style.wrapped_at_most(&line, 4, LINES_OF_WORDS));
    }
    if let Some(note) = record.note.as_deref().filter(|note| !note.is_empty()) {
        text.push_str(&style.wrapped_at_most(&format!("note: {}", style.text(note)), 4, LINES_OF_WORDS));
    }
    text
}

/// What a deferred letter waits for, until when, and what a person can do.
fn waits(record: &DeliveryRecord, facts: &Facts) -> String {
    let what = if waits_for_room(record) {
        "Waits for room in the mailbox, which only the mission can make: tell them, or ask for another address"
    } else {
        "Waits until the server takes it"
    };
    let again = match record.not_before {
        None => "its tries are used up, and only `demarche resend` tries again".to_owned(),
        Some(due) if due > facts.now => {
            let left = u64::try_from(due.as_second().saturating_sub(facts.now.as_second())).unwrap_or(0);
            let when = minute(due, &facts.zone);
            format!(
                "`demarche send` tries again from {when} on (in {}), `demarche resend` at once",
                duration(left.max(1))
            )
        }
        Some(due) => format!("it is due since {}: `demarche send` tries again", minute(due, &facts.zone)),
    };
    format!("{what}; {again}")
}

/// What people recorded of uncertain letters, and who.
fn on_a_persons_word(records: &[DeliveryRecord], facts: &Facts, style: &Style) -> String {
    let mut text = String::new();
    for (id, remark) in facts.resolved.iter().take(LISTED) {
        let name = records.iter().find(|record| record.id == *id).map_or(id.as_str(), name);
        let line = style.text(&format!("{id}  {name}: {}", remark_line(remark)));
        text.push_str(&style.wrapped_at_most(&line, 2, LINES_OF_WORDS));
    }
    if facts.resolved.len() > LISTED {
        text.push_str(&style.wrapped(&format!("and {} more: {THE_REST}", facts.resolved.len() - LISTED), 2));
    }
    if text.is_empty() {
        return text;
    }
    format!("\n{}\n{text}", style.bold(&format!("On a person's word ({})", facts.resolved.len())))
}

/// The batch against the audience: how many have the letter and what became of the others, who is missing, what is doubled or
/// foreign.
fn missing(records: &[DeliveryRecord], facts: &Facts, style: &Style) -> String {
    let beside: String = doubled_and_foreign(&facts.coverage)
        .iter()
        .map(|sentence| style.wrapped_at_most(&style.text(sentence), 0, LINES_OF_NAMES))
        .collect();
    let beside = if beside.is_empty() { beside } else { format!("\n{beside}") };
    let reached = match facts.coverage.expected {
        0 => String::new(),
        _ => format!("\n{}", style.hanging("Coverage: ", &style.text(&reached(records, facts)))),
    };
    if facts.missing.is_empty() {
        return format!("{reached}{beside}");
    }
    let mut names: Vec<&str> = facts.missing.iter().take(LISTED).map(String::as_str).collect();
    let more = format!("and {} more: `demarche check` lists all", facts.missing.len().saturating_sub(LISTED));
    if facts.missing.len() > LISTED {
        names.push(&more);
    }
    let heading = style.bold(&format!("Missing: expected, and not in the batch ({})", facts.missing.len()));
    format!("{reached}\n{heading}\n{}{beside}", style.wrapped(&style.text(&names.join(", ")), 2))
}

/// `187 of 193 have the letter; 6 left out on purpose (…)`: the states of the audience, each once.
fn reached(records: &[DeliveryRecord], facts: &Facts) -> String {
    let coverage = &facts.coverage;
    let foreign: BTreeSet<&str> = coverage.foreign.iter().map(RecipientId::as_str).collect();
    let mut states: BTreeMap<StateCode, (bool, State)> = BTreeMap::new();
    for record in records.iter().filter(|record| !foreign.contains(record.id.as_str())) {
        let Some(code) = record.recipient.state else { continue };
        let (has, state) = states.entry(code).or_insert((false, State::Suppressed));
        *has |= record.has_letter();
        *state = State::of_addresses([*state, record.state]);
    }
    let without = |wanted: &[State]| -> Vec<StateCode> {
        let these = states.iter().filter(|(_, (has, state))| !has && wanted.contains(state));
        these.map(|(code, _)| *code).collect()
    };
    let groups = [
        ("left out on purpose", without(&[State::Suppressed])),
        ("uncertain", without(&[State::Uncertain])),
        ("failed", without(&[State::Failed])),
        ("deferred", without(&[State::Deferred])),
        ("still to go", without(&[State::Queued, State::Sending, State::HandedOver])),
        ("without a row", coverage.missing.clone()),
    ];
    let lacking: usize = groups.iter().map(|(_, codes)| codes.len()).sum();
    let have = coverage.expected.saturating_sub(lacking);
    let verb = if have == 1 { "has" } else { "have" };
    let mut text = match lacking {
        0 => format!("all {} have the letter", coverage.expected),
        _ => format!("{have} of {} {verb} the letter", coverage.expected),
    };
    for (what, codes) in groups.iter().filter(|(_, codes)| !codes.is_empty()) {
        let names =
            if codes.len() <= LISTED { format!(" ({})", Coverage::names(codes).join(", ")) } else { String::new() };
        text.push_str(&format!("; {} {what}{names}", codes.len()));
    }
    text
}

/// What a person can do, the most pressing first, each with the exact command.
fn next_steps(records: &[DeliveryRecord], counts: &Counts, facts: &Facts, style: &Style) -> String {
    let mut steps = Steps { text: String::new(), style };
    if counts.uncertain > 0 {
        let first = records.iter().find(|record| record.state == State::Uncertain);
        uncertain_step(&mut steps, first.map_or("MISSION", |record| record.id.as_str()), counts.uncertain);
    }
    let of_copies = copies::count(records, State::Failed);
    if counts.failed > of_copies {
        failed_step(&mut steps, records, counts.failed - of_copies);
    }
    if of_copies > 0 {
        let what = format!(
            "{} short of a copy only: correct or take out the refused address if the copy matters. This sends to that address \
             alone, never again to the mission:",
            letters(of_copies)
        );
        steps.add(&what, &["demarche resend"]);
    }
    if counts.deferred > 0 {
        deferred_step(&mut steps, records, counts.deferred, facts);
    }
    match (counts.queued + counts.sending, &facts.running) {
        (0, _) => {}
        (open, None) => steps.add(&format!("{} still to be sent: go on with", letters(open)), &["demarche send"]),
        // Whoever is at work may be no run, and a run may take only some.
        (open, Some(_)) => {
            let what = format!("{} still to be sent: once what is at work now has ended, go on with", letters(open));
            steps.add(&what, &["demarche send"]);
        }
    }
    if !facts.missing.is_empty() {
        steps.add("Missing missions: add a row for each to the recipients file, then", &["demarche send"]);
    }
    if counts.total() == 0 && facts.missing.is_empty() {
        steps.add("Look at the letters, then send them:", &["demarche preview", "demarche send"]);
    }
    if steps.text.is_empty() {
        return "\nNothing is left to do.\n".into();
    }
    // Nothing is sent from a rehearsal's record.
    let heading = if facts.rehearsal { "What to do next after a real send" } else { "What to do next" };
    format!("\n{}\n{}", style.bold(heading), steps.text)
}

/// What to do about refusals, a line for each kind of cause.
fn failed_step(steps: &mut Steps<'_>, records: &[DeliveryRecord], count: u64) {
    let mut causes: BTreeMap<Cause, usize> = BTreeMap::new();
    for record in records.iter().filter(|record| record.state == State::Failed && !record.lacks_only_copies()) {
        for address in record.addresses.iter().filter(|address| address.state == State::Failed) {
            if let Some((cause, _)) = cause(record, address) {
                *causes.entry(cause).or_default() += 1;
            }
        }
    }
    // A copy that stayed behind follows its letter: it needs nothing of its own.
    if causes.len() > 1 {
        causes.remove(&Cause::FollowedTheLetter);
    }
    if let (1, Some(cause)) = (causes.len(), causes.keys().next()) {
        return steps.add(&format!("{} failed: {}. Then", letters(count), cause.in_short()), &["demarche resend"]);
    }
    steps.text.push_str(&steps.style.wrapped(&format!("{} failed; by cause:", letters(count)), 2));
    for (cause, count) in causes {
        let addresses = if count == 1 { "address".to_owned() } else { "addresses".to_owned() };
        let line = format!("{count} {addresses}: {}", cause.in_short());
        steps.text.push_str(&steps.style.hanging("    - ", &line));
    }
    steps.add("Then", &["demarche resend"]);
}

/// A letter that a server asked to send later has a time; a full mailbox is not emptied by then.
fn deferred_step(steps: &mut Steps<'_>, records: &[DeliveryRecord], count: u64, facts: &Facts) {
    let (full, soon): (Vec<&DeliveryRecord>, Vec<&DeliveryRecord>) =
        records.iter().filter(|record| record.state == State::Deferred).partition(|record| waits_for_room(record));
    let full = u64::try_from(full.len()).unwrap_or(u64::MAX);
    let (spent, soon): (Vec<&DeliveryRecord>, Vec<&DeliveryRecord>) =
        soon.into_iter().partition(|record| record.not_before.is_none());
    if let Some(due) = soon.iter().filter_map(|record| record.not_before).min() {
        let when = if due > facts.now {
            format!("once due (from {})", minute(due, &facts.zone))
        } else {
            "now, since their time has come".to_owned()
        };
        let count = count - full - u64::try_from(spent.len()).unwrap_or(0);
        let what = format!("{} deferred: the first of these tries again {when}, the second at once", letters(count));
        steps.add(&what, &["demarche send", "demarche resend"]);
    }
    if !spent.is_empty() {
        let count = u64::try_from(spent.len()).unwrap_or(u64::MAX);
        steps.add(&format!("{} deferred, and out of tries: this tries again", letters(count)), &["demarche resend"]);
    }
    if full > 0 {
        let what = format!("{} deferred: {}. Then", letters(full), Cause::FullMailbox.in_short());
        steps.add(&what, &["demarche resend"]);
    }
}

fn uncertain_step(steps: &mut Steps<'_>, id: &str, count: u64) {
    let note = steps.style.ellipsis();
    let what = format!(
        "{} uncertain: find out whether it arrived (the first of these tells how), then say so. It is never sent again \
         without your word.",
        letters(count)
    );
    let evidence = format!("demarche resolve {id}");
    let sent = format!("demarche resolve {id} --sent --note \"{note}\"");
    let not_sent = format!("demarche resolve {id} --not-sent --note \"{note}\"");
    steps.add(&what, &[&evidence, &sent, &not_sent]);
}

struct Steps<'a> {
    text: String,
    style: &'a Style,
}

impl Steps<'_> {
    /// A sentence, wrapped, and its commands, which never are: they are there to be copied.
    fn add(&mut self, what: &str, commands: &[&str]) {
        self.text.push_str(&self.style.wrapped(what, 2));
        for command in commands {
            let _ = writeln!(self.text, "      {command}");
        }
    }
}
