//! The house rule: floors import downwards only, and rooms of one floor do not import each other.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room and its floor. A new module must be given a place here.
const ROOMS: [(&str, u8); 19] = [
    ("main", 5),
    ("commands", 4),
    ("compose", 3),
    ("dispatch", 3),
    ("config", 2),
    ("roster", 2),
    ("letter", 2),
    ("ledger", 2),
    ("smtp", 2),
    ("dns", 2),
    ("preview", 2),
    ("report", 2),
    ("evidence", 2),
    ("postbox", 2),
    ("domain", 1),
    ("diagnostic", 1),
    ("clock", 1),
    ("inside", 1),
    ("cli", 1),
];

/// The one import allowed within a floor: a problem is drawn with what `domain` knows of control characters.
const WITHIN_FLOOR_ONE: [(&str, &str); 1] = [("diagnostic", "domain")];

fn source_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("the source folder is readable") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files.extend(source_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn room_of(path: &Path, source: &Path) -> String {
    let relative = path.strip_prefix(source).expect("under src");
    let first = relative.components().next().expect("a name").as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// The rooms that a file names: `crate::room` anywhere, groups `crate::{a, b}` included, and in the binary `demarche::room`.
fn named_rooms(text: &str) -> Vec<String> {
    let mut named = Vec::new();
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    for prefix in ["crate::", "demarche::"] {
        for (at, _) in code.match_indices(prefix) {
            let rest = &code[at + prefix.len()..];
            if let Some(group) = rest.strip_prefix('{') {
                let mut depth = 1;
                let mut word = String::new();
                let mut at_head = true;
                for c in group.chars() {
                    match c {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        ',' if depth == 1 => at_head = true,
                        c if depth == 1 && at_head && (c.is_alphanumeric() || c == '_') => word.push(c),
                        ':' if depth == 1 => at_head = false,
                        _ => {}
                    }
                    let in_word = c.is_alphanumeric() || c == '_';
                    if !word.is_empty() && !in_word {
                        named.push(std::mem::take(&mut word));
                        at_head = c == ',';
                    }
                    if depth == 0 {
                        break;
                    }
                }
            } else {
                named.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
            }
        }
    }
    named
}

#[test]
fn floors_import_downwards_only_and_rooms_of_one_floor_do_not_import_each_other() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let floors: BTreeMap<&str, u8> = ROOMS.into_iter().collect();
    let mut wrong = Vec::new();
    for path in source_files(&source) {
        let room = room_of(&path, &source);
        if room == "lib" {
            continue;
        }
        let Some(floor) = floors.get(room.as_str()) else {
            wrong.push(format!("{room} has no floor: give it one in tests/house.rs and in ARCHITECTURE.md"));
            continue;
        };
        for named in named_rooms(&fs::read_to_string(&path).expect("readable")) {
            let Some(other) = floors.get(named.as_str()) else { continue };
            let allowed = named == room || other < floor || WITHIN_FLOOR_ONE.contains(&(room.as_str(), named.as_str()));
            if !allowed {
                wrong.push(format!("{} imports {named}", path.strip_prefix(&source).expect("under src").display()));
            }
        }
    }
    assert!(wrong.is_empty(), "the house rule is broken:\n{}", wrong.join("\n"));
}

#[test]
fn the_house_test_sees_imports_in_groups_and_paths() {
    let text = "use crate::{domain::{a, b}, ledger::Ledger};\nfn f() { crate::smtp::x() }\n// crate::roster\n";
    assert_eq!(named_rooms(text), ["domain", "ledger", "smtp"]);
}
