//! When letters may go out: hours of the day, days of the week and holidays, in a time zone.

use std::collections::BTreeSet;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// Office hours: `from` to `until` (exclusive) on `days` that are no holidays, in `zone`.
#[derive(Debug, Clone, PartialEq)]
pub struct Hours {
    from: Time,
    /// The end of the day if absent.
    until: Option<Time>,
    days: Vec<Weekday>,
    holidays: BTreeSet<Date>,
    zone: TimeZone,
}

/// Why hours are none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// Not `HH:MM-HH:MM`.
    #[error("\"{0}\" is not a span of hours: write for example \"09:00-18:00\"")]
    Form(String),
    /// Nothing would ever be sent.
    #[error("the hours end before they begin: write the earlier time first; a span over midnight is not supported")]
    Empty,
    /// Not a list of weekdays.
    #[error("\"{0}\" are no days: write for example \"Mon-Fri\" or \"Mon,Wed,Fri\"")]
    Days(String),
}

impl Hours {
    /// Hours from the config's texts: `09:00-18:00` (`24:00` being the end of the day), and `Mon-Fri` or `Mon,Wed` (every
    /// day if absent).
    ///
    /// # Errors
    /// [`HoursError`], which says what to write.
    pub fn parse(hours: &str, days: Option<&str>, zone: TimeZone) -> Result<Self, HoursError> {
        let form = || HoursError::Form(super::reply::visible(hours));
        let (from, until) = hours.split_once('-').ok_or_else(form)?;
        let from = parse_time(from).ok_or_else(form)?;
        let until = match until.trim() {
            "24:00" => None,
            until => Some(parse_time(until).ok_or_else(form)?),
        };
        if until.is_some_and(|until| from >= until) {
            return Err(HoursError::Empty);
        }
        let days = match days {
            Some(text) => parse_days(text).ok_or_else(|| HoursError::Days(super::reply::visible(text)))?,
            None => ALL_DAYS.to_vec(),
        };
        Ok(Self { from, until, days, holidays: BTreeSet::new(), zone })
    }

    /// The zone that they are in.
    #[must_use]
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The same, closed on these dates.
    #[must_use]
    pub fn closed_on(mut self, holidays: impl IntoIterator<Item = Date>) -> Self {
        self.holidays.extend(holidays);
        self
    }

    /// True at a moment at which letters may go out.
    #[must_use]
    pub fn is_open(&self, at: Timestamp) -> bool {
        let local = at.to_zoned_datetime(self.zone.clone());
        let time = local.time();
        self.days.contains(&local.weekday())
            && !self.holidays.contains(&local.date())
            && self.from <= time
            && self.until.is_none_or(|until| time < until)
    }

    /// The first moment from `at` on at which letters may go out; `at` itself if they may now. A start that a change of
    /// the clocks leaves out moves to the first moment after the gap; hours that it repeats open twice.
    #[must_use]
    pub fn next_open(&self, at: Timestamp) -> Timestamp {
        if self.is_open(at) {
            return at;
        }
        self.turns(at).find(|turn| self.is_open(*turn)).unwrap_or(Timestamp::MAX)
    }

    /// The next closing time after `at`, which must be open; the end of time if the hours never close.
    #[must_use]
    pub fn closes(&self, at: Timestamp) -> Timestamp {
        self.turns(at).find(|turn| !self.is_open(*turn)).unwrap_or(Timestamp::MAX)
    }

