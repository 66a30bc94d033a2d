//! A list of missions as it comes → a clean recipients file: what is unclear is asked, what was changed and what a person
//! must decide is said.

use std::path::Path;

use crate::cli::{Hidden, InitArgs};
use crate::clock;
use crate::diagnostic::{Diagnostic, Severity};
use crate::domain::audience::Audience;
use crate::domain::language::Language;
use crate::domain::state::StateCode;
use crate::inside::{Folder, Refused};
use crate::roster::{self, Change, Clean, HiddenRows, Mapped, Options};

use super::Context;
use super::exit::{DATA, Failure, USAGE};
use super::prepare::{LARGEST_FILE, unreadable};

/// More questions than any file has.
const QUESTIONS_MAX: usize = 24;

/// What no second reading of the clean file can find again, since it was no matter of the cells' texts.
const OF_THE_SOURCE: [&str; 6] =
    ["link-differs", "cell-error", "cell-uncomputed", "rows-hidden", "columns-hidden", "above-header"];

/// A list that was taken in.
pub(super) struct Intake {
    /// `recipients.csv`
    pub(super) csv: String,
    /// How many rows it has, and where they are from.
    pub(super) source: String,
    pub(super) rows: usize,
    pub(super) changes: Vec<Change>,
    pub(super) decisions: Vec<Decision>,
    pub(super) missing: Vec<StateCode>,
}

/// Something that the program leaves to a person.
pub(super) struct Decision {
    /// In `recipients.csv`, and where it was in the list as it came; empty for the file as a whole.
    pub(super) place: String,
    pub(super) message: String,
    pub(super) help: Option<String>,
    pub(super) severity: Severity,
}

/// Reads the list, asking where it must; without a terminal what would be asked is an error that says what to pass.
pub(super) fn take_in(
    context: &Context,
    args: &InitArgs,
    file: &Path,
    languages: Vec<Language>,
    default_language: Language,
) -> Result<Intake, Failure> {
    let shown = file.display().to_string();
    let bytes =
        read(file).map_err(|error| Failure::Problems { code: DATA, diagnostics: vec![unreadable(&shown, &error)] })?;
    let mut options = Options {
        file: shown,
        sheet: context.sheet.clone(),
        hidden_rows: match args.hidden {
            None => HiddenRows::Refuse,
            Some(Hidden::Keep) => HiddenRows::Keep,
            Some(Hidden::LeaveOut) => HiddenRows::LeaveOut,
        },
        encoding: None,
        delimiter: None,
        columns: args.column.iter().map(|said| said_column(said)).collect::<Result<_, _>>()?,
        audience: Audience::MemberStates,
        stale_after: None,
        today: clock::now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date(),
        default_language,
        languages,
        suppressed: Vec::new(),
        placeholders_allowed: true,
    };
    let clean = understand(context, &bytes, &mut options)?;
    confirm(context, args, &clean)?;
    Ok(decide(clean, options))
}

/// The list, wherever it lies; a FIFO or a device would be waited for without end, and is refused.
fn read(file: &Path) -> Result<Vec<u8>, Refused> {
    let whole = file.canonicalize()?;
    let (Some(folder), Some(name)) = (whole.parent(), whole.file_name()) else { return Err(Refused::NotAFile) };
    Folder::open(folder)?.read(Path::new(name), LARGEST_FILE)
}

fn said_column(said: &str) -> Result<(String, String), Failure> {
    let (ours, header) =
        said.split_once('=').filter(|(ours, header)| !ours.is_empty() && !header.is_empty()).ok_or_else(|| {
            Failure::new(USAGE, format!("--column {said} is not OURS=HEADER"))
                .help("write for example --column to=Courriel")
        })?;
    Ok((ours.trim().to_owned(), header.trim().to_owned()))
}

/// Reads until nothing is left to ask.
fn understand(context: &Context, bytes: &[u8], options: &mut Options) -> Result<Clean, Failure> {
    for _ in 0..QUESTIONS_MAX {
        let mut clean = roster::clean(bytes, options);
        if !clean.questions.is_empty() {
            let (ours, header) = answer(context, &clean)?;
            options.columns.insert(ours, header);
            continue;
        }
        let hidden = clean.diagnostics.iter().position(|d| d.code == "rows-hidden" && d.severity == Severity::Error);
        if let Some(at) = hidden {
            if context.screen.can_ask() {
                options.hidden_rows = ask_of_hidden(context, &clean.diagnostics[at])?;
                continue;
            }
            let help = "pass --hidden keep to take them like the others, or --hidden leave-out";
            clean.diagnostics[at].help = Some(help.to_owned());
        }
        if !clean.writable || hidden.is_some() {
            return Err(Failure::Problems { code: DATA, diagnostics: clean.diagnostics });
        }
        return Ok(clean);
    }
    Err(Failure::new(DATA, "the columns of this file cannot be told apart")
        .help("rename them in the file: state, to, cc, bcc, language, rank, name, gender"))
}

fn answer(context: &Context, clean: &Clean) -> Result<(String, String), Failure> {
    if !context.screen.can_ask() {
        let asked: Vec<String> = clean.questions.iter().map(|question| question.text.clone()).collect();
        let ways = |question: &roster::Question| {
            let way = |answer: &roster::Answer| {
                format!("--column {} ({})", shell_word(&format!("{}={}", answer.column, answer.header)), answer.meaning)
            };
            format!("pass {}", question.answers.iter().map(way).collect::<Vec<_>>().join("\n  or "))
        };
        let help: Vec<String> = clean.questions.iter().map(ways).collect();
        return Err(Failure::new(USAGE, asked.join(" ")).help(help.join("\n")));
    }
    let question = &clean.questions[0];
    let answers: Vec<String> = question.answers.iter().map(|answer| answer.meaning.clone()).collect();
    let chosen = context.screen.choose(&question.text, &answers).ok_or_else(stopped)?;
    let answer = &question.answers[chosen];
    Ok((answer.column.clone(), answer.header.clone()))
}

