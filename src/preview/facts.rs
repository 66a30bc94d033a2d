//! What the batch is, in a list of facts: how many letters, in which languages, to whom, with what, and when.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::item::{Moment, Page};
use super::list::Row;
use super::overview::{link, linked, total};
use super::{Attached, address, language_name, size};
use crate::domain::markup::escape;
use crate::domain::prose::letters;

/// Up to so many letters of one kind are named where they are counted.
const FEW: usize = 6;

/// The facts, each by its name.
pub(super) fn list(rows: &[Row<'_>], page: &Page) -> String {
    let mut list = String::from("<dl>\n");
    let mut fact = |name: &str, html: &str| {
        let _ = writeln!(list, "<dt>{name}</dt><dd>{html}</dd>");
    };
    let total = total(page);
    let languages: Vec<String> = match page.languages.as_slice() {
        [(language, _)] if total > 1 => vec![format!("all in {}", escape(language_name(language)))],
        several => several
            .iter()
            .map(|(language, count)| {
                let text = format!("{count} in {}", escape(language_name(language)));
                named_if_few(text, *count, total, rows, |row| row.item.language.as_str() == language)
            })
            .collect(),
    };
    let and = if page.languages.len() > 1 { ":" } else { "," };
    fact("Letters", &format!("{total}{and} {}", languages.join("; ")));
    let largest =
        rows.iter().max_by_key(|row| row.item.bytes).filter(|_| rows.len() > 1).map_or_else(String::new, |row| {
            let of = if rows.len() < total { " of those shown" } else { "" };
            format!("; the largest{of} has {} ({})", size(row.item.bytes), link(row))
        });
    fact("Size", &format!("{} together{largest}", size(page.octets)));
    fact("Addressees by the list", &addressees(rows));
    fact("Copies", &copies(rows, page));
    if rows.len() < total {
        fact("Shown here", &format!("{} of them; the digest below stands for all {total}", rows.len()));
    }
    fact("From", &format!("<bdi>{}</bdi>", address(&page.from)));
    if let Some(reply_to) = &page.reply_to {
        fact("Replies go to", &format!("<bdi>{}</bdi>", address(reply_to)));
    }
    fact("Files", &files(rows));
    if let Some(event) = &page.event {
        fact("Event", &moment(event));
    }
    if !page.dates.is_empty() {
        let dates: Vec<String> = page.dates.iter().map(moment).collect();
        fact("Dates set", &dates.join("; "));
    }
    fact("Made", &page.generated.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
    list.push_str("</dl>\n");
    list
}

/// When something is, and how far that is away.
fn moment(moment: &Moment) -> String {
    let class = if moment.is_past { "alert" } else { "quiet" };
    format!("{} <span class=\"{class}\">({})</span>", escape(&moment.text), escape(&moment.away))
}

/// `text` with the names of those that fit, where they are few of many.
fn named_if_few<'r>(
    text: String,
    count: usize,
    total: usize,
    rows: &'r [Row<'_>],
    fits: impl Fn(&'r Row<'_>) -> bool,
) -> String {
    if count > FEW || count == total {
        return text;
    }
    let (shown, names) = linked(rows, fits);
    if shown == 0 { text } else { format!("{text} ({names})") }
}

/// Whom the letters address, as the list has it.
fn addressees(rows: &[Row<'_>]) -> String {
    let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows {
        *groups.entry(row.item.addressee.group()).or_default() += 1;
    }
    let mut groups: Vec<(&str, usize)> = groups.into_iter().collect();
    groups.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let group = |(group, count): &(&str, usize)| {
        let text = format!("{group} {count}");
        named_if_few(text, *count, rows.len(), rows, |row| row.item.addressee.group() == *group)
    };
    let groups: Vec<String> = groups.iter().map(group).collect();
    format!(
        "{}. <span class=\"quiet\">Whom a letter itself addresses, its own first lines say.</span>",
        groups.join("; ")
    )
}

/// Who gets a copy, openly or not.
fn copies(rows: &[Row<'_>], page: &Page) -> String {
    let count = |(count, names): (usize, String), kind: &str| match count {
        0 => format!("no {kind}"),
        1 => format!("1 letter has a {}: {names}", kind.trim_end_matches("ies").to_owned() + "y"),
        _ => format!("{count} letters have {kind}: {names}"),
    };
    let open = count(linked(rows, |row| !row.item.cc.is_empty()), "copies");
    let own = |row: &&Row<'_>| row.item.bcc.iter().any(|mailbox| !page.archive.contains(mailbox));
    let blind = count(linked(rows, |row| own(&row)), "blind copies");
    let archive: Vec<String> = page.archive.iter().map(|it| format!("<bdi>{}</bdi>", address(it))).collect();
    let archive = match archive.len() {
        0 => String::new(),
        1 => format!("; a blind copy of every letter to {}", archive[0]),
        _ => format!("; blind copies of every letter to {}", archive.join(", ")),
    };
    format!("{open}; {blind}{archive}")
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
