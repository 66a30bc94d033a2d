//! What the server does other than behave: cues, actions, rules, and the steps that an action comes down to.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::domain::outcome::Phase;

type Decide = dyn Fn(&Cue) -> Action + Send + Sync;

/// Decides what happens at a cue; the default is to behave.
#[derive(Clone, Default)]
pub struct Script(Option<Arc<Decide>>);

impl Script {
    /// A script that asks `decide` at every cue. It is called on the server's tasks: it must not block.
    #[must_use]
    pub fn new(decide: impl Fn(&Cue) -> Action + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(decide)))
    }

    /// A script of rules: at each cue the first rule that matches and is not used up decides; without one the server
    /// behaves. A clone of the script shares the rules' counts.
    #[must_use]
    pub fn rules(rules: Vec<Rule>) -> Self {
        let rules: Vec<(Rule, AtomicU64)> = rules.into_iter().map(|rule| (rule, AtomicU64::new(0))).collect();
        Self::new(move |cue| {
            let taken = rules.iter().find(|(rule, used)| rule.matches(cue) && take_one(used, rule.times));
            taken.map_or(Action::Behave, |(rule, _)| rule.action.clone())
        })
    }

    /// True where nothing was scripted: the server then keeps no counts.
    pub(super) fn behaves(&self) -> bool {
        self.0.is_none()
    }

    /// What to do at `cue`.
    pub(super) fn decide(&self, cue: &Cue) -> Action {
        self.0.as_ref().map_or(Action::Behave, |decide| decide(cue))
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.behaves() { "Script(behaves)" } else { "Script(scripted)" })
    }
}

/// Counts a use unless `times` are used up.
fn take_one(used: &AtomicU64, times: Option<u64>) -> bool {
    let more = |count: u64| times.is_none_or(|times| count < times).then_some(count + 1);
    used.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_ok()
}

/// A moment at which the script is asked: just before the server would reply (or go on, at Connect, Tls and Body).
///
/// Each phase is cued once: Connect at the accepted connection, Tls before a handshake, Auth when the credentials are
/// there, Body at the first octets of a message, `EndOfData` when the message is whole. A command that is refused for
/// its syntax or its place in the sequence is no cue.
#[derive(Debug, Clone, Copy)]
pub struct Cue<'a> {
    /// Where the session stands.
    pub phase: Phase,
    /// The connection's number, from 1.
    pub connection: u64,
    /// How often this phase has come up on the whole server, from 1.
    pub nth: u64,
    /// At Rcpt the recipient that is asked for; from Data on the first that was accepted.
    pub recipient: Option<&'a str>,
    /// The recipients that this transaction has accepted so far.
    pub recipients: &'a [String],
    /// How many times the server has seen `recipient` at this phase, from 1: for greylisting. Equal to `nth` in the
    /// phases that have no recipient.
    pub tries: u64,
}

/// What the server does at a cue.
///
/// A [`Reply`](Self::Reply) or [`Raw`](Self::Raw) stands in the place of the server's own, and the session goes on as
/// its code says: with the success code of the phase (220, 250, 235, 354: the first digit decides) as if the server
/// had behaved, else as if it had refused. A 421 closes the connection (RFC 5321 §3.8). At Connect and Tls, where no
/// reply is due, they are written in the clear and the connection is closed; at Body they are written after the first
/// octets, `Reply` closing the connection.
///
/// At `EndOfData` a letter is kept if the reply that goes out is a 2yz, or if [`AcceptThen`](Self::AcceptThen) says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The normal thing.
    Behave,
    /// A reply, as `450 4.2.0 try later`; CRLF is added, and put for each `\n` of a multi-line reply.
    Reply(String),
    /// Bytes exactly as they are, each chunk after its delay; then the session goes on.
    Raw(Vec<Chunk>),
    /// As [`Raw`](Self::Raw), then the action: half a reply and a close, for instance.
    RawThen(Vec<Chunk>, Box<Action>),
    /// Say nothing and read nothing more, keep the connection until the client leaves or the server stops.
    Stall,
    /// FIN without a reply (under TLS without `close_notify`); what the client still sends is thrown away.
    Close,
    /// RST.
    Reset,
    /// A fatal TLS alert and FIN if TLS is up or about to be; else as [`Reset`](Self::Reset).
    TlsAlert,
    /// At `StartTls`: the 220 and these plain bytes in one write, then the handshake. Elsewhere: the bytes.
    InjectThenTls(Vec<u8>),
    /// At `EndOfData`: keep the letter, then do this instead of the 250. Elsewhere: do this.
    AcceptThen(Box<Action>),
    /// At `EndOfData`: do not keep the letter, then do this. Elsewhere: do this.
    RejectThen(Box<Action>),
    /// Go on as if the normal reply had been said, and say nothing: a server that takes a group in and whose replies are lost.
    Withhold,
    /// The normal reply, then this: an extra reply, a close.
    BehaveThen(Box<Action>),
    /// At Body: close the connection, unread octets and all, after that many octets of the body (or at its end, if it
    /// is shorter). Elsewhere: as [`Close`](Self::Close).
    CloseAfterBody(usize),
}

