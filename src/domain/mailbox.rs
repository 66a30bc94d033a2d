//! A mailbox (RFC 5322 §3.4): an optional display name and an address whose domain is in A-labels.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use unicode_security::MixedScript as _;

use super::reply::visible;

mod advice;
mod list;

pub use advice::{QUOTE_THE_NAME, is_failed_formula, says_none, says_nothing};
pub use list::Piece;

/// RFC 5321 §4.5.3.1.1, in octets.
const LOCAL_PART_MAX: usize = 64;

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
    #[error("\"{0}\" holds a control or invisible character, which cannot stand in an address")]
    Control(String),
    /// `Bcc: …` where an address should be: somebody's header, pasted or smuggled in.
    #[error("\"{0}\" is a header line, not an e-mail address")]
    Header(String),
    /// The part before the `@` is over 64 octets (RFC 5321 §4.5.3.1.1).
    #[error("\"{0}\" is longer than the 64 octets that may stand before the \"@\"")]
    Long(String),
}

impl Mailbox {
    /// Reads `local@domain` or `Name <local@domain>`; blanks and invisible characters around are dropped.
    ///
    /// The local part is a dot-atom, in Unicode if need be (RFC 6531), kept in NFC; quoted local parts and address
    /// literals are refused, since no mission has one and a slip of the keyboard makes one.
    ///
    /// # Errors
    /// [`MailboxError`]
    pub fn parse(text: &str) -> Result<Self, MailboxError> {
        let text = trim_blank(text);
        let form = || MailboxError::Form(visible(text));
        if text.is_empty() {
            return Err(MailboxError::Empty);
        }
        if text.chars().any(|c| c.is_control() || is_bidi(c)) {
            return Err(MailboxError::Control(visible(text)));
        }
        let (name, address) = split_name(text).ok_or_else(form)?;
        if address.chars().any(is_invisible) {
            return Err(MailboxError::Control(visible(text)));
        }
        let (local, domain) = address.rsplit_once('@').ok_or_else(form)?;
        let display_name = name.map(|name| phrase(name, address).ok_or_else(form)).transpose()?;
        let local: String = local.nfc().collect();
        if !is_dot_atom(&local) {
            return Err(form());
        }
        if local.len() > LOCAL_PART_MAX {
            return Err(MailboxError::Long(visible(&local)));
        }
        let domain = ascii_domain(domain).ok_or_else(|| MailboxError::Domain(visible(domain)))?;
        Ok(Self { display_name: display_name.filter(|name| !name.is_empty()), local, domain })
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

    /// True for domains that no letter can go to (RFC 2606): `.example`, `.invalid`, `.test`, `.localhost`,
    /// `example.com/.net/.org`.
    #[must_use]
    pub fn is_placeholder(&self) -> bool {
        self.outside_reserved().is_some()
    }

    /// What stands before the reserved name of a placeholder domain: `ke` of `ke.example.org`.
    #[must_use]
    pub fn outside_reserved(&self) -> Option<&str> {
        let reserved = ["example", "invalid", "test", "localhost", "example.com", "example.net", "example.org"];
        reserved.iter().find_map(|name| {
            let rest = self.domain.strip_suffix(name)?;
            if rest.is_empty() { Some("") } else { rest.strip_suffix('.') }
        })
    }

    /// True if letters of several scripts stand in one part of the address, as when a Cyrillic "а" passes for an "a"
    /// (Unicode UTS 39 §5.1).
    #[must_use]
    pub fn mixes_scripts(&self) -> bool {
        if self.local.is_ascii() && !self.domain.contains("xn--") {
            return false;
        }
        let (domain, _) = idna::domain_to_unicode(&self.domain);
        !self.local.is_single_script() || domain.split('.').any(|label| !label.is_single_script())
    }
}

/// Drops blanks, no-break spaces and invisible characters around a text from a cell.
#[must_use]
pub fn trim_blank(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c))
}

/// Characters without a width of their own that spreadsheets and web pages leave behind.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// The characters of the Unicode property `Bidi_Control`, with which a text can be shown in another order than it has.
#[must_use]
pub fn is_bidi(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text before `<…>` and the address within, or the address alone. `None` if the brackets do not close at the end.
fn split_name(text: &str) -> Option<(Option<&str>, &str)> {
    let Some(rest) = text.strip_suffix('>') else {
        return (!text.contains('<')).then_some((None, text));
    };
    let (name, address) = rest.rsplit_once('<')?;
    Some((Some(name), address.trim()))
}

/// A display name without its quotes and escapes (RFC 5322 §3.2.4). Dots and round brackets may stand unquoted, since
/// people write "H.E." and "Mission (Office)"; what separates addresses may not. A name that only repeats the address,
/// as some mail programs copy it, is none.
fn phrase(text: &str, address: &str) -> Option<String> {
    let mut name = String::with_capacity(text.len());
    let mut quoted = false;
    let mut at_sign = false;
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => quoted = !quoted,
            '\\' if quoted => name.push(characters.next()?),
            ',' | ';' | ':' | '<' | '>' | '\\' if !quoted => return None,
            _ => {
                at_sign |= c == '@' && !quoted;
                name.push(c);
            }
        }
    }
    let name = trim_blank(&name);
    let repeats = name.trim_matches('\'').eq_ignore_ascii_case(address);
    match (quoted, repeats, at_sign) {
        (true, ..) | (_, false, true) => None,
        (_, true, _) => Some(String::new()),
        _ => Some(name.to_owned()),
    }
}

