//! The result that an instance needs, which others may need too.

use crate::engine::cache_key::KeyParts;
use crate::executor::Surroundings;
use crate::store::{AttemptKey, CacheKey, PartsDigest};

/// The result that an instance needs, which others may need too.
#[derive(Clone, Debug)]
pub(in crate::engine) struct Needed {
    pub(in crate::engine) key: CacheKey,
    /// The parts of the key, until the result is there.
    pub(in crate::engine) parts: PartsDigest,
    /// A hash of what the result of a command depends on besides its inputs, as it was when the key was made.
    pub(in crate::engine) seen: Option<[u8; 32]>,
    /// It is in flight: this instance leads or follows.
    pub(in crate::engine) in_flight: bool,
    /// It is shown that this instance waits for another one.
    pub(in crate::engine) waits: bool,
    /// The key is stored with the running attempt.
    pub(in crate::engine) stored: bool,
}

impl Needed {
    pub(in crate::engine) fn of_native(parts: &KeyParts) -> Self {
        AttemptKey { key: parts.key(), parts: parts.digest(), seen: None }.into()
    }

    pub(in crate::engine) fn of_command(parts: &KeyParts, seen: &Surroundings) -> Self {
        Self { seen: Some(seen.hash()), ..Self::of_native(parts) }
    }

    /// Returns whether the instance leads or follows.
    pub(in crate::engine) fn is_in_flight(&self) -> bool {
        self.in_flight
    }

    /// Returns whether the instance waits for another one.
    pub(in crate::engine) fn follows(&self) -> bool {
        self.waits
    }
}

impl From<AttemptKey> for Needed {
    fn from(AttemptKey { key, parts, seen }: AttemptKey) -> Self {
        Self { key, parts, seen, in_flight: false, waits: false, stored: false }
    }
}
