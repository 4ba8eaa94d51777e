//! Moves waiting runs in the queue.

use std::collections::HashSet;

use fanlight_shared::id::RunId;
use fanlight_shared::rpc::queue::{Move, Moved, To};

use super::Reply;
use super::context::After;
use super::core::Core;
use super::queue::Turn;
use crate::store::Op;

impl Core {
    /// Moves waiting runs before or after all others.
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
        };
        let moved = self.queue.move_to(&waiting, turn);
        // What left the queue in this turn must be gone from the registry before the places are sent.
        self.send_listings();
        let mut places: Vec<(Option<u32>, RunId)> =
            moved.iter().filter_map(|run| Some((Some(self.queue.position(*run)?), *run))).collect();
        places.sort_unstable();
        self.context.op(Op::Move { runs: moved, to });
        self.context.after(After::Moved(places));
        self.drain();
        self.context.after(After::Do(Box::new(move || drop(reply.send(Ok(Moved { left_out }))))));
    }
}
