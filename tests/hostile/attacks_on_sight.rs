//! Attacks on who looks, each by its name: markup in pages, formulas in tables, escapes on the terminal, a server's replies.

use demarche::domain::outcome::Phase;
use demarche::postbox::{Action, Chunk, Script};

use crate::support::campaign::{Campaign, Run};
use crate::support::server::Server;
use crate::{answering, campaign, check};

const MARKUP: [&str; 8] = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"' onmouseover=alert(1) x='\"",
    "</title></pre></td></iframe><svg onload=alert(1)>",
    "[click](javascript:alert(1))",
    "<javascript:alert(1)>",
    "![x](https://evil.test/x.png)",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
];

/// That no element or attribute in a page comes from [`MARKUP`], in the page itself or in the letter that it frames.
#[track_caller]
fn holds_no_markup_of_theirs(what: &str, html: &str) {
    let framed: Vec<String> = html
        .split("srcdoc=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap_or_default())
        .map(|text| {
            text.replace("&lt;", "<")
                .replace("&gt;", ">")
                .replace("&quot;", "\"")
                .replace("&#39;", "'")
                .replace("&amp;", "&")
        })
        .collect();
    // The one script that is ours stands last; a browser runs no other, because the policy names its hash.
    let own = html.rsplit_once("<script>").filter(|(_, rest)| rest.starts_with("'use strict';"));
    let html = own.map_or(html, |(before, _)| before);
    for page in framed.iter().map(String::as_str).chain([html]) {
        let mut tags =
            page.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or_default().to_ascii_lowercase());
        let bad = tags.find(|tag| {
            // The framed letter stands, escaped, in an attribute: it was looked at by itself.
            let tag = tag.split("srcdoc=").next().unwrap_or_default();
            let names: String = tag.split('"').step_by(2).collect();
            // The report's own drawing is all there may be of that kind.
            let drawing = "svg viewbox=\"0 0 760 240\" role=\"img\" aria-labelledby=\"chart-title chart-desc\"";
            // So is the data for the search: JSON that no policy runs, in which every "<" is an escape.
            let data = "script type=\"application/json\" id=\"without\"";
            (["script", "svg", "img"].iter().any(|element| tag.starts_with(element)) && tag != drawing && tag != data)
                || ["href=\"javascript:", "href=\"data:", "src=\"http"].iter().any(|link| tag.contains(link))
                || [" onmouseover", " onerror", " onload"].iter().any(|event| names.contains(event))
        });
        assert_eq!(bad, None, "{what}");
    }
}

#[test]
fn html_injection_by_a_cell_into_the_letter_and_every_page() {
    let server = Server::start();
    for (number, attack) in MARKUP.iter().enumerate() {
        let cell = attack.replace('"', "\"\"");
        let campaign = Campaign::small(server.port(), 0)
            .template("letter.en.md", "+++\nsubject = \"a {{ row.x }}\"\n+++\n\nb {{ row.x }} and {{ row.name }}\n\n- {{ row.x }}\n\n[link](https://coalition.example/?q={{ row.x }})\n")
            .recipients(&format!("id,to,name,x\nrow,\"\"\"{}\"\" <ken@missions.example>\",\"{cell}\",\"{cell}\"\n", cell.replace("\"\"", "")))
            .set("campaign.name", &toml::Value::String((*attack).to_owned()).to_string());
        campaign.run(&["send", "--yes"]).expect_code(0);
        campaign.run(&["preview"]).expect_code(0);
        campaign.run(&["report", "--html", "report.html"]).expect_code(0);
        for page in ["preview/index.html", "preview/letters/row.html", "report.html"] {
            let page = campaign.read(page);
            holds_no_markup_of_theirs(attack, &page);
            assert!(page.contains("default-src 'none'") && !page.contains("http-equiv=\"refresh\""), "{attack}");
        }
        assert!(campaign.read("preview/letters/row.html").contains("<iframe sandbox "), "{attack}");
        assert_eq!(server.letters().len(), number + 1);
    }
}

#[test]
fn html_injection_by_a_cell_into_a_design_of_ones_own() {
    for attack in MARKUP {
        let cell = attack.replace('"', "\"\"");
        let campaign = campaign()
            .recipients(&format!("state,to,x\nKenya,ken@missions.example,\"{cell}\"\n"))
            .template("letter.fr.txt", "+++\nsubject = \"a\"\n+++\n\nb {{ row.x }}\n")
            .template("letter.fr.html", "<html><body><p title=\"{{ row.x }}\">{{ row.x }}</p></body></html>")
            .set("letter.default_language", "\"fr\"");
        let run = campaign.run(&["preview"]);
        assert!(matches!(run.code, Some(0 | 65)), "{run:?}");
        if run.code == Some(0) {
            holds_no_markup_of_theirs(attack, &campaign.read("preview/letters/KEN.html"));
        }
    }
    let campaign = campaign()
        .recipients("state,to,x\nKenya,ken@missions.example,javascript:alert(1)\n")
        .template("letter.en.md", "+++\nsubject = \"a\"\n+++\n\n[click]({{ row.x }})\n");
    let told = check(&campaign);
    assert!(told.starts_with("exit 65") && told.contains("javascript:alert(1)"), "{told}");
}

