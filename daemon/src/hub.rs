//! Who is told what: committed events and live ones go in, every connection takes what it watches out.
//!
//! Nothing here waits: a connection that does not read loses live events first and then gets a fresh snapshot.
//! PLACEHOLDER bodies; signatures hold.

use fanlight_shared::event::{DaemonEvent, LiveEvent, Numbered};
use fanlight_shared::id::{RunId, WorkflowId};
use fanlight_shared::run::Run;
use fanlight_shared::run_state::RunState;

/// The hub. One per daemon, shared by `Arc`; its methods may be called from any thread.
#[derive(Debug, Default)]
pub struct Hub {}

impl Hub {
    /// A run became active (started, or recovered at start): its state is kept here until [`Hub::end`].
    pub fn begin(&self, run: &Run, state: RunState, edges: Vec<(String, String)>) {
        let _ = (run, state, edges);
    }
    /// A state event was committed. Folded into the kept state, sent to those who watch the run.
    pub fn state(&self, workflow_id: WorkflowId, run_id: RunId, event: Numbered) {
        let _ = (workflow_id, run_id, event);
    }
    /// A live event; never waits, may be lost.
    pub fn live(&self, workflow_id: WorkflowId, run_id: RunId, event: LiveEvent) {
        let _ = (workflow_id, run_id, event);
    }
    /// Registry, queue or products changed, and that is committed.
    pub fn daemon(&self, event: DaemonEvent) {
        let _ = event;
    }
    /// A run ended and its last event was sent: its state may be dropped; it is read from the store from now on.
    pub fn end(&self, run_id: RunId) {
        let _ = run_id;
    }
}
