//! Hostile input with the shape of the real thing into the six parsers that are fuzzed: random bytes alone are turned away at the
//! door. The functions are those of the fuzz targets.

use std::collections::HashSet;

use demarche::domain::audience::Audience;
use demarche::domain::language::Language;
use demarche::roster::{self, HiddenRows, Options, Roster};
use proptest::prelude::*;
use proptest::sample::select;

use crate::seeds::parsers;

/// Some of `pieces`, one after another.
fn pieces_of(pieces: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    proptest::collection::vec(select(pieces), 0..most).prop_map(|chosen| chosen.concat())
}

/// Text that is trouble wherever it stands.
const TROUBLE: &[&str] = &[
    "\0",
    "\r",
    "\n",
    "\r\n",
    "\t",
    "\u{1b}[2J",
    "\u{9b}",
    "\u{7f}",
    "\u{85}",
    "\u{2028}",
    "\u{202e}",
    "\u{2066}",
    "\u{feff}",
    "\u{a0}",
    "\u{200b}",
    "\"",
    "\"\"",
    "'",
    ",",
    ";",
    ":",
    "<",
    ">",
    "@",
    "(",
    ")",
    "\\",
    "=",
    "+",
    "-",
    "|",
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "..",
    "/",
    "~",
    "é",
    "ß",
    "İ",
    "е",
    "＠",
    "．",
    "xn--",
    "👩‍👩‍👧",
    "a",
    "Kenya",
    "en",
    "0",
];

fn trouble(most: usize) -> impl Strategy<Value = String> {
    pieces_of(TROUBLE, most)
}

/// A server's words in the shape of replies: right codes and wrong ones, ends and lines of every kind.
fn dialogue() -> impl Strategy<Value = Vec<u8>> {
    let code = prop_oneof![
        4 => select(&["220", "250", "354", "221", "235", "334"][..]).prop_map(str::to_owned),
        2 => select(&["421", "450", "451", "452", "454", "530", "535", "550", "552", "554"][..]).prop_map(str::to_owned),
        1 => "[0-9]{0,5}",
    ];
    let enhanced = select(&["", "2.0.0 ", "5.7.1 ", "4.999.999 ", "9.9.9 ", "2.0 ", "5..1 "][..]);
    let text = prop_oneof![
        4 => select(&["ok", "PIPELINING", "CHUNKING", "SIZE 99999999999999999999999", "AUTH PLAIN LOGIN", "AUTH=", "STARTTLS",
            "SMTPUTF8", "8BITMIME", "DSN", ""][..]).prop_map(|text| text.as_bytes().to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..30),
        1 => (1_usize..6000).prop_map(|length| vec![b'x'; length]),
    ];
    let end = select(&["\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", "\r\r\n", "\0\r\n", ""][..]);
    let line = (code, select(&[" ", " ", " ", "-", "", "\t"][..]), enhanced, text, end).prop_map(
        |(code, between, enhanced, text, end)| {
            [code.as_bytes(), between.as_bytes(), enhanced.as_bytes(), &text, end.as_bytes()].concat()
        },
    );
    proptest::collection::vec(line, 0..14).prop_map(|lines| lines.concat())
}

/// A table: a header of known and unknown names, rows that do and do not fit it, every way to quote and to write.
fn table() -> impl Strategy<Value = Vec<u8>> {
    let header = proptest::collection::vec(
        prop_oneof![
            6 => select(&["state", "to", "cc", "bcc", "language", "rank", "name", "gender", "attachment", "verified_on", "id", "x",
                "TO", "e-mail", "Courriel", "iso3"][..]).prop_map(str::to_owned),
            1 => trouble(3),
        ],
        1..8,
    );
    let cell = prop_oneof![
        6 => select(&["Kenya", "KEN", "Congo", "Atlantis", "ken@missions.example", "a@b.test; c@d.test", "\"Bob, Jr\" <a@x.test>",
            "Bob, Jr <a@x.test>", "a@localhost", "a@example.com", "ken@bücher.example", "en", "fr", "permanent representative", "f",
            "a.pdf", "../a.pdf", "2021-09-01", "=1+1", "", " ", "row-1"][..]).prop_map(str::to_owned),
        2 => trouble(6),
        1 => (1_usize..40_000).prop_map(|length| "y".repeat(length)),
    ];
    let quoted = (cell, 0..4_u8).prop_map(|(cell, how)| match how {
        0 => format!("\"{}\"", cell.replace('"', "\"\"")),
        1 => format!("\"{cell}"),
        _ => cell,
    });
    let rows = proptest::collection::vec(proptest::collection::vec(quoted, 0..8), 0..6);
    let shape = (
        select(&[",", ";", "\t", "|"][..]),
        select(&["\n", "\r\n", "\r"][..]),
        select(&["", "", "", "sep=;\n", "\u{feff}"][..]),
    );
    (header, rows, shape, 0..5_u8).prop_map(|(header, rows, (between, end, before), encoding)| {
        let lines: Vec<String> = std::iter::once(&header).chain(&rows).map(|cells| cells.join(between)).collect();
        let text = format!("{before}{}{end}", lines.join(end));
        match encoding {
            0 => [vec![0xff, 0xfe], text.encode_utf16().flat_map(u16::to_le_bytes).collect()].concat(),
            1 => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            2 => text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(0x92)).collect(),
            _ => text.into_bytes(),
        }
    })
}

