//! When letters may go out: hours of the day and days of the week in a time zone.

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

/// Office hours: `from` to `until` (exclusive) on `days`, in `zone`.
#[derive(Debug, Clone, PartialEq)]
pub struct Hours {
    from: Time,
    until: Time,
    days: Vec<Weekday>,
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
    /// Hours from the config's texts: `09:00-18:00`, and `Mon-Fri` or `Mon,Wed` (every day if absent).
    ///
    /// # Errors
    /// [`HoursError`], which says what to write.
    pub fn parse(hours: &str, days: Option<&str>, zone: TimeZone) -> Result<Self, HoursError> {
        let form = || HoursError::Form(super::reply::visible(hours));
        let (from, until) = hours.split_once('-').ok_or_else(form)?;
        let from = parse_time(from).ok_or_else(form)?;
        let until = parse_time(until).ok_or_else(form)?;
        if from >= until {
            return Err(HoursError::Empty);
        }
        let days = match days {
            Some(text) => parse_days(text).ok_or_else(|| HoursError::Days(super::reply::visible(text)))?,
            None => ALL_DAYS.to_vec(),
        };
        Ok(Self { from, until, days, zone })
    }

    /// True at a moment at which letters may go out.
    #[must_use]
    pub fn is_open(&self, at: Timestamp) -> bool {
        let local = at.to_zoned_datetime(self.zone.clone());
        self.days.contains(&local.weekday()) && self.from <= local.time() && local.time() < self.until
    }

    /// The first moment from `at` on at which letters may go out; `at` itself if they may now. A start that a change of
    /// the clocks leaves out moves to the first moment after the gap; hours that it repeats open twice.
    #[must_use]
    pub fn next_open(&self, at: Timestamp) -> Timestamp {
        if self.is_open(at) {
            return at;
        }
        self.turns(at).into_iter().find(|turn| self.is_open(*turn)).unwrap_or(at)
    }

    /// The next closing time after `at`, which must be open.
    #[must_use]
    pub fn closes(&self, at: Timestamp) -> Timestamp {
        self.turns(at).into_iter().find(|turn| !self.is_open(*turn)).unwrap_or(at)
    }

    /// Every moment of the days after `at` at which the hours may open or close, in order: their ends, both of them where
    /// the clocks pass them twice, and the changes of the clocks.
    fn turns(&self, at: Timestamp) -> Vec<Timestamp> {
        let today = at.to_zoned_datetime(self.zone.clone()).date();
        let days = (-1..=8).filter_map(|ahead| today.checked_add(Span::new().days(ahead)).ok());
        let ends = days.flat_map(|day| [day.to_datetime(self.from), day.to_datetime(self.until)]);
        let both = ends.map(|end| self.zone.to_ambiguous_zoned_datetime(end));
        let ends = both.flat_map(|end| [end.clone().earlier(), end.later()]).flatten().map(|end| end.timestamp());
        let horizon = at.saturating_add(SignedDuration::from_hours(9 * 24)).unwrap_or(Timestamp::MAX);
        let changes = self.zone.following(at).map(|change| change.timestamp()).take_while(|change| *change <= horizon);
        let mut turns: Vec<Timestamp> = ends.chain(changes).filter(|turn| *turn > at).collect();
        turns.sort_unstable();
        turns
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
    fn an_opening_inside_the_gap_of_a_clock_change_moves_to_its_end() {
        let hours = Hours::parse("02:30-05:00", None, new_york()).expect("hours");
        // On 14 March 2021 the clocks went from 02:00 to 03:00.
        let open = hours.next_open(at("2021-03-14T06:00:00Z"));
        assert!(hours.is_open(open));
        assert_eq!(open, at("2021-03-14T07:00:00Z"));
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
    fn hours_that_never_open_are_refused() {
        assert_eq!(Hours::parse("18:00-09:00", None, TimeZone::UTC), Err(HoursError::Empty));
        assert!(matches!(Hours::parse("9-18", None, TimeZone::UTC), Err(HoursError::Form(_))));
        assert!(matches!(Hours::parse("09:00-18:00", Some("Funday"), TimeZone::UTC), Err(HoursError::Days(_))));
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
        fn the_next_opening_is_open_and_not_in_the_past(seconds in 1_500_000_000i64..1_900_000_000) {
            let hours = Hours::parse("09:00-18:00", Some("Mon-Fri"), new_york()).expect("hours");
            let now = Timestamp::from_second(seconds).expect("a timestamp");
            let open = hours.next_open(now);
            prop_assert!(open >= now);
            prop_assert!(hours.is_open(open));
        }
    }
}
