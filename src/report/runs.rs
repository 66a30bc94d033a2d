//! The runs on a screen: when, by whom, with which batch, confirmed how, and whether that was approved before.

use super::{Facts, Style, moment};
use crate::domain::record::RunRecord;

/// A paragraph for each run, every line ended; empty if there are none.
#[must_use]
pub fn runs(runs: &[&RunRecord], facts: &Facts, style: &Style) -> String {
    runs.iter().map(|run| style.hanging(&format!("Run {}  ", run.run), &style.text(&line(run, facts)))).collect()
}

/// `2021-10-20 14:02:00 UTC by desk on office, confirmed by --yes, with this batch; approved by The Chair before it began`.
pub(super) fn line(run: &RunRecord, facts: &Facts) -> String {
    let began = &run.began;
    let mut line = began.command.as_deref().map_or_else(String::new, |command| format!("{command}, "));
    line.push_str(&moment(run.started_at, &facts.zone));
    line.push_str(&began.by.as_deref().map_or_else(String::new, |by| format!(" by {by}")));
    line.push_str(&began.host.as_deref().map_or_else(String::new, |host| format!(" on {host}")));
    line.push_str(&match began.digest {
        None => String::new(),
        Some(digest) if digest == facts.digest => ", with this batch".to_owned(),
        Some(digest) => format!(", with the batch as it was then, {digest}"),
    });
    line.push_str(&began.confirmed.map_or_else(String::new, |how| format!(", confirmed {}", how.described())));
    // Where nobody uses approvals, that nobody gave one is no news.
    if !facts.rehearsal && !facts.approvals.is_empty() {
        line.push_str(&format!("; {}", began.cover(run.started_at, &facts.approvals).described()));
    }
    line
}
