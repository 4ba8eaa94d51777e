//! Fixtures of this module's tests.

use std::sync::Arc;

use fanlight_shared::environment::Environment;
use fanlight_shared::id::{AttemptId, RunId, WorkflowId};
use fanlight_shared::item::ItemPath;

use crate::attempt::{Attempt, RunFacts};
use crate::executor::{CommandWork, Program};

/// Returns a command that does nothing.
pub(super) fn work() -> CommandWork {
    let (inputs, env, outputs) = Default::default();
    let program = Program::Arguments(Vec::new());
    CommandWork { program, inputs, env, dir: None, outputs, metrics: Vec::new(), remember: None }
}

/// Returns the first attempt of the node `step` of `poster#1`.
pub(crate) fn attempt() -> Attempt {
    attempt_with(&[])
}

/// Returns [`attempt`], submitted with these variables.
pub(super) fn attempt_with(variables: &[(&str, &str)]) -> Attempt {
    let mut environment = Environment::default();
    variables.iter().for_each(|(name, value)| environment.insert(*name, *value));
    Attempt {
        id: AttemptId::new(),
        run: Arc::new(RunFacts {
            id: RunId::new(),
            number: 1,
            label: "poster".into(),
            workflow_id: WorkflowId::new(),
            workflow: "poster".into(),
            project: None,
            environment: Arc::new(environment),
        }),
        node: "step".into(),
        item: ItemPath::WHOLE,
        number: 1,
        failures: 0,
        spent_before: None,
        cancel: tokio_util::sync::CancellationToken::new(),
        resources: None,
        time_limit: Default::default(),
        gpus: Vec::new(),
        answer: None,
        secrets: Default::default(),
        has_secrets: false,
        withheld: Default::default(),
        recorder: Default::default(),
        hub: Arc::default(),
    }
}
