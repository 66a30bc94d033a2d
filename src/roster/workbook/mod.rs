//! The bytes of an `.xlsx` or `.ods` → the sheet that has the recipients, laid out as a table.

mod archive;
mod choose;
mod layout;
mod ods;
mod raw;
mod value;
mod xlsx;
mod xml;

use crate::diagnostic::{Diagnostic, Place};

use super::Options;
use super::findings::Findings;
use super::sheet::Sheet;
use archive::Archive;
use raw::RawSheet;
use value::formula_link;

/// The most sheets that are looked at.
const SHEETS_MAX: usize = 64;

const SAVE_AGAIN: &str = "open it in a spreadsheet program and save it again, as .xlsx or as \"CSV UTF-8\"";

/// How every zip begins, and every `.xls`.
const ZIP: &[u8] = b"PK\x03\x04";
const OLD: &[u8] = b"\xd0\xcf\x11\xe0";

/// Why a workbook is not read; the message goes on from the file's name.
#[derive(Debug)]
struct Refusal {
    code: &'static str,
    message: String,
    help: String,
}

impl Refusal {
    fn new(code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: help.into() }
    }
}

fn locked() -> Refusal {
    let help = "open it in a spreadsheet program, and save it without a password";
    Refusal::new("workbook-locked", "is a workbook with a password", help)
}

/// True if the bytes are those of a workbook, or of something that people take for one.
pub(super) fn is_workbook(bytes: &[u8]) -> bool {
    bytes.starts_with(ZIP) || bytes.starts_with(OLD)
}

/// The sheet with the recipients: the one that is asked for, else the only one that can be meant. What was chosen, passed
/// over or cannot be read is told.
pub(super) fn open(bytes: &[u8], options: &Options, findings: &mut Findings) -> Option<Sheet> {
    let sheets = match sheets(bytes) {
        Ok(sheets) => sheets,
        Err(refusal) => {
            tell(
                Diagnostic::error(refusal.code, format!("{} {}", options.file, refusal.message)).help(refusal.help),
                options,
                findings,
            );
            return None;
        }
    };
    let raw = choose::sheet(sheets, options, findings)?;
    layout::lay_out(raw, options, findings)
}

fn tell(diagnostic: Diagnostic, options: &Options, findings: &mut Findings) {
    findings.push(diagnostic.at(Place::file(&options.file)));
}

fn sheets(bytes: &[u8]) -> Result<Vec<RawSheet>, Refusal> {
    if bytes.starts_with(OLD) {
        let message = "is an old workbook (.xls), or one with a password";
        return Err(Refusal::new("workbook-old", message, SAVE_AGAIN));
    }
    let mut archive = Archive::open(bytes)?;
    if archive.has("xl/workbook.xml") {
        return xlsx::read(&mut archive);
    }
    if archive.has("content.xml")
        && archive.part("mimetype")?.starts_with(b"application/vnd.oasis.opendocument.spreadsheet")
    {
        return ods::read(&mut archive);
    }
    let kind = [
        ("xl/workbook.bin", "is a binary workbook (.xlsb)"),
        ("word/document.xml", "is a Word document"),
        ("content.xml", "is a document of another kind than a spreadsheet"),
        ("Index/Document.iwa", "is a document of Apple's Numbers or Pages"),
    ];
    let what = kind.iter().find(|(part, _)| archive.has(part)).map_or("is an archive, not a table", |(_, what)| what);
    Err(Refusal::new(
        "not-csv",
        what,
        "save the sheet as .xlsx, or as \"CSV UTF-8 (comma delimited)\", and name that file",
    ))
}
