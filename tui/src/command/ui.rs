//! `fanlight` without a command: the place of the terminal UI.

use clap::CommandFactory as _;

use crate::cli::Cli;
use crate::failure::Failure;
use crate::output;

/// Opens the terminal UI. It is not there yet: says what there is instead.
pub(super) fn open() -> Result<(), Failure> {
    output::note(Cli::command().render_help().to_string().trim_end());
    Err(Failure::usage("the terminal UI is not in this version, so a command is needed")
        .hint("begin with `fanlight run poster --sweep seed=1..6 --out prints/`"))
}
