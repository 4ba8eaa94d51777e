//! Turns an attempt of `workflow.run` into a run of another workflow.

use std::path::Path;
use std::sync::Arc;

use fanlight_shared::document::children::FILE_INPUT;
use fanlight_shared::document::ranges::check_params;
use fanlight_shared::environment::Environment;
use fanlight_shared::id::{BlobHash, RunId, SubmissionId};
use fanlight_shared::label::{self, Labelled};
use fanlight_shared::origin::Fresh;
use fanlight_shared::run::Parent;
use fanlight_shared::time::Time;
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};
use fanlight_shared::workflow::Workflow;
use indexmap::IndexMap;

use crate::attempt::Attempt;
use crate::config::Config;
use crate::content;
use crate::engine::plan::Plan;
use crate::engine::submit::{self, Files, Prepared};
use crate::node_type::NodeTypeSet;
use crate::store::{ChildFiles, NewRun, Store, Submit};

/// Returns the key of the submission of an attempt's run. An attempt after an interruption has the same one, and so finds the
/// run of the attempt before.
pub(super) fn request_key(attempt: &Attempt) -> String {
    format!("child.{}", attempt.request_key())
}

/// Prepares the run that an attempt starts. Blocks: reads and stores.
///
/// # Errors
/// A sentence.
pub(super) fn prepare(
    attempt: &Attempt,
    inputs: &Values,
    store: &Store,
    config: &Config,
    types: &NodeTypeSet,
) -> Result<Prepared, String> {
    let file = inputs.get(FILE_INPUT).and_then(Value::as_text).unwrap_or_default();
    let (path, document) = store.child_file(attempt.run.id, file).map_err(|error| error.to_string())?;
    let place = Some(Path::new(&path));
    let workflow = submit::read(&document, types).map_err(|error| format!("{file}: {}", error.message))?;
    submit::check_place(&workflow, place, config, types).map_err(|error| error.message)?;
    let given: Values = inputs.iter().filter(|(name, _)| *name != FILE_INPUT).map(owned).collect();
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
    let slug = submit::slug(&workflow, place);
    let plan = Plan::new(workflow.on_engine(attempt.run.environment.engine()), types)?;
    let request_key = request_key(attempt);
    let submit = Submit {
        digest: BlobHash::of(request_key.as_bytes()),
        request_key,
        workflow_id: plan.workflow.id,
        path: Some(path),
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
        resume: None,
        sweep: None,
        trial: None,
        parent: Some(Parent {
            run: attempt.run.id,
            name: format!("{}#{}", attempt.run.workflow, attempt.run.number),
            node: attempt.node.clone(),
            item: attempt.item,
        }),
        files: ChildFiles::Of(attempt.run.id),
    };
    Ok(Prepared { submit, plan: Arc::new(plan) })
}

fn owned((name, value): (&String, &Value)) -> (String, Value) {
    (name.clone(), value.clone())
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
