//! `check`: everything is read and rendered, every problem is reported, nothing is sent.

use std::collections::HashMap;

use serde_json::json;

use crate::cli::CheckArgs;
use crate::diagnostic::{Diagnostic, Severity, any_error};

use super::Context;
use super::approval::Standing;
use super::exit::{CONFIG, Failure, OK};
use super::online;
use super::prepare::{Batch, Purpose, batch};
use super::timing::{Timing, load};
use super::underway::Underway;

pub(super) fn run(context: &Context, args: &CheckArgs) -> Result<u8, Failure> {
    let mut batch = match batch(context, Purpose::Look) {
        Ok(batch) => batch,
        Err(Failure::Problems { code, diagnostics }) if args.json => {
            context.screen.json(&problems_json(&diagnostics));
            return Ok(code);
        }
        Err(failure) => return Err(failure),
    };
    let mut found = std::mem::take(&mut batch.diagnostics);
    found.extend(Underway::look(&batch)?.warning(&batch.config.settings));
    let timing = Timing::new(&batch, load(&batch), None);
    found.extend(timing.too_late());
    let code = if any_error(&found) { CONFIG } else { OK };
    // What the ledger cannot tell is for the commands that need it to say.
    let standing = Standing::look(&batch.config, batch.digest()).ok();
    let online = args.online.then(|| online::look(context, &batch, args.resolver));
    if let Some(Ok(online)) = &online {
        found.extend(online.problems.iter().cloned());
    }
    if args.json {
        context.screen.json(&report_json(&batch, &timing, &found, standing.as_ref()));
    } else {
        context.screen.all_problems(&found);
        context.screen.result(&summary(context, &batch, &timing, standing.as_ref(), !any_error(&found)));
    }
    match online {
        Some(Ok(online)) => {
            if !args.json {
                context.screen.result(&online.lines);
            }
            Ok(if code == OK { online.code } else { code })
        }
        Some(Err(failure)) => Err(failure),
        None => Ok(code),
    }
}

fn summary(context: &Context, batch: &Batch, timing: &Timing<'_>, standing: Option<&Standing>, good: bool) -> String {
    let load = load(batch);
    let suppressed = batch.rows.len() as u64 - load.letters;
    let suppressed = if suppressed > 0 { format!(", {suppressed} suppressed") } else { String::new() };
    let largest = batch.sizes.iter().max().copied().unwrap_or(0);
    let letters = format!(
        "{} to {} addresses{suppressed} ({}); the largest has {}",
        load.letters,
        load.recipients,
        languages(batch),
        online::octets(largest)
    );
    let coverage = if batch.coverage.expected == 0 {
        "no audience is set, so nobody can be missing".to_owned()
    } else {
        format!("{} ({})", batch.coverage.line(), batch.config.recipients.audience)
    };
    let style = context.screen.style();
    let mut text: String = [("Letters:", letters), ("Coverage:", coverage), ("Pace:", timing.line())]
        .iter()
        .map(|(head, words)| style.hanging(&format!("{head:11}"), words))
        .collect();
    text.push_str(&format!("Digest:    {}\n", batch.digest()));
    if let Some(line) = standing.and_then(Standing::line) {
        text.push_str(&style.hanging("Approved:  ", &line));
    }
    if good {
        text.push_str("No errors. Next: `demarche preview` to look at them, `demarche rehearse` to try it.\n");
    }
    text
}

fn languages(batch: &Batch) -> String {
    let mut languages: HashMap<String, u64> = HashMap::new();
    for row in batch.rows.iter().filter(|row| row.suppressed.is_none()) {
        let language = row.recipient.language.as_ref().unwrap_or(&batch.config.settings.default_language);
        *languages.entry(language.to_string()).or_default() += 1;
    }
    let mut languages: Vec<(String, u64)> = languages.into_iter().collect();
    languages.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    languages.into_iter().map(|(language, count)| format!("{count} {language}")).collect::<Vec<_>>().join(", ")
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

fn report_json(
    batch: &Batch,
    timing: &Timing<'_>,
    found: &[Diagnostic],
    standing: Option<&Standing>,
) -> serde_json::Value {
    let (errors, warnings) = split(found);
    json!({
        "errors": errors,
        "warnings": warnings,
        "coverage": batch.coverage.to_json(),
        "estimate": { "seconds": timing.seconds(), "finishes_at": timing.end.to_string(), "words": timing.line() },
        "letters": load(batch).letters,
        "approvals": { "needed": batch.config.approvals, "by": standing.map_or_else(Vec::new, Standing::people) },
        "largest": batch.sizes.iter().max(),
        "digest": batch.digest(),
    })
}

fn problems_json(diagnostics: &[Diagnostic]) -> serde_json::Value {
    let (errors, warnings) = split(diagnostics);
    json!({ "errors": errors, "warnings": warnings, "coverage": null, "estimate": null })
}
