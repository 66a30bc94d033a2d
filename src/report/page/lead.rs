//! The verdict: what became of the whole, in one paragraph whose numbers add up and lead to the names behind them.

use super::super::dossier::Dossier;
use super::super::tally::{Standing, Tally};
use super::figures::beside_event;
use super::text::grouped;
use crate::domain::delivery::State;

/// The paragraph.
pub(super) fn verdict(dossier: &Dossier) -> String {
    if dossier.records.is_empty() {
        return "<p class=\"verdict\">No letter was planned or sent yet.</p>\n".to_owned();
    }
    let tally = dossier.groups().iter().fold(Tally::default(), |all, (_, group)| all.plus(group));
    let mut text = reached(dossier, &tally);
    let at_shared = at_shared(dossier);
    text.push_str(&at_shared);
    text.push_str(&copies(dossier, &tally));
    text.push_str(&others(&tally));
    text.push_str(&beyond(dossier));
    if let Some(beside) = beside_event(dossier) {
        text.push_str(&format!(" {beside}"));
    }
    if let Some(shared) = shared(dossier).filter(|_| at_shared.is_empty()) {
        text.push_str(&format!(" {}.", linked("shared", &shared)));
    }
    format!("<p class=\"verdict\">{text}</p>\n")
}

/// ` Of these, 4 are at an address that stands for another mission, too: check.`; empty if none is.
pub(super) fn at_shared(dossier: &Dossier) -> String {
    let (one, _) = dossier.noun();
    match dossier.reached_at_shared() {
        0 => String::new(),
        count => format!(
            " Of these, {} {} the address with another {one}: check whose it is.",
            linked("shared", &format!("<strong>{}</strong>", grouped(count))),
            if count == 1 { "shares" } else { "share" }
        ),
    }
}

/// `2 addresses stand for two missions each`; `None` if every mission has addresses of its own.
pub(super) fn shared(dossier: &Dossier) -> Option<String> {
    let shared = dossier.shared_addresses();
    let (one, many) = dossier.noun();
    let most = shared.iter().map(|(_, names)| names.len()).max()?;
    Some(match (shared.len(), most) {
        (1, 2) => format!("1 address stands for two {many}"),
        (1, most) => format!("1 address stands for {most} {many}"),
        (count, 2) => format!("{} addresses stand for two {many} each", grouped(count)),
        (count, _) => format!("{} addresses stand for more than one {one}", grouped(count)),
    })
}

fn linked(anchor: &str, text: &str) -> String {
    format!("<a href=\"#{anchor}\">{text}</a>")
}

fn number(standing: Standing, text: &str) -> String {
    linked(standing.anchor(), &format!("<strong>{text}</strong>"))
}

/// For whom it was taken or arrived: by a mail server's word, and by a person's.
fn reached(dossier: &Dossier, tally: &Tally) -> String {
    let (whole, word) = (tally.total(), tally.of(Standing::OnWord));
    let taken = tally.reached() - word;
    let (one, many) = dossier.noun();
    let of_whole = |count: usize| format!("{} of {}", grouped(count), grouped(whole));
    let by_server = |who: &str| format!("For {} a mail server took the letter", number(Standing::Accepted, who));
    match (taken, word) {
        (0, 0) if whole == 1 => format!("For the one {one} no mail server took the letter so far."),
        (0, 0) => format!("For none of the {} {many} did a mail server take the letter so far.", grouped(whole)),
        (0, 1) if whole == 1 => {
            format!(
                "For {} a person confirms that the letter arrived.",
                number(Standing::OnWord, &format!("the one {one}"))
            )
        }
        (0, word) => format!(
            "For {} {many} a person confirms that the letter arrived.",
            number(Standing::OnWord, &of_whole(word))
        ),
        (taken, 0) if taken == whole && whole == 1 => format!("{}.", by_server(&format!("the one {one}"))),
        (taken, 0) if taken == whole => format!("{}.", by_server(&format!("all {} {many}", grouped(whole)))),
        (taken, 0) => {
            format!("For {} {many} a mail server took the letter.", number(Standing::Accepted, &of_whole(taken)))
        }
        (taken, word) => format!(
            "For {} {many} a mail server took the letter; for {} more a person confirms that it arrived.",
            number(Standing::Accepted, &of_whole(taken)),
            number(Standing::OnWord, &grouped(word))
        ),
    }
}

