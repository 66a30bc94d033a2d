//! Whom a campaign means to reach: the states whose missions `check` expects to find in the file.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::state::{self, State};

/// An audience by its name in the config.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Audience {
    /// All 193 Member States.
    MemberStates,
    /// The two observer states.
    Observers,
    /// The members of the Security Council in a year that the tables hold.
    SecurityCouncil(u16),
    /// A regional group by its code in the tables (`AFR`, `APG`, `EEG`, `GRULAC`, `WEOG`).
    Group(String),
    /// Any list: nothing is expected.
    Any,
}

/// Not an audience.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no audience: write one of {list}", list = Audience::names().join(", "))]
pub struct AudienceError(String);

const GROUPS: [(&str, &str); 5] = [
    ("african-group", "AFR"),
    ("asia-pacific-group", "APG"),
    ("eastern-european-group", "EEG"),
    ("grulac", "GRULAC"),
    ("weog", "WEOG"),
];

const COUNCIL: &str = include_str!("../../data/security_council.csv");

impl Audience {
    /// Every name there is, for messages and suggestions.
    #[must_use]
    pub fn names() -> Vec<String> {
        let mut names = vec!["member-states".to_owned(), "observers".to_owned()];
        names.extend(council_years().into_iter().map(|year| format!("security-council-{year}")));
        names.extend(GROUPS.iter().map(|(name, _)| (*name).to_owned()));
        names.push("any".to_owned());
        names
    }

    /// The states expected, in the order of the tables; none for [`Self::Any`].
    #[must_use]
    pub fn states(&self) -> Vec<&'static State> {
        let council: Vec<String> = match self {
            Self::SecurityCouncil(year) => council_members(*year),
            _ => Vec::new(),
        };
        state::all()
            .iter()
            .filter(|state| match self {
                Self::MemberStates => state.member,
                Self::Observers => !state.member,
                Self::SecurityCouncil(_) => council.contains(&state.iso2),
                Self::Group(group) => state.group == *group,
                Self::Any => false,
            })
            .collect()
    }
}

fn council_rows() -> impl Iterator<Item = (u16, String)> {
    csv::Reader::from_reader(COUNCIL.as_bytes())
        .into_records()
        .map_while(Result::ok)
        .filter_map(|record| Some((record.get(0)?.parse().ok()?, record.get(1)?.to_owned())))
}

fn council_years() -> Vec<u16> {
    let mut years: Vec<u16> = council_rows().map(|(year, _)| year).collect();
    years.sort_unstable();
    years.dedup();
    years
}

fn council_members(year: u16) -> Vec<String> {
    council_rows().filter(|(row_year, _)| *row_year == year).map(|(_, iso2)| iso2).collect()
}

impl FromStr for Audience {
    type Err = AudienceError;

    fn from_str(text: &str) -> Result<Self, AudienceError> {
        let refuse = || AudienceError(super::reply::visible(text));
        match text {
            "member-states" => Ok(Self::MemberStates),
            "observers" => Ok(Self::Observers),
            "any" => Ok(Self::Any),
            _ => {
                if let Some((_, code)) = GROUPS.iter().find(|(name, _)| *name == text) {
                    return Ok(Self::Group((*code).to_owned()));
                }
                let year = text.strip_prefix("security-council-").ok_or_else(refuse)?;
                let year: u16 = year.parse().map_err(|_| refuse())?;
                council_years().contains(&year).then_some(Self::SecurityCouncil(year)).ok_or_else(refuse)
            }
        }
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MemberStates => f.write_str("member-states"),
            Self::Observers => f.write_str("observers"),
            Self::SecurityCouncil(year) => write!(f, "security-council-{year}"),
            Self::Group(code) => {
                f.write_str(GROUPS.iter().find(|(_, known)| known == code).map_or("any", |(name, _)| *name))
            }
            Self::Any => f.write_str("any"),
        }
    }
}

impl TryFrom<String> for Audience {
    type Error = AudienceError;

    fn try_from(text: String) -> Result<Self, AudienceError> {
        text.parse()
    }
}

impl From<Audience> for String {
    fn from(audience: Audience) -> Self {
        audience.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_audience_reads_back_its_name_and_has_the_states_it_says() {
        for name in Audience::names() {
            let audience: Audience = name.parse().expect("a name");
            assert_eq!(audience.to_string(), name);
            let expected = match audience {
                Audience::MemberStates => 193,
                Audience::Observers => 2,
                Audience::SecurityCouncil(_) => 15,
                Audience::Any => 0,
                Audience::Group(_) => continue,
            };
            assert_eq!(audience.states().len(), expected, "{name}");
        }
        let groups: usize = GROUPS.iter().map(|(_, code)| Audience::Group((*code).into()).states().len()).sum();
        assert_eq!(groups, 193);
    }

    #[test]
    fn an_unknown_audience_is_told_which_there_are() {
        let message = "members".parse::<Audience>().expect_err("unknown").to_string();
        assert!(message.contains("member-states") && message.contains("security-council-2021"), "{message}");
    }
}
