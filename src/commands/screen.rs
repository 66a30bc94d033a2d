//! The one door to the terminal: results on standard output, everything else on standard error.

use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};

use console::Term;
use dialoguer::Input;
use indicatif::ProgressBar;

use crate::diagnostic::{Diagnostic, Severity};
use crate::domain::delivery::State;
use crate::domain::prose;
use crate::domain::reply::{is_hidden, visible};
use crate::report::{Style, ascii};

use super::exit::{Failure, USAGE};
use super::logging::SHOWN;
use super::remarks;

/// How many problems of one kind are drawn before the rest is only counted.
const DRAWN: usize = 100;

/// Columns that no line has.
const UNBROKEN: usize = 1_000_000;

/// What the command line says of the screen.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line, or follows from it")]
pub struct Flags {
    /// `--quiet`
    pub quiet: bool,
    /// How many `-v`.
    pub verbose: u8,
    /// Problems are shown each at its place, not in a line for each kind: by `check`, and with `-v`.
    pub whole: bool,
    /// `--no-input`
    pub no_input: bool,
    /// `--plain`
    pub plain: bool,
}

/// One of the two streams.
#[derive(Debug, Clone, Copy)]
struct Stream {
    terminal: bool,
    colour: bool,
    /// Whether it shows characters outside ASCII. A pipe takes them: whatever reads it need not be a terminal of this locale.
    unicode: bool,
}

impl Stream {
    fn new(terminal: bool, plain: bool) -> Self {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let no_colour = set("NO_COLOR").is_some() || set("TERM").is_some_and(|term| term == "dumb");
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| set(name));
        let utf8 = locale.is_some_and(|value| value.to_ascii_lowercase().replace('-', "").contains("utf8"));
        Self { terminal, colour: terminal && !no_colour && !plain, unicode: !plain && (utf8 || !terminal) }
    }
}

/// Where commands speak.
#[derive(Debug, Clone)]
pub struct Screen {
    flags: Flags,
    out: Stream,
    err: Stream,
    /// The bar that is drawn in place: whatever is printed meanwhile stands above it.
    bar: Arc<Mutex<Option<ProgressBar>>>,
    /// What was printed last, on either stream.
    last: Arc<Mutex<Last>>,
}

/// What a line is printed after: what takes several lines is set apart from whatever is around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Last {
    /// Nothing, or an empty line.
    #[default]
    Gap,
    Text,
    Block,
}

impl Screen {
    /// A screen for these flags; colour only on a terminal, and never with `NO_COLOR`, `TERM=dumb` or `--plain`.
    #[must_use]
    pub fn new(flags: Flags) -> Self {
        Self {
            flags,
            out: Stream::new(std::io::stdout().is_terminal(), flags.plain),
            err: Stream::new(std::io::stderr().is_terminal(), flags.plain),
            bar: Arc::default(),
            last: Arc::default(),
        }
    }

    /// True if what goes to standard error may be coloured.
    #[must_use]
    pub fn colours_messages(&self) -> bool {
        self.err.colour
    }

    /// How many `-v`.
    #[must_use]
    pub fn verbosity(&self) -> u8 {
        self.flags.verbose
    }

