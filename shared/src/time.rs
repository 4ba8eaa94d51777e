//! Points in time as they are stored and sent.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::cut;

/// A point in time: milliseconds since 1970-01-01 00:00 UTC.
///
/// Only for display and for ordering runs. Anything *measured* (timeouts, backoff) uses the monotonic clock.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(transparent)]
pub struct Time(pub i64);

impl Time {
    /// Returns the wall clock's time.
    #[must_use]
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
    /// Returns the time since `earlier`; zero if that is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
    /// Returns this time plus a duration.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// Formats a duration for people: `0.4 s`, `12.3 s`, `4:05`, `1:02:03`.
#[must_use]
pub fn human_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    if seconds < 60 {
        return format!("{:.1} s", duration.as_secs_f64());
    }
    if seconds < 3600 {
        return format!("{}:{:02}", seconds / 60, seconds % 60);
    }
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Formats a duration as in a workflow file: `500ms`, `10s`, `5m`, `2h`.
#[must_use]
pub fn exact_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    for (unit, size) in [("h", 3_600_000), ("m", 60_000), ("s", 1000)] {
        if millis >= size && millis.is_multiple_of(size) {
            return format!("{}{unit}", millis / size);
        }
    }
    format!("{millis}ms")
}

/// Reads a duration as a workflow file writes it: `500ms`, `10s`, `5m`, `2h`.
///
/// # Errors
/// A sentence: it is none, it has no unit, it is longer than a year.
pub fn read_duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let split =
        text.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: f64 = number.parse().map_err(|_| format!("`{}` is not a duration", cut(text, 60)))?;
    let factor = match unit.trim() {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "" => return Err(format!("`{}` has no unit", cut(text, 60))),
        unit => return Err(format!("`{}` is not a unit of time", cut(unit, 60))),
    };
    let longest = 365.0 * 24.0 * 3600.0;
    Duration::try_from_secs_f64(number * factor)
        .ok()
        .filter(|duration| duration.as_secs_f64() <= longest)
        .ok_or_else(|| format!("`{}` is longer than a year", cut(text, 60)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_readable() {
        assert_eq!(human_duration(Duration::from_millis(420)), "0.4 s");
        assert_eq!(human_duration(Duration::from_secs(245)), "4:05");
        assert_eq!(human_duration(Duration::from_secs(3723)), "1:02:03");
    }

    #[test]
    fn a_timeout_is_shown_as_it_was_written() {
        assert_eq!(exact_duration(Duration::from_millis(10)), "10ms");
        assert_eq!(exact_duration(Duration::from_secs(90)), "90s");
        assert_eq!(exact_duration(Duration::from_secs(300)), "5m");
        assert_eq!(exact_duration(Duration::from_secs(7200)), "2h");
    }

    #[test]
    fn durations_have_units() {
        for (text, millis) in
            [("500ms", 500), ("10s", 10_000), ("5m", 300_000), ("2h", 7_200_000), ("1.5s", 1500)]
        {
            assert_eq!(read_duration(text), Ok(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "10", "5 parsecs", "-1s", "s", "1e9h", "99999999h", "1.2.3s"] {
            assert!(read_duration(text).is_err(), "{text}");
        }
    }
}
