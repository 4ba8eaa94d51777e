//! Plugins: node types that programs in other languages provide.
//!
//! A plugin is a folder with a [`manifest`](ManifestFile) and a program. The user adds it; what it described then is its
//! `record` in the folder of the configuration, from which the node types are made when a daemon starts, without running
//! it. Its processes start when an attempt needs one, and are kept for further ones (`processes`). Each is held by a
//! `guard`, so that it ends with the daemon. The `message`s of the protocol are lines of JSON on descriptors of their
//! own; `docs/plugins.md` describes them.

mod channel;
mod describe;
mod execution;
mod fetched;
mod guard;
mod launch;
mod manifest;
#[cfg(feature = "llm")]
pub(crate) mod mcp;
mod message;
mod notifications;
mod pace;
mod printed;
mod process;
mod processes;
mod record;
mod trial;
mod values;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fanlight_shared::home::Home;
use fanlight_shared::id::AttemptId;
use fanlight_shared::problem::near;
use fanlight_shared::rpc::plugins::{Origin, Plugin};
use fanlight_shared::sanitise;
use fanlight_shared::value::cut;
use futures_util::future::BoxFuture;

use crate::attempt::{Attempt, Outcome};
use crate::command::Environment;
use crate::executor::{Capabilities, Execution, Executor, Task, Work, misplaced};
use crate::node_type::{NodeType, NodeTypes};
use crate::rooted::remove_tree;
use crate::secret::Secrets;
use crate::services::SCRATCH;
use crate::store::blob::Blobs;
use channel::Channel;
use launch::Launch;
use process::{End, Failure, Process};
use processes::Processes;
use record::Record;

pub use guard::guard;
pub use manifest::{Example, Manifest, ManifestFile, check_name};
pub use trial::{Check, TrialSettings, Verdict, trial};

/// The version of the protocol.
pub const PROTOCOL: u32 = 1;

/// The plugins of a daemon: cheap to clone.
#[derive(Clone)]
pub struct Plugins {
    inner: Arc<Inner>,
}

struct Inner {
    settings: PluginSettings,
    environment: Arc<Vec<(OsString, OsString)>>,
    node_types: NodeTypes,
    blobs: Blobs,
    by_name: Mutex<BTreeMap<String, Known>>,
    /// One plugin is added or removed at a time.
    changing: tokio::sync::Mutex<()>,
}

/// Where plugins are, and how they run.
#[derive(Clone, Debug)]
pub struct PluginSettings {
    /// The folder of the records.
    pub records: PathBuf,
    /// The folder of plugins that were fetched.
    pub fetched: PathBuf,
    /// The folder of the folders of attempts.
    pub attempts: PathBuf,
    /// The executable with the command `plugin-guard`.
    pub helper: PathBuf,
    /// How long a cancelled attempt may take to end.
    pub grace: Duration,
    /// Names of environment variables that plugins get from the daemon, besides the default ones.
    pub pass_env: Vec<String>,
}

impl PluginSettings {
    /// Returns the settings of a home.
    #[must_use]
    pub fn of(home: &Home, helper: &Path, grace: Duration, pass_env: &[String]) -> Self {
        let (helper, pass_env) = (helper.to_owned(), pass_env.to_owned());
        Self {
            records: home.plugins(),
            fetched: home.fetched_plugins(),
            attempts: home.attempts(),
            helper,
            grace,
            pass_env,
        }
    }
}

/// A plugin that was added.
enum Known {
    Usable(Arc<Processes>),
    /// Its record can't be used, for this reason.
    Broken(String),
}

/// Returns the node types of the plugins that were added to a home, as far as their records can be read. Blocks.
#[must_use]
pub fn recorded_types(home: &Home) -> Vec<NodeType> {
    let records = record::load(&home.plugins()).by_name.into_iter().filter_map(|(_, record)| record.ok());
    records.filter_map(|it| it.described.node_types(&it.manifest).ok()).flatten().collect()
}

impl Plugins {
    /// Returns the plugins of a home, and adds their node types. Blocks.
    #[must_use]
    pub fn load(settings: PluginSettings, node_types: NodeTypes, blobs: Blobs) -> Self {
        let environment = environment(&settings.pass_env);
        let records = record::load(&settings.records);
        if let Some(error) = records.unlisted.as_ref().filter(|it| it.kind() != io::ErrorKind::NotFound) {
            tracing::warn!(%error, folder = %settings.records.display(), "the plugins could not be listed");
        }
        fetched::remove(fetched::unused(&settings.fetched, &records));
        let plugins = Self {
            inner: Arc::new(Inner {
                settings,
                environment,
                node_types,
                blobs,
                by_name: Mutex::default(),
                changing: tokio::sync::Mutex::default(),
            }),
        };
        for (name, record) in records.by_name {
            let known = record.and_then(|record| {
                plugins.inner.node_types.add(record.described.node_types(&record.manifest)?)?;
                Ok(plugins.processes(record))
            });
            let known = known.map_or_else(Known::Broken, Known::Usable);
            if let Known::Broken(why) = &known {
                tracing::warn!("the plugin {name} can't be used: {why}");
            }
            plugins.known().insert(name, known);
        }
        plugins
    }