/// A list of addresses as people and attackers write it.
fn addresses() -> impl Strategy<Value = String> {
    let local =
        prop_oneof![4 => "[a-z0-9.+_-]{1,12}", 1 => "\"[a-z @.\\\\]{0,9}\"", 1 => trouble(3), 1 => "[a-z]{60,70}"];
    let domain = prop_oneof![
        4 => "[a-z]{1,9}(\\.[a-z]{2,6}){1,3}",
        1 => select(&["localhost", "[127.0.0.1]", "bücher.example", "ｍissions.example", "xn--a.example", "-a.example", "a..b", "例え.テスト"][..])
            .prop_map(str::to_owned),
        1 => trouble(3),
        1 => "([a-z]{63}\\.){4}[a-z]{2}",
    ];
    let name = prop_oneof![3 => Just(String::new()), 1 => "[A-Z][a-z]{1,8} [A-Z][a-z]{1,8} ", 1 => "\"[A-Za-z, .]{0,12}\" ", 1 => trouble(4)];
    let one = (name, local, domain, any::<bool>()).prop_map(|(name, local, domain, angle)| {
        if angle || !name.is_empty() { format!("{name}<{local}@{domain}>") } else { format!("{local}@{domain}") }
    });
    proptest::collection::vec((one, select(&[";", ",", "\n", " ; ", ",,", " ", ""][..])), 0..6)
        .prop_map(|list| list.into_iter().map(|(one, between)| one + between).collect())
}

/// A letter: a head with the right keys and wrong values, a body of tags that nest, run away and name what is not there.
fn letter() -> impl Strategy<Value = String> {
    let head = pieces_of(
        &[
            "subject = \"To {{ state.name }}\"\n",
            "subject = '''\na\n'''\n",
            "subject = \"{{ x\"\n",
            "subject = 5\n",
            "subject = \"\\u0000\"\n",
            "attachments = [\"a.pdf\"]\n",
            "attachments = \"a\"\n",
            "attachments = [[[]]]\n",
            "translated_from = \"en\"\n",
            "translated_from = \"\"\n",
            "x = 1\n",
            "[[a]]\n",
            "a.b.c = nan\n",
            "subject\n",
            "# é\n",
        ],
        5,
    );
    let body = pieces_of(
        &[
            "{{ state.name }}",
            "{{ row.x }}",
            "{{ vars.",
            "{{ salutation() }}",
            "{{ salutation(style=\"\") }}",
            "{{ range(end=999999999) }}",
            "{% for i in range(end=9) %}",
            "{% for a, b in row %}",
            "{% endfor %}",
            "{% if state %}",
            "{% else %}",
            "{% endif %}",
            "{% include \"letter.en.md\" %}",
            "{% include \"../x\" %}",
            "{% extends \"x\" %}",
            "{% set a = a %}",
            "{% raw %}",
            "{% endraw %}",
            "{% block a %}",
            "{% endblock %}",
            "{% macro m() %}",
            "{% endmacro %}",
            "{{ 1 / 0 }}",
            "{{ \"a\" * 9 }}",
            "{{ [[[[[[1]]]]]] }}",
            "{{ row.x | safe }}",
            "{{ row.x | long_date }}",
            "{# ",
            " #}",
            "# Title\n",
            "- a\n",
            "> ",
            "```\n",
            "|a|b|\n|-|-|\n",
            "[a](javascript:x)",
            "[a](https://coalition.example)",
            "![i](https://x.test/y)",
            "<script>",
            "<!-- ",
            "&#0;",
            "\n\n",
            "    ",
            "*",
            "**",
            "_",
            "\\",
            "é",
            "\u{202e}",
            "\0",
        ],
        24,
    );
    (select(&["+++\n", "+++\r\n", "", "---\n", "\u{feff}+++\n"][..]), head, select(&["+++\n", "+++", ""][..]), body)
        .prop_map(|(open, head, close, body)| format!("{open}{head}{close}{body}"))
}

