//! The table of faults as data, in the shape in which it is written down: a row for each fault, a column for each phase.

use demarche::domain::outcome::Phase;

/// What a fault in a phase does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// New session, nothing charged.
    S,
    /// New session twice, then the run stops.
    T,
    /// The account pauses, then the run goes on.
    P,
    /// The run stops and says what to fix.
    H,
    /// Deferred.
    D,
    /// Failed.
    F,
    /// Uncertain.
    U,
    /// Accepted.
    A,
    /// There is no such fault in this phase.
    O,
}

/// What the server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A whole reply.
    Reply(&'static str),
    /// FIN.
    Drop,
    /// RST.
    Reset,
    /// A fatal TLS alert.
    TlsAlert,
    /// Nothing at all any more.
    Stall,
    /// One octet at a time, each well within the deadline, all of them beyond it.
    SlowDrip,
    /// A line that is no reply.
    Garbage,
    /// One reply of two codes.
    MixedCodes,
    /// Continuation lines without end.
    EndlessLines,
    /// More octets than any reply has, in lines that are in order.
    HugeReply,
    /// A line without end.
    OversizedLine,
    /// The first octets of a reply and FIN.
    HalfReply,
    /// The reply that is due, twice.
    ExtraReply,
    /// `354` where the last word on the letter is due.
    GoOnAfterTheDot,
    /// Plain text behind the 220 of STARTTLS, before the handshake.
    Injection,
}

/// A row of the table.
pub(crate) struct Row {
    pub(crate) fault: Fault,
    /// In the order of [`COLUMNS`].
    pub(crate) cells: [Meaning; 9],
}

/// Where in a session the fault comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    Banner,
    Ehlo,
    StartTls,
    Auth,
    Mail,
    Rcpt,
    Data,
    Body,
    EndOfData,
    AfterTheReply,
}

/// The columns: one of them stands for two places.
pub(crate) const COLUMNS: [&[Place]; 9] = [
    &[Place::Banner, Place::Ehlo],
    &[Place::StartTls],
    &[Place::Auth],
    &[Place::Mail],
    &[Place::Rcpt],
    &[Place::Data],
    &[Place::Body],
    &[Place::EndOfData],
    &[Place::AfterTheReply],
];

impl Place {
    /// The phase in which the server acts.
    pub(crate) fn phase(self) -> Phase {
        match self {
            Self::Banner => Phase::Banner,
            Self::Ehlo => Phase::Ehlo,
            Self::StartTls => Phase::StartTls,
            Self::Auth => Phase::Auth,
            Self::Mail => Phase::Mail,
            Self::Rcpt => Phase::Rcpt,
            Self::Data => Phase::Data,
            Self::Body => Phase::Body,
            Self::EndOfData | Self::AfterTheReply => Phase::EndOfData,
        }
    }

    /// True while the session is being opened and no letter is at stake.
    pub(crate) fn opens(self) -> bool {
        self < Self::Mail
    }
}

const fn reply(text: &'static str, cells: [Meaning; 9]) -> Row {
    Row { fault: Fault::Reply(text), cells }
}

const fn fault(fault: Fault, cells: [Meaning; 9]) -> Row {
    Row { fault, cells }
}

use Meaning::{A, D, F, H, O, P, S, T, U};

/// Every fault and what it does.
#[rustfmt::skip]
pub(crate) const TABLE: &[Row] = &[
    //                                                        banner STARTTLS AUTH MAIL RCPT DATA body  dot after
    reply("421 4.3.2 the service closes",                       [S,   S,      S,   P,   S,   S,   D,   D,   A]),
    reply("450 4.2.0 the mailbox is busy",                      [S,   S,      S,   P,   D,   D,   D,   D,   A]),
    reply("451 4.7.1 greylisted",                               [S,   S,      S,   P,   D,   D,   D,   D,   A]),
    reply("451 4.3.0 local trouble",                            [S,   S,      S,   D,   D,   D,   D,   D,   A]),
    reply("452 4.2.2 the mailbox is full",                      [S,   S,      S,   P,   D,   D,   D,   D,   A]),
    reply("452 4.5.3 too many recipients",                      [S,   S,      S,   P,   P,   D,   D,   D,   A]),
    reply("454 4.7.0 authentication is down for now",           [S,   S,      S,   P,   P,   P,   D,   P,   A]),
    reply("535 5.7.8 wrong credentials",                        [H,   H,      H,   H,   H,   H,   H,   H,   A]),
    reply("530 5.7.0 authentication required",                  [H,   H,      H,   H,   H,   H,   H,   H,   A]),
    reply("550 5.1.1 no such user",                             [T,   H,      H,   H,   F,   F,   F,   F,   A]),
    reply("552 5.3.4 too large",                                [S,   H,      H,   F,   D,   F,   F,   F,   A]),
    reply("554 5.0.0 no",                                       [T,   H,      H,   H,   F,   F,   F,   F,   A]),
    // The account's matter, wherever they come.
    reply("550 5.4.5 daily user sending limit exceeded",        [T,   H,      H,   P,   P,   P,   P,   P,   A]),
    reply("550 5.7.30 basic authentication is not supported",   [T,   H,      H,   H,   H,   H,   H,   H,   A]),
    reply("450 4.2.1 receiving too fast",                       [S,   S,      S,   P,   P,   P,   P,   P,   A]),
    reply("432 4.3.2 concurrent connections limit exceeded",    [S,   S,      S,   P,   P,   P,   P,   P,   A]),
    reply("554 5.2.0 submission quota exceeded",                [T,   H,      H,   P,   P,   P,   P,   P,   A]),
    reply("454 Throttling failure: maximum rate exceeded",      [S,   S,      S,   P,   P,   P,   D,   P,   A]),
    reply("550 5.7.1 not allowed to send",                      [T,   H,      H,   H,   F,   F,   F,   F,   A]),
    // No valid reply.
    fault(Fault::Drop,                                          [S,   S,      S,   S,   S,   S,   D,   U,   A]),
    fault(Fault::Reset,                                         [S,   S,      S,   S,   S,   S,   D,   U,   A]),
    fault(Fault::TlsAlert,                                      [S,   S,      S,   S,   S,   S,   D,   U,   A]),
    fault(Fault::Stall,                                         [S,   S,      S,   S,   S,   S,   D,   U,   A]),
    fault(Fault::SlowDrip,                                      [S,   S,      S,   S,   S,   S,   D,   U,   A]),
    fault(Fault::Garbage,                                       [S,   S,      S,   S,   S,   S,   D,   U,   A]),
    fault(Fault::MixedCodes,                                    [S,   S,      S,   S,   S,   S,   D,   U,   A]),
    fault(Fault::EndlessLines,                                  [S,   S,      S,   S,   S,   S,   D,   U,   A]),
    fault(Fault::HugeReply,                                     [S,   S,      S,   S,   S,   S,   D,   U,   A]),
    fault(Fault::OversizedLine,                                 [S,   S,      S,   S,   S,   S,   D,   U,   A]),
    fault(Fault::HalfReply,                                     [S,   S,      S,   S,   S,   S,   D,   U,   A]),
    fault(Fault::ExtraReply,                                    [S,   H,      S,   S,   S,   D,   D,   A,   A]),
    fault(Fault::GoOnAfterTheDot,                               [O,   O,      O,   O,   O,   O,   O,   U,   O]),
    fault(Fault::Injection,                                     [O,   H,      O,   O,   O,   O,   O,   O,   O]),
];
