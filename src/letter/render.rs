//! One row's letter: subject, text and HTML, or everything that is wrong with them.

use std::io::Write;
use std::sync::Arc;

use tera::{Context, Tera};

use crate::diagnostic::{Diagnostic, Place};
use crate::domain::language::Language;
use crate::domain::recipient::Recipient;

use super::errors::{self, Rendering};
use super::load::Kind;
use super::pictures::{self, Picture};
use super::{BODY_CAP, Letter, Variant, context, direction, html, markdown, page, text, wrap};

/// A letter in one language, merged with one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The row's language, or the default.
    pub language: Language,
    /// One line of 1 to 998 bytes.
    pub subject: String,
    /// LF line ends, at most 76 columns a line except for long words (and the blank of a flowed line), its last line ended.
    pub text: String,
    /// True if a line that ends with a blank goes on in the next (RFC 3676).
    pub flowed: bool,
    /// LF line ends, a complete document.
    pub html: String,
    /// The pictures that the HTML names by `cid:`.
    pub pictures: Vec<Arc<Picture>>,
}

impl Rendered {
    /// The HTML with its pictures in it, for a page that shows a letter without its parts.
    #[must_use]
    pub fn page(&self) -> String {
        self.pictures.iter().fold(self.html.clone(), |page, picture| {
            page.replace(&format!("cid:{}", picture.content_id), &picture.data())
        })
    }
}

/// A letter's text and HTML, before they are checked.
struct Body {
    text: String,
    flowed: bool,
    html: String,
    pictures: Vec<Arc<Picture>>,
}

impl Letter {
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
            Kind::Markdown => {
                self.markdown(variant, language, &context, subject.as_deref().unwrap_or_default(), recipient)
            }
            Kind::Pair => self.pair(variant, language, &context, recipient),
        }
        .map_err(|found| problems.extend(found));
        let (Ok(subject), Ok(Body { text, flowed, html, pictures })) = (subject, body) else { return Err(problems) };
        let text = if language.direction() == "rtl" { direction::mark_lines(&text).into_owned() } else { text };
        self.check_subject(variant, recipient, &subject, &mut problems);
        self.check_body(variant, recipient, &text, &html, &mut problems);
        if problems.is_empty() {
            Ok(Rendered { language: language.clone(), subject, text, flowed, html, pictures })
        } else {
            Err(problems)
        }
    }

    fn markdown(
        &self,
        variant: &Variant,
        language: &Language,
        context: &Context,
        subject: &str,
        row: &Recipient,
    ) -> Result<Body, Vec<Diagnostic>> {
        let source = self.template(&self.markdown, &variant.file, context, row)?;
        let events = markdown::parse(&source);
        let problems: Vec<Diagnostic> = markdown::problems(&events, &self.pictures)
            .into_iter()
            .map(|(code, message, help)| {
                Diagnostic::error(code, format!("{message} (row {})", row.id)).at(self.file(variant)).help(help)
            })
            .collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        let Some(layout) = &variant.layout else { return Err(Vec::new()) };
        let (content, used) = html::write(&events, &layout.styles, &self.pictures);
        let mut pictures = layout.pictures.clone();
        for picture in &used {
            pictures::note(&mut pictures, picture);
        }
        let flowed = text::flows(language.as_str());
        Ok(Body { text: text::write(&events, flowed), flowed, html: layout.page(subject, &content), pictures })
    }

    fn pair(
        &self,
        variant: &Variant,
        language: &Language,
        context: &Context,
        row: &Recipient,
    ) -> Result<Body, Vec<Diagnostic>> {
        let text = self.template(&self.plain, &variant.file, context, row);
        let html = self.template(&self.html, &format!("letter.{language}.html"), context, row);
        let (text, html) = match (text, html) {
            (Ok(text), Ok(html)) => (text, html),
            (text, html) => return Err(text.err().into_iter().chain(html.err()).flatten().collect()),
        };
        let problems: Vec<Diagnostic> = page::acting_links(&html)
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
        let html = html.replace("\r\n", "\n").replace('\r', "\n");
        // Without rules a page stays as it was brought.
        let html = if html.to_ascii_lowercase().contains("<style") {
            page::inline_css(&html).map_err(|error| {
                let message = format!("the CSS of letter.{language}.html cannot be put inline: {error}");
                vec![Diagnostic::error("layout", message).at(self.file(variant))]
            })?
        } else {
            html
        };
        let (html, pictures) = pictures::embed(&html, &self.pictures);
        Ok(Body { text: format!("{}\n", wrapped.join("\n")), flowed: false, html, pictures })
    }

    fn template(
        &self,
        engine: &Tera,
        name: &str,
        context: &Context,
        row: &Recipient,
    ) -> Result<String, Vec<Diagnostic>> {
        let render = |context: &Context| {
            let mut out = Capped(Vec::with_capacity(8 * 1024));
            engine.render_to(name, context, &mut out).map(|()| out)
        };
        let out = render(context).map_err(|error| {
            errors::all_of(&error, context, &self.sources, &self.rendering(row), |context| render(context).map(drop))
        })?;
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

    pub(super) fn file(&self, variant: &Variant) -> Place {
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
