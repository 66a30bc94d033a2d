//! The outcome table: each state, how many letters are in it, their share, and what it means.

use std::fmt::Write as _;

use super::{Style, counted, shown};
use crate::domain::delivery::State;
use crate::domain::record::Counts;

/// A row for each state that has letters, and one for all of them; every line ended.
#[must_use]
pub fn outcome_table(counts: &Counts, style: &Style) -> String {
    let total = counts.total();
    let mut table = style.bold(&style.cut("state       letters    share  what it means", style.columns()));
    table.push('\n');
    for (state, count) in counted(counts).into_iter().filter(|(_, count)| *count > 0) {
        let row = format!("{:<10}  {count:>7}  {:>7}  ", shown(state), share_of_due(state, count, counts));
        let meaning = style.hanging(&row, meaning(state));
        table.push_str(&meaning.replacen(&row, &style.paint(state, &row), 1));
    }
    let _ = writeln!(table, "{:<10}  {total:>7}", "all");
    table
}

/// What a state means for the mission, in a few words.
pub(super) fn meaning(state: State) -> &'static str {
    match state {
        State::Queued => "waiting to be sent",
        State::Sending | State::HandedOver => "a run is at it, or was cut off",
        State::Accepted => "a server took the letter",
        State::Deferred => "refused for now; not delivered yet",
        State::Failed => "refused for good, for one address at least",
        State::Uncertain => "handed over; nobody knows if it was taken",
        State::Suppressed => "left out on purpose; never sent",
    }
}

/// Its share of the letters that were to go; what is left out on purpose has none.
pub(super) fn share_of_due(state: State, count: u64, counts: &Counts) -> String {
    if state == State::Suppressed { String::new() } else { share(count, counts.total() - counts.suppressed) }
}

/// A share in percent, rounded; but what is not all never reads as 100 %, and what is not nothing never as 0.0 %.
pub(super) fn share(count: u64, total: u64) -> String {
    let total = u128::from(total.max(1));
    let rounded = (u128::from(count) * 1_000 + total / 2) / total;
    let permille = if u128::from(count) < total { rounded.min(999) } else { rounded };
    if permille == 0 && count > 0 { "<0.1 %".into() } else { format!("{}.{} %", permille / 10, permille % 10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_never_claims_all_or_nothing_where_it_is_not() {
        assert_eq!(share(193, 193), "100.0 %");
        assert_eq!(share(999_999, 1_000_000), "99.9 %");
        assert_eq!(share(1, 1_000_000), "<0.1 %");
        assert_eq!(share(5, 193), "2.6 %");
        assert_eq!(share(0, 0), "0.0 %");
    }
}
