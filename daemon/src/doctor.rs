//! Rows against files. PLACEHOLDER body; signature holds.

use fanlight_shared::rpc::daemon::DoctorAnswer;

use crate::store::{Store, StoreError};

/// Checks rows against files; `deep` reads every blob. Blocks.
///
/// # Errors
/// The store can't be read.
pub fn check(store: &Store, deep: bool) -> Result<DoctorAnswer, StoreError> {
    let _ = (store, deep);
    Ok(DoctorAnswer::default())
}
