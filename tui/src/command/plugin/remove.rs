//! `fanlight plugin remove`

use fanlight_shared::rpc::plugins;

use crate::context::Context;
use crate::failure::Failure;
use crate::output::Out;

/// The arguments of `plugin remove`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The plugins.
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
}

/// Runs `plugin remove`.
pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let client = Context::from_env()?.connect().await?;
    let mut out = Out::new();
    for name in args.names {
        client.call(plugins::Remove { name: name.clone() }).await?;
        out.line(&format!("{name}\tremoved"))?;
    }
    out.flush()
}