    /// Locks it. Each change leaves it whole.
    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Known>> {
        self.inner.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn processes(&self, record: Record) -> Arc<Processes> {
        let launch = self.launch(&record.folder, &record.manifest);
        Processes::new(record, launch, self.inner.settings.grace)
    }

    fn launch(&self, folder: &Path, manifest: &Manifest) -> Launch {
        Launch {
            helper: self.inner.settings.helper.clone(),
            folder: folder.to_owned(),
            command: manifest.command.clone(),
            environment: Arc::clone(&self.inner.environment),
            channel: Channel::Own,
        }
    }

    /// Returns the plugins that were added, by name.
    pub async fn list(&self) -> Vec<Plugin> {
        let rows = self.known().iter().map(|(name, known)| row(name, known)).collect();
        let check = move || {
            let mut rows: Vec<(Plugin, Option<String>)> = rows;
            for (row, hash) in &mut rows {
                let Some(hash) = hash else { continue };
                row.problem = match ManifestFile::read(Path::new(&row.folder)) {
                    Ok(file) if file.hash == *hash => None,
                    Ok(_) => Some(changed(&row.folder)),
                    Err(why) => Some(why),
                };
            }
            rows.into_iter().map(|(row, _)| row).collect()
        };
        tokio::task::spawn_blocking(check).await.unwrap_or_default()
    }

    /// Adds the plugin in a folder, in place of the one of its name. `agreed` is the hash of the manifest that the user
    /// agreed to, and `origin` the repository from which the folder was fetched.
    ///
    /// # Errors
    /// A sentence: its manifest is wrong or another one, it does not start, it describes types that can't be used.
    pub async fn add(&self, folder: &Path, agreed: &str, origin: Option<Origin>) -> Result<Plugin, String> {
        origin.as_ref().map_or(Ok(()), fetched::check)?;
        let _changing = self.inner.changing.lock().await;
        let path = folder.to_owned();
        let reading = tokio::task::spawn_blocking(move || ManifestFile::read(&path));
        let file = reading.await.map_err(|error| error.to_string())??;
        if file.hash != agreed {
            return Err("its plugin.toml changed meanwhile; add it again".into());
        }
        let name = file.manifest.name.clone();
        let wrong = |why: String| format!("the plugin `{name}` can't be added: {why}");
        let process = Process::start(&self.launch(&file.folder, &file.manifest), Secrets::default());
        let process = process.map_err(wrong)?;
        let described =
            processes::describe(&process, &file.manifest).await.map_err(|failure| match failure {
                Failure::Refused(why) | Failure::Over(End::Fault(why) | End::Outside(why)) => wrong(why),
                Failure::Cancelled => wrong("it was cancelled".into()),
            })?;
        process.stop(self.inner.settings.grace).await;
        let types = described.node_types(&file.manifest).map_err(wrong)?;
        let record = Record::new(file, described, origin);
        let former = match self.known().get(&name) {
            Some(Known::Usable(processes)) => Some(processes.record.clone()),
            Some(Known::Broken(_)) | None => None,
        };
        let old = former.as_ref().map(|record| record.described.names()).unwrap_or_default();
        let family = format!("{name}.");
        let catalogue = self.inner.node_types.now();
        let taken = |it: &&String| it.starts_with(&family) && !old.contains(it);
        if let Some(taken) = catalogue.catalogue().0.keys().find(taken) {
            return Err(wrong(format!(
                "its name is the family of the node type `{taken}`; rename the plugin"
            )));
        }
        // Recorded first: what runs use is known to the next daemon.
        self.record(record.clone()).await.map_err(wrong)?;
        if let Err(why) = self.inner.node_types.replace(&old, types) {
            match former {
                Some(former) => self.record(former).await.map_err(wrong)?,
                None => self.forget(&name).await.map_err(wrong)?,
            }
            return Err(wrong(why));
        }
        let processes = self.processes(record);
        let before = self.known().insert(name.clone(), Known::Usable(Arc::clone(&processes)));
        if let Some(Known::Usable(before)) = before {
            before.remove().await;
        }
        Ok(row(&name, &Known::Usable(processes)).0)
    }

    /// Removes a plugin.
    ///
    /// # Errors
    /// A sentence: there is none of this name, or its record can't be removed.
    pub async fn remove(&self, name: &str) -> Result<(), String> {
        let _changing = self.inner.changing.lock().await;
        if !self.known().contains_key(name) {
            return Err(self.missing(name));
        }
        self.forget(name).await.map_err(|why| format!("the plugin `{name}` can't be removed: {why}"))?;
        let known = self.known().remove(name);
        if let Some(Known::Usable(processes)) = known {
            self.inner.node_types.remove(&processes.record.described.names());
            processes.remove().await;
        }
        Ok(())
    }

    async fn record(&self, record: Record) -> Result<(), String> {
        let records = self.inner.settings.records.clone();
        let writing = tokio::task::spawn_blocking(move || record::write(&records, &record));
        let written = writing.await.unwrap_or_else(|error| Err(io::Error::other(error)));
        written.map_err(|error| format!("its record can't be written: {error}"))
    }

    async fn forget(&self, name: &str) -> Result<(), String> {
        let (records, file) = (self.inner.settings.records.clone(), name.to_owned());
        let removing = tokio::task::spawn_blocking(move || record::remove(&records, &file));
        let removed = removing.await.unwrap_or_else(|error| Err(io::Error::other(error)));
        removed.map_err(|error| format!("its record can't be removed: {error}"))
    }

    fn missing(&self, name: &str) -> String {
        let known = self.known();
        let hint = near(name, known.keys().map(String::as_str));
        let hint = hint.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        format!("there is no plugin `{}`{hint}", cut(&sanitise::line(name), 60))
    }

    /// Returns the plugin that runs a node type, if it still describes it in the same way.
    fn of(&self, node_type: &NodeType) -> Result<Arc<Processes>, String> {
        let family = node_type.spec.name.split('.').next().unwrap_or_default();
        let processes = match self.known().get(family) {
            Some(Known::Usable(processes)) => Arc::clone(processes),
            Some(Known::Broken(why)) => return Err(why.clone()),
            None => return Err(format!("the plugin `{family}` was removed")),
        };
        let (name, record) = (&node_type.spec.name, &processes.record);
        if record.described.node_type(name, &record.manifest).is_none_or(|it| it.spec != node_type.spec) {
            return Err(format!("the plugin `{family}` was replaced, and its `{name}` is another one now"));
        }
        Ok(processes)
    }
}

/// Returns the whole environment of plugins.
fn environment(pass_env: &[String]) -> Arc<Vec<(OsString, OsString)>> {
    let inherited = Environment::inherit(std::env::vars_os(), pass_env);
    Arc::new(inherited.passed().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

fn changed(folder: &str) -> String {
    format!("its plugin.toml changed since it was added; type `fanlight plugin add {folder}`")
}

/// Returns a plugin as lists show it, and the hash of its manifest.
fn row(name: &str, known: &Known) -> (Plugin, Option<String>) {
    match known {
        Known::Usable(processes) => {
            let Record { folder, origin, hash, manifest, described } = &processes.record;
            let row = Plugin {
                name: name.to_owned(),
                version: manifest.version.clone(),
                folder: folder.to_string_lossy().into_owned(),
                command: manifest.command.clone(),
                node_types: described.names(),
                processes: u32::try_from(processes.alive()).unwrap_or(u32::MAX),
                origin: origin.clone(),
                problem: None,
            };
            (row, Some(hash.clone()))
        }
        Known::Broken(why) => {
            (Plugin { name: name.to_owned(), problem: Some(why.clone()), ..Plugin::default() }, None)
        }
    }
}

/// Creates a folder that only its owner can enter, with those above it.
fn make_folder(path: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

impl Executor for Plugins {
    fn capabilities(&self) -> Capabilities {
        Capabilities { shares_files: true, ..Capabilities::default() }
    }

    fn open(&self, attempt: Attempt, work: Arc<Work>) -> Box<dyn Execution> {
        let Work::Native(native, inputs) = &*work else { return misplaced(&work) };
        let (plugins, native, inputs) = (self.clone(), Arc::clone(native), inputs.clone());
        Task::open(attempt, &self.inner.blobs, move |attempt| {
            Box::pin(async move {
                let plugin = match plugins.of(&native) {
                    Ok(plugin) => plugin,
                    Err(why) => return Outcome::failed(fanlight_shared::event::NodeError::new(why)),
                };
                let Inner { settings, blobs, .. } = &*plugins.inner;
                let execution = execution::Execution {
                    plugin,
                    spec: native.spec.clone(),
                    attempt,
                    blobs: blobs.clone(),
                    attempts: settings.attempts.clone(),
                    grace: settings.grace,
                };
                execution.run(inputs).await
            })
        })
    }

    fn release(&self, attempt: AttemptId) -> BoxFuture<'_, ()> {
        let folder = self.inner.settings.attempts.join(attempt.to_string()).join(SCRATCH);
        Box::pin(async move {
            let remove = move || {
                if let Err(error) = remove_tree(&folder) {
                    tracing::warn!(%error, folder = %folder.display(), "the folder of a plugin's attempt could not be removed");
                }
            };
            // The next daemon removes what is left.
            let _ = tokio::task::spawn_blocking(remove).await;
        })
    }
}
