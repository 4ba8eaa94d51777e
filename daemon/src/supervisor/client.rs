//! The daemon's side of the supervisor: starts it when needed, exchanges frames, and reports the events of attempts.
//!
//! # Files
//!
//! The caller gives every attempt a folder of its own ([`StartSpec::folder`], which exists). The supervisor writes there,
//! and removes nothing:
//!
//! | file | what |
//! |---|---|
//! | `log` | both streams in order of arrival, head and tail; read it with [`super::log::read`], also while it is written |
//! | `stdout` | the first 1 MiB of standard output; read it with [`super::log::stdout`] |
//!
//! Both are whole when [`AttemptEvent::Ended`] arrives, and nothing of the attempt's tree is alive then.
//! The child's environment is exactly [`StartSpec::env`] plus `FANLIGHT_ATTEMPT=<id>`.

mod attempt;
mod connection;
mod launch;
mod subscribers;
mod subscription;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fanlight_shared::home::Home;
use fanlight_shared::id::AttemptId;
use tokio::sync::{Mutex, watch};

pub use super::Trees;
pub use super::record::{AttemptState, Exit, How, Stage};
pub use super::spec::StartSpec;
pub use attempt::{AttemptEvent, Started};
pub use subscription::Subscription;

use super::message::{Containment, Reply, Request};
use crate::secret::Secrets;
use connection::{Connection, Greeting, NoReply};
use launch::Launcher;
use subscribers::Subscribers;

/// The build id: a supervisor of another build is replaced as soon as it is idle.
pub(crate) const BUILD: &str = env!("CARGO_PKG_VERSION");

/// How often a request is retried over a new connection when the supervisor dies meanwhile.
const MAX_TRIES: u32 = 4;

/// An error of the supervisor.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SupervisorError {
    /// This command can't be started; nothing runs. The sentence says why: no such program, not executable, no such folder.
    #[error("{0}")]
    Start(String),
    /// The request is too large for a frame, or invalid.
    #[error("{0}")]
    Refused(String),
    /// The helper can't be started or doesn't reply.
    #[error("the supervisor can't be reached: {0}")]
    Unreachable(String),
    /// A supervisor of another version is busy with commands and speaks other frames.
    #[error("a supervisor of another version ({0}) still runs commands; it is replaced when they have ended")]
    Version(String),
}

/// The settings with which a supervisor is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long it stays without running attempts and clients; whole seconds.
    pub linger: Duration,
    /// How it contains process trees.
    pub trees: Trees,
}

impl Default for Settings {
    fn default() -> Self {
        Self { linger: Duration::from_secs(60), trees: Trees::Auto }
    }
}

/// A connection to the supervisor of a home: cheap to clone.
#[derive(Clone, Debug)]
pub struct Supervisor {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    launcher: Launcher,
    link: Mutex<Option<Arc<Connection>>>,
    subscribers: Arc<Subscribers>,
    /// The last greeting.
    greeting: std::sync::Mutex<Option<Greeting>>,
    /// The banner for people.
    banner: watch::Sender<Option<String>>,
    /// Whether no supervisor may be started any more.
    abandoned: AtomicBool,
}

impl Supervisor {
    /// Returns the supervisor of this home; `helper` is the executable with the command `supervisor`. It is started
    /// with the first request.
    #[must_use]
    pub fn new(home: &Home, helper: &Path) -> Self {
        Self::with(home, helper, Settings::default())
    }

