//! What somebody who wrote no address probably meant. A suggestion is made only if it is an address itself.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization as _;

use super::list::repair;
use super::{Mailbox, MailboxError, is_bidi, is_invisible, trim_blank, visible};

/// How the help for a name with a comma begins; the form to write follows. A CSV file needs the quotes doubled.
pub const QUOTE_THE_NAME: &str = "put the name in quotes:";

type Advised = (MailboxError, Option<String>);

/// What people write where they have no address; compared in lower case.
const NOTHING: [&str; 22] = [
    "n/a",
    "na",
    "n.a.",
    "none",
    "nil",
    "null",
    "no",
    "-",
    "--",
    "–",
    "—",
    "?",
    "x",
    "tbd",
    "tba",
    "unknown",
    "pending",
    "see website",
    "website",
    "no email",
    "no e-mail",
    "not available",
];

/// True for what people write where they have no address: "n/a", "see website".
#[must_use]
pub fn says_nothing(text: &str) -> bool {
    NOTHING.contains(&trim_blank(text).to_lowercase().as_str())
}

/// True for what a spreadsheet shows where a formula failed: "#N/A".
#[must_use]
pub fn is_failed_formula(text: &str) -> bool {
    FAILED.contains(&trim_blank(text).to_lowercase().as_str())
}

/// True for what people write where there is to be none: "n/a", "-"; not for "see website" or "?", which leave it open.
#[must_use]
pub fn says_none(text: &str) -> bool {
    const NONE: [&str; 11] = ["n/a", "na", "n.a.", "none", "nil", "null", "no", "-", "--", "–", "—"];
    NONE.contains(&trim_blank(text).to_lowercase().as_str())
}

/// A spreadsheet formula that was pasted as text: `=HYPERLINK(…)`, `=cmd|' /C calc'!A0`.
pub(super) fn is_formula(text: &str) -> bool {
    let text = trim_blank(text);
    text.starts_with('=')
        && (text.contains(['(', '!', '|']) || is_reference(&text[1..]))
        && Mailbox::parse(text).is_err()
}

/// `B2`, `$B$2`: letters, then digits.
fn is_reference(text: &str) -> bool {
    let plain = text.replace('$', "");
    let digits = plain.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    digits.len() < plain.len() && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
}

/// What a spreadsheet shows where a formula failed.
const FAILED: [&str; 7] = ["#n/a", "#ref!", "#value!", "#name?", "#div/0!", "#null!", "#num!"];

/// The problem and the help for a text that is no address.
pub(super) fn refusal(text: &str) -> Advised {
    refine(text, MailboxError::Form(visible(text)))
}

/// The same problem or a more telling one, and what to write instead.
pub(super) fn refine(text: &str, error: MailboxError) -> Advised {
    if let Some(error) = header_line(text) {
        let help = "take the line out; copies go into the columns \"cc\" and \"bcc\"";
        return (error, Some(help.to_owned()));
    }
    if NOTHING.contains(&text.to_lowercase().as_str()) {
        let help = "there is no address to write to: find it, or take the row out (\"cc\" and \"bcc\" may be empty)";
        return (MailboxError::Form(visible(text)), Some(help.to_owned()));
    }
    if is_failed_formula(text) {
        let help = "a formula stood here and failed: write the address itself";
        return (MailboxError::Form(visible(text)), Some(help.to_owned()));
    }
    let meant = formula(text)
        .or_else(|| plain(text))
        .or_else(|| bracketed(text))
        .or_else(|| spelt_out(text))
        .or_else(|| without_blank(text))
        .or_else(|| without_double_dot(text));
    let help = meant.or_else(|| general(text, &error));
    (error, help)
}

/// `Bob, Jr <a@x.org>`: a comma in a name without quotes cut it in two.
pub(super) fn split_name(text: &str, first: &Range<usize>, second: &Range<usize>) -> Option<Advised> {
    let (head, tail) = (&text[first.clone()], &text[second.clone()]);
    let comma = trim_blank(&text[first.end..second.start]) == ",";
    if !comma || head.contains(['@', '<', '"']) || NOTHING.contains(&head.to_lowercase().as_str()) {
        return None;
    }
    let (name, address) = tail.strip_suffix('>')?.split_once('<')?;
    let quoted = format!("\"{head}, {}\" <{}>", name.trim(), repair(address));
    let help = Mailbox::parse(&quoted).ok().map(|mailbox| format!("{QUOTE_THE_NAME} {mailbox}"))?;
    Some((MailboxError::Form(visible(&text[first.start..second.end])), Some(help)))
}

