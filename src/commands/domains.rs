//! `check --online`: the domains of the recipients and of the sender in the DNS. What it says is a warning, never an error: a
//! network that does not answer proves nothing, and the relay has the last word.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use crate::diagnostic::{Diagnostic, Place};
use crate::dns::{self, Found, Inbox, MOST_DOMAINS, Presence};
use crate::domain::mailbox::Mailbox;
use crate::domain::recipient::RecipientId;

use super::drive;
use super::exit::Failure;
use super::prepare::Batch;
use super::progress::listed;

/// So many domains are told one by one.
const TOLD: usize = 50;

/// What was found.
pub(super) struct Domains {
    /// For people.
    pub(super) line: String,
    pub(super) problems: Vec<Diagnostic>,
}

/// Asks for each domain once. Reserved names (.example and the like) are nobody's: the public DNS is not asked about them, a
/// server that was named may know them.
///
/// # Errors
/// If the runtime cannot start.
pub(super) fn look(batch: &Batch, resolver: Option<SocketAddr>) -> Result<Domains, Failure> {
    let asked = |mailbox: &&Mailbox| resolver.is_some() || !mailbox.is_placeholder();
    let mut rows: BTreeMap<String, BTreeSet<&RecipientId>> = BTreeMap::new();
    for row in batch.rows.iter().filter(|row| row.suppressed.is_none()) {
        let recipient = &row.recipient;
        for mailbox in recipient.to.iter().chain(&recipient.cc).chain(&recipient.bcc).filter(asked) {
            rows.entry(mailbox.domain().to_owned()).or_default().insert(&recipient.id);
        }
    }
    let from = &batch.config.settings.from;
    let sender = Some(from).filter(asked).map(Mailbox::domain);
    if rows.is_empty() && sender.is_none() {
        return Ok(Domains {
            line: "every address is a placeholder: nothing to look up".to_owned(),
            problems: Vec::new(),
        });
    }
    let domains: Vec<String> = rows.keys().cloned().collect();
    match drive::block_on(async { Ok(dns::look(&domains, sender, resolver).await) })? {
        Ok(found) => Ok(told(&found, &rows, sender, batch)),
        Err(why) => {
            let warning = Diagnostic::warning("dns-unavailable", format!("the DNS was not looked at: {why}"));
            Ok(Domains { line: "not looked at".to_owned(), problems: vec![warning] })
        }
    }
}

fn told(
    found: &Found,
    rows: &BTreeMap<String, BTreeSet<&RecipientId>>,
    sender: Option<&str>,
    batch: &Batch,
) -> Domains {
    let (mut problems, mut good, mut silent) = (Vec::new(), 0_usize, Vec::new());
    for (domain, inbox) in &found.inboxes {
        let (what, help) = match inbox {
            Inbox::Takes => {
                good += 1;
                continue;
            }
            Inbox::Unknown(why) => {
                silent.push((domain, why));
                continue;
            }
            Inbox::Missing => ("does not exist", "is it misspelt? Mail to it comes back"),
            Inbox::TakesNone => ("says that it takes no mail (a null MX)", "ask the mission for another address"),
            Inbox::NoServer => ("has no mail server", "is it misspelt? Mail to it comes back"),
        };
        let ids: Vec<RecipientId> = rows.get(domain).into_iter().flatten().map(|id| (*id).clone()).collect();
        let message = format!("the domain {domain} {what}: {}", listed(&ids));
        let place = Place::file(&batch.config.recipients.file_shown);
        problems.push(Diagnostic::warning("domain-without-mail", message).at(place).help(help));
    }
    if problems.len() > TOLD {
        let more = problems.split_off(TOLD).len();
        problems
            .push(Diagnostic::warning("domain-without-mail", format!("{more} domains more to which no mail can go")));
    }
    if let Some((domain, why)) = silent.first() {
        let message = format!("no answer about {} domains, such as {domain}: {why}", silent.len());
        let help = "that says nothing about them; try again later, or elsewhere";
        problems.push(Diagnostic::warning("dns-silent", message).help(help));
    }
    let mut line = format!("{good} of {} domains of recipients take mail", rows.len());
    if rows.len() > MOST_DOMAINS {
        line.push_str(&format!(" ({MOST_DOMAINS} were asked about)"));
    }
    if let Some(sender) = sender {
        line.push_str(&format!("; {sender} has {}", policies(found, sender, &mut problems)));
    }
    line.push('.');
    Domains { line, problems }
}

/// What the sender's domain says of itself, and a warning for what it does not.
fn policies(found: &Found, sender: &str, problems: &mut Vec<Diagnostic>) -> String {
    let kinds = [
        ("SPF", &found.spf, "which servers may send for it"),
        ("DMARC", &found.dmarc, "what to do with mail that is not from it"),
    ];
    let mut words = Vec::new();
    for (name, presence, says) in kinds {
        match presence {
            Some(Presence::There) => words.push(name.to_owned()),
            Some(Presence::Absent) => {
                words.push(format!("no {name}"));
                let message = format!("the sender's domain {sender} has no {name} record, which says {says}");
                let help = "many servers distrust mail without it: ask whoever runs the domain, or the provider of the account";
                problems.push(Diagnostic::warning("sender-unproven", message).help(help));
            }
            Some(Presence::Unknown(_)) | None => words.push(format!("{name} unknown (no answer)")),
        }
    }
    words.join(", ")
}
