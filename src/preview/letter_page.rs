//! The page of one letter: its fields, the HTML in a sandbox, the plain text, and the way to its neighbours.

use std::fmt::Write as _;

use super::{Item, eml_name, folder, size};
use crate::domain::markup::{document, escape};

/// The most of a header that is shown, in octets; a header longer than that is not read by anybody.
const HEADER_SHOWN: usize = 16 * 1024;

/// What a letter's page shows beyond its row in the index.
#[derive(Debug)]
pub(super) struct Content {
    header: String,
    text: String,
    html: String,
}

impl Content {
    /// Takes text and HTML out of `item`, and the header out of the message.
    pub(super) fn take(item: &mut Item, eml: &[u8]) -> Self {
        let end = eml.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(eml.len()).min(HEADER_SHOWN);
        Self {
            header: String::from_utf8_lossy(&eml[..end]).replace("\r\n", "\n"),
            text: std::mem::take(&mut item.text),
            html: std::mem::take(&mut item.html),
        }
    }
}

/// The page of `item`, with links to the letters before and after it.
pub(super) fn page(item: &Item, content: &Content, previous: Option<&Item>, next: Option<&Item>) -> String {
    let mut body = navigation(previous, next);
    let _ = writeln!(body, "<main>\n<h1>{}</h1>", escape(&item.name));
    body.push_str(&fields(item));
    let language = escape(item.language.as_str());
    let direction = item.language.direction();
    let _ = writeln!(
        body,
        "<h2>As HTML</h2>\n<iframe sandbox referrerpolicy=\"no-referrer\" title=\"The letter to {} as HTML\" srcdoc=\"{}\"></iframe>",
        escape(&item.name),
        escape(&content.html)
    );
    let _ = writeln!(
        body,
        "<h2>As plain text</h2>\n<pre tabindex=\"0\" lang=\"{language}\" dir=\"{direction}\">\n{}</pre>",
        escape(&content.text)
    );
    let _ = writeln!(
        body,
        "<h2>The header as it is sent</h2>\n<pre tabindex=\"0\">\n{}</pre>\n</main>",
        escape(&content.header)
    );
    document(&format!("{}: {}", item.name, item.subject), include_str!("style.css"), &body)
}

fn navigation(previous: Option<&Item>, next: Option<&Item>) -> String {
    let mut nav = format!("<nav aria-label=\"Letters\">\n<a href=\"../{}\">All letters</a>\n", folder::INDEX);
    for (neighbour, relation, word) in [(previous, "prev", "Previous"), (next, "next", "Next")] {
        if let Some(item) = neighbour {
            let (id, name) = (escape(&item.id), escape(&item.name));
            let _ = writeln!(nav, "<a rel=\"{relation}\" href=\"{id}.html\">{word}: {name}</a>");
        }
    }
    nav.push_str("</nav>\n");
    nav
}

fn fields(item: &Item) -> String {
    let mut list = String::from("<dl>\n");
    let mut field = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(list, "<dt>{name}</dt><dd dir=\"auto\">{}</dd>", escape(value));
        }
    };
    field("Subject", &item.subject);
    field("To", &item.to.join(", "));
    field("Cc", &item.cc.join(", "));
    field("Bcc (not in the header)", &item.bcc.join(", "));
    field("Language", item.language.as_str());
    field("Attachments", &item.attachments.join(", "));
    field("Size", &size(item.bytes));
    field("Digest", &item.digest.to_string());
    let file = escape(&eml_name(&item.id));
    let _ = writeln!(list, "<dt>File</dt><dd><a href=\"../{file}\">{file}</a></dd>\n</dl>");
    list
}
