//! The shipped letter as each kind of mission gets it, and the promises of rendering.

mod letter_common;

use demarche::domain::recipient::{Gender, Rank};
use letter_common::{letter, render, row, settings, shipped, with_rank};

#[test]
fn kenya_gets_the_letter_in_full() {
    let rendered = render(&shipped(), &row("KEN"));
    insta::assert_snapshot!("kenya_text", format!("Subject: {}\n\n{}", rendered.subject, rendered.text));
    insta::assert_snapshot!("kenya_html", rendered.html);
}

/// The lines that differ from Kenya's letter.
fn differences(other: &str) -> String {
    let kenya = render(&shipped(), &row("KEN")).text;
    other.lines().filter(|line| !kenya.lines().any(|known| known == *line)).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_gambia_has_its_article_in_subject_and_sentence() {
    let rendered = render(&shipped(), &row("GMB"));
    insta::assert_snapshot!(format!("Subject: {}\n\n{}", rendered.subject, differences(&rendered.text)));
}

#[test]
fn a_vacant_post_and_a_charge_are_addressed_as_protocol_has_it() {
    let vacant = render(&shipped(), &with_rank("KEN", Rank::Vacant, None, None));
    insta::assert_snapshot!(differences(&vacant.text));
    let charge = render(&shipped(), &with_rank("KEN", Rank::ChargeDAffaires, Some(Gender::Female), Some("(Name)")));
    insta::assert_snapshot!(differences(&charge.text));
}

#[test]
fn an_office_without_a_state_gets_a_whole_letter_too() {
    let rendered = render(&shipped(), &row(""));
    insta::assert_snapshot!(format!("Subject: {}\n\n{}", rendered.subject, differences(&rendered.text)));
}

#[test]
fn enclosures_are_named_only_where_there_are_any() {
    let shipped = shipped();
    assert!(!render(&shipped, &row("KEN")).text.contains("Enclosures"));
    let rendered = shipped.render(&row("KEN"), 2).expect("rendered");
    assert!(rendered.text.ends_with("Enclosures: 2\n"), "{}", rendered.text);
    assert!(rendered.html.contains("Enclosures: 2"));
}

#[test]
fn every_state_gets_a_letter_within_76_columns_and_the_same_twice() {
    use unicode_width::UnicodeWidthStr as _;
    let shipped = shipped();
    for state in demarche::domain::state::all() {
        let rendered = render(&shipped, &row(state.code.as_str()));
        assert_eq!(rendered, render(&shipped, &row(state.code.as_str())));
        let words = rendered.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let role = if state.member { "one of those States" } else { "an observer" };
        assert!(words.contains(&format!("We write to {} as {role}", state.column("running_en"))), "{words}");
        for line in rendered.text.lines() {
            assert!(line.strip_suffix(' ').unwrap_or(line).width() <= 76, "{line}");
        }
        assert!(!rendered.html.contains('\r') && !rendered.text.contains('\r'));
    }
}

#[test]
fn text_and_html_say_the_same_words() {
    let rendered = render(&shipped(), &row("KEN"));
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let body = &rendered.html[rendered.html.find("<td class=\"body\"").expect("a body")..];
    let body = &body[..body.find("</td>").expect("its end")];
    let mut html = String::new();
    let mut number = 0;
    for part in body.split('<').skip(1) {
        let (tag, text) = part.split_once('>').expect("a tag");
        if tag.starts_with("li") {
            number += 1;
            let marker = format!(" {number}. ");
            html.push_str(&marker);
        }
        html.push_str(text);
    }
    let html = html.replace("&amp;", "&").replace("&quot;", "\"");
    let text = rendered.text.lines().filter(|line| !line.starts_with("===")).collect::<Vec<_>>().join("\n");
    assert_eq!(words(&text), words(&html));
}

#[test]
fn the_styles_of_the_layout_stand_on_the_elements_and_the_dark_ones_in_the_head() {
    let rendered = render(&letter("# T\n\nA [b](https://x.example/).\n\n1. c\n"), &row("KEN"));
    for element in ["<h1 style=", "<p style=", "<li style=", "<ol style=", "style=\"color: #1f4f8f"] {
        assert!(rendered.html.contains(element), "{element}\n{}", rendered.html);
    }
    assert_eq!(rendered.html.matches("<style").count(), 1);
    assert!(rendered.html.contains("prefers-color-scheme: dark"));
    assert!(rendered.html.contains("lang=\"en\"") && rendered.html.contains("dir=\"ltr\""));
    for remote in ["src=\"http", "<link", "@import", "url("] {
        assert!(!rendered.html.contains(remote), "{remote}");
    }
}

#[test]
fn a_right_to_left_language_says_so_on_the_page() {
    let body = "+++\nsubject = 'S'\ntranslated_from = 'en'\nattachments = ['annex.pdf']\n+++\n{{ salutation() }} {{ translated_from }}\n";
    let (letter, problems) = letter_common::try_load(&[("letter.en.md", body), ("letter.ar.md", body)]);
    assert!(problems.is_empty());
    let letter = letter.expect("a letter");
    let mut kenya = row("KEN");
    kenya.language = demarche::domain::language::Language::parse("ar").ok();
    let rendered = render(&letter, &kenya);
    assert!(rendered.html.contains("lang=\"ar\"") && rendered.html.contains("dir=\"rtl\""));
    assert_eq!(rendered.text, "أصحاب السعادة، en\n");
    assert_eq!(letter.attachments(&rendered.language), ["annex.pdf"]);
    assert_eq!(letter.languages().iter().map(ToString::to_string).collect::<Vec<_>>(), ["ar", "en"]);
}

#[test]
fn a_design_of_ones_own_goes_without_the_layout() {
    let text = "+++\nsubject = 'To {{ state.name }}'\n+++\nDear {{ row.who }},\n\nbye & <so> on\n";
    let page = "<!DOCTYPE html><html><body>Dear {{ row.who }}</body></html>\n";
    let (letter, problems) = letter_common::try_load(&[("letter.en.txt", text), ("letter.en.html", page)]);
    assert!(problems.is_empty(), "{}", letter_common::shown(&problems));
    let rendered = render(&letter.expect("a letter"), &letter_common::with_cell("who", "<A> & B"));
    assert_eq!(rendered.subject, "To Kenya");
    assert_eq!(rendered.text, "Dear <A> & B,\n\nbye & <so> on\n");
    assert_eq!(rendered.html, "<!DOCTYPE html><html><body>Dear &lt;A&gt; &amp; B</body></html>\n");
}

#[test]
fn a_changed_date_of_the_event_changes_the_letter() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let (files, _) = demarche::letter::read_folder(&folder, "templates");
    let mut settings = settings();
    settings.event.as_mut().expect("an event").at = "2021-10-28T10:00-04:00".parse().expect("a time");
    let (letter, _) = demarche::letter::Letter::load(&files, "templates", &settings);
    let rendered = render(&letter.expect("a letter"), &row("KEN"));
    assert!(rendered.text.contains("28 October 2021") && !rendered.text.contains("21 October"));
}