    /// True if progress can be drawn in place.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !self.flags.quiet && !self.flags.plain && self.err.terminal
    }

    /// From now on `bar` is drawn in place; `None` takes it away.
    pub(super) fn draw(&self, bar: Option<ProgressBar>) {
        let mut drawn = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = std::mem::replace(&mut *drawn, bar) {
            before.finish_and_clear();
        }
    }

    /// Prints with the bar out of the way.
    fn beside_the_bar(&self, print: impl FnOnce()) {
        match &*self.bar.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Leaves an empty line on standard error where a block of lines meets something else, and remembers what comes now.
    fn set_apart(&self, text: &str, now: Last) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let apart = *last == Last::Block || (*last == Last::Text && now == Last::Block);
        if apart && !text.starts_with('\n') {
            self.beside_the_bar(|| write(&mut std::io::stderr().lock(), "\n"));
        }
        *last = if text == "\n" || text.ends_with("\n\n") { Last::Gap } else { now };
    }

    /// How results are drawn.
    #[must_use]
    pub fn style(&self) -> Style {
        Style { width: width_of(&Term::stdout()), colour: self.out.colour, unicode: self.out.unicode }
    }

    /// How messages and progress are drawn.
    #[must_use]
    pub fn message_style(&self) -> Style {
        Style { width: width_of(&Term::stderr()), colour: self.err.colour, unicode: self.err.unicode }
    }

    /// A result, on standard output; its last line is ended here.
    pub fn result(&self, text: &str) {
        // Where there is colour, escapes are ours, and what is coloured has been made harmless before.
        let text = if self.out.colour { text.to_owned() } else { harmless(text) };
        self.print(&if self.out.unicode { text } else { ascii(&text) });
    }

    fn print(&self, text: &str) {
        self.set_apart(text, Last::Text);
        self.beside_the_bar(|| write(&mut std::io::stdout().lock(), text));
    }

    /// How a result in sentences and columns is drawn: off a terminal nothing is broken, so that it can be searched for.
    #[must_use]
    pub fn prose_style(&self) -> Style {
        Style { width: if self.out.terminal { self.style().width } else { UNBROKEN }, ..self.style() }
    }

    /// A result in sentences: on a terminal its lines are broken to fit.
    pub fn result_in_sentences(&self, text: &str) {
        let text = harmless(text);
        self.result(&if self.out.terminal { self.style().fitted(&text) } else { text });
    }

    /// A result as JSON. What a terminal would obey or hide is written as an escape, which reads back as the same value.
    pub fn json(&self, value: &serde_json::Value) {
        let json = serde_json::to_string_pretty(value).unwrap_or_default();
        let mut shown = String::with_capacity(json.len());
        for c in json.chars() {
            // Outside texts JSON holds ASCII alone, and a line end is the only control character left here.
            if c != '\n' && is_hidden(c) {
                shown.push_str(&format!("\\u{:04x}", u32::from(c)));
            } else {
                shown.push(c);
            }
        }
        self.print(&shown);
    }

    /// A message, on standard error, unless `--quiet`. On a terminal its lines are broken to fit.
    pub fn say(&self, text: &str) {
        let text = harmless(text);
        tracing::info!(target: SHOWN, "{}", text.trim());
        if !self.flags.quiet {
            let fitted = if self.err.terminal { self.message_style().fitted(&text) } else { text };
            self.error_line(&fitted);
        }
    }

    /// A message after a Ctrl-C: where no bar is drawn, the terminal's echo of it stands at the beginning of the line.
    pub(super) fn say_after_echo(&self, text: &str) {
        let echoed = self.err.terminal && !self.is_live() && !self.flags.quiet;
        if echoed {
            write(&mut std::io::stderr().lock(), "\n");
        }
        self.say(text);
    }

    /// What became of a letter, on standard error unless `--quiet`: what goes on in further lines is indented, and the state
    /// has its colour.
    pub fn say_of_letter(&self, name: &str, state: State, word: &str, what: &str) {
        let text = harmless(&format!("{name}  {word}{what}"));
        tracing::info!(target: SHOWN, "{text}");
        if self.flags.quiet {
            return;
        }
        let style = self.message_style();
        let fitted = if self.err.terminal { prose::fill(&text, style.columns(), "    ") } else { text };
        self.error_line(&fitted.replacen(word, &style.paint(state, word), 1));
    }

    /// A message in two columns below a heading, unless `--quiet`.
    pub fn say_facts(&self, heading: &str, facts: &[(&str, String)]) {
        let facts: Vec<(&str, String)> = facts.iter().map(|(label, value)| (*label, harmless(value))).collect();
        let heading = harmless(heading);
        let on_a_pipe = Style { width: UNBROKEN, colour: false, unicode: !self.flags.plain };
        tracing::info!(target: SHOWN, "{heading}\n{}", on_a_pipe.facts(2, &facts).trim_end());
        if !self.flags.quiet {
            let style = if self.err.terminal { self.message_style() } else { on_a_pipe };
            self.block(&format!("{}\n{}", style.bold(heading.trim()), style.facts(2, &facts)));
        }
    }

    /// A warning or error that is not about a place in a file, on standard error even with `--quiet`.
    pub fn warn(&self, text: &str) {
        self.diagnostic(&Diagnostic::warning("", text));
    }

    /// As [`Self::warn`], with what it is about below it, in lines of its own: these are indented as the caller has them.
    pub fn warn_of(&self, text: &str, details: &str) {
        self.warn(text);
        let details = harmless(details);
        tracing::warn!(target: SHOWN, "{}", details.trim());
        self.print_error(&if self.err.terminal { self.message_style().fitted(&details) } else { details });
    }

    fn error_line(&self, text: &str) {
        self.set_apart(text, Last::Text);
        self.print_error(text);
    }

    /// Lines that belong together.
    fn block(&self, text: &str) {
        self.set_apart(text, Last::Block);
        self.print_error(text);
    }

    fn print_error(&self, text: &str) {
        let text = if self.err.unicode { text.to_owned() } else { ascii(text) };
        self.beside_the_bar(|| write(&mut std::io::stderr().lock(), &text));
    }

    fn diagnostic(&self, diagnostic: &Diagnostic) {
        trace(diagnostic);
        let drawn = if self.err.terminal {
            diagnostic.render_within(width_of(&Term::stderr()), self.err.colour)
        } else {
            diagnostic.render(self.err.colour)
        };
        self.block(&drawn);
    }

    /// What `check` told of a batch already: errors whole, the rest in a line for each kind, so that what the command itself has
    /// to say is not lost below it. That the sample's event is over, and that its addresses are placeholders, `check` alone tells.
    pub fn remarks(&self, diagnostics: &[Diagnostic]) {
        if self.flags.whole {
            return self.problems(diagnostics);
        }
        let is_noise = |problem: &Diagnostic| match problem.severity {
            Severity::Error => false,
            Severity::Warning => problem.code == "placeholders",
            Severity::Note => problem.code == "event-past",
        };
        let (errors, rest): (Vec<Diagnostic>, Vec<Diagnostic>) =
            diagnostics.iter().filter(|problem| !is_noise(problem)).cloned().partition(Diagnostic::is_error);
        if !rest.is_empty() && !self.flags.quiet {
            rest.iter().for_each(trace);
            let style = self.message_style();
            let lines = remarks::lines(&rest).into_iter();
            let lines: Vec<String> = if self.err.terminal {
                let cut = |line: String| style.cut(&line, style.columns() - 4);
                lines.map(|line| format!("  - {}\n", cut(line))).collect()
            } else {
                lines.map(|line| format!("  - {line}\n")).collect()
            };
            let head = remarks::heading(&rest);
            let head = if self.err.terminal { style.fitted(&head) } else { format!("{head}\n") };
            self.block(&format!("{head}{}", lines.concat()));
        }
        self.problems(&errors);
    }

    /// Problems, worst last so that a person sees them without scrolling; with `--quiet` errors only.
    pub fn problems(&self, diagnostics: &[Diagnostic]) {
        for severity in [Severity::Note, Severity::Warning, Severity::Error] {
            if self.flags.quiet && severity != Severity::Error {
                continue;
            }
            let of_kind: Vec<&Diagnostic> = diagnostics.iter().filter(|d| d.severity == severity).collect();
            for diagnostic in of_kind.iter().take(DRAWN) {
                self.diagnostic(diagnostic);
            }
            if of_kind.len() > DRAWN {
                self.error_line(&format!(
                    "… and {} more of these; `demarche check --json` lists all",
                    of_kind.len() - DRAWN
                ));
            }
        }
    }

    /// A command's failure.
    pub fn failure(&self, failure: &Failure) {
        match failure {
            Failure::Said { message, help, .. } => {
                let mut problem = Diagnostic::error("", message);
                if let Some(help) = help {
                    problem = problem.help(help);
                }
                self.diagnostic(&problem);
            }
            Failure::Problems { diagnostics, .. } => {
                self.remarks(diagnostics);
                let last = format!("{}; nothing was sent.", remarks::errors(diagnostics));
                self.error_line(&if self.err.terminal { self.message_style().fitted(&last) } else { last });
            }
        }
    }

    /// True if there is somebody to ask.
    #[must_use]
    pub fn can_ask(&self) -> bool {
        !self.flags.no_input && std::io::stdin().is_terminal()
    }

    /// Asks on the terminal which of the answers it is: its number from 0, or `None` for none of them.
    #[must_use]
    pub fn choose(&self, question: &str, answers: &[String]) -> Option<usize> {
        let mut text = format!("{question}\n");
        for (number, answer) in answers.iter().enumerate() {
            text.push_str(&format!("  {}  {answer}\n", number + 1));
        }
        self.error_line(&self.message_style().fitted(&harmless(&text)));
        let prompt = "Type its number to go on, anything else to stop";
        let answer: Result<String, _> =
            Input::new().with_prompt(prompt).allow_empty(true).interact_text_on(&Term::stderr());
        let chosen = answer.ok().and_then(|answer| answer.trim().parse::<usize>().ok()?.checked_sub(1));
        let chosen = chosen.filter(|chosen| *chosen < answers.len());
        tracing::info!(target: SHOWN, question = harmless(question).trim(), chosen, "asked");
        chosen
    }

    /// Asks for a word on the terminal; true if it was given.
    ///
    /// # Errors
    /// A [`Failure`] where there is nobody to ask, with what to do `instead`.
    pub fn ask(&self, question: &str, word: &str, instead: &str) -> Result<bool, Failure> {
        if !self.can_ask() {
            let why = if self.flags.no_input { "--no-input forbids to ask" } else { "there is no terminal to ask on" };
            return Err(
                Failure::new(USAGE, format!("{why}, and no word was given beforehand; nothing was sent")).help(instead)
            );
        }
        self.error_line(&self.message_style().fitted(&harmless(question)));
        let prompt = format!("Type \"{word}\" to go on, anything else to stop");
        let answer: Result<String, _> =
            Input::new().with_prompt(prompt).allow_empty(true).interact_text_on(&Term::stderr());
        let typed = answer.unwrap_or_default();
        let given = typed.trim().eq_ignore_ascii_case(word);
        if !given && !typed.trim().is_empty() {
            self.say(&format!("You typed \"{}\"; the word is \"{word}\".", visible(typed.trim())));
        }
        tracing::info!(target: SHOWN, question = harmless(question).trim(), given, "asked");
        Ok(given)
    }
}

