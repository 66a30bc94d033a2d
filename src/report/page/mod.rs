//! A page to hand on and to print: what was sent, when, by whom, to whom, and what became of it; for people who have never
//! seen the program. First what needs a person, then the figures, then every mission, who approved it, how to check, and the letter.

mod approvals;
mod attention;
mod causes;
mod chart;
mod check;
mod coverage;
mod figures;
mod lead;
mod left;
mod letters;
mod missions;
mod rounds;
mod steps;
mod text;
mod timeline;
mod versions;

use self::text::moment;
use super::REHEARSAL;
use super::dossier::Dossier;
use crate::domain::markup::{escape, sealed_document};

const STYLE: &str = include_str!("style.css");

/// The most characters of the campaign's name that a margin has room for.
const LONGEST_IN_MARGIN: usize = 80;

/// The parts of the page by their anchors, as its contents name them.
fn contents(dossier: &Dossier) -> [(&'static str, &'static str); 10] {
    let every = if dossier.noun().0 == "mission" { "Every mission" } else { "Every recipient" };
    [
        ("attention", "What is left to do"),
        ("sent", "What was sent"),
        ("time", "When it was sent"),
        ("coverage", "Whom it reached"),
        ("causes", "What was not simply accepted, and why"),
        ("missions", every),
        ("approval", "Who approved it"),
        ("rounds", "The rounds of sending"),
        ("check", "How to check this page"),
        ("letter", "The letter"),
    ]
}

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
    body.push_str(&lead::verdict(dossier));
    body.push_str("</header>\n");
    body.push_str("<nav aria-label=\"Contents\">\n<ul>\n");
    let contents = contents(dossier);
    for (anchor, title) in contents {
        body.push_str(&format!("<li><a href=\"#{anchor}\">{title}</a></li>\n"));
    }
    body.push_str("</ul>\n</nav>\n");
    let parts = [
        attention::section(dossier),
        figures::sent(dossier),
        chart::section(dossier),
        coverage::section(dossier),
        causes::section(dossier),
        missions::section(dossier),
        approvals::section(dossier),
        rounds::section(dossier),
        check::section(dossier),
        letters::section(dossier),
    ];
    for ((anchor, title), part) in contents.iter().zip(parts) {
        body.push_str(&format!(
            "<section id=\"{anchor}\" aria-labelledby=\"{anchor}-title\">\n<h2 id=\"{anchor}-title\">{title}</h2>\n{part}</section>\n"
        ));
    }
    body.push_str("</main>\n");
    sealed_document(
        &format!("{title}: {}", dossier.facts.campaign),
        &format!("{STYLE}{}", margins(dossier)),
        &with_roles(&body),
    )
}

/// Tables as they are to programs that read them aloud, whatever a narrow screen makes of their display. What stands between the
/// tags is escaped, so that no value looks like one.
fn with_roles(body: &str) -> String {
    let roles = [
        ("<table ", "table"),
        ("<thead", "rowgroup"),
        ("<tbody", "rowgroup"),
        ("<tfoot", "rowgroup"),
        ("<tr", "row"),
        ("<td", "cell"),
        ("<th scope=\"col\"", "columnheader"),
        ("<th scope=\"row\"", "rowheader"),
        ("<th scope=\"rowgroup\"", "rowheader"),
    ];
    roles.into_iter().fold(body.to_owned(), |body, (tag, role)| {
        let tag_alone = tag.trim_end();
        body.replace(tag, &format!("{tag_alone} role=\"{role}\"{}", &tag[tag_alone.len()..]))
    })
}

/// What stands in the margins of a printed page: the campaign and the date, page and pages (CSS Paged Media §4).
fn margins(dossier: &Dossier) -> String {
    let campaign = &dossier.facts.campaign;
    let mut name: String = campaign.chars().take(LONGEST_IN_MARGIN).collect();
    if name.len() < campaign.len() {
        name.push('…');
    }
    let as_of = dossier.facts.now.strftime("Report as of %-d %B %Y, %H:%M UTC").to_string();
    let as_of = if dossier.facts.rehearsal { format!("{REHEARSAL}. {as_of}") } else { as_of };
    format!(
        "@page {{ @top-left {{ content: {}; }} @top-center {{ content: \"\"; }} @top-right {{ content: \"\"; }} @bottom-left {{ content: {}; }} \
         @bottom-center {{ content: \"\"; }} @bottom-right {{ content: counter(page) \" / \" counter(pages); }} }}\n\
         @page :first {{ @top-left {{ content: \"\"; }} }}\n",
        css_string(&name),
        css_string(&as_of)
    )
}

/// A text as a CSS string: whatever is neither letter, digit nor blank as its number (CSS Syntax §4.3.7), so that nothing of it
/// can end the string or the style.
fn css_string(text: &str) -> String {
    let mut string = String::from("\"");
    for c in text.chars() {
        if c.is_alphanumeric() || c == ' ' {
            string.push(c);
        } else {
            string.push_str(&format!("\\{:x} ", u32::from(c)));
        }
    }
    string.push('"');
    string
}
