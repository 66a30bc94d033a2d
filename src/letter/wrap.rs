//! Lines of plain text by the width they have on a screen.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Breaks a text into lines of at most `width` columns, at blanks and between Chinese characters. `\n` always ends a
/// line; a longer word (an address) stays whole.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    wrap_soft(text, width).into_iter().map(|(line, _)| line).collect()
}

/// The same, each line with whether it goes on in the next: it ended for its width alone.
pub(super) fn wrap_soft(text: &str, width: usize) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    for part in text.split('\n') {
        let mut lines = Vec::new();
        wrap_one(part, width, &mut lines);
        let last = lines.len().saturating_sub(1);
        found.extend(lines.into_iter().enumerate().map(|(at, line)| (line, at < last)));
    }
    found
}

fn wrap_one(text: &str, width: usize, lines: &mut Vec<String>) {
    let mut line = Line { width, text: String::with_capacity(width + 1), used: 0, lines };
    for word in text.split([' ', '\t']).filter(|word| !word.is_empty()) {
        // Most words of most letters; they cannot be broken, and their width is their length.
        if word.is_ascii() {
            line.put(word, word.len(), true);
            continue;
        }
        for (at, piece) in pieces(word).into_iter().enumerate() {
            line.put(piece, piece.width(), at == 0);
        }
    }
    line.lines.push(line.text);
}

/// A line being filled, and those that are full.
struct Line<'a> {
    width: usize,
    text: String,
    used: usize,
    lines: &'a mut Vec<String>,
}

impl Line<'_> {
    /// Puts a piece on this line, after a blank if it begins a word, or on the next.
    fn put(&mut self, piece: &str, columns: usize, begins_word: bool) {
        let blank = usize::from(begins_word && !self.text.is_empty());
        if !self.text.is_empty() && self.used + blank + columns > self.width {
            let next = String::with_capacity(self.width + 1);
            self.lines.push(std::mem::replace(&mut self.text, next));
            self.used = 0;
        } else if blank == 1 {
            self.text.push(' ');
            self.used += 1;
        }
        self.text.push_str(piece);
        self.used += columns;
    }
}

/// The parts of a word between which a line may end.
fn pieces(word: &str) -> Vec<&str> {
    let wide = |c: char| c.width() == Some(2);
    let mut found = Vec::new();
    let mut from = 0;
    let mut before: Option<char> = None;
    for (at, c) in word.char_indices() {
        if let Some(previous) = before
            && (wide(previous) || wide(c))
            && !OPENING.contains(previous)
            && !CLOSING.contains(c)
        {
            found.push(&word[from..at]);
            from = at;
        }
        before = Some(c);
    }
    found.push(&word[from..]);
    found
}

/// Characters that no line begins with.
const CLOSING: &str = "、。，．：；！？）」』】〕》〉”’…—·%,.;:!?)]}";
/// Characters that no line ends with.
const OPENING: &str = "（「『【〔《〈“‘([{";

/// A table, figures to the right where its columns say so: in columns if it fits, else each row as `Head: cell` lines.
pub(super) fn table(rows: &[Vec<String>], to_the_right: &[bool], width: usize) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let flat = |cell: &String| cell.replace('\n', " ").trim().to_owned();
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(flat).collect()).collect();
    let widths: Vec<usize> = (0..columns)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0))
        .collect();
    if widths.iter().sum::<usize>() + 2 * columns.saturating_sub(1) > width {
        return records(&rows, width);
    }
    let mut lines = Vec::with_capacity(rows.len() + 1);
    for (at, row) in rows.iter().enumerate() {
        let mut line = String::new();
        for (column, (cell, wide)) in row.iter().zip(&widths).enumerate() {
            let blanks = wide - cell.width();
            let before = if to_the_right.get(column) == Some(&true) { blanks } else { 0 };
            line.extend(std::iter::repeat_n(' ', before));
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', blanks - before + 2));
        }
        lines.push(line.trim_end().to_owned());
        if at == 0 {
            lines.push(widths.iter().map(|wide| "-".repeat(*wide)).collect::<Vec<_>>().join("  "));
        }
    }
    lines
}

fn records(rows: &[Vec<String>], width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let Some((head, rows)) = rows.split_first() else { return lines };
    for (at, row) in rows.iter().enumerate() {
        if at > 0 {
            lines.push(String::new());
        }
        for (name, cell) in head.iter().zip(row) {
            lines.extend(wrap(&format!("{name}: {cell}"), width));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_move_down_and_a_long_one_stays_whole() {
        assert_eq!(wrap("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(wrap("a https://x.example/long b", 5), ["a", "https://x.example/long", "b"]);
        assert_eq!(wrap("a\nb", 5), ["a", "b"]);
    }

    #[test]
    fn chinese_breaks_anywhere_but_before_its_stops() {
        assert_eq!(wrap("尊敬的大使阁下", 6), ["尊敬的", "大使阁", "下"]);
        assert_eq!(wrap("大使，阁下", 4), ["大", "使，", "阁下"]);
    }

    #[test]
    fn a_table_too_wide_becomes_records() {
        let rows = vec![vec!["Head".to_owned(), "Other".to_owned()], vec!["x".repeat(10), "y".to_owned()]];
        assert_eq!(table(&rows, &[false, true], 40), ["Head        Other", "----------  -----", "xxxxxxxxxx      y"]);
        assert_eq!(table(&rows, &[], 12), ["Head:", "xxxxxxxxxx", "Other: y"]);
    }
}
