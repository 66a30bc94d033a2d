//! `preview`: the dry run. Each letter as a file, pages to look at them all, and the digest that approves them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use crate::cli::PreviewArgs;
use crate::clock;
use crate::compose::Composer;
use crate::domain::coverage::Coverage;
use crate::domain::mailbox::Mailbox;
use crate::domain::recipient::{Rank, Recipient, RecipientId};
use crate::domain::reply::visible;
use crate::domain::state::StateCode;
use crate::letter::Rendered;
use crate::preview::{Addressee, Approvals, Attached, Gets, Item, Moment, Office, Page, Preview, PreviewError, Reach};
use crate::roster::Row;

use super::Context;
use super::approval::Standing;
use super::approved::{self, Approval};
use super::exit::{CANNOT_CREATE, DATA, Failure, OK, what_to_do};
use super::naming::Remarks;
use super::prepare::{Batch, Purpose, batch, name_of, preview_stamp};
use super::sample::{Candidate, sample};
use super::summary::{coverage, left_out};
use super::timing;
use super::underway::{self, Underway};

pub(super) fn run(context: &Context, args: &PreviewArgs) -> Result<u8, Failure> {
    let batch = batch(context, Purpose::Look)?;
    let chosen = batch.select(&args.only)?;
    context.screen.remarks(&batch.diagnostics);
    let folder = args.out.clone().unwrap_or_else(|| {
        // A few letters must not take the place of all of them, which somebody may be reading.
        batch.config.folder.join(if chosen.is_some() { "preview-only" } else { "preview" })
    });
    let remarks = Remarks::of(&batch);
    let wanted = |row: &Row| chosen.as_ref().is_none_or(|chosen| chosen.contains(&row.recipient.id));
    let mut shown: BTreeMap<usize, Option<&'static str>> =
        letters(&batch).filter(|place| wanted(&batch.rows[*place])).map(|place| (place, None)).collect();
    if let Some(most) = args.sample {
        shown = sampled(context, &batch, &remarks, usize::try_from(most).unwrap_or(usize::MAX));
    }
    let underway = Underway::look(&batch)?;
    let already = told(&batch, &underway);
    if !already.is_empty() {
        context.screen.say(&already);
    }
    let approval = approved::read(&batch)?;
    let standing = Standing::look(&batch.config, batch.digest())?;
    let ways = Ways {
        underway: underway.line(letters(&batch).count()),
        command: send_command(context, &batch, !underway.changed.is_empty()),
        approvals: (standing.needed > 0).then(|| Approvals {
            needed: standing.needed,
            people: standing.people().into_iter().map(str::to_owned).collect(),
            command: format!("{}approve {} --by NAME --note TEXT", program(context), batch.digest()),
        }),
    };
    let (index, json) = write(&batch, &shown, &remarks, &approval, &ways, &folder, args.json)?;
    // Before the result, whose last line is the digest.
    if args.open
        && let Err(error) = open::that_detached(&index)
    {
        tracing::info!(%error, "no browser");
        context.screen.warn(&format!("no browser could be opened: open {} yourself", index.display()));
    }
    if let Some(line) = standing.line() {
        context.screen.say(&format!("Approved: {line}."));
    }
    if let Some(mut json) = json {
        json["approvals"] = json!({ "needed": standing.needed, "by": standing.people() });
        context.screen.json(&json);
    } else {
        context.screen.result(&ended(context, &batch, &ways, shown.len(), &index));
    }
    Ok(OK)
}

/// What is told at the end: where the letters are, who gets none, and what sends them. The last line is for scripts.
fn ended(context: &Context, batch: &Batch, ways: &Ways, shown: usize, index: &Path) -> String {
    let total = letters(batch).count();
    let mut written = vec![match shown {
        1 if total == 1 => "1 letter".to_owned(),
        shown if shown < total => format!("{shown} of {total} letters"),
        shown => format!("{shown} letters"),
    }];
    written.extend(left_out(batch));
    let mut facts = vec![("Written", written.join("\n"))];
    if batch.coverage.expected > 0 {
        facts.push(("Coverage", coverage(batch)));
    }
    facts.push(("Look at them", index.display().to_string()));
    let style = context.screen.prose_style();
    let words = if shown < total {
        let of_all =
            format!("The digest and the command below stand for all {total} letters, of which these are {shown}.");
        format!("{of_all}\n{}", ways.words())
    } else {
        ways.words()
    };
    format!("{}\n{}\ndigest: {}\n", style.facts(0, &facts), style.fitted(&words), batch.digest())
}