/// RFC 5321 §4.1.2 `Dot-string`, with the letters of RFC 6531 §3.3. Characters that only look like others (full-width
/// letters, ligatures) are refused: they are not what the mission's server knows.
fn is_dot_atom(local: &str) -> bool {
    let atom = |c: char| c.is_alphanumeric() || is_combining_mark(c) || "!#$%&'*+/=?^_`{|}~-".contains(c);
    !local.is_empty()
        && local.split('.').all(|part| !part.is_empty() && part.chars().all(atom))
        && (local.is_ascii() || local.nfkc().eq(local.chars()))
}

/// The domain in A-labels, if mail can go there: LDH labels of at most 63, at most 253 in all, two labels at least, and
/// not an IP address.
fn ascii_domain(domain: &str) -> Option<String> {
    let ascii = idna::domain_to_ascii_strict(domain).ok()?;
    let (_, last) = ascii.rsplit_once('.')?;
    (!last.bytes().all(|b| b.is_ascii_digit())).then_some(ascii)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Mailbox {
        Mailbox::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn what_people_write_is_read() {
        for (text, name, address) in [
            ("ken@missions.example", None, "ken@missions.example"),
            ("\u{a0} ken@Missions.Example\u{200b}", None, "ken@missions.example"),
            ("H.E. Mr. A (Office) <a@m.example>", Some("H.E. Mr. A (Office)"), "a@m.example"),
            ("\"Mission, Tunisia\" <tn@m.example>", Some("Mission, Tunisia"), "tn@m.example"),
            (r#""The \"big\" one" <a@m.example>"#, Some("The \"big\" one"), "a@m.example"),
            ("a@m.example <a@m.example>", None, "a@m.example"),
            ("中国@例子.example", None, "中国@xn--fsqu00a.example"),
            ("<a@m.example>", None, "a@m.example"),
        ] {
            let mailbox = parsed(text);
            assert_eq!((mailbox.display_name(), mailbox.address().as_str()), (name, address), "{text}");
        }
    }

    #[test]
    fn what_no_server_would_take_is_refused() {
        let long = format!("{}@m.example", "a".repeat(65));
        let label = format!("a@{}.example", "b".repeat(64));
        for text in [
            "",
            "a",
            "a@",
            "@m.example",
            "a@localhost",
            "a@@m.example",
            "a..b@m.example",
            ".a@m.example",
            "a@m..example",
            "a b@m.example",
            "a@-m.example",
            "a@m_n.example",
            "a@[192.0.2.1]",
            "a@192.0.2.1",
            "\"a b\"@m.example",
            "Bob, Jr <a@m.example>",
            "x@y.example <a@m.example>",
            "<a@m.example",
            "a@m.example>",
            "a\r\nb@m.example",
            "ａ@m.example",
            "a＠m.example",
            "a\u{200b}b@m.example",
            "a@m\u{202e}.example",
            "a@m.example.",
            &long,
            &label,
        ] {
            assert!(Mailbox::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_reserved_domains_are_placeholders() {
        for text in ["a@x.example", "a@example.org", "a@ke.example.org", "a@x.test", "a@x.invalid"] {
            assert!(parsed(text).is_placeholder(), "{text}");
        }
        for text in ["a@counterexample.invalid.int", "a@notexample.org", "a@example.un.int"] {
            assert!(!parsed(text).is_placeholder(), "{text}");
        }
    }

    #[test]
    fn a_letter_of_another_script_in_an_address_is_seen() {
        assert!(parsed("p\u{430}ris@m.example").mixes_scripts());
        assert!(parsed("a@p\u{430}ris.example").mixes_scripts());
        assert!(!parsed("中国@例子.example").mixes_scripts());
        assert!(!parsed("миссия-1@m.example").mixes_scripts());
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parser_panic_and_what_it_reads_reads_back(text in "(?s).{0,80}|[a-c\"<>@., \\\\]{0,30}") {
            if let Ok(mailbox) = Mailbox::parse(&text) {
                proptest::prop_assert_eq!(Mailbox::parse(&mailbox.to_string()).ok(), Some(mailbox));
            }
        }
    }
}
