//! The one executable `fanlight`: headless commands now, the terminal UI later.
//!
//! # Layout
//!
//! - [`main`]: parses the command line, runs one command, turns what went wrong into words and an exit code
//! - `cli`: the commands as clap sees them; each command's arguments stand in its own file below `command/`
//! - `command`: a verb a file, the same nouns as the requests of the protocol
//! - `ascii`: ASCII in the place of other characters
//! - `output`: tables, live progress, colours, questions; the only place that writes to stdout and stderr
//! - `context`: the home, and the connection to its daemon, which is started where none runs
//! - `download`: from the daemon's store to files that a person names
//! - `elsewhere`: the files that a submission takes along to a daemon on another computer
//! - `embedded`: the only place here that names the daemon's crate
//! - `environment`: the variables that a submission carries
//! - `example`: the workflows compiled in
//! - `host`: a home on another computer, through `ssh`
//! - `naming`: names of saved files from a template
//! - `node_types`: those that workflow files are checked against
//! - `recipe`: the lineage of a product in its saved file
//! - `text`: short texts for people, for the commands and the UI
//! - `text_file`: text that a person names, read with a limit
//! - `trial`: the trials of searches as text, for the commands and the UI

mod ascii;
mod cli;
mod command;
mod context;
mod convert;
mod download;
mod editor;
mod elsewhere;
mod embedded;
mod environment;
mod example;
mod failure;
mod guide;
mod host;
#[cfg(test)]
mod modules;
mod naming;
mod node_types;
mod output;
mod recipe;
mod text;
mod text_file;
mod trial;
pub mod ui;

use std::process::ExitCode;

use clap::Parser;

use cli::Cli;
use failure::Failure;

/// Runs the command that the arguments of this process name. Returns its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            if let Some(failure) = cli::file_without_command(&error) {
                output::failure(&failure);
                return ExitCode::from(failure.code());
            }
            // Help and version go to stdout with exit code 0, wrong usage to stderr with 2; a closed pipe isn't an
            // error.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    ascii::want(cli.ui.ascii());
    host::choose(cli.host.clone());
    let ended = runtime(&cli).and_then(|runtime| {
        let ended = runtime.block_on(async {
            tokio::select! {
                biased;
                left = command::interrupt::left() => Err(left),
                ended = cli.run() => ended,
            }
        });
        // Blocked tasks, such as a read of stdin, must not delay the exit.
        runtime.shutdown_background();
        ended
    });
    host::close();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::failure(&failure);
            ExitCode::from(failure.code())
        }
    }
}

fn runtime(cli: &Cli) -> Result<tokio::runtime::Runtime, Failure> {
    let mut builder = if cli.is_daemon() {
        tokio::runtime::Builder::new_multi_thread()
    } else {
        tokio::runtime::Builder::new_current_thread()
    };
    builder.enable_all().build().map_err(|error| Failure::failed(format!("can't start: {error}")))
}
