//! `fanlight check`: checks a workflow file without running it.

use std::io::Read as _;
use std::path::Path;

use fanlight_shared::document::children;
use fanlight_shared::home::Home;
use fanlight_shared::workflow::Workflow;

use super::read_document;
use crate::embedded;
use crate::failure::Failure;
use crate::output::{Out, json};
use crate::{host, node_types, output, text};

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
            let mut problems = checked.warnings;
            let path = Path::new(&args.file).canonicalize().ok().filter(|_| args.file != "-");
            let files = children::read(&checked.workflow, path.as_deref(), &types, &mut children::open);
            let found = files.map(|_| checked.workflow).map_err(|errors| problems.extend(errors)).ok();
            // Without a home, or with one elsewhere, there is nothing to compare with.
            if let (Some(workflow), Ok(home), false) = (&found, Home::from_env(), host::is_chosen()) {
                problems.extend(embedded::missing_secrets(&home, workflow));
            }
            problems.sort_by_key(|problem| problem.span.start);
            (found, problems)
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
