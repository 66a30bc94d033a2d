//! `check`: everything is read and rendered, every problem is reported, nothing is sent.

use std::collections::{HashMap, HashSet};

use serde_json::json;

use crate::cli::CheckArgs;
use crate::clock;
use crate::diagnostic::{Diagnostic, Severity};
use crate::domain::estimate::{Load, finishes_at};
use crate::domain::mailbox::Mailbox;
use crate::domain::recipient::RecipientId;
use crate::domain::state::{State, StateCode};
use crate::report::duration;
use crate::smtp::Connector;

use super::exit::{Failure, OK, UNAVAILABLE};
use super::prepare::{Batch, Purpose, batch};
use super::{Context, drive};

pub(super) fn run(context: &Context, args: &CheckArgs) -> Result<u8, Failure> {
    match batch(context, Purpose::Look) {
        Ok(batch) => {
            if args.json {
                context.screen.json(&report_json(&batch));
            } else {
                context.screen.all_problems(&batch.diagnostics);
                context.screen.result(&summary(&batch));
            }
            if args.online { online(context, &batch) } else { Ok(OK) }
        }
        Err(Failure::Problems { code, diagnostics }) if args.json => {
            context.screen.json(&problems_json(&diagnostics));
            Ok(code)
        }
        Err(failure) => Err(failure),
    }
}

