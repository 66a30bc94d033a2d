//! Attacks on what is sent and read, each by its name: header and template injection, smuggling, path traversal.

use std::os::unix::fs::symlink;

use demarche::postbox::Letter;

use crate::support::campaign::Campaign;
use crate::support::server::Server;
use crate::{campaign, files_below};

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
        let escaped: String = bad.chars().map(u32::from).map(|c| format!("\\u{c:04x}")).collect::<Vec<_>>().concat();
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
    took_letters_to_missions_alone(&server);
}

/// That what the server has taken went to missions alone, and by the rules.
#[track_caller]
fn took_letters_to_missions_alone(server: &Server) {
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
fn symlink_race_for_an_attachment_a_template_and_the_lists() {
    use std::sync::atomic::{AtomicBool, Ordering};
    let outside = tempfile::tempdir().expect("a folder");
    let secrets = [
        ("a.pdf", "canary"),
        ("templates/letter.en.md", "+++\nsubject = \"canary\"\n+++\n\ncanary\n"),
        ("recipients.csv", "id,to,attachment\ncanary,canary@missions.example,a.pdf\n"),
        ("suppressed.csv", "to\ncanary@missions.example\nken@missions.example\n"),
    ];
    for (name, secret) in secrets {
        let hidden = outside.path().join("secret");
        std::fs::write(&hidden, secret).expect("our own folder");
        let campaign = campaign()
            .file("a.pdf", "ours")
            .file("suppressed.csv", "to\n")
            .template("letter.en.md", "+++\nsubject = \"ours\"\n+++\n\nours\n")
            .recipients("id,to,attachment\nken,ken@missions.example,a.pdf\n");
        let ours = std::fs::read(campaign.path(name)).expect("there");
        let (place, next) = (campaign.path(name), campaign.path("home/next"));
        let done = AtomicBool::new(false);
        let mut runs = Vec::new();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    symlink(&hidden, &next).expect("our own folder");
                    std::fs::rename(&next, &place).expect("our own folder");
                    std::fs::write(&next, &ours).expect("our own folder");
                    std::fs::rename(&next, &place).expect("our own folder");
                }
            });
            for _ in 0..15 {
                runs.push(campaign.run(&["preview", "--json"]));
            }
            done.store(true, Ordering::Relaxed);
        });
        for run in &runs {
            assert!(matches!(run.code, Some(0 | 65 | 78)), "{name}: {run:?}");
            assert!(!run.stdout.contains("canary") && !run.stderr.contains("canary"), "{name}: {run:?}");
            assert!(!run.stderr.contains("suppressed: they get no letter"), "{name}: {run:?}");
        }
        if campaign.path("preview").exists() {
            for (path, bytes) in files_below(&campaign.path("preview")) {
                let text = String::from_utf8_lossy(&bytes);
                assert!(!text.contains("canary") && !text.contains("Y2FuYXJ5"), "{name}: {path}");
            }
        }
    }
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
            assert_eq!(written.len(), 6, "{id}: letter, page, index, comparison, manifest and marker: {written:?}");
        } else {
            assert_eq!(run.code, Some(65), "{id}: {run:?}");
            assert!(!campaign.path("look").exists(), "{id}");
        }
    }
}
