//! The form that forks a run: its params, to be changed, and how often.

use fanlight_shared::id::{RunId, SubmissionId};
use fanlight_shared::rpc::runs;
use fanlight_shared::sweep::Matrix;
use fanlight_shared::value::Values;
use fanlight_shared::workflow::Workflow;

use super::field::Field;
use super::{Form, sets};
use crate::ui::effect::Effect;
use crate::ui::model::Model;

/// The most runs that one form forks: each is a request of its own.
const MAX_FORKS: usize = 1000;

/// The run that is forked, and where.
#[derive(Clone, Debug)]
pub(super) struct Fork {
    run: RunId,
    /// Its name.
    name: String,
    /// The node that computes its result again.
    node: String,
}

impl Fork {
    /// Returns the title of the form.
    pub(super) fn title(&self) -> String {
        format!("Fork {} at {}", self.name, fanlight_shared::sanitise::line(&self.node))
    }

    /// Returns the effect that starts the runs. Params that are as in the forked run, `last`, are not sent.
    pub(super) fn effect(
        &self,
        fields: &[Field],
        matrix: Option<&Matrix>,
        workflow: &Workflow,
        last: &Values,
    ) -> Result<Effect, String> {
        let sets = sets::sets(fields, matrix, workflow)?;
        if sets.len() > MAX_FORKS {
            return Err(format!("these are more than {MAX_FORKS} runs, the most that can be forked at once"));
        }
        let request = |set: runs::ParamSet| {
            let was = |name: &String| {
                last.get(name).or_else(|| workflow.params.get(name).and_then(|param| param.default.as_ref()))
            };
            let changed = set.params.into_iter().filter(|(name, value)| was(name) != Some(value));
            runs::Resume {
                at: Some(self.node.clone()),
                params: changed.collect(),
                ..runs::Resume::of(self.run, SubmissionId::new().to_string())
            }
        };
        Ok(Effect::Fork(sets.into_iter().map(request).collect()))
    }
}

impl Form {
    /// Returns the form that forks the run in focus at a node, filled with its params; `None` if it can't be forked. Also
    /// returns the effect that reads the params, if only previews of them are known.
    #[must_use]
    pub fn fork(model: &Model, node: String) -> Option<(Self, Option<Effect>)> {
        let lens = model.lens().filter(|lens| lens.run.state.is_ended())?;
        let mut document = model.workflow.as_ref()?.document.clone();
        // It keeps the version of its file.
        let workflow = lens.workflow?.clone();
        document.workflow = Some(workflow);
        let fork = Fork { run: lens.run.id, name: lens.run.name(), node };
        Some(Self::new(model, document, Some(lens.run), Some(fork)))
    }
}