    /// Returns the same with other settings, which apply when the supervisor is started.
    #[must_use]
    pub fn with(home: &Home, helper: &Path, settings: Settings) -> Self {
        let launcher = Launcher {
            folder: home.supervisor(),
            socket: home.supervisor_socket.clone(),
            helper: helper.to_owned(),
            settings,
        };
        let inner = Inner {
            launcher,
            link: Mutex::default(),
            subscribers: Arc::default(),
            greeting: Default::default(),
            banner: watch::Sender::default(),
            abandoned: AtomicBool::new(false),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Returns its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.inner.launcher.folder
    }

    /// Starts a command; for a known id it returns the present state. Survives a supervisor that dies meanwhile: the
    /// attempt is then either started once, or reported as [`Stage::Lost`].
    ///
    /// # Errors
    /// See [`SupervisorError`]; with [`SupervisorError::Start`] it is certain that nothing was started.
    pub async fn start(&self, spec: &StartSpec) -> Result<Started, SupervisorError> {
        self.inner.subscribers.state_requested(spec.id);
        self.replace_when_idle().await?;
        let reply = self.ask(|request| Request::Start { request, spec: Box::new(spec.clone()) }).await?;
        match reply {
            Reply::Started { known, state, .. } => Ok(Started { known, state }),
            Reply::NotStarted { why, .. } => Err(SupervisorError::Start(why)),
            _ => Err(unfit()),
        }
    }

    /// Returns the state of an attempt; `None` if it was never started or is forgotten. An attempt of an earlier boot whose record
    /// a power cut took with it is `None` too: compare [`super::record::boot_id`] with that of the commit where it matters.
    ///
    /// # Errors
    /// See [`SupervisorError`].
    pub async fn state(&self, id: AttemptId) -> Result<Option<AttemptState>, SupervisorError> {
        match self.ask(|request| Request::State { request, id }).await? {
            Reply::Attempts { states, .. } => Ok(states.first().copied()),
            _ => Err(unfit()),
        }
    }

    /// Returns the secrets with which an attempt was started; none if its supervisor died meanwhile.
    ///
    /// # Errors
    /// See [`SupervisorError`].
    pub async fn secrets(&self, id: AttemptId) -> Result<Secrets, SupervisorError> {
        match self.ask(|request| Request::Secrets { request, id }).await? {
            Reply::Secrets { secrets, .. } => Ok(secrets),
            _ => Err(unfit()),
        }
    }

    /// Returns all attempts that are not forgotten, by id.
    ///
    /// # Errors
    /// See [`SupervisorError`].
    pub async fn list(&self) -> Result<Vec<AttemptState>, SupervisorError> {
        match self.ask(|request| Request::List { request }).await? {
            Reply::Attempts { states, .. } => Ok(states),
            _ => Err(unfit()),
        }
    }

    /// Ends an attempt: TERM to its whole tree, `grace`, then KILL until no process remains. Returns when that has
    /// begun (`false`: there is no such running attempt); [`AttemptEvent::Ended`], with `Exit::stopped`, reports its
    /// end. A second call with a shorter grace shortens it.
    ///
    /// # Errors
    /// See [`SupervisorError`].
    pub async fn stop(&self, id: AttemptId, grace: Duration) -> Result<bool, SupervisorError> {
        self.done(|request| Request::Stop { request, id, grace }).await
    }

    /// Drops the record of an ended or lost attempt (`false`: unknown or still running). Its folder stays.
    ///
    /// # Errors
    /// See [`SupervisorError`].
    pub async fn forget(&self, id: AttemptId) -> Result<bool, SupervisorError> {
        self.done(|request| Request::Forget { request, id }).await
    }

    /// Subscribes to the events of an attempt from now on. Subscribe before [`Supervisor::start`] and nothing is
    /// missed; subscribing to an attempt that is running or has ended (adoption) brings its present state as the first
    /// event.
    #[must_use]
    pub fn subscribe(&self, id: AttemptId) -> Subscription {
        Subscription::new(self.clone(), id)
    }

    /// Asks the supervisor to end if it has no running attempts; doesn't start one for that. Returns whether none is
    /// running any more.
    ///
    /// # Errors
    /// See [`SupervisorError`].
    pub async fn shutdown_if_idle(&self) -> Result<bool, SupervisorError> {
        let mut link = self.inner.link.lock().await;
        let connection = match link.clone().filter(|connection| !connection.is_closed()) {
            Some(connection) => connection,
            None => {
                let found =
                    Connection::to(&self.inner.launcher.socket, Arc::clone(&self.inner.subscribers)).await;
                let Ok((connection, _)) = found else { return Ok(true) };
                connection
            }
        };
        let gone = connection.shut_down().await;
        *link = (!gone).then_some(connection);
        Ok(gone)
    }

    /// Ends the supervisor, which kills everything that it runs, and starts no other: its folder is gone. Returns when no
    /// process is left.
    pub async fn abandon(&self) {
        self.inner.abandoned.store(true, Ordering::Relaxed);
        let link = self.inner.link.lock().await.take();
        let Some(connection) = link.filter(|connection| !connection.is_closed()) else { return };
        let pid = self.pid().and_then(|pid| rustix::process::Pid::from_raw(pid.cast_signed()));
        if let Some(pid) = pid {
            // Fails only if it has just ended.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        connection.closed().wait().await;
    }

    /// Returns the banner for people: a supervisor of another version continues because it is busy.
    #[must_use]
    pub fn banner(&self) -> watch::Receiver<Option<String>> {
        self.inner.banner.subscribe()
    }

    /// Returns how it contains process trees: `cgroup` or `session`; `None` before the first connection.
    #[must_use]
    pub fn trees(&self) -> Option<&'static str> {
        self.greeting().map(|greeting| Containment::name(greeting.trees))
    }

    /// Returns the process id of the supervisor; `None` before the first connection.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.greeting().map(|greeting| greeting.pid)
    }

