//! How long a batch takes at its pace, and what that means for the event that its letters are written before.

use std::collections::{HashMap, HashSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

use crate::clock;
use crate::config::Pace;
use crate::diagnostic::{Diagnostic, Place};
use crate::domain::estimate::{Limits, Load, Remedy, finishes_at, remedy};
use crate::domain::mailbox::Mailbox;
use crate::domain::rate::Rate;
use crate::domain::recipient::RecipientId;
use crate::domain::reply::visible;
use crate::domain::settings::Event;
use crate::report::duration;

use super::exit::{Failure, USAGE};
use super::prepare::Batch;

/// What a batch asks of the relay.
pub(super) fn load(batch: &Batch) -> Load {
    load_of(batch, |_| true)
}

/// What the chosen rows of a batch ask of the relay.
pub(super) fn load_of(batch: &Batch, chosen: impl Fn(&RecipientId) -> bool) -> Load {
    let mut load = Load::default();
    let mut domains: HashMap<&str, u64> = HashMap::new();
    for row in batch.rows.iter().filter(|row| row.suppressed.is_none() && chosen(&row.recipient.id)) {
        load.letters += 1;
        load.recipients += batch.composer.addresses(&row.recipient).len() as u64;
        let of_row: HashSet<&str> = row.recipient.to.iter().chain(&row.recipient.cc).map(Mailbox::domain).collect();
        for domain in of_row {
            *domains.entry(domain).or_default() += 1;
        }
    }
    load.busiest_domain = domains.into_values().max().unwrap_or(0);
    load
}

/// A batch in time: when it starts and ends, and the event.
pub(super) struct Timing<'a> {
    load: Load,
    pace: &'a Pace,
    event: Option<&'a Event>,
    now: Timestamp,
    start: Timestamp,
    /// When the last letter is out, at the earliest.
    pub(super) end: Timestamp,
}

impl<'a> Timing<'a> {
    /// Of so many letters, from `start` on, or from now.
    pub(super) fn new(batch: &'a Batch, load: Load, start: Option<Timestamp>) -> Self {
        let (now, pace) = (clock::now(), &batch.config.pace);
        let start = start.unwrap_or(now).max(now);
        let end = finishes_at(load, limits(pace), start);
        Self { load, pace, event: batch.config.settings.event.as_ref(), now, start, end }
    }

    /// From the start to the end.
    pub(super) fn seconds(&self) -> u64 {
        u64::try_from(self.end.duration_since(self.start).as_secs()).unwrap_or(0)
    }

    /// "193 letters at 30/min: 6 min 26 s; done 6 days before the open debate".
    pub(super) fn line(&self) -> String {
        let mut limits: Vec<String> = self.pace.rates.iter().map(ToString::to_string).collect();
        limits.extend(self.pace.per_domain.iter().map(|rate| format!("{rate} to one domain")));
        limits.extend(self.pace.hours_shown.iter().cloned());
        let letters = if self.load.letters == 1 { "letter" } else { "letters" };
        let mut line = format!("{} {letters}", self.load.letters);
        if limits.is_empty() {
            line.push_str(" as fast as the relay takes them, since no rate is set");
        } else {
            line.push_str(&format!(" at {}: {}", limits.join(", "), at_least_a_second(self.seconds())));
        }
        let hours = self.pace.hours.as_ref();
        let closed = hours.map_or_else(Vec::new, |hours| hours.holidays_between(self.start, self.end));
        if !closed.is_empty() {
            let closed: Vec<String> = closed.iter().take(5).map(ToString::to_string).collect();
            line.push_str(&format!(" (nothing goes out on {})", closed.join(", ")));
        }
        if let Some(event) = self.event.filter(|event| event.at > self.now) {
            let name = called(&event.name);
            match u64::try_from(event.at.duration_since(self.end).as_secs()) {
                Ok(spare) => line.push_str(&format!("; done {} before {name}", spare_time(spare))),
                Err(_) => line.push_str(&format!("; that is AFTER {name} begins")),
            }
        }
        line
    }

