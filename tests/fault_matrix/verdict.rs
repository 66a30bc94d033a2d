//! What came of a cell against what it has to come to: ledger, server, run, and what a person reads.

use demarche::dispatch::Ending;
use demarche::domain::delivery::State;
use demarche::domain::outcome::Phase;
use demarche::domain::record::DeliveryRecord;

use crate::cells::Cell;
use crate::expect::{Expected, RunEnd, expected, words};
use crate::relay::HIT;
use crate::run::{Found, ROWS};
use crate::table::{Fault, Meaning, Place, Way};

/// Everything that is not as it has to be.
pub(crate) fn compare(cell: &Cell, found: &Found) -> Vec<String> {
    let expected = expected(cell);
    let mut wrong = Vec::new();
    let mut check = |right: bool, what: String| {
        if !right {
            wrong.push(what);
        }
    };
    check(found.hits > 0, "the fault never came".to_owned());
    check(found.violations.is_empty(), format!("violations: {:?}", found.violations));
    check(run_ended(&found.ending) == Some(expected.run), format!("the run ended as {:?}", found.ending));
    check(
        expected.sessions.contains(&found.sessions),
        format!("{} sessions, not {:?}", found.sessions, expected.sessions),
    );
    check(found.rests == expected.rests, format!("the account rests: {}", found.rests));
    let words = words(cell);
    let told = words.is_empty() || words.iter().any(|words| found.read.contains(words));
    check(told, format!("nobody reads one of {words:?}"));
    for (row, end) in found.rows.iter().zip(&expected.rows) {
        let told = format!("{} is {} after {} attempts, not {end:?}", row.id, row.state, row.attempts);
        check(end.states.contains(&row.state) && end.charged.contains(&row.attempts), told);
    }
    wrong.extend(held(&expected, found));
    wrong.extend(blamed(cell, found));
    wrong.extend(in_clear(cell, found));
    wrong.extend(other_way(cell, found));
    wrong.extend(status(cell, found));
    if !wrong.is_empty() {
        let lines: Vec<&str> = found.read.lines().take(12).collect();
        wrong.push(format!("what a person read first:\n{}\nstatus:\n{}", lines.join("\n"), found.status));
    }
    wrong
}

fn run_ended(ending: &Ending) -> Option<RunEnd> {
    match ending {
        Ending::Drained => Some(RunEnd::Drained),
        Ending::Halted(_) | Ending::Broken { .. } => Some(RunEnd::Halted),
        Ending::Stopped | Ending::Capped(_) | Ending::NoList(_) | Ending::Unwanted(_) => None,
    }
}

/// What the server really holds, against what the ledger says of it.
fn held(expected: &Expected, found: &Found) -> Vec<String> {
    let mut wrong = Vec::new();
    for row in &found.rows {
        let address = format!("{}@missions.example", row.id);
        let copies = found.letters.iter().filter(|letter| letter.forward_paths == [address.as_str()]).count();
        let right = match row.state {
            State::Accepted => copies == 1,
            State::Uncertain => copies <= 1,
            _ => copies == 0,
        };
        if !right || (address == HIT && copies != expected.held) {
            wrong.push(format!("{} is {}, and the server holds {copies} copies", row.id, row.state));
        }
    }
    if found.letters.iter().any(|letter| letter.delivery.is_none() || !letter.bytes.ends_with(b"\r\n")) {
        wrong.push("a letter did not come whole".to_owned());
    }
    wrong
}

/// The hit row's own record names the phase; nobody is blamed for what is the relay's.
fn blamed(cell: &Cell, found: &Found) -> Vec<String> {
    let mut wrong = Vec::new();
    let phase = phase_on_record(cell);
    let theirs = matches!(cell.meaning, Meaning::P | Meaning::D | Meaning::F | Meaning::U)
        || (cell.meaning == Meaning::H && !cell.place.opens());
    let first = found.attempts[1].first().and_then(|attempt| attempt.word.as_ref());
    if theirs && first.is_none_or(|word| word.phase != phase) && cell.fault != Fault::ExtraReply {
        wrong.push(format!("the first attempt on the second row does not name {phase}: {first:?}"));
    }
    let uncounted = matches!(cell.meaning, Meaning::S | Meaning::T | Meaning::P | Meaning::H);
    if uncounted && found.rows.iter().any(|row| matches!(row.state, State::Failed | State::Uncertain)) {
        wrong.push("a mission is blamed for what is the relay's".to_owned());
    }
    wrong
}

