//! The reply parser (RFC 5321 §4.2): pure and incremental, with its limits checked while reading.

use std::fmt;

use crate::domain::reply::{Reply, visible};

/// The longest line, without its line end, in octets. RFC 5321 §4.5.3.1.5 says 512; servers are known to send more.
const LINE_MOST: usize = 2048;
/// The most lines in one reply.
const LINES_MOST: usize = 100;
/// The longest reply, line ends included, in octets.
const REPLY_MOST: usize = 64 * 1024;

/// Why bytes are no reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Garble {
    /// A line over 2 KiB.
    LineTooLong,
    /// More than 100 lines.
    TooManyLines,
    /// More than 64 KiB.
    TooLong,
    /// A line that does not begin with a reply code and a separator: its head, escaped.
    NotAReplyLine(String),
    /// Another code than on the lines before: first, then.
    MixedCodes(u16, u16),
}

impl fmt::Display for Garble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LineTooLong => write!(f, "a line of more than {LINE_MOST} octets"),
            Self::TooManyLines => write!(f, "more than {LINES_MOST} lines"),
            Self::TooLong => write!(f, "more than {REPLY_MOST} octets"),
            Self::NotAReplyLine(line) => write!(f, "“{line}”"),
            Self::MixedCodes(first, then) => write!(f, "lines with the codes {first} and {then} in one reply"),
        }
    }
}

/// What is known of a reply so far. Any division of the same bytes into pieces gives the same reply.
#[derive(Debug, Default)]
pub(super) struct ReplyParser {
    code: Option<u16>,
    lines: Vec<Vec<u8>>,
    line: Vec<u8>,
    octets: usize,
}

impl ReplyParser {
    /// Takes bytes up to the end of the reply. Gives how many it took, and the reply once it is whole; what follows a whole
    /// reply is not touched.
    ///
    /// # Errors
    /// Bytes that are no reply, or more of them than a reply may have. The parser is of no use afterwards.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(usize, Option<Reply>), Garble> {
        for (index, byte) in bytes.iter().copied().enumerate() {
            self.octets += 1;
            if self.octets > REPLY_MOST {
                return Err(Garble::TooLong);
            }
            if byte == b'\n' {
                if let Some(reply) = self.end_line()? {
                    return Ok((index + 1, Some(reply)));
                }
            } else if self.line.len() > LINE_MOST {
                // One more than the limit is let in, because it may be the CR of the line end.
                return Err(Garble::LineTooLong);
            } else {
                self.line.push(byte);
            }
        }
        Ok((bytes.len(), None))
    }

    /// A line end: CRLF, or LF alone, which is no reason to doubt what the server said.
    fn end_line(&mut self) -> Result<Option<Reply>, Garble> {
        let mut line = std::mem::take(&mut self.line);
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        if line.len() > LINE_MOST {
            return Err(Garble::LineTooLong);
        }
        let (code, last, text) = split(&line).ok_or_else(|| Garble::NotAReplyLine(excerpt(&line)))?;
        match self.code {
            Some(first) if first != code => return Err(Garble::MixedCodes(first, code)),
            _ => self.code = Some(code),
        }
        if self.lines.len() == LINES_MOST {
            return Err(Garble::TooManyLines);
        }
        self.lines.push(text.to_vec());
        if !last {
            return Ok(None);
        }
        let reply = Reply::new(code, std::mem::take(&mut self.lines));
        reply.map(Some).map_err(|_| Garble::NotAReplyLine(excerpt(&line)))
    }
}

/// Code, whether it is the last line, and text of one line without its line end. A code alone is a last line without text.
fn split(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let (digits, rest) = line.split_at_checked(3)?;
    if !matches!(digits[0], b'1'..=b'5') || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    match rest {
        [] => Some((code, true, rest)),
        [b' ', text @ ..] => Some((code, true, text)),
        [b'-', text @ ..] => Some((code, false, text)),
        _ => None,
    }
}

