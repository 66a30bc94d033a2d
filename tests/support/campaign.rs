//! A campaign folder of its own for each test, and the real program run in it: no terminal, no user's settings.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use toml::{Table, Value};

use super::postfix::Postfix;

const LETTER: &str = "+++
subject = \"Open letter to {{ state.name }}\"
+++

{{ salutation() }}

Text for {{ state.running }}.
";

/// A campaign folder; it goes when dropped. What is not chosen is left out: no config, no letter, no recipients.
pub struct Campaign {
    folder: TempDir,
    stdin: String,
    environment: Vec<(String, String)>,
    spawned: usize,
}

/// How a run ended.
#[derive(Debug, Clone)]
pub struct Run {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What a script would read.
    pub stdout: String,
    /// What a person would read.
    pub stderr: String,
}

impl Run {
    /// This run again, if it ended so.
    ///
    /// # Panics
    /// When the code is another, with all that was printed.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Standard output as JSON.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in:\n{}", self.stdout))
    }
}

impl Campaign {
    /// An empty folder.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("demarche-campaign-").tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("home")).expect("our own folder");
        Self { folder, stdin: String::new(), environment: Vec::new(), spawned: 0 }
    }

    /// A folder with a letter in English, the first `count` shipped recipients, and a relay without TLS on `port`.
    pub fn small(port: u16, count: usize) -> Self {
        Self::new().config_for(port).letter().sample(count)
    }

    /// The whole config.
    pub fn config(self, toml: &str) -> Self {
        self.file("config.toml", toml)
    }

    /// A config for a relay on 127.0.0.1 without TLS and without login, in no hurry to wait.
    pub fn config_for(self, port: u16) -> Self {
        self.config(&format!(
            r#"[campaign]
id = "open-letter"
name = "An open letter"

[sender]
from = "Coalition Secretariat <letters@coalition.example>"
reply_to = "advocacy@coalition.example"

[recipients]
file = "recipients.csv"
audience = "any"

[letter]
templates = "templates"
default_language = "en"

[smtp]
host = "127.0.0.1"
port = {port}
security = "none"
connections = 2

[pace]
rate = "1000/s"
per_domain = "1000/s"

[retry]
linger = "0s"

[ledger]
file = "ledger.db"
"#
        ))
    }

    /// A config for a real relay: STARTTLS, its certificate authority (copied into the folder), its account.
    pub fn config_for_postfix(self, relay: &Postfix) -> Self {
        self.config_for_account(relay.port(), relay.ca_file(), relay.username(), relay.password())
    }

    /// The same for an account at any relay on loopback.
    pub fn config_for_account(self, port: u16, ca_file: &Path, username: &str, password: &str) -> Self {
        let authority = fs::read(ca_file).expect("the authority's certificate");
        self.config_for(port)
            .file("ca.pem", authority)
            .set("smtp.security", "\"starttls\"")
            .set("smtp.ca_file", "\"ca.pem\"")
            .set("smtp.username", &format!("{username:?}"))
            .set("smtp.password", "{ env = \"DEMARCHE_TEST_PASSWORD\" }")
            .env("DEMARCHE_TEST_PASSWORD", password)
    }

    /// One key of the config that is there, such as `pace.rate`, to a value written in TOML.
    ///
    /// # Panics
    /// When there is no config yet, or a table in the key's path is another kind of value.
    pub fn set(self, key: &str, toml: &str) -> Self {
        let mut config: Table = self.read("config.toml").parse().expect("the config is TOML");
        let mut parsed: Table = format!("value = {toml}").parse().expect("the value is TOML");
        let value = parsed.remove("value").expect("just written");
        let (tables, name) = key.rsplit_once('.').unwrap_or(("", key));
        let mut table = &mut config;
        for step in tables.split('.').filter(|step| !step.is_empty()) {
            let entry = table.entry(step).or_insert_with(|| Value::Table(Table::new()));
            table = entry.as_table_mut().expect("a table");
        }
        table.insert(name.to_owned(), value);
        self.config(&config.to_string())
    }

    /// The recipients file.
    pub fn recipients(self, csv: &str) -> Self {
        self.file("recipients.csv", csv)
    }

    /// The recipients file: the header and the first `count` rows of the one that ships.
    pub fn sample(self, count: usize) -> Self {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipients.csv");
        let text = fs::read_to_string(&shipped).expect("recipients.csv ships");
        assert!(text.lines().count() > count, "recipients.csv has fewer than {count} rows");
        let rows: String = text.split_inclusive('\n').take(count + 1).collect();
        self.recipients(&rows)
    }

    /// A file in `templates`.
    pub fn template(self, name: &str, text: &str) -> Self {
        self.file(&format!("templates/{name}"), text)
    }

    /// The smallest letter, in English.
    pub fn letter(self) -> Self {
        self.template("letter.en.md", LETTER)
    }

    /// Any file; its folders are made.
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("inside the folder")).expect("our own folder");
        fs::write(path, content).expect("our own folder");
        self
    }

    /// What is typed at the program; nothing is when this is not called.
    pub fn stdin(mut self, text: &str) -> Self {
        text.clone_into(&mut self.stdin);
        self
    }

    /// One more environment variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The path of a file in the folder, there or not.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The text of a file in the folder.
    ///
    /// # Panics
    /// When it is not there.
    #[track_caller]
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The program, not started yet, for what the other methods do not offer.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_demarche"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path("home"))
            .env("NO_COLOR", "1")
            .env("TERM", "dumb")
            .env("LANG", "C.UTF-8")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Run {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        if !self.stdin.is_empty() {
            command.stdin(Stdio::piped());
        }
        let mut child = command.spawn().expect("the program starts");
        if let Some(mut stdin) = child.stdin.take() {
            // A program that does not want to hear it has closed the pipe, which is its right.
            let _ = stdin.write_all(self.stdin.as_bytes());
        }
        let output = child.wait_with_output().expect("the program ends");
        let text = |bytes| String::from_utf8(bytes).expect("the program prints UTF-8");
        Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// The state of a row in `status --json`.
    ///
    /// # Panics
    /// When there is no such row.
    #[track_caller]
    pub fn state(&self, id: &str) -> String {
        let status = self.run(&["status", "--json"]).json();
        let mut rows = status["deliveries"].as_array().expect("deliveries").iter();
        let row = rows.find(|row| row["id"] == id).expect("the row");
        row["state"].as_str().expect("a state").to_owned()
    }

    /// Starts the program and returns, for tests that watch or kill it.
    pub fn spawn(&mut self, arguments: &[&str]) -> Running {
        self.spawned += 1;
        let [stdout, stderr] = ["stdout", "stderr"].map(|name| self.path(&format!("home/{}.{name}", self.spawned)));
        let create = |path| File::create(path).expect("our own folder");
        let child = self.command(arguments).stdout(create(&stdout)).stderr(create(&stderr)).spawn();
        Running { child: child.expect("the program starts"), stdout, stderr }
    }
}

/// The program while it runs; dropped, it is killed.
pub struct Running {
    child: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Running {
    /// Its process id.
    pub fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Standard output so far.
    pub fn stdout(&self) -> String {
        fs::read_to_string(&self.stdout).expect("our own file")
    }

    /// Standard error so far.
    pub fn stderr(&self) -> String {
        fs::read_to_string(&self.stderr).expect("our own file")
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("a child of ours").is_some()
    }

    /// Sends a signal by its name, such as `INT`.
    pub fn signal(&self, name: &str) {
        let id = self.process_id().to_string();
        let status = Command::new("sh").args(["-c", "kill -s \"$1\" \"$2\"", "kill", name, &id]).status();
        assert!(status.expect("sh starts").success(), "no process to signal");
    }

    /// Ends it without a warning (SIGKILL).
    pub fn kill(mut self) -> Run {
        self.child.kill().expect("a child of ours");
        self.wait()
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Run {
        let status = self.child.wait().expect("a child of ours");
        Run { code: status.code(), stdout: self.stdout(), stderr: self.stderr() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
