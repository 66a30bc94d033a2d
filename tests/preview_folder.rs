//! The dry run as files: which are written, which are removed, and what the pages can do.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use demarche::domain::digest::Digest;
use demarche::domain::language::Language;
use demarche::domain::state::StateCode;
use demarche::preview::{
    Addressee, Approvals, Approved, Attached, Basis, Earlier, EarlierFile, Gets, Item, Moment, Office, Page, Preview,
    PreviewError, Reach, Remark, Standing, Warning, Word,
};

fn attached(name: &str, content: &str) -> Arc<Attached> {
    let digest = Digest::of(content.as_bytes());
    Arc::new(Attached { name: name.into(), digest, bytes: content.len() as u64, file: None })
}

fn item(id: &str) -> Item {
    let state = StateCode::parse(id);
    Item {
        id: id.into(),
        name: state.map_or(id, |code| code.state().name("en")).into(),
        state,
        language: Language::parse("en").expect("a tag"),
        to: vec![format!("Mission <{}@missions.example>", id.to_lowercase())],
        cc: vec![],
        bcc: vec!["archive@coalition.example".into()],
        subject: "An open letter".into(),
        bytes: 12_345,
        digest: Digest::of(id.as_bytes()),
        text: "Excellency,\n\nWe write to you.".into(),
        html: "<p lang=\"en\">Excellency,</p>".into(),
        attachments: vec![attached("letter.pdf", "a letter")],
        pictures: vec![],
        own_attachments: vec![],
        addressee: Addressee { office: Office::Representative, name: None },
        warnings: vec![],
        settled: None,
        chosen: None,
        approved: None,
    }
}

const CAMPAIGN: &str = "Stand with defenders";

fn page() -> Page {
    let reach = |id: &str, row| Reach { state: StateCode::parse(id).expect("a state"), row };
    Page {
        campaign: CAMPAIGN.into(),
        digest: Digest::of(b"batch"),
        command: format!("demarche send --approve {}", Digest::of(b"batch")),
        approvals: None,
        underway: None,
        event: Some(Moment {
            text: "Security Council open debate, 21 October 2021".into(),
            away: "in 19 h".into(),
            is_past: false,
        }),
        dates: vec![],
        placeholders: 0,
        archive: vec!["archive@coalition.example".into()],
        from: "Coalition Secretariat <letters@coalition.example>".into(),
        reply_to: None,
        languages: vec![("en".into(), 2)],
        octets: 24_690,
        without: vec![("Malta".into(), "mlt@missions.example is suppressed".into())],
        coverage: vec![
            reach("DEU", Some(("DEU".into(), Gets::Letter))),
            reach("KEN", Some(("KEN".into(), Gets::Letter))),
            reach("MLT", Some(("MLT".into(), Gets::Nothing("mlt@missions.example is suppressed".into())))),
            reach("TUV", None),
        ],
        doubled: vec!["Kenya".into()],
        foreign: vec!["VAT".into()],
        beyond: 0,
        warnings: vec![],
        approved: None,
        generated: "2021-10-20T14:02:11.25Z".parse().expect("a time"),
    }
}

/// A preview of letters whose digests follow from id and `text`.
fn make_of(folder: &Path, letters: &[(&str, &str)]) -> String {
    let of = |id: &str, text: &str| Digest::of(format!("{id}{text}").as_bytes());
    let planned = letters.iter().map(|(id, text)| ((*id).to_owned(), of(id, text))).collect();
    let mut preview = Preview::create(folder, CAMPAIGN, planned).expect("a preview");
    for (id, text) in letters {
        let mut letter = item(id);
        letter.digest = of(id, text);
        letter.text = format!("Excellency,\n\nWe write to you {text}.");
        preview.add(letter, b"Subject: s\r\n\r\nbody\r\n").expect("added");
    }
    let index = preview.finish(&page()).expect("finished");
    fs::read_to_string(index).expect("an index")
}

fn make(folder: &Path, ids: &[&str]) -> String {
    make_of(folder, &ids.iter().map(|id| (*id, "today")).collect::<Vec<_>>())
}

/// A page with what is out of sight in its commands.
fn whole(page: &str) -> String {
    page.replace("<span class=\"middle\">", "").replace("</span>", "")
}

