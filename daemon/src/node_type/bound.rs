//! The size of what a node makes, checked while it is made.

use fanlight_shared::value::Value;

use crate::content;

/// The most memory that values may take, as a multiple of their content: lists of short values take more than they hold.
const MEMORY: u64 = 4;

/// The size of the values that a node has made so far.
pub(super) struct Bound {
    most: u64,
    bytes: u64,
    memory: u64,
}

impl Bound {
    /// Creates a bound of `most` bytes: the `max_bytes` of the node type.
    pub(super) fn new(most: u64) -> Self {
        Self { most, bytes: 0, memory: 0 }
    }

    /// Counts a value.
    ///
    /// # Errors
    /// A sentence: all values together are too large.
    pub(super) fn add(&mut self, value: &Value) -> Result<(), String> {
        self.memory = self.memory.saturating_add(value.memory() as u64);
        self.add_bytes(value.content_bytes())
    }

    /// Counts text that is not a value yet.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub(super) fn add_bytes(&mut self, bytes: u64) -> Result<(), String> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.most || self.memory > self.most.saturating_mul(MEMORY) {
            return Err(content::too_large(self.most));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_and_memory_are_both_bounded() {
        let mut bound = Bound::new(1 << 20);
        let text = Value::from("x".repeat(1 << 19));
        assert_eq!((bound.add(&text), bound.add(&text)), (Ok(()), Ok(())));
        assert!(bound.add(&text).unwrap_err().contains("more than 1 MiB"));
        // 200 lists of 1,000 empty values are short as JSON.
        let mut bound = Bound::new(1 << 20);
        let short = Value::List(vec![Value::None; 1_000]);
        assert!(200 * short.content_bytes() < 1 << 20);
        assert!((0..200).any(|_| bound.add(&short).is_err()));
    }
}
