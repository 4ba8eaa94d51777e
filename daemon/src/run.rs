//! The life of a daemon: boots everything on a listener and a store, and shuts it down in order.

mod banners;
mod idle;
mod log;
mod release_memory;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fanlight_shared::home::{ALREADY_RUNNING, Home, HomeError};
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

#[cfg(feature = "llm")]
use crate::child::ChildRuns;
use crate::command::{CommandSettings, Commands, Engines, Environment, check_declared};
use crate::config::{Config, ConfigError};
use crate::delivery::{self, Performer};
use crate::engine::{Engine, EngineParts};
use crate::executor::{COMMANDS, ENGINE_PREFIX, Executors, NATIVE, NativeNodes, PLUGINS, WORKERS};
#[cfg(feature = "http")]
use crate::http::Http;
use crate::hub::Hub;
#[cfg(feature = "llm")]
use crate::llm::Providers;
use crate::lock::{Lock, LockError};
#[cfg(feature = "llm")]
use crate::mcp::McpServers;
use crate::node_type::NodeTypes;
use crate::open_files::{self, TooFewFiles};
use crate::own_home::OwnHome;
#[cfg(feature = "llm")]
use crate::plugin::mcp::ConfiguredMcp;
use crate::plugin::{PluginSettings, Plugins};
use crate::prune::Pruning;
use crate::rate::Rates;
use crate::server::{self, Context, ListenError};
use crate::store::{Batch, Op, Store, StoreError};
use crate::supervisor::client::Supervisor;
use crate::transfer;
use crate::worker::Workers;

/// The errors of starting a daemon.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// Its folders.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// Its configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Another daemon runs.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// Its socket.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// Its store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Too few files may be open.
    #[error(transparent)]
    OpenFiles(#[from] TooFewFiles),
    /// The system.
    #[error("the daemon can't run: {0}")]
    System(#[from] std::io::Error),
}

impl RunError {
    /// Returns the exit code of the process, which distinguishes a daemon that lost the race for its home from one that
    /// failed.
    #[must_use]
    pub fn exit_code(&self) -> i32 {
        if matches!(self, Self::Lock(LockError::Held { .. })) { ALREADY_RUNNING } else { 1 }
    }
}

/// How long the engine may take to store everything when the daemon ends. On a full disk it can't, and the next daemon
/// decides again what was not acknowledged.
const COMMIT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long commands may take to end when their home is gone.
const ABANDON_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the store may take to close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// The reasons for a daemon to end.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    /// Shuts it down in order: by a signal, by `daemon.stop`, or by a test.
    pub token: CancellationToken,
    /// Whether to end it also after `linger` of the configuration without runs and clients.
    pub when_idle: bool,
}

