//! `fanlight secrets`: the secrets of this home. No daemon is needed: it reads them when a node starts.

mod list;
mod remove;
mod set;

use fanlight_shared::sanitise;

use crate::context::Context;
use crate::embedded::{self, Source};
use crate::failure::Failure;

/// The arguments of `secrets`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Set a secret: asks for its value, or reads it from standard input.
    Set(set::Args),
    /// List the names of secrets and where their values come from.
    #[command(visible_alias = "ls")]
    List(list::Args),
    /// Remove secrets for good.
    #[command(visible_alias = "remove")]
    Rm(remove::Args),
}

/// Runs `secrets`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let settings = embedded::secrets(&Context::from_env()?.home)?;
    match args.action {
        Action::Set(args) => set::run(&settings, &args),
        Action::List(args) => list::run(&settings, &args),
        Action::Rm(args) => remove::run(&settings, &args).await,
    }
}

/// Returns the error for a secret that the config takes from elsewhere.
fn elsewhere(name: &str, source: &Source) -> Failure {
    let described = sanitise::line(&source.describe());
    let error = Failure::failed(format!("the config takes the secret `{name}` from elsewhere: {described}"));
    match source {
        Source::Keyring => error.hint(format!("type `{}`", embedded::keyring_store(name))),
        _ => error.hint("change it there, or remove its line below `[secrets]` in config.toml"),
    }
}
