//! The list of the letters: real links, so that it reads without a script; and the same rows as data for the search page.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;

use super::document::embedded;
use super::item::{Gets, Item, Page, Standing};
use super::overview::with_code;
use super::{Kinds, folder, language_name, names, size};
use crate::domain::markup::escape;

/// How many letters one page lists.
pub(super) const PER_PAGE: usize = 500;

/// A row of the list, and what it is found by.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) item: &'a Item,
    /// Against the preview before; `None` where there was none.
    pub(super) since_preview: Option<&'a Standing>,
    /// What changed in it since the earlier preview, and since it was approved.
    pub(super) kinds: &'a [Kinds; 2],
    /// What changed in the same way in all letters shown.
    pub(super) in_all: &'a [Kinds; 2],
    /// True if it addresses whom most letters do.
    pub(super) is_usual: bool,
}

impl Row<'_> {
    /// True if more changed in it than in all letters: 0 for since the earlier preview, 1 for since the approval.
    fn changed_by_itself(&self, base: usize) -> bool {
        self.kinds[base].iter().any(|kind| !self.in_all[base].contains(kind))
    }
}

/// Whom most letters address; `None` without letters.
pub(super) fn usual(items: &[Item]) -> Option<&'static str> {
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    for item in items {
        *counts.entry(item.addressee.group()).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map(|(group, _)| group)
}

/// What a row is marked with: the filter's word, and how it reads.
fn marks<'a>(row: &Row<'a>) -> Vec<(&'static str, Cow<'a, str>)> {
    let item = row.item;
    let mut marks = Vec::new();
    marks.extend(item.warnings.iter().map(|warning| ("warned", warning.text.as_str().into())));
    match row.since_preview {
        Some(Standing::New) => marks.push(("changed", "new since the last preview".into())),
        Some(Standing::Changed(_)) if row.changed_by_itself(0) => {
            marks.push(("changed", "changed since the last preview".into()));
        }
        _ => {}
    }
    match item.approved {
        Some(Standing::New) => marks.push(("unapproved", "not among the letters approved".into())),
        Some(Standing::Changed(_)) if row.changed_by_itself(1) => {
            marks.push(("unapproved", "changed since it was approved".into()));
        }
        _ => {}
    }
    if let Some(settled) = &item.settled {
        marks.push(("settled", settled.into()));
    }
    if !item.own_attachments.is_empty() {
        marks.push(("own", format!("its own file: {}", item.own_attachments.join(", ")).into()));
    }
    if !row.is_usual {
        marks.push(("addressed", format!("to {}", item.addressee.in_words()).into()));
    }
    if let Some(chosen) = item.chosen {
        marks.push(("chosen", chosen.into()));
    }
    marks
}

fn group(item: &Item) -> (&'static str, &'static str) {
    item.state.map_or(("", ""), |code| {
        let state = code.state();
        (state.group.as_str(), state.group_name.as_str())
    })
}

/// One `li`.
fn entry(row: &Row<'_>) -> String {
    let item = row.item;
    let marks = marks(row);
    let words: Vec<&str> = marks.iter().map(|(word, _)| *word).collect();
    let language = escape(item.language.as_str());
    let mut html = format!(
        "<li id=\"row-{id}\" data-id=\"{id}\" data-language=\"{language}\" data-group=\"{}\" data-marks=\"{}\" data-more=\"{}\">\
         <a class=\"name\" href=\"{}\" dir=\"auto\">{}</a> <span class=\"tag\">{}</span> <span class=\"size\">{}</span>\
         <span class=\"to\">{}</span><span class=\"subject\" lang=\"{language}\" dir=\"auto\">{}</span>",
        escape(group(item).0),
        words.join(" "),
        escape(&item.addressee.in_words()),
        escape(&names::page(&item.id)),
        escape(&item.name),
        escape(language_name(item.language.as_str())),
        size(item.bytes),
        addresses(item),
        escape(&item.subject),
        id = escape(&item.id),
    );
    for (word, text) in &marks {
        let _ = write!(html, "<span class=\"mark {word}\">{}</span>", with_code(text));
    }
    html.push_str("</li>\n");
    html
}

fn addresses(item: &Item) -> String {
    let labelled = [("", &item.to), ("Cc ", &item.cc), ("Bcc ", &item.bcc)];
    let all: Vec<String> = labelled
        .into_iter()
        .flat_map(|(label, mailboxes)| {
            mailboxes.iter().map(move |m| format!("{label}<bdi>{}</bdi>", super::address(m)))
        })
        .collect();
    all.join(", ")
}

