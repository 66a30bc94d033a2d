//! The cells that hold a word from a list: rank, gender, language, date.

use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::civil::Date;

use crate::diagnostic::Diagnostic;
use crate::domain::mailbox::is_failed_formula;
use crate::domain::recipient::{Gender, Rank};
use crate::domain::state::fold;

use super::aliases::Column;
use super::cells::Cells;
use super::findings::Findings;

/// Spellings of the ranks, compared without accents, case and punctuation; the first of each is ours.
const RANKS: [(Rank, &[&str]); 4] = [
    (
        Rank::PermanentRepresentative,
        &[
            "permanent-representative",
            "PR",
            "Permanent Rep",
            "Ambassador",
            "Ambassador and Permanent Representative",
            "Ambassador, Permanent Representative",
            "Ambassador Extraordinary and Plenipotentiary, Permanent Representative",
            "Représentant permanent",
            "Représentante permanente",
            "Ambassadeur",
            "Ambassadrice",
            "Ambassadeur, Représentant permanent",
            "Ambassadrice, Représentante permanente",
            "Representante Permanente",
            "Embajador",
            "Embajadora",
            "Embajador, Representante Permanente",
            "Embajadora, Representante Permanente",
            "Постоянный представитель",
            "常驻代表",
            "الممثل الدائم",
            "الممثلة الدائمة",
        ],
    ),
    (
        Rank::ChargeDAffaires,
        &[
            "charge-d-affaires",
            "Chargé d'affaires a.i.",
            "Chargé d'affaires ad interim",
            "Chargée d'affaires",
            "Chargée d'affaires a.i.",
            "Chargée d'affaires ad interim",
            "Chargé d'affaires par intérim",
            "Chargée d'affaires par intérim",
            "Charge",
            "CDA",
            "CDA a.i.",
            "Encargado de Negocios",
            "Encargada de Negocios",
            "Encargado de Negocios a.i.",
            "Encargada de Negocios a.i.",
            "Encargado de Negocios interino",
            "Encargada de Negocios interina",
            "Временный поверенный в делах",
            "临时代办",
            "القائم بالأعمال",
            "القائم بالأعمال بالنيابة",
        ],
    ),
    (
        Rank::PermanentObserver,
        &[
            "permanent-observer",
            "Observer",
            "Ambassador, Permanent Observer",
            "Apostolic Nuncio",
            "Apostolic Nuncio, Permanent Observer",
            "Observateur permanent",
            "Observatrice permanente",
            "Observador Permanente",
            "Observadora Permanente",
            "Постоянный наблюдатель",
            "常驻观察员",
            "المراقب الدائم",
        ],
    ),
    (Rank::Vacant, &["vacant", "Vacant post", "Unknown", "None", "Vacante", "Вакантно", "空缺", "شاغر"]),
];

const GENDERS: [(Gender, &[&str]); 2] = [
    (
        Gender::Female,
        &[
            "female",
            "f",
            "fem",
            "woman",
            "w",
            "ms",
            "mrs",
            "femme",
            "féminin",
            "mme",
            "femenino",
            "mujer",
            "sra",
            "ж",
            "женский",
            "女",
            "أنثى",
        ],
    ),
    (
        Gender::Male,
        &[
            "male",
            "m",
            "masc",
            "man",
            "mr",
            "homme",
            "masculin",
            "masculino",
            "hombre",
            "h",
            "sr",
            "м",
            "мужской",
            "男",
            "ذكر",
        ],
    ),
];

/// Names of the official languages as files have them; every other language is written as a tag.
const LANGUAGES: [(&str, &[&str]); 6] = [
    ("ar", &["arabic", "arabe", "árabe", "арабский", "العربية", "阿拉伯文"]),
    ("en", &["english", "anglais", "inglés", "английский", "الإنجليزية", "英文", "eng"]),
    ("es", &["spanish", "espagnol", "español", "испанский", "الإسبانية", "西班牙文", "spa"]),
    ("fr", &["french", "français", "francés", "французский", "الفرنسية", "法文", "fra", "fre"]),
    ("ru", &["russian", "russe", "ruso", "русский", "الروسية", "俄文", "rus"]),
    ("zh", &["chinese", "chinois", "chino", "китайский", "الصينية", "中文", "zho"]),
];

static RANK_WORDS: LazyLock<HashMap<String, Rank>> = LazyLock::new(|| folded(&RANKS));
static GENDER_WORDS: LazyLock<HashMap<String, Gender>> = LazyLock::new(|| folded(&GENDERS));
static LANGUAGE_WORDS: LazyLock<HashMap<String, &str>> = LazyLock::new(|| folded(&LANGUAGES));

fn folded<T: Copy>(table: &[(T, &[&str])]) -> HashMap<String, T> {
    table.iter().flat_map(|(value, words)| words.iter().map(|word| (fold(word), *value))).collect()
}