    fn greeting(&self) -> Option<Greeting> {
        self.inner.greeting.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// Replaces a supervisor of another build that was busy before and may be idle now.
    async fn replace_when_idle(&self) -> Result<(), SupervisorError> {
        if self.inner.banner.borrow().is_some() {
            self.shutdown_if_idle().await?;
        }
        Ok(())
    }

    async fn done(&self, request: impl Fn(u32) -> Request) -> Result<bool, SupervisorError> {
        match self.ask(request).await? {
            Reply::Done { yes, .. } => Ok(yes),
            _ => Err(unfit()),
        }
    }

    /// Sends a request, and again if the connection breaks: every request may be repeated.
    async fn ask(&self, request: impl Fn(u32) -> Request) -> Result<Reply, SupervisorError> {
        for _ in 0..MAX_TRIES {
            let connection = self.connection().await?;
            match connection.ask(&request).await {
                Ok(reply) => return Ok(reply),
                Err(NoReply::TooLong) => {
                    return Err(SupervisorError::Refused(
                        "the command's arguments and environment are over 4 MiB; pass large values as files"
                            .into(),
                    ));
                }
                Err(NoReply::Disconnected) => {}
            }
        }
        Err(SupervisorError::Unreachable("it keeps ending before it replies".into()))
    }

    /// Returns the open connection, or a new one, to a new supervisor if there is none.
    async fn connection(&self) -> Result<Arc<Connection>, SupervisorError> {
        let mut link = self.inner.link.lock().await;
        if let Some(connection) = link.as_ref().filter(|connection| !connection.is_closed()) {
            return Ok(Arc::clone(connection));
        }
        *link = None;
        if self.inner.abandoned.load(Ordering::Relaxed) {
            return Err(SupervisorError::Unreachable("its folder was removed".into()));
        }
        let (connection, greeting) = self.inner.launcher.connect(&self.inner.subscribers).await?;
        self.inner.banner.send_replace(banner(&greeting.build));
        *self.inner.greeting.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(greeting);
        self.watch(&connection);
        *link = Some(Arc::clone(&connection));
        Ok(connection)
    }

    /// Reconnects when this connection breaks while there are subscribers; they get the state of their attempts then: a new
    /// supervisor listens only when the processes of the old one are gone.
    fn watch(&self, connection: &Arc<Connection>) {
        let inner = Arc::downgrade(&self.inner);
        let mut closed = connection.closed();
        tokio::spawn(async move {
            closed.wait().await;
            let mut pause = Duration::from_millis(100);
            while let Some(inner) = inner.upgrade().filter(|inner| inner.subscribers.is_awaited()) {
                // The reply reaches the subscribers by itself.
                match (Self { inner }).list().await {
                    Ok(_) => return,
                    Err(error) => tracing::warn!(%error, "the supervisor died and can't be replaced yet"),
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(5));
            }
        });
    }
}

fn banner(build: &str) -> Option<String> {
    (build != BUILD).then(|| {
        format!("a supervisor of version {build} still runs commands; it is replaced by {BUILD} when they have ended")
    })
}

fn unfit() -> SupervisorError {
    SupervisorError::Unreachable("its reply does not fit the request".into())
}

#[cfg(test)]
mod tests;
