//! Sentences in lines for a screen: broken at blanks, never inside a command in backticks, an address, a path or a digest.

use std::fmt;

use textwrap::core::Word;
use textwrap::{Options, WordSeparator, WordSplitter};
use unicode_width::UnicodeWidthChar as _;

/// `text` in lines of at most `columns`, the second and later ones with `indent` before them. A word or a command that is
/// longer than that has a line of its own and stays whole, so that it can be copied.
#[must_use]
pub fn fill(text: &str, columns: usize, indent: &str) -> String {
    textwrap::fill(text, options(columns).subsequent_indent(indent))
}

/// The same as lines, none of them empty.
#[must_use]
pub fn lines(text: &str, columns: usize) -> Vec<String> {
    let lines = textwrap::wrap(text, options(columns)).into_iter().map(std::borrow::Cow::into_owned);
    lines.filter(|line| !line.is_empty()).collect()
}

/// `1 letter`, `2 letters`.
#[must_use]
pub fn letters(count: impl fmt::Display + PartialEq + From<u8> + Copy) -> String {
    if count == 1.into() { "1 letter".to_owned() } else { format!("{count} letters") }
}

fn options(columns: usize) -> Options<'static> {
    Options::new(columns.max(2))
        .word_separator(WordSeparator::Custom(|line| Box::new(words(line).into_iter())))
        .word_splitter(WordSplitter::NoHyphenation)
        .break_words(false)
}

/// The pieces between which a line may end: at blanks outside of backticks, and between characters of scripts without blanks.
fn words(line: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let (mut start, mut quoted, mut before) = (0, false, '\0');
    for (at, c) in line.char_indices() {
        let after_blank = before == ' ' && c != ' ' && !is_unit(&line[start..at], &line[at..]);
        let unspaced = is_wide(before) && c != ' ' && !closes(c) || is_wide(c) && !closes(c) && before != ' ';
        if !quoted && at > start && (after_blank || unspaced) {
            words.push(Word::from(&line[start..at]));
            start = at;
        }
        if c == '`' {
            quoted = !quoted && line[at + 1..].contains('`');
        }
        before = c;
    }
    if start < line.len() {
        words.push(Word::from(&line[start..]));
    }
    words
}

/// True for what must not leave its number alone at the end of a line: `6 min`.
fn is_unit(before: &str, after: &str) -> bool {
    let unit = after.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let number = before.trim_end_matches(' ');
    matches!(unit, "s" | "min" | "h" | "d" | "B" | "kB" | "MB") && number.ends_with(|c: char| c.is_ascii_digit())
}

fn is_wide(c: char) -> bool {
    c.width() == Some(2)
}

/// What no line begins with.
fn closes(c: char) -> bool {
    c.is_ascii_punctuation() && !matches!(c, '(' | '[' | '`' | '"' | '<') || "，。、；：？！）」』》”…".contains(c)
}

/// `text` for a terminal with colour: what stands in backticks is told by colour instead, and a line that is there to be
/// copied is coloured too.
#[must_use]
pub fn coloured(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if is_command(line) {
            let command = line.trim();
            let (before, after) = line.split_once(command).unwrap_or(("", ""));
            shown.push_str(&format!("{before}{COMMAND}{command}{END}{after}"));
            continue;
        }
        let mut rest = line;
        while let Some((before, command, after)) = quoted(rest) {
            shown.push_str(&format!("{before}{COMMAND}{command}{END}"));
            rest = after;
        }
        shown.push_str(rest);
    }
    shown
}

/// The colour of what may be typed: cyan, which no outcome has.
const COMMAND: &str = "\u{1b}[36m";
const END: &str = "\u{1b}[39m";

/// What stands before the first pair of backticks, in it and after it.
fn quoted(line: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = line.split_once('`')?;
    let (command, after) = rest.split_once('`')?;
    (!command.trim().is_empty()).then_some((before, command, after))
}

/// True for a line that is there to be copied, and stays whole however narrow the terminal is.
#[must_use]
pub fn is_command(line: &str) -> bool {
    line.starts_with("    ") && line.trim_start().starts_with("demarche ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr as _;

    use super::*;

    #[test]
    fn a_command_an_address_and_a_digest_stay_whole() {
        let digest = "4b".repeat(32);
        let text = format!("look, run `demarche send --approve {digest}` and write to somebody@a-long-domain.example");
        let lines = lines(&text, 30);
        assert!(lines.contains(&format!("`demarche send --approve {digest}`")), "{lines:#?}");
        assert!(lines.iter().any(|line| line.contains("somebody@a-long-domain.example")), "{lines:#?}");
    }

    #[test]
    fn a_number_keeps_its_unit() {
        assert_eq!(lines("in all 19 min 6 s", 10), ["in all", "19 min 6 s"]);
    }

    #[test]
    fn a_lone_backtick_holds_nothing_together() {
        assert_eq!(lines("a ` b c", 4), ["a `", "b c"]);
    }

    #[test]
    fn scripts_without_blanks_are_broken_between_their_characters() {
        assert_eq!(lines("安全理事会，妇女与和平", 8), ["安全理事", "会，妇女", "与和平"]);
    }

    #[test]
    fn on_a_terminal_with_colour_commands_are_told_by_it() {
        assert_eq!(coloured("run `demarche check`, then"), "run \u{1b}[36mdemarche check\u{1b}[39m, then");
        assert_eq!(coloured("    demarche status\nx"), "    \u{1b}[36mdemarche status\u{1b}[39m\nx");
        assert_eq!(coloured("a ` b"), "a ` b");
    }

    proptest! {
        #[test]
        fn only_a_single_word_is_wider_than_asked_and_nothing_is_lost(text in "[a-zé中` ]{0,200}", columns in 2usize..60) {
            let broken = lines(&text, columns);
            for line in broken.iter().filter(|line| line.width() > columns) {
                prop_assert!(words(line.trim()).len() == 1, "{line:?}");
            }
            let letters = |text: &str| text.replace(char::is_whitespace, "");
            prop_assert_eq!(letters(&broken.concat()), letters(&text));
        }
    }
}
