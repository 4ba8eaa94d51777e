//! Places runs and sweeps in their sections.

use fanlight_shared::client::projection::Projection;
use fanlight_shared::id::{RunId, WorkflowId};
use fanlight_shared::run::{Run, RunStatus};

use super::{Placed, Sections};
use crate::ui::model::queue::Section;
use crate::ui::model::queue::numbers::Numbers;
use crate::ui::model::queue::order::Key;
use crate::ui::model::queue::sweeps::SweepId;

impl Sections {
    /// Places all runs again.
    pub(in crate::ui) fn rebuild(
        &mut self,
        projection: &Projection,
        numbers: &Numbers,
        of: Option<WorkflowId>,
    ) {
        let before = std::mem::take(self);
        *self = Self {
            of,
            sort: before.sort,
            filter: before.filter,
            sweeps: before.sweeps,
            opened: before.opened,
            ..Self::default()
        };
        for run in projection.runs() {
            self.sweeps.note(run);
        }
        let waiting: Vec<_> =
            projection.queued().filter(|run| self.waits(run)).map(|run| (None, run.id)).collect();
        self.waiting.insert_all(&waiting);
        for run in projection.runs() {
            self.submissions.entry(run.submission).or_default().insert(run.index, run.id);
            if let Some(parent) = &run.parent {
                self.children.entry(parent.run).or_default().insert(run.id);
            }
            if self.parent(run, projection).is_none()
                && let Some(placed) = self.key(run, projection, numbers)
            {
                self.keys[placed.section as usize].push(placed.key.clone());
                self.keep(run.id, placed);
            }
        }
        let sweeps: Vec<SweepId> = self.sweeps.iter().map(|(id, _)| id).collect();
        for id in sweeps {
            if let Some(placed) = self.sweep_key(id) {
                self.keys[placed.section as usize].push(placed.key.clone());
                self.folded.insert(id, placed);
            }
        }
        for keys in &mut self.keys {
            keys.sort_unstable();
        }
        let opened: Vec<RunId> =
            self.opened.iter().copied().filter(|run| self.placed.contains_key(run)).collect();
        for run in opened {
            self.place_children(run, projection, numbers);
        }
    }

    /// Places a run where it belongs now, or removes a deleted one.
    pub(in crate::ui) fn place(&mut self, run: RunId, projection: &Projection, numbers: &Numbers) {
        let Some(known) = projection.run(run) else { return self.forget(run, projection, numbers) };
        let unfolded = self.sweeps.of(known).is_some_and(|sweep| !self.folded.contains_key(&sweep));
        let sweep = self.sweeps.note(known);
        if unfolded && self.folds(known).is_some() {
            // It has as many runs now that it becomes one row.
            return self.rebuild(projection, numbers, self.of);
        }
        let same = self.submissions.entry(known.submission).or_default().insert(known.index, run);
        if let Some(parent) = &known.parent {
            self.children.entry(parent.run).or_default().insert(run);
        }
        let before = self.remove(run);
        if let Some(place) = projection.position(run).filter(|_| self.waits(known)) {
            let before = |it| projection.position(it).is_some_and(|it| it < place);
            self.waiting.insert(run, Some(self.waiting.partition_point(before) + 1));
        } else if let Some(placed) = self.key(known, projection, numbers) {
            self.insert(&placed);
            self.keep(run, placed);
        }
        if let Some(sweep) = sweep {
            self.place_sweep(sweep);
        }
        let key = |placed: Option<&Placed>| placed.map(|placed| (placed.section, placed.key.clone()));
        // Runs that a run started are below it from the moment on at which it is known.
        if same != Some(run) || key(before.as_ref()) != key(self.placed.get(&run)) {
            self.place_children(run, projection, numbers);
        }
    }

    /// Shows the runs that nodes of a run started below it, or hides them.
    pub(in crate::ui) fn open(&mut self, run: RunId, open: bool, projection: &Projection, numbers: &Numbers) {
        let changed = if open { self.opened.insert(run) } else { self.opened.remove(&run) };
        if changed {
            self.place_children(run, projection, numbers);
        }
    }

    fn place_children(&mut self, run: RunId, projection: &Projection, numbers: &Numbers) {
        let children: Vec<RunId> = self.children.get(&run).into_iter().flatten().copied().collect();
        for child in children {
            self.place(child, projection, numbers);
        }
    }

