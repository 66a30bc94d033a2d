//! `pace.holidays` and `pace.holidays_file`: the days on which nothing is sent.

use jiff::civil::Date;
use toml::de::DeValue;

use super::paths;
use super::value::{Refusal, Value};
use super::walk::Section;

const EXAMPLE: &str = "[\"2021-10-11\", \"2021-11-25\"]";
/// The largest file of holidays that is read: a country's calendar of a century is smaller.
const LARGEST_FILE: u64 = 1024 * 1024;
/// Longer "holidays" in a calendar are something else.
const LONGEST_IN_DAYS: i32 = 60;

/// Every date that either key names, in order and each once.
pub(super) fn holidays(section: &Section<'_>) -> Vec<Date> {
    let mut dates: Vec<Date> = section.value("holidays").map_or_else(Vec::new, |value| listed(&value));
    if let Some(value) = section.value("holidays_file") {
        dates.extend(of_file(&value).unwrap_or_default());
    }
    dates.sort_unstable();
    dates.dedup();
    dates
}

/// A list of dates in quotes or as TOML's own.
fn listed(value: &Value<'_>) -> Vec<Date> {
    let items = if matches!(value.inner, DeValue::Datetime(_)) { vec![value.clone()] } else { value.items(EXAMPLE) };
    items
        .iter()
        .filter_map(|item| match item.inner {
            DeValue::Datetime(date) => self::date(&date.to_string()).map_err(|refusal| item.refuse(&refusal)).ok(),
            _ => item.read(EXAMPLE, self::date),
        })
        .collect()
}

fn date(text: &str) -> Result<Date, Refusal> {
    let text = text.trim();
    whole_date(text).ok_or_else(|| {
        Refusal::new("date-invalid", "is not a list of dates", format!("write for example holidays = {EXAMPLE}"))
    })
}

/// `2021-10-11` and nothing else: jiff alone would take a time too, and drop it.
fn whole_date(text: &str) -> Option<Date> {
    text.parse().ok().filter(|_| text.len() == 10)
}

fn of_file(value: &Value<'_>) -> Option<Vec<Date>> {
    let folder = value.sheet.folder;
    let path = value.read("\"holidays.txt\"", |text| paths::stay_inside(text, folder))?;
    let refuse = |message: String, help: &str| {
        value.refuse(&Refusal::new("holidays-invalid", message, help));
        None
    };
    let help = "put a file there with one date a line, or a calendar (.ics)";
    let whole = folder.join(&path);
    let text = match std::fs::metadata(&whole) {
        Ok(facts) if !facts.is_file() => return refuse("names something that is not a file".to_owned(), help),
        Ok(facts) if facts.len() > LARGEST_FILE => return refuse("names a file of more than 1 MB".to_owned(), help),
        Ok(_) => std::fs::read_to_string(&whole),
        Err(error) => Err(error),
    };
    let text = match text {
        Ok(text) => text,
        Err(error) => return refuse(format!("names a file that cannot be read: {error}"), help),
    };
    let text = text.trim_start_matches('\u{feff}');
    let read = if text.trim_start().starts_with("BEGIN:VCALENDAR") { of_calendar(text) } else { of_lines(text) };
    match read {
        Ok(dates) if dates.is_empty() => refuse("names a file without a date".to_owned(), help),
        Ok(dates) => Some(dates),
        Err((line, why)) => refuse(
            format!("names {path}, whose line {line} {why}"),
            "write one date such as 2021-10-11 on each line; what stands after it is its name",
        ),
    }
}

/// One date a line, its name after it; blank lines and those that begin with "#" say nothing.
fn of_lines(text: &str) -> Result<Vec<Date>, (usize, String)> {
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(at, line)| {
            let first = line.split([' ', '\t', ',', ';']).next().unwrap_or_default();
            whole_date(first).ok_or_else(|| (at, "does not begin with a date".to_owned()))
        })
        .collect()
}

/// The days of every event in a calendar (RFC 5545): from `DTSTART` to the day before `DTEND`. Events that repeat are
/// refused: which days they mean would have to be worked out.
fn of_calendar(text: &str) -> Result<Vec<Date>, (usize, String)> {
    let (mut dates, mut first, mut end) = (Vec::new(), None, None);
    for (at, line) in text.lines().enumerate() {
        let Some((name, value)) = line.split_once(':') else { continue };
        let name = name.split(';').next().unwrap_or_default().to_ascii_uppercase();
        let day = || {
            let digits = value.get(..8).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
            let day = digits.and_then(|d| format!("{}-{}-{}", &d[..4], &d[4..6], &d[6..]).parse::<Date>().ok());
            day.ok_or_else(|| (at + 1, "has no date".to_owned()))
        };
        match (name.as_str(), value.trim()) {
            ("BEGIN", "VEVENT") => (first, end) = (None, None),
            ("DTSTART", _) => first = Some(day()?),
            ("DTEND", _) => end = Some(day()?),
            ("RRULE" | "RDATE", _) => {
                return Err((at + 1, "has an event that repeats, which is not understood".to_owned()));
            }
            ("END", "VEVENT") => dates.extend(days(first, end)),
            _ => {}
        }
    }
    Ok(dates)
}

fn days(first: Option<Date>, end: Option<Date>) -> Vec<Date> {
    let Some(first) = first else { return Vec::new() };
    let length = end.and_then(|end| first.until(end).ok()).map_or(1, |span| span.get_days().clamp(1, LONGEST_IN_DAYS));
    (0..length).filter_map(|ahead| first.checked_add(jiff::Span::new().days(ahead)).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(dates: &[Date]) -> Vec<String> {
        dates.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_file_has_one_date_a_line_with_its_name() {
        let text = "# 2021\n2021-10-11 Indigenous Peoples' Day\n\n2021-11-25,Thanksgiving\r\n";
        assert_eq!(of_lines(text).as_deref().map(texts), Ok(vec!["2021-10-11".into(), "2021-11-25".into()]));
        for text in ["2021-10-11\n11.10.2021", "2021-10-11\n2021-10-11T09:00", "2021-10-11\nChristmas"] {
            assert_eq!(of_lines(text).map_err(|(line, _)| line), Err(2), "{text}");
        }
    }

    #[test]
    fn a_calendar_gives_the_days_of_its_events() {
        let text = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20211224\r\nDTEND;VALUE=DATE:20211227\r\n\
                    SUMMARY:Christmas\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20220101\r\nEND:VEVENT\r\n";
        let found = of_calendar(text).expect("read");
        assert_eq!(texts(&found), ["2021-12-24", "2021-12-25", "2021-12-26", "2022-01-01"]);
        let repeats = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20211225\nRRULE:FREQ=YEARLY\nEND:VEVENT\n";
        assert!(matches!(of_calendar(repeats), Err((4, _))));
        assert!(of_calendar("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:soon\n").is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(?s)(BEGIN:VEVENT\n|DTSTART:|DTEND:|END:VEVENT|[0-9-]{0,10}|.{0,5}){0,12}") {
            let _ = (of_lines(&text), of_calendar(&text));
        }
    }
}