/// The rank; an empty cell is a Permanent Representative.
pub(super) fn rank(cells: &Cells<'_>, findings: &mut Findings) -> Rank {
    let text = cells.text(Column::Rank);
    if text.is_empty() {
        return Rank::default();
    }
    let known = RANK_WORDS.get(&fold(text)).copied();
    if known.is_none() {
        let ours: Vec<&str> = RANKS.iter().filter_map(|(_, words)| words.first().copied()).collect();
        let help = format!("write one of {}, or leave it empty", ours.join(", "));
        let diagnostic = Diagnostic::error("rank-unknown", format!("\"{text}\" is no rank that is known"));
        findings.push(cells.at(diagnostic, Column::Rank).help(help));
    }
    known.unwrap_or_default()
}

/// The gender, only if given.
pub(super) fn gender(cells: &Cells<'_>, findings: &mut Findings) -> Option<Gender> {
    let text = cells.text(Column::Gender);
    let known = GENDER_WORDS.get(&fold(text)).copied();
    if known.is_none() && !text.is_empty() {
        let message = format!("\"{text}\" is not \"female\" or \"male\"");
        let help = "leave it empty: the letter then uses forms that need none";
        findings.push(cells.at(Diagnostic::error("gender-unknown", message), Column::Gender).help(help));
    }
    known
}

/// `verified_on`: `2021-09-01` and no other form, which could be read in two ways; not later than today.
pub(super) fn date(cells: &Cells<'_>, today: Date, findings: &mut Findings) -> Option<Date> {
    let text = cells.text(Column::VerifiedOn);
    if text.is_empty() {
        return None;
    }
    let form = text.len() == 10
        && text.bytes().enumerate().all(|(at, b)| if matches!(at, 4 | 7) { b == b'-' } else { b.is_ascii_digit() });
    let date = text.parse::<Date>().ok().filter(|_| form);
    let problem = match date {
        None => format!("\"{text}\" is not a date such as {today}"),
        // Where the day begins before it does in Greenwich it may be tomorrow already.
        Some(date) if date > today.tomorrow().unwrap_or(today) => {
            format!("{date} is yet to come: nobody can have verified the row then")
        }
        Some(_) => return date,
    };
    let help = "write year-month-day, with hyphens";
    findings.push(cells.at(Diagnostic::error("date-invalid", problem), Column::VerifiedOn).help(help));
    None
}

/// The person's name, unless a formula stands there.
pub(super) fn name(cells: &Cells<'_>, findings: &mut Findings) -> Option<String> {
    let text = cells.text(Column::Name);
    let failed = is_failed_formula(text);
    if (failed || text.starts_with(['=', '@'])) && !cells.is_faulty(Column::Name) {
        let what = if failed { "the error of a spreadsheet formula" } else { "a spreadsheet formula" };
        let message = format!("\"{text}\" is {what}, not a name");
        let help = "write its value as text, or leave the cell empty";
        findings.push(cells.at(Diagnostic::error("formula", message), Column::Name).help(help));
    }
    (!text.is_empty()).then(|| text.to_owned())
}

/// Our word for the rank that a cell names in whatever spelling.
pub(super) fn plain_rank(text: &str) -> Option<&'static str> {
    let rank = RANK_WORDS.get(&fold(text))?;
    RANKS.iter().find_map(|(known, words)| (known == rank).then(|| words[0]))
}

/// Our word for the gender that a cell names in whatever spelling.
pub(super) fn plain_gender(text: &str) -> Option<&'static str> {
    let gender = GENDER_WORDS.get(&fold(text))?;
    GENDERS.iter().find_map(|(known, words)| (known == gender).then(|| words[0]))
}

/// A language cell as a tag: `French` and `FR` as `fr`; everything else as written.
pub(super) fn language_tag(text: &str) -> String {
    LANGUAGE_WORDS.get(&fold(text)).map_or_else(|| text.to_owned(), |tag| (*tag).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_spelling_means_two_ranks_genders_or_languages() {
        fn distinct<T: Copy + PartialEq + std::fmt::Debug>(table: &[(T, &[&str])]) {
            let map = folded(table);
            for (value, words) in table {
                for word in *words {
                    assert_eq!(map.get(&fold(word)), Some(value), "{word}");
                }
            }
        }
        distinct(&RANKS);
        distinct(&GENDERS);
        distinct(&LANGUAGES);
    }

    #[test]
    fn what_files_call_a_charge_is_one_and_a_deputy_is_not() {
        for text in ["Chargé d\u{2019}affaires a.i.", "CHARGEE D'AFFAIRES", "Encargada de Negocios, a.i."] {
            assert_eq!(RANK_WORDS.get(&fold(text)), Some(&Rank::ChargeDAffaires), "{text}");
        }
        assert_eq!(RANK_WORDS.get(&fold("Deputy Permanent Representative")), None);
        assert_eq!(language_tag("Français"), "fr");
        assert_eq!(language_tag("pt-BR"), "pt-BR");
    }
}
