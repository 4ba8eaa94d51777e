//! The items that are missing from the lists of a node with `each`, and why.

use fanlight_shared::run_state::{ItemError, NodeState};

/// Returns `11 dropped`, `2 failed` or `1 dropped, 2 skipped` if items of a node are missing from its lists, other than
/// those whose `if` is false.
#[must_use]
pub fn failed_items(state: &NodeState) -> Option<String> {
    let failed = match (state.items_dropped(), state.items_failed) {
        (_, 0) => None,
        (0, failed) => Some(format!("{failed} failed")),
        (dropped, _) => Some(format!("{dropped} dropped")),
    };
    let skipped = (!state.item_skips.is_empty()).then(|| format!("{} skipped", state.items_skipped));
    let words: Vec<String> = failed.into_iter().chain(skipped).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// Returns the first of the missing items with their reasons: failed ones, then skipped ones.
pub fn missing_items(state: &NodeState) -> impl Iterator<Item = &ItemError> {
    state.item_errors.iter().chain(&state.item_skips)
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