fn ask_of_hidden(context: &Context, problem: &Diagnostic) -> Result<HiddenRows, Failure> {
    let question = format!("{}. What about them?", problem.message);
    let answers = ["take them like the others".to_owned(), "leave them out".to_owned()];
    match context.screen.choose(&question, &answers) {
        Some(0) => Ok(HiddenRows::Keep),
        Some(_) => Ok(HiddenRows::LeaveOut),
        None => Err(stopped()),
    }
}

fn stopped() -> Failure {
    Failure::new(USAGE, "stopped; nothing was written")
}

/// A guessed mapping is shown and confirmed.
fn confirm(context: &Context, args: &InitArgs, clean: &Clean) -> Result<(), Failure> {
    let guessed: Vec<&Mapped> = clean.mapping.iter().filter(|mapped| mapped.guessed).collect();
    let table = mapping(clean);
    if guessed.is_empty() || args.yes {
        context.screen.say(&table);
        return Ok(());
    }
    if context.screen.can_ask() {
        let question = format!("{table}Is that right?");
        return if context.screen.ask(&question, "yes", "pass --yes if it is")? {
            Ok(())
        } else {
            Err(stopped().help(other_columns(&guessed)))
        };
    }
    context.screen.say(&table);
    let message =
        "the columns were known by their headers alone, and there is no terminal to ask whether that is right";
    Err(Failure::new(USAGE, message).help(format!("pass --yes if it is; {}", other_columns(&guessed))))
}

fn other_columns(guessed: &[&Mapped]) -> String {
    let first = guessed.first().map_or("to", |mapped| mapped.name.as_str());
    format!("--column {first}=HEADER names another column, and so for the others")
}

/// Every header, and what it was taken for.
fn mapping(clean: &Clean) -> String {
    const WIDTH: usize = 34;
    let header = |mapped: &Mapped| {
        let text = mapped.header.replace(['\n', '\r'], " ");
        let long = text.chars().count() > WIDTH;
        format!("\"{}{}\"", text.chars().take(WIDTH).collect::<String>(), if long { "…" } else { "" })
    };
    let width = clean.mapping.iter().map(|mapped| header(mapped).chars().count()).max().unwrap_or(0);
    let mut table = String::from("The columns:\n");
    for mapped in &clean.mapping {
        let taken = if mapped.ours { mapped.name.as_str() } else { "(kept as it is)" };
        let header = header(mapped);
        table.push_str(&format!("  {header:<width$}  → {taken}\n"));
    }
    table
}

/// What a reading of the clean file still complains of, and what only the list as it came could show.
fn decide(clean: Clean, options: Options) -> Intake {
    let source = match &clean.sheet {
        Some(sheet) => format!("{}, sheet \"{sheet}\"", options.file),
        None => options.file.clone(),
    };
    let plain = Options {
        file: "recipients.csv".to_owned(),
        sheet: None,
        columns: std::collections::BTreeMap::new(),
        ..options
    };
    let again = roster::read(clean.csv.as_bytes(), &plain);
    let origin = |line: usize| line.checked_sub(2).and_then(|at| clean.origins.get(at));
    let place = |problem: &Diagnostic| {
        let line = problem.place.as_ref().map_or(0, |place| place.line);
        match origin(line) {
            Some(origin) if *origin == format!("line {line}") => origin.clone(),
            Some(origin) => format!("line {line} ({origin} of the list)"),
            None => String::new(),
        }
    };
    // A row that is too long or too short is so in the list: there its length and its header say more.
    let in_the_list = |problem: &Diagnostic| {
        let of_row = |other: &&Diagnostic| {
            let at = other.place.as_ref().map_or(0, |place| place.line);
            let line = problem.place.as_ref().map_or(0, |place| place.line);
            other.code == "row-ragged" && origin(line).is_some_and(|origin| origin.ends_with(&format!(" {at}")))
        };
        if problem.code == "row-ragged" { clean.diagnostics.iter().find(of_row) } else { None }
    };
    let told = again.diagnostics.iter().filter(|problem| {
        problem.severity != Severity::Note && !matches!(problem.code, "placeholders" | "states-missing")
    });
    let mut decisions: Vec<Decision> =
        told.map(|problem| decision(in_the_list(problem).unwrap_or(problem), place(problem))).collect();
    let of_source = clean
        .diagnostics
        .iter()
        .filter(|problem| problem.severity == Severity::Warning && OF_THE_SOURCE.contains(&problem.code));
    decisions.extend(of_source.map(|problem| {
        let place = problem.place.as_ref();
        let place = match place.and_then(|place| place.cell.as_ref()) {
            Some(cell) => format!("{} of the list", cell.name),
            None => String::new(),
        };
        decision(problem, place)
    }));
    decisions.sort_by_key(|decision| decision.severity);
    Intake { csv: clean.csv, source, rows: clean.rows, changes: clean.changes, decisions, missing: clean.missing }
}

fn decision(problem: &Diagnostic, place: String) -> Decision {
    let (message, help) = (problem.message.clone(), problem.help.clone());
    Decision { place, message, help, severity: problem.severity }
}

/// A word as it can be typed in a shell.
fn shell_word(word: &str) -> String {
    if word.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '=' | '@')) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
