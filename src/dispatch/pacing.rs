//! When the next letter may go: even rates, per-domain rates and rolling daily caps. Pure: time is handed in.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::domain::rate::{Per, Rate};

/// How late a slot may be used without moving the slots after it: what a timer's grain and a busy machine take. Without
/// it every late wake-up would slow the whole batch.
const SLACK: Duration = Duration::from_millis(20);

/// Even spacing at one rate, as reservations: whoever reserves gets a moment of its own.
#[derive(Debug, Clone)]
pub struct Pacer {
    interval: Duration,
    next: Option<Duration>,
}

impl Pacer {
    /// A pacer with nothing reserved.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self { interval: rate.interval(), next: None }
    }

    /// The moment (monotonic, from the run's start) that a reservation at `now` would get.
    #[must_use]
    pub fn earliest(&self, now: Duration) -> Duration {
        self.next.map_or(now, |next| next.max(now.saturating_sub(SLACK)))
    }

    /// Takes the slot at `moment`, which must be no earlier than [`Self::earliest`].
    pub fn take(&mut self, moment: Duration) {
        self.next = Some(moment + self.interval);
    }

    /// True if nothing reserved reaches beyond `now`: it can be forgotten.
    #[must_use]
    pub fn is_idle(&self, now: Duration) -> bool {
        self.next.is_none_or(|next| next + SLACK <= now)
    }
}

/// All pacers of a run.
#[derive(Debug)]
pub struct Pace {
    overall: Vec<Pacer>,
    per_domain: Vec<Rate>,
    domains: HashMap<String, Vec<Pacer>>,
}

impl Pace {
    /// Pacers for rates shorter than a day; a day's rate is a [`DailyCap`].
    #[must_use]
    pub fn new(rates: &[Rate], per_domain: &[Rate]) -> Self {
        let overall = rates.iter().filter(|rate| rate.per() != Per::Day).map(|rate| Pacer::new(*rate)).collect();
        Self { overall, per_domain: per_domain.to_vec(), domains: HashMap::new() }
    }

    /// Reserves a moment for a letter to `domains`, if the domains' own rates allow it no later than the overall ones;
    /// else tells when to ask again, and reserves nothing, so that letters to other domains can go first.
    ///
    /// # Errors
    /// The moment at which the slowest domain is free.
    pub fn reserve(&mut self, domains: &[String], now: Duration) -> Result<Duration, Duration> {
        let overall = self.overall.iter().map(|pacer| pacer.earliest(now)).max();
        let domain = domains.iter().filter_map(|domain| self.domains.get(domain)).flatten();
        let domain = domain.map(|pacer| pacer.earliest(now)).max();
        if let Some(domain) = domain.filter(|domain| *domain > now && overall.is_none_or(|overall| *domain > overall)) {
            return Err(domain);
        }
        // A slot that is a little late is taken as it was due, so that lateness does not add up.
        let moment = overall.max(domain).unwrap_or(now);
        for pacer in &mut self.overall {
            pacer.take(moment);
        }
        if !self.per_domain.is_empty() {
            self.take_domains(domains, moment, now);
        }
        Ok(moment)
    }

    fn take_domains(&mut self, domains: &[String], moment: Duration, now: Duration) {
        if self.domains.len() > 10_000 {
            self.domains.retain(|_, pacers| !pacers.iter().all(|pacer| pacer.is_idle(now)));
        }
        for domain in domains {
            let rates = &self.per_domain;
            let pacers = self
                .domains
                .entry(domain.clone())
                .or_insert_with(|| rates.iter().map(|rate| Pacer::new(*rate)).collect());
            for pacer in pacers {
                pacer.take(moment);
            }
        }
    }
}

