//! `fanlight plugin`: node types that programs in other languages provide.

mod add;
mod list;
mod new;
mod remove;
mod repository;
mod test;

use crate::failure::Failure;

/// The arguments of `plugin`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Add the plugin in a folder or a git repository, or add it again after it changed.
    Add(add::Args),
    /// Write the folder of a new plugin, which works as it is.
    New(new::Args),
    /// Test whether the plugin in a folder keeps to the protocol and to the daemon's limits. Its program runs, and its
    /// node types are executed.
    Test(test::Args),
    /// List the plugins that were added.
    #[command(visible_alias = "ls")]
    List(list::Args),
    /// Remove plugins with their node types. Their folders stay.
    #[command(visible_alias = "rm")]
    Remove(remove::Args),
}

/// Runs `plugin`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    match args.action {
        Action::Add(args) => add::run(args).await,
        Action::New(args) => new::run(&args),
        Action::Test(args) => test::run(args).await,
        Action::List(args) => list::run(args).await,
        Action::Remove(args) => remove::run(args).await,
    }
}
