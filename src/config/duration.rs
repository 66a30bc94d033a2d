//! Durations as people write them: `5min`, `60 days`, `1h 30min`, `250ms`.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::value::Refusal;
use super::walk::Section;

/// The longest duration taken: a year.
const MOST: Duration = Duration::from_secs(366 * 86_400);

/// Whether nothing is a duration too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Zero {
    /// `0s` has a meaning.
    Allowed,
    /// `0s` has none.
    Refused,
}

/// The duration of a key, or its default.
pub(super) fn duration(section: &Section<'_>, key: &str, default: Duration, zero: Zero) -> Duration {
    let example = "\"5min\"";
    section.value(key).and_then(|value| value.read(example, |text| read(text, zero))).unwrap_or(default)
}

fn read(text: &str, zero: Zero) -> Result<Duration, Refusal> {
    const HELP: &str = "write for example \"250ms\", \"90s\", \"5min\", \"4h\", \"60 days\" or \"1h 30min\"";
    let range: RangeInclusive<Duration> = match zero {
        Zero::Allowed => Duration::ZERO..=MOST,
        Zero::Refused => Duration::from_millis(1)..=MOST,
    };
    let Some(found) = parse(text) else {
        return Err(Refusal::new("duration-invalid", "is not a length of time", HELP));
    };
    if found > *range.end() {
        return Err(Refusal::new("duration-absurd", "is longer than a year", HELP));
    }
    if found < *range.start() {
        return Err(Refusal::new("duration-zero", "must be longer than nothing", HELP));
    }
    Ok(found)
}

/// The duration that a text says; one too long to count is [`Duration::MAX`], what is none is `None`.
fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let count: u64 = if digits == 0 { return None } else { rest[..digits].parse().unwrap_or(u64::MAX) };
        rest = rest[digits..].trim_start();
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let unit = unit(&rest[..letters])?;
        rest = rest[letters..].trim_start();
        let milliseconds = count.checked_mul(unit);
        total = total.saturating_add(milliseconds.map_or(Duration::MAX, Duration::from_millis));
    }
    Some(total)
}

/// A unit in milliseconds.
fn unit(name: &str) -> Option<u64> {
    Some(match name.to_ascii_lowercase().as_str() {
        "ms" | "millisecond" | "milliseconds" => 1,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        "w" | "week" | "weeks" => 7 * 86_400_000,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_read_as_people_write_it() {
        for (text, seconds) in [("5min", 300), ("60 days", 5_184_000), ("90s", 90), ("4h", 14_400), ("1h 30min", 5_400)]
        {
            assert_eq!(parse(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse("250ms"), Some(Duration::from_millis(250)));
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["", "5", "min", "-5min", "1.5h", "5 fortnights", "NaN", "５min", "5min!"] {
            assert_eq!(parse(text), None, "{text}");
        }
        let code = |text, zero| read(text, zero).map_err(|refusal| refusal.code);
        assert_eq!(code("0s", Zero::Refused), Err("duration-zero"));
        assert_eq!(code("0s", Zero::Allowed), Ok(Duration::ZERO));
        assert_eq!(code("99999999999999999999999 days", Zero::Allowed), Err("duration-absurd"));
        assert_eq!(code("400 days", Zero::Allowed), Err("duration-absurd"));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_duration_parser_panic(text in "\\PC{0,20}|[0-9]{0,30} ?[a-z]{0,4}") {
            let _ = parse(&text);
        }
    }
}
