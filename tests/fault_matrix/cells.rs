//! From the table to the cells: each fault in each place, once and always, with either truth, for each set of extensions.

use std::time::Duration;

use demarche::domain::outcome::Phase;
use demarche::postbox::{Action, Chunk, Offers};

use crate::table::{Fault, Meaning, Place, Way, meanings};

/// What a server offers, and how letters go out to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Capabilities {
    pub(crate) name: &'static str,
    pub(crate) offers: Offers,
    pub(crate) way: Way,
}

/// The sets of extensions under which the phases of a letter are tried. CHUNKING without PIPELINING is none of them: then
/// letters go out by DATA, which has a test of its own.
pub(crate) const CAPABILITY_SETS: [Capabilities; 3] = [
    Capabilities { name: "plain", offers: Offers { pipelining: false, ..ALL }, way: Way::Data },
    Capabilities { name: "pipelining", offers: ALL, way: Way::Data },
    Capabilities { name: "chunking", offers: Offers { chunking: true, ..ALL }, way: Way::Chunk },
];

const ALL: Offers = Offers {
    pipelining: true,
    chunking: false,
    smtputf8: true,
    eight_bit_mime: true,
    enhanced_status_codes: true,
    size: Some(50 * 1024 * 1024),
};

/// How long a whole reply may take where the server is slow on purpose.
pub(crate) const PATIENCE: Duration = Duration::from_millis(700);
/// The pause between the octets of a slow drip.
const DRIP: Duration = Duration::from_millis(100);

/// How often the fault comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Times {
    Once,
    Always,
}

/// What the server holds when its last word is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Truth {
    /// What its reply says.
    AsSaid,
    /// The letter, whatever it says.
    Kept,
    /// Nothing, whatever it says.
    NotKept,
}

/// One run of the program against one fault.
#[derive(Clone)]
pub(crate) struct Cell {
    pub(crate) fault: Fault,
    pub(crate) place: Place,
    pub(crate) meaning: Meaning,
    pub(crate) times: Times,
    pub(crate) truth: Truth,
    pub(crate) capabilities: Capabilities,
}

impl Cell {
    /// What to call it where it fails.
    pub(crate) fn name(&self) -> String {
        let Self { fault, place, meaning, times, truth, capabilities } = self;
        format!("{fault:?} at {place:?} is {meaning:?} ({times:?}, {truth:?}, {})", capabilities.name)
    }

    /// True where only a deadline ends the wait.
    pub(crate) fn is_slow(&self) -> bool {
        matches!(self.fault, Fault::Stall | Fault::SlowDrip)
    }

    /// How letters go out to this server.
    pub(crate) fn way(&self) -> Way {
        self.capabilities.way
    }

    /// What the server does, and at which phases; the first of them is when the fault has come.
    pub(crate) fn acts(&self) -> Vec<(Phase, Action)> {
        let (phase, action) = (self.place.phase(), act(self.fault, self.place, self.way()));
        let kept = |action| Action::AcceptThen(Box::new(action));
        let not_kept = |action| Action::RejectThen(Box::new(action));
        // An alert in the place of STARTTLS is one in the place of the handshake.
        let phase = if (self.fault, self.place) == (Fault::TlsAlert, Place::StartTls) { Phase::Tls } else { phase };
        match (self.truth, phase) {
            (Truth::AsSaid, _) => vec![(phase, action)],
            (Truth::Kept, Phase::EndOfData) => vec![(phase, kept(action))],
            (Truth::NotKept, Phase::EndOfData) => vec![(phase, not_kept(action))],
            // With a chunk the fault may come before its end, and the letter be kept all the same.
            (Truth::Kept, _) if self.fault == Fault::ExtraReply => {
                vec![(phase, action), (Phase::EndOfData, kept(Action::Behave))]
            }
            // The server took the whole group in; its replies are lost from this one on.
            (Truth::Kept, Phase::Body) => vec![(Phase::EndOfData, kept(action))],
            (Truth::Kept, Phase::Rcpt) => vec![(phase, Action::Withhold), (Phase::EndOfData, kept(action))],
            (Truth::Kept, _) => {
                vec![(phase, Action::Withhold), (Phase::Rcpt, Action::Withhold), (Phase::EndOfData, kept(action))]
            }
            (Truth::NotKept, _) => {
                let refusal = Action::Reply("550 5.7.1 rejected".to_owned());
                vec![(phase, action), (Phase::EndOfData, not_kept(refusal))]
            }
        }
    }
}

