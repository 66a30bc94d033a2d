//! How many recipients a day may hold: a rolling window over all runs. Pure: time is handed in.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::domain::rate::Rate;

/// At most so many recipients in any 24 hours, over all runs: the ledger says what went before.
///
/// A day has passed for a letter when both clocks say so: a wall clock that is set ahead frees nothing, as long as the run
/// lasts. For letters of earlier runs the wall clock is all there is.
#[derive(Debug)]
pub(super) struct DailyCap {
    most: u32,
    window: SignedDuration,
    sent: VecDeque<Sent>,
    total: u64,
}

/// Letters of one minute.
#[derive(Debug, Clone, Copy)]
struct Sent {
    /// The last of them, by the wall clock.
    at: Timestamp,
    /// The same by the monotonic clock, from the run's start; negative for an earlier run.
    moment: SignedDuration,
    recipients: u32,
}

impl DailyCap {
    /// A cap for a rate per day, with what was handed over in the last window, oldest first; `now` is the run's start.
    pub(super) fn new(rate: Rate, sent: Vec<(Timestamp, u32)>, now: Timestamp) -> Self {
        let total = sent.iter().map(|(_, count)| u64::from(*count)).sum();
        // One that is dated later than now was so dated by a clock that was set back since: it counts from now.
        let moment = |at: Timestamp| at.duration_since(now).min(SignedDuration::ZERO);
        let sent = sent.into_iter().map(|(at, recipients)| Sent { at, moment: moment(at), recipients }).collect();
        Self { most: rate.count(), window: signed(rate.per().duration()), sent, total }
    }

    /// None if `recipients` more fit now, else when they will. A letter with more recipients than the whole cap goes when
    /// the window is empty. `now` is the wall clock's, `moment` the monotonic clock's, from the run's start.
    pub(super) fn free_at(&mut self, recipients: u32, now: Timestamp, moment: Duration) -> Option<Timestamp> {
        let moment = signed(moment);
        while let Some(first) = self.sent.front() {
            if self.leaves(first, now, moment) > now {
                break;
            }
            self.total -= u64::from(first.recipients);
            self.sent.pop_front();
        }
        let mut left = self.total;
        let needed = u64::from(recipients.min(self.most));
        if left + needed <= u64::from(self.most) {
            return None;
        }
        let mut free = now;
        for sent in &self.sent {
            left -= u64::from(sent.recipients);
            // They leave in their order, also where the wall clock was set back between them.
            free = free.max(self.leaves(sent, now, moment));
            if left + needed <= u64::from(self.most) {
                return Some(free);
            }
        }
        None
    }

    /// When the wall clock will show that the window has passed for `sent` by both clocks; no later than now if it has.
    fn leaves(&self, sent: &Sent, now: Timestamp, moment: SignedDuration) -> Timestamp {
        let by_wall = sent.at.saturating_add(self.window).unwrap_or(Timestamp::MAX);
        let left = sent.moment.saturating_add(self.window).saturating_sub(moment);
        by_wall.max(now.saturating_add(left).unwrap_or(Timestamp::MAX))
    }

    /// Counts `recipients` handed over at `now` by the wall clock, `moment` by the monotonic one.
    pub(super) fn count(&mut self, recipients: u32, now: Timestamp, moment: Duration) {
        let moment = signed(moment);
        self.total += u64::from(recipients);
        match self.sent.back_mut() {
            // Buckets of a minute, rounded up in time: nothing is freed early.
            Some(last) if now.as_second() / 60 == last.at.as_second() / 60 => {
                last.recipients += recipients;
                (last.at, last.moment) = (now.max(last.at), moment.max(last.moment));
            }
            _ => self.sent.push_back(Sent { at: now, moment, recipients }),
        }
    }
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::rate::Per;

    fn rate(text: &str) -> Rate {
        text.parse().expect("a rate")
    }

    const ZERO: Duration = Duration::ZERO;
    const HOUR: Duration = Duration::from_secs(3600);

    fn start() -> Timestamp {
        "2026-01-01T00:00:00Z".parse().expect("a time")
    }

    #[test]
    fn a_day_that_is_full_frees_when_its_oldest_letters_leave_the_window() {
        let now = start() + 2 * HOUR;
        let mut cap = DailyCap::new(rate("3/day"), vec![(start(), 2), (start() + HOUR, 1)], now);
        assert_eq!(cap.free_at(1, now, ZERO), Some(start() + 24 * HOUR));
        assert_eq!(cap.free_at(3, now, ZERO), Some(start() + 25 * HOUR));
        assert_eq!(cap.free_at(1, start() + 24 * HOUR, 22 * HOUR), None);
    }

    #[test]
    fn a_wall_clock_set_ahead_frees_no_day_and_one_set_back_ends_none_early() {
        let mut cap = DailyCap::new(rate("1/day"), Vec::new(), start());
        cap.count(1, start(), ZERO);
        let ahead = start() + 25 * HOUR;
        assert_eq!(cap.free_at(1, ahead, HOUR), Some(ahead + 23 * HOUR));
        assert_eq!(cap.free_at(1, start() - 23 * HOUR, HOUR), Some(start() + 24 * HOUR));
        assert_eq!(cap.free_at(1, start() - HOUR, 24 * HOUR), Some(start() + 24 * HOUR));
        assert_eq!(cap.free_at(1, ahead, 24 * HOUR), None);
    }

    #[test]
    fn a_letter_that_is_dated_in_the_future_counts_for_a_day_all_the_same() {
        let mut cap = DailyCap::new(rate("1/day"), vec![(start() + 20 * HOUR, 1)], start());
        assert_eq!(cap.free_at(1, start(), ZERO), Some(start() + 44 * HOUR));
        assert_eq!(cap.free_at(1, start() + 45 * HOUR, 2 * HOUR), Some(start() + 67 * HOUR));
    }

    proptest! {
        /// However the wall clock is set meanwhile; and no letter waits for more than the clock was set back and a day.
        #[test]
        fn no_day_holds_more_recipients_than_its_cap(
            letters in proptest::collection::vec((1u32..4, -24i64..=24, any::<bool>()), 1..200), cap in 3u32..40
        ) {
            let mut daily = DailyCap::new(Rate::new(cap, Per::Day).expect("a rate"), Vec::new(), start());
            let (mut moment, mut wall) = (ZERO, start());
            let mut sent: Vec<(Duration, u32)> = Vec::new();
            for (size, hours, set) in letters {
                if set {
                    wall += SignedDuration::from_hours(hours);
                }
                let waits_from = moment;
                while let Some(free) = daily.free_at(size, wall, moment) {
                    prop_assert!(free > wall);
                    let wait = Duration::try_from(free.duration_since(wall)).expect("ahead");
                    (moment, wall) = (moment + wait, free);
                }
                // Steps add up: at most one for each letter that went out since.
                prop_assert!(moment.saturating_sub(waits_from) <= 24 * HOUR * u32::try_from(sent.len() + 2).expect("few"));
                daily.count(size, wall, moment);
                sent.push((moment, size));
                let inside = sent.iter().filter(|(at, _)| *at + 24 * HOUR > moment).map(|(_, n)| n);
                prop_assert!(inside.sum::<u32>() <= cap);
                let passes = Duration::from_secs(7 * 60);
                (moment, wall) = (moment + passes, wall + passes);
            }
        }
    }
}
