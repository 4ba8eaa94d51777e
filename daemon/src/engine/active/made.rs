//! What the recipe of a value says of its attempt.

use std::time::Duration;

use crate::store::CacheKey;

/// The attempt that made a value, for the recipe.
#[derive(Clone, Copy, Default)]
pub(in crate::engine) struct Made {
    /// From 1; 0 if it is not known, and for reused values.
    pub(in crate::engine) number: u32,
    pub(in crate::engine) duration: Duration,
    pub(in crate::engine) cost_usd: Option<f64>,
    /// The key of the result that it is a part of.
    pub(in crate::engine) cache_key: Option<CacheKey>,
}
