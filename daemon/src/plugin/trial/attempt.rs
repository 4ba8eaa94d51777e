//! The attempt of a trial.

use std::sync::Arc;

use fanlight_shared::id::{AttemptId, RunId, WorkflowId};
use fanlight_shared::item::ItemPath;
use tokio_util::sync::CancellationToken;

use crate::attempt::{Attempt, RunFacts, TimeLimit};
use crate::hub::Hub;
use crate::secret::Secrets;

/// Returns the first attempt of a run that doesn't exist.
pub(super) fn attempt(cancel: CancellationToken) -> Attempt {
    Attempt {
        id: AttemptId::new(),
        run: Arc::new(RunFacts {
            id: RunId::new(),
            number: 1,
            label: String::new(),
            workflow_id: WorkflowId::new(),
            workflow: "test".into(),
            project: None,
            environment: Arc::default(),
        }),
        node: "test".into(),
        item: ItemPath::WHOLE,
        number: 1,
        failures: 0,
        spent_before: None,
        cancel,
        resources: None,
        time_limit: TimeLimit::default(),
        gpus: Vec::new(),
        answer: None,
        secrets: Secrets::default(),
        has_secrets: false,
        withheld: Arc::default(),
        recorder: Default::default(),
        hub: Arc::new(Hub::default()),
    }
}
