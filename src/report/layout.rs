//! Columns, line breaks and colours on a terminal, by what characters occupy there.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::Style;
use crate::domain::delivery::State;
use crate::domain::prose;
use crate::domain::reply::visible;

/// The narrowest that a layout gets, whatever the terminal says.
const NARROWEST: usize = 40;

impl Style {
    /// The columns to use.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.width.max(NARROWEST)
    }

    /// A value as it may be shown: nothing that a terminal would obey; in ASCII if it must be.
    pub(super) fn text(&self, text: &str) -> String {
        let text = visible(text);
        if self.unicode { text } else { ascii(&text) }
    }

    /// A commented config or a list in plain text: paragraphs are filled anew, so that it reads well at any width; settings stay
    /// as they are.
    #[must_use]
    pub fn page(&self, text: &str) -> String {
        let mut page = String::with_capacity(text.len());
        let mut paragraph = String::new();
        for line in text.lines() {
            let prose = line.starts_with(|c: char| c.is_alphanumeric() || "`\"(*".contains(c)) && !line.contains(" = ");
            if prose {
                if !paragraph.is_empty() {
                    paragraph.push(' ');
                }
                paragraph.push_str(line.trim());
                continue;
            }
            self.fill(&mut page, &mut paragraph);
            page.push_str(line);
            page.push('\n');
        }
        self.fill(&mut page, &mut paragraph);
        page
    }

    fn fill(&self, page: &mut String, paragraph: &mut String) {
        page.push_str(&self.hanging("", &std::mem::take(paragraph)));
    }

    /// A text of several lines, each broken to fit where it is too long; further lines stand under the first word.
    #[must_use]
    pub fn fitted(&self, text: &str) -> String {
        let mut fitted = String::with_capacity(text.len());
        for line in text.lines() {
            if prose::is_command(line) {
                fitted.push_str(line);
            } else {
                let indent = &line[..line.len() - line.trim_start().len()];
                fitted.push_str(&prose::fill(line, self.columns(), indent));
            }
            fitted.push('\n');
        }
        self.commands(fitted)
    }

    /// Commands told by colour, where there is colour.
    fn commands(&self, text: String) -> String {
        if self.colour { prose::coloured(&text) } else { text }
    }

    /// What stands for what was left out.
    pub(super) fn ellipsis(&self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }

    /// `text` in at most `columns`, cut with an ellipsis.
    #[must_use]
    pub fn cut(&self, text: &str, columns: usize) -> String {
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
        self.commands(ended(&" ".repeat(indent), &all))
    }

    /// `head` and then `text`, whose further lines stand under its first.
    #[must_use]
    pub fn hanging(&self, head: &str, text: &str) -> String {
        self.commands(ended(head, &lines(text, self.columns().saturating_sub(head.width()))))
    }

    /// Labels in a column of their own, `indent` from the edge, and beside them what they stand for, line by line; below them
    /// where a digest or a path does not fit beside.
    #[must_use]
    pub fn facts(&self, indent: usize, facts: &[(&str, String)]) -> String {
        let widest = facts.iter().map(|(label, _)| label.width()).max().unwrap_or(0) + 3;
        let mut text = String::new();
        for (label, value) in facts {
            let below =
                value.lines().any(|line| line.split(' ').any(|word| word.width() + widest + indent > self.columns()));
            if below {
                text.push_str(&format!("{:indent$}{label}:\n", ""));
                value.lines().for_each(|line| text.push_str(&self.wrapped(line, indent + 2)));
                continue;
            }
            for (number, line) in value.lines().enumerate() {
                let label = if number == 0 { format!("{label}:") } else { String::new() };
                let margin = line.len() - line.trim_start().len();
                let head = format!("{:indent$}{label:<widest$}{:margin$}", "", "");
                text.push_str(&self.hanging(&head, line));
            }
        }
        text
    }

    /// `text` in the colour of `state`.
    #[must_use]
    pub fn paint(&self, state: State, text: &str) -> String {
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
    #[must_use]
    pub fn bold(&self, text: &str) -> String {
        self.escape("1", text)
    }

    fn escape(&self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// The text for a terminal that shows ASCII alone: accents dropped, what has no likeness as an escape.
#[must_use]
pub fn ascii(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut ascii = String::with_capacity(text.len());
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)) {
        match c {
            '\u{2018}' | '\u{2019}' => ascii.push('\''),
            '\u{201C}' | '\u{201D}' => ascii.push('"'),
            '\u{2013}' | '\u{2014}' => ascii.push('-'),
            '\u{2192}' => ascii.push_str("->"),
            '\u{00A0}' | '\u{202F}' => ascii.push(' '),
            '\u{00B7}' => ascii.push(','),
            c if c.is_ascii() => ascii.push(c),
            c => ascii.extend(c.escape_unicode()),
        }
    }
    ascii
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

/// `text` in lines of at most `columns`, broken at blanks; a word or a command that is longer stays whole.
fn lines(text: &str, columns: usize) -> Vec<String> {
    prose::lines(&text.split_whitespace().collect::<Vec<_>>().join(" "), columns)
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
        fn what_is_cut_fits(text in "[a-zé中 ]{0,40}", columns in 3usize..30) {
            prop_assert!(WIDE.cut(&text, columns).width() <= columns);
        }
    }
}