/// Writes it with its last line ended. There is nobody to tell that nobody listens.
fn write(to: &mut dyn std::io::Write, text: &str) {
    let _ = to.write_all(text.as_bytes());
    if !text.ends_with('\n') {
        let _ = to.write_all(b"\n");
    }
    let _ = to.flush();
}

/// The same text with its lines broken, if standard error is a terminal on which one of them has no room.
pub(super) fn fitted_aside(text: &str) -> Option<String> {
    let term = Term::stderr();
    let columns = width_of(&term);
    let too_long = term.is_term() && text.lines().any(|line| line.chars().count() > columns);
    let style = Style { width: columns, colour: false, unicode: true };
    too_long.then(|| text.lines().map(|line| prose::fill(line, style.columns(), "    ") + "\n").collect())
}

/// Words on standard error before there is a screen: the command line that says how one looks was not understood.
pub(super) fn aside(text: &str) {
    write(&mut std::io::stderr().lock(), &ascii(&harmless(text)));
}

/// A problem in the log file: its place in one word, so that it can be searched for.
fn trace(diagnostic: &Diagnostic) {
    let Diagnostic { severity, code, message, place, help, about: _ } = diagnostic;
    let place = place.as_ref().map(|place| match &place.cell {
        Some(cell) => visible(&format!("{}:{}", place.file, cell.name)),
        None => visible(&format!("{}:{}:{}", place.file, place.line, place.column)),
    });
    let (message, help) = (visible(message), help.as_deref().map(visible));
    match severity {
        Severity::Error => tracing::error!(target: SHOWN, code, place, help, "{message}"),
        Severity::Warning => tracing::warn!(target: SHOWN, code, place, help, "{message}"),
        Severity::Note => tracing::info!(target: SHOWN, code, place, help, "{message}"),
    }
}

/// The text with whatever a terminal would obey made visible, but for line ends and tabs: it may quote settings, paths and
/// other people's words.
fn harmless(text: &str) -> String {
    let keep = |c: char| matches!(c, '\n' | '\t');
    if !text.chars().any(|c| is_hidden(c) && !keep(c)) {
        return text.to_owned();
    }
    text.chars().fold(String::with_capacity(text.len()), |mut shown, c| {
        if is_hidden(c) && !keep(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
        shown
    })
}

/// The terminal's width in columns, 80 where there is none.
fn width_of(term: &Term) -> usize {
    term.size_checked().map_or(80, |(_, columns)| usize::from(columns))
}
