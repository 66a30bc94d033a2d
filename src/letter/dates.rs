//! Dates in words, in the six official languages of the United Nations; ISO 8601 in all others.

use jiff::civil::{Date, DateTime};

const ENGLISH: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const FRENCH: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];
const SPANISH: [&str; 12] = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];
const RUSSIAN: [&str; 12] = [
    "января",
    "февраля",
    "марта",
    "апреля",
    "мая",
    "июня",
    "июля",
    "августа",
    "сентября",
    "октября",
    "ноября",
    "декабря",
];
/// Both names of each month, as United Nations documents in Arabic give them.
const ARABIC: [&str; 12] = [
    "كانون الثاني/يناير",
    "شباط/فبراير",
    "آذار/مارس",
    "نيسان/أبريل",
    "أيار/مايو",
    "حزيران/يونيه",
    "تموز/يوليه",
    "آب/أغسطس",
    "أيلول/سبتمبر",
    "تشرين الأول/أكتوبر",
    "تشرين الثاني/نوفمبر",
    "كانون الأول/ديسمبر",
];

/// "1 September 2021", "1er septembre 2021", "2021年9月1日" … by the primary subtag of a language tag.
pub(super) fn long(date: Date, language: &str) -> String {
    let (year, day) = (date.year(), date.day());
    let month = usize::from(date.month().unsigned_abs()).saturating_sub(1).min(11);
    match super::context::primary(language) {
        "en" => format!("{day} {} {year}", ENGLISH[month]),
        "fr" if day == 1 => format!("1er {} {year}", FRENCH[month]),
        "fr" => format!("{day} {} {year}", FRENCH[month]),
        "es" => format!("{day} de {} de {year}", SPANISH[month]),
        "ru" => format!("{day} {} {year} года", RUSSIAN[month]),
        "ar" => format!("{day} {} {year}", ARABIC[month]),
        "zh" => format!("{year}年{}月{day}日", month + 1),
        _ => date.to_string(),
    }
}

/// Reads `2021-09-01`, with or without a time of day after it.
pub(super) fn parse(text: &str) -> Option<Date> {
    let text = text.trim();
    text.parse::<Date>().ok().or_else(|| text.parse::<DateTime>().ok().map(DateTime::date))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_september_in_each_language() {
        let date = parse("2021-09-01").expect("a date");
        let all: Vec<String> = ["en", "fr", "es", "ru", "ar", "zh", "zh-Hant", "prs"]
            .iter()
            .map(|language| long(date, language))
            .collect();
        assert_eq!(
            all,
            [
                "1 September 2021",
                "1er septembre 2021",
                "1 de septiembre de 2021",
                "1 сентября 2021 года",
                "1 أيلول/سبتمبر 2021",
                "2021年9月1日",
                "2021年9月1日",
                "2021-09-01"
            ]
        );
    }

    #[test]
    fn only_iso_dates_are_dates() {
        assert!(parse(" 2021-10-15 ").is_some() && parse("2021-10-15T10:00").is_some());
        for text in ["", "15/10/2021", "2021-13-01", "2021-02-30", "soon"] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
