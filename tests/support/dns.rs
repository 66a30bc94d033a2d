//! A DNS server on loopback that answers what it was told to, and keeps what it was asked.

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};

/// Record types, as they stand on the wire.
pub const MX: u16 = 15;
/// An IPv4 address.
pub const A: u16 = 1;
/// A text.
pub const TXT: u16 = 16;

/// What it says to a question; to one that it was not told about that there is no such domain.
#[derive(Debug, Clone)]
pub enum Say {
    /// A record of that type: for MX the name of a server ("" for the root), for TXT a text, for A nothing.
    Record(u16, &'static str),
    /// The domain is there, with nothing of the kind that was asked for.
    Nothing,
    /// No answer at all.
    Silence,
    /// "I cannot" (SERVFAIL).
    Failure,
}

/// A running server. Its thread ends with the test program.
pub struct Dns {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<(String, u16)>>>,
}

impl Dns {
    /// A server that says so of each domain.
    pub fn start(says: &[(&str, Say)]) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let address = socket.local_addr().expect("it is bound");
        let asked: Arc<Mutex<Vec<(String, u16)>>> = Arc::default();
        let says: HashMap<String, Vec<Say>> = says.iter().fold(HashMap::new(), |mut all, (name, say)| {
            all.entry((*name).to_owned()).or_insert_with(Vec::new).push(say.clone());
            all
        });
        let kept = Arc::clone(&asked);
        std::thread::spawn(move || {
            let mut buffer = [0_u8; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                let (name, kind, end) = question(&buffer[..length]);
                kept.lock().expect("no panic").push((name.clone(), kind));
                if let Some(reply) = reply(&buffer[..end], kind, says.get(&name)) {
                    let _ = socket.send_to(&reply, from);
                }
            }
        });
        Self { address, asked }
    }

    /// Where it listens, as `--resolver` takes it.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// The questions so far: name and type.
    pub fn asked(&self) -> Vec<(String, u16)> {
        self.asked.lock().expect("no panic").clone()
    }
}

/// The name and the type that a query asks for, and where its question ends.
fn question(query: &[u8]) -> (String, u16, usize) {
    let (mut at, mut labels) = (12, Vec::new());
    while query[at] > 0 {
        let length = usize::from(query[at]);
        labels.push(String::from_utf8_lossy(&query[at + 1..=at + length]).to_lowercase());
        at += length + 1;
    }
    (labels.join("."), u16::from_be_bytes([query[at + 1], query[at + 2]]), at + 5)
}

/// The reply to a query that was cut after its question.
fn reply(query: &[u8], kind: u16, says: Option<&Vec<Say>>) -> Option<Vec<u8>> {
    const NO_SUCH_NAME: u8 = 3;
    const SERVER_FAILURE: u8 = 2;
    let mut code = if says.is_some() { 0 } else { NO_SUCH_NAME };
    let mut answers = Vec::new();
    for say in says.into_iter().flatten() {
        match say {
            Say::Silence => return None,
            Say::Failure => code = SERVER_FAILURE,
            Say::Record(of, value) if *of == kind => answers.push(record(*of, value)),
            Say::Record(..) | Say::Nothing => {}
        }
    }
    let mut bytes = query.to_vec();
    // A reply, with recursion wanted and available.
    (bytes[2], bytes[3]) = (0x81, 0x80 | code);
    bytes[6..8].copy_from_slice(&u16::try_from(answers.len()).expect("few").to_be_bytes());
    bytes[8..12].fill(0);
    bytes.extend(answers.concat());
    Some(bytes)
}

/// A record of the name that was asked for (a pointer to it, RFC 1035 §4.1.4), of class IN, for a minute.
fn record(kind: u16, value: &str) -> Vec<u8> {
    let data = match kind {
        MX => {
            let mut data = vec![0, 10];
            for label in value.split('.').filter(|label| !label.is_empty()) {
                data.push(u8::try_from(label.len()).expect("short"));
                data.extend(label.bytes());
            }
            data.push(0);
            data
        }
        TXT => [&[u8::try_from(value.len()).expect("short")], value.as_bytes()].concat(),
        _ => vec![127, 0, 0, 1],
    };
    let mut bytes = vec![0xc0, 12];
    bytes.extend(kind.to_be_bytes());
    bytes.extend([0, 1, 0, 0, 0, 60]);
    bytes.extend(u16::try_from(data.len()).expect("short").to_be_bytes());
    bytes.extend(data);
    bytes
}
