//! The page's words: times, addresses and servers' answers as HTML that breaks where a reader expects it to.

use jiff::Timestamp;

use crate::domain::delivery::State;
use crate::domain::markup::escape;
use crate::domain::message::Field;
use crate::domain::record::AddressRecord;
use crate::report::tally::Standing;

/// A part of an address that is longer may be broken anywhere: it fits no column.
const LONGEST_WHOLE: usize = 24;

/// `20 October 2021, 14:02 UTC`.
pub(super) fn moment(at: Timestamp) -> String {
    format!("<time datetime=\"{at}\">{}</time>", at.strftime("%-d %B %Y, %H:%M UTC"))
}

/// `20 October 2021, 14:02:11 UTC`, with milliseconds where two of `others` would read the same: all have one precision.
pub(super) fn moment_among(at: Timestamp, others: &[Timestamp]) -> String {
    exact(at, others, "%-d %B %Y, %H:%M:%S", " UTC")
}

/// `20 Oct 2021, 14:02:11`, with milliseconds where two of `others` would read the same: all have one precision.
pub(super) fn instant_among(at: Timestamp, others: &[Timestamp]) -> String {
    exact(at, others, "%-d %b %Y, %H:%M:%S", "")
}

fn exact(at: Timestamp, others: &[Timestamp], format: &str, zone: &str) -> String {
    let mut sorted = others.to_vec();
    sorted.sort_unstable();
    let are_twins = |pair: &[Timestamp]| pair[0] != pair[1] && pair[0].as_second() == pair[1].as_second();
    let part = if sorted.windows(2).any(are_twins) {
        format!(".{:03}", at.as_millisecond().rem_euclid(1_000))
    } else {
        String::new()
    };
    format!("<time datetime=\"{at}\">{}{part}{zone}</time>", at.strftime(format))
}

/// `20 Oct 2021, 14:02:11`, where the second matters; in columns that say UTC in their head.
pub(super) fn instant(at: Timestamp) -> String {
    format!("<time datetime=\"{at}\">{}</time>", at.strftime("%-d %b %Y, %H:%M:%S"))
}

/// What became of it, as a word with its colour; the word alone tells it.
pub(super) fn tag(standing: Standing) -> String {
    format!("<span class=\"tag {}\">{}</span>", standing.class(), standing.label())
}

/// The same for a state.
pub(super) fn tag_of(state: State) -> String {
    tag(Standing::of_state(state))
}

/// An address: it breaks behind its `@` and before a dot, and nowhere else.
pub(super) fn address(text: &str) -> String {
    format!("<bdi class=\"address\">{}</bdi>", broken(text))
}

/// `Name <address>`, or an address alone.
pub(super) fn mailbox(text: &str) -> String {
    match text.rsplit_once('<').filter(|(_, rest)| rest.ends_with('>')) {
        Some((name, rest)) => {
            format!("<bdi>{}<span class=\"address\">{}</span></bdi>", escape(name), broken(&format!("<{rest}")))
        }
        None => address(text),
    }
}

/// An address, with what kind of copy it is behind it.
pub(super) fn named(record: &AddressRecord) -> String {
    format!("{}{}", address(&record.address), kind(record.field))
}

/// What a copy is called behind its address; nothing for a main address.
pub(super) fn kind(field: Field) -> &'static str {
    match field {
        Field::To => "",
        Field::Cc => " <span class=\"quiet\">(copy)</span>",
        Field::Bcc => " <span class=\"quiet\">(blind copy)</span>",
    }
}

/// Words of a server or a person, in a run of their own direction; addresses in them break as addresses do.
pub(super) fn prose(text: &str) -> String {
    let word = |word: &str| {
        if word.contains('@') { format!("<span class=\"address\">{}</span>", broken(word)) } else { escape(word) }
    };
    let words: Vec<String> = text.split(' ').map(word).collect();
    format!("<bdi>{}</bdi>", words.join(" "))
}

/// Escaped, with a place to break behind each `@` and before each dot, and none at hyphens and the like.
fn broken(text: &str) -> String {
    let mut pieces = vec![String::new()];
    for c in text.chars() {
        if c == '.' {
            pieces.push(String::new());
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(c);
        }
        if c == '@' {
            pieces.push(String::new());
        }
    }
    let whole = |piece: String| {
        let breaks_nowhere = piece.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '@' | '_' | '<' | '>'));
        let html = escape(&piece);
        if breaks_nowhere || piece.chars().count() > LONGEST_WHOLE { html } else { format!("<span>{html}</span>") }
    };
    let pieces: Vec<String> = pieces.into_iter().filter(|piece| !piece.is_empty()).map(whole).collect();
    pieces.join("<wbr>")
}

/// `1 letter`, `2 letters` and the like.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{} {many}", grouped(count)) }
}

/// `193`, `5,000`.
pub(super) fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `first`, … `tenth`, `11th`.
pub(super) fn ordinal(number: usize) -> String {
    const WORDS: [&str; 10] =
        ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];
    match number.checked_sub(1).and_then(|place| WORDS.get(place)) {
        Some(word) => (*word).to_owned(),
        None => format!("{number}th"),
    }
}

/// Escaped, with what stands between backticks as code, and in words for people who never saw the program's files.
pub(super) fn plain(text: &str) -> String {
    let text = text.replace("recipients file", "list of recipients");
    let parts: Vec<String> = text
        .split('`')
        .enumerate()
        .map(|(place, part)| if place % 2 == 1 { format!("<code>{}</code>", escape(part)) } else { escape(part) })
        .collect();
    parts.concat()
}

/// What a person or the program noted, in words for people who never saw the program's files.
pub(super) fn noted(text: &str) -> String {
    prose(&text.replace("the list of suppressed addresses", "the list of those not to be written to"))
}

/// Names with commas, escaped, each a run of its own direction.
pub(super) fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("<bdi>{}</bdi>", escape(name))).collect();
    names.join(", ")
}
