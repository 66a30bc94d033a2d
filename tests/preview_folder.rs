//! The dry run as files: which are written, which are removed, and what the pages can do.

use std::fs;
use std::path::Path;

use demarche::domain::digest::Digest;
use demarche::domain::language::Language;
use demarche::domain::state::StateCode;
use demarche::preview::{Item, Page, Preview, PreviewError};

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
        attachments: vec!["letter.pdf".into()],
    }
}

fn page() -> Page {
    Page {
        campaign: "Stand with defenders".into(),
        digest: Digest::of(b"batch"),
        event: Some("Security Council open debate, 21 October 2021".into()),
        from: "Coalition Secretariat <letters@coalition.example>".into(),
        expected: 193,
        missing: vec!["Tuvalu".into()],
        doubled: Vec::new(),
        foreign: Vec::new(),
        suppressed: Vec::new(),
        generated: "2021-10-20T14:02:11.25Z".parse().expect("a time"),
    }
}

fn make(folder: &Path, ids: &[&str]) -> String {
    let mut preview = Preview::create(folder).expect("a preview");
    for id in ids {
        preview.add(item(id), b"Subject: s\r\n\r\nbody\r\n").expect("added");
    }
    let index = preview.finish(&page()).expect("finished");
    fs::read_to_string(index).expect("an index")
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
    let mut preview = Preview::create(&folder).expect("a preview");
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
        [".demarche-preview", "DEU.eml", "KEN.eml", "index.html", "letters", "notes.eml"]
    );
    assert_eq!(names(&scratch.path().join("letters")), ["DEU.html", "KEN.html", "mine.html"]);
}

#[test]
fn an_unfinished_preview_is_replaced_too() {
    let scratch = tempfile::tempdir().expect("a folder");
    let mut preview = Preview::create(scratch.path()).expect("a preview");
    preview.add(item("FRA"), b"x").expect("added");
    drop(preview);
    make(scratch.path(), &["KEN"]);
    assert!(!scratch.path().join("FRA.eml").exists());
}

#[test]
fn a_folder_with_other_files_is_refused_and_left_as_it_was() {
    let scratch = tempfile::tempdir().expect("a folder");
    fs::write(scratch.path().join("index.html"), "mine").expect("written");
    assert!(matches!(Preview::create(scratch.path()), Err(PreviewError::NotOurs(_))));
    assert_eq!(names(scratch.path()), ["index.html"]);
    assert!(matches!(Preview::create(&scratch.path().join("index.html")), Err(PreviewError::NotAFolder(_))));
}

#[test]
fn somebody_elses_file_is_never_overwritten() {
    let scratch = tempfile::tempdir().expect("a folder");
    make(scratch.path(), &["FRA"]);
    fs::write(scratch.path().join("KEN.eml"), "mine").expect("written");
    let mut preview = Preview::create(scratch.path()).expect("a preview");
    assert!(matches!(preview.add(item("KEN"), b"x"), Err(PreviewError::Exists(_))));
    assert_eq!(fs::read(scratch.path().join("KEN.eml")).expect("there"), b"mine");
}

#[test]
fn an_id_that_leaves_the_folder_is_refused() {
    let scratch = tempfile::tempdir().expect("a folder");
    let mut preview = Preview::create(&scratch.path().join("p")).expect("a preview");
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
    assert!(index.contains("192 of 193 missions get a letter"));
    assert!(index.contains("Missing: Tuvalu"));
    assert!(index.contains(&format!("demarche send --approve {}", Digest::of(b"batch"))));
    assert!(index.contains("href=\"letters/KEN.html\"") && index.contains("href=\"KEN.eml\""));
    assert!(index.contains("2021-10-20 14:02:11 UTC"));
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
    letter.attachments = vec![evil.into()];
    letter.text = format!("{evil}</pre>");
    letter.html = format!("{evil}\"></iframe>");
    let mut about = page();
    about.campaign = evil.into();
    about.event = Some(evil.into());
    about.from = evil.into();
    about.missing = vec![evil.into()];
    let mut preview = Preview::create(scratch.path()).expect("a preview");
    preview.add(letter, format!("Subject: {evil}\r\n\r\n").as_bytes()).expect("added");
    let index = preview.finish(&about).expect("finished");
    for path in [index, scratch.path().join("letters/KEN.html")] {
        let page = fs::read_to_string(&path).expect("a page");
        assert!(page.contains("default-src 'none'"), "{}", path.display());
        assert!(page.contains("&lt;script&gt;"), "{}", path.display());
        for tag in ["<script", "<img", "<link", "src=\"", "url(", "@import", "href=\"http"] {
            assert!(!page.contains(tag), "{tag} in {}", path.display());
        }
        assert_eq!(page.matches("</iframe>").count(), page.matches("<iframe sandbox ").count());
    }
}

#[test]
fn the_json_names_each_letter_and_its_file() {
    let scratch = tempfile::tempdir().expect("a folder");
    let mut preview = Preview::create(scratch.path()).expect("a preview");
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
            }],
        })
    );
}
