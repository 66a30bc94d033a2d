//! A cell of addresses → its mailboxes, each of them or what is wrong with it, at its place.

use std::ops::Range;

use super::{Mailbox, MailboxError, advice, trim_blank};

/// One address of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Where it stands in the text, in bytes, without the blanks around it.
    pub range: Range<usize>,
    /// The mailbox, or why it is none and what to write instead.
    pub outcome: Result<Mailbox, (MailboxError, Option<String>)>,
    /// True if the domain was written in full-width characters, which were taken for the plain ones.
    pub widened: bool,
}

impl Mailbox {
    /// Reads addresses separated by `;`, `,` or line breaks, and by `/` behind an address. Separators within quotes or
    /// angle brackets are none. Repaired silently: blanks, no-break and zero-width spaces around, a `mailto:` before,
    /// dots behind, domains in any script (to A-labels). The second list has what could not be read: where, why, help.
    #[must_use]
    #[expect(clippy::type_complexity, reason = "a list of mailboxes and a list of problems")]
    pub fn parse_list(text: &str) -> (Vec<Self>, Vec<(Range<usize>, MailboxError, Option<String>)>) {
        let mut mailboxes = Vec::new();
        let mut problems = Vec::new();
        for piece in Self::pieces(text) {
            match piece.outcome {
                Ok(mailbox) => mailboxes.push(mailbox),
                Err((error, help)) => problems.push((piece.range, error, help)),
            }
        }
        (mailboxes, problems)
    }

    /// As [`Self::parse_list`], with the place of every address.
    #[must_use]
    pub fn pieces(text: &str) -> Vec<Piece> {
        if advice::is_formula(text) {
            let whole = trimmed(text, 0..text.len());
            let error = advice::refusal(&text[whole.clone()]);
            return vec![Piece { range: whole, outcome: Err(error), widened: false }];
        }
        let mut pieces: Vec<Piece> = Vec::new();
        let mut ranges = split(text).into_iter().peekable();
        while let Some(range) = ranges.next() {
            if let Some(next) = ranges.peek()
                && let Some(error) = advice::split_name(text, &range, next)
            {
                pieces.push(Piece { range: range.start..next.end, outcome: Err(error), widened: false });
                ranges.next();
                continue;
            }
            let mut piece = read(text, range);
            if let (Err((_, help)), Some(before)) = (&mut piece.outcome, pieces.last())
                && let Some(joined) = advice::split_domain(text, &before.range, &piece.range)
            {
                *help = Some(joined);
            }
            pieces.push(piece);
        }
        pieces
    }
}

fn read(text: &str, range: Range<usize>) -> Piece {
    let written = &text[range.clone()];
    let repaired = repair(written);
    let widened = repaired.rsplit_once('@').is_some_and(|(_, domain)| domain.chars().any(is_wide));
    let outcome = Mailbox::parse(&repaired).map_err(|error| advice::refine(written, error));
    Piece { range, outcome, widened }
}

/// Full-width forms and the ideographic full stops, which IDNA maps to plain letters and dots (UTS 46).
fn is_wide(c: char) -> bool {
    matches!(c, '\u{ff01}'..='\u{ff5e}' | '\u{3002}' | '\u{ff61}')
}

/// Without `mailto:` and what follows its `?`, and without dots behind; within the angle brackets if there are any.
pub(super) fn repair(text: &str) -> String {
    let text = trim_blank(text);
    match text.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
        Some((name, address)) => format!("{name}<{}>", repair_address(address)),
        None => repair_address(text).to_owned(),
    }
}

fn repair_address(address: &str) -> &str {
    let mut address = trim_blank(address);
    if let (Some(scheme), Some(rest)) = (address.get(..7), address.get(7..))
        && scheme.eq_ignore_ascii_case("mailto:")
    {
        address = rest.split_once('?').map_or(rest, |(address, _)| address);
    }
    trim_blank(trim_blank(address).trim_end_matches('.'))
}

/// The ranges between separators, without the blanks around them; empty ones are left out.
fn split(text: &str) -> Vec<Range<usize>> {
    split_with(text, true).or_else(|| split_with(text, false)).unwrap_or_default()
}

