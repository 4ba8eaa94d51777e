//! `hello` and `daemon.*`

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use fanlight_shared::event::DaemonEvent;
use fanlight_shared::rpc::daemon::{
    DaemonStatus, Doctor, DoctorResponse, Hello, HelloResponse, Limits, Status, Stop,
};
use fanlight_shared::rpc::{Done, ErrorCode, PROTOCOL_VERSION, RpcError};

use super::session::Session;
use crate::doctor::Repaired;

/// How long `daemon.stop` waits for cancelled runs.
const CANCEL: Duration = Duration::from_secs(30);

pub(super) async fn hello(session: &Arc<Session>, hello: Hello) -> Result<HelloResponse, RpcError> {
    let version = env!("CARGO_PKG_VERSION");
    if hello.protocol != PROTOCOL_VERSION {
        return Err(RpcError::new(
            ErrorCode::Version,
            format!(
                "this daemon (version {version}) speaks protocol {PROTOCOL_VERSION}, the client {}: restart the \
                 daemon with `fanlight daemon stop`, or use a client of its version",
                hello.protocol
            ),
        ));
    }
    tracing::debug!(client = %hello.client.escape_debug(), "hello");
    let context = &session.context;
    Ok(HelloResponse {
        protocol: PROTOCOL_VERSION,
        version: version.to_owned(),
        instance: context.hub.instance().to_owned(),
        limits: Limits::default(),
        banners: context.hub.banners(),
    })
}

pub(super) async fn status(session: &Arc<Session>, _: Status) -> Result<DaemonStatus, RpcError> {
    let context = &session.context;
    let interrupts = context.engine.interrupts().await.unwrap_or_default();
    let activity = *context.engine.activity().borrow();
    Ok(DaemonStatus {
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        home: context.home.name.display().to_string(),
        socket: context.home.socket.display().to_string(),
        running: activity.running + activity.following,
        queued: activity.queued,
        clients: *context.clients.borrow(),
        process_trees: context.supervisor.trees().unwrap_or("not known before the first command").to_owned(),
        queued_bytes: (context.hub.queued_bytes() + context.queued.load(Ordering::Relaxed)) as u64,
        banners: context.hub.banners(),
        interrupts,
    })
}

pub(super) async fn stop(session: &Arc<Session>, stop: Stop) -> Result<Done, RpcError> {
    let context = &session.context;
    if stop.cancel {
        context.engine.cancel_to_end(CANCEL).await?;
    }
    tracing::info!("a client ends the daemon");
    context.shutdown.cancel();
    Ok(Done {})
}

pub(super) async fn doctor(session: &Arc<Session>, doctor: Doctor) -> Result<DoctorResponse, RpcError> {
    let Doctor { deep, repair } = doctor;
    let context = &session.context;
    let (answer, repaired) =
        context.read(move |store| Ok(crate::doctor::examine(store, deep, repair))).await?;
    let Repaired { run, assets } = repaired;
    if let Some(run) = run {
        context.hub.daemon(DaemonEvent::RunUpdate { run: Box::new(run) });
    }
    for asset in assets {
        context.hub.daemon(DaemonEvent::AssetUpdate { asset: Box::new(asset) });
    }
    Ok(answer)
}
