//! The places in pools of an attempt of an agent.

use tokio::sync::oneshot;

use crate::engine::pools::Ticket;

/// The places in pools of a running attempt.
#[derive(Default)]
pub(in crate::engine) enum Lent {
    /// It has them.
    #[default]
    No,
    /// It waits for a run.
    Out,
    /// It waits for its places, to continue.
    Waits(Ticket, oneshot::Sender<()>),
}

impl Lent {
    /// Returns its place in the queue for pools.
    pub(in crate::engine) fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::Waits(ticket, _) => Some(*ticket),
            Self::No | Self::Out => None,
        }
    }
}
