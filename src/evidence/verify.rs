//! Checking a pack: whether anything is missing, extra or altered, whether each message is the one on record, and whether the
//! letters give the digest of the batch. Nothing is unpacked to a disk, and nothing is believed about sizes.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read, Seek};
use std::path::Path;

use sha2::{Digest as _, Sha256};
use zip::ZipArchive;

use super::EvidenceError;
use super::chain::{Chain, Expected};
use super::manifest::{Manifest, of_text};
use super::names::{LEDGER, MANIFEST, REPORT, REQUIRED, TABLE, is_message, is_ours, is_source, source_name};
use super::rebuilt::{Lines, Record};
use crate::domain::approval::distinct;
use crate::domain::digest::Digest;
use crate::domain::reply::visible;

/// How many times its own size a pack may unpack to, beyond [`ROOM`]: letters shrink to a third, a bomb to a thousandth.
const MOST_TIMES: u64 = 200;
/// What any pack may unpack to, in octets.
const ROOM: u64 = 64 * 1024 * 1024;
/// The largest file that is read into memory: the manifest, a message, the report; and the longest line of the ledger.
const LARGEST: u64 = 512 * 1024 * 1024;

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verdict {
    /// Of the manifest as it is in the pack.
    pub manifest: Option<Digest>,
    /// The digest of the batch, by the letters on record; `None` where that could not be worked out.
    pub batch: Option<Digest>,
    /// True if the ledger is the record of a rehearsal.
    pub rehearsal: bool,
    /// Who approved exactly that batch.
    pub approved_by: Vec<String>,
    /// Files that are as the manifest has them.
    pub files: usize,
    /// Messages that are the ones on record.
    pub messages: usize,
    /// Rows on record.
    pub deliveries: usize,
    /// Messages that were handed over and, as the pack itself says, could not be made again for it.
    pub not_made: usize,
    /// Everything that is wrong, each in a sentence that names the file; empty if all is in order.
    pub findings: Vec<String>,
}

/// Checks the pack at `path`; `expect` is the digest of its manifest, where that was handed on by another way.
///
/// # Errors
/// A file that cannot be read, or is no ZIP file.
pub fn verify(path: &Path, expect: Option<Digest>) -> Result<(Verdict, Option<Claims>), EvidenceError> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let archive = ZipArchive::new(BufReader::new(file))?;
    let mut check = Check { archive, verdict: Verdict::default(), claims: None };
    check.run(size, expect)?;
    Ok((check.verdict, check.claims))
}

/// What a pack says in its reports, and the record that it has to follow from.
#[derive(Debug, Clone)]
pub struct Claims {
    /// The ledger's content.
    pub record: Record,
    /// report.csv, where there is one.
    pub table: Option<Vec<u8>>,
    /// report.json, where there is one.
    pub report: Option<Vec<u8>>,
}

/// The names of the files in a pack.
type Names = BTreeSet<String>;

struct Check<R: Read + Seek> {
    archive: ZipArchive<R>,
    verdict: Verdict,
    claims: Option<Claims>,
}

impl<R: Read + Seek> Check<R> {
    fn run(&mut self, size: u64, expect: Option<Digest>) -> Result<(), EvidenceError> {
        if !self.is_safe(size)? {
            return Ok(());
        }
        let read: Result<Names, _> = self.archive.file_names().map(|name| name.map(Cow::into_owned)).collect();
        let Ok(names) = read else {
            self.find("a file has a name that cannot be read; nothing was read".to_owned());
            return Ok(());
        };
        for name in names.iter().filter(|name| !is_ours(name)) {
            self.find(format!("{}: is no file of an evidence pack", visible(name)));
        }
        for required in REQUIRED.iter().filter(|required| !names.contains(**required)) {
            self.find(format!("{required}: is missing"));
        }
        if let Some(manifest) = self.manifest(expect) {
            self.compare(&manifest, &names);
        }
        if let Some(chain) = self.chain(&names) {
            self.messages(&chain, &names);
            self.batch(&chain, &names);
            self.reports(&names);
        }
        Ok(())
    }

    fn find(&mut self, finding: String) {
        self.verdict.findings.push(finding);
    }

