//! The home that the environment names, and the connection to its daemon.

use std::sync::Arc;

use fanlight_shared::client::{Client, ClientError, start_daemon};
use fanlight_shared::home::Home;
use fanlight_shared::sanitise;

use crate::failure::Failure;
use crate::host::{self, Host};
use crate::output::{self, silence};

/// The context of every command that asks the daemon.
#[derive(Debug)]
pub(crate) struct Context {
    /// The home on this computer.
    pub(crate) home: Home,
    /// The computer with the home that commands ask, if it is another one.
    pub(crate) host: Option<Arc<Host>>,
}

impl Context {
    /// Returns the home of the environment.
    pub(crate) fn from_env() -> Result<Self, Failure> {
        let home = Home::from_env().map_err(|error| Failure::no_daemon(error.to_string()))?;
        let host = host::chosen(&home)?;
        Ok(Self { home, host })
    }

    /// Returns a connection to the daemon. Starts one in the background if none runs, and prints its home.
    pub(crate) async fn connect(&self) -> Result<Client, Failure> {
        if let Some(client) = self.running().await? {
            return Ok(client);
        }
        // A daemon that is started implicitly ends by itself once it has been idle for long.
        let client = self.start(&["--linger"]).await?;
        output::note(&format!(
            "fanlight: started a daemon for {} (log {}; ends when idle, or with `fanlight daemon stop`)",
            sanitise::line(&self.home.name.to_string_lossy()),
            sanitise::line(&self.home.log_file().to_string_lossy()),
        ));
        Ok(client)
    }

    /// Returns where the daemon logs, for messages.
    pub(crate) fn log(&self) -> String {
        match &self.host {
            Some(host) => format!("on `{}`", host.name()),
            None => self.home.log_file().display().to_string(),
        }
    }

    /// Returns a connection to the daemon that runs, if one does. On another computer one is started.
    pub(crate) async fn running(&self) -> Result<Option<Client>, Failure> {
        let connected = match &self.host {
            Some(host) => host.connect().await,
            None => silence::said(Client::connect(&self.home)).await,
        };
        match connected {
            Ok(client) => {
                silence::watch(&client);
                for banner in &client.hello().banners {
                    output::note(&format!("fanlight: {}", sanitise::line(banner)));
                }
                Ok(Some(client))
            }
            Err(error) if error.is_no_daemon() && self.host.is_none() => Ok(None),
            Err(error @ ClientError::Silent(_)) if self.host.is_none() => {
                let (log, lock) = (self.log(), self.home.lock_file());
                Err(Failure::from(error).hint(format!(
                    "its log is {log}; nothing stored is lost if it is killed: `kill -9 $(cat {})`",
                    lock.display()
                )))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Starts a daemon in the background.
    pub(crate) async fn start(&self, arguments: &[&str]) -> Result<Client, Failure> {
        let exe = std::env::current_exe()
            .map_err(|error| ClientError::Start(format!("this program can't find itself: {error}")))?;
        let client = start_daemon(&self.home, &exe, arguments).await?;
        silence::watch(&client);
        Ok(client)
    }
}
