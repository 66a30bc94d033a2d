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

const PLACES: [&str; 6] = [
    "{{ row.x }}\n",
    "- item\n\n  {{ row.x }} after\n",
    "before {{ row.x }}\nafter\n",
    "> # {{ row.x }}\n",
    "**{{ row.x }}** {{ row.x }}\n",
    "| a | b |\n|---|---|\n| {{ row.x }} | c |\n",
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
}
