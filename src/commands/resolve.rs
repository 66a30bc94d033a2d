//! `resolve`: a person's word on an uncertain row, recorded as such.

use crate::cli::ResolveArgs;
use crate::domain::delivery::State;
use crate::ledger::Ledger;

use super::exit::{Failure, OK, USAGE};
use super::{Context, drive, log, prepare, recovered};

pub(super) fn run(context: &Context, args: &ResolveArgs) -> Result<u8, Failure> {
    if args.note.trim().is_empty() {
        return Err(Failure::new(USAGE, "--note says how you know: whom you asked, and when"));
    }
    let (config, _) = prepare::config(context)?;
    let ledger = Ledger::open(&config.ledger, false, "resolve")?;
    // A run that died may have left the row unsorted.
    recovered::recover(context, &ledger, &config)?;
    let record = log::find(&ledger.reader()?, &args.mission)?;
    if record.state != State::Uncertain {
        return Err(Failure::new(USAGE, format!("{} is {}, not uncertain", drive::named(&record.id), record.state))
            .help("only uncertain rows need a person's word; `demarche status` lists them"));
    }
    ledger.resolve(&record.id, args.sent, &args.note)?;
    let name = drive::named(&record.id);
    context.screen.result(&if args.sent {
        format!("{name}: recorded as arrived, on your word.")
    } else {
        format!("{name}: recorded as not arrived, on your word; `demarche send` sends it again.")
    });
    Ok(OK)
}
