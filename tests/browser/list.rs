//! The list: searched, filtered, walked through with the keys, and printed.

use std::time::Duration;

use crate::driver::Browser;
use crate::stage::{browser_at_the_list, campaign, preview};
use crate::support;
use crate::support::supervised::poll;

const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";
const TAB: &str = "\u{e004}";

/// The names in the list that are in sight.
fn names(browser: &Browser) -> Vec<String> {
    let names = browser.script(
        "return [...document.querySelectorAll('#letters li')].filter((li) => !li.hidden).map((li) => li.querySelector('a').textContent);",
    );
    names.as_array().expect("names").iter().map(|name| name.as_str().expect("a name").to_owned()).collect()
}

/// Waits until the pane shows a letter: a browser takes its time to load it.
#[track_caller]
fn shows(browser: &Browser, id: &str) {
    browser.wait(&format!(
        "document.querySelector('#pane .shown')?.dataset.id === '{id}' && !document.querySelector('#pane .coming')"
    ));
    browser.enter("#pane .shown");
    assert_eq!(browser.script("return document.getElementById('letter').dataset.id;"), id);
    browser.leave();
}

#[test]
fn a_search_and_the_filters_leave_the_letters_that_fit_and_say_how_many() {
    if !support::browser_or_skip("searching the list") {
        return;
    }
    let campaign = campaign();
    let browser = browser_at_the_list(&campaign);
    assert_eq!(names(&browser).len(), 191);
    browser.click("#find");
    browser.keys("cote d ivoire");
    browser.wait("document.getElementById('count').textContent.startsWith('1 of 191')");
    assert_eq!(names(&browser), ["Côte d'Ivoire"], "accents and case are no matter");
    browser.keys(ESCAPE);
    assert_eq!(names(&browser).len(), 191);
    browser.keys("/registry.ken@");
    assert_eq!(names(&browser), ["Kenya"], "copies are found too");
    browser.keys(ESCAPE);
    let choose = |id: &str, value: &str| {
        browser.script(&format!(
            "const it = document.getElementById('{id}'); it.value = '{value}'; it.dispatchEvent(new Event('change'));"
        ));
    };
    choose("language", "fr");
    assert_eq!(names(&browser), ["France", "Mali", "Senegal"]);
    choose("group", "AFR");
    assert_eq!(names(&browser), ["Mali", "Senegal"]);
    choose("mark", "own");
    assert!(names(&browser).is_empty() && browser.text("#nothing").contains("No letter fits"));
    choose("language", "");
    assert_eq!(names(&browser), ["Kenya"]);
    choose("mark", "");
    choose("group", "");
    browser.click("#find");
    browser.keys("malta");
    browser.wait("document.getElementById('nothing').textContent.startsWith('Malta gets no letter: ')");
    assert!(browser.text("#nothing").contains("suppressed"), "{}", browser.text("#nothing"));
    browser.keys(&format!("{ESCAPE}/tuvalu"));
    browser.wait("document.getElementById('nothing').textContent.startsWith('Tuvalu gets no letter: it is not in the list of recipients.')");
    assert!(!browser.text("#nothing").contains("No letter fits"), "{}", browser.text("#nothing"));
    // Whom a letter addresses is found, too: a post that is vacant, a chargé d'affaires, and all the others.
    for (asked, found) in [("vacant", "Fiji"), ("charge d'affaires", "Chad")] {
        browser.keys(&format!("{ESCAPE}/{asked}"));
        browser.wait("document.getElementById('count').textContent.startsWith('1 of 191')");
        assert_eq!(names(&browser), [found]);
    }
    browser.keys(ESCAPE);
    assert_eq!(names(&browser).len(), 191);
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn the_keys_lead_from_letter_to_letter_and_back() {
    if !support::browser_or_skip("walking with the keys") {
        return;
    }
    let campaign = campaign();
    let browser = browser_at_the_list(&campaign);
    browser.keys("j");
    shows(&browser, "AFG");
    browser.keys("j");
    shows(&browser, "ALB");
    browser.keys("k");
    shows(&browser, "AFG");
    let focus = browser.script("return getComputedStyle(document.activeElement.closest('li')).outlineStyle;");
    assert_eq!(focus, "solid", "one sees where one is");
    browser.keys(&format!("/kenya{ENTER}"));
    shows(&browser, "KEN");
    browser.enter("#pane .shown");
    browser.click("label:has(#v-text)");
    browser.keys("j");
    browser.leave();
    shows(&browser, "KEN"); // nothing else was found
    browser.click("#find");
    browser.keys(&format!("{ESCAPE}j"));
    shows(&browser, "KIR"); // Kiribati is after Kenya
    browser.enter("#pane .shown");
    browser.wait("document.getElementById('v-text').checked");
    browser.keys("?");
    browser.leave();
    browser.wait("document.getElementById('help').open");
    browser.keys(ESCAPE);
    browser.wait("!document.getElementById('help').open");
    browser.keys("c");
    browser.wait("document.getElementById('pairs')?.children.length > 5");
    assert!(browser.text("#pairs").contains("Kenya") && browser.text("#pairs").contains("Kiribati"));
    browser.keys(ESCAPE);
    browser.wait("location.pathname.endsWith('index.html') && document.querySelector('#pane iframe')");
    browser.keys(ESCAPE);
    browser.wait("document.getElementById('pane').hidden && !document.getElementById('overview').hidden");
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn no_key_is_lost_while_a_letter_loads() {
    if !support::browser_or_skip("walking fast") {
        return;
    }
    let campaign = campaign();
    let browser = browser_at_the_list(&campaign);
    browser.keys("jjjjj");
    shows(&browser, "AGO"); // Angola is the fifth
    browser.enter("#pane .shown");
    browser.click("label:has(#v-text)");
    browser.leave();
    // The focus is in the letter now, which gives way to the next one.
    for (keys, id) in [("jjj", "ARM"), ("kk", "ATG"), ("jkjkj", "ARG")] {
        browser.keys(keys);
        shows(&browser, id);
        browser.enter("#pane .shown");
        browser.click("label:has(#v-headers)");
        browser.click("label:has(#v-text)");
        browser.leave();
    }
    assert_eq!(browser.script("return document.querySelectorAll('#pane iframe').length;"), 1);
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn what_goes_with_a_letter_opens_in_a_window_of_its_own_from_the_list_too() {
    if !support::browser_or_skip("opening an attachment") {
        return;
    }
    let campaign = campaign();
    let browser = browser_at_the_list(&campaign);
    browser.keys(&format!("/kenya{ENTER}"));
    shows(&browser, "KEN");
    browser.enter("#pane .shown");
    browser.click("#fields a[href^='../files/']");
    browser.leave();
    let opened = || {
        let windows = browser.devtools("Target.getTargets", &serde_json::json!({}));
        windows.to_string().contains("/preview/files/annex-").then_some(())
    };
    assert!(poll(Duration::from_secs(20), opened).is_some(), "no window shows the file");
    shows(&browser, "KEN");
    browser.requested();
    browser.enter("#pane .shown");
    browser.click("#fields a[href$='.eml']");
    browser.leave();
    let fetched = || browser.requested().iter().any(|it| it.ends_with("/preview/KEN.eml")).then_some(());
    assert!(poll(Duration::from_secs(20), fetched).is_some(), "the letter itself is not to be had");
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn an_id_that_windows_takes_for_a_device_is_found_shown_and_compared() {
    if !support::browser_or_skip("reading a letter to CON") {
        return;
    }
    let campaign = support::campaign::Campaign::small(2525, 0)
        .template("letter.en.md", "+++\nsubject = \"To {{ row.id }}\"\n+++\n\nText\n")
        .recipients("id,to\nCON,con@missions.example\naux.1,aux@missions.example\n");
    campaign.run(&["preview"]).expect_code(0);
    let browser = Browser::start();
    browser.open(&campaign.path("preview/index.html"), "row-aux.1");
    shows(&browser, "aux.1");
    browser.keys("k");
    shows(&browser, "CON");
    browser.keys("c");
    browser.wait("document.getElementById('told')?.textContent.includes('differ')");
    browser.click("#pairs h2 a");
    browser.wait("document.getElementById('letter')?.dataset.id === 'CON'");
    browser.click("#all");
    shows(&browser, "CON");
}

#[test]
fn side_by_side_the_merge_is_marked_and_nothing_else() {
    if !support::browser_or_skip("comparing two letters") {
        return;
    }
    let campaign = campaign();
    let folder = preview(&campaign);
    let browser = Browser::start();
    browser.open(&folder.join("compare.html"), "KEN,FJI");
    browser.wait("document.getElementById('told').textContent.includes('differ')");
    let marks = browser.script("return [...document.querySelectorAll('#pairs mark')].map((it) => it.textContent);");
    let marks: Vec<&str> = marks.as_array().expect("marks").iter().filter_map(|it| it.as_str()).collect();
    for mark in ["Kenya", "Fiji", "ken", "fji", "annex.pdf", "Representative", "Mission", "Excellency"] {
        assert!(marks.contains(&mark), "{mark} in {marks:?}");
    }
    assert!(!marks.iter().any(|mark| mark.contains("Guterres") || mark.contains("2242")), "{marks:?}");
    browser.click("#only");
    let same = "[...document.querySelectorAll('#pairs .same')].every((row) => row.offsetHeight === 0)";
    browser.wait(same);
    // A name is as good as an id, and a letter that is not there is told.
    browser.script("const b = document.getElementById('b'); b.value = 'france'; b.dispatchEvent(new Event('change'));");
    browser.wait("document.getElementById('told').textContent.includes('Two languages: nothing is marked.')");
    assert_eq!(browser.script("return document.querySelectorAll('#pairs mark').length;"), 0);
    assert_eq!(browser.script("return document.getElementById('b').value;"), "France", "a name stays a name");
    browser
        .script("const b = document.getElementById('b'); b.value = 'Atlantis'; b.dispatchEvent(new Event('change'));");
    browser.wait("document.getElementById('told').textContent.includes('There is no letter called \"Atlantis\"')");
}

#[test]
fn what_cannot_be_compared_clears_the_letters_and_says_why() {
    if !support::browser_or_skip("comparing with a mission that gets no letter") {
        return;
    }
    let campaign = campaign();
    let folder = preview(&campaign);
    let browser = Browser::start();
    browser.open(&folder.join("compare.html"), "KEN,FJI");
    let told = |text: &str| format!("document.getElementById('told').textContent === {text:?}");
    let name = |name: &str| {
        browser.script(&format!(
            "const b = document.getElementById('b'); b.value = {name:?}; b.dispatchEvent(new Event('change'));"
        ))
    };
    let rows = || browser.script("return document.querySelectorAll('#pairs .pair').length;").as_u64();
    browser.wait("document.getElementById('told').textContent.endsWith(' rows differ.')");
    let counted = browser.script("return document.getElementById('told').textContent.split(' ')[0];");
    let marked = browser.script("return String([...document.querySelectorAll('#pairs .pair:has(mark)')].length);");
    assert_eq!(counted, marked, "rows are counted, not words");
    assert!(!browser.text("#pairs").contains("====="), "a rule in a text says nothing");
    for (asked, answer) in [
        ("Malta", "Malta gets no letter: mlt@missions.example is in the list of suppressed addresses."),
        ("TUV", "Tuvalu gets no letter: it is not in the list of recipients."),
        ("kenya", "Both are Kenya: name another mission."),
        ("Atlantis", "There is no letter called \"Atlantis\" in this preview."),
    ] {
        name("Fiji");
        browser.wait("document.getElementById('told').textContent.endsWith(' rows differ.')");
        name(asked);
        browser.wait(&told(answer));
        assert_eq!(rows(), Some(0), "{asked}: the letters before are gone");
    }
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn the_way_back_from_the_letters_leads_to_the_batch() {
    if !support::browser_or_skip("going back") {
        return;
    }
    let campaign = campaign();
    let browser = browser_at_the_list(&campaign);
    browser.click("#row-AFG a");
    shows(&browser, "AFG");
    browser.keys("jj");
    shows(&browser, "DZA"); // Algeria
    let whole = browser.script(
        "const li = document.getElementById('row-DZA').getBoundingClientRect(), tools = document.getElementById('tools').getBoundingClientRect();
         return li.top >= tools.bottom - 1 && li.bottom <= innerHeight;",
    );
    assert_eq!(whole, true, "the row of the letter is in sight");
    browser.script("history.back();");
    browser.wait(
        "document.getElementById('pane').hidden && !document.getElementById('overview').hidden && !location.hash",
    );
    browser.script("history.forward();");
    shows(&browser, "DZA");
    browser.keys(ESCAPE);
    browser.wait("document.getElementById('pane').hidden");
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn tab_goes_as_the_eye_does_and_past_the_list_by_a_link() {
    if !support::browser_or_skip("walking with Tab") {
        return;
    }
    let campaign = campaign();
    let browser = browser_at_the_list(&campaign);
    let focused = || browser.script("return document.activeElement.id || document.activeElement.textContent;");
    let mut stops = Vec::new();
    for _ in 0..4 {
        browser.keys(TAB);
        stops.push(focused());
    }
    assert_eq!(stops, ["To the letters", "To the batch", "To the approval", "find"]);
    browser.open(&campaign.path("open-letter/preview/index.html"), "");
    browser.keys(&format!("{TAB}{TAB}{ENTER}{TAB}"));
    assert_eq!(browser.script("return Boolean(document.activeElement.closest('#overview'));"), true);
    // Where the batch stands above the list, it comes before it.
    browser.size(400, 800);
    browser.wait("document.getElementById('overview').nextElementSibling.id === 'list'");
}

#[test]
fn what_is_to_be_run_is_copied_whole_though_it_is_seen_short() {
    if !support::browser_or_skip("copying a command") {
        return;
    }
    let campaign = campaign();
    let browser = browser_at_the_list(&campaign);
    let seen = browser.script("return document.querySelector('#command .middle').getBoundingClientRect().width < 20;");
    assert_eq!(seen, true);
    let copied =
        "getSelection().selectAllChildren(document.getElementById('command')); return getSelection().toString();";
    let digest = browser.text("#digest");
    assert_eq!(digest.len(), 64);
    assert_eq!(browser.script(copied), format!("demarche --config open-letter/config.toml send --approve {digest}"));
    browser.click(".copy[data-of='digest']");
    browser.wait("document.querySelector(\".copy[data-of='digest']\").textContent === 'Copied'");
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn without_javascript_the_list_the_batch_and_every_view_of_a_letter_read_on() {
    if !support::browser_or_skip("reading without JavaScript") {
        return;
    }
    let campaign = campaign();
    let folder = preview(&campaign);
    let browser = Browser::start();
    browser.devtools("Emulation.setScriptExecutionDisabled", &serde_json::json!({ "value": true }));
    browser.open(&folder.join("index.html"), "");
    assert_eq!(names(&browser).len(), 191);
    assert_eq!(
        browser.script("return document.getElementById('tools').offsetHeight;"),
        0,
        "what needs it is not shown"
    );
    assert!(browser.text("#overview").contains("191 of 193 missions get a letter"));
    browser.click("#row-KEN a");
    assert_eq!(browser.text("h1"), "Kenya");
    // The way back leads to the row, also where the list is long.
    browser.click("#all");
    let seen = browser.script(
        "const box = document.getElementById('row-KEN').getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight;",
    );
    assert_eq!(seen, true);
    browser.click("#row-KEN a");
    for (choice, section) in
        [("v-text", "text"), ("v-headers", "headers"), ("v-source", "source"), ("v-attachments", "attachments")]
    {
        browser.click(&format!("label:has(#{choice})"));
        let seen = browser.script(
            "return [...document.querySelectorAll('#letter section')].filter((it) => it.offsetHeight > 0).map((it) => it.id);",
        );
        assert_eq!(seen, serde_json::json!([section]));
    }
}

#[test]
fn on_paper_the_batch_has_every_mission_and_a_letter_has_its_text() {
    if !support::browser_or_skip("printing") {
        return;
    }
    let campaign = campaign();
    let folder = preview(&campaign);
    let browser = Browser::start();
    browser.open(&folder.join("index.html"), "");
    browser.keys("j");
    let pages = |pdf: &[u8]| String::from_utf8_lossy(pdf).matches("/Type /Page\n").count();
    let pdf = browser.print();
    assert!(pdf.starts_with(b"%PDF-") && (5..=15).contains(&pages(&pdf)), "{} pages for 191 rows", pages(&pdf));
    browser.media("print", "light");
    let seen = |selector: &str| {
        let script =
            format!("return [...document.querySelectorAll('{selector}')].filter((it) => it.offsetHeight > 0).length;");
        browser.script(&script).as_u64()
    };
    assert_eq!(seen("#letters li"), Some(191));
    assert_eq!(seen("#overview #command"), Some(1), "the batch is printed though a letter was open");
    assert_eq!(seen("#tools, #pane, #help"), Some(0));
    browser.script("dispatchEvent(new Event('beforeprint'));");
    assert!(seen(".states li") >= Some(190), "the regional groups are open");
    assert!(
        browser.text("#row-ALB").contains("The address was last verified on 2019-01-01"),
        "remarks have their text"
    );
    browser.script("dispatchEvent(new Event('afterprint'));");
    assert_eq!(browser.script("return document.querySelectorAll('details[open]').length;"), 0);
    browser.open(&folder.join("letters/KEN.html"), "");
    assert_eq!((seen("#text"), seen("#looks, #views, #ways")), (Some(1), Some(0)));
    // Where its page can, it prints the letter as it looks, and in small below it to whom and with what.
    let paper = browser.print();
    assert!(pages(&paper) >= 2, "a letter goes over as many sheets as it takes");
    assert_eq!((seen("#paper"), seen("#text, #headers, #attachments, #looks")), (Some(1), Some(0)));
    assert_eq!(seen("#fields .digest"), Some(1));
    let on_paper = |expression: &str| {
        browser.script(&format!("const it = document.getElementById('paper').shadowRoot; return {expression};"))
    };
    assert!(on_paper("it.querySelector('body').innerText").as_str().is_some_and(|text| text.contains("Kenya")));
    let designed = on_paper("getComputedStyle(it.querySelector('h1')).color");
    assert_ne!(designed, browser.script("return getComputedStyle(document.querySelector('#letter > h1')).color;"));
    let below = browser.script(
        "return document.getElementById('fields').getBoundingClientRect().top >= document.getElementById('paper').getBoundingClientRect().bottom;",
    );
    assert_eq!(below, true);
}

#[test]
fn the_list_on_paper_says_that_it_is_not_the_whole_and_what_is_chosen_is_read_whole() {
    if !support::browser_or_skip("printing a search") {
        return;
    }
    let campaign = campaign();
    let browser = browser_at_the_list(&campaign);
    browser.size(1280, 800);
    let cut = browser.script(
        "const pen = document.createElement('canvas').getContext('2d');
         return [...document.querySelectorAll('#tools select')].flatMap((select) => {
           pen.font = getComputedStyle(select).font;
           return [...select.options].filter((it) => pen.measureText(it.text).width > select.clientWidth - 36).map((it) => it.text);
         });",
    );
    assert_eq!(cut, serde_json::json!([]));
    let offered = browser.script("return [...document.getElementById('mark').options].map((it) => it.text);");
    assert!(offered.to_string().contains("addressed: chargés d'affaires, missions themselves"), "{offered}");
    let found = || {
        browser.media("print", "light");
        let text = browser
            .script("const it = document.getElementById('found'); return it.offsetHeight ? it.textContent : '';");
        browser.media("screen", "light");
        text
    };
    assert_eq!(found(), "");
    browser.click("#find");
    browser.keys("kenya");
    browser.wait("document.getElementById('count').textContent.startsWith('1 of')");
    assert_eq!(found(), "Not the whole list: 1 of 191 letters, found by “kenya”.");
    browser.click("#to-compare");
    browser.wait("location.pathname.endsWith('compare.html')");
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
fn what_changed_in_a_letter_stands_before_it_and_reads_apart_where_it_is_copied_or_printed() {
    if !support::browser_or_skip("looking at what changed") {
        return;
    }
    let campaign = campaign();
    preview(&campaign);
    let csv = campaign.read("open-letter/recipients.csv").replace(",ken@", ",office.ken@");
    let campaign = campaign.file("open-letter/recipients.csv", csv);
    let folder = preview(&campaign);
    let browser = Browser::start();
    browser.open(&folder.join("letters/KEN.html"), "");
    assert_eq!(browser.text(".changed-in-short"), "Changed since the last preview: address");
    browser.click("label:has(#v-changes)");
    let copied = browser.script(
        "getSelection().selectAllChildren(document.getElementById('changes')); return getSelection().toString();",
    );
    let apart = "[was: ken@missions.example] [now: office.ken@missions.example]";
    assert!(copied.as_str().is_some_and(|text| text.contains(apart)), "{copied}");
    browser.print();
    browser.media("print", "light");
    let order = browser.script(
        "const at = (query) => document.querySelector(query).getBoundingClientRect();
         return [at('.paper-only').height > 0, at('.paper-only').top < at('.changed-in-short').top,
           at('.changed-in-short').top < at('#paper').top, at('#paper').top < at('#fields').top, at('#fields').top < at('#changes').top,
           at('#changes .unseen').width > 0, document.querySelector('.paper-only').textContent];",
    );
    let said = "Preview, not sent. To: office.ken@missions.example";
    assert_eq!(order, serde_json::json!([true, true, true, true, true, true, said]));
}

#[test]
fn a_batch_of_several_pages_is_searched_as_a_whole() {
    if !support::browser_or_skip("searching a large batch") {
        return;
    }
    let rows: Vec<String> = (0..1_200).map(|n| format!("row-{n},office-{n}@missions.example")).collect();
    let campaign = support::campaign::Campaign::small(2525, 0)
        .template("letter.en.md", "+++\nsubject = \"To {{ row.id }}\"\n+++\n\nText\n")
        .recipients(&format!("id,to\n{}\n", rows.join("\n")));
    campaign.run(&["preview"]).expect_code(0);
    let browser = Browser::start();
    browser.open(&campaign.path("preview/index.html"), "");
    assert_eq!(names(&browser).len(), 500);
    browser.click("#find");
    browser.keys(&format!("office-119{ENTER}"));
    browser.wait("location.pathname.endsWith('search.html') && document.querySelectorAll('#letters li').length === 11");
    assert!(browser.text("#count").contains("11 of 1200 letters"));
    browser.click("#row-row-1199 a");
    shows(&browser, "row-1199");
    browser.keys(ESCAPE);
    browser.wait("document.getElementById('count').textContent.includes('the first 200 shown')");
    assert_eq!(browser.console(), Vec::<String>::new());
}
