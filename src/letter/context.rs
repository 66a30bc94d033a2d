//! What templates see: values from the config once a language, values from the row once a letter.
//!
//! The table of names is in the room's own documentation (`mod.rs`).

use tera::{Context, Map, Value};

use crate::domain::language::Language;
use crate::domain::recipient::Recipient;
use crate::domain::settings::LetterSettings;

use super::address_forms::{Addressee, Style};
use super::dates;
use super::loops::Vars;

/// The names at the root of the context that a template may use, for "did you mean".
pub(super) const NAMES: [&str; 12] = [
    "state",
    "row",
    "vars",
    "campaign",
    "event",
    "sender",
    "language",
    "dir",
    "enclosures",
    "translated_from",
    "content",
    "subject",
];

/// Where the forms of address of a letter wait for the functions that give them out: `<HIDDEN>salutation` and so on.
pub(super) const HIDDEN: &str = "demarche_";

/// `pt` of `pt-BR`.
pub(super) fn primary(language: &str) -> &str {
    language.split('-').next().unwrap_or(language)
}

/// The part of the context that all letters of a language share.
pub(super) fn shared(settings: &LetterSettings, language: &Language, translated_from: Option<&Language>) -> Context {
    let mut context = Context::new();
    let own = own_vars(&settings.vars, language.as_str());
    let mut vars = settings.vars.clone();
    vars.extend(own.clone());
    let or_own = |name: &str, given: &str| {
        let own = own.get(name).and_then(serde_json::Value::as_str).filter(|own| !own.trim().is_empty());
        Value::from(own.unwrap_or(given))
    };
    context.insert_value("vars", Value::from_serializable(&vars));
    let campaign_name = or_own("campaign_name", &settings.campaign_name);
    context
        .insert_value("campaign", map([("id", Value::from(settings.campaign_id.as_str())), ("name", campaign_name)]));
    if let Some(event) = &settings.event {
        let local = event.local();
        context.insert_value(
            "event",
            map([
                ("name", or_own("event_name", &event.name)),
                ("date", dates::long(local.date(), language.as_str()).into()),
                ("time", local.strftime("%H:%M").to_string().into()),
                ("iso", local.strftime("%Y-%m-%dT%H:%M").to_string().into()),
            ]),
        );
    }
    let address = settings.from.address();
    let name = settings.from.display_name().unwrap_or(&address);
    context.insert_value("sender", map([("name", or_own("sender_name", name)), ("address", address.as_str().into())]));
    context.insert_value("language", language.as_str().into());
    context.insert_value("dir", language.direction().into());
    if let Some(original) = translated_from {
        context.insert_value("translated_from", original.as_str().into());
    }
    context
}

/// What `[vars.<language>]` puts in the place of `[vars]`: for `pt-BR` the table `pt`, then the table `pt-BR`.
fn own_vars(vars: &Vars, language: &str) -> Vars {
    let mut own = Vars::new();
    let primary = primary(language);
    for tag in [Some(primary), (primary != language).then_some(language)].into_iter().flatten() {
        if let Some(serde_json::Value::Object(table)) = vars.get(tag) {
            own.extend(table.clone());
        }
    }
    own
}

/// The context of one letter.
pub(super) fn of_row(shared: &Context, recipient: &Recipient, language: &Language, enclosures: usize) -> Context {
    let mut context = shared.clone();
    let row: Map = recipient.columns.iter().map(|(k, v)| (k.clone().into(), Value::from(v.as_str()))).collect();
    context.insert_value("row", Value::from(row));
    context.insert_value("enclosures", Value::from(enclosures));
    if let Some(code) = recipient.state {
        context.insert_value("state", super::state_names::value(code.state(), language.as_str()));
    }
    let addressee = Addressee::of(recipient, language.as_str());
    let mut put = |name: &'static str, value: Option<String>| {
        if let Some(value) = value {
            context.insert_value(name, value.into());
        }
    };
    put("demarche_salutation", addressee.salutation(Style::Excellency));
    put("demarche_salutation_your_excellency", addressee.salutation(Style::YourExcellency));
    put("demarche_salutation_ambassador", addressee.salutation(Style::Ambassador));
    put("demarche_envelope_line", addressee.envelope_line());
    put("demarche_close", addressee.close());
    context
}

fn map<const N: usize>(pairs: [(&'static str, Value); N]) -> Value {
    Value::from(pairs.into_iter().map(|(key, value)| (key.into(), value)).collect::<Map>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vars_of_a_language_stand_in_for_the_others() {
        let vars = serde_json::json!({"a": 1, "b": 2, "pt": {"a": "um", "b": "dois"}, "pt-BR": {"b": "BR"}, "fr": 3});
        let own = |language| serde_json::Value::Object(own_vars(vars.as_object().expect("a table"), language));
        assert_eq!(own("pt"), serde_json::json!({"a": "um", "b": "dois"}));
        assert_eq!(own("pt-BR"), serde_json::json!({"a": "um", "b": "BR"}));
        assert_eq!((own("en"), own("fr")), (serde_json::json!({}), serde_json::json!({})));
    }
}
