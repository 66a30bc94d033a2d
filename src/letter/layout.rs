//! The page around a letter: rendered and its CSS inlined once a language, then only joined with each letter's body.

use tera::{Context, Tera, Value};

use crate::diagnostic::{Diagnostic, Place};

use super::errors::{self, Rendering, Sources};
use super::html::{ELEMENTS, Styles, escape};

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
}

#[derive(Debug)]
enum Part {
    Page(String),
    Subject,
    Content,
}

impl Layout {
    /// Renders the layout for a language, with everything but subject and content in place.
    pub(super) fn prepare(
        html: &Tera,
        sources: &Sources,
        shared: &Context,
        vars: Vec<&str>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut context = shared.clone();
        context.insert_value("subject", SUBJECT.into());
        context.insert_value("content", Value::safe_string(&format!("{}{}{}", CONTENT.0, sample(), CONTENT.1)));
        let rendering = Rendering { row: None, vars, columns: Vec::new() };
        let page = html.render(NAME, &context).map_err(|error| vec![errors::on_render(&error, sources, &rendering)])?;
        let inliner = css_inline::CSSInliner::options()
            .load_remote_stylesheets(false)
            .keep_at_rules(true)
            .keep_style_tags(false)
            .build();
        let whole = |message: String| vec![Diagnostic::error("layout", message).at(Place::file(shown(sources)))];
        let page =
            inliner.inline(&page).map_err(|error| whole(format!("the layout's CSS cannot be put inline: {error}")))?;
        let page = styles_last(page.replace("\r\n", "\n"));
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
        Ok(Self { parts, styles })
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

/// The inliner puts the rules it keeps at the beginning of the head, before the declaration of the encoding.
fn styles_last(page: String) -> String {
    let Some(start) = page.find("<head><style>").map(|at| at + "<head>".len()) else { return page };
    let Some(end) = page[start..].find("</style>").map(|length| start + length + "</style>".len()) else { return page };
    let Some(head_end) = page[end..].find("</head>").map(|length| end + length) else { return page };
    format!("{}{}{}\n{}", &page[..start], &page[end..head_end], &page[start..end], &page[head_end..])
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

/// What a page holds that it should not: remote loads (warned of) and links that act.
pub(super) fn lint(file: &str, source: &str) -> Vec<Diagnostic> {
    let lower = source.to_ascii_lowercase();
    let mut problems = Vec::new();
    for remote in
        ["src=\"http", "src='http", "background=\"http", "url(http", "url('http", "url(\"http", "@import", "<link"]
    {
        for (at, _) in lower.match_indices(remote) {
            problems.push(
                Diagnostic::warning("remote-image", "the page loads something from elsewhere: many mail programs do not, and it tells when the letter is read")
                    .at(Place::in_text(file, source, at..at + remote.len()))
                    .help("leave it out"),
            );
        }
    }
    if let Some(at) = lower.find("<script") {
        problems.push(
            Diagnostic::error("letter-html", "a script in a letter")
                .at(Place::in_text(file, source, at..at + 7))
                .help("mail programs remove scripts, and mail filters refuse letters that hold them"),
        );
    }
    for (at, target) in acting_links(source) {
        problems.push(
            Diagnostic::error("letter-link", format!("a link to \"{target}\""))
                .at(Place::in_text(file, source, at..at + target.len()))
                .help("a letter may link to https://, http://, mailto: and tel: addresses"),
        );
    }
    problems
}

/// The targets of a page's links that run or carry content instead of leading somewhere, with their offsets.
pub(super) fn acting_links(page: &str) -> Vec<(usize, String)> {
    let lower = page.to_ascii_lowercase();
    let mut found = Vec::new();
    for name in ["href=", "src=", "action="] {
        for (at, _) in lower.match_indices(name) {
            let start = at + name.len();
            let quote = lower[start..].chars().next().filter(|c| matches!(c, '"' | '\''));
            let start = start + quote.map_or(0, char::len_utf8);
            let end = lower[start..].find(|c: char| quote.map_or(c.is_whitespace() || c == '>', |quote| c == quote));
            let target = &page[start..end.map_or(page.len(), |length| start + length)];
            let bare: String = target.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect();
            let bare = bare.to_ascii_lowercase();
            if ["javascript:", "data:", "vbscript:"].iter().any(|scheme| bare.starts_with(scheme)) {
                found.push((start, target.to_owned()));
            }
        }
    }
    found
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

    #[test]
    fn links_that_act_are_seen_through_case_blanks_and_quotes() {
        let page =
            "<a href=\"JavaScript:x\"> <a href=' data:text/html,x'> <img src=java\u{1}script:x> <a href=\"https://x\">";
        let targets: Vec<String> = acting_links(page).into_iter().map(|(_, target)| target).collect();
        assert_eq!(targets.len(), 3, "{targets:?}");
    }
}