    /// Every moment of the days after `at` at which the hours may open or close, in order: their ends, both of them where
    /// the clocks pass them twice, and the changes of the clocks. So many days that each weekday comes without a holiday.
    fn turns(&self, at: Timestamp) -> impl Iterator<Item = Timestamp> + '_ {
        /// At a time: with many holidays most of the days are never looked at.
        const DAYS: i64 = 8;
        let today = self.date(at);
        let chunks = 7 * (self.holidays.len() as u64 + 1) / DAYS.unsigned_abs() + 1;
        (0..chunks.cast_signed()).flat_map(move |chunk| {
            // A day more on either side: a time that is left out or repeated may fall beyond its day.
            let days = DAYS * chunk - 1..=DAYS * (chunk + 1);
            let days = days.filter_map(|ahead| today.checked_add(Span::new().days(ahead)).ok());
            let mut turns: Vec<Timestamp> = days.flat_map(|day| self.ends(day)).filter(|turn| *turn > at).collect();
            if let (Some(first), Some(last)) = (turns.iter().min().copied(), turns.iter().max().copied()) {
                let first = if chunk == 0 { at } else { first };
                let changes = self.zone.following(first).map(|change| change.timestamp());
                turns.extend(changes.take_while(|change| *change <= last));
            }
            turns.sort_unstable();
            turns
        })
    }

    /// When the clocks of a day show the opening and the closing time, for the first and for the second time.
    fn ends(&self, day: Date) -> impl Iterator<Item = Timestamp> + '_ {
        let until = match self.until {
            Some(until) => Some(day.to_datetime(until)),
            None => day.tomorrow().ok().map(|next| next.to_datetime(Time::midnight())),
        };
        let ends = [Some(day.to_datetime(self.from)), until].into_iter().flatten();
        let both = ends.map(|end| self.zone.to_ambiguous_timestamp(end));
        both.flat_map(|end| [end.earlier(), end.later()]).flatten()
    }

    /// The holidays from `first` to `last` that fall on days on which letters would go out.
    #[must_use]
    pub fn holidays_between(&self, first: Timestamp, last: Timestamp) -> Vec<Date> {
        let (first, last) = (self.date(first), self.date(last));
        let days = self.holidays.iter().filter(|date| first <= **date && **date <= last);
        days.filter(|date| self.days.contains(&date.weekday())).copied().collect()
    }

    fn date(&self, at: Timestamp) -> Date {
        at.to_zoned_datetime(self.zone.clone()).date()
    }
}

const ALL_DAYS: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

