//! Queries: blocking functions over the pool of readers.

mod asset;
mod damaged;
mod events;
mod find;
mod lineage;
mod list;
mod on_end;
pub(crate) mod page;
mod prune;
mod record;
mod results;
mod run;
mod search;
mod series;
mod stretch;
mod sweep;
mod table;
mod totals;
mod trials;
mod value;
mod workflow;

use rusqlite::OptionalExtension;

pub(crate) use prune::Prunable;
pub use search::KnownSearch;
pub(in crate::store) use sweep::stored as stored_sweep;
pub use value::StoredValue;

use super::{Store, StoreError};

impl Store {
    /// Returns a setting of the queue. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    pub fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.read(|db| {
            Ok(db
                .prepare_cached("SELECT value FROM setting WHERE name = ?1")?
                .query_row([name], |row| row.get(0))
                .optional()?)
        })
    }
}
