//! When to try again: exponential, capped, with jitter (SMTP.md, "Retries").

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How deferred letters are tried again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// The wait after the first deferral; greylisting needs minutes.
    pub first: Duration,
    /// By what each further wait grows, at least 1.
    pub factor: f64,
    /// The longest wait.
    pub most: Duration,
    /// Attempts in one run and over all runs before a deferred letter is left for `resend`, at least 1.
    pub attempts: u32,
    /// A run waits for retries that fall due within this; later ones are left for `resend`.
    pub linger: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(5 * 60),
            factor: 2.0,
            most: Duration::from_secs(4 * 60 * 60),
            attempts: 6,
            linger: Duration::from_secs(15 * 60),
        }
    }
}

impl RetryPolicy {
    /// The wait after the `attempt`-th deferral (from 1). `jitter` in 0.0..1.0 adds up to a tenth, never takes away: a row
    /// is not released early.
    #[must_use]
    pub fn wait(&self, attempt: u32, jitter: f64) -> Duration {
        grow(self.first, self.factor, self.most, attempt).mul_f64(1.0 + jitter.clamp(0.0, 1.0) / 10.0)
    }

    /// The wait before the `failure`-th new session in a row (from 1): a 300th of the letters' waits, so 1 s by default,
    /// and at most a fifth of the first of them.
    #[must_use]
    pub fn session_wait(&self, failure: u32) -> Duration {
        grow(self.first / 300, 2.0, self.first / 5, failure)
    }

    /// How long the whole account rests at its `pause`-th pause in a row (from 1): a fifth of the letters' waits, so a
    /// minute by default.
    #[must_use]
    pub fn account_wait(&self, pause: u32) -> Duration {
        grow(self.first / 5, self.factor, self.most, pause)
    }
}

fn grow(first: Duration, factor: f64, most: Duration, nth: u32) -> Duration {
    let exponent = i32::try_from(nth.saturating_sub(1).min(64)).unwrap_or(64);
    let seconds = first.as_secs_f64() * factor.max(1.0).powi(exponent);
    Duration::try_from_secs_f64(seconds).unwrap_or(most).min(most)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_wait_is_never_shorter_than_the_first_nor_longer_than_the_cap_and_its_jitter(
            first in 1u64..10_000, most in 1u64..100_000, factor in 1.0f64..10.0, attempt in 0u32..10_000, jitter in 0.0f64..1.0
        ) {
            let policy = RetryPolicy {
                first: Duration::from_secs(first),
                most: Duration::from_secs(most.max(first)),
                factor,
                ..RetryPolicy::default()
            };
            let wait = policy.wait(attempt, jitter);
            prop_assert!(wait >= policy.first);
            prop_assert!(wait <= policy.most.mul_f64(1.1));
            prop_assert!(policy.wait(attempt.saturating_add(1), jitter) >= wait);
        }
    }
}
