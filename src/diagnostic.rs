//! A problem in somebody's input: what, where (path:line:column), the line itself with a caret, and what to do.
//!
//! Problems are values, collected by every inlet, so that a person sees all of them in one run.

use std::sync::Arc;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde::Serialize;

use crate::domain::prose;
use crate::domain::reply::visible;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is sent.
    Error,
    /// Somebody should look.
    Warning,
    /// Something was repaired or decided; good to know.
    Note,
}

impl Severity {
    /// The word that a person reads first.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// Where a problem is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The path as the user wrote it, relative to the campaign folder.
    pub file: String,
    /// From 1; 0 for the file as a whole.
    pub line: usize,
    /// In characters, from 1; 0 for the line as a whole.
    pub column: usize,
    /// The line's text, without its end; empty where there is none to show.
    pub excerpt: String,
    /// How many characters the caret underlines, at least 1.
    pub width: usize,
    /// The cell, where the file is a workbook: `line` is then its row, and `column` only where it stands in the excerpt.
    pub cell: Option<SheetCell>,
}

/// A cell or a row of a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SheetCell {
    /// As a spreadsheet program calls it: `Missions!C17`, or `Missions!A17:F17` for a row.
    pub name: String,
    /// The number of its column, from 1.
    pub column: usize,
}

impl Place {
    /// A file as a whole.
    #[must_use]
    pub fn file(file: impl Into<String>) -> Self {
        Self { file: file.into(), line: 0, column: 0, excerpt: String::new(), width: 1, cell: None }
    }

    /// The place of a byte range in a text: line, column and excerpt are found from it. A range that spans lines is cut
    /// at the end of its first.
    #[must_use]
    pub fn in_text(file: impl Into<String>, text: &str, range: std::ops::Range<usize>) -> Self {
        let start = floor_boundary(text, range.start.min(text.len()));
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let excerpt = text[line_start..line_end].trim_end_matches('\r');
        let end = floor_boundary(text, range.end.clamp(start, line_end));
        Self {
            file: file.into(),
            line: text[..line_start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            excerpt: excerpt.to_owned(),
            width: text[start..end].chars().count().max(1),
            cell: None,
        }
    }

    /// The number of the column as people count: of the character in a text, of the cell in a sheet. 0 if there is none.
    #[must_use]
    pub fn column_number(&self) -> usize {
        self.cell.as_ref().map_or(self.column, |cell| cell.column)
    }
}

fn floor_boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad.
    pub severity: Severity,
    /// A stable name for scripts: `address-invalid`; empty where there is none.
    pub code: &'static str,
    /// What is wrong, in a sentence without a full stop.
    pub message: String,
    /// Where, if it is anywhere.
    pub place: Option<Place>,
    /// What to do.
    pub help: Option<String>,
    /// Each row of the recipients that it is about, where they are several or it is at no row's place.
    pub about: Vec<AboutRow>,
}

/// What a problem means for one of the rows that it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AboutRow {
    /// The row's id.
    pub id: String,
    /// In a sentence without a full stop, for whoever sees only that row's letter.
    pub says: Arc<str>,
}

