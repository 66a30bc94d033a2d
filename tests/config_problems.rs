//! What a person reads who made mistakes in the config: all of them, each at its place.

use std::fmt::Write as _;
use std::path::Path;

use demarche::config::{Config, parse};
use demarche::diagnostic::Diagnostic;
use jiff::Timestamp;

/// Enough for a valid config.
const LEAST: &str = "[campaign]\nid = \"c\"\nname = \"C\"\n[sender]\nfrom = \"a@real.ngo\"\n";

fn parsed(text: &str) -> (Option<Config>, Vec<Diagnostic>) {
    let now: Timestamp = "2026-11-23T00:00:00Z".parse().expect("a timestamp");
    parse(text, "config.toml", Path::new("/nowhere"), now)
}

/// `code line:column` of each problem of the least config and some more lines, which begin at line 6.
fn problems_with(more: &str) -> Vec<String> {
    let (config, problems) = parsed(&format!("{LEAST}{more}"));
    let errors = demarche::diagnostic::any_error(&problems);
    assert_eq!(config.is_none(), errors, "a config is there if and only if there is no error: {more}");
    problems
        .iter()
        .map(|problem| {
            assert!(problem.help.as_ref().is_some_and(|help| !help.is_empty()), "{} has no help", problem.code);
            let place = problem.place.as_ref().expect("a place");
            format!("{} {}:{}", problem.code, place.line, place.column)
        })
        .collect()
}

#[test]
fn the_least_config_is_valid_and_has_the_defaults() {
    let (config, problems) = parsed(LEAST);
    assert!(problems.is_empty(), "{problems:?}");
    let config = config.expect("valid");
    assert_eq!(config.relay.host, "");
    assert_eq!((config.relay.port, config.relay.connections, config.relay.messages_per_connection), (465, 2, 100));
    assert_eq!(config.retry, demarche::domain::retry::RetryPolicy::default());
    assert_eq!(config.templates, Path::new("/nowhere/templates"));
    assert_eq!(config.recipients.suppressed, Path::new("/nowhere/suppressed.csv"));
    assert!(config.pace.rates.is_empty() && config.pace.hours.is_none());
}

