//! A language tag as letters use it (`en`, `fr`, `zh`, `prs`, `pt-BR`; RFC 5646, the common part of it).

use std::fmt;

use serde::{Deserialize, Serialize};

/// A well-formed tag: 2 or 3 letters, then optional subtags of 2 to 8 letters or digits. Kept in lower case except for
/// what follows the first hyphen, which is kept as written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Language(String);

/// Not a language tag.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a language tag such as \"en\", \"fr\" or \"pt-BR\"")]
pub struct LanguageError(String);

impl Language {
    /// Reads a tag; blanks around it are dropped.
    ///
    /// # Errors
    /// [`LanguageError`] if it is not of that form.
    pub fn parse(text: &str) -> Result<Self, LanguageError> {
        let text = text.trim();
        let refuse = || LanguageError(super::reply::visible(text));
        let (primary, rest) = text.split_once('-').map_or((text, None), |(a, b)| (a, Some(b)));
        let primary_fits = (2..=3).contains(&primary.len()) && primary.bytes().all(|b| b.is_ascii_alphabetic());
        let rest_fits = rest.is_none_or(|rest| {
            rest.split('-').all(|part| (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
        });
        if !primary_fits || !rest_fits {
            return Err(refuse());
        }
        let mut tag = primary.to_ascii_lowercase();
        if let Some(rest) = rest {
            tag.push('-');
            tag.push_str(rest);
        }
        Ok(Self(tag))
    }

    /// The tag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `rtl` for languages written from right to left, else `ltr`; the value of the HTML `dir` attribute.
    #[must_use]
    pub fn direction(&self) -> &'static str {
        let primary = self.0.split('-').next().unwrap_or_default();
        match primary {
            "ar" | "fa" | "prs" | "ps" | "ur" | "he" | "yi" | "ckb" | "sd" | "ug" | "dv" => "rtl",
            _ => "ltr",
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Language {
    type Error = LanguageError;

    fn try_from(text: String) -> Result<Self, LanguageError> {
        Self::parse(&text)
    }
}

impl From<Language> for String {
    fn from(language: Language) -> Self {
        language.0
    }
}
