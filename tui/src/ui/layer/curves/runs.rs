//! The runs whose curves are shown.

use std::collections::HashSet;

use fanlight_shared::id::{RunId, WorkflowId};
use fanlight_shared::rpc::{Page, runs};
use fanlight_shared::run::Run;
use fanlight_shared::time::Time;

use crate::ui::address::Address;
use crate::ui::effect::Effect;
use crate::ui::model::Model;

/// The most runs that are shown.
const MAX_RUNS: u32 = 100;
/// How many runs are shown that have nothing but their workflow in common.
const NEWEST: u32 = 20;

/// The runs to show.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Of {
    /// The marked ones.
    Marked(Vec<RunId>),
    /// Those of a sweep.
    Sweep(WorkflowId, String),
    /// Those of the sweep of this run, else the newest of its workflow.
    Run(RunId),
}

/// The runs whose curves are shown, by number.
#[derive(Debug, Default)]
pub(super) struct Runs {
    which: Which,
    all: Vec<Run>,
    /// Those that may have been deleted unnoticed.
    doubtful: HashSet<RunId>,
    /// Whether there are more.
    further: bool,
    /// Whether they are being read.
    waiting: bool,
    error: Option<String>,
}

#[derive(Clone, PartialEq, Debug, Default)]
enum Which {
    /// Nothing has run yet.
    #[default]
    None,
    /// Those that were marked.
    Marked(Vec<RunId>),
    /// Those of a sweep.
    Sweep(WorkflowId, String),
    /// The newest of a workflow.
    Newest(WorkflowId, String),
}

impl Runs {
    /// Returns the runs that are known of these, and the request for the others.
    pub(super) fn of(model: &Model, of: Of) -> (Self, Vec<Effect>) {
        let known = |run: RunId| model.projection.run(run);
        let (which, run) = match of {
            Of::Marked(marked) => {
                let shown = &marked[..marked.len().min(MAX_RUNS as usize)];
                let all = shown.iter().filter_map(|run| known(*run).cloned()).collect();
                let unknown: Vec<RunId> = shown.iter().copied().filter(|run| known(*run).is_none()).collect();
                let ask = (!unknown.is_empty()).then_some(Effect::CheckRuns(unknown));
                let runs = Self { which: Which::Marked(marked), ..Self::default() }.with(all);
                return (runs, ask.into_iter().collect());
            }
            Of::Sweep(workflow, name) => (Which::Sweep(workflow, name), None),
            Of::Run(run) => match known(run) {
                None => return (Self::default(), Vec::new()),
                Some(run) => match &run.sweep {
                    Some(sweep) => (Which::Sweep(run.workflow_id, sweep.clone()), Some(run)),
                    None => (Which::Newest(run.workflow_id, run.workflow.clone()), Some(run)),
                },
            },
        };
        // The run itself is shown at once.
        let mut runs = Self { which, ..Self::default() }.with(run.cloned().into_iter().collect());
        let effects = runs.ask().into_iter().collect();
        (runs, effects)
    }

    /// Requests them.
    fn ask(&mut self) -> Option<Effect> {
        let mut list = runs::List { limit: Some(MAX_RUNS), ..runs::List::default() };
        match &self.which {
            Which::Sweep(workflow, sweep) => {
                (list.workflow_id, list.sweep) = (Some(*workflow), Some(sweep.clone()));
            }
            Which::Newest(workflow, _) => (list.workflow_id, list.limit) = (Some(*workflow), Some(NEWEST)),
            Which::Marked(marked) => {
                let shown = &marked[..marked.len().min(MAX_RUNS as usize)];
                return (!shown.is_empty()).then(|| Effect::CheckRuns(shown.to_vec()));
            }
            Which::None => return None,
        }
        self.waiting = true;
        Some(Effect::ListRuns { to: Address::Curves, list })
    }

    /// Requests them again, because changes were missed.
    pub(super) fn missed(&mut self) -> Option<Effect> {
        self.doubtful = self.all.iter().map(|run| run.id).collect();
        self.ask()
    }

