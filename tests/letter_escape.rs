//! Values are shown, never obeyed: whatever a cell holds stands in the letter as it is.

mod letter_common;

use letter_common::{letter, render, with_cell};
use proptest::prelude::*;

fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// The tags of a page's body, without their attributes.
fn tags(html: &str) -> Vec<String> {
    let body = &html[html.find("<td class=\"body\"").expect("a body")..];
    body.split('<').skip(1).map(|part| part.split([' ', '>', '\n']).next().unwrap_or_default().to_owned()).collect()
}

fn unescaped(html: &str) -> String {
    html.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

const PLACES: [&str; 9] = [
    "{{ row.x }}\n",
    "- item\n\n  {{ row.x }} after\n",
    "before {{ row.x }}\nafter\n",
    "> # {{ row.x }}\n",
    "**{{ row.x }}** {{ row.x }}\n",
    "| a | b |\n|---|---|\n| {{ row.x }} | c |\n",
    "[{{ row.x }}](https://x.example/elsewhere)\n",
    "![{{ row.x }}](https://x.example/logo.png)\n",
    "{{ [row.x, row.x] | list }} {{ plural(n=2, one=\"a\", other=row.x) }}\n",
];

#[test]
fn a_hostile_cell_is_shown_literally() {
    let cell = "*x* _y_ [a](javascript:alert(1)) <b>bold</b> `c` &amp; ![i](https://x.example/i.png) 1. # > \\ | ~~s~~";
    let letter = letter("Dear {{ row.x }}!\n");
    let rendered = render(&letter, &with_cell("x", cell));
    assert_eq!(squeezed(&rendered.text), squeezed(&format!("Dear {cell}!")));
    assert!(
        !rendered.html.contains("<b>") && !rendered.html.contains("href=\"java") && !rendered.html.contains("<img")
    );
}

#[test]
fn a_value_in_a_link_stays_in_its_target() {
    let letter = letter("[here](https://x.example/?q={{ row.x }})\n");
    let rendered = render(&letter, &with_cell("x", "a)b\"onload=c"));
    assert!(rendered.html.contains("href=\"https://x.example/?q=a)b&quot;onload=c\""), "{}", rendered.html);
}

#[test]
fn a_value_is_never_rendered_as_a_template() {
    let problems = letter("A {{ row.x }}\n").render(&with_cell("x", "{{ vars.countries }}"), 0).expect_err("leftover");
    assert!(problems[0].message.contains("the column \"x\""), "{}", problems[0].message);
    assert!(!problems[0].message.contains("88"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_cell_stands_in_the_text_as_it_is_and_makes_no_markup(
        cell in "([-*_#>|~`!&<\\[\\]()+=.:;\\\\\"'/ \n\r\t0-9]|https?://|javascript:|[a-zéñ中ع]|\\PC){0,40}",
        place in 0..PLACES.len(),
    ) {
        prop_assume!(!cell.contains("{{") && !cell.contains("{%") && !cell.trim().is_empty());
        let letter = letter(PLACES[place]);
        let rendered = render(&letter, &with_cell("x", &cell));
        let plain = render(&letter, &with_cell("x", "word"));
        // Quote marks and item indents stand between the lines of a wrapped cell: compare without them.
        let unquoted = |text: &str| squeezed(&text.lines().map(|line| line.strip_prefix("> ").unwrap_or(line)).collect::<Vec<_>>().join("\n"));
        prop_assert!(unquoted(&rendered.text).contains(&squeezed(&cell)), "{:?} not in {:?}", cell, rendered.text);
        prop_assert!(squeezed(&unescaped(&rendered.html)).contains(&squeezed(&cell)));
        prop_assert_eq!(tags(&rendered.html), tags(&plain.html));
    }

    #[test]
    fn any_cell_stands_in_a_design_of_ones_own_as_it_is(
        cell in "([-<>&\"'{}=;/! a-z0-9]|javascript:|</?[a-z]+>|on[a-z]+=|\\PC){0,40}",
    ) {
        prop_assume!(!cell.contains("{{") && !cell.contains("{%") && !cell.trim().is_empty());
        let page = "<html><body title=\"{{ row.x }}\"><p>{{ row.x }}</p><img alt='{{ row.x }}' src='https://x.example/'></body></html>";
        let text = "+++\nsubject = 'To {{ row.x }}'\n+++\nDear {{ row.x }}\n";
        let (letter, _) = letter_common::try_load(&[("letter.en.txt", text), ("letter.en.html", page)]);
        let letter = letter.expect("a letter");
        let rendered = render(&letter, &with_cell("x", &cell));
        let plain = render(&letter, &with_cell("x", "word"));
        prop_assert_eq!(&rendered.subject, &format!("To {cell}"));
        prop_assert_eq!(squeezed(&rendered.text), squeezed(&format!("Dear {cell}")));
        let marks = |html: &str| ['<', '>', '"', '\''].map(|mark| html.matches(mark).count());
        prop_assert_eq!(marks(&rendered.html), marks(&plain.html), "{}", rendered.html);
    }

    #[test]
    fn any_subject_and_any_value_of_the_config_stand_in_the_page_as_they_are(
        value in "([-<>&\"'{}=;/! a-z0-9]|</?[a-z]+>|\\PC){0,40}",
    ) {
        prop_assume!(!value.contains("{{") && !value.contains("{%") && !value.trim().is_empty());
        let page = "<html><head><title>{{ subject }}</title></head><body><td class=\"body\"><p>{{ vars.v }}</p>{{ content }}</body></html>";
        let of = |value: &str| {
            let mut settings = letter_common::settings();
            settings.vars.insert("v".into(), value.into());
            let files = [
                letter_common::file("letter.en.md", "+++\nsubject = 'S {{ row.x }}'\n+++\nA {{ vars.v }}\n"),
                letter_common::file("layout.html", page),
            ];
            let (letter, problems) = demarche::letter::Letter::load(&files, "templates", &settings);
            render(&letter.unwrap_or_else(|| panic!("{}", letter_common::shown(&problems))), &with_cell("x", value))
        };
        let (rendered, plain) = (of(&value), of("word"));
        let marks = |html: &str| ['<', '>'].map(|mark| html.matches(mark).count());
        prop_assert_eq!(marks(&rendered.html), marks(&plain.html), "{}", rendered.html);
        prop_assert!(squeezed(&rendered.text).contains(&squeezed(&value)));
    }
}
