//! How long a batch takes at the pace that was asked for, at the earliest, and what would bring it to an end in time.

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

/// What holds the letters back.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits<'a> {
    /// Of the whole batch, all of which hold.
    pub rates: &'a [Rate],
    /// Of each domain.
    pub per_domain: &'a [Rate],
    /// When letters may go out; always if absent.
    pub hours: Option<&'a Hours>,
}

/// What would let a batch end before a deadline. Each alone is enough, but for the two rates, which go together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Remedy {
    /// The slowest rates that are fast enough in place of the configured ones; none if no rate is.
    pub rates: Vec<Rate>,
    /// The same for each domain.
    pub per_domain: Vec<Rate>,
    /// Sending at any hour is enough.
    pub any_hour: bool,
    /// The latest start, to the minute, that is early enough; none if that lies before the given start.
    pub start_by: Option<Timestamp>,
}

/// When a batch that starts at `start` is done, if the relay keeps up: at the opening where nothing limits it. Each letter
/// takes one interval of the slowest rate.
#[must_use]
pub fn finishes_at(load: Load, limits: Limits<'_>, start: Timestamp) -> Timestamp {
    if load.letters == 0 {
        return start;
    }
    let even = |rates: &[Rate], letters: u64| {
        let intervals = u32::try_from(letters).unwrap_or(u32::MAX);
        rates.iter().filter(|rate| rate.per() != Per::Day).map(|rate| rate.interval().saturating_mul(intervals)).max()
    };
    let of_batch = even(limits.rates, load.letters).unwrap_or_default();
    let sending = of_batch.max(even(limits.per_domain, load.busiest_domain).unwrap_or_default());
    let by_rate = match limits.hours {
        Some(hours) => within(hours, sending, start),
        None => after(start, sending),
    };
    by_rate.max(by_cap(load, limits, start))
}

/// When the last letter may go under the rolling daily caps.
fn by_cap(load: Load, limits: Limits<'_>, start: Timestamp) -> Timestamp {
    let caps = limits.rates.iter().map(|rate| (rate, load.recipients));
    let caps = caps.chain(limits.per_domain.iter().map(|rate| (rate, load.busiest_domain)));
    let whole_days = caps
        .filter(|(rate, _)| rate.per() == Per::Day)
        .map(|(rate, letters)| letters.div_ceil(u64::from(rate.count())).saturating_sub(1))
        .max()
        .unwrap_or(0);
    let open = |at: Timestamp| limits.hours.map_or(at, |hours| hours.next_open(at));
    // Each day's share begins when the share of the day before is a day old and the hours are open.
    let mut at = open(start);
    for _ in 0..whole_days.min(LONGEST_IN_DAYS) {
        at = open(after(at, Per::Day.duration()));
    }
    at
}

/// Ten years: a bound, not an expectation.
const LONGEST_IN_DAYS: u64 = 3_660;

/// The end of `needed` of open time from `start` on.
fn within(hours: &Hours, mut needed: Duration, start: Timestamp) -> Timestamp {
    let mut at = hours.next_open(start);
    for _ in 0..LONGEST_IN_DAYS {
        let closes = hours.closes(at);
        let open = Duration::try_from(closes.duration_since(at)).unwrap_or_default();
        if needed <= open {
            return after(at, needed);
        }
        needed -= open;
        at = hours.next_open(closes);
    }
    at
}

fn after(start: Timestamp, wait: Duration) -> Timestamp {
    jiff::SignedDuration::try_from(wait).ok().and_then(|wait| start.checked_add(wait).ok()).unwrap_or(Timestamp::MAX)
}

/// What would let a batch that starts at `start` end by `deadline`, and does not as it is; `now` is the earliest start.
#[must_use]
pub fn remedy(load: Load, limits: Limits<'_>, start: Timestamp, deadline: Timestamp, now: Timestamp) -> Remedy {
    let in_time = |limits: Limits<'_>, start: Timestamp| finishes_at(load, limits, start) <= deadline;
    let mut remedy = Remedy {
        any_hour: limits.hours.is_some() && in_time(Limits { hours: None, ..limits }, start),
        ..Remedy::default()
    };
    if in_time(Limits { rates: &[], per_domain: &[], ..limits }, start) {
        let fits = |rates: &[Rate]| in_time(Limits { rates, per_domain: &[], ..limits }, start);
        let rates = mended(limits.rates, &fits);
        let fits = |per_domain: &[Rate]| in_time(Limits { rates: &[], per_domain, ..limits }, start);
        // One of them alone helps nobody if no rate in the place of the other does.
        if let (Some(rates), Some(per_domain)) = (rates, mended(limits.per_domain, &fits)) {
            (remedy.rates, remedy.per_domain) = (rates, per_domain);
        }
    }
    if in_time(limits, now) && now < start {
        remedy.start_by = Some(latest_start(now, start, |start| in_time(limits, start)));
    }
    remedy
}

