//! Texts of workflow files; long ones are read in pieces.

use fanlight_shared::preview;
use fanlight_shared::rpc::frame::PART;

/// Returns a text for a response: all of it, or its beginning and its length in bytes.
pub(super) fn beginning(text: String) -> (String, Option<u64>) {
    if preview::fits(&text, PART) {
        return (text, None);
    }
    (preview::text(&text, PART), Some(text.len() as u64))
}
