//! `[pace]` and `[retry]`: how fast, when, and when again.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Pace;
use super::duration::{Zero, duration};
use super::event;
use super::holidays::holidays;
use super::value::Refusal;
use super::walk::Section;
use crate::domain::rate::{Rate, RateError};
use crate::domain::retry::RetryPolicy;
use crate::domain::schedule::{Hours, HoursError};

/// `[pace]`.
pub(super) fn pace(root: &Section<'_>, now: Timestamp) -> Pace {
    let known = ["rate", "per_domain", "hours", "days", "timezone", "holidays", "holidays_file"];
    let section = root.section("pace", &known);
    let hours = hours(&section, now);
    let (hours, hours_shown) = hours.map_or((None, None), |(hours, shown)| (Some(hours), Some(shown)));
    Pace { rates: rates(&section, "rate"), per_domain: rates(&section, "per_domain"), hours, hours_shown }
}

fn rates(section: &Section<'_>, key: &str) -> Vec<Rate> {
    section.value(key).map_or_else(Vec::new, |value| {
        value.read_items("\"30/min\"", |text| {
            text.parse().map_err(|error| {
                let (code, message) = match error {
                    RateError::Form(_) => ("rate-invalid", "is not a rate"),
                    RateError::Zero => ("rate-zero", "would never send anything"),
                    RateError::Absurd(_) => ("rate-absurd", "is faster than 100,000 a second, which no relay takes"),
                };
                let help = "write \"30/min\", \"5/s\", \"500/h\" or \"2000/day\", or leave the key out for no limit";
                Refusal::new(code, message, help)
            })
        })
    })
}

/// When letters may go out, and the same for people. Days and holidays without hours mean the whole day.
fn hours(section: &Section<'_>, now: Timestamp) -> Option<(Hours, String)> {
    let zone_value = section.value("timezone");
    let zone = zone_value.as_ref().and_then(|value| {
        value.read("\"America/New_York\"", |text| event::zone(text).map(|zone| (zone, text.to_owned())))
    });
    let days_value = section.value("days");
    let days = days_value.as_ref().and_then(|value| value.read("\"Mon-Fri\"", days));
    let holidays = holidays(section);
    let closed_value = section.value("holidays").or_else(|| section.value("holidays_file"));
    let hours_value = section.value("hours");
    let Some(any) = hours_value.as_ref().or(days_value.as_ref()).or(closed_value.as_ref()) else {
        if let Some(zone) = zone_value {
            let message = "has no effect without hours, days or holidays";
            zone.warn(&Refusal::new("setting-unused", message, "write one of them, or leave it out"));
        }
        return None;
    };
    if zone_value.is_none() {
        let help = "write timezone = \"America/New_York\", or wherever it is meant";
        any.refuse(&Refusal::new("time-zone-missing", "needs a time zone", help));
    }
    let in_zone = |text: &str| {
        let zone = zone.as_ref().map_or(TimeZone::UTC, |(zone, _)| zone.clone());
        Hours::parse(text, days.as_deref(), zone).map_err(|error| {
            let message = match error {
                HoursError::Empty => "must end after they begin, on the same day",
                _ => "is not a span of hours",
            };
            Refusal::new("hours-invalid", message, "write for example \"09:00-18:00\"")
        })
    };
    let hours = match &hours_value {
        Some(value) => value.read("\"09:00-18:00\"", in_zone)?,
        None => in_zone("00:00-24:00").ok()?,
    };
    if let (Some(value), Some(last)) = (&closed_value, holidays.last())
        && *last < now.to_zoned_datetime(TimeZone::UTC).date()
    {
        let help = "add the days that are to come, or take the list out";
        value.warn(&Refusal::new("holidays-past", format!("ends with {last}, which is over"), help));
    }
    let text = hours_value.and_then(|value| value.text("\"09:00-18:00\"").map(str::to_owned));
    let except = (!holidays.is_empty()).then(|| match holidays.len() {
        1 => "except 1 holiday".to_owned(),
        many => format!("except {many} holidays"),
    });
    let shown = [text, days, zone.map(|(_, name)| name), except].into_iter().flatten().collect::<Vec<_>>().join(", ");
    Some((hours.closed_on(holidays), shown))
}

fn days(text: &str) -> Result<String, Refusal> {
    // The hours are any: only the days are tried here, so that their problem stands at their place.
    Hours::parse("00:00-23:59", Some(text), TimeZone::UTC).map(|_| text.to_owned()).map_err(|_| {
        Refusal::new("days-invalid", "is not a list of weekdays", "write for example \"Mon-Fri\" or \"Mon,Wed,Fri\"")
    })
}

/// `[retry]`.
pub(super) fn retry(root: &Section<'_>) -> RetryPolicy {
    let section = root.section("retry", &["first", "factor", "most", "attempts", "linger"]);
    let default = RetryPolicy::default();
    let first = duration(&section, "first", default.first, Zero::Refused);
    let most = duration(&section, "most", default.most.max(first), Zero::Refused);
    if let Some(value) = section.value("most").filter(|_| most < first) {
        let help = "write a longer one, or shorten retry.first";
        value.refuse(&Refusal::new("retry-order", "is shorter than retry.first", help));
    }
    RetryPolicy {
        first,
        factor: section.value("factor").and_then(|value| value.number(&(1.0..=10.0), "2.0")).unwrap_or(default.factor),
        most,
        attempts: section
            .value("attempts")
            .and_then(|value| value.whole(&(1..=20), "6"))
            .and_then(|attempts| u32::try_from(attempts).ok())
            .unwrap_or(default.attempts),
        linger: duration(&section, "linger", default.linger, Zero::Allowed),
    }
}
