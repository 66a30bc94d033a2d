//! The page of one letter: as it will look, as text, its header, its source, its attachments, and what changed in it.

use std::fmt::Write as _;

use super::changed::{Formers, Kinds};
use super::document::Document;
use super::files::Attached;
use super::item::{Earlier, Item, Standing};
use super::overview::with_code;
use super::{changed, folder, manifest, names, size};
use crate::domain::markup::escape;

/// The most of a header that is shown, in octets; a header longer than that is not read by anybody.
const HEADER_SHOWN: usize = 16 * 1024;
/// The most of a source that is shown, in octets; the .eml has all of it.
const SOURCE_SHOWN: usize = 48 * 1024;
/// Where the plain text begins in a page, so that a later preview can read it back.
const TEXT: &str = "<pre id=\"plain\" tabindex=\"0\"";
const TEXT_ENDS: &str = "</pre>";

/// What a letter's page shows beyond its row in the list.
#[derive(Debug)]
pub(super) struct Content {
    header: String,
    source: String,
    whole: bool,
    text: String,
    html: String,
    since_preview: Option<Standing>,
}

impl Content {
    /// Takes text and HTML out of `item`, and header and source out of the message.
    pub(super) fn take(item: &mut Item, eml: &[u8], since_preview: Option<Standing>) -> Self {
        let end = eml.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(eml.len()).min(HEADER_SHOWN);
        let shown = &eml[..eml.len().min(SOURCE_SHOWN)];
        Self {
            header: String::from_utf8_lossy(&eml[..end]).replace("\r\n", "\n"),
            source: String::from_utf8_lossy(shown).replace("\r\n", "\n"),
            whole: shown.len() == eml.len(),
            text: std::mem::take(&mut item.text),
            html: std::mem::take(&mut item.html),
            since_preview,
        }
    }
}

/// What stands in a letter, by its label.
pub(super) fn fields_of(item: &Item) -> Vec<(String, String)> {
    let attachments: Vec<&str> = item.attachments.iter().map(|file| file.name.as_str()).collect();
    Earlier::fields(&item.subject, [&item.to, &item.cc, &item.bcc], &item.language, &attachments)
}

/// The plain text of a letter in a page that an earlier preview wrote.
pub(super) fn text_of(page: &str) -> Option<String> {
    let from = &page[page.find(TEXT)?..];
    let text = &from[from.find(">\n")? + 2..];
    let text = &text[..text.find(TEXT_ENDS)?];
    Some(
        text.replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&"),
    )
}

/// The page of `item`, with links to the letters before and after it and to `list`, the page that lists it.
pub(super) fn page(
    item: &Item,
    content: &Content,
    previous: Option<&Item>,
    next: Option<&Item>,
    list: &str,
    formers: &Formers,
    kinds: &[Kinds; 2],
) -> String {
    let mut body = navigation(item, previous, next, list);
    let (language, direction) = (escape(item.language.as_str()), item.language.direction());
    let _ = writeln!(
        body,
        "<main id=\"letter\" data-id=\"{}\" data-lang=\"{language}\" data-dir=\"{direction}\">\n<p class=\"paper-only\"><b>{}</b> To: <bdi>{}</bdi></p>\n<h1 dir=\"auto\">{}</h1>",
        escape(&item.id),
        if item.settled.is_some() { "Preview." } else { "Preview, not sent." },
        escape(&item.to.join(", ")),
        escape(&item.name)
    );
    body.push_str(&remarks(item));
    body.push_str(&changed_in_short(item, content.since_preview.as_ref(), kinds));
    body.push_str("<div id=\"paper\"></div>\n");
    body.push_str(&fields(item));
    let changes = changed::changes(item, &content.text, content.since_preview.as_ref(), formers);
    body.push_str(&views(!changes.is_empty()));
    body.push_str(&looks(item, content));
    let _ = writeln!(
        body,
        "<section id=\"text\"><h2>As plain text</h2>\n{TEXT} aria-label=\"Plain text\" lang=\"{language}\" dir=\"{direction}\">\n{}{TEXT_ENDS}</section>",
        escape(&content.text)
    );
    let _ = writeln!(
        body,
        "<section id=\"headers\"><h2>The header as it is sent</h2>\n<p class=\"quiet\">Date and Message-ID are those of this preview; each attempt has its own. Servers on the way add lines of their own above these.</p>\n<pre tabindex=\"0\" aria-label=\"Header\">\n{}</pre></section>",
        escape(&content.header)
    );
    body.push_str(&source(item, content));
    body.push_str(&attachments(item));
    if !changes.is_empty() {
        let _ = writeln!(body, "<section id=\"changes\"><h2>What changed</h2>\n{changes}</section>");
    }
    body.push_str("</main>\n");
    Document {
        title: &format!("{}: {}", item.name, item.subject),
        class: "letter",
        script: include_str!("pages/letter.js"),
        frames_letter: true,
        body: &body,
    }
    .html()
}

