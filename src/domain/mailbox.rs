//! A mailbox (RFC 5322 §3.4): an optional display name and an address whose domain is in A-labels.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A valid mailbox: nobody checks it again.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Mailbox {
    display_name: Option<String>,
    local: String,
    domain: String,
}

/// Why a text is no mailbox.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailboxError {
    /// Nothing there.
    #[error("there is no address")]
    Empty,
    /// Not `local@domain` or `Name <local@domain>`.
    #[error("\"{0}\" is not an e-mail address")]
    Form(String),
    /// The domain has no dot, or is no domain name.
    #[error("\"{0}\" is not a domain name that mail can be sent to")]
    Domain(String),
    /// A character that must not stand in a header.
    #[error("\"{0}\" holds a control character, which cannot stand in an address")]
    Control(String),
}

impl Mailbox {
    /// Reads `local@domain` or `Name <local@domain>`.
    ///
    /// # Errors
    /// [`MailboxError`]
    pub fn parse(text: &str) -> Result<Self, MailboxError> {
        let text = text.trim();
        let shown = || super::reply::visible(text);
        if text.is_empty() {
            return Err(MailboxError::Empty);
        }
        if text.chars().any(char::is_control) {
            return Err(MailboxError::Control(shown()));
        }
        let (display_name, address) = match text.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
            Some((name, address)) => (Some(name.trim().trim_matches('"').replace("\\\"", "\"")), address.trim()),
            None => (None, text),
        };
        let (local, domain) = address.rsplit_once('@').ok_or_else(|| MailboxError::Form(shown()))?;
        let local_fits = !local.is_empty()
            && local.len() <= 64
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..")
            && local.chars().all(|c| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~.-".contains(c));
        if !local_fits {
            return Err(MailboxError::Form(shown()));
        }
        let domain =
            idna::domain_to_ascii_strict(domain).map_err(|_| MailboxError::Domain(super::reply::visible(domain)))?;
        if !domain.contains('.') {
            return Err(MailboxError::Domain(domain));
        }
        Ok(Self { display_name: display_name.filter(|name| !name.is_empty()), local: local.to_owned(), domain })
    }

    /// The display name, unquoted.
    #[must_use]
    pub fn display_name(&self) -> Option<&str> {
        self.display_name.as_deref()
    }

    /// The part before the `@`.
    #[must_use]
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The domain in A-labels, lower case.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// `local@domain`, as in the envelope.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}@{}", self.local, self.domain)
    }

    /// What two spellings of the same address share: the address in lower case.
    #[must_use]
    pub fn folded(&self) -> String {
        self.address().to_lowercase()
    }

    /// True for domains that no letter can go to (RFC 2606): `.example`, `.invalid`, `.test`, `example.com/.net/.org`.
    #[must_use]
    pub fn is_placeholder(&self) -> bool {
        let reserved = ["example", "invalid", "test", "example.com", "example.net", "example.org"];
        reserved
            .iter()
            .any(|name| self.domain.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.display_name {
            Some(name) if name.chars().all(|c| c.is_alphanumeric() || c == ' ' || c == '-' || c == '\'') => {
                write!(f, "{name} <{}>", self.address())
            }
            Some(name) => {
                write!(f, "\"{}\" <{}>", name.replace('\\', "\\\\").replace('"', "\\\""), self.address())
            }
            None => f.write_str(&self.address()),
        }
    }
}

impl TryFrom<String> for Mailbox {
    type Error = MailboxError;

    fn try_from(text: String) -> Result<Self, MailboxError> {
        Self::parse(&text)
    }
}

impl From<Mailbox> for String {
    fn from(mailbox: Mailbox) -> Self {
        mailbox.to_string()
    }
}