#[test]
fn ten_mistakes_are_told_at_once_each_at_its_place() {
    let text = "\
[campain]
id = \"c\"

[sender]
from = \"letters at coalition\"

[recipients]
file = \"../recipients.csv\"
audience = \"member-state\"

[smtp]
host = \"smtp.real.ngo\"
prot = 465
security = \"none\"
connections = \"two\"

[pace]
rate = \"0/min\"
hours = \"09:00-18:00\"
timezone = \"America/New_Yrok\"

[retry]
first = \"soon\"
";
    let (config, problems) = parsed(text);
    assert!(config.is_none());
    let mut read = String::new();
    for problem in &problems {
        let _ = write!(read, "{}", problem.render(false));
    }
    assert_eq!(problems.len(), 10, "{read}");
    insta::assert_snapshot!(read, @r#"
    error[unknown-key]: unknown table or key "campain"
     --> config.toml:1:2
      |
    1 | [campain]
      |  ^^^^^^^
      |
      = help: did you mean "campaign"? Known here: campaign, vars, sender, recipients, letter, smtp, pace, retry, ledger
    error[address-invalid]: sender.from is not an e-mail address
     --> config.toml:5:8
      |
    5 | from = "letters at coalition"
      |        ^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write "name@domain" or "Display Name <name@domain>"
    error[path-outside]: recipients.file leads out of the campaign folder by ".."
     --> config.toml:8:8
      |
    8 | file = "../recipients.csv"
      |        ^^^^^^^^^^^^^^^^^^^
      |
      = help: copy it into the campaign folder and write its path from there
    error[audience-unknown]: recipients.audience is no audience that the tables know
     --> config.toml:9:12
      |
    9 | audience = "member-state"
      |            ^^^^^^^^^^^^^^
      |
      = help: did you mean "member-states"? There are: member-states, observers, security-council-2021, security-council-2026, african-group, asia-pacific-group, eastern-european-group, grulac, weog, any
    error[unknown-key]: unknown key "prot" in [smtp]
      --> config.toml:13:1
       |
    13 | prot = …
       | ^^^^
       |
       = help: did you mean "port"? Known here: host, port, security, username, password, connections, ca_file, ehlo_name, messages_per_connection, timeouts
    error[security-none]: smtp.security would send every letter in clear to smtp.real.ngo
      --> config.toml:14:12
       |
    14 | security = "none"
       |            ^^^^^^
       |
       = help: write "tls" (port 465) or "starttls" (port 587); "none" is for a server on this machine only
    error[wrong-type]: smtp.connections is a text, and must be a whole number
      --> config.toml:15:15
       |
    15 | connections = "two"
       |               ^^^^^
       |
       = help: write connections = 2
    error[rate-zero]: pace.rate would never send anything
      --> config.toml:18:8
       |
    18 | rate = "0/min"
       |        ^^^^^^^
       |
       = help: write "30/min", "5/s", "500/h" or "2000/day", or leave the key out for no limit
    error[time-zone-invalid]: pace.timezone names a time zone that does not exist
      --> config.toml:20:12
       |
    20 | timezone = "America/New_Yrok"
       |            ^^^^^^^^^^^^^^^^^^
       |
       = help: did you mean "America/New_York"?
    error[duration-invalid]: retry.first is not a length of time
      --> config.toml:23:9
       |
    23 | first = "soon"
       |         ^^^^^^
       |
       = help: write for example "250ms", "90s", "5min", "4h", "60 days" or "1h 30min"
    "#);
}

#[test]
fn a_key_or_table_that_nobody_knows_is_told_with_what_was_meant() {
    let (_, problems) =
        parsed("[campaign]\nid = \"c\"\nnaem = \"C\"\n[sender]\nfrom = \"a@real.ngo\"\n[smtp]\nwindow = 4\n");
    let told: Vec<_> = problems.iter().map(|p| (p.message.as_str(), p.help.as_deref().unwrap_or_default())).collect();
    assert_eq!(
        told[0],
        ("unknown key \"naem\" in [campaign]", "did you mean \"name\"? Known here: id, name, event, approvals")
    );
    assert_eq!(told[1].0, "unknown key \"window\" in [smtp]");
    assert_eq!(told.len(), 2, "what was misspelt is not missing as well");
    assert_eq!(problems_with("extra = 1\n[x]\n"), ["unknown-key 6:1", "unknown-key 7:2"]);
}

#[test]
fn what_is_missing_is_told_with_what_to_write() {
    let (_, problems) = parsed("[campaign]\nid = \"c\"\n");
    let told: Vec<_> = problems.iter().map(|p| p.render(false)).collect();
    insta::assert_snapshot!(told.concat(), @r#"
    error[missing-key]: sender.from is missing
    --> config.toml
     = help: write from = "Coalition Secretariat <letters@coalition.example>" in a table [sender]
    error[missing-key]: campaign.name is missing
     --> config.toml:1:2
      |
    1 | [campaign]
      |  ^^^^^^^^
      |
      = help: write name = "Open letter"
    "#);
}

#[test]
fn another_type_than_expected_is_an_error_at_its_place() {
    for (line, problem) in [
        ("[smtp]\nport = \"465\"", "wrong-type 7:8"),
        ("[smtp]\nhost = 5", "wrong-type 7:8"),
        ("[smtp]\ntimeouts = 5", "wrong-type 7:12"),
        ("[smtp]\ntimeouts = { connect = 5 }", "wrong-type 7:24"),
        ("[retry]\nfirst = 300", "wrong-type 7:9"),
        ("[retry]\nfactor = \"2\"", "wrong-type 7:10"),
        ("[pace]\nrate = 30", "wrong-type 7:8"),
        ("[pace]\nrate = [\"30/min\", 5]", "wrong-type 7:19"),
        ("[recipients]\ncolumns = \"x\"", "wrong-type 7:11"),
        ("[letter]\nattachments = [5]", "wrong-type 7:16"),
        ("[[pace]]\nrate = \"1/s\"", "wrong-type 6:1"),
    ] {
        assert_eq!(problems_with(line), [problem], "{line}");
    }
    assert!(parsed("campaign = 5\nsender = 6").1.iter().all(|problem| problem.code == "wrong-type"));
    assert!(parsed("vars = 5").1.iter().any(|problem| problem.code == "wrong-type"));
}

#[test]
fn a_rate_or_number_that_makes_no_sense_is_an_error() {
    for (line, problem) in [
        ("[pace]\nrate = \"0/min\"", "rate-zero 7:8"),
        ("[pace]\nrate = \"-5/min\"", "rate-invalid 7:8"),
        ("[pace]\nrate = \"NaN/s\"", "rate-invalid 7:8"),
        ("[pace]\nper_domain = \"9999999/s\"", "rate-absurd 7:14"),
        ("[pace]\nrate = nan", "wrong-type 7:8"),
        ("[retry]\nfactor = nan", "out-of-range 7:10"),
        ("[retry]\nfactor = 0.5", "out-of-range 7:10"),
        ("[retry]\nattempts = 0", "out-of-range 7:12"),
        ("[retry]\nattempts = 21", "out-of-range 7:12"),
        ("[retry]\nfirst = \"0s\"", "duration-zero 7:9"),
        ("[retry]\nfirst = \"-5min\"", "duration-invalid 7:9"),
        ("[retry]\nmost = \"2 years\"", "duration-invalid 7:8"),
        ("[retry]\nmost = \"800 days\"", "duration-absurd 7:8"),
        ("[retry]\nmost = \"1min\"", "retry-order 7:8"),
        ("[smtp]\nconnections = 0", "out-of-range 7:15"),
        ("[smtp]\nconnections = 51", "out-of-range 7:15"),
        ("[smtp]\nmessages_per_connection = 10001", "out-of-range 7:27"),
        ("[smtp]\nport = 99999999999999999999", "out-of-range 7:8"),
        ("[vars]\nx = { y = [1, inf] }", "number-invalid 7:15"),
    ] {
        assert_eq!(problems_with(line), [problem], "{line}");
    }
}

#[test]
fn a_moment_or_hours_without_a_good_time_zone_are_an_error() {
    let event = |at: &str| format!("[campaign.event]\nname = \"E\"\nat = {at}");
    for (line, problem) in [
        (event("\"2030-10-21T10:00\""), "time-zone-missing 8:6"),
        (event("2030-10-21T10:00:00"), "time-zone-missing 8:6"),
        (event("\"2030-10-21T10:00[Mars/Olympus]\""), "time-zone-invalid 8:6"),
        (event("\"soon\""), "date-invalid 8:6"),
        (event("\"2021-10-21T10:00[America/New_York]\""), "event-past 8:6"),
        ("[pace]\nhours = \"09:00-18:00\"".to_owned(), "time-zone-missing 7:9"),
        ("[pace]\nhours = \"9-18\"\ntimezone = \"UTC\"".to_owned(), "hours-invalid 7:9"),
        ("[pace]\nhours = \"09:00-18:00\"\ntimezone = \"EST5PDT6\"".to_owned(), "time-zone-invalid 8:12"),
        ("[pace]\nhours = \"09:00-18:00\"\ntimezone = \"UTC\"\ndays = \"Funday\"".to_owned(), "days-invalid 9:8"),
        ("[pace]\ndays = \"Mon-Fri\"".to_owned(), "time-zone-missing 7:8"),
        ("[pace]\ntimezone = \"UTC\"".to_owned(), "setting-unused 7:12"),
    ] {
        assert_eq!(problems_with(&line), [problem], "{line}");
    }
    for good in ["\"2030-10-21T10:00-04:00\"", "2030-10-21T10:00:00Z", "\"2030-10-21T10:00[America/New_York]\""] {
        assert!(problems_with(&event(good)).is_empty(), "{good}");
    }
}

#[test]
fn an_event_in_the_past_is_a_warning_except_in_the_sample() {
    use demarche::diagnostic::Severity;
    let event = "[campaign.event]\nname = \"E\"\nat = \"2021-10-21T10:00[America/New_York]\"\n";
    let severity = |text: &str| parsed(text).1.first().map(|problem| problem.severity);
    assert_eq!(severity(&format!("{LEAST}{event}")), Some(Severity::Warning));
    assert_eq!(severity(&format!("{LEAST}{event}").replace("real.ngo", "coalition.example")), Some(Severity::Note));
}

#[test]
fn what_would_put_a_password_or_a_letter_at_risk_is_told() {
    let login = "username = \"a@real.ngo\"\npassword = { env = \"P\" }";
    for (line, problem) in [
        ("[smtp]\nusername = \"a@real.ngo\"\npassword = \"x\"".to_owned(), "password-inline 8:12"),
        (format!("[smtp]\nhost = \"h.real.ngo\"\nsecurity = \"none\"\n{login}"), "security-none 8:12"),
        ("[smtp]\nhost = \"h.real.ngo\"\nsecurity = \"none\"".to_owned(), "security-none 8:12"),
        (format!("[smtp]\nport = 465\nsecurity = \"starttls\"\n{login}"), "port-unlike-security 7:8"),
        (format!("[smtp]\nport = 587\n{login}"), "port-unlike-security 7:8"),
        ("[smtp]\nusername = \"a@other.ngo\"\npassword = { env = \"P\" }".to_owned(), "sender-unlike-account 7:12"),
        ("[smtp]\nusername = \"a@real.ngo\"".to_owned(), "password-missing 7:12"),
        ("[smtp]\npassword = { env = \"P\" }".to_owned(), "username-missing 7:12"),
        ("[smtp]\nusername = \"a\"\npassword = { keyring = \"P\" }".to_owned(), "keyring-unsupported 8:24"),
        ("[smtp]\nusername = \"a\"\npassword = { env = \"P\", file = \"p\" }".to_owned(), "password-sources 8:12"),
        ("[smtp]\nusername = \"a\"\npassword = {}".to_owned(), "password-sources 8:12"),
        ("[smtp]\nusername = \"a\"\npassword = { command = [] }".to_owned(), "command-empty 8:24"),
        ("[smtp]\nusername = \"a\"\npassword = { command = \"pass show x\" }".to_owned(), "wrong-type 8:24"),
        ("[smtp]\nusername = \"a\"\npassword = 5".to_owned(), "wrong-type 8:12"),
        ("[smtp]\nsecurity = \"ssl\"".to_owned(), "security-unknown 7:12"),
        ("[smtp]\nhost = \"smtp.real.ngo:587\"".to_owned(), "host-invalid 7:8"),
        ("[smtp]\nhost = \"smtp://real.ngo\"".to_owned(), "host-invalid 7:8"),
        ("[smtp]\nehlo_name = \"my machine\"".to_owned(), "ehlo-name-invalid 7:13"),
    ] {
        assert_eq!(problems_with(&line), [problem], "{line}");
    }
    for host in ["localhost", "127.0.0.1", "::1", "[::1]"] {
        let quiet = problems_with(&format!("[smtp]\nhost = \"{host}\"\nsecurity = \"none\"\n{login}"));
        assert!(quiet.is_empty(), "{host}: {quiet:?}");
    }
}

#[test]
fn an_unsubscribe_url_is_https_or_mailto() {
    let problems = |url: &str| problems_with(&format!("list_unsubscribe = \"{url}\""));
    for url in
        ["http://real.ngo/u", "real.ngo/u", "javascript:x", "https:///u", "mailto:nobody", "https://real.ngo/a b"]
    {
        assert_eq!(problems(url), ["unsubscribe-invalid 6:20"], "{url}");
    }
    for url in ["https://real.ngo/u?x=1", "mailto:stop@real.ngo?subject=stop"] {
        assert!(problems(url).is_empty(), "{url}");
    }
}

#[test]
fn no_path_leaves_the_campaign_folder() {
    for path in ["/etc/passwd", "../x", "a/../../x", "~/x", "C:/x", "\\\\\\\\host\\\\x", "..\\\\x"] {
        for (section, key) in [("recipients", "file"), ("letter", "templates"), ("ledger", "file")] {
            let problems = problems_with(&format!("[{section}]\n{key} = \"{path}\""));
            assert_eq!(problems, [format!("path-outside 7:{}", key.len() + 4)], "{path}");
        }
        let problems = problems_with(&format!("[letter]\nattachments = [\"good.pdf\", \"{path}\"]"));
        assert_eq!(problems, ["path-outside 7:28"], "{path}");
    }
    assert_eq!(problems_with("[ledger]\nfile = \"\""), ["path-invalid 7:8"]);
    assert!(problems_with("[smtp]\nca_file = \"/etc/ssl/ca.pem\"").is_empty());
    assert_eq!(problems_with("[smtp]\nca_file = \"~/ca.pem\""), ["path-invalid 7:11"]);
}

#[test]
fn how_to_read_the_recipients_is_checked() {
    for (line, problem) in [
        ("encoding = \"klingon\"", "encoding-unknown 7:12"),
        ("delimiter = \";;\"", "delimiter-invalid 7:13"),
        ("delimiter = \"a\"", "delimiter-invalid 7:13"),
        ("stale_after = \"0 days\"", "duration-zero 7:15"),
        ("audience = \"everyone\"", "audience-unknown 7:12"),
        ("columns = { to = 5 }", "wrong-type 7:18"),
    ] {
        assert_eq!(problems_with(&format!("[recipients]\n{line}")), [problem], "{line}");
    }
    let more = "[recipients]\nencoding = \"MacRoman\"\ndelimiter = \"tab\"\ncolumns = { to = \"Courriel\" }";
    let recipients = parsed(&format!("{LEAST}{more}")).0.expect("valid").recipients;
    assert_eq!(recipients.encoding.as_deref(), Some("macintosh"));
    assert_eq!(recipients.delimiter, Some(b'\t'));
    assert_eq!(recipients.columns["to"], "Courriel");
}

#[test]
fn several_errors_of_syntax_are_told_and_nothing_that_only_follows_from_them() {
    let text = "[campaign]\nid = c\nname = \"C\n\n[sender]\nfrom = \"a@real.ngo\"\n[pace]\nrate = \"0/s\"\n";
    let (config, problems) = parsed(text);
    assert!(config.is_none());
    let told: Vec<_> = problems.iter().map(|p| (p.code, p.place.as_ref().map_or(0, |place| place.line))).collect();
    assert_eq!(told, [("toml-syntax", 2), ("toml-syntax", 3), ("rate-zero", 8)]);
}

#[test]
fn vars_reach_the_templates_as_they_are_written() {
    let vars = "[vars]\nn = 0x1F\nf = 1.5\nd = 2021-09-01\nt = true\nl = [1, \"a\"]\no = { k = \"v\" }\n";
    let vars = parsed(&format!("{LEAST}{vars}")).0.expect("valid").settings.vars;
    let expected = serde_json::json!({"n": 31, "f": 1.5, "d": "2021-09-01", "t": true, "l": [1, "a"], "o": {"k": "v"}});
    assert_eq!(serde_json::Value::Object(vars), expected);
}

#[test]
fn a_text_nested_beyond_reason_is_refused_and_not_followed() {
    let deep = 50_000;
    for text in [
        format!("[vars]\nx = {}", "[".repeat(deep)),
        format!("[vars]\nx = {}1{}", "[".repeat(deep), "]".repeat(deep)),
        format!("[vars]\nx = {}1{}", "{a=".repeat(deep), "}".repeat(deep)),
        format!("[vars]\n{}a = 1", "a.".repeat(deep)),
        format!("[vars.{}a]\nx = 1", "a.".repeat(deep)),
    ] {
        let problems = problems_with(&text);
        assert!(problems.iter().any(|problem| problem.starts_with("toml-syntax")), "{problems:?}");
    }
}

#[test]
fn another_file_than_a_config_gets_no_more_problems_than_a_person_reads() {
    let unknown: String = (0..20_000).flat_map(|n| [format!("k{n}"), " = 1\n".to_owned()]).collect();
    for text in ["state,to\n".repeat(20_000), unknown, format!("{} = 1", "k".repeat(200_000))] {
        let (config, problems) = parsed(&text);
        assert!(config.is_none());
        assert!((1..=210).contains(&problems.len()), "{}", problems.len());
        assert!(problems.iter().all(|problem| problem.message.len() < 1_000));
        let told_of_more = problems.last().is_some_and(|problem| problem.code == "too-many-problems");
        assert_eq!(told_of_more, problems.len() > 200);
    }
}

fn toml_like() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    let words = [
        "[",
        "]",
        "[[",
        "{",
        "}",
        "=",
        "\"",
        "'''",
        "\"\"\"",
        ",",
        ".",
        "\n",
        " ",
        "\\",
        "#",
        "é",
        "\u{feff}",
        "\r",
        "campaign",
        "sender",
        "smtp",
        "pace",
        "vars",
        "event",
        "password",
        "command",
        "rate",
        "at",
        "file",
        "5",
        "-1",
        "1e999",
        "0xff",
        "2021-10-21T10:00",
        "nan",
        "\"5min\"",
        "\"a@b.c\"",
        "true",
        "from",
        "timeouts",
        "columns",
    ];
    proptest::collection::vec(proptest::sample::select(words.to_vec()), 0..40).prop_map(|parts| parts.concat())
}

proptest::proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "(?s).{0,200}", like in toml_like()) {
        for text in [text, like] {
            for problem in parsed(&text).1 {
                let _ = problem.render(false);
            }
        }
    }
}
