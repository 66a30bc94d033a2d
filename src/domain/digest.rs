//! SHA-256 digests of letters and batches: the proof that what was approved is what is sent.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::message::Envelope;

/// A SHA-256 value, printed as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes` as they are.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of one letter: its whole envelope and its bytes, the Message-ID and Date fields left out, because they
    /// are the attempt's and not the letter's.
    #[must_use]
    pub fn of_letter(bytes: &[u8], envelope: &Envelope) -> Self {
        let mut hash = Sha256::new();
        let mut text = |part: &str| {
            hash.update(part.len().to_be_bytes());
            hash.update(part.as_bytes());
        };
        text(&envelope.reverse_path);
        for path in &envelope.forward_paths {
            text(path.field.name());
            text(&path.address);
        }
        for line in letter_lines(bytes) {
            hash.update(line);
        }
        Self(hash.finalize().into())
    }

    /// The digest of a batch: each delivery's id and letter digest, in the order of their ids.
    #[must_use]
    pub fn of_batch<'a>(letters: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        let mut sorted: Vec<(&str, Self)> = letters.into_iter().collect();
        sorted.sort_unstable();
        let mut hash = BatchHash::default();
        for (id, digest) in sorted {
            hash.add(id, digest);
        }
        hash.finish()
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// From 32 bytes, as the ledger stores them.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// The digest of a batch, letter by letter, for whoever cannot hold them all.
#[derive(Debug, Clone, Default)]
pub struct BatchHash(Sha256);

impl BatchHash {
    /// The next letter. The caller goes in the order of the ids, byte by byte.
    pub fn add(&mut self, id: &str, letter: Digest) {
        self.0.update(id.len().to_be_bytes());
        self.0.update(id.as_bytes());
        self.0.update(letter.0);
    }

    /// What [`Digest::of_batch`] gives for the same letters.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

/// The lines of a message (with their ends), without the Message-ID and Date fields and their continuation lines.
fn letter_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut in_header = true;
    let mut left_out = false;
    bytes.split_inclusive(|b| *b == b'\n').filter(move |line| {
        if !in_header {
            return true;
        }
        if *line == b"\r\n" {
            in_header = false;
            return true;
        }
        let continuation = line.first().is_some_and(|b| *b == b' ' || *b == b'\t');
        if !continuation {
            left_out = starts_with_name(line, b"message-id:") || starts_with_name(line, b"date:");
        }
        !left_out
    })
}

fn starts_with_name(line: &[u8], name: &[u8]) -> bool {
    line.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name))
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// Not 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a digest is 64 hexadecimal digits, as `preview` prints it{0}")]
pub struct DigestError(String);

impl std::str::FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let text = text.trim();
        if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            let count = text.chars().count();
            let cut = text.bytes().all(|b| b.is_ascii_hexdigit()) && count < 64;
            return Err(DigestError(if cut { format!("; this one has {count}: it was cut") } else { String::new() }));
        }
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[index * 2..index * 2 + 2], 16).map_err(|_| DigestError(String::new()))?;
        }
        Ok(Self(bytes))
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::message::{Field, ForwardPath};

    fn envelope() -> Envelope {
        Envelope {
            reverse_path: "a@b.example".into(),
            forward_paths: vec![ForwardPath { address: "c@d.example".into(), field: Field::To }],
        }
    }

    #[test]
    fn message_id_and_date_do_not_change_the_digest_of_a_letter() {
        let one = b"Subject: s\r\nDate: Mon\r\nMessage-ID: <1@x>\r\n\r\nDate: body\r\n";
        let two = b"Subject: s\r\nDate: Tue,\r\n 2 Feb\r\nMessage-ID:\r\n <2@x>\r\n\r\nDate: body\r\n";
        assert_eq!(Digest::of_letter(one, &envelope()), Digest::of_letter(two, &envelope()));
    }

    #[test]
    fn any_other_header_body_line_or_address_changes_the_digest_of_a_letter() {
        let base = Digest::of_letter(b"Subject: s\r\n\r\nDate: body\r\n", &envelope());
        assert_ne!(base, Digest::of_letter(b"Subject: t\r\n\r\nDate: body\r\n", &envelope()));
        assert_ne!(base, Digest::of_letter(b"Subject: s\r\n\r\nDate: text\r\n", &envelope()));
        let mut other = envelope();
        other.forward_paths[0].field = Field::Bcc;
        assert_ne!(base, Digest::of_letter(b"Subject: s\r\n\r\nDate: body\r\n", &other));
    }

    #[test]
    fn a_digest_reads_back_what_it_prints() {
        let digest = Digest::of(b"x");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        let cut = "12".parse::<Digest>().expect_err("too short").to_string();
        assert!(cut.ends_with("; this one has 2: it was cut"), "{cut}");
    }
}