/// A chunk's body and end have one reply, and what it leaves uncertain is uncertain at its end.
fn phase_on_record(cell: &Cell) -> Phase {
    match (cell.way(), cell.place, cell.meaning) {
        (Way::Chunk, Place::Body, _) | (Way::Chunk, _, Meaning::U) => Phase::EndOfData,
        (_, place, _) => place.phase(),
    }
}

/// `status` names every row that somebody has to look at, with the words that the server or we had for it, and the
/// command that comes next; and what `send` would exit with follows from the same counts.
fn status(cell: &Cell, found: &Found) -> Vec<String> {
    let (mut due, mut codes) = (Vec::new(), Vec::new());
    let accepted = found.rows.iter().filter(|row| row.state == State::Accepted).count();
    if accepted == ROWS.len() {
        due.extend(["Every letter was accepted: 3 of 3.".to_owned(), "Nothing is left to do.".to_owned()]);
    } else {
        due.push(format!("{accepted} of 3 letters accepted; "));
    }
    for row in &found.rows {
        let Some((heading, command, code)) = next_step(row) else { continue };
        codes.push(code);
        due.extend([heading.to_owned(), command]);
        if row.state != State::Queued {
            let phase = row.last.as_ref().map_or("?", |word| word.phase.name());
            due.push(format!("  {0}  {0}", row.id));
            let line = found.status.lines().find(|line| line.contains(&format!("{}@missions.example: ", row.id)));
            if !line.is_some_and(|line| line.contains(&format!(", {phase}, "))) {
                due.push(format!("{}@missions.example … {phase}", row.id));
            }
        }
    }
    due.retain(|due| !found.status.contains(due));
    let mut wrong: Vec<String> = due.into_iter().map(|due| format!("status does not say {due:?}")).collect();
    let settled = matches!(found.rows[1].state, State::Uncertain | State::Failed | State::Deferred);
    let words = words(cell);
    if settled && !words.is_empty() && !words.iter().any(|words| found.status.contains(words)) {
        wrong.push(format!("status says none of {words:?}"));
    }
    let exit = [2, 1, 75].into_iter().find(|code| codes.contains(code)).unwrap_or(0);
    if found.exit != exit {
        wrong.push(format!("the exit code is {}, not {exit}", found.exit));
    }
    wrong
}

/// The heading that a row stands under, the command that comes next for it, and the exit code that it asks for.
fn next_step(row: &DeliveryRecord) -> Option<(&'static str, String, u8)> {
    let resend = || "demarche resend".to_owned();
    match row.state {
        State::Uncertain => Some(("Uncertain: no valid reply came", format!("demarche resolve {} --sent", row.id), 2)),
        State::Failed => Some(("Failed: refused for good", resend(), 1)),
        State::Deferred => Some(("Deferred: refused for now", resend(), 75)),
        State::Queued => Some(("still to be sent", "demarche send".to_owned(), 75)),
        _ => None,
    }
}

/// A letter went out as a chunk where that was due, and only there.
fn other_way(cell: &Cell, found: &Found) -> Option<String> {
    let heard = |verb: &str| found.transcripts.iter().flatten().any(|line| line.split(' ').next() == Some(verb));
    let letters = heard("MAIL");
    let right = match cell.way() {
        Way::Data => !heard("BDAT"),
        Way::Chunk => heard("BDAT") == letters && !heard("DATA"),
    };
    (!right).then(|| "the letters went another way".to_owned())
}

/// Where STARTTLS is asked for, no letter is so much as named before a second EHLO.
fn in_clear(cell: &Cell, found: &Found) -> Option<String> {
    let early = |lines: &Vec<String>| {
        let named = lines.iter().position(|line| line.starts_with("MAIL") || line.starts_with("AUTH"));
        let greeted = lines.iter().take(named.unwrap_or(0)).filter(|line| line.starts_with("EHLO")).count();
        named.is_some() && greeted < 2
    };
    (cell.place == Place::StartTls && found.transcripts.iter().any(early)).then(|| "a letter went in clear".to_owned())
}
