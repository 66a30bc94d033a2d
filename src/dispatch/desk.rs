//! Where sessions fetch their next letter, with the moment at which it may go.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::daily_cap::DailyCap;
use super::feed::Ready;
use super::pacing::Pace;
use crate::clock;

/// Letters put aside because their domain has to wait, so that others can go first. A bound: what it holds, memory holds.
const PARKED: usize = 64;

/// One desk a run; sessions queue for it.
pub(super) struct Desk {
    ready: mpsc::Receiver<Ready>,
    pace: Pace,
    caps: Vec<DailyCap>,
    parked: Vec<(Duration, Ready)>,
    drained: bool,
}

/// What a session gets.
pub(super) enum Next {
    /// A letter, and the moment (from the run's start) at which it may go.
    Letter(Box<Ready>, Duration),
    /// Not before then: the daily cap. The letter is not handed out.
    Capped(Timestamp),
    /// Nothing comes any more.
    Nothing,
}

impl Desk {
    pub(super) fn new(ready: mpsc::Receiver<Ready>, pace: Pace, caps: Vec<DailyCap>) -> Self {
        Self { ready, pace, caps, parked: Vec::new(), drained: false }
    }

    /// The next letter that may go. Cancelling loses nothing: a letter is either parked or handed out.
    pub(super) async fn next(&mut self, started: Instant) -> Next {
        loop {
            let now = started.elapsed();
            let first = self.parked.iter().enumerate().min_by_key(|(_, (at, _))| *at).map(|(i, (at, _))| (i, *at));
            let letter = match first {
                Some((index, at)) if at <= now => self.parked.swap_remove(index).1,
                Some((_, at)) if self.drained || self.parked.len() >= PARKED => {
                    tokio::time::sleep(at.saturating_sub(now)).await;
                    continue;
                }
                None if self.drained => return Next::Nothing,
                first => {
                    let wait = first.map_or(Duration::MAX, |(_, at)| at.saturating_sub(now));
                    tokio::select! {
                        biased;
                        letter = self.ready.recv() => {
                            let Some(letter) = letter else {
                                self.drained = true;
                                continue;
                            };
                            letter
                        }
                        () = tokio::time::sleep(wait) => continue,
                    }
                }
            };
            if let Some(next) = self.admit(letter, started.elapsed()) {
                return next;
            }
        }
    }

    /// Gives a letter its moment, or parks it.
    fn admit(&mut self, letter: Ready, now: Duration) -> Option<Next> {
        let wall = clock::now();
        let recipients = u32::try_from(letter.due.addresses.len()).unwrap_or(u32::MAX);
        if let Some(free) = self.caps.iter_mut().filter_map(|cap| cap.free_at(recipients, wall, now)).max() {
            self.parked.push((now, letter));
            return Some(Next::Capped(free));
        }
        match self.pace.reserve(&domains(&letter.due.addresses), now) {
            Ok(moment) => {
                // It counts from when it goes, not from now.
                let goes = wall + moment.saturating_sub(now);
                for cap in &mut self.caps {
                    cap.count(recipients, goes, moment);
                }
                Some(Next::Letter(Box::new(letter), moment))
            }
            Err(later) => {
                self.parked.push((later, letter));
                None
            }
        }
    }
}

fn domains(addresses: &[String]) -> Vec<String> {
    let mut domains: Vec<String> = addresses
        .iter()
        .filter_map(|address| address.rsplit_once('@').map(|(_, domain)| domain.to_lowercase()))
        .collect();
    domains.sort_unstable();
    domains.dedup();
    domains
}
