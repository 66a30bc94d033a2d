//! The text of a file → its records, each cell with its line and column.

use std::ops::Range;

use crate::diagnostic::{Diagnostic, Place};
use crate::domain::mailbox::trim_blank;

use super::findings::Findings;
use super::scan::scan;
use super::table::Record;

/// The largest cell and the largest row that are read, in bytes.
const CELL_MAX: usize = 32 << 10;
const ROW_MAX: usize = 256 << 10;

/// A longer line is not kept as an excerpt, in bytes.
const EXCERPT_MAX: usize = 8 << 10;

/// After so many quotes that never close, the rest of the file is not read.
const UNCLOSED_MAX: usize = 16;

/// The text, how its cells are separated, and where its first record may begin.
pub(super) struct TextTable<'a> {
    file: &'a str,
    text: &'a str,
    delimiter: u8,
    start: usize,
}

impl<'a> TextTable<'a> {
    /// Finds out the separator: the one given, else that of a `sep=;` line, else the one most frequent in the first line.
    pub(super) fn open(file: &'a str, text: &'a str, delimiter: Option<u8>, findings: &mut Findings) -> Self {
        let (hint, start) = separator_line(text).map_or((None, 0), |(hint, start)| (Some(hint), start));
        let given = delimiter.filter(|byte| byte.is_ascii() && !matches!(byte, b'"' | b'\r' | b'\n'));
        if delimiter.is_some() && given.is_none() {
            let message = "recipients.delimiter is no character that can separate cells";
            let help = "use \",\", \";\" or a tab, or take it out to have it detected";
            findings.push(Diagnostic::error("delimiter-unusable", message).help(help));
        }
        let delimiter = given.or(hint).unwrap_or_else(|| most_frequent(&text[start..]));
        Self { file, text, delimiter, start }
    }

    pub(super) fn records(&self) -> TextRecords<'_> {
        let line = 1 + line_ends(&self.text[..self.start]);
        TextRecords {
            table: self,
            reader: self.reader(self.start),
            base: self.start,
            counted: self.start,
            line,
            unclosed: 0,
        }
    }

    fn reader(&self, from: usize) -> csv::Reader<&[u8]> {
        csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.delimiter)
            .from_reader(&self.text.as_bytes()[from..])
    }

    /// Where a range of a cell's text stands. A cell beyond the last is the end of the record.
    pub(super) fn place(&self, record: &Record, cell: usize, range: Range<usize>) -> Place {
        let raw = self.text[record.range.clone()].as_bytes();
        let (spans, _) = scan(raw, self.delimiter);
        let range = spans.get(cell).map_or(raw.len()..raw.len(), |span| {
            let start = span.locate(raw, range.start);
            start..span.locate(raw, range.end).max(start)
        });
        self.place_in(record, range)
    }

    /// The record's first line.
    pub(super) fn first_line(&self, record: &Record) -> Place {
        self.place_in(record, 0..record.range.len())
    }

    /// The line on which the record ends.
    pub(super) fn last_line(&self, record: &Record) -> usize {
        record.line + line_ends(&self.text[record.range.clone()])
    }

    fn place_in(&self, record: &Record, range: Range<usize>) -> Place {
        let base = record.range.start;
        let mut at = base + range.start;
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let before = &self.text[base..at];
        let line_start = before.rfind(['\n', '\r']).map_or(base, |end| base + end + 1);
        let line_end = self.text[at..].find(['\n', '\r']).map_or(self.text.len(), |end| at + end);
        let excerpt = &self.text[line_start..line_end];
        let width = self.text.get(at..(base + range.end).clamp(at, line_end)).map_or(1, |part| part.chars().count());
        Place {
            file: self.file.to_owned(),
            line: record.line + line_ends(before),
            column: self.text[line_start..at].chars().count() + 1,
            excerpt: if excerpt.len() > EXCERPT_MAX { String::new() } else { excerpt.to_owned() },
            width: width.max(1),
            cell: None,
        }
    }
}

/// The records, one after the other.
pub(super) struct TextRecords<'t> {
    table: &'t TextTable<'t>,
    reader: csv::Reader<&'t [u8]>,
    /// Where the reader began.
    base: usize,
    /// Up to here the line ends are counted in `line`.
    counted: usize,
    line: usize,
    unclosed: usize,
}

