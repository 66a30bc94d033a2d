//! `[smtp]`: the relay, and whether what is said of it can be true together.

use std::net::IpAddr;

use super::duration::{Zero, duration};
use super::password::password;
use super::paths;
use super::source::Exposed;
use super::value::Refusal;
use super::walk::Section;
use crate::domain::mailbox::Mailbox;
use crate::domain::relay::{Login, PasswordSource, Relay, Security, Timeouts};

const KNOWN: [&str; 10] = [
    "host",
    "port",
    "security",
    "username",
    "password",
    "connections",
    "ca_file",
    "ehlo_name",
    "messages_per_connection",
    "timeouts",
];

/// `[smtp]`; the host is empty if it is missing, which only `send` minds.
pub(super) fn relay(root: &Section<'_>, from: Option<&Mailbox>, exposed: Exposed) -> Relay {
    let section = root.section("smtp", &KNOWN);
    let security = section.value("security").and_then(|value| value.read("\"tls\"", security));
    let security = security.unwrap_or(Security::Tls);
    let default_port = match security {
        Security::Tls => 465,
        Security::StartTls => 587,
        Security::None => 25,
    };
    let port = section.value("port").and_then(|value| value.whole(&(1..=65_535), "465"));
    let folder = section.sheet.folder;
    let mut relay = Relay {
        host: section.value("host").and_then(|value| value.read("\"smtp.…\"", host)).unwrap_or_default(),
        port: port.and_then(|port| u16::try_from(port).ok()).unwrap_or(default_port),
        security,
        login: login(&section, from, exposed),
        connections: count(&section, "connections", 50, 2),
        ca_file: section.value("ca_file").and_then(|v| v.read("\"ca.pem\"", |text| paths::anywhere(text, folder))),
        ehlo_name: String::new(),
        messages_per_connection: u32::try_from(count(&section, "messages_per_connection", 10_000, 100)).unwrap_or(100),
        timeouts: timeouts(&section),
    };
    let named = section.value("ehlo_name").and_then(|value| value.read("\"mail.…\"", ehlo_name));
    relay.ehlo_name = named.unwrap_or_else(|| default_ehlo_name(&relay, from));
    judge_security(&section, &relay);
    judge_port(&section, &relay);
    relay
}

fn count(section: &Section<'_>, key: &str, most: i64, default: usize) -> usize {
    let count = section.value(key).and_then(|value| value.whole(&(1..=most), &default.to_string()));
    count.and_then(|count| usize::try_from(count).ok()).unwrap_or(default)
}

fn security(text: &str) -> Result<Security, Refusal> {
    [Security::Tls, Security::StartTls, Security::None].into_iter().find(|known| known.name() == text).ok_or_else(
        || {
            let help = "write \"tls\" (port 465), \"starttls\" (port 587), or \"none\" for a server on this machine";
            Refusal::new("security-unknown", "is none of the three ways there are", help)
        },
    )
}

fn host(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    if bare.parse::<IpAddr>().is_ok() {
        return Ok(bare.to_owned());
    }
    let help = match text.rsplit_once(':') {
        Some((_, port)) if !text.contains("//") && port.parse::<u16>().is_ok() => {
            format!("write the name alone here, and port = {port} on a line of its own")
        }
        _ => "write the server's name alone, without \"smtp://\" and without a port".to_owned(),
    };
    idna::domain_to_ascii_strict(text)
        .ok()
        .filter(|name| !name.is_empty())
        .ok_or_else(|| Refusal::new("host-invalid", "is not a host name", help))
}

/// A domain or an address literal (RFC 5321 §4.1.3).
fn ehlo_name(text: &str) -> Result<String, Refusal> {
    let literal = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let literal_fits =
        literal.is_some_and(|inner| inner.strip_prefix("IPv6:").unwrap_or(inner).parse::<IpAddr>().is_ok());
    if literal_fits {
        return Ok(text.to_owned());
    }
    idna::domain_to_ascii_strict(text).ok().filter(|name| !name.is_empty()).ok_or_else(|| {
        let help = "write this machine's name, or its address in brackets, such as \"[192.0.2.1]\"";
        Refusal::new("ehlo-name-invalid", "is neither a domain nor an address in brackets", help)
    })
}