    /// True if the event has begun or is over, so that nothing can be done before it.
    pub(super) fn event_is_past(&self) -> bool {
        self.event.is_some_and(|event| event.at <= self.now)
    }

    /// A batch that cannot be done before an event that is still to come: an error that says what would do.
    pub(super) fn too_late(&self) -> Option<Diagnostic> {
        let event = self.event.filter(|event| event.at > self.now && event.at < self.end)?;
        let start = if self.start > self.now { local(self.start, event) } else { "now".to_owned() };
        let message = format!(
            "the letters cannot all go out before {}, which begins {}: starting {start}, the last goes out {}",
            called(&event.name),
            on(event),
            local(self.end, event),
        );
        let found = remedy(self.load, limits(self.pace), self.start, event.at, self.now);
        let mut help = advice(&found, event);
        if help.is_empty() {
            help.push("nothing in [pace] would do: send to fewer, or correct campaign.event".to_owned());
        }
        help.push("`demarche send --late` sends all the same".to_owned());
        Some(
            Diagnostic::error("event-missed", message)
                .at(Place::file("campaign.event in the config"))
                .help(help.join("\n")),
        )
    }
}

/// What would do, in sentences.
fn advice(found: &Remedy, event: &Event) -> Vec<String> {
    let mut advice = Vec::new();
    let listed = |rates: &[Rate]| rates.iter().map(|rate| format!("\"{rate}\"")).collect::<Vec<_>>().join(" and ");
    let rates = [("rate", &found.rates), ("per_domain", &found.per_domain)];
    let rates: Vec<String> = rates
        .iter()
        .filter(|(_, rates)| !rates.is_empty())
        .map(|(key, rates)| format!("{key} of at least {}", listed(rates)))
        .collect();
    if !rates.is_empty() {
        advice.push(format!("in time with a {}, if the relay allows it", rates.join(" and a ")));
    }
    if found.any_hour {
        advice.push("in time without hours, days and holidays in [pace]".to_owned());
    }
    if let Some(start) = found.start_by {
        advice.push(format!("in time with a start by {}", local(start, event).trim_start_matches("on ")));
    }
    advice
}

fn limits(pace: &Pace) -> Limits<'_> {
    Limits { rates: &pace.rates, per_domain: &pace.per_domain, hours: pace.hours.as_ref() }
}

/// "less than 1 s", where nothing shorter is told.
fn at_least_a_second(seconds: u64) -> String {
    if seconds == 0 { "less than 1 s".to_owned() } else { duration(seconds) }
}

/// Days where there are two or more, so that "6 days" is not "6 d 3 h".
fn spare_time(seconds: u64) -> String {
    let days = seconds / 86_400;
    if days >= 2 { format!("{days} days") } else { duration(seconds) }
}

/// The event as a sentence takes it: with its article, or in quotes where it has a language of its own.
fn called(name: &str) -> String {
    let name = visible(name);
    if !name.is_ascii() {
        return format!("\"{name}\"");
    }
    match name.split_once(' ') {
        Some((article, rest)) if article.eq_ignore_ascii_case("the") => format!("the {rest}"),
        _ => format!("the {name}"),
    }
}

/// "on 21 October 2021, 10:00 (New York)".
pub(super) fn on(event: &Event) -> String {
    format!("{} ({})", local(event.at, event), event.zone)
}

/// How far a moment is away: "in 6 days", "5 years ago".
pub(super) fn away(at: Timestamp, now: Timestamp) -> String {
    seconds_away(at.duration_since(now).as_secs())
}

fn seconds_away(seconds: i64) -> String {
    let span = match seconds.unsigned_abs() {
        under if under < 2 * 86_400 => duration(under),
        under if under < 120 * 86_400 => format!("{} days", under / 86_400),
        under if under < 2 * 365 * 86_400 => format!("{} months", under / 2_629_746),
        over => format!("{} years", over / 31_556_952),
    };
    if seconds < 0 { format!("{span} ago") } else { format!("in {span}") }
}

