//! Python's `email` and `smtplib`: a second opinion on our messages, and a second client for the relay.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

/// What Python made of one message.
#[derive(Debug, Clone, Deserialize)]
pub struct Inspected {
    /// The file's name.
    pub file: String,
    /// Everything Python objects to in headers and parts, and headers that are missing or there twice.
    pub defects: Vec<String>,
    /// Decoded, like all that follow.
    pub subject: Option<String>,
    /// Each as `Name <local@domain>` or `local@domain`.
    pub from: Vec<String>,
    /// As `from`.
    pub to: Vec<String>,
    /// As `from`.
    pub cc: Vec<String>,
    /// As `from`.
    pub reply_to: Vec<String>,
    /// With its angle brackets.
    pub message_id: Option<String>,
    /// As written in the header.
    pub date: Option<String>,
    /// `X-Demarche-Delivery`.
    pub delivery: Option<String>,
    /// `Content-Language`.
    pub content_language: Option<String>,
    /// `X-Original-To`: the envelope's recipient, added by Postfix.
    pub original_to: Option<String>,
    /// The message itself and its parts, depth first.
    pub parts: Vec<Part>,
    /// In bytes, without the line end; RFC 5322 allows 998.
    pub longest_line: usize,
    /// How many CR stand without LF.
    pub bare_cr: usize,
    /// How many LF stand without CR: none in an `.eml`, all of them in a maildir.
    pub bare_lf: usize,
}

impl Inspected {
    /// The text of the first part of this content type.
    pub fn text(&self, content_type: &str) -> Option<&str> {
        self.parts.iter().find(|part| part.content_type == content_type)?.text.as_deref()
    }
}

/// One part of a message.
#[derive(Debug, Clone, Deserialize)]
pub struct Part {
    /// Such as `text/plain`.
    pub content_type: String,
    /// Such as `utf-8`.
    pub charset: Option<String>,
    /// `inline` or `attachment`.
    pub disposition: Option<String>,
    /// An attachment's name.
    pub filename: Option<String>,
    /// Such as `base64`.
    pub transfer_encoding: Option<String>,
    /// Decoded, for text parts.
    pub text: Option<String>,
    /// Decoded, in bytes; none for a multipart.
    pub size: Option<usize>,
}

/// Reads every message in a folder of files or a maildir, sorted by path.
///
/// # Panics
/// When Python is missing or cannot read the folder.
pub fn inspect(folder: &Path) -> Vec<Inspected> {
    parse(&run("check_mail.py", &[folder.as_os_str()], b""))
}

/// Letters to hand to a relay on 127.0.0.1, and how to get in.
#[derive(Debug, Clone, Serialize)]
pub struct Submission<'a> {
    /// The relay's port.
    pub port: u16,
    /// Whom to trust.
    pub ca_file: &'a Path,
    /// The account.
    pub username: &'a str,
    /// Its password.
    pub password: &'a str,
    /// In this order, in one session.
    pub letters: Vec<Submitted<'a>>,
}

/// One letter to hand over.
#[derive(Debug, Clone, Serialize)]
pub struct Submitted<'a> {
    /// The envelope's sender.
    pub sender: &'a str,
    /// The envelope's recipients.
    pub recipients: Vec<&'a str>,
    /// The whole message.
    pub message: &'a str,
}

/// What the relay said.
#[derive(Debug, Clone, Deserialize)]
pub struct Submittal {
    /// To the login.
    pub login: Said,
    /// To each letter: the first refusal, else 250.
    pub letters: Vec<Said>,
}

/// One reply.
#[derive(Debug, Clone, Deserialize)]
pub struct Said {
    /// Three digits.
    pub code: u16,
    /// The text after them, the enhanced status code included.
    pub text: String,
}

/// Hands letters over with Python's `smtplib`.
///
/// # Panics
/// When Python is missing, or the session breaks before the login or later other than by a reply.
pub fn submit(submission: &Submission) -> Submittal {
    let order = serde_json::to_vec(submission).expect("plain data");
    parse(&run("submit.py", &[], &order))
}

fn parse<T: for<'a> Deserialize<'a>>(json: &[u8]) -> T {
    serde_json::from_slice(json).expect("the script keeps its shape")
}

fn run(script: &str, arguments: &[&OsStr], stdin: &[u8]) -> Vec<u8> {
    let mut child = Command::new("python3")
        .arg("-I")
        .arg(super::beside(script))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python3 starts");
    child.stdin.take().expect("a pipe").write_all(stdin).expect("the script reads");
    let output = child.wait_with_output().expect("the script ends");
    assert!(output.status.success(), "{script} failed:\n{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}
