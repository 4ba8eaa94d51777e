//! The queue pane: Running, Enqueued, Done, Cancelled. [`ask`] has the questions before actions on runs.

mod ask;
#[cfg(test)]
mod tests;
mod unconfirmed;
pub mod update;
pub mod view;

use super::model::component::pane;

pane! {
    /// The queue pane.
    QueuePane Queue
}
