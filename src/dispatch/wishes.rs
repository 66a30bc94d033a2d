//! Who asked not to be written to, looked up again before each claim: between the word that began a run and its last letter
//! hours may pass.

use std::time::Duration;

use super::feed::Ready;
use super::worker::Worker;
use super::{Ending, Progress, RunError};
use crate::ledger::{DueDelivery, LedgerError};

/// How often a list that cannot be taken as it is is looked at before the run ends: it may be about to be written.
const LOOKS: u32 = 3;
/// How long after one another.
const BETWEEN: Duration = Duration::from_secs(1);

/// Whoever knows which addresses asked not to be written to.
pub trait Wishes: Send + Sync + 'static {
    /// What that means for a letter that is about to be claimed.
    ///
    /// # Errors
    /// Why the list cannot be taken as it is now, in a sentence.
    fn on(&self, due: &DueDelivery) -> Result<Wish, String>;
}

/// What is to become of a letter that is about to be claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// It goes.
    Send,
    /// Its mission asked not to be written to: it never goes. Why.
    Suppress(String),
    /// It would go to somebody who asked not to be written to, and to others who did not. Why.
    Another(String),
}

impl Worker {
    /// Whether a letter may be claimed. If not, its row is suppressed, or the run is over: then nothing was recorded of it, so that
    /// it is queued as before.
    pub(super) async fn is_wanted(&self, letter: &Ready) -> Result<bool, RunError> {
        let Some(wishes) = &self.wishes else { return Ok(true) };
        let mut looks = 1;
        let wish = loop {
            match wishes.on(&letter.due) {
                Ok(wish) => break wish,
                Err(why) if looks >= LOOKS => {
                    self.control.end(Ending::NoList(why));
                    return Ok(false);
                }
                Err(_) => looks += 1,
            }
            if !self.control.sleep(BETWEEN).await {
                return Ok(false);
            }
        };
        match wish {
            Wish::Send => return Ok(true),
            Wish::Another(why) => self.control.end(Ending::Unwanted(why)),
            Wish::Suppress(why) => self.suppress(letter, why).await?,
        }
        Ok(false)
    }

    async fn suppress(&self, letter: &Ready, why: String) -> Result<(), RunError> {
        let (ledger, id, note) = (self.ledger.clone(), letter.due.recipient.id.clone(), why.clone());
        let written = tokio::task::spawn_blocking(move || ledger.suppress(&id, &note)).await;
        let state = written.unwrap_or(Err(LedgerError::Gone))?;
        self.feed.settled(letter.due.number, None);
        self.control.tell(Progress::Suppressed { id: letter.due.recipient.id.clone(), state, why });
        Ok(())
    }
}