fn online(context: &Context, batch: &Batch) -> Result<u8, Failure> {
    let connector = Connector::new(batch.config.relay.clone())?;
    let relay = connector.relay().clone();
    let largest = batch.octets / (batch.rows.len() as u64).max(1);
    drive::block_on(async {
        match connector.open().await {
            Ok(session) => {
                let offers = session.capabilities().clone();
                session.quit().await;
                let size = offers.size.map_or("no size limit said".to_owned(), |size| {
                    format!(
                        "letters up to {:.1} MiB, these are about {:.1} KiB each",
                        mebibytes(size),
                        mebibytes(largest) * 1024.0
                    )
                });
                context.screen.result(&format!(
                    "Relay: {} on port {} answers ({}{}); {size}.",
                    relay.host,
                    relay.port,
                    relay.security.described(),
                    if relay.login.is_some() { ", and takes the login" } else { "" },
                ));
                Ok(OK)
            }
            Err(fault) => Err(Failure::new(
                UNAVAILABLE,
                format!("no session with {} on port {}: {fault}", relay.host, relay.port),
            )
            .help("look at [smtp] in the config: host, port, security, username and password")),
        }
    })
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn mebibytes(octets: u64) -> f64 {
    octets as f64 / 1024.0 / 1024.0
}

/// What a batch asks of the relay.
pub(super) fn load(batch: &Batch) -> Load {
    load_of(batch, |_| true)
}

/// What the chosen rows of a batch ask of the relay.
pub(super) fn load_of(batch: &Batch, chosen: impl Fn(&RecipientId) -> bool) -> Load {
    let mut load = Load::default();
    let mut domains: HashMap<&str, u64> = HashMap::new();
    for row in batch.rows.iter().filter(|row| row.suppressed.is_none() && chosen(&row.recipient.id)) {
        load.letters += 1;
        load.recipients += batch.composer.addresses(&row.recipient).len() as u64;
        let of_row: HashSet<&str> = row.recipient.to.iter().chain(&row.recipient.cc).map(Mailbox::domain).collect();
        for domain in of_row {
            *domains.entry(domain).or_default() += 1;
        }
    }
    load.busiest_domain = domains.into_values().max().unwrap_or(0);
    load
}

/// How long the batch takes at its pace, in seconds, if anything limits it.
pub(super) fn seconds(batch: &Batch, load: Load) -> u64 {
    let now = clock::now();
    let pace = &batch.config.pace;
    let end = finishes_at(load, &pace.rates, &pace.per_domain, pace.hours.as_ref(), now);
    u64::try_from(end.duration_since(now).as_secs()).unwrap_or(0)
}

/// "193 letters at 30/min take 6 min 24 s", with what it means for the event.
pub(super) fn pace_line(batch: &Batch, load: Load) -> String {
    let pace = &batch.config.pace;
    let mut limits: Vec<String> = pace.rates.iter().map(ToString::to_string).collect();
    limits.extend(pace.per_domain.iter().map(|rate| format!("{rate} to one domain")));
    limits.extend(pace.hours_shown.iter().cloned());
    if limits.is_empty() {
        return "no rate is set: as fast as the relay takes them".to_owned();
    }
    let seconds = seconds(batch, load);
    let mut line = format!("at {}: {}", limits.join(", "), duration(seconds));
    if let Some(event) = &batch.config.settings.event {
        let end = clock::now() + jiff::SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
        let spare = event.at.duration_since(end).as_secs();
        if let Ok(spare) = u64::try_from(spare) {
            line.push_str(&format!("; done {} before the event", duration(spare)));
        } else if event.at > clock::now() {
            line.push_str("; that is AFTER the event has begun");
        }
    }
    line
}

fn summary(batch: &Batch) -> String {
    let load = load(batch);
    let suppressed = batch.rows.len() as u64 - load.letters;
    let mut languages: HashMap<String, u64> = HashMap::new();
    for row in &batch.rows {
        let language = row.recipient.language.as_ref().unwrap_or(&batch.config.settings.default_language);
        *languages.entry(language.to_string()).or_default() += 1;
    }
    let mut languages: Vec<(String, u64)> = languages.into_iter().collect();
    languages.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let languages: Vec<String> = languages.into_iter().map(|(language, count)| format!("{count} {language}")).collect();
    let coverage = &batch.coverage;
    let coverage_line = if coverage.expected == 0 {
        "no audience is set, so nobody can be missing".to_owned()
    } else if coverage.missing.is_empty() {
        format!("all {} of {}", coverage.expected, batch.config.recipients.audience)
    } else {
        let names: Vec<&str> = coverage.missing.iter().take(10).map(|code| code.state().name("en")).collect();
        let more = coverage.missing.len().saturating_sub(10);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{} of {}; missing: {}{more}", coverage.present, coverage.expected, names.join(", "))
    };
    let suppressed = if suppressed > 0 { format!(", {suppressed} suppressed") } else { String::new() };
    format!(
        "Letters:   {} to {} addresses{suppressed} ({})\nCoverage:  {coverage_line}\nPace:      {}\nDigest:    {}\n\
         No errors. Next: `demarche preview` to look at them, `demarche rehearse` to try it.\n",
        load.letters,
        load.recipients,
        languages.join(", "),
        pace_line(batch, load),
        batch.digest(),
    )
}

fn split(diagnostics: &[Diagnostic]) -> (Vec<serde_json::Value>, Vec<serde_json::Value>) {
    let of = |error: bool| {
        diagnostics
            .iter()
            .filter(|d| if error { d.severity == Severity::Error } else { d.severity == Severity::Warning })
            .map(Diagnostic::to_json)
            .collect()
    };
    (of(true), of(false))
}

fn report_json(batch: &Batch) -> serde_json::Value {
    let (errors, warnings) = split(&batch.diagnostics);
    let load = load(batch);
    let seconds = seconds(batch, load);
    let end = clock::now() + jiff::SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    json!({
        "errors": errors,
        "warnings": warnings,
        "coverage": {
            "expected": batch.coverage.expected,
            "present": batch.coverage.present,
            "missing": batch.coverage.missing.iter().map(StateCode::as_str).collect::<Vec<_>>(),
            "doubled": batch.coverage.doubled.iter().map(StateCode::as_str).collect::<Vec<_>>(),
            "foreign": batch.coverage.foreign.iter().map(ToString::to_string).collect::<Vec<_>>(),
        },
        "estimate": { "seconds": seconds, "finishes_at": end.to_string() },
        "letters": load.letters,
        "digest": batch.digest(),
    })
}

fn problems_json(diagnostics: &[Diagnostic]) -> serde_json::Value {
    let (errors, warnings) = split(diagnostics);
    json!({ "errors": errors, "warnings": warnings, "coverage": null, "estimate": null })
}

/// The names of states that a campaign's audience expects and `present` does not hold.
pub(super) fn missing_names(expected: &[&'static State], present: &HashSet<String>) -> Vec<String> {
    expected
        .iter()
        .filter(|state| !present.contains(state.code.as_str()))
        .map(|state| state.name("en").to_owned())
        .collect()
}