/// The places of the rows that get a letter.
fn letters(batch: &Batch) -> impl Iterator<Item = usize> {
    batch.rows.iter().enumerate().filter(|(_, row)| row.suppressed.is_none()).map(|(place, _)| place)
}

/// What a campaign that is under way makes of these letters, in words.
fn told(batch: &Batch, underway: &Underway) -> String {
    let mut text = underway.line(letters(batch).count()).map_or_else(String::new, |line| format!("{line}.\n"));
    if let Some(from) = &underway.moved_from {
        let moved = underway::moved(from, &batch.config.settings, &underway.changed, &underway.settled_changed);
        text.push_str(&format!("Mind that {moved}.\n"));
    }
    if !underway.changed.is_empty() {
        text.push_str(&format!(
            "{} still to go were frozen with another text when the campaign began: `demarche send --refresh` sends what is \
             shown here.\n",
            underway.changed.len()
        ));
    }
    text
}

/// How what is shown goes out.
struct Ways {
    /// What became of the letters so far, if any went out.
    underway: Option<String>,
    /// What sends it.
    command: String,
    /// Who has to approve it before, if anybody.
    approvals: Option<Approvals>,
}

impl Ways {
    fn words(&self) -> String {
        match self.approvals.as_ref().filter(|approvals| !approvals.is_enough()) {
            Some(approvals) => format!(
                "{}; each who approves runs\n    {}\nOnly then, {}, send exactly these with\n    {}",
                approvals.so_far(),
                approvals.command,
                approvals.once(),
                self.command
            ),
            None => format!("Then send exactly these, and nothing that changed since, with\n    {}", self.command),
        }
    }
}

/// The program and its config, to be typed where this command was.
pub(super) fn program(context: &Context) -> String {
    if context.config == Path::new("config.toml") {
        return "demarche ".to_owned();
    }
    format!("demarche --config {} ", quoted(&context.config))
}

/// The whole command that sends what the files hold: while letters still to go are frozen with another text, that is `refresh`.
pub(super) fn send_command(context: &Context, batch: &Batch, refresh: bool) -> String {
    let refresh = if refresh { " --refresh" } else { "" };
    format!("{}send --approve {}{refresh}", program(context), batch.digest())
}

/// A path as a shell takes it.
pub(super) fn quoted(path: &Path) -> String {
    let text = visible(&path.display().to_string());
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

fn sampled(context: &Context, batch: &Batch, remarks: &Remarks, most: usize) -> BTreeMap<usize, Option<&'static str>> {
    let places: Vec<usize> = letters(batch).collect();
    let codes: Vec<Vec<&'static str>> = places.iter().map(|place| remarks.codes(*place)).collect();
    let candidates: Vec<Candidate<'_>> = places
        .iter()
        .zip(&codes)
        .map(|(place, codes)| Candidate { row: &batch.rows[*place], size: batch.sizes[*place], codes })
        .collect();
    let (chosen, left_out) = sample(&candidates, &batch.config.settings.default_language, most);
    if left_out > 0 {
        let kinds = if left_out == 1 {
            "1 letter that is the only one of its kind is".to_owned()
        } else {
            format!("{left_out} letters that are the only ones of their kind, or have their own attachment, are")
        };
        context.screen.warn(&format!("{kinds} not in the sample: --sample {} has room for them", most + left_out));
    }
    chosen.into_iter().map(|(at, why)| (places[at], Some(why))).collect()
}

