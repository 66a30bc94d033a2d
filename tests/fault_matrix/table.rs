//! The tables of faults as data, in the shape in which they are written down: a row for each fault, a column for each phase;
//! one table for letters that go out by DATA, one for those that go out as one chunk.

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
    /// Accepted, and the next letter's chunk meets a server that has fallen silent: that one is uncertain.
    N,
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

/// How a letter goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// DATA, and a terminator once the body is out.
    Data,
    /// MAIL, RCPT and the whole message behind `BDAT n LAST` in one group.
    Chunk,
}

/// A row of the table for chunks.
pub(crate) struct ChunkRow {
    pub(crate) fault: Fault,
    /// In the order of [`CHUNK_COLUMNS`].
    pub(crate) cells: [Meaning; 5],
}

/// The columns of the table for chunks: opening the session is the same, and there is no DATA.
pub(crate) const CHUNK_COLUMNS: [Place; 5] =
    [Place::Mail, Place::Rcpt, Place::Body, Place::EndOfData, Place::AfterTheReply];

/// The places and meanings of a fault for letters that go out so, and while the session is opened.
pub(crate) fn meanings(fault: Fault, way: Way) -> Vec<(Place, Meaning)> {
    let row = TABLE.iter().find(|row| row.fault == fault).expect("a row of the table");
    let columns = COLUMNS.into_iter().zip(row.cells);
    let by_data = columns.flat_map(|(places, meaning)| places.iter().map(move |place| (*place, meaning)));
    let chunked = CHUNK_TABLE.iter().find(|row| row.fault == fault).map(|row| row.cells);
    let by_chunk = CHUNK_COLUMNS.into_iter().zip(chunked.unwrap_or([Meaning::O; 5]));
    match way {
        Way::Data => by_data.collect(),
        Way::Chunk => by_data.filter(|(place, _)| place.opens()).chain(by_chunk).collect(),
    }
}

const fn reply(text: &'static str, cells: [Meaning; 9]) -> Row {
    Row { fault: Fault::Reply(text), cells }
}

const fn fault(fault: Fault, cells: [Meaning; 9]) -> Row {
    Row { fault, cells }
}

const fn chunk_reply(text: &'static str, cells: [Meaning; 5]) -> ChunkRow {
    ChunkRow { fault: Fault::Reply(text), cells }
}

const fn chunk_fault(fault: Fault, cells: [Meaning; 5]) -> ChunkRow {
    ChunkRow { fault, cells }
}

use Meaning::{A, D, F, H, N, O, P, S, T, U};

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

/// The same for a letter that goes out as one chunk. It is on its way before the first reply is read, so that no lost reply
/// proves anything; whole refusals of MAIL, of RCPT, or of the chunk still do, and one that is said in the body is the
/// chunk's. No 354 stands between the replies, so that one too many makes none of them believed, a 250 neither; only a
/// farewell (421) is no such reply.
#[rustfmt::skip]
pub(crate) const CHUNK_TABLE: &[ChunkRow] = &[
    //                                                               MAIL RCPT body dot after
    chunk_reply("421 4.3.2 the service closes",                       [P,   S,   D,   D,   A]),
    chunk_reply("450 4.2.0 the mailbox is busy",                      [P,   D,   D,   D,   U]),
    chunk_reply("451 4.7.1 greylisted",                               [P,   D,   D,   D,   U]),
    chunk_reply("451 4.3.0 local trouble",                            [D,   D,   D,   D,   U]),
    chunk_reply("452 4.2.2 the mailbox is full",                      [P,   D,   D,   D,   U]),
    chunk_reply("452 4.5.3 too many recipients",                      [P,   P,   D,   D,   U]),
    chunk_reply("454 4.7.0 authentication is down for now",           [P,   P,   P,   P,   U]),
    chunk_reply("535 5.7.8 wrong credentials",                        [H,   H,   H,   H,   U]),
    chunk_reply("530 5.7.0 authentication required",                  [H,   H,   H,   H,   U]),
    chunk_reply("550 5.1.1 no such user",                             [H,   F,   F,   F,   U]),
    chunk_reply("552 5.3.4 too large",                                [F,   D,   F,   F,   U]),
    chunk_reply("554 5.0.0 no",                                       [H,   F,   F,   F,   U]),
    chunk_reply("550 5.4.5 daily user sending limit exceeded",        [P,   P,   P,   P,   U]),
    chunk_reply("550 5.7.30 basic authentication is not supported",   [H,   H,   H,   H,   U]),
    chunk_reply("450 4.2.1 receiving too fast",                       [P,   P,   P,   P,   U]),
    chunk_reply("432 4.3.2 concurrent connections limit exceeded",    [P,   P,   P,   P,   U]),
    chunk_reply("554 5.2.0 submission quota exceeded",                [P,   P,   P,   P,   U]),
    chunk_reply("454 Throttling failure: maximum rate exceeded",      [P,   P,   P,   P,   U]),
    chunk_reply("550 5.7.1 not allowed to send",                      [H,   F,   F,   F,   U]),
    chunk_fault(Fault::Drop,                                          [U,   U,   U,   U,   A]),
    chunk_fault(Fault::Reset,                                         [U,   U,   U,   U,   A]),
    chunk_fault(Fault::TlsAlert,                                      [U,   U,   U,   U,   A]),
    chunk_fault(Fault::Stall,                                         [U,   U,   U,   U,   N]),
    chunk_fault(Fault::SlowDrip,                                      [U,   U,   U,   U,   U]),
    chunk_fault(Fault::Garbage,                                       [U,   U,   U,   U,   U]),
    chunk_fault(Fault::MixedCodes,                                    [U,   U,   U,   U,   U]),
    chunk_fault(Fault::EndlessLines,                                  [U,   U,   U,   U,   U]),
    chunk_fault(Fault::HugeReply,                                     [U,   U,   U,   U,   U]),
    chunk_fault(Fault::OversizedLine,                                 [U,   U,   U,   U,   U]),
    chunk_fault(Fault::HalfReply,                                     [U,   U,   U,   U,   U]),
    chunk_fault(Fault::ExtraReply,                                    [U,   U,   U,   U,   U]),
    chunk_fault(Fault::GoOnAfterTheDot,                               [O,   O,   O,   U,   O]),
];
