//! `rehearse`: the whole batch through real SMTP into an embedded server that refuses, greylists and drops some of it; with a
//! ledger of its own, and the server's truth to compare with.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::cli::RehearseArgs;
use crate::config::Pace;
use crate::dispatch::Ending;
use crate::domain::delivery::State;
use crate::domain::mailbox::Mailbox;
use crate::domain::prose::letters;
use crate::domain::record::DeliveryRecord;
use crate::domain::relay::{Relay, Security, Timeouts};
use crate::domain::reply::visible;
use crate::domain::retry::RetryPolicy;
use crate::ledger::{Ledger, NewDelivery, Start};
use crate::postbox::{self, Keep, Letter, Options, Postbox, Shares};
use crate::report;
use crate::smtp::Connector;

use super::exit::{CANNOT_CREATE, Failure, OK, SOFTWARE, TRY_AGAIN};
use super::frozen::Frozen;
use super::prepare::{Batch, Purpose, batch};
use super::resend::why_held;
use super::timing::{Timing, load};
use super::{Context, approval, drive, preview, progress};

pub(super) fn run(context: &Context, args: &RehearseArgs) -> Result<u8, Failure> {
    let batch = batch(context, Purpose::Look)?;
    context.screen.remarks(&batch.diagnostics);
    let folder = Folder::new(args.keep.as_deref())?;
    let ledger_file = folder.path().join("rehearsal.db");
    let ledger = Ledger::open(&ledger_file, true, "rehearse")?;
    ledger.mark_rehearsal()?;
    let rows = batch
        .rows
        .iter()
        .zip(&batch.digests)
        .map(|(row, digest)| NewDelivery {
            recipient: row.recipient.clone(),
            addresses: batch.composer.addresses(&row.recipient),
            digest: *digest,
            suppressed: row.suppressed.clone(),
        })
        .collect();
    ledger.enrol(&batch.config.settings.campaign_id, &batch.edition, rows)?;
    context.screen.say(&format!(
        "Rehearsal with seed {}: {} go to a server inside this program, which refuses some of them; nothing leaves this machine.",
        args.seed,
        letters(batch.digests.iter().zip(&batch.rows).filter(|(_, row)| row.suppressed.is_none()).count())
    ));
    let kept = args.keep.as_ref().map(|_| folder.path().join("letters"));
    let (truth, code) = drive::block_on(rehearse(context, &batch, &ledger, args.seed, kept.as_deref()))?;
    if let Some(code) = code {
        // Rows that were not tried are no disagreement.
        return Ok(code);
    }
    let mut records = Vec::new();
    let reader = ledger.reader()?;
    reader.deliveries(&mut |record| records.push(record))?;
    let wrong = disagreements(&batch, &records, &truth);
    if args.json {
        print_json(context, &records, &wrong, args.seed, &batch, truth.len());
    } else {
        let counts = reader.counts()?;
        print(context, &batch, &records, &counts, &wrong, truth.len());
        if args.keep.is_some() {
            let shown = visible(&folder.path().display().to_string());
            let config = preview::quoted(&keep_config(context, folder.path())?);
            context.screen.say(&format!(
                "Ledger and letters: {shown}. What became of each letter:\n    demarche --config {config} status\n    \
                 demarche --config {config} log"
            ));
        }
    }
    if wrong.is_empty() {
        return Ok(OK);
    }
    Err(Failure::new(SOFTWARE, format!("the ledger and the server disagree: {}", wrong.join("; ")))
        .help("this is a defect of demarche: please report it with the seed, and do not send with this version"))
}

/// Writes a config beside what is kept, with which `status`, `log` and `report` tell of the rehearsal. Of the campaign's own it
/// has what these need, and nothing of the relay.
fn keep_config(context: &Context, folder: &Path) -> Result<PathBuf, Failure> {
    let own = std::fs::read_to_string(&context.config).unwrap_or_default();
    let own: toml::Table = own.trim_start_matches('\u{feff}').parse().unwrap_or_default();
    let mut kept: toml::Table =
        ["campaign", "sender"].iter().filter_map(|name| Some(((*name).to_owned(), own.get(*name)?.clone()))).collect();
    let audience = own.get("recipients").and_then(|recipients| recipients.get("audience"));
    if let Some(audience) = audience {
        kept.insert(
            "recipients".to_owned(),
            toml::Table::from_iter([("audience".to_owned(), audience.clone())]).into(),
        );
    }
    kept.insert("ledger".to_owned(), toml::Table::from_iter([("file".to_owned(), "rehearsal.db".into())]).into());
    let path = folder.join("config.toml");
    let head = "# Written by `demarche rehearse --keep`, to look at this rehearsal with status, log and report.\n\n";
    std::fs::write(&path, format!("{head}{kept}")).map_err(|error| Failure::cannot_write(&path, &error))?;
    Ok(path)
}

