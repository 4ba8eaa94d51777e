//! `fanlight plugin add`

use std::path::PathBuf;

use fanlight_shared::client::Client;
use fanlight_shared::rpc::plugins::{self, Origin, Plugin};
use fanlight_shared::sanitise;

use super::repository::{Repository, manifest};
use crate::context::Context;
use crate::embedded::ManifestFile;
use crate::failure::Failure;
use crate::output::{Out, ask, json};

/// The arguments of `plugin add`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The folder with its `plugin.toml`, or the URL of a git repository.
    #[arg(value_name = "FOLDER|URL")]
    from: PathBuf,
    /// The branch, tag or commit of the repository; the newest commit by default. What is added stays at its commit.
    #[arg(long, value_name = "REF")]
    at: Option<String>,
    /// The folder of the plugin in the repository.
    #[arg(long, value_name = "PATH")]
    path: Option<PathBuf>,
    /// Don't ask whether its program may run.
    #[arg(short, long)]
    yes: bool,
    /// Print JSON, one object per line.
    #[arg(long)]
    json: bool,
}

/// Runs `plugin add`.
pub(super) async fn run(args: Args) -> Result<(), Failure> {
    let repository = args.from.to_str().map(Repository::of).transpose()?.flatten();
    let added = match repository {
        Some(repository) => from_repository(&args, &repository).await?,
        None if args.at.is_some() || args.path.is_some() => {
            return Err(Failure::usage("`--at` and `--path` are for the URL of a repository"));
        }
        None => {
            let file = ManifestFile::read(&args.from).map_err(Failure::usage)?;
            confirm(&file, None, args.yes).await?;
            add(&Context::from_env()?.connect().await?, file, None).await?
        }
    };
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

async fn from_repository(args: &Args, repository: &Repository) -> Result<Plugin, Failure> {
    let context = Context::from_env()?;
    let fetched = repository.fetch(&context.home, args.at.as_deref())?;
    fetched.show()?;
    let path = args.path.as_deref();
    let file = fetched.manifest(path)?;
    confirm(&file, Some(&fetched.origin), args.yes).await?;
    // A daemon that starts removes what no plugin uses.
    let client = context.connect().await?;
    let origin = fetched.origin.clone();
    let kept = fetched.keep(&context.home, &file.manifest.name)?;
    let added = match manifest(&kept, path) {
        // The daemon adds no other manifest than the one that was agreed to.
        Ok(kept) => add(&client, ManifestFile { hash: file.hash, ..kept }, Some(origin)).await,
        Err(failure) => Err(failure),
    };
    if added.is_err() {
        // It was made here, and nobody uses it.
        let _ = std::fs::remove_dir_all(&kept);
    }
    added
}

/// Asks whether the program of a plugin may run.
async fn confirm(file: &ManifestFile, origin: Option<&Origin>, yes: bool) -> Result<(), Failure> {
    let words: Vec<String> = file.manifest.command.iter().map(|word| sanitise::line(word)).collect();
    let place = match origin {
        Some(origin) => format!("at commit {} of {}", origin.commit, sanitise::line(&origin.url)),
        None => format!("in {}", sanitise::line(&file.folder.to_string_lossy())),
    };
    let question = format!(
        "The plugin `{}` {} runs `{}` {place} with your rights, now and whenever a workflow uses it. Add it?",
        file.manifest.name,
        sanitise::line(&file.manifest.version),
        words.join(" "),
    );
    ask::confirm(&question, yes).await
}

async fn add(client: &Client, file: ManifestFile, origin: Option<Origin>) -> Result<Plugin, Failure> {
    let folder = file.folder.to_str().map(str::to_owned);
    let folder = folder
        .ok_or_else(|| Failure::usage("the path of the folder is not UTF-8").hint("rename the folder"))?;
    Ok(client.call(plugins::Add { folder, manifest: file.hash, origin }).await?)
}
