//! Three servers with the same rules.

use std::time::Duration;

use crate::agreement::{Held, Tally, agree};
use crate::batch::{self, LETTERS};
use crate::exim::Exim;
use crate::opensmtpd::OpenSmtpd;
use crate::relay::{self, Relay};
use crate::support::campaign::{Campaign, Run};
use crate::support::supervised::poll;
use crate::{figure, support, unpacked};

/// How long a server may take to deliver what it has accepted.
const DELIVERED: Duration = Duration::from_secs(60);

/// The whole batch, twice; what a person with `-vvv` reads of the first time.
fn referee(name: &str, version: &str, server: &impl Relay) -> Run {
    let campaign = batch::write(server.campaign());
    let run = campaign.run(&["-vvv", "send", "--yes"]).expect_code(1);
    let tally = agreed(&campaign, server);
    for delivery in campaign.run(&["status", "--json"]).json()["deliveries"].as_array().expect("a list") {
        let id = delivery["id"].as_str().expect("text");
        for said in delivery["to"].as_array().expect("a list") {
            let address = said["address"].as_str().expect("text");
            assert_eq!(said["outcome"], batch::expected(id, address), "{address}: {said}\n{}", server.log());
        }
    }
    // Those of whom the server said "later" are asked again, and nobody else.
    campaign.run(&["resend", "--yes"]).expect_code(1);
    let again = agreed(&campaign, server);
    assert_eq!(again.addresses, tally.addresses);
    figure(&format!("{name} ({version})"), &format!("{}, 0 disagreements", tally.words()));
    run
}

/// Compares when the server has delivered what the ledger calls accepted.
fn agreed(campaign: &Campaign, server: &impl Relay) -> Tally {
    let accepted = batch_accepted(campaign);
    let mut held: Vec<Held> = Vec::new();
    let delivered = poll(DELIVERED, || {
        held = server.held();
        (held.len() >= accepted).then_some(())
    });
    assert!(delivered.is_some(), "{} of {accepted} copies were delivered\n{}", held.len(), server.log());
    agree(campaign, &held)
}

fn batch_accepted(campaign: &Campaign) -> usize {
    let status = campaign.run(&["status", "--json"]).json();
    let deliveries = status["deliveries"].as_array().expect("a list");
    assert_eq!(deliveries.len(), LETTERS);
    let addresses = deliveries.iter().flat_map(|delivery| delivery["to"].as_array().expect("a list"));
    addresses.filter(|said| said["outcome"] == "accepted").count()
}

#[test]
fn postfix_holds_what_the_ledger_says() {
    if !support::real_servers_or_skip("the batch through Postfix") {
        return;
    }
    let server = relay::postfix("");
    let run = referee("Postfix", &support::postfix::version(), &server);
    assert!(run.stderr.contains(" PIPELINING ") && run.stderr.contains("C: BDAT "), "{}", run.stderr);
    assert!(!run.stderr.contains("5.3.4"), "a letter that is too large is not sent:\n{}", run.stderr);
}

#[test]
fn postfix_that_tells_no_size_refuses_a_letter_after_its_chunk_or_dot() {
    if !support::real_servers_or_skip("the batch through a Postfix without SIZE") {
        return;
    }
    for unannounced in ["size", "size, chunking"] {
        let server = relay::postfix(unannounced);
        let version = format!("{} without {}", support::postfix::version(), unannounced.to_uppercase());
        let run = referee("Postfix", &version, &server);
        assert!(run.stderr.contains("S: 552 5.3.4"), "{}", run.stderr);
        assert_eq!(run.stderr.contains("C: BDAT "), unannounced == "size", "{}", run.stderr);
    }
}

#[test]
fn opensmtpd_without_pipelining_holds_what_the_ledger_says() {
    if !unpacked::here_or_skip("the batch through OpenSMTPD", "OpenSMTPD", "usr/sbin/smtpd") {
        return;
    }
    let server = OpenSmtpd::start();
    let run = referee("OpenSMTPD", &unpacked::version("opensmtpd"), &server);
    assert!(run.stderr.contains("ENHANCEDSTATUSCODES") && !run.stderr.contains("PIPELINING"), "{}", run.stderr);
}

#[test]
fn exim_with_strict_synchronisation_holds_what_the_ledger_says() {
    if !unpacked::here_or_skip("the batch through Exim", "Exim", "usr/sbin/exim4") {
        return;
    }
    let server = Exim::start();
    let run = referee("Exim", &unpacked::version("exim4-daemon-light"), &server);
    // Exim offers chunks, but no enhanced codes to tell the replies of one group apart by: groups, and then DATA.
    assert!(run.stderr.contains(" PIPELINING ") && run.stderr.contains(" CHUNKING "), "{}", run.stderr);
    assert!(!run.stderr.contains("ENHANCEDSTATUSCODES") && !run.stderr.contains("C: BDAT "), "{}", run.stderr);
    assert!(!server.log().contains("synchronization"), "{}", server.log());
}

#[test]
fn the_unpacked_servers_end_with_the_test_that_started_them_even_when_it_panics() {
    if !unpacked::here_or_skip("stopping unpacked servers", "OpenSMTPD and Exim", "usr/sbin/smtpd") {
        return;
    }
    let servers = (OpenSmtpd::start(), Exim::start());
    let roots = [servers.0.root(), servers.1.root()];
    assert!(roots.iter().all(|root| root.processes() > 0), "they run in roots of their own");
    let places = roots.map(|root| root.path(""));
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _servers = servers;
        std::panic::resume_unwind(Box::new("a failing test"));
    }));
    assert!(panicked.is_err());
    for place in places {
        assert_eq!(unpacked::processes_in(&place), 0);
        assert!(!place.exists());
    }
}
