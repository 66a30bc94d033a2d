//! Attacks, each by its name: what a cell, a setting, a template or a server's reply must never be able to do.

use std::os::unix::fs::symlink;

use demarche::domain::outcome::Phase;
use demarche::postbox::{Action, Chunk, Letter, Script};

use crate::support::campaign::{Campaign, Run};
use crate::support::server::Server;
use crate::{answering, campaign, check, files_below};

/// The header fields that a letter of ours may have.
const FIELDS: [&str; 14] = [
    "From",
    "To",
    "Cc",
    "Reply-To",
    "Subject",
    "Date",
    "Message-ID",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Language",
    "X-Demarche-Delivery",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
];

/// The header of a message.
fn header(letter: &Letter) -> String {
    let text = String::from_utf8_lossy(&letter.bytes).into_owned();
    text.split_once("\r\n\r\n").expect("a header").0.to_owned()
}

/// Sends, and asserts that whatever arrived has our header fields alone, once each, and went to nobody else.
#[track_caller]
fn sends_nothing_smuggled(what: &str, server: &Server, campaign: &Campaign) {
    let before = server.letters().len();
    let run = campaign.run(&["send", "--yes"]);
    let letters = server.letters().split_off(before);
    assert!(matches!(run.code, Some(0 | 65 | 78)), "{what}: {run:?}");
    assert_eq!(run.code == Some(0), !letters.is_empty(), "{what}: {run:?}");
    for letter in letters {
        let mut names: Vec<String> = header(&letter)
            .split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .map(|line| line.split(':').next().unwrap_or_default().to_owned())
            .collect();
        assert!(names.iter().all(|name| FIELDS.contains(&name.as_str())), "{what}: {}", header(&letter));
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all, "{what}: {}", header(&letter));
        assert!(!letter.forward_paths.concat().contains("evil"), "{what}: {:?}", letter.forward_paths);
        assert!(!letter.bytes.contains(&0), "{what}");
    }
    assert_eq!(server.violations(), Vec::<String>::new(), "{what}");
}

const LINE_ENDS: [&str; 6] =
    ["\r\nBcc: x@evil.test", "\nBcc: x@evil.test", "\rBcc: x@evil.test", "\0", "\u{85}Bcc: x", "\u{2028}Bcc: x"];

#[test]
fn header_injection_by_a_cell() {
    let server = Server::start();
    let quoted = |value: &str| format!("\"{}\"", value.replace('"', "\"\""));
    for bad in LINE_ENDS {
        let clean = ["KEN", "Kenya", "ken@missions.example", "", "Ms. A", "en", "a.pdf", "x"].map(str::to_owned);
        for column in 0..clean.len() {
            for (front, back) in [("", ""), ("A ", " B")] {
                let mut cells = clean.clone();
                cells[column] = format!("{front}{}{bad}{back}", cells[column]);
                let row: Vec<String> = cells.iter().map(|cell| quoted(cell)).collect();
                let campaign = Campaign::small(server.port(), 0)
                    .file("a.pdf", "x")
                    .template(
                        "letter.en.md",
                        "+++\nsubject = \"To {{ state.name }}: {{ row.x }}\"\n+++\n\n{{ row.x }} {{ row.name }}\n",
                    )
                    .recipients(&format!("id,state,to,cc,name,language,attachment,x\n{}\n", row.join(",")));
                sends_nothing_smuggled(&format!("{bad:?} in column {column}"), &server, &campaign);
            }
        }
    }
}

#[test]
fn header_injection_by_the_config() {
    let server = Server::start();
    let keys = [
        ("campaign.id", "x"),
        ("campaign.name", "An open letter"),
        ("sender.from", "A <letters@coalition.example>"),
        ("sender.reply_to", "A <a@coalition.example>"),
        ("sender.bcc", "a@coalition.example"),
        ("sender.list_unsubscribe", "https://coalition.example/stop"),
        ("letter.default_language", "en"),
        ("smtp.ehlo_name", "client.example"),
        ("vars.x", "x"),
    ];
    for bad in LINE_ENDS {
        for (key, clean) in keys {
            for value in [format!("{clean}{bad}"), format!("A{bad}{clean}"), clean.replace(' ', bad)] {
                let text = toml::Value::String(value).to_string();
                let text = if key == "sender.bcc" { format!("[{text}]") } else { text };
                let campaign = Campaign::small(server.port(), 0)
                    .recipients("state,to\nKenya,ken@missions.example\n")
                    .set("vars.x", "\"x\"")
                    .set(key, &text)
                    .template(
                        "letter.en.md",
                        "+++\nsubject = \"{{ campaign.name }} {{ vars.x }}\"\n+++\n\n{{ vars.x }} {{ sender.name }}\n",
                    );
                sends_nothing_smuggled(&format!("{bad:?} in {key}"), &server, &campaign);
            }
        }
    }
}

