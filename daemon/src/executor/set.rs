//! The executors of a daemon, by name.

use std::collections::HashSet;
use std::sync::Arc;

use fanlight_shared::id::AttemptId;
use fanlight_shared::rpc::logs::{Part, Read};
use indexmap::IndexMap;

use super::{Executor, Known};

/// The executors of a daemon, by name: cheap to clone.
#[derive(Clone, Default)]
pub struct Executors {
    by_name: Arc<IndexMap<String, Arc<dyn Executor>>>,
}

/// The leftovers of attempts of earlier daemons at the executors.
#[derive(Default)]
pub(crate) struct Leftovers(Vec<(Arc<dyn Executor>, Vec<AttemptId>)>);

impl Executors {
    /// Adds one, or takes it in place of the one with this name.
    #[must_use]
    pub fn with(mut self, name: &str, executor: Arc<dyn Executor>) -> Self {
        Arc::make_mut(&mut self.by_name).insert(name.to_owned(), executor);
        self
    }

    /// Returns the executor with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<dyn Executor>> {
        self.by_name.get(name)
    }

    /// Reads a part of the log of an attempt.
    ///
    /// # Errors
    /// No executor has a log of it, or it can't be read.
    pub async fn log(
        &self,
        attempt: AttemptId,
        number: u32,
        read: &Read,
        ended: bool,
    ) -> Result<Part, String> {
        let mut answer = Err("the log of this attempt is gone".to_owned());
        for executor in self.by_name.values() {
            match executor.log(attempt, number, read, ended).await {
                Ok(Some(part)) => return Ok(part),
                Ok(None) => {}
                Err(error) => answer = Err(error),
            }
        }
        answer
    }

    /// Removes everything of attempts whose runs were deleted. Returns those of which no executor has anything left.
    pub(crate) async fn forget(&self, mut attempts: Vec<AttemptId>) -> Vec<AttemptId> {
        for executor in self.by_name.values() {
            attempts = executor.forget(attempts).await;
        }
        attempts
    }

    /// Returns what executors still hold of attempts of earlier daemons. Blocks.
    pub(crate) fn leftovers(&self) -> Leftovers {
        Leftovers(self.by_name.values().map(|it| (Arc::clone(it), it.leftovers())).collect())
    }
}

impl Leftovers {
    /// Ends and tidies up what is not among the `living`, as far as it is `known`.
    pub(crate) async fn clean_up(self, living: HashSet<AttemptId>, known: Known) {
        let living = Arc::new(living);
        for (executor, attempts) in self.0 {
            executor.clean_up(attempts, Arc::clone(&living), Arc::clone(&known)).await;
        }
    }
}
