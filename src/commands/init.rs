//! `init`: a campaign folder to start from.

use std::path::Path;

use crate::cli::InitArgs;

use super::Context;
use super::exit::{CANNOT_CREATE, Failure, OK};

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

pub(super) fn run(context: &Context, args: &InitArgs) -> Result<u8, Failure> {
    let present: Vec<&str> = FILES.iter().map(|(name, _)| *name).filter(|name| args.dir.join(name).exists()).collect();
    if !present.is_empty() {
        return Err(Failure::new(
            CANNOT_CREATE,
            format!("{} has these already, and nothing is overwritten: {}", args.dir.display(), present.join(", ")),
        )
        .help("name a new folder"));
    }
    for (name, text) in FILES {
        write(&args.dir.join(name), text)?;
    }
    context.screen.result(&format!(
        "Wrote {}:\n  config.toml             who sends, through which server, how fast\n  recipients.csv          one row for each mission; the addresses are placeholders\n  templates/letter.en.md  the letter, and letter.ar.md, .es.md, .fr.md, .ru.md, .zh.md\n  templates/layout.html   its letterhead\nNext: cd {} && demarche check",
        args.dir.display(),
        args.dir.display()
    ));
    Ok(OK)
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
