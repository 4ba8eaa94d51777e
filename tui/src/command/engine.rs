//! `fanlight engine`: the engines of the config, such as clusters.

mod check;
mod list;

use crate::failure::Failure;

/// The arguments of `engine`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// List the engines that the config declares.
    #[command(visible_alias = "ls")]
    List(list::Args),
    /// Try every step of an engine with small jobs: say what works, and for the rest what is missing and what to do. Each job
    /// and its files are removed afterwards.
    Check(check::Args),
}

/// Runs `engine`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    match args.action {
        Action::List(args) => list::run(args).await,
        Action::Check(args) => check::run(args).await,
    }
}