fn parse_time(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    if hour.is_empty() || hour.len() > 2 || minute.len() != 2 {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

fn parse_days(text: &str) -> Option<Vec<Weekday>> {
    let mut days = Vec::new();
    for part in text.split(',') {
        match part.split_once('-') {
            Some((first, last)) => {
                let (first, last) = (day_index(first)?, day_index(last)?);
                let count = (last + 7 - first) % 7;
                days.extend((0..=count).map(|ahead| ALL_DAYS[(first + ahead) % 7]));
            }
            None => days.push(ALL_DAYS[day_index(part)?]),
        }
    }
    Some(days)
}

fn day_index(text: &str) -> Option<usize> {
    let text = text.trim().to_ascii_lowercase();
    let names = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    (text.len() >= 3).then(|| names.iter().position(|name| name.starts_with(&text))).flatten()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    fn new_york() -> TimeZone {
        TimeZone::get("America/New_York").expect("a zone")
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a timestamp")
    }

    #[test]
    fn a_friday_evening_waits_for_monday_morning() {
        let hours = Hours::parse("09:00-18:00", Some("Mon-Fri"), new_york()).expect("hours");
        // Friday 15 October 2021, 18:00 in New York is 22:00 UTC.
        assert_eq!(hours.next_open(at("2021-10-15T22:00:00Z")), at("2021-10-18T13:00:00Z"));
        assert_eq!(hours.next_open(at("2021-10-15T21:59:59Z")), at("2021-10-15T21:59:59Z"));
    }

    #[test]
    fn an_opening_that_a_clock_change_leaves_out_is_the_change_itself() {
        let hours = Hours::parse("02:30-05:00", None, new_york()).expect("hours");
        // On 14 March 2021 the clocks went from 02:00 to 03:00, which is 07:00 UTC.
        assert_eq!(hours.next_open(at("2021-03-14T06:00:00Z")), at("2021-03-14T07:00:00Z"));
        assert_eq!(hours.closes(at("2021-03-14T07:00:00Z")), at("2021-03-14T09:00:00Z"));
        let early = Hours::parse("01:00-02:30", None, new_york()).expect("hours");
        assert_eq!(early.closes(at("2021-03-14T06:30:00Z")), at("2021-03-14T07:00:00Z"));
    }

    #[test]
    fn hours_that_a_change_of_the_clocks_passes_twice_open_twice() {
        let hours = Hours::parse("01:15-01:45", None, new_york()).expect("hours");
        // On 7 November 2021 the clocks went from 02:00 back to 01:00, at 06:00 UTC.
        let (first, second) = (at("2021-11-07T05:15:00Z"), at("2021-11-07T06:15:00Z"));
        assert_eq!(hours.next_open(at("2021-11-07T04:00:00Z")), first);
        assert_eq!(hours.closes(first), at("2021-11-07T05:45:00Z"));
        assert_eq!(hours.next_open(hours.closes(first)), second);
        assert_eq!(hours.closes(second), at("2021-11-07T06:45:00Z"));
    }

    #[test]
    fn hours_over_a_change_of_the_clocks_are_as_long_as_they_really_are() {
        let hours = Hours::parse("00:00-12:00", None, new_york()).expect("hours");
        for (midnight, long) in
            [("2021-03-14T05:00:00Z", 11), ("2021-11-07T04:00:00Z", 13), ("2021-07-01T04:00:00Z", 12)]
        {
            let opens = hours.next_open(at(midnight));
            assert_eq!(opens, at(midnight));
            assert_eq!(hours.closes(opens).duration_since(opens), SignedDuration::from_hours(long));
        }
    }

    #[test]
    fn a_holiday_is_closed_and_a_run_of_them_is_passed_over() {
        let day = |text: &str| text.parse::<Date>().expect("a date");
        let hours = Hours::parse("09:00-18:00", Some("Mon-Fri"), new_york()).expect("hours");
        let christmas = (24..=31).map(|d| day(&format!("2021-12-{d}"))).chain([day("2022-01-03")]);
        let hours = hours.closed_on(christmas);
        assert!(!hours.is_open(at("2021-12-24T15:00:00Z")));
        assert_eq!(hours.next_open(at("2021-12-23T23:30:00Z")), at("2022-01-04T14:00:00Z"));
        let named = hours.holidays_between(at("2021-12-23T15:00:00Z"), at("2022-01-04T15:00:00Z"));
        assert_eq!(named.len(), 7, "two of the nine are a weekend: {named:?}");
    }

    #[test]
    fn a_whole_day_lasts_until_the_next_begins() {
        let hours = Hours::parse("00:00-24:00", Some("Sun"), new_york()).expect("hours");
        let (opens, closes) = (at("2021-11-07T04:00:00Z"), at("2021-11-08T05:00:00Z"));
        assert_eq!((hours.next_open(at("2021-11-05T00:00:00Z")), hours.closes(opens)), (opens, closes), "25 hours");
    }

    #[test]
    fn hours_that_never_open_are_refused() {
        assert_eq!(Hours::parse("18:00-09:00", None, TimeZone::UTC), Err(HoursError::Empty));
        for text in ["9-18", "09:00-24:30", "24:00-24:00", ""] {
            assert!(matches!(Hours::parse(text, None, TimeZone::UTC), Err(HoursError::Form(_))), "{text}");
        }
        assert!(matches!(Hours::parse("09:00-18:00", Some("Funday"), TimeZone::UTC), Err(HoursError::Days(_))));
    }

    fn zones() -> impl Strategy<Value = TimeZone> {
        // Whole and half hours of change, southern and northern, a day left out (Samoa, 2011), a change at midnight.
        let names =
            ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo", "UTC"];
        proptest::sample::select(names.to_vec()).prop_map(|name| TimeZone::get(name).expect("a zone"))
    }

    fn any_hours() -> impl Strategy<Value = Hours> {
        let days = proptest::sample::select(vec![None, Some("Mon-Fri"), Some("Sun"), Some("Sat-Mon")]);
        let holidays = proptest::collection::vec(0i64..11_000, 0..20);
        (0u32..1_439, 1u32..1_440, days, zones(), holidays).prop_map(|(from, length, days, zone, holidays)| {
            let until = (from + length).min(1_440);
            let text = format!("{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, until / 60, until % 60);
            let first = Date::constant(2000, 1, 1);
            let holidays = holidays.into_iter().map(|ahead| first.saturating_add(jiff::Span::new().days(ahead)));
            Hours::parse(&text, days, zone).expect("hours").closed_on(holidays.collect::<Vec<_>>())
        })
    }

    proptest! {
        /// Against a walk from minute to minute, around both changes of the clocks of a year in zones that differ.
        #[test]
        fn openings_and_closings_are_the_first_minutes_at_which_it_is_so(
            zone in prop_oneof![Just("America/New_York"), Just("Australia/Lord_Howe"), Just("America/Santiago")],
            spring in any::<bool>(), minutes in 0i64..12 * 1440, from in 0i64..1439, long in 1i64..1439
        ) {
            let zone = TimeZone::get(zone).expect("a zone");
            let until = (from + long).min(1439);
            let hours = format!("{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, until / 60, until % 60);
            let hours = Hours::parse(&hours, None, zone.clone()).expect("hours");
            let before = at(if spring { "2021-01-15T00:00:00Z" } else { "2021-08-15T00:00:00Z" });
            let change = zone.following(before).next().expect("a change of the clocks").timestamp();
            let minute = |count| SignedDuration::from_mins(count);
            let start = change + minute(minutes - 6 * 1440);
            let walk = (0..3 * 1440).map(|count| start + minute(count));
            let open = walk.clone().find(|at| hours.is_open(*at));
            prop_assert_eq!(Some(hours.next_open(start)), open);
            let open = hours.next_open(start);
            let closes = walk.skip_while(|at| *at < open).find(|at| !hours.is_open(*at));
            prop_assert_eq!(Some(hours.closes(open)), closes);
        }

        #[test]
        fn the_next_opening_is_open_and_nothing_before_it_is(hours in any_hours(), seconds in 946_684_800i64..1_900_000_000) {
            let now = Timestamp::from_second(seconds).expect("a timestamp");
            let open = hours.next_open(now);
            prop_assert!(open >= now && hours.is_open(open));
            // No moment between the two is open: each quarter of an hour, for two days at the most.
            let mut between = now;
            while between < open && between.duration_since(now) < SignedDuration::from_hours(48) {
                prop_assert!(!hours.is_open(between), "{between} is open, and {open} was given for {now}");
                between += SignedDuration::from_mins(15);
            }
        }

        #[test]
        fn a_span_is_open_to_its_last_second_and_closed_after(hours in any_hours(), seconds in 946_684_800i64..1_900_000_000) {
            let opens = hours.next_open(Timestamp::from_second(seconds).expect("a timestamp"));
            let closes = hours.closes(opens);
            prop_assert!(closes > opens);
            prop_assert!(hours.is_open(closes - SignedDuration::from_nanos(1)));
            let local = closes.to_zoned_datetime(hours.zone.clone());
            prop_assert!(!hours.is_open(closes), "{local} is open");
        }

        #[test]
        fn an_open_moment_shows_a_time_within_the_hours_on_a_day_that_is_meant(hours in any_hours(), seconds in 946_684_800i64..1_900_000_000) {
            let open = hours.next_open(Timestamp::from_second(seconds).expect("a timestamp"));
            let local = open.to_zoned_datetime(hours.zone.clone());
            prop_assert!(hours.days.contains(&local.weekday()) && !hours.holidays.contains(&local.date()));
            prop_assert!(hours.until.is_none_or(|until| local.time() < until), "{local}");
            prop_assert!(hours.from <= local.time(), "{local}");
        }
    }
}
