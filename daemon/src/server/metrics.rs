//! `metrics.*`

use std::sync::Arc;

use fanlight_shared::metric::Point;
use fanlight_shared::rpc::metrics::{Curve, List, Points, Read, Series};
use fanlight_shared::rpc::{Page, RpcError};

use super::session::Session;

pub(super) async fn list(session: &Arc<Session>, list: List) -> Result<Page<Series>, RpcError> {
    session.context.read(move |store| store.series(&list)).await
}

pub(super) async fn read(session: &Arc<Session>, read: Read) -> Result<Page<Curve>, RpcError> {
    session.context.read(move |store| store.curves(&read)).await
}

pub(super) async fn points(session: &Arc<Session>, of: Points) -> Result<Page<Point>, RpcError> {
    session.context.read(move |store| store.series_points(&of)).await
}