#[test]
fn header_injection_by_a_template_or_a_file_name() {
    let server = Server::start();
    for bad in LINE_ENDS {
        let escaped: String = bad.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
        for subject in [format!("a{escaped}"), format!("{{{{ '{escaped}' }}}}")] {
            let campaign = Campaign::small(server.port(), 0)
                .recipients("state,to\nKenya,ken@missions.example\n")
                .template("letter.en.md", &format!("+++\nsubject = \"{subject}\"\n+++\n\nText\n"));
            sends_nothing_smuggled(&subject, &server, &campaign);
        }
        if !bad.contains('\0') {
            let name = format!("a{}.pdf", bad.replace('/', "-"));
            let campaign = Campaign::small(server.port(), 0)
                .file(&name, "x")
                .recipients(&format!("state,to,attachment\nKenya,ken@missions.example,\"{name}\"\n"));
            sends_nothing_smuggled(&name, &server, &campaign);
            let escaped = toml::Value::String(name.clone()).to_string();
            let campaign = Campaign::small(server.port(), 0)
                .file(&name, "x")
                .set("letter.attachments", &format!("[{escaped}]"))
                .recipients("state,to\nKenya,ken@missions.example\n");
            sends_nothing_smuggled(&name, &server, &campaign);
        }
    }
}

#[test]
fn smuggling_a_second_letter_by_the_end_of_data() {
    let server = Server::start();
    let evil = "a\r\n.\r\nMAIL FROM:<x@evil.test>\r\nRCPT TO:<y@evil.test>\r\nDATA\r\n.\r\n";
    let bare = evil.replace("\r\n", "\n");
    let campaign = Campaign::small(server.port(), 0)
        .template("letter.en.md", "+++\nsubject = \"a\"\n+++\n\n.\n\n{{ row.x }}\n")
        .file("dots.txt", evil)
        .recipients(&format!(
            "state,to,x,attachment\nKenya,ken@missions.example,\"{evil}\",dots.txt\nChad,tcd@missions.example,\"{bare}\",dots.txt\n"
        ));
    campaign.run(&["send", "--yes"]).expect_code(0);
    assert_eq!(server.ids(), ["KEN", "TCD"]);
    sends_nothing_smuggled_already(&server);
}

/// That what the server has taken went to missions alone, and by the rules.
#[track_caller]
fn sends_nothing_smuggled_already(server: &Server) {
    assert!(
        server
            .letters()
            .iter()
            .all(|letter| letter.forward_paths.iter().all(|path| path.ends_with("@missions.example")))
    );
    assert_eq!(server.violations(), Vec::<String>::new());
}

#[test]
fn template_injection_by_a_cell() {
    let attacks = [
        "{{ 7*7 }}",
        "{{7*191}}",
        "{% include \"secret.md\" %}",
        "{{ vars.hidden }}",
        "{# comment #}",
        "${7*191}",
        "<%= 7*191 %>",
        "{{ get_env(name=\"HOME\") }}",
        "{% for i in range(end=1000) %}1337{% endfor %}",
    ];
    let server = Server::start();
    for attack in attacks {
        let cell = attack.replace('"', "\"\"");
        let campaign = Campaign::small(server.port(), 0)
            .set("vars.hidden", "\"canary-of-vars\"")
            .template("secret.md", "canary-of-a-part")
            .template("letter.en.md", "+++\nsubject = \"a {{ row.x }}\"\n+++\n\nb {{ row.x }}\n")
            .recipients(&format!("state,to,x\nKenya,ken@missions.example,\"{cell}\"\n"));
        let preview = campaign.run(&["preview"]);
        if preview.code == Some(65) {
            assert!(preview.stderr.contains("comes from the column \"x\""), "{attack}: {}", preview.stderr);
            continue;
        }
        preview.expect_code(0);
        let page = campaign.read("preview/letters/KEN.html");
        for done in ["canary-of", "1337<", ">1337", " 49", campaign.path("home").to_str().expect("UTF-8")] {
            assert!(!page.contains(done), "{attack}: {done}");
        }
        assert!(page.contains("7*191") || page.contains("comment"), "{attack} is shown as it is");
    }
}

