//! Attachments from the outside: for all, for a language, for a mission; their order, names and types; the enclosures that
//! the letter names; and letters that are larger than the relay takes.

mod support;

use std::process::Command;

use demarche::postbox::{Offers, Options};
use support::campaign::Campaign;
use support::python_or_skip;
use support::server::Server;

const LETTER: &str = "+++\nsubject = \"Open letter\"\nattachments = [\"LANGUAGE.pdf\", \"all.pdf\"]\n+++\n\n{{ salutation() }}\n\nText.\n{%- if \
                      enclosures > 0 %}\n\n{{ enclosure_line() }}\n{%- endif %}\n";

fn letter(language: &str) -> String {
    LETTER.replace("LANGUAGE", language)
}

/// The parts of a message as Python's own parser reads them: type, file name, whether it is text, and what it says.
fn parts(eml: &std::path::Path) -> Vec<(String, String, String)> {
    let script = "import email.policy, sys\n\
        m = email.message_from_binary_file(open(sys.argv[1], 'rb'), policy=email.policy.default)\n\
        assert not m.defects, m.defects\n\
        for p in m.walk():\n\
        \x20 if not p.is_multipart():\n\
        \x20   body = p.get_payload(decode=True).decode('latin-1')[:3000].replace('\\n', ' ').replace('\\t', ' ').replace('\\r', ' ')\n\
        \x20   print(p.get_content_type(), p.get_filename() or '', body.encode('latin-1').decode('utf-8', 'replace'), sep='\\t')\n";
    let output = Command::new("python3").args(["-c", script]).arg(eml).env("PYTHONIOENCODING", "utf-8").output();
    let output = output.expect("python3 starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let part = |line: &str| {
        let mut fields = line.splitn(3, '\t').map(str::to_owned);
        let mut next = || fields.next().unwrap_or_default();
        (next(), next(), next())
    };
    text.lines().map(part).collect()
}

fn names(parts: &[(String, String, String)]) -> Vec<&str> {
    parts.iter().map(|(_, name, _)| name.as_str()).filter(|name| !name.is_empty()).collect()
}

#[test]
fn each_letter_has_those_of_all_then_of_its_language_then_its_own_and_none_twice() {
    if !python_or_skip("each_letter_has_those_of_all_then_of_its_language_then_its_own_and_none_twice") {
        return;
    }
    let campaign = Campaign::new()
        .config_for(1)
        .template("letter.en.md", &letter("en"))
        .template("letter.fr.md", &letter("fr"))
        .set("letter.attachments", "[\"all.pdf\", \"docs/list.csv\"]")
        .recipients(
            "state,to,language,attachment\nKenya,k@m.example,en,\nFrance,f@m.example,fr,docs/note.txt;all.pdf; en.pdf\n",
        )
        .file("all.pdf", "%PDF all")
        .file("en.pdf", "%PDF en")
        .file("fr.pdf", "%PDF fr")
        .file("docs/list.csv", "a,b\n")
        .file("docs/note.txt", "a note");
    campaign.run(&["preview"]).expect_code(0);
    let kenya = parts(&campaign.path("preview/KEN.eml"));
    assert_eq!(names(&kenya), ["all.pdf", "list.csv", "en.pdf"]);
    assert!(kenya[0].2.ends_with("Enclosures: 3 "), "{:?}", kenya[0]);
    let france = parts(&campaign.path("preview/FRA.eml"));
    assert_eq!(names(&france), ["all.pdf", "list.csv", "fr.pdf", "note.txt", "en.pdf"]);
    assert!(france[0].2.contains("Pièces jointes\u{a0}: 5"), "{:?}", france[0]);
    let types: Vec<&str> = france.iter().map(|(kind, _, _)| kind.as_str()).collect();
    assert_eq!(
        types,
        ["text/plain", "text/html", "application/pdf", "text/csv", "application/pdf", "text/plain", "application/pdf"]
    );
    assert_eq!(france[4].2, "%PDF fr");
}

#[test]
fn one_enclosure_is_one_and_none_is_not_named() {
    if !python_or_skip("one_enclosure_is_one_and_none_is_not_named") {
        return;
    }
    let letter = letter("en").replace("attachments = [\"en.pdf\", \"all.pdf\"]\n", "");
    let campaign = Campaign::new()
        .config_for(1)
        .template("letter.en.md", &letter)
        .recipients("state,to,attachment\nKenya,k@m.example,\nUganda,u@m.example,one.pdf\n")
        .file("one.pdf", "%PDF");
    campaign.run(&["preview"]).expect_code(0);
    assert!(!parts(&campaign.path("preview/KEN.eml"))[0].2.contains("Enclosure"));
    assert!(parts(&campaign.path("preview/UGA.eml"))[0].2.ends_with("Enclosure: 1 "));
}

