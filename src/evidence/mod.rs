//! The evidence pack: one ZIP file with the report, the ledger's content and every message as it was handed over, and a list
//! of SHA-256 digests that makes any change of it plain.
//!
//! ```text
//! README.txt                 what this is, and how to check it without this program
//! report.html .csv .json     what became of each mission
//! ledger.jsonl               every row of every table of the ledger, one JSON object a line, `table` naming the table
//! messages/<id>/<n>.eml      the message of attempt n on row id, byte for byte as handed over, before dot-stuffing
//! messages/missing.txt       messages that could not be made again, if there are any, and why
//! sources/<sha256>           templates and attachments, as they were frozen or approved
//! MANIFEST.sha256            the digest of every other file; `sha256sum -c` reads it
//! ```

mod chain;
mod manifest;
mod names;
mod pack;
mod rebuilt;
mod runs;
mod verify;

pub use names::{message_name, source_name};
pub use pack::{Made, Pack};
pub use rebuilt::Record;
pub use verify::{Claims, Verdict, verify};

/// Why a pack cannot be made, or cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The file cannot be read or written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// Not a ZIP file, or a damaged one.
    #[error("{0}")]
    Zip(#[from] zip::result::ZipError),
}

/// What whoever opens a pack reads first.
pub const README: &str = "\
Evidence of a letter that was sent to many addresses with demarche

report.html     what became of each mission, to read and to print
report.csv      the same as a table, one line for each address
report.json     the same for programs
ledger.jsonl    the record behind it: every row of every table, one JSON object a line
messages/       every message byte for byte as it was handed over to the mail server, one folder for each
                recipient, one .eml file for each attempt; any mail program opens them. Attempts that
                ended before the message was handed over have none
sources/        templates and attachments that the messages were made from, by their SHA-256 digest
MANIFEST.sha256 the SHA-256 digest of every other file

To check it without the program that made it: unpack it, and in its folder run

    sha256sum -c MANIFEST.sha256

and compare the digest of MANIFEST.sha256 itself with the one that was handed on when the pack was made.
With demarche, `demarche report --verify FILE.zip` does that and more: whether each message is the one on
record, whether each letter has the digest that was planned, whether these give the digest of the batch
that was approved, whether each run sent only letters of the batch approved for it, and whether report.csv
and report.json follow from ledger.jsonl.

What it proves: that these files belong together and were not changed since the manifest's digest was handed
on. What it cannot prove: that the record itself is true, or that anybody read a letter. Names of people who
approved or noted something are taken on trust.
";
