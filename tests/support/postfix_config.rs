//! What the relay's folder holds before it starts: the queue's folders, and the files of Postfix and Dovecot.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::time::SystemTime;

use super::authority::Authority;
use super::postfix::{PostfixOptions, text};

/// The only account's name.
pub const USERNAME: &str = "letters@coalition.example";
/// Its password.
pub const PASSWORD: &str = "correct horse battery staple";
/// Any time in the past.
const LONG_AGO: SystemTime = SystemTime::UNIX_EPOCH;
/// Folders of the queue that belong to Postfix's own account; `maildrop` and `public` to its group too.
const QUEUE: [&str; 13] = [
    "active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace",
    "maildrop", "public",
];
/// What Postfix runs besides `smtpd`: name, type, most processes, command.
const SERVICES: &str = "
cleanup   unix       n - n - 0 cleanup
qmgr      unix       n - n 300 1 qmgr
tlsmgr    unix       - - n 1000? 1 tlsmgr
rewrite   unix       - - n - - trivial-rewrite
bounce    unix       - - n - 0 bounce
defer     unix       - - n - 0 bounce
trace     unix       - - n - 0 bounce
proxymap  unix       - - n - - proxymap
error     unix       - - n - - error
retry     unix       - - n - - error
virtual   unix       - n n - - virtual
anvil     unix       - - n - 1 anvil
postlog   unix-dgram n - n - 1 postlogd
";

/// The account and the group that Debian makes for Postfix.
pub struct Accounts {
    user: u32,
    group: u32,
    postdrop: u32,
}

impl Accounts {
    /// Looks them up.
    pub fn find() -> Self {
        let groups = fs::read_to_string("/etc/group").expect("the groups");
        let postdrop = groups.lines().find_map(|line| line.strip_prefix("postdrop:")?.split(':').nth(1));
        Self {
            user: super::id("-u", Some("postfix")).expect("Postfix's account"),
            group: super::id("-g", Some("postfix")).expect("Postfix's group"),
            postdrop: postdrop.and_then(|number| number.parse().ok()).expect("Postfix's group for senders"),
        }
    }
}

pub fn make_folders(root: &Path, accounts: &Accounts) {
    for name in ["postfix", "queue", "queue/pid", "dovecot"] {
        fs::create_dir(root.join(name)).expect("our own folder");
    }
    for name in ["data", "mail"].into_iter().map(str::to_owned).chain(QUEUE.map(|name| format!("queue/{name}"))) {
        let (group, mode) = match name.as_str() {
            "queue/maildrop" => (accounts.postdrop, 0o730),
            "queue/public" => (accounts.postdrop, 0o710),
            _ => (accounts.group, 0o700),
        };
        let path = root.join(name);
        fs::create_dir(&path).expect("our own folder");
        chown(&path, Some(accounts.user), Some(group)).expect("root may give folders away");
        fs::set_permissions(&path, Permissions::from_mode(mode)).expect("our own folder");
    }
}

/// Dovecot as nothing but a judge of passwords, in the words of its `version` (2.4 renamed most settings).
pub fn write_dovecot(root: &Path, version: &str) {
    let root_path = text(root);
    let (first, words) = if version.starts_with("2.3.") {
        (
            "",
            format!(
                "disable_plaintext_auth = no
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {root_path}/passwords
}}
userdb {{
  driver = static
  args = uid=postfix gid=postfix home={root_path}/mail
}}"
            ),
        )
    } else {
        (
            "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\n",
            format!(
                "auth_allow_cleartext = yes
passdb passwd-file {{
  passwd_file_path = {root_path}/passwords
  default_password_scheme = PLAIN
  auth_username_format = %{{user}}
}}
userdb static {{
  fields {{
    uid = postfix
    gid = postfix
    home = {root_path}/mail
  }}
}}"
            ),
        )
    };
    let config = format!(
        "{first}base_dir = {root_path}/dovecot/run
state_dir = {root_path}/dovecot/state
log_path = {root_path}/log
protocols =
listen = 127.0.0.1
ssl = no
auth_mechanisms = plain login
auth_failure_delay = 0
{words}
# Without this socket a wrong password does not slow down the next session.
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  unix_listener {root_path}/queue/private/auth {{
    mode = 0660
    user = postfix
    group = postfix
  }}
}}
"
    );
    fs::write(root.join("dovecot.conf"), config).expect("our own folder");
    // Readable by Dovecot's own account.
    fs::write(root.join("passwords"), format!("{USERNAME}:{PASSWORD}\n")).expect("our own folder");
}

pub fn write_postfix(root: &Path, port: u16, authority: &Authority, accounts: &Accounts, options: &PostfixOptions) {
    let root_path = text(root);
    let main = format!(
        "compatibility_level = 3.6
queue_directory = {root_path}/queue
data_directory = {root_path}/data
mail_owner = postfix
setgid_group = postdrop
maillog_file = {root_path}/log
maillog_file_prefixes = {root_path}
myhostname = {hostname}
mydestination =
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
disable_dns_lookups = yes
smtpd_peername_lookup = no
default_transport = error:nothing leaves this machine
relay_transport = error:nothing leaves this machine
virtual_transport = virtual
virtual_mailbox_domains = static:all
virtual_mailbox_base = {root_path}/mail
virtual_mailbox_maps = static:all/
virtual_mailbox_limit = 0
virtual_uid_maps = static:{user}
virtual_gid_maps = static:{group}
virtual_minimum_uid = 1
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_sasl_security_options = noanonymous
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions = check_recipient_access texthash:{root_path}/postfix/recipients, permit_sasl_authenticated, reject
smtpd_client_connection_count_limit = 0
{more}
",
        hostname = hostname(port),
        user = accounts.user,
        group = accounts.group,
        certificate = text(&authority.certificate),
        key = text(&authority.key),
        more = options.main_cf.join("\n"),
    );
    let recipients: Vec<_> = options.reject.iter().map(|(address, reply)| format!("{address} {reply}")).collect();
    let services = format!("127.0.0.1:{port} inet n - n - - smtpd\n{}", SERVICES.trim_start());
    for (name, content) in [("main.cf", main), ("master.cf", services), ("recipients", recipients.join("\n") + "\n")] {
        let path = root.join("postfix").join(name);
        fs::write(&path, content).expect("our own folder");
        // Postfix waits until a file is no longer fresh, which takes every one of its programs a second or two.
        File::options().write(true).open(&path).and_then(|file| file.set_modified(LONG_AGO)).expect("our own file");
    }
}

/// In the greeting, so that a stranger on the same port is not taken for ours.
pub fn hostname(port: u16) -> String {
    format!("relay-{port}.example")
}
