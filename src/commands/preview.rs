//! `preview`: the dry run. Each letter as a file, a page to look at them all, and the digest that approves them.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::cli::PreviewArgs;
use crate::clock;
use crate::domain::coverage::Coverage;
use crate::preview::{Item, Page, Preview, PreviewError};
use crate::roster::Row;

use super::approval::Standing;
use super::exit::{CANNOT_CREATE, DATA, Failure, OK};
use super::prepare::{Batch, Purpose, batch, name_of, preview_stamp};
use super::underway::Underway;
use super::{Context, underway};

pub(super) fn run(context: &Context, args: &PreviewArgs) -> Result<u8, Failure> {
    let batch = batch(context, Purpose::Look)?;
    let chosen = batch.select(&args.only)?;
    context.screen.problems(&batch.diagnostics);
    let folder = args.out.clone().unwrap_or_else(|| batch.config.folder.join("preview"));
    let rows: Vec<&Row> = batch
        .rows
        .iter()
        .filter(|row| chosen.as_ref().is_none_or(|chosen| chosen.contains(&row.recipient.id)))
        .filter(|row| row.suppressed.is_none())
        .collect();
    let suppressed = batch.rows.iter().filter(|row| row.suppressed.is_some()).count();
    if suppressed > 0 {
        context.screen.say(&format!("{suppressed} rows are suppressed: they get no letter, and none is shown."));
    }
    let (already, refresh) = already_sent(&batch)?;
    if !already.is_empty() {
        context.screen.say(&already);
    }
    let (index, json) = write(&batch, &rows, &folder)?;
    if let Some(line) = Standing::look(&batch.config, batch.digest())?.line() {
        context.screen.say(&format!("Approved: {line}."));
    }
    if args.json {
        context.screen.json(&json);
    } else {
        context.screen.result(&format!(
            "{} letters in {}\n{}Look at them: {}\nThen send exactly these: demarche send --approve {}{}\ndigest: {}\n",
            rows.len(),
            index.parent().unwrap_or(&index).display(),
            if batch.coverage.expected == 0 { String::new() } else { format!("Coverage: {}\n", batch.coverage.line()) },
            index.display(),
            batch.digest(),
            if refresh { " --refresh" } else { "" },
            batch.digest(),
        ));
    }
    if args.open
        && let Err(error) = open::that_detached(&index)
    {
        tracing::info!(%error, "no browser");
        context.screen.warn(&format!("no browser could be opened: open {} yourself", index.display()));
    }
    Ok(OK)
}

/// What a campaign that is under way makes of these letters, in words; and whether sending what is shown takes a `--refresh`.
fn already_sent(batch: &Batch) -> Result<(String, bool), Failure> {
    let underway = Underway::look(batch)?;
    let mut text = String::new();
    if let Some(from) = &underway.moved_from {
        let moved = underway::moved(from, &batch.config.settings, &underway.changed, &underway.settled_changed);
        text.push_str(&format!("Mind that {moved}.\n"));
    }
    if underway.settled > 0 {
        text.push_str(&format!("Of these letters, {} went out already and are not sent again.\n", underway.settled));
    }
    let old = underway.changed.len();
    if old > 0 {
        text.push_str(&format!(
            "{old} still to go were frozen with another text when the campaign began: `demarche send --refresh` sends \
             what is shown here.\n"
        ));
    }
    Ok((text, old > 0))
}

fn write(batch: &Batch, rows: &[&Row], folder: &Path) -> Result<(PathBuf, serde_json::Value), Failure> {
    let failed = |error: PreviewError| Failure::new(CANNOT_CREATE, error.to_string());
    let mut preview = Preview::create(folder).map_err(failed)?;
    let now = clock::now();
    for row in rows {
        let recipient = &row.recipient;
        let composed = batch
            .composer
            .compose(recipient, &preview_stamp(&batch.composer, recipient, now))
            .map_err(|diagnostics| Failure::Problems { code: DATA, diagnostics })?;
        let addresses =
            |mailboxes: &[crate::domain::mailbox::Mailbox]| mailboxes.iter().map(ToString::to_string).collect();
        let html = composed.rendered.page();
        let item = Item {
            id: recipient.id.to_string(),
            name: name_of(recipient),
            state: recipient.state,
            language: composed.message.language.clone(),
            to: addresses(&recipient.to),
            cc: addresses(&recipient.cc),
            bcc: addresses(&recipient.bcc),
            subject: composed.message.subject.clone(),
            bytes: composed.message.bytes.len() as u64,
            digest: composed.message.digest,
            text: composed.rendered.text,
            html,
            attachments: composed.attachments,
        };
        preview.add(item, &composed.message.bytes).map_err(failed)?;
    }
    let settings = &batch.config.settings;
    let page = Page {
        campaign: settings.campaign_name.clone(),
        digest: batch.digest(),
        event: settings
            .event
            .as_ref()
            .map(|event| format!("{}, {}", event.name, event.local().strftime("%-d %B %Y, %H:%M"))),
        from: settings.from.to_string(),
        expected: batch.coverage.expected,
        missing: Coverage::names(&batch.coverage.missing),
        doubled: Coverage::names(&batch.coverage.doubled),
        foreign: batch.coverage.foreign.iter().map(ToString::to_string).collect(),
        suppressed: suppressed_states(batch),
        generated: now,
    };
    let mut json = preview.to_json(batch.digest());
    json["coverage"] = batch.coverage.to_json();
    let index = preview.finish(&page).map_err(failed)?;
    Ok((index, json))
}

/// The names of states of the audience all of whose rows are suppressed.
fn suppressed_states(batch: &Batch) -> Vec<String> {
    let expected = batch.config.recipients.audience.states();
    let served: HashSet<_> =
        batch.rows.iter().filter(|row| row.suppressed.is_none()).filter_map(|row| row.recipient.state).collect();
    let has_row: HashSet<_> = batch.rows.iter().filter_map(|row| row.recipient.state).collect();
    let left_out = expected.iter().filter(|state| has_row.contains(&state.code) && !served.contains(&state.code));
    left_out.map(|state| state.name("en").to_owned()).collect()
}
