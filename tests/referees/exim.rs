//! Exim, with PIPELINING and CHUNKING, which closes the session on a client that speaks out of turn: delivers to a maildir.

use std::fs;
use std::time::Duration;

use crate::agreement::{Held, header};
use crate::batch::{DOMAIN, LATER, SIZE, UNKNOWN};
use crate::relay::{PASSWORD, Relay, USERNAME};
use crate::support::authority::Authority;
use crate::support::campaign::Campaign;
use crate::support::postfix::{free_port, speaks};
use crate::support::supervised::{Supervised, poll};
use crate::unpacked::Root;

/// The account that Debian's Exim takes.
const ACCOUNT: &str = "Debian-exim";
const SPOOL: &str = "var/spool/exim4";

/// A running server; dropped, it stops and its folder goes.
pub(crate) struct Exim {
    // Dropped in this order.
    _server: Supervised,
    root: Root,
    authority: Authority,
    port: u16,
}

impl Exim {
    pub(crate) fn start() -> Self {
        let root = Root::new(&[ACCOUNT]);
        for folder in [SPOOL, "run/exim4", "mail"] {
            root.folder(folder, Some(ACCOUNT));
        }
        let authority = root.certify();
        root.give("tls/server.key", ACCOUNT);
        root.give("tls/server.pem", ACCOUNT);
        let port = free_port();
        root.write("etc/exim4/exim4.conf", &config(port));
        let server = root.start(&["/usr/sbin/exim4", "-bdf"]);
        let up = poll(Duration::from_secs(30), || speaks(port, &format!("220 relay-{port}.example")));
        let this = Self { _server: server, root, authority, port };
        assert!(up.is_some(), "Exim did not come up\n{}", this.log());
        this
    }

    /// Where it runs.
    pub(crate) fn root(&self) -> &Root {
        &self.root
    }
}

fn config(port: u16) -> String {
    format!(
        "primary_hostname = relay-{port}.example
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
pid_file_path = /{SPOOL}/daemon.pid
log_file_path = /{SPOOL}/%slog
log_selector = +smtp_protocol_error +smtp_syntax_error +received_recipients
deliver_drop_privilege = true
message_size_limit = {SIZE}
host_lookup =
keep_environment =
domainlist here = {DOMAIN}
tls_advertise_hosts = *
tls_certificate = /tls/server.pem
tls_privatekey = /tls/server.key
acl_smtp_rcpt = rcpt
begin acl
rcpt:
  deny message = 550 5.1.1 No such mailbox
       local_parts = {unknown}
  defer message = 450 4.2.0 Greylisted, come back later
        local_parts = {later}
  accept authenticated = *
         domains = +here
begin routers
keep:
  driver = accept
  transport = keep
begin transports
keep:
  driver = appendfile
  maildir_format
  directory = /mail
  envelope_to_add
  user = {ACCOUNT}
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and{{{{eq{{$auth2}}{{{USERNAME}}}}}{{eq{{$auth3}}{{{PASSWORD}}}}}}}}}
  server_set_id = $auth2
  server_advertise_condition = ${{if def:tls_in_cipher}}
",
        unknown = UNKNOWN.join(" : "),
        later = LATER.join(" : "),
    )
}

impl Relay for Exim {
    fn campaign(&self) -> Campaign {
        Campaign::new().config_for_account(self.port, &self.authority.ca, USERNAME, PASSWORD)
    }

    fn held(&self) -> Vec<Held> {
        // Exim makes the folder with the first letter.
        let stored = fs::read_dir(self.root.path("mail/new")).into_iter().flatten();
        let stored = stored.map(|entry| fs::read(entry.expect("an entry").path()).expect("a letter"));
        stored
            .map(|letter| {
                let text = String::from_utf8_lossy(&letter);
                Held::new(header(&text, "Envelope-to").expect("Exim adds it"), &letter)
            })
            .collect()
    }

    fn log(&self) -> String {
        let logs = ["mainlog", "rejectlog", "paniclog"].map(|name| self.root.path(&format!("{SPOOL}/{name}")));
        let logs = logs.map(|log| String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned());
        self.root.log() + &logs.concat()
    }
}
