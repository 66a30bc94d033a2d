//! Templates and row → subject, text and HTML.
//!
//! Templates see these values, and nothing else; a name that is not there is an error, with the near ones.
//!
//! | name | what it is |
//! |---|---|
//! | `state` | the row's state in the letter's language: `name` (as in lists), `formal` and `running` (with their article), `of` ("of the Gambia", "de la Gambie"; en, fr, es), `in_running` (en), `iso3`, `iso2`, `group`, `group_name`, `member`. Not there for rows without a state |
//! | `row.<column>` | every column of the row, by its header |
//! | `vars.<name>` | `[vars]` of the config, and in its place what `[vars.<language>]` has under that name |
//! | `campaign` | `id`, `name` (in the letter's language: `campaign_name` of `[vars.<language>]`) |
//! | `event` | `name` (`event_name` of `[vars.<language>]`), `date` (in words), `time` (10:00), `iso`: at the place of the event |
//! | `sender` | `name` (`sender_name` of `[vars.<language>]`), `address` |
//! | `language`, `dir` | the letter's, `dir` being `ltr` or `rtl` |
//! | `translated_from` | the language of the original, if the front matter names one |
//! | `enclosures` | the number of attachments |
//! | `salutation()`, `envelope_line()`, `close()` | forms of address; `salutation(style="your-excellency")` or `"ambassador"` where the language has a choice |
//! | `list(items=…)` | a list in a sentence |
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
mod html;
mod layout;
mod load;
mod loops;
mod markdown;
mod text;
mod wrap;

use std::collections::BTreeMap;
use std::io::Write;

use tera::{Context, Tera};

use crate::diagnostic::{Diagnostic, Place, any_error};
use crate::domain::language::Language;
use crate::domain::recipient::Recipient;
use crate::domain::settings::LetterSettings;

use errors::{Rendering, Sources};
use layout::Layout;
use load::{Compiled, Kind, file_of, subject_of};

pub use folder::{read_folder, read_templates, unreadable};

/// The largest body, in bytes.
const BODY_CAP: usize = 10 * 1024 * 1024;
const BODY_CAP_SHOWN: &str = "10 MiB";

/// A file of the templates folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Relative to the folder, with `/`: `letter.en.md`.
    pub name: String,
    /// As it is on disk.
    pub bytes: Vec<u8>,
}

/// A letter in one language, merged with one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The row's language, or the default.
    pub language: Language,
    /// One line of 1 to 998 bytes.
    pub subject: String,
    /// LF line ends, at most 76 columns a line except for long words, its last line ended.
    pub text: String,
    /// LF line ends, a complete document.
    pub html: String,
}

