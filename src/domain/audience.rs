//! Whom a campaign means to reach: the states whose missions `check` expects to find in the file.
//!
//! An audience has one name of its own and takes the other names that people give it ("GRULAC", "Latin American and
//! Caribbean Group"); several are written with commas and expected together.

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
    /// All of several: two or more, none of them several or any.
    Several(Vec<Self>),
    /// Any list: nothing is expected.
    Any,
}

/// Not an audience.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AudienceError {
    /// No name that is known.
    #[error("\"{0}\" is no audience: write one of {list}", list = Audience::names().join(", "))]
    Unknown(String),
    /// The Security Council of no year, or of one that the tables do not hold.
    #[error("the Security Council has other members each year: write one of {list}", list = council_names().join(", "))]
    Year,
    /// Any list together with a list that is meant.
    #[error("\"any\" expects nobody, so that it cannot stand beside another audience")]
    AnyBeside,
}

/// The name of each regional group, its code in the tables, and what else people call it.
const GROUPS: [(&str, &str, &[&str]); 5] = [
    ("african-group", "AFR", &["africa", "african", "african-states", "group-of-african-states", "afr"]),
    (
        "asia-pacific-group",
        "APG",
        &[
            "asia-pacific",
            "asia-pacific-states",
            "group-of-asia-pacific-states",
            "asia-and-the-pacific",
            "asian-group",
            "apg",
        ],
    ),
    (
        "eastern-european-group",
        "EEG",
        &["eastern-europe", "eastern-european", "eastern-european-states", "group-of-eastern-european-states", "eeg"],
    ),
    (
        "grulac",
        "GRULAC",
        &[
            "latin-america-and-the-caribbean",
            "latin-america-and-caribbean",
            "latin-american-and-caribbean-group",
            "latin-american-and-caribbean-states",
            "group-of-latin-american-and-caribbean-states",
        ],
    ),
    (
        "weog",
        "WEOG",
        &[
            "western-europe-and-others",
            "western-european-and-others-group",
            "western-european-and-other-states",
            "group-of-western-european-and-other-states",
            "western-european-group",
        ],
    ),
];

/// What else people call all members, and the observers.
const MEMBERS: [&str; 4] = ["all-members", "un-members", "un-member-states", "all-member-states"];
const OBSERVERS: [&str; 3] = ["observer-states", "un-observers", "permanent-observers"];

const COUNCIL: &str = include_str!("../../data/security_council.csv");

impl Audience {
    /// Every name there is, for messages and suggestions.
    #[must_use]
    pub fn names() -> Vec<String> {
        let mut names = vec!["member-states".to_owned(), "observers".to_owned()];
        names.extend(council_names());
        names.extend(GROUPS.iter().map(|(name, ..)| (*name).to_owned()));
        names.push("any".to_owned());
        names
    }

    /// Several audiences as one; one of them alone is itself, and none is [`Self::Any`].
    ///
    /// # Errors
    /// [`AudienceError::AnyBeside`].
    pub fn together(audiences: Vec<Self>) -> Result<Self, AudienceError> {
        let mut all: Vec<Self> = Vec::new();
        for audience in audiences {
            let parts = if let Self::Several(parts) = audience { parts } else { vec![audience] };
            for part in parts {
                if !all.contains(&part) {
                    all.push(part);
                }
            }
        }
        match all.as_slice() {
            [] => Ok(Self::Any),
            [_] => Ok(all.remove(0)),
            several if several.contains(&Self::Any) => Err(AudienceError::AnyBeside),
            _ => Ok(Self::Several(all)),
        }
    }

