//! What the first page says of the batch: how many letters, to whom not, what changed, who is covered, what approves it.

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write as _;

use jiff::Timestamp;

use super::approval;
use super::changed::{KINDS, Kinds};
use super::item::{Basis, Page, Standing, Word};
use super::list::Row;
use super::{Before, coverage, facts, names};
use crate::domain::markup::escape;
use crate::domain::prose::letters;
use crate::domain::state::StateCode;

/// How many names a sentence lists.
const NAMES: usize = 30;
/// How many people who approved are named.
const APPROVERS: usize = 5;

/// The whole section.
pub(super) fn section(rows: &[Row<'_>], page: &Page, before: Option<&Before>) -> String {
    let mut html = String::from(
        "<section id=\"overview\" aria-labelledby=\"overview-title\">\n<h2 id=\"overview-title\">The batch</h2>\n",
    );
    html.push_str(&placeholders(page));
    if let Some(underway) = &page.underway {
        let _ = writeln!(html, "<p id=\"underway\"><b>{}</b></p>", with_code(underway));
    }
    html.push_str(&facts::list(rows, page));
    html.push_str(&coverage::section(rows, page));
    html.push_str(&nothing(page));
    html.push_str(&remarks(rows, page));
    html.push_str(&changes(rows, page, before));
    html.push_str(&approval::section(page));
    html.push_str("</section>\n");
    html
}

pub(super) fn total(page: &Page) -> usize {
    page.languages.iter().map(|(_, count)| count).sum()
}

/// What is said before all else where a letter has no real address.
fn placeholders(page: &Page) -> String {
    let (count, total) = (page.placeholders, total(page));
    if count == 0 {
        return String::new();
    }
    let go = match count {
        1 => "1 letter goes to a placeholder address".to_owned(),
        _ => format!("{count} of {} go to placeholder addresses", letters(total)),
    };
    format!(
        "<p id=\"placeholders\" class=\"note\"><b>These letters cannot be sent to missions: {go}.</b> Such an address (as \
         ken@missions.example) stands where a mission's own has to be filled in. <span class=\"quiet\">Only a trial on this \
         machine takes it: <code>demarche rehearse</code>.</span></p>\n"
    )
}

/// The rows that get nothing, each with its reason.
fn nothing(page: &Page) -> String {
    if page.without.is_empty() {
        return String::new();
    }
    let count = page.without.len();
    let rows = if count == 1 {
        "1 entry of the list gets no letter".to_owned()
    } else {
        format!("{count} entries of the list get no letter")
    };
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
    for warning in rows.iter().flat_map(|row| &row.item.warnings).filter(|warning| !warning.told_at_once) {
        if seen.insert(warning.text.as_str()) {
            of_letters.push(&warning.text);
        }
    }
    if of_letters.is_empty() && page.warnings.is_empty() {
        return "<h3>Remarks</h3>\n<p class=\"good\">There is nothing to remark on.</p>\n".to_owned();
    }
    let mut html = String::from("<h3 id=\"remarks\">Remarks</h3>\n<ul>\n");
    let shown: HashSet<&str> = rows.iter().map(|row| row.item.id.as_str()).collect();
    for remark in page.warnings.iter().take(NAMES) {
        let mut text = with_code(&remark.text);
        // One name may be a part of another, and stands behind those before it.
        let mut from = 0;
        for (id, name) in &remark.about {
            let name = escape(name);
            let Some(at) = text[from..].find(&name).map(|at| from + at) else { continue };
            let link = if shown.contains(id.as_str()) {
                format!("<a href=\"{}\">{name}</a>", escape(&names::page(id)))
            } else {
                name.clone()
            };
            text.replace_range(at..at + name.len(), &link);
            from = at + link.len();
        }
        let _ = writeln!(html, "<li>{text}</li>");
    }
    for warning in of_letters.iter().take(NAMES) {
        let (_, names) = linked(rows, |row| row.item.warnings.iter().any(|known| known.text == *warning));
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
pub(super) fn with_code(text: &str) -> String {
    let parts: Vec<String> = text.split('`').map(escape).collect();
    if parts.len().is_multiple_of(2) {
        return escape(text);
    }
    let part = |(at, part): (usize, &String)| if at % 2 == 1 { format!("<code>{part}</code>") } else { part.clone() };
    parts.iter().enumerate().map(part).collect()
}

/// How many rows fit, and their names as links.
pub(super) fn linked<'r>(rows: &'r [Row<'_>], fits: impl Fn(&'r Row<'_>) -> bool) -> (usize, String) {
    linked_of(rows.iter().filter(|row| fits(row)))
}

fn linked_of<'r, 'i: 'r>(rows: impl Iterator<Item = &'r Row<'i>>) -> (usize, String) {
    let mut names = Vec::new();
    let mut count = 0;
    for row in rows {
        count += 1;
        if names.len() < NAMES {
            names.push(link(row));
        }
    }
    let rest = if count > names.len() { format!(" and {} more", count - names.len()) } else { String::new() };
    (count, format!("{}{rest}", names.join(", ")))
}

pub(super) fn link(row: &Row<'_>) -> String {
    format!("<a href=\"{}\" dir=\"auto\">{}</a>", escape(&names::page(&row.item.id)), escape(&row.item.name))
}

fn changes(rows: &[Row<'_>], page: &Page, before: Option<&Before>) -> String {
    let mut html = String::from("<h3>What changed</h3>\n");
    let mut last = Since::default();
    let times = Times::of(page, before);
    match before {
        None => html.push_str("<p>There is no earlier preview in this folder to compare with.</p>\n"),
        Some(before) => {
            let what = format!("the last preview here, of {}", times.told(&before.generated));
            let gone: Vec<String> = before.gone.iter().map(|id| name_of(id)).collect();
            last = since((before.changed, before.new), &gone, rows, 0);
            html.push_str(&told_since(&what, &last));
        }
    }
    match &page.approved {
        None => html.push_str("<p>Nothing was approved yet: this will be the first time.</p>\n"),
        Some(approved) => {
            let counts = (approved.changed, approved.new);
            let now = since(counts, &approved.gone, rows, 1);
            let is_other = !now.sentence.is_empty();
            let what = times.basis(&approved.basis);
            let is_alike = now == last && rows.iter().all(|row| row.kinds[0] == row.kinds[1]);
            if is_other && is_alike {
                let same = match counts {
                    (1, 0) if approved.gone.is_empty() => "<b>the same letter changed</b>, in the same way".to_owned(),
                    (_, 0) if approved.gone.is_empty() => format!("the same {}, in the same way", now.sentence),
                    _ => format!("{}, in the same way", now.sentence),
                };
                let _ = writeln!(html, "<p>Since {}: {same}.</p>", escape(&what));
            } else {
                html.push_str(&told_since(&what, &now));
            }
            if let (true, Basis::Words(words)) = (is_other, &approved.basis) {
                let no_more =
                    if words.len() == 1 { "That approval no longer counts" } else { "Those approvals no longer count" };
                let _ = writeln!(html, "<p class=\"alert\">{no_more}: the letters are other ones now.</p>");
            }
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

/// What is different since then.
#[derive(Debug, Default, PartialEq)]
struct Since {
    /// How many letters changed, which are new, which went; empty if nothing did.
    sentence: String,
    /// What changed, each in which letters.
    list: String,
}

fn told_since(what: &str, since: &Since) -> String {
    let what = escape(what);
    if since.sentence.is_empty() {
        return format!("<p class=\"good\">Since {what}: nothing, every letter is the same to the byte.</p>\n");
    }
    let list = if since.list.is_empty() { String::new() } else { format!("<ul>\n{}</ul>\n", since.list) };
    format!("<p>Since {what}: {}.</p>\n{list}", since.sentence)
}

/// `base` is 0 for since the earlier preview, 1 for since the approval.
fn since<'r>((changed, new): (usize, usize), gone: &[String], rows: &'r [Row<'_>], base: usize) -> Since {
    let standing = |row: &'r Row<'_>| if base == 0 { row.since_preview } else { row.item.approved.as_ref() };
    let mut parts = Vec::new();
    if changed > 0 {
        parts.push(format!("<b>{} changed</b>", letters(changed)));
    }
    if new > 0 {
        let is = if new == 1 { "is" } else { "are" };
        let (_, names) = linked(rows, |row| matches!(standing(row), Some(Standing::New)));
        let names = if names.is_empty() { names } else { format!(" ({names})") };
        parts.push(format!("<b>{} {is} new</b>{names}", letters(new)));
    }
    if !gone.is_empty() {
        let names: Vec<&str> = gone.iter().take(NAMES).map(String::as_str).collect();
        let rest = if gone.len() > NAMES { format!(" and {} more", gone.len() - NAMES) } else { String::new() };
        parts.push(format!("<b>{} not there any more</b> ({}){rest}", gone.len(), escape(&names.join(", "))));
    }
    Since { sentence: parts.join("; "), list: kinds_of_change(rows, base) }
}

/// What changed in all letters, once; then what changed in some, with their names.
fn kinds_of_change(rows: &[Row<'_>], base: usize) -> String {
    let none = Kinds::new();
    let in_all = rows.first().map_or(&none, |row| &row.in_all[base]);
    let mut list = String::new();
    for kind in in_all {
        let _ = writeln!(list, "<li>In all {}: {}</li>", letters(rows.len()), kind.html());
    }
    let of = |row: &&Row<'_>| row.kinds[base].iter().filter(|kind| !in_all.contains(kind)).cloned().collect::<Kinds>();
    let by_itself: Vec<Kinds> = rows.iter().map(|row| of(&row)).collect();
    let of_files: BTreeSet<&str> = by_itself.iter().flatten().map(|kind| kind.what.as_ref()).collect();
    for kind in KINDS.into_iter().chain(of_files.into_iter().filter(|kind| !KINDS.contains(kind))) {
        let has = |kinds: &Kinds| kinds.iter().any(|known| known.what == kind);
        let fitting = rows.iter().zip(&by_itself).filter(|(_, kinds)| has(kinds)).map(|(row, _)| row);
        let (count, names) = linked_of(fitting);
        let html = by_itself.iter().flatten().find(|known| known.what == kind).map(super::changed::Kind::html);
        let kind = html.unwrap_or_default();
        let _ = match count {
            0 => Ok(()),
            1 => writeln!(list, "<li>{kind} in {names}</li>"),
            _ => writeln!(list, "<li>{kind} in {count}: {names}</li>"),
        };
    }
    list
}

/// The times that one section tells: when this preview was made, the last one, and what was approved.
struct Times(Vec<String>);

impl Times {
    fn of(page: &Page, before: Option<&Before>) -> Self {
        let mut all = vec![to_the_second(page.generated)];
        all.extend(before.map(|before| before.generated.clone()));
        match page.approved.as_ref().map(|approved| &approved.basis) {
            Some(Basis::Frozen(at)) => all.push(to_the_second(*at)),
            Some(Basis::Words(words)) => all.extend(words.iter().map(|word| to_the_second(word.at))),
            None => {}
        }
        Self(all)
    }

    /// A time as a manifest tells it, without its seconds unless another one is in the same minute.
    fn told(&self, time: &str) -> String {
        match (time.get(..16), time.get(16..)) {
            (Some(minute), Some(rest)) if rest.len() == 7 && rest.starts_with(':') && rest.ends_with(" UTC") => {
                let is_alone = self.0.iter().filter(|other| other.starts_with(minute)).count() < 2;
                if is_alone { format!("{minute} UTC") } else { time.to_owned() }
            }
            _ => time.to_owned(),
        }
    }

    /// What comes behind "Since": `A approved (2021-10-18 14:02 UTC, “read on paper”) and B (2021-10-19 08:00 UTC)`.
    fn basis(&self, basis: &Basis) -> String {
        let words = match basis {
            Basis::Frozen(at) => return format!("the letters were frozen on {}", self.told(&to_the_second(*at))),
            Basis::Words(words) => words,
        };
        let one = |(at, word): (usize, &Word)| {
            let verb = if at == 0 { " approved" } else { "" };
            let note = if word.note.is_empty() { String::new() } else { format!(", “{}”", word.note) };
            format!("{}{verb} ({}{note})", word.by, self.told(&to_the_second(word.at)))
        };
        let mut named: Vec<String> = words.iter().take(APPROVERS).enumerate().map(one).collect();
        if words.len() > APPROVERS {
            named.push(format!("{} more", words.len() - APPROVERS));
        }
        let last = named.pop().unwrap_or_default();
        if named.is_empty() { last } else { format!("{} and {last}", named.join(", ")) }
    }
}

fn to_the_second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// What an id of an earlier preview is called.
fn name_of(id: &str) -> String {
    StateCode::parse(id).map_or_else(|| id.to_owned(), |code| code.state().name("en").to_owned())
}