async fn rehearse(
    context: &Context,
    batch: &Batch,
    ledger: &Ledger,
    seed: u64,
    letters: Option<&Path>,
) -> Result<(Vec<Letter>, Option<u8>), Failure> {
    let addresses: Vec<String> =
        batch.rows.iter().flat_map(|row| row.recipient.to.iter().map(Mailbox::address)).collect();
    let keep = letters.map_or(Keep::Nothing, |folder| Keep::Folder(folder.to_owned()));
    let script = postbox::seeded_for(seed, Shares::default(), &addresses);
    let server = Postbox::start(Options { keep, script, ..Options::default() })
        .await
        .map_err(|error| Failure::new(SOFTWARE, format!("the embedded server cannot start: {error}")))?;
    let truth = server.truth();
    let drive = drive::Drive {
        ledger: ledger.clone(),
        start: Start {
            command: "rehearse",
            digest: batch.digest(),
            confirmed: None,
            by: approval::person(None),
            approvals: Vec::new(),
        },
        connector: Connector::new(relay(batch, server.address().port()))?,
        compose: Arc::new(Frozen::new(ledger.reader()?)?),
        pace: Pace { rates: Vec::new(), per_domain: Vec::new(), hours: None, hours_shown: None },
        retry: retry(),
        letters: batch.rows.iter().filter(|row| row.suppressed.is_none()).count() as u64,
        wishes: None,
        // It says nothing of the real batch's pace.
        event: None,
        planned: None,
    };
    let ending = drive::drive(&context.screen, drive).await?;
    server.stop().await;
    let code = match ending {
        Ending::Stopped => {
            context.screen.say("The rehearsal was stopped.");
            Some(TRY_AGAIN)
        }
        ending => {
            drive::ending(&context.screen, &ending);
            None
        }
    };
    Ok((truth.accepted(), code))
}

fn relay(batch: &Batch, port: u16) -> Relay {
    Relay {
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::None,
        login: None,
        ca_file: None,
        ehlo_name: "[127.0.0.1]".to_owned(),
        timeouts: Timeouts { end_of_data: Duration::from_secs(30), ..Timeouts::default() },
        ..batch.config.relay.clone()
    }
}

/// The waits of a rehearsal: minutes become fractions of a second.
fn retry() -> RetryPolicy {
    RetryPolicy {
        first: Duration::from_millis(600),
        factor: 2.0,
        most: Duration::from_secs(2),
        attempts: 3,
        linger: Duration::from_secs(10),
    }
}

/// Every way in which the ledger's states could be untrue of what the server holds; empty is what is promised.
fn disagreements(batch: &Batch, records: &[DeliveryRecord], truth: &[Letter]) -> Vec<String> {
    let mut held: HashMap<&str, usize> = HashMap::new();
    for letter in truth {
        let id = letter.delivery.as_deref().and_then(|delivery| delivery.rsplit_once('/')).map_or("", |(_, id)| id);
        *held.entry(id).or_default() += 1;
    }
    let mut wrong = Vec::new();
    if records.len() != batch.rows.len() {
        wrong.push(format!("{} rows in the file, {} in the ledger", batch.rows.len(), records.len()));
    }
    for record in records {
        let count = held.remove(record.id.as_str()).unwrap_or(0);
        let fits = match record.state {
            State::Accepted => count == 1,
            State::Uncertain => count <= 1,
            State::Deferred | State::Suppressed => count == 0,
            // A letter may be accepted for one address and refused for another.
            State::Failed => count == usize::from(record.addresses.iter().any(|a| a.state == State::Accepted)),
            State::Queued | State::Sending | State::HandedOver => false,
        };
        if !fits {
            wrong.push(format!("{} is {} and the server holds {count}", record.id, record.state));
        }
    }
    wrong.extend(held.keys().map(|id| format!("the server holds a letter for \"{id}\", which is no row")));
    wrong
}

