//! The one parse of a letter's Markdown, the escaping of values put into it, and what a letter may not hold.

use std::io::{self, Write};
use std::ops::Range;

use pulldown_cmark::{CowStr, Event, LinkType, Options, Parser, Tag};
use unicode_width::UnicodeWidthChar as _;

use crate::diagnostic::{Diagnostic, Place};

use super::pictures::{self, Pictures};

/// Writes a value so that Markdown shows it literally: every character that could be markup as a character reference,
/// which can neither join a backslash before it nor begin a block. Line ends and tabs become blanks: a value cannot
/// begin a block of its own.
pub(super) fn escape(value: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut from = 0;
    let mut blank = true;
    let end = value.trim_end_matches([' ', '\t', '\r', '\n', '\u{b}', '\u{c}']).len();
    for (at, c) in value.char_indices() {
        let next = at + c.len_utf8();
        let reference = match c {
            ' ' if !blank && at < end => {
                blank = true;
                continue;
            }
            ' ' | '\t' | '\r' | '\n' | '\u{b}' | '\u{c}' => Some(if blank || at >= end { "&#32;" } else { " " }),
            '\0'..='\u{1f}' | '\u{7f}' => Some("\u{fffd}"),
            _ => reference(c),
        };
        blank = c.is_ascii_whitespace() || c == '\u{b}';
        if let Some(reference) = reference {
            out.write_all(&value.as_bytes()[from..at])?;
            out.write_all(reference.as_bytes())?;
            from = next;
        }
    }
    out.write_all(&value.as_bytes()[from..])
}

fn reference(c: char) -> Option<&'static str> {
    Some(match c {
        // A blank beside a mark of emphasis would make the mark a letter of the text (CommonMark §6.2).
        '\u{a0}' => "&#160;",
        '\u{1680}' => "&#5760;",
        '\u{2000}' => "&#8192;",
        '\u{2001}' => "&#8193;",
        '\u{2002}' => "&#8194;",
        '\u{2003}' => "&#8195;",
        '\u{2004}' => "&#8196;",
        '\u{2005}' => "&#8197;",
        '\u{2006}' => "&#8198;",
        '\u{2007}' => "&#8199;",
        '\u{2008}' => "&#8200;",
        '\u{2009}' => "&#8201;",
        '\u{200a}' => "&#8202;",
        '\u{2028}' => "&#8232;",
        '\u{2029}' => "&#8233;",
        '\u{202f}' => "&#8239;",
        '\u{205f}' => "&#8287;",
        '\u{3000}' => "&#12288;",
        '!' => "&#33;",
        '"' => "&#34;",
        '#' => "&#35;",
        '&' => "&#38;",
        '\'' => "&#39;",
        '(' => "&#40;",
        ')' => "&#41;",
        '*' => "&#42;",
        '+' => "&#43;",
        '-' => "&#45;",
        '.' => "&#46;",
        ':' => "&#58;",
        '<' => "&#60;",
        '=' => "&#61;",
        '>' => "&#62;",
        '[' => "&#91;",
        '\\' => "&#92;",
        ']' => "&#93;",
        '^' => "&#94;",
        '_' => "&#95;",
        '`' => "&#96;",
        '{' => "&#123;",
        '|' => "&#124;",
        '}' => "&#125;",
        '~' => "&#126;",
        _ => return None,
    })
}

/// The events of a text, from which both writers write. A line end between two wide characters (Chinese) is no blank.
pub(super) fn parse(text: &str) -> Vec<Event<'_>> {
    let mut events: Vec<Event<'_>> = Parser::new_ext(text, Options::ENABLE_TABLES).collect();
    let wide = |c: Option<char>| c.is_some_and(|c| c.width() == Some(2));
    for at in 1..events.len().saturating_sub(1) {
        if let (Event::Text(before), Event::SoftBreak, Event::Text(after)) =
            (&events[at - 1], &events[at], &events[at + 1])
            && wide(before.chars().next_back())
            && wide(after.chars().next())
        {
            events[at] = Event::Text(CowStr::Borrowed(""));
        }
    }
    events
}

/// True for targets that a letter may link to: http, https, mailto and tel.
pub(super) fn may_link_to(target: &str) -> bool {
    let scheme = target.split(':').next().unwrap_or_default();
    target.contains(':')
        && ["http", "https", "mailto", "tel"].iter().any(|allowed| scheme.eq_ignore_ascii_case(allowed))
        && !target.chars().any(|c| c.is_control() || c == ' ')
}

/// What no letter may hold, as a message and help, whichever way it came in.
fn forbidden(event: &Event<'_>, pictures: &Pictures) -> Option<(&'static str, String, String)> {
    if let Event::Start(Tag::Image { dest_url, .. }) = event {
        if is_remote(dest_url) || pictures.contains_key(&pictures::named(dest_url)) {
            return None;
        }
        let (message, help) = pictures::missing(dest_url, pictures);
        return Some(("letter-image", message, help));
    }
    let (code, message, help) = match event {
        Event::Html(html) | Event::InlineHtml(html) => (
            "letter-html",
            format!("HTML in a Markdown letter: {}", html.trim().chars().take(60).collect::<String>()),
            "write Markdown (a link is [text](https://…)), or bring letter.<language>.html and .txt",
        ),
        Event::Start(Tag::CodeBlock(_)) | Event::Code(_) => (
            "letter-code",
            "code in a letter".to_owned(),
            "lines indented by four blanks and text in backticks are code in Markdown: remove them",
        ),
        Event::Start(Tag::Link { link_type, dest_url, .. }) if !may_link_to(&target(*link_type, dest_url)) => (
            "letter-link",
            format!("a link to \"{dest_url}\""),
            "a letter may link to https://, http://, mailto: and tel: addresses, written in full",
        ),
        _ => return None,
    };
    Some((code, message, help.to_owned()))
}