fn write(
    batch: &Batch,
    shown: &BTreeMap<usize, Option<&'static str>>,
    remarks: &Remarks,
    approval: &Approval,
    ways: &Ways,
    folder: &Path,
    wants_json: bool,
) -> Result<(PathBuf, Option<serde_json::Value>), Failure> {
    let failed = |error: PreviewError| {
        let help = match &error {
            PreviewError::Read { source, .. } | PreviewError::Write { source, .. } => what_to_do(source.kind()),
            _ => None,
        };
        let failure = Failure::new(CANNOT_CREATE, error.to_string());
        match help {
            Some(help) => failure.help(help),
            None => failure,
        }
    };
    let planned =
        letters(batch).map(|place| (batch.rows[place].recipient.id.to_string(), batch.digests[place])).collect();
    let mut preview = Preview::create(folder, &batch.config.settings.campaign_name, planned).map_err(failed)?;
    let broken_off = |error: PreviewError| {
        const UNFINISHED: &str = "the preview there is not finished, and its first page says so: run it again";
        match &error {
            PreviewError::Write { source, .. } => Failure::new(CANNOT_CREATE, error.to_string())
                .help(what_to_do(source.kind()).map_or(UNFINISHED.to_owned(), |what| format!("{what}; {UNFINISHED}"))),
            _ => failed(error),
        }
    };
    let mut files = Files::default();
    let now = clock::now();
    for (place, why) in shown {
        let recipient = &batch.rows[*place].recipient;
        let composed = batch
            .composer
            .compose(recipient, &preview_stamp(&batch.composer, recipient, now))
            .map_err(|diagnostics| Failure::Problems { code: DATA, diagnostics })?;
        let attachments = files.attachments(&batch.composer, recipient, &mut preview).map_err(broken_off)?;
        let pictures = files.pictures(&composed.rendered, &mut preview).map_err(broken_off)?;
        let html = composed.rendered.page();
        // A letter's own files come last.
        let first_own = composed.attachments.len().saturating_sub(recipient.attachments.len());
        let own_attachments = composed.attachments[first_own..].to_vec();
        let item = Item {
            id: recipient.id.to_string(),
            name: name_of(recipient),
            state: recipient.state,
            language: composed.message.language.clone(),
            to: addresses(&recipient.to),
            cc: addresses(&recipient.cc),
            bcc: addresses(&[recipient.bcc.as_slice(), batch.config.settings.bcc.as_slice()].concat()),
            subject: composed.message.subject.clone(),
            bytes: composed.message.bytes.len() as u64,
            digest: composed.message.digest,
            text: composed.rendered.text,
            html,
            attachments,
            pictures,
            own_attachments,
            addressee: addressee(recipient),
            warnings: remarks.texts(*place),
            settled: approval.settled(&recipient.id),
            chosen: *why,
            approved: approval.standing(recipient, composed.message.digest),
        };
        preview.add(item, &composed.message.bytes).map_err(broken_off)?;
    }
    let page = page(batch, remarks, approval, ways, now);
    let json = wants_json.then(|| {
        let mut json = preview.to_json(batch.digest());
        json["command"] = json!(ways.command);
        json["coverage"] = batch.coverage.to_json();
        json["coverage"]["reached"] = json!(batch.coverage.reached());
        json
    });
    let index = preview.finish(&page).map_err(broken_off)?;
    Ok((index, json))
}

/// What goes with letters, by path or Content-ID: each is decoded and hashed once.
#[derive(Default)]
struct Files {
    known: HashMap<String, Arc<Attached>>,
}

impl Files {
    /// A letter's attachments, put into the preview.
    fn attachments(
        &mut self,
        composer: &Composer,
        recipient: &Recipient,
        preview: &mut Preview,
    ) -> Result<Vec<Arc<Attached>>, PreviewError> {
        let paths = composer.attachment_paths(recipient).into_iter();
        paths
            .filter_map(|path| composer.attachment(&path).map(|it| (path, it)))
            .map(|(path, it)| self.one(format!("file {path}"), || preview.attach(it.name(), &it.bytes())))
            .collect()
    }

    /// The pictures in a letter's HTML, put into the preview.
    fn pictures(&mut self, rendered: &Rendered, preview: &mut Preview) -> Result<Vec<Arc<Attached>>, PreviewError> {
        let pictures = rendered.pictures.iter();
        pictures.map(|it| self.one(format!("cid {}", it.content_id), || preview.attach(&it.name, &it.bytes))).collect()
    }

    fn one(
        &mut self,
        key: String,
        make: impl FnOnce() -> Result<Arc<Attached>, PreviewError>,
    ) -> Result<Arc<Attached>, PreviewError> {
        if let Some(known) = self.known.get(&key) {
            return Ok(Arc::clone(known));
        }
        let made = make()?;
        self.known.insert(key, Arc::clone(&made));
        Ok(made)
    }
}

fn addresses(mailboxes: &[Mailbox]) -> Vec<String> {
    mailboxes.iter().map(ToString::to_string).collect()
}

fn goes_to_a_placeholder(recipient: &Recipient) -> bool {
    [&recipient.to, &recipient.cc, &recipient.bcc].into_iter().flatten().any(Mailbox::is_placeholder)
}