/// Runs a daemon on a listener and a store until `shutdown`, or until the store or the engine fails: the next daemon
/// then recovers from what is stored. It also ends, with everything that it runs, when its home is removed or replaced.
/// It ends within a bounded time, whatever the disk does, and removes its socket. `helper` is the executable
/// with the commands `supervisor` and `worker`; `node_types` may change while the daemon runs. Tests also boot the
/// daemon with this function.
///
/// # Errors
/// The store can't be read, or failed; the home is gone.
pub async fn run(
    listener: UnixListener,
    store: Store,
    helper: &Path,
    node_types: NodeTypes,
    config: Config,
    home: Home,
    shutdown: Shutdown,
) -> Result<(), StoreError> {
    let gone = |error| StoreError::Other(format!("the home {} can't be used: {error}", home.name.display()));
    let own_home = Arc::new(OwnHome::of(&home).map_err(gone)?);
    let hub = Arc::new(Hub::default());
    let supervisor = Supervisor::new(&home, helper);
    let sources = banners::Sources::new(supervisor.banner(), &store);
    tokio::spawn(banners::publish(Arc::downgrade(&hub), sources));
    let settings = CommandSettings { grace: config.grace, pass_env: config.pass_env.clone() };
    let commands = Commands::new(supervisor.clone(), store.blobs().clone(), home.attempts(), settings);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    transfer::remove_leftovers(&home);
    let workers = Workers::new(helper, cores, store.blobs().clone(), home.scratch(), home.attempts());
    let (linger, cache_bytes, prune) = (config.linger, config.cache_bytes, config.prune.clone());
    let rates = Rates::new(&config);
    #[cfg(feature = "http")]
    let http = Http::new(config.http.clone());
    #[cfg(feature = "llm")]
    let providers = Providers::new(&config, http.clone(), rates.clone());
    let performer = Performer {
        secrets: config.secrets.clone(),
        #[cfg(feature = "http")]
        http: http.clone(),
        environment: Arc::new(Environment::inherit(std::env::vars_os(), &config.pass_env)),
    };
    // Before anything can end.
    let added = Arc::new(Notify::new());
    let on_end = Op::OnEnd { all: config.on_end.clone().into(), added: Arc::clone(&added) };
    store.write(Batch { ops: vec![on_end], must: true, ..Batch::default() });
    #[cfg(feature = "llm")]
    let child_runs = ChildRuns::default();
    let native = NativeNodes {
        blobs: store.blobs().clone(),
        writable: config.writable.clone(),
        attempts: home.attempts(),
        #[cfg(feature = "http")]
        http: http.clone(),
        #[cfg(feature = "llm")]
        providers: providers.clone(),
        #[cfg(feature = "llm")]
        mcp: McpServers::new(ConfiguredMcp::new(&config, helper, http.clone())),
        #[cfg(feature = "llm")]
        child_runs: child_runs.clone(),
        #[cfg(feature = "llm")]
        checker: Arc::new(workers.clone()),
    };
    let settings = PluginSettings::of(&home, helper, config.grace, &config.pass_env);
    let (known, blobs) = (node_types.clone(), store.blobs().clone());
    let plugins = tokio::task::spawn_blocking(move || Plugins::load(settings, known, blobs))
        .await
        .map_err(|error| StoreError::Other(format!("the plugins can't be loaded: {error}")))?;
    let (attempts, engines) = (home.attempts(), config.engines.clone());
    tokio::task::spawn_blocking(move || {
        check_declared(&attempts, |name, via| {
            engines.get(name).is_some_and(|engine| engine.via.as_deref() == via)
        })
    })
    .await
    .map_err(|error| StoreError::Other(format!("the attempts can't be read: {error}")))?
    .map_err(StoreError::Other)?;
    let mut executors = Executors::default();
    // First: they remove what they have of an attempt before its folder goes.
    let config = Arc::new(config);
    let engines = Engines::new(
        &config,
        &commands,
        &home,
        #[cfg(feature = "http")]
        &http,
    );
    for (name, engine) in engines.all() {
        executors = executors.with(&format!("{ENGINE_PREFIX}{name}"), Arc::new(engine.clone()));
    }
    let executors = executors
        .with(COMMANDS, Arc::new(commands))
        .with(WORKERS, Arc::new(workers.clone()))
        .with(NATIVE, Arc::new(native))
        .with(PLUGINS, Arc::new(plugins.clone()));
    let engine = Engine::boot(EngineParts {
        store: store.clone(),
        hub: Arc::clone(&hub),
        executors: executors.clone(),
        #[cfg(feature = "llm")]
        child_runs,
        node_types: node_types.clone(),
        previewer: Arc::new(workers.clone()),
        rates,
        config,
    })
    .await?;
    // The hub learns of recovered runs after their commit, and a client that asks before would get none. An error, as
    // on a full disk, is no reason to wait.
    let _ = store.commit(Vec::new()).await;

    let pruning = Pruning { store: store.clone(), hub: Arc::clone(&hub), executors: executors.clone() };
    let pruning = prune.map(|settings| tokio::spawn(pruning.run(settings)));
    let (clients, clients_seen) = tokio::sync::watch::channel(0);
    let context = Arc::new(Context {
        queued: Arc::default(),
        engine: engine.clone(),
        store: store.clone(),
        executors,
        node_types,
        supervisor: supervisor.clone(),
        plugins,
        engines,
        #[cfg(feature = "llm")]
        providers,
        workers,
        hub: Arc::clone(&hub),
        home,
        own_home: Arc::clone(&own_home),
        clients,
        cache_bytes,
        shutdown: shutdown.token.clone(),
    });
    let stop_delivering = CancellationToken::new();
    let delivering =
        tokio::spawn(delivery::deliver(store.clone(), performer, added, stop_delivering.clone()));
    let releasing = release_memory::release_memory(
        engine.activity(),
        clients_seen.clone(),
        Arc::clone(&hub),
        store.clone(),
    );
    let releasing = tokio::spawn(releasing);
    let stop_serving = CancellationToken::new();
    let serving = tokio::spawn(server::serve(listener, context, stop_serving.clone()));
    let mut failure = store.failure();
    let (reason, ended) = tokio::select! {
        // A home that is gone is also why a store fails, so it is looked at first.
        biased;
        why = own_home.gone() => {
            // Nothing that is stored from now on could be read again, so nothing more is acknowledged.
            store.fail(&why);
            own_home.remove_socket();
            if tokio::time::timeout(ABANDON_TIMEOUT, supervisor.abandon()).await.is_err() {
                tracing::error!("some commands are still running");
            }
            (why.clone(), Err(why))
        }
        () = shutdown.token.cancelled() => ("the daemon was stopped".to_owned(), Ok(())),
        () = idle::idle(engine.activity(), clients_seen, linger), if shutdown.when_idle => {
            ("there was nothing left to do".to_owned(), Ok(()))
        }
        why = failed(&mut failure) => (format!("the daemon ends to recover from what is stored: {why}"), Err(why)),
    };
    tracing::info!(reason, "the daemon ends");
    releasing.abort();
    pruning.iter().for_each(tokio::task::JoinHandle::abort);
    stop_delivering.cancel();
    let _ = delivering.await;
    if tokio::time::timeout(COMMIT_TIMEOUT, engine.stop()).await.is_err() {
        tracing::warn!("the last decisions could not be stored; the next daemon takes them again");
    }
    hub.bye(&reason, own_home.is_gone());
    stop_serving.cancel();
    if let Err(error) = serving.await {
        tracing::error!(%error, "the server failed");
    }
    let closing = tokio::task::spawn_blocking(move || store.close());
    if tokio::time::timeout(CLOSE_TIMEOUT, closing).await.is_err() {
        tracing::warn!("the store did not close in time; the next daemon recovers it");
    }
    if !own_home.is_gone() {
        own_home.remove_socket();
    }
    ended.map_err(StoreError::Other)
}

