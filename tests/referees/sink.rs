//! Postfix's `smtp-sink`: a server with a fault of our choice, which writes down every message that it received.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use tempfile::TempDir;

use crate::agreement::Held;
use crate::support::postfix::{free_port, speaks};
use crate::support::supervised::{Supervised, poll};
use crate::support::{missing_root, program};

/// A running sink; dropped, it stops and its folder goes.
pub(crate) struct Sink {
    // Dropped in this order.
    _server: Supervised,
    folder: TempDir,
    port: u16,
}

impl Sink {
    /// Starts it with these options.
    pub(crate) fn start(options: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("demarche-sink-").tempdir_in("/tmp").expect("/tmp can be written");
        // For the account that a sink started by root changes to.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).expect("our own folder");
        let port = free_port();
        let sink = program("smtp-sink").expect("installed").display().to_string();
        let dump = folder.path().join("letter.").display().to_string();
        let (address, log) = (format!("127.0.0.1:{port}"), folder.path().join("log"));
        let host = format!("sink-{port}.example");
        let account: &[&str] = if missing_root().is_none() { &["-u", "nobody"] } else { &[] };
        let command = [&[sink.as_str(), "-h", &host, "-d", &dump], account, options, &[&address, "100"]].concat();
        let server = Supervised::start(&command, &log);
        // A sink that hangs up on everyone does not greet: that it listens has to do.
        let greeting = if options.contains(&"connect") { String::new() } else { format!("220 {host}") };
        let up = poll(Duration::from_secs(30), || speaks(port, &greeting));
        assert!(up.is_some(), "smtp-sink did not come up\n{}", fs::read_to_string(&log).unwrap_or_default());
        Self { _server: server, folder, port }
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Every message of which it saw the end, once for each address that it had let through. What it answered after the dot
    /// is its option's, not the dump's.
    pub(crate) fn dumped(&self) -> Vec<Held> {
        let files =
            fs::read_dir(self.folder.path()).expect("our own folder").map(|entry| entry.expect("an entry").path());
        let letters = files.filter(|path| path.file_stem().is_some_and(|stem| stem == "letter"));
        let mut dumped = Vec::new();
        for stored in letters.map(|path| fs::read(path).expect("a dump")) {
            // An empty file is a transaction without a letter.
            if stored.is_empty() {
                continue;
            }
            let text = String::from_utf8(stored.clone()).expect("our letters are ASCII");
            let addresses = text.lines().filter_map(|line| line.strip_prefix("X-Rcpt-Args: <")?.split('>').next());
            dumped.extend(addresses.map(|address| Held::new(address, &stored)));
        }
        dumped
    }
}