fn navigation(item: &Item, previous: Option<&Item>, next: Option<&Item>, list: &str) -> String {
    let mut nav = format!(
        "<nav id=\"ways\" aria-label=\"Letters\">\n<a id=\"all\" href=\"../{list}#row-{}\">All letters</a>\n",
        escape(&item.id)
    );
    for (neighbour, relation, word) in [(previous, "prev", "Previous"), (next, "next", "Next")] {
        if let Some(other) = neighbour {
            let (stem, name) = (escape(&names::stem(&other.id)), escape(&other.name));
            let _ = writeln!(nav, "<a rel=\"{relation}\" href=\"{stem}.html\">{word}: <bdi>{name}</bdi></a>");
        }
    }
    if let Some(other) = next.or(previous) {
        let (id, other) = (escape(&item.id), escape(&other.id));
        let _ = writeln!(nav, "<a id=\"compare\" href=\"../{}#{id},{other}\">Compare</a>", folder::COMPARE);
    }
    nav.push_str("</nav>\n");
    nav
}

/// What changed in the letter, in a word each: since the last preview, and since it was approved.
fn changed_in_short(item: &Item, since_preview: Option<&Standing>, kinds: &[Kinds; 2]) -> String {
    let what = |at: usize| {
        let words: Vec<String> = kinds[at].iter().map(|kind| escape(&kind.what)).collect();
        words.join(", ")
    };
    let mut told = Vec::new();
    let approved = item.approved.as_ref();
    match (since_preview, approved) {
        (Some(Standing::Changed(_)), Some(Standing::Changed(_))) if kinds[0] == kinds[1] => {
            told.push(format!("<b>Changed since it was approved, and since the last preview:</b> {}", what(1)));
        }
        _ => {
            match approved {
                Some(Standing::Changed(_)) => told.push(format!("<b>Changed since it was approved:</b> {}", what(1))),
                Some(Standing::New) => told.push("<b>Not among the letters approved</b>".to_owned()),
                Some(Standing::Same) | None => {}
            }
            match since_preview {
                Some(Standing::Changed(_)) => told.push(format!("<b>Changed since the last preview:</b> {}", what(0))),
                Some(Standing::New) => told.push("<b>New since the last preview</b>".to_owned()),
                Some(Standing::Same) | None => {}
            }
        }
    }
    told.iter().fold(String::new(), |html, told| format!("{html}<p class=\"note changed-in-short\">{told}</p>\n"))
}

fn remarks(item: &Item) -> String {
    let mut html = String::new();
    if let Some(settled) = &item.settled {
        let _ = writeln!(html, "<p class=\"note\">This letter {}: it is not sent again.</p>", escape(settled));
    }
    if !item.warnings.is_empty() {
        html.push_str("<ul class=\"warnings\">\n");
        for warning in &item.warnings {
            let _ = writeln!(html, "<li>{}</li>", with_code(&warning.text));
        }
        html.push_str("</ul>\n");
    }
    html
}

fn fields(item: &Item) -> String {
    let mut list = String::from("<dl id=\"fields\">\n");
    for (name, value) in fields_of(item).into_iter().filter(|(_, value)| !value.is_empty()) {
        let value = if name == "Attachments" {
            item.attachments.iter().map(|file| file.link("../")).collect::<Vec<_>>().join(", ")
        } else if name == "Subject" || name == "Language" {
            format!("<bdi>{}</bdi>", escape(&value))
        } else {
            format!("<bdi>{}</bdi>", super::address(&value))
        };
        let _ = writeln!(list, "<dt>{name}</dt><dd>{value}</dd>");
        if name == "Subject" {
            let _ = writeln!(list, "<dt>Addressee by the list</dt><dd>{}</dd>", with_code(&item.addressee.in_words()));
        }
    }
    let file = escape(&names::eml(&item.id));
    let _ = writeln!(
        list,
        "<dt>Size</dt><dd>{}</dd>\n\
         <dt>As a file</dt><dd><a href=\"../{file}\" download>{file}</a> opens in a mail program</dd>\n\
         <dt>Digest</dt><dd><span class=\"digest\">{}</span> <span class=\"quiet\">changes as soon as anything in this letter does</span></dd>\n</dl>",
        size(item.bytes),
        item.digest
    );
    list
}

/// The choices above the letter. They work without a script: the style sheet looks at what is checked.
fn views(changes: bool) -> String {
    let radio = |name: &str, id: &str, text: &str, checked: bool| {
        let checked = if checked { " checked" } else { "" };
        format!("<label><input type=\"radio\" name=\"{name}\" id=\"{id}\"{checked}> <span>{text}</span></label>\n")
    };
    let mut html = String::from("<div id=\"views\">\n<fieldset><legend>Show</legend>\n");
    for (id, text, shown) in [
        ("v-looks", "Letter", true),
        ("v-text", "Plain text", true),
        ("v-headers", "Header", true),
        ("v-source", "Source", true),
        ("v-attachments", "Attachments", true),
        ("v-changes", "What changed", changes),
    ] {
        if shown {
            html.push_str(&radio("view", id, text, id == "v-looks"));
        }
    }
    html.push_str("</fieldset>\n<fieldset class=\"of-looks\"><legend>Width</legend>\n");
    html.push_str(&radio("width", "w-desktop", "Desktop", true));
    html.push_str(&radio("width", "w-phone", "Phone", false));
    html.push_str("</fieldset>\n<fieldset class=\"of-looks\"><legend>Colours</legend>\n");
    html.push_str(&radio("scheme", "s-light", "Light", true));
    html.push_str(&radio("scheme", "s-dark", "Dark", false));
    html.push_str("</fieldset>\n</div>\n");
    html
}

