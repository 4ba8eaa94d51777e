//! What an attempt made, on its way into the engine.

use std::sync::Arc;

use fanlight_shared::event::NodeError;
use fanlight_shared::value::Value;
use tokio_util::sync::CancellationToken;

use crate::attempt::Outcome;
use crate::content::{is_long, store, with_copies, with_space};
use crate::file_error::FileError;
use crate::store::blob::Blobs;
use crate::store::{StoreError, bodies, has_long_body};

/// Stores the values of an attempt that are longer than `limit`, so that the engine holds handles, and the JSON of those
/// that no row of the store should hold. Files of the user become copies where a port `keeps_media`. While the disk is full
/// it waits.
pub(crate) async fn store_outcome(
    mut outcome: Outcome,
    limit: usize,
    keeps_media: impl Fn(&str) -> bool,
    blobs: &Blobs,
    cancel: &CancellationToken,
) -> Outcome {
    let lasting = outcome.values.iter().filter(|(port, value)| value.has_source() && keeps_media(port));
    let lasting: Vec<(String, Value)> = lasting.map(|(port, value)| (port.clone(), value.clone())).collect();
    for (port, value) in lasting {
        match with_space(blobs, cancel, move |blobs| with_copies(&value, blobs)).await {
            Ok((copied, published)) => {
                outcome.values.insert(port, copied);
                outcome.blobs.extend(published);
            }
            Err(problem) => return unstored(outcome, &problem),
        }
    }
    if !outcome.values.values().any(|value| is_long(value, limit) || has_long_body(value)) {
        return outcome;
    }
    let values = Arc::new(std::mem::take(&mut outcome.values));
    let whole = Arc::clone(&values);
    let stored = with_space(blobs, cancel, move |blobs| {
        let (handles, published) = store(&whole, limit, blobs)?;
        let held = whole.iter().filter(|(port, _)| !handles.contains_key(*port));
        Ok::<_, StoreError>((bodies(held, blobs)?, handles, published))
    });
    match stored.await {
        Ok((bodies, handles, published)) => {
            outcome.values = Arc::unwrap_or_clone(values);
            outcome.values.extend(handles);
            outcome.blobs.extend(published);
            outcome.bodies = bodies;
            outcome
        }
        Err(problem) => unstored(outcome, &problem),
    }
}

/// Returns the outcome of an attempt whose values could not be stored.
fn unstored(outcome: Outcome, problem: &FileError) -> Outcome {
    let ended = match problem {
        // Cancelled while it waited.
        FileError::Full(_) => Outcome::cancelled(),
        FileError::Other(why) => {
            let unstored = || NodeError::new(format!("its values can't be stored: {why}"));
            Outcome::failed(outcome.error.unwrap_or_else(unstored))
        }
    };
    Outcome { cost_usd: outcome.cost_usd, unpriced: outcome.unpriced, ..ended }
}

#[cfg(test)]
mod tests {
    use fanlight_shared::home::Home;
    use fanlight_shared::value::Values;

    use super::*;
    use crate::store::Store;

    #[tokio::test]
    async fn the_json_of_a_long_list_of_files_is_stored_before_the_engine_sees_the_list() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::open(&Home::below(home.path()).unwrap()).unwrap();
        let blobs = store.blobs();
        let published = blobs.publish(b"small".to_vec()).unwrap();
        let media = crate::media::stored(blobs, published.hash, 5, "a.txt").unwrap();
        let list = Value::List((0..1_000).map(|_| Value::from(media.clone())).collect());
        let values =
            Values::from([("files".to_owned(), list.clone()), ("count".to_owned(), Value::Int(1000))]);
        let outcome = Outcome::completed(values.clone(), vec![published]);
        let stored =
            store_outcome(outcome, crate::content::LIMIT, |_| true, blobs, &CancellationToken::new()).await;
        assert_eq!(stored.values, values, "the engine needs the files themselves");
        assert_eq!(stored.bodies.keys().collect::<Vec<_>>(), ["files"]);
        let body = blobs.read(stored.bodies["files"].hash).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), list);
    }
}
