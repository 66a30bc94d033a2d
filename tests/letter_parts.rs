//! What a letter is made of besides its words: pictures in it, text that flows, a design of one's own.

mod letter_common;
mod support;

use std::fs;

use demarche::diagnostic::Severity;
use demarche::domain::language::Language;
use demarche::domain::recipient::Recipient;
use demarche::letter::SourceFile;
use letter_common::{file, letter, render, row, settings, shown};
use support::campaign::Campaign;
use support::python::inspect;
use support::server::Server;

const HEAD: &str = "+++\nsubject = 'S'\n+++\n";

/// A PNG of 300 by 90 pixels as far as its head tells, which is all that a mail merge reads of it.
fn png() -> Vec<u8> {
    [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &300_u32.to_be_bytes(), &90_u32.to_be_bytes(), b"\x08\x02\0\0\0"]
        .concat()
}

fn picture(name: &str) -> SourceFile {
    SourceFile { name: name.into(), bytes: png() }
}

fn load(files: &[SourceFile]) -> (Option<demarche::letter::Letter>, Vec<demarche::diagnostic::Diagnostic>) {
    demarche::letter::Letter::load(files, "templates", &settings())
}

#[track_caller]
fn loaded(files: &[SourceFile]) -> demarche::letter::Letter {
    let (letter, problems) = load(files);
    letter.unwrap_or_else(|| panic!("{}", shown(&problems)))
}

#[test]
fn a_picture_of_the_folder_goes_into_the_letter_with_its_measures_and_its_words() {
    let body = format!("{HEAD}![The Coalition's logo](img/logo.png \"width=150\")\n\nText ![](img/logo.png)\n");
    let rendered = render(&loaded(&[file("letter.en.md", &body), picture("img/logo.png")]), &row("KEN"));
    assert_eq!(rendered.text, "[The Coalition's logo]\n\nText\n", "a picture without words only adorns");
    assert_eq!(rendered.pictures.len(), 1, "twice in the letter, once in the message");
    let id = &rendered.pictures[0].content_id;
    let tag = format!("<img src=\"cid:{id}\" alt=\"The Coalition's logo\" width=\"150\" height=\"45\" style=\"");
    assert!(rendered.html.contains(&tag), "{}", rendered.html);
    assert!(id.ends_with("@coalition.example"), "{id}");
    assert!(rendered.page().contains("src=\"data:image/png;base64,") && !rendered.page().contains("cid:"));
}

#[test]
fn a_picture_of_the_letterhead_is_found_by_its_file_name() {
    let page = "<html><body><img src='logo.png' alt='Coalition' width='100'>{{ content }}</body></html>";
    let files = [file("letter.en.md", &format!("{HEAD}A\n")), file("layout.html", page), picture("logo.png")];
    let rendered = render(&loaded(&files), &row("KEN"));
    assert!(rendered.html.contains(&format!("src=\"cid:{}\"", rendered.pictures[0].content_id)), "{}", rendered.html);
}

#[test]
fn a_picture_that_is_not_there_is_told_with_its_place_and_the_near_ones() {
    let told = |body: &str, files: &[SourceFile]| {
        let all: Vec<SourceFile> =
            [file("letter.en.md", &format!("{HEAD}{body}"))].iter().chain(files).cloned().collect();
        let (letter, problems) = load(&all);
        assert!(letter.is_none(), "{body}");
        shown(&problems)
    };
    let near = told("A\n\n![L](lgo.png)\n", &[picture("logo.png")]);
    assert!(near.contains("letter.en.md:6:1") && near.contains("did you mean \"logo.png\"?"), "{near}");
    assert!(told("![L](logo.svg)\n", &[]).contains("do not show SVG"));
    assert!(told("![L](../secret.png)\n", &[]).contains("no picture \"../secret.png\""));
    let page = file("layout.html", "<html><body>{{ content }}<img src=\"logo.png\"></body></html>");
    assert!(told("A\n", &[page]).contains("layout.html:1:"), "in the letterhead too");
    let fake = SourceFile { name: "logo.png".into(), bytes: b"<svg></svg>".to_vec() };
    assert!(told("![L](logo.png)\n", &[fake]).contains("is not a PNG, JPEG or GIF picture"));
    assert!(told("![{{ state.name }}](no.png)\n", &[]).contains("no picture \"no.png\""), "whatever its words are");
    let problems = loaded(&[file("letter.en.md", &format!("{HEAD}![L]({{{{ row.x }}}})\n"))])
        .render(&letter_common::with_cell("x", "no.png"), 0)
        .expect_err("a value names none");
    assert!(problems[0].message.contains("no.png") && problems[0].message.contains("KEN"), "{problems:?}");
}

