//! `fanlight daemon`: runs the daemon, or starts, stops and asks the one in the background.

mod service;

use std::io::IsTerminal as _;
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use fanlight_shared::client::ClientError;
use fanlight_shared::rpc::daemon::{self, Interrupts};
use fanlight_shared::sanitise;

use crate::context::Context;
use crate::embedded;
use crate::failure::Failure;
use crate::output::{self, Out, ask, json};
use crate::text;

/// The arguments of `daemon`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    /// Leaves the session of the process that started it.
    #[arg(long, hide = true)]
    detached: bool,
    /// End after being idle for the time that `linger` sets in the config.
    #[arg(long)]
    linger: bool,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Start the daemon in the background; it runs until it is stopped.
    Start {
        /// End after being idle for the time that `linger` sets in the config.
        #[arg(long)]
        linger: bool,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Stop the daemon; running commands continue, and the next daemon takes them over.
    Stop {
        /// Cancel all running runs first.
        #[arg(long)]
        cancel: bool,
        /// Don't ask before nodes that only the daemon runs, such as requests to models, are interrupted and fail.
        #[arg(long, short)]
        yes: bool,
    },
    /// Show whether the daemon runs, and where.
    Status {
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Let a service of the user start the daemon at login: systemd on Linux, launchd on macOS.
    Install {
        /// Print the file of the service, and write nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Remove that service.
    Uninstall,
}

impl Args {
    /// Returns whether this process becomes the daemon.
    pub(crate) fn is_foreground(&self) -> bool {
        self.action.is_none()
    }
}

/// How long a daemon may take to close its store.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// How long it may take to cancel its runs before that.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(30);
/// How often the end of the daemon is polled.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Runs `daemon`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let context = Context::from_env()?;
    match args.action {
        None => embedded::run_daemon(&context.home, args.detached, args.linger).await,
        Some(Action::Start { linger, json }) => start(&context, linger, json).await,
        Some(Action::Stop { cancel, yes }) => stop(&context, cancel, yes).await,
        Some(Action::Status { json }) => status(&context, json).await,
        Some(Action::Install { dry_run }) => service::install(&context, dry_run),
        Some(Action::Uninstall) => service::uninstall(&context),
    }
}

async fn start(context: &Context, linger: bool, as_json: bool) -> Result<(), Failure> {
    let arguments: &[&str] = if linger { &["--linger"] } else { &[] };
    let (client, word) = match context.running().await? {
        Some(client) => (client, "runs already"),
        None => (context.start(arguments).await?, "started"),
    };
    let status = client.call(daemon::Status {}).await?;
    let mut out = Out::new();
    if as_json {
        json::print(&mut out, &json::status(&status))?;
        return out.flush();
    }
    out.line(&format!("{word}: process {} for {}", status.pid, sanitise::line(&status.home)))?;
    out.flush()
}

async fn stop(context: &Context, cancel: bool, yes: bool) -> Result<(), Failure> {
    let Some(client) = context.running().await? else {
        output::note("no daemon runs for this home");
        return Ok(());
    };
    let socket = || std::fs::metadata(&context.home.socket).map(|it| (it.dev(), it.ino())).ok();
    let before = socket();
    let asked = client.call(daemon::Status {});
    let status = match tokio::time::timeout(STOP_TIMEOUT, asked).await {
        Ok(Ok(status)) => Some(status),
        // Its end is waited for below, and what keeps it is said there.
        Ok(Err(ClientError::Disconnected(_))) | Err(_) => None,
        Ok(Err(error)) => return Err(error.into()),
    };
    let fails = status.as_ref().filter(|status| !cancel && status.interrupts.fail > 0);
    if let Some(status) = fails.filter(|_| std::io::stdin().is_terminal() && std::io::stderr().is_terminal())
    {
        let question =
            format!("{}. Stop the daemon?", interrupted(&status.interrupts, "is interrupted and fails"));
        ask::confirm(&question, yes).await?;
    }
    let asked = async {
        match client.call(daemon::Stop { cancel }).await {
            // It may be gone before its response arrives.
            Ok(_) | Err(ClientError::Disconnected(_)) => {}
            Err(error) => return Err(error),
        }
        // A daemon closes the store and then removes its socket as its last step, so that the next one finds the home
        // free. A killed daemon doesn't remove its socket, but its lock is released.
        while before.is_some() && socket() == before && embedded::daemon_lives(&context.home) {
            tokio::time::sleep(POLL_INTERVAL).await;
        }
        Ok(())
    };
    let limit = if cancel { STOP_TIMEOUT + CANCEL_TIMEOUT } else { STOP_TIMEOUT };
    let Ok(ended) = tokio::time::timeout(limit, asked).await else {
        return Err(Failure::failed(format!(
            "the daemon was asked to end, but did not within {} seconds; its log is {}",
            limit.as_secs(),
            context.home.log_file().display()
        ))
        .hint(format!(
            "nothing stored is lost if it is killed: `kill -9 $(cat {})`",
            context.home.lock_file().display()
        )));
    };
    ended?;
    let mut out = Out::new();
    match &status {
        Some(status) => out.line(&format!("stopped process {}", status.pid))?,
        None => out.line("the daemon had ended")?,
    }
    out.flush()?;
    if before.is_some() && socket() == before {
        output::note("it was killed before it could close its store; the next daemon recovers what it left");
    }
    if let Some(status) = status.filter(|status| status.running > 0 && !cancel) {
        output::note(&format!(
            "{} running: commands continue under the supervisor, and the next daemon takes them over",
            text::count(status.running as usize, "run")
        ));
        let Interrupts { fail, again, .. } = status.interrupts;
        if fail > 0 {
            output::note(&interrupted(&status.interrupts, "was interrupted and fails"));
        }
        if again > 0 {
            let nodes = text::count(again as usize, "node");
            output::note(&format!("{nodes} interrupted: the next daemon starts the work of each again"));
        }
    }
    Ok(())
}

/// Names the nodes that the end of the daemon interrupts.
fn interrupted(interrupts: &Interrupts, verb: &str) -> String {
    let verb = if interrupts.fail == 1 {
        verb.to_owned()
    } else {
        verb.replace("is ", "are ").replace("was ", "were ").replace("fails", "fail")
    };
    let names: Vec<String> = interrupts.first.iter().map(|name| sanitise::line(name)).collect();
    let more = (interrupts.fail as usize).saturating_sub(names.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more} {verb}", names.join(", "))
}

async fn status(context: &Context, as_json: bool) -> Result<(), Failure> {
    let Some(client) = context.running().await? else {
        return Err(Failure::no_daemon(format!("no daemon runs for {}", context.home.name.display()))
            .hint("the next command that needs one starts it, or `fanlight daemon start`"));
    };
    let status = client.call(daemon::Status {}).await?;
    let mut out = Out::new();
    if as_json {
        json::print(&mut out, &json::status(&status))?;
    } else {
        let line = |name: &str, value: &str| format!("{name:<10}{}", sanitise::line(value));
        out.line(&line("process", &status.pid.to_string()))?;
        out.line(&line("version", &status.version))?;
        out.line(&line("home", &status.home))?;
        out.line(&line("socket", &status.socket))?;
        out.line(&line("log", &context.home.log_file().to_string_lossy()))?;
        out.line(&line("runs", &format!("{} running, {} queued", status.running, status.queued)))?;
        out.line(&line("clients", &status.clients.to_string()))?;
        let trees = match status.process_trees.as_str() {
            how @ ("cgroup" | "session") => format!("ended by {how}"),
            other => other.to_owned(),
        };
        out.line(&line("trees", &trees))?;
    }
    out.flush()
}
