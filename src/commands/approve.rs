//! `approve`: a person's word that exactly this batch may go out, on record in the ledger; and what has changed since.

use serde_json::json;

use crate::cli::ApproveArgs;
use crate::clock;
use crate::domain::approval::Approval;
use crate::domain::digest::Digest;
use crate::domain::prose::letters;
use crate::domain::reply::visible;
use crate::ledger::{ApprovedBatch, Ledger, Reader};
use crate::report::moment;

use super::approval::{Standing, person};
use super::changes::Changes;
use super::exit::{DATA, Failure, OK, USAGE};
use super::prepare::{Batch, Purpose, batch, config};
use super::summary::{self, left_out};
use super::underway::Underway;
use super::{Context, frozen, preview, recovered};

/// How long a name or a note may be, in characters.
const LONGEST: usize = 500;

pub(super) fn run(context: &Context, args: &ApproveArgs) -> Result<u8, Failure> {
    let digest: Option<Digest> = match &args.digest {
        Some(text) => Some(text.parse().map_err(|error| {
            Failure::new(USAGE, format!("{error}")).help("`demarche preview` prints it in its last line: copy it whole")
        })?),
        None => None,
    };
    if args.list {
        return list(context, args);
    }
    let by = person(args.by.as_deref()).ok_or_else(|| {
        Failure::new(USAGE, "it has to be on record who approves, and this account has no name")
            .help("say it: --by NAME")
    })?;
    if by.chars().count() > LONGEST || args.note.chars().count() > LONGEST {
        return Err(Failure::new(USAGE, format!("--by and --note take up to {LONGEST} characters each")));
    }
    let by = visible(&by);
    if args.by.is_none() {
        context.screen.say(&format!(
            "No --by: the name on record is \"{by}\", that of this account on this machine. A name that others know is better."
        ));
    }
    if args.withdraw { withdraw(context, args, digest, &by) } else { approve(context, args, digest, &by) }
}

fn approve(context: &Context, args: &ApproveArgs, given: Option<Digest>, by: &str) -> Result<u8, Failure> {
    let batch = batch(context, Purpose::Look)?;
    context.screen.remarks(&batch.diagnostics);
    let digest = batch.digest();
    if given.is_some_and(|given| given != digest) {
        return Err(another_batch(&batch, given.unwrap_or(digest))?);
    }
    let approved = approved(&batch);
    if given.is_none() {
        let mut counted = vec![letters(approved.letters.len())];
        counted.extend(left_out(&batch));
        let facts = [("Letters", counted.join("\n")), summary::digest(digest)];
        context.screen.say_facts(&visible(&batch.config.settings.campaign_name), &facts);
        context.screen.say("Look at them first: `demarche preview --open`.");
        if !ask(context, digest, by)? {
            context.screen.say("Nothing was recorded.");
            return Ok(OK);
        }
    }
    let ledger = Ledger::open(&batch.config.ledger, true, "approve")?;
    frozen::not_a_rehearsal(&ledger.reader()?, &batch.config)?;
    recovered::sort_out(context, &ledger, &batch.config)?;
    let new = ledger.approve(&batch.config.settings.campaign_id, approved, by, &args.note)?;
    let standing = Standing::of(&ledger.reader()?, &batch.config, digest)?;
    if args.json {
        context.screen.json(&standing_json(&standing, None));
        return Ok(OK);
    }
    let first = if new {
        format!("Recorded: {by} approves this batch of {}.", letters(batch_size(&batch)))
    } else {
        format!("{by} has approved exactly this batch already; nothing more was recorded.")
    };
    let next = if standing.is_enough() {
        let refresh = !Underway::look(&batch)?.changed.is_empty();
        format!("Send exactly these with\n    {}", preview::send_command(context, &batch, refresh))
    } else {
        let left = standing.needed - standing.people().len();
        let who = if left == 1 { "one more person".to_owned() } else { format!("{left} more people") };
        format!(
            "It may be sent once {who} approved it, with\n    {}approve {digest} --by NAME",
            preview::program(context)
        )
    };
    let line = standing.line().unwrap_or_default();
    context.screen.result_in_sentences(&format!("{first}\nApproved:  {line}\n\n{next}\n\ndigest: {digest}\n"));
    Ok(OK)
}

fn ask(context: &Context, digest: Digest, by: &str) -> Result<bool, Failure> {
    let instead = format!("after a look at `demarche preview`:\n    demarche approve {digest} --by NAME");
    context.screen.ask(&format!("Does {by} approve exactly these letters and addresses?"), "approve", &instead)
}

/// The batch in the files as it would be recorded.
fn approved(batch: &Batch) -> ApprovedBatch {
    let letters = batch.rows.iter().zip(&batch.digests).filter(|(row, _)| row.suppressed.is_none());
    let letters = letters.map(|(row, digest)| (row.recipient.clone(), *digest)).collect();
    ApprovedBatch { digest: batch.digest(), edition: batch.edition.clone(), letters }
}

fn batch_size(batch: &Batch) -> usize {
    batch.rows.iter().filter(|row| row.suppressed.is_none()).count()
}

