//! `values.*`

use std::sync::Arc;

use fanlight_shared::rpc::values::{List, PortValue};
use fanlight_shared::rpc::{Page, RpcError};

use super::session::Session;

pub(super) async fn list(session: &Arc<Session>, list: List) -> Result<Page<PortValue>, RpcError> {
    session.context.read(move |store| store.values(&list)).await
}
