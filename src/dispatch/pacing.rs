//! When the next letter may go: even rates and per-domain rates. Pure: time is handed in.

use std::collections::HashMap;
use std::time::Duration;

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
    /// Pacers for rates shorter than a day; a day's rate is a limit of its own (`daily_cap`).
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
    }
}
