//! One try to hand a letter over, and what a person reads of it later.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::outcome::{Fault, Phase, Trouble};
use super::reply::Reply;

/// The last thing that was said about an address or a delivery: phase, the server's words or ours, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastWord {
    /// Where the transaction stood.
    pub phase: Phase,
    /// The reply code, where a whole reply came.
    pub code: Option<u16>,
    /// The enhanced status code as text, where the reply had one.
    pub enhanced: Option<String>,
    /// The reply's text, or what went wrong, safe for a terminal.
    pub text: String,
    /// When it was known.
    pub at: Timestamp,
}

impl LastWord {
    /// What a whole reply said.
    #[must_use]
    pub fn of_reply(phase: Phase, reply: &Reply, at: Timestamp) -> Self {
        Self {
            phase,
            code: Some(reply.code()),
            enhanced: reply.enhanced().map(|code| code.to_string()),
            text: reply.text(),
            at,
        }
    }

    /// What a fault said: the refusal if there was one, else a description. A reply that was not due is called that, because
    /// its own text ("250 ok") says the contrary of what became of the letter.
    #[must_use]
    pub fn of_fault(fault: &Fault, at: Timestamp) -> Self {
        match &fault.trouble {
            Trouble::Refused(reply) => Self::of_reply(fault.phase, reply, at),
            Trouble::Unexpected(reply) => {
                let said = Self::of_reply(fault.phase, reply, at);
                Self { text: format!("a reply that is not due here: {}", said.text), ..said }
            }
            _ => Self { phase: fault.phase, code: None, enhanced: None, text: fault.trouble.to_string(), at },
        }
    }
}

/// What stands in the ledger once a letter was claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AttemptId(pub i64);

/// The ledger's number of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeliveryId(pub i64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_that_was_not_due_is_not_read_as_if_it_had_been() {
        let reply = Reply::new(354, vec![b"go on".to_vec()]).expect("a code");
        let word = |trouble| LastWord::of_fault(&Fault::new(Phase::EndOfData, trouble), Timestamp::UNIX_EPOCH);
        let unexpected = word(Trouble::Unexpected(reply.clone()));
        assert_eq!((unexpected.code, unexpected.text.as_str()), (Some(354), "a reply that is not due here: go on"));
        assert_eq!(word(Trouble::Refused(reply)).text, "go on");
    }
}
