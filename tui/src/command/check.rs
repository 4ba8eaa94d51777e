//! `fanlight check`: checks a workflow file without running it.

use std::io::Read as _;
use std::path::Path;

use fanlight_shared::home::Home;
use fanlight_shared::workflow::Workflow;

use super::read_document;
use crate::embedded;
use crate::failure::Failure;
use crate::output::{Out, json};
use crate::{node_types, output, text};

/// The arguments of `check`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The workflow file; `-` is standard input.
    #[arg(value_name = "FILE")]
    file: String,
    /// Print the problems as JSON, one object per line.
    #[arg(long)]
    json: bool,
}

/// Runs `check`.
pub(crate) async fn run(args: &Args) -> Result<(), Failure> {
    let document = if args.file == "-" { read_stdin()? } else { read_document(Path::new(&args.file))? };
    let types = node_types::current().await;
    let (workflow, problems) = match fanlight_shared::document::read(&document, &types) {
        Ok(checked) => {
            let mut warnings = checked.warnings;
            // Without a home there is nothing to compare with.
            if let Ok(home) = Home::from_env() {
                warnings.extend(embedded::missing_secrets(&home, &checked.workflow));
                warnings.sort_by_key(|warning| warning.span.start);
            }
            (Some(checked.workflow), warnings)
        }
        Err(problems) => (None, problems),
    };
    let mut out = Out::new();
    if args.json {
        for problem in &problems {
            json::print(&mut out, problem)?;
        }
    } else {
        output::problems(&args.file, &document, &problems);
        if let Some(workflow) = &workflow {
            out.line(&format!("{}: {}", args.file, good(workflow)))?;
        }
    }
    out.flush()?;
    if workflow.is_some() { Ok(()) } else { Err(Failure::invalid_file()) }
}

fn read_stdin() -> Result<String, Failure> {
    let mut document = String::new();
    std::io::stdin()
        .lock()
        .read_to_string(&mut document)
        .map_err(|error| Failure::usage(format!("standard input can't be read as text: {error}")))?;
    Ok(document)
}

fn good(workflow: &Workflow) -> String {
    format!(
        "good: {}, {}, {}",
        text::count(workflow.params.len(), "param"),
        text::count(workflow.nodes.len(), "node"),
        text::count(workflow.outputs.len(), "output"),
    )
}