#[test]
fn html_injection_by_a_servers_reply_into_the_report() {
    for attack in MARKUP {
        let server = Server::scripted(answering(Phase::Rcpt, Action::Reply(format!("550 5.7.1 {attack}"))));
        let campaign = Campaign::small(server.port(), 1);
        campaign.run(&["send", "--yes"]).expect_code(1);
        campaign.run(&["report", "--html", "report.html"]).expect_code(0);
        let page = campaign.read("report.html");
        assert!(page.contains("550"), "{page}");
        holds_no_markup_of_theirs(attack, &page);
    }
}

#[test]
fn formula_injection_into_the_spreadsheet() {
    for attack in ["=HYPERLINK(1)", "+1+1", "-1+1", "@SUM(1)", "=cmd|' /C calc'!A0", "\t=1", "  =1"] {
        // Before any of these stands in a table of ours, it stands in theirs.
        let cells = campaign().recipients(&format!("id,to,name\nrow,ken@missions.example,{attack}\n"));
        let looked = cells.run(&["check"]);
        assert!(looked.code == Some(65) || !attack.trim().starts_with('='), "{attack}: {looked:?}");
        let server = Server::scripted(answering(Phase::Rcpt, Action::Reply(format!("550 {attack}"))));
        let name = if looked.code == Some(0) { attack } else { "" };
        let campaign = Campaign::small(server.port(), 0)
            .template("letter.en.md", "+++\nsubject = \"a\"\n+++\n\nText\n")
            .recipients(&format!("id,to,name\nrow,=1+1@missions.example,{name}\nrow2,+1@missions.example,{name}\n"));
        exports_no_formula(&campaign, &campaign.run(&["send", "--yes"]));
    }
}

#[track_caller]
fn exports_no_formula(campaign: &Campaign, run: &Run) {
    assert_eq!(run.code, Some(1), "{run:?}");
    campaign.run(&["report", "--csv", "report.csv"]).expect_code(0);
    let table = campaign.read("report.csv");
    let table = table.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new().from_reader(table.as_bytes());
    let mut rows = 0;
    for row in reader.records() {
        rows += 1;
        for cell in &row.expect("a row") {
            assert!(
                !cell.trim_start_matches(' ').starts_with(['=', '+', '-', '@', '\t', '\r', '\n']),
                "{cell:?} in\n{table}"
            );
        }
    }
    assert!(rows > 0, "{table}");
}

const ESCAPES: [&str; 7] =
    ["\u{1b}[2J", "\u{1b}]0;x\u{7}", "\u{9b}2J", "\u{202e}", "\u{2066}", "\u{8}\u{8}", "\u{61c}"];

/// That a terminal would obey nothing of what was printed.
#[track_caller]
fn obeys_nothing(what: &str, run: &Run) {
    for (stream, text) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
        let found = text.chars().find(|c| {
            (c.is_control() && !matches!(c, '\n'))
                || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        });
        assert_eq!(found, None, "{what}: {stream}:\n{text:?}");
    }
}

const LOOKS: [&[&str]; 10] = [
    &["check"],
    &["check", "--json"],
    &["preview"],
    &["send", "-vv", "--yes"],
    &["status"],
    &["status", "--json"],
    &["log"],
    &["log", "--json"],
    &["report", "--json"],
    &["resend", "-vv", "--yes"],
];

