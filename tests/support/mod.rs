//! What integration tests share: campaign folders, real mail servers, a second reader of messages.
#![allow(dead_code, unreachable_pub, reason = "each test file takes what it needs of this module")]

pub mod authority;
pub mod campaign;
pub mod clock;
pub mod dns;
pub mod postfix;
mod postfix_config;
pub mod python;
pub mod server;
pub mod supervised;

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Whether the mail servers and Python are here for the test called `what`. If not, the test is left out aloud: or it
/// fails, when `DEMARCHE_TEST_SERVERS=require` says that everything has to run (as `scripts/test` does).
///
/// # Panics
/// When something is missing and everything has to run.
pub fn real_servers_or_skip(what: &str) -> bool {
    let mut missing = missing_programs(&["postconf", "dovecot", "python3"]);
    // Postfix's master starts as root only, and hands its queue to its own account.
    missing.extend(missing_root());
    all_here_or_skip(what, "Postfix", &missing)
}

/// The same for tests that need Python alone, which runs for everyone.
///
/// # Panics
/// When it is missing and everything has to run.
pub fn python_or_skip(what: &str) -> bool {
    all_here_or_skip(what, "Python", &missing_programs(&["python3"]))
}

/// What is missing where servers cannot change to accounts of their own.
pub fn missing_root() -> Option<&'static str> {
    (!is_root()).then_some("root (scripts/test makes a user namespace for it)")
}

/// The same for tests that need a browser; there `DEMARCHE_TEST_BROWSER=require` says that they have to run.
///
/// # Panics
/// When it is missing and has to be there.
pub fn browser_or_skip(what: &str) -> bool {
    let missing = missing_programs(&["chromium", "chromedriver"]);
    if !missing.is_empty() {
        left_out(what, &format!("Chromium (missing {})", missing.join(", ")));
    }
    missing.is_empty()
}

/// Says that a test of pages is left out for want of something.
///
/// # Panics
/// When it has to run.
pub fn left_out(what: &str, need: &str) {
    assert!(env::var_os("DEMARCHE_TEST_BROWSER").is_none_or(|it| it != "require"), "{what} needs {need}");
    #[expect(clippy::print_stderr, reason = "a test that is left out says so")]
    {
        eprintln!("left out: {what} needs {need}");
    }
}

fn missing_programs<'a>(names: &[&'a str]) -> Vec<&'a str> {
    names.iter().copied().filter(|name| program(name).is_none()).collect()
}

/// Whether nothing is missing for the test called `what`; if not, it is left out aloud, or fails where everything has to run.
///
/// # Panics
/// When something is missing and everything has to run.
pub fn all_here_or_skip(what: &str, need: &str, missing: &[&str]) -> bool {
    if missing.is_empty() {
        return true;
    }
    let missing = missing.join(", ");
    assert!(
        env::var_os("DEMARCHE_TEST_SERVERS").is_none_or(|it| it != "require"),
        "{what} needs {need}: missing {missing}"
    );
    #[expect(clippy::print_stderr, reason = "a test that is left out says so")]
    {
        eprintln!("left out: {what} needs {need} (missing {missing})");
    }
    false
}

/// The path of a program, also from the folders for servers that an ordinary user's PATH leaves out.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}

fn is_root() -> bool {
    id("-u", None) == Some(0)
}

/// The number that `id OPTION [ACCOUNT]` prints.
fn id(option: &str, account: Option<&str>) -> Option<u32> {
    let output = Command::new("id").arg(option).args(account).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// A file beside this one.
fn beside(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support").join(name)
}
