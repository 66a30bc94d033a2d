//! One session's life: fetch a letter, wait for its moment, claim, hand over with the intent on record, record the outcome.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::control::Control;
use super::desk::{Desk, Next};
use super::feed::{Feed, Ready};
use super::wishes::Wishes;
use super::{Ending, Progress, RunError, Waiting};
use crate::clock;
use crate::domain::delivery::{Event, State};
use crate::domain::digest::Digest;
use crate::domain::fault::{Judgement, Run, Verdict, judge, verdict};
use crate::domain::outcome::Phase;
use crate::ledger::{Claim, Ledger, Settlement};
use crate::smtp::{Connector, Session};

/// A session that has nothing to do for this long is ended: servers end it soon after, and less politely.
const IDLE: Duration = Duration::from_secs(15);
/// A letter that sessions gave back so often is deferred: one letter must not hold up the others for ever.
const GIVEN_BACK: u32 = 3;
/// A wait for the pace shorter than this is not worth a word.
const WORTH_A_WORD: Duration = Duration::from_secs(10);

pub(super) struct Worker {
    pub(super) run: i64,
    pub(super) ledger: Ledger,
    pub(super) connector: Connector,
    pub(super) feed: Arc<Feed>,
    pub(super) desk: Arc<tokio::sync::Mutex<Desk>>,
    pub(super) control: Arc<Control>,
    pub(super) wishes: Option<Arc<dyn Wishes>>,
    pub(super) per_session: u32,
}

/// A session, and how often the clocks had jumped when it was opened.
struct Open {
    session: Session,
    jumps: u64,
}

impl Worker {
    pub(super) async fn work(self) {
        let mut session = None;
        while let Some(letter) = self.next_letter(&mut session).await {
            if let Err(error) = self.deliver(&mut session, *letter).await {
                self.control.fail(error);
                break;
            }
        }
        if let Some(open) = session {
            open.session.quit().await;
        }
        if self.control.is_over() {
            self.feed.close();
        }
    }

    async fn next_letter(&self, session: &mut Option<Open>) -> Option<Box<Ready>> {
        loop {
            if !self.control.open().await {
                return None;
            }
            match self.fetch(session).await? {
                Next::Letter(letter, moment) => {
                    let wait = moment.saturating_sub(self.control.started.elapsed());
                    if !self.wait(wait, session).await || !self.control.open().await {
                        return None;
                    }
                    return Some(letter);
                }
                Next::Capped(until) => {
                    let wait = Duration::try_from(until.duration_since(clock::now())).unwrap_or_default();
                    if wait > self.control.retry.linger {
                        // The other sessions may hold letters that were counted already: those still go.
                        self.control.capped(until);
                        return None;
                    }
                    self.control.tell(Progress::Waiting { why: Waiting::DailyCap, until });
                    if !self.wait(wait, session).await {
                        return None;
                    }
                }
                Next::Nothing => return None,
            }
        }
    }

    /// The next letter from the desk; ends the session if that takes long. None if the run is over.
    async fn fetch(&self, session: &mut Option<Open>) -> Option<Next> {
        let next = async { self.desk.lock().await.next(self.control.started).await };
        tokio::pin!(next);
        tokio::select! {
            biased;
            () = self.control.over() => return None,
            next = &mut next => return Some(next),
            () = tokio::time::sleep(IDLE), if session.is_some() => {}
        }
        if let Some(open) = session.take() {
            open.session.quit().await;
        }
        tokio::select! {
            biased;
            () = self.control.over() => None,
            next = &mut next => Some(next),
        }
    }

    async fn wait(&self, wait: Duration, session: &mut Option<Open>) -> bool {
        if wait.is_zero() {
            return !self.control.is_over();
        }
        if wait > WORTH_A_WORD {
            let span = jiff::SignedDuration::try_from(wait).unwrap_or_default();
            self.control.tell(Progress::Waiting { why: Waiting::Pace, until: clock::now() + span });
        }
        if wait > IDLE
            && let Some(open) = session.take()
        {
            open.session.quit().await;
        }
        self.control.sleep(wait).await
    }

