//! Moves waiting runs in the queue.

use std::collections::HashSet;
use std::sync::Arc;

use fanlight_shared::id::RunId;
use fanlight_shared::rpc::queue::{Move, Moved, To};

use super::context::After;
use super::core::Core;
use super::message::Reply;
use super::queue::Turn;
use crate::store::Op;

impl Core {
    /// Moves waiting runs before or after all others, or gives them a priority.
    pub(super) fn move_runs(&mut self, request: Move, reply: Reply<Moved>) {
        let Move { mut runs, to } = request;
        let mut seen = HashSet::new();
        runs.retain(|run| seen.insert(*run));
        // A parked run that waits for a slot is not moved: it has started.
        let (waiting, left_out): (Vec<RunId>, Vec<RunId>) =
            runs.into_iter().partition(|run| self.queued.contains_key(run));
        let turn = match to {
            To::Next => Turn::Next,
            To::Later => Turn::Later,
            To::Priority(priority) => Turn::of(priority),
        };
        let moved = self.queue.move_to(&waiting, turn);
        let mut priorities = Vec::new();
        if let To::Priority(priority) = to {
            for run in &moved {
                let Some(queued) = self.queued.get_mut(run) else { continue };
                Arc::make_mut(&mut queued.run).priority = priority;
                priorities.push((queued.run.id, priority));
            }
        }
        // What left the queue in this turn must be gone from the registry before the places are sent.
        self.send_listings();
        let mut places: Vec<(Option<u32>, RunId)> =
            moved.iter().filter_map(|run| Some((Some(self.queue.position(*run)?), *run))).collect();
        places.sort_unstable();
        self.context.op(Op::Move { runs: moved, to });
        self.context.after(After::Moved(places, priorities));
        self.drain();
        self.context.after(After::Do(Box::new(move || drop(reply.send(Ok(Moved { left_out }))))));
    }
}
