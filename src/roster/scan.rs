//! Where the cells lie in the raw text of a record: the reader gives their texts only, messages need their places.

use std::ops::Range;

/// A cell in the raw text of its record.
pub(super) struct Span {
    /// Between the quotes, if there are any.
    content: Range<usize>,
    quoted: bool,
}

impl Span {
    /// The place in the raw text of a byte of the cell's text, in which doubled quotes are single.
    pub(super) fn locate(&self, raw: &[u8], offset: usize) -> usize {
        let (mut at, mut left, mut quoted) = (self.content.start, offset, self.quoted);
        while at < self.content.end {
            if quoted && raw[at] == b'"' && raw.get(at + 1) != Some(&b'"') {
                quoted = false;
                at += 1;
                continue;
            }
            if left == 0 {
                break;
            }
            at += if quoted && raw[at] == b'"' { 2 } else { 1 };
            left -= 1;
        }
        at.min(self.content.end)
    }
}

/// The cells of one record by the rules of the reader (RFC 4180; a quote within an unquoted cell is text), and where a
/// quote opens that does not close.
pub(super) fn scan(raw: &[u8], delimiter: u8) -> (Vec<Span>, Option<usize>) {
    let mut spans = Vec::new();
    let mut at = 0;
    loop {
        let quoted = raw.get(at) == Some(&b'"');
        let start = at + usize::from(quoted);
        at = start;
        if quoted {
            loop {
                match (raw.get(at), raw.get(at + 1)) {
                    (Some(b'"'), Some(b'"')) => at += 2,
                    (Some(b'"'), _) => break,
                    (Some(_), _) => at += 1,
                    (None, _) => return (spans, Some(start - 1)),
                }
            }
        }
        let close = at;
        at += usize::from(quoted);
        while raw.get(at).is_some_and(|byte| *byte != delimiter) {
            at += 1;
        }
        let end = if quoted && at == close + 1 { close } else { at };
        spans.push(Span { content: start..end, quoted });
        if at >= raw.len() {
            return (spans, None);
        }
        at += 1;
    }
}
