//! Whether the ledger's outcomes agree with what a server holds, address by address.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::campaign::Campaign;

/// One copy of a letter, for one address of its envelope, as a server holds it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Held {
    /// The envelope's address.
    pub(crate) address: String,
    /// With its angle brackets.
    pub(crate) message_id: String,
    /// The message from the first header that is ours, with LF as line ends.
    pub(crate) message: String,
}

impl Held {
    /// A message as the server stores it, with headers of its own in front.
    ///
    /// # Panics
    /// When it is no message of ours.
    pub(crate) fn new(address: &str, stored: &[u8]) -> Self {
        let stored = String::from_utf8(stored.to_vec()).expect("our letters are ASCII").replace("\r\n", "\n");
        let ours = stored.find("\nFrom: ").unwrap_or_else(|| panic!("no letter of ours:\n{stored}"));
        let message = stored[ours + 1..].trim_end_matches('\n').to_owned();
        let message_id = header(&message, "Message-ID").expect("every letter has one").to_owned();
        Self { address: address.to_owned(), message_id, message }
    }
}

/// A header field that stands on one line.
pub(crate) fn header<'a>(message: &'a str, name: &str) -> Option<&'a str> {
    let head = message.split("\n\n").next()?;
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

/// What was compared.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Rows of the ledger.
    pub(crate) letters: usize,
    /// Addresses by outcome.
    pub(crate) addresses: BTreeMap<String, usize>,
    /// Uncertain addresses that the server has.
    pub(crate) uncertain_and_held: usize,
}

impl Tally {
    /// How many addresses have this outcome.
    pub(crate) fn of(&self, outcome: &str) -> usize {
        self.addresses.get(outcome).copied().unwrap_or_default()
    }

    /// In a few words.
    pub(crate) fn words(&self) -> String {
        let counts: Vec<_> = self.addresses.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
        format!(
            "{} letters, {} addresses ({})",
            self.letters,
            self.addresses.values().sum::<usize>(),
            counts.join(", ")
        )
    }
}

/// Holds the ledger against the server: an accepted address has the letter exactly once, an uncertain one at most once, every
/// other one never; and what arrived is what a preview shows.
///
/// # Panics
/// When they do not agree, with every disagreement.
#[track_caller]
pub(crate) fn agree(campaign: &Campaign, held: &[Held]) -> Tally {
    let status: Value = campaign.run(&["status", "--json"]).json();
    let deliveries = status["deliveries"].as_array().expect("a list");
    let mut tally = Tally { letters: deliveries.len(), ..Tally::default() };
    let mut wrong = Vec::new();
    let mut known = BTreeSet::new();
    for delivery in deliveries {
        let message_id = delivery["message_id"].as_str().unwrap_or_default();
        for said in delivery["to"].as_array().expect("a list") {
            let (address, outcome) = (said["address"].as_str().expect("text"), said["outcome"].as_str().expect("text"));
            known.insert((address.to_owned(), message_id.to_owned()));
            let count = held.iter().filter(|it| it.address == address && it.message_id == message_id).count();
            let fits = match outcome {
                "accepted" => count == 1,
                "uncertain" => count <= 1,
                _ => count == 0,
            };
            if !fits {
                wrong.push(format!("{address} is {outcome}, and the server has the letter {count} times: {said}"));
            }
            *tally.addresses.entry(outcome.to_owned()).or_default() += 1;
            tally.uncertain_and_held += usize::from(outcome == "uncertain" && count == 1);
        }
    }
    let strangers = held.iter().filter(|it| !known.contains(&(it.address.clone(), it.message_id.clone())));
    wrong.extend(
        strangers.map(|it| format!("the server has {} for {}, unknown to the ledger", it.message_id, it.address)),
    );
    wrong.extend(not_as_previewed(campaign, held));
    assert!(wrong.is_empty(), "ledger and server disagree:\n{}", wrong.join("\n"));
    tally
}

/// Letters that a server holds in other bytes than the preview's, Message-ID and Date aside.
fn not_as_previewed(campaign: &Campaign, held: &[Held]) -> Vec<String> {
    campaign.run(&["preview", "--out", "previewed"]).expect_code(0);
    let differs = |it: &&Held| {
        let delivery = header(&it.message, "X-Demarche-Delivery").expect("every letter names its delivery");
        let id = delivery.rsplit_once('/').expect("campaign and row").1;
        let previewed = campaign.read(&format!("previewed/{id}.eml")).replace("\r\n", "\n");
        without_stamp(&it.message) != without_stamp(previewed.trim_end_matches('\n'))
    };
    let told = |it: &Held| format!("{} has other bytes than were previewed:\n{}", it.address, it.message);
    held.iter().filter(differs).map(told).collect()
}

fn without_stamp(message: &str) -> String {
    let (head, body) = message.split_once("\n\n").expect("a head and a body");
    let stamped = |line: &&str| line.starts_with("Message-ID: ") || line.starts_with("Date: ");
    let head: Vec<_> = head.lines().filter(|line| !stamped(line)).collect();
    format!("{}\n\n{body}", head.join("\n"))
}
