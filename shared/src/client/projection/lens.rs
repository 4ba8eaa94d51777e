//! The lens of a workflow. Its place follows from the known runs, in whatever order they arrived: a start counts even if a
//! list is the first to report it, and even if its run has ended by then.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use crate::id::{RunId, SubmissionId};
use crate::run::Run;
use crate::time::Time;

/// The lens of one workflow.
#[derive(Clone, Debug, Default)]
pub(super) struct Lens {
    starts: Starts,
    /// The run that a person pinned.
    pub(super) pinned: Option<RunId>,
    /// The run in focus when the client became busy.
    held: Option<RunId>,
    /// Where it went when its run went away; later starts move it again.
    fallback: Option<Fallback>,
}

/// Where the lens went when its run went away.
#[derive(Clone, Copy, Debug)]
struct Fallback {
    to: SubmissionId,
    /// The newest start so far, even if its runs are gone.
    newest: u64,
}

impl Lens {
    /// Returns the run in focus.
    pub(super) fn focus(&self, busy: bool) -> Option<RunId> {
        self.pinned.or_else(|| if busy { self.held } else { self.follows() })
    }

    /// Returns the run that would be in focus without a pin and with nothing open.
    fn follows(&self) -> Option<RunId> {
        let newest = self.starts.order.last();
        let newest = newest.filter(|(first, _)| self.fallback.is_none_or(|it| *first > it.newest));
        let of = newest.map(|(_, submission)| *submission).or(self.fallback.map(|it| it.to))?;
        self.starts.submissions.get(&of)?.run()
    }

    /// Returns whether a run is in focus, or would be without a pin or with nothing open.
    pub(super) fn is_on(&self, run: RunId) -> bool {
        [self.pinned, self.held, self.follows()].contains(&Some(run))
    }

    /// Keeps the focus while the client is busy.
    pub(super) fn hold(&mut self) {
        self.held = self.follows();
    }

    /// Follows the newest start again. That is a person's wish: it moves the lens even while something is open.
    pub(super) fn unpin(&mut self) {
        self.pinned = None;
        self.hold();
    }

    /// Handles a run that is new or has changed.
    pub(super) fn note(&mut self, before: Option<&Run>, now: &Run) {
        if let Some(before) = before {
            self.starts.remove(before);
        }
        self.starts.add(now);
    }

    /// Removes a run that was deleted, or cancelled before it started.
    pub(super) fn forget(&mut self, run: &Run, busy: bool) {
        let focused = self.focus(busy) == Some(run.id);
        let followed = self.follows() == Some(run.id);
        self.starts.remove(run);
        self.pinned.take_if(|pinned| *pinned == run.id);
        if focused || followed {
            self.fall_back();
        }
        if self.held == Some(run.id) || focused && busy {
            self.hold();
        }
    }

    /// Moves to the newest start that has an active run, else to the newest one. With no started run left there is nothing to
    /// move to: the next start is the first one again, also that of a submission that had started before.
    fn fall_back(&mut self) {
        if self.starts.order.is_empty() {
            (self.starts, self.fallback) = (Starts::default(), None);
            return;
        }
        let newest_first = || self.starts.order.iter().rev();
        let is_active = |(_, of): &&(u64, SubmissionId)| {
            self.starts.submissions.get(of).is_some_and(|submission| !submission.active.is_empty())
        };
        let to = newest_first().find(is_active).or_else(|| newest_first().next()).map(|(_, to)| *to);
        self.fallback = to.map(|to| Fallback { to, newest: self.starts.newest });
    }
}

/// The started runs of a workflow. Those of one submission count as one start.
#[derive(Clone, Debug, Default)]
struct Starts {
    /// Including those whose runs are all gone, as long as others have runs: another run of theirs is not a new start.
    submissions: HashMap<SubmissionId, Submission>,
    /// The submissions that have runs, by their first starts.
    order: BTreeSet<(u64, SubmissionId)>,
    /// The newest of the first starts.
    newest: u64,
}

/// The started runs of one submission.
#[derive(Clone, Debug)]
struct Submission {
    /// Its earliest known start, even if that run was deleted.
    first: u64,
    /// The active runs, by their starts.
    active: BTreeSet<(u64, RunId)>,
    /// The ended runs, by their ends; of several that ended at the same time, the first to start is last.
    ended: BTreeSet<(Option<Time>, Reverse<u64>, RunId)>,
}

impl Submission {
    /// Returns its run for the lens: the earliest started one that is active, else the last to end.
    fn run(&self) -> Option<RunId> {
        let active = self.active.first().map(|(_, run)| *run);
        active.or_else(|| self.ended.last().map(|(.., run)| *run))
    }
}

impl Starts {
    fn add(&mut self, run: &Run) {
        // A child starts with a node of its parent, which is what a person started.
        let Some(order) = run.start_order.filter(|_| run.parent.is_none()) else { return };
        let fresh = || Submission { first: order, active: BTreeSet::new(), ended: BTreeSet::new() };
        let submission = self.submissions.entry(run.submission).or_insert_with(fresh);
        if order < submission.first {
            self.order.remove(&(submission.first, run.submission));
            submission.first = order;
        }
        self.order.insert((submission.first, run.submission));
        self.newest = self.newest.max(submission.first);
        if run.state.is_ended() {
            submission.ended.insert((run.ended_at, Reverse(order), run.id));
        } else {
            submission.active.insert((order, run.id));
        }
    }

    fn remove(&mut self, run: &Run) {
        let Some((order, submission)) = run.start_order.zip(self.submissions.get_mut(&run.submission)) else {
            return;
        };
        submission.active.remove(&(order, run.id));
        submission.ended.remove(&(run.ended_at, Reverse(order), run.id));
        if submission.run().is_none() {
            self.order.remove(&(submission.first, run.submission));
        }
    }
}
