//! The engines of the config, as they run.

use std::collections::BTreeMap;
use std::sync::Arc;

use fanlight_shared::home::Home;
use fanlight_shared::rpc::engines::Engine;
use fanlight_shared::workflow::LOCAL_ENGINE;

use super::{Commands, Remote};
use crate::config::Config;

/// The engines of the config by name: cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Engines {
    config: Arc<Config>,
    by_name: Arc<BTreeMap<String, Remote>>,
}

impl Engines {
    /// Creates the executors of the engines that the config declares.
    pub(crate) fn new(
        config: &Arc<Config>,
        commands: &Commands,
        home: &Home,
        #[cfg(feature = "http")] http: &crate::http::Http,
    ) -> Self {
        let executor = |(name, settings): (&String, &_)| {
            let remote = Remote::new(
                name,
                Clone::clone(settings),
                commands,
                config.secrets.clone(),
                home,
                #[cfg(feature = "http")]
                http.clone(),
            );
            (name.clone(), remote)
        };
        let by_name = config.engines.iter().map(executor).collect();
        Self { config: Arc::clone(config), by_name: Arc::new(by_name) }
    }

    /// Returns all of them with their names.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Remote)> {
        self.by_name.iter().map(|(name, remote)| (name.as_str(), remote))
    }

    /// Returns them as clients see them.
    pub(crate) fn list(&self) -> Vec<Engine> {
        self.by_name.values().map(Remote::describe).collect()
    }

    /// Returns the engine of this name.
    ///
    /// # Errors
    /// There is none; the sentence has a near match.
    pub(crate) fn find(&self, name: &str) -> Result<&Remote, String> {
        self.config.check_engine(name)?;
        let is_here = || format!("the engine `{LOCAL_ENGINE}` is the machine of the daemon");
        self.by_name.get(name).ok_or_else(is_here)
    }
}
