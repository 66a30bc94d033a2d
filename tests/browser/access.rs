//! Accessibility: axe-core (MPL-2.0, by Deque Systems) finds no violation on any page, light or dark, wide or narrow.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::driver::Browser;
use crate::stage::{campaign, preview};
use crate::support;

/// Where `scripts/test` puts axe-core.
pub(crate) fn axe() -> Option<String> {
    let path = std::env::var_os("DEMARCHE_AXE")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/axe/axe.min.js"), PathBuf::from);
    fs::read_to_string(path).ok()
}

/// Landmarks are for pages: a letter is shown in the landmarks of a mail program.
const MAIL: &str = "'landmark-one-main': { enabled: false }, region: { enabled: false }";

/// What axe-core finds in the page or frame, in a line each.
pub(crate) fn violations(browser: &Browser, axe: &str, rules: &str) -> Vec<String> {
    browser.script(axe);
    let found = browser.script_later(&format!(
        "const done = arguments[arguments.length - 1];
         axe.run(document, {{ iframes: false, rules: {{ {rules} }} }}).then((result) => done(result.violations), (error) => done([{{ id: String(error), nodes: [] }}]));",
    ));
    let line = |violation: &Value| {
        let nodes = violation["nodes"].as_array().into_iter().flatten();
        let places: Vec<String> = nodes.map(|node| node["html"].to_string().chars().take(120).collect()).collect();
        format!("{}: {}\n  {}", violation["id"], violation["help"], places.join("\n  "))
    };
    found.as_array().expect("a list").iter().map(line).collect()
}

#[test]
fn axe_core_finds_no_violation_on_any_page() {
    if !support::browser_or_skip("looking for barriers") {
        return;
    }
    let Some(axe) = axe() else {
        support::left_out("looking for barriers", "axe-core (scripts/test brings it)");
        return;
    };
    let campaign = campaign();
    preview(&campaign);
    let csv = campaign.read("open-letter/recipients.csv").replace("fji@", "new.fji@");
    let campaign = campaign.file("open-letter/recipients.csv", csv);
    let folder = preview(&campaign);
    let browser = Browser::start();
    let mut found = Vec::new();
    let mut look = |page: &str, fragment: &str, ready: &str, key: &str| {
        browser.open(&folder.join(page), fragment);
        browser.wait(ready);
        browser.keys(key);
        found.extend(violations(&browser, &axe, "").into_iter().map(|it| format!("{page}#{fragment}: {it}")));
    };
    let compared = "document.querySelectorAll('#pairs .text').length > 5";
    look("index.html", "", "true", "?");
    for view in ["v-text", "v-headers", "v-source", "v-attachments"] {
        look("letters/KEN.html", view, "true", "");
    }
    for (scheme, width) in [("light", 1400), ("dark", 1400), ("light", 400)] {
        browser.media("screen", scheme);
        browser.size(width, 900);
        look("index.html", "KEN", "true", "");
        look("index.html", "", "true", "");
        look("compare.html", "KEN,EGY", compared, "");
        look("letters/FJI.html", "v-changes", "document.querySelector('#changes del')", "");
        look("letters/EGY.html", "w-phone,s-dark", "true", "");
    }
    let unfinished = campaign.path("unfinished");
    let _begun = demarche::preview::Preview::create(&unfinished, "open-letter", vec![]).expect("a preview");
    browser.open(&unfinished.join("index.html"), "");
    assert!(browser.text("h1").contains("not finished"));
    found.extend(violations(&browser, &axe, "").into_iter().map(|it| format!("unfinished: {it}")));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn axe_core_finds_no_violation_in_the_letters_themselves() {
    if !support::browser_or_skip("looking for barriers in letters") {
        return;
    }
    let Some(axe) = axe() else {
        support::left_out("looking for barriers in letters", "axe-core (scripts/test brings it)");
        return;
    };
    let campaign = campaign();
    let folder = preview(&campaign);
    let browser = Browser::start();
    let mut found = Vec::new();
    for (letter, scheme, width) in
        [("KEN", "light", 800), ("EGY", "light", 375), ("CHN", "dark", 800), ("FRA", "dark", 375)]
    {
        browser.open(&folder.join(format!("letters/{letter}.html")), "");
        let html = browser.script("return document.querySelector('#stage iframe').srcdoc;");
        // In its frame nothing runs, axe-core neither: the same HTML by itself.
        let by_itself = campaign.path("letter.html");
        std::fs::write(&by_itself, html.as_str().expect("HTML")).expect("our own folder");
        browser.media("screen", scheme);
        browser.size(width, 900);
        browser.open(&by_itself, "");
        found.extend(violations(&browser, &axe, MAIL).into_iter().map(|it| format!("{letter} {scheme}: {it}")));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
