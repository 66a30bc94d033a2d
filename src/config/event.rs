//! The moment of the event: a date and time with a time zone, never without one.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

use super::value::Refusal;
use super::walk::nearest;

/// What to write.
pub(super) const EXAMPLE: &str = "\"2021-10-21T10:00[America/New_York]\"";

/// The moment and the IANA name of its zone.
pub(super) fn moment(text: &str) -> Result<(Timestamp, String), Refusal> {
    let text = text.trim();
    let no_date = || {
        Refusal::new("date-invalid", "is not a date and time with a time zone", format!("write for example {EXAMPLE}"))
    };
    if let Some((_, bracket)) = text.split_once('[') {
        let name = bracket.trim_end_matches(']');
        if let Ok(moment) = text.parse::<ZonedDateTime>() {
            let zone = moment.time_zone().iana_name().map(str::to_owned);
            let zone = zone.or_else(|| fixed_zone(moment.offset().seconds())).ok_or_else(odd_offset)?;
            return Ok((moment.timestamp(), zone));
        }
        if !name.starts_with(['+', '-']) {
            zone(name)?;
        }
        return Err(no_date());
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        // A text that ends in `Z` is a moment in UTC, of which jiff reads no civil time.
        let offset = text.parse::<DateTime>().map_or(0, |local| {
            let utc = at.to_zoned_datetime(TimeZone::UTC).datetime();
            i32::try_from(local.duration_since(utc).as_secs()).unwrap_or(0)
        });
        return fixed_zone(offset).map(|zone| (at, zone)).ok_or_else(odd_offset);
    }
    if text.parse::<DateTime>().is_ok() {
        let help =
            format!("write the zone in brackets, as in {EXAMPLE}, or an offset, as in \"2021-10-21T10:00-04:00\"");
        return Err(Refusal::new(
            "time-zone-missing",
            "has no time zone, so that nobody knows which moment it is",
            help,
        ));
    }
    Err(no_date())
}

/// A time zone by its IANA name.
pub(super) fn zone(name: &str) -> Result<TimeZone, Refusal> {
    TimeZone::get(name).map_err(|_| {
        let names: Vec<String> = jiff::tz::db().available().map(|known| known.as_str().to_owned()).collect();
        // "New York" is meant for "America/New_York": the city alone counts too.
        let wanted = name.replace(' ', "_");
        let city = |known: &&String| known.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(&wanted));
        let near = names.iter().find(city).map(String::as_str);
        let near = near.or_else(|| nearest(&wanted, names.iter().map(String::as_str)));
        let help = match near {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => "write a name from the IANA list, such as \"America/New_York\" or \"UTC\"".to_owned(),
        };
        Refusal::new("time-zone-invalid", "names a time zone that does not exist", help)
    })
}

/// The name of a zone of whole hours, in which `Etc/GMT+4` is four hours *behind* UTC.
fn fixed_zone(seconds: i32) -> Option<String> {
    let hours = seconds / 3_600;
    (seconds % 3_600 == 0 && (-12..=14).contains(&hours)).then(|| match hours {
        0 => "UTC".to_owned(),
        1.. => format!("Etc/GMT-{hours}"),
        _ => format!("Etc/GMT+{}", -hours),
    })
}

fn odd_offset() -> Refusal {
    let message = "has an offset that is not of whole hours, so that its zone has no name";
    Refusal::new("time-zone-invalid", message, format!("write the zone in brackets, as in {EXAMPLE}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_a_zone_in_brackets_or_an_offset() {
        let at: Timestamp = "2021-10-21T14:00:00Z".parse().expect("a timestamp");
        for (text, zone) in [
            ("2021-10-21T10:00[America/New_York]", "America/New_York"),
            ("2021-10-21 10:00[America/New_York]", "America/New_York"),
            ("2021-10-21T10:00-04:00", "Etc/GMT+4"),
            ("2021-10-21T10:00:00-04:00", "Etc/GMT+4"),
            ("2021-10-21T10:00-04:00[-04:00]", "Etc/GMT+4"),
            ("2021-10-21T14:00Z", "UTC"),
            ("2021-10-21T16:00+02:00", "Etc/GMT-2"),
        ] {
            let (found, named) = moment(text).map_err(|refusal| refusal.message).expect(text);
            assert_eq!((found, named.as_str()), (at, zone), "{text}");
            assert!(TimeZone::get(&named).is_ok(), "{named}");
        }
    }

    #[test]
    fn a_moment_that_nobody_can_place_is_refused() {
        for (text, code) in [
            ("2021-10-21T10:00", "time-zone-missing"),
            ("2021-10-21", "time-zone-missing"),
            ("2021-10-21T10:00[America/New_Yrok]", "time-zone-invalid"),
            ("2021-10-21T10:00+05:45", "time-zone-invalid"),
            ("2021-13-21T10:00[America/New_York]", "date-invalid"),
            ("next Thursday", "date-invalid"),
            ("", "date-invalid"),
        ] {
            assert_eq!(moment(text).map_err(|refusal| refusal.code), Err(code), "{text}");
        }
    }

    #[test]
    fn a_zone_by_its_city_or_misspelt_is_suggested() {
        for text in ["New York", "America/New_Yrok", "America/NewYork"] {
            let help = zone(text).map_err(|refusal| refusal.help).expect_err("no zone");
            assert_eq!(help, "did you mean \"America/New_York\"?", "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_moment_parser_panic(text in "\\PC{0,40}|[0-9T:\\[\\]+-]{0,30}") {
            let _ = moment(&text);
        }
    }
}
