//! `report --pack` and `report --verify`: evidence that others can check.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::config::Config;
use crate::domain::digest::Digest;
use crate::domain::message::Stamp;
use crate::domain::recipient::RecipientId;
use crate::domain::record::{DeliveryRecord, RunRecord};
use crate::domain::reply::visible;
use crate::domain::run::approved_before;
use crate::domain::size::size;
use crate::evidence::{self, EvidenceError, Made, Pack, Record, Verdict, message_name, source_name};
use crate::ledger::{HandedOver, Ledger, LedgerError, Reader};
use crate::report::{Dossier, REHEARSAL, html, report_json};

use super::exit::{CANNOT_CREATE, DATA, FAILED, Failure, IO, OK, USAGE};
use super::frozen::Frozen;
use super::{Context, dossier, recomputed, recovered};

/// Writes a pack. The ledger is held meanwhile, so that no run changes it between one file of the pack and the next.
pub(super) fn pack(context: &Context, config: &Config, path: &Path) -> Result<u8, Failure> {
    if path.exists() {
        let shown = path.display();
        return Err(Failure::new(CANNOT_CREATE, format!("{shown} is there already, and a pack replaces no file")).help(
            "its manifest's digest may have been handed on, and the new pack would have another: name another file, or move \
             that one away",
        ));
    }
    let ledger = Ledger::open(&config.ledger, false, "report")?;
    recovered::sort_out(context, &ledger, config)?;
    let reader = ledger.reader()?;
    let dossier = dossier::gather(&reader, config)?;
    let partial = partial(path);
    let cannot = |error: &std::io::Error| Failure::cannot_write(path, error);
    let file = File::create(&partial).map_err(|error| cannot(&error))?;
    let written = write(&reader, &dossier, file).and_then(|(made, missing)| {
        fs::rename(&partial, path).map_err(|error| cannot(&error))?;
        Ok((made, missing))
    });
    if written.is_err() {
        // Half a pack is none; that it cannot be removed is not the news.
        let _ = fs::remove_file(&partial);
    }
    let (made, missing) = written?;
    for line in &missing {
        context.screen.warn(&format!("not in the pack: {line}"));
    }
    if dossier.facts.rehearsal {
        context.screen.warn(&format!("{REHEARSAL}: this is the evidence of a try, and says so in every part"));
    }
    context.screen.result_in_sentences(&format!(
        "Evidence: {}, {} files, {} unpacked\nmanifest: {}\nHand that digest on by another way than the pack: whoever has it can \
         tell whether anything was changed.\nCheck:    demarche report --verify {}\n",
        path.display(),
        made.files,
        size(made.octets),
        made.manifest,
        path.display()
    ));
    Ok(if missing.is_empty() { OK } else { FAILED })
}

fn partial(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    path.with_file_name(name)
}

/// Everything of a pack, in the order in which somebody would open it; and the messages that could not be made again.
fn write(reader: &Reader, dossier: &Dossier, file: File) -> Result<(Made, Vec<String>), Failure> {
    let mut pack = Pack::new(BufWriter::new(file));
    let json = serde_json::to_vec_pretty(&report_json(dossier)).unwrap_or_default();
    for (name, bytes) in [
        ("README.txt", readme(dossier).as_bytes()),
        ("report.html", html(dossier).as_bytes()),
        ("report.csv", &dossier::table(dossier)?),
        ("report.json", &json),
    ] {
        pack.add_bytes(name, bytes).map_err(|error| failed(&error))?;
    }
    write_ledger(reader, &mut pack)?;
    let missing = write_messages(reader, &dossier.records, &mut pack)?;
    for digest in reader.source_digests()? {
        if let Some(bytes) = reader.source(digest)? {
            pack.add_bytes(&source_name(digest), &bytes).map_err(|error| failed(&error))?;
        }
    }
    let (made, out) = pack.finish().map_err(|error| failed(&error))?;
    let synced = out.into_inner().map_err(std::io::IntoInnerError::into_error).and_then(|file| file.sync_all());
    synced.map_err(|error| failed(&error.into()))?;
    Ok((made, missing))
}

fn readme(dossier: &Dossier) -> String {
    let rehearsal =
        if dossier.facts.rehearsal { format!("{REHEARSAL}. This is the record of a try.\n\n") } else { String::new() };
    format!("{rehearsal}{}", evidence::README)
}

