//! A real relay in a temporary folder: Postfix takes letters with STARTTLS and login (SASL by a Dovecot of its own) and
//! puts every one, whatever its address, into one maildir. Nothing leaves the machine, no file of the system is touched.

use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::authority::Authority;
use super::postfix_config::{Accounts, PASSWORD, USERNAME, hostname, make_folders, write_dovecot, write_postfix};
use super::supervised::{Supervised, poll};

const START: Duration = Duration::from_secs(30);
const DELIVERY: Duration = Duration::from_secs(60);
/// The folders of the queue in which letters wait.
const WAITING: [&str; 5] = ["active", "deferred", "hold", "incoming", "maildrop"];
/// What a test may ask of the relay.
#[derive(Debug, Default)]
pub struct PostfixOptions<'a> {
    /// Recipients that are not simply taken: the address (or domain) and the reply, such as `550 5.1.1 No such mailbox`.
    pub reject: &'a [(&'a str, &'a str)],
    /// More lines for `main.cf`; they win over ours.
    pub main_cf: &'a [&'a str],
}

/// A running relay; dropped, it stops and its folder goes.
pub struct Postfix {
    // Fields are dropped in this order: the servers before their folder.
    relay: Supervised,
    dovecot: Supervised,
    folder: TempDir,
    authority: Authority,
    port: u16,
    username: &'static str,
    password: &'static str,
}

impl Postfix {
    /// Starts Dovecot and Postfix and returns when a session can be opened.
    ///
    /// # Panics
    /// When a server does not come up, with the end of its log.
    pub fn start(options: &PostfixOptions) -> Self {
        // Not in TMPDIR: Postfix's account has to pass through, and socket paths have at most 107 bytes.
        let folder = tempfile::Builder::new().prefix("demarche-").tempdir_in("/tmp").expect("/tmp can be written");
        let root = folder.path();
        fs::set_permissions(root, Permissions::from_mode(0o755)).expect("our own folder");
        let accounts = Accounts::find();
        make_folders(root, &accounts);
        let authority = Authority::create(root);
        fs::set_permissions(&authority.key, Permissions::from_mode(0o600)).expect("our own file");

        let port = free_port();
        write_dovecot(root, &output("dovecot", &["--version"]));
        write_postfix(root, port, &authority, &accounts, options);

        let dovecot_config = root.join("dovecot.conf");
        let dovecot = Supervised::start(&[&path_of("dovecot"), "-F", "-c", text(&dovecot_config)], &root.join("log"));
        ready("Dovecot", root, || dovecot_speaks(&root.join("queue/private/auth")));

        let master = format!("{}/master", output("postconf", &["-dh", "daemon_directory"]));
        let relay = Supervised::start(&[&master, "-d", "-c", text(&root.join("postfix"))], &root.join("log"));
        ready("Postfix", root, || speaks(port, &format!("220 {}", hostname(port))));
        Self { relay, dovecot, folder, authority, port, username: USERNAME, password: PASSWORD }
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificate authority that a client has to trust.
    pub fn ca_file(&self) -> &Path {
        &self.authority.ca
    }

    /// The only account's name.
    pub fn username(&self) -> &str {
        self.username
    }

    /// Its password.
    pub fn password(&self) -> &str {
        self.password
    }

    /// Where every letter lands: one copy for each recipient, with `X-Original-To` and `Delivered-To` added.
    pub fn maildir(&self) -> PathBuf {
        self.folder.path().join("mail/all")
    }

    /// Every letter delivered so far, oldest first, with the line ends of a maildir (LF).
    pub fn letters(&self) -> Vec<Vec<u8>> {
        let mut letters: Vec<(SystemTime, PathBuf)> = Vec::new();
        // Postfix makes the folder with the first letter.
        for entry in fs::read_dir(self.maildir().join("new")).into_iter().flatten() {
            let entry = entry.expect("an entry");
            letters.push((entry.metadata().and_then(|it| it.modified()).expect("a time"), entry.path()));
        }
        letters.sort();
        letters.into_iter().map(|(_, path)| fs::read(path).expect("a letter")).collect()
    }

    /// Waits until `count` letters have landed, and returns them.
    ///
    /// # Panics
    /// When a minute is not enough, with the end of the log.
    pub fn wait_for(&self, count: usize) -> Vec<Vec<u8>> {
        let letters = poll(DELIVERY, || Some(self.letters()).filter(|letters| letters.len() >= count));
        letters.unwrap_or_else(|| panic!("{} of {count} letters landed\n{}", self.letters().len(), self.log()))
    }

    /// What both servers logged.
    pub fn log(&self) -> String {
        read_log(self.folder.path())
    }

    /// Whether Postfix has nothing left to deliver.
    pub fn queue_is_empty(&self) -> bool {
        let queue = self.folder.path().join("queue");
        WAITING.iter().all(|name| count_files(&queue.join(name)) == 0)
    }

    /// The sessions that hold all processes of Postfix and of Dovecot.
    pub fn sessions(&self) -> [u32; 2] {
        [self.relay.session(), self.dovecot.session()]
    }
}

/// The installed Postfix's version.
pub fn version() -> String {
    output("postconf", &["-dh", "mail_version"])
}

/// A port on loopback that nobody listens on now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback");
    listener.local_addr().expect("a bound socket").port()
}

fn dovecot_speaks(socket: &Path) -> Option<()> {
    let stream = UnixStream::connect(socket).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    first_line(stream)?.starts_with("VERSION").then_some(())
}

/// Whether what listens on a port of 127.0.0.1 greets in these words.
pub fn speaks(port: u16, greeting: &str) -> Option<()> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    first_line(stream)?.starts_with(greeting).then_some(())
}

fn first_line(stream: impl Read) -> Option<String> {
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).ok()?;
    Some(line)
}

fn ready(server: &str, root: &Path, speaks: impl FnMut() -> Option<()>) {
    assert!(poll(START, speaks).is_some(), "{server} did not come up\n{}", read_log(root));
}

fn read_log(root: &Path) -> String {
    fs::read(root.join("log")).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
}

/// What a program prints, trimmed.
fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(path_of(program)).args(arguments).output().expect("the program starts");
    String::from_utf8(output.stdout).expect("plain text").trim().to_owned()
}

fn path_of(program: &str) -> String {
    text(&super::program(program).unwrap_or_else(|| panic!("{program} is installed"))).to_owned()
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("the folder's name is ours")
}

fn count_files(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| if entry.path().is_dir() { count_files(&entry.path()) } else { 1 }).sum()
}
