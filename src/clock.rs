//! The one door to the wall clock.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The time now.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the door")]
pub fn now() -> Timestamp {
    Timestamp::now()
}

/// The time zone of this machine, in which whoever sits at it reads times; UTC where it is not known.
#[must_use]
pub fn zone() -> TimeZone {
    let zone = TimeZone::system();
    if zone.is_unknown() { TimeZone::UTC } else { zone }
}
