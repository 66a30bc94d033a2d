//! A server whose events the test waits for, and at which it can hold the whole world still while it does its worst.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use demarche::domain::outcome::Phase;
use demarche::postbox::{Action, Offers, Options, Script};

use crate::support::campaign::Running;
use crate::support::server::Server;

/// How often a wait for an event looks whether the program is still there.
const LOOK: Duration = Duration::from_millis(5);

/// What the server waits for.
struct Armed {
    phase: Phase,
    left: u32,
    hold: bool,
    action: Action,
}

struct Shared {
    armed: Mutex<Option<Armed>>,
    events: Sender<()>,
    release: Mutex<Receiver<()>>,
}

/// A server that tells when a phase has come up so and so often since it was armed.
pub(crate) struct Stage {
    // Dropped first: a server that holds still cannot be stopped.
    release: Sender<()>,
    pub(crate) server: Server,
    shared: Arc<Shared>,
    events: Receiver<()>,
}

impl Stage {
    /// A server that behaves but for what it is armed with.
    pub(crate) fn new() -> Self {
        Self::offering(Offers::default())
    }

    /// The same with these extensions.
    pub(crate) fn offering(offers: Offers) -> Self {
        let (events, heard) = channel();
        let (release, released) = channel();
        let shared = Arc::new(Shared { armed: Mutex::default(), events, release: Mutex::new(released) });
        let asked = Arc::clone(&shared);
        let script = Script::new(move |cue| asked.decide(cue.phase));
        let server = Server::with(Options { offers, script, ..Options::default() });
        Self { server, shared, events: heard, release }
    }

    /// From now on, the `nth` time (from 1) that `phase` comes up is told.
    pub(crate) fn arm(&self, phase: Phase, nth: u32) {
        self.set(Armed { phase, left: nth, hold: false, action: Action::Behave });
    }

    /// The same, and the server holds still there until [`Self::go_on`]; then it does `action`.
    pub(crate) fn hold(&self, phase: Phase, nth: u32, action: Action) {
        self.set(Armed { phase, left: nth, hold: true, action });
    }

    fn set(&self, armed: Armed) {
        while self.events.try_recv().is_ok() {}
        *self.shared.armed.lock().unwrap_or_else(PoisonError::into_inner) = Some(armed);
    }

    /// No event is told any more.
    pub(crate) fn disarm(&self) {
        *self.shared.armed.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Waits for the event; false if the program ended without one.
    pub(crate) fn wait(&self, running: &mut Running) -> bool {
        loop {
            if self.events.recv_timeout(LOOK).is_ok() {
                return true;
            }
            if running.has_ended() {
                return self.events.try_recv().is_ok();
            }
        }
    }

    /// Waits for the event that has to come.
    #[track_caller]
    pub(crate) fn expect(&self, running: &mut Running) {
        assert!(self.wait(running), "the program ended first:\n{}", running.stderr());
    }

    /// Ends the stillness.
    pub(crate) fn go_on(&self) {
        self.release.send(()).expect("the server is there");
    }
}

impl Shared {
    /// Blocks the server's one thread while it holds: nothing else shall happen there either.
    fn decide(&self, phase: Phase) -> Action {
        let armed = {
            let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
            match armed.as_mut() {
                Some(waiting) if waiting.phase == phase && waiting.left > 1 => {
                    waiting.left -= 1;
                    None
                }
                Some(waiting) if waiting.phase == phase => armed.take(),
                _ => None,
            }
        };
        let Some(armed) = armed else { return Action::Behave };
        // A test that has ended waits for nothing.
        if self.events.send(()).is_ok() && armed.hold {
            let _ = self.release.lock().unwrap_or_else(PoisonError::into_inner).recv();
        }
        armed.action
    }
}