/// `None` if quotes count and one of them never closes.
fn split_with(text: &str, heed_quotes: bool) -> Option<Vec<Range<usize>>> {
    let mut ranges = Vec::new();
    let (mut start, mut quoted, mut angle_until, mut addressed, mut escaped) = (0, false, 0, false, false);
    for (at, c) in text.char_indices() {
        if quoted {
            quoted = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        if at < angle_until {
            continue;
        }
        match c {
            '"' if heed_quotes => quoted = true,
            '<' => angle_until = angle_end(text, at),
            '@' => addressed = true,
            _ => {}
        }
        // A local part may hold a slash, a domain never.
        if matches!(c, ';' | ',' | '\n' | '\r') || (c == '/' && addressed) {
            ranges.push(trimmed(text, start..at));
            (start, addressed) = (at + c.len_utf8(), false);
        }
    }
    ranges.push(trimmed(text, start..text.len()));
    ranges.retain(|range| !range.is_empty());
    (!quoted).then_some(ranges)
}

/// Where the bracket that opens at `at` closes; at itself if it never does on this line.
fn angle_end(text: &str, at: usize) -> usize {
    let rest = &text[at + 1..];
    match rest.find(['<', '>', '\n', '\r']) {
        Some(end) if rest[end..].starts_with('>') => at + 1 + end,
        _ => at,
    }
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = &text[range.clone()];
    let inner = trim_blank(part);
    // `trim_matches` gives a part of the same text, so the distance of their starts is where it lies.
    let start = range.start + (inner.as_ptr() as usize - part.as_ptr() as usize);
    start..start + inner.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(text: &str) -> Vec<String> {
        let (mailboxes, problems) = Mailbox::parse_list(text);
        assert!(problems.is_empty(), "{text}: {problems:?}");
        mailboxes.iter().map(Mailbox::address).collect()
    }

    #[test]
    fn addresses_are_told_apart_however_they_are_separated() {
        for text in [
            "a@m.example;b@m.example",
            "a@m.example, b@m.example,",
            "a@m.example\r\nb@m.example\n",
            "a@m.example / b@m.example",
            "\"x; y\" <a@m.example>; 'z' <b@m.example>",
            "mailto:a@m.example?subject=x; <MAILTO:b@m.example.>",
            "a@m.example.;\u{a0}b@m.example\u{200b}",
        ] {
            assert_eq!(addresses(text), ["a@m.example", "b@m.example"], "{text}");
        }
        assert_eq!(addresses("a/b@m.example"), ["a/b@m.example"]);
        assert!(addresses(" ; ,\n").is_empty());
    }

    #[test]
    fn every_slip_is_told_what_to_write() {
        for (text, help) in [
            ("Bob, Jr <a@m.example>", "put the name in quotes: \"Bob, Jr\" <a@m.example>"),
            ("ee @m.example", "without the blank: ee@m.example"),
            ("ie@ie..example", "with one dot: ie@ie.example"),
            ("mt(at)mt.example", "write mt@mt.example"),
            ("mt [at] mt [dot] example", "write mt@mt.example"),
            ("es\u{ff20}m.example", "in plain characters: es@m.example"),
            ("\u{ff45}s@m.example", "in plain characters: es@m.example"),
            ("in@in.example,org", "with a dot in place of the comma: in@in.example.org"),
            ("=HYPERLINK(\"mailto:pe@m.example\",\"x\")", "this is a formula; write its value: pe@m.example"),
            ("<Mission> vn@m.example", "put the address in angle brackets: Mission <vn@m.example>"),
            ("Mission of X x@m.example", "put the address in angle brackets: Mission of X <x@m.example>"),
            ("a\u{200b}b@m.example", "without the invisible character: ab@m.example"),
            ("a@m.example b@m.example", "separate the addresses by \";\""),
            ("a@localhost", "a domain needs a dot: mission@state.example, for instance"),
            ("om@m.example\nBcc: evil@m.example", "take the line out; copies go into the columns \"cc\" and \"bcc\""),
        ] {
            let (_, problems) = Mailbox::parse_list(text);
            let found: Vec<&str> = problems.iter().filter_map(|(_, _, help)| help.as_deref()).collect();
            assert_eq!(found, [help], "{text}: {problems:?}");
        }
        for text in ["n/a", "-", "see website", "TBD", "?"] {
            let (_, problems) = Mailbox::parse_list(text);
            assert!(problems[0].2.as_deref().is_some_and(|help| help.starts_with("there is no address")), "{text}");
        }
    }

    #[test]
    fn a_full_width_domain_is_read_and_said() {
        let pieces = Mailbox::pieces("a@ｍ.ｅxample; b@m.example");
        assert_eq!(pieces.iter().map(|piece| piece.widened).collect::<Vec<_>>(), [true, false]);
        assert_eq!(pieces[0].outcome.as_ref().map(Mailbox::address), Ok("a@m.example".to_owned()));
    }

    proptest::proptest! {
        #[test]
        fn lists_of_mailboxes_read_back(
            names in proptest::collection::vec(("[^\\p{C}]{0,12}", "[a-z/+=']{1,8}", "[a-z]{1,8}"), 0..5),
            separator in proptest::sample::select(vec!["; ", ",", "\n"]),
        ) {
            let mailboxes: Vec<Mailbox> = names
                .iter()
                .map(|(name, local, domain)| {
                    let name = name.replace(['\\', '"'], "");
                    Mailbox::parse(&format!("\"{name}\" <{local}@{domain}.example>")).expect("a mailbox")
                })
                .collect();
            let text = mailboxes.iter().map(ToString::to_string).collect::<Vec<_>>().join(separator);
            proptest::prop_assume!(!advice::is_formula(&text));
            proptest::prop_assert_eq!(Mailbox::parse_list(&text), (mailboxes, Vec::new()), "{}", text);
        }

        #[test]
        fn no_text_makes_the_list_panic_and_places_lie_in_it(text in "(?s).{0,60}|[ab@.,;/<>\"\\\\(= \n\u{ff20}]{0,30}") {
            for piece in Mailbox::pieces(&text) {
                proptest::prop_assert!(text.get(piece.range).is_some());
            }
        }
    }
}