/// The width that a picture is to have, from its title: `![Logo](logo.png "width=160")`.
pub(super) fn wanted_width(title: &str) -> Option<u32> {
    title.trim().strip_prefix("width=")?.trim_end_matches("px").parse().ok()
}

fn is_remote(target: &str) -> bool {
    may_link_to(target) && target.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http"))
}

/// What a template's source holds that no letter may. `source[body_at..]` is the Markdown with Tera tags in it.
pub(super) fn lint(file: &str, source: &str, body_at: usize, pictures: &Pictures) -> Vec<Diagnostic> {
    let masked = masked(&source[body_at..]);
    let mut problems = Vec::new();
    for (event, range) in Parser::new_ext(&masked, Options::ENABLE_TABLES).into_offset_iter() {
        let at = body_at + range.start..body_at + range.end;
        let place = || Place::in_text(file, source, at.clone());
        // What stands in the brackets may come from a value without the address doing so.
        let address = source[at.clone()].rsplit("](").next().unwrap_or_default();
        let dynamic = address.contains("{{") || address.contains("{%");
        let is_target = matches!(event, Event::Start(Tag::Link { .. } | Tag::Image { .. }));
        if let Event::Start(Tag::Image { dest_url, .. }) = &event
            && (dynamic || is_remote(dest_url))
        {
            problems.push(
                Diagnostic::warning(
                    "remote-image",
                    "a remote image: many mail programs do not show it, and it tells when the letter is read",
                )
                .at(place())
                .help("put the picture into the templates folder and name it: ![Logo](logo.png)"),
            );
        }
        if let Some((code, message, help)) = forbidden(&event, pictures).filter(|_| !(is_target && dynamic)) {
            problems.push(Diagnostic::error(code, message).at(place()).help(help));
        }
    }
    problems
}

/// The same problems in a rendered letter, where a value may have brought them.
pub(super) fn problems(events: &[Event<'_>], pictures: &Pictures) -> Vec<(&'static str, String, String)> {
    events.iter().filter_map(|event| forbidden(event, pictures)).collect()
}

/// The source with its Tera tags replaced by as many bytes of plain text, so that offsets stay and tags are no markup.
pub(super) fn masked(source: &str) -> String {
    let mut masked = String::with_capacity(source.len());
    let mut from = 0;
    for tag in tags(source) {
        masked.push_str(&source[from..tag.start]);
        masked.extend(source[tag.clone()].bytes().map(|byte| if byte == b'\n' { '\n' } else { 'x' }));
        from = tag.end;
    }
    masked.push_str(&source[from..]);
    masked
}

/// The ranges of `{{ … }}`, `{% … %}` and `{# … #}`.
pub(super) fn tags(source: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(start) = source[at..].find('{').map(|offset| at + offset) {
        let close = match source.as_bytes().get(start + 1) {
            Some(b'{') => "}}",
            Some(b'%') => "%}",
            Some(b'#') => "#}",
            _ => {
                at = start + 1;
                continue;
            }
        };
        let end = source[start + 2..].find(close).map_or(source.len(), |offset| start + 4 + offset);
        found.push(start..end);
        at = end;
    }
    found
}

/// The address a link goes to: `<x@y>` is a mailto: link without saying so.
pub(super) fn target(kind: LinkType, dest_url: &str) -> String {
    if kind == LinkType::Email && !dest_url.starts_with("mailto:") {
        format!("mailto:{dest_url}")
    } else {
        dest_url.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(value: &str) -> String {
        let mut out = Vec::new();
        escape(value, &mut out).expect("written");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn a_value_cannot_begin_a_block_or_end_a_line() {
        assert_eq!(escaped("a\n\n# b"), "a &#32;&#35; b");
        assert_eq!(escaped("    code"), "&#32;&#32;&#32;&#32;code");
        assert_eq!(escaped("1. x  "), "1&#46; x&#32;&#32;");
        assert_eq!(escaped("\u{0}"), "\u{fffd}");
        assert_eq!(escaped("a\u{a0}"), "a&#160;");
    }

    #[test]
    fn only_full_addresses_may_be_linked_to() {
        for good in ["https://x.example/a?b=c", "HTTP://x", "mailto:a@b.example", "tel:+12125550100"] {
            assert!(may_link_to(good), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "JaVaScRiPt:x",
            "data:text/html,x",
            "x.html",
            "",
            "java\nscript:x",
            "//x",
            " https://x",
        ] {
            assert!(!may_link_to(bad), "{bad}");
        }
    }

    #[test]
    fn html_code_and_bad_links_in_the_source_are_told_with_their_place() {
        let source = "Hi <b>x</b> {{ \"<i>\" }}\n\n    code\n\n[a](javascript:x) [b]({{ vars.u }}) ![i](https://x.example/a.png)\n";
        let found = lint("letter.en.md", source, 0, &Pictures::new());
        let told: Vec<(&str, usize, usize)> = found
            .iter()
            .map(|d| (d.code, d.place.as_ref().map_or(0, |p| p.line), d.place.as_ref().map_or(0, |p| p.column)))
            .collect();
        assert_eq!(
            told,
            [
                ("letter-html", 1, 4),
                ("letter-html", 1, 8),
                ("letter-code", 3, 5),
                ("letter-link", 5, 1),
                ("remote-image", 5, 37)
            ]
        );
    }
}
