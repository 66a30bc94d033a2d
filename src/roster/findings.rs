//! Everything that was found, up to a number that nobody reads through.

use crate::diagnostic::{Diagnostic, Place, Severity};

/// So many problems are kept with their places; of the others only the number.
const KEPT: usize = 5_000;

/// The problems of one file.
pub(super) struct Findings {
    list: Vec<Diagnostic>,
    errors: usize,
    dropped: usize,
    dropped_errors: usize,
}

impl Findings {
    pub(super) fn new() -> Self {
        Self { list: Vec::new(), errors: 0, dropped: 0, dropped_errors: 0 }
    }

    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        let error = diagnostic.severity == Severity::Error;
        self.errors += usize::from(error);
        if self.list.len() < KEPT {
            self.list.push(diagnostic);
        } else {
            self.dropped += 1;
            self.dropped_errors += usize::from(error);
        }
    }

    pub(super) fn extend(&mut self, diagnostics: Vec<Diagnostic>) {
        for diagnostic in diagnostics {
            self.push(diagnostic);
        }
    }

    /// How many errors there are so far: a row is wrong if it added one.
    pub(super) fn errors(&self) -> usize {
        self.errors
    }

    /// The problems in the order of the file; those of the file as a whole come first.
    pub(super) fn finish(mut self, file: &str) -> Vec<Diagnostic> {
        self.list.sort_by_key(|d| d.place.as_ref().map_or((0, 0), |place| (place.line, place.column)));
        if self.dropped > 0 {
            let message = format!("{} problems more, not listed; {} are errors", self.dropped, self.dropped_errors);
            let last = if self.dropped_errors > 0 {
                Diagnostic::error("too-many-problems", message)
            } else {
                Diagnostic::warning("too-many-problems", message)
            };
            self.list.push(last.at(Place::file(file)).help("mend those above first"));
        }
        self.list
    }
}

/// `a, b and c`, or the first ten and how many more.
pub(super) fn listed<T: ToString>(items: &[T]) -> String {
    const SHOWN: usize = 10;
    let texts: Vec<String> = items.iter().take(SHOWN).map(ToString::to_string).collect();
    match (items.len(), texts.as_slice()) {
        (0, _) => String::new(),
        (more, _) if more > SHOWN => format!("{} and {} more", texts.join(", "), more - SHOWN),
        (1, _) => texts.concat(),
        (_, [first @ .., last]) => format!("{} and {last}", first.join(", ")),
        (_, []) => String::new(),
    }
}

/// `one address`, `3 addresses`: a count with its noun.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_aloud_and_end() {
        assert_eq!(listed(&[1]), "1");
        assert_eq!(listed(&[1, 2, 3]), "1, 2 and 3");
        assert_eq!(listed(&(1..=12).collect::<Vec<_>>()), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more");
    }

    #[test]
    fn an_error_that_is_not_listed_still_forbids_sending() {
        let mut findings = Findings::new();
        for _ in 0..KEPT {
            findings.push(Diagnostic::warning("w", "w"));
        }
        findings.push(Diagnostic::error("e", "e"));
        let all = findings.finish("r.csv");
        assert_eq!(all.len(), KEPT + 1);
        assert!(crate::diagnostic::any_error(&all));
    }
}
