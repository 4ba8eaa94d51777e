//! Reassembles notifications that arrive in parts: users of the client get a registry, and a run with all its nodes and
//! edges, as one notification. Items of a run stay in parts, since there may be 100,000 of them.

use std::collections::HashMap;

use crate::id::RunId;
use crate::rpc::watch::Notification;

/// Notifications whose parts have not all arrived.
#[derive(Debug, Default)]
pub(super) struct Parts {
    registry: Option<Notification>,
    snapshots: HashMap<RunId, Notification>,
}

impl Parts {
    /// Adds a part. Returns the complete notification, or nothing while parts are missing.
    pub(super) fn take(&mut self, notification: Notification) -> Option<Notification> {
        match notification {
            Notification::Registry { runs_left: 1.., .. } => {
                self.registry = Some(notification);
                None
            }
            Notification::RegistryRuns { runs: more, .. } => {
                if let Some(Notification::Registry { runs, runs_left, .. }) = &mut self.registry {
                    *runs_left = runs_left.saturating_sub(more.len() as u64);
                    runs.extend(more);
                }
                self.registry.take_if(|held| matches!(held, Notification::Registry { runs_left: 0, .. }))
            }
            Notification::Registry { .. } => {
                self.registry = None;
                Some(notification)
            }
            Notification::Snapshot { run_id, ref state, .. } => {
                self.snapshots.remove(&run_id);
                if state.nodes_left + state.edges_left == 0 {
                    return Some(notification);
                }
                self.snapshots.insert(run_id, notification);
                None
            }
            Notification::SnapshotNodes { run_id, nodes, edges, .. } => {
                if let Some(Notification::Snapshot { state, .. }) = self.snapshots.get_mut(&run_id) {
                    state.take_nodes(nodes);
                    state.take_edges(edges);
                    if state.nodes_left + state.edges_left == 0 {
                        return self.snapshots.remove(&run_id);
                    }
                }
                None
            }
            Notification::Lagged {} => {
                *self = Self::default();
                Some(notification)
            }
            other => Some(other),
        }
    }
}