fn print(
    context: &Context,
    batch: &Batch,
    records: &[DeliveryRecord],
    counts: &crate::domain::record::Counts,
    wrong: &[String],
    held: usize,
) {
    let (style, prose) = (context.screen.style(), context.screen.prose_style());
    let mut text = format!("{}\n", report::outcome_table(counts, &style));
    if wrong.is_empty() {
        text.push_str(&prose.fitted(&format!(
            "The server's own books agree with every row: it holds {held} letters, none of them twice."
        )));
        let arrived = u64::try_from(held).unwrap_or(0).saturating_sub(counts.accepted);
        if arrived > 0 && counts.uncertain > 0 {
            text.push_str(&prose.fitted(&format!(
                "Of the {} uncertain ones {arrived} did arrive, which no sender can know: that is why they need a person.",
                counts.uncertain
            )));
        }
        text.push('\n');
    }
    let (held_back, again): (Vec<DeliveryRecord>, Vec<DeliveryRecord>) = records
        .iter()
        .filter(|record| matches!(record.state, State::Deferred | State::Failed))
        .cloned()
        .partition(DeliveryRecord::is_refused_as_unknown);
    let held_back: Vec<(String, String)> =
        held_back.iter().map(|record| (record.id.to_string(), why_held(record))).collect();
    if !again.is_empty() || !held_back.is_empty() {
        text.push_str(&prose.fitted("After a real send, this is what `demarche resend` would do:"));
        text.push_str(&report::resend_list(
            &report::Again { records: &again, held: &held_back, ..report::Again::default() },
            &crate::clock::zone(),
            &style,
        ));
        text.push('\n');
    }
    let uncertain: Vec<&DeliveryRecord> = records.iter().filter(|r| r.state == State::Uncertain).collect();
    if let Some(first) = uncertain.first() {
        text.push_str(&prose.fitted("It would not touch these, because nobody can know whether they arrived:"));
        for record in &uncertain {
            text.push_str(&format!("  {}\n", progress::named(&record.id)));
        }
        let id = &first.id;
        text.push_str(&prose.fitted(&format!(
            "A person asks the mission, then records which it is:\n    demarche resolve {id} --sent --note \"…\"\n    demarche resolve {id} --not-sent --note \"…\"\n\n"
        )));
    }
    let timing = Timing::new(batch, load(batch), None).line();
    text.push_str(&prose.fitted(&format!("The real batch: {timing}.\ndigest: {}", batch.digest())));
    context.screen.result(&text);
}

fn print_json(context: &Context, records: &[DeliveryRecord], wrong: &[String], seed: u64, batch: &Batch, held: usize) {
    let mut counts = crate::domain::record::Counts::default();
    for record in records {
        counts.add(record.state, 1);
    }
    context.screen.json(&json!({
        "seed": seed,
        "digest": batch.digest(),
        "counts": counts,
        "server_holds": held,
        "disagreements": wrong,
        "deliveries": records.iter().map(|record| json!({ "id": record.id, "state": record.state.name() })).collect::<Vec<_>>(),
    }));
}

/// Where the rehearsal's files are: kept, or gone afterwards.
enum Folder {
    Kept(std::path::PathBuf),
    Gone(std::path::PathBuf),
}

impl Folder {
    fn new(keep: Option<&Path>) -> Result<Self, Failure> {
        let make = |path: &Path| {
            std::fs::create_dir_all(path).map_err(|error| Failure::cannot_write(path, &error)).map(|()| path.to_owned())
        };
        let Some(path) = keep else {
            let name = format!("demarche-rehearsal-{}-{:016x}", std::process::id(), fastrand::u64(..));
            return Ok(Self::Gone(make(&std::env::temp_dir().join(name))?));
        };
        if path.join("rehearsal.db").exists() || path.join("config.toml").exists() {
            return Err(Failure::new(
                CANNOT_CREATE,
                format!("{} holds a rehearsal or a campaign already", path.display()),
            )
            .help("name another folder, or remove this one"));
        }
        Ok(Self::Kept(make(path)?))
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) | Self::Gone(path) => path,
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Self::Gone(path) = self {
            let _ = std::fs::remove_dir_all(path);
        }
    }
}