/// The list of `rows`, below the tools and the links to its other pages.
pub(super) fn section(rows: &[Row<'_>], tools: &str, pager: &str, without: &str) -> String {
    let mut html =
        String::from("<section id=\"list\" aria-labelledby=\"list-title\">\n<h2 id=\"list-title\">The letters</h2>\n");
    html.push_str(tools);
    html.push_str(pager);
    html.push_str("<ol id=\"letters\">\n");
    for row in rows {
        html.push_str(&entry(row));
    }
    html.push_str("</ol>\n");
    html.push_str(NOTHING);
    html.push_str(without);
    html.push_str("</section>\n");
    html
}

/// What is said where no letter fits.
const NOTHING: &str =
    "<p id=\"nothing\" hidden><span id=\"why\">No letter fits.</span> Press Escape to see all of them again.</p>\n";

/// The missions that get no letter, each with the reason, as data: who searches for one is told.
pub(super) fn without(page: &Page) -> String {
    let of_audience = page.coverage.iter().filter_map(|reach| {
        let reason = match &reach.row {
            Some((_, Gets::Letter)) => return None,
            Some((_, Gets::Nothing(reason))) => reason.as_str(),
            None => "it is not in the list of recipients",
        };
        Some(serde_json::json!([reach.state.state().name("en"), reason, reach.state]))
    });
    let others = page.without.iter().map(|(name, reason)| serde_json::json!([name, reason, ""]));
    let data: Vec<serde_json::Value> = of_audience.chain(others).collect();
    format!("<script type=\"application/json\" id=\"without\">{}</script>\n", embedded(&data.into()))
}

/// The search page of a batch of several pages: the rows as data, the list made of what is found.
pub(super) fn search_section(out: &mut impl io::Write, rows: &[Row<'_>], without: &str) -> io::Result<()> {
    write!(
        out,
        "<section id=\"list\" aria-labelledby=\"list-title\">\n<h2 id=\"list-title\">Search all letters</h2>\n{}\
         <noscript><p>Searching needs JavaScript. Without it, read the <a href=\"index.html\">list</a> page by page.</p></noscript>\n\
         <ol id=\"letters\"></ol>\n{NOTHING}{without}</section>\n<script type=\"application/json\" id=\"rows\">[",
        tools(rows, false)
    )?;
    for (at, row) in rows.iter().enumerate() {
        let (item, marks) = (row.item, marks(row));
        let words: Vec<&str> = marks.iter().map(|(word, _)| *word).collect();
        let texts: Vec<&str> = marks.iter().map(|(_, text)| text.as_ref()).collect();
        let to: Vec<&str> = item.to.iter().chain(&item.cc).chain(&item.bcc).map(String::as_str).collect();
        let data = serde_json::json!([
            item.id,
            item.name,
            item.language,
            group(item).0,
            size(item.bytes),
            to.join(", "),
            item.subject,
            words.join(" "),
            texts.join("\n").replace('`', ""),
            language_name(item.language.as_str()),
            item.addressee.in_words()
        ]);
        write!(out, "{}{}", if at == 0 { "" } else { "," }, embedded(&data))?;
    }
    writeln!(out, "]</script>")
}

/// The search box and the filters, which a script shows. `rows` are all letters; with `elsewhere` the search leads to a page of
/// its own.
pub(super) fn tools(rows: &[Row<'_>], elsewhere: bool) -> String {
    let languages: BTreeSet<&str> = rows.iter().map(|row| row.item.language.as_str()).collect();
    // Where there is nothing to choose from, nothing is asked.
    let unless = |there: bool| if there { "" } else { " hidden" };
    let several_languages = unless(languages.len() > 1);
    let groups: BTreeSet<_> = rows.iter().map(|row| group(row.item)).filter(|(code, _)| !code.is_empty()).collect();
    let option = |value: &str, text: &str| format!("<option value=\"{}\">{}</option>", escape(value), escape(text));
    let languages: String = languages.iter().map(|language| option(language, language_name(language))).collect();
    let groups: String = groups.iter().map(|(code, name)| option(code, name.trim_end_matches(" States"))).collect();
    let there: BTreeSet<&str> = rows.iter().flat_map(marks).map(|(word, _)| word).collect();
    let but = |base: usize| rows.first().is_some_and(|row| !row.in_all[base].is_empty());
    let but = [but(0), but(1)].map(|there| if there { " (not as in all)" } else { "" });
    let others: BTreeSet<&str> =
        rows.iter().filter(|row| !row.is_usual).map(|row| row.item.addressee.group()).collect();
    // More of them have no room in the box.
    let otherwise = if others.len() > 2 {
        "addressed differently from most".to_owned()
    } else {
        format!("addressed: {}", others.into_iter().collect::<Vec<_>>().join(", "))
    };
    let kinds: String = [
        ("warned", "with remarks".to_owned()),
        ("changed", format!("changed since the last preview{}", but[0])),
        ("unapproved", format!("other than approved{}", but[1])),
        ("settled", "that went out already".to_owned()),
        ("own", "with their own attachment".to_owned()),
        ("addressed", otherwise),
    ]
    .into_iter()
    .filter(|(word, _)| there.contains(word))
    .map(|(word, text)| option(word, &text))
    .collect();
    let compare = if rows.len() > 1 {
        format!(" <a id=\"to-compare\" href=\"{}\">Compare two letters</a>", folder::COMPARE)
    } else {
        String::new()
    };
    let scope = if elsewhere { " data-elsewhere=\"search.html\"" } else { "" };
    format!(
        "<div id=\"tools\" role=\"search\"{scope} hidden>\n\
         <label class=\"wide\"><span>Search</span> <input id=\"find\" type=\"search\" autocomplete=\"off\" spellcheck=\"false\" placeholder=\"Name, address, subject …\"></label>\n\
         <label{several_languages}><span>Language</span> <select id=\"language\"><option value=\"\">all</option>{languages}</select></label>\n\
         <label{}><span>Regional group</span> <select id=\"group\"><option value=\"\">all</option>{groups}</select></label>\n\
         <label{}><span>Only</span> <select id=\"mark\"><option value=\"\">all letters</option>{kinds}</select></label>\n\
         <p><span id=\"count\" role=\"status\"></span>{compare} <button type=\"button\" id=\"help-button\">Keyboard</button></p>\n</div>\n\
         <p id=\"found\" class=\"paper-only\" hidden></p>\n",
        unless(!groups.is_empty()),
        unless(!kinds.is_empty()),
    )
}
