//! Plain text of right-to-left languages: a mail program takes each line's direction from the line's first letter, so a
//! line that begins with an address or a foreign name says its own.

use std::borrow::Cow;

/// U+200F: has no width, and the direction of a Hebrew letter.
const MARK: char = '\u{200f}';

/// Puts a mark before each line whose first letter is written from left to right.
pub(super) fn mark_lines(text: &str) -> Cow<'_, str> {
    if !text.lines().any(begins_left_to_right) {
        return Cow::Borrowed(text);
    }
    let mut marked = String::with_capacity(text.len() + 64);
    for line in text.split_inclusive('\n') {
        // Quote marks have to begin their line to be any.
        let indent = line.len() - line.trim_start_matches([' ', '>']).len();
        marked.push_str(&line[..indent]);
        if begins_left_to_right(line) {
            marked.push(MARK);
        }
        marked.push_str(&line[indent..]);
    }
    Cow::Owned(marked)
}

/// True if the first strong character (UAX #9, rules P2 and P3) is not of a right-to-left script.
fn begins_left_to_right(line: &str) -> bool {
    let first = line.chars().find(|c| c.is_alphabetic() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}'));
    first.is_some_and(|c| !is_right_to_left(c))
}

fn is_right_to_left(c: char) -> bool {
    matches!(c,
        '\u{590}'..='\u{8ff}' | '\u{200f}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}'
        | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_line_that_would_turn_round_is_marked() {
        let text = "إلى Kenya\n1. نص\nhttps://x.example/ نص\n\n+1 555\n\u{200e}+1 نص\n   Ab نص\n";
        assert_eq!(
            mark_lines(text),
            "إلى Kenya\n1. نص\n\u{200f}https://x.example/ نص\n\n+1 555\n\u{200f}\u{200e}+1 نص\n   \u{200f}Ab نص\n"
        );
        assert_eq!(mark_lines(">> Kenya نص\n"), ">> \u{200f}Kenya نص\n");
        assert!(matches!(mark_lines("إلى Kenya\n\u{200f}x\n"), Cow::Borrowed(_)));
    }
}
