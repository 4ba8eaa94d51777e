//! Starts the helper, detached, and waits until it listens.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};

use super::super::spec::TOKEN;
use super::super::{ALREADY_RUNNING, READY, frame};
use super::connection::{Connection, Greeting};
use super::subscribers::Subscribers;
use super::{BUILD, Settings, SupervisorError};

/// How long a new supervisor may take until it listens: it ends the processes of an earlier one first.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a connection is tried: another process may start or end a supervisor at the same moment.
const MAX_TRIES: u32 = 50;
/// How long to wait for a supervisor that another process is starting or ending.
const RETRY_DELAY: Duration = Duration::from_millis(20);
/// The size at which the helper's own log is rotated, in bytes.
const LOG: u64 = 1 << 20;

/// The location of a supervisor, and what is needed to start it.
#[derive(Debug)]
pub(super) struct Launcher {
    pub(super) folder: PathBuf,
    pub(super) socket: PathBuf,
    pub(super) helper: PathBuf,
    pub(super) settings: Settings,
}

impl Launcher {
    /// Connects to a supervisor of this build. One is started if there is none, and an idle one of another build is replaced.
    pub(super) async fn connect(
        &self,
        subscribers: &Arc<Subscribers>,
    ) -> Result<(Arc<Connection>, Greeting), SupervisorError> {
        let mut last = String::new();
        for _ in 0..MAX_TRIES {
            match Connection::to(&self.socket, Arc::clone(subscribers)).await {
                Ok((connection, greeting)) if greeting.build == BUILD => return Ok((connection, greeting)),
                Ok((connection, greeting)) => {
                    if connection.shut_down().await {
                        continue;
                    }
                    if greeting.version == frame::VERSION {
                        return Ok((connection, greeting));
                    }
                    return Err(SupervisorError::Version(greeting.build));
                }
                Err(error) => last = error.to_string(),
            }
            if !self.launch().await? {
                tokio::time::sleep(RETRY_DELAY).await;
            }
        }
        Err(SupervisorError::Unreachable(last))
    }

    /// Starts the helper and waits until it listens; returns `false` if there is already another one.
    async fn launch(&self) -> Result<bool, SupervisorError> {
        let unreachable = |sentence: String| SupervisorError::Unreachable(sentence);
        let show = self.helper.display();
        let mut command = tokio::process::Command::new(&self.helper);
        command.arg("supervisor").arg("--folder").arg(&self.folder).arg("--socket").arg(&self.socket);
        command.arg("--linger").arg(self.settings.linger.as_secs().to_string());
        command.arg("--trees").arg(self.settings.trees.name());
        command.env_clear();
        // A supervisor inside of a command belongs to that command's tree.
        command.envs(std::env::var_os(TOKEN).map(|token| (TOKEN, token)));
        if let Some(limit) = crate::open_files::inherited() {
            // The supervisor raises its own limit, and gives commands the original one.
            crate::supervisor::system::before_exec(command.as_std_mut(), move || {
                Ok(rustix::process::setrlimit(rustix::process::Resource::Nofile, limit)?)
            });
        }
        command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(self.own_log());
        let mut child =
            command.spawn().map_err(|error| unreachable(format!("`{show}` can't be started: {error}")))?;
        let stdout = child.stdout.take();
        // It outlives this process, or is reaped by it.
        tokio::spawn(async move { child.wait().await });
        let mut line = String::new();
        if let Some(stdout) = stdout {
            let said = tokio::time::timeout(START_TIMEOUT, BufReader::new(stdout).read_line(&mut line)).await;
            match said {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(unreachable(error.to_string())),
                Err(_) => {
                    return Err(unreachable(format!(
                        "`{show} supervisor` printed nothing for {} s",
                        START_TIMEOUT.as_secs()
                    )));
                }
            }
        }
        match line.trim_end() {
            READY => Ok(true),
            ALREADY_RUNNING => Ok(false),
            "" => Err(unreachable(format!("`{show} supervisor` ended without a message"))),
            sentence => Err(unreachable(sentence.to_owned())),
        }
    }

    /// Returns the log for the helper's own errors: a file in its folder, which the helper creates itself if this
    /// can't.
    fn own_log(&self) -> Stdio {
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
        let path = self.folder.join("supervisor.log");
        let _ = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder);
        let full = path.metadata().is_ok_and(|about| about.len() > LOG);
        let mut options = std::fs::OpenOptions::new();
        options.create(true).mode(0o600);
        if full {
            options.write(true).truncate(true)
        } else {
            options.append(true)
        };
        options.open(path).map_or_else(|_| Stdio::null(), Stdio::from)
    }
}