/// `in@in.example,org`: a comma where a dot should be.
pub(super) fn split_domain(text: &str, first: &Range<usize>, second: &Range<usize>) -> Option<String> {
    let (head, tail) = (&text[first.clone()], &text[second.clone()]);
    let word = (2..=24).contains(&tail.len()) && tail.bytes().all(|b| b.is_ascii_alphabetic() || b == b'.');
    let comma = &text[first.end..second.start] == ",";
    let mailbox = Mailbox::parse(&repair(&format!("{head}.{tail}"))).ok().filter(|_| word && comma)?;
    Some(format!("with a dot in place of the comma: {mailbox}"))
}

fn header_line(text: &str) -> Option<MailboxError> {
    let (name, _) = text.split_once(':')?;
    let known = ["to", "cc", "bcc", "from", "reply-to", "sender", "subject", "date", "content-type", "mime-version"];
    let lower = name.trim().to_ascii_lowercase();
    (known.contains(&lower.as_str()) || lower.starts_with("x-")).then(|| MailboxError::Header(visible(text)))
}

fn suggest(words: &str, text: &str) -> Option<String> {
    Mailbox::parse(&repair(text)).ok().map(|mailbox| format!("{words} {mailbox}"))
}

fn formula(text: &str) -> Option<String> {
    if !is_formula(text) {
        return None;
    }
    let inner = text.split(['"', '\'', '(', ')', ',', ';']).find_map(|part| suggest("write its value:", part));
    Some(format!("this is a formula; {}", inner.unwrap_or_else(|| "write its value as text".to_owned())))
}

fn plain(text: &str) -> Option<String> {
    let without: String = text.chars().filter(|c| !is_invisible(*c) && !is_bidi(*c)).collect();
    if without != text {
        return suggest("without the invisible character:", &without);
    }
    let plain: String = text.nfkc().collect();
    if plain == text { None } else { suggest("in plain characters:", &plain) }
}

/// `<Mission> a@x.org`, `Mission a@x.org`, `a@x.org (Mission)`, `Mission: a@x.org`.
fn bracketed(text: &str) -> Option<String> {
    if text.matches('@').count() != 1 {
        return None;
    }
    let (name, address) = match text.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
        Some(parts) => parts,
        None if text.ends_with(')') => {
            text.strip_suffix(')')?.split_once('(').map(|(address, name)| (name, address))?
        }
        None => text.rsplit_once(char::is_whitespace)?,
    };
    let name = name.trim().trim_end_matches(':').replace(['"', '\\'], "");
    let address = address.trim().trim_matches(['<', '>']);
    suggest("put the address in angle brackets:", &format!("\"{name}\" <{address}>"))
}

/// `a(at)x.org`, `a [at] x [dot] org`, `a at x.org`.
fn spelt_out(text: &str) -> Option<String> {
    let mut lower = text.to_lowercase();
    for (from, to) in [("(at)", "@"), ("[at]", "@"), ("{at}", "@"), (" at ", "@")] {
        lower = lower.replace(from, to);
    }
    for from in ["(dot)", "[dot]", "{dot}", " dot ", "(.)"] {
        lower = lower.replace(from, ".");
    }
    if lower == text.to_lowercase() {
        return None;
    }
    let joined: String = lower.chars().filter(|c| !c.is_whitespace()).collect();
    suggest("write", &joined)
}

fn without_blank(text: &str) -> Option<String> {
    let joined: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if joined == text { None } else { suggest("without the blank:", &joined) }
}

fn without_double_dot(text: &str) -> Option<String> {
    let mut single = text.to_owned();
    while single.contains("..") {
        single = single.replace("..", ".");
    }
    if single == text { None } else { suggest("with one dot:", &single) }
}

fn general(text: &str, error: &MailboxError) -> Option<String> {
    let help = match (error, text.matches('@').count()) {
        (MailboxError::Domain(domain), _) if !domain.contains('.') => {
            "a domain needs a dot: mission@state.example, for instance"
        }
        (MailboxError::Domain(_), _) => "a domain is letters, digits and hyphens between dots, 63 to a part at most",
        (MailboxError::Empty, _) => "write it, or take away what stands in its place",
        (MailboxError::Control(_), _) => "type the address anew, by hand",
        (MailboxError::Form(_), 0) => "an address has an \"@\": mission@state.example, for instance",
        (MailboxError::Form(_), 2..) => "separate the addresses by \";\"",
        (MailboxError::Form(_), _) => "an address is one name, \"@\" and a domain: mission@state.example, for instance",
        _ => return None,
    };
    Some(help.to_owned())
}
