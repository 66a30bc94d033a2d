//! `resolve`: what is known of an uncertain row, and a person's word on it, recorded as such.

use crate::cli::ResolveArgs;
use crate::clock;
use crate::domain::delivery::State;
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
    if record.state != State::Uncertain {
        return Err(not_uncertain(&record));
    }
    let by = approval::person(args.by.as_deref());
    ledger.resolve(&record.id, args.sent, note, by.as_deref())?;
    let name = progress::named(&record.id);
    let word = by.map_or_else(|| "your word".to_owned(), |by| format!("the word of {}", visible(&by)));
    context.screen.result_in_sentences(&if args.sent {
        format!("{name}: recorded as arrived, on {word}.")
    } else {
        format!("{name}: recorded as not arrived, on {word}; `demarche send` sends it again.")
    });
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
            return Err(Failure::new(
                USAGE,
                format!("{} is being sent, or its run was cut off", progress::named(&record.id)),
            )
            .help(
                "if no `send` is running, `demarche send` (or `resend`) sorts out what was cut off; then look again",
            ));
        }
        _ => return Err(not_uncertain(&record)),
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

fn not_uncertain(record: &crate::domain::record::DeliveryRecord) -> Failure {
    Failure::new(USAGE, format!("{} is {}, not uncertain", progress::named(&record.id), record.state))
        .help("only uncertain rows need a person's word; `demarche status` lists them")
}
