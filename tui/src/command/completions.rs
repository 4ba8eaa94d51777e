//! `fanlight completions`: a completion script for a shell.

use clap_complete::Shell;

use crate::failure::Failure;
use crate::output::Out;

/// The arguments of `completions`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The shell.
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Runs `completions`; `cli` is the command line of this program.
pub(crate) fn run(args: Args, mut cli: clap::Command) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut cli, "fanlight", &mut script);
    let mut out = Out::new();
    out.bytes(&script)?;
    out.flush()
}
