//! What a sentence does with numbers and lists, by language: which form of a noun a number takes, and how items are joined.

use super::context::primary;

/// The forms of a noun that a number can take, by the names Unicode gives them (CLDR plural rules for whole numbers).
pub(super) const FORMS: [&str; 6] = ["zero", "one", "two", "few", "many", "other"];

/// Which of [`FORMS`] a whole number takes.
pub(super) fn plural_form(number: u64, language: &str) -> &'static str {
    let (last, last_two) = (number % 10, number % 100);
    match primary(language) {
        "zh" | "ja" | "ko" | "vi" | "th" | "id" | "ms" | "my" | "lo" | "km" => "other",
        "fr" | "pt" | "fa" | "prs" | "hi" | "bn" | "am" if number <= 1 => "one",
        "ru" | "uk" | "be" if last == 1 && last_two != 11 => "one",
        "ru" | "uk" | "be" if (2..=4).contains(&last) && !(12..=14).contains(&last_two) => "few",
        "ru" | "uk" | "be" => "many",
        "pl" if (2..=4).contains(&last) && !(12..=14).contains(&last_two) => "few",
        "pl" if number != 1 => "many",
        "ar" => match (number, last_two) {
            (0, _) => "zero",
            (1, _) => "one",
            (2, _) => "two",
            (_, 3..=10) => "few",
            (_, 11..=99) => "many",
            _ => "other",
        },
        _ if number == 1 => "one",
        _ => "other",
    }
}

/// `a`, `a and b`, `a, b and c` in a language; `or` in place of `and` if asked for. In a language that is not among the
/// six, the items stand with commas.
pub(super) fn joined(items: &[String], language: &str, or: bool) -> String {
    let (comma, last_comma) = match (primary(language), or) {
        ("en", false) => (", ", " and "),
        ("en", true) => (", ", " or "),
        ("fr", false) => (", ", " et "),
        ("fr", true) => (", ", " ou "),
        ("es", false) => (", ", " y "),
        ("es", true) => (", ", " o "),
        ("ru", false) => (", ", " и "),
        ("ru", true) => (", ", " или "),
        // Arabic says its word before each item.
        ("ar", false) => (" و", " و"),
        ("ar", true) => (" أو ", " أو "),
        ("zh", false) => ("、", "和"),
        ("zh", true) => ("、", "或"),
        _ => (", ", ", "),
    };
    let Some((last, rest)) = items.split_last() else { return String::new() };
    if rest.is_empty() {
        return last.clone();
    }
    let last_comma = match last_comma {
        " y " if begins_with_i(last) => " e ",
        " o " if begins_with_o(last) => " u ",
        other => other,
    };
    format!("{}{last_comma}{last}", rest.join(comma))
}

/// Spanish says "e" before the sound i, but not before the diphthong of "hielo".
fn begins_with_i(word: &str) -> bool {
    let word = word.to_lowercase();
    word.starts_with(['i', 'í']) || (word.starts_with("hi") || word.starts_with("hí")) && !word.starts_with("hie")
}

/// Spanish says "u" before the sound o.
fn begins_with_o(word: &str) -> bool {
    let word = word.to_lowercase();
    ["o", "ó", "ho", "hó"].iter().any(|sound| word.starts_with(sound))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_joined_as_the_language_does() {
        let items: Vec<String> = ["A", "B", "Irán"].into_iter().map(str::to_owned).collect();
        let and = |language| joined(&items, language, false);
        assert_eq!(and("en"), "A, B and Irán");
        assert_eq!(and("es"), "A, B e Irán");
        assert_eq!(and("fr"), "A, B et Irán");
        assert_eq!(and("ru"), "A, B и Irán");
        assert_eq!(and("zh"), "A、B和Irán");
        assert_eq!(and("ar"), "A وB وIrán");
        assert_eq!(and("prs"), "A, B, Irán");
        assert_eq!(joined(&items[..1], "fr", false), "A");
        assert_eq!(joined(&[], "fr", false), "");
        assert_eq!(joined(&["siete".into(), "ocho".into()], "es", true), "siete u ocho");
        assert_eq!(joined(&["agua".into(), "hielo".into()], "es", false), "agua y hielo");
    }

    #[test]
    fn numbers_take_the_form_that_the_language_has_for_them() {
        let forms = |language, numbers: &[u64]| -> Vec<&str> {
            numbers.iter().map(|number| plural_form(*number, language)).collect()
        };
        assert_eq!(forms("en", &[0, 1, 2, 380]), ["other", "one", "other", "other"]);
        assert_eq!(forms("fr", &[0, 1, 2]), ["one", "one", "other"]);
        assert_eq!(
            forms("ru", &[1, 2, 5, 11, 12, 21, 92, 380, 391]),
            ["one", "few", "many", "many", "many", "one", "few", "many", "one"]
        );
        assert_eq!(
            forms("ar", &[0, 1, 2, 3, 10, 11, 88, 100, 380, 403]),
            ["zero", "one", "two", "few", "few", "many", "many", "other", "many", "few"]
        );
        assert_eq!(forms("zh", &[1, 380]), ["other", "other"]);
        assert_eq!(forms("pl", &[1, 2, 5, 22, 112]), ["one", "few", "many", "few", "many"]);
    }
}
