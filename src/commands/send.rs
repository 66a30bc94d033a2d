//! `send`: check, show what would go out, ask, freeze the plan, run.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::ZonedDateTime;

use crate::cli::{PreviewArgs, SendArgs, SourceArgs};
use crate::clock;
use crate::domain::delivery::State;
use crate::domain::digest::Digest;
use crate::domain::prose::letters;
use crate::domain::recipient::RecipientId;
use crate::domain::record::Counts;
use crate::domain::run::Confirmation;
use crate::ledger::{Ledger, Machine, Reader, Start};
use crate::report;
use crate::smtp::Connector;

use super::approval::Standing;
use super::exit::{CONFIG, DATA, Failure, OK, USAGE};
use super::frozen::Frozen;
use super::plan::Plan;
use super::prepare::{Batch, Purpose, batch};
use super::summary::{Facts, NAMED, coverage, digest, missing, named, state_or_id};
use super::timing::{Timing, load_of, start_time};
use super::{Context, approval, approve, drive, preview, progress, recovered};

pub(super) fn run(context: &Context, args: &SendArgs) -> Result<u8, Failure> {
    if args.dry_run {
        let preview_args = PreviewArgs {
            out: None,
            open: false,
            only: args.only.clone(),
            sample: None,
            json: args.json,
            source: SourceArgs::default(),
        };
        return preview::run(context, &preview_args);
    }
    let approved: Option<Digest> = match &args.approve {
        Some(text) => Some(text.parse().map_err(|error| {
            Failure::new(USAGE, format!("--approve: {error}"))
                .help("`demarche preview` prints it in its last line: copy it whole")
        })?),
        None => None,
    };
    let at = args.at.as_deref().map(start_time).transpose()?;
    let batch = batch(context, Purpose::Send)?;
    let chosen = batch.select(&args.only)?;
    context.screen.remarks(&batch.diagnostics);
    let connector = Connector::new(batch.config.relay.clone())?;
    let ledger = Ledger::open(&batch.config.ledger, true, "send")?;
    let machine = recovered::recover(context, &ledger, &batch.config, args.take_over)?;
    suppress_known(context, &batch, &ledger)?;
    let plan = Plan::new(&batch, &ledger, args.refresh)?;
    plan.say(context);
    if let Some(approved) = approved {
        plan.check_approval(approved, &batch, args.frozen)?;
    }
    let ids = plan.to_send(chosen.as_ref(), args.limit);
    if ids.is_empty() {
        context.screen.say(&plan.nothing_to_send(chosen.as_ref()));
        plan.enrol(&batch, &ledger, args.refresh)?;
        let about = About { selection: chosen.as_ref(), gone: plan.gone() };
        return finish(context, &ledger, &batch, None, about, args.json);
    }
    let timing = timing_of(&batch, &ids, at.as_ref());
    if let Some(late) = timing.too_late() {
        if !args.late {
            return Err(Failure::Problems { code: CONFIG, diagnostics: vec![late] });
        }
        context.screen.warn(&late.message);
    }
    let standing = Standing::of(&ledger.reader()?, &batch.config, plan.digest)?;
    context.screen.say_facts(
        &crate::domain::reply::visible(&batch.config.settings.campaign_name),
        &summary(&batch, &plan, &ids, &timing, at.as_ref(), &standing),
    );
    if let Some(changes) = approve::changed_since(&batch, &ledger.reader()?)? {
        let what = if plan.changed().is_empty() {
            "the batch is not the one that was approved last; changed since:"
        } else if standing.people().is_empty() {
            "neither the files nor what would go out are what was approved last; changed in the files since:"
        } else {
            "the files are no longer what was approved; what would go out is. Changed in the files since:"
        };
        context.screen.warn_of(what, &changes);
    }
    standing.require()?;
    let unasked = args.yes || approved.is_some();
    let may_begin = recovered::may_begin_anew(context, (&ledger, &machine), &batch.config, args.new_ledger, unasked)?;
    if !may_begin || (approved.is_none() && !is_wanted(context, &timing, &plan, &ids, args, at.as_ref())?) {
        context.screen.say("Nothing was sent.");
        return Ok(OK);
    }
    let start = start(args, &standing);
    plan.enrol(&batch, &ledger, args.refresh)?;
    let whole = chosen.is_none() && args.limit.is_none();
    ledger.restrict(if whole && !plan.has_gone() { None } else { Some(ids.clone()) })?;
    let run = Run { machine: &machine, take_over: args.take_over, at: at.as_ref() };
    let ending = go(context, &batch, (&ledger, start), connector, &ids, &run)?;
    let selection = (!whole).then(|| ids.into_iter().collect());
    let about = About { selection: selection.as_ref(), gone: plan.gone() };
    finish(context, &ledger, &batch, Some(&ending), about, args.json)
}

