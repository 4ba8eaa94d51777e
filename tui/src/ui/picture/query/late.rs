//! Replies of the terminal that arrive too late to be used.

use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::SEQUENCE_TIMEOUT;

/// Swallows replies that arrive after the time-out, which would otherwise be read as keys.
#[derive(Debug)]
pub struct Late {
    /// Until when replies are expected; afterwards everything passes.
    until: Instant,
    /// When the last key of a reply arrived.
    inside: Option<Instant>,
}

impl Late {
    /// Expects replies for this long.
    #[must_use]
    pub fn expect(patience: Duration) -> Self {
        Self { until: Instant::now() + patience, inside: None }
    }

    /// Returns whether a key is part of a reply. A reply begins with alt and `_` or `P`, and arrives at once.
    pub fn swallows(&mut self, key: &KeyEvent, now: Instant) -> bool {
        let alt =
            |character| key.code == KeyCode::Char(character) && key.modifiers.contains(KeyModifiers::ALT);
        match self.inside {
            Some(last) if now.duration_since(last) < SEQUENCE_TIMEOUT => {
                self.inside = (!alt('\\')).then_some(now);
                true
            }
            _ if now < self.until && (alt('_') || alt('P')) => {
                self.inside = Some(now);
                true
            }
            _ => {
                self.inside = None;
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_replies_are_not_taken_for_keys() {
        let mut late = Late::expect(Duration::from_secs(5));
        let now = Instant::now();
        let alt = |it| KeyEvent::new(KeyCode::Char(it), KeyModifiers::ALT);
        let plain = |it| KeyEvent::from(KeyCode::Char(it));
        assert!(!late.swallows(&plain('q'), now));
        for of_answer in [alt('_'), plain('G'), plain('q'), alt('\\')] {
            assert!(late.swallows(&of_answer, now));
        }
        assert!(!late.swallows(&plain('q'), now));
        assert!(late.swallows(&alt('_'), now));
        assert!(!late.swallows(&plain('q'), now + Duration::from_secs(1)));
    }
}