/// The compiled letter in all its languages. Rendering is pure: the same row gives the same bytes.
pub struct Letter {
    variants: BTreeMap<Language, Variant>,
    default_language: Language,
    /// `[vars]` as text, to say where a leftover comes from.
    vars: Vec<(String, String)>,
    sources: Sources,
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
        let (compiled, mut problems) = load::compile(files, shown, &settings.vars);
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
        for (language, found) in compiled.letters {
            let shared = context::shared(settings, &language, found.front.translated_from.as_ref());
            let mut layout = None;
            if found.kind == Kind::Markdown {
                match Layout::prepare(
                    &compiled.html,
                    &compiled.sources,
                    &shared,
                    settings.vars.keys().map(String::as_str).collect(),
                ) {
                    Ok(prepared) => layout = Some(prepared),
                    Err(found) => {
                        let new: Vec<_> = found.into_iter().filter(|one| !problems.contains(one)).collect();
                        problems.extend(new);
                    }
                }
            }
            let file = file_of(&language, found.kind);
            let subject = subject_of(&file);
            let attachments = found.front.attachments;
            variants.insert(language, Variant { kind: found.kind, file, subject, shared, layout, attachments });
        }
        let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Self {
            variants,
            default_language: settings.default_language.clone(),
            vars: settings.vars.iter().map(|(name, value)| (name.clone(), text(value))).collect(),
            sources: compiled.sources,
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

    /// The attachments that the letter in that language names: paths relative to the campaign folder.
    #[must_use]
    pub fn attachments(&self, language: &Language) -> Vec<String> {
        self.variants.get(language).map_or_else(Vec::new, |variant| variant.attachments.clone())
    }

    /// The letter to one row, with so many attachments in all.
    ///
    /// # Errors
    /// Everything that is wrong with it: an undefined value, a subject or body that cannot be sent, markup that a value
    /// brought in. A problem that only the config causes does not name the row, so that it is the same for all rows.
    pub fn render(&self, recipient: &Recipient, attachments: usize) -> Result<Rendered, Vec<Diagnostic>> {
        let language = recipient.language.as_ref().unwrap_or(&self.default_language);
        let Some(variant) = self.variants.get(language) else {
            let languages: Vec<&str> = self.variants.keys().map(Language::as_str).collect();
            let message =
                format!("row {} asks for the language \"{language}\", and there is no letter in it", recipient.id);
            let help = format!("there are letters in {}", languages.join(", "));
            return Err(vec![Diagnostic::error("letter-language", message).help(help)]);
        };
        let context = context::of_row(&variant.shared, recipient, language, attachments);
        let mut problems = Vec::new();
        let subject =
            self.template(&self.plain, &variant.subject, &context, recipient).map_err(|found| problems.extend(found));
        let body = match variant.kind {
            Kind::Markdown => self.markdown(variant, &context, subject.as_deref().unwrap_or_default(), recipient),
            Kind::Pair => self.pair(variant, language, &context, recipient),
        }
        .map_err(|found| problems.extend(found));
        let (Ok(subject), Ok((text, html))) = (subject, body) else { return Err(problems) };
        let text = if language.direction() == "rtl" { direction::mark_lines(&text).into_owned() } else { text };
        self.check_subject(variant, recipient, &subject, &mut problems);
        self.check_body(variant, recipient, &text, &html, &mut problems);
        if problems.is_empty() {
            Ok(Rendered { language: language.clone(), subject, text, html })
        } else {
            Err(problems)
        }
    }

    fn markdown(
        &self,
        variant: &Variant,
        context: &Context,
        subject: &str,
        row: &Recipient,
    ) -> Result<(String, String), Vec<Diagnostic>> {
        let source = self.template(&self.markdown, &variant.file, context, row)?;
        let events = markdown::parse(&source);
        let problems: Vec<Diagnostic> = markdown::problems(&events)
            .into_iter()
            .map(|(code, message, help)| {
                Diagnostic::error(code, format!("{message} (row {})", row.id)).at(self.file(variant)).help(help)
            })
            .collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        let Some(layout) = &variant.layout else { return Err(Vec::new()) };
        Ok((text::write(&events), layout.page(subject, &html::write(&events, &layout.styles))))
    }

    fn pair(
        &self,
        variant: &Variant,
        language: &Language,
        context: &Context,
        row: &Recipient,
    ) -> Result<(String, String), Vec<Diagnostic>> {
        let text = self.template(&self.plain, &variant.file, context, row)?;
        let html = self.template(&self.html, &format!("letter.{language}.html"), context, row)?;
        let problems: Vec<Diagnostic> = layout::acting_links(&html)
            .into_iter()
            .map(|(_, target)| {
                Diagnostic::error("letter-link", format!("a link to \"{target}\" (row {})", row.id))
                    .at(self.file(variant))
            })
            .collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        // A value may hold any line ends.
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let wrapped: Vec<String> = wrap::wrap(text.trim_end(), text::WIDTH);
        Ok((format!("{}\n", wrapped.join("\n")), html.replace("\r\n", "\n").replace('\r', "\n")))
    }

    fn template(
        &self,
        engine: &Tera,
        name: &str,
        context: &Context,
        row: &Recipient,
    ) -> Result<String, Vec<Diagnostic>> {
        let mut out = Capped(Vec::with_capacity(8 * 1024));
        engine
            .render_to(name, context, &mut out)
            .map_err(|error| vec![errors::on_render(&error, &self.sources, &self.rendering(row))])?;
        String::from_utf8(out.0)
            .map_err(|_| vec![Diagnostic::error("template-value", format!("the letter to {} is not UTF-8", row.id))])
    }

    fn rendering<'a>(&'a self, row: &'a Recipient) -> Rendering<'a> {
        Rendering {
            row: Some(row.id.as_str()),
            vars: self.vars.iter().map(|(name, _)| name.as_str()).collect(),
            columns: row.columns.keys().map(String::as_str).collect(),
        }
    }

    fn file(&self, variant: &Variant) -> Place {
        Place::file(self.sources.get(&variant.file).map_or(&variant.file, |source| &source.file))
    }
}

/// A buffer that refuses to grow past the cap, so that a loop that never tires of writing ends.
struct Capped(Vec<u8>);

impl Write for Capped {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > BODY_CAP {
            return Err(std::io::Error::from(std::io::ErrorKind::FileTooLarge));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