/// Waits until the store or the engine has failed, and returns the reason.
async fn failed(failure: &mut tokio::sync::watch::Receiver<Option<String>>) -> String {
    if failure.wait_for(Option::is_some).await.is_err() {
        // The store was closed in order.
        return std::future::pending().await;
    }
    failure.borrow().clone().unwrap_or_default()
}

/// Runs the daemon of a home from start to end: folders, lock, configuration, store, socket, signals.
///
/// # Errors
/// See [`RunError`].
pub async fn live(home: Home, helper: &Path, when_idle: bool) -> Result<(), RunError> {
    open_files::raise()?;
    home.make()?;
    let lock = Lock::take(&home)?;
    let config = Config::load(&home)?;
    let opened = home.clone();
    let store = tokio::task::spawn_blocking(move || Store::open(&opened))
        .await
        .map_err(|error| StoreError::Other(format!("the store can't be opened: {error}")))??;
    let listener = server::listen(&home, &lock)?;
    let shutdown = Shutdown { token: CancellationToken::new(), when_idle };
    let signals = end_on_signals(shutdown.token.clone())?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        pid = std::process::id(),
        home = %home.name.display(),
        socket = %home.socket.display(),
        "the daemon starts"
    );
    let ended = run(listener, store, helper, NodeTypes::built_in(), config, home.clone(), shutdown).await;
    signals.abort();
    Ok(ended?)
}

/// Shuts the daemon down in order on TERM and INT.
fn end_on_signals(token: CancellationToken) -> std::io::Result<tokio::task::AbortHandle> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let waiting = tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        token.cancel();
    });
    Ok(waiting.abort_handle())
}

/// Sends the daemon's log to the log file of its home, which is bounded in size, at the level of `FANLIGHT_LOG` (`info`
/// by default).
///
/// # Errors
/// The file can't be opened.
pub fn log_to_file(home: &Home) -> Result<(), RunError> {
    use tracing_subscriber::EnvFilter;
    let log = log::Log::open(home)
        .map_err(|error| HomeError::Folder { path: home.log_file(), reason: error.to_string() })?;
    let filter = std::env::var("FANLIGHT_LOG").ok().filter(|it| !it.is_empty());
    let filter = EnvFilter::try_new(filter.as_deref().unwrap_or("info"))
        .map_err(|error| std::io::Error::other(format!("FANLIGHT_LOG is not valid: {error}")))?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(log)
        // Lines that can't be written are dropped; reporting that on stderr could fail too.
        .log_internal_errors(false)
        .finish();
    // A second daemon in one process (tests) keeps the first one's log.
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(())
}
