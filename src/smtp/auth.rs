//! AUTH (RFC 4954) by PLAIN (RFC 4616) or LOGIN. Nothing of the exchange is traced but the server's codes.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

use super::capabilities::Capabilities;
use super::stream::Stream;
use crate::domain::outcome::Trouble;
use crate::domain::reply::Severity;

/// A password shorter than this, in octets, is in any text by chance: after the login replies are not searched for it.
const TELLING: usize = 8;

/// Proves to the server that we are `username`, by the first of PLAIN and LOGIN that it offers. `within` holds for each reply.
pub(super) async fn authenticate(
    stream: &mut Stream,
    offered: &Capabilities,
    username: &str,
    password: &SecretString,
    within: Duration,
) -> Result<(), Trouble> {
    let offers = |name: &str| offered.auth.iter().any(|known| known == name);
    let encode = |text: &str| SecretString::from(STANDARD.encode(text));
    let plain = encode(&format!("\0{username}\0{}", password.expose_secret()));
    let encoded = encode(password.expose_secret());
    let mut secrets = vec![password.clone(), plain.clone(), encoded.clone()];
    stream.keep_out(secrets.clone());
    let mut exchange = Exchange { stream, within };
    if offers("PLAIN") {
        exchange.plain(&plain).await?;
    } else if offers("LOGIN") {
        exchange.login(&encode(username), &encoded).await?;
    } else {
        return Err(Trouble::NotOffered(not_offered(&offered.auth)));
    }
    secrets.retain(|secret| secret.expose_secret().len() >= TELLING);
    stream.keep_out(secrets);
    match stream.quiet().await {
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
}

impl Exchange<'_> {
    async fn plain(&mut self, response: &SecretString) -> Result<(), Trouble> {
        let command = SecretString::from(format!("AUTH PLAIN {}", response.expose_secret()));
        self.step("AUTH PLAIN [redacted]", &command, 235).await
    }

    async fn login(&mut self, username: &SecretString, password: &SecretString) -> Result<(), Trouble> {
        self.step("AUTH LOGIN", &SecretString::from("AUTH LOGIN"), 334).await?;
        self.step("[redacted]", username, 334).await?;
        self.step("[redacted]", password, 235).await
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
        match reply.severity() {
            Severity::Transient | Severity::Permanent => Err(Trouble::Refused(reply)),
            _ => Err(Trouble::Unexpected(reply)),
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