/// At most so many recipients in any 24 hours, over all runs: the ledger says what went before.
///
/// A day has passed for a letter when both clocks say so: a wall clock that is set ahead frees nothing, as long as the run
/// lasts. For letters of earlier runs the wall clock is all there is.
#[derive(Debug)]
pub struct DailyCap {
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
    #[must_use]
    pub fn new(rate: Rate, sent: Vec<(Timestamp, u32)>, now: Timestamp) -> Self {
        let total = sent.iter().map(|(_, count)| u64::from(*count)).sum();
        // One that is dated later than now was so dated by a clock that was set back since: it counts from now.
        let moment = |at: Timestamp| at.duration_since(now).min(SignedDuration::ZERO);
        let sent = sent.into_iter().map(|(at, recipients)| Sent { at, moment: moment(at), recipients }).collect();
        Self { most: rate.count(), window: signed(rate.per().duration()), sent, total }
    }

    /// How many recipients a window may hold.
    #[must_use]
    pub fn most(&self) -> u32 {
        self.most
    }

    /// None if `recipients` more fit now, else when they will. A letter with more recipients than the whole cap goes when
    /// the window is empty. `now` is the wall clock's, `moment` the monotonic clock's, from the run's start.
    #[must_use]
    pub fn free_at(&mut self, recipients: u32, now: Timestamp, moment: Duration) -> Option<Timestamp> {
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
    pub fn count(&mut self, recipients: u32, now: Timestamp, moment: Duration) {
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

    fn rate(text: &str) -> Rate {
        text.parse().expect("a rate")
    }

    #[test]
    fn late_wake_ups_do_not_slow_a_batch() {
        let mut pace = Pace::new(&[rate("60/s")], &[]);
        let mut now = Duration::ZERO;
        for _ in 0..193 {
            let moment = pace.reserve(&[], now).expect("no domain rates");
            now = moment.max(now) + Duration::from_millis(1);
        }
        let expected = Duration::from_secs(1) / 60 * 192;
        assert!(now >= expected && now < expected + Duration::from_millis(30), "{now:?} for {expected:?}");
    }

    #[test]
    fn late_wake_ups_do_not_slow_a_domain_either() {
        let mut pace = Pace::new(&[], &[rate("60/s")]);
        let domain = ["a.example".to_owned()];
        let mut now = Duration::ZERO;
        for _ in 0..193 {
            while let Err(later) = pace.reserve(&domain, now) {
                now = later + Duration::from_millis(1);
            }
        }
        let expected = Duration::from_secs(1) / 60 * 192;
        assert!(now >= expected && now < expected + Duration::from_millis(30), "{now:?} for {expected:?}");
    }

    #[test]
    fn a_busy_domain_does_not_hold_up_the_others() {
        let mut pace = Pace::new(&[], &[rate("1/min")]);
        let (a, b) = (["a.example".to_owned()], ["b.example".to_owned()]);
        assert_eq!(pace.reserve(&a, Duration::ZERO), Ok(Duration::ZERO));
        assert_eq!(pace.reserve(&a, Duration::ZERO), Err(Duration::from_secs(60)));
        assert_eq!(pace.reserve(&b, Duration::ZERO), Ok(Duration::ZERO));
        assert_eq!(pace.reserve(&a, Duration::from_secs(60)), Ok(Duration::from_secs(60)));
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
        /// In no window of the rate's unit do more letters go than it says, but for the slack of late wake-ups.
        #[test]
        fn no_window_holds_more_than_the_rate(count in 1u32..200, delays in proptest::collection::vec(0u64..200, 50..200)) {
            let rate = Rate::new(count, Per::Second).expect("a rate");
            let mut pacer = Pacer::new(rate);
            let mut now = Duration::ZERO;
            let mut sent = Vec::new();
            for delay in delays {
                let moment = pacer.earliest(now);
                pacer.take(moment);
                now = now.max(moment) + Duration::from_millis(delay % 7);
                sent.push(moment.max(now));
                now += Duration::from_millis(delay);
            }
            let spare = usize::try_from(SLACK.as_nanos() / rate.interval().as_nanos()).expect("small") + 3;
            for (i, start) in sent.iter().enumerate() {
                let inside = sent[i..].iter().take_while(|at| **at < *start + Duration::from_secs(1)).count();
                prop_assert!(inside <= count as usize + spare, "{inside} in a second at {count}/s");
            }
        }

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