/// A config: every key there is, with values of every kind, some of them right.
fn settings() -> impl Strategy<Value = String> {
    const KEYS: &[&str] = &[
        "campaign.id",
        "campaign.name",
        "campaign.event",
        "campaign.event.at",
        "campaign.event.name",
        "vars.x",
        "vars.fr.x",
        "vars",
        "sender.from",
        "sender.reply_to",
        "sender.bcc",
        "sender.list_unsubscribe",
        "recipients.file",
        "recipients.audience",
        "recipients.stale_after",
        "recipients.encoding",
        "recipients.delimiter",
        "recipients.columns",
        "letter.templates",
        "letter.default_language",
        "letter.attachments",
        "smtp.host",
        "smtp.port",
        "smtp.security",
        "smtp.username",
        "smtp.password",
        "smtp.connections",
        "smtp.ca_file",
        "smtp.ehlo_name",
        "smtp.messages_per_connection",
        "smtp.timeouts",
        "smtp.timeouts.data",
        "pace.rate",
        "pace.per_domain",
        "pace.hours",
        "pace.days",
        "pace.timezone",
        "retry.first",
        "retry.factor",
        "retry.most",
        "retry.attempts",
        "retry.linger",
        "ledger.file",
        "ledger",
        "x",
        "smtp",
        "pace.x",
    ];
    let value = prop_oneof![
        6 => select(&["\"a\"", "\"open-letter\"", "\"A <a@coalition.example>\"", "\"30/min\"", "[\"1/s\", \"0/day\"]", "\"09:00-18:00\"",
            "\"25:99-00:00\"", "\"America/New_York\"", "\"2021-10-21T10:00[America/New_York]\"", "\"5min\"", "\"99999999999h\"", "\"-1s\"",
            "465", "0", "-1", "70000", "9223372036854775807", "1.5", "nan", "inf", "-inf", "true", "1979-05-27T07:32:00Z", "[]", "{}",
            "[[[[1]]]]", "{ a = { b = {} } }", "{ env = \"A\" }", "{ command = [] }", "{ file = \"/dev/zero\", env = \"B\" }", "\"../x\"",
            "\"/etc/passwd\"", "\"~/x\"", "\"\"", "\"\\u0000\"", "\"\\u001b[2J\"", "'''\n'''", "\"tls\"", "\"en\"", "\"member-states\""][..])
            .prop_map(str::to_owned),
        1 => trouble(5).prop_map(|text| format!("{text:?}")),
        1 => trouble(4),
    ];
    let line = (select(KEYS), value).prop_map(|(key, value)| format!("{key} = {value}\n"));
    proptest::collection::vec(line, 0..16).prop_map(|lines| lines.concat())
}

/// What a roster may hold, whatever the file was.
fn assert_sound(roster: &Roster) -> Result<(), TestCaseError> {
    let mut ids = HashSet::new();
    for row in &roster.rows {
        let recipient = &row.recipient;
        prop_assert!(ids.insert(recipient.id.as_str().to_lowercase()), "the id {} stands twice", recipient.id);
        prop_assert!(!recipient.to.is_empty() || row.suppressed.is_some(), "nobody to write to, and nobody is told");
        let shown = recipient.to.iter().chain(&recipient.cc).chain(&recipient.bcc).map(ToString::to_string);
        let bound_for_a_header = shown.chain(recipient.name.clone()).chain(Some(recipient.id.to_string()));
        for text in bound_for_a_header {
            let bad = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            prop_assert!(!text.contains(bad), "{text:?}");
        }
    }
    for problem in &roster.diagnostics {
        let drawn = problem.render(false);
        prop_assert!(!drawn.contains(|c: char| c.is_control() && c != '\n'), "{drawn:?}");
        prop_assert!(drawn.len() < 100_000, "a problem of {} octets", drawn.len());
    }
    prop_assert!(!roster.rows.is_empty() || !roster.diagnostics.is_empty(), "nothing was read, and nobody is told why");
    Ok(())
}

fn options() -> Options {
    let english = Language::parse("en").expect("a language");
    Options {
        file: "recipients.csv".to_owned(),
        sheet: None,
        hidden_rows: HiddenRows::default(),
        encoding: None,
        delimiter: None,
        columns: std::collections::BTreeMap::new(),
        audience: Audience::Any,
        stale_after: None,
        today: jiff::civil::date(2021, 10, 1),
        default_language: english.clone(),
        languages: vec![english],
        suppressed: vec!["a@b.test".to_owned()],
        placeholders_allowed: true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn any_dialogue_of_a_server_comes_to_an_end(words in dialogue()) {
        parsers::reply(&words);
    }

    #[test]
    fn any_lines_of_a_greeting_are_understood_or_ignored(words in dialogue()) {
        parsers::ehlo(&words);
    }

    #[test]
    fn any_table_gives_sound_rows_and_problems_that_can_be_read(bytes in table()) {
        parsers::csv(&bytes);
        assert_sound(&roster::read(&bytes, &options()))?;
    }

    #[test]
    fn any_list_of_addresses_is_understood_as_it_is_shown(cell in addresses()) {
        parsers::address(cell.as_bytes());
    }

    #[test]
    fn any_letter_with_tags_and_a_head_is_loaded_or_refused(text in letter()) {
        parsers::front_matter(text.as_bytes());
    }

    #[test]
    fn any_settings_under_the_right_names_are_taken_or_refused(text in settings()) {
        parsers::config(text.as_bytes());
    }
}
