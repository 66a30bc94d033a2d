//! What the first page says of the batch: how many letters, to whom not, what changed, who is covered, what approves it.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use super::item::{Gets, Page, Reach, Standing};
use super::letter_page::KINDS;
use super::list::Row;
use super::manifest::Before;
use super::{language_name, page_name, size};
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
    html.push_str(&coverage(rows, page));
    html.push_str(&nothing(page));
    html.push_str(&remarks(rows, page));
    html.push_str(&changes(rows, page, before));
    html.push_str(&approval(page));
    html.push_str("</section>\n");
    html
}

fn total(page: &Page) -> usize {
    page.languages.iter().map(|(_, count)| count).sum()
}

fn letters(count: usize) -> String {
    if count == 1 { "1 letter".to_owned() } else { format!("{count} letters") }
}

fn facts(rows: &[Row<'_>], page: &Page) -> String {
    let mut list = String::from("<dl>\n");
    let mut fact = |name: &str, html: &str| {
        let _ = writeln!(list, "<dt>{name}</dt><dd>{html}</dd>");
    };
    let languages: Vec<String> =
        page.languages.iter().map(|(language, count)| format!("{count} in {}", language_name(language))).collect();
    let total = total(page);
    fact("Letters", &escape(&format!("{total} ({}), {} in all", languages.join(", "), size(page.octets))));
    if rows.len() < total {
        fact("Shown here", &format!("{} of them; the digest below stands for all {total}", rows.len()));
    }
    fact("From", &format!("<bdi>{}</bdi>", escape(&page.from)));
    if let Some(reply_to) = &page.reply_to {
        fact("Answers to", &format!("<bdi>{}</bdi>", escape(reply_to)));
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
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for row in rows {
        for name in row.item.attachments.iter().filter(|name| !row.item.own_attachments.contains(name)) {
            match counts.iter_mut().find(|(known, _)| known == name) {
                Some((_, count)) => *count += 1,
                None => counts.push((name, 1)),
            }
        }
    }
    let mut parts: Vec<String> = counts
        .into_iter()
        .map(|(name, count)| {
            let with = if count == rows.len() { "every letter".to_owned() } else { letters(count) };
            format!("<bdi>{}</bdi> with {with}", escape(name))
        })
        .collect();
    let (own, names) = linked(rows, |row| !row.item.own_attachments.is_empty());
    if own > 0 {
        parts.push(format!("{} with a file of {} own ({names})", letters(own), if own == 1 { "its" } else { "their" }));
    }
    if parts.is_empty() { "none is attached".to_owned() } else { parts.join("; ") }
}

/// Did we write to all of them? One line a group, and every name behind it.
fn coverage(rows: &[Row<'_>], page: &Page) -> String {
    let mut html = String::from("<h3 id=\"coverage\">Who is covered</h3>\n");
    if page.coverage.is_empty() {
        html.push_str(
            "<p>The list is of any kind (<code>recipients.audience = \"any\"</code>): nobody in particular is expected.</p>\n",
        );
        return html;
    }
    let gets = |reach: &&Reach| matches!(reach.row, Some((_, Gets::Letter)));
    let (reached, expected) = (page.coverage.iter().filter(gets).count(), page.coverage.len());
    if reached == expected {
        let _ = writeln!(html, "<p class=\"good\">All {expected} missions get a letter.</p>");
    } else {
        let _ =
            writeln!(html, "<p class=\"alert\">{reached} of {expected} missions get a letter. These do not:</p>\n<ul>");
        for reach in page.coverage.iter().filter(|reach| !gets(reach)) {
            let why = match &reach.row {
                Some((_, Gets::Nothing(reason))) => reason.as_str(),
                _ => "has no row in the recipients file",
            };
            let _ = writeln!(html, "<li><b>{}</b>: {}</li>", escape(reach.state.state().name("en")), escape(why));
        }
        html.push_str("</ul>\n");
    }
    if page.beyond > 0 {
        let _ = writeln!(
            html,
            "<p>{} more {} to others than these {expected}.</p>",
            letters(page.beyond),
            if page.beyond == 1 { "goes" } else { "go" }
        );
    }
    named(&mut html, "Several rows, and so several letters", &page.doubled);
    named(&mut html, "Rows of states that were not asked for", &page.foreign);
    html.push_str(&groups(rows, page));
    html
}

fn named(html: &mut String, what: &str, names: &[String]) {
    if !names.is_empty() {
        let _ = writeln!(html, "<p class=\"alert\">{what}: {}</p>", escape(&names.join(", ")));
    }
}

/// Every state, behind its group's name.
fn groups(rows: &[Row<'_>], page: &Page) -> String {
    let mut html = String::new();
    let shown: HashSet<&str> = rows.iter().map(|row| row.item.id.as_str()).collect();
    let mut groups: BTreeMap<&str, Vec<&Reach>> = BTreeMap::new();
    for reach in &page.coverage {
        groups.entry(&reach.state.state().group_name).or_default().push(reach);
    }
    for (name, states) in groups {
        let reached = states.iter().filter(|reach| matches!(reach.row, Some((_, Gets::Letter)))).count();
        let class = if reached == states.len() { "quiet" } else { "alert" };
        let name = if name.is_empty() { "Observers" } else { name };
        let _ = writeln!(
            html,
            "<details class=\"group\"><summary>{} <span class=\"{class}\">{reached} of {}</span></summary>\n<ul class=\"states\">",
            escape(name),
            states.len()
        );
        for reach in states {
            html.push_str(&state(reach, &shown));
        }
        html.push_str("</ul>\n</details>\n");
    }
    html
}

fn state(reach: &Reach, shown: &HashSet<&str>) -> String {
    let name = escape(reach.state.state().name("en"));
    match &reach.row {
        Some((id, Gets::Letter)) if shown.contains(id.as_str()) => {
            format!("<li><a href=\"{}\">{name}</a></li>\n", escape(&page_name(id)))
        }
        Some((_, Gets::Letter)) => format!("<li>{name}</li>\n"),
        Some((_, Gets::Nothing(_))) => format!("<li class=\"alert\">{name}: gets none</li>\n"),
        None => format!("<li class=\"alert\">{name}: has no row</li>\n"),
    }
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

/// What somebody should look at.
fn remarks(rows: &[Row<'_>], page: &Page) -> String {
    let warned = rows.iter().filter(|row| !row.item.warnings.is_empty()).count();
    if warned == 0 && page.warnings.is_empty() {
        return "<h3>Remarks</h3>\n<p class=\"good\">There is nothing to remark on.</p>\n".to_owned();
    }
    let mut html = String::from("<h3>Remarks</h3>\n");
    if !page.warnings.is_empty() {
        html.push_str("<ul>\n");
        for warning in page.warnings.iter().take(NAMES) {
            let _ = writeln!(html, "<li>{}</li>", with_code(warning));
        }
        html.push_str("</ul>\n");
        html.push_str(&more(page.warnings.len(), NAMES));
    }
    if warned > 0 {
        let _ = writeln!(
            html,
            "<p>On {} of a mission: {}.</p>",
            letters(warned),
            linked(rows, |row| !row.item.warnings.is_empty()).1
        );
    }
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
            let (page, name) = (escape(&page_name(&row.item.id)), escape(&row.item.name));
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
    of: impl Fn(&'r Row<'_>) -> (Option<&'r Standing>, &'r Vec<&'static str>),
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
    for kind in KINDS {
        match linked(rows, |row| of(row).1.contains(&kind)) {
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
         <p>The digest stands for exactly these {}, their addresses included. If anything changes, it changes too, and \
         what was approved is refused.",
        letters(total(page)),
    );
    match &page.approvals {
        Some(approvals) if !approvals.is_enough() => {
            let _ = writeln!(
                html,
                "</p>\n<p><b>{}</b>; each who approves runs:</p>\n<pre tabindex=\"0\" id=\"approve\"><code>{}</code></pre>\n\
                 <p>Only then, {}, whoever sends them runs:</p>",
                escape(&approvals.so_far()),
                escape(&approvals.command),
                approvals.once()
            );
        }
        Some(approvals) => {
            let _ = writeln!(
                html,
                "</p>\n<p class=\"good\">Approved by {} ({} of {} needed).</p>\n<p>Whoever sends them runs:</p>",
                escape(&approvals.people.join(", ")),
                approvals.people.len(),
                approvals.needed
            );
        }
        None => html.push_str(" Whoever sends them runs:</p>\n"),
    }
    let _ = writeln!(
        html,
        "<pre tabindex=\"0\" id=\"command\"><code>{}</code></pre>\n<p class=\"quiet\">digest: <span class=\"digest\">{}</span></p>",
        escape(&page.command),
        page.digest
    );
    html
}
