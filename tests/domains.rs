//! `check --online` and the DNS: domains that take no mail, and what the sender's domain says of itself, against a server on
//! loopback that says what it was told to.
#![cfg(feature = "dns")]

mod support;

use support::campaign::{Campaign, Run};
use support::dns::{A, Dns, MX, Say, TXT};
use support::server::Server;

const SENDER: [(&str, Say); 2] = [
    ("coalition.example", Say::Record(TXT, "v=spf1 mx -all")),
    ("_dmarc.coalition.example", Say::Record(TXT, "v=DMARC1; p=reject")),
];

fn check(dns: &Dns, csv: &str) -> Run {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 0).recipients(csv);
    campaign.run(&["check", "--online", "--json", "--resolver", &dns.address()]).expect_code(0)
}

fn messages(run: &Run, code: &str) -> Vec<String> {
    let json = run.json();
    let found = json["warnings"].as_array().expect("a list").iter().filter(|one| one["code"] == code);
    found.map(|one| one["message"].as_str().expect("a message").to_owned()).collect()
}

#[test]
fn domains_that_take_no_mail_are_told_with_their_rows_and_each_is_asked_about_once() {
    let says = [
        ("mx.example", Say::Record(MX, "mail.mx.example")),
        ("bare.example", Say::Record(A, "")),
        ("null.example", Say::Record(MX, "")),
        ("empty.example", Say::Nothing),
    ];
    let dns = Dns::start(&[&says[..], &SENDER[..]].concat());
    let csv = "state,to,cc\nKenya,k@mx.example,copy@bare.example\nUganda,u@null.example,\nGhana,g@empty.example,\n\
               Malta,m@missing.example,\nChad,c@missing.example,\nTogo,t@bare.example,\nNiger,n@mx.example,\n";
    let run = check(&dns, csv);
    assert_eq!(
        messages(&run, "domain-without-mail"),
        [
            "the domain empty.example has no mail server: GHA",
            "the domain missing.example does not exist: MLT, TCD",
            "the domain null.example says that it takes no mail (a null MX): UGA",
        ]
    );
    let mut asked: Vec<String> =
        dns.asked().into_iter().filter(|(_, kind)| *kind == MX).map(|(name, _)| name).collect();
    asked.sort();
    assert_eq!(asked, ["bare.example", "empty.example", "missing.example", "mx.example", "null.example"]);
    assert!(messages(&run, "sender-unproven").is_empty(), "{}", run.stdout);
}

#[test]
fn a_sender_without_spf_or_dmarc_is_told_and_the_policy_of_the_organization_counts() {
    let csv = "state,to\nKenya,k@mx.example\n";
    let mx = ("mx.example", Say::Record(MX, "mail.mx.example"));
    let run = check(&Dns::start(&[mx.clone(), ("coalition.example", Say::Record(TXT, "site-verification=1"))]), csv);
    let told = messages(&run, "sender-unproven");
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("coalition.example has no SPF") && told[1].contains("has no DMARC"), "{told:?}");
    let server = Server::start();
    let dns = Dns::start(&[&[mx, ("mail.coalition.example", Say::Record(TXT, "v=spf1 -all"))], &SENDER[..]].concat());
    let campaign = Campaign::small(server.port(), 0).recipients(csv);
    let campaign = campaign.set("sender.from", "\"Secretariat <letters@mail.coalition.example>\"");
    let run = campaign.run(&["check", "--online", "--resolver", &dns.address()]).expect_code(0);
    let words = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = "DNS: 1 of 1 domains of recipients take mail; mail.coalition.example has SPF, DMARC.";
    assert!(words.contains(line), "{}", run.stdout);
}

#[test]
fn a_dns_that_fails_or_is_silent_is_a_warning_and_no_domain_is_blamed() {
    let csv = "state,to\nKenya,k@broken.example\nUganda,u@silent.example\nGhana,g@mx.example\n";
    let says = [
        ("broken.example", Say::Failure),
        ("silent.example", Say::Silence),
        ("mx.example", Say::Record(MX, "mail.mx.example")),
    ];
    let run = check(&Dns::start(&[&says[..], &SENDER[..]].concat()), csv);
    assert!(messages(&run, "domain-without-mail").is_empty(), "{}", run.stdout);
    let told = messages(&run, "dns-silent");
    assert!(told[0].starts_with("no answer about 2 domains, such as broken.example"), "{told:?}");
}

#[test]
fn placeholders_are_not_asked_about_and_offline_nothing_is() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 3);
    let run = campaign.run(&["check", "--online"]).expect_code(0);
    assert!(run.stdout.contains("every address is a placeholder"), "{}", run.stdout);
    campaign.run(&["check", "--resolver", "127.0.0.1:53"]).expect_code(64);
}