#[test]
fn a_heavy_picture_is_warned_of() {
    let heavy = SourceFile { name: "logo.png".into(), bytes: [png(), vec![0; 200 * 1024]].concat() };
    let (letter, problems) = load(&[file("letter.en.md", &format!("{HEAD}![L](logo.png)\n")), heavy]);
    assert!(letter.is_some());
    assert_eq!((problems.len(), problems[0].severity, problems[0].code), (1, Severity::Warning, "letter-image"));
}

#[test]
fn a_design_of_ones_own_has_its_rules_on_its_elements_and_its_pictures_in_it() {
    let page = "<html><head><style>p { color: #123456; } @media (max-width: 600px) { p { color: red !important; } }</style></head>\
                <body><img src=\"logo.png\" alt=\"L\"><p>Dear {{ row.x }}</p></body></html>";
    let files = [
        file("letter.en.txt", &format!("{HEAD}Dear {{{{ row.x }}}}\n")),
        file("letter.en.html", page),
        picture("logo.png"),
    ];
    let rendered = render(&loaded(&files), &letter_common::with_cell("x", "<b>&"));
    assert!(rendered.html.contains("<p style=\"color: #123456;\">Dear &lt;b&gt;&amp;</p>"), "{}", rendered.html);
    assert!(
        rendered.html.contains("@media (max-width: 600px)") && rendered.html.contains("src=\"cid:"),
        "{}",
        rendered.html
    );
    assert_eq!((rendered.text.as_str(), rendered.flowed, rendered.pictures.len()), ("Dear <b>&\n", false, 1));
}

/// Undoes `format=flowed` (RFC 3676 §4.4) without quotes: the paragraphs as a program would lay them out.
fn unflow(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in text.lines() {
        let line = line.strip_prefix(' ').unwrap_or(line);
        match lines.last_mut().filter(|_| goes_on) {
            Some(last) => last.push_str(line),
            None => lines.push(line.to_owned()),
        }
        goes_on = line.ends_with(' ');
    }
    lines
}

#[test]
fn a_paragraph_flows_and_whatever_looks_like_a_mark_is_stuffed() {
    let long = "word ".repeat(40);
    let long = long.trim_end();
    let source =
        format!("{long}\n\n1. {long}\n\n   second\n\n\\> no quote\n\nFrom here on\n\n> {long}\n>\n> > {long}\n");
    let rendered = render(&letter(&source), &row("KEN"));
    assert!(rendered.flowed);
    let lines = unflow(&rendered.text);
    assert_eq!(lines[0], long);
    assert_eq!(lines[2], format!("1. {long}"));
    assert!(lines.contains(&"   second".to_owned()) && rendered.text.contains("\n    second\n"), "{}", rendered.text);
    assert!(
        rendered.text.contains("\n > no quote\n") && rendered.text.contains("\n From here on\n"),
        "{}",
        rendered.text
    );
    let quoted: Vec<&str> = rendered.text.lines().filter(|line| line.starts_with('>')).collect();
    assert!(quoted.iter().any(|line| line.starts_with("> word") && line.ends_with(' ')), "{quoted:?}");
    assert!(quoted.iter().any(|line| line.starts_with(">> word")), "{quoted:?}");
}

#[test]
fn a_language_without_blanks_between_its_words_keeps_its_lines() {
    let zh = Recipient { language: Language::parse("zh").ok(), ..row("CHN") };
    let rendered = render(&letter_common::shipped(), &zh);
    assert!(!rendered.flowed && !rendered.text.lines().any(|line| line.ends_with(' ')), "{}", rendered.text);
}

proptest::proptest! {
    #[test]
    fn flowing_text_says_what_the_markdown_says(words in proptest::collection::vec("[a-zéü>]{1,12}|From|-", 1..60)) {
        let text = words.join(" ");
        let cell = letter_common::with_cell("x", &text);
        let rendered = render(&letter("{{ row.x }}\n"), &cell);
        proptest::prop_assert_eq!(unflow(&rendered.text), vec![text]);
    }
}

#[test]
fn python_finds_text_page_and_picture_where_they_belong() {
    if !support::python_or_skip("reading a letter with a picture with Python") {
        return;
    }
    let folder = Campaign::small(2525, 1)
        .template("letter.en.md", &format!("{HEAD}![Our logo](logo.png)\n\nDear {{{{ state.name }}}},\n"))
        .file("templates/logo.png", png());
    folder.run(&["preview"]).expect_code(0);
    let letters = folder.path("letters");
    fs::create_dir(&letters).expect("our own folder");
    for entry in fs::read_dir(folder.path("preview")).expect("a preview").flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "eml") {
            fs::copy(entry.path(), letters.join(entry.file_name())).expect("copied");
        }
    }
    let found = inspect(&letters);
    assert_eq!(found.len(), 1);
    assert!(found[0].defects.is_empty(), "{:?}", found[0].defects);
    let kinds: Vec<&str> = found[0].parts.iter().map(|part| part.content_type.as_str()).collect();
    assert_eq!(kinds, ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"]);
    let part = &found[0].parts[4];
    assert_eq!((part.disposition.as_deref(), part.filename.as_deref()), (Some("inline"), Some("logo.png")));
    assert_eq!(part.size, Some(png().len()));
    let eml =
        fs::read_to_string(fs::read_dir(&letters).expect("one").flatten().next().expect("one").path()).expect("read");
    let id = eml.split("Content-ID: <").nth(1).and_then(|rest| rest.split('>').next()).expect("an id");
    assert!(found[0].text("text/html").is_some_and(|html| html.contains(&format!("src=\"cid:{id}\""))));
    assert!(eml.contains("format=flowed") && eml.contains("type=\"text/html\""), "{eml}");
    let page = fs::read_dir(folder.path("preview/letters")).expect("pages").flatten().next().expect("one");
    assert!(fs::read_to_string(page.path()).expect("read").contains("data:image/png;base64,"), "the preview shows it");
}

