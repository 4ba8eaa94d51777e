//! The daemon crate inside this executable: the only module that uses it, besides the helpers in `main.rs`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use fanlight_daemon::config::Config;
pub(crate) use fanlight_daemon::config::HostSettings;
use fanlight_daemon::lock::Lock;
pub(crate) use fanlight_daemon::node_type::ContactSheet;
pub(crate) use fanlight_daemon::plugin::{
    Check, ManifestFile, TrialSettings, Verdict, check_name as check_plugin_name, trial,
};
pub(crate) use fanlight_daemon::secret::{
    SecretFileError, SecretSettings, Source, check_name as check_secret_name, keyring_store,
};
use fanlight_daemon::store::Store;
use fanlight_shared::expression::{Reference, Root};
use fanlight_shared::home::Home;
use fanlight_shared::media::DirManifest;
use fanlight_shared::node_type::Catalogue;
use fanlight_shared::problem::Problem;
use fanlight_shared::rpc::daemon::DoctorResponse;
use fanlight_shared::workflow::Workflow;
use tracing_subscriber::EnvFilter;

use crate::failure::Failure;

/// Returns the node types that a daemon of this version knows: those that are compiled in, and those of the plugins of the
/// home.
pub(crate) fn catalogue() -> Catalogue {
    let types = fanlight_daemon::node_type::NodeTypes::built_in();
    if let Ok(home) = Home::from_env() {
        for node_type in fanlight_daemon::plugin::recorded_types(&home) {
            // A daemon leaves out what does not fit too.
            let _ = types.add([node_type]);
        }
    }
    types.now().catalogue().clone()
}

/// Returns how a plugin is tried in this home, with a folder for what is needed meanwhile.
pub(crate) fn trial_settings(home: &Home, scratch: &Path, limit: Duration) -> Result<TrialSettings, Failure> {
    let config = Config::load(home).map_err(|error| Failure::failed(error.to_string()))?;
    let (scratch, grace, pass_env) = (scratch.to_owned(), config.grace, config.pass_env);
    Ok(TrialSettings { scratch, helper: this_program()?, grace, limit, pass_env })
}

fn this_program() -> Result<PathBuf, Failure> {
    std::env::current_exe()
        .map_err(|error| Failure::failed(format!("this program can't find itself: {error}")))
}

/// Returns the sources of the secrets of a home.
pub(crate) fn secrets(home: &Home) -> Result<SecretSettings, Failure> {
    let config = Config::load(home).map_err(|error| Failure::failed(error.to_string()))?;
    Ok(config.secrets)
}

/// Returns the manifest of a folder whose files are to be sent. Blocks.
pub(crate) fn folder_manifest(path: &Path) -> Result<DirManifest, String> {
    fanlight_daemon::media::manifest(path)
}

/// Returns what the config of a home says about a home on another computer.
pub(crate) fn host(home: &Home, name: &str) -> Result<Option<HostSettings>, Failure> {
    let config = Config::load(home).map_err(|error| Failure::failed(error.to_string()))?;
    Ok(config.hosts.get(name).cloned())
}

/// Returns a warning for each secret of a workflow that the file of secrets of this home lacks. Whether other sources have
/// it is known to the daemon only.
pub(crate) fn missing_secrets(home: &Home, workflow: &Workflow) -> Vec<Problem> {
    let expressions = workflow.nodes.values().flat_map(|node| node.expressions());
    let references = expressions.flat_map(|(_, expression)| expression.references());
    let named: Vec<_> = references.filter(|it| it.root == Root::Secrets).collect();
    if named.is_empty() {
        return Vec::new();
    }
    let Ok(settings) = secrets(home) else { return Vec::new() };
    let missing = |reference: &Reference| {
        let name = reference.port.as_deref()?;
        if settings.sources.get(name).is_some_and(|source| *source != Source::File) {
            return None;
        }
        let why = settings.check(name).err()?;
        Some(Problem::warning("unknown_secret", reference.span, why))
    };
    named.into_iter().filter_map(missing).collect()
}

/// Runs the daemon of a home. `detached` starts a new session and logs to the home's log file; otherwise it logs to
/// stderr.
pub(crate) async fn run_daemon(home: &Home, detached: bool, when_idle: bool) -> Result<(), Failure> {
    if detached {
        // Fails only if this process leads a session already, which is fine.
        let _ = rustix::process::setsid();
        fanlight_daemon::run::log_to_file(home).map_err(|error| Failure::failed(error.to_string()))?;
    } else {
        log_to_stderr()?;
    }
    let helper = this_program()?;
    fanlight_daemon::run::live(home.clone(), &helper, when_idle).await.map_err(|error| {
        let code = u8::try_from(error.exit_code()).unwrap_or(1);
        Failure::failed(error.to_string()).with_code(code)
    })
}

fn log_to_stderr() -> Result<(), Failure> {
    let wanted = std::env::var("FANLIGHT_LOG").ok().filter(|it| !it.is_empty());
    let filter = EnvFilter::try_new(wanted.as_deref().unwrap_or("info"))
        .map_err(|error| Failure::usage(format!("FANLIGHT_LOG is not valid: {error}")))?;
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(crate::output::style::Paint::stderr().is_on())
        .with_writer(std::io::stderr)
        // A closed stderr must not stop the daemon.
        .log_internal_errors(false)
        .finish();
    tracing::subscriber::set_global_default(subscriber)
        .map_err(|error| Failure::failed(format!("the log can't be set up: {error}")))
}

/// Returns whether a daemon of this home lives, whatever became of its socket.
pub(crate) fn daemon_lives(home: &Home) -> bool {
    fanlight_daemon::lock::is_held(home)
}

/// Checks the store of a home without a daemon, under the daemon's lock so that none starts meanwhile.
pub(crate) async fn doctor(home: &Home, deep: bool, repair: bool) -> Result<DoctorResponse, Failure> {
    if !home.database().exists() && !home.blobs().exists() {
        let nothing = format!("nothing is kept in {} yet", home.name.display());
        return Ok(DoctorResponse { checked: vec![nothing], problems: Vec::new() });
    }
    let home = home.clone();
    let check = move || -> Result<DoctorResponse, Failure> {
        let _lock = Lock::take(&home).map_err(|error| Failure::failed(error.to_string()))?;
        let store = Store::open(&home).map_err(|error| Failure::failed(error.to_string()))?;
        let answer = fanlight_daemon::doctor::examine(&store, deep, repair).0;
        store.close();
        Ok(answer)
    };
    tokio::task::spawn_blocking(check)
        .await
        .map_err(|error| Failure::failed(format!("the store can't be checked: {error}")))?
}
