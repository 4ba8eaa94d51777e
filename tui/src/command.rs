//! The headless commands, one file per verb.

pub(crate) mod answer;
pub(crate) mod assets;
pub(crate) mod cancel;
pub(crate) mod check;
mod choice;
pub(crate) mod completions;
pub(crate) mod daemon;
pub(crate) mod delete;
pub(crate) mod docs;
pub(crate) mod doctor;
mod follow;
pub(crate) mod help;
mod interrupt;
pub(crate) mod label;
pub(crate) mod logs;
pub(crate) mod new;
pub(crate) mod nodes;
pub(crate) mod ps;
pub(crate) mod queue;
mod reconnect;
pub(crate) mod resume;
pub(crate) mod run;
mod schema;
pub(crate) mod secrets;
pub(crate) mod show;
mod tail;
pub(crate) mod ui;
pub(crate) mod watch;

use std::path::Path;

use fanlight_shared::client::Client;
use fanlight_shared::document::FILE_LIMIT;
use fanlight_shared::rpc::{runs, workflows};
use fanlight_shared::workflow::Workflow;

use crate::cli::{Cli, Command};
use crate::failure::Failure;
use crate::output;
use crate::text_file;

/// Runs the command.
pub(crate) async fn dispatch(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        None => ui::open(&cli.ui).await,
        Some(Command::Run(args)) => run::run(args).await,
        Some(Command::Ps(args)) => ps::run(args).await,
        Some(Command::Show(args)) => show::run(args).await,
        Some(Command::Watch(args)) => watch::run(args).await,
        Some(Command::Logs(args)) => logs::run(args).await,
        Some(Command::Cancel(args)) => cancel::run(args).await,
        Some(Command::Answer(args)) => answer::run(args).await,
        Some(Command::Resume(args)) => resume::run(args).await,
        Some(Command::Delete(args)) => delete::run(args).await,
        Some(Command::Label(args)) => label::run(args).await,
        Some(Command::Assets(args)) => assets::run(args).await,
        Some(Command::Queue(args)) => queue::run(args).await,
        Some(Command::Check(args)) => check::run(&args),
        Some(Command::New(args)) => new::run(&args),
        Some(Command::Nodes(args)) => nodes::run(&args),
        Some(Command::Schema) => schema::run(),
        Some(Command::Daemon(args)) => daemon::run(args).await,
        Some(Command::Secrets(args)) => secrets::run(args),
        Some(Command::Doctor(args)) => doctor::run(args).await,
        Some(Command::Completions(args)) => completions::run(args),
        Some(Command::Docs(args)) => docs::run(&args),
        Some(Command::Help(args)) => help::run(&args),
        Some(Command::Remember(_)) => Err(Failure::not_in_this_version("remember")),
    }
}

/// Returns the run that a person named.
async fn find_run(client: &Client, name: &str) -> Result<runs::Detail, Failure> {
    Ok(client.run(name).await?)
}

/// Reads the items that the response about a run left out. In a run that still runs, they may be newer than the rest.
async fn find_items(client: &Client, detail: &mut runs::Detail) -> Result<(), Failure> {
    let state = &mut detail.state;
    let each = state.nodes.iter().filter(|(_, node)| node.item_count.is_some());
    let names: Vec<String> = each.map(|(name, _)| name.clone()).collect();
    for node in names {
        let mut list = runs::Items { run_id: detail.run.id, node, cursor: None };
        while !state.is_whole() {
            let page = client.call(list.clone()).await?;
            let items = page.rows.into_iter().filter_map(|row| Some((row.item.0?, row.instance)));
            state.take_items(&list.node, items);
            list.cursor = page.cursor;
            if list.cursor.is_none() {
                break;
            }
        }
    }
    Ok(())
}

/// Returns the workflow that a person named: an id, a slug, or the path of its file.
async fn find_workflow(client: &Client, name: &str) -> Result<workflows::Detail, Failure> {
    let path = Path::new(name);
    let workflow = match path.canonicalize() {
        Ok(path) if path.is_file() => path.to_string_lossy().into_owned(),
        _ => name.to_owned(),
    };
    Ok(client.workflow(&workflow).await?)
}

/// Returns a key that makes a request happen once, however often it is sent.
fn request_key() -> String {
    fanlight_shared::id::SubmissionId::new().to_string()
}

/// Checks the text of a workflow file and prints its problems on stderr; `name` is the file's name in messages.
fn read_workflow(name: &str, document: &str) -> Result<Workflow, Failure> {
    match fanlight_shared::document::read(document, &crate::embedded::catalogue()) {
        Ok(checked) => {
            output::problems(name, document, &checked.warnings);
            Ok(checked.workflow)
        }
        Err(problems) => {
            output::problems(name, document, &problems);
            Err(Failure::invalid_file())
        }
    }
}

/// Reads a workflow file.
fn read_document(path: &Path) -> Result<String, Failure> {
    text_file::read(path, FILE_LIMIT as u64).map_err(Failure::usage)
}
