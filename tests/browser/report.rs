//! The report in the browser: read by anybody, on any screen and on paper, and asking for nothing.

use demarche::domain::delivery::State;
use demarche::domain::outcome::Phase;
use demarche::postbox::{Action, Script};
use demarche::report::html;
use jiff::SignedDuration;

use crate::access::{axe, violations};
use crate::driver::Browser;
use crate::report_sample::{at, dossier, record};
use crate::support;
use crate::support::campaign::Campaign;
use crate::support::server::Server;

const ROWS: &str = "state,to,cc,language,name
Afghanistan,afg@missions.example,,,
Albania,alb@missions.example,,,
Andorra,and@missions.example,,,
Argentina,arg@missions.example,,,
Australia,aus@missions.example,second-registry.office@missions.example,,
Austria,aut@missions.example,,,
Bahrain,bhr@missions.example,,ar,مكتب البعثة
Bangladesh,bgd@missions.example,,,
Barbados,brb@missions.example,,,
Belgium,bel@missions.example,,,
";

/// A campaign in two languages, sent in two runs that take a moment: one mission unknown, one put off, one uncertain, one whose
/// copy is refused, one left out, most without a row; and its report.
fn report() -> (Server, Campaign) {
    let server = Server::scripted(Script::new(|cue| {
        let is = |name: &str| cue.recipient.is_some_and(|to| to.starts_with(name));
        match cue.phase {
            Phase::Rcpt if is("and@") => Action::Reply("550 5.1.1 <and@missions.example>: user unknown".to_owned()),
            Phase::Rcpt if is("arg@") => Action::Reply(format!("451 4.7.1 {}", "wait ".repeat(60))),
            Phase::Rcpt if is("second-registry") => Action::Reply("550 5.1.1 user unknown".to_owned()),
            Phase::EndOfData if is("aut@") => Action::AcceptThen(Box::new(Action::Close)),
            _ => Action::Behave,
        }
    }));
    let arabic = "+++\nsubject = \"رسالة مفتوحة إلى {{ state.name }}\"\n+++\n\n{{ salutation() }}\n\nنص.\n";
    let campaign = Campaign::small(server.port(), 1)
        .set("recipients.audience", "\"member-states\"")
        // Over several seconds, so that there is something to draw.
        .set("pace.rate", "\"4/s\"")
        .recipients(ROWS)
        .template("letter.ar.md", arabic)
        .file("suppressed.csv", "address,reason\nbgd@missions.example,asked not to be written to\n");
    campaign.run(&["send", "--yes", "--limit", "4"]);
    campaign.run(&["send", "--yes"]).expect_code(2);
    campaign.run(&["report", "--html", "report.html"]).expect_code(0);
    (server, campaign)
}

/// A browser on the report, so wide; `None` where there is no browser.
fn browser_at_the_report(what: &str, width: u32) -> Option<(Server, Campaign, Browser)> {
    if !support::browser_or_skip(what) {
        return None;
    }
    let (server, campaign) = report();
    let browser = Browser::start();
    browser.size(width, 900);
    browser.open(&campaign.path("report.html"), "");
    Some((server, campaign, browser))
}

