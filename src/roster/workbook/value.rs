//! Values of cells as texts.

/// A moment in ISO 8601 as people write it: the date alone where the time is midnight.
pub(super) fn iso_moment(text: &str) -> String {
    match text.split_once('T') {
        Some((date, time)) if time.trim_end_matches('Z').bytes().all(|b| matches!(b, b'0' | b':' | b'.')) => {
            date.to_owned()
        }
        Some((date, time)) => format!("{date} {time}"),
        None => text.to_owned(),
    }
}

/// The address of `HYPERLINK("mailto:…"; "text")`, whatever the program that wrote it puts around.
pub(super) fn formula_link(formula: &str) -> Option<String> {
    let upper = formula.to_ascii_uppercase();
    let begin = upper
        .find("HYPERLINK(")
        .filter(|at| !upper[..*at].contains(|c: char| c.is_ascii_alphanumeric() && c != 'O' && c != 'F'))?;
    let rest = formula[begin + "HYPERLINK(".len()..].trim_start();
    let (target, _) = rest.strip_prefix('"')?.split_once('"')?;
    Some(target.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn midnight_is_no_time_of_day() {
        assert_eq!(iso_moment("2021-09-01T00:00:00"), "2021-09-01");
        assert_eq!(iso_moment("2021-09-01T08:30:00"), "2021-09-01 08:30:00");
        assert_eq!(iso_moment("2021-09-01"), "2021-09-01");
    }

    #[test]
    fn a_link_made_by_a_formula_is_found() {
        for formula in [
            "HYPERLINK(\"mailto:a@m.example\",\"Write\")",
            "of:=HYPERLINK(\"mailto:a@m.example\";\"Write\")",
            "=hyperlink( \"mailto:a@m.example\")",
        ] {
            assert_eq!(formula_link(formula).as_deref(), Some("mailto:a@m.example"), "{formula}");
        }
        assert_eq!(formula_link("CONCATENATE(A1;HYPERLINK(\"x\"))"), None);
        assert_eq!(formula_link("HYPERLINK(A1)"), None);
    }
}
