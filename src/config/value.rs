//! One value of the config: typed getters that tell what is wrong with it and what to write.

use std::ops::{Range, RangeInclusive};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::walk::Sheet;
use crate::diagnostic::{Diagnostic, Severity};

/// Why a value is not taken.
pub(super) struct Refusal {
    /// The stable name of the problem.
    pub(super) code: &'static str,
    /// What is wrong, about the key named before it: `must …`, `is …`.
    pub(super) message: String,
    /// What to do.
    pub(super) help: String,
}

impl Refusal {
    /// A refusal from its parts.
    pub(super) fn new(code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code, message: message.into(), help: help.into() }
    }
}

/// One value and where it stands.
#[derive(Clone)]
pub(super) struct Value<'s> {
    /// The sheet it is on.
    pub(super) sheet: &'s Sheet<'s>,
    /// The whole name: `smtp.port`.
    pub(super) name: String,
    /// Where its key stands.
    pub(super) key: Range<usize>,
    /// Where the value stands.
    pub(super) span: Range<usize>,
    /// The value.
    pub(super) inner: &'s DeValue<'s>,
}

impl<'s> Value<'s> {
    /// Tells a problem of this value: its name, then `message`.
    pub(super) fn refuse(&self, refusal: &Refusal) {
        self.tell(Severity::Error, refusal);
    }

    /// The same as a warning.
    pub(super) fn warn(&self, refusal: &Refusal) {
        self.tell(Severity::Warning, refusal);
    }

    /// The same at any severity.
    pub(super) fn tell(&self, severity: Severity, refusal: &Refusal) {
        let message = format!("{} {}", self.name, refusal.message);
        let problem = match severity {
            Severity::Error => Diagnostic::error(refusal.code, message),
            Severity::Warning => Diagnostic::warning(refusal.code, message),
            Severity::Note => Diagnostic::note(refusal.code, message),
        };
        self.sheet.tell(problem.help(refusal.help.clone()), &self.span);
    }

    /// Tells that the value is of another type than `wanted`, and what to write.
    pub(super) fn wrong_type(&self, wanted: &str, write: &str) {
        let found = match self.inner {
            DeValue::String(_) => "a text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number with a fraction",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.refuse(&Refusal::new("wrong-type", format!("is {found}, and must be {wanted}"), format!("write {write}")));
    }

    /// A value inside this one.
    pub(super) fn within(&self, step: &str, inner: &'s Spanned<DeValue<'s>>) -> Value<'s> {
        let name = format!("{}{step}", self.name);
        Value { name, span: inner.span(), inner: inner.get_ref(), ..self.clone() }
    }

    /// The keys and values of a table; nothing for other values.
    pub(super) fn children(&self) -> impl Iterator<Item = (&'s str, Value<'s>)> {
        let parent = self.clone();
        self.inner.as_table().into_iter().flat_map(|table| table.iter()).map(move |(key, item)| {
            let value = parent.within(&format!(".{}", key.get_ref()), item);
            (key.get_ref().as_ref(), value)
        })
    }

    /// The last part of the name, as it is written before the `=`.
    pub(super) fn last_name(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or(&self.name)
    }

    /// The table it is.
    pub(super) fn table(&self, wanted: &str) -> Option<&'s DeTable<'s>> {
        let table = self.inner.as_table();
        if table.is_none() {
            self.wrong_type(wanted, wanted);
        }
        table
    }

    /// The text it is; `example` with its quotes.
    pub(super) fn text(&self, example: &str) -> Option<&'s str> {
        if let DeValue::String(text) = self.inner {
            return Some(text);
        }
        self.wrong_type("a text in quotes", &format!("{} = {example}", self.last_name()));
        None
    }

    /// A text that a function reads.
    pub(super) fn read<T>(&self, example: &str, read: impl FnOnce(&str) -> Result<T, Refusal>) -> Option<T> {
        read(self.text(example)?).map_err(|refusal| self.refuse(&refusal)).ok()
    }

    /// A whole number within a range.
    pub(super) fn whole(&self, range: &RangeInclusive<i64>, example: &str) -> Option<i64> {
        let DeValue::Integer(integer) = self.inner else {
            self.wrong_type("a whole number", &format!("{} = {example}", self.last_name()));
            return None;
        };
        let number = i64::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|n| range.contains(n));
        if number.is_none() {
            let message = format!("must be from {} to {}", range.start(), range.end());
            self.refuse(&Refusal::new("out-of-range", message, format!("write for example {example}")));
        }
        number
    }

    /// A number within a range, with or without a fraction.
    pub(super) fn number(&self, range: &RangeInclusive<f64>, example: &str) -> Option<f64> {
        let number = match self.inner {
            DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().parse::<f64>().ok(),
            DeValue::Float(float) => float.as_str().parse::<f64>().ok(),
            _ => {
                self.wrong_type("a number", &format!("{} = {example}", self.last_name()));
                return None;
            }
        };
        let number = number.filter(|n| range.contains(n));
        if number.is_none() {
            let message = format!("must be from {:.1} to {:.1}", range.start(), range.end());
            self.refuse(&Refusal::new("out-of-range", message, format!("write for example {example}")));
        }
        number
    }

    /// The items of a list; a text alone is a list of one.
    pub(super) fn items(&self, example: &str) -> Vec<Value<'s>> {
        match self.inner {
            DeValue::Array(list) => list.iter().map(|item| self.within("", item)).collect(),
            DeValue::String(_) => vec![self.clone()],
            _ => {
                self.wrong_type("a text or a list of texts", &format!("{} = {example}", self.last_name()));
                Vec::new()
            }
        }
    }

    /// Every item that a function can read.
    pub(super) fn read_items<T>(&self, example: &str, read: impl Fn(&str) -> Result<T, Refusal>) -> Vec<T> {
        self.items(example).iter().filter_map(|item| item.read(example, &read)).collect()
    }
}
