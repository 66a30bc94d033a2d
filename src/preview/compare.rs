//! The page that puts two letters side by side and marks what differs. It reads them from their own pages, in frames.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::document::Document;
use super::item::Item;
use crate::domain::markup::escape;

/// Up to here all letters are offered by name; of more, one is typed by its id.
const OFFERED: usize = 2_000;

/// The whole page.
pub(super) fn page(items: &[Item], campaign: &str, without: &str) -> String {
    let mut body = String::from(
        "<nav id=\"ways\" aria-label=\"Letters\"><a id=\"all\" href=\"index.html\">All letters</a></nav>\n<main>\n<h1>Two letters side by side</h1>\n\
         <p class=\"quiet\">What the merge made different is marked. How a paragraph is broken into lines is no difference.</p>\n\
         <noscript><p>Comparing needs JavaScript. Without it, open two letters in two windows.</p></noscript>\n\
         <div id=\"pick\" hidden>\n",
    );
    for (side, label) in [("a", "One mission"), ("b", "The other")] {
        let _ = writeln!(
            body,
            "<label><span>{label}</span> <input id=\"{side}\" list=\"missions\" autocomplete=\"off\" spellcheck=\"false\"></label>"
        );
    }
    body.push_str(
        "<label class=\"check\"><input type=\"checkbox\" id=\"only\"> <span>Only what differs</span></label>\n\
         <button type=\"button\" id=\"swap\">Next pair</button>\n</div>\n<datalist id=\"missions\">\n",
    );
    let offered = if items.len() > OFFERED { &[] } else { items };
    let mut names: HashMap<&str, usize> = HashMap::new();
    for item in offered {
        *names.entry(&item.name).or_default() += 1;
    }
    for item in offered {
        // One is chosen by the name alone where no other row has it.
        let again = if names[item.name.as_str()] > 1 { format!(" ({})", item.id) } else { String::new() };
        let (id, name) = (escape(&item.id), escape(&format!("{}{again}", item.name)));
        let _ = writeln!(body, "<option value=\"{name}\" data-id=\"{id}\">{id}</option>");
    }
    body.push_str(
        "</datalist>\n<p id=\"told\" role=\"status\"></p>\n<div id=\"pairs\"></div>\n</main>\n<div id=\"frames\" hidden></div>\n",
    );
    body.push_str(without);
    Document {
        title: &format!("Compare: {campaign}"),
        class: "compare",
        script: include_str!("pages/compare.js"),
        frames_letter: false,
        body: &body,
    }
    .html()
}
