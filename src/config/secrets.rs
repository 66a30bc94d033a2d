//! Which lines of the config may hold a password, so that no excerpt shows one, whatever else is wrong with the line.
//!
//! It reads lines and not values, because it must also hold where the text is no TOML at all.

use std::collections::BTreeSet;
use std::ops::Range;

/// The lines, from 1, that are not to be shown.
pub(super) struct Secrets {
    /// Never shown.
    always: BTreeSet<usize>,
    /// Not shown if any syntax is wrong: what they hold is not known then.
    unless_understood: BTreeSet<usize>,
}

impl Secrets {
    /// Looks through a text.
    pub(super) fn find(text: &str) -> Self {
        let mut found = Self { always: BTreeSet::new(), unless_understood: BTreeSet::new() };
        let mut in_password_table = false;
        let mut open: Option<&str> = None;
        let mut value_awaited = false;
        let mut in_wake = false;
        for (number, line) in (1..).zip(text.split('\n')) {
            if let Some(end) = open {
                found.always.insert(number);
                if line.contains(end) {
                    open = None;
                }
                continue;
            }
            if value_awaited {
                found.always.insert(number);
                value_awaited = line.trim().is_empty();
            }
            if line.trim_start().starts_with('[') {
                in_password_table = names_a_secret(line.trim().trim_matches(['[', ']']));
            }
            // Where quotes or brackets are damaged, a secret may go on for lines until something else clearly begins.
            in_wake &= !begins_something(line);
            in_wake |= part_names_a_secret(line);
            if in_password_table || in_wake {
                found.unless_understood.insert(number);
            }
            if has_login_in_url(line) {
                found.always.insert(number);
            }
            for value in secret_values(line) {
                in_wake = true;
                found.unless_understood.insert(number);
                // Behind a `#` an old password may still stand.
                if !value.starts_with('{') || value.contains('#') {
                    found.always.insert(number);
                }
                value_awaited |= value.is_empty();
                open = open.or(["\"\"\"", "'''"]
                    .into_iter()
                    .find(|quotes| value.strip_prefix(quotes).is_some_and(|rest| !rest.contains(quotes))));
            }
        }
        found
    }

    /// Adds the lines of a byte range.
    pub(super) fn cover(&mut self, text: &str, range: &Range<usize>) {
        let line_of = |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
        self.always.extend(line_of(range.start)..=line_of(range.end));
    }

    /// True if a line may not be shown; `understood` is false if any syntax is wrong.
    pub(super) fn hide(&self, line: usize, understood: bool) -> bool {
        self.always.contains(&line) || (!understood && self.unless_understood.contains(&line))
    }
}

/// True for `password`, near misses of it, and other usual names of secrets, as any part of a dotted key.
pub(super) fn names_a_secret(key: &str) -> bool {
    key.split('.').any(part_names_a_secret)
}

fn part_names_a_secret(part: &str) -> bool {
    let key = part.trim_matches([' ', '\t', '"', '\'']).to_lowercase();
    let telling = ["pass", "pwd", "token", "apikey", "api_key", "api-key", "credential"];
    telling.iter().any(|word| key.contains(word))
        || (key.contains("secret") && !key.contains("secretar"))
        || strsim::jaro_winkler(&key, "password") > 0.85
}

/// True for the head of a table and for `key =`.
fn begins_something(line: &str) -> bool {
    let line = line.trim_start();
    let is_key = |key: &str| key.trim_end().bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    line.starts_with('[') || line.split_once('=').is_some_and(|(key, _)| !key.is_empty() && is_key(key))
}

/// What follows the `=` of each key on a line that names a secret, blanks trimmed.
fn secret_values(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices('=').filter_map(|(at, _)| {
        let before = line[..at].trim_end();
        let is_key = |c: char| c.is_alphanumeric() || "_-.\"' ".contains(c);
        let start = before
            .rfind(|c| !is_key(c))
            .map_or(0, |last| last + before[last..].chars().next().map_or(1, char::len_utf8));
        names_a_secret(&before[start..]).then(|| line[at + 1..].trim())
    })
}

/// True for `scheme://user:password@host`.
fn has_login_in_url(line: &str) -> bool {
    line.match_indices("://").any(|(at, _)| {
        let authority = line[at + 3..].split(['/', ' ', '"', '\'']).next().unwrap_or_default();
        authority.rsplit_once('@').is_some_and(|(login, _)| login.contains(':'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_holds_a_password_is_hidden_however_it_is_written() {
        for line in [
            "password = \"x\"",
            "\"password\" = 'x'",
            "smtp.password = \"x",
            "smtp = { host = \"h\", password = \"x\" }",
            "pasword = x",
            "url = \"smtps://me:x@host\"",
            "password = [\"x\"]",
            "é = 1, password = \"x\"",
        ] {
            assert!(Secrets::find(line).hide(1, true), "{line}");
        }
    }

    #[test]
    fn a_password_over_several_lines_is_hidden_in_all_of_them_and_nothing_else_is() {
        let secrets = Secrets::find("a = 1\npassword = \"\"\"\nx\ny\"\"\"\nb = 2\npassword =\n\n\"x\"\nc = 3");
        let hidden: Vec<usize> = (1..=9).filter(|line| secrets.hide(*line, true)).collect();
        assert_eq!(hidden, [2, 3, 4, 6, 7, 8]);
    }

    #[test]
    fn where_the_password_comes_from_may_be_shown_if_it_is_understood() {
        let secrets =
            Secrets::find("password = { env = \"NAME\" }\nsecretary_general = \"x\"\n[smtp.password]\nenv = \"x");
        assert!(!secrets.hide(1, true) && secrets.hide(1, false));
        assert!(!secrets.hide(2, false));
        assert!(secrets.hide(4, false));
    }
}
