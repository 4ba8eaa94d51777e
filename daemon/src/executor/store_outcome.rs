//! What an attempt made, on its way into the engine.

use std::sync::Arc;

use fanlight_shared::event::NodeError;
use tokio_util::sync::CancellationToken;

use crate::attempt::Outcome;
use crate::content::{is_long, store, with_space};
use crate::store::blob::Blobs;

/// Stores the values of an attempt that are longer than `limit`, so that the engine holds handles. While the disk is full
/// it waits.
pub(crate) async fn store_outcome(
    mut outcome: Outcome,
    limit: usize,
    blobs: &Blobs,
    cancel: &CancellationToken,
) -> Outcome {
    if !outcome.values.values().any(|value| is_long(value, limit)) {
        return outcome;
    }
    let values = Arc::new(std::mem::take(&mut outcome.values));
    let whole = Arc::clone(&values);
    match with_space(blobs, cancel, move |blobs| store(&whole, limit, blobs)).await {
        Ok((handles, published)) => {
            outcome.values = Arc::unwrap_or_clone(values);
            outcome.values.extend(handles);
            outcome.blobs.extend(published);
            outcome
        }
        Err(problem) => Outcome::failed(NodeError::new(format!("its values can't be stored: {problem}"))),
    }
}
