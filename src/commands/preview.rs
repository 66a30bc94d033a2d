//! `preview`: the dry run. Each letter as a file, a page to look at them all, and the digest that approves them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::cli::PreviewArgs;
use crate::clock;
use crate::domain::delivery::State;
use crate::ledger::Reader;
use crate::preview::{Item, Page, Preview, PreviewError};
use crate::roster::Row;

use super::exit::{CANNOT_CREATE, DATA, Failure, OK};
use super::prepare::{Batch, Purpose, batch, name_of, preview_stamp};
use super::{Context, frozen};

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
    if args.json {
        context.screen.json(&json);
    } else {
        context.screen.result(&format!(
            "{} letters in {}\nLook at them: {}\nThen send exactly these: demarche send --approve {}{}\ndigest: {}\n",
            rows.len(),
            index.parent().unwrap_or(&index).display(),
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
    if !batch.config.ledger.exists() {
        return Ok((String::new(), false));
    }
    let reader = Reader::open(&batch.config.ledger)?;
    if frozen::same_campaign(&reader, &batch.config.settings).is_err() {
        return Ok((String::new(), false));
    }
    let (mut settled, mut old) = (0_u64, 0_u64);
    let rows: HashMap<_, _> =
        batch.rows.iter().zip(&batch.digests).map(|(row, digest)| (&row.recipient.id, *digest)).collect();
    reader.deliveries(&mut |record| {
        let Some(digest) = rows.get(&record.id) else { return };
        match record.state {
            State::Accepted | State::Uncertain => settled += 1,
            State::Queued | State::Sending | State::HandedOver | State::Deferred if *digest != record.digest => {
                old += 1;
            }
            _ => {}
        }
    })?;
    let mut text = String::new();
    if settled > 0 {
        text.push_str(&format!("Of these letters, {settled} went out already and are not sent again.\n"));
    }
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
        missing: batch.coverage.missing.iter().map(|code| code.state().name("en").to_owned()).collect(),
        generated: now,
    };
    let json = preview.to_json(batch.digest());
    let index = preview.finish(&page).map_err(failed)?;
    Ok((index, json))
}
