//! Developers' tasks: `cargo xtask ci`.

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
}

fn main() -> ExitCode {
    let Cli { task } = Cli::parse();
    match task {
        Task::Ci => run(&root().join(".ci/run")),
    }
}

/// The folder of the workspace.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Runs a program in the folder of the workspace; its exit code becomes ours.
#[allow(clippy::print_stderr)]
fn run(program: &Path) -> ExitCode {
    match Command::new(program).current_dir(root()).status() {
        Ok(status) => ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1)),
        Err(error) => {
            eprintln!("error: {} can't be started: {error}", program.display());
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
        assert_eq!(run(Path::new("true")), ExitCode::SUCCESS);
        assert_eq!(run(Path::new("false")), ExitCode::from(1));
        assert_eq!(run(Path::new("./no such program")), ExitCode::FAILURE);
    }

    #[test]
    fn the_tasks_are_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }
}
