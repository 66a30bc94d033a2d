//! How long a batch takes at the pace that was asked for, at the earliest.

use std::time::Duration;

use jiff::Timestamp;

use super::rate::{Per, Rate};
use super::schedule::Hours;

/// What an estimate needs to know of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// Letters to send.
    pub letters: u64,
    /// Their addresses together.
    pub recipients: u64,
    /// Letters to the domain that gets most of them.
    pub busiest_domain: u64,
}

/// When a batch that starts at `start` is done, if the relay keeps up; `start` itself where nothing limits it.
#[must_use]
pub fn finishes_at(
    load: Load,
    rates: &[Rate],
    per_domain: &[Rate],
    hours: Option<&Hours>,
    start: Timestamp,
) -> Timestamp {
    let even = |rates: &[Rate], letters: u64| {
        let intervals = u32::try_from(letters.saturating_sub(1)).unwrap_or(u32::MAX);
        rates.iter().filter(|rate| rate.per() != Per::Day).map(|rate| rate.interval().saturating_mul(intervals)).max()
    };
    let sending =
        even(rates, load.letters).unwrap_or_default().max(even(per_domain, load.busiest_domain).unwrap_or_default());
    let whole_days = rates
        .iter()
        .filter(|rate| rate.per() == Per::Day)
        .map(|rate| load.recipients.div_ceil(u64::from(rate.count())).saturating_sub(1))
        .max()
        .unwrap_or(0);
    let by_cap = after(start, Duration::from_secs(whole_days.saturating_mul(86_400)));
    let by_rate = match hours {
        Some(hours) => within(hours, sending, start),
        None => after(start, sending),
    };
    by_rate.max(by_cap)
}

/// The end of `needed` of open time from `start` on.
fn within(hours: &Hours, mut needed: Duration, start: Timestamp) -> Timestamp {
    let mut at = hours.next_open(start);
    // Ten years of days: a bound, not an expectation.
    for _ in 0..3_660 {
        let closes = hours.closes(at);
        let open = Duration::try_from(closes.duration_since(at)).unwrap_or_default();
        if needed <= open {
            return after(at, needed);
        }
        needed -= open;
        let next = hours.next_open(after(closes, Duration::from_secs(1)));
        if next <= at {
            break;
        }
        at = next;
    }
    at
}

fn after(start: Timestamp, wait: Duration) -> Timestamp {
    jiff::SignedDuration::try_from(wait).ok().and_then(|wait| start.checked_add(wait).ok()).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(texts: &[&str]) -> Vec<Rate> {
        texts.iter().map(|text| text.parse().expect("a rate")).collect()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    const LOAD: Load = Load { letters: 193, recipients: 193, busiest_domain: 193 };

    #[test]
    fn the_slowest_limit_decides() {
        let start = at("2021-10-15T00:00:00Z");
        let end = |overall: &[&str], domain: &[&str]| finishes_at(LOAD, &rates(overall), &rates(domain), None, start);
        assert_eq!(end(&[], &[]), start);
        assert_eq!(end(&["30/min"], &[]), at("2021-10-15T00:06:24Z"));
        assert_eq!(end(&["30/min"], &["10/min"]), at("2021-10-15T00:19:12Z"));
        assert_eq!(end(&["30/min", "100/day"], &[]), at("2021-10-16T00:00:00Z"));
    }

    #[test]
    fn a_batch_that_does_not_fit_into_the_day_goes_on_in_the_next() {
        let hours = Hours::parse("09:00-10:00", Some("Mon-Fri"), jiff::tz::TimeZone::UTC).expect("hours");
        // Friday, 09:50: ten minutes at 10/min, the rest on Monday.
        let end = finishes_at(LOAD, &rates(&["10/min"]), &[], Some(&hours), at("2021-10-15T09:50:00Z"));
        assert_eq!(end, at("2021-10-18T09:09:12Z"));
    }
}
