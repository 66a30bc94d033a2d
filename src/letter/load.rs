//! Source files → compiled templates, with every problem of theirs at once.

use std::collections::{BTreeMap, BTreeSet};

use tera::Tera;

use crate::diagnostic::{Diagnostic, Place};
use crate::domain::language::Language;
use crate::domain::settings::LetterSettings;

use super::SourceFile;
use super::errors::{Source, Sources};
use super::folder::shown_path;
use super::front_matter::{self, FrontMatter};
use super::loops::{self, Vars};
use super::pictures::{self, Pictures};
use super::{functions, layout, markdown, page, syntax};

/// What a language's letter is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// `letter.<language>.md`, through the layout.
    Markdown,
    /// `letter.<language>.html` and `.txt`.
    Pair,
}

/// One language's letter.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) kind: Kind,
    pub(super) front: FrontMatter,
}

/// Compiled templates.
pub(super) struct Compiled {
    pub(super) letters: BTreeMap<Language, Found>,
    pub(super) sources: Sources,
    pub(super) pictures: Pictures,
    /// Escapes for Markdown, whatever the file is called.
    pub(super) markdown: Tera,
    /// Escapes for HTML.
    pub(super) html: Tera,
    /// Escapes nothing: subjects and `.txt`.
    pub(super) plain: Tera,
}

/// The name under which a letter's subject is a template.
pub(super) fn subject_of(file: &str) -> String {
    format!("{file}:subject")
}

/// Decodes, reads the front matter, compiles and lints.
pub(super) fn compile(files: &[SourceFile], shown: &str, settings: &LetterSettings) -> (Compiled, Vec<Diagnostic>) {
    let (pictures, problems) = pictures::read(files, shown, settings.from.domain());
    let mut loader = Loader {
        compiled: Compiled {
            letters: BTreeMap::new(),
            sources: Sources::new(),
            pictures,
            markdown: engine(Some(markdown::escape)),
            html: engine(Some(tera::escape_html)),
            plain: engine(None),
        },
        problems,
        vars: &settings.vars,
        mended: BTreeMap::new(),
    };
    loader.sources(files, shown);
    loader.letters();
    loader.engines();
    (loader.compiled, loader.problems)
}

fn engine(escape: Option<tera::EscapeFn>) -> Tera {
    let mut tera = Tera::default();
    match escape {
        Some(escape) => {
            // Every name ends with the empty suffix: no template of this engine is left unescaped.
            tera.autoescape_on(vec![""]);
            tera.set_escape_fn(escape);
        }
        None => tera.autoescape_on(Vec::<&'static str>::new()),
    }
    functions::register(&mut tera);
    tera
}

struct Loader<'a> {
    compiled: Compiled,
    problems: Vec<Diagnostic>,
    vars: &'a Vars,
    /// Templates without what is broken in them, as far as that is possible: their other names are checked all the same.
    mended: BTreeMap<String, Option<String>>,
}

/// What to do about a letter that was written in an office program.
pub(super) const OFFICE_HELP: &str = "a letter is plain text: copy its words into the file of the language, such as letter.en.md; `demarche help templates` \
     shows how";

/// By its first octets: a compound file (.doc), an archive (.docx, .odt) or a PDF.
fn is_of_an_office_program(bytes: &[u8]) -> bool {
    [&b"\xD0\xCF\x11\xE0"[..], b"PK\x03\x04", b"%PDF"].iter().any(|head| bytes.starts_with(head))
}

