//! Dot-stuffing (RFC 5321 §4.5.2) in blocks: a large message is never copied whole.

/// The largest block, in octets.
const BLOCK: usize = 64 * 1024;

/// What is left of a message to be written.
#[derive(Debug)]
pub(super) struct DotStuffing<'a> {
    rest: &'a [u8],
    line_start: bool,
}

impl<'a> DotStuffing<'a> {
    /// Begins at the head of `message`, whose line ends are CRLF.
    pub(super) fn new(message: &'a [u8]) -> Self {
        Self { rest: message, line_start: true }
    }

    /// Replaces what is in `block` by the next octets for the wire, at most 64 KiB. False if nothing is left.
    pub(super) fn next_block(&mut self, block: &mut Vec<u8>) -> bool {
        self.fill(block, BLOCK)
    }

    fn fill(&mut self, block: &mut Vec<u8>, most: usize) -> bool {
        block.clear();
        // Two octets of room: a line's first octet may be a dot, which takes two.
        while block.len() + 1 < most && !self.rest.is_empty() {
            if self.line_start && self.rest[0] == b'.' {
                block.push(b'.');
            }
            let room = (most - block.len()).min(self.rest.len());
            let line_end = self.rest[..room].iter().position(|byte| *byte == b'\n');
            let (piece, rest) = self.rest.split_at(line_end.map_or(room, |at| at + 1));
            block.extend_from_slice(piece);
            self.rest = rest;
            self.line_start = line_end.is_some();
        }
        !block.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stuffed(message: &[u8], most: usize) -> Vec<u8> {
        let mut stuffing = DotStuffing::new(message);
        let mut wire = Vec::new();
        let mut block = Vec::new();
        while stuffing.fill(&mut block, most) {
            assert!(block.len() <= most, "{} octets in a block of {most}", block.len());
            wire.extend_from_slice(&block);
        }
        wire
    }

    #[test]
    fn a_dot_at_the_head_of_a_line_is_doubled_and_no_other() {
        assert_eq!(stuffed(b".\r\n..\r\na.b\r\n.\r\n", BLOCK), b"..\r\n...\r\na.b\r\n..\r\n");
        assert_eq!(stuffed(b"", BLOCK), b"");
    }

    proptest! {
        #[test]
        fn the_receiver_gets_the_same_lines_back_and_never_a_lone_dot(
            lines in prop::collection::vec("[.a]{0,5}", 0..20), most in 2usize..40
        ) {
            let message: String = lines.iter().flat_map(|line| [line.as_str(), "\r\n"]).collect();
            let wire = String::from_utf8(stuffed(message.as_bytes(), most)).expect("ASCII");
            let received: Vec<&str> = wire
                .split_terminator("\r\n")
                .map(|line| {
                    assert_ne!(line, ".", "a lone dot would end the message");
                    line.strip_prefix('.').unwrap_or(line)
                })
                .collect();
            prop_assert_eq!(received, lines);
        }
    }
}
