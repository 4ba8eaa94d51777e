//! The items that are missing from the lists of a node with `each`, and why.

use fanlight_shared::run_state::{ItemError, NodeState};

/// Returns `11 dropped` or `2 failed` if items of a node are missing from its lists.
#[must_use]
pub fn failed_items(state: &NodeState) -> Option<String> {
    match (state.items_dropped(), state.items_failed) {
        (_, 0) => None,
        (0, failed) => Some(format!("{failed} failed")),
        (dropped, _) => Some(format!("{dropped} dropped")),
    }
}

/// Returns `[3] text, not a picture`.
#[must_use]
pub fn item_reason(failed: &ItemError) -> String {
    let message = failed.error.message.lines().next().unwrap_or("failed");
    match (&failed.error.last_line, message.is_empty()) {
        (Some(line), true) => format!("[{}] {line}", failed.item),
        _ => format!("[{}] {message}", failed.item),
    }
}
