//! What a cancellation did, in words.

use fanlight_shared::rpc::runs::CancelResponse;

/// Returns what it did. A run with a command is not cancelled before the command has ended.
pub(super) fn outcome(response: &CancelResponse) -> String {
    let cancelling = response.cancelling.len() + response.cancelling_left as usize;
    let all = response.cancelled.len() + response.cancelled_left as usize;
    match (all.saturating_sub(cancelling), cancelling) {
        (0, 0) => "nothing to cancel: it had ended".to_owned(),
        (1, 0) => "cancelled".to_owned(),
        (0, 1) => "cancelling".to_owned(),
        (cancelled, 0) => format!("{cancelled} runs cancelled"),
        (0, cancelling) => format!("cancelling {cancelling} runs"),
        (cancelled, cancelling) => format!("{cancelled} cancelled, cancelling {cancelling} more"),
    }
}

#[cfg(test)]
mod tests {
    use fanlight_shared::id::RunId;

    use super::*;

    #[test]
    fn a_run_that_still_ends_is_not_called_cancelled() {
        let said = |waiting: usize, running: usize| {
            let cancelling: Vec<RunId> = (0..running).map(|_| RunId::new()).collect();
            let cancelled = cancelling.iter().copied().chain((0..waiting).map(|_| RunId::new())).collect();
            outcome(&CancelResponse { cancelled, cancelling, ..CancelResponse::default() })
        };
        assert_eq!(said(0, 1), "cancelling");
        assert_eq!(said(0, 3), "cancelling 3 runs");
        assert_eq!(said(1, 0), "cancelled");
        assert_eq!(said(2, 0), "2 runs cancelled");
        assert_eq!(said(2, 1), "2 cancelled, cancelling 1 more");
        assert_eq!(said(0, 0), "nothing to cancel: it had ended");
    }
}