impl TextRecords<'_> {
    /// Reads the next record that has anything in it; false at the end. A quote that never closes is a finding at its
    /// place, and reading goes on behind its line. What is too large is a finding and left out.
    pub(super) fn next(&mut self, record: &mut Record, findings: &mut Findings) -> bool {
        loop {
            let before = self.position();
            match self.reader.read_record(&mut record.cells) {
                Ok(true) => {}
                Ok(false) => return false,
                Err(error) => {
                    let message = format!("the file cannot be read on: {error}");
                    findings.push(Diagnostic::error("csv", message).at(Place::file(self.table.file)));
                    return false;
                }
            }
            self.locate(record, before);
            if self.position() == self.table.text.len() && self.skips_unclosed(record, findings) {
                if self.unclosed >= UNCLOSED_MAX {
                    return false;
                }
                continue;
            }
            let blank = record.cells.iter().all(|cell| trim_blank(cell).is_empty());
            if !blank && self.fits(record, findings) {
                return true;
            }
        }
    }

    fn position(&self) -> usize {
        usize::try_from(self.reader.position().byte()).map_or(self.table.text.len(), |read| self.base + read)
    }

    /// The reader stands before the blank lines that it passes over, and between CR and LF; the record begins after.
    fn locate(&mut self, record: &mut Record, before: usize) {
        let text = self.table.text;
        let start = before + (text[before..].len() - text[before..].trim_start_matches(['\r', '\n']).len());
        let end = self.position().max(start);
        let end = start + text[start..end].trim_end_matches(['\r', '\n']).len();
        self.line += line_ends(&text[self.counted..start]);
        self.counted = start;
        record.range = start..end;
        record.line = self.line;
    }

    fn skips_unclosed(&mut self, record: &Record, findings: &mut Findings) -> bool {
        let raw = &self.table.text[record.range.clone()];
        let (_, unclosed) = scan(raw.as_bytes(), self.table.delimiter);
        let Some(at) = unclosed else { return false };
        let place = self.table.place_in(record, at..at + 1);
        let diagnostic = Diagnostic::error("quote-unclosed", "this quote opens a cell and never closes").at(place);
        findings.push(diagnostic.help("close it with another \", or write \"\"\" where the text begins with a quote"));
        let behind = record.range.start + at;
        self.base = self.table.text[behind..].find(['\n', '\r']).map_or(self.table.text.len(), |end| behind + end);
        self.reader = self.table.reader(self.base);
        self.unclosed += 1;
        true
    }

    fn fits(&self, record: &Record, findings: &mut Findings) -> bool {
        let cell = |index| self.table.place(record, index, 0..1);
        within_limits(record, record.range.len(), cell, || self.table.place_in(record, 0..1), findings)
    }
}

const LARGE: &str = "is a quote missing somewhere before? Long texts belong into the template or an attachment";

/// Says of each cell, and of the row of so many `octets`, where it is too large to be read; true if none is.
pub(super) fn within_limits(
    record: &Record,
    octets: usize,
    cell: impl Fn(usize) -> Place,
    row: impl FnOnce() -> Place,
    findings: &mut Findings,
) -> bool {
    let before = findings.errors();
    for (index, text) in record.cells.iter().enumerate().filter(|(_, text)| text.len() > CELL_MAX) {
        let message = format!("this cell has {} bytes; at most {CELL_MAX} are read", text.len());
        findings.push(Diagnostic::error("cell-too-large", message).at(cell(index)).help(LARGE));
    }
    if octets > ROW_MAX {
        let message = format!("this row has {octets} bytes; at most {ROW_MAX} are read");
        findings.push(Diagnostic::error("row-too-large", message).at(row()).help(LARGE));
    }
    findings.errors() == before
}

/// CR, LF and CR LF each end a line.
fn line_ends(text: &str) -> usize {
    let bytes = text.as_bytes();
    let ends = |(at, byte): (usize, &u8)| match byte {
        b'\n' => at == 0 || bytes[at - 1] != b'\r',
        _ => *byte == b'\r',
    };
    bytes.iter().enumerate().filter(|(at, byte)| ends((*at, byte))).count()
}

/// Excel's `sep=;` line: the separator and where the line ends.
fn separator_line(text: &str) -> Option<(u8, usize)> {
    let end = text.find(['\n', '\r']).unwrap_or(text.len());
    let line = text[..end].trim_matches('"');
    let prefix = line.get(..4).filter(|prefix| prefix.eq_ignore_ascii_case("sep="))?;
    let hint = *line.as_bytes().get(prefix.len())?;
    let behind = if text[end..].starts_with("\r\n") { end + 2 } else { (end + 1).min(text.len()) };
    hint.is_ascii().then_some((hint, behind))
}

