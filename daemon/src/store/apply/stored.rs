//! The columns of a value.

/// The JSON of a value as stored in its row.
#[derive(Default)]
pub(super) struct Stored {
    pub(super) body: Option<String>,
    pub(super) large: Option<[u8; 32]>,
}
