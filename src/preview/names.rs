//! The names of a preview's files: safe on every system, so that the folder can be handed on in a zip.

use crate::domain::recipient::RecipientId;

/// What Windows takes for a device, whatever follows a dot.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// How many characters of an id stand before its first dot, if Windows takes them for a device.
fn device(id: &str) -> Option<usize> {
    let word = id.split('.').next().unwrap_or(id).to_ascii_lowercase();
    let port = word.strip_prefix("com").or_else(|| word.strip_prefix("lpt"));
    let is_port = port.is_some_and(|number| number.len() == 1 && number.bytes().all(|digit| digit.is_ascii_digit()));
    (is_port || DEVICES.contains(&word.as_str())).then_some(word.len())
}

/// The name of a row's files without what follows the last dot: its id, with a `~`, which no id has, behind a device's name.
pub(super) fn stem(id: &str) -> String {
    device(id).map_or_else(|| id.to_owned(), |end| format!("{}~{}", &id[..end], &id[end..]))
}

/// True for what [`stem`] makes of an id.
pub(super) fn is_stem(name: &str) -> bool {
    let id = name.replacen('~', "", 1);
    RecipientId::parse(&id).is_ok_and(|read| read.as_str() == id) && stem(&id) == name
}

/// The file that holds the letter as it is sent.
pub(super) fn eml(id: &str) -> String {
    format!("{}.eml", stem(id))
}

/// The page that shows it.
pub(super) fn page(id: &str) -> String {
    format!("{}/{}.html", super::folder::LETTERS, stem(id))
}

/// A page of the list, from 1.
pub(super) fn list(number: usize) -> String {
    if number == 1 { super::folder::INDEX.to_owned() } else { format!("list-{number}.html") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_its_files_unless_windows_would_take_it_for_a_device() {
        for (id, expected) in [
            ("KEN", "KEN"),
            ("CON", "CON~"),
            ("aux.txt", "aux~.txt"),
            ("Nul..", "Nul~.."),
            ("com1", "com1~"),
            ("LPT9.a", "LPT9~.a"),
            ("COM", "COM"),
            ("com10", "com10"),
            ("console", "console"),
            ("a.", "a."),
        ] {
            assert_eq!(stem(id), expected);
            assert!(is_stem(expected), "{expected}");
        }
        for name in ["KEN~", "~", "con", "../con~", "con~~", "a/b", ".x"] {
            assert!(!is_stem(name), "{name}");
        }
    }
}
