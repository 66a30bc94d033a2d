//! Names of states as a sentence needs them: with article and preposition, in the six languages.
//!
//! What a language does not have, or the tables do not hold (Russian beyond the genitive), is not there, so that a
//! template that asks for it is told instead of getting something wrong.

use tera::{Map, Value};

use crate::domain::state::State;

use super::context::primary;

/// Everything a template sees under `state`.
pub(super) fn value(state: &'static State, language: &str) -> Value {
    let mut value: Map = [
        ("name", state.name(language)),
        ("formal", formal(state, language)),
        ("iso3", state.code.as_str()),
        ("iso2", &state.iso2),
        ("group", &state.group),
        ("group_name", &state.group_name),
    ]
    .into_iter()
    .map(|(key, text)| (key.into(), Value::from(text)))
    .collect();
    value.insert("member".into(), Value::from(state.member));
    for (key, form) in [
        ("running", Some(running(state, language))),
        ("of", of(state, language)),
        ("of_formal", of_formal(state, language)),
        ("in_running", inside(state, language)),
        ("to_running", to(state, language)),
    ] {
        if let Some(form) = form {
            value.insert(key.into(), form.into());
        }
    }
    Value::from(value)
}

/// The formal name; for observers, whose table has it in English only, the name in that language.
pub(super) fn formal(state: &'static State, language: &str) -> &'static str {
    let primary = primary(language);
    let formal = state.column(&format!("formal_{primary}"));
    if !formal.is_empty() {
        return formal;
    }
    let name = state.column(&format!("name_{primary}"));
    if name.is_empty() { state.formal("en") } else { name }
}

/// The name as it stands in a sentence: with its article where the language has one, and never in its index form
/// ("Iran (Islamic Republic of)").
pub(super) fn running(state: &'static State, language: &str) -> String {
    match primary(language) {
        "fr" => without_de(state.column("de_fr"), &[("du ", "le "), ("des ", "les "), ("de ", ""), ("d'", "")]),
        "es" => without_de(state.column("de_es"), &[("del ", "el "), ("de ", "")]),
        "ru" | "ar" | "zh" if state.name(language).contains('(') => formal(state, language).to_owned(),
        "ru" | "ar" | "zh" => state.name(language).to_owned(),
        _ => state.column("running_en").to_owned(),
    }
}

fn without_de(text: &str, forms: &[(&str, &str)]) -> String {
    forms
        .iter()
        .find_map(|(de, article)| text.strip_prefix(de).map(|rest| format!("{article}{rest}")))
        .unwrap_or_else(|| text.to_owned())
}

/// "of the Gambia", "de la Gambie", "del Brasil", "Кении", "لكينيا", "肯尼亚".
fn of(state: &'static State, language: &str) -> Option<String> {
    Some(match primary(language) {
        "en" => format!("of {}", running(state, language)),
        "fr" => state.column("de_fr").to_owned(),
        "es" => state.column("de_es").to_owned(),
        "ru" => state.column("of_ru").to_owned(),
        "ar" => li_ar(&running(state, language)),
        // Chinese puts the bare name before what belongs to it: 肯尼亚政府.
        "zh" => running(state, language),
        _ => return None,
    })
}

/// The same for the formal name, as it follows "Permanent Mission".
pub(super) fn of_formal(state: &'static State, language: &str) -> Option<String> {
    let formal = formal(state, language);
    Some(match primary(language) {
        "en" => format!("of {formal}"),
        "fr" if state.column("formal_fr").is_empty() => state.column("de_fr").to_owned(),
        "fr" => de_fr(formal),
        "es" if state.column("formal_es").is_empty() => state.column("de_es").to_owned(),
        "es" => formal.strip_prefix("el ").map_or_else(|| format!("de {formal}"), |rest| format!("del {rest}")),
        "ru" if state.column("of_formal_ru").is_empty() => state.column("of_ru").to_owned(),
        "ru" => state.column("of_formal_ru").to_owned(),
        "ar" => li_ar(formal),
        "zh" => formal.to_owned(),
        _ => return None,
    })
}

/// "in the Gambia", "en Gambie", "au Kenya", "aux Fidji", "à Cuba", "en el Brasil", "في كينيا", "在肯尼亚".
fn inside(state: &'static State, language: &str) -> Option<String> {
    let running = running(state, language);
    Some(match primary(language) {
        "en" => format!("in {running}"),
        "fr" => inside_fr(state.code.as_str(), &running),
        "es" => format!("en {running}"),
        "ar" => format!("في {running}"),
        "zh" => format!("在{running}"),
        _ => return None,
    })
}

/// "to the Gambia", "à la Gambie", "au Kenya", "al Brasil", "إلى كينيا", "致肯尼亚".
fn to(state: &'static State, language: &str) -> Option<String> {
    let running = running(state, language);
    Some(match primary(language) {
        "en" => format!("to {running}"),
        "fr" => a_fr(&running),
        "es" => running.strip_prefix("el ").map_or_else(|| format!("a {running}"), |rest| format!("al {rest}")),
        "ar" => format!("إلى {running}"),
        "zh" => format!("致{running}"),
        _ => return None,
    })
}

/// Islands whose feminine article stays: "à la Barbade".
const ARTICLE_STAYS_FR: [&str; 5] = ["BRB", "DMA", "GRD", "JAM", "TTO"];
/// Names without an article that take "en" all the same.
const EN_FR: [&str; 3] = ["HTI", "ISR", "SLV"];

fn inside_fr(iso3: &str, running: &str) -> String {
    if ARTICLE_STAYS_FR.contains(&iso3) {
        return a_fr(running);
    }
    if EN_FR.contains(&iso3) {
        return format!("en {running}");
    }
    // "L'État" is a masculine noun: "en État" is said of nothing.
    if running.starts_with("l'État ") {
        return format!("dans {running}");
    }
    match running.strip_prefix("la ").or_else(|| running.strip_prefix("l'")) {
        Some(rest) => format!("en {rest}"),
        None => a_fr(running),
    }
}

/// French "à" before a name with its article.
fn a_fr(running: &str) -> String {
    if let Some(rest) = running.strip_prefix("le ") {
        return format!("au {rest}");
    }
    running.strip_prefix("les ").map_or_else(|| format!("à {running}"), |rest| format!("aux {rest}"))
}

/// French "de" before a formal name that carries its article.
fn de_fr(formal: &str) -> String {
    if let Some(rest) = formal.strip_prefix("le ") {
        return format!("du {rest}");
    }
    if let Some(rest) = formal.strip_prefix("les ") {
        return format!("des {rest}");
    }
    let elided = formal.starts_with(['A', 'E', 'I', 'O', 'U', 'É', 'Î']);
    if elided { format!("d'{formal}") } else { format!("de {formal}") }
}

/// Arabic "of" before a name: the preposition joins its word and swallows the alif of the article.
fn li_ar(name: &str) -> String {
    name.strip_prefix("ال").map_or_else(|| format!("ل{name}"), |rest| format!("لل{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::state::{all, by_iso3};

    const LANGUAGES: [&str; 6] = ["ar", "en", "es", "fr", "ru", "zh"];

    fn state(iso3: &str) -> &'static State {
        by_iso3(iso3).expect("a state")
    }

    #[test]
    fn names_run_in_a_sentence_with_their_articles() {
        let of = |iso3, language| running(state(iso3), language);
        assert_eq!(of("GMB", "en"), "the Gambia");
        assert_eq!(of("CIV", "fr"), "la Côte d'Ivoire");
        assert_eq!(of("KEN", "fr"), "le Kenya");
        assert_eq!(of("USA", "fr"), "les États-Unis d'Amérique");
        assert_eq!(of("IRN", "fr"), "la République islamique d'Iran");
        assert_eq!(of("NLD", "es"), "el Reino de los Países Bajos");
        assert_eq!(of("KEN", "es"), "Kenya");
        assert_eq!(of("IRN", "ru"), "Исламская Республика Иран");
        assert_eq!(of("KEN", "prs"), "Kenya");
    }

    #[test]
    fn where_and_to_whom_have_their_prepositions() {
        for (iso3, in_fr, to_fr) in [
            ("KEN", "au Kenya", "au Kenya"),
            ("FRA", "en France", "à la France"),
            ("AFG", "en Afghanistan", "à l'Afghanistan"),
            ("FJI", "aux Fidji", "aux Fidji"),
            ("CUB", "à Cuba", "à Cuba"),
            ("ISR", "en Israël", "à Israël"),
            ("BRB", "à la Barbade", "à la Barbade"),
            ("BOL", "dans l'État plurinational de Bolivie", "à l'État plurinational de Bolivie"),
            ("KOR", "en République de Corée", "à la République de Corée"),
            ("VAT", "au Saint-Siège", "au Saint-Siège"),
        ] {
            assert_eq!(inside(state(iso3), "fr").as_deref(), Some(in_fr));
            assert_eq!(to(state(iso3), "fr").as_deref(), Some(to_fr));
        }
        assert_eq!(to(state("BRA"), "es").as_deref(), Some("al Brasil"));
        assert_eq!(inside(state("BRA"), "es").as_deref(), Some("en el Brasil"));
        assert_eq!(to(state("KEN"), "es").as_deref(), Some("a Kenya"));
        assert_eq!(of(state("SDN"), "ar").as_deref(), Some("للسودان"));
        assert_eq!(of(state("UKR"), "ru").as_deref(), Some("Украины"));
        assert_eq!(of_formal(state("KEN"), "ru").as_deref(), Some("Республики Кения"));
        assert_eq!(of_formal(state("VAT"), "ru").as_deref(), Some("Святого Престола"));
        assert_eq!(inside(state("KEN"), "ru"), None);
        assert_eq!(of(state("KEN"), "prs"), None);
    }

    #[test]
    fn no_name_in_a_sentence_is_an_index_form_or_empty() {
        for state in all() {
            for language in LANGUAGES {
                let forms =
                    [of(state, language), of_formal(state, language), inside(state, language), to(state, language)];
                for name in forms.into_iter().flatten().chain([running(state, language)]) {
                    assert!(!name.trim().is_empty() && !name.contains('('), "{language}: {name}");
                    for wrong in ["de le ", "de les ", "à le ", "à les ", "de el ", "a el ", "en le ", "en les ", "  "]
                    {
                        assert!(!format!("{name} ").contains(wrong), "{language}: {name}");
                    }
                }
                if language == "ru" {
                    assert!(of(state, "ru").is_some_and(|of| !of.is_empty()), "{}", state.code);
                }
            }
        }
    }
}