impl Loader<'_> {
    fn sources(&mut self, files: &[SourceFile], shown: &str) {
        for file in files.iter().filter(|file| !pictures::is_picture(&file.name)) {
            let path = shown_path(shown, &file.name);
            let bytes = file.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&file.bytes);
            match std::str::from_utf8(bytes) {
                Ok(text) => {
                    let text = text.replace("\r\n", "\n").replace('\r', "\n");
                    let at = 0..text.len();
                    self.compiled.sources.insert(file.name.clone(), Source { file: path, text, at });
                }
                Err(error) => {
                    let line = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).matches('\n').count() + 1;
                    let place = Place { line, ..Place::file(&path) };
                    let (message, help) = if is_of_an_office_program(bytes) {
                        ("is a document of an office program, whatever its name says", OFFICE_HELP)
                    } else {
                        ("is not UTF-8", "save it as UTF-8")
                    };
                    let message = format!("{path} {message}");
                    self.problems.push(Diagnostic::error("template-file", message).at(place).help(help));
                }
            }
        }
        if !files.iter().any(|file| file.name == layout::NAME) {
            let text = layout::EMBEDDED.to_owned();
            let at = 0..text.len();
            let source = Source { file: format!("{} (built in)", layout::NAME), text, at };
            self.compiled.sources.insert(layout::NAME.to_owned(), source);
        }
    }

    /// Finds the letters by their file names and reads their heads.
    fn letters(&mut self) {
        let mut names: Vec<String> = self.compiled.sources.keys().cloned().collect();
        names.sort();
        let of = |kind| {
            names.iter().filter_map(move |name| letter_name(name, kind).map(|tag| (name.clone(), tag.to_owned())))
        };
        let pages: BTreeSet<String> = of(".html").map(|(_, tag)| tag).collect();
        let texts: BTreeSet<String> = of(".txt").map(|(_, tag)| tag).collect();
        for tag in pages.difference(&texts) {
            self.whole(
                &format!("letter.{tag}.html"),
                "letter-pair",
                &format!("needs letter.{tag}.txt beside it, with the subject in its front matter"),
            );
        }
        for tag in texts.difference(&pages) {
            self.whole(&format!("letter.{tag}.txt"), "letter-pair", &format!("needs letter.{tag}.html beside it"));
        }
        let markdown: Vec<_> = of(".md").map(|(name, tag)| (name, tag, Kind::Markdown)).collect();
        let pairs: Vec<_> =
            of(".txt").filter(|(_, tag)| pages.contains(tag)).map(|(name, tag)| (name, tag, Kind::Pair)).collect();
        for (name, tag, kind) in markdown.into_iter().chain(pairs) {
            self.letter(&name, &tag, kind);
        }
    }

    fn letter(&mut self, name: &str, tag: &str, kind: Kind) {
        let language = match Language::parse(tag) {
            Ok(language) if language.as_str() == tag => language,
            Ok(language) => {
                return self.whole(
                    name,
                    "letter-language",
                    &format!("is for \"{language}\": write the language so in its name"),
                );
            }
            Err(error) => return self.whole(name, "letter-language", &format!("is for no language: {error}")),
        };
        let Some(source) = self.compiled.sources.get_mut(name) else { return };
        let (front, problems) = front_matter::read(&source.file, &source.text);
        self.problems.extend(problems);
        let Some(front) = front else { return };
        source.at = front.body_at..source.text.len();
        let exact = source.text[front.subject_at.start..].starts_with(&front.subject);
        let end = if exact { front.subject_at.start + front.subject.len() } else { front.subject_at.start };
        let subject = Source { at: front.subject_at.start..end, ..source.clone() };
        self.compiled.sources.insert(subject_of(name), subject);
        if self.compiled.letters.insert(language, Found { kind, front }).is_some() {
            self.whole(name, "letter-pair", &format!("stands beside letter.{tag}.md: a language has one or the other"));
        }
    }

    fn whole(&mut self, name: &str, code: &'static str, message: &str) {
        let file = self.compiled.sources.get(name).map_or_else(|| name.to_owned(), |source| source.file.clone());
        self.problems.push(Diagnostic::error(code, format!("{file} {message}")).at(Place::file(file)));
    }

    /// Compiles what the letters and the layout use; a stray file of the folder is not looked at.
    fn engines(&mut self) {
        let used = self.used();
        for name in &used {
            self.check(name);
        }
        // A file that cannot be read on would be missed by those that include it.
        if self.mended.values().any(Option::is_none) {
            return;
        }
        let bodies: Vec<(String, String)> = used.iter().filter_map(|name| self.template(name)).collect();
        let pages: Vec<_> = bodies.iter().filter(|(name, _)| is(name, ".html")).cloned().collect();
        let texts: Vec<_> = bodies.iter().filter(|(name, _)| !is(name, ".html")).cloned().collect();
        let mut plain: Vec<_> = texts.iter().filter(|(name, _)| !is(name, ".md")).cloned().collect();
        for (language, found) in &self.compiled.letters {
            plain.push((subject_of(&file_of(language, found.kind)), found.front.subject.clone()));
        }
        for (name, body) in &mut plain {
            if let Some(Some(mended)) = self.mended.get(name) {
                body.clone_from(mended);
            }
        }
        let mut errors = Vec::new();
        for (engine, templates) in
            [(&mut self.compiled.html, pages), (&mut self.compiled.markdown, texts), (&mut self.compiled.plain, plain)]
        {
            if let Err(error) = engine.add_raw_templates(templates) {
                errors.extend(syntax::on_load(&error, &self.compiled.sources));
            }
        }
        for error in errors {
            if !self.problems.contains(&error) {
                self.problems.push(error);
            }
        }
    }

    fn template(&self, name: &str) -> Option<(String, String)> {
        let source = self.compiled.sources.get(name)?;
        let body = self.mended.get(name).cloned().flatten();
        Some((name.to_owned(), body.unwrap_or_else(|| source.text[source.at.clone()].to_owned())))
    }

    /// The letters, the layout, and every file that one of these names in quotes.
    fn used(&self) -> Vec<String> {
        let mut names: Vec<&String> = self.compiled.sources.keys().filter(|name| !name.ends_with(":subject")).collect();
        names.sort();
        let is_root = |name: &str| {
            name == layout::NAME || [".md", ".html", ".txt"].iter().any(|kind| letter_name(name, kind).is_some())
        };
        let mut used: Vec<String> = names.iter().filter(|name| is_root(name)).map(|name| (*name).clone()).collect();
        let mut at = 0;
        while let Some(text) = used.get(at).and_then(|name| self.compiled.sources.get(name)).map(|source| &source.text)
        {
            let is_named = |name: &str| text.contains(&format!("\"{name}\"")) || text.contains(&format!("'{name}'"));
            let more: Vec<String> = names
                .iter()
                .filter(|name| !used.contains(name) && is_named(name))
                .map(|name| (*name).clone())
                .collect();
            used.extend(more);
            at += 1;
        }
        used.sort();
        used
    }

    /// The problems of one file, its syntax first.
    fn check(&mut self, name: &str) {
        let Some(source) = self.compiled.sources.get(name).cloned() else { return };
        let body = &source.text[source.at.clone()];
        let mut found = Vec::new();
        let subject = subject_of(name);
        let head = self.compiled.sources.get(&subject).map(|head| (subject.as_str(), &head.text[head.at.clone()]));
        for (name, body) in [(name, body)].into_iter().chain(head) {
            let (problems, mended) = syntax::problems(name, body, &self.compiled.sources);
            if !problems.is_empty() {
                self.mended.insert(name.to_owned(), mended);
                found.extend(problems);
            }
        }
        found.extend(loops::lint(&source, self.vars));
        if is(name, ".md") {
            found.extend(markdown::lint(&source.file, &source.text, source.at.start, &self.compiled.pictures));
        } else if is(name, ".html") {
            found.extend(page::lint(&source.file, &source.text, &self.compiled.pictures));
        }
        self.problems.extend(found);
    }
}

/// True for names with that ending, which is written in lower case as in `letter.en.md`.
fn is(name: &str, ending: &str) -> bool {
    name.ends_with(ending)
}

/// `letter.<language>.<kind>` → the language as written.
fn letter_name<'a>(name: &'a str, kind: &str) -> Option<&'a str> {
    name.strip_prefix("letter.")?.strip_suffix(kind).filter(|tag| !tag.contains(['.', '/']))
}

/// The languages that the files' names say there are letters in, whether these load or not.
#[must_use]
pub fn languages_of(files: &[SourceFile]) -> Vec<Language> {
    let tags = files.iter().filter_map(|file| [".md", ".txt"].iter().find_map(|kind| letter_name(&file.name, kind)));
    let found: BTreeSet<Language> = tags.filter_map(|tag| Language::parse(tag).ok()).collect();
    found.into_iter().collect()
}

/// The file that holds a letter's front matter.
pub(super) fn file_of(language: &Language, kind: Kind) -> String {
    match kind {
        Kind::Markdown => format!("letter.{language}.md"),
        Kind::Pair => format!("letter.{language}.txt"),
    }
}
