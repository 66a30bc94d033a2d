//! AUTH PLAIN and LOGIN (RFC 4954, RFC 4616).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Security;
use super::session::{Normal, Session};
use super::wire::Over;
use crate::domain::outcome::Phase;

/// Why there are no credentials to judge.
enum NoCredentials {
    /// The client sent `*`.
    Cancelled,
    /// Not base64, or not in the mechanism's form.
    Malformed,
}

impl Session {
    /// Whether a login is asked for and has not been given.
    pub(super) fn login_is_due(&self) -> bool {
        self.server.options.login.is_some() && !self.authenticated
    }

    pub(super) async fn auth(&mut self, mechanism: &str, initial: Option<String>) -> Result<(), Over> {
        let Some((user, password)) = self.server.options.login.clone() else {
            self.say(Normal(502, "5.5.1", "no AUTH here"));
            return Ok(());
        };
        let in_the_clear = matches!(self.server.options.security, Security::StartTls(_)) && !self.tls;
        let refusal = match mechanism {
            _ if self.authenticated || self.transaction.is_some() => Some(Normal(503, "5.5.1", "not now")),
            _ if in_the_clear => Some(Normal(530, "5.7.0", "STARTTLS first")),
            "PLAIN" | "LOGIN" => None,
            _ => Some(Normal(504, "5.5.4", "PLAIN or LOGIN")),
        };
        if let Some(refusal) = refusal {
            self.say(refusal);
            return Ok(());
        }
        let given = if mechanism == "PLAIN" { self.plain(initial).await? } else { self.login(initial).await? };
        let verdict = match given {
            Ok(given) if given == (user, password) => Normal(235, "2.7.0", "welcome"),
            Ok(_) => Normal(535, "5.7.8", "wrong user name or password"),
            Err(NoCredentials::Cancelled) => Normal(501, "5.7.0", "cancelled"),
            Err(NoCredentials::Malformed) => Normal(501, "5.5.2", "not in the form of the mechanism"),
        };
        self.authenticated = self.answer(Phase::Auth, verdict).await?;
        Ok(())
    }

    /// `authorization NUL user NUL password`
    async fn plain(&mut self, initial: Option<String>) -> Result<Result<(String, String), NoCredentials>, Over> {
        let response = match initial {
            Some(initial) => decode(&initial),
            None => self.challenge("").await?,
        };
        Ok(response.and_then(|text| {
            let mut parts = text.split('\0').skip(1);
            match (parts.next(), parts.next(), parts.next()) {
                (Some(user), Some(password), None) => Ok((user.to_owned(), password.to_owned())),
                _ => Err(NoCredentials::Malformed),
            }
        }))
    }

    async fn login(&mut self, initial: Option<String>) -> Result<Result<(String, String), NoCredentials>, Over> {
        let user = match initial {
            Some(initial) => decode(&initial),
            None => self.challenge("Username:").await?,
        };
        let user = match user {
            Ok(user) => user,
            Err(none) => return Ok(Err(none)),
        };
        let password = self.challenge("Password:").await?;
        Ok(password.map(|password| (user, password)))
    }

    /// A 334 and the client's answer to it.
    async fn challenge(&mut self, prompt: &str) -> Result<Result<String, NoCredentials>, Over> {
        self.say(Normal(334, "", &STANDARD.encode(prompt)));
        let line = self.line().await?;
        self.server.truth.heard(self.connection, "*");
        Ok(match line.as_deref().map(std::str::from_utf8) {
            Some(Ok("*")) => Err(NoCredentials::Cancelled),
            Some(Ok(text)) => decode(text),
            Some(Err(_)) | None => Err(NoCredentials::Malformed),
        })
    }
}

fn decode(text: &str) -> Result<String, NoCredentials> {
    let text = if text == "=" { "" } else { text };
    let bytes = STANDARD.decode(text).map_err(|_| NoCredentials::Malformed)?;
    String::from_utf8(bytes).map_err(|_| NoCredentials::Malformed)
}