/// Those of them whose copy is out.
fn copies(dossier: &Dossier, tally: &Tally) -> String {
    let count = tally.lacking();
    if count == 0 {
        return String::new();
    }
    let lacking =
        dossier.records.iter().filter(|record| record.lacks_only_copies()).flat_map(|record| &record.addresses);
    let out = |state: &State| !matches!(state, State::Accepted | State::Suppressed);
    let mut states: Vec<State> = lacking.map(|one| one.state).filter(out).collect();
    states.sort_unstable();
    states.dedup();
    let first = tally.each().map(|(standing, _)| standing).find(|one| matches!(one, Standing::LacksCopies(_)));
    let anchor = first.map_or("missions", Standing::anchor);
    let became = match states.as_slice() {
        [State::Failed] => "was refused",
        [State::Deferred] => "was put off",
        [State::Uncertain] => "may or may not have arrived",
        _ => "has not arrived",
    };
    let taken = tally.reached() - tally.of(Standing::OnWord);
    if taken == 1 {
        return format!(" A copy to a second address {became}.");
    }
    let these = linked(anchor, &format!("<strong>{}</strong>", grouped(count)));
    format!(" For {these} of the {} a copy to a second address {became}.", grouped(taken))
}

/// ` Of the other 9: 2 may or may not have it, …`; nothing if there are no others.
fn others(tally: &Tally) -> String {
    let rest: Vec<(Standing, usize)> = tally.each().filter(|(standing, _)| !standing.has_letter()).collect();
    let count: usize = rest.iter().map(|(_, count)| count).sum();
    if let ([(standing, 1)], true) = (rest.as_slice(), tally.total() > 1) {
        let (before, after) = fate(*standing, true);
        let one = if before.is_empty() { "The other one" } else { "the other one" };
        let before = match before {
            "for " => "For ",
            "to " => "To ",
            none => none,
        };
        return format!(" {before}{}{after}.", linked(standing.anchor(), one));
    }
    let said: Vec<String> = rest
        .into_iter()
        .map(|(standing, count)| {
            let (before, after) = fate(standing, count == 1);
            format!("{before}{}{after}", number(standing, &grouped(count)))
        })
        .collect();
    match count {
        0 => String::new(),
        count if count == tally.total() => format!(" Of these {}: {}.", grouped(count), said.join(", ")),
        count => format!(" Of the {}: {}.", linked("without", &format!("other {}", grouped(count))), said.join(", ")),
    }
}

/// What became of those who have no letter: what stands before their number, and behind it.
fn fate(standing: Standing, is_one: bool) -> (&'static str, &'static str) {
    match standing {
        Standing::Uncertain => ("", " may or may not have it"),
        Standing::Failed => ("for ", " a mail server refused it"),
        Standing::Deferred => ("for ", " a mail server asked to try again later"),
        Standing::Sending => ("to ", " it is on its way, or was cut off there"),
        Standing::Suppressed if is_one => ("", " was left out on purpose"),
        Standing::Suppressed => ("", " were left out on purpose"),
        Standing::NotPlanned if is_one => ("", " has no letter planned"),
        Standing::NotPlanned => ("", " have no letter planned"),
        _ if is_one => ("", " is still to get it"),
        _ => ("", " are still to get it"),
    }
}

/// Who is written to besides.
fn beyond(dossier: &Dossier) -> String {
    let these = grouped(dossier.expected.len());
    match dossier.bridge().beyond {
        0 => String::new(),
        1 => format!(" <strong>1</strong> more letter is for a recipient beyond these {these}."),
        more => format!(" <strong>{}</strong> more letters are for recipients beyond these {these}.", grouped(more)),
    }
}
