//! What the first page says of the batch: how many letters, to whom not, what changed, who is covered, what approves it.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write as _;

use super::changed::KINDS;
use super::item::{Page, Standing};
use super::list::Row;
use super::{Attached, Before, Kinds, coverage, language_name, names, size};
use crate::domain::markup::escape;
use crate::domain::state::StateCode;

/// How many names a sentence lists.
const NAMES: usize = 30;

/// The whole section.
pub(super) fn section(rows: &[Row<'_>], page: &Page, before: Option<&Before>) -> String {
    let mut html = String::from(
        "<section id=\"overview\" aria-labelledby=\"overview-title\">\n<h2 id=\"overview-title\">The batch</h2>\n",
    );
    if let Some(underway) = &page.underway {
        let _ = writeln!(html, "<p id=\"underway\"><b>{}</b></p>", with_code(underway));
    }
    html.push_str(&facts(rows, page));
    html.push_str(&coverage::section(rows, page));
    html.push_str(&nothing(page));
    html.push_str(&remarks(rows, page));
    html.push_str(&changes(rows, page, before));
    html.push_str(&approval(page));
    html.push_str("</section>\n");
    html
}

pub(super) fn total(page: &Page) -> usize {
    page.languages.iter().map(|(_, count)| count).sum()
}

pub(super) fn letters(count: usize) -> String {
    if count == 1 { "1 letter".to_owned() } else { format!("{count} letters") }
}

fn facts(rows: &[Row<'_>], page: &Page) -> String {
    let mut list = String::from("<dl>\n");
    let mut fact = |name: &str, html: &str| {
        let _ = writeln!(list, "<dt>{name}</dt><dd>{html}</dd>");
    };
    let total = total(page);
    let languages: Vec<String> = match page.languages.as_slice() {
        [(language, _)] if total > 1 => vec![format!("all in {}", language_name(language))],
        several => several.iter().map(|(language, count)| format!("{count} in {}", language_name(language))).collect(),
    };
    let and = if page.languages.len() > 1 { ":" } else { "," };
    fact("Letters", &escape(&format!("{total}{and} {}; {} together", languages.join(", "), size(page.octets))));
    if rows.len() < total {
        fact("Shown here", &format!("{} of them; the digest below stands for all {total}", rows.len()));
    }
    fact("From", &format!("<bdi>{}</bdi>", escape(&page.from)));
    if let Some(reply_to) = &page.reply_to {
        fact("Replies go to", &format!("<bdi>{}</bdi>", escape(reply_to)));
    }
    fact("Files", &files(rows));
    if let Some(event) = &page.event {
        fact("Event", &escape(event));
    }
    fact("Made", &page.generated.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
    list.push_str("</dl>\n");
    list
}

/// Which files go with which letters.
fn files(rows: &[Row<'_>]) -> String {
    let mut counts: Vec<(&Attached, usize)> = Vec::new();
    for row in rows {
        for file in row.item.attachments.iter().filter(|file| !row.item.own_attachments.contains(&file.name)) {
            match counts.iter_mut().find(|(known, _)| **known == **file) {
                Some((_, count)) => *count += 1,
                None => counts.push((file, 1)),
            }
        }
    }
    let mut parts: Vec<String> = counts
        .into_iter()
        .map(|(file, count)| {
            let with = if count == rows.len() { "every letter".to_owned() } else { letters(count) };
            format!("{} ({}) with {with}", file.link(""), size(file.bytes))
        })
        .collect();
    let (own, names) = linked(rows, |row| !row.item.own_attachments.is_empty());
    if own > 0 {
        parts.push(format!("{} with a file of {} own ({names})", letters(own), if own == 1 { "its" } else { "their" }));
    }
    if parts.is_empty() { "none is attached".to_owned() } else { parts.join("; ") }
}

/// The rows that get nothing, each with its reason.
fn nothing(page: &Page) -> String {
    if page.without.is_empty() {
        return String::new();
    }
    let count = page.without.len();
    let rows = if count == 1 { "1 row gets no letter".to_owned() } else { format!("{count} rows get no letter") };
    let mut html = format!("<h3>{rows}</h3>\n<ul>\n");
    for (name, reason) in page.without.iter().take(NAMES * 10) {
        let _ = writeln!(html, "<li><b>{}</b>: {}</li>", escape(name), escape(reason));
    }
    html.push_str("</ul>\n");
    html.push_str(&more(count, NAMES * 10));
    html
}

fn more(count: usize, shown: usize) -> String {
    if count > shown { format!("<p>… and {} more.</p>\n", count - shown) } else { String::new() }
}

/// What somebody should look at, with links to the letters that it is about.
fn remarks(rows: &[Row<'_>], page: &Page) -> String {
    let mut of_letters: Vec<&str> = Vec::new();
    let mut seen = HashSet::new();
    for warning in rows.iter().flat_map(|row| &row.item.warnings) {
        if seen.insert(warning.as_str()) {
            of_letters.push(warning);
        }
    }
    if of_letters.is_empty() && page.warnings.is_empty() {
        return "<h3>Remarks</h3>\n<p class=\"good\">There is nothing to remark on.</p>\n".to_owned();
    }
    let mut html = String::from("<h3 id=\"remarks\">Remarks</h3>\n<ul>\n");
    let shown: HashSet<&str> = rows.iter().map(|row| row.item.id.as_str()).collect();
    for remark in page.warnings.iter().take(NAMES) {
        let mut text = with_code(&remark.text);
        for (id, name) in remark.about.iter().filter(|(id, _)| shown.contains(id.as_str())) {
            let (name, page) = (escape(name), escape(&names::page(id)));
            text = text.replacen(&name, &format!("<a href=\"{page}\">{name}</a>"), 1);
        }
        let _ = writeln!(html, "<li>{text}</li>");
    }
    for warning in of_letters.iter().take(NAMES) {
        let (_, names) = linked(rows, |row| row.item.warnings.iter().any(|known| known == warning));
        let _ = writeln!(html, "<li>{names}: {}</li>", with_code(warning));
    }
    html.push_str("</ul>\n");
    html.push_str(&more(
        page.warnings.len() + of_letters.len(),
        page.warnings.len().min(NAMES) + of_letters.len().min(NAMES),
    ));
    html
}

/// A sentence, what stands between backquotes as code.
fn with_code(text: &str) -> String {
    let parts: Vec<String> = text.split('`').map(escape).collect();
    if parts.len().is_multiple_of(2) {
        return escape(text);
    }
    let part = |(at, part): (usize, &String)| if at % 2 == 1 { format!("<code>{part}</code>") } else { part.clone() };
    parts.iter().enumerate().map(part).collect()
}

/// How many rows fit, and their names as links.
fn linked<'r>(rows: &'r [Row<'_>], fits: impl Fn(&'r Row<'_>) -> bool) -> (usize, String) {
    let mut names = Vec::new();
    let mut count = 0;
    for row in rows.iter().filter(|row| fits(row)) {
        count += 1;
        if names.len() < NAMES {
            let (page, name) = (escape(&names::page(&row.item.id)), escape(&row.item.name));
            names.push(format!("<a href=\"{page}\" dir=\"auto\">{name}</a>"));
        }
    }
    let rest = if count > names.len() { format!(" and {} more", count - names.len()) } else { String::new() };
    (count, format!("{}{rest}", names.join(", ")))
}

fn changes(rows: &[Row<'_>], page: &Page, before: Option<&Before>) -> String {
    let mut html = String::from("<h3>What changed</h3>\n");
    match before {
        None => html.push_str("<p>There is no earlier preview in this folder to compare with.</p>\n"),
        Some(before) => {
            let what = format!("the last preview here, of {}", before.generated);
            let gone: Vec<String> = before.gone.iter().map(|id| name_of(id)).collect();
            html.push_str(&since(&what, (before.changed, before.new), &gone, rows, |row| {
                (row.since_preview, &row.kinds[0])
            }));
        }
    }
    match &page.approved {
        None => html.push_str("<p>Nothing was approved yet: this will be the first time.</p>\n"),
        Some(approved) => {
            let counts = (approved.changed, approved.new);
            html.push_str(&since(&approved.what, counts, &approved.gone, rows, |row| {
                (row.item.approved.as_ref(), &row.kinds[1])
            }));
        }
    }
    let settled = rows.iter().filter(|row| row.item.settled.is_some()).count();
    if settled > 0 {
        let _ = writeln!(
            html,
            "<p>{} of those shown went out already and will not be sent again: {}.</p>",
            letters(settled),
            linked(rows, |row| row.item.settled.is_some()).1
        );
    }
    html
}

/// What is different since then: how many letters changed, and in what; which are new; which went.
fn since<'r>(
    what: &str,
    (changed, new): (usize, usize),
    gone: &[String],
    rows: &'r [Row<'_>],
    of: impl Fn(&'r Row<'_>) -> (Option<&'r Standing>, &'r Kinds),
) -> String {
    let what = escape(what);
    if changed == 0 && new == 0 && gone.is_empty() {
        return format!("<p class=\"good\">Since {what}: nothing, every letter is the same to the byte.</p>\n");
    }
    let mut parts = Vec::new();
    if changed > 0 {
        parts.push(format!("<b>{} changed</b>", letters(changed)));
    }
    if new > 0 {
        let is = if new == 1 { "is" } else { "are" };
        let (_, names) = linked(rows, |row| matches!(of(row).0, Some(Standing::New)));
        let names = if names.is_empty() { names } else { format!(" ({names})") };
        parts.push(format!("<b>{} {is} new</b>{names}", letters(new)));
    }
    if !gone.is_empty() {
        let names: Vec<&str> = gone.iter().take(NAMES).map(String::as_str).collect();
        let rest = if gone.len() > NAMES { format!(" and {} more", gone.len() - NAMES) } else { String::new() };
        parts.push(format!("<b>{} not there any more</b> ({}){rest}", gone.len(), escape(&names.join(", "))));
    }
    let mut html = format!("<p>Since {what}: {}.</p>\n", parts.join("; "));
    let mut list = String::new();
    let of_files: BTreeSet<&str> = rows.iter().flat_map(|row| of(row).1).map(AsRef::as_ref).collect();
    for kind in KINDS.into_iter().chain(of_files.into_iter().filter(|kind| !KINDS.contains(kind))) {
        let (count, names) = linked(rows, |row| of(row).1.iter().any(|known| known == kind));
        let kind = escape(kind);
        match (count, names) {
            (0, _) => {}
            (1, names) => {
                let _ = writeln!(list, "<li>{kind} in {names}</li>");
            }
            (count, names) => {
                let _ = writeln!(list, "<li>{kind} in {count}: {names}</li>");
            }
        }
    }
    if !list.is_empty() {
        let _ = write!(html, "<ul>\n{list}</ul>\n");
    }
    html
}

/// What an id of an earlier preview is called.
fn name_of(id: &str) -> String {
    StateCode::parse(id).map_or_else(|| id.to_owned(), |code| code.state().name("en").to_owned())
}

fn approval(page: &Page) -> String {
    let mut html = format!(
        "<h3>If everything is right</h3>\n\
         <p>The digest is the fingerprint of exactly {} {}, addresses and attachments included. If anything \
         changes, it changes too, and what was approved is refused.",
        if total(page) == 1 { "this" } else { "these" },
        letters(total(page)),
    );
    match &page.approvals {
        Some(approvals) if !approvals.is_enough() => {
            let _ = writeln!(
                html,
                "</p>\n<p><b>{}</b>; each who approves runs, in the campaign's folder:</p>\n<pre tabindex=\"0\" id=\"approve\"><code>{}</code></pre>\n\
                 <p>Only then, {}, whoever sends them runs:</p>",
                escape(&approvals.so_far()),
                escape(&approvals.command),
                approvals.once()
            );
        }
        Some(approvals) => {
            let _ = writeln!(
                html,
                "</p>\n<p class=\"good\">Approved by {} ({} of {} needed).</p>\n<p>Whoever sends them runs, in the campaign's folder:</p>",
                escape(&approvals.people.join(", ")),
                approvals.people.len(),
                approvals.needed
            );
        }
        None => html.push_str(" Whoever sends them runs, in the campaign's folder:</p>\n"),
    }
    let _ = writeln!(
        html,
        "<pre tabindex=\"0\" id=\"command\"><code>{}</code></pre>\n<p class=\"quiet\">Digest of the batch: \
         <span class=\"digest\">{}</span>. Whoever approves without running anything quotes it to whoever sends: it names exactly what is shown here.</p>",
        escape(&page.command),
        page.digest
    );
    html
}