/// The head of what a server sent, fit to be shown: the first line, at most 120 octets of it.
pub(super) fn excerpt(bytes: &[u8]) -> String {
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let head = line.get(..120).unwrap_or(line);
    let mut shown = visible(&String::from_utf8_lossy(head));
    if head.len() < line.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The reply at the head of `bytes`, the number of octets that it took, or why there is none.
    fn parse(pieces: &[&[u8]]) -> Result<(usize, Option<Reply>), Garble> {
        let mut parser = ReplyParser::default();
        let mut taken = 0;
        for piece in pieces {
            let (used, reply) = parser.take(piece)?;
            taken += used;
            if reply.is_some() {
                return Ok((taken, reply));
            }
        }
        Ok((taken, None))
    }

    fn whole(bytes: &[u8]) -> Reply {
        parse(&[bytes]).expect("no garble").1.expect("a whole reply")
    }

    #[test]
    fn a_bare_code_latin_1_text_and_a_lone_lf_are_replies() {
        assert_eq!(whole(b"250\r\n").code(), 250);
        assert_eq!(whole(b"250 accept\xe9\r\n").lines(), [b"accept\xe9".to_vec()]);
        assert_eq!(whole(b"250 ok\n").lines(), [b"ok".to_vec()]);
    }

    #[test]
    fn a_reply_is_all_of_its_lines_and_nothing_after_them() {
        let (taken, reply) = parse(&[b"250-a\r\n250-b\r\n250 c\r\n354 more\r\n"]).expect("no garble");
        assert_eq!(taken, 21);
        assert_eq!(reply.expect("whole").lines(), [b"a".to_vec(), b"b".to_vec(), b"c".to_vec()]);
    }

    #[test]
    fn what_is_no_reply_is_not_taken_for_one() {
        for bytes in
            ["hello\r\n", "25\r\n", "25a ok\r\n", "250ok\r\n", "650 ok\r\n", "050 ok\r\n", "\r\n", " 250 ok\r\n"]
        {
            assert!(matches!(parse(&[bytes.as_bytes()]), Err(Garble::NotAReplyLine(_))), "{bytes:?}");
        }
        assert_eq!(parse(&[b"250-a\r\n550 b\r\n"]), Err(Garble::MixedCodes(250, 550)));
        assert_eq!(parse(&[b"250 ok"]), Ok((6, None)));
        assert_eq!(parse(&[b"250-ok\r\n"]), Ok((8, None)));
    }

    #[test]
    fn limits_hold_while_reading() {
        let line = |octets: usize| [b"250 ".to_vec(), vec![b'x'; octets - 4], b"\r\n".to_vec()].concat();
        assert_eq!(whole(&line(LINE_MOST)).lines()[0].len(), LINE_MOST - 4);
        assert_eq!(parse(&[&line(LINE_MOST + 1)]), Err(Garble::LineTooLong));
        assert_eq!(parse(&[&vec![b'2'; LINE_MOST + 2]]), Err(Garble::LineTooLong), "before any line end");
        let lines = |count: usize| [b"250-x\r\n".repeat(count - 1), b"250 x\r\n".to_vec()].concat();
        assert_eq!(whole(&lines(LINES_MOST)).lines().len(), LINES_MOST);
        assert_eq!(parse(&[&lines(LINES_MOST + 1)]), Err(Garble::TooManyLines));
        let huge = [b"250-".to_vec(), vec![b'x'; 1000], b"\r\n".to_vec()].concat().repeat(80);
        assert_eq!(parse(&[&huge]), Err(Garble::TooLong));
    }

    proptest! {
        #[test]
        fn however_the_bytes_are_divided_the_reply_is_the_same(
            text in "((250|550|354|4)[- ]?[a-c\r]{0,4}(\r\n|\n)?){1,6}", cuts in prop::collection::vec(0usize..80, 0..8)
        ) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(parse(&pieces), parse(&[bytes]));
        }

        #[test]
        fn no_bytes_make_the_parser_panic_or_take_more_than_there_is(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok((taken, _)) = parse(&[&bytes]) {
                prop_assert!(taken <= bytes.len());
            }
        }

        #[test]
        fn what_a_server_says_comes_through_octet_for_octet(
            code in 200u16..=599, lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 1..5)
        ) {
            let clean: Vec<Vec<u8>> = lines
                .into_iter()
                .map(|line| line.into_iter().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect())
                .collect();
            let mut wire = Vec::new();
            for (index, line) in clean.iter().enumerate() {
                let separator = if index + 1 == clean.len() { ' ' } else { '-' };
                wire.extend_from_slice(format!("{code}{separator}").as_bytes());
                wire.extend_from_slice(line);
                wire.extend_from_slice(b"\r\n");
            }
            let reply = whole(&wire);
            prop_assert_eq!(reply.code(), code);
            prop_assert_eq!(reply.lines(), clean.as_slice());
        }
    }
}