/// What is recorded of the run that begins now.
fn start(args: &SendArgs, standing: &Standing) -> Start {
    let how = match args.approve {
        Some(_) => Confirmation::Approve,
        None if args.yes => Confirmation::Yes,
        None => Confirmation::Word,
    };
    Start {
        command: "send",
        digest: standing.digest,
        confirmed: Some((how, clock::now())),
        by: approval::person(None),
        approvals: standing.numbers(),
    }
}

/// Asks a person, or takes the word of the flags. A letter that is not the one in the files needs a word of its own: whoever
/// corrected it must not send the old one by the usual word.
fn is_wanted(
    context: &Context,
    timing: &Timing<'_>,
    plan: &Plan,
    ids: &[RecipientId],
    args: &SendArgs,
    at: Option<&ZonedDateTime>,
) -> Result<bool, Failure> {
    let letters = letters(ids.len());
    let chosen: HashSet<&RecipientId> = ids.iter().collect();
    let old = plan.changed().iter().filter(|id| chosen.contains(id)).count();
    if old > 0 && !args.frozen {
        if args.yes {
            return Err(Failure::new(
                DATA,
                format!(
                    "{old} letters would go out as they were frozen, not as they are in the files now; nothing was sent"
                ),
            )
            .help("--refresh sends the letters of the files, --frozen the frozen ones"));
        }
        let question = format!(
            "Of {letters}, {old} would go out with the OLD text. To send the text of the files, stop here and run `demarche send \
             --refresh`."
        );
        return context.screen.ask(
            &question,
            "old",
            "--refresh sends the letters of the files, --frozen the frozen ones",
        );
    }
    if args.yes {
        return Ok(true);
    }
    let when = at.map_or_else(|| "now".to_owned(), |at| format!("on {}", on_the_clock(at)));
    let question = if timing.event_is_past() {
        format!("The event lies in the past. Send {letters} {when} all the same?")
    } else {
        format!("Send {letters} {when}?")
    };
    context.screen.ask(
        &question,
        "send",
        "look at `demarche preview`, then pass --approve with the digest that it prints; or --yes, if you know what goes out",
    )
}

fn go(
    context: &Context,
    batch: &Batch,
    (ledger, start): (&Ledger, Start),
    connector: Connector,
    ids: &[RecipientId],
    run: &Run<'_>,
) -> Result<crate::dispatch::Ending, Failure> {
    let compose = Arc::new(Frozen::new(ledger.reader()?)?);
    drive::block_on(async {
        if let Some(at) = run.at {
            ledger.tell(&format!(", waits until {}", on_the_clock(at)));
            if !drive::wait_until(&context.screen, at).await? {
                return Ok(crate::dispatch::Ending::Stopped);
            }
            ledger.tell("");
        }
        let drive = drive::Drive::new(batch, (ledger, start), connector, compose, ids)?;
        recovered::begin(context, (ledger, run.machine), &batch.config, run.take_over, ids.len())?;
        let ending = drive::drive(&context.screen, drive).await;
        recovered::end(context, ledger, run.machine);
        ending
    })
}

/// From where a run begins, by whose word, and when.
struct Run<'a> {
    machine: &'a Machine,
    take_over: bool,
    at: Option<&'a ZonedDateTime>,
}

/// Applies suppressions to rows that the ledger knows already: whoever asked not to be written to since gets no letter, and
/// no second try.
pub(super) fn suppress_known(context: &Context, batch: &Batch, ledger: &Ledger) -> Result<(), Failure> {
    let reader = ledger.reader()?;
    for row in &batch.rows {
        let Some(why) = &row.suppressed else { continue };
        let record = reader.delivery(&row.recipient.id)?;
        if record.is_some_and(|record| matches!(record.state, State::Queued | State::Deferred | State::Failed)) {
            let state = ledger.suppress(&row.recipient.id, why)?;
            context.screen.say(&progress::suppressed(&row.recipient.id, state, why));
        }
    }
    Ok(())
}

