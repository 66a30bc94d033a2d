//! Takes in one message octet by octet: undoes dot-stuffing, finds the end, keeps what is wanted, notes what is wrong.

use std::io::BufRead as _;

/// Longest line without its CRLF (RFC 5321 §4.5.3.1.6, RFC 5322 §2.1.1).
const LINE_MAX: usize = 998;
/// Header octets looked at where the message itself is not kept.
const HEADER_MAX: usize = 64 * 1024;

/// One message on its way in.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing seen or not seen on the way")]
pub(super) struct Body {
    limit: u64,
    keep_all: bool,
    in_header: bool,
    kept: Vec<u8>,
    size: usize,
    /// Octets of the present line so far.
    line: usize,
    /// The last piece ended in a CR that may yet meet its LF.
    after_cr: bool,
    /// The next octet begins a line.
    at_start: bool,
    bare_cr: bool,
    bare_lf: bool,
    longest: usize,
}

/// What [`Body::data`] did with the octets that it was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// So many octets; no end yet.
    More(usize),
    /// So many octets, the terminator with them.
    End(usize),
}

impl Body {
    /// A message of at most `limit` octets, kept whole or only its header.
    pub(super) fn new(limit: u64, keep_all: bool) -> Self {
        Self {
            limit,
            keep_all,
            in_header: true,
            kept: Vec::new(),
            size: 0,
            line: 0,
            after_cr: false,
            at_start: true,
            bare_cr: false,
            bare_lf: false,
            longest: 0,
        }
    }

    /// Takes what it can of `input`, as it comes after DATA: whole lines, and the head of a line that is longer than
    /// any buffer should wait for. Octets that are not taken must come again, with more behind them.
    pub(super) fn data(&mut self, input: &[u8]) -> Taken {
        let mut taken = 0;
        while let Some(line) = first_line(&input[taken..]) {
            taken += line.len();
            if self.at_start && line == b".\r\n" {
                return Taken::End(taken);
            }
            self.unstuffed(line);
        }
        let rest = &input[taken..];
        if rest.len() > 8 * LINE_MAX {
            self.unstuffed(rest);
            taken = input.len();
        }
        Taken::More(taken)
    }

    /// Takes all of `input`, as it comes in a BDAT chunk.
    pub(super) fn chunk(&mut self, input: &[u8]) {
        for segment in input.split_inclusive(|byte| *byte == b'\n') {
            self.segment(segment);
        }
    }

    fn unstuffed(&mut self, segment: &[u8]) {
        let stuffed = self.at_start && segment.first() == Some(&b'.');
        self.at_start = self.segment(if stuffed { &segment[1..] } else { segment });
    }

    /// A line, or a piece of one: an LF can only be its last octet. True if it ends in a true line end.
    fn segment(&mut self, segment: &[u8]) -> bool {
        let (content, complete) = match segment.split_last() {
            Some((b'\n', content)) => (content, true),
            Some(_) => (segment, false),
            None => return false,
        };
        // A CR that ends the piece is judged by what comes next, as is the one that ended the piece before.
        let (text, ends_in_cr) = match content.split_last() {
            Some((b'\r', text)) => (text, true),
            _ => (content, false),
        };
        let earlier_cr_meets_lf = self.after_cr && complete && content.is_empty();
        self.bare_cr |= (self.after_cr && !earlier_cr_meets_lf) || text.contains(&b'\r');
        self.line += text.len();
        self.longest = self.longest.max(self.line);
        let whole = complete && (ends_in_cr || earlier_cr_meets_lf);
        self.bare_lf |= complete && !whole;
        self.after_cr = ends_in_cr && !complete;
        let blank = whole && self.line == 0;
        if whole {
            self.line = 0;
        }
        self.keep(segment);
        self.in_header &= !blank;
        whole
    }

    fn keep(&mut self, octets: &[u8]) {
        self.size += octets.len();
        let wanted = if self.keep_all {
            !self.too_big()
        } else {
            self.in_header && self.kept.len() + octets.len() <= HEADER_MAX
        };
        if wanted {
            self.kept.extend_from_slice(octets);
        } else if self.keep_all {
            // Over the limit it will be refused: what was kept is of no more use.
            self.kept = Vec::new();
        }
    }

    /// Octets so far, without dot-stuffing.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Whether the message is over the limit.
    pub(super) fn too_big(&self) -> bool {
        self.size as u64 > self.limit
    }

    /// What was kept: the message, or its header.
    pub(super) fn kept(&self) -> &[u8] {
        &self.kept
    }

    /// The message, where it is kept; else nothing.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        if self.keep_all { self.kept } else { Vec::new() }
    }

    /// What is wrong with the octets so far.
    pub(super) fn violations(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.bare_cr || self.after_cr {
            found.push("a bare CR in the message".to_owned());
        }
        if self.bare_lf {
            found.push("a bare LF in the message".to_owned());
        }
        if self.longest > LINE_MAX {
            found.push(format!("a line of {} octets in the message", self.longest));
        }
        found
    }
}

/// The first line of `bytes` with its LF.
pub(super) fn first_line(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes;
    // Reading from a slice cannot fail; this finds the LF at the speed of the platform's memchr.
    let length = rest.skip_until(b'\n').unwrap_or(0);
    let line = &bytes[..length];
    (line.last() == Some(&b'\n')).then_some(line)
}

