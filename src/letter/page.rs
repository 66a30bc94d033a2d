//! A page of HTML, the layout or a letter's own: what it may not hold, and its CSS put inline.

use crate::diagnostic::{Diagnostic, Place};

use super::pictures::{self, Pictures};

/// Puts the rules of a page's `<style>` on its elements, since many mail programs drop it; media queries stay in the head.
/// Nothing is loaded.
pub(super) fn inline_css(page: &str) -> Result<String, css_inline::InlineError> {
    let inliner = css_inline::CSSInliner::options()
        .load_remote_stylesheets(false)
        .keep_at_rules(true)
        .keep_style_tags(false)
        .build();
    Ok(styles_last(inliner.inline(page)?.replace("\r\n", "\n")))
}

/// The inliner puts the rules it keeps at the beginning of the head, before the declaration of the encoding.
fn styles_last(page: String) -> String {
    let Some(start) = page.find("<head><style>").map(|at| at + "<head>".len()) else { return page };
    let Some(end) = page[start..].find("</style>").map(|length| start + length + "</style>".len()) else { return page };
    let Some(head_end) = page[end..].find("</head>").map(|length| end + length) else { return page };
    format!("{}{}{}\n{}", &page[..start], &page[end..head_end], &page[start..end], &page[head_end..])
}

/// What a page holds that it should not: remote loads (warned of) and links that act.
pub(super) fn lint(file: &str, source: &str, pictures: &Pictures) -> Vec<Diagnostic> {
    let lower = source.to_ascii_lowercase();
    let mut problems = Vec::new();
    for remote in
        ["src=\"http", "src='http", "background=\"http", "url(http", "url('http", "url(\"http", "@import", "<link"]
    {
        for (at, _) in lower.match_indices(remote) {
            problems.push(
                Diagnostic::warning("remote-image", "the page loads something from elsewhere: many mail programs do not, and it tells when the letter is read")
                    .at(Place::in_text(file, source, at..at + remote.len()))
                    .help("leave it out; a picture of the templates folder is named by its file: src=\"logo.png\""),
            );
        }
    }
    for (range, target) in pictures::sources(source) {
        let elsewhere = target.contains(':') || target.contains("{{") || target.contains("{%");
        if !elsewhere && !pictures.contains_key(&pictures::named(&target)) {
            let (message, help) = pictures::missing(&target, pictures);
            problems
                .push(Diagnostic::error("letter-image", message).at(Place::in_text(file, source, range)).help(help));
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
    fn links_that_act_are_seen_through_case_blanks_and_quotes() {
        let page =
            "<a href=\"JavaScript:x\"> <a href=' data:text/html,x'> <img src=java\u{1}script:x> <a href=\"https://x\">";
        let targets: Vec<String> = acting_links(page).into_iter().map(|(_, target)| target).collect();
        assert_eq!(targets.len(), 3, "{targets:?}");
    }
}
