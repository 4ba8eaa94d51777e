//! The searches with runs that have not ended: how far they are.

mod reports;

use std::collections::HashMap;
use std::sync::Arc;

use fanlight_shared::run::Run;
use fanlight_shared::search::Search;
use tokio::sync::mpsc::UnboundedSender;

use crate::engine::active::Watch;
use crate::engine::message::Message;
use crate::store::StoredSweep;
use reports::Reports;

/// A search with runs that have not ended, or with trials that were not proposed yet.
#[derive(Debug)]
pub(in crate::engine) struct ActiveSearch {
    /// How many trials it has in all.
    pub(in crate::engine) length: u32,
    pub(in crate::engine) proposed: u32,
    pub(in crate::engine) search: Arc<Search>,
    /// The reports that its pruner has decided about.
    pub(in crate::engine) reports: Reports,
    /// Whether a trial is being proposed.
    pub(in crate::engine) proposing: bool,
    /// How many runs have ended that the next proposal must know, but are not stored yet.
    pub(in crate::engine) uncommitted: u32,
    /// Whether it continues although its runs have no value.
    pub(in crate::engine) insists: bool,
}

/// The searches with runs that have not ended, by the names of their sweeps.
#[derive(Debug, Default)]
pub(in crate::engine) struct Searches {
    pub(in crate::engine) searches: HashMap<String, ActiveSearch>,
}

impl Searches {
    /// Adds the search of a sweep, if it has one.
    pub(in crate::engine) fn add(&mut self, sweep: &StoredSweep) {
        let Some(search) = &sweep.search else { return };
        let new = ActiveSearch {
            length: search.length,
            proposed: search.proposed,
            search: search.search.clone(),
            reports: search.reports.iter().cloned().collect(),
            proposing: false,
            uncommitted: 0,
            insists: false,
        };
        self.searches.entry(sweep.name.clone()).or_insert(new);
    }

    /// Removes the search of a sweep. Returns whether it had one.
    pub(in crate::engine) fn remove(&mut self, name: &str) -> bool {
        self.searches.remove(name).is_some()
    }

    /// Returns whether a sweep gets further runs from its search.
    pub(in crate::engine) fn has_more(&self, name: &str) -> bool {
        self.searches.get(name).is_some_and(|it| it.proposing || it.proposed < it.length)
    }

    /// Lets a search continue although its runs have no value.
    pub(in crate::engine) fn insist(&mut self, name: &str) {
        if let Some(search) = self.searches.get_mut(name) {
            search.insists = true;
        }
    }

    /// Handles that the outcome of a run is stored.
    pub(in crate::engine) fn observed(&mut self, name: &str) {
        if let Some(search) = self.searches.get_mut(name) {
            search.uncommitted = search.uncommitted.saturating_sub(1);
        }
    }

    /// Returns the watch over the metric of a run, if its search has a pruner.
    pub(in crate::engine) fn watch(
        &self,
        run: &Run,
        messages: &UnboundedSender<Message>,
    ) -> Option<Arc<Watch>> {
        let search = &self.searches.get(run.sweep.as_ref()?)?.search;
        search.pruner?;
        Some(Arc::new(Watch::new(search.clone(), run.id, messages.clone())))
    }

    /// Returns how many searches are about to propose a run.
    pub(in crate::engine) fn proposing(&self) -> u32 {
        let busy = self.searches.values().filter(|it| it.proposing || it.uncommitted > 0).count();
        u32::try_from(busy).unwrap_or(u32::MAX)
    }
}