    /// What would make other programs see another content, or this one work without end.
    fn is_safe(&mut self, size: u64) -> Result<bool, EvidenceError> {
        let before = self.verdict.findings.len();
        if self.archive.has_duplicate_names() {
            self.find("two files have the same name: which one is meant cannot be told".to_owned());
        }
        if self.archive.offset() != 0 {
            self.find("something stands before the ZIP file's own beginning".to_owned());
        }
        if self.archive.has_overlapping_entries()? {
            self.find(
                "files lie over each other, as in a file made to unpack without end; nothing was read".to_owned(),
            );
        }
        let unpacked = self.archive.decompressed_size().unwrap_or(u128::MAX);
        if unpacked > u128::from(ROOM) + u128::from(size) * u128::from(MOST_TIMES) {
            self.find(format!(
                "it would unpack to {unpacked} octets, more than any pack of {size} octets; nothing was read"
            ));
        }
        Ok(self.verdict.findings.len() == before)
    }

    /// The whole content of a file, if it is not larger than it says and than may be.
    fn read(&mut self, name: &str) -> Option<Vec<u8>> {
        let Ok(file) = self.archive.by_name(name) else {
            self.find(format!("{name}: is damaged, or packed in a way that no pack is"));
            return None;
        };
        let declared = file.size();
        if declared > LARGEST {
            drop(file);
            self.find(format!("{name}: is too large to be checked"));
            return None;
        }
        let mut bytes = Vec::new();
        let read = file.take(declared + 1).read_to_end(&mut bytes);
        if read.is_err() || bytes.len() as u64 != declared {
            self.find(format!("{name}: is damaged and cannot be unpacked"));
            return None;
        }
        Some(bytes)
    }

    fn manifest(&mut self, expect: Option<Digest>) -> Option<Manifest> {
        let bytes = self.read(MANIFEST)?;
        let digest = Digest::of(&bytes);
        self.verdict.manifest = Some(digest);
        if expect.is_some_and(|expect| expect != digest) {
            self.find(format!("{MANIFEST}: is not the one that was expected; its digest is {digest}"));
        }
        let Ok(text) = String::from_utf8(bytes) else {
            self.find(format!("{MANIFEST}: is no text"));
            return None;
        };
        let (manifest, wrong) = of_text(&text);
        for line in wrong {
            self.find(format!("{MANIFEST}: line {line} is not one of a manifest, or names a file twice"));
        }
        Some(manifest)
    }

    /// Every file against the manifest.
    fn compare(&mut self, manifest: &Manifest, names: &Names) {
        for name in names.iter().filter(|name| *name != MANIFEST && !manifest.contains_key(*name)) {
            self.find(format!("{}: is extra, the manifest does not name it", visible(name)));
        }
        for (name, digest) in manifest {
            if !names.contains(name) {
                self.find(format!("{}: is missing, the manifest names it", visible(name)));
                continue;
            }
            match self.hash(name) {
                None => self.find(format!("{}: is damaged and cannot be unpacked", visible(name))),
                Some(found) if found != *digest => {
                    self.find(format!("{}: was altered, its digest is not the manifest's", visible(name)));
                }
                Some(found) if is_source(name) && source_name(found) != *name => {
                    self.find(format!("{name}: is not what its name says"));
                }
                Some(_) => self.verdict.files += 1,
            }
        }
    }

