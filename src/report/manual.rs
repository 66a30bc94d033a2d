//! Pages of Markdown on a terminal: headings, lists, tables in columns, links as text; at any width, and readable in a pipe.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use unicode_width::UnicodeWidthStr as _;

use super::Style;
use crate::domain::prose;

/// Between the columns of a table.
const GAP: usize = 2;

impl Style {
    /// A page of Markdown. `link` gives what stands behind a link's text in its place, if it is to be told.
    #[must_use]
    pub fn markdown(&self, text: &str, link: &dyn Fn(&str) -> Option<String>) -> String {
        let mut page =
            Page { style: self, link, out: String::new(), text: String::new(), lists: Vec::new(), rows: Vec::new() };
        let mut targets = Vec::new();
        let mut code = false;
        for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_) | CodeBlockKind::Indented)) => {
                    page.begin();
                    code = true;
                }
                Event::End(TagEnd::CodeBlock) => code = false,
                Event::Text(text) if code => page.code(&text),
                Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => page.text.push_str(&text),
                Event::Code(text) => page.text.push_str(&format!("`{text}`")),
                Event::SoftBreak | Event::HardBreak => page.text.push(' '),
                Event::Start(Tag::Link { dest_url, .. }) => targets.push((page.text.len(), dest_url)),
                Event::End(TagEnd::Link) => {
                    if let Some((start, target)) = targets.pop() {
                        page.link(start, &target);
                    }
                }
                Event::Start(tag) => page.start(&tag),
                Event::End(tag) => page.end(tag),
                _ => {}
            }
        }
        page.out
    }
}

struct Page<'a> {
    style: &'a Style,
    link: &'a dyn Fn(&str) -> Option<String>,
    out: String,
    /// Of the paragraph, heading or cell that is open.
    text: String,
    /// The open lists: the next number, or none for bullets; and what stands before the next line of the item.
    lists: Vec<(Option<u64>, String)>,
    /// Of the open table.
    rows: Vec<Vec<String>>,
}