#[test]
fn a_picture_is_frozen_with_the_letter_and_a_changed_one_is_another_batch() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 2)
        .template("letter.en.md", &format!("{HEAD}![Our logo](logo.png)\n\nDear {{{{ state.name }}}},\n"))
        .file("templates/logo.png", png());
    let digest = campaign.run(&["preview", "--json"]).expect_code(0).json()["digest"].to_string();
    campaign.run(&["send", "--limit", "1", "--yes"]).expect_code(0);
    let campaign = campaign.file("templates/logo.png", [png(), vec![1]].concat());
    let changed = campaign.run(&["preview", "--json"]).expect_code(0).json()["digest"].to_string();
    assert_ne!(digest, changed);
    campaign.run(&["send", "--frozen", "--yes"]).expect_code(0);
    let ids: Vec<String> = server
        .letters()
        .iter()
        .map(|letter| {
            let text = String::from_utf8_lossy(&letter.bytes).into_owned();
            text.split("Content-ID: ").nth(1).and_then(|rest| rest.lines().next()).expect("a picture").to_owned()
        })
        .collect();
    assert_eq!((ids.len(), &ids[0]), (2, &ids[1]), "the second letter shows the picture of the first");
}

/// Limits of Gmail (a style of 8,192 characters at most, a page cut off at 102 KB), of Outlook's Word engine and of Apple's mail.
#[test]
fn the_page_keeps_to_what_mail_programs_can_do() {
    for language in ["ar", "en", "es", "fr", "ru", "zh"] {
        let row = Recipient { language: Language::parse(language).ok(), ..row("GBR") };
        let html = render(&letter_common::shipped(), &row).html;
        assert!(html.len() < 60 * 1024, "{language}: {}", html.len());
        let style = html.split("<style>").nth(1).and_then(|rest| rest.split("</style>").next()).expect("a style");
        assert!(style.len() < 8_192 && style.contains("prefers-color-scheme: dark"), "{style}");
        for unknown in
            ["display:", "position:", "float", "calc(", "var(", "<div", "<link", "@import", "url(", "<script", "src="]
        {
            assert!(!html.contains(unknown), "{language}: {unknown}");
        }
        assert!(html.contains("<meta name=\"color-scheme\" content=\"light dark\">"));
        assert!(html.contains("<!--[if mso]><table role=\"presentation\" width=\"640\""), "Outlook knows no max-width");
        // Whoever turns the colours of a dark mode over takes both of a pair.
        for (at, _) in html.match_indices("background-color:") {
            let element = &html[html[..at].rfind('<').expect("an element")..at];
            assert!(
                element.contains("<body") || element.contains("bgcolor=") || element.contains("<style"),
                "{element}"
            );
        }
        for element in ["p", "h1", "li"] {
            assert!(html.contains(&format!("<{element} style=\"")), "{language}: {element} has its style on it");
        }
    }
}

#[test]
fn a_letter_that_does_not_load_is_no_fault_of_the_rows_in_its_language() {
    let campaign = Campaign::small(2525, 1)
        .template("letter.fr.md", &format!("{HEAD}{{{{ a | }}}}\n"))
        .recipients("state,to,language\nFRA,fra@missions.example,fr\nCHN,chn@missions.example,zh\n");
    let told = campaign.run(&["check"]).expect_code(65).stderr;
    assert!(told.contains("expected identifier") && told.contains("no template for the language \"zh\""), "{told}");
    assert!(
        told.contains("there are templates for en and fr") || told.contains("there are templates for en, fr"),
        "{told}"
    );
    assert!(!told.contains("no template for the language \"fr\""), "{told}");
}

#[test]
fn the_pages_on_letters_are_in_the_program_too() {
    let campaign = Campaign::new();
    for (topic, said) in
        [("templates", "Changing the letter"), ("addressing", "How to greet"), ("languages", "right to left")]
    {
        let page = campaign.run(&["help", topic]).expect_code(0).stdout;
        assert!(page.contains(said), "{topic}: {page}");
    }
}
