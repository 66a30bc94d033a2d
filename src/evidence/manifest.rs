//! The list of digests: a line for each file, `<64 hexadecimal digits>  <name>`, as `sha256sum` writes and reads it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::domain::digest::Digest;

/// Digests by file name.
pub(super) type Manifest = BTreeMap<String, Digest>;

/// As it stands in the pack.
pub(super) fn to_text(manifest: &Manifest) -> String {
    manifest.iter().fold(String::new(), |mut text, (name, digest)| {
        let _ = writeln!(text, "{digest}  {name}");
        text
    })
}

/// Reads it back; lines that are none, by their numbers from 1.
pub(super) fn of_text(text: &str) -> (Manifest, Vec<usize>) {
    let (mut manifest, mut wrong) = (Manifest::new(), Vec::new());
    for (place, line) in text.lines().enumerate() {
        let read = line.split_once("  ").and_then(|(digest, name)| Some((name.to_owned(), digest.parse().ok()?)));
        match read {
            Some((name, digest)) if !manifest.contains_key(&name) => {
                manifest.insert(name, digest);
            }
            _ => wrong.push(place + 1),
        }
    }
    (manifest, wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_reads_back_what_it_wrote_and_names_lines_that_are_none() {
        let manifest: Manifest = [("b".to_owned(), Digest::of(b"b")), ("a c".to_owned(), Digest::of(b"a"))].into();
        let text = to_text(&manifest);
        assert_eq!(of_text(&text), (manifest, Vec::new()));
        let doubled = format!("{text}x\n{}\n", text.lines().next().expect("a line"));
        assert_eq!(of_text(&doubled).1, [3, 4]);
    }
}
