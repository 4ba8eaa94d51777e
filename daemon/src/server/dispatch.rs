//! Dispatches requests: methods that aren't in this table are refused.

use std::sync::Arc;

use fanlight_shared::rpc::frame::{JsonRpc2, ResultFrame};
use fanlight_shared::rpc::{self, ErrorCode, Request, RpcError};
use serde_json::Value as Json;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::bytes::Source;
#[cfg(feature = "llm")]
use super::models;
#[cfg(not(feature = "llm"))]
use super::no_models as models;
use super::session::Session;
use super::{
    assets, cache, daemon, engines, items, logs, metrics, plugins, previews, questions, queue, runs, sweeps,
    transfer, uploads, values, watch, why, workflows,
};
use crate::hub::text;

/// A successful response and the bytes that follow it.
pub(super) struct Handled {
    pub(super) text: Utf8Bytes,
    pub(super) bytes: Option<Source>,
}

macro_rules! methods {
    (plain { $($request:ty => $handler:path,)* } bytes { $($stream:ty => $source:path,)* }) => {
        /// Every method there is.
        #[cfg(test)]
        pub(super) const METHODS: &[&str] =
            &[$(<$request as Request>::METHOD,)* $(<$stream as Request>::METHOD,)*];

        /// Finds and calls the handler of a method.
        pub(super) async fn dispatch(
            session: &Arc<Session>,
            method: &str,
            id: &Json,
            params: Json,
        ) -> Result<Handled, RpcError> {
            $(if method == <$request as Request>::METHOD {
                let result: <$request as Request>::Response =
                    $handler(session, read::<$request>(params)?).await?;
                return Ok(Handled { text: text(&ResultFrame { jsonrpc: JsonRpc2, id, result }), bytes: None });
            })*
            $(if method == <$stream as Request>::METHOD {
                let (result, source): (<$stream as Request>::Response, Source) =
                    $source(session, read::<$stream>(params)?).await?;
                let text = text(&ResultFrame { jsonrpc: JsonRpc2, id, result });
                return Ok(Handled { text, bytes: Some(source) });
            })*
            Err(RpcError::new(ErrorCode::UnknownMethod, format!("there is no method `{method}`")))
        }
    };
}

methods! {
plain {
    rpc::daemon::Hello => daemon::hello,
    rpc::daemon::Status => daemon::status,
    rpc::daemon::Stop => daemon::stop,
    rpc::daemon::Doctor => daemon::doctor,
    rpc::workflows::List => workflows::list,
    rpc::workflows::Get => workflows::get,
    rpc::workflows::Check => workflows::check,
    rpc::workflows::NodeTypes => workflows::node_types,
    rpc::runs::Start => runs::start,
    rpc::runs::Missing => runs::missing,
    rpc::runs::List => runs::list,
    rpc::runs::Get => runs::get,
    rpc::runs::Totals => runs::totals,
    rpc::runs::Table => runs::table,
    rpc::runs::Nodes => items::nodes,
    rpc::runs::Items => items::items,
    rpc::runs::Cancel => runs::cancel,
    rpc::runs::Answer => runs::answer,
    rpc::runs::Resume => runs::resume,
    rpc::runs::Delete => runs::delete,
    rpc::runs::Prune => runs::prune,
    rpc::runs::Import => transfer::import,
    rpc::runs::Label => runs::label,
    rpc::why::Why => why::why,
    rpc::sweeps::List => sweeps::list,
    rpc::sweeps::Get => sweeps::get,
    rpc::sweeps::Runs => sweeps::runs,
    rpc::sweeps::Trials => sweeps::trials,
    rpc::sweeps::Find => sweeps::find,
    rpc::sweeps::Set => sweeps::set,
    rpc::uploads::Start => uploads::start,
    rpc::uploads::Check => uploads::check,
    rpc::uploads::End => uploads::end,
    rpc::values::List => values::list,
    rpc::metrics::List => metrics::list,
    rpc::metrics::Read => metrics::read,
    rpc::metrics::Points => metrics::points,
    rpc::logs::Read => logs::read,
    rpc::assets::List => assets::list,
    rpc::assets::Get => assets::get,
    rpc::assets::Lineage => assets::lineage,
    rpc::assets::Star => assets::star,
    rpc::assets::Delete => assets::delete,
    rpc::cache::List => cache::list,
    rpc::cache::Explain => cache::explain,
    rpc::cache::Stats => cache::stats,
    rpc::cache::Remove => cache::remove,
    rpc::questions::List => questions::list,
    rpc::models::List => models::list,
    rpc::engines::List => engines::list,
    rpc::engines::Check => engines::check,
    rpc::plugins::List => plugins::list,
    rpc::plugins::Add => plugins::add,
    rpc::plugins::Remove => plugins::remove,
    rpc::queue::Move => queue::move_runs,
    rpc::queue::Get => queue::get,
    rpc::queue::Set => queue::set,
    rpc::watch::Watch => watch::watch,
}
bytes {
    rpc::workflows::Read => workflows::read,
    rpc::runs::Export => transfer::export,
    rpc::assets::Read => assets::read,
    rpc::assets::Thumbnail => assets::thumbnail,
    rpc::values::Read => values::read,
    rpc::values::Content => values::content,
    rpc::previews::Thumbnail => previews::thumbnail,
}
}

fn read<R: Request>(params: Json) -> Result<R, RpcError> {
    serde_json::from_value(params)
        .map_err(|error| RpcError::new(ErrorCode::BadParams, format!("the params of {}: {error}", R::METHOD)))
}
