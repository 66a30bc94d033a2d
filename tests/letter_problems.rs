//! What bad templates and rows get: each message, with its place.

mod letter_common;

use demarche::diagnostic::Severity;
use letter_common::{letter, row, settings, shown, try_load, with_cell, with_subject};

const HEAD: &str = "+++\nsubject = 'S'\n+++\n";

fn load_problems(body: &str) -> String {
    let (letter, problems) = try_load(&[("letter.en.md", &format!("{HEAD}{body}"))]);
    assert!(letter.is_none(), "it should not load");
    shown(&problems)
}

fn render_problems(body: &str) -> String {
    shown(&letter(body).render(&row("KEN"), 0).expect_err("a problem"))
}

#[test]
fn every_syntax_error_of_every_file_is_told_at_once_with_its_place() {
    let (letter, problems) = try_load(&[
        ("letter.en.md", "+++\nsubject = 'A {{ b'\n+++\nfine\n\n{% if x %}\n"),
        ("letter.fr.md", "+++\nsubject = 'S'\n+++\n{{ a | }}\n"),
    ]);
    assert!(letter.is_none());
    insta::assert_snapshot!(shown(&problems));
}

#[test]
fn unknown_functions_filters_and_includes_are_told() {
    insta::assert_snapshot!(load_problems(
        "{{ salutaton() }}\n\n{{ vars.x | long_dat }}\n\n{% include \"../secret.md\" %}\n"
    ));
}

#[test]
fn an_include_outside_the_folder_is_impossible() {
    for path in ["../secret.md", "/etc/hostname", "nothing.md"] {
        let told = load_problems(&format!("x\n\n{{% include \"{path}\" %}}\n"));
        assert!(told.contains("error[template-include]") && told.contains("letter.en.md:6:"), "{told}");
        let told = load_problems(&format!("{{% extends \"{path}\" %}}\n"));
        assert!(told.contains("error[template-include]") && told.contains("letter.en.md:4:"), "{told}");
    }
}

#[test]
fn an_undefined_name_is_told_with_the_row_and_the_near_ones() {
    insta::assert_snapshot!(render_problems("A {{ vras.countries }}\n"));
    insta::assert_snapshot!(render_problems("A {{ state.runing }}\n"));
    let problems =
        letter("A\n\n{{ row.delegatoin }}\n").render(&with_cell("delegation", "x"), 0).expect_err("a problem");
    insta::assert_snapshot!(shown(&problems));
    insta::assert_snapshot!(render_problems("{{ row.x | upper }}\n"));
    insta::assert_snapshot!(render_problems("{{ row[\"x y\"] }}\n"));
}

#[test]
fn a_missing_variable_of_the_config_is_the_same_problem_for_every_row() {
    let letter = letter("A {{ vars.organisations }} and {{ vars.countries }}\n");
    let kenya = letter.render(&row("KEN"), 0).expect_err("a problem");
    assert_eq!(kenya, letter.render(&row("GMB"), 0).expect_err("a problem"));
    insta::assert_snapshot!(shown(&kenya));
    insta::assert_snapshot!(render_problems("{{ vars.letter_dat | long_date }}\n"));
    insta::assert_snapshot!(render_problems("{{ vars.contact_email | long_date }}\n"));
    insta::assert_snapshot!(render_problems("{% if vars.quorum > 3 %}x{% endif %}\n"));
}

#[test]
fn every_undefined_name_of_a_letter_is_told_at_once() {
    let body = "{{ vars.one }} {{ vras.two }}\n\n{{ row.three | long_date }} {{ row.four | required }} {{ state.fife }}\n\n\
                {% if vars.six %}never{% endif %} {{ vars.seven.eight }} {{ vars.one }} {{ vars.countries | long_date }}\n";
    let told = render_problems(body);
    for name in ["vars.one", "vras.two", "row.three", "row.four", "state.fife", "vars.seven.eight"] {
        assert!(told.contains(&format!("undefined variable `{name}`")), "{name} is not told:\n{told}");
    }
    assert!(told.contains("\"88\" is not a date"), "a value that is wrong is told beside what is missing:\n{told}");
    assert_eq!(told.matches("error[").count(), 7, "nothing is told twice:\n{told}");
}

