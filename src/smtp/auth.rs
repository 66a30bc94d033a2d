//! AUTH (RFC 4954) by PLAIN (RFC 4616) or LOGIN. Nothing of the exchange is traced but the server's codes.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

use super::capabilities::Capabilities;
use super::stream::Stream;
use crate::domain::outcome::Trouble;
use crate::domain::reply::{Reply, Severity};

/// What stands in place of a reply that repeats the credentials.
const WITHHELD: &[u8] = b"(the server repeated the credentials; its words are left out)";

/// Proves to the server that we are `username`, by the first of PLAIN and LOGIN that it offers. `within` holds for each reply.
pub(super) async fn authenticate(
    stream: &mut Stream,
    offered: &Capabilities,
    username: &str,
    password: &SecretString,
    within: Duration,
) -> Result<(), Trouble> {
    let offers = |name: &str| offered.auth.iter().any(|known| known == name);
    let mut exchange = Exchange { stream, within, secrets: vec![password.clone()] };
    if offers("PLAIN") {
        exchange.plain(username, password).await?;
    } else if offers("LOGIN") {
        exchange.login(username, password).await?;
    } else {
        return Err(Trouble::NotOffered(not_offered(&offered.auth)));
    }
    match exchange.stream.quiet().await {
        // A reply too many is one of the login, and says nothing about the first letter.
        Err(unsolicited @ Trouble::Unsolicited(_)) => Err(withheld(unsolicited)),
        // That the connection is gone, the next command finds out.
        _ => Ok(()),
    }
}

fn not_offered(offered: &[String]) -> String {
    if offered.is_empty() {
        "the server offers no AUTH; check host, port and security, or leave out the login".to_owned()
    } else {
        let names = crate::domain::reply::visible(&offered.join(", "));
        format!("the server offers AUTH only by {names}, and none of these is known here; PLAIN and LOGIN are")
    }
}

struct Exchange<'a> {
    stream: &'a mut Stream,
    within: Duration,
    /// All that must never be shown: the password, and each encoding of it.
    secrets: Vec<SecretString>,
}

impl Exchange<'_> {
    async fn plain(&mut self, username: &str, password: &SecretString) -> Result<(), Trouble> {
        let message = SecretString::from(format!("\0{username}\0{}", password.expose_secret()));
        let response = self.encode(message.expose_secret());
        let command = SecretString::from(format!("AUTH PLAIN {}", response.expose_secret()));
        self.step("AUTH PLAIN [redacted]", &command, 235).await
    }

    async fn login(&mut self, username: &str, password: &SecretString) -> Result<(), Trouble> {
        self.step("AUTH LOGIN", &SecretString::from("AUTH LOGIN"), 334).await?;
        let name = self.encode(username);
        self.step("[redacted]", &name, 334).await?;
        let response = self.encode(password.expose_secret());
        self.step("[redacted]", &response, 235).await
    }

    fn encode(&mut self, text: &str) -> SecretString {
        let encoded = SecretString::from(STANDARD.encode(text));
        self.secrets.push(encoded.clone());
        encoded
    }

    /// Sends one line and wants the code `due`; `shown` is what a trace says of the line.
    async fn step(&mut self, shown: &str, line: &SecretString, due: u16) -> Result<(), Trouble> {
        self.stream.quiet().await.map_err(withheld)?;
        tracing::trace!("C: {shown}");
        let line = SecretString::from(format!("{}\r\n", line.expose_secret()));
        self.stream.send(line.expose_secret().as_bytes(), self.within).await?;
        let reply = self.stream.reply(self.within).await.map_err(withheld)?;
        // Some servers repeat the line that they did not like.
        tracing::trace!("S: {} [text withheld]", reply.code());
        if reply.code() == due {
            return Ok(());
        }
        let reply = self.scrubbed(reply);
        match reply.severity() {
            Severity::Transient | Severity::Permanent => Err(Trouble::Refused(reply)),
            _ => Err(Trouble::Unexpected(reply)),
        }
    }

    fn betrays(&self, said: &[u8]) -> bool {
        self.secrets.iter().any(|secret| {
            let secret = secret.expose_secret().as_bytes();
            !secret.is_empty() && said.windows(secret.len()).any(|window| window == secret)
        })
    }

    fn scrubbed(&self, reply: Reply) -> Reply {
        if reply.lines().iter().any(|line| self.betrays(line)) {
            Reply::new(reply.code(), vec![WITHHELD.to_vec()]).unwrap_or(reply)
        } else {
            reply
        }
    }
}

/// An excerpt may be cut within a secret, where no comparison would find it: none is shown.
fn withheld(trouble: Trouble) -> Trouble {
    let why = "its words are left out, because they may repeat the login".to_owned();
    match trouble {
        Trouble::Garbled(_) => Trouble::Garbled(why),
        Trouble::Unsolicited(_) => Trouble::Unsolicited(why),
        other => other,
    }
}
