//! The engine: the one owner of runs. Signatures hold.

use std::sync::Arc;

use fanlight_shared::event::Queue;
use fanlight_shared::rpc::{RpcError, queue, runs};

/// The engine's handle: cheap to clone.
#[derive(Clone)]
pub struct Engine {
    _inner: Arc<()>,
}

/// What the engine is busy with, for the daemon's idle end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Activity {
    /// Runs that run.
    pub running: u32,
    /// Runs that wait.
    pub queued: u32,
}

/// What an engine works with.
pub struct EngineParts {
    /// Where everything is kept.
    pub store: crate::store::Store,
    /// Who is told.
    pub hub: Arc<crate::hub::Hub>,
    /// Runs commands.
    pub commands: crate::command::Commands,
    /// Runs what decodes foreign bytes.
    pub workers: crate::worker::Workers,
    /// The configuration.
    pub config: crate::config::Config,
    /// The home.
    pub home: fanlight_shared::home::Home,
}

impl Engine {
    /// An engine that goes on with what had not ended.
    ///
    /// # Errors
    /// The store can't be read.
    pub async fn boot(parts: EngineParts) -> Result<Self, crate::store::StoreError> {
        let _ = parts;
        Ok(Self { _inner: Arc::new(()) })
    }
    /// `runs.start`
    ///
    /// # Errors
    /// Problems of the file, bad params, a full disk.
    pub async fn start(&self, request: runs::Start) -> Result<runs::Started, RpcError> {
        let _ = request;
        Err(RpcError::internal("no engine"))
    }
    /// `runs.cancel`
    ///
    /// # Errors
    /// No such run.
    pub async fn cancel(&self, request: runs::Cancel) -> Result<runs::CancelAnswer, RpcError> {
        let _ = request;
        Err(RpcError::internal("no engine"))
    }
    /// `runs.resume`
    ///
    /// # Errors
    /// The run has not ended, or completed.
    pub async fn resume(&self, request: runs::Resume) -> Result<runs::Started, RpcError> {
        let _ = request;
        Err(RpcError::internal("no engine"))
    }
    /// `runs.delete`
    ///
    /// # Errors
    /// A run has not ended.
    pub async fn delete(&self, request: runs::Delete) -> Result<(), RpcError> {
        let _ = request;
        Err(RpcError::internal("no engine"))
    }
    /// `runs.label`
    ///
    /// # Errors
    /// No such run.
    pub async fn label(&self, request: runs::Label) -> Result<(), RpcError> {
        let _ = request;
        Err(RpcError::internal("no engine"))
    }
    /// `queue.get`
    ///
    /// # Errors
    /// The engine ended.
    pub async fn queue(&self) -> Result<Queue, RpcError> {
        Err(RpcError::internal("no engine"))
    }
    /// `queue.set`
    ///
    /// # Errors
    /// A cap of 0.
    pub async fn set_queue(&self, request: queue::Set) -> Result<Queue, RpcError> {
        let _ = request;
        Err(RpcError::internal("no engine"))
    }
    /// What it is busy with, now and whenever that changes.
    #[must_use]
    pub fn activity(&self) -> tokio::sync::watch::Receiver<Activity> {
        tokio::sync::watch::channel(Activity::default()).1
    }
    /// Stops taking requests and starting attempts; living commands go on under the supervisor. Returns when the store
    /// has everything.
    pub async fn stop(&self) {}
}
