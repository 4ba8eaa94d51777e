//! `fanlight convert`: a workflow file from a workflow of another tool.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;

use fanlight_shared::sanitise;

use crate::convert::convert;
use crate::failure::Failure;
use crate::output::{self, Out};
use crate::{node_types, text, text_file};

/// The longest file that is read, in bytes.
const MAX_BYTES: u64 = 16 << 20;

/// The arguments of `convert`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The file of the other tool: a workflow of NodeTool, or a graph of ComfyUI.
    #[arg(value_name = "FILE.json")]
    file: PathBuf,
    /// The file to create; an existing file is never overwritten. Without it, the workflow is printed.
    #[arg(value_name = "OUT.yaml")]
    out: Option<PathBuf>,
}

/// Runs `convert`.
pub(crate) async fn run(args: &Args) -> Result<(), Failure> {
    let shown = args.file.display();
    let given = text_file::read(&args.file, MAX_BYTES).map_err(Failure::usage)?;
    let json = serde_json::from_str(&given)
        .map_err(|error| Failure::failed(format!("`{shown}` is not JSON: {error}")))?;
    let stem = args.file.file_stem().map_or_else(|| "workflow".into(), |stem| stem.to_string_lossy());
    let draft = convert(&json, &sanitise::line(&stem))
        .map_err(|why| Failure::failed(format!("`{shown}` can't be converted: {why}")))?;
    let document = draft.document();
    if let Err(problems) = fanlight_shared::document::read(&document, &node_types::current().await) {
        output::problems(&shown.to_string(), &document, &problems);
        for lost in &draft.lost {
            output::note(&sanitise::line(lost));
        }
        return Err(Failure::failed(format!(
            "`{shown}` can't be converted: too much of it has no counterpart"
        )));
    }
    let mut out = Out::new();
    match &args.out {
        None => out.line(document.trim_end())?,
        Some(path) => {
            let file = path.display();
            let failed = |error: std::io::Error| match error.kind() {
                ErrorKind::AlreadyExists => {
                    Failure::failed(format!("`{file}` exists already; it was left as it is"))
                }
                _ => Failure::failed(format!("`{file}` can't be written: {error}")),
            };
            let mut made = OpenOptions::new().write(true).create_new(true).open(path).map_err(failed)?;
            made.write_all(document.as_bytes()).map_err(failed)?;
            out.line(&format!("made {file}; run it with `fanlight run {file}`"))?;
        }
    }
    out.flush()?;
    if draft.lost.is_empty() {
        return Ok(());
    }
    for lost in &draft.lost {
        output::note(&sanitise::line(lost));
    }
    let things = text::count(draft.lost.len(), "part");
    Err(Failure::failed(format!("{things} of `{shown}` have no counterpart; the file lists them too")))
}
