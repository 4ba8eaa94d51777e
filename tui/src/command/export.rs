//! `fanlight export`: ended runs in an archive, for another home.

mod compressed;

use std::fs::File;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use fanlight_shared::client::{Client, ClientError};
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::{runs, sweeps};
use fanlight_shared::sanitise;

use super::interrupt::Interrupt;
use super::{choice, find_run, find_workflow, is_path};
use crate::context::Context;
use crate::download::NewFile;
use crate::failure::Failure;
use crate::output::{self, Out, json};
use crate::text;
use compressed::Compressed;

/// The arguments of `export`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Runs such as `poster#12`, sweeps such as `poster/3`, and workflows: their names, or the paths of their files.
    #[arg(value_name = "RUN|SWEEP|WORKFLOW", required = true)]
    what: Vec<String>,
    /// The archive to create, such as `poster.tar.zst`; `-` is stdout.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Leave out the runs that have not ended; without this they are an error.
    #[arg(long)]
    ended: bool,
    /// Replace a file that exists.
    #[arg(long)]
    force: bool,
    /// Print a JSON object with the counts.
    #[arg(long)]
    json: bool,
}

/// Runs `export`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let is_stdout = args.file == Path::new("-");
    let shown = sanitise::line(&args.file.to_string_lossy());
    if is_stdout && std::io::stdout().is_terminal() {
        return Err(Failure::usage("an archive is not written to a terminal").hint("name a file, or pipe it"));
    }
    if !is_stdout && !args.force && std::fs::symlink_metadata(&args.file).is_ok() {
        return Err(Failure::usage(format!("`{shown}` exists already; it was left as it is"))
            .hint("`--force` replaces it"));
    }
    let client = Context::from_env()?.connect().await?;
    let export = runs::Export { runs: runs_of(&client, &args.what).await?, ended: args.ended };
    if is_stdout {
        // Without a buffer of its own: the archive is written in large pieces.
        let file = std::io::stdout();
        let file = rustix::io::dup(&file).map_err(|error| Failure::failed(error.to_string()))?;
        let (exported, bytes) = write(&client, &export, File::from(file), "stdout").await?;
        if !args.json {
            say(&exported, bytes);
        }
        return Ok(());
    }
    let usage = |why: String| Failure::usage(why);
    let new = NewFile::beside(&args.file).map_err(usage)?;
    let file = new.temporary.reopen().map_err(|error| usage(new.says(&error)))?;
    let mut interrupt = Interrupt::new()?;
    let (exported, bytes) = tokio::select! {
        written = write(&client, &export, file, &shown) => written?,
        // The temporary file goes.
        _ = interrupt.next() => return Err(Failure::interrupted()),
    };
    new.temporary.as_file().sync_all().map_err(|error| Failure::failed(new.says(&error)))?;
    if args.force { new.replace() } else { new.keep() }.map_err(usage)?;
    sync_folder(&args.file);
    let mut out = Out::new();
    if args.json {
        json::print(&mut out, &exported)?;
    } else {
        out.line(&shown)?;
        say(&exported, bytes);
    }
    out.flush()
}

/// Writes the compressed archive. Returns the response and how many bytes were written.
async fn write(
    client: &Client,
    export: &runs::Export,
    file: File,
    shown: &str,
) -> Result<(runs::Exported, u64), Failure> {
    let failed =
        |error: &dyn std::fmt::Display| Failure::failed(format!("`{shown}` can't be written: {error}"));
    let mut to = Compressed::new(file).map_err(|error| failed(&error))?;
    let total = to.total();
    let exported = client.export_into(export, |exported| total.set(exported.stream.bytes), &mut to).await;
    let exported = exported.map_err(|error| match error {
        ClientError::Write(error) => failed(&error),
        ClientError::Broken { .. } => {
            Failure::failed("the runs could not be read to their end; nothing was exported")
                .hint("`fanlight daemon status` names the log of the daemon, which says why")
        }
        error => error.into(),
    })?;
    let bytes = to.finish().map_err(|error| failed(&error))?;
    Ok((exported, bytes))
}

fn say(exported: &runs::Exported, bytes: u64) {
    let count = |number: u64, noun: &str| text::count(usize::try_from(number).unwrap_or(usize::MAX), noun);
    let (runs, assets) = (count(exported.runs, "run"), count(exported.assets, "asset"));
    output::note(&format!("exported {runs} with {assets}, {}", text::size(bytes)));
    if exported.left_out > 0 {
        let have = if exported.left_out == 1 { "has" } else { "have" };
        output::note(&format!("left out {} that {have} not ended", count(exported.left_out, "run")));
    }
}

/// Makes the name of a new file as durable as its content, as far as the file system can.
fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

/// Returns the runs that a person means, each once.
async fn runs_of(client: &Client, names: &[String]) -> Result<Vec<RunId>, Failure> {
    let mut found = Vec::new();
    for name in names {
        if !name.contains(['#', ':']) || is_path(name) {
            if let Ok(workflow) = find_workflow(client, name).await {
                let runs = choice::all(client, Some(workflow.workflow.id), &[]).await?;
                // Those that others started are exported with them.
                found.extend(runs.iter().filter(|run| run.parent.is_none()).map(|run| run.id));
                continue;
            }
            if let Ok(detail) = client.call(sweeps::Get { sweep: name.clone() }).await
                && detail.sweep.name == *name
            {
                found.extend(choice::of_sweep(client, name.clone(), &[]).await?.iter().map(|run| run.id));
                continue;
            }
        }
        found.push(find_run(client, name).await?.run.id);
    }
    found.sort();
    found.dedup();
    Ok(found)
}
