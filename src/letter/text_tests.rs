//! What plain text looks like.

use super::*;
use crate::letter::markdown::parse;

fn text(source: &str) -> String {
    write(&parse(source), false)
}

#[test]
fn lists_are_indented_under_their_markers_and_nested() {
    let long = "word ".repeat(20);
    insta::assert_snapshot!(text(&format!(
        "9. {long}\n10. b\n    - c\n    - d\n11. e\n\nAfter\n\n- x\n\n  y\n\n- z\n"
    )));
}

#[test]
fn links_are_notes_unless_their_text_is_the_address() {
    insta::assert_snapshot!(text(
        "[us](https://x.example/a) and [them](https://x.example/b), [us](https://x.example/a), \
         [https://x.example](https://x.example/), <https://x.example/c>, [a@b.example](mailto:a@b.example), \
         [+1 212 555 0100](tel:+12125550100).\n"
    ));
}

#[test]
fn headings_quotes_rules_tables_and_breaks() {
    insta::assert_snapshot!(text(
        "# Title\n\n## Part\n\n### Small\n\n> One\n> two\n>\n> - three\n\n---\n\nline\\\nnext  \nlast\n\n\
         | Who | How many |\n|---|---|\n| A | 12 |\n| Longer | 3 |\n"
    ));
}

#[test]
fn no_line_is_wider_than_76_columns_in_any_script() {
    let chinese = "妇女人权维护者，和平建设者。".repeat(12);
    let arabic = "المدافعات عن حقوق الإنسان ".repeat(12);
    let out = text(&format!("{chinese}\n\n> 1. {arabic}\n"));
    assert!(out.lines().count() > 6);
    for line in out.lines() {
        assert!(line.width() <= WIDTH, "{line}");
        assert!(!line.starts_with(['，', '。']), "{line}");
    }
}

proptest::proptest! {
    #[test]
    fn no_markdown_makes_it_panic(source in "(?s)([-*>#|0-9.\\[\\]()`~ \n]|[a-z]{1,4}){0,60}") {
        let events = parse(&source);
        let _ = (write(&events, false), write(&events, true));
        let _ = crate::letter::html::write(&events, &crate::letter::html::Styles::default(), &crate::letter::pictures::Pictures::new());
    }
}
