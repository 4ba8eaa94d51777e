//! Developers' tasks: `cargo xtask ci`, `bench`, `crash`, `shot`.

mod shot;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::{Parser, Subcommand};

/// Developers' tasks.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Everything that must be green before a change is taken: runs `.ci/run`.
    Ci,
    /// Measures the daemon, the store and the terminal UI, as docs/performance.md says; all of it, or the figures that are
    /// named.
    Bench {
        /// Of the daemon `commands`, `nodes`, `start`, `idle`, `many`, `sweep`, `pages`, `cached`, `fair`, `table`; `store` for
        /// the store alone; `ui` for all of the UI, or `ui-first`, `ui-keys`, `ui-load`, `ui-rows`, `ui-sweep`, `ui-pictures`, `ui-wide`, `ui-curves`. `scheduler` for what a
        /// decision costs, `scale` for 100,000 attempts on a cluster in memory; these two only if they are named.
        figures: Vec<String>,
    },
    /// Kills the daemon and the supervisor at random moments under load, and checks what must hold.
    Crash {
        /// How many rounds.
        #[arg(long, default_value_t = 100)]
        times: u64,
        /// The moments of an earlier run again; it was printed.
        #[arg(long)]
        seed: Option<u64>,
        /// Lets the power fail at moments of a recording instead, so that what was not synced is lost. Needs `strace`.
        #[arg(long, conflicts_with = "slurm")]
        power: bool,
        /// Kills the controller of a real Slurm, the daemons of its nodes, and the daemon instead; see `.ci/slurm`.
        #[arg(long)]
        slurm: bool,
        /// How many commands a round of `--slurm` has.
        #[arg(long, default_value_t = 30, requires = "slurm")]
        tasks: u64,
    },
    /// Makes pictures of the real UI, to look at: `target/shots/NAME.png`. Needs `cargo install termshot`.
    Shot {
        /// `home`, `form`, `first`, `six`, `queue`, `gallery`, `viewer`, `compare`, `failed`, `small`, `help`; all without.
        #[arg(conflicts_with = "terminal")]
        scenes: Vec<String>,
        /// One picture of the gallery in a real terminal instead, `xterm` or `kitty`: `target/shots/xterm.png`. Needs
        /// Xvfb, the terminal, xdotool and ImageMagick.
        #[arg(long)]
        terminal: Option<String>,
    },
}

fn main() -> ExitCode {
    let Cli { task } = Cli::parse();
    match task {
        Task::Ci => run(&mut Command::new(root().join(".ci/run"))),
        Task::Bench { figures } => bench(&figures),
        Task::Crash { times, seed, power: true, .. } => crash("many_power_losses", times, seed),
        Task::Crash { times, seed, slurm: false, .. } => crash("many_kills", times, seed),
        Task::Crash { times, seed, tasks, .. } => crash_slurm(times, tasks, seed),
        Task::Shot { terminal: Some(terminal), .. } => shot::terminal(&terminal),
        Task::Shot { scenes, .. } => shot::shoot(&scenes),
    }
}

/// Figures that need no daemon and no program: tests of the engine.
const SIMULATED: [(&str, &str); 2] =
    [("scheduler", "engine::simulator::figures"), ("scale", "engine::tests::scale")];

fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

fn bench(figures: &[String]) -> ExitCode {
    let all = figures.is_empty();
    let of = |wanted: fn(&str) -> bool| figures.iter().map(String::as_str).filter(move |it| wanted(it));
    let daemon: Vec<&str> =
        of(|it| !it.starts_with("ui") && it != "store" && !SIMULATED.iter().any(|(name, _)| *name == it))
            .collect();
    let ui: Vec<&str> = of(|it| it.starts_with("ui")).filter_map(|it| it.strip_prefix("ui-")).collect();
    let benches = [
        ("fanlight", "daemon", all || !daemon.is_empty(), daemon),
        ("fanlight", "ui", all || of(|it| it.starts_with("ui")).next().is_some(), ui),
        ("fanlight-daemon", "store", all || of(|it| it == "store").next().is_some(), Vec::new()),
    ];
    for (package, bench, wanted, figures) in benches {
        if wanted {
            let code = run(cargo(&["bench", "-p", package, "--bench", bench, "--"]).args(figures));
            if code != ExitCode::SUCCESS {
                return code;
            }
        }
    }
    for (_, test) in SIMULATED.into_iter().filter(|(name, _)| figures.iter().any(|it| it == name)) {
        let mut command = cargo(&["test", "--release", "-p", "fanlight-daemon", "--lib", test, "--"]);
        let code = run(command.args(["--ignored", "--nocapture"]));
        if code != ExitCode::SUCCESS {
            return code;
        }
    }
    ExitCode::SUCCESS
}

fn crash(test: &str, times: u64, seed: Option<u64>) -> ExitCode {
    let mut command = cargo(&["test", "-p", "fanlight", "--test", "crash", "--"]);
    command.args(["--ignored", "--nocapture", test]).env("FANLIGHT_CRASH_TIMES", times.to_string());
    if let Some(seed) = seed {
        command.env("FANLIGHT_CRASH_SEED", seed.to_string());
    }
    run(&mut command)
}

fn crash_slurm(times: u64, tasks: u64, seed: Option<u64>) -> ExitCode {
    let mut command = Command::new(root().join(".ci/slurm"));
    command.args(["--kill-rounds", &times.to_string(), "--tasks", &tasks.to_string()]);
    if let Some(seed) = seed {
        command.env("FANLIGHT_CRASH_SEED", seed.to_string());
    }
    run(&mut command)
}

/// Returns the folder of the workspace.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Runs a program in the folder of the workspace. Returns its exit code.
#[allow(clippy::print_stderr)]
fn run(command: &mut Command) -> ExitCode {
    match command.current_dir(root()).status() {
        Ok(status) => ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1)),
        Err(error) => {
            eprintln!("error: {} can't be started: {error}", command.get_program().display());
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_of_ci_is_there_and_can_be_started() {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(root().join(".ci/run")).unwrap().permissions().mode();
        assert_ne!(mode & 0o111, 0);
    }

    #[test]
    fn an_exit_code_is_passed_on() {
        assert_eq!(run(&mut Command::new("true")), ExitCode::SUCCESS);
        assert_eq!(run(&mut Command::new("false")), ExitCode::from(1));
        assert_eq!(run(&mut Command::new("./no such program")), ExitCode::FAILURE);
    }

    #[test]
    fn the_tasks_are_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }
}
