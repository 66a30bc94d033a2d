//! What `check` says, for whoever reads the preview: by the letters that it is about, and with missions in the place of lines.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use crate::clock;
use crate::diagnostic::{Diagnostic, Severity};
use crate::domain::reply::visible;
use crate::preview::{Remark, Warning};

use super::prepare::{Batch, name_of};

/// What `check` says, sorted to the rows that it is about.
pub(super) struct Remarks {
    /// By the place of the row.
    of_rows: HashMap<usize, Vec<OfRow>>,
    /// About several rows or none.
    pub(super) general: Vec<Remark>,
}

/// What is said of one row.
struct OfRow {
    code: &'static str,
    says: Arc<str>,
    /// True if the first page tells it of all its rows at once; then it is no whole sentence yet.
    told_at_once: bool,
}

impl Remarks {
    pub(super) fn of(batch: &Batch) -> Self {
        let mut remarks = Self { of_rows: HashMap::new(), general: Vec::new() };
        // Rows stand in the order of their lines; one may take several.
        let lines: Vec<u64> = batch.rows.iter().map(|row| row.recipient.line).collect();
        let places: HashMap<&str, usize> =
            batch.rows.iter().enumerate().map(|(place, row)| (row.recipient.id.as_str(), place)).collect();
        for problem in &batch.diagnostics {
            // The page says it of the letters, not of the addresses.
            if problem.code == "placeholders" {
                continue;
            }
            if !problem.about.is_empty() {
                remarks.general.push(named(problem, batch, &lines));
                for about in &problem.about {
                    let Some(place) = places.get(about.id.as_str()) else { continue };
                    let of_row = OfRow { code: problem.code, says: Arc::clone(&about.says), told_at_once: true };
                    remarks.of_rows.entry(*place).or_default().push(of_row);
                }
                continue;
            }
            let place = problem.place.as_ref().filter(|place| place.file == batch.config.recipients.file_shown);
            let line = place.map_or(0, |place| place.line as u64);
            let row = lines.partition_point(|first| *first <= line).checked_sub(1);
            match row.filter(|_| line > 0) {
                Some(row) => {
                    let says = named(problem, batch, &lines).text.into();
                    let of_row = OfRow { code: problem.code, says, told_at_once: false };
                    remarks.of_rows.entry(row).or_default().push(of_row);
                }
                // Who is missing is told with the coverage, state by state.
                None if problem.severity != Severity::Note && problem.code != "states-missing" => {
                    remarks.general.push(named(problem, batch, &lines));
                }
                None => {}
            }
        }
        remarks
    }

    /// What is said of a row.
    pub(super) fn texts(&self, place: usize) -> Vec<Warning> {
        let of_row = self.of_rows.get(&place).into_iter().flatten();
        let text = |it: &OfRow| if it.told_at_once { visible(&sentence(&it.says)) } else { it.says.to_string() };
        of_row.map(|it| Warning { text: text(it), told_at_once: it.told_at_once }).collect()
    }

    pub(super) fn codes(&self, place: usize) -> Vec<&'static str> {
        self.of_rows.get(&place).into_iter().flatten().map(|it| it.code).collect()
    }
}

/// A sentence about rows, for whoever sees no table.
fn in_entries(sentence: String) -> String {
    const WORDS: [(&str, &str); 5] = [
        (" row was ", " entry of the list was "),
        (" rows were ", " entries of the list were "),
        (" row does ", " entry of the list does "),
        (" rows do ", " entries of the list do "),
        (" rows: ", " entries of the list: "),
    ];
    WORDS.iter().fold(sentence, |sentence, (of_table, of_list)| sentence.replace(of_table, of_list))
}

/// With a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

/// A problem in a sentence or two, with the names of rows in the place of their lines: whoever reads a page does not have
/// the file. `lines` are those on which the batch's rows begin.
fn named(problem: &Diagnostic, batch: &Batch, lines: &[u64]) -> Remark {
    let mut about = Vec::new();
    let mut all_get_one = true;
    let is_of_file = problem.place.as_ref().is_some_and(|place| place.file == batch.config.recipients.file_shown);
    let message = if is_of_file {
        let ending = Path::new(&batch.config.recipients.file_shown).extension().map(OsStr::to_ascii_lowercase);
        let is_text = ending.is_none_or(|ending| ["csv", "tsv", "txt"].iter().any(|text| ending == *text));
        lines_by_name(&problem.message, if is_text { "line" } else { "row" }, &mut |line| {
            let row = lines.partition_point(|first| *first <= line).checked_sub(1)?;
            let recipient = &batch.rows[row].recipient;
            let name = name_of(recipient);
            all_get_one &= batch.rows[row].suppressed.is_none();
            about.push((recipient.id.to_string(), name.clone()));
            Some(match recipient.verified_on.filter(|_| problem.code == "rows-stale") {
                Some(date) => format!("{name} ({date}, {})", days_ago(date)),
                None => name,
            })
        })
    } else {
        problem.message.clone()
    };
    if problem.code == "address-shared"
        && let Some(text) = shared(problem, &message, &about, all_get_one)
    {
        return Remark { text: visible(&text), about };
    }
    let help = problem.help.as_deref().map(|help| format!(": {help}")).unwrap_or_default();
    let message = in_entries(message);
    // Whoever keeps the list needs the column's name, whoever reads the page a word for it.
    let help = help.replace("set verified_on", "enter the day of it (`verified_on`)");
    Remark { text: visible(&format!("{message}{help}")), about }
}