/// Every cell of one fault.
pub(crate) fn cells_of(fault: Fault) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (index, capabilities) in CAPABILITY_SETS.into_iter().enumerate() {
        // What is offered matters once letters go out.
        let tried = |place: Place| index == 0 || !place.opens();
        let meanings = meanings(fault, capabilities.way).into_iter();
        for (place, meaning) in meanings.filter(|(place, meaning)| tried(*place) && *meaning != Meaning::O) {
            let cell = Cell { fault, place, meaning, times: Times::Once, truth: Truth::AsSaid, capabilities };
            if meaning == Meaning::U {
                cells.push(Cell { truth: Truth::Kept, ..cell.clone() });
                cells.push(Cell { truth: Truth::NotKept, ..cell });
                continue;
            }
            if always_matters(&cell) {
                cells.push(Cell { times: Times::Always, ..cell.clone() });
            }
            cells.push(cell);
        }
    }
    cells
}

/// Where something is tried again, it matters that it is not tried for ever. A large body costs too much to do it there, too.
fn always_matters(cell: &Cell) -> bool {
    let tried_again = matches!(cell.meaning, Meaning::S | Meaning::T | Meaning::P | Meaning::D);
    tried_again && (cell.place != Place::Body || cell.way() == Way::Chunk) && cell.fault != Fault::SlowDrip
}

/// The reply with which the server goes on at a place.
fn due(place: Place) -> &'static str {
    match place {
        Place::Banner | Place::StartTls => "220 2.0.0 go\r\n",
        Place::Auth => "235 2.7.0 welcome\r\n",
        Place::Data => "354 go on\r\n",
        Place::Mail => "250 2.1.0 ok\r\n",
        Place::Rcpt => "250 2.1.5 ok\r\n",
        _ => "250 2.0.0 ok\r\n",
    }
}

fn act(fault: Fault, place: Place, way: Way) -> Action {
    let lead = if place == Place::AfterTheReply { due(place) } else { "" };
    let bytes = |bytes: &[u8]| Action::Raw(vec![chunk(&[lead.as_bytes(), bytes].concat())]);
    let bytes_then =
        |bytes: &[u8], then| Action::RawThen(vec![chunk(&[lead.as_bytes(), bytes].concat())], Box::new(then));
    let break_off = |action| if lead.is_empty() { action } else { Action::BehaveThen(Box::new(action)) };
    match fault {
        Fault::Reply(text) if lead.is_empty() => Action::Reply(text.to_owned()),
        Fault::Reply(text) => bytes(format!("{text}\r\n").as_bytes()),
        Fault::Drop => break_off(Action::Close),
        Fault::Reset => break_off(Action::Reset),
        Fault::TlsAlert => break_off(Action::TlsAlert),
        Fault::Stall => break_off(Action::Stall),
        Fault::SlowDrip => {
            let octets = b"50-".iter().chain([b'x'; 40].iter());
            let drops = octets.map(|octet| Chunk { after: DRIP, bytes: vec![*octet] });
            // The first drop comes with the reply that stands before it, if there is one: not some time after it.
            let first = chunk(format!("{lead}2").as_bytes());
            Action::RawThen(std::iter::once(first).chain(drops).collect(), Box::new(Action::Stall))
        }
        Fault::Garbage => bytes(b"\x16\x03\x01 it works!\r\n"),
        Fault::MixedCodes => bytes(b"250-one\r\n550 two\r\n"),
        Fault::EndlessLines => bytes_then(&b"250-more\r\n".repeat(300), Action::Stall),
        Fault::HugeReply => {
            bytes_then(&[b"250-".to_vec(), vec![b'x'; 1000], b"\r\n".to_vec()].concat().repeat(80), Action::Stall)
        }
        Fault::OversizedLine => bytes_then(&[b"250 ".to_vec(), vec![b'x'; 5000]].concat(), Action::Stall),
        Fault::HalfReply => bytes_then(b"25", Action::Close),
        // In the body of DATA no reply is due at all, so that one is one too many; a chunk's may be meant.
        Fault::ExtraReply if place == Place::Body && way == Way::Data => bytes(due(place).as_bytes()),
        Fault::ExtraReply => bytes(due(place).repeat(if lead.is_empty() { 2 } else { 1 }).as_bytes()),
        Fault::GoOnAfterTheDot => bytes(due(Place::Data).as_bytes()),
        Fault::Injection => Action::InjectThenTls(b"250 2.0.0 believe me\r\n".to_vec()),
    }
}

fn chunk(bytes: &[u8]) -> Chunk {
    Chunk { after: Duration::ZERO, bytes: bytes.to_vec() }
}
