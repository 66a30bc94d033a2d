//! `test --to`: one letter per language to yourself through the real relay; never counts as delivery, so no ledger knows of it.

use std::collections::HashSet;

use crate::cli::TestArgs;
use crate::clock;
use crate::compose::stamp;
use crate::diagnostic::Place;
use crate::domain::mailbox::Mailbox;
use crate::domain::message::{Envelope, Field, ForwardPath, Message};
use crate::domain::outcome::{End, Fault};
use crate::domain::recipient::Recipient;
use crate::smtp::Connector;

use super::exit::{DATA, FAILED, Failure, OK, USAGE};
use super::prepare::{Batch, Purpose, batch, name_of};
use super::{Context, drive, online};

pub(super) fn run(context: &Context, args: &TestArgs) -> Result<u8, Failure> {
    let to = Mailbox::parse(&args.to)
        .map_err(|error| Failure::new(USAGE, format!("--to: {error}")).help("write your own address"))?;
    let batch = batch(context, Purpose::Look)?;
    let mut problems = crate::config::problems_for_send(&batch.config);
    for problem in &mut problems {
        problem.place.get_or_insert_with(|| Place::file(context.config.display().to_string()));
    }
    if crate::diagnostic::any_error(&problems) {
        return Err(Failure::Problems { code: super::exit::CONFIG, diagnostics: problems });
    }
    let chosen = batch.select(&args.only)?;
    let samples: Vec<&Recipient> = match &chosen {
        Some(chosen) => batch.rows.iter().map(|row| &row.recipient).filter(|row| chosen.contains(&row.id)).collect(),
        None => one_per_language(&batch),
    };
    let letters = samples.iter().map(|row| compose(&batch, row, &to)).collect::<Result<Vec<_>, _>>()?;
    let connector = Connector::new(batch.config.relay.clone())?;
    drive::block_on(hand_over(context, &connector, &letters))
}

/// The first row of each language.
fn one_per_language(batch: &Batch) -> Vec<&Recipient> {
    let mut seen = HashSet::new();
    let default = &batch.config.settings.default_language;
    let rows = batch.rows.iter().map(|row| &row.recipient);
    rows.filter(|row| seen.insert(row.language.clone().unwrap_or_else(|| default.clone()))).collect()
}

/// The row's letter, addressed to `to` alone, with a Message-ID of its own: a server that has seen it must not drop the next.
fn compose(batch: &Batch, row: &Recipient, to: &Mailbox) -> Result<(String, Message), Failure> {
    let sample = Recipient { to: vec![to.clone()], cc: Vec::new(), bcc: Vec::new(), ..row.clone() };
    let key: [u8; 16] = std::array::from_fn(|_| fastrand::u8(..));
    let stamp = stamp(&key, batch.composer.settings(), &row.id, clock::now());
    let composed =
        batch.composer.compose(&sample, &stamp).map_err(|diagnostics| Failure::Problems { code: DATA, diagnostics })?;
    let mut message = composed.message;
    // The archive copy of [sender] bcc is for letters that count.
    message.envelope = Envelope {
        reverse_path: message.envelope.reverse_path,
        forward_paths: vec![ForwardPath { address: to.address(), field: Field::To }],
    };
    Ok((format!("{}, letter in \"{}\"", name_of(row), message.language), message))
}

async fn hand_over(context: &Context, connector: &Connector, letters: &[(String, Message)]) -> Result<u8, Failure> {
    let unavailable = |fault: &Fault| online::unavailable(connector.relay(), fault);
    let mut at_hand = None;
    let mut code = OK;
    for (name, message) in letters {
        let mut session = match at_hand.take() {
            Some(session) => session,
            None => connector.open().await.map_err(|fault| unavailable(&fault))?,
        };
        let handover = session.hand_over(&message.bytes, &message.envelope, std::future::ready(true)).await;
        let (word, good) = match &handover.end {
            End::Accepted(reply) => (format!("the server took it: {reply}"), true),
            End::NotSent(fault) => (format!("not sent: {fault}"), false),
            End::Uncertain(fault) => (format!("nobody can know whether it was sent: {fault}"), false),
            End::NoRecipient => {
                let refusal = handover.recipients.iter().find_map(|outcome| match outcome {
                    crate::domain::outcome::RcptOutcome::Refused(reply) => Some(reply.to_string()),
                    _ => None,
                });
                (format!("refused: {}", refusal.unwrap_or_else(|| "no reason given".to_owned())), false)
            }
        };
        context.screen.result_in_sentences(&format!("{name}: {word}"));
        if !good {
            code = FAILED;
        }
        if handover.reusable && session.letters() < connector.relay().messages_per_connection {
            at_hand = Some(session);
        } else {
            session.quit().await;
        }
    }
    if let Some(session) = at_hand {
        session.quit().await;
    }
    if code == OK {
        context.screen.say(
            "Look into that mailbox, its spam folder too. This counts as no delivery: no mission has got anything, and no \
             record was made.",
        );
    }
    Ok(code)
}
