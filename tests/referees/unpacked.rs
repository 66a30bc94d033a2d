//! Servers that cannot be installed beside Postfix, from `target/servers` (`scripts/unpack-servers` fills it): each runs in a
//! root folder of its own, with accounts of its own, and sees nothing of the system.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::support::authority::Authority;
use crate::support::supervised::Supervised;

/// Accounts' numbers in the servers' own files, beyond those that systems give away.
const FIRST_ACCOUNT: u32 = 59_901;

fn place() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/servers")
}

/// Whether `program` was unpacked and can be started here for the test called `what`; if not, the test is left out aloud, or
/// fails where everything has to run.
///
/// # Panics
/// As [`crate::support::all_here_or_skip`].
pub(crate) fn here_or_skip(what: &str, server: &str, program: &str) -> bool {
    let mut missing = Vec::new();
    if !place().join("root").join(program).exists() {
        missing.push("target/servers (scripts/unpack-servers fills it)");
    }
    // chroot(2), and the servers' change to accounts of their own.
    missing.extend(crate::support::missing_root());
    crate::support::all_here_or_skip(what, server, &missing)
}

/// A package's name and version, such as `exim4-daemon-light 4.96-15`.
pub(crate) fn version(package: &str) -> String {
    let versions = fs::read_to_string(place().join("versions")).expect("scripts/unpack-servers writes it");
    versions.lines().find(|line| line.split(' ').next() == Some(package)).expect("unpacked").to_owned()
}

/// A root folder for one server; it goes when dropped.
pub(crate) struct Root {
    folder: TempDir,
    accounts: &'static [&'static str],
}

impl Root {
    /// All that was unpacked, and accounts of these names.
    pub(crate) fn new(accounts: &'static [&'static str]) -> Self {
        let folder = tempfile::Builder::new().prefix("servers-").tempdir_in(place()).expect("our own folder");
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).expect("our own folder");
        // Names for the same files: the servers do not write to their programs.
        let copied = Command::new("cp").args(["-al", "--"]).arg(place().join("root/.")).arg(folder.path()).status();
        assert!(copied.expect("cp starts").success(), "the servers' files can be linked");
        let this = Self { folder, accounts };
        let (mut users, mut groups) = ("root:x:0:0::/:/bin/false\n".to_owned(), "root:x:0:\n".to_owned());
        for name in accounts {
            let id = this.id(name);
            writeln!(users, "{name}:x:{id}:{id}::/nowhere:/bin/false").expect("a string");
            writeln!(groups, "{name}:x:{id}:").expect("a string");
        }
        this.write("etc/passwd", &users);
        this.write("etc/group", &groups);
        // No device can be made without more rights; a file that everyone may write to serves as well.
        this.write("dev/null", "");
        fs::set_permissions(this.path("dev/null"), Permissions::from_mode(0o666)).expect("our own file");
        this.folder("tmp", None);
        fs::set_permissions(this.path("tmp"), Permissions::from_mode(0o1777)).expect("our own folder");
        this
    }

    fn id(&self, account: &str) -> u32 {
        let index = self.accounts.iter().position(|name| *name == account).expect("an account of this root");
        FIRST_ACCOUNT + u32::try_from(index).expect("few accounts")
    }

    /// A path in the root, seen from outside.
    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside)
    }

    /// A folder, and whose it is.
    pub(crate) fn folder(&self, inside: &str, owner: Option<&str>) {
        fs::create_dir_all(self.path(inside)).expect("our own folder");
        if let Some(owner) = owner {
            self.give(inside, owner);
        }
    }

    /// Gives a file or folder to an account.
    pub(crate) fn give(&self, inside: &str, owner: &str) {
        chown(self.path(inside), Some(self.id(owner)), Some(self.id(owner))).expect("root may give files away");
    }

    /// A file that the server reads. What was unpacked in its place stays as it is.
    pub(crate) fn write(&self, inside: &str, text: &str) {
        let path = self.path(inside);
        fs::create_dir_all(path.parent().expect("in the root")).expect("our own folder");
        // The name goes, not the content that other roots share.
        let _ = fs::remove_file(&path);
        fs::write(path, text).expect("our own folder");
    }

    /// A certificate for localhost at `/tls/server.pem`, its key at `/tls/server.key`.
    pub(crate) fn certify(&self) -> Authority {
        self.folder("tls", None);
        let authority = Authority::create(&self.path("tls"));
        for file in [&authority.certificate, &authority.key] {
            fs::set_permissions(file, Permissions::from_mode(0o600)).expect("our own file");
        }
        authority
    }

    /// Starts a server in this root, in the foreground, with its output in `/log`.
    pub(crate) fn start(&self, command: &[&str]) -> Supervised {
        let root = self.folder.path().to_str().expect("the folder's name is ours");
        Supervised::start(&[&["chroot", root], command].concat(), &self.path("log"))
    }

    /// What the server printed.
    pub(crate) fn log(&self) -> String {
        let log = fs::read(self.path("log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// How many processes run in this root.
    pub(crate) fn processes(&self) -> usize {
        processes_in(self.folder.path())
    }
}

/// How many processes have this folder as their root.
pub(crate) fn processes_in(root: &Path) -> usize {
    let entries = fs::read_dir("/proc").expect("proc is mounted").flatten();
    entries.filter(|entry| fs::read_link(entry.path().join("root")).is_ok_and(|it| it == root)).count()
}
