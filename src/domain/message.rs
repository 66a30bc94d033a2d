//! A letter ready for the wire: its bytes, its envelope and its digest.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::language::Language;

/// Which header field an address stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    /// A primary recipient: the letter goes out only if at least one of these was accepted.
    To,
    /// A copy.
    Cc,
    /// A blind copy: in the envelope, never in the header.
    Bcc,
}

impl Field {
    /// `to`, `cc` or `bcc`, as in the ledger.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::To => "to",
            Self::Cc => "cc",
            Self::Bcc => "bcc",
        }
    }
}

/// One RCPT TO (RFC 5321 §4.1.1.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardPath {
    /// `local@domain`, the domain in A-labels, without angle brackets.
    pub address: String,
    /// Where it stands in the header.
    pub field: Field,
}

/// The SMTP envelope (RFC 5321 §2.3.1). `forward_paths` holds at least one To and no address twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// MAIL FROM, without angle brackets.
    pub reverse_path: String,
    /// RCPT TO, in the order To, Cc, Bcc.
    pub forward_paths: Vec<ForwardPath>,
}

impl Envelope {
    /// True if an address or path needs SMTPUTF8 (RFC 6531): a local part outside ASCII.
    #[must_use]
    pub fn needs_smtputf8(&self) -> bool {
        !self.reverse_path.is_ascii() || self.forward_paths.iter().any(|path| !path.address.is_ascii())
    }

    /// The same envelope for a part of its recipients: those whose address is in `addresses`, in their order.
    #[must_use]
    pub fn only(&self, addresses: &[String]) -> Self {
        Self {
            reverse_path: self.reverse_path.clone(),
            forward_paths: self
                .forward_paths
                .iter()
                .filter(|path| addresses.contains(&path.address))
                .cloned()
                .collect(),
        }
    }
}

/// What differs from one attempt to the next. Everything else in a message follows from the sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// With angle brackets: `<x@y>` (RFC 5322 §3.6.4). The same for every attempt of one delivery.
    pub message_id: String,
    /// The Date field.
    pub date: Timestamp,
}

/// A message as it goes over the wire, before dot-stuffing.
#[derive(Debug, Clone)]
pub struct Message {
    /// RFC 5322 with CRLF line ends, the last one included; no bare CR or LF; no line over 998 octets.
    pub bytes: Vec<u8>,
    /// To whom it goes.
    pub envelope: Envelope,
    /// What was approved: envelope and bytes without Message-ID and Date.
    pub digest: Digest,
    /// The decoded subject, for people.
    pub subject: String,
    /// The letter's language.
    pub language: Language,
}