/// Whom the list has a letter address, by the columns that decide it.
fn addressee(recipient: &Recipient) -> Addressee {
    let name = recipient.name.as_deref().map(str::trim).filter(|name| !name.is_empty()).map(visible);
    // What is no mission has no Permanent Representative.
    let office = match (recipient.rank, recipient.state) {
        (Rank::PermanentRepresentative | Rank::Vacant, None) => Office::Other,
        (Rank::PermanentRepresentative, Some(_)) => Office::Representative,
        (Rank::PermanentObserver, _) => Office::Observer,
        (Rank::ChargeDAffaires, _) => Office::Charge,
        (Rank::Vacant, Some(_)) => Office::Mission,
    };
    Addressee { office, name }
}

fn page(batch: &Batch, remarks: &Remarks, approval: &Approval, ways: &Ways, now: jiff::Timestamp) -> Page {
    let settings = &batch.config.settings;
    let mut languages: HashMap<String, usize> = HashMap::new();
    for place in letters(batch) {
        let language = batch.rows[place].recipient.language.as_ref().unwrap_or(&settings.default_language);
        *languages.entry(language.to_string()).or_default() += 1;
    }
    let mut languages: Vec<(String, usize)> = languages.into_iter().collect();
    languages.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let coverage = reach(batch);
    // Those of the audience are told with its coverage.
    let told: HashSet<&str> =
        coverage.iter().filter_map(|reach| reach.row.as_ref()).map(|(id, _)| id.as_str()).collect();
    let without = |row: &Row| {
        let reason = row.suppressed.clone().filter(|_| !told.contains(row.recipient.id.as_str()))?;
        Some((name_of(&row.recipient), reason))
    };
    let without = batch.rows.iter().filter_map(without).collect();
    let inside: HashSet<StateCode> = coverage.iter().map(|reach| reach.state).collect();
    let is_beyond = |place: &usize| batch.rows[*place].recipient.state.is_none_or(|code| !inside.contains(&code));
    let beyond = if coverage.is_empty() { 0 } else { letters(batch).filter(is_beyond).count() };
    Page {
        campaign: settings.campaign_name.clone(),
        digest: batch.digest(),
        command: ways.command.clone(),
        approvals: ways.approvals.clone(),
        underway: ways.underway.clone(),
        event: settings.event.as_ref().map(|event| Moment {
            text: format!("{}, {}", event.name, timing::on(event).trim_start_matches("on ")),
            away: timing::away(event.at, now),
            is_past: event.at <= now,
        }),
        dates: timing::dates(&settings.vars, now)
            .into_iter()
            .map(|(name, date, away, is_past)| Moment {
                text: format!("{} {date}", name.replace('_', " ")),
                away,
                is_past,
            })
            .collect(),
        placeholders: letters(batch).filter(|place| goes_to_a_placeholder(&batch.rows[*place].recipient)).count(),
        archive: addresses(&settings.bcc),
        from: settings.from.to_string(),
        reply_to: settings.reply_to.as_ref().map(ToString::to_string),
        languages,
        octets: letters(batch).map(|place| batch.sizes[place]).sum(),
        without,
        beyond,
        coverage,
        doubled: Coverage::names(&batch.coverage.doubled),
        foreign: batch.coverage.foreign.iter().map(with_name).collect(),
        warnings: remarks.general.clone(),
        approved: approval.as_a_whole(batch),
        generated: now,
    }
}

/// `Honduras (HND)`; an id that is no state's code stands for itself.
fn with_name(id: &RecipientId) -> String {
    StateCode::parse(id.as_str()).map_or_else(|| id.to_string(), |code| format!("{} ({id})", code.state().name("en")))
}

/// Each state of the audience, with the row that decides what it gets: one with a letter before one without.
fn reach(batch: &Batch) -> Vec<Reach> {
    let mut rows = HashMap::new();
    for row in &batch.rows {
        let Some(state) = row.recipient.state else { continue };
        let gets = row.suppressed.clone().map_or(Gets::Letter, Gets::Nothing);
        let known = rows.entry(state).or_insert_with(|| (row.recipient.id.to_string(), gets.clone()));
        if known.1 != Gets::Letter && gets == Gets::Letter {
            *known = (row.recipient.id.to_string(), gets);
        }
    }
    let states = batch.config.recipients.audience.states();
    states.into_iter().map(|state| Reach { state: state.code, row: rows.remove(&state.code) }).collect()
}