fn most_frequent(text: &str) -> u8 {
    let mut counts = [(b',', 0_usize), (b';', 0), (b'\t', 0)];
    let mut quoted = false;
    for byte in text.trim_start_matches([' ', '\r', '\n']).bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            _ if quoted => {}
            _ => counts.iter_mut().filter(|(separator, _)| *separator == byte).for_each(|(_, count)| *count += 1),
        }
    }
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(separator, _)| separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every cell of every record as `line:column=text`.
    fn cells(text: &str) -> Vec<String> {
        let mut findings = Findings::new();
        let table = TextTable::open("r.csv", text, None, &mut findings);
        let (mut records, mut record, mut all) = (table.records(), Record::default(), Vec::new());
        while records.next(&mut record, &mut findings) {
            for (index, cell) in record.cells.iter().enumerate() {
                let place = table.place(&record, index, 0..cell.len());
                all.push(format!("{}:{}={cell}", place.line, place.column));
            }
        }
        let problems = findings.finish("r.csv");
        all.extend(
            problems
                .iter()
                .filter_map(|d| Some(format!("{}@{}:{}", d.code, d.place.as_ref()?.line, d.place.as_ref()?.column))),
        );
        all
    }

    #[test]
    fn every_dialect_gives_the_same_cells_at_the_same_places() {
        let expected = ["1:1=a", "1:3=b", "3:1=é x", "3:6=\"q\"\nr", "5:1=s", "5:3=t"];
        for end in ["\n", "\r\n", "\r"] {
            for separator in [",", ";", "\t"] {
                let text = "a,b\n\né x,\"\"\"q\"\"\nr\"\ns,t".replace('\n', end).replace(',', separator);
                let got: Vec<String> =
                    cells(&text).iter().map(|cell| cell.replace("\r\n", "\n").replace('\r', "\n")).collect();
                assert_eq!(got, expected, "{text:?}");
            }
        }
    }

    #[test]
    fn a_separator_line_is_obeyed_and_counted() {
        assert_eq!(cells("sep=;\r\na,x;b\r\n"), ["2:1=a,x", "2:5=b"]);
        assert_eq!(cells("\"sep=|\"\na,x|b"), ["2:1=a,x", "2:5=b"]);
        assert_eq!(cells("sep=,\na,b;x"), ["2:1=a", "2:3=b;x"]);
    }

    #[test]
    fn a_quote_that_never_closes_is_found_where_it_opens_and_the_rest_is_read() {
        assert_eq!(cells("a,b\nc,\"d\ne,f\n"), ["1:1=a", "1:3=b", "3:1=e", "3:3=f", "quote-unclosed@2:3"]);
    }

    #[test]
    fn rows_of_nothing_are_passed_over() {
        assert_eq!(cells("a,b\n\n,\n \u{a0},\nc,d\n"), ["1:1=a", "1:3=b", "5:1=c", "5:3=d"]);
    }

    #[test]
    fn what_is_too_large_is_left_out_and_said() {
        let text = format!("a,b\nc,{}\n{}\nd,e\n", "x".repeat(CELL_MAX + 1), "y,".repeat(ROW_MAX / 2 + 1));
        assert_eq!(cells(&text), ["1:1=a", "1:3=b", "4:1=d", "4:3=e", "cell-too-large@2:3", "row-too-large@3:1"]);
    }

    proptest::proptest! {
        #[test]
        fn the_scan_finds_the_cells_that_the_reader_reads(text in "[ab\",;\n\ré]{0,40}") {
            let mut findings = Findings::new();
            let table = TextTable::open("r.csv", &text, Some(b','), &mut findings);
            let (mut records, mut record) = (table.records(), Record::default());
            while records.next(&mut record, &mut findings) {
                let raw = &text[record.range.clone()];
                let (spans, unclosed) = scan(raw.as_bytes(), b',');
                proptest::prop_assert_eq!(unclosed, None, "{:?}", raw);
                proptest::prop_assert_eq!(spans.len(), record.cells.len(), "{:?}", raw);
                for (index, cell) in record.cells.iter().enumerate() {
                    for (offset, c) in cell.char_indices() {
                        let at = spans[index].locate(raw.as_bytes(), offset);
                        proptest::prop_assert!(raw[at..].starts_with(c), "{:?} {:?} {}", raw, cell, offset);
                    }
                }
            }
        }
    }
}
