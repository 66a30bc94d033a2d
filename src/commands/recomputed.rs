//! The report in a pack, worked out again from the ledger's content in it, and compared.

use std::collections::HashMap;

use serde_json::Value;

use crate::clock;
use crate::domain::audience::Audience;
use crate::domain::coverage::Coverage;
use crate::domain::delivery::State;
use crate::domain::digest::Digest;
use crate::domain::record::Counts;
use crate::domain::reply::visible;
use crate::evidence::{Claims, Record};
use crate::ledger::Ledger;
use crate::report::{self, Dossier, Facts};

/// Parts of report.json that follow from the ledger; the rest is of the config, or rendered.
const FOLLOWS: [&str; 7] = ["rehearsal", "counts", "approvals", "deliveries", "coverage", "runs", "causes"];

/// What report.csv and report.json say that the ledger does not, each in a sentence; or why they could not be compared.
pub(super) fn compare(claims: &Claims) -> Result<Vec<String>, String> {
    let here = env!("CARGO_PKG_VERSION");
    if claims.record.program != here {
        let made = visible(&claims.record.program);
        return Err(format!(
            "version {made} of demarche made it; {here} cannot tell whether the report follows from it"
        ));
    }
    if claims.record.version != Ledger::version() {
        return Err(
            "another version of demarche made it, whose reports have other words: whether they follow from the ledger was not looked \
             at".to_owned()
        );
    }
    let mut findings = Vec::new();
    let said: Value = claims.report.as_deref().and_then(|bytes| serde_json::from_slice(bytes).ok()).unwrap_or_default();
    let dossier = dossier_of(&claims.record, &said);
    if let Some(table) = &claims.table {
        findings.extend(table_differs(&dossier, table));
    }
    if claims.report.is_some() {
        findings.extend(report_differs(&dossier, &said));
    }
    Ok(findings)
}

fn dossier_of(record: &Record, said: &Value) -> Dossier {
    let mut counts = Counts::default();
    for delivery in &record.records {
        counts.add(delivery.state, 1);
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let audience = text(&said["coverage"]["audience"]);
    let meant: Option<Audience> = audience.parse().ok();
    let coverage = match &meant {
        Some(meant) if !record.records.is_empty() => Coverage::of(
            meant,
            record.records.iter().map(|one| (&one.id, one.recipient.state, one.state != State::Suppressed)),
        ),
        _ => Coverage::default(),
    };
    Dossier {
        facts: Facts {
            campaign: text(&said["campaign"]),
            digest: Digest::of(b""),
            missing: Coverage::names(&coverage.missing),
            coverage,
            zone: jiff::tz::TimeZone::UTC,
            now: clock::now(),
            ledger: String::new(),
            resolved: Vec::new(),
            running: None,
            rehearsal: record.rehearsal,
            runs: record.runs.clone(),
            approvals: record.approvals.clone(),
        },
        counts,
        records: record.records.clone(),
        remarks: record.remarks.clone(),
        attempts: HashMap::new(),
        languages: HashMap::new(),
        history: report::History::new(),
        settled: Vec::new(),
        letters: Vec::new(),
        sender: String::new(),
        reply_to: None,
        event: None,
        expected: meant.map_or_else(Vec::new, |meant| meant.states().into_iter().map(|state| state.code).collect()),
        audience,
        approvals_needed: 0,
    }
}

fn table_differs(dossier: &Dossier, table: &[u8]) -> Option<String> {
    let mut follows = Vec::new();
    report::csv(dossier, &mut follows).ok()?;
    if follows == table {
        return None;
    }
    let lines = |bytes: &[u8]| bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let (ours, theirs) = (lines(&follows), lines(table));
    let same = ours.iter().zip(&theirs).take_while(|(ours, theirs)| ours == theirs).count();
    let line = same + 1;
    Some(format!("report.csv: line {line} is not what follows from the ledger"))
}

fn report_differs(dossier: &Dossier, said: &Value) -> Vec<String> {
    let follows = report::report_json(dossier);
    let mut findings = Vec::new();
    for part in FOLLOWS.into_iter().filter(|part| said[part] != follows[part]) {
        let which = if part == "deliveries" { which(&said[part], &follows[part]) } else { String::new() };
        findings.push(format!("report.json: \"{part}\"{which} is not what follows from the ledger"));
    }
    findings
}

/// The rows that differ, up to ten.
fn which(said: &Value, follows: &Value) -> String {
    let rows = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let said: HashMap<String, Value> = rows(said).into_iter().map(|row| (row["id"].to_string(), row)).collect();
    let other = |row: &Value| said.get(&row["id"].to_string()) != Some(row);
    let differ: Vec<String> = rows(follows)
        .iter()
        .filter(|row| other(row))
        .filter_map(|row| Some(visible(row["id"].as_str()?)))
        .take(10)
        .collect();
    if differ.is_empty() { String::new() } else { format!(" of {}", differ.join(", ")) }
}