impl Page<'_> {
    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::List(first) => {
                // In an item with a list in it, its own text ends here.
                self.paragraph();
                if self.lists.is_empty() {
                    self.gap();
                }
                self.lists.push((*first, String::new()));
            }
            Tag::Item => {
                let indent = "  ".repeat(self.lists.len().saturating_sub(1));
                if let Some((number, head)) = self.lists.last_mut() {
                    *head = number.map_or_else(|| format!("{indent}- "), |number| format!("{indent}{number}. "));
                    *number = number.map(|number| number + 1);
                }
            }
            Tag::Paragraph | Tag::Heading { .. } | Tag::Table(_) if self.lists.is_empty() => self.gap(),
            Tag::TableHead | Tag::TableRow => self.rows.push(Vec::new()),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::Item => self.paragraph(),
            TagEnd::Heading(level) => self.heading(level),
            TagEnd::List(_) => drop(self.lists.pop()),
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.text);
                if let Some(row) = self.rows.last_mut() {
                    row.push(cell);
                }
            }
            TagEnd::Table => {
                let rows = std::mem::take(&mut self.rows);
                self.table(&rows);
            }
            _ => {}
        }
    }

    /// An empty line, unless the page begins or has one there.
    fn gap(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// Before a block of its own.
    fn begin(&mut self) {
        self.paragraph();
        self.gap();
    }

    fn paragraph(&mut self) {
        let text = std::mem::take(&mut self.text);
        if text.trim().is_empty() {
            return;
        }
        let head = self.lists.last_mut().map_or_else(String::new, |(_, head)| {
            let blank = " ".repeat(head.len());
            std::mem::replace(head, blank)
        });
        self.out.push_str(&self.style.hanging(&head, &text));
    }

    fn heading(&mut self, level: HeadingLevel) {
        let text = std::mem::take(&mut self.text).replace('`', "");
        let line = if level == HeadingLevel::H1 { "=" } else { "-" };
        let lines = prose::lines(&text, self.style.columns());
        for text in &lines {
            self.out.push_str(&format!("{}\n", self.style.bold(text)));
        }
        self.out.push_str(&format!("{}\n", line.repeat(lines.iter().map(|line| line.width()).max().unwrap_or(0))));
    }

    fn code(&mut self, text: &str) {
        for line in text.lines() {
            self.out.push_str(format!("    {line}").trim_end());
            self.out.push('\n');
        }
    }

    /// What stands behind the text of a link that begins at `start`.
    fn link(&mut self, start: usize, target: &str) {
        let shown = self.text[start..].trim_matches('`').to_owned();
        if let Some(told) = (self.link)(target).filter(|told| *told != shown) {
            self.text.push_str(&format!(" ({told})"));
        }
    }

    /// In columns where they fit, else one below the other.
    fn table(&mut self, rows: &[Vec<String>]) {
        let count = rows.iter().map(Vec::len).max().unwrap_or(0);
        let widest = |of: &dyn Fn(&str) -> usize| -> Vec<usize> {
            let cell = |column: usize| move |row: &Vec<String>| row.get(column).cloned().unwrap_or_default();
            (0..count).map(|column| rows.iter().map(cell(column)).map(|cell| of(&cell)).max().unwrap_or(0)).collect()
        };
        let whole = widest(&|cell| cell.width());
        let least = widest(&|cell| prose::lines(cell, 2).iter().map(|word| word.width()).max().unwrap_or(0));
        let room = self.style.columns().saturating_sub(GAP * count.saturating_sub(1));
        match fitted(&whole, &least, room) {
            Some(widths) => rows.iter().enumerate().for_each(|(number, row)| self.row(row, &widths, number == 0)),
            None => self.stacked(rows),
        }
    }

    fn row(&mut self, row: &[String], widths: &[usize], is_head: bool) {
        let cells: Vec<Vec<String>> =
            row.iter().zip(widths).map(|(cell, width)| prose::lines(cell, (*width).max(2))).collect();
        for line in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
            let mut text = String::new();
            for (cell, width) in cells.iter().zip(widths) {
                let part = cell.get(line).map_or("", String::as_str);
                text.push_str(&format!("{part}{}", " ".repeat(width.saturating_sub(part.width()) + GAP)));
            }
            self.line(text.trim_end());
        }
        if is_head {
            let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
            self.line(&rule.join(&" ".repeat(GAP)));
        }
    }

    /// The first cell of each row, and below it the others, each behind the head of its column.
    fn stacked(&mut self, rows: &[Vec<String>]) {
        let Some((heads, rows)) = rows.split_first() else { return };
        for row in rows {
            for (number, (head, cell)) in heads.iter().zip(row).enumerate().filter(|(_, (_, cell))| !cell.is_empty()) {
                let head = if number == 0 { String::new() } else { format!("    {head}: ") };
                self.out.push_str(&self.style.hanging(&head, cell));
            }
        }
    }

    fn line(&mut self, text: &str) {
        let coloured = if self.style.colour { prose::coloured(text) } else { text.to_owned() };
        self.out.push_str(&coloured);
        self.out.push('\n');
    }
}

/// The width of each column within `room`: the widest give way first, and none below its longest word.
fn fitted(whole: &[usize], least: &[usize], room: usize) -> Option<Vec<usize>> {
    if least.iter().sum::<usize>() > room {
        return None;
    }
    let mut widths = whole.to_vec();
    while widths.iter().sum::<usize>() > room {
        let can_give = (0..widths.len()).filter(|column| widths[*column] > least[*column]);
        let widest = can_give.max_by_key(|column| widths[*column])?;
        widths[widest] -= 1;
    }
    Some(widths)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# A page\n\nSee [here](other.md) and `code`,\nfor *all*.\n\n- one that is long enough to be broken\n  - two\n\n1. first\n\n```sh\nrun  it\n```\n\n| option | what it says |\n|---|---|\n| `--yes` | no question is asked of anybody at all |\n";

    fn page(width: usize) -> String {
        let style = Style { width, colour: false, unicode: true };
        style.markdown(TEXT, &|target| (target == "other.md").then(|| "`help other`".to_owned()))
    }

    #[test]
    fn a_page_reads_without_marks() {
        insta::assert_snapshot!(page(40), @"
        A page
        ======

        See here (`help other`) and `code`, for
        all.

        - one that is long enough to be broken
          - two

        1. first

            run  it

        option   what it says
        -------  -------------------------------
        `--yes`  no question is asked of anybody
                 at all
        ");
    }

    #[test]
    fn a_table_that_does_not_fit_in_columns_stands_row_below_row() {
        assert_eq!(fitted(&[10, 30], &[10, 8], 30), Some(vec![10, 20]));
        assert_eq!(fitted(&[10, 30], &[10, 25], 30), None);
    }
}
