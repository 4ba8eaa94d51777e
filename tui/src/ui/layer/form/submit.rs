//! From the form to runs.

#[cfg(test)]
mod tests;

use fanlight_shared::id::SubmissionId;
use fanlight_shared::rpc::runs;
use fanlight_shared::workflow::Workflow;

use super::{Form, Question, sets};
use crate::ui::document::Submission;
use crate::ui::effect::Effect;
use crate::ui::model::Model;
use crate::ui::model::component::Step;
use crate::ui::model::queue::submissions;

/// The number of runs from which it asks before it starts them.
const CONFIRM_FROM: usize = 100;

impl Form {
    /// Starts the runs, and leaves the form to come back if they are refused. `sure`: also if there are many.
    pub(super) fn submit(&mut self, model: &mut Model, sure: bool) -> Step {
        if self.reading.is_some() {
            return Step::stay();
        }
        self.check();
        if let Some(wrong) = self.fields.iter().position(|field| field.error.is_some()) {
            self.at = wrong;
            return Step::stay();
        }
        let Some(workflow) = self.document.workflow.clone() else { return Step::close() };
        match self.count {
            Ok(count) if count > CONFIRM_FROM && !sure && model.options.confirm => {
                self.asking = Some(Question::Many(count));
                return Step::stay();
            }
            _ => {}
        }
        let effect = match &self.fork {
            Some(fork) => fork.effect(&self.fields, self.matrix(), &workflow, &self.last),
            None => self.start(&workflow),
        };
        let effect = match effect {
            Ok(effect) => effect,
            Err(wrong) => {
                self.refused(&wrong);
                return Step::stay();
            }
        };
        let repeated = self.sent.as_ref().and_then(|sent| submissions::repeated(&effect, sent));
        let effect = repeated.unwrap_or(effect);
        let again = Self {
            document: self.document.clone(),
            fork: self.fork.clone(),
            last: std::mem::take(&mut self.last),
            reading: None,
            folder: self.folder.clone(),
            fields: std::mem::take(&mut self.fields),
            paths: std::mem::take(&mut self.paths),
            models: std::mem::take(&mut self.models),
            at: self.at,
            typed: true,
            has_filled: self.has_filled,
            asking: None,
            count: self.count.clone(),
            refused: None,
            away: None,
            sent: Some(effect.clone()),
        };
        model.queue.submissions.submit(&effect, again);
        Step::close_with(vec![effect])
    }

    /// Returns the effect that starts the runs.
    fn start(&self, workflow: &Workflow) -> Result<Effect, String> {
        let start = runs::Start {
            document: self.document.text.to_string(),
            path: self.document.path.as_ref().map(|path| path.to_string_lossy().into_owned()),
            sets: sets::sets(&self.fields, self.matrix(), workflow)?,
            label: sets::label(&self.fields),
            next: sets::next(&self.fields),
            request_key: SubmissionId::new().to_string(),
            ..runs::Start::default()
        };
        Ok(Effect::Start(Box::new(Submission { start, source: self.document.source.clone() })))
    }
}