fn failed(error: &EvidenceError) -> Failure {
    Failure::new(CANNOT_CREATE, format!("the evidence pack cannot be written: {error}"))
}

fn write_ledger(reader: &Reader, pack: &mut Pack<BufWriter<File>>) -> Result<(), Failure> {
    let mut refused: Option<LedgerError> = None;
    pack.add("ledger.jsonl", |out| {
        let exported = reader.export(&mut |line| {
            serde_json::to_writer(&mut *out, line)
                .map_err(std::io::Error::from)
                .and_then(|()| out.write_all(b"\n"))
                .map_err(|error| LedgerError::Io { what: format!("the pack: {error}") })
        });
        exported.map_err(|error| {
            let told = std::io::Error::other(error.to_string());
            refused = Some(error);
            told
        })
    })
    .map(drop)
    .map_err(|error| refused.map_or_else(|| failed(&error), Failure::from))
}

/// Every message that was handed over, made again from what is frozen and checked against the record; one at a time.
fn write_messages(
    reader: &Reader,
    records: &[DeliveryRecord],
    pack: &mut Pack<BufWriter<File>>,
) -> Result<Vec<String>, Failure> {
    let frozen = Frozen::again(reader)?;
    let mut missing = Vec::new();
    for record in records {
        for attempt in reader.handed_over(record)? {
            let name = message_name(&record.id, attempt.number);
            match message(&frozen, &record.id, &attempt) {
                Ok(bytes) => {
                    pack.add_bytes(&name, &bytes).map_err(|error| failed(&error))?;
                }
                Err(why) => missing.push(format!("{name}: {why}")),
            }
        }
    }
    if !missing.is_empty() {
        let text = missing.join("\n") + "\n";
        pack.add_bytes("messages/missing.txt", text.as_bytes()).map_err(|error| failed(&error))?;
    }
    Ok(missing)
}

/// The bytes of an attempt. Rendering follows from what is frozen, so that they are the same again; the digest proves it.
fn message(frozen: &Frozen, id: &RecipientId, attempt: &HandedOver) -> Result<Vec<u8>, String> {
    let composer = frozen.edition(attempt.edition)?;
    let stamp = Stamp { message_id: attempt.message_id.clone(), date: attempt.date };
    let composed = composer.compose(&attempt.recipient, &stamp).map_err(|problems| {
        problems.first().map_or_else(|| format!("{id} cannot be rendered"), |problem| problem.message.clone())
    })?;
    if Digest::of(&composed.message.bytes) == attempt.bytes_digest {
        return Ok(composed.message.bytes);
    }
    Err("made again, it is not what was handed over: another version of the program sent it, or the row was corrected \
         since by a version that did not keep the earlier one"
        .to_owned())
}

/// Checks a pack, anybody's, without a campaign folder.
pub(super) fn verify(context: &Context, path: &Path, expect: Option<&str>, as_json: bool) -> Result<u8, Failure> {
    let expect = expect.map(str::parse::<Digest>).transpose();
    let expect = expect.map_err(|error| Failure::new(USAGE, format!("--expect: {error}")))?;
    let (mut verdict, claims) = evidence::verify(path, expect).map_err(|error| unreadable(path, &error))?;
    let record = claims.as_ref().map(|claims| claims.record.clone()).unwrap_or_default();
    if let Some(what) =
        expect.filter(|expect| verdict.manifest != Some(*expect)).and_then(|it| known(it, &verdict, &record))
    {
        return Err(Failure::new(
            USAGE,
            format!("--expect: by this pack, that is the digest {what}, not the manifest's; nothing was compared"),
        )
        .help(
            "--expect takes the digest that `demarche report --pack` printed as the manifest's: it alone tells whether anybody \
             changed the pack",
        ));
    }
    match claims.map_or(Ok(Vec::new()), |claims| recomputed::compare(&claims)) {
        Ok(findings) => verdict.findings.extend(findings),
        Err(why) => context.screen.warn(&why),
    }
    if as_json {
        context.screen.json(&verdict_json(&verdict, &record));
    } else {
        context.screen.result_in_sentences(&told(&verdict, &record, path, expect.is_some()));
    }
    Ok(if verdict.findings.is_empty() { OK } else { DATA })
}

