//! A letter as it will look: desktop and phone, light and dark, left to right and right to left; no page wider than its window.

use serde_json::json;

use crate::driver::Browser;
use crate::stage::{campaign, preview};
use crate::support;

/// Something of the framed letter's body, as the browser computes it.
fn of_letter(browser: &Browser, expression: &str) -> serde_json::Value {
    browser.enter("#stage iframe");
    let value = browser.script(&format!("return {expression};"));
    browser.leave();
    value
}

#[test]
fn a_letter_is_shown_at_desktop_and_phone_width_and_in_its_dark_colours() {
    if !support::browser_or_skip("looking at a letter") {
        return;
    }
    let campaign = campaign();
    let folder = preview(&campaign);
    let browser = Browser::start();
    browser.open(&folder.join("letters/KEN.html"), "");
    let colour = "getComputedStyle(document.body).backgroundColor";
    assert!(of_letter(&browser, "innerWidth").as_u64() > Some(800));
    let light = of_letter(&browser, colour);
    browser.click("label:has(#w-phone)");
    browser.click("label:has(#s-dark)");
    assert_eq!(of_letter(&browser, "innerWidth"), 373, "375 with the frame's border");
    let dark = of_letter(&browser, colour);
    assert_ne!(light, dark);
    assert_eq!(of_letter(&browser, "document.documentElement.scrollWidth"), 373, "nothing is cut off on a phone");
    // The page's own colours follow the system; the letter's follow the choice.
    browser.media("screen", "dark");
    browser.click("label:has(#s-light)");
    assert_eq!(of_letter(&browser, colour), light);
    browser.click("label:has(#v-attachments)");
    assert!(browser.text("#attachments").contains("annex.pdf"));
    browser.click("label:has(#v-headers)");
    assert!(browser.text("#headers").contains("Subject: ") && browser.text("#headers").contains("X-Demarche-Delivery"));
    browser.click("label:has(#v-source)");
    assert!(browser.text("#source").contains("Content-Type: multipart/mixed"));
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn a_letter_in_arabic_runs_from_right_to_left_in_every_view() {
    if !support::browser_or_skip("looking at a letter in Arabic") {
        return;
    }
    let campaign = campaign();
    let folder = preview(&campaign);
    let browser = Browser::start();
    browser.open(&folder.join("letters/EGY.html"), "");
    assert_eq!(of_letter(&browser, "getComputedStyle(document.querySelector('.body')).direction"), "rtl");
    let align = of_letter(&browser, "getComputedStyle(document.querySelector('.body')).textAlign");
    assert!(align.as_str().is_some_and(|it| it.ends_with("right")), "{align}");
    let direction = |selector: &str| {
        browser.script(&format!("return getComputedStyle(document.querySelector('{selector}')).direction;"))
    };
    assert_eq!(direction("#plain"), "rtl");
    assert_eq!(direction("#headers pre"), "ltr");
    browser.open(&folder.join("compare.html"), "EGY,KEN");
    browser.wait("document.getElementById('told').textContent.includes('Two languages')");
    assert_eq!(direction(".pair.text div"), "rtl");
    browser.open(&folder.join("index.html"), "");
    assert_eq!(direction("#row-EGY .subject"), "rtl");
    assert_eq!(direction("#row-EGY"), "ltr");
}

#[test]
fn no_page_is_wider_than_a_phone() {
    if !support::browser_or_skip("looking at pages on a phone") {
        return;
    }
    let campaign = campaign();
    let folder = preview(&campaign);
    let browser = Browser::start();
    for width in [320, 400, 700, 1000] {
        browser.size(width, 800);
        for (page, fragment) in [
            ("index.html", ""),
            ("letters/KEN.html", ""),
            ("letters/KEN.html", "v-text"),
            ("letters/KEN.html", "v-headers"),
            ("letters/KEN.html", "v-source"),
            ("letters/EGY.html", "v-text"),
            ("letters/CHN.html", "w-phone"),
            ("compare.html", "KEN,CHN"),
        ] {
            browser.open(&folder.join(page), fragment);
            if page == "compare.html" {
                browser.wait("document.querySelectorAll('#pairs .text').length > 5");
            }
            let wide = browser.script("return [document.documentElement.scrollWidth, innerWidth];");
            assert_eq!(wide, json!([width, width]), "{page}#{fragment}");
        }
    }
    // On a phone a letter opens by itself, and the way back leads to its row.
    browser.size(400, 800);
    browser.open(&folder.join("index.html"), "");
    browser.click("#row-KEN a");
    browser.wait("document.getElementById('letter')");
    browser.click("#all");
    browser.wait("document.activeElement.closest('#row-KEN')");
}
