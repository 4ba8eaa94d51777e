//! The names of the instances of active runs.

use fanlight_shared::id::RunId;
use fanlight_shared::item::ItemPath;

use super::pools;

/// Names an instance of an active run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) run: RunId,
    pub(super) node: usize,
    pub(super) item: ItemPath,
}

impl pools::OfRun for Key {
    type Run = RunId;

    fn run(&self) -> Self::Run {
        self.run
    }
}