#[test]
fn everything_that_the_letterhead_misses_is_told_at_once() {
    let page = "<html><body>{{ vars.one }}{{ content }}{{ vars.two }}</body></html>";
    let (letter, problems) = try_load(&[("letter.en.md", &format!("{HEAD}A\n")), ("layout.html", page)]);
    assert!(letter.is_none());
    let told: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(told, ["undefined variable `vars.one`", "undefined variable `vars.two`"]);
}

#[test]
fn plural_says_which_form_it_lacks_and_what_is_no_number() {
    let told = render_problems("{{ plural(n=vars.countries, one=\"country\") }}\n");
    assert!(told.contains("88 takes the form `other`") && told.contains("write other=\"…\""), "{told}");
    assert!(render_problems("{{ plural(n=\"many\", other=\"x\") }}\n").contains("\"many\" is not a whole number"));
    let told = render_problems("{{ plural(n=vars.cuntries, other=\"x\") }}\n");
    assert!(told.contains("did you mean `vars.countries`?"), "{told}");
}

#[test]
fn a_row_without_a_state_is_told_where_the_letter_names_one() {
    let problems = letter("To {{ state.name }}\n").render(&row(""), 0).expect_err("a problem");
    insta::assert_snapshot!(shown(&problems));
}

#[test]
fn a_cell_that_the_letter_needs_may_not_be_empty() {
    let problems = letter("{{ row.x | required }}\n").render(&with_cell("x", " "), 0).expect_err("a problem");
    insta::assert_snapshot!(shown(&problems));
    letter_common::render(&letter("{{ row.x | required }}\n"), &with_cell("x", "y"));
}

#[test]
fn a_subject_is_one_line_of_a_length_that_fits() {
    let told = |value: &str| {
        let problems = with_subject("{{ row.x }}", "A\n").render(&with_cell("x", value), 0).expect_err("a problem");
        assert_eq!(problems.len(), 1);
        problems[0].message.clone()
    };
    assert_eq!(told(" "), "the subject is empty (row KEN)");
    assert_eq!(told("a\r\nBcc: x@y.example"), "the subject holds a line end: it comes from the column \"x\" (row KEN)");
    assert_eq!(told("a\u{1b}"), "the subject holds a control character: it comes from the column \"x\" (row KEN)");
    assert_eq!(told(&"é".repeat(500)), "the subject is 1000 bytes long, and 998 is the most (row KEN)");
    assert_eq!(told("{{ x"), "the subject holds \"{{\": it comes from the column \"x\" (row KEN)");
}

#[test]
fn a_subject_with_an_error_is_placed_in_the_front_matter() {
    let problems = with_subject("To {{ stat.name }}", "A\n").render(&row("KEN"), 0).expect_err("a problem");
    insta::assert_snapshot!(shown(&problems));
}

#[test]
fn a_body_is_not_empty_and_holds_no_leftovers() {
    assert!(render_problems("{% if false %}x{% endif %}\n").contains("the letter is empty (row KEN)"));
    for leftover in ["<no value>", "{{", "{%"] {
        let problems =
            letter("A {{ row.x }}\n").render(&with_cell("x", &format!("a {leftover} b")), 0).expect_err("a problem");
        assert_eq!(
            problems[0].message,
            format!("\"{leftover}\" is left in the letter: it comes from the column \"x\" (row KEN)")
        );
    }
    assert!(render_problems("{% raw %}{{ x }}{% endraw %}\n").contains("\"{{\" is left in the letter (row KEN)"));
}

#[test]
fn loops_have_a_cap_and_bodies_too() {
    assert!(render_problems("{% for i in range(end=1001) %}x{% endfor %}\n").contains("past the cap"));
    assert!(load_problems("{% for i in range(end=2) %}{% for j in range(end=2) %}{% for k in range(end=2) %}x{% endfor %}{% endfor %}{% endfor %}\n").contains("past the cap"));
    let filler = "x".repeat(100);
    let body = format!(
        "{{% for i in range(end=1000) %}}{{% for j in range(end=1000) %}}{filler}{{% endfor %}}{{% endfor %}}\n"
    );
    assert!(render_problems(&body).contains("the letter is over 10 MB (row KEN)"));
}

