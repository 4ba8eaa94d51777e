//! The processes of one plugin: a limited number, started when needed, kept for further attempts, stopped when idle.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::PROTOCOL;
use super::describe::Described;
use super::launch::Launch;
use super::manifest::{Manifest, ManifestFile};
use super::process::{End, Failure, Process};
use super::record::Record;
use crate::secret::Secrets;

/// How long a new process may take to answer `hello`, and `describe`.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// A plugin with its processes.
pub(super) struct Processes {
    pub(super) record: Record,
    launch: Launch,
    /// How long a process may take to end by itself.
    grace: Duration,
    state: Mutex<Vec<Held>>,
    /// One process is started at a time.
    starting: tokio::sync::Mutex<()>,
    /// A lease has ended.
    free: Notify,
    /// Cancelled when the plugin was removed or replaced.
    removed: CancellationToken,
}

struct Held {
    process: Arc<Process>,
    /// How many attempts it runs.
    attempts: u32,
    idle_since: Instant,
}

/// The right to run one attempt in a process.
pub(super) struct Lease {
    of: Arc<Processes>,
    pub(super) process: Arc<Process>,
}

impl Processes {
    pub(super) fn new(record: Record, launch: Launch, grace: Duration) -> Arc<Self> {
        Arc::new(Self {
            record,
            launch,
            grace,
            state: Mutex::default(),
            starting: tokio::sync::Mutex::default(),
            free: Notify::new(),
            removed: CancellationToken::new(),
        })
    }

    /// Locks it. Each change leaves it whole.
    fn state(&self) -> MutexGuard<'_, Vec<Held>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns how many are alive.
    pub(super) fn alive(&self) -> usize {
        self.state().iter().filter(|held| !held.process.is_over()).count()
    }

    /// Returns whether one was read slowly since the last time, because it wrote too much.
    pub(super) fn was_slowed(&self) -> bool {
        // All are asked, and so forget it.
        self.state().iter().filter(|held| held.process.was_slowed()).count() > 0
    }

