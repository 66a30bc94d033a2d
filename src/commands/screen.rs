//! The one door to the terminal: results on standard output, everything else on standard error.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use crate::diagnostic::{Diagnostic, Severity};
use crate::domain::reply::is_hidden;
use crate::report::Style;

use super::exit::{Failure, USAGE};

/// How many problems of one kind are drawn before the rest is only counted.
const DRAWN: usize = 100;

/// Where commands speak.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the terminal or the flags")]
pub struct Screen {
    quiet: bool,
    verbose: u8,
    no_input: bool,
    colour_out: bool,
    colour_err: bool,
}

impl Screen {
    /// A screen for these flags; colour only on a terminal, and never with `NO_COLOR` or `TERM=dumb`.
    #[must_use]
    pub fn new(quiet: bool, verbose: u8, no_input: bool) -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            quiet,
            verbose,
            no_input,
            colour_out: !refused && std::io::stdout().is_terminal(),
            colour_err: !refused && std::io::stderr().is_terminal(),
        }
    }

    /// How many `-v`.
    #[must_use]
    pub fn verbosity(&self) -> u8 {
        self.verbose
    }

    /// True if progress can be drawn in place.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !self.quiet && std::io::stderr().is_terminal()
    }

    /// How results are drawn.
    #[must_use]
    pub fn style(&self) -> Style {
        let utf8 = ["LC_ALL", "LC_CTYPE", "LANG"]
            .iter()
            .filter_map(|name| std::env::var(name).ok())
            .find(|value| !value.is_empty())
            .is_some_and(|value| value.to_ascii_lowercase().replace('-', "").contains("utf8"));
        Style { width: terminal_width(), colour: self.colour_out, unicode: utf8 }
    }

    /// A result, on standard output; its last line is ended here.
    pub fn result(&self, text: &str) {
        // Where there is colour, escapes are ours, and what is coloured has been made harmless before.
        let text = if self.colour_out { text.to_owned() } else { harmless(text) };
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes());
        if !text.ends_with('\n') {
            let _ = out.write_all(b"\n");
        }
        let _ = out.flush();
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
        self.result(&shown);
    }

    /// A message, on standard error, unless `--quiet`.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            Self::error_line(&harmless(text));
        }
    }

    /// A warning or error that is not about a place in a file, on standard error even with `--quiet`.
    pub fn warn(&self, text: &str) {
        self.diagnostic(&Diagnostic::warning("", text));
    }

    fn error_line(text: &str) {
        let mut err = std::io::stderr().lock();
        let _ = err.write_all(text.as_bytes());
        if !text.ends_with('\n') {
            let _ = err.write_all(b"\n");
        }
    }

    fn diagnostic(&self, diagnostic: &Diagnostic) {
        Self::error_line(&diagnostic.render(self.colour_err));
    }

    /// Problems, worst last so that a person sees them without scrolling; with `--quiet` errors only. That the sample's event
    /// is over is told by `check` and with `-v`, not by every command.
    pub fn problems(&self, diagnostics: &[Diagnostic]) {
        if self.verbose > 0 {
            return self.all_problems(diagnostics);
        }
        let is_noise = |problem: &Diagnostic| problem.severity == Severity::Note && problem.code == "event-past";
        let told: Vec<Diagnostic> = diagnostics.iter().filter(|problem| !is_noise(problem)).cloned().collect();
        self.all_problems(&told);
    }

    /// As [`Self::problems`], without leaving anything out.
    pub fn all_problems(&self, diagnostics: &[Diagnostic]) {
        for severity in [Severity::Note, Severity::Warning, Severity::Error] {
            if self.quiet && severity != Severity::Error {
                continue;
            }
            let of_kind: Vec<&Diagnostic> = diagnostics.iter().filter(|d| d.severity == severity).collect();
            for diagnostic in of_kind.iter().take(DRAWN) {
                self.diagnostic(diagnostic);
            }
            if of_kind.len() > DRAWN {
                Self::error_line(&format!(
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
                self.problems(diagnostics);
                let errors = diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
                let noun = if errors == 1 { "error" } else { "errors" };
                Self::error_line(&format!("{errors} {noun}; nothing was sent."));
            }
        }
    }

    /// Asks for a word on the terminal; true if it was given.
    ///
    /// # Errors
    /// A [`Failure`] where there is nobody to ask.
    pub fn ask(&self, question: &str, word: &str) -> Result<bool, Failure> {
        if self.no_input || !std::io::stdin().is_terminal() {
            return Err(Failure::new(USAGE, "there is no terminal to ask on, and no --yes or --approve DIGEST")
                .help("look at `demarche preview`, then pass --approve with the digest that it prints"));
        }
        let mut err = std::io::stderr().lock();
        let _ = write!(err, "{question}\nType \"{word}\" to go on, anything else to stop: ");
        let _ = err.flush();
        let mut answer = String::new();
        let read = std::io::stdin().lock().read_line(&mut answer);
        Ok(read.is_ok() && answer.trim().eq_ignore_ascii_case(word))
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
fn terminal_width() -> usize {
    console::Term::stdout().size_checked().map_or(80, |(_, columns)| usize::from(columns))
}
