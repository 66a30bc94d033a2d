//! The report in the browser: read by anybody, on any screen and on paper, and asking for nothing.

use demarche::domain::outcome::Phase;
use demarche::postbox::{Action, Script};

use crate::access::{axe, violations};
use crate::driver::Browser;
use crate::support;
use crate::support::campaign::Campaign;
use crate::support::server::Server;

/// A campaign of twelve rows, one of them unknown, one put off and one uncertain; and its report.
fn report() -> (Server, Campaign) {
    let server = Server::scripted(Script::new(|cue| {
        let to = cue.recipients.first().map(String::as_str).unwrap_or_default();
        match cue.phase {
            Phase::Rcpt if to.starts_with("and@") => Action::Reply("550 5.1.1 <mission>: user unknown".to_owned()),
            Phase::Rcpt if to.starts_with("arg@") => Action::Reply(format!("451 4.7.1 {}", "wait ".repeat(60))),
            Phase::EndOfData if to.starts_with("aut@") => Action::AcceptThen(Box::new(Action::Close)),
            _ => Action::Behave,
        }
    }));
    let campaign = Campaign::small(server.port(), 12).set("recipients.audience", "\"member-states\"");
    campaign.run(&["send", "--yes"]).expect_code(2);
    campaign.run(&["report", "--html", "report.html"]).expect_code(0);
    (server, campaign)
}

#[test]
fn axe_core_finds_no_violation_in_the_report_and_nothing_of_it_is_wider_than_the_screen() {
    if !support::browser_or_skip("looking for barriers in the report") {
        return;
    }
    let Some(axe) = axe() else {
        support::left_out("looking for barriers in the report", "axe-core (scripts/test brings it)");
        return;
    };
    let (_server, campaign) = report();
    let browser = Browser::start();
    let mut found = Vec::new();
    for (scheme, width) in [("light", 1280), ("dark", 1280), ("light", 400), ("dark", 400)] {
        browser.media("screen", scheme);
        browser.size(width, 900);
        browser.open(&campaign.path("report.html"), "");
        found.extend(violations(&browser, &axe, "").into_iter().map(|it| format!("{scheme} {width}: {it}")));
        let wider = browser.script("return document.documentElement.scrollWidth - window.innerWidth;");
        assert!(wider.as_i64().is_some_and(|wider| wider <= 0), "{width}: {wider} too wide");
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_report_prints_and_asks_nothing_of_anybody() {
    if !support::browser_or_skip("printing the report") {
        return;
    }
    let (_server, campaign) = report();
    let browser = Browser::start();
    browser.requested();
    browser.open(&campaign.path("report.html"), "");
    let pdf = browser.print();
    let pages = String::from_utf8_lossy(&pdf).matches("/Type /Page\n").count();
    assert!(pdf.starts_with(b"%PDF-") && (2..=20).contains(&pages), "{pages} pages");
    assert_eq!(browser.console(), Vec::<String>::new());
    let outside: Vec<String> = browser.requested().into_iter().filter(|url| !url.starts_with("file:")).collect();
    assert_eq!(outside, Vec::<String>::new());
}
