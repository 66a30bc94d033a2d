//! A rate is one parsed value: `30/min` (it parses, prints back, and is never two loose numbers).

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The unit of time in a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Per {
    /// `/s`
    Second,
    /// `/min`
    Minute,
    /// `/h`
    Hour,
    /// `/day`: a rolling 24 hours, not a calendar day.
    Day,
}

impl Per {
    /// How long the unit is.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_secs(match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Second => "s",
            Self::Minute => "min",
            Self::Hour => "h",
            Self::Day => "day",
        }
    }
}

/// So many per unit: 1 to 100,000 a second, or the like in longer units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rate {
    count: u32,
    per: Per,
}

/// Why a text is no rate; it says what to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// No `count/unit`.
    #[error(
        "\"{0}\" is not a rate: write a number, a slash and a unit, such as \"30/min\", \"5/s\", \"500/h\" or \"2000/day\""
    )]
    Form(String),
    /// Nothing would ever be sent.
    #[error("a rate of 0 would never send anything: leave it out for no limit, or write at least \"1/day\"")]
    Zero,
    /// More than any relay takes.
    #[error("\"{0}\" is faster than 100,000 a second, which no relay takes: leave the rate out for no limit")]
    Absurd(String),
}

impl Rate {
    /// The most that a rate may be, per second.
    const MOST_PER_SECOND: u64 = 100_000;

    /// A rate of `count` per `per`.
    ///
    /// # Errors
    /// [`RateError::Zero`] and [`RateError::Absurd`].
    pub fn new(count: u32, per: Per) -> Result<Self, RateError> {
        if count == 0 {
            return Err(RateError::Zero);
        }
        if u64::from(count) > Self::MOST_PER_SECOND * per.duration().as_secs() {
            return Err(RateError::Absurd(format!("{count}/{}", per.name())));
        }
        Ok(Self { count, per })
    }

    /// How many.
    #[must_use]
    pub fn count(self) -> u32 {
        self.count
    }

    /// In how long.
    #[must_use]
    pub fn per(self) -> Per {
        self.per
    }

    /// The time between two letters at an even pace.
    #[must_use]
    pub fn interval(self) -> Duration {
        self.per.duration() / self.count
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let shown = || super::reply::visible(text);
        let (count, unit) = text.split_once('/').ok_or_else(|| RateError::Form(shown()))?;
        let count = count.trim();
        if count.is_empty() || !count.bytes().all(|b| b.is_ascii_digit()) {
            return Err(RateError::Form(shown()));
        }
        let count: u32 = count.parse().map_err(|_| RateError::Absurd(shown()))?;
        let per = match unit.trim().to_ascii_lowercase().as_str() {
            "s" | "sec" | "second" => Per::Second,
            "m" | "min" | "minute" => Per::Minute,
            "h" | "hour" => Per::Hour,
            "d" | "day" => Per::Day,
            _ => return Err(RateError::Form(shown())),
        };
        Self::new(count, per)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.count, self.per.name())
    }
}

impl TryFrom<String> for Rate {
    type Error = RateError;

    fn try_from(text: String) -> Result<Self, RateError> {
        text.parse()
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> Self {
        rate.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_rate_of_nothing_is_refused_with_what_to_write() {
        assert_eq!("0/min".parse::<Rate>(), Err(RateError::Zero));
        for text in ["", "30", "/min", "-3/min", "NaN/s", "1.5/s", "30/fortnight", "30 per min", "+3/s"] {
            assert!(matches!(text.parse::<Rate>(), Err(RateError::Form(_))), "{text}");
        }
        for text in ["100001/s", "99999999999999999999/day"] {
            assert!(matches!(text.parse::<Rate>(), Err(RateError::Absurd(_))), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_rate_reads_back_what_it_prints(count in 1u32..=100_000, unit in 0usize..4) {
            let rate = Rate::new(count, [Per::Second, Per::Minute, Per::Hour, Per::Day][unit]).expect("a rate");
            prop_assert_eq!(rate.to_string().parse(), Ok(rate));
        }

        #[test]
        fn no_text_makes_the_rate_parser_panic(text in "\\PC{0,20}") {
            let _ = text.parse::<Rate>();
        }
    }
}