#[test]
fn a_loop_goes_in_a_fixed_order_or_not_at_all() {
    for list in ["k, v in row", "v in row", "v in vars", "v in { \"a\": 1 }"] {
        let told = load_problems(&format!("{{% for {list} %}}x{{% endfor %}}\n"));
        assert!(told.contains("no fixed order"), "{list}: {told}");
    }
    assert!(render_problems("{{ [{\"a\": 1}] | group_by(attribute=\"a\") }}\n").contains("no fixed order"));
    let mut row = with_cell("b", "2");
    row.columns.extend([("c".into(), "3".into()), ("a".into(), "1".into())]);
    let body =
        "{% for pair in row | pairs %}{{ pair[0] }}={{ pair[1] }} {% endfor %}{{ row | keys | join(sep=\"\") }}\n";
    assert_eq!(letter_common::render(&letter(body), &row).text, "a=1 b=2 c=3 abc\n");
}

#[test]
fn markup_that_a_letter_may_not_hold_is_told_with_its_place() {
    insta::assert_snapshot!(load_problems(
        "A <b>bold</b> word\n\n<script>x</script>\n\n[a](javascript:x) [b](page.html)\n\n    indented\n"
    ));
    let problems =
        letter("[a]({{ row.x }})\n").render(&with_cell("x", "javascript:alert(1)"), 0).expect_err("a problem");
    assert!(problems[0].message.contains("javascript:alert(1)") && problems[0].message.contains("KEN"));
}

#[test]
fn remote_images_are_warned_of_and_nothing_more() {
    let (letter, problems) = try_load(&[("letter.en.md", &format!("{HEAD}A ![b](https://x.example/b.png)\n"))]);
    assert!(letter.is_some());
    assert_eq!((problems.len(), problems[0].severity, problems[0].code), (1, Severity::Warning, "remote-image"));
    let page = "<html><body>{{ content }}<img src=\"http://x.example/p.gif\"></body></html>";
    let (letter, problems) = try_load(&[("letter.en.md", &format!("{HEAD}A\n")), ("layout.html", page)]);
    assert!(letter.is_some());
    assert_eq!((problems.len(), problems[0].code), (1, "remote-image"));
}

#[test]
fn safe_does_not_let_a_value_through() {
    let problems = letter("{{ row.x | safe }}\n").render(&with_cell("x", "*a*"), 0).expect_err("a problem");
    insta::assert_snapshot!(shown(&problems));
}

#[test]
fn a_layout_needs_the_letter_in_it_and_knows_no_row() {
    for (page, told) in [
        ("<html><body></body></html>", "no place for the letter"),
        ("<html><body>{{ content }}{{ content }}</body></html>", "more than once"),
        ("<html><body>{{ content }}{{ row.x }}</body></html>", "undefined variable `row"),
        ("<html><body>{{ content }", "layout.html:1:24"),
        ("<html><body>{{ content }}<a href=\"javascript:x\">y</a></body></html>", "a link to"),
        ("<html><body>{{ content }}<script>x</script></body></html>", "a script"),
    ] {
        let (letter, problems) = try_load(&[("letter.en.md", &format!("{HEAD}A\n")), ("layout.html", page)]);
        assert!(letter.is_none() && shown(&problems).contains(told), "{page}: {}", shown(&problems));
    }
}

#[test]
fn which_letters_there_are_is_checked() {
    let one = format!("{HEAD}A\n");
    for (files, told) in [
        (vec![], "there is no letter in templates"),
        (vec![("letter.fr.md", one.as_str())], "there is no templates/letter.en.md"),
        (vec![("letter.en.md", one.as_str()), ("letter.fr.html", "x")], "needs letter.fr.txt"),
        (vec![("letter.en.md", one.as_str()), ("letter.fr.txt", one.as_str())], "needs letter.fr.html"),
        (vec![("letter.en.md", one.as_str()), ("letter.english.md", one.as_str())], "is for no language"),
        (vec![("letter.en.md", one.as_str()), ("letter.EN.md", one.as_str())], "write the language so"),
        (
            vec![("letter.en.md", one.as_str()), ("letter.en.txt", one.as_str()), ("letter.en.html", "x")],
            "one or the other",
        ),
    ] {
        let (letter, problems) = try_load(&files);
        assert!(letter.is_none() && shown(&problems).contains(told), "{told}: {}", shown(&problems));
    }
}

#[test]
fn a_row_in_a_language_without_a_letter_is_told_the_languages_there_are() {
    let mut kenya = row("KEN");
    kenya.language = demarche::domain::language::Language::parse("sw").ok();
    insta::assert_snapshot!(shown(&letter("A\n").render(&kenya, 0).expect_err("a problem")));
}