/// What a digest stands for that is not the manifest's, if the pack knows it: the campaign has several, and they look alike.
fn known(digest: Digest, verdict: &Verdict, record: &Record) -> Option<String> {
    if verdict.batch == Some(digest) {
        return Some("of the batch".to_owned());
    }
    if let Some(run) = record.runs.iter().find(|run| run.began.digest == Some(digest)) {
        return Some(format!("of the batch of run {}", run.run));
    }
    let approved = record.approvals.iter().any(|approval| approval.digest == digest);
    approved.then(|| "of a batch that was approved".to_owned())
}

fn unreadable(path: &Path, error: &EvidenceError) -> Failure {
    let shown = path.display();
    match error {
        EvidenceError::Io(error) => Failure::new(IO, format!("{shown} cannot be read: {error}")),
        EvidenceError::Zip(error) => Failure::new(DATA, format!("{shown} is no evidence pack, or is damaged: {error}"))
            .help("a pack is the ZIP file that `demarche report --pack` writes"),
    }
}

fn told(verdict: &Verdict, record: &Record, path: &Path, expected: bool) -> String {
    /// More than anybody reads.
    const LISTED: usize = 200;
    let mut text =
        if verdict.rehearsal { format!("{REHEARSAL}. This is the record of a try.\n") } else { String::new() };
    for finding in verdict.findings.iter().take(LISTED) {
        text.push_str(&format!("WRONG  {finding}\n"));
    }
    if verdict.findings.len() > LISTED {
        text.push_str(&format!("and {} more\n", verdict.findings.len() - LISTED));
    }
    let shown = path.display();
    if verdict.findings.is_empty() {
        let whole = if expected { "is in order" } else { "is consistent in itself" };
        text.push_str(&format!(
            "{shown} {whole}: {} files as the manifest has them, {} messages that were handed over as they are on record, {} recipients.\n",
            verdict.files, verdict.messages, verdict.deliveries
        ));
    } else {
        text.push_str(&format!("{shown} is NOT in order: see above.\n"));
    }
    if verdict.not_made > 0 {
        text.push_str(&format!(
            "{} messages that were handed over are not in it; messages/missing.txt in it says why.\n",
            verdict.not_made
        ));
    }
    if let Some(batch) = verdict.batch.filter(|_| verdict.deliveries > 0) {
        let before = approved_before(record.runs.iter().map(|run| (run.attempts, &run.began)));
        let who = match before.filter(|_| verdict.approved_by.is_empty()) {
            Some(before) => format!("what is on record now; {}", visible(&before)),
            None if verdict.approved_by.is_empty() => "approved by nobody, by the record".to_owned(),
            None => format!("approved by {}", verdict.approved_by.join(", ")),
        };
        text.push_str(&format!("batch:    {batch}, {who}\n"));
    }
    for run in record.runs.iter().filter(|_| !verdict.rehearsal) {
        text.push_str(&run_told(run, record));
    }
    if let Some(manifest) = verdict.manifest {
        if !expected {
            text.push_str("Whether anybody changed it, only the manifest's digest tells: compare with the one that was handed on.\n");
        }
        text.push_str(&format!("manifest: {manifest}\n"));
        if !expected {
            text.push_str(&format!("    demarche report --verify {shown} --expect MANIFEST-DIGEST\n"));
        }
    }
    text
}

/// `run 1:    2021-10-20 14:02 UTC, with batch 4bb2…, approved by The Chair before it began`.
fn run_told(run: &RunRecord, record: &Record) -> String {
    let with = run.began.digest.map_or_else(String::new, |digest| format!(", with batch {digest}"));
    let cover = visible(&run.began.cover(run.started_at, &record.approvals).described());
    format!("{:<10}{}{with}, {cover}\n", format!("run {}:", run.run), run.started_at.strftime("%Y-%m-%d %H:%M UTC"))
}

/// `{"in_order", "rehearsal", "manifest", "batch", "approved_by", "files", "messages", "deliveries", "not_made", "findings", "runs"}`.
fn verdict_json(verdict: &Verdict, record: &Record) -> serde_json::Value {
    json!({
        "in_order": verdict.findings.is_empty(),
        "rehearsal": verdict.rehearsal,
        "manifest": verdict.manifest,
        "batch": verdict.batch,
        "approved_by": verdict.approved_by,
        "files": verdict.files,
        "messages": verdict.messages,
        "deliveries": verdict.deliveries,
        "not_made": verdict.not_made,
        "findings": verdict.findings,
        "runs": record.runs,
    })
}
