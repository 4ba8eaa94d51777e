//! `config.toml`, typed.

#[cfg(feature = "llm")]
mod default_models;
pub(crate) mod engine;
mod file;
mod host;
mod mcp;
mod provider;
mod prune;

#[cfg(feature = "llm")]
pub(crate) use default_models::Purpose;
pub(crate) use engine::ENGINE_PREFIX;
pub use engine::{EngineKind, EngineSettings, RaySettings, Stage, TokenSource};
pub use file::ConfigError;
pub use host::HostSettings;
pub use mcp::McpSettings;
pub(crate) use provider::POOL_PREFIX;
pub use provider::{KeySource, Price, ProviderKind, ProviderSettings, Structured};
pub use prune::PruneSettings;

use fanlight_shared::on_end::OnEnd;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use fanlight_shared::home::Home;

use crate::machine::ResourceSettings;
use crate::secret::{SecretFile, SecretSettings};

/// The configuration, including defaults.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The file, for messages; it need not exist.
    pub path: PathBuf,
    /// How many runs may run at once: max(8, cores); `FANLIGHT_MAX_CONCURRENT_RUNS` wins over the file.
    pub max_concurrent_runs: u32,
    /// Whether that comes from the environment, and so overrides what `queue.set` stored.
    pub cap_is_forced: bool,
    /// Attempts at once by pool: `process` (2 × cores), `cpu` (cores), and the user's own.
    pub pools: BTreeMap<String, u32>,
    /// What attempts may use of the machine.
    pub resources: ResourceSettings,
    /// How many of a workflow's newest ended runs keep their other values.
    pub keep_values: u32,
    /// The most bytes of results that are kept for later nodes.
    pub cache_bytes: u64,
    /// How long an automatically started daemon stays up without runs and clients.
    pub linger: Duration,
    /// The time between TERM and KILL for a cancelled command.
    pub grace: Duration,
    /// Folders that `file.write` may write below, besides the workflow's own.
    pub writable: Vec<PathBuf>,
    /// Names of environment variables that commands get from the daemon, besides the default ones.
    pub pass_env: Vec<String>,
    /// The network addresses that nodes may reach.
    pub http: HttpSettings,
    /// Where the values of secrets come from.
    pub secrets: SecretSettings,
    /// The providers of language models, by name: those of the file and those that are known by name alone.
    pub providers: BTreeMap<String, ProviderSettings>,
    /// The MCP servers, by name.
    pub mcp: BTreeMap<String, McpSettings>,
    /// When the daemon prunes runs by itself.
    pub prune: Option<PruneSettings>,
    /// What to do when a run or a sweep has ended.
    pub on_end: Vec<OnEnd>,
    /// Homes on other computers, by name.
    pub hosts: BTreeMap<String, HostSettings>,
    /// The engines that commands may run on, by name.
    pub engines: BTreeMap<String, EngineSettings>,
}

/// The part of the configuration that is about HTTP.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpSettings {
    /// Names and addresses that are allowed whatever they are, such as `localhost` or `10.0.0.5`.
    pub allow: Vec<String>,
    /// Certificates that are trusted besides those of the system, as PEM.
    pub ca_file: Option<PathBuf>,
}

impl Config {
    /// Loads the configuration of a home: from its file (defaults if there is none) and from
    /// `FANLIGHT_MAX_CONCURRENT_RUNS`.
    ///
    /// # Errors
    /// The file can't be read, or it has a line that isn't TOML, an unknown key, or an invalid value.
    pub fn load(home: &Home) -> Result<Self, ConfigError> {
        let path = &home.config_file();
        let mut config = match std::fs::read_to_string(path) {
            Ok(text) => file::parse(path, &text)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::default(),
            Err(error) => {
                return Err(ConfigError::Unreadable { path: path.to_owned(), reason: error.to_string() });
            }
        };
        if let Some(text) = std::env::var_os("FANLIGHT_MAX_CONCURRENT_RUNS").filter(|it| !it.is_empty()) {
            config.max_concurrent_runs = file::cap(&text.to_string_lossy())?;
            config.cap_is_forced = true;
        }
        config.path.clone_from(path);
        config.secrets.file = SecretFile::at(home.secrets_file());
        Ok(config)
    }

    /// Returns the sizes of all pools: those of the file, one for each provider that has a limit, and one for each engine.
    #[must_use]
    pub fn pool_sizes(&self) -> BTreeMap<String, u32> {
        let mut sizes = self.pools.clone();
        for (name, provider) in &self.providers {
            let limited = provider.concurrent.is_some() || provider.requests_per_minute.is_some();
            if limited {
                sizes.insert(format!("{POOL_PREFIX}{name}"), provider.concurrent.unwrap_or(u32::MAX));
            }
        }
        let engines = self.engines.iter();
        sizes.extend(engines.map(|(name, engine)| (format!("{ENGINE_PREFIX}{name}"), engine.max_in_flight)));
        sizes
    }

    /// Returns the name of the secret that is the key of the provider of this pool.
    pub(crate) fn key_secret(&self, pool: &str) -> Option<&str> {
        match &self.providers.get(pool.strip_prefix(POOL_PREFIX)?)?.key {
            Some(KeySource::Secret(name)) => Some(name),
            Some(KeySource::Variable(_)) | None => None,
        }
    }

    /// Returns the error for an undeclared pool, with how to declare it.
    #[must_use]
    pub fn unknown_pool(&self, pool: &str) -> String {
        let near = fanlight_shared::problem::near(pool, self.pools.keys().map(String::as_str));
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("declare it there: `[pools]` and below it `{pool} = 1`"),
        };
        format!("{} does not declare the pool `{pool}`; {hint}", self.path.display())
    }
}

impl Default for Config {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, |it| it.get() as u32);
        Self {
            path: PathBuf::from("config.toml"),
            max_concurrent_runs: cores.max(8),
            cap_is_forced: false,
            pools: BTreeMap::from([("cpu".to_owned(), cores), ("process".to_owned(), 2 * cores)]),
            resources: ResourceSettings::default(),
            keep_values: 10,
            cache_bytes: 4 << 30,
            linger: Duration::from_secs(600),
            grace: Duration::from_secs(5),
            writable: Vec::new(),
            pass_env: Vec::new(),
            http: HttpSettings::default(),
            secrets: SecretSettings::default(),
            providers: provider::built_in(),
            mcp: BTreeMap::new(),
            prune: None,
            on_end: Vec::new(),
            hosts: BTreeMap::new(),
            engines: BTreeMap::new(),
        }
    }
}