/// The lines that a script in the page gives.
fn lines(browser: &Browser, script: &str) -> Vec<String> {
    let lines = browser.script(script);
    let text = |line: &serde_json::Value| line.as_str().expect("a line").to_owned();
    lines.as_array().unwrap_or_else(|| panic!("no list: {lines}")).iter().map(text).collect()
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
fn nothing_of_the_report_is_hidden_or_too_small_to_read_on_a_phone() {
    let Some((_server, _campaign, browser)) = browser_at_the_report("reading the report on a phone", 400) else {
        return;
    };
    let hidden = lines(
        &browser,
        "document.querySelectorAll('details').forEach((it) => { it.open = true; });
         return [...document.querySelectorAll('main *')].filter((it) => {
             const box = it.getBoundingClientRect(), style = getComputedStyle(it);
             if (!box.width || it.closest('thead') || it.matches('.rule')) return false;
             const scrolls = style.overflowX !== 'visible' && it.scrollWidth > it.clientWidth + 1;
             return scrolls || box.right > innerWidth + 0.5 || box.left < -0.5;
         }).map((it) => it.outerHTML.slice(0, 120));",
    );
    assert_eq!(hidden, Vec::<String>::new());
    let small = lines(
        &browser,
        "return [...document.querySelectorAll('svg.chart text')].filter((it) => it.getBoundingClientRect().width)
             .filter((it) => it.getBoundingClientRect().height < 12)
             .map((it) => it.textContent + ' ' + it.getBoundingClientRect().height);",
    );
    assert_eq!(small, Vec::<String>::new());
    let drawn = "[...document.querySelectorAll('svg.chart')].filter((it) => it.getBoundingClientRect().width).length";
    assert_eq!(browser.script(&format!("return {drawn};")), 1);
    // Below each group stands what its columns said, in words, and no column that is empty for it.
    let africa = browser.text("#coverage .groups tbody tr");
    assert!(africa.contains("African States") && africa.contains("54"), "{africa}");
    let said = lines(
        &browser,
        "return [...document.querySelectorAll('#coverage .groups tbody tr')].map((row) => [...row.querySelectorAll('td')]
             .filter((it) => it.getBoundingClientRect().height).map((it) =>
                 getComputedStyle(it, '::before').content.replaceAll('\"', '') + ' ' + it.textContent).join(', '));",
    );
    assert!(
        said.iter()
            .any(|row| row
                == "accepted 1, accepted, copy refused 1, uncertain 1, refused 1, no letter planned 25, of  29"),
        "{said:?}"
    );
    browser.size(1280, 900);
    assert_eq!(browser.script(&format!("return {drawn};")), 1);
}

/// A page whose letters were answered over so many seconds, before an event that begins soon after.
fn page_over(seconds: i64) -> String {
    let mut about = dossier(vec![record("KEN", State::Accepted), record("FRA", State::Failed)], &[]);
    let begin = at("2021-10-18T22:40:07Z");
    let moments = (0..=60).map(|n| begin + SignedDuration::from_secs(seconds * n / 60));
    let answered = [State::Accepted, State::Deferred, State::Failed, State::Uncertain].into_iter().cycle();
    about.settled = moments.zip(answered).collect();
    about.event.as_mut().expect("an event").at = begin + SignedDuration::from_secs(seconds * 3 / 2);
    html(&about)
}

#[test]
fn labels_of_the_drawing_never_run_into_each_other_however_long_the_sending_took() {
    if !support::browser_or_skip("reading the drawing") {
        return;
    }
    let folder = Campaign::new();
    let browser = Browser::start();
    for seconds in [
        3,
        25,
        31,
        33,
        34,
        35,
        39,
        200,
        1_900,
        7_000,
        50_000,
        110_000,
        400_000,
        1_000_000,
        9_000_000,
        40_000_000,
        200_000_000,
    ] {
        std::fs::write(folder.path("report.html"), page_over(seconds)).expect("our own folder");
        for width in [1280, 400, 320] {
            browser.size(width, 900);
            browser.open(&folder.path("report.html"), "");
            let clashes = lines(
                &browser,
                "const boxes = [...document.querySelectorAll('svg.chart text')].map((it) => [it.textContent, it.getBoundingClientRect()])
                     .filter(([, box]) => box.width);
                 const sheet = document.querySelector('figure').getBoundingClientRect();
                 if (boxes.filter(([text]) => !/^\\d+$/.test(text)).length < 3) return ['fewer than two moments: ' + boxes.map(([text]) => text)];
                 return boxes.flatMap(([text, a], place) => [...boxes.slice(place + 1)
                     .filter(([, b]) => a.left < b.right + 2 && b.left < a.right + 2 && a.top + 2 < b.bottom && b.top + 2 < a.bottom)
                     .map(([other]) => text + ' on ' + other),
                     ...(a.right > sheet.right + 0.5 || a.left < sheet.left - 0.5 ? [text + ' beyond the edge'] : [])]);",
            );
            assert_eq!(clashes, Vec::<String>::new(), "{seconds} s, {width} px");
            let astray = lines(
                &browser,
                "return [...document.querySelectorAll('svg.chart line.grid')].filter((it) => it.getBoundingClientRect().height > 2)
                     .flatMap((line) => {
                         const tick = line.getBoundingClientRect(), label = line.nextElementSibling.getBoundingClientRect();
                         const off = (label.left + label.right) / 2 - (tick.left + tick.right) / 2;
                         return Math.abs(off) > 1.5 ? [line.nextElementSibling.textContent + ' stands off its mark by ' + off] : [];
                     });",
            );
            assert_eq!(astray, Vec::<String>::new(), "{seconds} s, {width} px");
        }
    }
}