/// For each kind of rate (even ones, daily caps) whose given ones do not fit, the slowest that does. None if there is a kind
/// of which no rate does.
fn mended(given: &[Rate], fits: &dyn Fn(&[Rate]) -> bool) -> Option<Vec<Rate>> {
    let mut rates = Vec::new();
    for daily in [false, true] {
        let of_kind: Vec<Rate> = given.iter().filter(|rate| (rate.per() == Per::Day) == daily).copied().collect();
        if !fits(&of_kind) {
            rates.push(slowest(daily, fits)?);
        }
    }
    Some(rates)
}

/// The slowest rate of a kind that fits: by the minute, or by the hour where one a minute would be more than it takes.
fn slowest(daily: bool, fits: &dyn Fn(&[Rate]) -> bool) -> Option<Rate> {
    if daily {
        return least(Per::Day, fits);
    }
    let by_minute = least(Per::Minute, fits)?;
    if by_minute.count() > 1 { Some(by_minute) } else { least(Per::Hour, fits) }
}

/// The smallest count in a unit that fits.
fn least(per: Per, fits: &dyn Fn(&[Rate]) -> bool) -> Option<Rate> {
    let fits_at = |count: u32| Rate::new(count, per).is_ok_and(|rate| fits(&[rate]));
    let (mut too_few, mut enough) = (0, 1);
    while !fits_at(enough) {
        too_few = enough;
        enough = enough.checked_mul(2)?;
        // A rate that is refused as absurd fits nowhere.
        Rate::new(enough, per).ok()?;
    }
    while enough - too_few > 1 {
        let middle = too_few + (enough - too_few) / 2;
        if fits_at(middle) {
            enough = middle;
        } else {
            too_few = middle;
        }
    }
    Rate::new(enough, per).ok()
}

