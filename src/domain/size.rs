//! Amounts of octets for people.

/// `812 B`, `14.3 kB`, `3.1 MB`: decimal, as mail programs and providers count, and rounded up, so that what is over a limit
/// never reads as the limit.
#[must_use]
pub fn size(octets: u64) -> String {
    let tenths = |unit: u64| {
        let tenths = octets.saturating_mul(10).div_ceil(unit);
        format!("{}.{}", tenths / 10, tenths % 10)
    };
    match octets {
        0..1_000 => format!("{octets} B"),
        1_000..1_000_000 => format!("{} kB", tenths(1_000)),
        _ => format!("{} MB", tenths(1_000_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_shown_in_the_unit_that_fits() {
        let shown = [0, 999, 1_000, 14_241, 3_050_001, 10_000_000].map(size);
        assert_eq!(shown, ["0 B", "999 B", "1.0 kB", "14.3 kB", "3.1 MB", "10.0 MB"]);
    }
}
