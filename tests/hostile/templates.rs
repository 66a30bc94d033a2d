//! Templates: what each kind of broken, empty, endless or leaking letter gets.

use insta::assert_snapshot;

use crate::support::campaign::Campaign;
use crate::{campaign, check};

const ROWS: &str = "state,to,who,empty\nKenya,ken@missions.example,you,\nChad,tcd@missions.example,you,\n";

/// A campaign of two rows whose letter has this subject and body.
fn letter(subject: &str, body: &str) -> Campaign {
    campaign().recipients(ROWS).template("letter.en.md", &format!("+++\nsubject = \"{subject}\"\n+++\n\n{body}\n"))
}

/// What `check` says of each letter, with its name before it.
fn check_letters(letters: &[(&str, &str, &str)]) -> String {
    let told = |(name, subject, body): &(&str, &str, &str)| format!("== {name}: {}", check(&letter(subject, body)));
    letters.iter().map(told).collect()
}

#[test]
fn syntax_errors_of_every_file_are_told_at_once_with_their_places() {
    let campaign = letter("To {{ state.name }", "{% if %}\n")
        .template("letter.fr.md", "+++\nsubject = \n+++\n\nTexte\n")
        .template("letter.es.md", "Sin cabecera\n")
        .template("part.md", "{% for x in %}")
        .template("layout.html", "<html>{{ content");
    assert_snapshot!(check(&campaign), @r#"
    exit 65

    error[template-syntax]: Unexpected end of input
     --> templates/layout.html:1:10
      |
    1 | <html>{{ content
      |          ^^^^^^^
      |
      = help: a `{{` has no `}}`: "{{ content"

    error[template-syntax]: Found `}` but expected }}
     --> templates/letter.en.md:2:29
      |
    2 | subject = "To {{ state.name }"
      |                             ^
      |
      = help: a `{{` has no `}}`: "{{ state.name }"

    error[template-syntax]: Found `%}` but expected one of: integer, float, string, bool, ident, `-`, `not`, `<`, `{`, `[` or `(`
     --> templates/letter.en.md:5:7
      |
    5 | {% if %}
      |       ^^
      |
      = help: something is missing before `%}`: {% if state %}, {% for one in vars.list %}

    error[front-matter]: the letter has no front matter
     --> templates/letter.es.md:1:1
      |
    1 | Sin cabecera
      | ^
      |
      = help: begin the letter with
              +++
              subject = "…"
              +++

    error[front-matter]: string values must be quoted, expected literal string
     --> templates/letter.fr.md:2:11
      |
    2 | subject =
      |           ^

    5 errors (1 in templates/layout.html, 2 in templates/letter.en.md, 1 in templates/letter.es.md, 1 in templates/letter.fr.md); nothing was sent.
    "#);
}

#[test]
fn what_a_template_asks_for_and_does_not_get_is_told_with_the_row_and_near_names() {
    let letters = [
        ("undefined", "Open letter", "To {{ state.nmae }} of {{ row.whoo }} and {{ vars.organisations }}\n"),
        ("empty cell", "Open letter", "{{ row.empty | required }}"),
        ("unknown function", "Open letter", "{{ salutaton() }}"),
    ];
    assert_snapshot!(check_letters(&letters), @"
    == undefined: exit 65

    error[template-undefined]: undefined variable `state.nmae` (row KEN), and in 1 more row
     --> templates/letter.en.md:5:13
      |
    5 | To {{ state.nmae }} of {{ row.whoo }} and {{ vars.organisations }}
      |             ^^^^
      |
      = help: did you mean `state.name`?

    error[template-undefined]: undefined variable `row.whoo` (row KEN), and in 1 more row
     --> templates/letter.en.md:5:31
      |
    5 | To {{ state.nmae }} of {{ row.whoo }} and {{ vars.organisations }}
      |                               ^^^^
      |
      = help: did you mean `row.who`?

    error[template-undefined]: undefined variable `vars.organisations`
     --> templates/letter.en.md:5:51
      |
    5 | To {{ state.nmae }} of {{ row.whoo }} and {{ vars.organisations }}
      |                                                   ^^^^^^^^^^^^^
      |
      = help: set `organisations` under [vars] in the config

    3 errors; nothing was sent.
    == empty cell: exit 65

    error[template-value]: the letter needs a value here, and there is none (row KEN), and in 1 more row
     --> templates/letter.en.md:5:16
      |
    5 | {{ row.empty | required }}
      |                ^^^^^^^^
      |
      = help: fill in the cell; or, if a letter may go without it, take `| required` out and write {% if %} … {% endif %} around it

    1 error; nothing was sent.
    == unknown function: exit 65

    error[template-syntax]: Unknown function `salutaton`
     --> templates/letter.en.md:5:4
      |
    5 | {{ salutaton() }}
      |    ^^^^^^^^^^^
      |
      = help: did you mean `salutation(…)`?

    1 error; nothing was sent.
    ");
}

#[test]
fn a_letter_that_would_go_out_without_a_subject_or_a_body_or_with_leftovers_is_refused() {
    let long = "x ".repeat(500);
    let letters = [
        ("empty subject", "{{ row.empty }}", "Text"),
        ("long subject", long.as_str(), "Text"),
        ("line end in the subject", "a\\nBcc: x@evil.test", "Text"),
        ("empty body", "Open letter", "{% if false %}x{% endif %}"),
        ("leftover", "Open letter", "{% raw %}{{ state.name }}{% endraw %}"),
        ("leftover tag", "Open letter", "{% raw %}{% if %}{% endraw %}"),
        ("leftover of a merge", "Open letter", "Dear <no value>"),
    ];
    assert_snapshot!(check_letters(&letters), @r#"
    == empty subject: exit 65

    error[letter-subject]: the subject is empty (row KEN), and in 1 more row
     --> templates/letter.en.md:2:12
      |
    2 | subject = "{{ row.empty }}"
      |            ^^^^^^^^^^^^^^^
      |
      = help: write one, or fill in the cell that it is made of

    1 error; nothing was sent.
    == long subject: exit 65

    error[letter-subject]: the subject is 1000 bytes long, and 998 is the most (row KEN), and in 1 more row
     --> templates/letter.en.md:2:12
      |
    2 | ...= "x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x x
      |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: shorten it

    1 error; nothing was sent.
    == line end in the subject: exit 65

    error[letter-subject]: the subject holds a line end (row KEN), and in 1 more row
     --> templates/letter.en.md:2:11
      |
    2 | subject = "a\nBcc: x@evil.test"
      |           ^
      |
      = help: write it in one line, by hand

    1 error; nothing was sent.
    == empty body: exit 65

    error[letter-empty]: the letter is empty (row KEN), and in 1 more row
    --> templates/letter.en.md
     = help: is all of it in an {% if %} that does not hold?

    1 error; nothing was sent.
    == leftover: exit 65

    error[letter-leftover]: "{{" is left in the letter (row KEN), and in 1 more row
    --> templates/letter.en.md
     = help: missions would read it as it stands: write what is meant in its place

    1 error; nothing was sent.
    == leftover tag: exit 65

    error[letter-leftover]: "{%" is left in the letter (row KEN), and in 1 more row
    --> templates/letter.en.md
     = help: missions would read it as it stands: write what is meant in its place

    1 error; nothing was sent.
    == leftover of a merge: exit 65

    error[letter-html]: HTML in a Markdown letter: <no value>
     --> templates/letter.en.md:5:6
      |
    5 | Dear <no value>
      |      ^^^^^^^^^^
      |
      = help: write Markdown (a link is [text](https://…)), or bring letter.<language>.html and .txt

    1 error; nothing was sent.
    "#);
}

#[test]
fn what_a_merge_left_in_a_cell_or_in_a_design_of_ones_own_is_told_with_where_it_comes_from() {
    let mut told = String::new();
    for cell in ["<no value>", "{{ name }}", "{% if %}"] {
        let campaign = campaign()
            .recipients(&format!("state,to,who\nKenya,ken@missions.example,{cell}\nChad,tcd@missions.example,{cell}\n"))
            .template("letter.en.md", "+++\nsubject = \"To {{ row.who }}\"\n+++\n\nDear {{ row.who }}\n");
        told.push_str(&check(&campaign));
    }
    let pair = campaign()
        .recipients(ROWS)
        .template("letter.fr.txt", "+++\nsubject = \"Lettre\"\n+++\n\nCher <no value>\n")
        .template("letter.fr.html", "<html><body><p>Cher &lt;no value></p>{% raw %}{{ x }}{% endraw %}</body></html>")
        .set("letter.default_language", "\"fr\"");
    told.push_str(&check(&pair));
    assert_snapshot!(told, @r#"
    exit 65

    error[letter-subject]: the subject holds "<no value>": it comes from the column "who" (row KEN), and in 1 more row
     --> templates/letter.en.md:2:12
      |
    2 | subject = "To {{ row.who }}"
      |            ^^^^^^^^^^^^^^^^
      |
      = help: missions would read it as it stands: write what is meant in its place

    error[letter-leftover]: "<no value>" is left in the letter: it comes from the column "who" (row KEN), and in 1 more row
    --> templates/letter.en.md
     = help: missions would read it as it stands: write what is meant in its place

    2 errors; nothing was sent.
    exit 65

    error[letter-subject]: the subject holds "{{": it comes from the column "who" (row KEN), and in 1 more row
     --> templates/letter.en.md:2:12
      |
    2 | subject = "To {{ row.who }}"
      |            ^^^^^^^^^^^^^^^^
      |
      = help: missions would read it as it stands: write what is meant in its place

    error[letter-leftover]: "{{" is left in the letter: it comes from the column "who" (row KEN), and in 1 more row
    --> templates/letter.en.md
     = help: missions would read it as it stands: write what is meant in its place

    2 errors; nothing was sent.
    exit 65

    error[letter-subject]: the subject holds "{%": it comes from the column "who" (row KEN), and in 1 more row
     --> templates/letter.en.md:2:12
      |
    2 | subject = "To {{ row.who }}"
      |            ^^^^^^^^^^^^^^^^
      |
      = help: missions would read it as it stands: write what is meant in its place

    error[letter-leftover]: "{%" is left in the letter: it comes from the column "who" (row KEN), and in 1 more row
    --> templates/letter.en.md
     = help: missions would read it as it stands: write what is meant in its place

    2 errors; nothing was sent.
    exit 65

    error[letter-leftover]: "{{" is left in the letter (row KEN), and in 1 more row
    --> templates/letter.fr.txt
     = help: missions would read it as it stands: write what is meant in its place

    error[letter-leftover]: "<no value>" is left in the letter (row KEN), and in 1 more row
    --> templates/letter.fr.txt
     = help: missions would read it as it stands: write what is meant in its place

    2 errors; nothing was sent.
    "#);
}

#[test]
fn loops_and_bodies_without_end_are_refused() {
    let filler = "x".repeat(100);
    let mebibytes =
        format!("{{% for i in range(end=1000) %}}{{% for j in range(end=1000) %}}{filler}{{% endfor %}}{{% endfor %}}");
    let letters = [
        ("loop", "Open letter", "{% for i in range(end=1000000000) %}x{% endfor %}"),
        (
            "three loops",
            "Open letter",
            "{% for i in range(end=9) %}{% for j in range(end=9) %}{% for k in range(end=9) %}x{% endfor %}{% endfor %}{% endfor %}",
        ),
        ("body", "Open letter", mebibytes.as_str()),
    ];
    assert_snapshot!(check_letters(&letters), @"
    == loop: exit 65

    error[template-value]: a loop of more than 1000 turns is past the cap
     --> templates/letter.en.md:5:13
      |
    5 | {% for i in range(end=1000000000) %}x{% endfor %}
      |             ^^^^^^^^^^^^^^^^^^^^^
      |
      = help: look at the value that it is made of, in the row or under [vars]

    1 error; nothing was sent.
    == three loops: exit 65

    error[letter-loop]: a loop within 2 others is past the cap
     --> templates/letter.en.md:5:55
      |
    5 | {% for i in range(end=9) %}{% for j in range(end=9) %}{% for k in range(end=9) %}x{% endfor %}{% endfor %}{% endfor %}
      |                                                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write the innermost list out, or put it into one text of [vars]

    1 error; nothing was sent.
    == body: exit 65

    error[letter-too-big]: the letter is over 10 MB (row KEN), and in 1 more row
     = help: a loop in a template may not end soon enough; long texts belong into an attachment

    1 error; nothing was sent.
    ");
}

#[test]
fn a_part_that_includes_itself_is_refused_and_not_followed() {
    let campaign = letter("Open letter", "{% include \"part.md\" %}").template("part.md", "{% include \"part.md\" %}");
    assert_snapshot!(check(&campaign), @"
    exit 65

    error[template-include]: templates include each other in a circle: letter.en.md, part.md, part.md
    --> templates/part.md
     = help: take one of these includes out

    1 error; nothing was sent.
    ");
}

#[test]
fn includes_outside_the_folder_are_refused() {
    let body = "{% include \"../config.toml\" %}{% include \"/etc/hostname\" %}{% include \"~/x.md\" %}";
    assert_snapshot!(check(&letter("Open letter", body)), @r#"
    exit 65

    error[template-include]: Unknown template `../config.toml`
     --> templates/letter.en.md:5:12
      |
    5 | {% include "../config.toml" %}{% include "/etc/hostname" %}{% include "~/x.md" %}
      |            ^^^^^^^^^^^^^^^^
      |
      = help: a template may include only files of the templates folder, by their path in it

    error[template-include]: Unknown template `/etc/hostname`
     --> templates/letter.en.md:5:42
      |
    5 | {% include "../config.toml" %}{% include "/etc/hostname" %}{% include "~/x.md" %}
      |                                          ^^^^^^^^^^^^^^^
      |
      = help: a template may include only files of the templates folder, by their path in it

    error[template-include]: Unknown template `~/x.md`
     --> templates/letter.en.md:5:71
      |
    5 | {% include "../config.toml" %}{% include "/etc/hostname" %}{% include "~/x.md" %}
      |                                                                       ^^^^^^^^
      |
      = help: a template may include only files of the templates folder, by their path in it

    3 errors; nothing was sent.
    "#);
    assert_snapshot!(check(&letter("Open letter", "{% extends \"../recipients.csv\" %}")), @r#"
    exit 65

    error[template-include]: "../recipients.csv" is not in the templates folder
     --> templates/letter.en.md:5:13
      |
    5 | {% extends "../recipients.csv" %}
      |             ^^^^^^^^^^^^^^^^^
      |
      = help: a template may include only files of the templates folder, by their path in it

    1 error; nothing was sent.
    "#);
}

#[test]
fn links_that_run_are_errors_and_remote_images_warnings() {
    let letters = [
        ("javascript", "Open letter", "[here](javascript:alert(1)) and [there](  JaVaScRiPt:x)"),
        ("data", "Open letter", "[here](data:text/html,x)"),
        ("remote image", "Open letter", "![logo](https://tracker.example/x.png)"),
        ("raw markup", "Open letter", "<script>x</script>\n\n<b onclick=x>y</b>"),
    ];
    assert_snapshot!(check_letters(&letters), @r#"
    == javascript: exit 65

    error[letter-link]: a link to "javascript:alert(1)"
     --> templates/letter.en.md:5:1
      |
    5 | [here](javascript:alert(1)) and [there](  JaVaScRiPt:x)
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: a letter may link to https://, http://, mailto: and tel: addresses, written in full

    error[letter-link]: a link to "JaVaScRiPt:x"
     --> templates/letter.en.md:5:33
      |
    5 | [here](javascript:alert(1)) and [there](  JaVaScRiPt:x)
      |                                 ^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: a letter may link to https://, http://, mailto: and tel: addresses, written in full

    2 errors; nothing was sent.
    == data: exit 65

    error[letter-link]: a link to "data:text/html,x"
     --> templates/letter.en.md:5:1
      |
    5 | [here](data:text/html,x)
      | ^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: a letter may link to https://, http://, mailto: and tel: addresses, written in full

    1 error; nothing was sent.
    == remote image: exit 0
    warning[remote-image]: a remote image: many mail programs do not show it, and it tells when the letter is read
     --> templates/letter.en.md:5:1
      |
    5 | ![logo](https://tracker.example/x.png)
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: put the picture into the templates folder and name it: ![Logo](logo.png)


    == raw markup: exit 65

    error[letter-html]: HTML in a Markdown letter: <script>x</script>
     --> templates/letter.en.md:5:1
      |
    5 | <script>x</script>
      | ^^^^^^^^^^^^^^^^^^
      |
      = help: write Markdown (a link is [text](https://…)), or bring letter.<language>.html and .txt

    error[letter-html]: HTML in a Markdown letter: <b onclick=x>
     --> templates/letter.en.md:7:1
      |
    7 | <b onclick=x>y</b>
      | ^^^^^^^^^^^^^
      |
      = help: write Markdown (a link is [text](https://…)), or bring letter.<language>.html and .txt

    error[letter-html]: HTML in a Markdown letter: </b>
     --> templates/letter.en.md:7:15
      |
    7 | <b onclick=x>y</b>
      |               ^^^^
      |
      = help: write Markdown (a link is [text](https://…)), or bring letter.<language>.html and .txt

    3 errors; nothing was sent.
    "#);
}

#[test]
fn a_template_folder_that_is_missing_empty_or_not_text_is_told() {
    let missing = campaign().recipients(ROWS).set("letter.templates", "\"letters\"");
    let empty = Campaign::new().config_for(2525).recipients(ROWS).file("templates/readme.pdf", "x");
    let binary = campaign().recipients(ROWS).file("templates/letter.en.md", b"+++\nsubject = \"a\"\n+++\n\nA \xff B\n");
    let large = campaign().recipients(ROWS).file("templates/letter.en.md", vec![b'x'; 1024 * 1024 + 1]);
    let told: String = [missing, empty, binary, large].iter().map(check).collect();
    assert_snapshot!(told, @"
    exit 65

    error[template-file]: letters cannot be read: No such file or directory (os error 2)
    --> letters
     = help: name the folder of the letter in letter.templates, or let `demarche init` write one

    error[letter-missing]: there is no letter in letters
    --> letters
     = help: write templates/letter.en.md, or let `demarche init` write one

    2 errors; nothing was sent.
    exit 65

    error[letter-missing]: there is no letter in templates
    --> templates
     = help: write templates/letter.en.md, or let `demarche init` write one

    1 error; nothing was sent.
    exit 65

    error[template-file]: templates/letter.en.md is not UTF-8
    --> templates/letter.en.md:5
     = help: save it as UTF-8

    1 error; nothing was sent.
    exit 65

    error[template-file]: templates/letter.en.md is over 1 MB
    --> templates/letter.en.md
     = help: is it another kind of file? Then take it out of the folder

    error[letter-missing]: there is no letter in templates
    --> templates
     = help: write templates/letter.en.md, or let `demarche init` write one

    2 errors (1 in templates, 1 in templates/letter.en.md); nothing was sent.
    ");
}