/// What stands before a letter in its frame. A click on a link would lead nowhere, but browsers connect to where it points as
/// soon as the pointer is down on it; a link followed by key would leave in the frame itself, not in a new window, which the
/// sandbox forbids.
const HELD: &str = "<base target=\"_blank\"><style>a, area, form * { pointer-events: none !important; }</style>";

/// Elements for which a browser may connect to somewhere before it asks the policy.
const REACHING: [&str; 8] = ["link", "iframe", "frame", "frameset", "object", "embed", "applet", "portal"];

/// The letter's HTML with elements that reach out made into unknown ones, which do nothing.
fn held(html: &str) -> String {
    let mut safe = String::with_capacity(html.len() + HELD.len());
    safe.push_str(HELD);
    for (at, part) in html.split('<').enumerate() {
        if at > 0 {
            safe.push('<');
        }
        let name = part.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        if at > 0 && REACHING.iter().any(|element| element.eq_ignore_ascii_case(name)) {
            safe.push_str("x-");
        }
        safe.push_str(part);
    }
    safe
}

/// The HTML in a frame where nothing runs, no link leads anywhere and nothing is loaded.
fn looks(item: &Item, content: &Content) -> String {
    format!(
        "<section id=\"looks\"><h2>As it will look</h2>\n<div id=\"stage\"><iframe sandbox referrerpolicy=\"no-referrer\" \
         title=\"The letter to {} as HTML\" srcdoc=\"{}\"></iframe></div></section>\n",
        escape(&item.name),
        escape(&held(&content.html))
    )
}

fn source(item: &Item, content: &Content) -> String {
    let rest = if content.whole {
        String::new()
    } else {
        format!(
            "<p class=\"quiet\">Only the beginning is shown; {} has all of it.</p>\n",
            escape(&names::eml(&item.id))
        )
    };
    format!(
        "<section id=\"source\"><h2>The source</h2>\n{rest}<pre tabindex=\"0\" aria-label=\"Source\">\n{}</pre></section>\n",
        escape(&content.source)
    )
}

fn attachments(item: &Item) -> String {
    let mut html = String::from("<section id=\"attachments\"><h2>Attachments</h2>\n");
    if item.attachments.is_empty() {
        html.push_str("<p>This letter has none.</p>\n");
    }
    file_list(&mut html, &item.attachments);
    if !item.pictures.is_empty() {
        html.push_str("<h3>Pictures in the letter itself</h3>\n");
        file_list(&mut html, &item.pictures);
    }
    let file = escape(&names::eml(&item.id));
    if manifest::with(item).next().is_some() {
        html.push_str(
            "<p class=\"quiet\">SHA-256 is computed from what is in a file: as long as it is the same, so is the file.</p>\n",
        );
    }
    if manifest::with(item).any(|file| file.file.is_none()) {
        html.push_str(
            "<p>What has no link is of a kind that can run something on your machine when it is opened from a disk.</p>\n",
        );
    }
    if !item.attachments.is_empty() {
        let _ = writeln!(
            html,
            "<p>In <a href=\"../{file}\" download>{file}</a>, opened in a mail program, they are as the mission will get them.</p>"
        );
    }
    html.push_str("</section>\n");
    html
}

fn file_list(html: &mut String, files: &[std::sync::Arc<Attached>]) {
    if files.is_empty() {
        return;
    }
    html.push_str("<ul class=\"files\">\n");
    for file in files {
        let name = file.link("../");
        let _ = writeln!(
            html,
            "<li>{name} <span class=\"quiet\">{}, SHA-256 <span class=\"digest\">{}</span></span></li>",
            size(file.bytes),
            file.digest
        );
    }
    html.push_str("</ul>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reaches_out_is_made_an_unknown_element_and_the_rest_is_left() {
        let html = "<LINK rel=preconnect href=x><a href=y>1 < 2 <b>links</b></a><iframe/src=z></iframe><linkage>";
        assert_eq!(
            held(html).strip_prefix(HELD),
            Some("<x-LINK rel=preconnect href=x><a href=y>1 < 2 <b>links</b></a><x-iframe/src=z></iframe><linkage>")
        );
    }

    #[test]
    fn the_text_of_a_page_reads_back_as_it_was() {
        let text = "a <b> & \"c\" 'd' &amp; </pre>\n\nz";
        let page = format!("<p>x</p>{TEXT} lang=\"en\">\n{}{TEXT_ENDS}<pre>y</pre>", escape(text));
        assert_eq!(text_of(&page).as_deref(), Some(text));
    }
}
