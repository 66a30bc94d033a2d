//! No letter, whoever designed it, makes the page that shows it ask anything of anybody.

use std::path::Path;

use demarche::domain::digest::Digest;
use demarche::domain::language::Language;
use demarche::domain::state::StateCode;
use demarche::preview::{Addressee, Item, Office, Page, Preview};

use crate::driver::Browser;
use crate::stage::{campaign, preview};
use crate::support;
use crate::support::supervised::poll;

/// A design of one's own that tries every way out that mail programs have been caught with.
const LEAKS: &str = r#"<!DOCTYPE html><html><head>
<link rel="stylesheet" href="https://css.tracker.example/a.css">
<link rel="preconnect" href="https://preconnect.tracker.example">
<link rel="dns-prefetch" href="https://dns.tracker.example">
<link rel="preload" as="image" href="https://preload.tracker.example/a.png">
<link rel="icon" href="https://icon.tracker.example/a.ico">
<meta http-equiv="refresh" content="0;url=https://refresh.tracker.example/">
<style>@import url(https://import.tracker.example/a.css);
@font-face { font-family: x; src: url(https://font.tracker.example/a.woff2); }
body { background: url(https://background.tracker.example/a.png); font-family: x; }</style>
</head><body>
<img src="https://img.tracker.example/a.png" srcset="https://srcset.tracker.example/a.png 2x">
<video src="https://video.tracker.example/a.mp4" poster="https://poster.tracker.example/a.png" autoplay></video>
<object data="https://object.tracker.example/a"></object><embed src="https://embed.tracker.example/a">
<iframe src="https://frame.tracker.example/"></iframe>
<svg><image href="https://svg.tracker.example/a.png"></image><use href="https://use.tracker.example/a.svg#a"></use></svg>
<input type="image" src="https://input.tracker.example/a.png">
<form action="https://form.tracker.example/" id="f"><button id="submit">b</button></form>
<a id="link" href="https://link.tracker.example/" ping="https://ping.tracker.example/">a</a>
<a id="top" href="https://top.tracker.example/" target="_top">a</a>
<script>new Image().src = "https://script.tracker.example/a.png";</script>
<p>Text</p></body></html>"#;

#[test]
fn a_tracker_in_a_design_of_ones_own_learns_nothing_from_a_preview() {
    if !support::browser_or_skip("watching for requests") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    show(folder.path(), LEAKS);
    let browser = Browser::start();
    browser.open(&folder.path().join("letters/KEN.html"), "");
    browser.enter("#stage iframe");
    browser.wait("document.querySelector('p').textContent === 'Text'");
    // A person's clicks and keys, as far as a page can tell.
    for element in ["link", "top", "submit"] {
        browser.press_at(&format!("#{element}"));
        browser.script(&format!("document.getElementById('{element}').focus();"));
        browser.keys("\u{e007}");
    }
    assert_eq!(browser.text("p"), "Text", "the letter is still there");
    browser.leave();
    assert!(browser.print().starts_with(b"%PDF-"));
    browser.wait("document.getElementById('paper').shadowRoot.querySelector('p').textContent === 'Text'");
    assert!(browser.script("return location.href;").as_str().expect("an address").starts_with("file:"));
    let windows = browser.devtools("Target.getTargets", &serde_json::json!({}));
    assert!(!windows.to_string().contains("tracker.example"), "{windows}");
    let asked: Vec<String> = browser.hosts().into_iter().filter(|line| line.contains("tracker.example")).collect();
    assert!(asked.is_empty(), "{asked:?}");
}

/// That the proxy would see it: the same letter outside its frame and policy asks a lot.
#[test]
fn the_watch_for_requests_notices_a_tracker() {
    if !support::browser_or_skip("watching for requests") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let page = folder.path().join("letter.html");
    std::fs::write(&page, LEAKS.replace("<meta http-equiv=\"refresh\"", "<meta name=\"x\"")).expect("our own folder");
    let browser = Browser::start();
    browser.open(&page, "");
    let seen = || browser.hosts().iter().any(|line| line.contains("img.tracker.example")).then_some(());
    assert!(poll(std::time::Duration::from_secs(20), seen).is_some(), "{:?}", browser.hosts());
}

/// A preview of one letter. `check` would refuse this one; the page may not rely on that.
fn show(folder: &Path, html: &str) {
    let mut preview = Preview::create(folder, "open-letter", vec![]).expect("a preview");
    let item = Item {
        id: "KEN".into(),
        name: "Kenya".into(),
        state: StateCode::parse("KEN"),
        language: Language::parse("en").expect("a tag"),
        to: vec!["ken@missions.example".into()],
        cc: vec![],
        bcc: vec![],
        subject: "An open letter".into(),
        bytes: 1,
        digest: Digest::of(b"x"),
        text: "Text".into(),
        html: html.into(),
        attachments: vec![],
        pictures: vec![],
        own_attachments: vec![],
        addressee: Addressee { office: Office::Representative, name: None },
        warnings: vec![],
        settled: None,
        chosen: None,
        approved: None,
    };
    preview.add(item, b"Subject: a\r\n\r\n").expect("added");
    let page = Page {
        campaign: "A campaign".into(),
        digest: Digest::of(b"batch"),
        command: "demarche send".into(),
        approvals: None,
        underway: None,
        event: None,
        dates: vec![],
        placeholders: 0,
        archive: vec![],
        from: "letters@coalition.example".into(),
        reply_to: None,
        languages: vec![],
        octets: 1,
        without: vec![],
        coverage: vec![],
        doubled: vec![],
        foreign: vec![],
        beyond: 0,
        warnings: vec![],
        approved: None,
        generated: demarche::clock::now(),
    };
    preview.finish(&page).expect("finished");
}

#[test]
fn the_pages_ask_for_nothing_but_files_of_their_own_folder() {
    if !support::browser_or_skip("watching for requests") {
        return;
    }
    let campaign = campaign();
    let folder = preview(&campaign);
    let browser = Browser::start();
    browser.requested();
    browser.open(&folder.join("index.html"), "");
    browser.keys("jjj");
    browser.wait("document.querySelector('#pane .shown')");
    browser.open(&folder.join("compare.html"), "KEN,EGY");
    browser.wait("document.querySelectorAll('#pairs .text').length > 5");
    let asked = browser.requested();
    let ours = format!("file://{}/", folder.display());
    assert!(asked.iter().any(|address| address.ends_with("letters/EGY.html")), "{asked:?}");
    for address in asked {
        assert!(address.starts_with(&ours) || address == "about:blank" || address == "about:srcdoc", "{address}");
    }
    assert!(browser.hosts().iter().all(|line| !line.contains("missions.example") && !line.contains("coalition")));
}