fn another_batch(batch: &Batch, given: Digest) -> Result<Failure, Failure> {
    let mut help = format!("given: {given}\nnow:   {}\n", batch.digest());
    if let Some(changes) = known_changes(batch, Some(given))?
        && !changes.is_none()
    {
        help.push_str(&format!("changed since that one was approved:\n{}", changes.to_text()));
    }
    help.push_str("run `demarche preview`, look, and approve its digest");
    Ok(Failure::new(DATA, "the files hold another batch than the one to be approved; nothing was recorded").help(help))
}

/// What the files changed since `digest` was approved, or the last batch that was; `None` if that is not on record.
fn known_changes(batch: &Batch, digest: Option<Digest>) -> Result<Option<Changes>, Failure> {
    if !batch.config.ledger.exists() {
        return Ok(None);
    }
    let reader = Reader::open(&batch.config.ledger)?;
    frozen::same_campaign(&reader, &batch.config.settings)?;
    let approved = match digest {
        Some(digest) if reader.approvals()?.iter().any(|one| one.digest == digest) => {
            Some(reader.approved_batch(digest)?)
        }
        Some(_) => None,
        None => reader.last_approval()?,
    };
    Ok(approved.map(|approved| Changes::since(&approved, batch)))
}

fn withdraw(context: &Context, args: &ApproveArgs, given: Option<Digest>, by: &str) -> Result<u8, Failure> {
    let (config, _) = config(context)?;
    let ledger = Ledger::open(&config.ledger, false, "approve")?;
    recovered::sort_out(context, &ledger, &config)?;
    let reader = ledger.reader()?;
    let last = || -> Result<Option<Digest>, Failure> { Ok(reader.last_approval()?.map(|batch| batch.digest)) };
    let digest = match given {
        Some(digest) => Some(digest),
        None => last()?,
    };
    let withdrawn = match digest {
        Some(digest) => ledger.withdraw_approval(digest, by, &args.note)?,
        None => 0,
    };
    let Some(digest) = digest.filter(|_| withdrawn > 0) else {
        return Err(Failure::new(USAGE, format!("no approval by {} stands that could be withdrawn", visible(by)))
            .help("`demarche approve --list` shows who approved what"));
    };
    let standing = Standing::of(&reader, &config, digest)?;
    if args.json {
        context.screen.json(&standing_json(&standing, None));
    } else {
        let line = standing.line().unwrap_or_else(|| "by nobody any more".to_owned());
        context.screen.result_in_sentences(&format!(
            "Withdrawn: the approval by {by}. It stays on record as withdrawn.\nApproved:  {line}\ndigest: {digest}\n"
        ));
    }
    Ok(OK)
}

fn list(context: &Context, args: &ApproveArgs) -> Result<u8, Failure> {
    let batch = batch(context, Purpose::Look)?;
    let standing = Standing::look(&batch.config, batch.digest())?;
    let changes = known_changes(&batch, None)?;
    if args.json {
        context.screen.json(&standing_json(&standing, changes.as_ref()));
        return Ok(OK);
    }
    let mut text = String::new();
    for approval in &standing.approvals {
        text.push_str(&one(approval, standing.digest));
    }
    if text.is_empty() {
        text.push_str("Nobody has approved a batch yet.\n");
    }
    match &changes {
        Some(changes) if changes.is_none() => text.push_str("Nothing has changed since the last approval.\n"),
        Some(changes) => {
            text.push_str(&format!("Changed since the last approval:\n{}", changes.to_text()));
        }
        None => {}
    }
    if let Some(line) = standing.line() {
        text.push_str(&format!("Approved:  {line}\n"));
    }
    text.push_str(&format!("digest: {}\n", standing.digest));
    context.screen.result_in_sentences(&text);
    Ok(OK)
}

/// `2021-10-20 14:02:11 UTC  Chair: 193 letters, digest 4bb2…`, what they said, and whether it stands.
fn one(approval: &Approval, now: Digest) -> String {
    let when = moment(approval.at, &clock::zone());
    let which = if approval.digest == now { "the batch in the files now" } else { "another batch" };
    let mut text =
        format!("{when}  {}: {}, {which}\n    {}\n", approval.by, letters(approval.letters), approval.digest);
    if !approval.note.is_empty() {
        text.push_str(&format!("    note: {}\n", approval.note));
    }
    if let Some(withdrawn) = &approval.withdrawn {
        let note = if withdrawn.note.is_empty() { String::new() } else { format!(": {}", withdrawn.note) };
        text.push_str(&format!("    WITHDRAWN {}{note}\n", moment(withdrawn.at, &clock::zone())));
    }
    text
}

/// `{"digest", "needed", "approved_by": [name], "approvals": […], "since_approval": {…} or null}`.
fn standing_json(standing: &Standing, changes: Option<&Changes>) -> serde_json::Value {
    json!({
        "digest": standing.digest,
        "needed": standing.needed,
        "approved_by": standing.people(),
        "approvals": standing.approvals,
        "since_approval": changes.map(Changes::to_json),
    })
}

/// What has changed since the last approval, in words for whoever is about to send; `None` if nothing was approved, or
/// nothing changed.
pub(super) fn changed_since(batch: &Batch, reader: &Reader) -> Result<Option<String>, Failure> {
    let Some(approved) = reader.last_approval()? else { return Ok(None) };
    if approved.digest == batch.digest() {
        return Ok(None);
    }
    let changes = Changes::since(&approved, batch);
    Ok((!changes.is_none()).then(|| changes.to_text()))
}
