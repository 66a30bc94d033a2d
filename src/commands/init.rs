//! `init`: a campaign folder to start from.

use std::path::Path;

use crate::cli::InitArgs;
use crate::domain::language::Language;

use super::exit::{CANNOT_CREATE, Failure, OK, SOFTWARE, USAGE};
use super::intake::take_in;
use super::{Context, intake_page};

const FILES: [(&str, &str); 9] = [
    ("config.toml", include_str!("../../config.example.toml")),
    ("recipients.csv", include_str!("../../recipients.csv")),
    ("templates/letter.ar.md", include_str!("../../templates/letter.ar.md")),
    ("templates/letter.en.md", include_str!("../../templates/letter.en.md")),
    ("templates/letter.es.md", include_str!("../../templates/letter.es.md")),
    ("templates/letter.fr.md", include_str!("../../templates/letter.fr.md")),
    ("templates/letter.ru.md", include_str!("../../templates/letter.ru.md")),
    ("templates/letter.zh.md", include_str!("../../templates/letter.zh.md")),
    ("templates/layout.html", include_str!("../../templates/layout.html")),
];

/// What a list leaves to a person, beside its recipients.
const TODO: &str = "recipients.todo.md";

pub(super) fn run(context: &Context, args: &InitArgs) -> Result<u8, Failure> {
    let names = FILES.iter().map(|(name, _)| *name).chain(args.from.is_some().then_some(TODO));
    let present: Vec<&str> = names.filter(|name| args.dir.join(name).exists()).collect();
    if !present.is_empty() {
        return Err(Failure::new(
            CANNOT_CREATE,
            format!("{} has these already, and nothing is overwritten: {}", args.dir.display(), present.join(", ")),
        )
        .help("name a new folder"));
    }
    let Some(file) = &args.from else {
        if args.source.sheet.is_some() {
            return Err(
                Failure::new(USAGE, "--sheet names a sheet of a list, and there is none").help("pass --from FILE")
            );
        }
        write_all(args, None)?;
        context.screen.result(&written(context, args, "one row for each mission; the addresses are placeholders"));
        return Ok(OK);
    };
    let (languages, default_language) = languages()?;
    let intake = match take_in(context, args, file, languages, default_language) {
        Err(Failure::Problems { code, diagnostics }) => {
            context.screen.problems(&diagnostics);
            let message = format!("{} cannot be taken in whole, so nothing was written", file.display());
            return Err(
                Failure::new(code, message).help("mend it in a spreadsheet program or an editor, and try again")
            );
        }
        outcome => outcome?,
    };
    write_all(args, Some(&intake.csv))?;
    let todo = intake_page::page(&intake);
    if let Some(todo) = &todo {
        write(&args.dir.join(TODO), todo)?;
    }
    let page = args.dir.join(TODO);
    if todo.is_some() {
        context.screen.result_in_sentences(&intake_page::summary(&intake, &page));
    }
    let noun = if intake.rows == 1 { "row" } else { "rows" };
    context.screen.result(&written(context, args, &format!("{} {noun} from {}", intake.rows, intake.source)));
    Ok(OK)
}

/// The languages of the letters that ship.
fn languages() -> Result<(Vec<Language>, Language), Failure> {
    let tags = FILES.iter().filter_map(|(name, _)| name.strip_prefix("templates/letter.")?.strip_suffix(".md"));
    let languages: Vec<Language> = tags.filter_map(|tag| Language::parse(tag).ok()).collect();
    let english = languages.iter().find(|language| language.as_str() == "en").cloned();
    let default = english.ok_or_else(|| Failure::new(SOFTWARE, "no letter in English ships"))?;
    Ok((languages, default))
}

fn write_all(args: &InitArgs, recipients: Option<&str>) -> Result<(), Failure> {
    for (name, text) in FILES {
        let text = recipients.filter(|_| name == "recipients.csv").unwrap_or(text);
        write(&args.dir.join(name), text)?;
    }
    Ok(())
}

fn written(context: &Context, args: &InitArgs, recipients: &str) -> String {
    let folder = args.dir.display();
    let style = context.screen.prose_style();
    let files = [
        ("config.toml", "who sends, through which server, how fast"),
        ("recipients.csv", recipients),
        ("templates/letter.en.md", "the letter, and letter.ar.md, .es.md, .fr.md, .ru.md, .zh.md"),
        ("templates/layout.html", "its letterhead"),
    ];
    let files: String = files.iter().map(|(file, what)| style.hanging(&format!("  {file:<24}"), what)).collect();
    format!("Wrote {folder}:\n{files}{}", style.fitted(&format!("Next: `cd {folder} && demarche check`")))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::cannot_write(path, &error);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    // Nothing is overwritten, nor written through a link that leads to nothing yet.
    let mut file = std::fs::File::create_new(path).map_err(failed)?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(failed)
}
