//! `resolve`: what is known of an uncertain row, and a person's word on it, recorded as such.

use crate::cli::ResolveArgs;
use crate::clock;
use crate::domain::delivery::{Event, State};
use crate::domain::recipient::RecipientId;
use crate::domain::record::{DeliveryRecord, Remark};
use crate::domain::reply::visible;
use crate::ledger::{Ledger, Reader};
use crate::report;

use super::exit::{Failure, OK, USAGE};
use super::{Context, approval, frozen, log, prepare, progress, recovered};

pub(super) fn run(context: &Context, args: &ResolveArgs) -> Result<u8, Failure> {
    if !args.sent && !args.not_sent {
        return show(context, args);
    }
    let note = args.note.as_deref().unwrap_or_default();
    if note.trim().is_empty() {
        return Err(Failure::new(USAGE, "--note says how you know: whom you asked, and when"));
    }
    let (config, _) = prepare::config(context)?;
    let ledger = Ledger::open(&config.ledger, false, "resolve")?;
    // A run that died may have left the row unsorted.
    recovered::sort_out(context, &ledger, &config)?;
    say_rehearsal(context, &ledger.reader()?)?;
    let record = log::find(&ledger.reader()?, &args.mission)?;
    let reader = ledger.reader()?;
    let corrects = reader.correctable(&record.id, args.sent)?;
    if record.state != State::Uncertain && !corrects {
        return Err(not_uncertain(&reader, &record, Some(args.sent))?);
    }
    let before = if corrects { last_word(&reader, &record.id)? } else { None };
    let by = approval::person(args.by.as_deref());
    ledger.resolve(&record.id, args.sent, note, by.as_deref())?;
    let name = progress::named(&record.id);
    let word = by.map_or_else(|| "your word".to_owned(), |by| format!("the word of {}", visible(&by)));
    context.screen.result_in_sentences(&if args.sent {
        format!("{name}: recorded as arrived, on {word}.")
    } else {
        format!("{name}: recorded as not arrived, on {word}; `demarche send` sends it again.")
    });
    if let Some(before) = before {
        context
            .screen
            .result(&format!("It corrects an earlier word, which stays on record: {}.", report::remark_line(&before)));
    }
    Ok(OK)
}

/// The evidence, without a word on it. Works beside a running `send`.
fn show(context: &Context, args: &ResolveArgs) -> Result<u8, Failure> {
    if args.note.is_some() {
        return Err(Failure::new(USAGE, "--note goes with --sent or --not-sent: what did you learn?"));
    }
    let (config, _) = prepare::config(context)?;
    let reader = Reader::open(&config.ledger)?;
    frozen::same_campaign(&reader, &config.settings)?;
    say_rehearsal(context, &reader)?;
    let record = log::find(&reader, &args.mission)?;
    match record.state {
        State::Uncertain => {}
        State::Sending | State::HandedOver => {
            let by = reader.holder().unwrap_or_else(|| "a run that ended just now".to_owned());
            return Err(Failure::new(USAGE, format!("{} is being sent, by {by}", progress::named(&record.id)))
                .help("look again when that has ended"));
        }
        _ => return Err(not_uncertain(&reader, &record, None)?),
    }
    context.screen.result(&report::evidence(
        &record,
        &reader.attempts(&record.id)?,
        &clock::zone(),
        &context.screen.style(),
    ));
    Ok(OK)
}

/// Of a rehearsal nobody can be asked: no mission was written to.
fn say_rehearsal(context: &Context, reader: &Reader) -> Result<(), Failure> {
    if reader.is_rehearsal()? {
        context.screen.result(&report::rehearsal(&context.screen.style()));
    }
    Ok(())
}

/// The last thing that a person said of a row's letter: that it arrived, or that it did not.
fn last_word(reader: &Reader, id: &RecipientId) -> Result<Option<Remark>, Failure> {
    let said = |remark: &Remark| matches!(remark.event, Event::ResolveSent | Event::ResolveNotSent);
    Ok(reader.remarks(id)?.into_iter().rev().find(said))
}

/// Why a row takes no word that it was sent, or was not; and where another word settled it, how to correct that one.
fn not_uncertain(reader: &Reader, record: &DeliveryRecord, sent: Option<bool>) -> Result<Failure, Failure> {
    let named = progress::named(&record.id);
    let other = [true, false].into_iter().find_map(|other| match reader.correctable(&record.id, other) {
        Ok(true) if sent != Some(other) => Some(Ok(other)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    });
    let (Some(other), Some(said)) = (other.transpose()?, last_word(reader, &record.id)?) else {
        return Ok(Failure::new(USAGE, format!("{named} is {}, not uncertain", record.state))
            .help("only uncertain rows need a person's word; `demarche status` lists them"));
    };
    let again = if other { "" } else { "; it is then sent again" };
    let flag = if other { "--sent" } else { "--not-sent" };
    let message = format!("{named} is {} on a person's word ({})", record.state, report::remark_line(&said));
    let help = format!(
        "to correct that: `demarche resolve {} {flag} --note \"…\"`; both words stay on record{again}",
        record.id
    );
    Ok(Failure::new(USAGE, message).help(help))
}