/// Bytes to write, and how long to wait before them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The wait before.
    pub after: Duration,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// One line of a script by rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// At which phase.
    pub phase: Phase,
    /// On which connection (from 1); on all if `None`.
    pub connection: Option<u64>,
    /// For which address, exactly as the client writes it: at Rcpt the one asked for, from Data on any accepted one.
    pub recipient: Option<String>,
    /// Only for the first so many matches; always if `None`.
    pub times: Option<u64>,
    /// What to do.
    pub action: Action,
}

impl Rule {
    fn matches(&self, cue: &Cue) -> bool {
        let here = self.phase == cue.phase && self.connection.is_none_or(|connection| connection == cue.connection);
        here && self.recipient.as_deref().is_none_or(|wanted| match cue.phase {
            Phase::Rcpt => cue.recipient == Some(wanted),
            _ => cue.recipients.iter().any(|recipient| recipient == wanted),
        })
    }
}

/// How often each phase, and each recipient at each phase, has come up on the whole server.
#[derive(Debug, Default)]
pub(super) struct Counters(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    phases: HashMap<Phase, u64>,
    recipients: HashMap<(Phase, String), u64>,
}

impl Counters {
    /// Counts this phase and recipient: (nth, tries), both from 1.
    pub(super) fn count(&self, phase: Phase, recipient: Option<&str>) -> (u64, u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let nth = counts.phases.entry(phase).or_default();
        *nth += 1;
        let nth = *nth;
        let Some(recipient) = recipient else { return (nth, nth) };
        let tries = counts.recipients.entry((phase, recipient.to_owned())).or_default();
        *tries += 1;
        (nth, *tries)
    }
}

/// What an action comes down to, in order.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The server's own reply.
    Normal,
    /// A reply without its line ends.
    Say(String),
    /// Bytes with their delays.
    Raw(Vec<Chunk>),
    /// Nothing, in the place of the server's own reply.
    Silence,
    /// The letter is kept, or not, whatever is said.
    Keep(bool),
    /// Wait until the client leaves.
    Stall,
    /// FIN.
    Close,
    /// RST.
    Reset,
    /// A fatal alert.
    Alert,
    /// The bytes that go with the 220 of STARTTLS.
    Inject(Vec<u8>),
    /// Close after so many octets of the body.
    CloseAfterBody(usize),
}

/// The steps of `action`.
pub(super) fn steps(action: Action) -> Vec<Step> {
    let mut steps = Vec::with_capacity(2);
    let mut next = Some(action);
    while let Some(action) = next.take() {
        let (step, rest) = match action {
            Action::Behave => (Step::Normal, None),
            Action::Reply(text) => (Step::Say(text), None),
            Action::Raw(chunks) => (Step::Raw(chunks), None),
            Action::RawThen(chunks, rest) => (Step::Raw(chunks), Some(rest)),
            Action::Withhold => (Step::Silence, None),
            Action::Stall => (Step::Stall, None),
            Action::Close => (Step::Close, None),
            Action::Reset => (Step::Reset, None),
            Action::TlsAlert => (Step::Alert, None),
            Action::InjectThenTls(bytes) => (Step::Inject(bytes), None),
            Action::AcceptThen(rest) => (Step::Keep(true), Some(rest)),
            Action::RejectThen(rest) => (Step::Keep(false), Some(rest)),
            Action::BehaveThen(rest) => (Step::Normal, Some(rest)),
            Action::CloseAfterBody(octets) => (Step::CloseAfterBody(octets), None),
        };
        steps.push(step);
        next = rest.map(|rest| *rest);
    }
    steps
}

