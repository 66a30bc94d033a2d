//! What a file in a pack may be called. Nothing else is looked at as if it were ours, and nothing is ever unpacked to a disk.

use crate::domain::digest::Digest;
use crate::domain::recipient::RecipientId;

/// The list of digests.
pub(super) const MANIFEST: &str = "MANIFEST.sha256";
/// The ledger's content.
pub(super) const LEDGER: &str = "ledger.jsonl";
/// The report for programs.
pub(super) const REPORT: &str = "report.json";
/// The report for spreadsheets.
pub(super) const TABLE: &str = "report.csv";
/// The messages that could not be made again, a line each: name, colon, why.
pub(super) const MISSING: &str = "messages/missing.txt";
/// Files that there is one of.
const SINGLE: [&str; 7] = [MANIFEST, LEDGER, REPORT, "README.txt", "report.html", TABLE, MISSING];
/// Those of them without which it is no pack.
pub(super) const REQUIRED: [&str; 3] = [MANIFEST, LEDGER, REPORT];

/// Where the message of an attempt is.
#[must_use]
pub fn message_name(id: &RecipientId, attempt: u32) -> String {
    format!("messages/{id}/{attempt}.eml")
}

/// Where a source is.
#[must_use]
pub fn source_name(sha256: Digest) -> String {
    format!("sources/{sha256}")
}

/// True for the names that a pack gives: no absolute path, no `..`, no backslash, no other file.
pub(super) fn is_ours(name: &str) -> bool {
    SINGLE.contains(&name) || is_message(name) || is_source(name)
}

/// True for a message's.
pub(super) fn is_message(name: &str) -> bool {
    let Some((id, file)) = name.strip_prefix("messages/").and_then(|rest| rest.split_once('/')) else { return false };
    let number = file.strip_suffix(".eml").and_then(|number| number.parse::<u32>().ok());
    // Written as we write it: no leading zero, no sign, no blank around the id.
    RecipientId::parse(id).is_ok_and(|id| number.is_some_and(|number| message_name(&id, number) == name))
}

/// True for a source's.
pub(super) fn is_source(name: &str) -> bool {
    name.strip_prefix("sources/")
        .and_then(|digest| digest.parse::<Digest>().ok())
        .is_some_and(|digest| source_name(digest) == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_a_pack_gives_are_taken_for_its_own() {
        let source = source_name(Digest::of(b"x"));
        for name in ["MANIFEST.sha256", "messages/KEN/1.eml", "messages/a-b.c/12.eml", source.as_str()] {
            assert!(is_ours(name), "{name}");
        }
        for name in [
            "../MANIFEST.sha256",
            "/etc/passwd",
            "messages/../x/1.eml",
            "messages/KEN/01.eml",
            "messages/KEN/+1.eml",
            "messages/ KEN/1.eml",
            "messages/KEN/1.eml/",
            "messages\\KEN\\1.eml",
            "messages/KEN/1.html",
            "sources/abc",
            "sources/../x",
            "report.exe",
            "",
        ] {
            assert!(!is_ours(name), "{name}");
        }
    }
}