/// The value of the first header field `name`, unfolded and trimmed.
pub(super) fn field(message: &[u8], name: &str) -> Option<String> {
    let mut value: Option<String> = None;
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        let folded = line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t'));
        match &mut value {
            Some(value) if folded => {
                value.push(' ');
                value.push_str(String::from_utf8_lossy(line).trim());
            }
            Some(_) => break,
            None if line == b"\r\n" => break,
            None => {
                let head = line.get(..name.len()).filter(|head| head.eq_ignore_ascii_case(name.as_bytes()));
                if head.is_some() && line.get(name.len()) == Some(&b':') {
                    value = Some(String::from_utf8_lossy(&line[name.len() + 1..]).trim().to_owned());
                }
            }
        }
    }
    value.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Feeds `input` in pieces of `step` octets, as reads would bring it; what was kept and what stood after the end.
    fn feed(input: &[u8], step: usize) -> Option<(Body, Vec<u8>)> {
        let mut body = Body::new(1 << 20, true);
        let mut waiting = Vec::new();
        let mut pieces = input.chunks(step);
        while let Some(piece) = pieces.next() {
            waiting.extend_from_slice(piece);
            match body.data(&waiting) {
                Taken::More(taken) => drop(waiting.drain(..taken)),
                Taken::End(taken) => {
                    let mut after = waiting.split_off(taken);
                    after.extend(pieces.flatten());
                    return Some((body, after));
                }
            }
        }
        None
    }

    #[test]
    fn dots_are_unstuffed_and_what_follows_the_terminator_is_left() {
        let (body, after) = feed(b"a\r\n..b\r\n.c\r\n...\r\n.\r\nQUIT\r\n", 1).unwrap();
        assert_eq!(body.kept(), b"a\r\n.b\r\nc\r\n..\r\n");
        assert_eq!(after, b"QUIT\r\n");
        assert!(body.violations().is_empty());
    }

    #[test]
    fn only_a_dot_between_true_line_ends_is_the_end() {
        for smuggled in [&b"a\n.\r\nb\r\n.\r\n"[..], b"a\n.\nb\r\n.\r\n", b"a\r\n.\nb\r\n.\r\n", b"a\r.\r\nb\r\n.\r\n"]
        {
            let (body, after) = feed(smuggled, 64).unwrap();
            assert!(body.kept().ends_with(b"b\r\n"), "{smuggled:?}");
            assert!(after.is_empty());
            assert!(!body.violations().is_empty(), "{smuggled:?}");
        }
    }

    #[test]
    fn bare_line_ends_and_long_lines_are_noted_and_998_octets_are_not() {
        let noted = |bytes: &[u8]| {
            let mut body = Body::new(1 << 20, true);
            body.chunk(bytes);
            body.violations()
        };
        assert_eq!(noted(b"a\rb\r\n"), ["a bare CR in the message"]);
        assert_eq!(noted(b"a\nb\r\n"), ["a bare LF in the message"]);
        assert_eq!(noted(b"a\r\r\n"), ["a bare CR in the message"]);
        assert_eq!(noted(b"a\r"), ["a bare CR in the message"]);
        assert!(noted(&[&[b'x'; 998][..], b"\r\n"].concat()).is_empty());
        assert_eq!(noted(&[&[b'x'; 999][..], b"\r\n"].concat()), ["a line of 999 octets in the message"]);
    }

    #[test]
    fn a_crlf_split_between_two_chunks_is_one_line_end() {
        let mut body = Body::new(100, true);
        body.chunk(b"a\r");
        body.chunk(b"\nb\r\n");
        assert!(body.violations().is_empty());
        assert_eq!(body.into_bytes(), b"a\r\nb\r\n");
    }

    #[test]
    fn a_message_over_the_limit_takes_no_memory_and_is_counted() {
        let mut body = Body::new(10, true);
        body.chunk(b"12345678\r\n");
        assert!(!body.too_big());
        body.chunk(b"1\r\n");
        assert!(body.too_big());
        assert_eq!((body.size(), body.kept().len()), (13, 0));
    }

    #[test]
    fn where_letters_are_not_kept_only_the_header_is_looked_at() {
        let mut body = Body::new(100, false);
        body.chunk(b"Subject: s\r\nMessage-ID: <1@x.example>\r\n\r\nbody\r\n");
        assert_eq!(field(body.kept(), "Message-ID").as_deref(), Some("<1@x.example>"));
        assert!(!body.kept().ends_with(b"body\r\n"));
        assert!(body.into_bytes().is_empty());
    }

    #[test]
    fn a_field_is_found_in_any_case_unfolded_and_not_in_the_body() {
        let message = b"Subject: s\r\nmessage-id:\r\n <1@x.example>\r\nX: y\r\n\r\nDelivery: no\r\n";
        assert_eq!(field(message, "Message-ID").as_deref(), Some("<1@x.example>"));
        assert_eq!(field(message, "Delivery"), None);
    }

    proptest! {
        #[test]
        fn what_is_stuffed_comes_back_however_the_reads_fall(lines in proptest::collection::vec("[.a\r]{0,5}", 0..12), step in 1_usize..9) {
            let message: Vec<u8> = lines.iter().flat_map(|line| [line.as_bytes(), b"\r\n"].concat()).collect();
            let mut sent = Vec::new();
            for line in message.split_inclusive(|byte| *byte == b'\n') {
                if line.starts_with(b".") {
                    sent.push(b'.');
                }
                sent.extend_from_slice(line);
            }
            sent.extend_from_slice(b".\r\n");
            let (body, after) = feed(&sent, step).unwrap();
            prop_assert_eq!(body.size(), message.len());
            prop_assert_eq!(body.into_bytes(), message);
            prop_assert!(after.is_empty());
        }
    }
}
