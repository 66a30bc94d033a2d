//! The page around a letter: rendered and its CSS inlined once a language, then only joined with each letter's body.

use std::sync::Arc;

use tera::{Context, Value};

use crate::diagnostic::{Diagnostic, Place};

use super::errors::{self, Rendering, Sources};
use super::html::{ELEMENTS, Styles, escape};
use super::load::Compiled;
use super::page;
use super::pictures::{self, Picture};

/// The name of the layout in the templates folder.
pub(super) const NAME: &str = "layout.html";
/// The layout of folders that have none.
pub(super) const EMBEDDED: &str = include_str!("../../templates/layout.html");

/// Private-use characters that stand in the layout for what differs from letter to letter.
const SUBJECT: &str = "\u{e000}1\u{e001}";
const CONTENT: (&str, &str) = ("\u{e000}2\u{e001}", "\u{e000}3\u{e001}");

/// A page with holes.
#[derive(Debug)]
pub(super) struct Layout {
    parts: Vec<Part>,
    /// The inline styles of a body's elements.
    pub(super) styles: Styles,
    /// The pictures of the page itself.
    pub(super) pictures: Vec<Arc<Picture>>,
}

#[derive(Debug)]
enum Part {
    Page(String),
    Subject,
    Content,
}

impl Layout {
    /// Renders the layout for a language, with everything but subject and content in place.
    pub(super) fn prepare(compiled: &Compiled, shared: &Context, vars: Vec<&str>) -> Result<Self, Vec<Diagnostic>> {
        let (html, sources) = (&compiled.html, &compiled.sources);
        let mut context = shared.clone();
        context.insert_value("subject", SUBJECT.into());
        context.insert_value("content", Value::safe_string(&format!("{}{}{}", CONTENT.0, sample(), CONTENT.1)));
        let rendering = Rendering { row: None, vars, columns: Vec::new() };
        let page = html.render(NAME, &context).map_err(|error| {
            errors::all_of(&error, &context, sources, &rendering, |context| html.render(NAME, context).map(drop))
        })?;
        let whole = |message: String| vec![Diagnostic::error("layout", message).at(Place::file(shown(sources)))];
        let page = page::inline_css(&page)
            .map_err(|error| whole(format!("the layout's CSS cannot be put inline: {error}")))?;
        let (page, pictures) = pictures::embed(&page, &compiled.pictures);
        let (Some(start), Some(end)) = (page.find(CONTENT.0), page.find(CONTENT.1)) else {
            return Err(whole("the layout has no place for the letter: {{ content }}".to_owned()));
        };
        if page.matches(CONTENT.0).count() != 1 || start > end {
            return Err(whole("the layout holds {{ content }} more than once".to_owned()));
        }
        let styles = read_styles(&page[start + CONTENT.0.len()..end]);
        let mut parts = Vec::new();
        with_subjects(&page[..start], &mut parts);
        parts.push(Part::Content);
        with_subjects(&page[end + CONTENT.1.len()..], &mut parts);
        Ok(Self { parts, styles, pictures })
    }

    /// The complete document.
    pub(super) fn page(&self, subject: &str, content: &str) -> String {
        let mut page = String::with_capacity(content.len() + 8 * 1024);
        for part in &self.parts {
            match part {
                Part::Page(html) => page.push_str(html),
                Part::Subject => escape(subject, &mut page),
                Part::Content => page.push_str(content),
            }
        }
        if !page.ends_with('\n') {
            page.push('\n');
        }
        page
    }
}

fn shown(sources: &Sources) -> String {
    sources.get(NAME).map_or_else(|| NAME.to_owned(), |source| source.file.clone())
}

fn with_subjects(html: &str, parts: &mut Vec<Part>) {
    for (at, page) in html.split(SUBJECT).enumerate() {
        if at > 0 {
            parts.push(Part::Subject);
        }
        parts.push(Part::Page(page.to_owned()));
    }
}

/// A body that holds each element the HTML writer emits, once, so that the inliner shows which style each gets.
fn sample() -> &'static str {
    "<h1>x</h1><h2>x</h2><h3>x</h3><h4>x</h4>\
     <p>x<a href=\"https://x.invalid/\">x</a><em>x</em><strong>x</strong><img src=\"https://x.invalid/\" alt=\"\"></p>\
     <ul><li>x</li></ul><ol></ol><blockquote>x</blockquote><hr>\
     <table><tbody><tr><th>x</th><td>x</td></tr></tbody></table>"
}

/// Reads off the style of each element in the inlined sample.
fn read_styles(sample: &str) -> Styles {
    let mut styles = Styles::default();
    for (at, element) in ELEMENTS.iter().enumerate() {
        let opening = format!("<{element}");
        let tag = sample.match_indices(&opening).find_map(|(start, _)| {
            let rest = &sample[start + opening.len()..];
            rest.starts_with([' ', '>']).then(|| &rest[..rest.find('>').unwrap_or(rest.len())])
        });
        if let Some(style) = tag.and_then(|tag| tag.split(" style=\"").nth(1)).and_then(|rest| rest.split('"').next()) {
            styles.0[at] = format!(" style=\"{style}\"");
        }
    }
    styles
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_are_read_from_the_inlined_sample_by_whole_tag_names() {
        let styles =
            read_styles("<th style=\"b\">x</th><table style=\"a\"><tr></tr></table><p class=\"y\" style=\"c\">");
        let of = |element: &str| styles.0[ELEMENTS.iter().position(|known| *known == element).expect("known")].as_str();
        assert_eq!(
            (of("table"), of("th"), of("p"), of("tr"), of("td")),
            (" style=\"a\"", " style=\"b\"", " style=\"c\"", "", "")
        );
    }

    #[test]
    fn the_sample_has_every_element() {
        for element in ELEMENTS {
            assert!(sample().contains(&format!("<{element}")), "{element}");
        }
    }
}
