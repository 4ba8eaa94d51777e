//! `fanlight plugin add`

use std::path::PathBuf;

use fanlight_shared::rpc::plugins;
use fanlight_shared::sanitise;

use crate::context::Context;
use crate::embedded::ManifestFile;
use crate::failure::Failure;
use crate::output::{Out, ask, json};

/// The arguments of `plugin add`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The folder with its `plugin.toml`.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Don't ask whether its program may run.
    #[arg(short, long)]
    yes: bool,
    /// Print JSON, one object per line.
    #[arg(long)]
    json: bool,
}

/// Runs `plugin add`.
pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let file = ManifestFile::read(&args.folder).map_err(Failure::usage)?;
    let words: Vec<String> = file.manifest.command.iter().map(|word| sanitise::line(word)).collect();
    let folder = file
        .folder
        .to_str()
        .map(str::to_owned)
        .ok_or_else(|| Failure::usage("the path of the folder is not UTF-8").hint("rename the folder"))?;
    let question = format!(
        "The plugin `{}` {} runs `{}` in {} with your rights, now and whenever a workflow uses it. Add it?",
        file.manifest.name,
        sanitise::line(&file.manifest.version),
        words.join(" "),
        sanitise::line(&folder),
    );
    ask::confirm(&question, args.yes)?;
    let client = Context::from_env()?.connect().await?;
    let added = client.call(plugins::Add { folder, manifest: file.hash }).await?;
    let mut out = Out::new();
    if args.json {
        json::print(&mut out, &added)?;
        return out.flush();
    }
    for name in &added.node_types {
        out.line(&format!("{name}\tadded"))?;
    }
    out.flush()
}
