//! The example config that ships: valid, and quiet on a fresh machine in any year.

use std::path::Path;

use demarche::config::{parse, problems_for_send};
use demarche::diagnostic::Severity;
use demarche::domain::audience::Audience;
use demarche::domain::relay::{PasswordSource, Security};
use jiff::Timestamp;

const EXAMPLE: &str = include_str!("../config.example.toml");

fn at(text: &str) -> Timestamp {
    text.parse().expect("a timestamp")
}

#[test]
fn the_example_is_valid_and_quiet_in_any_year() {
    for now in ["2021-09-01T00:00:00Z", "2026-11-23T00:00:00Z", "2199-01-01T00:00:00Z"] {
        let (config, problems) = parse(EXAMPLE, "config.toml", Path::new("/nowhere"), at(now));
        let loud: Vec<_> = problems.iter().filter(|problem| problem.severity != Severity::Note).collect();
        assert!(config.is_some() && loud.is_empty(), "{now}: {loud:?}");
    }
}

#[test]
fn the_example_says_what_its_comments_say() {
    let (config, _) = parse(EXAMPLE, "config.toml", Path::new("/nowhere"), at("2026-11-23T00:00:00Z"));
    let config = config.expect("valid");
    assert_eq!(config.settings.campaign_id, "wps-open-letter-2021");
    assert_eq!(config.settings.vars["organizations"], 380);
    assert_eq!(config.settings.event.as_ref().map(|event| event.at), Some(at("2021-10-21T14:00:00Z")));
    assert_eq!(config.recipients.file, Path::new("/nowhere/recipients.csv"));
    assert_eq!(config.recipients.audience, Audience::MemberStates);
    assert_eq!((config.relay.port, config.relay.security), (465, Security::Tls));
    assert_eq!(config.relay.ehlo_name, "coalition.example");
    let login = config.relay.login.as_ref().expect("a login");
    assert!(matches!(&login.password, PasswordSource::Env(name) if name == "DEMARCHE_SMTP_PASSWORD"));
    assert_eq!(config.pace.rates.len(), 1);
    assert_eq!(config.ledger, Path::new("/nowhere/ledger.db"));
}

#[test]
fn every_setting_that_the_example_only_shows_can_be_switched_on() {
    let on: String = EXAMPLE
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(setting) if setting.split_once(" = ").is_some_and(|(key, _)| !key.contains(' ')) => setting,
            _ => line,
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    let (config, problems) = parse(&on, "config.toml", Path::new("/nowhere"), at("2021-09-01T00:00:00Z"));
    assert!(problems.is_empty(), "{problems:?}");
    let config = config.expect("valid");
    assert_eq!(config.pace.hours_shown.as_deref(), Some("09:00-18:00, Mon-Fri, America/New_York, except 3 holidays"));
    assert_eq!(config.recipients.delimiter, Some(b';'));
    assert_eq!(config.relay.ca_file.as_deref(), Some(Path::new("/etc/ssl/own-ca.pem")));
    assert_eq!(config.relay.ehlo_name, "office.coalition.example");
    assert!(config.settings.list_unsubscribe.is_some());
}

#[test]
fn the_sample_cannot_be_sent_by_mistake() {
    let codes = |text: &str| {
        let (config, _) = parse(text, "config.toml", Path::new("/nowhere"), at("2026-11-23T00:00:00Z"));
        let problems = problems_for_send(&config.expect("valid"));
        problems.into_iter().map(|problem| problem.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(EXAMPLE), ["host-placeholder", "sender-placeholder", "sender-placeholder"]);
    let real_host = EXAMPLE.replace("smtp.coalition.example", "smtp.coalition.ngo");
    assert_eq!(codes(&real_host), ["sender-placeholder", "sender-placeholder"]);
    let forgotten = real_host.replace("letters@coalition.example", "letters@coalition.ngo");
    assert_eq!(codes(&forgotten), ["sender-placeholder"], "answers would go to the sample's address");
    assert_eq!(codes(&forgotten.replace("advocacy@coalition.example", "a@coalition.ngo")), [""; 0]);
    let loopback = EXAMPLE.replace("smtp.coalition.example", "127.0.0.1");
    assert_eq!(codes(&loopback), [""; 0]);
    let no_host = EXAMPLE.replace("host = \"smtp.coalition.example\"\n", "");
    assert_eq!(codes(&no_host), ["host-missing", "sender-placeholder", "sender-placeholder"]);
}