    /// Returns a process for an attempt with these secrets: a warm one, a new one, or when there are enough the next
    /// that is free.
    ///
    /// # Errors
    /// Why none can be started; or the attempt was cancelled.
    pub(super) async fn lease(
        self: &Arc<Self>,
        secrets: &Secrets,
        cancel: &CancellationToken,
    ) -> Result<Lease, Failure> {
        loop {
            let mut freed = std::pin::pin!(self.free.notified());
            freed.as_mut().enable();
            if let Some(lease) = self.warm(secrets) {
                return Ok(lease);
            }
            let leased = async {
                let _starting = self.starting.lock().await;
                match self.warm(secrets) {
                    Some(lease) => Ok(Some(lease)),
                    None if self.make_room().await => self.begin(secrets).await.map(Some),
                    None => Ok(None),
                }
            };
            let leased = tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(Failure::Cancelled),
                leased = leased => leased?,
            };
            if let Some(lease) = leased {
                return Ok(lease);
            }
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(Failure::Cancelled),
                () = freed => {}
            }
        }
    }

    /// Returns a lease of a process that runs.
    fn warm(self: &Arc<Self>, secrets: &Secrets) -> Option<Lease> {
        let mut state = self.state();
        state.retain(|held| !held.process.is_over());
        let most = self.record.manifest.concurrent;
        let fits = |held: &&mut Held| held.attempts < most && held.process.secrets == *secrets;
        // The busiest one that has a place, so that the others become idle.
        let held = state.iter_mut().filter(fits).max_by_key(|held| held.attempts)?;
        held.attempts += 1;
        Some(Lease { of: Arc::clone(self), process: Arc::clone(&held.process) })
    }

    /// Returns whether another process may be started, and ends an idle one with other secrets for it.
    async fn make_room(&self) -> bool {
        let idle = {
            let mut state = self.state();
            if state.len() < self.record.manifest.processes as usize {
                return true;
            }
            let idle = state.iter().position(|held| held.attempts == 0);
            idle.map(|at| state.swap_remove(at))
        };
        match idle {
            Some(held) => {
                held.process.stop(self.grace).await;
                true
            }
            None => false,
        }
    }

    /// Starts a process and checks that it is the plugin that was added.
    async fn begin(self: &Arc<Self>, secrets: &Secrets) -> Result<Lease, Failure> {
        let fault = |sentence: String| Failure::Over(End::Fault(sentence));
        let (folder, hash) = (self.record.folder.clone(), self.record.hash.clone());
        let unchanged = tokio::task::spawn_blocking(move || Ok(ManifestFile::read(&folder)?.hash == hash));
        match unchanged.await.unwrap_or_else(|error| Err(error.to_string())) {
            Ok(true) => {}
            Ok(false) => {
                return Err(fault(format!(
                    "its plugin.toml changed since the plugin was added; type `fanlight plugin add {}`",
                    self.record.folder.display()
                )));
            }
            Err(error) => return Err(fault(error)),
        }
        let process = Process::start(&self.launch, secrets.clone()).map_err(fault)?;
        let described = describe(&process, &self.record.manifest).await?;
        if described != self.record.described {
            return Err(fault(format!(
                "it describes other node types than when it was added; type `fanlight plugin add {}`",
                self.record.folder.display()
            )));
        }
        let process = Arc::new(process);
        let held = Held { process: Arc::clone(&process), attempts: 1, idle_since: Instant::now() };
        self.state().push(held);
        Ok(Lease { of: Arc::clone(self), process })
    }

    /// Ends the idle processes now, and the others when their attempts have ended.
    pub(super) async fn remove(&self) {
        self.removed.cancel();
        let idle: Vec<Held> = self.state().extract_if(.., |held| held.attempts == 0).collect();
        for held in idle {
            held.process.stop(self.grace).await;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut state = self.of.state();
        if let Some(held) = state.iter_mut().find(|held| Arc::ptr_eq(&held.process, &self.process)) {
            held.attempts = held.attempts.saturating_sub(1);
            held.idle_since = Instant::now();
            if held.attempts == 0 {
                tokio::spawn(stop_idle(Arc::downgrade(&self.of), Arc::downgrade(&self.process)));
            }
        }
        drop(state);
        self.of.free.notify_waiters();
    }
}

/// Stops a process that has just become idle, unless it is used again in time.
async fn stop_idle(of: Weak<Processes>, process: Weak<Process>) {
    let Some((wait, removed)) =
        of.upgrade().map(|it| (Duration::from_secs(it.record.manifest.idle_seconds), it.removed.clone()))
    else {
        return;
    };
    tokio::select! {
        () = tokio::time::sleep(wait) => {}
        () = removed.cancelled() => {}
    }
    let Some(of) = of.upgrade() else { return };
    let held = {
        let mut state = of.state();
        // Another task waits where it was used meanwhile.
        let idle = |held: &Held| {
            std::ptr::eq(Arc::as_ptr(&held.process), process.as_ptr())
                && held.attempts == 0
                && (held.idle_since.elapsed() >= wait || removed.is_cancelled())
        };
        state.iter().position(idle).map(|at| state.swap_remove(at))
    };
    if let Some(held) = held {
        held.process.stop(of.grace).await;
    }
}

/// Greets a new process and returns the description of its node types.
pub(super) async fn describe(process: &Process, manifest: &Manifest) -> Result<Described, Failure> {
    let fault = |sentence: String| Failure::Over(End::Fault(sentence));
    let hello = json!({ "protocol": PROTOCOL, "fanlight": env!("CARGO_PKG_VERSION") });
    let hello = process.ask("hello", &hello, START_TIMEOUT).await?;
    if hello.get("protocol").and_then(Json::as_u64) != Some(u64::from(PROTOCOL)) {
        return Err(fault(format!("its answer to `hello` lacks \"protocol\": {PROTOCOL}")));
    }
    match hello.get("name").and_then(Json::as_str) {
        Some(name) if name == manifest.name => {}
        _ => return Err(fault(format!("its answer to `hello` lacks \"name\": \"{}\"", manifest.name))),
    }
    let described = process.ask("describe", &json!({}), START_TIMEOUT).await?;
    Described::read(described).map_err(fault)
}