/// The dates among the values of `[vars]`, by their keys in alphabetical order: key, date, how far it is away, and if it is over.
pub(super) fn dates(
    vars: &serde_json::Map<String, serde_json::Value>,
    now: Timestamp,
) -> Vec<(String, Date, String, bool)> {
    let today = now.to_zoned_datetime(TimeZone::UTC).date();
    let date = |(name, value): (&String, &serde_json::Value)| {
        let date: Date = value.as_str().filter(|text| text.len() == 10)?.parse().ok()?;
        let days = i64::from(today.until(date).ok()?.get_days());
        let away = if days == 0 { "today".to_owned() } else { seconds_away(days * 86_400) };
        Some((visible(name), date, away, date < today))
    };
    let mut dates: Vec<_> = vars.iter().filter_map(date).collect();
    dates.sort();
    dates
}

/// A moment by the clock at the place of the event.
fn local(at: Timestamp, event: &Event) -> String {
    let zone = TimeZone::get(&event.zone).unwrap_or(TimeZone::UTC);
    at.to_zoned_datetime(zone).strftime("on %-d %B %Y, %H:%M").to_string()
}

/// Tomorrow morning by the clock of this machine, as `--at` takes it.
fn example() -> String {
    let zone = clock::zone();
    let tomorrow = clock::now().to_zoned_datetime(zone.clone()).date().tomorrow().unwrap_or_default();
    let zone = zone.iana_name().unwrap_or("UTC").to_owned();
    format!("write for example {tomorrow}T09:00[{zone}] (tomorrow at nine), or {tomorrow}T13:00:00Z")
}

/// `--at`: a moment to come, with the zone it was written in.
///
/// # Errors
/// What is no moment, or is over.
pub(super) fn start_time(text: &str) -> Result<ZonedDateTime, Failure> {
    let utc = |at: Timestamp| at.to_zoned_datetime(TimeZone::UTC);
    let at = text.parse::<ZonedDateTime>().or_else(|_| text.parse::<Timestamp>().map(utc)).map_err(|_| {
        Failure::new(USAGE, format!("--at: \"{}\" is no time with a zone", visible(text))).help(example())
    })?;
    let now = clock::now();
    if at.timestamp() <= now {
        let ago = u64::try_from(now.duration_since(at.timestamp()).as_secs()).unwrap_or(0);
        return Err(Failure::new(USAGE, format!("--at: {} was {} ago", visible(text), duration(ago)))
            .help("name a time to come, or leave --at out to send at once"));
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_called_as_a_sentence_takes_it() {
        assert_eq!(called("open debate"), "the open debate");
        assert_eq!(called("The open debate"), "the open debate");
        assert_eq!(called("открытые прения"), "\"открытые прения\"");
    }

    #[test]
    fn how_far_a_moment_is_away_is_told_in_the_unit_that_fits() {
        let now: Timestamp = "2021-10-15T10:00:00Z".parse().expect("a time");
        let days = |days: i64| away(now + jiff::SignedDuration::from_hours(24 * days), now);
        assert_eq!(
            [days(6), days(-6), days(1), days(-200), days(-365 * 5 - 10)],
            ["in 6 days", "6 days ago", "in 1 d", "6 months ago", "5 years ago",]
        );
    }

    #[test]
    fn the_dates_among_the_values_are_told_and_nothing_else_is() {
        let vars =
            serde_json::json!({ "reply_by": "2021-10-15", "letter_date": "2021-11-01", "n": 3, "phone": "5550100100" });
        let now: Timestamp = "2021-10-20T10:00:00Z".parse().expect("a time");
        let told = dates(vars.as_object().expect("an object"), now);
        let told: Vec<_> = told.iter().map(|(name, _, away, past)| (name.as_str(), away.as_str(), *past)).collect();
        assert_eq!(told, [("letter_date", "in 12 days", false), ("reply_by", "5 days ago", true)]);
    }

    #[test]
    fn the_time_to_spare_is_told_in_days_where_there_are_some() {
        assert_eq!([6 * 86_400 + 9_000, 86_400 + 7_200, 600].map(spare_time), ["6 days", "1 d 2 h", "10 min"]);
    }
}