/// The code that some bytes spell if they begin with a whole reply whose lines agree; `None` for anything else.
pub(super) fn code_of(bytes: &[u8]) -> Option<u16> {
    let mut code = None;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n")?;
        let digits = line.get(..3).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
        if code.is_some_and(|code| code != digits) {
            return None;
        }
        code = Some(digits);
        match line.get(3) {
            Some(b'-') => {}
            None | Some(b' ' | b'\r') => return std::str::from_utf8(digits).ok()?.parse().ok(),
            Some(_) => return None,
        }
    }
    None
}

/// The code of a scripted reply: that of its last line.
pub(super) fn code_of_text(text: &str) -> Option<u16> {
    text.lines().last()?.get(..3)?.parse().ok()
}

/// Whether `code` is of the kind with which `phase` succeeds.
pub(super) fn succeeds(phase: Phase, code: u16) -> bool {
    match phase {
        Phase::Data => code / 100 == 3,
        _ => code / 100 == 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cue<'a>(phase: Phase, recipient: Option<&'a str>, recipients: &'a [String]) -> Cue<'a> {
        Cue { phase, connection: 1, nth: 1, recipient, recipients, tries: 1 }
    }

    fn rule(phase: Phase, recipient: Option<&str>, times: Option<u64>, action: Action) -> Rule {
        Rule { phase, connection: None, recipient: recipient.map(str::to_owned), times, action }
    }

    #[test]
    fn a_rule_is_used_only_as_often_as_it_says_and_the_next_one_then_decides() {
        let script = Script::rules(vec![
            rule(Phase::Mail, None, Some(2), Action::Close),
            rule(Phase::Mail, None, None, Action::Reset),
        ]);
        let at_mail = || script.decide(&cue(Phase::Mail, None, &[]));
        assert_eq!([at_mail(), at_mail(), at_mail()], [Action::Close, Action::Close, Action::Reset]);
        assert_eq!(script.decide(&cue(Phase::Data, None, &[])), Action::Behave);
    }

    #[test]
    fn a_rule_for_a_recipient_looks_at_the_one_asked_for_and_later_at_all_accepted() {
        let one = rule(Phase::Rcpt, Some("b@x.example"), None, Action::Close);
        let accepted = ["b@x.example".to_owned(), "c@x.example".to_owned()];
        assert!(one.matches(&cue(Phase::Rcpt, Some("b@x.example"), &[])));
        assert!(!one.matches(&cue(Phase::Rcpt, Some("d@x.example"), &accepted)));
        let later = rule(Phase::EndOfData, Some("c@x.example"), None, Action::Close);
        assert!(later.matches(&cue(Phase::EndOfData, Some("b@x.example"), &accepted)));
        let elsewhere = Rule { connection: Some(2), ..later };
        assert!(!elsewhere.matches(&cue(Phase::EndOfData, Some("b@x.example"), &accepted)));
    }

    #[test]
    fn tries_are_counted_for_each_recipient_and_phase_and_nth_for_each_phase() {
        let counters = Counters::default();
        assert_eq!(counters.count(Phase::Rcpt, Some("a")), (1, 1));
        assert_eq!(counters.count(Phase::Rcpt, Some("b")), (2, 1));
        assert_eq!(counters.count(Phase::Rcpt, Some("a")), (3, 2));
        assert_eq!(counters.count(Phase::Data, Some("a")), (1, 1));
        assert_eq!(counters.count(Phase::Mail, None), (1, 1));
    }

    #[test]
    fn only_a_whole_reply_has_a_code() {
        assert_eq!(code_of(b"250 ok\r\n"), Some(250));
        assert_eq!(code_of(b"250\r\n"), Some(250));
        assert_eq!(code_of(b"354 go\n550 no\r\n"), Some(354));
        assert_eq!(code_of(b"250-a\r\n250 b\r\n"), Some(250));
        for broken in [&b"250 ok"[..], b"250-ok\r\n", b"250-a\r\n550 b\r\n", b"25\r\n", b"abc d\r\n", b"2500\r\n", b""]
        {
            assert_eq!(code_of(broken), None, "{broken:?}");
        }
    }

    #[test]
    fn an_action_unfolds_into_its_steps_in_order() {
        let action = Action::AcceptThen(Box::new(Action::BehaveThen(Box::new(Action::Close))));
        assert_eq!(steps(action), [Step::Keep(true), Step::Normal, Step::Close]);
    }
}
