//! A fork of several runs: a request for each.

use fanlight_shared::client::ClientError;
use fanlight_shared::rpc::runs;

use crate::ui::message::Response;

/// Starts the runs one after the other. If a request fails after some were started, the response has those: the form must
/// not come back and start them again.
///
/// # Errors
/// The first request fails.
pub(super) async fn all<F>(
    requests: Vec<runs::Resume>,
    call: impl Fn(runs::Resume) -> F,
) -> Result<Response, ClientError>
where
    F: Future<Output = Result<runs::Started, ClientError>>,
{
    let count = requests.len();
    let request_key = requests.first().map(|request| request.request_key.clone()).unwrap_or_default();
    let mut others = None;
    let mut all = runs::Started::default();
    for (at, request) in requests.into_iter().enumerate() {
        match call(request).await {
            Ok(started) => {
                all.runs.extend(started.runs);
                // They are the same for all of them.
                all.hints = started.hints;
            }
            Err(error) if at == 0 => return Err(error),
            Err(error) => {
                others = Some(format!("{at} of {count} started: {error}"));
                break;
            }
        }
    }
    Ok(Response::Started { request_key, started: all, others })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::ready;

    use fanlight_shared::id::RunId;
    use fanlight_shared::rpc::{ErrorCode, RpcError};

    use super::*;

    /// Forks a run three times; the request with this number is refused.
    async fn forked(refused: usize) -> Result<Response, ClientError> {
        let request = runs::Resume::of(RunId::new(), String::new());
        let asked = Cell::new(0);
        all(vec![request; 3], |_| {
            asked.set(asked.get() + 1);
            if asked.get() == refused {
                return ready(Err(RpcError::new(ErrorCode::BadParams, "`seed` is refused").into()));
            }
            ready(Ok(runs::Started::default()))
        })
        .await
    }

    #[tokio::test]
    async fn a_fork_that_is_refused_halfway_says_how_many_runs_it_started() {
        match forked(3).await {
            Ok(Response::Started { others: Some(why), .. }) => {
                assert_eq!(why, "2 of 3 started: `seed` is refused")
            }
            other => panic!("{other:?}"),
        }
        assert!(matches!(forked(0).await, Ok(Response::Started { others: None, .. })));
        assert!(forked(1).await.is_err(), "nothing was started, and the form comes back");
    }
}