#[test]
fn file_names_of_any_script_arrive_as_they_are() {
    if !python_or_skip("file_names_of_any_script_arrive_as_they_are") {
        return;
    }
    let files =
        ["Liste des signataires – été.pdf", "签署方名单.pdf", "الموقعون.docx", "a \"quoted\" name; and more.pdf"];
    let mut campaign = Campaign::small(1, 1);
    for file in files {
        campaign = campaign.file(file, "%PDF");
    }
    let list: Vec<String> = files.iter().map(|file| format!("{file:?}")).collect();
    let campaign = campaign.set("letter.attachments", &format!("[{}]", list.join(", ")));
    campaign.run(&["preview"]).expect_code(0);
    let eml = campaign.read("preview/AFG.eml");
    assert!(eml.is_ascii() && eml.contains("filename*"), "RFC 2231");
    assert_eq!(names(&parts(&campaign.path("preview/AFG.eml"))), files);
}

#[test]
fn text_that_is_not_utf_8_does_not_claim_to_be() {
    let campaign = Campaign::small(1, 1)
        .file("latin.csv", b"C\xf4te d'Ivoire\n")
        .file("unicode.csv", "Côte d'Ivoire\n")
        .set("letter.attachments", "[\"latin.csv\", \"unicode.csv\"]");
    campaign.run(&["preview"]).expect_code(0);
    let eml = campaign.read("preview/AFG.eml");
    assert_eq!((eml.matches("text/csv; charset=utf-8").count(), eml.matches("text/csv").count()), (1, 2), "{eml}");
}

fn relay_with_size(size: u64) -> Server {
    let offers = Offers { size: Some(size), ..Offers::default() };
    Server::with(Options { offers, ..Options::default() })
}

#[test]
fn a_letter_that_is_too_large_for_the_relay_is_named_whatever_the_average() {
    let server = relay_with_size(200_000);
    let campaign = Campaign::small(server.port(), 0)
        .recipients("state,to,attachment\nKenya,k@m.example,\nUganda,u@m.example,big.bin\nGhana,g@m.example,\nMalta,m@m.example,bigger.bin\n")
        // After base64 it is over the limit, before it is not.
        .file("big.bin", vec![7_u8; 160_000])
        .file("bigger.bin", vec![7_u8; 190_000]);
    campaign.run(&["check"]).expect_code(0);
    let run = campaign.run(&["check", "--online"]).expect_code(65);
    let said = "error[letter-too-large]: 2 letters are larger than the relay takes (200.0 kB), the largest with 264.";
    assert!(run.stderr.contains(said) && run.stderr.contains("kB: MLT, UGA"), "{}", run.stderr);
    assert!(run.stdout.contains("Relay:     127.0.0.1"), "{}", run.stdout);
    let json = campaign.run(&["check", "--online", "--json"]).expect_code(65).json();
    assert_eq!(json["errors"][0]["code"], "letter-too-large");
    let largest = json["largest"].as_u64().expect("a number");
    campaign.run(&["preview"]).expect_code(0);
    let on_disk = std::fs::metadata(campaign.path("preview/MLT.eml")).expect("it is there").len();
    assert_eq!(largest, on_disk, "the size is that of the message as it goes over the wire");
    // A suppressed row gets no letter, so that its size is nobody's trouble.
    let campaign = campaign.file("suppressed.csv", "address\nu@m.example\nm@m.example\n");
    campaign.run(&["check", "--online"]).expect_code(0);
}

#[test]
fn a_relay_without_a_limit_or_with_a_large_one_takes_every_letter() {
    for size in [Some(0), None, Some(50_000_000)] {
        let offers = Offers { size, ..Offers::default() };
        let server = Server::with(Options { offers, ..Options::default() });
        let campaign = Campaign::small(server.port(), 2)
            .file("a.bin", vec![7_u8; 300_000])
            .set("letter.attachments", "[\"a.bin\"]");
        let run = campaign.run(&["check", "--online"]).expect_code(0);
        let said =
            if size == Some(50_000_000) { "up to 50.0 MB, the largest here has 41" } else { "no size limit said" };
        assert!(run.stdout.contains(said), "{}", run.stdout);
    }
}

#[test]
fn every_problem_is_told_though_the_relay_is_away() {
    let campaign = Campaign::small(1, 0).recipients("state,to\nKenya,k@m.example\nKenya,l@m.example\n");
    let campaign = campaign.set("recipients.audience", "\"observers\"").recipients("state,to\nKenya,k@m.example\n");
    let run = campaign.run(&["check", "--online"]).expect_code(69);
    assert!(
        run.stderr.contains("states-missing") && run.stderr.contains("no session with 127.0.0.1"),
        "{}",
        run.stderr
    );
}
