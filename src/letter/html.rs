//! Markdown events → HTML with its styles inline.

use std::sync::Arc;

use pulldown_cmark::{Alignment, Event, HeadingLevel, Tag, TagEnd};

use super::markdown::{target, wanted_width};
use super::pictures::{self, Picture, Pictures};

/// The elements this writer emits, each with its ` style="…"` from the layout, or with nothing.
pub(super) const ELEMENTS: [&str; 18] = [
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "ul",
    "ol",
    "li",
    "a",
    "blockquote",
    "table",
    "tr",
    "th",
    "td",
    "hr",
    "em",
    "strong",
    "img",
];

/// The style attribute of each of [`ELEMENTS`], in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Styles(pub(super) [String; ELEMENTS.len()]);

impl Styles {
    fn of(&self, element: &str) -> &str {
        ELEMENTS.iter().position(|known| *known == element).map_or("", |at| self.0[at].as_str())
    }
}

/// A letter's body and the pictures in it.
pub(super) fn write(events: &[Event<'_>], styles: &Styles, pictures: &Pictures) -> (String, Vec<Arc<Picture>>) {
    let mut writer = Writer {
        pictures,
        used: Vec::new(),
        out: String::with_capacity(8 * 1024),
        styles,
        alignments: &[],
        column: 0,
        in_head: false,
        image: None,
    };
    for event in events {
        writer.event(event);
    }
    (writer.out, writer.used)
}

struct Writer<'a> {
    out: String,
    styles: &'a Styles,
    alignments: &'a [Alignment],
    column: usize,
    in_head: bool,
    /// The alternative text of an image being read, and what stands after it in the tag.
    image: Option<(String, String)>,
    pictures: &'a Pictures,
    used: Vec<Arc<Picture>>,
}

