//! Columns, line breaks and colours on a terminal, by what characters occupy there.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::Style;
use crate::domain::delivery::State;
use crate::domain::reply::visible;

/// The narrowest that a layout gets, whatever the terminal says.
const NARROWEST: usize = 40;

impl Style {
    /// The columns to use.
    pub(super) fn columns(&self) -> usize {
        self.width.max(NARROWEST)
    }

    /// A value as it may be shown: nothing that a terminal would obey; in ASCII if it must be.
    pub(super) fn text(&self, text: &str) -> String {
        let text = visible(text);
        if self.unicode || text.is_ascii() {
            return text;
        }
        let mut ascii = String::with_capacity(text.len());
        for c in text.nfkd().filter(|c| !is_combining_mark(*c)) {
            match c {
                '\u{2019}' => ascii.push('\''),
                c if c.is_ascii() => ascii.push(c),
                c => ascii.extend(c.escape_unicode()),
            }
        }
        ascii
    }

    /// What stands for what was left out.
    pub(super) fn ellipsis(&self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }

    /// `text` in at most `columns`, cut with an ellipsis.
    pub(super) fn cut(&self, text: &str, columns: usize) -> String {
        if text.width() <= columns {
            return text.to_owned();
        }
        let room = columns.saturating_sub(self.ellipsis().width());
        format!("{}{}", text[..fitting(text, room)].trim_end(), self.ellipsis())
    }

    /// `text` broken at blanks into lines that begin with `indent` blanks, each ended.
    pub(super) fn wrapped(&self, text: &str, indent: usize) -> String {
        self.hanging(&" ".repeat(indent), text)
    }

    /// The same, at most `most` lines of it (1 at least).
    pub(super) fn wrapped_at_most(&self, text: &str, indent: usize, most: usize) -> String {
        let columns = self.columns().saturating_sub(indent);
        let mut all = lines(text, columns);
        let most = most.max(1);
        if all.len() > most {
            let rest = all.split_off(most - 1).join(" ");
            all.push(self.cut(&rest, columns));
        }
        ended(&" ".repeat(indent), &all)
    }

    /// `head` and then `text`, whose further lines stand under its first.
    pub(super) fn hanging(&self, head: &str, text: &str) -> String {
        ended(head, &lines(text, self.columns().saturating_sub(head.width())))
    }

    /// `text` in the colour of `state`.
    pub(super) fn paint(&self, state: State, text: &str) -> String {
        let colour = match state {
            State::Accepted => "32",
            State::Failed => "31",
            State::Deferred => "33",
            State::Uncertain => "1;35",
            State::Queued | State::Sending | State::HandedOver | State::Suppressed => return text.to_owned(),
        };
        self.escape(colour, text)
    }

    /// `text` as a heading.
    pub(super) fn bold(&self, text: &str) -> String {
        self.escape("1", text)
    }

    fn escape(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// The lines, each ended: `head` before the first, as many blanks before the others.
fn ended(head: &str, lines: &[String]) -> String {
    let margin = " ".repeat(head.width());
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        text.push_str(if number == 0 { head } else { &margin });
        text.push_str(line);
        text.push('\n');
    }
    text
}

/// How many octets of `text` fit into `columns`.
fn fitting(text: &str, columns: usize) -> usize {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > columns {
            return at;
        }
    }
    text.len()
}

/// `text` in lines of at most `columns`, broken at blanks; a word that is longer is broken where it must be.
fn lines(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(2);
    let mut lines = Vec::new();
    let mut line = String::new();
    for mut word in text.split_whitespace() {
        if !line.is_empty() && line.width() + 1 + word.width() > columns {
            lines.push(std::mem::take(&mut line));
        }
        while word.width() > columns {
            let (head, tail) = word.split_at(fitting(word, columns).max(word.chars().next().map_or(0, char::len_utf8)));
            lines.push(head.to_owned());
            word = tail;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WIDE: Style = Style { width: 80, colour: false, unicode: true };

    #[test]
    fn wide_characters_count_two_columns() {
        assert_eq!(WIDE.cut("中华人民共和国", 8), "中华人…");
        assert_eq!(WIDE.cut("Chad", 4), "Chad");
    }

    #[test]
    fn without_unicode_everything_is_ascii() {
        let plain = Style { unicode: false, ..WIDE };
        assert_eq!(plain.text("Côte d’Ivoire"), "Cote d'Ivoire");
        assert!(plain.text("中").is_ascii());
        assert_eq!(plain.cut("Liechtenstein", 8), "Liech...");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_asked_and_no_word_is_lost(text in "[a-zé中 ]{0,200}", columns in 2usize..60) {
            let broken = lines(&text, columns);
            prop_assert!(broken.iter().all(|line| line.width() <= columns));
            let letters = |text: &str| text.replace(char::is_whitespace, "");
            prop_assert_eq!(letters(&broken.concat()), letters(&text));
        }

        #[test]
        fn what_is_cut_fits(text in "[a-zé中 ]{0,40}", columns in 3usize..30) {
            prop_assert!(WIDE.cut(&text, columns).width() <= columns);
        }
    }
}
