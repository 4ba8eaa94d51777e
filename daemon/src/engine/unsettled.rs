//! What the runs have spent that an earlier daemon left, as far as no event says it: a run that does not continue, and an
//! attempt whose runs do not, get it with their ends.

use std::collections::{HashMap, HashSet};

use fanlight_shared::event::{NodeUpdate, Prediction, StateEvent};
use fanlight_shared::id::{AttemptId, RunId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::run::{NodeStatus, Run};

use crate::services::Predictions;
use crate::store::{DamagedRun, OpenRun, Spending};

/// What the open runs have spent that attempts started, by the places of these attempts.
#[derive(Default)]
pub(super) struct Unsettled {
    below: HashMap<RunId, HashMap<(String, ItemPath), Spending>>,
    /// Whether an attempt has spent something of which no event is known: its run is damaged, or was deleted.
    pub(super) has_strays: bool,
}

impl Unsettled {
    /// Adds it up. Parents come before their children.
    pub(super) fn new(open: &[Result<OpenRun, DamagedRun>], spending: &HashMap<AttemptId, Spending>) -> Self {
        let named: HashSet<AttemptId> =
            open.iter().flatten().flat_map(running).filter_map(|running| running.id).collect();
        let has_strays = spending.keys().any(|attempt| !named.contains(attempt));
        let mut all = Self { has_strays, ..Self::default() };
        for open in open.iter().rev() {
            let run = match open {
                Ok(open) => &open.run,
                Err(damaged) => &damaged.run,
            };
            let Some(parent) = &run.parent else { continue };
            let mut sums = match open {
                Ok(open) => of_run(&open.run, open.events.iter().map(|event| &event.event)),
                Err(damaged) => Spending { unpriced: true, ..whole(&damaged.run) },
            };
            let running = open.iter().flat_map(running).filter_map(|running| spending.get(&running.id?));
            running.for_each(|more| add(&mut sums, more));
            all.below.get(&run.id).into_iter().flatten().for_each(|(_, more)| add(&mut sums, more));
            let place = (parent.node.clone(), parent.item);
            add(all.below.entry(parent.run).or_default().entry(place).or_default(), &sums);
        }
        all
    }

    /// Takes what the runs of an attempt have spent.
    pub(super) fn take(&mut self, run: RunId, node: &str, item: ItemPath) -> Option<Spending> {
        self.below.get_mut(&run)?.remove(&(node.to_owned(), item))
    }
}

/// An attempt that was running.
pub(super) struct Running {
    pub(super) id: Option<AttemptId>,
    pub(super) node: String,
    pub(super) item: ItemPath,
    pub(super) number: u32,
}

/// Returns the attempts of a run that had not ended.
pub(super) fn running(open: &OpenRun) -> Vec<Running> {
    let mut found: Vec<Running> = Vec::new();
    for event in &open.events {
        let StateEvent::NodeUpdate(update) = &event.event else { continue };
        let NodeUpdate { item, attempt_id: id, .. } = *update;
        found.retain(|it| (it.node.as_str(), it.item) != (update.node.as_str(), item));
        if let (NodeStatus::Running, None, Some(number)) = (update.status, update.ended, update.attempt) {
            found.push(Running { id, node: update.node.clone(), item, number });
        }
    }
    found
}

/// Returns what the attempts of a run have spent that have ended, by model.
pub(super) fn of_run<'a>(run: &Run, events: impl Iterator<Item = &'a StateEvent>) -> Spending {
    let mut models = Predictions::default();
    for event in events {
        if let StateEvent::NodeUpdate(update) = event
            && update.ended.is_some()
        {
            let predictions = update.activity.iter().flat_map(|activity| &activity.predictions);
            predictions.for_each(|one| drop(models.add(one)));
        }
    }
    let (cost_usd, unpriced) = (run.spent.cost_usd, run.spent.unpriced);
    Spending { cost_usd, predictions: models.totals().to_vec(), unpriced }
}

/// Returns what a run has spent whose events can't be read, as its row says it: nobody knows with which models.
pub(super) fn whole(run: &Run) -> Spending {
    let spent = run.spent;
    let one = Prediction {
        provider: "other".to_owned(),
        model: "models".to_owned(),
        input_tokens: spent.input_tokens,
        output_tokens: spent.output_tokens,
        cost_usd: (!spent.unpriced).then(|| spent.cost_usd.unwrap_or_default()),
    };
    let used = one.input_tokens > 0 || one.output_tokens > 0;
    let predictions = if used { vec![one] } else { Vec::new() };
    Spending { cost_usd: spent.cost_usd, predictions, unpriced: spent.unpriced }
}

/// Adds what was spent elsewhere.
pub(super) fn add(sums: &mut Spending, more: &Spending) {
    if let Some(usd) = more.cost_usd {
        *sums.cost_usd.get_or_insert(0.0) += usd;
    }
    let mut models = Predictions::default();
    sums.predictions.iter().chain(&more.predictions).for_each(|one| drop(models.add(one)));
    sums.predictions = models.totals().to_vec();
    sums.unpriced |= more.unpriced;
}