impl<'a> Writer<'a> {
    fn event(&mut self, event: &'a Event<'_>) {
        if self.image.is_some() {
            self.in_image(event);
            return;
        }
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(*tag),
            Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => {
                escape(text, &mut self.out);
            }
            Event::SoftBreak => self.out.push('\n'),
            Event::HardBreak => self.out.push_str("<br>\n"),
            Event::Rule => {
                self.open("hr");
                self.out.push('\n');
            }
            _ => {}
        }
    }

    fn in_image(&mut self, event: &Event<'_>) {
        match event {
            Event::Text(text) => {
                if let Some((alternative, _)) = &mut self.image {
                    alternative.push_str(text);
                }
            }
            Event::End(TagEnd::Image) => {
                let (alternative, measures) = self.image.take().unwrap_or_default();
                escape(&alternative, &mut self.out);
                self.out.push('"');
                self.out.push_str(&measures);
                self.out.push_str(self.styles.of("img"));
                self.out.push('>');
            }
            _ => {}
        }
    }

    fn open(&mut self, element: &str) {
        self.out.push('<');
        self.out.push_str(element);
        self.out.push_str(self.styles.of(element));
        self.out.push('>');
    }

    fn close(&mut self, element: &str, end: &str) {
        self.out.push_str("</");
        self.out.push_str(element);
        self.out.push('>');
        self.out.push_str(end);
    }

    fn start(&mut self, tag: &'a Tag<'_>) {
        match tag {
            Tag::Paragraph => self.open("p"),
            Tag::Heading { level, .. } => self.open(heading(*level)),
            Tag::BlockQuote(_) => self.open_block("blockquote"),
            Tag::List(None) => self.open_block("ul"),
            Tag::List(Some(1)) => self.open_block("ol"),
            Tag::List(Some(start)) => {
                self.out.push_str("<ol start=\"");
                self.out.push_str(&start.to_string());
                self.out.push('"');
                self.out.push_str(self.styles.of("ol"));
                self.out.push_str(">\n");
            }
            Tag::Item => self.open("li"),
            Tag::Table(alignments) => {
                self.alignments = alignments;
                self.open_block("table");
            }
            Tag::TableHead => {
                self.in_head = true;
                self.row();
            }
            Tag::TableRow => self.row(),
            Tag::TableCell => self.cell(),
            Tag::Emphasis => self.open("em"),
            Tag::Strong => self.open("strong"),
            Tag::Link { link_type, dest_url, .. } => {
                self.out.push_str("<a href=\"");
                escape(&target(*link_type, dest_url), &mut self.out);
                self.out.push('"');
                self.out.push_str(self.styles.of("a"));
                self.out.push('>');
            }
            Tag::Image { dest_url, title, .. } => self.open_image(dest_url, title),
            _ => {}
        }
    }

    fn open_image(&mut self, target: &str, title: &str) {
        self.out.push_str("<img src=\"");
        let mut measures = String::new();
        let pictures = self.pictures;
        if let Some(picture) = pictures.get(&pictures::named(target)) {
            self.out.push_str("cid:");
            escape(&picture.content_id, &mut self.out);
            measures = picture.measures(wanted_width(title));
            pictures::note(&mut self.used, picture);
        } else {
            escape(target, &mut self.out);
        }
        self.out.push_str("\" alt=\"");
        self.image = Some((String::new(), measures));
    }

    fn open_block(&mut self, element: &str) {
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
        self.open(element);
        self.out.push('\n');
    }

    fn row(&mut self) {
        self.column = 0;
        self.open("tr");
    }

    fn cell(&mut self) {
        let element = if self.in_head { "th" } else { "td" };
        let align = match self.alignments.get(self.column) {
            Some(Alignment::Right) => " align=\"right\"",
            Some(Alignment::Center) => " align=\"center\"",
            Some(Alignment::Left) => " align=\"left\"",
            _ => "",
        };
        self.column += 1;
        self.out.push('<');
        self.out.push_str(element);
        self.out.push_str(align);
        self.out.push_str(self.styles.of(element));
        self.out.push('>');
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => self.close("p", "\n"),
            TagEnd::Heading(level) => self.close(heading(level), "\n"),
            TagEnd::BlockQuote(_) => self.close("blockquote", "\n"),
            TagEnd::List(ordered) => self.close(if ordered { "ol" } else { "ul" }, "\n"),
            TagEnd::Item => self.close("li", "\n"),
            TagEnd::Table => self.close("table", "\n"),
            TagEnd::TableHead => {
                self.in_head = false;
                self.close("tr", "\n");
            }
            TagEnd::TableRow => self.close("tr", "\n"),
            TagEnd::TableCell => self.close(if self.in_head { "th" } else { "td" }, ""),
            TagEnd::Emphasis => self.close("em", ""),
            TagEnd::Strong => self.close("strong", ""),
            TagEnd::Link => self.close("a", ""),
            _ => {}
        }
    }
}

fn heading(level: HeadingLevel) -> &'static str {
    match level {
        HeadingLevel::H1 => "h1",
        HeadingLevel::H2 => "h2",
        HeadingLevel::H3 => "h3",
        _ => "h4",
    }
}

/// Text as HTML shows it literally, in an element or a quoted attribute.
pub(super) fn escape(text: &str, out: &mut String) {
    let mut from = 0;
    for (at, byte) in text.bytes().enumerate() {
        let reference = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            _ => continue,
        };
        out.push_str(&text[from..at]);
        out.push_str(reference);
        from = at + 1;
    }
    out.push_str(&text[from..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::letter::markdown::parse;

    #[test]
    fn each_element_is_written_with_its_style() {
        let mut styles = Styles::default();
        for (at, element) in ELEMENTS.iter().enumerate() {
            styles.0[at] = format!(" style=\"--{element}\"");
        }
        let source = "# T\n\nA *b* **c** [d](https://x.example/?a&b)\\\ne\n\n3. x\n4. y\n   - z\n\n> q\n\n---\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n![alt \"x\"](https://x.example/i.png)\n";
        insta::assert_snapshot!(write(&parse(source), &styles, &Pictures::new()).0);
    }
}
