//! A home on another computer, and connections to its daemon.

use std::io::IsTerminal as _;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use fanlight_shared::client::{Client, ClientError};
use fanlight_shared::home::Home;
use fanlight_shared::quote;
use serde::Deserialize;

use super::sockets::Sockets;
use super::ssh::Ssh;
use crate::embedded::HostSettings;
use crate::failure::Failure;

/// The name of the program if the config names none.
const PROGRAM: &str = "fanlight";

/// A home on another computer.
#[derive(Debug)]
pub(crate) struct Host {
    home: Home,
    ssh: Ssh,
    settings: HostSettings,
    sockets: OnceLock<Sockets>,
    /// The socket there that is forwarded.
    forwarded: Mutex<Option<String>>,
    /// Whether `ssh` must not ask: there is no terminal, or something else is drawn on it.
    quiet: AtomicBool,
}

/// The part of what `daemon start --json` prints that is needed here.
#[derive(Deserialize)]
struct Started {
    socket: String,
}

impl Host {
    /// Returns a host that the user named; `settings` are those that the config has for the name.
    pub(super) fn new(home: Home, name: &str, settings: Option<HostSettings>) -> Result<Self, String> {
        let settings = settings.unwrap_or_default();
        let destination = settings.ssh.clone().unwrap_or_else(|| name.to_owned());
        let odd = |it: char| it.is_whitespace() || it.is_control();
        if destination.is_empty() || destination.starts_with('-') || destination.contains(odd) {
            return Err(format!(
                "`{}` is not a destination of `ssh`, such as `ada@box`",
                destination.escape_debug()
            ));
        }
        let asks = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        Ok(Self {
            home,
            ssh: Ssh { destination, name: name.to_owned() },
            settings,
            sockets: OnceLock::new(),
            forwarded: Mutex::default(),
            quiet: AtomicBool::new(!asks),
        })
    }

    /// Returns its name for people.
    pub(crate) fn name(&self) -> &str {
        &self.ssh.name
    }

    /// Connects to the daemon there, and starts it if none runs.
    ///
    /// # Errors
    /// A sentence that says what is missing.
    pub(crate) async fn connect(&self) -> Result<Client, ClientError> {
        match self.try_connect().await {
            // The daemon may have ended after it was asked for its socket.
            Err(error) if error.is_no_daemon() => match self.try_connect().await {
                Err(error) if error.is_no_daemon() => Err(ClientError::Start(format!(
                    "the daemon on `{}` runs, but its socket can't be reached: `sshd` there must allow it (`AllowStreamLocalForwarding yes`)",
                    self.name()
                ))),
                other => other,
            },
            other => other,
        }
    }

    async fn try_connect(&self) -> Result<Client, ClientError> {
        let sockets = self.sockets().map_err(ClientError::Start)?;
        let socket = self.start(sockets).await.map_err(ClientError::Start)?;
        self.forward(sockets, &socket).await.map_err(ClientError::Start)?;
        let here = rustix::system::uname();
        let client = Client::through(&sockets.local(), &here.nodename().to_string_lossy(), self.name()).await;
        if client.is_ok() {
            // From now on others write to the terminal.
            self.quiet.store(true, Ordering::Relaxed);
        }
        client.map_err(|error| match error {
            ClientError::Version(why) => ClientError::Version(format!(
                "`{}` has another version of Fanlight than this computer: update the older one ({why})",
                self.name()
            )),
            other => other,
        })
    }

    fn sockets(&self) -> Result<&Sockets, String> {
        if let Some(sockets) = self.sockets.get() {
            return Ok(sockets);
        }
        let sockets = Sockets::new(&self.home, &self.ssh.destination)?;
        Ok(self.sockets.get_or_init(|| sockets))
    }

