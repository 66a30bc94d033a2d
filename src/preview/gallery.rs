//! The index of a preview: who gets a letter and who does not, the digest, and a table of every letter.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Item, Page, eml_name, page_name, size};
use crate::domain::markup::{document, escape};

/// The whole page.
pub(super) fn index(items: &[Item], page: &Page) -> String {
    let mut body = format!("<header>\n<h1>{}</h1>\n", escape(&page.campaign));
    body.push_str(
        "<p class=\"quiet\">Preview: nothing was sent. These are the letters byte for byte as they would go out, but for their date and message number.</p>\n",
    );
    body.push_str("</header>\n<main>\n");
    body.push_str(&facts(items, page));
    body.push_str(&approval(page));
    body.push_str(&table(items));
    body.push_str("</main>\n");
    document(&format!("Preview: {}", page.campaign), include_str!("style.css"), &body)
}

fn facts(items: &[Item], page: &Page) -> String {
    let mut languages: BTreeMap<&str, usize> = BTreeMap::new();
    for item in items {
        *languages.entry(item.language.as_str()).or_default() += 1;
    }
    let languages: Vec<String> = languages.iter().map(|(language, count)| format!("{count} {language}")).collect();
    let total = size(items.iter().map(|item| item.bytes).sum());
    let mut list = String::from("<dl>\n");
    let mut fact = |name: &str, html: &str| {
        let _ = writeln!(list, "<dt>{name}</dt><dd>{html}</dd>");
    };
    fact("From", &escape(&page.from));
    if let Some(event) = &page.event {
        fact("Event", &escape(event));
    }
    fact("Letters", &escape(&format!("{} ({}), {total} in all", items.len(), languages.join(", "))));
    if page.expected > 0 {
        fact("Coverage", &coverage(page));
    }
    fact("Made", &page.generated.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
    list.push_str("</dl>\n");
    list
}

/// `193 of 193 missions get a letter`, who is missing, and what else a reader should know of the list.
fn coverage(page: &Page) -> String {
    let reached = page.expected.saturating_sub(page.missing.len() + page.suppressed.len());
    let count = format!("{reached} of {} missions get a letter", page.expected);
    let mut text = if page.missing.is_empty() {
        count
    } else {
        let names = escape(&page.missing.join(", "));
        format!("<span class=\"alert\">{count}</span>. Missing: {names}. Add a row for each to the recipients file.")
    };
    let more = [
        ("Several rows", &page.doubled),
        ("Outside the audience", &page.foreign),
        ("Suppressed, so that no letter goes to them", &page.suppressed),
    ];
    for (what, names) in more.iter().filter(|(_, names)| !names.is_empty()) {
        text.push_str(&format!("<br>{what}: {}", escape(&names.join(", "))));
    }
    text
}

fn approval(page: &Page) -> String {
    let digest = page.digest;
    format!(
        "<h2>If everything is right</h2>\n\
         <p>The digest stands for exactly these letters and addresses. If anything changes, it changes too, and \
         <code>send</code> refuses it. To send what you see here:</p>\n\
         <pre tabindex=\"0\"><code>demarche send --approve {digest}</code></pre>\n"
    )
}

fn table(items: &[Item]) -> String {
    let mut table = String::from(
        "<h2>The letters</h2>\n<div class=\"scroll\">\n<table>\n<caption>One row a mission. The .eml opens in a mail program.</caption>\n\
         <thead><tr><th scope=\"col\">Mission</th><th scope=\"col\">Language</th><th scope=\"col\">Addresses</th>\
         <th scope=\"col\">Subject</th><th scope=\"col\">Size</th><th scope=\"col\">File</th></tr></thead>\n<tbody>\n",
    );
    for item in items {
        let (letter, file) = (escape(&page_name(&item.id)), escape(&eml_name(&item.id)));
        let language = escape(item.language.as_str());
        let _ = writeln!(
            table,
            "<tr><th scope=\"row\" dir=\"auto\"><a href=\"{letter}\">{}</a></th><td>{language}</td><td class=\"address\">{}</td>\
             <td lang=\"{language}\" dir=\"auto\">{}</td><td class=\"number\">{}</td><td><a href=\"{file}\">{file}</a></td></tr>",
            escape(&item.name),
            addresses(item),
            escape(&item.subject),
            size(item.bytes),
        );
    }
    table.push_str("</tbody>\n</table>\n</div>\n");
    table
}

fn addresses(item: &Item) -> String {
    let labelled = [
        ("", &item.to),
        ("<span class=\"quiet\">Cc</span> ", &item.cc),
        ("<span class=\"quiet\">Bcc</span> ", &item.bcc),
    ];
    let lines: Vec<String> = labelled
        .into_iter()
        .flat_map(|(label, mailboxes)| mailboxes.iter().map(move |m| format!("{label}<bdi>{}</bdi>", escape(m))))
        .collect();
    lines.join("<br>")
}
