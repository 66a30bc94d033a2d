//! What a server must offer to be a referee: a way in, and the truth.

use crate::agreement::{Held, header};
use crate::batch::{LATER, SIZE, UNKNOWN, at};
use crate::support::campaign::Campaign;
use crate::support::postfix::{Postfix, PostfixOptions};

/// The account at a server that asks for a login.
pub(crate) const USERNAME: &str = "letters@coalition.example";
/// Its password.
pub(crate) const PASSWORD: &str = "correct horse battery staple";
/// A running server on 127.0.0.1.
pub(crate) trait Relay {
    /// A campaign folder with a config that it takes letters from.
    fn campaign(&self) -> Campaign;
    /// Every copy that it holds now.
    fn held(&self) -> Vec<Held>;
    /// What it logged.
    fn log(&self) -> String;
}

/// Postfix with the batch's rules, and not announcing these extensions.
pub(crate) fn postfix(unannounced: &str) -> Postfix {
    let rules = |locals: &[&str], reply: &'static str| -> Vec<(String, &'static str)> {
        locals.iter().map(|local| (at(local), reply)).collect()
    };
    let mut reject = rules(&UNKNOWN, "550 5.1.1 No such mailbox");
    reject.extend(rules(&LATER, "450 4.2.0 Greylisted, come back later"));
    let reject: Vec<_> = reject.iter().map(|(address, reply)| (address.as_str(), *reply)).collect();
    let size = format!("message_size_limit = {SIZE}");
    let unannounced = format!("smtpd_discard_ehlo_keywords = {unannounced}");
    Postfix::start(&PostfixOptions { reject: &reject, main_cf: &[&size, &unannounced] })
}

impl Relay for Postfix {
    fn campaign(&self) -> Campaign {
        Campaign::new().config_for_postfix(self)
    }

    fn held(&self) -> Vec<Held> {
        let address = |letter: &[u8]| {
            let text = String::from_utf8_lossy(letter).into_owned();
            header(&text, "X-Original-To").expect("Postfix adds it").to_owned()
        };
        self.letters().iter().map(|letter| Held::new(&address(letter), letter)).collect()
    }

    fn log(&self) -> String {
        self.log()
    }
}