    fn hash(&mut self, name: &str) -> Option<Digest> {
        let file = self.archive.by_name(name).ok()?;
        let declared = file.size();
        let mut file = file.take(declared.saturating_add(1));
        let (mut hash, mut buffer, mut total) = (Sha256::new(), vec![0; 64 * 1024], 0);
        loop {
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => {
                    hash.update(&buffer[..read]);
                    total += read as u64;
                }
                Err(_) => return None,
            }
        }
        (total == declared).then(|| Digest::from_bytes(hash.finalize().into()))
    }

    /// The ledger's content, line by line.
    fn chain(&mut self, names: &Names) -> Option<Chain> {
        let file = self.archive.by_name(LEDGER).ok()?;
        let declared = file.size();
        let mut lines = BufReader::new(file.take(declared));
        let (mut chain, mut record) = (Chain::default(), Lines::default());
        let (mut bytes, mut number, mut wrong) = (Vec::new(), 0, None);
        loop {
            bytes.clear();
            number += 1;
            match lines.by_ref().take(LARGEST).read_until(b'\n', &mut bytes) {
                Ok(0) => break,
                Ok(_) if take(&bytes, &mut chain, &mut record).is_some() => {}
                Ok(_) => {
                    wrong = Some(number);
                    break;
                }
                // What cannot be unpacked was named when it was hashed.
                Err(_) => break,
            }
        }
        drop(lines);
        if let Some(number) = wrong {
            self.find(format!("{LEDGER}: line {number} is not one of a ledger's content"));
            return None;
        }
        for source in chain.sources().iter().filter(|source| !names.contains(*source)) {
            self.find(format!("{source}: is missing, the ledger names it"));
        }
        self.claims = record.finish().map(|record| Claims { record, table: None, report: None });
        self.verdict.deliveries = chain.deliveries();
        self.verdict.rehearsal = chain.rehearsal;
        Some(chain)
    }

    /// Every message against the record of its attempt, and against the letter as planned.
    fn messages(&mut self, chain: &Chain, names: &Names) {
        let (expected, wrong) = chain.messages();
        self.verdict.findings.extend(wrong);
        let not_made = self.not_made(names);
        for name in names.iter().filter(|name| is_message(name) && !expected.contains_key(*name)) {
            self.find(format!("{name}: is a message that the ledger knows nothing of"));
        }
        for (name, expected) in &expected {
            if !names.contains(name) {
                if not_made.contains_key(name) {
                    self.verdict.not_made += 1;
                } else {
                    self.find(format!("{name}: is missing, the ledger says that it was handed over"));
                }
            } else if let Some(bytes) = self.read(name) {
                self.message(name, &bytes, expected);
            }
        }
    }

    fn message(&mut self, name: &str, bytes: &[u8], expected: &Expected) {
        if Digest::of(bytes) != expected.bytes {
            self.find(format!("{name}: is not the message that was handed over, by its digest in the ledger"));
        } else if Digest::of_letter(bytes, &expected.envelope) != expected.letter {
            self.find(format!("{name}: is not the letter that was planned, by its digest in the ledger"));
        } else {
            self.verdict.messages += 1;
        }
    }

    /// Messages that the pack says it lacks, by their names.
    fn not_made(&mut self, names: &Names) -> BTreeMap<String, String> {
        let name = super::names::MISSING;
        if !names.contains(name) {
            return BTreeMap::new();
        }
        let text = String::from_utf8(self.read(name).unwrap_or_default()).unwrap_or_default();
        let lines = text.lines().filter_map(|line| line.split_once(": "));
        lines.map(|(name, why)| (name.to_owned(), why.to_owned())).collect()
    }

    /// What the reports in it say, for whoever can work them out again.
    fn reports(&mut self, names: &Names) {
        let read = |check: &mut Self, name: &str| names.contains(name).then(|| check.read(name)).flatten();
        let (table, report) = (read(self, TABLE), read(self, REPORT));
        if let Some(claims) = &mut self.claims {
            (claims.table, claims.report) = (table, report);
        }
    }

    /// The batch's digest, from the letters', against the report's; and who approved it.
    fn batch(&mut self, chain: &Chain, names: &Names) {
        for digest in chain.false_approvals() {
            self.find(format!("{LEDGER}: the letters of the approved batch {digest} do not give its digest"));
        }
        for finding in chain.false_runs() {
            self.find(finding);
        }
        let batch = chain.batch();
        if chain.deliveries() > 0 && names.contains(REPORT) {
            let report = self.read(REPORT).and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok());
            let digest = |value: &serde_json::Value| value["digest"].as_str()?.parse::<Digest>().ok();
            let said = report.as_ref().and_then(digest);
            match said {
                Some(said) if said == batch => {}
                Some(_) => self.find(format!("{REPORT}: its digest of the batch is not the one that the letters give")),
                None => self.find(format!("{REPORT}: names no digest of the batch")),
            }
            let runs = report.as_ref().and_then(|report| report["runs"].as_array()).map_or(&[][..], Vec::as_slice);
            for (run, began_with) in chain.runs.digests() {
                let said = runs.iter().find(|said| said["run"].as_i64() == Some(run)).and_then(digest);
                if said != Some(began_with) {
                    self.find(format!("{REPORT}: run {run} was not begun with the batch that it says"));
                }
            }
        }
        self.verdict.approved_by = distinct(chain.approvers(batch)).into_iter().map(visible).collect();
        self.verdict.batch = Some(batch);
    }
}

fn take(bytes: &[u8], chain: &mut Chain, record: &mut Lines) -> Option<()> {
    let line = serde_json::from_slice(bytes).ok()?;
    chain.take(&line)?;
    record.take(&line)
}