#[test]
fn path_traversal_by_links_in_the_campaign_folder() {
    let outside = tempfile::tempdir().expect("a folder");
    let secret = outside.path().join("secret.md");
    std::fs::write(&secret, "+++\nsubject = \"canary\"\n+++\n\ncanary\n").expect("our own folder");
    let rows = "state,to,x\nKenya,ken@missions.example,canary\n";
    std::fs::write(outside.path().join("rows.csv"), rows).expect("our own folder");
    let make = || campaign().recipients("state,to\nKenya,ken@missions.example\n");

    let template = make();
    symlink(&secret, template.path("templates/letter.fr.md")).expect("free");
    let part = make().template("letter.en.md", "+++\nsubject = \"a\"\n+++\n\n{% include \"part.md\" %}\n");
    symlink(&secret, part.path("templates/part.md")).expect("free");
    let folder = make().set("letter.templates", "\"linked\"");
    symlink(outside.path(), folder.path("linked")).expect("free");
    let inner = make();
    symlink(outside.path(), inner.path("templates/inner")).expect("free");
    let recipients = make().set("recipients.file", "\"linked.csv\"");
    symlink(outside.path().join("rows.csv"), recipients.path("linked.csv")).expect("free");
    let ledger = make().set("ledger.file", "\"linked.db\"");
    symlink(outside.path().join("rows.csv"), ledger.path("linked.db")).expect("free");
    let below = make().set("ledger.file", "\"linked/new.db\"");
    symlink(outside.path(), below.path("linked")).expect("free");
    let dangling = make().set("ledger.file", "\"linked.db\"");
    symlink(outside.path().join("not-there-yet.db"), dangling.path("linked.db")).expect("free");
    for (what, campaign) in [
        ("dangling", dangling),
        ("template", template),
        ("part", part),
        ("folder", folder),
        ("inner", inner),
        ("recipients", recipients),
        ("ledger", ledger),
        ("below", below),
    ] {
        for command in [["check", "-q"], ["send", "--yes"]] {
            let run = campaign.run(&command);
            assert!(matches!(run.code, Some(65 | 74 | 78)), "{what}: {run:?}");
            assert!(!run.stderr.contains("canary"), "{what}: {run:?}");
            assert!(run.stderr.contains("link"), "{what}: {run:?}");
        }
    }
    assert_eq!(std::fs::read_dir(outside.path()).expect("a folder").count(), 2, "nothing was written there");
}

#[test]
fn a_link_put_in_the_place_of_an_approved_attachment() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 0)
        .file("a.pdf", "approved")
        .recipients("state,to,attachment\nKenya,ken@missions.example,a.pdf\n");
    let digest = campaign.run(&["preview", "--json"]).json()["digest"].as_str().expect("a digest").to_owned();
    std::fs::remove_file(campaign.path("a.pdf")).expect("there");
    symlink("/etc/hostname", campaign.path("a.pdf")).expect("free");
    let run = campaign.run(&["send", "--approve", &digest]).expect_code(65);
    assert!(run.stderr.contains("a link that leaves the campaign folder"), "{}", run.stderr);
    assert_eq!(server.letters().len(), 0);
}

#[test]
fn path_traversal_by_a_rows_id() {
    for id in ["../../evil", "/tmp/evil", "a/b", "..", ".", "a\\b", "C:evil", "evil\u{0}", "-rf", "CON", "index", "a b"]
    {
        let campaign = campaign()
            .recipients(&format!("id,to\n{id},ken@missions.example\n"))
            .template("letter.en.md", "+++\nsubject = \"a\"\n+++\n\nText\n");
        let run = campaign.run(&["preview", "--out", "look"]);
        if run.code == Some(0) {
            let written = files_below(&campaign.path("look"));
            assert_eq!(written.len(), 4, "{id}: a letter, its page, the index and the marker: {written:?}");
        } else {
            assert_eq!(run.code, Some(65), "{id}: {run:?}");
            assert!(!campaign.path("look").exists(), "{id}");
        }
    }
}

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
    for page in framed.iter().map(String::as_str).chain([html]) {
        let mut tags =
            page.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or_default().to_ascii_lowercase());
        let bad = tags.find(|tag| {
            // The framed letter stands, escaped, in an attribute: it was looked at by itself.
            let tag = tag.split("srcdoc=").next().unwrap_or_default();
            let names: String = tag.split('"').step_by(2).collect();
            ["script", "svg", "img"].iter().any(|element| tag.starts_with(element))
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
        let in_toml = |text: &str| toml::Value::String(text.replace("%", escape)).to_string();
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