    /// Places a sweep where it belongs now, or removes one that is not folded.
    pub(in crate::ui) fn place_sweep(&mut self, sweep: SweepId) {
        let placed = self.sweep_key(sweep);
        if self.folded.get(&sweep) == placed.as_ref() {
            return;
        }
        if let Some(before) = self.folded.remove(&sweep) {
            self.take(&before);
        }
        if let Some(placed) = placed {
            self.insert(&placed);
            self.folded.insert(sweep, placed);
        }
    }

    /// Handles a sweep that was read: places all runs again only if it becomes one row now, or several.
    pub(in crate::ui) fn sweep_changed(&mut self, id: SweepId, projection: &Projection, numbers: &Numbers) {
        if self.folded.contains_key(&id) == self.sweep_key(id).is_some() {
            self.place_sweep(id);
        } else {
            self.rebuild(projection, numbers, self.of);
        }
    }

    fn forget(&mut self, run: RunId, projection: &Projection, numbers: &Numbers) {
        self.remove(run);
        self.opened.remove(&run);
        for runs in self.submissions.values_mut() {
            runs.retain(|_, it| *it != run);
        }
        for runs in self.children.values_mut() {
            runs.remove(&run);
        }
        // It may have been a run of any of them.
        self.sweeps.missed();
        self.place_children(run, projection, numbers);
    }

    fn keep(&mut self, run: RunId, placed: Placed) {
        if let Some(state) = placed.state {
            *self.loose.of(state) += 1;
        }
        self.placed.insert(run, placed);
    }

    /// Removes a run from its position. Returns that position, if it was found by its key.
    fn remove(&mut self, run: RunId) -> Option<Placed> {
        let Some(placed) = self.placed.remove(&run) else {
            self.waiting.remove(run);
            return None;
        };
        if let Some(state) = placed.state {
            *self.loose.of(state) -= 1;
        }
        self.take(&placed);
        Some(placed)
    }

    fn insert(&mut self, placed: &Placed) {
        let keys = &mut self.keys[placed.section as usize];
        let at = keys.binary_search(&placed.key).unwrap_or_else(|at| at);
        keys.insert(at, placed.key.clone());
    }

    fn take(&mut self, placed: &Placed) {
        let keys = &mut self.keys[placed.section as usize];
        if let Ok(at) = keys.binary_search(&placed.key) {
            keys.remove(at);
        }
    }

    /// Returns whether a run is shown as queued.
    fn waits(&self, run: &Run) -> bool {
        run.state == RunStatus::Queued && self.filter.shows(run) && self.folds(run).is_none()
    }

    /// Returns the place of a run, if it has a row of its own.
    fn key(&self, run: &Run, projection: &Projection, numbers: &Numbers) -> Option<Placed> {
        if !self.filter.shows(run) {
            return None;
        }
        if let Some(parent) = self.parent(run, projection) {
            let above = self.placed.get(&parent).filter(|_| self.opened.contains(&parent))?;
            return Some(Placed { section: above.section, key: above.key.child(run), state: None });
        }
        if self.folds(run).is_some() {
            return None;
        }
        let section = Section::of(run.state);
        let key = match section {
            Section::Running => Key::running(run, self.of),
            Section::Enqueued if projection.position(run.id).is_some() => return None,
            Section::Enqueued => Key::waiting(run),
            Section::Done | Section::Cancelled => Key::ended(run, self.of, &self.sort, numbers),
        };
        Some(Placed { section, key, state: Some(run.state) })
    }

    /// Returns the place of a sweep, if it is folded: in the section of those of its runs that come first.
    fn sweep_key(&self, id: SweepId) -> Option<Placed> {
        let sweep = self.sweeps.get(id).filter(|sweep| sweep.is_folded() && self.filter.is_empty())?;
        let counts = sweep.tally.counts();
        let section = match () {
            () if counts.all() == 0 => return None,
            () if counts.under_way() > 0 => Section::Running,
            () if counts.queued > 0 => Section::Enqueued,
            () if counts.completed + counts.failed > 0 => Section::Done,
            () => Section::Cancelled,
        };
        let key = Key::sweep((id, sweep), section, self.of, &self.sort);
        Some(Placed { section, key, state: None })
    }
}
