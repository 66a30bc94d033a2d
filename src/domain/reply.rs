//! An SMTP reply (RFC 5321 §4.2) and its enhanced status code (RFC 3463).

use std::fmt;

use serde::{Deserialize, Serialize};

/// The first digit of a reply code (RFC 5321 §4.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// 1yz: never due in SMTP.
    Preliminary,
    /// 2yz: done.
    Completion,
    /// 3yz: go on.
    Intermediate,
    /// 4yz: not now.
    Transient,
    /// 5yz: not ever, as it stands.
    Permanent,
}

/// One whole reply: a code and the text of its lines, as bytes, because servers send what they like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    code: u16,
    lines: Vec<Vec<u8>>,
}

impl Reply {
    /// A reply of `code` with the text of each line, without code, separator and line end.
    ///
    /// # Errors
    /// A code outside 100..=599 is no reply code; it is given back.
    pub fn new(code: u16, lines: Vec<Vec<u8>>) -> Result<Self, u16> {
        if (100..=599).contains(&code) { Ok(Self { code, lines }) } else { Err(code) }
    }

    /// The three-digit code.
    #[must_use]
    pub fn code(&self) -> u16 {
        self.code
    }

    /// What the first digit says.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self.code / 100 {
            1 => Severity::Preliminary,
            2 => Severity::Completion,
            3 => Severity::Intermediate,
            4 => Severity::Transient,
            _ => Severity::Permanent,
        }
    }

    /// The text of each line as it came.
    #[must_use]
    pub fn lines(&self) -> &[Vec<u8>] {
        &self.lines
    }

    /// The enhanced status code at the head of the text, if its class agrees with the reply code (RFC 2034 §4).
    #[must_use]
    pub fn enhanced(&self) -> Option<EnhancedStatusCode> {
        let first = self.lines.first()?.trim_ascii_start();
        let word: Vec<u8> = first.iter().copied().take_while(|b| !b.is_ascii_whitespace()).collect();
        let code: EnhancedStatusCode = std::str::from_utf8(&word).ok()?.parse().ok()?;
        (u16::from(code.class) == self.code / 100).then_some(code)
    }

    /// True if its enhanced code is X.1.X: about an address, and never about a message (RFC 3463 §3.2).
    #[must_use]
    pub fn is_about_an_address(&self) -> bool {
        self.enhanced().is_some_and(|code| code.subject == 1)
    }

    /// The text for a person: lines joined by a blank, without the enhanced code, control and format characters escaped.
    #[must_use]
    pub fn text(&self) -> String {
        let enhanced = self.enhanced().map(|code| code.to_string());
        let lines: Vec<String> = self
            .lines
            .iter()
            .map(|line| {
                let text = visible(&String::from_utf8_lossy(line.trim_ascii()));
                match &enhanced {
                    Some(code) => text.strip_prefix(code.as_str()).unwrap_or(&text).trim().to_owned(),
                    None => text.trim().to_owned(),
                }
            })
            .filter(|line| !line.is_empty())
            .collect();
        lines.join(" ")
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(code) = self.enhanced() {
            write!(f, " {code}")?;
        }
        let text = self.text();
        if text.is_empty() { Ok(()) } else { write!(f, " {text}") }
    }
}

/// `class.subject.detail` (RFC 3463 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EnhancedStatusCode {
    /// 2, 4 or 5.
    pub class: u8,
    /// What the condition is about, 0..=999.
    pub subject: u16,
    /// Which condition, 0..=999.
    pub detail: u16,
}

impl std::str::FromStr for EnhancedStatusCode {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('.');
        let mut number = |most: usize| -> Result<u16, ()> {
            let part = parts.next().ok_or(())?;
            if part.is_empty() || part.len() > most || !part.bytes().all(|b| b.is_ascii_digit()) {
                return Err(());
            }
            part.parse().map_err(drop)
        };
        let (class, subject, detail) = (number(1)?, number(3)?, number(3)?);
        if parts.next().is_some() || ![2, 4, 5].contains(&class) {
            return Err(());
        }
        Ok(Self { class: u8::try_from(class).map_err(drop)?, subject, detail })
    }
}

impl fmt::Display for EnhancedStatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

/// True for what a terminal would obey or hide: control, escape, C1 and direction characters, and those without a width.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Makes control, escape, C1 and bidirectional-override characters visible (`\u{1b}`), so that a terminal shows what a
/// server or a cell said and never obeys it.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_hidden(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(code: u16, lines: &[&str]) -> Reply {
        Reply::new(code, lines.iter().map(|l| l.as_bytes().to_vec()).collect()).expect("a reply code")
    }

    #[test]
    fn an_enhanced_code_of_another_class_than_the_reply_is_not_believed() {
        assert_eq!(reply(550, &["5.1.1 no such user"]).enhanced().map(|c| c.to_string()), Some("5.1.1".into()));
        assert_eq!(reply(550, &["2.1.5 fine"]).enhanced(), None);
        assert_eq!(reply(550, &["5.1.1.1 odd"]).enhanced(), None);
        assert_eq!(reply(550, &["5.1111.1 odd"]).enhanced(), None);
    }

    #[test]
    fn blanks_around_an_enhanced_code_do_not_hide_it() {
        for text in ["2.1.5 fine", "  2.1.5 fine", "\t2.1.5\tfine"] {
            let reply = reply(250, &[text]);
            assert!(reply.is_about_an_address(), "{text:?}");
            assert!(reply.to_string().starts_with("250 2.1.5 "), "{reply}");
        }
        assert!(!reply(250, &["2.6.0 queued"]).is_about_an_address());
    }

    #[test]
    fn the_text_shows_terminal_escapes_instead_of_passing_them_on() {
        let shown = reply(550, &["5.1.1 \u{1b}[2Jgone", "5.1.1 \u{202e}sorry"]).text();
        assert_eq!(shown, "\\u{1b}[2Jgone \\u{202e}sorry");
    }
}
