//! The wall clock against the monotonic one: a machine that slept, and a clock that was set.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, Unit};

/// How far the two may run apart between two looks: more is a jump. What keeps clocks right by degrees moves them far less.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(1);

/// Both clocks as they were last seen. On Linux the monotonic one stands still while the machine sleeps, so that after a
/// sleep, too, the wall clock has gone ahead of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clocks {
    wall: Timestamp,
    monotonic: Duration,
}

impl Clocks {
    /// The clocks at a first look; `monotonic` counts from any moment that stays the same.
    #[must_use]
    pub fn new(wall: Timestamp, monotonic: Duration) -> Self {
        Self { wall, monotonic }
    }

    /// Looks again: by how much the wall clock jumped since the last look, ahead or (negative) back, if it did; in whole
    /// seconds, because the two clocks are not read in one moment.
    pub fn look(&mut self, wall: Timestamp, monotonic: Duration) -> Option<SignedDuration> {
        let passed = SignedDuration::try_from(monotonic.saturating_sub(self.monotonic)).unwrap_or(SignedDuration::MAX);
        let jump = wall.duration_since(self.wall).saturating_sub(passed);
        *self = Self::new(wall, monotonic);
        (jump.abs() > TOLERANCE).then(|| jump.round(Unit::Second).unwrap_or(jump))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn start() -> Clocks {
        Clocks::new("2021-10-31T00:30:00Z".parse().expect("a time"), Duration::from_secs(7))
    }

    #[test]
    fn a_night_asleep_and_a_clock_set_back_are_jumps_and_are_told_once() {
        let mut clocks = start();
        let night = SignedDuration::from_hours(9);
        let morning = clocks.wall + night;
        assert_eq!(clocks.look(morning, Duration::from_secs(7)), Some(night));
        assert_eq!(clocks.look(morning, Duration::from_secs(7)), None);
        let back = SignedDuration::from_hours(-24);
        assert_eq!(clocks.look(morning + back, Duration::from_secs(7)), Some(back));
    }

    #[test]
    fn a_change_to_winter_time_is_no_jump() {
        let mut clocks = start();
        let hour = Duration::from_secs(3600);
        assert_eq!(clocks.look(clocks.wall + hour, clocks.monotonic + hour), None);
    }

    proptest! {
        #[test]
        fn time_that_passes_on_both_clocks_is_no_jump_however_long_it_takes_to_look(
            looks in proptest::collection::vec((0u64..200_000, -59i64..59), 1..50)
        ) {
            let mut clocks = start();
            for (seconds, drift) in looks {
                let passed = Duration::from_secs(seconds);
                let wall = clocks.wall + passed + SignedDuration::from_secs(drift);
                prop_assert_eq!(clocks.look(wall, clocks.monotonic + passed), None);
            }
        }
    }
}