/// A page as it reads aloud where something changed.
fn aloud(page: &str) -> String {
    page.replace("<span class=\"unseen\">", "").replace("</span>", "")
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn each_letter_is_a_file_of_exactly_its_bytes() {
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = scratch.path().join("new/preview");
    let bytes = b"From: a@b.example\r\nSubject: \xc3\xa9\r\n\r\n.\r\n..\r\n\x00\xff no line end";
    let mut preview = Preview::create(&folder, CAMPAIGN, vec![]).expect("a preview");
    preview.add(item("KEN"), bytes).expect("added");
    preview.finish(&page()).expect("finished");
    assert_eq!(fs::read(folder.join("KEN.eml")).expect("the letter"), bytes);
}

#[test]
fn a_later_preview_removes_the_earlier_one_and_nothing_else() {
    let scratch = tempfile::tempdir().expect("a folder");
    make(scratch.path(), &["KEN", "FRA"]);
    fs::write(scratch.path().join("notes.eml"), "mine").expect("written");
    fs::write(scratch.path().join("letters/mine.html"), "mine").expect("written");
    make(scratch.path(), &["KEN", "DEU"]);
    assert_eq!(
        names(scratch.path()),
        [
            ".demarche-preview",
            "DEU.eml",
            "KEN.eml",
            "compare.html",
            "index.html",
            "letters",
            "manifest.json",
            "notes.eml"
        ]
    );
    assert_eq!(names(&scratch.path().join("letters")), ["DEU.html", "KEN.html", "mine.html"]);
}

#[test]
fn an_unfinished_preview_is_replaced_too() {
    let scratch = tempfile::tempdir().expect("a folder");
    let mut preview = Preview::create(scratch.path(), CAMPAIGN, vec![]).expect("a preview");
    preview.add(item("FRA"), b"x").expect("added");
    drop(preview);
    make(scratch.path(), &["KEN"]);
    assert!(!scratch.path().join("FRA.eml").exists());
}

#[test]
fn a_folder_with_other_files_is_refused_and_left_as_it_was() {
    let scratch = tempfile::tempdir().expect("a folder");
    fs::write(scratch.path().join("index.html"), "mine").expect("written");
    assert!(matches!(Preview::create(scratch.path(), CAMPAIGN, vec![]), Err(PreviewError::NotOurs(_))));
    assert_eq!(names(scratch.path()), ["index.html"]);
    assert!(matches!(
        Preview::create(&scratch.path().join("index.html"), CAMPAIGN, vec![]),
        Err(PreviewError::NotAFolder(_))
    ));
}

#[test]
fn a_preview_of_another_campaign_is_compared_with_nothing() {
    let scratch = tempfile::tempdir().expect("a folder");
    make(scratch.path(), &["KEN"]);
    let planned = || vec![("KEN".to_owned(), Digest::of(b"another letter"))];
    let again = |campaign: &str| {
        let mut preview = Preview::create(scratch.path(), campaign, planned()).expect("a preview");
        preview
            .add(Item { digest: Digest::of(b"another letter"), ..item("KEN") }, b"Subject: s\r\n\r\nbody\r\n")
            .expect("added");
        let page = Page { campaign: campaign.to_owned(), ..page() };
        fs::read_to_string(preview.finish(&page).expect("finished")).expect("an index")
    };
    assert!(again(CAMPAIGN).contains("Since the last preview here"), "of the same campaign");
    assert!(!again("Another campaign").contains("Since the last preview here"), "of another one");
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_a_file_of_the_preview_is_not_waited_for() {
    for name in ["index.html", ".demarche-preview", "manifest.json"] {
        let scratch = tempfile::tempdir().expect("a folder");
        make(scratch.path(), &["KEN"]);
        let path = scratch.path().join(name);
        fs::remove_file(&path).expect("ours");
        assert!(std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo starts").success());
        let outcome = Preview::create(scratch.path(), CAMPAIGN, vec![]);
        assert_eq!(outcome.is_err(), name == ".demarche-preview", "{name}: {:?}", outcome.err());
    }
}

#[test]
fn somebody_elses_file_is_never_overwritten() {
    let scratch = tempfile::tempdir().expect("a folder");
    make(scratch.path(), &["FRA"]);
    fs::write(scratch.path().join("KEN.eml"), "mine").expect("written");
    let mut preview = Preview::create(scratch.path(), CAMPAIGN, vec![]).expect("a preview");
    assert!(matches!(preview.add(item("KEN"), b"x"), Err(PreviewError::Exists(_))));
    assert_eq!(fs::read(scratch.path().join("KEN.eml")).expect("there"), b"mine");
}

#[test]
fn an_id_that_leaves_the_folder_is_refused() {
    let scratch = tempfile::tempdir().expect("a folder");
    let mut preview = Preview::create(&scratch.path().join("p"), CAMPAIGN, vec![]).expect("a preview");
    for id in ["../x", "a/b", "", ".x", " KEN"] {
        assert!(matches!(preview.add(item(id), b"x"), Err(PreviewError::Id(_))), "{id}");
    }
    assert_eq!(names(scratch.path()), ["p"]);
}

#[test]
fn a_marker_that_somebody_wrote_reaches_no_file_outside() {
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = scratch.path().join("p");
    fs::create_dir(&folder).expect("made");
    fs::write(scratch.path().join("KEN.eml"), "mine").expect("written");
    fs::write(folder.join(".demarche-preview"), "demarche preview 1\n../KEN.eml\n").expect("written");
    make(&folder, &["FRA"]);
    assert!(scratch.path().join("KEN.eml").exists());
}

#[test]
fn the_pages_lead_from_letter_to_letter() {
    let scratch = tempfile::tempdir().expect("a folder");
    make(scratch.path(), &["DEU", "FRA", "KEN"]);
    let links = |id: &str| {
        let page = fs::read_to_string(scratch.path().join(format!("letters/{id}.html"))).expect("a page");
        ["DEU", "FRA", "KEN"].map(|other| page.contains(&format!("href=\"{other}.html\"")))
    };
    assert_eq!(links("DEU"), [false, true, false]);
    assert_eq!(links("FRA"), [true, false, true]);
    assert_eq!(links("KEN"), [false, true, false]);
}

#[test]
fn the_index_tells_coverage_digest_and_the_command_that_approves_it() {
    let scratch = tempfile::tempdir().expect("a folder");
    let index = make(scratch.path(), &["DEU", "KEN"]);
    assert!(
        index.contains("2 of 4 missions get a letter. 1 is left out and 1 is not in the list:"),
        "the sum is 4: {index}"
    );
    assert!(index.contains("<b>Tuvalu</b>: is not in the list of recipients"));
    assert!(index.contains("<b>Malta</b>: mlt@missions.example is suppressed"));
    assert!(whole(&index).contains(&format!("demarche send --approve {}", Digest::of(b"batch"))));
    assert!(index.contains("href=\"letters/KEN.html\""));
    assert!(index.contains("2021-10-20 14:02:11 UTC"));
}

#[test]
fn a_second_preview_tells_what_changed_since_the_first() {
    let scratch = tempfile::tempdir().expect("a folder");
    let first = make_of(scratch.path(), &[("DEU", "today"), ("FRA", "today"), ("KEN", "today")]);
    assert!(first.contains("There is no earlier preview in this folder"));
    let second = make_of(scratch.path(), &[("DEU", "today"), ("KEN", "tomorrow"), ("PER", "today")]);
    assert!(second.contains("<b>1 letter changed</b>; <b>1 letter is new</b> (<a"), "{second}");
    assert!(second.contains("<li>text in <a href=\"letters/KEN.html\""), "{second}");
    assert!(second.contains("1 not there any more</b> (France)"), "{second}");
    assert_eq!(second.matches("data-marks=\"changed\"").count(), 2);
    let page = |id: &str| fs::read_to_string(scratch.path().join(format!("letters/{id}.html"))).expect("a page");
    assert!(
        aloud(&page("KEN")).contains("We write to you <del>[was: today.]</del> <ins>[now: tomorrow.]</ins>"),
        "{}",
        page("KEN")
    );
    assert!(page("PER").contains("The letter is new."));
    assert!(!page("DEU").contains("v-changes\""), "nothing is told of a letter that stayed");
    let third = make_of(scratch.path(), &[("DEU", "today"), ("KEN", "tomorrow"), ("PER", "today")]);
    assert!(third.contains("nothing, every letter is the same to the byte"));
}

#[test]
fn what_changed_is_told_by_its_kind_and_another_language_is_not_compared_word_by_word() {
    let scratch = tempfile::tempdir().expect("a folder");
    let make = |after: bool| {
        let ids = ["DEU", "FRA", "KEN", "EGY", "CHN"];
        let digest = |id: &str| Digest::of(format!("{id}{}", after && id != "DEU").as_bytes());
        let planned = ids.iter().map(|id| ((*id).to_owned(), digest(id))).collect();
        let mut preview = Preview::create(scratch.path(), CAMPAIGN, planned).expect("a preview");
        for id in ids {
            let mut letter = item(id);
            letter.digest = digest(id);
            match id {
                "FRA" if after => letter.text = "Excellency,\n\nWe write to you again.".into(),
                "KEN" if after => letter.to = vec!["office@ken.example".into()],
                "EGY" if after => {
                    letter.language = Language::parse("ar").expect("a tag");
                    letter.text = "سعادة السفير".into();
                    letter.subject = "رسالة مفتوحة".into();
                }
                "CHN" if after => {
                    letter.attachments.push(attached("annex.pdf", "an annex"));
                    letter.own_attachments = vec!["annex.pdf".into()];
                }
                _ => {}
            }
            preview.add(letter, b"Subject: s\r\n\r\nbody\r\n").expect("added");
        }
        fs::read_to_string(preview.finish(&page()).expect("finished")).expect("an index")
    };
    make(false);
    let index = make(true);
    assert!(index.contains("<b>4 letters changed</b>."), "{index}");
    for (kind, id) in [("text", "FRA"), ("address", "KEN"), ("language", "EGY"), ("attachment", "CHN")] {
        assert!(index.contains(&format!("<li>{kind} in <a href=\"letters/{id}.html\"")), "{kind}: {index}");
    }
    let egypt = fs::read_to_string(scratch.path().join("letters/EGY.html")).expect("a page");
    let (_, changes) = egypt.split_once("<section id=\"changes\">").expect("changes");
    let (_, blocks) = changes.split_once("<h4>It was</h4>").expect("two blocks");
    assert!(blocks.contains("We write to you.</pre>") && blocks.contains("<h4>It is now</h4>"), "{changes}");
    assert!(!blocks.split("</section>").next().expect("a section").contains("<del>"), "{changes}");
    let subject = "<b>Subject:</b> <del>[was: An open letter]</del> <ins>[now: رسالة مفتوحة]</ins>";
    assert!(aloud(changes).contains(subject), "whole, not word by word: {changes}");
    // Which files go with which letters, and a row's own by its name.
    assert!(
        index.contains("<bdi>letter.pdf</bdi> (8 B) with every letter; 1 letter with a file of its own"),
        "{index}"
    );
    assert!(index.contains("its own file: annex.pdf"), "{index}");
}

/// A preview of one letter with one file and one picture, whose contents are given.
fn make_with_files(folder: &Path, annex: &[u8], logo: &[u8], turn: &str) -> String {
    let digest = Digest::of(turn.as_bytes());
    let mut preview = Preview::create(folder, CAMPAIGN, vec![("KEN".into(), digest)]).expect("a preview");
    let mut letter = item("KEN");
    letter.digest = digest;
    letter.attachments = vec![preview.attach("annex.pdf", annex).expect("written")];
    letter.pictures = vec![preview.attach("logo.png", logo).expect("written")];
    preview.add(letter, b"Subject: s\r\n\r\nbody\r\n").expect("added");
    fs::read_to_string(preview.finish(&page()).expect("finished")).expect("an index")
}

#[test]
fn another_content_of_a_file_of_the_same_name_is_told_by_its_name() {
    let scratch = tempfile::tempdir().expect("a folder");
    let (pdf, png) = (b"%PDF-1.7 one".as_slice(), b"\x89PNG\r\n\x1a\none".as_slice());
    make_with_files(scratch.path(), pdf, png, "1");
    let index = make_with_files(scratch.path(), b"%PDF-1.7 two", png, "2");
    assert!(index.contains("<li>the content of <a href=\"files/annex-"), "{index}");
    assert!(!index.contains("<li>layout") && !index.contains("<bdi>logo.png</bdi></a> (1"), "{index}");
    let letter = fs::read_to_string(scratch.path().join("letters/KEN.html")).expect("a page");
    assert!(letter.contains("<bdi>annex.pdf</bdi></a>: another content under the same name"), "{letter}");
    for told in ["It is now 12 B, SHA-256", "it was 12 B, SHA-256", &Digest::of(pdf).to_string()] {
        assert!(letter.contains(told), "{told} not in {letter}");
    }
    let index = make_with_files(scratch.path(), b"%PDF-1.7 two", b"\x89PNG\r\n\x1a\ntwo", "3");
    assert!(index.contains("<bdi>logo.png</bdi></a> (11 B as before; <a href=\"files/former-logo-"), "{index}");
    let index = make_with_files(scratch.path(), b"%PDF-1.7 two", b"\x89PNG\r\n\x1a\ntwo", "4");
    assert!(index.contains("<li>layout or a header line in <a"), "{index}");
    // Where nothing goes with a letter, nothing is said of files.
    let bare = tempfile::tempdir().expect("a folder");
    let mut index = String::new();
    for turn in ["1", "2"] {
        let digest = Digest::of(turn.as_bytes());
        let mut preview = Preview::create(bare.path(), CAMPAIGN, vec![("KEN".into(), digest)]).expect("a preview");
        let letter = Item { digest, attachments: vec![], ..item("KEN") };
        preview.add(letter, b"Subject: s\r\n\r\nbody\r\n").expect("added");
        index = fs::read_to_string(preview.finish(&page()).expect("finished")).expect("an index");
    }
    assert!(index.contains("<li>layout or a header line in <a"), "{index}");
    // A manifest of before files were in it says nothing of them.
    let path = scratch.path().join("manifest.json");
    let mut stored: serde_json::Value = serde_json::from_slice(&fs::read(&path).expect("a manifest")).expect("JSON");
    stored.as_object_mut().expect("an object").retain(|key, _| key != "files" && key != "attached");
    fs::write(&path, stored.to_string()).expect("written");
    let index = make_with_files(scratch.path(), b"%PDF-1.7 two", b"\x89PNG\r\n\x1a\ntwo", "5");
    assert!(index.contains("<li>layout, a header line or what is in an attachment in <a"), "{index}");
}

#[test]
fn each_file_is_in_the_folder_once_and_goes_with_the_next_preview() {
    let scratch = tempfile::tempdir().expect("a folder");
    let png = b"\x89PNG\r\n\x1a\n".as_slice();
    let index = make_with_files(scratch.path(), b"%PDF-1.7 one", png, "1");
    let found = names(&scratch.path().join("files"));
    assert!(
        matches!(&found[..], [annex, logo] if annex.starts_with("annex-") && logo.starts_with("logo-")),
        "{found:?}"
    );
    assert_eq!(fs::read(scratch.path().join("files").join(&found[0])).expect("a file"), b"%PDF-1.7 one");
    let letter = fs::read_to_string(scratch.path().join("letters/KEN.html")).expect("a page");
    assert!(letter.contains(&format!("<a href=\"../files/{}\"", found[0])), "{letter}");
    assert!(letter.contains(&Digest::of(b"%PDF-1.7 one").to_string()), "its SHA-256 is told");
    assert!(index.contains(&format!("<a href=\"files/{}\"", found[0])), "{index}");
    // What was there stays until the next preview is finished, and beyond only where a letter is told against it.
    let index = make_with_files(scratch.path(), b"%PDF-1.7 longer", png, "2");
    let former =
        names(&scratch.path().join("files")).into_iter().find(|name| name.starts_with("former-")).expect("one");
    assert_eq!(fs::read(scratch.path().join("files").join(&former)).expect("a file"), b"%PDF-1.7 one");
    assert!(index.contains(&format!("(15 B, was 12 B; <a href=\"files/{former}\"")), "{index}");
    assert_eq!(names(&scratch.path().join("files")).len(), 3);
    make_with_files(scratch.path(), b"%PDF-1.7 longer", png, "3");
    assert_eq!(names(&scratch.path().join("files")).len(), 2, "one preview later it goes");
    let mut preview = Preview::create(scratch.path(), CAMPAIGN, vec![]).expect("a preview");
    let names_of =
        |preview: &mut Preview, name: &str, bytes: &[u8]| preview.attach(name, bytes).expect("kept").file.clone();
    let one = names_of(&mut preview, "annex.pdf", b"%PDF- one");
    assert_eq!(names_of(&mut preview, "annex.pdf", b"%PDF- one"), one);
    assert_ne!(names_of(&mut preview, "annex.pdf", b"%PDF- two"), one);
    assert_ne!(names_of(&mut preview, "ANNEX.pdf", b"%PDF- three"), one);
    // What could run in the reader's browser or on the machine is named and not put there.
    for (name, bytes) in [("page.html", &b"<script>"[..]), ("a.svg", b"<svg/>"), ("a.pdf", b"<html>"), ("a.exe", b"MZ")]
    {
        assert_eq!(names_of(&mut preview, name, bytes), None, "{name}");
    }
    let now = names(&scratch.path().join("files")).into_iter().filter(|name| !name.starts_with("former-"));
    assert_eq!(now.count(), 3);
    preview.finish(&page()).expect("finished");
    make(scratch.path(), &["KEN"]);
    assert!(!scratch.path().join("files").exists(), "an empty folder goes");
}

#[test]
fn names_that_windows_takes_for_devices_name_no_file() {
    let scratch = tempfile::tempdir().expect("a folder");
    let ids = ["AUX", "con.txt", "KEN", "nul.", "row."];
    let index = make(scratch.path(), &ids);
    let stems = ["AUX~", "con~.txt", "KEN", "nul~.", "row."];
    for (id, stem) in ids.iter().zip(stems) {
        assert!(scratch.path().join(format!("{stem}.eml")).exists(), "{id}");
        assert!(
            index.contains(&format!("data-id=\"{id}\"")) && index.contains(&format!("href=\"letters/{stem}.html\""))
        );
    }
    let page = fs::read_to_string(scratch.path().join("letters/KEN.html")).expect("a page");
    assert!(page.contains("href=\"con~.txt.html\"") && page.contains("href=\"nul~..html\""), "{page}");
    make(scratch.path(), &["KEN"]);
    assert!(!scratch.path().join("AUX~.eml").exists() && !scratch.path().join("letters/AUX~.html").exists());
}

#[test]
fn remarks_lead_to_the_letters_they_are_about_and_more_letters_than_missions_are_explained() {
    let scratch = tempfile::tempdir().expect("a folder");
    let mut about = page();
    about.languages = vec![("en".into(), 5)];
    about.beyond = 2;
    about.warnings = vec![
        Remark {
            text: "2 rows are old: Germany and Malta".into(),
            about: vec![("DEU".into(), "Germany".into()), ("MLT".into(), "Malta".into())],
        },
        Remark {
            text: "Equatorial Guinea and Guinea have one address".into(),
            about: vec![("FRA".into(), "Equatorial Guinea".into()), ("DEU".into(), "Guinea".into())],
        },
    ];
    let mut preview = Preview::create(scratch.path(), CAMPAIGN, vec![]).expect("a preview");
    for id in ["DEU", "FRA", "KEN"] {
        let mut letter = item(id);
        let (text, told_at_once) =
            if id == "DEU" { ("Verified long ago (`verified_on`).", true) } else { ("the address is shared", false) };
        letter.warnings = vec![Warning { text: text.into(), told_at_once }];
        preview.add(letter, b"x").expect("added");
    }
    let index = fs::read_to_string(preview.finish(&about).expect("finished")).expect("an index");
    assert!(
        index.contains("old: <a href=\"letters/DEU.html\">Germany</a> and Malta</li>"),
        "only what is shown: {index}"
    );
    let one_in_another =
        "<a href=\"letters/FRA.html\">Equatorial Guinea</a> and <a href=\"letters/DEU.html\">Guinea</a> have";
    assert!(index.contains(one_in_another), "{index}");
    let shared = "<li><a href=\"letters/FRA.html\" dir=\"auto\">France</a>, <a href=\"letters/KEN.html\" dir=\"auto\">Kenya</a>: \
                  the address is shared</li>";
    assert!(index.contains(shared), "{index}");
    let (overview, list) = index.split_once("<section id=\"list\"").expect("a list");
    assert!(!overview.contains("Verified long ago"), "what a remark tells of all its rows is told once: {overview}");
    assert!(
        list.contains("<span class=\"mark warned\">Verified long ago (<code>verified_on</code>).</span>"),
        "and on each row: {list}"
    );
    let letter = fs::read_to_string(scratch.path().join("letters/DEU.html")).expect("a page");
    assert!(
        letter.contains("<li>Verified long ago (<code>verified_on</code>).</li>"),
        "and on each letter's page: {letter}"
    );
    assert!(
        index.contains("5 letters: 2 to different missions, 1 more to one of them, 2 to others than these missions."),
        "{index}"
    );
    assert!(index.contains("5, all in English<") && index.contains("<dt>Made</dt>"), "{index}");
}

#[test]
fn until_it_is_finished_a_preview_says_that_it_is_not() {
    let scratch = tempfile::tempdir().expect("a folder");
    let index = || fs::read_to_string(scratch.path().join("index.html")).expect("a page");
    make(scratch.path(), &["KEN", "FRA"]);
    assert!(index().contains("demarche send --approve"));
    let mut preview = Preview::create(scratch.path(), CAMPAIGN, vec![]).expect("a preview");
    let said = "This preview is not finished";
    assert!(index().contains(said) && !index().contains("--approve"), "{}", index());
    assert!(!scratch.path().join("letters/FRA.html").exists(), "nothing of the earlier one is left");
    preview.add(item("KEN"), b"x").expect("added");
    assert!(index().contains(said));
    assert!(matches!(Preview::create(scratch.path(), CAMPAIGN, vec![]), Err(PreviewError::Busy(_))), "one at a time");
    drop(preview);
    assert!(index().contains(said));
    make(scratch.path(), &["KEN"]);
    assert!(!index().contains(said));
}

#[test]
fn what_was_broken_off_makes_room_even_if_nothing_can_be_written() {
    let scratch = tempfile::tempdir().expect("a folder");
    let mut preview = Preview::create(scratch.path(), CAMPAIGN, vec![]).expect("a preview");
    preview.add(item("KEN"), b"x").expect("added");
    drop(preview);
    // A folder has the name of the marker to be: as little can be written as on a full disk.
    fs::create_dir(scratch.path().join(".demarche-preview.new")).expect("made");
    Preview::create(scratch.path(), CAMPAIGN, vec![]).expect_err("no marker");
    assert!(!scratch.path().join("KEN.eml").exists());
    let index = fs::read_to_string(scratch.path().join("index.html")).expect("a page");
    assert!(index.contains("This preview is not finished"));
    fs::remove_dir(scratch.path().join(".demarche-preview.new")).expect("removed");
    make(scratch.path(), &["KEN"]);
}

#[test]
fn where_the_sign_cannot_be_put_up_the_earlier_preview_is_left_as_it_was() {
    let scratch = tempfile::tempdir().expect("a folder");
    make(scratch.path(), &["KEN", "FRA"]);
    let before = names(scratch.path());
    // A folder has the name of the page to be: as little can be written as on a full disk.
    fs::create_dir(scratch.path().join("index.html.new")).expect("made");
    Preview::create(scratch.path(), CAMPAIGN, vec![]).expect_err("no sign");
    fs::remove_dir(scratch.path().join("index.html.new")).expect("removed");
    assert_eq!(names(scratch.path()), before);
    assert!(make(scratch.path(), &["KEN", "FRA"]).contains("every letter is the same to the byte"));
}

#[test]
fn an_unfinished_preview_is_nothing_to_compare_with() {
    let scratch = tempfile::tempdir().expect("a folder");
    let mut preview = Preview::create(scratch.path(), CAMPAIGN, vec![]).expect("a preview");
    preview.add(item("KEN"), b"x").expect("added");
    drop(preview);
    assert!(make(scratch.path(), &["KEN"]).contains("There is no earlier preview in this folder"));
}

#[test]
fn a_manifest_that_somebody_wrote_is_shown_as_text_and_reads_no_other_file() {
    let scratch = tempfile::tempdir().expect("a folder");
    let folder = scratch.path().join("p");
    make(&folder, &["KEN"]);
    fs::write(scratch.path().join("secret.html"), "<pre id=\"plain\" tabindex=\"0\">\ncanary</pre>").expect("written");
    let evil = "<script>alert(1)</script>";
    let stored = serde_json::json!({
        "generated": evil,
        "digests": { "KEN": Digest::of(b"x").to_string(), "../../secret": Digest::of(b"y").to_string(), evil: "z" },
        "letters": { "KEN": [["Subject", evil]], "../../secret": [["Subject", evil]] },
    });
    fs::write(folder.join("manifest.json"), stored.to_string()).expect("written");
    let index = make(&folder, &["KEN"]);
    let letter = fs::read_to_string(folder.join("letters/KEN.html")).expect("a page");
    for page in [index, letter] {
        assert!(page.contains("&lt;script&gt;alert") && !page.contains(evil) && !page.contains("canary"));
    }
    for garbage in ["", "[]", "{\"digests\":3}", "\u{0}"] {
        fs::write(folder.join("manifest.json"), garbage).expect("written");
        make(&folder, &["KEN"]);
    }
}

#[test]
fn a_large_batch_is_listed_page_by_page_and_searched_as_a_whole() {
    let scratch = tempfile::tempdir().expect("a folder");
    let ids: Vec<String> = (0..1_100).map(|n| format!("row-{n}")).collect();
    let index = make(scratch.path(), &ids.iter().map(String::as_str).collect::<Vec<_>>());
    let read = |name: &str| fs::read_to_string(scratch.path().join(name)).expect("a page");
    assert_eq!(index.matches("<li id=").count(), 500);
    assert_eq!(read("list-3.html").matches("<li id=").count(), 100);
    assert!(index.contains("href=\"list-3.html\""));
    assert!(read("list-2.html").contains("<a href=\"list-2.html\" aria-current=\"page\">2</a>"));
    assert!(read("search.html").contains("\"row-1099\""));
    make(scratch.path(), &["KEN"]);
    assert!(!scratch.path().join("list-3.html").exists() && !scratch.path().join("search.html").exists());
}

/// The page without its own script, of which the policy names the hash.
fn without_our_script(page: &str) -> String {
    let (before, rest) = page.rsplit_once("<script>").expect("a script");
    let (script, after) = rest.split_once("</script>").expect("its end");
    let hash = STANDARD.encode(Digest::of(script.as_bytes()).as_bytes());
    assert!(page.contains(&format!("script-src 'sha256-{hash}';")), "only what has this hash runs");
    format!("{before}{after}")
}

#[test]
fn no_value_becomes_markup_and_nothing_is_loaded() {
    let scratch = tempfile::tempdir().expect("a folder");
    let evil = "<script>x</script>\"'&<img src=https://tracker.invalid/a.png>";
    let mut letter = item("KEN");
    letter.name = evil.into();
    letter.subject = evil.into();
    letter.to = vec![evil.into()];
    letter.cc = vec![evil.into()];
    letter.attachments = vec![attached(evil, "x")];
    letter.pictures = vec![attached(evil, "y")];
    letter.warnings = vec![Warning { text: evil.into(), told_at_once: false }];
    letter.addressee.name = Some(evil.into());
    letter.settled = Some(evil.into());
    letter.text = format!("{evil}</pre>");
    letter.html = format!("{evil}\"></iframe>");
    letter.approved = Some(Standing::Changed(Box::new(Earlier {
        fields: vec![("Subject".into(), format!("{evil}</del>"))],
        text: Some(format!("{evil}</pre>")),
        files: Some(vec![EarlierFile { name: evil.into(), digest: Digest::of(b"z"), bytes: 1 }]),
    })));
    let mut about = page();
    about.campaign = evil.into();
    about.command = evil.into();
    about.event = Some(Moment { text: evil.into(), away: evil.into(), is_past: true });
    about.dates = vec![Moment { text: evil.into(), away: evil.into(), is_past: false }];
    about.archive = vec![evil.into()];
    about.from = evil.into();
    about.reply_to = Some(evil.into());
    about.languages = vec![(evil.into(), 1)];
    about.without = vec![(evil.into(), evil.into())];
    about.coverage[2].row = Some(("MLT".into(), Gets::Nothing(evil.into())));
    about.warnings = vec![Remark { text: evil.into(), about: vec![("KEN".into(), evil.into())] }];
    let word = Word { by: evil.into(), note: evil.into(), at: about.generated };
    about.approved = Some(Approved { basis: Basis::Words(vec![word]), gone: vec![evil.into()], changed: 1, new: 0 });
    let mut preview = Preview::create(scratch.path(), CAMPAIGN, vec![]).expect("a preview");
    preview.add(letter, format!("Subject: {evil}\r\n\r\n{evil}").as_bytes()).expect("added");
    for n in 0..500 {
        let mut letter = item(&format!("row-{n}"));
        letter.subject = evil.into();
        preview.add(letter, b"x").expect("added");
    }
    preview.finish(&about).expect("finished");
    for path in ["index.html", "list-2.html", "search.html", "compare.html", "letters/KEN.html"] {
        let page = without_our_script(&fs::read_to_string(scratch.path().join(path)).expect("a page"));
        assert!(page.contains("default-src 'none'"), "{path}");
        assert!(page.contains("&lt;script&gt;"), "{path}");
        let page = ["rows", "without"]
            .iter()
            .fold(page, |page, id| page.replace(&format!("<script type=\"application/json\" id=\"{id}\">"), ""));
        for tag in ["<script", "<img", "<link", "src=\"", "url(", "@import", "href=\"http"] {
            assert!(!page.contains(tag), "{tag} in {path}");
        }
        assert_eq!(page.matches("</iframe>").count(), page.matches("<iframe sandbox ").count());
    }
}

#[test]
fn what_changed_in_every_letter_is_told_once_and_marks_no_row() {
    let scratch = tempfile::tempdir().expect("a folder");
    let ids = ["DEU", "FRA", "KEN"];
    let make = |annex: &[u8], text: &str, turn: &str| {
        let digest = |id: &str| Digest::of(format!("{id}{turn}").as_bytes());
        let planned = ids.iter().map(|id| ((*id).to_owned(), digest(id))).collect();
        let mut preview = Preview::create(scratch.path(), CAMPAIGN, planned).expect("a preview");
        let annex = preview.attach("annex.pdf", annex).expect("written");
        for id in ids {
            let text = if id == "KEN" { text } else { "Excellency,\n\nWe write to you." };
            let letter = Item { digest: digest(id), text: text.into(), attachments: vec![annex.clone()], ..item(id) };
            preview.add(letter, b"Subject: s\r\n\r\nbody\r\n").expect("added");
        }
        fs::read_to_string(preview.finish(&page()).expect("finished")).expect("an index")
    };
    make(b"%PDF-1.7 one", "Excellency,\n\nWe write to you.", "1");
    let index = make(b"%PDF-1.7 other", "Excellency,\n\nWe write to you.\n\nWe count on you.", "2");
    assert_eq!(index.matches("<li>In all 3 letters: the content of ").count(), 1, "{index}");
    assert!(index.contains("(14 B, was 12 B; "), "{index}");
    assert!(index.contains("<li>text in <a href=\"letters/KEN.html\""), "{index}");
    assert_eq!(index.matches("<span class=\"mark changed\">").count(), 1, "only what is not in all: {index}");
    assert!(index.contains(">changed since the last preview (not as in all)</option>"), "{index}");
    // What was put in is told with what stands before it.
    let letter = fs::read_to_string(scratch.path().join("letters/KEN.html")).expect("a page");
    let told =
        "<p dir=\"auto\" class=\"quiet\">We write to you.</p>\n<p dir=\"auto\"><ins>[now: We count on you.]</ins></p>";
    assert!(aloud(&letter).contains(told), "{letter}");
}

#[test]
fn what_changed_alike_since_the_last_preview_and_the_approval_is_told_once() {
    let scratch = tempfile::tempdir().expect("a folder");
    let make = |turn: &str, to: &str, approved: Option<Standing>| {
        let mut about = page();
        about.approved = approved.as_ref().map(|_| Approved {
            basis: Basis::Words(vec![Word {
                by: "The Chair".into(),
                note: "read".into(),
                at: "2021-10-19T08:00:00Z".parse().expect("a time"),
            }]),
            gone: vec![],
            changed: 1,
            new: 0,
        });
        let digest = Digest::of(turn.as_bytes());
        let mut preview = Preview::create(scratch.path(), CAMPAIGN, vec![("KEN".into(), digest)]).expect("a preview");
        preview.add(Item { digest, to: vec![to.into()], approved, ..item("KEN") }, b"x").expect("added");
        fs::read_to_string(preview.finish(&about).expect("finished")).expect("an index")
    };
    make("1", "old@ken.example", None);
    let old = Item { to: vec!["old@ken.example".into()], ..item("KEN") };
    let earlier = Earlier {
        fields: Earlier::fields(&old.subject, [&old.to, &old.cc, &old.bcc], &old.language, &["letter.pdf"]),
        text: Some(old.text.clone()),
        files: None,
    };
    let index = make("2", "new@ken.example", Some(Standing::Changed(Box::new(earlier))));
    assert!(index.contains("2021-10-20 14:02:11 UTC: <b>1 letter changed</b>"), "made in the same minute: {index}");
    let same = "<p>Since The Chair approved (2021-10-19 08:00 UTC, “read”): <b>the same letter changed</b>, in the same way.</p>";
    assert!(index.contains(same), "{index}");
    assert!(index.contains("That approval no longer counts"), "{index}");
    let letter = fs::read_to_string(scratch.path().join("letters/KEN.html")).expect("a page");
    assert!(
        letter.contains("<h3>Changed since the last preview; the same changes since it was approved</h3>"),
        "{letter}"
    );
    assert_eq!(letter.matches("<del>").count(), 1, "{letter}");
    let banner = "<b>Changed since it was approved, and since the last preview:</b> address</p>";
    assert!(letter.contains(banner), "its page says so before the letter: {letter}");
}

#[test]
fn the_first_page_says_what_stands_in_the_way_and_both_ways_to_approve() {
    let scratch = tempfile::tempdir().expect("a folder");
    let mut about = page();
    about.placeholders = 1;
    about.event =
        Some(Moment { text: "open debate, 21 October 2016".into(), away: "5 years ago".into(), is_past: true });
    let command = format!("demarche approve {} --by NAME --note TEXT", about.digest);
    about.approvals = Some(Approvals { needed: 2, people: vec!["The Chair".into()], command: command.clone() });
    about.languages = vec![("en".into(), 7), ("fr".into(), 1)];
    let mut preview = Preview::create(scratch.path(), CAMPAIGN, vec![]).expect("a preview");
    for id in ["DEU", "FRA", "KEN", "NOR", "GHA", "PER", "ESP", "FJI"] {
        let mut letter = item(id);
        letter.bytes += u64::from(id == "PER") * 13_938;
        match id {
            "FRA" => letter.language = Language::parse("fr").expect("a tag"),
            "KEN" => letter.cc = vec!["registry@ken.example".into()],
            "NOR" => letter.addressee.name = Some("Dr. Example Person".into()),
            "GHA" => letter.addressee.office = Office::Charge,
            "FJI" => letter.addressee.office = Office::Mission,
            _ => {}
        }
        preview.add(letter, b"x").expect("added");
    }
    let index = fs::read_to_string(preview.finish(&about).expect("finished")).expect("an index");
    let text = whole(&index);
    let link = |id: &str, name: &str| format!("<a href=\"letters/{id}.html\" dir=\"auto\">{name}</a>");
    for said in [
        "1 letter goes to a placeholder address.</b>".to_owned(),
        "open debate, 21 October 2016 <span class=\"alert\">(5 years ago)".replace("</span>", ""),
        format!("8: 7 in English; 1 in French ({})", link("FRA", "France")),
        format!("the largest has 26.3 kB ({})", link("PER", "Peru")),
        format!("by name 1 ({})", link("NOR", "Norway")),
        format!("chargés d'affaires 1 ({})", link("GHA", "Ghana")),
        format!("missions themselves 1 ({})", link("FJI", "Fiji")),
        format!("1 letter has a copy: {}; no blind copies; a blind copy of every letter to ", link("KEN", "Kenya")),
        "<p id=\"not-yet\" class=\"alert\">Not yet: 1 of 8 letters goes to a placeholder address.".to_owned(),
        ">addressed differently from most</option>".to_owned(),
        "<a id=\"to-compare\" href=\"compare.html\">".to_owned(),
        "<h4>After both approvals</h4>".to_owned(),
        "<b>1 of 2 approvals so far (The Chair)</b>".to_owned(),
        "<h4>With the program, in the campaign's folder</h4>".to_owned(),
        format!("<code id=\"approve\">{command}</code>"),
        "<h4>Without it</h4>".to_owned(),
        format!("<code id=\"word\">I approve {}, NAME</code>", about.digest),
        "it counts as one of the 2.".to_owned(),
        "Two different people must approve".to_owned(),
        "demarche preview --out again --json".to_owned(),
        "<a href=\"manifest.json\">".to_owned(),
    ] {
        assert!(text.contains(&said), "{said} not in {text}");
    }
    assert_eq!(index.matches(&about.digest.to_string()).count(), 1, "it stands in full once");
    let norway = fs::read_to_string(scratch.path().join("letters/NOR.html")).expect("a page");
    let by_name = "<dt>Addressee by the list</dt><dd>the Permanent Representative, by name: Dr. Example Person</dd>";
    assert!(norway.contains(by_name), "{norway}");
}

#[test]
fn the_json_names_each_letter_and_its_file() {
    let scratch = tempfile::tempdir().expect("a folder");
    let mut preview = Preview::create(scratch.path(), CAMPAIGN, vec![]).expect("a preview");
    preview.add(item("KEN"), b"x").expect("added");
    assert_eq!(
        preview.to_json(Digest::of(b"batch")),
        serde_json::json!({
            "digest": Digest::of(b"batch").to_string(),
            "letters": [{
                "id": "KEN",
                "to": ["Mission <ken@missions.example>"],
                "subject": "An open letter",
                "language": "en",
                "bytes": 12_345,
                "digest": Digest::of(b"KEN").to_string(),
                "file": scratch.path().join("KEN.eml"),
                "warnings": [],
                "since_preview": null,
                "since_approval": null,
            }],
        })
    );
}
