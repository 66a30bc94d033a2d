//! OpenSMTPD, without PIPELINING: what it took stays in its queue.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use crate::agreement::Held;
use crate::batch::{DOMAIN, KNOWN, LATER, SIZE, at};
use crate::relay::Relay;
use crate::support::campaign::Campaign;
use crate::support::postfix::{free_port, speaks};
use crate::support::supervised::{Supervised, poll};
use crate::unpacked::Root;

const QUEUE: &str = "var/spool/smtpd/queue";

/// A running server; dropped, it stops and its folder goes.
pub(crate) struct OpenSmtpd {
    // Dropped in this order.
    _server: Supervised,
    root: Root,
    port: u16,
}

impl OpenSmtpd {
    pub(crate) fn start() -> Self {
        // Debian's names for them.
        let root = Root::new(&["opensmtpd", "opensmtpq"]);
        for folder in ["var/spool/smtpd", "var/lib/opensmtpd/empty", "var/run"] {
            root.folder(folder, None);
        }
        fs::set_permissions(root.path("var/spool/smtpd"), Permissions::from_mode(0o711)).expect("our own folder");
        let port = free_port();
        root.write("etc/smtpd.conf", &config(port));
        // Without deliveries: what it took stays in the queue.
        let server = root.start(&["/usr/sbin/smtpd", "-d", "-P", "mda", "-f", "/etc/smtpd.conf"]);
        let up = poll(Duration::from_secs(30), || speaks(port, &format!("220 relay-{port}.example")));
        assert!(up.is_some(), "OpenSMTPD did not come up\n{}", root.log());
        Self { _server: server, root, port }
    }

    /// Where it runs.
    pub(crate) fn root(&self) -> &Root {
        &self.root
    }
}

fn config(port: u16) -> String {
    let table = |locals: &[&str], value: &str| {
        locals.iter().map(|local| format!("\"{}\"{value}", at(local))).collect::<Vec<_>>().join(", ")
    };
    let known = table(&[&KNOWN[..], &LATER].concat(), " = \"letters\"");
    let later = table(&LATER, "");
    format!(
        r#"smtp max-message-size {SIZE}
table here {{ "{DOMAIN}" }}
table known {{ {known} }}
table later {{ {later} }}
table owners {{ "letters" = "65534:65534:/nowhere" }}
filter "grey" phase rcpt-to match rcpt-to <later> reject "450 4.2.0 Greylisted, come back later"
listen on 127.0.0.1 port {port} hostname relay-{port}.example filter "grey"
action "keep" maildir virtual <known> userbase <owners>
match from any for domain <here> action "keep"
"#
    )
}

impl Relay for OpenSmtpd {
    /// Without TLS, and so without login: Debian 12's OpenSMTPD 6.8 ends every handshake over its OpenSSL 3 with an alert.
    fn campaign(&self) -> Campaign {
        Campaign::new().config_for(self.port)
    }

    /// Each message has a folder in the queue: `message`, and an envelope for each address.
    fn held(&self) -> Vec<Held> {
        let list = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().map(|it| it.expect("an entry").path());
        let messages = list(self.root.path(QUEUE)).flat_map(list);
        let mut held = Vec::new();
        for folder in messages {
            let message = fs::read(folder.join("message")).expect("a message");
            for envelope in list(folder).filter(|path| !path.ends_with("message")) {
                let envelope = fs::read_to_string(envelope).expect("an envelope");
                let address = envelope.lines().find_map(|line| line.strip_prefix("rcpt: ")).expect("its address");
                held.push(Held::new(address, &message));
            }
        }
        held
    }

    fn log(&self) -> String {
        self.root.log()
    }
}