    async fn deliver(&self, slot: &mut Option<Open>, letter: Ready) -> Result<(), RunError> {
        let Some(Open { mut session, jumps }) = self.session(slot.take()).await else {
            // Never claimed, so it is still queued.
            return Ok(());
        };
        // Opening a session may take long: the hours may have closed since, and another session may have met a pause.
        if !self.control.open().await {
            session.quit().await;
            return Ok(());
        }
        if !self.is_wanted(&letter).await? {
            *slot = Some(Open { session, jumps });
            return Ok(());
        }
        let (number, envelope) = (letter.due.number, letter.message.envelope.only(&letter.due.addresses));
        self.ledger.claim(Claim {
            delivery: number,
            run: self.run,
            addresses: letter.due.addresses.clone(),
            message_id: letter.stamp.message_id.clone(),
            date: letter.stamp.date,
            bytes_digest: Digest::of(&letter.message.bytes),
            at: clock::now(),
        })?;
        let unrecorded = Mutex::new(None);
        let intent = async {
            let durable = self.ledger.intend(number).await;
            let recorded = durable.is_ok();
            if let Err(error) = durable {
                *unrecorded.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
            recorded
        };
        let handover = session.hand_over(&letter.message.bytes, &envelope, intent).await;
        if let Some(error) = unrecorded.into_inner().unwrap_or_else(PoisonError::into_inner) {
            // Nothing was finished. Whatever the ledger holds of it, the next start sorts out on the safe side.
            return Err(RunError::Ledger(error));
        }
        let judgement = judge(&envelope, &handover, clock::now());
        if handover.reusable && session.letters() < self.per_session && judgement.run != Run::Halt {
            *slot = Some(Open { session, jumps });
        } else if handover.reusable {
            session.quit().await;
        }
        self.record(&letter, judgement, handover.reusable).await
    }

    /// Writes the outcome down, then lets it count.
    async fn record(&self, letter: &Ready, judgement: Judgement, reusable: bool) -> Result<(), RunError> {
        let session_lost = !judgement.charged && judgement.run == Run::GoOn;
        let judgement = give_up_on_poison(judgement, letter.given_back);
        let at = clock::now();
        let deferred = judgement.addresses.iter().any(|address| address.event == Event::Defer);
        let wait = (deferred && letter.due.attempts + 1 < self.control.retry.attempts)
            .then(|| self.control.retry.wait(letter.due.attempts + 1, fastrand::f64()));
        let not_before = wait.map(|wait| at + jiff::SignedDuration::try_from(wait).unwrap_or_default());
        self.ledger.settle(letter.due.number, Settlement { judgement: judgement.clone(), not_before, at }).await?;
        let (id, why) = (letter.due.recipient.id.clone(), judgement.last.text.clone());
        if judgement.charged {
            let state = State::of_addresses(judgement.addresses.iter().map(|address| state_after(address.event)));
            self.feed.settled(letter.due.number, wait);
            // A letter that is put off because its sessions broke proves nothing of the relay.
            if !session_lost {
                self.control.settled(state, judgement.breaker, &why);
            }
            let split = judgement.split(&letter.message.envelope);
            let short = judgement.short_of(&letter.message.envelope.only(&letter.due.addresses));
            self.control.tell(Progress::Settled { id, state, word: judgement.last.clone(), split, short, not_before });
        } else {
            self.feed.given_back(letter.due.number, session_lost);
            self.control.tell(Progress::GivenBack { id, word: judgement.last.clone() });
        }
        let said = judgement.last.code.map_or_else(|| why.clone(), |code| format!("{code} {why}"));
        if session_lost
            && let Some(wait) = self.control.session_lost(
                Verdict::NewSession,
                judgement.last.phase,
                &format!("{}: {said}", judgement.last.phase),
            )
            && !reusable
        {
            self.control.sleep(wait).await;
        }
        match judgement.run {
            Run::GoOn => {}
            Run::Pause => self.control.pause(&said),
            Run::Halt => self.control.end(Ending::Halted(format!("the relay refuses us: {said}"))),
        }
        Ok(())
    }

    /// The session at hand, or a new one; None if the run is over first.
    async fn session(&self, at_hand: Option<Open>) -> Option<Open> {
        let jumps = self.control.look_at_clocks();
        match at_hand {
            Some(open) if open.jumps == jumps => return Some(open),
            // The machine may have slept, and the server is long gone: better found out now than under a letter.
            Some(stale) => stale.session.quit().await,
            None => {}
        }
        // One at a time, the wait after a failure included: ten sessions must not use up ten tries in one moment.
        let _one_at_a_time = self.control.opening.lock().await;
        loop {
            if self.control.is_over() {
                return None;
            }
            let opened = tokio::select! {
                opened = self.connector.open() => opened,
                () = self.control.over() => return None,
            };
            let fault = match opened {
                Ok(session) => {
                    self.control.session_opened();
                    return Some(Open { session, jumps: self.control.look_at_clocks() });
                }
                Err(fault) => fault,
            };
            let verdict = verdict(fault.phase, &fault.trouble);
            let wait = self.control.session_lost(verdict, fault.phase, &fault.to_string())?;
            if !self.control.sleep(wait).await {
                return None;
            }
        }
    }
}

/// A letter that breaks every session is deferred with the reason, provably not delivered.
fn give_up_on_poison(mut judgement: Judgement, given_back: u32) -> Judgement {
    let by_session = !judgement.charged && judgement.run == Run::GoOn && judgement.last.phase >= Phase::Mail;
    if by_session && given_back + 1 >= GIVEN_BACK {
        for address in &mut judgement.addresses {
            address.event = Event::Defer;
        }
        judgement.charged = true;
    }
    judgement
}

fn state_after(event: Event) -> State {
    match event {
        Event::Accept => State::Accepted,
        Event::Defer => State::Deferred,
        Event::Fail => State::Failed,
        Event::LoseTrack => State::Uncertain,
        _ => State::Queued,
    }
}