    fn with(mut self, all: Vec<Run>) -> Self {
        self.all = all;
        self.sort();
        self
    }

    fn sort(&mut self) {
        self.all.sort_by(|a, b| (&a.workflow, a.number).cmp(&(&b.workflow, b.number)));
    }

    pub(super) fn read(&mut self, page: &Page<Run>) {
        (self.waiting, self.error) = (false, None);
        self.further = page.cursor.is_some() && matches!(self.which, Which::Sweep(..));
        // A page of several has the newest runs: of older ones it says nothing.
        let last = page.rows.last().filter(|_| page.cursor.is_some());
        let reaches = |run: &Run| last.is_none_or(|last| run.submitted_at > last.submitted_at);
        let (doubtful, there) = (std::mem::take(&mut self.doubtful), &page.rows);
        let is_there = |run: &Run| there.iter().any(|it| it.id == run.id);
        self.all.retain(|run| !doubtful.contains(&run.id) || is_there(run) || !reaches(run));
        for run in &page.rows {
            if let Some(known) = self.all.iter_mut().find(|known| known.id == run.id) {
                if doubtful.contains(&run.id) {
                    known.clone_from(run);
                }
                continue;
            }
            if self.all.len() == MAX_RUNS as usize {
                self.further = true;
                break;
            }
            self.all.push(run.clone());
        }
        self.sort();
    }

    /// Takes a marked run that was not known.
    pub(super) fn known(&mut self, run: &Run) {
        let is_marked = matches!(&self.which, Which::Marked(marked) if marked.contains(&run.id));
        match self.all.iter_mut().find(|known| known.id == run.id) {
            Some(known) if is_marked => known.clone_from(run),
            None if is_marked => {
                self.all.push(run.clone());
                self.sort();
            }
            _ => {}
        }
    }

    pub(super) fn failed(&mut self, error: &str) {
        (self.waiting, self.error) = (false, Some(error.to_owned()));
    }

    /// Takes a run that changed, or that joined its sweep.
    pub(super) fn updated(&mut self, run: &Run) {
        self.doubtful.remove(&run.id);
        if let Some(known) = self.all.iter_mut().find(|known| known.id == run.id) {
            known.clone_from(run);
            return;
        }
        let joins = match &self.which {
            Which::Sweep(workflow, sweep) => {
                *workflow == run.workflow_id && run.sweep.as_ref() == Some(sweep)
            }
            Which::None | Which::Marked(_) | Which::Newest(..) => false,
        };
        if joins && self.all.len() < MAX_RUNS as usize {
            self.all.push(run.clone());
            self.sort();
        } else {
            self.further |= joins;
        }
    }

    pub(super) fn deleted(&mut self, run: RunId) {
        self.all.retain(|known| known.id != run);
    }

    /// Returns the runs that may have metrics, with their starts.
    pub(super) fn places(&self) -> Vec<(RunId, Time)> {
        self.all.iter().filter_map(|run| Some((run.id, run.started_at?))).collect()
    }

    pub(super) fn get(&self, id: RunId) -> Option<&Run> {
        self.all.iter().find(|run| run.id == id)
    }

    pub(super) fn is_loading(&self) -> bool {
        self.waiting
    }

    pub(super) fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Returns which runs these are.
    pub(super) fn words(&self) -> String {
        let count = crate::text::count(self.all.len(), "run");
        match &self.which {
            Which::Marked(marked) if marked.len() > self.all.len() => {
                format!("{} of {} marked runs", self.all.len(), marked.len())
            }
            Which::None | Which::Marked(_) => count,
            Which::Sweep(_, sweep) if self.further => format!("sweep {sweep} · the newest {count}"),
            Which::Sweep(_, sweep) => format!("sweep {sweep} · {count}"),
            Which::Newest(_, workflow) => format!("newest of {workflow} · {count}"),
        }
    }
}
