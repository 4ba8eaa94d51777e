//! Turns an attempt of a node into a run of another workflow.

use std::path::Path;
use std::sync::Arc;

use fanlight_shared::document::ranges::check_params;
use fanlight_shared::environment::Environment;
use fanlight_shared::id::{BlobHash, RunId, SubmissionId, WorkflowId};
use fanlight_shared::label::{self, Labelled};
use fanlight_shared::origin::Fresh;
use fanlight_shared::run::Parent;
use fanlight_shared::time::Time;
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};
use fanlight_shared::workflow::Workflow;
use indexmap::IndexMap;

use super::Children;
use crate::attempt::Attempt;
use crate::config::Config;
use crate::content;
use crate::engine::plan::Plan;
use crate::engine::requirements;
use crate::engine::submit::{self, Files, Prepared};
use crate::node_type::NodeTypeSet;
use crate::store::blob::Published;
use crate::store::{ChildFiles, NewRun, Store, Submit};

/// Returns the key of the submission of an attempt's run. An attempt after an interruption has the same one, and so finds the
/// run of the attempt before.
pub(super) fn request_key(attempt: &Attempt) -> String {
    format!("child.{}", attempt.request_key())
}

/// The workflow of a run that a node starts.
pub(super) enum Source {
    /// A file that the run of the node was submitted with.
    File(String),
    /// A document of the node itself. All runs of one `tool` of a node are runs of one workflow.
    #[cfg(feature = "llm")]
    Document { text: String, tool: String },
}

/// What a run needs of its workflow.
struct Read {
    path: Option<String>,
    document: String,
    workflow: Workflow,
    id: Option<WorkflowId>,
    files: ChildFiles,
}

impl Source {
    /// Reads and checks the workflow. Blocks.
    fn read(
        &self,
        attempt: &Attempt,
        store: &Store,
        config: &Config,
        types: &NodeTypeSet,
    ) -> Result<Read, String> {
        let read = match self {
            Self::File(file) => {
                let (path, document) =
                    store.child_file(attempt.run.id, file).map_err(|error| error.to_string())?;
                let workflow =
                    submit::read(&document, types).map_err(|error| format!("{file}: {}", error.message))?;
                let (id, files) = (workflow.id, ChildFiles::Of(attempt.run.id));
                Read { path: Some(path), document, workflow, id, files }
            }
            #[cfg(feature = "llm")]
            Self::Document { text, tool } => {
                let workflow = submit::read(text, types).map_err(|error| error.message)?;
                let id = own_id(attempt, tool);
                let workflow = Workflow { id: Some(id), ..workflow };
                Read {
                    path: None,
                    document: text.clone(),
                    workflow,
                    id: Some(id),
                    files: ChildFiles::default(),
                }
            }
        };
        let place = read.path.as_deref().map(Path::new);
        requirements::check(&read.workflow, place, config, types, false).map_err(|error| error.message)?;
        Ok(read)
    }
}

/// Returns the id of the workflow of a tool: the same one for all runs of the workflow of its node.
#[cfg(feature = "llm")]
fn own_id(attempt: &Attempt, tool: &str) -> WorkflowId {
    let hash = BlobHash::of(format!("{} {} {tool}", attempt.run.workflow_id, attempt.node).as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.as_bytes()[..16]);
    WorkflowId::from_bytes(bytes)
}

/// Prepares a run that an attempt starts. Blocks: reads and stores.
///
/// # Errors
/// A sentence.
pub(super) fn prepare(
    attempt: &Attempt,
    source: &Source,
    given: Values,
    is_tool: bool,
    request_key: String,
    of: &Children,
) -> Result<Prepared, String> {
    let (store, types) = (&of.store, &of.node_types.now());
    let Read { path, document, workflow, id, files: child_files } =
        source.read(attempt, store, &of.config, types)?;
    let place = path.as_deref().map(Path::new);
    let given = content::whole(given, store.blobs())?;
    no_paths(&workflow, &given)?;
    let params = check_params(&workflow, &given).map_err(|errors| errors.join("; "))?;
    let title = submit::title(&workflow, place);
    let defaults: IndexMap<_, _> =
        workflow.params.iter().map(|(name, it)| (name.clone(), it.default.clone())).collect();
    let label = label::label(&Labelled {
        own: None,
        title: &title,
        defaults: &defaults,
        params: &params,
        swept: &label::swept(&[]),
        repeat: None,
    });
    let mut files = Files::new(store.blobs());
    // Defaults may name files.
    let params = files.import(&workflow, params, place).map_err(|error| error.message)?;
    let params = files.store_large(params).map_err(|error| error.message)?;
    if is_tool {
        hold_files(&params, store, &mut files.published)?;
    }
    let slug = submit::slug(&workflow, place);
    let plan = Plan::new(workflow.on_engine(attempt.run.environment.engine()), types)?;
    let submit = Submit {
        digest: BlobHash::of(request_key.as_bytes()),
        request_key,
        workflow_id: id,
        path,
        slug,
        title,
        version: plan.version(document),
        submission: SubmissionId::new(),
        at: Time::now(),
        runs: vec![NewRun { id: RunId::new(), label, params }],
        blobs: files.published,
        environment: environment(attempt),
        made_with: plan.made_with(),
        // The engine knows whether the node reuses results.
        fresh: Fresh::default(),
        next: false,
        priority: None,
        resume: None,
        sweep: None,
        trial: None,
        parent: Some(Parent {
            run: attempt.run.id,
            name: format!("{}#{}", attempt.run.workflow, attempt.run.number),
            node: attempt.node.clone(),
            item: attempt.item,
        }),
        files: child_files,
    };
    Ok(Prepared { submit, plan: Arc::new(plan) })
}

/// Holds the files that another tool may have made just now, and that no batch has stored yet.
fn hold_files(params: &Values, store: &Store, held: &mut Vec<Published>) -> Result<(), String> {
    for (hash, _) in params.values().flat_map(Value::blobs) {
        if held.iter().any(|known| known.hash == hash) {
            continue;
        }
        let published =
            store.blobs().republish(hash).map_err(|error| format!("a file can't be read: {error}"))?;
        held.push(published.ok_or("a file is gone or damaged")?);
    }
    Ok(())
}

/// Refuses a text where the workflow takes a file: a value of another node is not a path to be read.
fn no_paths(workflow: &Workflow, given: &Values) -> Result<(), String> {
    fn has_text(value: &Value) -> bool {
        match value {
            Value::Text(_) => true,
            Value::List(items) => items.iter().any(has_text),
            _ => false,
        }
    }
    let takes_file = |name: &str| workflow.params.get(name).is_some_and(|param| param.ty.has_media());
    match given.iter().find(|(name, value)| takes_file(name) && has_text(value)) {
        Some((name, _)) => {
            let ty = workflow.params.get(name).map_or(Type::Any, |param| param.ty.clone());
            Err(format!("param `{name}` is {ty}, and a path is only text; load the file with a node"))
        }
        None => Ok(()),
    }
}

/// Returns the variables that the run gets: those of its parent, without those that only other nodes ask for.
fn environment(attempt: &Attempt) -> Environment {
    let mut environment = Environment::default();
    let withheld = |name: &str| attempt.withheld.iter().any(|it| it == name);
    attempt.run.environment.iter().filter(|(name, _)| !withheld(name)).for_each(|(name, value)| {
        environment.insert(name, value);
    });
    environment
}
