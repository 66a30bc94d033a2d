//! Did we write to all of them? The states of an audience against those of a list of rows.

use std::collections::{BTreeMap, BTreeSet};

use super::audience::Audience;
use super::recipient::RecipientId;
use super::state::StateCode;

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Coverage {
    /// How many states the audience has; 0 for any list.
    pub expected: usize,
    /// How many of them have a row.
    pub present: usize,
    /// Those that have none, in the order of the tables.
    pub missing: Vec<StateCode>,
    /// Those whose rows all get no letter, in the order of the tables.
    pub suppressed: Vec<StateCode>,
    /// States with several rows.
    pub doubled: Vec<StateCode>,
    /// Rows of states outside the audience.
    pub foreign: Vec<RecipientId>,
}

impl Coverage {
    /// Of the rows given by id, state and whether they get a letter (false if they are suppressed); rows without a state are
    /// nobody's mission, and count for nothing.
    #[must_use]
    pub fn of<'a>(
        audience: &Audience,
        rows: impl IntoIterator<Item = (&'a RecipientId, Option<StateCode>, bool)>,
    ) -> Self {
        let expected = audience.states();
        let inside = |code: StateCode| expected.iter().any(|state| state.code == code);
        let (mut counts, mut foreign) = (BTreeMap::<StateCode, usize>::new(), Vec::new());
        let mut written = BTreeSet::new();
        for (id, state, gets) in rows {
            let Some(code) = state else { continue };
            *counts.entry(code).or_default() += 1;
            if gets {
                written.insert(code);
            }
            if *audience != Audience::Any && !inside(code) {
                foreign.push(id.clone());
            }
        }
        let doubled = counts.iter().filter(|(_, count)| **count > 1).map(|(code, _)| *code).collect();
        Self::new(audience, |code| counts.contains_key(&code), |code| written.contains(&code), doubled, foreign)
    }

    /// From what is known of the rows: whether a state has one, whether one of them gets a letter, which states have several,
    /// which rows are foreign.
    #[must_use]
    pub fn new(
        audience: &Audience,
        has_row: impl Fn(StateCode) -> bool,
        is_written_to: impl Fn(StateCode) -> bool,
        doubled: Vec<StateCode>,
        foreign: Vec<RecipientId>,
    ) -> Self {
        let expected = audience.states();
        let missing: Vec<StateCode> = expected.iter().map(|state| state.code).filter(|code| !has_row(*code)).collect();
        let silent = |code: &StateCode| has_row(*code) && !is_written_to(*code);
        let suppressed = expected.iter().map(|state| state.code).filter(silent).collect();
        Self {
            expected: expected.len(),
            present: expected.len() - missing.len(),
            missing,
            suppressed,
            doubled,
            foreign,
        }
    }

    /// How many states of the audience get a letter.
    #[must_use]
    pub fn reached(&self) -> usize {
        self.present - self.suppressed.len()
    }

    /// The short English names of states.
    #[must_use]
    pub fn names(codes: &[StateCode]) -> Vec<String> {
        codes.iter().map(|code| code.state().name("en").to_owned()).collect()
    }

    /// "190 of 193 get a letter; suppressed: …; missing: …; doubled: …; outside the audience: …", at most ten names each.
    #[must_use]
    pub fn line(&self) -> String {
        let ids: Vec<String> = self.foreign.iter().map(ToString::to_string).collect();
        self.told(&[
            ("suppressed", Self::names(&self.suppressed)),
            ("missing", Self::names(&self.missing)),
            ("doubled", Self::names(&self.doubled)),
            ("outside the audience", ids),
        ])
    }

    /// The same where those who get none are told beside it.
    #[must_use]
    pub fn reach(&self) -> String {
        let ids: Vec<String> = self.foreign.iter().map(ToString::to_string).collect();
        self.told(&[("doubled", Self::names(&self.doubled)), ("outside the audience", ids)])
    }

    fn told(&self, parts: &[(&str, Vec<String>)]) -> String {
        let reached = self.reached();
        let get = if reached == 1 { "gets" } else { "get" };
        let mut line = if reached == self.expected {
            format!("all {} {get} a letter", self.expected)
        } else {
            format!("{reached} of {} {get} a letter", self.expected)
        };
        for (what, names) in parts.iter().filter(|(_, names)| !names.is_empty()) {
            let more = names.len().saturating_sub(MOST_NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            let named = &names[..names.len().min(MOST_NAMED)];
            line.push_str(&format!("; {what}: {}{more}", named.join(", ")));
        }
        line
    }

    /// `{"expected", "present", "missing": […], "suppressed": […], "doubled": […], "foreign": […]}`: states by their three
    /// letters, rows by id. `present` are those that have a row, whether it gets a letter or not.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let codes = |codes: &[StateCode]| codes.iter().map(ToString::to_string).collect::<Vec<_>>();
        serde_json::json!({
            "expected": self.expected,
            "present": self.present,
            "missing": codes(&self.missing),
            "suppressed": codes(&self.suppressed),
            "doubled": codes(&self.doubled),
            "foreign": self.foreign.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    }
}

/// More names than a line should hold.
const MOST_NAMED: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_doubled_and_foreign_rows_are_told_apart() {
        let id = |text: &str| RecipientId::parse(text).expect("an id");
        let rows = [("KEN", "KEN"), ("ken2", "KEN"), ("HND", "HND"), ("osg", "")];
        let rows: Vec<(RecipientId, Option<StateCode>)> =
            rows.iter().map(|(row, state)| (id(row), StateCode::parse(state))).collect();
        let of = |audience: &str| {
            Coverage::of(&audience.parse().expect("an audience"), rows.iter().map(|(row, state)| (row, *state, true)))
        };
        let council = of("security-council-2021");
        assert_eq!((council.expected, council.present, council.missing.len()), (15, 1, 14));
        assert_eq!(
            (Coverage::names(&council.doubled), council.foreign.clone()),
            (vec!["Kenya".into()], vec![id("HND")])
        );
        assert!(council.line().starts_with("1 of 15 gets a letter; missing: "), "{}", council.line());
        assert!(
            council.line().ends_with(" and 4 more; doubled: Kenya; outside the audience: HND"),
            "{}",
            council.line()
        );
        let all = Audience::Observers.states();
        let told = |silent: &[&str], missing: &[&str]| {
            let written = |code: StateCode| !silent.contains(&code.as_str()) && !missing.contains(&code.as_str());
            Coverage::new(&Audience::Observers, |code| !missing.contains(&code.as_str()), written, vec![], vec![])
                .line()
        };
        assert_eq!(all.len(), 2);
        assert_eq!(told(&[], &[]), "all 2 get a letter");
        assert_eq!(told(&["VAT"], &[]), "1 of 2 gets a letter; suppressed: Holy See");
        assert_eq!(told(&["VAT"], &["PSE"]), "0 of 2 get a letter; suppressed: Holy See; missing: State of Palestine");
        let any = of("any");
        assert_eq!((any.expected, any.missing.len(), any.foreign.len()), (0, 0, 0));
    }
}