/// Where a text node breaks over two lines between two letters that belong together.
const BROKEN: &str = "
    const torn = [];
    for (const it of document.querySelectorAll('.address, time')) {
        if (!it.getBoundingClientRect().width) continue;
        const walker = document.createTreeWalker(it, NodeFilter.SHOW_TEXT);
        let last = null;
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            for (let at = 0; at < node.length; at += 1) {
                const range = document.createRange();
                range.setStart(node, at);
                range.setEnd(node, at + 1);
                const now = { c: node.data[at], top: range.getBoundingClientRect().top };
                if (last && Math.abs(now.top - last.top) > 6 && now.c !== '.' && last.c !== '@') torn.push(it.outerHTML);
                last = now;
            }
        }
    }
    return torn;";

#[test]
fn addresses_break_at_their_signs_only_and_times_nowhere() {
    let Some((_server, _campaign, browser)) = browser_at_the_report("reading addresses", 1280) else { return };
    for (media, width) in [("screen", 1280), ("screen", 700), ("screen", 400), ("screen", 320), ("print", 673)] {
        browser.media(media, "light");
        browser.size(width, 900);
        assert_eq!(lines(&browser, BROKEN), Vec::<String>::new(), "{media} {width}");
    }
    let dates = browser
        .script("return [...document.querySelectorAll('time')].filter((it) => it.textContent.includes('-')).length;");
    assert_eq!(dates, 0);
}

#[test]
fn each_language_stands_with_its_own_subject() {
    let Some((_server, _campaign, browser)) = browser_at_the_report("reading subjects", 1280) else { return };
    let first = browser.text("#sent dd");
    assert!(first.contains("رسالة مفتوحة إلى") && first.contains("(Arabic, to Bahrain)"), "{first}");
    assert!(first.contains("Open letter to") && first.contains("(English, to "), "{first}");
}

#[test]
fn paper_has_numbered_pages_that_name_campaign_and_date_and_headings_that_stay_with_what_follows() {
    if support::program("pdftotext").is_none() {
        return support::left_out("reading the printed report", "pdftotext (poppler-utils)");
    }
    let Some((_server, campaign, browser)) = browser_at_the_report("printing the report", 1280) else { return };
    let pdf = campaign.path("report.pdf");
    std::fs::write(&pdf, browser.print()).expect("our own folder");
    let text =
        std::process::Command::new("pdftotext").arg("-layout").arg(&pdf).arg("-").output().expect("pdftotext runs");
    let text = String::from_utf8(text.stdout).expect("UTF-8");
    let pages: Vec<&str> = text.split('\u{c}').filter(|page| !page.trim().is_empty()).collect();
    assert!((3..=20).contains(&pages.len()), "{} pages", pages.len());
    let headings = [
        "What ",
        "When it was sent",
        "Whom it reached",
        "Every mission",
        "Who approved it",
        "The rounds",
        "How to check",
    ];
    for (place, page) in pages.iter().enumerate() {
        let number = format!("{} / {}", place + 1, pages.len());
        let mut lines: Vec<&str> = page.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let foot = lines.pop().expect("a foot");
        assert!(foot.starts_with("Report as of ") && foot.ends_with(&number), "{foot}");
        assert!(lines[0] == if place == 0 { lines[0] } else { "An open letter" }, "page {number}: {}", lines[0]);
        // Neither a heading as the last line nor a page of two lines.
        let last = lines.last().expect("lines");
        assert!(!headings.iter().any(|heading| last.starts_with(heading)), "page {number} ends with {last}");
        assert!(lines.len() > 3, "page {number}: {lines:?}");
    }
    let table = pages.iter().filter(|page| page.contains("missions.example")).count();
    let is_headed = |page: &&&str| page.contains("When (UTC)") || page.contains("What is to be done next");
    let headed = pages.iter().filter(|page| page.contains("missions.example")).filter(is_headed);
    assert!(headed.count() + 2 >= table, "{text}");
}

