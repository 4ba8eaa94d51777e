//! What tests of this module share.

use std::sync::Arc;

use fanlight_shared::id::{AttemptId, RunId, WorkflowId};
use fanlight_shared::item::ItemPath;

use crate::job::{Attempt, RunFacts};

/// The first attempt of the node `step` of `poster#1`.
pub(crate) fn attempt() -> Attempt {
    Attempt {
        id: AttemptId::new(),
        run: Arc::new(RunFacts {
            id: RunId::new(),
            number: 1,
            label: "poster".into(),
            workflow_id: WorkflowId::new(),
            workflow: "poster".into(),
            project: None,
        }),
        node: "step".into(),
        item: ItemPath::WHOLE,
        number: 1,
        cancel: tokio_util::sync::CancellationToken::new(),
        time_limit: Default::default(),
        hub: Arc::default(),
    }
}
