//! Our columns, and what files call them: the table of aliases in six languages.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::domain::state::fold;

/// What the program itself reads from a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Column {
    State,
    /// An ISO code beside the name of the state: it decides where the name does not.
    StateCode,
    To,
    Cc,
    Bcc,
    Language,
    Rank,
    Name,
    Gender,
    Attachment,
    VerifiedOn,
    Id,
    /// "Do not send": not obeyed, but never passed over in silence.
    Skip,
}

use Column::{Attachment, Bcc, Cc, Gender, Id, Language, Name, Rank, Skip, State, StateCode, To, VerifiedOn};

/// Our names, as in the shipped file and in `recipients.columns`.
pub(super) const NAMES: [(Column, &str); 11] = [
    (State, "state"),
    (To, "to"),
    (Cc, "cc"),
    (Bcc, "bcc"),
    (Language, "language"),
    (Rank, "rank"),
    (Name, "name"),
    (Gender, "gender"),
    (Attachment, "attachment"),
    (VerifiedOn, "verified_on"),
    (Id, "id"),
];

/// The fields of `data/column_aliases.csv` that we read.
pub(super) const FIELDS: [(&str, Column); 9] = [
    ("email", To),
    ("cc", Cc),
    ("bcc", Bcc),
    ("country", State),
    ("iso2", StateCode),
    ("language", Language),
    ("rank", Rank),
    ("full_name", Name),
    ("gender", Gender),
];

/// The other fields of that table. They are columns of the file's own; `recipients.columns` can name them, and templates
/// then see them by this name.
pub(super) const PLAIN: [&str; 10] = [
    "honorific",
    "given_name",
    "family_name",
    "mission",
    "group",
    "salutation",
    "phone",
    "address",
    "website",
    "notes",
];

/// Headers, folded, that are an honorific ("H.E. Mr.") in some files and a rank ("Permanent Representative") in others.
pub(super) const RANK_OR_HONORIFIC: [&str; 3] = ["title", "titre", "titulo"];

/// Folded header → column. The aliases of `skip` are kept too.
pub(super) static ALIASES: LazyLock<HashMap<String, Column>> = LazyLock::new(|| {
    let column = |field: &str| {
        let column = FIELDS.iter().find_map(|(name, column)| (*name == field).then_some(*column));
        column.or((field == "skip").then_some(Skip))
    };
    FIELD_OF.iter().filter_map(|(alias, field)| Some((alias.clone(), column(field)?))).collect()
});

/// Folded header → field, of the whole table.
static FIELD_OF: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let mut reader = csv::Reader::from_reader(include_bytes!("../../data/column_aliases.csv").as_slice());
    let records = reader.records().map_while(Result::ok);
    records.filter_map(|record| Some((fold(record.get(1)?), record.get(0)?.to_owned()))).collect()
});

/// True if a header names a column of addresses in a list that has no other addresses than those.
pub(super) fn is_address_header(header: &str) -> bool {
    let key = fold(header);
    key == "address" || ALIASES.get(&key) == Some(&To)
}

/// True if a header means addresses in some language, or is our own name of them.
pub(super) fn is_address_alias(header: &str) -> bool {
    ALIASES.get(&fold(header)) == Some(&To)
}

/// True if a header is one of ours or of the table.
pub(super) fn is_known_alias(header: &str) -> bool {
    let key = fold(header);
    FIELD_OF.contains_key(&key) || NAMES.iter().any(|(_, name)| fold(name) == key)
}

/// The name of a column in messages.
pub(super) fn name_of(column: Column) -> &'static str {
    match column {
        StateCode => "state",
        Skip => "skip",
        _ => NAMES.iter().find_map(|(known, name)| (*known == column).then_some(*name)).unwrap_or_default(),
    }
}
