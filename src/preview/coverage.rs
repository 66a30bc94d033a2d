//! Who of the audience gets a letter, who does not and why, and how all letters of the batch come about.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

use super::item::{Gets, Page, Reach};
use super::list::Row;
use super::names;
use super::overview::total;
use crate::domain::markup::escape;
use crate::domain::prose::letters;

/// Did we write to all of them? One line a group, and every name behind it.
pub(super) fn section(rows: &[Row<'_>], page: &Page) -> String {
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
        let _ = writeln!(
            html,
            "<p class=\"alert\">{reached} of {expected} missions get a letter. {}:</p>\n<ul>",
            without(page)
        );
        for reach in page.coverage.iter().filter(|reach| !gets(reach)) {
            let why = match &reach.row {
                Some((_, Gets::Nothing(reason))) => reason.as_str(),
                _ => "is not in the list of recipients",
            };
            let _ = writeln!(html, "<li><b>{}</b>: {}</li>", escape(reach.state.state().name("en")), escape(why));
        }
        html.push_str("</ul>\n");
    }
    html.push_str(&sum(page, reached));
    named(&mut html, "In the list several times, and so with several letters", &page.doubled);
    named(&mut html, "States in the list that were not asked for", &page.foreign);
    html.push_str(&groups(rows, page));
    html
}

/// How many of the audience get nothing, and why in short: with those who do they are all of them.
fn without(page: &Page) -> String {
    let left_out = page.coverage.iter().filter(|reach| matches!(reach.row, Some((_, Gets::Nothing(_))))).count();
    let missing = page.coverage.iter().filter(|reach| reach.row.is_none()).count();
    let part = |count: usize, one: &str, many: &str| match count {
        0 => None,
        1 => Some(format!("1 {one}")),
        _ => Some(format!("{count} {many}")),
    };
    let parts =
        [part(left_out, "is left out", "are left out"), part(missing, "is not in the list", "are not in the list")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" and ")
}

/// How all letters of the batch come about, where they are not one for each mission of the audience.
fn sum(page: &Page, reached: usize) -> String {
    let total = total(page);
    let again = total.saturating_sub(reached + page.beyond);
    let mut parts = vec![format!("{reached} to different missions")];
    if again > 0 {
        parts.push(format!("{again} more to {}", if again == 1 { "one of them" } else { "some of them" }));
    }
    if page.beyond > 0 {
        parts.push(format!("{} to others than these missions", page.beyond));
    }
    if parts.len() == 1 { String::new() } else { format!("<p>{}: {}.</p>\n", letters(total), parts.join(", ")) }
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
            format!("<li><a href=\"{}\">{name}</a></li>\n", escape(&names::page(id)))
        }
        Some((_, Gets::Letter)) => format!("<li>{name}</li>\n"),
        Some((_, Gets::Nothing(_))) => format!("<li class=\"alert\">{name}: gets no letter</li>\n"),
        None => format!("<li class=\"alert\">{name}: not in the list</li>\n"),
    }
}