impl Diagnostic {
    /// An error.
    #[must_use]
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// A warning.
    #[must_use]
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    /// A note.
    #[must_use]
    pub fn note(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, code, message)
    }

    fn new(severity: Severity, code: &'static str, message: impl Into<String>) -> Self {
        Self { severity, code, message: message.into(), place: None, help: None, about: Vec::new() }
    }

    /// True if nothing may be sent for it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// With its place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// With what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With what it means for each of several rows.
    #[must_use]
    pub fn about(mut self, rows: impl IntoIterator<Item = AboutRow>) -> Self {
        self.about.extend(rows);
        self
    }

    /// As a file or a pipe gets it, over several lines, with colour if asked for, its last line ended. Sentences are not broken,
    /// so that they can be searched for.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        self.drawn(colour, None)
    }

    /// As a person reads it on a terminal of so many columns: message and help are broken at blanks, a long excerpt is cut
    /// around the caret.
    #[must_use]
    pub fn render_within(&self, columns: usize, colour: bool) -> String {
        self.drawn(colour, Some(columns.max(NARROWEST)))
    }

    fn drawn(&self, colour: bool, columns: Option<usize>) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Note => Level::NOTE,
        };
        // The title is drawn here: the renderer would indent its further lines by the length of the code.
        let mut group = level.primary_title("").elements(std::iter::empty::<Origin<'_>>());
        let mut cell = None;
        if let Some(place) = &self.place {
            (group, cell) = with_place(group, place);
        }
        let help = self.help.as_deref().map(|help| broken(visible_lines(help), columns, BEFORE_HELP));
        if let Some(help) = help {
            let help = if colour { prose::coloured(&help) } else { help };
            group = group.element(Level::HELP.message(help));
        }
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let renderer = columns.map_or(renderer.clone(), |columns| renderer.term_width(columns));
        let drawn = renderer.decor_style(DecorStyle::Ascii).render(&[group]);
        let mut body = drawn.split_once('\n').map_or("", |(_, body)| body);
        if self.place.is_none() {
            // Without an excerpt there is nothing to draw a margin for.
            body = body.split_once('\n').map_or("", |(_, help)| help);
        }
        let mut text = self.title(colour, columns);
        text.push_str(body);
        // A cell has a name; the place in the excerpt that the renderer adds to it is nobody's.
        if let Some((name, shown)) = cell {
            text = text.replacen(&shown, &name, 1);
        }
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text
    }

    /// `error[code]: what is wrong`, its further lines indented.
    fn title(&self, colour: bool, columns: Option<usize>) -> String {
        let code = if self.code.is_empty() { String::new() } else { format!("[{}]", self.code) };
        let head = format!("{}{code}", self.severity.name());
        let mut title = format!("{head}: {}", visible(&self.message));
        if let Some(columns) = columns {
            title = prose::fill(&title, columns, "    ");
        }
        if colour {
            let number = match self.severity {
                Severity::Error => 91,
                Severity::Warning => 33,
                Severity::Note => 92,
            };
            let rest = prose::coloured(&title[head.len()..]).replace('\n', "\u{1b}[0m\n\u{1b}[1m");
            title = format!("\u{1b}[1;{number}m{head}\u{1b}[0m\u{1b}[1m{rest}\u{1b}[0m");
        }
        title.push('\n');
        title
    }

    /// As `check --json` prints it.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let place = self.place.as_ref();
        let mut json = serde_json::json!({
            "severity": self.severity,
            "code": self.code,
            "message": self.message,
            "file": place.map(|p| &p.file),
            "line": place.map(|p| p.line).filter(|line| *line > 0),
            "column": place.map(Place::column_number).filter(|column| *column > 0),
            "help": self.help,
        });
        if let Some(cell) = place.and_then(|p| p.cell.as_ref()) {
            json["cell"] = serde_json::json!(cell.name);
        }
        json
    }
}

/// The narrowest that a problem gets, whatever the terminal says.
const NARROWEST: usize = 40;
/// What stands before the first line of a help: ` = help: ` under a line number of up to three digits.
const BEFORE_HELP: usize = 13;