/// How long the chosen letters take.
fn timing_of<'a>(batch: &'a Batch, ids: &[RecipientId], at: Option<&ZonedDateTime>) -> Timing<'a> {
    let chosen: HashSet<&RecipientId> = ids.iter().collect();
    Timing::new(batch, load_of(batch, |id| chosen.contains(id)), at.map(ZonedDateTime::timestamp))
}

/// What is about to happen, in figures that add up.
fn summary(
    batch: &Batch,
    plan: &Plan,
    ids: &[RecipientId],
    timing: &Timing<'_>,
    at: Option<&ZonedDateTime>,
    standing: &Standing,
) -> Facts {
    let relay = &batch.config.relay;
    let to_go = match ids.len() {
        few @ 1..=NAMED => format!("{few} to go: {}", named(&ids.iter().map(state_or_id).collect::<Vec<_>>())),
        many => format!("{many} to go"),
    };
    let mut letters = vec![to_go];
    letters.extend(plan.others(ids));
    letters.extend(missing(batch));
    let connections = if relay.connections == 1 {
        "1 connection".to_owned()
    } else {
        format!("up to {} connections at once", relay.connections)
    };
    let through = format!("{} port {}, {}, {connections}", relay.host, relay.port, relay.security.described());
    let mut facts = vec![("Letters", letters.join("\n")), ("From", plan.from.clone()), ("Through", through)];
    if batch.coverage.expected > 0 {
        facts.push(("Coverage", coverage(batch)));
    }
    facts.extend(at.map(|at| ("Start", on_the_clock(at))));
    facts.push(("Pace", timing.line()));
    facts.push(digest(plan.digest));
    facts.extend(standing.line().map(|line| ("Approved", line)));
    facts
}

/// "15 October 2021, 09:00 EDT".
fn on_the_clock(at: &ZonedDateTime) -> String {
    at.strftime("%-d %B %Y, %H:%M %Q").to_string()
}

/// Whose letters decide the exit code.
#[derive(Clone, Copy, Default)]
pub(super) struct About<'a> {
    /// These rows alone; `None` for all.
    pub(super) selection: Option<&'a HashSet<RecipientId>>,
    /// Rows that left the file: nothing is sent to them, so that what waits of them waits for nothing.
    pub(super) gone: &'a [RecipientId],
}

/// Prints what became of the batch, and gives the exit code of what was to be sent.
pub(super) fn finish(
    context: &Context,
    ledger: &Ledger,
    batch: &Batch,
    ending: Option<&crate::dispatch::Ending>,
    about: About<'_>,
    json: bool,
) -> Result<u8, Failure> {
    let reader = ledger.reader()?;
    let counts = reader.counts()?;
    let code = ending.and_then(|ending| drive::ending(&context.screen, ending));
    if json {
        context.screen.json(&super::status::json(&reader, &batch.config)?);
    } else {
        let style = context.screen.style();
        context.screen.result(&report::outcome_table(&counts, &style));
        let mut open = Vec::new();
        reader.open_deliveries(&mut |record| open.push(record))?;
        context.screen.result(&report::copies(&open, &style));
        if counts.uncertain + counts.failed + counts.deferred > 0 {
            context.screen.say("`demarche status` shows which, and what to do.");
        }
    }
    let counted = match about.selection {
        None => without(counts, &reader, about.gone)?,
        Some(selection) => {
            let mut counts = Counts::default();
            for id in selection {
                if let Some(record) = reader.delivery(id)? {
                    counts.add(record.state, 1);
                }
            }
            counts
        }
    };
    let by_counts = report::exit_code(&counted);
    Ok(match code {
        // What became of the letters says more than that the run was stopped; a signal may come after the last of them.
        Some(super::exit::TRY_AGAIN) if matches!(by_counts, OK | 1 | 2) => by_counts,
        Some(code) => code,
        None => by_counts,
    })
}

/// The counts without the letters that wait for rows that left the file. What became of one that was tried stays counted.
fn without(mut counts: Counts, reader: &Reader, gone: &[RecipientId]) -> Result<Counts, Failure> {
    for id in gone {
        match reader.delivery(id)?.map(|record| record.state) {
            Some(State::Queued) => counts.queued -= 1,
            Some(State::Deferred) => counts.deferred -= 1,
            _ => {}
        }
    }
    Ok(counts)
}
