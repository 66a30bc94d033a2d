//! Writing a pack, file by file: what was written is in the ZIP and forgotten, but for its name and digest.

use std::io::{self, Seek, Write};

use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::EvidenceError;
use super::manifest::{Manifest, to_text};
use super::names::MANIFEST;
use crate::domain::digest::Digest;

/// A pack that is being written.
pub struct Pack<W: Write + Seek> {
    zip: ZipWriter<W>,
    manifest: Manifest,
    octets: u64,
}

/// A pack that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Of the list of digests: whoever has it can tell if anything was changed since.
    pub manifest: Digest,
    /// Files in the pack, the manifest aside.
    pub files: usize,
    /// Their size together, unpacked.
    pub octets: u64,
}

impl<W: Write + Seek> Pack<W> {
    /// A pack into `out`.
    #[must_use]
    pub fn new(out: W) -> Self {
        Self { zip: ZipWriter::new(out), manifest: Manifest::new(), octets: 0 }
    }

    /// Adds a file whose content `write` writes. Names come from this room's functions or are those of its single files.
    ///
    /// # Errors
    /// What the disk says, and what `write` gives.
    pub fn add(
        &mut self,
        name: &str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Digest, EvidenceError> {
        self.zip.start_file(name, options())?;
        let mut hashed = Hashed { out: &mut self.zip, hash: Sha256::new(), octets: 0 };
        write(&mut hashed)?;
        self.octets += hashed.octets;
        let digest = Digest::from_bytes(hashed.hash.finalize().into());
        self.manifest.insert(name.to_owned(), digest);
        Ok(digest)
    }

    /// Adds a file of these bytes.
    ///
    /// # Errors
    /// What the disk says.
    pub fn add_bytes(&mut self, name: &str, bytes: &[u8]) -> Result<Digest, EvidenceError> {
        self.add(name, |out| out.write_all(bytes))
    }

    /// Writes the manifest, ends the pack, and gives `out` back.
    ///
    /// # Errors
    /// What the disk says.
    pub fn finish(mut self) -> Result<(Made, W), EvidenceError> {
        let text = to_text(&self.manifest);
        self.zip.start_file(MANIFEST, options())?;
        self.zip.write_all(text.as_bytes())?;
        let made = Made { manifest: Digest::of(text.as_bytes()), files: self.manifest.len(), octets: self.octets };
        Ok((made, self.zip.finish()?))
    }
}

/// One moment for every file: the same content makes the same pack.
fn options() -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644)
        .large_file(true)
}

/// What passes through is hashed.
struct Hashed<'a, W> {
    out: &'a mut W,
    hash: Sha256,
    octets: u64,
}

impl<W: Write> Write for Hashed<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.octets += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
