//! The config file on the disk, and the password that may stand in it.

use std::fs;
use std::path::Path;

use demarche::config::{parse, read};
use jiff::Timestamp;

const CANARY: &str = "hunter2canary";

fn now() -> Timestamp {
    "2026-11-23T00:00:00Z".parse().expect("a timestamp")
}

const LEAST: &str = "[campaign]\nid = \"c\"\nname = \"C\"\n[sender]\nfrom = \"a@real.ngo\"\n";

#[test]
fn a_config_that_is_not_there_is_told_with_the_way_to_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let (config, problems) = read(&folder.path().join("config.toml"), now());
    assert!(config.is_none());
    assert_eq!(problems[0].code, "config-missing");
    assert!(problems[0].help.as_ref().is_some_and(|help| help.contains("demarche init") && help.contains("--config")));
    let (config, problems) = read(folder.path(), now());
    assert!(config.is_none());
    assert_eq!(problems[0].code, "config-unreadable");
}

#[test]
fn the_campaign_folder_is_that_of_the_file_and_a_byte_order_mark_does_not_matter() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config.toml");
    fs::write(&path, format!("\u{feff}{LEAST}")).expect("written");
    let (config, problems) = read(&path, now());
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(config.expect("valid").folder, folder.path().canonicalize().expect("a folder"));
}

#[test]
fn a_file_that_is_no_text_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config.toml");
    fs::write(&path, b"[campaign]\nname = \"caf\xe9\"\n").expect("written");
    let problems = read(&path, now()).1;
    assert_eq!((problems[0].code, problems[0].place.as_ref().map(|place| place.line)), ("config-not-utf8", Some(2)));
    fs::write(&path, vec![b'#'; 1024 * 1024 + 1]).expect("written");
    assert_eq!(read(&path, now()).1[0].code, "config-too-large");
}

#[cfg(unix)]
#[test]
fn a_password_in_a_file_that_everybody_can_read_is_an_error() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config.toml");
    fs::write(&path, format!("{LEAST}[smtp]\nusername = \"a@real.ngo\"\npassword = \"{CANARY}\"\n")).expect("written");
    for (mode, code, valid) in [(0o644, "password-exposed", false), (0o600, "password-inline", true)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("set");
        let (config, problems) = read(&path, now());
        assert_eq!((config.is_some(), problems.len(), problems[0].code), (valid, 1, code), "{mode:o}");
        assert!(!format!("{config:?}{problems:?}").contains(CANARY));
    }
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_out_of_the_folder_is_an_error() {
    let outside = tempfile::tempdir().expect("a folder");
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(outside.path().join("list.csv"), "to\n").expect("written");
    std::os::unix::fs::symlink(outside.path().join("list.csv"), folder.path().join("list.csv")).expect("linked");
    let path = folder.path().join("config.toml");
    fs::write(&path, format!("{LEAST}[recipients]\nfile = \"list.csv\"\n")).expect("written");
    let problems = read(&path, now()).1;
    assert_eq!(problems[0].code, "path-outside");
    assert!(problems[0].message.contains("link"));
}

/// Ways to write a password into the config, some of them wrong; `@` stands for the secret.
const WAYS: [&str; 22] = [
    "password = \"@\"",
    "password = \"@",
    "password = @",
    "password = '@' x",
    "password = \"\"\"\n@\n",
    "password = \"\"\"\n@\n\"\"\"",
    "password =\n\"@\"",
    "password =\n@ = 5",
    "pasword = \"@\"",
    "Password = \"@\"",
    "pass = \"@\"",
    "passwort = \"@",
    "password = [\"@\"]",
    "password = { value = \"@\" }",
    "password = { env = \"@ x\" ",
    "password = { inline = \"@\", env = 5 }",
    "host = \"smtps://me:@{at}real.ngo\"",
    "login = \"@\"",
    "[smtp.password]\nvalue = \"@\"",
    "[smtp.password]\nvalue = \"@",
    "timeouts = 5\npassword.value = \"@\"",
    "[smtp]\npassword = \"@\"\n[smtp]\npassword = \"@\"",
];

#[test]
fn a_secret_is_never_shown_however_wrong_its_line_is() {
    for way in WAYS {
        let lines = way.replace('@', CANARY).replace("{at}", "@");
        let (config, problems) =
            parse(&format!("{LEAST}[smtp]\n{lines}\n"), "config.toml", Path::new("/nowhere"), now());
        assert!(!problems.is_empty(), "{way}");
        for problem in &problems {
            let shown = format!("{}{}{problem:?}", problem.render(true), problem.to_json());
            assert!(!shown.contains(CANARY), "{way}:\n{}", problem.render(false));
        }
        assert!(!format!("{config:?}").contains(CANARY));
    }
    let inline =
        format!("smtp = {{ host = \"not a host\", port = \"x\", username = \"u\", password = \"{CANARY}\" }}\n{LEAST}");
    let problems = parse(&inline, "config.toml", Path::new("/nowhere"), now()).1;
    assert!(problems.len() >= 3 && !format!("{problems:?}").contains(CANARY), "{problems:?}");
}

/// The ways to damage: of the others the key does not name a password, or the secret is the key.
fn ways_by_name() -> Vec<&'static str> {
    WAYS.into_iter().filter(|way| !way.contains("://") && !way.starts_with("login") && !way.contains("@ = ")).collect()
}

proptest::proptest! {
    #[test]
    fn no_damage_to_the_value_shows_the_secret(
        way in proptest::sample::select(ways_by_name()), cut in 0usize..40, junk in "[\\[\\]{}=,\"'\\\\ #]{0,3}"
    ) {
        let at = (way.find('=').map_or(0, |at| at + 1) + cut).min(way.len());
        let damaged = format!("{}{junk}{}", &way[..at], &way[at..]).replace('@', CANARY);
        let (_, problems) = parse(&format!("{LEAST}[smtp]\n{damaged}\n"), "config.toml", Path::new("/nowhere"), now());
        for problem in problems {
            proptest::prop_assert!(!problem.render(false).contains(CANARY), "{}", problem.render(false));
        }
    }
}
