//! The filter of runs: words of label, number, workflow and sweep, and states.

use fanlight_shared::run::{Run, RunStatus};

/// The filter of runs; an empty one shows all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    typed: String,
    states: Vec<RunStatus>,
    text: String,
}

const STATES: [RunStatus; 7] = [
    RunStatus::Queued,
    RunStatus::Running,
    RunStatus::Parked,
    RunStatus::Cancelling,
    RunStatus::Completed,
    RunStatus::Failed,
    RunStatus::Cancelled,
];

impl Filter {
    /// Parses the typed text: names of states are states, the rest is searched for.
    #[must_use]
    pub fn read(typed: &str) -> Self {
        let mut states = Vec::new();
        let mut words = Vec::new();
        for word in typed.split_whitespace() {
            match STATES.into_iter().find(|state| state.word() == word.to_lowercase()) {
                Some(state) => states.push(state),
                None => words.push(word),
            }
        }
        let text = words.join(" ").to_lowercase();
        // Numbers are shown as `#12`, but searched for without `#`.
        let text = text.strip_prefix('#').unwrap_or(&text).to_owned();
        Self { typed: typed.to_owned(), states, text }
    }

    /// Returns what was typed.
    #[must_use]
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// Returns whether it shows all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.states.is_empty() && self.text.is_empty()
    }

    /// Returns those of these states that are shown.
    pub(in crate::ui) fn states(&self, of: &[RunStatus]) -> Vec<RunStatus> {
        of.iter().copied().filter(|state| self.states.is_empty() || self.states.contains(state)).collect()
    }

    /// Returns the text to search for.
    pub(in crate::ui) fn text(&self) -> Option<String> {
        (!self.text.is_empty()).then(|| self.text.clone())
    }

    /// Returns whether a run is shown.
    #[must_use]
    pub fn shows(&self, run: &Run) -> bool {
        (self.states.is_empty() || self.states.contains(&run.state))
            && (self.text.is_empty()
                || run.label.to_lowercase().contains(&self.text)
                || run.name().to_lowercase().contains(&self.text)
                || run.sweep.as_ref().is_some_and(|sweep| sweep.to_lowercase().contains(&self.text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::testing;

    #[test]
    fn states_labels_numbers_and_workflows_are_found() {
        let look = Run { sweep: Some("Look".into()), ..testing::run(1, RunStatus::Completed) };
        assert!(Filter::read("look").shows(&look));
        let failed = testing::run(12, RunStatus::Failed);
        for typed in ["", "failed", "seed=12", "#12", "poster", "FAILED Seed", "failed completed"] {
            assert!(Filter::read(typed).shows(&failed), "{typed}");
        }
        for typed in ["completed", "seed=13", "failed x", "#13"] {
            assert!(!Filter::read(typed).shows(&failed), "{typed}");
        }
    }
}
