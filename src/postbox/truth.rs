//! What the server really did: the letters it kept, the commands it heard, the rules that clients broke.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

/// Command lines kept for each connection; what comes later is not written down.
const TRANSCRIPT_LINES_MAX: usize = 2_000;
/// Command lines kept in all.
const TRANSCRIPT_LINES_TOTAL_MAX: usize = 200_000;
/// Violations kept.
const VIOLATIONS_MAX: usize = 1_000;

/// A letter that the server kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its number in the order of acceptance, from 1; where letters are kept in a folder, from after the highest number
    /// there.
    pub sequence: u64,
    /// The connection that it came by, from 1.
    pub connection: u64,
    /// When it was kept.
    pub at: Timestamp,
    /// The address of MAIL FROM; empty for `<>`.
    pub reverse_path: String,
    /// The addresses of the accepted RCPT TO, in order.
    pub forward_paths: Vec<String>,
    /// The Message-ID field, with its angle brackets.
    pub message_id: Option<String>,
    /// The X-Demarche-Delivery field.
    pub delivery: Option<String>,
    /// The message without dot-stuffing; empty unless kept in memory.
    pub bytes: Vec<u8>,
    /// The size of the message in octets, without dot-stuffing and terminator.
    pub size: usize,
    /// False if the server kept it and sent no 2yz.
    pub acknowledged: bool,
    /// The file, where letters are kept in a folder.
    pub file: Option<PathBuf>,
}

/// A handle on the truth: cheap to clone, outlives the clients and the server.
#[derive(Debug, Clone)]
pub struct Truth(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    letters: Mutex<Vec<Letter>>,
    sequence: AtomicU64,
    connections: AtomicU64,
    heard: Mutex<Heard>,
    violations: Mutex<Vec<String>>,
    count: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Heard {
    lines: usize,
    by_connection: BTreeMap<u64, Vec<String>>,
}

impl Truth {
    /// The truth of a server that numbers its letters from after `sequence`.
    pub(super) fn after(sequence: u64) -> Self {
        Self(Arc::new(Inner {
            letters: Mutex::default(),
            sequence: AtomicU64::new(sequence),
            connections: AtomicU64::new(0),
            heard: Mutex::default(),
            violations: Mutex::default(),
            count: watch::Sender::new(0),
        }))
    }

    /// The letters kept so far, in the order in which they were kept. Clones them, bytes and all.
    #[must_use]
    pub fn accepted(&self) -> Vec<Letter> {
        let mut letters = held(&self.0.letters).clone();
        letters.sort_by_key(|letter| letter.sequence);
        letters
    }

    /// How many letters were kept.
    #[must_use]
    pub fn count(&self) -> usize {
        *self.0.count.borrow()
    }

    /// How many connections were accepted.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.0.connections.load(Ordering::SeqCst)
    }

    /// Waits until `count` letters were kept: for ever, if they do not come.
    pub async fn wait_for(&self, count: usize) {
        // The sender lives in `self`, so the wait cannot end for want of one.
        let _ = self.0.count.subscribe().wait_for(|kept| *kept >= count).await;
    }

    /// The command lines of a connection (from 1) in order, without line ends; secrets of AUTH are put as `*`.
    /// Only the first 2,000 of each connection are kept.
    #[must_use]
    pub fn transcript(&self, connection: u64) -> Vec<String> {
        held(&self.0.heard).by_connection.get(&connection).cloned().unwrap_or_default()
    }

    /// What clients did against the rules: bare CR or LF, lines over 998 octets, input sent before it was due.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        held(&self.0.violations).clone()
    }

    /// A number for a new connection.
    pub(super) fn connected(&self) -> u64 {
        self.0.connections.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// A number for a letter about to be kept.
    pub(super) fn next_sequence(&self) -> u64 {
        self.0.sequence.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(super) fn keep(&self, letter: Letter) {
        let count = {
            let mut letters = held(&self.0.letters);
            letters.push(letter);
            letters.len()
        };
        self.0.count.send_if_modified(|kept| {
            let more = count > *kept;
            *kept = count.max(*kept);
            more
        });
    }

    pub(super) fn heard(&self, connection: u64, line: &str) {
        let mut heard = held(&self.0.heard);
        let total = heard.lines;
        let lines = heard.by_connection.entry(connection).or_default();
        if lines.len() < TRANSCRIPT_LINES_MAX && total < TRANSCRIPT_LINES_TOTAL_MAX {
            lines.push(line.to_owned());
            heard.lines += 1;
        }
    }

    pub(super) fn violated(&self, connection: u64, what: &str) {
        let mut violations = held(&self.0.violations);
        if violations.len() < VIOLATIONS_MAX {
            violations.push(format!("connection {connection}: {what}"));
        }
    }
}

/// The lock; a panic elsewhere does not make what was recorded less true.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(sequence: u64) -> Letter {
        Letter {
            sequence,
            connection: 1,
            at: Timestamp::UNIX_EPOCH,
            reverse_path: String::new(),
            forward_paths: Vec::new(),
            message_id: None,
            delivery: None,
            bytes: Vec::new(),
            size: 0,
            acknowledged: true,
            file: None,
        }
    }

    #[tokio::test]
    async fn waiting_ends_when_the_letters_are_there_also_if_they_came_before() {
        let truth = Truth::after(0);
        let waiting = tokio::spawn({
            let truth = truth.clone();
            async move { truth.wait_for(2).await }
        });
        truth.keep(letter(1));
        truth.keep(letter(2));
        waiting.await.unwrap();
        truth.wait_for(1).await;
        assert_eq!((truth.count(), truth.accepted().len()), (2, 2));
    }

    #[test]
    fn a_transcript_does_not_grow_without_end() {
        let truth = Truth::after(0);
        for _ in 0..=TRANSCRIPT_LINES_MAX {
            truth.heard(1, "NOOP");
        }
        assert_eq!(truth.transcript(1).len(), TRANSCRIPT_LINES_MAX);
        assert!(truth.transcript(2).is_empty());
    }
}
