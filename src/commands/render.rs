//! Every letter of a batch, rendered to be checked: digests and problems are kept, messages are not.

use crate::compose::Composer;
use crate::diagnostic::Diagnostic;
use crate::domain::digest::Digest;
use crate::roster::Row;

use super::prepare::compose_for_look;

/// Threads that render.
const RENDERERS: usize = 2;

/// What came of rendering a batch.
pub(super) struct RenderedAll {
    /// Of each row's letter, in the order of the rows; fewer where there are problems.
    pub(super) digests: Vec<Digest>,
    /// Of each row's letter, its octets.
    pub(super) sizes: Vec<u32>,
    /// Each mistake once, however many letters it is in.
    pub(super) problems: Vec<Diagnostic>,
}

struct RenderedPart {
    digests: Vec<Digest>,
    sizes: Vec<u32>,
    problems: Vec<Found>,
}

/// A problem, and in how many more rows it came up: one mistake in a template is one problem, not one for each letter.
struct Found {
    first: Diagnostic,
    more: u64,
}

impl Found {
    fn join(self, found: &mut Vec<Self>) {
        /// More kinds of problems than anybody reads.
        const MOST: usize = 1_000;
        let same = |known: &Self| {
            let at_a_place = known.first.place.as_ref().is_some_and(|place| place.line > 0);
            let alike = known.first.code == self.first.code && known.first.place == self.first.place;
            known.first == self.first || (alike && (at_a_place || stem(&known.first) == stem(&self.first)))
        };
        match found.iter().position(same) {
            // The same words are the same problem; other words name another row.
            Some(at) if found[at].first == self.first => found[at].more += self.more,
            Some(at) => found[at].more += self.more + 1,
            None if found.len() < MOST => found.push(self),
            None => {}
        }
    }

    fn told(self) -> Diagnostic {
        let mut problem = self.first;
        if self.more > 0 {
            let rows = if self.more == 1 { "row" } else { "rows" };
            problem.message.push_str(&format!(", and in {} more {rows}", self.more));
        }
        problem
    }
}

/// A message without the row that it names.
fn stem(problem: &Diagnostic) -> (&str, &str) {
    let (before, after) = problem.message.split_once(" (row ").unwrap_or((&problem.message, ""));
    (before, after.split_once(')').map_or("", |(_, after)| after))
}

/// Renders every row on a few threads and keeps digests only: a million rows must not hold a million messages.
pub(super) fn render_all(composer: &Composer, rows: &[Row]) -> RenderedAll {
    let share = rows.len().div_ceil(RENDERERS).max(1);
    let parts: Vec<RenderedPart> = std::thread::scope(|scope| {
        let handles: Vec<_> = rows.chunks(share).map(|rows| scope.spawn(move || render_part(composer, rows))).collect();
        handles.into_iter().filter_map(|handle| handle.join().ok()).collect()
    });
    let mut all = RenderedAll {
        digests: Vec::with_capacity(rows.len()),
        sizes: Vec::with_capacity(rows.len()),
        problems: Vec::new(),
    };
    let mut all_found = Vec::new();
    for part in parts {
        all.digests.extend(part.digests);
        all.sizes.extend(part.sizes);
        for found in part.problems {
            found.join(&mut all_found);
        }
    }
    all.problems = all_found.into_iter().map(Found::told).collect();
    if all.digests.len() < rows.len() && all.problems.is_empty() {
        all.problems.push(Diagnostic::error("render", "a letter could not be rendered: a defect of demarche"));
    }
    all
}

fn render_part(composer: &Composer, rows: &[Row]) -> RenderedPart {
    let mut part = RenderedPart {
        digests: Vec::with_capacity(rows.len()),
        sizes: Vec::with_capacity(rows.len()),
        problems: Vec::new(),
    };
    for row in rows {
        match compose_for_look(composer, &row.recipient) {
            Ok(composed) => {
                part.digests.push(composed.message.digest);
                part.sizes.push(u32::try_from(composed.message.bytes.len()).unwrap_or(u32::MAX));
            }
            Err(problems) => {
                for first in problems {
                    Found { first, more: 0 }.join(&mut part.problems);
                }
            }
        }
    }
    part
}