#[test]
fn forms_of_address_are_not_guessed_for_other_languages() {
    let body = format!("{HEAD}{{{{ salutation() }}}}\n");
    let (letter, _) = try_load(&[("letter.en.md", &body), ("letter.prs.md", &body)]);
    let mut row = row("AFG");
    row.language = demarche::domain::language::Language::parse("prs").ok();
    insta::assert_snapshot!(shown(&letter.expect("a letter").render(&row, 0).expect_err("a problem")));
}

#[test]
fn a_form_of_a_states_name_that_the_language_lacks_is_not_made_up() {
    let body = format!("{HEAD}{{{{ state.in_running }}}}\n");
    let (letter, _) = try_load(&[("letter.en.md", &body), ("letter.ru.md", &body)]);
    let mut row = row("KEN");
    row.language = demarche::domain::language::Language::parse("ru").ok();
    let told = shown(&letter.expect("a letter").render(&row, 0).expect_err("a problem"));
    assert!(told.contains("no such form in the letter's language"), "{told}");
}

#[test]
fn a_campaign_without_an_event_is_told_once() {
    let mut settings = settings();
    settings.event = None;
    let files = [letter_common::file("letter.en.md", &format!("{HEAD}On {{{{ event.date }}}}\n"))];
    let (letter, _) = demarche::letter::Letter::load(&files, "templates", &settings);
    let letter = letter.expect("a letter");
    let problems = letter.render(&row("KEN"), 0).expect_err("a problem");
    assert_eq!(problems, letter.render(&row("GMB"), 0).expect_err("a problem"));
    assert!(problems[0].message.contains("campaign.event"));
}

#[test]
fn a_template_that_is_not_text_is_told() {
    let files = [demarche::letter::SourceFile { name: "letter.en.md".into(), bytes: b"+++\n\xff".to_vec() }];
    let (letter, problems) = demarche::letter::Letter::load(&files, "templates", &settings());
    assert!(letter.is_none() && problems[0].message.contains("not UTF-8"));
}

#[cfg(unix)]
#[test]
fn the_folder_is_read_in_order_and_nothing_outside_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let outside = tempfile::tempdir().expect("a folder");
    std::fs::write(outside.path().join("secret.md"), "x").expect("written");
    std::fs::create_dir(folder.path().join("parts")).expect("made");
    for name in ["letter.en.md", "layout.html", "parts/a.md", "notes.pdf", ".hidden.md"] {
        std::fs::write(folder.path().join(name), "x").expect("written");
    }
    std::os::unix::fs::symlink(outside.path().join("secret.md"), folder.path().join("b.md")).expect("linked");
    std::os::unix::fs::symlink(outside.path(), folder.path().join("out")).expect("linked");
    std::os::unix::fs::symlink(folder.path().join("parts/a.md"), folder.path().join("c.md")).expect("linked");
    std::fs::write(folder.path().join("big.md"), vec![b'x'; 1024 * 1024 + 1]).expect("written");
    let (files, problems) = demarche::letter::read_folder(folder.path(), "templates");
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["c.md", "layout.html", "letter.en.md", "parts/a.md"]);
    let mut told: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            "templates/b.md is a symbolic link that leaves the templates folder",
            "templates/big.md is over 1 MB",
            "templates/out is a symbolic link that leaves the templates folder",
        ]
    );
    let (none, problems) = demarche::letter::read_folder(&folder.path().join("none"), "templates");
    assert!(none.is_empty() && problems.len() == 1);
}

#[test]
fn a_slip_of_syntax_hides_no_other_mistake_of_the_letters() {
    let (letter, problems) = try_load(&[
        ("letter.en.md", &format!("{HEAD}{{{{ a | }}}} {{{{ salutaton() }}}} {{% include \"nothing.md\" %}}\n")),
        ("letter.fr.md", &format!("{HEAD}{{{{ vars.x | long_dat }}}}\n")),
    ]);
    assert!(letter.is_none());
    let told = shown(&problems);
    for said in ["expected identifier", "Unknown function `salutaton`", "Unknown template `nothing.md`", "`long_dat`"] {
        assert!(told.contains(said), "\"{said}\" is not in:\n{told}");
    }
    assert_eq!(problems.len(), 4, "{told}");
}
