//! Reads the password from where the config says it is. No message from here holds it.

use std::ffi::OsString;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

use secrecy::{ExposeSecret, SecretString};

use crate::domain::outcome::Trouble;
use crate::domain::relay::PasswordSource;

/// More than any password, and than whatever stands below it in its file.
const MOST_BYTES: u64 = 64 * 1024;

/// The password: the first line of what the source gives.
///
/// # Errors
/// [`Trouble::Credentials`] with what to mend. A command may ask a person something, so it has no deadline.
pub(super) async fn read(source: &PasswordSource) -> Result<SecretString, Trouble> {
    let source = source.clone();
    let reading = tokio::task::spawn_blocking(move || read_blocking(&source)).await;
    reading.unwrap_or_else(|_| Err("the password could not be read".to_owned())).map_err(Trouble::Credentials)
}

fn read_blocking(source: &PasswordSource) -> Result<SecretString, String> {
    match source {
        PasswordSource::Command(words) => of_command(words),
        PasswordSource::Env(name) => match std::env::var_os(name) {
            Some(value) => first_line(os_bytes(value), &format!("the environment variable {name}")),
            None => Err(format!("the environment variable {name} is not set; the password is expected there")),
        },
        PasswordSource::File(path) => of_file(path),
        PasswordSource::Inline(secret) => checked(secret.clone(), "the config"),
    }
}

fn of_command(words: &[String]) -> Result<SecretString, String> {
    let Some((program, arguments)) = words.split_first() else {
        return Err("the password command is empty; give the program and its arguments".to_owned());
    };
    // Only the program's name is told: an argument may be a secret, and so may what it printed.
    let what = format!("the password command {program}");
    // Our input may hold answers meant for us; a command that asks a person does so at the terminal.
    let child = Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = child.map_err(|error| format!("{what} cannot be run: {error}"))?;
    // The pipe is closed at the end of the reading: a command that goes on writing is ended by that.
    let printed = child.stdout.take().map_or_else(|| Ok(Vec::new()), |stdout| capped(stdout, &what));
    let status = child.wait().map_err(|error| format!("{what} cannot be waited for: {error}"))?;
    let printed = printed?;
    if !status.success() {
        return Err(format!("{what} failed with {status}"));
    }
    first_line(printed, &what)
}

fn of_file(path: &Path) -> Result<SecretString, String> {
    let what = format!("the password file {}", path.display());
    let file = std::fs::File::open(path).map_err(|error| format!("{what} cannot be read: {error}"))?;
    first_line(capped(file, &what)?, &what)
}

/// All of a source that is no longer than [`MOST_BYTES`]: a device never ends.
fn capped(source: impl Read, what: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let read = source.take(MOST_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("{what} cannot be read: {error}"))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(format!("{what} gives something longer than {} kB, which no password is", MOST_BYTES / 1_000));
    }
    Ok(bytes)
}

fn first_line(bytes: Vec<u8>, what: &str) -> Result<SecretString, String> {
    let text = String::from_utf8(bytes).map_err(|_| format!("{what} does not give UTF-8 text"))?;
    let text = SecretString::from(text);
    let line = text.expose_secret().lines().next().unwrap_or_default().to_owned();
    checked(SecretString::from(line), what)
}

fn checked(secret: SecretString, what: &str) -> Result<SecretString, String> {
    if secret.expose_secret().is_empty() {
        return Err(format!("{what} gives an empty password"));
    }
    // NUL separates the parts of PLAIN (RFC 4616 §2).
    if secret.expose_secret().contains('\0') {
        return Err(format!("{what} gives a password with a NUL character, which SMTP cannot carry"));
    }
    Ok(secret)
}

#[cfg(unix)]
fn os_bytes(value: OsString) -> Vec<u8> {
    std::os::unix::ffi::OsStringExt::into_vec(value)
}

#[cfg(not(unix))]
fn os_bytes(value: OsString) -> Vec<u8> {
    value.into_string().map(String::into_bytes).unwrap_or_else(|_| vec![0xff])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(source: &PasswordSource) -> Result<String, String> {
        read_blocking(source).map(|secret| secret.expose_secret().to_owned())
    }

    #[test]
    fn the_first_line_is_the_password_and_its_line_end_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("password");
        std::fs::write(&path, "p w \r\nsecond\n").expect("written");
        assert_eq!(read(&PasswordSource::File(path)), Ok("p w ".to_owned()));
    }

    #[cfg(unix)]
    #[test]
    fn a_command_that_fails_tells_neither_its_arguments_nor_its_output() {
        let words = ["sh", "-c", "echo hunter2; exit 3"].map(str::to_owned).to_vec();
        let told = read(&PasswordSource::Command(words)).expect_err("a failure");
        assert!(told.contains("sh") && told.contains('3'), "{told}");
        assert!(!told.contains("hunter2"), "{told}");
        let words = ["sh", "-c", "echo hunter2; echo more"].map(str::to_owned).to_vec();
        assert_eq!(read(&PasswordSource::Command(words)), Ok("hunter2".to_owned()));
    }

    #[test]
    fn nothing_is_no_password() {
        assert!(read(&PasswordSource::Command(Vec::new())).is_err());
        assert!(read(&PasswordSource::Inline(SecretString::from(""))).is_err());
        assert!(read(&PasswordSource::Inline(SecretString::from("a\0b"))).is_err());
        assert!(read(&PasswordSource::Env("DEMARCHE_NO_SUCH_VARIABLE".to_owned())).is_err());
        assert!(read(&PasswordSource::File("/nonexistent/password".into())).is_err());
    }
}
