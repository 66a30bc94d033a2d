//! What templates can call beside Tera's own: forms of address, long dates, lists; and Tera's own where they would undo
//! a promise (escaping, a fixed order, a limit on loops).

use tera::{Error, Kwargs, State, StringInput, Tera, TeraResult, Value};

use super::context::HIDDEN;
use super::dates;
use super::grammar;

/// The functions that are ours, for "did you mean" and for errors that no row causes.
pub(super) const NAMES: [&str; 6] = ["salutation", "envelope_line", "close", "list", "plural", "range"];
/// The filters that are ours.
pub(super) const FILTERS: [&str; 3] = ["long_date", "list", "required"];

/// What `required` says of an empty value.
pub(super) const NEEDED: &str = "the letter needs a value here, and there is none";

/// The most turns `range` gives a loop.
const LOOP_CAP: i64 = 1_000;

/// Registers everything.
pub(super) fn register(tera: &mut Tera) {
    tera.register_function("salutation", |arguments: Kwargs, state: &State| {
        let style = arguments.get::<String>("style")?;
        match style.as_deref() {
            None | Some("excellency") => form(state, "salutation"),
            Some("your-excellency") => form(state, "salutation_your_excellency"),
            Some("ambassador") => form(state, "salutation_ambassador"),
            Some(other) => Err(Error::message(format!(
                "salutation() has no style \"{other}\": \"excellency\", \"your-excellency\" or \"ambassador\""
            ))),
        }
    });
    tera.register_function("envelope_line", |_: Kwargs, state: &State| form(state, "envelope_line"));
    tera.register_function("close", |_: Kwargs, state: &State| form(state, "close"));
    tera.register_function("list", |arguments: Kwargs, state: &State| list(&arguments, state));
    tera.register_function("plural", |arguments: Kwargs, state: &State| plural(&arguments, state));
    tera.register_filter("list", |items: Vec<Value>, arguments: Kwargs, state: &State| {
        joined(&items, &arguments, state)
    });
    tera.register_function("range", |arguments: Kwargs, _: &State| range(&arguments));
    tera.register_filter("long_date", long_date);
    tera.register_filter("required", required);
    // A value from the file is never trusted, whoever asks; the letter's own body comes marked.
    tera.register_filter("safe", |value: Value, _: Kwargs, _: &State| {
        if value.is_safe() || !value.is_string() {
            Ok(value)
        } else {
            Err(Error::message("`safe` would let a value act as markup: values are always escaped, remove `| safe`"))
        }
    });
    tera.register_filter("escape", |value: Value, _: Kwargs, _: &State| value);
    // Tera's tables have no order of their own, and the same sources must give the same bytes.
    tera.register_filter("group_by", |_: Value, _: Kwargs, _: &State| -> TeraResult<Value> {
        Err(Error::message("group_by gives a table, and a table has no fixed order"))
    });
    tera.register_filter("keys", |table: &tera::Map, _: Kwargs, _: &State| {
        sorted(table).into_iter().map(|(key, _)| key.into()).collect::<Vec<Value>>()
    });
    tera.register_filter("values", |table: &tera::Map, _: Kwargs, _: &State| {
        sorted(table).into_iter().map(|(_, value)| value).collect::<Vec<Value>>()
    });
    tera.register_filter("pairs", |table: &tera::Map, _: Kwargs, _: &State| {
        sorted(table).into_iter().map(|(key, value)| Value::from(vec![key.into(), value])).collect::<Vec<Value>>()
    });
}

fn sorted(table: &tera::Map) -> Vec<(String, Value)> {
    let mut pairs: Vec<(String, Value)> = table.iter().map(|(key, value)| (key.to_string(), value.clone())).collect();
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    pairs
}

fn form(state: &State, name: &str) -> TeraResult<String> {
    state.get::<String>(&format!("{HIDDEN}{name}"))?.ok_or_else(|| {
        let language = state.get::<String>("language").ok().flatten().unwrap_or_default();
        Error::message(format!(
            "there are no forms of address for the language \"{language}\" (only for {}): write the words out",
            super::address_forms::LANGUAGES.join(", ")
        ))
    })
}

#[expect(clippy::needless_pass_by_value, reason = "the signature of a Tera filter")]
fn long_date(value: Value, _: Kwargs, state: &State) -> TeraResult<String> {
    if value.is_undefined() {
        return Err(Error::message("the value to write as a date is undefined"));
    }
    let text = value.to_string();
    let date = dates::parse(&text)
        .ok_or_else(|| Error::message(format!("\"{text}\" is not a date: write it as 2021-09-01")))?;
    let language = state.get::<String>("language")?.unwrap_or_default();
    Ok(dates::long(date, &language))
}

fn required(value: StringInput, _: Kwargs, _: &State) -> TeraResult<Value> {
    if value.as_str().trim().is_empty() {
        return Err(Error::message(NEEDED));
    }
    Ok(value.into_value())
}

fn range(arguments: &Kwargs) -> TeraResult<Vec<i64>> {
    let start = arguments.get::<i64>("start")?.unwrap_or(0);
    let end = arguments.must_get::<i64>("end")?;
    let step = arguments.get::<i64>("step_by")?.unwrap_or(1);
    if step < 1 || end < start {
        return Err(Error::message("range() counts upwards: `start` is not over `end` and `step_by` is at least 1"));
    }
    let step = usize::try_from(step).unwrap_or(usize::MAX);
    if i128::from(end) - i128::from(start) > i128::from(LOOP_CAP) {
        return Err(Error::message(format!("a loop of more than {LOOP_CAP} turns is past the cap")));
    }
    Ok((start..end).step_by(step).collect())
}

/// `a, b and c` in the letter's language; `or=true` for "or".
fn list(arguments: &Kwargs, state: &State) -> TeraResult<String> {
    joined(&arguments.must_get::<Vec<Value>>("items")?, arguments, state)
}

fn joined(items: &[Value], arguments: &Kwargs, state: &State) -> TeraResult<String> {
    let items: Vec<String> = items.iter().map(Value::to_string).filter(|item| !item.trim().is_empty()).collect();
    let language = state.get::<String>("language")?.unwrap_or_default();
    Ok(grammar::joined(&items, &language, arguments.get::<bool>("or")?.unwrap_or(false)))
}

/// The form of a noun that goes with a number in the letter's language; `other` where the one it needs is not given.
fn plural(arguments: &Kwargs, state: &State) -> TeraResult<String> {
    let number = arguments.must_get::<Value>("n")?;
    if number.is_undefined() {
        return Err(Error::message("the number that plural() counts by is undefined"));
    }
    let text = number.to_string();
    let whole: u64 = text.trim().parse().map_err(|_| {
        Error::message(format!("\"{text}\" is not a whole number: plural(n=…) takes one without blanks or commas"))
    })?;
    let language = state.get::<String>("language")?.unwrap_or_default();
    let needed = grammar::plural_form(whole, &language);
    for form in [needed, "other"] {
        if let Some(word) = arguments.get::<String>(form)? {
            return Ok(word);
        }
    }
    Err(Error::message(format!(
        "{whole} takes the form `{needed}` in the language \"{language}\", and plural() is not given it: write \
         {needed}=\"…\" (the forms are {})",
        grammar::FORMS.join(", ")
    )))
}
