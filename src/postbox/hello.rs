//! EHLO and its extensions, STARTTLS and the handshake.

use std::sync::Arc;

use rustls::ServerConfig;

use super::Security;
use super::script::Action;
use super::session::{Normal, Session, Stage};
use super::wire::Over;
use crate::domain::outcome::Phase;

impl Session {
    pub(super) async fn hello(&mut self, extended: bool) -> Result<(), Over> {
        self.transaction = None;
        let text = if extended { self.extensions() } else { self.server.options.hostname.clone() };
        let greeted = self.answer(Phase::Ehlo, Normal(250, "", &text)).await?;
        self.stage = if greeted { Stage::Greeted } else { Stage::Welcome };
        Ok(())
    }

    /// The lines of the EHLO reply.
    fn extensions(&self) -> String {
        let options = &self.server.options;
        let offers = options.offers;
        let starttls = matches!(options.security, Security::StartTls(_)) && !self.tls;
        let size = offers.size.map(|size| format!("SIZE {size}"));
        let lines = [
            (offers.pipelining, "PIPELINING"),
            (offers.eight_bit_mime, "8BITMIME"),
            (offers.smtputf8, "SMTPUTF8"),
            (offers.chunking, "CHUNKING"),
            (offers.enhanced_status_codes, "ENHANCEDSTATUSCODES"),
            (starttls, "STARTTLS"),
            (options.login.is_some() && !starttls, "AUTH PLAIN LOGIN"),
            (size.is_some(), size.as_deref().unwrap_or_default()),
        ];
        let mut text = options.hostname.clone();
        for (_, line) in lines.into_iter().filter(|(offered, _)| *offered) {
            text.push('\n');
            text.push_str(line);
        }
        text
    }

    pub(super) async fn start_tls(&mut self) -> Result<(), Over> {
        let config = match &self.server.options.security {
            Security::StartTls(config) if !self.tls => Arc::clone(config),
            _ => {
                self.say(Normal(503, "5.5.1", "no STARTTLS here"));
                return Ok(());
            }
        };
        let go = Normal(220, "2.0.0", "go");
        let action = self.ask(Phase::StartTls, None);
        let injected = matches!(action, Action::InjectThenTls(_));
        if injected {
            self.say(go);
        }
        if self.perform(Phase::StartTls, action, go).await? || injected {
            self.handshake(&config).await?;
            // What was known before the handshake is forgotten after it (RFC 3207 §4.2).
            (self.stage, self.authenticated, self.transaction) = (Stage::Welcome, false, None);
        }
        Ok(())
    }

    /// Asks the script, then does the handshake.
    pub(super) async fn handshake(&mut self, config: &Arc<ServerConfig>) -> Result<(), Over> {
        self.wire.flush().await?;
        self.without_reply(Phase::Tls).await?;
        self.wire.upgrade(config).await?;
        self.tls = true;
        Ok(())
    }
}
