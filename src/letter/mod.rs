//! Templates and row → subject, text and HTML.
//!
//! Templates see these values, and nothing else; a name that is not there is an error, with the near ones.
//!
//! | name | what it is |
//! |---|---|
//! | `state` | the row's state in the letter's language: `name` (as in lists), `formal` and `running` (with their article), `of` ("of the Gambia", "de la Gambie", "Гамбии"), `of_formal`, `in_running` ("en Gambie"), `to_running` ("à la Gambie"; neither in Russian), `iso3`, `iso2`, `group`, `group_name`, `member`. Not there for rows without a state |
//! | `row.<column>` | every column of the row, by its header |
//! | `vars.<name>` | `[vars]` of the config, and in its place what `[vars.<language>]` has under that name |
//! | `campaign` | `id`, `name` (in the letter's language: `campaign_name` of `[vars.<language>]`) |
//! | `event` | `name` (`event_name` of `[vars.<language>]`), `date` (in words), `time` (10:00), `iso`: at the place of the event |
//! | `sender` | `name` (`sender_name` of `[vars.<language>]`), `address` |
//! | `language`, `dir` | the letter's, `dir` being `ltr` or `rtl` |
//! | `translated_from` | the language of the original, if the front matter names one |
//! | `enclosures` | the number of attachments |
//! | `salutation()`, `envelope_line()`, `close()` | forms of address; `salutation(style="your-excellency")` or `"ambassador"` where the language has a choice |
//! | `list(items=…)`, `… \| list` | a list in a sentence, with "and"; `or=true` for "or" |
//! | `plural(n=…, one="…", other="…")` | the form of a noun that the number takes (`zero`, `one`, `two`, `few`, `many`, `other`) |
//! | `enclosure_line()` | "Enclosures: 2" as the language has it; empty without attachments |
//! | `… \| long_date` | `2021-09-01` in words |
//! | `… \| required` | an error if the cell is empty |
//!
//! The layout sees `content`, `subject`, and of the above `vars`, `campaign`, `event`, `sender`, `language`, `dir` and
//! `translated_from`: it is rendered once a language and then only joined with each letter.

mod address_forms;
mod checks;
mod context;
mod dates;
mod direction;
mod errors;
mod folder;
mod front_matter;
mod functions;
mod grammar;
mod html;
mod layout;
mod load;
mod loops;
mod markdown;
mod page;
mod pictures;
mod render;
mod state_names;
mod syntax;
mod text;
mod wrap;

use std::collections::BTreeMap;
use std::sync::Arc;

use tera::{Context, Tera};

use crate::diagnostic::{Diagnostic, Place, any_error};
use crate::domain::language::Language;
use crate::domain::settings::LetterSettings;

use errors::Sources;
use layout::Layout;
use load::{Compiled, Kind, file_of, subject_of};
use pictures::Pictures;

pub use folder::{read_folder, read_templates, unreadable};
pub use load::languages_of;
pub use pictures::Picture;
pub use render::Rendered;

/// The largest body, in bytes.
const BODY_CAP: usize = 10 * 1024 * 1024;
const BODY_CAP_SHOWN: &str = "10 MB";

/// A file of the templates folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Relative to the folder, with `/`: `letter.en.md`.
    pub name: String,
    /// As it is on disk.
    pub bytes: Vec<u8>,
}

/// The compiled letter in all its languages. Rendering is pure: the same row gives the same bytes.
pub struct Letter {
    variants: BTreeMap<Language, Variant>,
    default_language: Language,
    /// `[vars]` as text, to say where a leftover comes from.
    vars: Vec<(String, String)>,
    sources: Sources,
    pictures: Pictures,
    markdown: Tera,
    html: Tera,
    plain: Tera,
}

struct Variant {
    kind: Kind,
    /// The file with the front matter.
    file: String,
    subject: String,
    shared: Context,
    layout: Option<Layout>,
    attachments: Vec<String>,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Letter").field("languages", &self.languages()).finish_non_exhaustive()
    }
}

impl Letter {
    /// Compiles the templates of a folder, shown to people as `shown`. There is no letter if there is any error.
    #[must_use]
    pub fn load(files: &[SourceFile], shown: &str, settings: &LetterSettings) -> (Option<Self>, Vec<Diagnostic>) {
        let (compiled, mut problems) = load::compile(files, shown, settings);
        if compiled.letters.is_empty() && !any_error(&problems) {
            problems.push(
                Diagnostic::error("letter-missing", format!("there is no letter in {}", folder::shown_path(shown, "")))
                    .at(Place::file(folder::shown_path(shown, "")))
                    .help("write templates/letter.en.md, or let `demarche init` write one"),
            );
        } else if !compiled.letters.contains_key(&settings.default_language) && !any_error(&problems) {
            let file = folder::shown_path(shown, &file_of(&settings.default_language, Kind::Markdown));
            let languages: Vec<&str> = compiled.letters.keys().map(Language::as_str).collect();
            problems.push(
                Diagnostic::error("letter-missing", format!("there is no {file}, and it is the default language"))
                    .help(format!("there are letters in {}", languages.join(", "))),
            );
        }
        problems
            .sort_by_key(|problem| problem.place.as_ref().map(|place| (place.file.clone(), place.line, place.column)));
        if any_error(&problems) {
            return (None, problems);
        }
        let letter = Self::of(compiled, settings, &mut problems);
        (if any_error(&problems) { None } else { Some(letter) }, problems)
    }

    fn of(compiled: Compiled, settings: &LetterSettings, problems: &mut Vec<Diagnostic>) -> Self {
        let mut variants = BTreeMap::new();
        for (language, found) in &compiled.letters {
            let shared = context::shared(settings, language, found.front.translated_from.as_ref());
            let mut layout = None;
            if found.kind == Kind::Markdown {
                match Layout::prepare(&compiled, &shared, settings.vars.keys().map(String::as_str).collect()) {
                    Ok(prepared) => layout = Some(prepared),
                    Err(found) => {
                        let new: Vec<_> = found.into_iter().filter(|one| !problems.contains(one)).collect();
                        problems.extend(new);
                    }
                }
            }
            let file = file_of(language, found.kind);
            let subject = subject_of(&file);
            let attachments = found.front.attachments.clone();
            variants.insert(language.clone(), Variant { kind: found.kind, file, subject, shared, layout, attachments });
        }
        let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Self {
            variants,
            default_language: settings.default_language.clone(),
            vars: settings.vars.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
            sources: compiled.sources,
            pictures: compiled.pictures,
            markdown: compiled.markdown,
            html: compiled.html,
            plain: compiled.plain,
        }
    }

    /// The languages that there are letters in, sorted.
    #[must_use]
    pub fn languages(&self) -> Vec<Language> {
        self.variants.keys().cloned().collect()
    }

    /// The pictures of the templates folder, which letters may show.
    pub fn pictures(&self) -> impl Iterator<Item = &Arc<Picture>> {
        self.pictures.values()
    }

    /// The attachments that the letter in that language names: paths relative to the campaign folder.
    #[must_use]
    pub fn attachments(&self, language: &Language) -> Vec<String> {
        self.variants.get(language).map_or_else(Vec::new, |variant| variant.attachments.clone())
    }
}