/// The text of the page as printed by hand: with the browser's own header and footer switched on.
fn printed_by_hand(browser: &Browser, campaign: &Campaign) -> String {
    let wish = serde_json::json!({ "displayHeaderFooter": true, "paperWidth": 8.27, "paperHeight": 11.69 });
    let printed = browser.devtools("Page.printToPDF", &wish);
    let bytes = base64::Engine::decode(
        &base64::engine::general_purpose::STANDARD,
        printed["data"].as_str().expect("a document"),
    );
    let pdf = campaign.path("by-hand.pdf");
    std::fs::write(&pdf, bytes.expect("base64")).expect("our own folder");
    let text =
        std::process::Command::new("pdftotext").arg("-layout").arg(&pdf).arg("-").output().expect("pdftotext runs");
    String::from_utf8(text.stdout).expect("UTF-8")
}

#[test]
fn no_page_of_paper_has_the_browsers_own_margins_and_the_numbers_of_the_drawing_are_printed_with_it() {
    if support::program("pdftotext").is_none() {
        return support::left_out("reading the printed report", "pdftotext (poppler-utils)");
    }
    let Some((_server, campaign, browser)) = browser_at_the_report("printing the report by hand", 1280) else { return };
    let text = printed_by_hand(&browser, &campaign);
    let pages: Vec<&str> = text.split('\u{c}').filter(|page| !page.trim().is_empty()).collect();
    for page in &pages {
        assert!(!page.contains("file:///") && !page.contains("Report: An open letter"), "{page}");
    }
    assert!(pages[0].trim_start().starts_with("Report on a letter, as of "), "{}", pages[0]);
    assert!(text.contains("From (UTC)"), "the table of the drawing is printed: {text}");
}

#[test]
fn the_end_of_a_letter_never_stands_on_a_page_of_two_lines() {
    if support::program("pdftotext").is_none() || !support::browser_or_skip("printing letters") {
        return support::left_out("printing letters", "pdftotext (poppler-utils)");
    }
    let folder = Campaign::new();
    let browser = Browser::start();
    let mut about = dossier(vec![record("KEN", State::Accepted)], &[]);
    let mut pages = Vec::new();
    for length in (30..78).step_by(2) {
        about.letters[0].text = (1..=length).map(|line| format!("Line {line}")).collect::<Vec<_>>().join("\n");
        std::fs::write(folder.path("report.html"), html(&about)).expect("our own folder");
        browser.open(&folder.path("report.html"), "");
        let text = printed_by_hand(&browser, &folder);
        let last = text.split('\u{c}').rfind(|page| !page.trim().is_empty()).expect("a page").to_owned();
        let lines = last.lines().filter(|line| line.trim_start().starts_with("Line ")).count();
        assert!(lines >= 8, "{length} lines: {last}");
        pages.push(text.matches('\u{c}').count());
    }
    pages.dedup();
    assert!(pages.len() > 1, "no letter came to an end on a page behind the others': {pages:?}");
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