#[test]
fn an_include_comes_from_the_folder_and_is_escaped_as_well() {
    let body = "+++\nsubject = 'S'\n+++\n{% include \"parts/a.md\" %}\n";
    let (letter, problems) = letter_common::try_load(&[
        ("letter.en.md", body),
        ("parts/a.md", "**{{ row.x }}**"),
        ("README.md", "{% broken"),
    ]);
    assert!(problems.is_empty(), "{}", letter_common::shown(&problems));
    let rendered = render(&letter.expect("a letter"), &letter_common::with_cell("x", "*y*"));
    assert_eq!(rendered.text, "*y*\n");
    assert!(rendered.html.contains(">*y*</strong>"));
}

#[test]
fn a_letter_is_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    shared(&shipped());
}

/// Words of letters only: markers, notes and underlines are the text's own.
fn plain_words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

proptest::proptest! {
    #[test]
    fn no_markdown_makes_text_and_html_say_different_words(
        source in "(([-*>#|]|1\\.|  |\\*\\*)? ?(\\*|\\*\\*)?[a-z]{1,8}(\\*|\\*\\*|\\\\)? ?\n?(\n)?){1,20}",
    ) {
        let (letter, _) = letter_common::try_load(&[("letter.en.md", &format!("+++\nsubject = 'S'\n+++\n{source}\n"))]);
        proptest::prop_assume!(letter.is_some());
        let rendered = render(&letter.expect("a letter"), &row("KEN"));
        let start = rendered.html.find("<td class=\"body\"").expect("a body");
        let end = rendered.html.find("<td class=\"foot\"").expect("its end");
        let parts = rendered.html[start..end].split('<').skip(1);
        let html: Vec<&str> = parts.map(|part| part.split_once('>').expect("a tag").1).collect();
        let html = html.join(" ").replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&");
        let text = rendered.text.clone();
        // A tag within a word parts it here, and not on the screen: compare the letters in their order.
        proptest::prop_assert_eq!(plain_words(&text).concat(), plain_words(&html).concat(), "{}", source);
    }
}
