//! What servers answered, sorted into intervals of time.

use jiff::{SignedDuration, Timestamp};

use crate::domain::delivery::State;

/// Lengths of an interval that people think in, in seconds.
pub(super) const STEPS: [i64; 17] =
    [1, 5, 10, 30, 60, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 604_800, 2_592_000];
/// The most intervals that are drawn.
const MOST: i64 = 40;
/// What is stacked, from the bottom.
pub(super) const STACKED: [State; 4] = [State::Accepted, State::Deferred, State::Failed, State::Uncertain];

/// What happened in one interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) from: Timestamp,
    /// In the order of [`STACKED`].
    pub(super) counts: [u64; 4],
}

/// Settled attempts, sorted into intervals of one length that follow each other without a gap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Timeline {
    /// In seconds.
    pub(super) step: i64,
    pub(super) intervals: Vec<Interval>,
}

impl Timeline {
    /// `None` if nothing was settled.
    pub(super) fn new(settled: &[(Timestamp, State)]) -> Option<Self> {
        let (first, last) = (settled.first()?.0.as_second(), settled.last()?.0.as_second());
        let fits = |step: &&i64| (last.div_euclid(**step) - first.div_euclid(**step)) < MOST;
        // Beyond forty months an interval is as long as it must be.
        let step = STEPS.iter().find(fits).copied().unwrap_or_else(|| (last - first) / (MOST - 1) + 1);
        let origin = first.div_euclid(step) * step;
        let count = (last - origin) / step + 1;
        let at = |second: i64| Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH);
        let mut intervals: Vec<Interval> =
            (0..count).map(|place| Interval { from: at(origin + place * step), counts: [0; 4] }).collect();
        for (moment, state) in settled {
            let place = usize::try_from((moment.as_second() - origin) / step).unwrap_or(0);
            if let (Some(interval), Some(kind)) =
                (intervals.get_mut(place), STACKED.iter().position(|stacked| stacked == state))
            {
                interval.counts[kind] += 1;
            }
        }
        Some(Self { step, intervals })
    }

    /// The beginning of the first interval.
    pub(super) fn begin(&self) -> Timestamp {
        self.intervals[0].from
    }

    /// The end of the last one.
    pub(super) fn end(&self) -> Timestamp {
        let last = self.intervals[self.intervals.len() - 1].from;
        last.checked_add(SignedDuration::from_secs(self.step)).unwrap_or(last)
    }

    /// The most that happened in one of them.
    pub(super) fn tallest(&self) -> u64 {
        self.intervals.iter().map(|interval| interval.counts.iter().sum()).max().unwrap_or(0)
    }

    /// What an instant on the axis is called: as exact as the intervals are.
    pub(super) fn label(&self, at: Timestamp) -> String {
        let format = match self.step {
            ..60 => "%H:%M:%S",
            60..43_200 => "%H:%M",
            _ => "%-d %b",
        };
        at.strftime(format).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_634_738_400 + second).expect("in range")
    }

    #[test]
    fn every_settled_attempt_is_in_one_interval_and_there_are_never_too_many() {
        for span in [0, 1, 59, 3_600, 86_400, 30 * 86_400, 400 * 86_400, 20_000 * 86_400] {
            let settled: Vec<(Timestamp, State)> = (0..=10).map(|n| (at(span * n / 10), State::Accepted)).collect();
            let timeline = Timeline::new(&settled).expect("something");
            assert!(timeline.intervals.len() <= 40, "{span}: {}", timeline.intervals.len());
            assert_eq!(timeline.intervals.iter().map(|i| i.counts[0]).sum::<u64>(), 11, "{span}");
            assert!(timeline.begin() <= at(0) && timeline.end() > at(span), "{span}");
        }
        assert_eq!(Timeline::new(&[]), None);
    }
}