/// `text` in lines that fit beside `before` columns; whole where there is no limit.
fn broken(text: String, columns: Option<usize>, before: usize) -> String {
    let Some(columns) = columns else { return text };
    let room = columns.saturating_sub(before).max(NARROWEST / 2);
    let line = |line: &str| if prose::is_command(line) { line.to_owned() } else { prose::fill(line, room, "") };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn visible_lines(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n")
}

/// The longest excerpt shown, in characters; a longer line is cut around the caret.
const EXCERPT: usize = 160;

/// The group with its place; for a cell also its name, and as what the renderer will show it.
fn with_place<'a>(group: Group<'a>, place: &Place) -> (Group<'a>, Option<(String, String)>) {
    let file = visible(&place.file);
    let cell = place.cell.as_ref().map(|cell| format!("{file}:{}", visible(&cell.name)));
    if place.excerpt.is_empty() || place.line == 0 || place.column == 0 {
        let mut origin = Origin::path(cell.clone().unwrap_or(file));
        if place.line > 0 && cell.is_none() {
            origin = origin.line(place.line);
            if place.column > 0 {
                origin = origin.char_column(place.column);
            }
        }
        return (group.element(origin), None);
    }
    let characters: Vec<char> = place.excerpt.chars().collect();
    let caret = (place.column - 1).min(characters.len());
    // A long line is shown from a little before the caret, so its column would be wrong: the origin above tells it.
    let first = if characters.len() > EXCERPT { caret.saturating_sub(40) } else { 0 };
    let shown = |part: &[char]| visible(&part.iter().collect::<String>());
    let until = (caret + place.width).min(characters.len()).min(first + EXCERPT).max(caret);
    let before = shown(&characters[first..caret]);
    let marked = shown(&characters[caret..until]);
    let after = shown(&characters[until..characters.len().min(first + EXCERPT).max(until)]);
    let (start, end) = (before.len(), before.len() + marked.len());
    let column = before.chars().count() + 1;
    let source = format!("{before}{marked}{after}");
    let snippet = Snippet::source(source).line_start(place.line).annotation(AnnotationKind::Primary.span(start..end));
    if let Some(cell) = cell {
        let shown = format!("{cell}:{}:{column}", place.line);
        return (group.element(snippet.path(cell.clone())), Some((cell, shown)));
    }
    let group = if first == 0 {
        group.element(snippet.path(file))
    } else {
        group.element(Origin::path(file).line(place.line).char_column(place.column)).element(snippet)
    };
    (group, None)
}

/// True if any of them forbids sending.
#[must_use]
pub fn any_error(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(Diagnostic::is_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_drawn_with_its_line_a_caret_and_help() {
        let text = "state,to\nKenya,ke @m.example\n";
        let at = text.find("ke @").expect("there");
        let problem = Diagnostic::error("address-invalid", "\"ke @m.example\" is not an e-mail address")
            .at(Place::in_text("recipients.csv", text, at..at + 13))
            .help("remove the blank before \"@\"");
        insta::assert_snapshot!(problem.render(false), @r#"
        error[address-invalid]: "ke @m.example" is not an e-mail address
         --> recipients.csv:2:7
          |
        2 | Kenya,ke @m.example
          |       ^^^^^^^^^^^^^
          |
          = help: remove the blank before "@"
        "#);
    }

    #[test]
    fn on_a_terminal_sentences_are_broken_to_fit_and_nothing_of_them_is_lost() {
        let text = "state,to,note\nKenya,ke @m.example,a very long note that goes on and on far beyond the edge of the screen\n";
        let at = text.find("ke @").expect("there");
        let problem = Diagnostic::error(
            "address-invalid",
            "\"ke @m.example\" is not an e-mail address that a letter could go to",
        )
        .at(Place::in_text("recipients.csv", text, at..at + 13))
        .help("remove the blank before \"@\", or ask the mission for the address that it reads");
        insta::assert_snapshot!(problem.render_within(50, false), @r#"
        error[address-invalid]: "ke @m.example" is not an
            e-mail address that a letter could go to
         --> recipients.csv:2:7
          |
        2 | Kenya,ke @m.example,a very long note that g...
          |       ^^^^^^^^^^^^^
          |
          = help: remove the blank before "@", or ask
                  the mission for the address that it
                  reads
        "#);
    }

    #[test]
    fn a_command_in_a_help_is_never_broken() {
        let command = format!("    demarche approve {} --by NAME --note TEXT", "4b".repeat(32));
        let problem = Diagnostic::error("", "nobody approved it").help(format!("look, then run\n{command}\nand send"));
        assert!(problem.render_within(40, false).contains(command.trim()), "{}", problem.render_within(40, false));
    }

    #[test]
    fn a_terminal_escape_in_a_cell_is_shown_and_not_obeyed() {
        let text = "a\u{1b}[2J@x";
        let problem = Diagnostic::error("x", text).at(Place::in_text("f", text, 0..3));
        assert!(!problem.render(false).contains('\u{1b}'));
    }

    proptest::proptest! {
        #[test]
        fn no_place_in_any_text_makes_a_problem_panic(text in "(?s).{0,300}", start in 0usize..400, len in 0usize..400) {
            let place = Place::in_text("f", &text, start..start + len);
            let problem = Diagnostic::error("x", &text).at(place).help(&text);
            let _ = (problem.render(true), problem.render_within(start, true));
        }
    }
}
