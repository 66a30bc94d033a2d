//! From the table to the cells: each fault in each place, once and always, with either truth, for each set of extensions.

use std::time::Duration;

use demarche::postbox::{Action, Chunk, Offers};

use crate::table::{COLUMNS, Fault, Meaning, Place, TABLE};

/// The sets of extensions under which the phases of a letter are tried. One more line here is one more dimension.
pub(crate) const CAPABILITY_SETS: [(&str, Offers); 2] =
    [("plain", Offers { pipelining: false, ..ALL }), ("pipelining", Offers { pipelining: true, ..ALL })];

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
    pub(crate) capabilities: (&'static str, Offers),
}

impl Cell {
    /// What to call it where it fails.
    pub(crate) fn name(&self) -> String {
        let Self { fault, place, meaning, times, truth, capabilities: (set, _) } = self;
        format!("{fault:?} at {place:?} is {meaning:?} ({times:?}, {truth:?}, {set})")
    }

    /// True where only a deadline ends the wait.
    pub(crate) fn is_slow(&self) -> bool {
        matches!(self.fault, Fault::Stall | Fault::SlowDrip)
    }

    /// What the server does at the fault.
    pub(crate) fn action(&self) -> Action {
        let action = act(self.fault, self.place);
        match self.truth {
            Truth::AsSaid => action,
            Truth::Kept => Action::AcceptThen(Box::new(action)),
            Truth::NotKept => Action::RejectThen(Box::new(action)),
        }
    }
}

/// Every cell of one row of the table.
pub(crate) fn cells_of(row: usize) -> Vec<Cell> {
    let row = &TABLE[row];
    let mut cells = Vec::new();
    for (places, meaning) in COLUMNS.into_iter().zip(row.cells) {
        for place in places.iter().copied().filter(|_| meaning != Meaning::O) {
            // What is offered matters once letters go out.
            let sets = if place.opens() { &CAPABILITY_SETS[..1] } else { &CAPABILITY_SETS };
            for capabilities in sets.iter().copied() {
                let cell =
                    Cell { fault: row.fault, place, meaning, times: Times::Once, truth: Truth::AsSaid, capabilities };
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
    }
    cells
}

/// Where something is tried again, it matters that it is not tried for ever. A large body costs too much to do it there, too.
fn always_matters(cell: &Cell) -> bool {
    let tried_again = matches!(cell.meaning, Meaning::S | Meaning::T | Meaning::P | Meaning::D);
    tried_again && cell.place != Place::Body && cell.fault != Fault::SlowDrip
}

/// The reply with which the server goes on at a place.
fn due(place: Place) -> &'static str {
    match place {
        Place::Banner | Place::StartTls => "220 2.0.0 go\r\n",
        Place::Auth => "235 2.7.0 welcome\r\n",
        Place::Data => "354 go on\r\n",
        _ => "250 2.0.0 ok\r\n",
    }
}

fn act(fault: Fault, place: Place) -> Action {
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
            let octets = b"250-".iter().chain([b'x'; 40].iter());
            let drops = octets.map(|octet| Chunk { after: DRIP, bytes: vec![*octet] });
            let first = (!lead.is_empty()).then(|| chunk(lead.as_bytes()));
            Action::RawThen(first.into_iter().chain(drops).collect(), Box::new(Action::Stall))
        }
        Fault::Garbage => bytes(b"\x16\x03\x01 it works!\r\n"),
        Fault::MixedCodes => bytes(b"250-one\r\n550 two\r\n"),
        Fault::EndlessLines => bytes_then(&b"250-more\r\n".repeat(300), Action::Stall),
        Fault::HugeReply => {
            bytes_then(&[b"250-".to_vec(), vec![b'x'; 1000], b"\r\n".to_vec()].concat().repeat(80), Action::Stall)
        }
        Fault::OversizedLine => bytes_then(&[b"250 ".to_vec(), vec![b'x'; 5000]].concat(), Action::Stall),
        Fault::HalfReply => bytes_then(b"25", Action::Close),
        // In the body no reply is due at all, so that one is one too many.
        Fault::ExtraReply if place == Place::Body => bytes(due(place).as_bytes()),
        Fault::ExtraReply => bytes(due(place).repeat(if lead.is_empty() { 2 } else { 1 }).as_bytes()),
        Fault::GoOnAfterTheDot => bytes(due(Place::Data).as_bytes()),
        Fault::Injection => Action::InjectThenTls(b"250 2.0.0 believe me\r\n".to_vec()),
    }
}

fn chunk(bytes: &[u8]) -> Chunk {
    Chunk { after: Duration::ZERO, bytes: bytes.to_vec() }
}
