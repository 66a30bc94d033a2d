//! Markdown events → plain text: wrapped at 76 columns, links as numbered notes.
//!
//! In languages written with blanks the text is `format=flowed` (RFC 3676): a line that goes on in the next ends with a
//! blank, so that a telephone fills its own lines; what else would look like it is stuffed with a blank. Items then go on
//! at the margin, since an indent would come to stand in the middle of a line. Chinese and its like stay at fixed lines:
//! few programs know `DelSp`, and the others would show a blank between two characters.

mod flow;

use pulldown_cmark::{Alignment, CowStr, Event, HeadingLevel, LinkType, Tag, TagEnd};
use unicode_width::UnicodeWidthStr as _;

use super::markdown::target;
use super::wrap::wrap_soft;

/// The width of a line, in columns.
pub(super) const WIDTH: usize = 76;

/// True for languages whose words have blanks between them, so that their text can flow.
pub(super) fn flows(language: &str) -> bool {
    !["zh", "ja", "th", "lo", "km", "my", "bo", "dz"].contains(&super::context::primary(language))
}

/// A letter's body, its last line ended; `flowed` as above.
pub(super) fn write(events: &[Event<'_>], flowed: bool) -> String {
    let mut writer = Writer { out: String::with_capacity(8 * 1024), flowed, ..Writer::default() };
    for event in events {
        writer.event(event);
    }
    writer.finish()
}

/// What stands before the lines of a block.
enum Level {
    Quote,
    /// An item's marker, until its first line is written; then as many blanks.
    Item {
        marker: String,
        used: bool,
    },
}

/// A list being written: the number of its next item, and whether its items are apart.
struct List {
    next: Option<u64>,
    loose: bool,
}

#[derive(Default)]
struct Writer {
    out: String,
    flowed: bool,
    /// The text of the block being read; `\n` is a hard break.
    inline: String,
    levels: Vec<Level>,
    lists: Vec<List>,
    /// A blank line is due before the next block.
    gap: bool,
    /// How many levels the block before the blank line and the one after it share: a quote's mark is not put before it.
    shared: usize,
    /// Where the text of the open link begins, and where it goes.
    link: Option<(usize, String)>,
    notes: Vec<String>,
    /// Where what stands for the open picture begins.
    picture: usize,
    rows: Vec<Vec<String>>,
    /// Which columns of the table are.
    to_the_right: Vec<bool>,
}

impl Writer {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(*tag),
            Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => {
                self.inline.push_str(text);
            }
            Event::SoftBreak => self.inline.push(' '),
            Event::HardBreak => self.inline.push('\n'),
            Event::Rule => {
                self.inline = "-".repeat(WIDTH.saturating_sub(self.indent()).min(40));
                self.block();
            }
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Paragraph => {
                // A paragraph right in an item is what tells a loose list from a tight one.
                if let (Some(Level::Item { .. }), Some(list)) = (self.levels.last(), self.lists.last_mut()) {
                    list.loose = true;
                }
            }
            Tag::BlockQuote(_) => {
                self.flush();
                self.levels.push(Level::Quote);
            }
            Tag::List(next) => {
                self.flush();
                self.lists.push(List { next: *next, loose: false });
            }
            Tag::Item => self.item(),
            Tag::Table(alignments) => {
                self.flush();
                self.to_the_right = alignments.iter().map(|alignment| *alignment == Alignment::Right).collect();
                self.rows.clear();
            }
            Tag::TableHead | Tag::TableRow => self.rows.push(Vec::new()),
            Tag::Link { link_type, dest_url, .. } => self.open_link(*link_type, dest_url),
            Tag::Image { .. } => self.picture = self.inline.len(),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => self.block(),
            TagEnd::Heading(level) => self.heading(level),
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.leave();
                self.gap = true;
            }
            TagEnd::List(_) => {
                self.lists.pop();
                self.gap = self.lists.last().is_none_or(|outer| outer.loose);
            }
            TagEnd::Item => {
                let unused = matches!(self.levels.last(), Some(Level::Item { used: false, .. }));
                if unused || !self.inline.is_empty() {
                    self.block();
                }
                self.leave();
                self.gap = self.lists.last().is_some_and(|list| list.loose);
            }
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.inline);
                if let Some(row) = self.rows.last_mut() {
                    row.push(cell);
                }
            }
            TagEnd::Table => self.table(),
            TagEnd::Link => self.close_link(),
            TagEnd::Image => self.close_picture(),
            _ => {}
        }
    }

    fn item(&mut self) {
        self.flush();
        let Some(list) = self.lists.last_mut() else { return };
        let marker = match &mut list.next {
            Some(number) => {
                let marker = format!("{number}. ");
                *number += 1;
                marker
            }
            None => "- ".to_owned(),
        };
        self.levels.push(Level::Item { marker, used: false });
    }

    fn open_link(&mut self, kind: LinkType, dest_url: &CowStr<'_>) {
        self.link = Some((self.inline.len(), target(kind, dest_url)));
    }

    fn close_link(&mut self) {
        let Some((at, address)) = self.link.take() else { return };
        let text = self.inline[at..].trim();
        if says_the_same(text, &address) {
            if address.to_ascii_lowercase().starts_with("http") {
                self.inline.truncate(at);
                self.inline.push_str(&address);
            }
            return;
        }
        let number = self.notes.iter().position(|known| *known == address).unwrap_or_else(|| {
            self.notes.push(address);
            self.notes.len() - 1
        });
        self.inline.push_str("\u{a0}[");
        self.inline.push_str(&(number + 1).to_string());
        self.inline.push(']');
    }

    /// What stands for a picture; nothing for one that only adorns.
    fn close_picture(&mut self) {
        if self.inline.len() > self.picture {
            self.inline.insert(self.picture, '[');
            self.inline.push(']');
        }
    }

    fn heading(&mut self, level: HeadingLevel) {
        let underline = match level {
            HeadingLevel::H1 => Some("="),
            HeadingLevel::H2 => Some("-"),
            _ => None,
        };
        let width = self.inline.split('\n').map(|line| line.trim().width()).max().unwrap_or(0);
        self.block();
        if let Some(mark) = underline {
            self.gap = false;
            self.inline = mark.repeat(width.min(WIDTH.saturating_sub(self.indent())));
            self.block();
        }
    }

    fn table(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        for line in super::wrap::table(&rows, &self.to_the_right, WIDTH.saturating_sub(self.indent())) {
            self.lines(&[(line, false)]);
            self.gap = false;
        }
        self.gap = true;
    }

    fn flush(&mut self) {
        if !self.inline.is_empty() {
            self.block();
            // The text of a tight item goes on with its inner list.
            self.gap = self.lists.last().is_none_or(|list| list.loose);
        }
    }

    /// Writes the text read so far as a block.
    fn block(&mut self) {
        let inline = std::mem::take(&mut self.inline);
        let lines = wrap_soft(&inline, WIDTH.saturating_sub(self.indent()));
        self.lines(&lines);
        self.gap = true;
    }

    fn indent(&self) -> usize {
        self.levels
            .iter()
            .map(|level| match level {
                Level::Quote => 2,
                Level::Item { marker, .. } => marker.len(),
            })
            .sum()
    }

    fn finish(mut self) -> String {
        self.flush();
        for (at, address) in std::mem::take(&mut self.notes).into_iter().enumerate() {
            if at == 0 && !self.out.is_empty() {
                self.out.push('\n');
            }
            let note = format!("[{}] {address}\n", at + 1);
            self.out.push_str(&note);
        }
        // Only the wrapping needed them to stay with the word before.
        if self.out.contains("\u{a0}[") { self.out.replace("\u{a0}[", " [") } else { self.out }
    }
}

/// True if the text of a link is its address, with or without scheme, so that a note would say it twice.
fn says_the_same(text: &str, address: &str) -> bool {
    let bare = |text: &str| {
        let text = text.to_ascii_lowercase();
        let rest = ["https://", "http://", "mailto:", "tel:"].iter().find_map(|scheme| text.strip_prefix(scheme));
        rest.unwrap_or(&text).trim_end_matches('/').to_owned()
    };
    if bare(text) == bare(address) {
        return true;
    }
    let digits = |text: &str| text.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect::<String>();
    address.to_ascii_lowercase().starts_with("tel:") && digits(text) == digits(address)
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
