//! Workbooks for the tests: written by another program's library, or by hand where no library would write them.

use std::io::{Cursor, Read as _, Write as _};

use rust_xlsxwriter::{Workbook, Worksheet};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// A workbook of one sheet.
pub(crate) fn xlsx<const COLUMNS: usize>(texts: &[[&str; COLUMNS]]) -> Vec<u8> {
    let mut workbook = Workbook::new();
    rows(workbook.add_worksheet(), 0, texts);
    workbook.save_to_buffer().expect("saved")
}

/// Texts into a sheet; empty ones leave the cell empty.
pub(crate) fn rows<const COLUMNS: usize>(sheet: &mut Worksheet, first: u32, texts: &[[&str; COLUMNS]]) {
    for (row, texts) in (first..).zip(texts) {
        for (column, text) in (0..).zip(texts).filter(|(_, text)| !text.is_empty()) {
            sheet.write(row, column, *text).expect("written");
        }
    }
}

/// A zip of parts.
pub(crate) fn archive(parts: &[(&str, &str)]) -> Vec<u8> {
    let parts: Vec<(String, Vec<u8>)> =
        parts.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect();
    archive_of(&parts)
}

pub(crate) fn archive_of(parts: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(name.as_str(), SimpleFileOptions::default()).expect("a part");
        zip.write_all(content).expect("in memory");
    }
    zip.finish().expect("in memory").into_inner()
}

pub(crate) fn parts_of(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).expect("a zip");
    let read = |index| {
        let mut part = zip.by_index(index).expect("a part");
        let mut content = Vec::new();
        part.read_to_end(&mut content).expect("read");
        (part.name().expect("a name").into_owned(), content)
    };
    let count = ZipArchive::new(Cursor::new(bytes)).expect("a zip").len();
    (0..count).map(read).collect()
}

/// A workbook whose only sheet has this XML between its tags.
pub(crate) fn raw_xlsx(sheet: &str) -> Vec<u8> {
    raw_xlsx_with(sheet, &[])
}

/// The same with further parts.
pub(crate) fn raw_xlsx_with(sheet: &str, more: &[(&str, &str)]) -> Vec<u8> {
    const WORKBOOK: &str = "<workbook><sheets><sheet name=\"Sheet1\" sheetId=\"1\" r:id=\"a\"/></sheets></workbook>";
    const RELATIONS: &str = "<Relationships><Relationship Id=\"a\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>";
    const ROOT: &str = "<Relationships><Relationship Id=\"r\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>";
    let sheet = format!("<worksheet>{sheet}</worksheet>");
    let mut parts = vec![
        ("_rels/.rels", ROOT),
        ("xl/workbook.xml", WORKBOOK),
        ("xl/_rels/workbook.xml.rels", RELATIONS),
        ("xl/worksheets/sheet1.xml", sheet.as_str()),
    ];
    parts.extend(more);
    archive(&parts)
}

/// An `.ods`.
pub(crate) struct Ods(String);

impl Ods {
    /// One sheet of texts.
    pub(crate) fn of<const COLUMNS: usize>(name: &str, texts: &[[&str; COLUMNS]]) -> Self {
        let cell = |text: &&str| {
            if text.is_empty() {
                "<table:table-cell/>".to_owned()
            } else {
                format!("<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>")
            }
        };
        let row = |texts: &[&str; COLUMNS]| {
            format!("<table:table-row>{}</table:table-row>", texts.iter().map(cell).collect::<String>())
        };
        let rows: String = texts.iter().map(row).collect();
        Self::with(&format!("<table:table table:name=\"{name}\">{rows}</table:table>"))
    }

    /// These tables; blanks between their elements are left out, as programs write none.
    pub(crate) fn with(tables: &str) -> Self {
        let tables: String = tables.lines().map(str::trim).collect();
        Self::raw(&format!(
            "<office:document-content xmlns:office=\"o\" xmlns:table=\"t\" xmlns:text=\"x\" xmlns:xlink=\"l\" xmlns:calcext=\"c\"><office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"
        ))
    }

    /// This content.
    pub(crate) fn raw(content: &str) -> Self {
        Self(content.to_owned())
    }

    pub(crate) fn parts(&self) -> Vec<(String, Vec<u8>)> {
        let part = |name: &str, text: &str| (name.to_owned(), text.as_bytes().to_vec());
        vec![
            part("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
            part("META-INF/manifest.xml", "<manifest:manifest xmlns:manifest=\"m\"/>"),
            part("content.xml", &self.0),
        ]
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        archive_of(&self.parts())
    }
}
