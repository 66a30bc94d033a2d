//! A page to hand on and to print: what was sent, when, by whom, to whom, and what became of it; for people who have never
//! seen the program. First what needs a person, then the figures, then every mission, the proof and the letter itself.

mod attention;
mod causes;
mod chart;
mod figures;
mod letters;
mod missions;
mod proof;

use jiff::Timestamp;

use super::REHEARSAL;
use super::dossier::Dossier;
use crate::domain::delivery::State;
use crate::domain::markup::{escape, sealed_document};

const STYLE: &str = include_str!("style.css");

/// The parts that the page's contents name, by their anchors.
const CONTENTS: [(&str, &str); 8] = [
    ("attention", "What needs a person"),
    ("sent", "What was sent"),
    ("time", "When it was sent"),
    ("coverage", "Whom it reached"),
    ("causes", "What did not arrive, and why"),
    ("missions", "Every mission"),
    ("proof", "The proof"),
    ("letter", "The letter"),
];

/// The whole page. It loads nothing, runs nothing, and opens from a disk.
#[must_use]
pub fn html(dossier: &Dossier) -> String {
    let (rehearsal, title) = if dossier.facts.rehearsal {
        let what = "The servers’ answers below were made up by the program, to try it out.";
        (format!("<p class=\"rehearsal\"><strong>{REHEARSAL}</strong>{what}</p>\n"), format!("{REHEARSAL}. Report"))
    } else {
        (String::new(), "Report".to_owned())
    };
    let mut body = format!(
        "<main>\n<header>\n{rehearsal}<p class=\"quiet\">Report on a letter, as of {}</p>\n<h1 dir=\"auto\">{}</h1>\n",
        moment(dossier.facts.now),
        escape(&dossier.facts.campaign)
    );
    body.push_str(&attention::verdict(dossier));
    body.push_str("</header>\n");
    body.push_str("<nav aria-label=\"Contents\">\n<ul>\n");
    for (anchor, title) in CONTENTS {
        body.push_str(&format!("<li><a href=\"#{anchor}\">{title}</a></li>\n"));
    }
    body.push_str("</ul>\n</nav>\n");
    let parts = [
        attention::section(dossier),
        figures::sent(dossier),
        chart::section(dossier),
        figures::coverage(dossier),
        causes::section(dossier),
        missions::section(dossier),
        proof::section(dossier),
        letters::section(dossier),
    ];
    for ((anchor, title), part) in CONTENTS.iter().zip(parts) {
        body.push_str(&format!(
            "<section id=\"{anchor}\" aria-labelledby=\"{anchor}-title\">\n<h2 id=\"{anchor}-title\">{title}</h2>\n{part}</section>\n"
        ));
    }
    body.push_str("</main>\n");
    sealed_document(&format!("{title}: {}", dossier.facts.campaign), STYLE, &body)
}

/// `20 October 2021, 14:02 UTC`.
fn moment(at: Timestamp) -> String {
    format!("<time datetime=\"{at}\">{}</time>", at.strftime("%-d %B %Y, %H:%M UTC"))
}

/// `2021-10-20 14:02:11`, for columns that say UTC in their head.
fn instant(at: Timestamp) -> String {
    format!("<time datetime=\"{at}\">{}</time>", at.strftime("%Y-%m-%d %H:%M:%S"))
}

/// A state as a word with its colour; the word alone tells it.
fn tag(state: State) -> String {
    format!("<span class=\"tag {0}\">{0}</span>", super::shown(state))
}

/// `1 letter`, `2 letters` and the like.
fn counted(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

/// `1 + 2 of 3` is hard to read at length: names with commas, escaped, each a run of its own direction.
fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("<bdi>{}</bdi>", escape(name))).collect();
    names.join(", ")
}