    /// The states expected, each once and in the order of the tables; none for [`Self::Any`].
    #[must_use]
    pub fn states(&self) -> Vec<&'static State> {
        if let Self::Several(all) = self {
            let parts: Vec<Vec<&State>> = all.iter().map(Self::states).collect();
            return state::all().iter().filter(|state| parts.iter().any(|part| part.contains(state))).collect();
        }
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
                Self::Any | Self::Several(_) => false,
            })
            .collect()
    }

    /// One audience by one of its names, in any case, with blanks, underscores or hyphens between words.
    fn one(text: &str) -> Result<Self, AudienceError> {
        let name: String = state::fold(text).replace(' ', "-");
        let name = name.strip_prefix("the-").unwrap_or(&name);
        if name == "member-states" || MEMBERS.contains(&name) {
            return Ok(Self::MemberStates);
        }
        if name == "observers" || OBSERVERS.contains(&name) {
            return Ok(Self::Observers);
        }
        if name == "any" {
            return Ok(Self::Any);
        }
        if let Some((_, code, _)) = GROUPS.iter().find(|(own, _, others)| *own == name || others.contains(&name)) {
            return Ok(Self::Group((*code).to_owned()));
        }
        let year = ["security-council", "unsc", "council"].iter().find_map(|council| name.strip_prefix(council));
        match year.map(|year| year.trim_start_matches('-').parse::<u16>()) {
            Some(Ok(year)) if council_years().contains(&year) => Ok(Self::SecurityCouncil(year)),
            Some(_) => Err(AudienceError::Year),
            None => Err(AudienceError::Unknown(super::reply::visible(text))),
        }
    }
}

fn council_names() -> Vec<String> {
    council_years().into_iter().map(|year| format!("security-council-{year}")).collect()
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
        Self::together(text.split(',').map(Self::one).collect::<Result<_, _>>()?)
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MemberStates => f.write_str("member-states"),
            Self::Observers => f.write_str("observers"),
            Self::SecurityCouncil(year) => write!(f, "security-council-{year}"),
            Self::Group(code) => {
                f.write_str(GROUPS.iter().find(|(_, known, _)| known == code).map_or("any", |(name, ..)| *name))
            }
            Self::Several(all) => {
                let names: Vec<String> = all.iter().map(Self::to_string).collect();
                f.write_str(&names.join(", "))
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
                Audience::Group(_) | Audience::Several(_) => continue,
            };
            assert_eq!(audience.states().len(), expected, "{name}");
        }
        let groups: usize = GROUPS.iter().map(|(_, code, _)| Audience::Group((*code).into()).states().len()).sum();
        assert_eq!(groups, 193);
    }

    #[test]
    fn the_regional_groups_have_the_members_they_have() {
        let of = |name: &str| name.parse::<Audience>().expect(name).states().len();
        let sizes = ["african-group", "asia-pacific-group", "eastern-european-group", "grulac", "weog"].map(of);
        assert_eq!(sizes, [54, 54, 23, 33, 29]);
    }

    #[test]
    fn an_audience_is_known_by_what_people_call_it() {
        for (text, name) in [
            ("Member States", "member-states"),
            ("the African Group", "african-group"),
            ("Africa", "african-group"),
            ("Asia-Pacific", "asia-pacific-group"),
            ("GRULAC", "grulac"),
            ("Latin American and Caribbean Group", "grulac"),
            ("Western European and Others Group", "weog"),
            ("Eastern_Europe", "eastern-european-group"),
            ("Security Council 2026", "security-council-2026"),
            ("UNSC-2021", "security-council-2021"),
            ("observer states", "observers"),
            ("ANY", "any"),
        ] {
            assert_eq!(text.parse::<Audience>().map(|a| a.to_string()).as_deref(), Ok(name), "{text}");
        }
        for text in ["security-council", "Security Council 1999", "council"] {
            assert_eq!(text.parse::<Audience>(), Err(AudienceError::Year), "{text}");
        }
    }

    #[test]
    fn several_audiences_are_expected_together_and_nobody_twice() {
        let of = |text: &str| text.parse::<Audience>().expect(text);
        assert_eq!(of("member-states, observers").states().len(), 195);
        assert_eq!(of("member-states,african-group").states().len(), 193);
        assert_eq!(of("observers, observers"), Audience::Observers);
        assert_eq!(of("grulac,weog").to_string().parse(), Ok(of("grulac,weog")));
        assert_eq!("any, weog".parse::<Audience>(), Err(AudienceError::AnyBeside));
    }

    #[test]
    fn an_unknown_audience_is_told_which_there_are() {
        let message = "members".parse::<Audience>().expect_err("unknown").to_string();
        assert!(message.contains("member-states") && message.contains("security-council-2021"), "{message}");
    }
}