/// The latest start between one that is in time and one that is not, to the minute.
fn latest_start(early: Timestamp, late: Timestamp, in_time: impl Fn(Timestamp) -> bool) -> Timestamp {
    let (mut good, mut bad) = (early.as_second(), late.as_second());
    let at = |second| Timestamp::from_second(second).unwrap_or(early);
    while bad - good > 60 {
        let middle = good + (bad - good) / 2;
        if in_time(at(middle)) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    let whole = at(good - good.rem_euclid(60));
    if whole >= early { whole } else { early }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
        let end = |overall: &[&str], domain: &[&str]| {
            let (rates, per_domain) = (rates(overall), rates(domain));
            finishes_at(LOAD, Limits { rates: &rates, per_domain: &per_domain, hours: None }, start)
        };
        assert_eq!(end(&[], &[]), start);
        assert_eq!(end(&["30/min"], &[]), at("2021-10-15T00:06:26Z"));
        assert_eq!(end(&["30/min"], &["10/min"]), at("2021-10-15T00:19:18Z"));
        assert_eq!(end(&["30/min", "100/day"], &[]), at("2021-10-16T00:00:00Z"));
        assert_eq!(end(&["30/min"], &["50/day"]), at("2021-10-18T00:00:00Z"));
    }

    #[test]
    fn a_batch_that_does_not_fit_into_the_day_goes_on_in_the_next() {
        let hours = Hours::parse("09:00-10:00", Some("Mon-Fri"), jiff::tz::TimeZone::UTC).expect("hours");
        let limits = |rates| Limits { rates, per_domain: &[], hours: None };
        // Friday, 09:50: ten minutes at 10/min, the rest on Monday.
        let rate = rates(&["10/min"]);
        let end = |hours| finishes_at(LOAD, Limits { hours, ..limits(&rate) }, at("2021-10-15T09:50:00Z"));
        assert_eq!(end(Some(&hours)), at("2021-10-18T09:09:18Z"));
        let hours = hours.clone().closed_on(["2021-10-18".parse().expect("a date")]);
        assert_eq!(end(Some(&hours)), at("2021-10-19T09:09:18Z"));
        // A hundred on Friday; the others on the first day that is open and no holiday.
        let cap = rates(&["100/day"]);
        let capped = finishes_at(LOAD, Limits { hours: Some(&hours), ..limits(&cap) }, at("2021-10-15T09:50:00Z"));
        assert_eq!(capped, at("2021-10-19T09:00:00Z"));
    }

    #[test]
    fn a_plan_that_is_too_slow_is_told_what_would_do() {
        let (now, deadline) = (at("2021-10-21T13:00:00Z"), at("2021-10-21T14:00:00Z"));
        let slow = rates(&["1/min"]);
        let limits = Limits { rates: &slow, per_domain: &[], hours: None };
        let found = remedy(LOAD, limits, now, deadline, now);
        assert_eq!(found, Remedy { rates: rates(&["4/min"]), ..Remedy::default() });
        let two_days = remedy(LOAD, limits, now, at("2021-10-26T13:00:00Z"), now);
        assert_eq!(two_days, Remedy::default(), "it is in time as it is");
        let few = Load { letters: 20, ..LOAD };
        let hourly = rates(&["10/h"]);
        let found = remedy(few, Limits { rates: &hourly, ..limits }, now, deadline, now);
        assert_eq!(found.rates, rates(&["20/h"]));
        // Planned for half past, it could start 47 minutes ago at the latest: not at all any more.
        let half_past = at("2021-10-21T13:30:00Z");
        assert_eq!(remedy(LOAD, limits, half_past, deadline, now).start_by, None);
        let quick = rates(&["10/min"]);
        let late = remedy(LOAD, Limits { rates: &quick, ..limits }, at("2021-10-21T13:50:00Z"), deadline, now);
        assert_eq!(late.start_by, Some(at("2021-10-21T13:40:00Z")), "19 min 18 s before, to the minute");
    }

    #[test]
    fn hours_that_open_too_late_are_told_as_the_reason() {
        let hours = Hours::parse("09:00-18:00", Some("Mon-Fri"), jiff::tz::TimeZone::UTC).expect("hours");
        let rate = rates(&["30/min"]);
        let limits = Limits { rates: &rate, per_domain: &[], hours: Some(&hours) };
        let (saturday, monday) = (at("2021-10-16T10:00:00Z"), at("2021-10-18T08:00:00Z"));
        let found = remedy(LOAD, limits, saturday, monday, saturday);
        assert!(found.any_hour && found.rates.is_empty(), "no rate helps while it is closed: {found:?}");
    }

    #[test]
    fn a_rate_that_would_not_be_enough_by_itself_is_not_named() {
        // Open first when the event begins: a day's limit could be high enough, no rate by the minute can.
        let hours = Hours::parse("09:00-18:00", Some("Mon-Fri"), jiff::tz::TimeZone::UTC).expect("hours");
        let (given, per_domain) = (rates(&["1/min", "50/day"]), rates(&["1/min"]));
        let limits = Limits { rates: &given, per_domain: &per_domain, hours: Some(&hours) };
        let load = Load { letters: 48, recipients: 96, busiest_domain: 48 };
        let (start, deadline) = (at("2021-10-21T22:12:00Z"), at("2021-10-22T09:00:00Z"));
        let found = remedy(load, limits, start, deadline, at("2021-10-15T07:00:00Z"));
        assert!(found.rates.is_empty() && found.per_domain.is_empty(), "{found:?}");
    }

    proptest! {
        #[test]
        fn what_is_said_to_help_helps(
            letters in 1u64..3_000, minutes in 1i64..20_000, count in 1u32..100, day in 50u32..500, domain in 1u32..50,
            closed in any::<bool>(), ahead in 0i64..10_000,
        ) {
            let load = Load { letters, recipients: letters * 2, busiest_domain: letters };
            let now = at("2021-10-15T07:00:00Z");
            let start = now + jiff::SignedDuration::from_mins(ahead);
            let deadline = start + jiff::SignedDuration::from_mins(minutes);
            let (given, per_domain) = (rates(&[&format!("{count}/min"), &format!("{day}/day")]), rates(&[&format!("{domain}/min")]));
            let hours = Hours::parse("09:00-18:00", Some("Mon-Fri"), jiff::tz::TimeZone::UTC).expect("hours");
            let limits = Limits { rates: &given, per_domain: &per_domain, hours: closed.then_some(&hours) };
            let found = remedy(load, limits, start, deadline, now);
            let kept = |daily: bool| given.iter().filter(move |rate| (rate.per() == Per::Day) == daily);
            // The configured rates, but for those in whose place another was named.
            let mut mended: Vec<Rate> = found.rates.clone();
            for daily in [false, true] {
                if !found.rates.iter().any(|rate| (rate.per() == Per::Day) == daily) {
                    mended.extend(kept(daily));
                }
            }
            let mended_domain = if found.per_domain.is_empty() { &per_domain } else { &found.per_domain };
            let ends = |limits, start| finishes_at(load, limits, start);
            if !found.rates.is_empty() || !found.per_domain.is_empty() {
                let mended = Limits { rates: &mended, per_domain: mended_domain, ..limits };
                prop_assert!(ends(mended, start) <= deadline, "{found:?}");
            }
            if found.any_hour {
                let always = Limits { hours: None, ..limits };
                prop_assert!(ends(always, start) <= deadline);
            }
            if let Some(start) = found.start_by {
                prop_assert!(start >= now && ends(limits, start) <= deadline);
            }
        }
    }
}