/// How long ago a day is: `324 days ago`.
fn days_ago(date: jiff::civil::Date) -> String {
    let today = clock::now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    match today.since(date).map_or(0, |age| age.get_days()) {
        1 => "1 day ago".to_owned(),
        days => format!("{days} days ago"),
    }
}

/// That several rows have one address, which `message` begins with, for whoever thinks of missions and letters; `None` if
/// not all of them could be named.
fn shared(problem: &Diagnostic, message: &str, about: &[(String, String)], all_get_one: bool) -> Option<String> {
    let (address, _) = message.split_once(" stands in ")?;
    let names: Vec<&str> = about.iter().map(|(_, name)| name.as_str()).collect();
    let [first @ .., last] = names.as_slice() else { return None };
    if first.is_empty() || names.len() < problem.about.len() {
        return None;
    }
    let go = match names.len() {
        _ if !all_get_one => "",
        2 => ": both letters go there",
        _ => ": all their letters go there",
    };
    // Rows of one mission may well share it.
    let is_of_several = problem.help.as_deref().is_some_and(|help| help.contains("by mistake"));
    let doubt = if is_of_several { " Is one a copying mistake?" } else { "" };
    Some(format!("{} and {last} have the same address, {address}{go}.{doubt}", first.join(", ")))
}

/// A sentence with the names of rows in the place of `line 3` or `lines 3, 58 and 90`, or of the same with another `unit`,
/// which in a workbook is `row`. `name_at` gives the name of the row on
/// a line; where it knows none, the sentence stays as it is. What says the same again, `, for A and B` or `(line 3)` behind a
/// name, goes.
fn lines_by_name(sentence: &str, unit: &str, name_at: &mut impl FnMut(u64) -> Option<String>) -> String {
    let Some((start, end, lines)) = first_list(sentence, unit) else { return sentence.to_owned() };
    let (before, after) = (&sentence[..start], &sentence[end..]);
    let Some(names) = lines.into_iter().map(&mut *name_at).collect::<Option<Vec<_>>>() else {
        return sentence.to_owned();
    };
    // "of Kenya (line 90)" has the name already.
    if let (Some(before), Some(after), [name]) = (before.strip_suffix(" ("), after.strip_prefix(')'), names.as_slice())
        && before.ends_with(name.as_str())
    {
        return format!("{before}{after}");
    }
    let more = after.starts_with(" and ") && after[5..].starts_with(|c: char| c.is_ascii_digit());
    let joined = match names.as_slice() {
        [first @ .., last] if !first.is_empty() && !more => format!("{} and {last}", first.join(", ")),
        all => all.join(", "),
    };
    let after = after.strip_prefix(&format!(", for {joined}")).unwrap_or(after);
    format!("{before}{joined}{after}")
}

/// Where the first list of lines begins and ends, and the lines.
fn first_list(sentence: &str, unit: &str) -> Option<(usize, usize, Vec<u64>)> {
    for word in [format!("{unit}s "), format!("{unit} ")] {
        for (start, _) in sentence.match_indices(&word) {
            let is_word = !sentence[..start].ends_with(|c: char| c.is_alphanumeric());
            let mut end = start + word.len();
            let mut lines = Vec::new();
            while let Some((line, length)) = number(&sentence[end..]) {
                lines.push(line);
                end += length;
                let rest = &sentence[end..];
                let Some(gap) = [", ", " and "].into_iter().find(|gap| {
                    rest.strip_prefix(gap).is_some_and(|rest| {
                        number(rest).is_some_and(|(_, length)| !rest[length..].starts_with(" more"))
                    })
                }) else {
                    break;
                };
                end += gap.len();
            }
            // "lines 3 to 58" is no list.
            if is_word && !lines.is_empty() && !sentence[end..].starts_with(" to ") {
                return Some((start, end, lines));
            }
        }
    }
    None
}

/// The number that a text begins with, and its length.
fn number(text: &str) -> Option<(u64, usize)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    Some((text[..length].parse().ok()?, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_the_rows_that_stand_there() {
        let name = |line| match line {
            3 => Some("Albania".to_owned()),
            58 => Some("Estonia".to_owned()),
            90 => Some("Kenya".to_owned()),
            _ => None,
        };
        for (sentence, expected) in [
            ("2 rows were verified long ago: lines 3 and 58", "2 rows were verified long ago: Albania and Estonia"),
            ("1 row was verified long ago: line 90", "1 row was verified long ago: Kenya"),
            ("a@b stands in 2 rows: lines 3 and 90, for Albania and Kenya", "a@b stands in 2 rows: Albania and Kenya"),
            ("long ago: lines 3, 58, 90 and 4 more", "long ago: Albania, Estonia, Kenya and 4 more"),
            ("a copy goes to a@b, the address of Kenya (line 90)", "a copy goes to a@b, the address of Kenya"),
            ("lines 3 to 58: 4 addresses", "lines 3 to 58: 4 addresses"),
            ("rows 3 and 58", "rows 3 and 58"),
            ("nobody: line 4", "nobody: line 4"),
            ("3 deadlines 90", "3 deadlines 90"),
            ("no such thing", "no such thing"),
        ] {
            assert_eq!(lines_by_name(sentence, "line", &mut { name }), expected);
        }
        assert_eq!(
            lines_by_name("2 rows are stale: rows 3 and 58", "row", &mut { name }),
            "2 rows are stale: Albania and Estonia"
        );
    }
}