    /// Starts the daemon there unless it runs, and returns its socket.
    async fn start(&self, sockets: &Sockets) -> Result<String, String> {
        let line = self.line(["daemon", "start", "--linger", "--json"])?;
        let quiet = self.quiet.load(Ordering::Relaxed);
        let output = self.ssh.run(sockets.control(), quiet, &line).await?;
        if !output.status.success() {
            return Err(self.ssh.failure(&output, self.program()));
        }
        // The login shell there may print something of its own first.
        let started = output.out.lines().rev().find_map(|line| serde_json::from_str::<Started>(line).ok());
        let socket = started
            .map(|it| it.socket)
            .ok_or_else(|| format!("`{}` on `{}` did not name its socket", self.program(), self.name()))?;
        let plain = |it: char| it.is_ascii_alphanumeric() || "-_./@+,=~".contains(it);
        if !socket.starts_with('/') || !socket.chars().all(plain) {
            return Err(format!(
                "the socket of `{}` can't be forwarded: its path `{}` has characters that `ssh` does not take",
                self.name(),
                socket.escape_debug()
            ));
        }
        Ok(socket)
    }

    /// Makes the local socket lead to the one there.
    async fn forward(&self, sockets: &Sockets, socket: &str) -> Result<(), String> {
        let local = sockets.local();
        let earlier = self.forwarded.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(earlier) = earlier {
            let _ = self.ssh.forward(sockets.control(), "cancel", &local, &earlier).await;
        }
        // A connection that was lost leaves its socket.
        let _ = std::fs::remove_file(&local);
        let output = self.ssh.forward(sockets.control(), "forward", &local, socket).await?;
        if !output.status.success() {
            return Err(format!(
                "`ssh` did not forward the socket of `{}`: it needs OpenSSH 6.7 or newer on both sides, and `AllowStreamLocalForwarding yes` there",
                self.name()
            ));
        }
        *self.forwarded.lock().unwrap_or_else(PoisonError::into_inner) = Some(socket.to_owned());
        Ok(())
    }

    /// Runs a command of this program there, with the terminal of this process.
    pub(super) async fn run(&self, arguments: &[String]) -> Result<(), Failure> {
        let sockets = self.sockets().map_err(Failure::failed)?;
        let line = self.line(arguments.iter().map(String::as_str)).map_err(Failure::usage)?;
        let mut command = self.ssh.command(sockets.control(), self.quiet.load(Ordering::Relaxed));
        let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
        command.args([if terminal { "-t" } else { "-T" }, "--", &self.ssh.destination, &line]);
        let status = command.stdin(Stdio::inherit()).status().await;
        let status =
            status.map_err(|error| Failure::no_daemon(format!("`ssh` can't be started: {error}")))?;
        match status.code() {
            Some(0) => Ok(()),
            Some(255) => Err(Failure::no_daemon(format!("`{}` can't be reached through `ssh`", self.name()))),
            Some(127) => {
                Err(Failure::no_daemon(format!("there is no `{}` on `{}`", self.program(), self.name())))
            }
            code => {
                Err(Failure::run_failed().with_code(code.and_then(|it| u8::try_from(it).ok()).unwrap_or(1)))
            }
        }
    }

    /// Removes the sockets of this process.
    pub(super) fn close(&self) {
        let Some(sockets) = self.sockets.get() else { return };
        let forwarded = self.forwarded.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(socket) = forwarded {
            let control = sockets.control().to_string_lossy().replace('%', "%%");
            let mut command = std::process::Command::new("ssh");
            command.args(["-o", &format!("ControlPath={control}"), "-O", "cancel"]);
            command.args(["-L", &format!("{}:{socket}", sockets.local().display()), "--"]);
            command.arg(&self.ssh.destination);
            let _ = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        }
        sockets.remove();
    }

    fn program(&self) -> &str {
        self.settings.program.as_deref().unwrap_or(PROGRAM)
    }

    /// Returns a command line for the shell here that runs the program there.
    ///
    /// # Errors
    /// A word has a control character.
    pub(crate) fn shell_line<'a>(
        &self,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Result<String, String> {
        let line = self.line(arguments)?;
        // Quotes and variables are for the shell there.
        let line = if line.contains(['\'', '"', '$', '\\']) { quote::word(&line)? } else { line };
        Ok(format!("ssh {} {line}", quote::word(&self.ssh.destination)?))
    }

    /// Returns a command line of the program there.
    fn line<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Result<String, String> {
        let program = quote::path(self.program())?;
        let arguments = quote::line(arguments)?;
        Ok(match &self.settings.home {
            None => format!("{program} {arguments}"),
            // As an argument of `env`, which all shells pass on alike.
            Some(home) => format!("env FANLIGHT_HOME={} {program} {arguments}", quote::path(home)?),
        })
    }
}