fn default_ehlo_name(relay: &Relay, from: Option<&Mailbox>) -> String {
    match from {
        Some(from) if !relay.is_loopback() => from.domain().to_owned(),
        _ => "[127.0.0.1]".to_owned(),
    }
}

fn login(section: &Section<'_>, from: Option<&Mailbox>, exposed: Exposed) -> Option<Login> {
    let username = section.value("username");
    let name = username.as_ref().and_then(|value| value.read("\"letters@coalition.example\"", account));
    let password: Option<PasswordSource> = password(section, exposed);
    match (&username, section.value("password")) {
        (Some(username), None) => {
            let help = "write password = { env = \"NAME\" } too, or leave username out if the server asks for no login";
            username.refuse(&Refusal::new("password-missing", "has no smtp.password beside it", help));
        }
        (None, Some(password)) => {
            let help = "write username = \"…\" too: mostly the sender's whole address";
            password.refuse(&Refusal::new("username-missing", "has no smtp.username beside it", help));
        }
        _ => {}
    }
    if let (Some(value), Some(name), Some(from)) = (&username, &name, from) {
        let account = name.rsplit_once('@').map(|(_, domain)| domain.to_ascii_lowercase());
        if let Some(account) = account.filter(|account| !akin(account, from.domain())) {
            let message = format!("is an account of {account}, but the letter comes from {}", from.domain());
            let help = "many servers refuse that, or the receiver takes it for forged: use the account of sender.from";
            value.warn(&Refusal::new("sender-unlike-account", message, help));
        }
    }
    Some(Login { username: name?, password: password? })
}

fn account(text: &str) -> Result<String, Refusal> {
    if !text.is_empty() && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(Refusal::new("username-invalid", "is empty or holds a control character", "write the account's name"))
}

/// True if one domain is the other or lies under it.
fn akin(a: &str, b: &str) -> bool {
    let under =
        |long: &str, short: &str| long.strip_suffix(short).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    under(a, b) || under(b, a)
}

fn judge_security(section: &Section<'_>, relay: &Relay) {
    if relay.security != Security::None || relay.host.is_empty() || relay.is_loopback() {
        return;
    }
    let Some(value) = section.value("security") else { return };
    let what = if section.value("password").is_some() { "the password and every letter" } else { "every letter" };
    let message = format!("would send {what} in clear to {}", relay.host);
    let help = "write \"tls\" (port 465) or \"starttls\" (port 587); \"none\" is for a server on this machine only";
    value.refuse(&Refusal::new("security-none", message, help));
}

fn judge_port(section: &Section<'_>, relay: &Relay) {
    let Some(value) = section.value("port") else { return };
    let (message, help) = match (relay.port, relay.security) {
        (465, Security::StartTls) => (
            "is where servers speak TLS from the first byte, which is not STARTTLS",
            "write security = \"tls\", or port = 587 for STARTTLS",
        ),
        (587, Security::Tls) => (
            "is where servers speak STARTTLS, which is not TLS from the first byte",
            "write security = \"starttls\", or port = 465 for TLS from the first byte",
        ),
        _ => return,
    };
    value.warn(&Refusal::new("port-unlike-security", message, help));
}

fn timeouts(smtp: &Section<'_>) -> Timeouts {
    let section = smtp.section("timeouts", &["connect", "command", "data", "block", "end_of_data"]);
    let default = Timeouts::default();
    let of = |key, default| duration(&section, key, default, Zero::Refused);
    Timeouts {
        connect: of("connect", default.connect),
        command: of("command", default.command),
        data: of("data", default.data),
        block: of("block", default.block),
        end_of_data: of("end_of_data", default.end_of_data),
    }
}
