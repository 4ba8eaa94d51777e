//! Durations and sizes as people write them: `30d`, `2h`, `500 MB`.

use std::time::Duration;

/// Returns the duration of a whole number with a unit: `ms`, `s`, `m`, `h` or `d`.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    const UNITS: [(&str, u64); 5] =
        [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
    number(text, &UNITS).map(Duration::from_millis)
}

/// Returns the bytes of a whole number with a unit such as `MB` or `GiB`, or without one.
#[must_use]
pub fn size(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 10] = [
        ("", 1),
        ("B", 1),
        ("KB", 1000),
        ("MB", 1_000_000),
        ("GB", 1_000_000_000),
        ("TB", 1_000_000_000_000),
        ("KiB", 1 << 10),
        ("MiB", 1 << 20),
        ("GiB", 1 << 30),
        ("TiB", 1 << 40),
    ];
    number(text, &UNITS)
}

fn number(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.trim_end_matches(|it: char| it.is_ascii_alphabetic());
    let (_, factor) = units.iter().find(|(unit, _)| *unit == &text[digits.len()..])?;
    digits.trim_end().parse::<u64>().ok()?.checked_mul(*factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_understood_and_nothing_else() {
        assert_eq!(duration("30d"), Some(Duration::from_secs(30 * 86_400)));
        assert_eq!(
            (duration("500ms"), duration("2h")),
            (Some(Duration::from_millis(500)), Some(Duration::from_secs(7200)))
        );
        for text in ["", "5", "d", "-1d", "1.5h", "1w", "99999999999999999d"] {
            assert_eq!(duration(text), None, "{text}");
        }
        assert_eq!((size("500 MB"), size("4GiB"), size("0")), (Some(500_000_000), Some(4 << 30), Some(0)));
        for text in ["", "GB", "4 gigs", "-1", "1.5 GB", "99999999999 GB"] {
            assert_eq!(size(text), None, "{text}");
        }
    }
}
