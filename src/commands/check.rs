//! `check`: everything is read and rendered, every problem is reported, nothing is sent.

use std::collections::HashMap;

use serde_json::json;

use crate::cli::CheckArgs;
use crate::diagnostic::{Diagnostic, Severity, any_error};
use crate::domain::prose::letters;
use crate::domain::size::size;

use super::Context;
use super::approval::Standing;
use super::exit::{CONFIG, Failure, OK};
use super::online::{self, Online};
use super::prepare::{Batch, Purpose, batch};
use super::remarks;
use super::summary::{coverage, digest, left_out};
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
    let (online, unavailable) = match args.online.then(|| online::look(&batch, args.resolver)) {
        Some(Ok(online)) => (Some(online), None),
        Some(Err(failure)) => (None, Some(failure)),
        None => (None, None),
    };
    found.extend(online.iter().flat_map(|online| online.problems.iter().cloned()));
    if args.json {
        context.screen.json(&report_json(&batch, &timing, &found, standing.as_ref()));
    } else {
        context.screen.problems(&found);
        context.screen.result(&summary(
            context,
            &batch,
            &timing,
            &found,
            standing.as_ref(),
            online.as_ref(),
            unavailable.is_none(),
        ));
    }
    match (unavailable, online) {
        (Some(failure), _) => Err(failure),
        (None, Some(online)) if code == OK => Ok(online.code),
        (None, _) => Ok(code),
    }
}

fn summary(
    context: &Context,
    batch: &Batch,
    timing: &Timing<'_>,
    found: &[Diagnostic],
    standing: Option<&Standing>,
    online: Option<&Online>,
    is_reached: bool,
) -> String {
    let load = load(batch);
    let mut letters = vec![format!(
        "{} to {} ({}); the largest has {}",
        letters(load.letters),
        if load.recipients == 1 { "1 address".to_owned() } else { format!("{} addresses", load.recipients) },
        languages(batch),
        size(batch.sizes.iter().max().copied().unwrap_or(0))
    )];
    letters.extend(left_out(batch));
    let mut facts = vec![
        ("Letters", letters.join("\n")),
        ("Coverage", coverage(batch)),
        ("Pace", timing.line()),
        digest(batch.digest()),
    ];
    facts.extend(standing.and_then(Standing::line).map(|line| ("Approved", line)));
    facts.extend(online.into_iter().flat_map(|online| online.facts.iter().cloned()));
    let style = context.screen.prose_style();
    let mut text = style.facts(0, &facts);
    if !any_error(found) && is_reached {
        let remarks = remarks::counts(found);
        let remarks = if remarks.is_empty() { remarks } else { format!(", {remarks}") };
        let next = "Next: `demarche preview` to look, `demarche rehearse` to try.";
        text.push_str(&format!("\n{}", style.fitted(&format!("No errors{remarks}. {next}"))));
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
