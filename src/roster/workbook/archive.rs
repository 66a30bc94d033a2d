//! A workbook is a zip of XML: its parts, unpacked no further than a table of missions can need.
//!
//! What the archive says of its sizes is not believed: every part is unpacked once, to nowhere, and counted. The reader of
//! workbooks then unpacks the same bytes, and so meets the same sizes.

use std::io::{Cursor, Read as _};

use zip::ZipArchive;

use super::Refusal;

/// The largest workbook, in bytes as it lies on the disk.
pub(crate) const FILE_MAX: usize = 64 << 20;
/// The most parts in it.
const PARTS_MAX: usize = 4_096;
/// All its parts unpacked, in bytes.
const UNPACKED_MAX: u64 = 128 << 20;

const BOMB: &str = "copy the cells of the list into a new workbook, or save the sheet as \"CSV UTF-8\"";

/// The parts of a workbook, all of them measured.
pub(super) struct Archive<'a> {
    bytes: &'a [u8],
    zip: ZipArchive<Cursor<&'a [u8]>>,
    names: Vec<String>,
}

impl<'a> Archive<'a> {
    /// Opens and measures.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, Refusal> {
        if bytes.len() > FILE_MAX {
            let message =
                format!("is a workbook of {} MB; at most {} are read", bytes.len() / 1_000_000, FILE_MAX / 1_000_000);
            return Err(Refusal::new("workbook-too-large", message, BOMB));
        }
        let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(&error))?;
        if zip.len() > PARTS_MAX {
            let message = format!("is a workbook of {} parts; at most {PARTS_MAX} are read", zip.len());
            return Err(Refusal::new("workbook-too-large", message, BOMB));
        }
        let names = measure(&mut zip)?;
        Ok(Self { bytes, zip, names })
    }

    /// The whole archive, for a reader of its own.
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// True if there is a part of that name; case does not count, as it does not for spreadsheet programs.
    pub(super) fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// The parts with that file name, in whichever folder.
    pub(super) fn parts_called(&mut self, file_name: &str) -> Result<Vec<Vec<u8>>, Refusal> {
        let last = |name: &str| name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
        let indices: Vec<usize> =
            (0..self.names.len()).filter(|index| last(&self.names[*index]).eq_ignore_ascii_case(file_name)).collect();
        indices.into_iter().map(|index| self.read(index)).collect()
    }

    /// A part by its name.
    pub(super) fn part(&mut self, name: &str) -> Result<Vec<u8>, Refusal> {
        let index = self.names.iter().position(|known| known.eq_ignore_ascii_case(name));
        index.map_or_else(
            || {
                Err(Refusal::new(
                    "workbook-unreadable",
                    format!("is a damaged workbook: it has no part {name}"),
                    super::SAVE_AGAIN,
                ))
            },
            |index| self.read(index),
        )
    }

    fn read(&mut self, index: usize) -> Result<Vec<u8>, Refusal> {
        let part = self.zip.by_index(index).map_err(|error| damaged(&error))?;
        let mut content = Vec::new();
        part.take(UNPACKED_MAX).read_to_end(&mut content).map_err(|error| damaged(&error))?;
        Ok(content)
    }
}

/// The names of all parts, if together they are not too large.
fn measure(zip: &mut ZipArchive<Cursor<&[u8]>>) -> Result<Vec<String>, Refusal> {
    let too_large = || {
        let message = format!("is a workbook that unpacks to more than {} MB", UNPACKED_MAX / 1_000_000);
        Refusal::new("workbook-too-large", message, BOMB)
    };
    let (mut names, mut left) = (Vec::with_capacity(zip.len()), UNPACKED_MAX);
    for index in 0..zip.len() {
        let part = zip.by_index(index).map_err(|error| damaged(&error))?;
        names.push(part.name().map_err(|error| damaged(&error))?.into_owned());
        if part.size() > left {
            return Err(too_large());
        }
        let unpacked =
            std::io::copy(&mut part.take(left + 1), &mut std::io::sink()).map_err(|error| damaged(&error))?;
        left = left.checked_sub(unpacked).ok_or_else(too_large)?;
    }
    Ok(names)
}

fn damaged(error: &dyn std::fmt::Display) -> Refusal {
    Refusal::new("workbook-unreadable", format!("is a damaged workbook: {error}"), super::SAVE_AGAIN)
}