#[test]
fn terminal_escapes_by_a_cell_or_a_setting() {
    let server = Server::start();
    for escape in ESCAPES {
        let in_toml = |text: &str| toml::Value::String(text.replace('%', escape)).to_string();
        let campaigns = [
            Campaign::small(server.port(), 0)
                .recipients(&format!("state,to,x{escape}\nKenya{escape},k{escape}n@missions.example,a\n")),
            Campaign::small(server.port(), 0).recipients(&format!(
                "state,to,other,id\nKenya,ken@missions.example,a{escape}b,\n,b{escape},c,{escape}\n"
            )),
            Campaign::small(server.port(), 2).set("campaign.name", &in_toml("An % letter")),
            Campaign::small(server.port(), 2).set("sender.from", &in_toml("A%B <letters@coalition.example>")),
            Campaign::small(server.port(), 2)
                .set("campaign.event", &format!("{{ name = {}, at = \"2099-01-01T10:00Z\" }}", in_toml("E%"))),
            Campaign::small(server.port(), 2).set("smtp.host", &in_toml("127.0.0.1%")),
            Campaign::small(server.port(), 2).set("recipients.file", &in_toml("rec%.csv")),
            Campaign::small(server.port(), 2).set("pace.days", &in_toml("Mon%")),
            Campaign::small(server.port(), 2).set("vars", &format!("{{ {} = nan }}", in_toml("x%"))),
            Campaign::small(server.port(), 2).template(
                "letter.en.md",
                &format!("+++\nsubject = \"a{escape}\"\n+++\n\n{{{{ x{escape} }}}} [a](javascript:{escape})\n"),
            ),
            Campaign::small(server.port(), 2).file(&format!("templates/letter.e{escape}.md"), "x"),
        ];
        for (number, campaign) in campaigns.iter().enumerate() {
            for look in LOOKS {
                obeys_nothing(&format!("{escape:?} in campaign {number}, {look:?}"), &campaign.run(look));
            }
        }
    }
}

#[test]
fn terminal_escapes_and_garbage_by_a_servers_reply() {
    let garbage: &[u8] = b"550 5.7.1 \x1b[2J \x9b2J \xc2\x9b2J \xe2\x80\xae \xff\xfe\x00 \x07 <script>\r\n";
    let phases = [Phase::Connect, Phase::Ehlo, Phase::Mail, Phase::Rcpt, Phase::Data, Phase::EndOfData];
    for phase in phases {
        let raw = Action::Raw(vec![Chunk { after: std::time::Duration::ZERO, bytes: garbage.to_vec() }]);
        let server = Server::scripted(answering(phase, raw));
        let campaign = Campaign::small(server.port(), 2).set("retry.first", "\"1ms\"").set("retry.most", "\"1ms\"");
        let mut told = String::new();
        for look in LOOKS.into_iter().chain([&["check", "--online"][..], &["test", "--to", "me@coalition.example"]]) {
            let run = campaign.run(look);
            obeys_nothing(&format!("{phase:?}, {look:?}"), &run);
            told.push_str(&run.stderr);
            told.push_str(&run.stdout);
        }
        assert!(told.contains("\\u{1b}[2J"), "{phase:?}: the words are shown:\n{told}");
    }
}

#[test]
fn a_reply_without_end_is_cut_off_and_not_held() {
    let line = b"550-5.7.1 and another line of it\r\n".repeat(100_000);
    let single = [b"550 ".to_vec(), vec![b'x'; 4_000_000]].concat();
    for bytes in [line, single] {
        for phase in [Phase::Ehlo, Phase::Rcpt, Phase::EndOfData] {
            let raw = Action::Raw(vec![Chunk { after: std::time::Duration::ZERO, bytes: bytes.clone() }]);
            let server = Server::scripted(answering(phase, raw));
            let campaign = Campaign::small(server.port(), 1).set("retry.first", "\"1ms\"").set("retry.most", "\"1ms\"");
            let run = campaign.run(&["send", "--yes"]);
            assert!(matches!(run.code, Some(1 | 2 | 69 | 75)), "{phase:?}: {:?}", run.code);
            assert!(run.stderr.len() < 20_000, "{phase:?}: {} octets were shown", run.stderr.len());
            let log = campaign.run(&["log", "--json"]);
            assert!(log.stdout.len() < 50_000, "{phase:?}: {} octets were kept", log.stdout.len());
        }
    }
}

#[test]
fn a_server_that_talks_out_of_turn_is_not_believed() {
    let eager = Action::Raw(vec![Chunk {
        after: std::time::Duration::ZERO,
        bytes: b"250 ok\r\n250 ok\r\n354 go\r\n250 2.0.0 queued as EVIL\r\n".to_vec(),
    }]);
    let server = Server::scripted(answering(Phase::Mail, eager));
    let campaign = Campaign::small(server.port(), 1).set("retry.first", "\"1ms\"").set("retry.most", "\"1ms\"");
    let run = campaign.run(&["send", "--yes"]);
    assert_ne!(run.code, Some(0), "{run:?}");
    assert_eq!(server.letters().len(), 0);
    let status = campaign.run(&["status", "--json"]);
    assert!(!status.stdout.contains("\"accepted\": 1"), "{}", status.stdout);
}

/// Only what is scripted happens: the helper itself is not what the tests above see.
#[test]
fn a_server_that_behaves_takes_the_same_letters() {
    let server = Server::scripted(Script::default());
    Campaign::small(server.port(), 2).run(&["send", "--yes"]).expect_code(0);
    assert_eq!(server.letters().len(), 2);
}
