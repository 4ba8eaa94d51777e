//! Resume: makes a new run from an ended one. It reuses finished values that don't depend on anything that runs again.

mod inputs;
mod reuse;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use fanlight_shared::document::children;
use fanlight_shared::document::ranges::check_params;
use fanlight_shared::environment::Environment;
use fanlight_shared::id::{RunId, SubmissionId, Version};
use fanlight_shared::label::{self, Labelled};
use fanlight_shared::origin::Fresh;
use fanlight_shared::rpc::{ErrorCode, RpcError, runs};
use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::time::Time;
use fanlight_shared::value::Values;
use fanlight_shared::workflow::Param;
use indexmap::IndexMap;

use super::child_files;
use super::elsewhere::local;
use super::errors::refused;
use super::plan::Plan;
use super::recover;
use super::requirements;
use super::submit::{self, Files};
use crate::config::Config;
use crate::content;
use crate::node_type::{CHILDREN, NodeTypeSet};
use crate::store::blob::Published;
use crate::store::{ChildFiles, NewFile, NewRun, OpenRun, ResumeFrom, Store, StoreError, Submit};
use inputs::Inputs;
use reuse::Ended;

/// A resume that is ready to be stored.
pub(super) struct Resumption {
    pub(super) prepared: submit::Prepared,
    /// The values that the new run reuses, for the response.
    pub(super) reuse: runs::Reuse,
    pub(super) hints: Vec<String>,
}

/// The file of the new run, and what follows from it.
struct Source {
    document: String,
    plan: Plan,
    params: Values,
    /// Blobs of new params.
    blobs: Vec<Published>,
    /// Nodes that the new version of the file changes.
    touched: HashSet<usize>,
    hints: Vec<String>,
}

/// Checks that a run can be resumed, and decides what the new one reuses. Blocks.
///
/// # Errors
/// The run has not ended, or completed with this version of its file; the new version of the file has problems.
pub(super) fn prepare(
    request: runs::Resume,
    config: &Config,
    store: &Store,
    types: &NodeTypeSet,
) -> Result<Resumption, RpcError> {
    let digest = submit::digest(&request);
    let open = store.run(request.run).map_err(|error| match error {
        StoreError::Unreadable(why) => RpcError::refused(format!(
            "this run can't be resumed, because it is damaged: {why}; run its workflow again"
        )),
        error => refused(&error),
    })?;
    let version = request.document.as_deref().map(Version::of);
    let is_fork = request.afresh || request.at.is_some() || !request.params.is_empty();
    if let Some(parent) = &open.run.parent {
        let name = open.run.name();
        return Err(RpcError::refused(format!("{name} was started by {}; resume that run", parent.name)));
    }
    check_ended(&open.run)?;
    // A run that starts others may find them changed, although its own file is the same.
    let reads_files = request.document.is_some();
    let mut source = match request.document {
        Some(document) if version.as_ref() != Some(&open.run.version) => {
            new_version(&open, document, &request.params, store, types)?
        }
        _ if !request.params.is_empty() => {
            new_version(&open, open.document.clone(), &request.params, store, types)?
        }
        _ => same_version(&open, store, types)?,
    };
    let mut fresh = Fresh::clone(&open.fresh);
    if let Some(at) = &request.at {
        source.touched.insert(node_named(&source.plan, at)?);
        fresh.add(at);
    }
    if request.afresh {
        source.touched.extend(0..source.plan.nodes.len());
        fresh = Fresh::All(true);
    }
    let path = open.path.as_deref().map(Path::new);
    requirements::check(&source.plan.workflow, path, config, types, request.missing_secrets)?;
    let files = match reads_files {
        true => ChildFiles::Read(child_files::read(&source.plan.workflow, path, &[], config, types, false)?),
        false => ChildFiles::Of(open.run.id),
    };
    let runs_others = match &files {
        ChildFiles::Read(new) if has_other_files(new, &open.run, store)? => {
            let nodes = source.plan.nodes.iter().enumerate();
            nodes.filter(|(_, node)| node.executor == CHILDREN).map(|(at, _)| at).collect()
        }
        _ => Vec::new(),
    };
    if runs_others.is_empty() {
        check_version(&open.run, version.as_ref(), is_fork)?;
    }
    source.touched.extend(runs_others);
    let state = recover::fold(&source.plan, &open);
    let inputs = Inputs::new(&source.plan, store.blobs());
    let ended = Ended::new(&state, &open.values, |node, port, value| inputs.are_there(node, port, value));
    let again = reuse::again(&source.plan, &ended, &source.touched);
    request.environment.check().map_err(|error| RpcError::new(ErrorCode::BadParams, error))?;
    let mut environment = Environment::clone(&open.environment);
    environment.extend(request.environment);
    let mut hints = source.hints;
    hints.extend(inputs.hint());
    drop(inputs);
    let gone = ended.gone(&source.plan, &again, &source.touched);
    hints.extend(forgotten(&open.run, &gone, store).map_err(|error| refused(&error))?);
    let (plan, run) = (source.plan, &open.run);
    let finished = ended.finished(run, &plan, &again);
    let reuse = ended.reuse(&plan, &again, &finished);
    let label =
        if request.params.is_empty() { run.label.clone() } else { label_of(&plan, path, &source.params) };
    let submit = Submit {
        request_key: request.request_key,
        workflow_id: Some(run.workflow_id),
        slug: run.workflow.clone(),
        title: submit::title(&plan.workflow, path),
        version: plan.version(source.document),
        digest,
        submission: SubmissionId::new(),
        at: Time::now(),
        runs: vec![NewRun { id: RunId::new(), label, params: source.params }],
        blobs: source.blobs,
        environment,
        made_with: plan.made_with(),
        fresh,
        next: false,
        priority: Some(run.priority),
        parent: None,
        trial: None,
        files,
        resume: Some(ResumeFrom { run: run.id, finished }),
        path: open.path.clone(),
        sweep: None,
    };
    Ok(Resumption { prepared: submit::Prepared { submit, plan: Arc::new(plan) }, reuse, hints })
}

/// Says why nodes run again that completed: their values are `gone`.
fn forgotten(run: &Run, gone: &[&str], store: &Store) -> Result<Option<String>, StoreError> {
    const SHOWN: usize = 5;
    if gone.is_empty() {
        return Ok(None);
    }
    let mut names = gone.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    if let Some(more) = gone.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        names.push_str(&format!(" and {more} more"));
    }
    let why = match store.is_evicted(run.id)? {
        true => {
            "were forgotten: only the newest ended runs of a workflow keep them (`keep_values` in the config)"
        }
        false => "are no longer stored",
    };
    Ok(Some(format!("the values of {names} in {} {why}", run.name())))
}

/// Returns the place of a node.
fn node_named(plan: &Plan, name: &str) -> Result<usize, RpcError> {
    let unknown = || submit::unknown_node("at", name, plan.index.keys().map(String::as_str));
    plan.index.get(name).copied().ok_or_else(unknown)
}

/// Returns the label of a run with these params.
fn label_of(plan: &Plan, path: Option<&Path>, params: &Values) -> String {
    let defaults: IndexMap<_, _> =
        plan.workflow.params.iter().map(|(name, it)| (name.clone(), it.default.clone())).collect();
    label::label(&Labelled {
        own: None,
        title: &submit::title(&plan.workflow, path),
        defaults: &defaults,
        params,
        swept: &label::swept(&[]),
        repeat: None,
    })
}

/// Returns whether the files of the workflows that a run starts differ from those that it was submitted with.
fn has_other_files(new: &[NewFile], run: &Run, store: &Store) -> Result<bool, RpcError> {
    let known = store.child_versions(run.id).map_err(|error| refused(&error))?;
    Ok(child_files::versions(new) != known)
}

fn check_ended(run: &Run) -> Result<(), RpcError> {
    if run.state.is_ended() {
        return Ok(());
    }
    let (name, state) = (run.name(), run.state.word());
    Err(RpcError::refused(format!("{name} is {state}; cancel it first, or wait for its end")))
}

/// Checks that there is something to do: a completed run is only resumed with another version of its file, or forked.
fn check_version(run: &Run, version: Option<&Version>, is_fork: bool) -> Result<(), RpcError> {
    let name = run.name();
    match run.state {
        RunStatus::Completed if is_fork => Ok(()),
        RunStatus::Completed if version.is_none() => {
            Err(RpcError::refused(format!("{name} completed; there is nothing to resume")))
        }
        RunStatus::Completed if version == Some(&run.version) => Err(RpcError::refused(format!(
            "{name} completed and its file has not changed since; there is nothing to resume"
        ))),
        _ => Ok(()),
    }
}

/// Returns the version that the run was submitted with.
fn same_version(open: &OpenRun, store: &Store, types: &NodeTypeSet) -> Result<Source, RpcError> {
    let plan = read(&open.document, open.environment.engine(), types)?;
    let changed = local(open.path.as_deref().map(Path::new)).and_then(Path::to_str);
    let changed = changed.filter(|path| is_changed(Path::new(path), &open.run.version));
    let hint = changed.map(|path| {
        let name = open.run.name();
        format!("{path} has changed since {name} was submitted; `fanlight resume --new-version '{name}'` uses it as it is now")
    });
    // An earlier version stored large params in the rows of their runs.
    let mut files = Files::new(store.blobs());
    let params = files.store_large(open.run.params.clone())?;
    Ok(Source {
        document: open.document.clone(),
        plan,
        params,
        blobs: files.published,
        touched: HashSet::new(),
        hints: hint.into_iter().collect(),
    })
}

/// Returns the current file, with the params of the run and `other` values for some of them.
fn new_version(
    open: &OpenRun,
    document: String,
    other: &Values,
    store: &Store,
    types: &NodeTypeSet,
) -> Result<Source, RpcError> {
    let plan = read(&document, open.environment.engine(), types)?;
    let run = &open.run;
    if plan.workflow.id.is_some_and(|id| id != run.workflow_id) {
        return Err(RpcError::refused(format!(
            "the file has another `id:` than {} had, so it is another workflow; start it with `fanlight run`",
            run.name()
        )));
    }
    let (known, gone): (Values, Values) =
        run.params.clone().into_iter().partition(|(name, _)| plan.workflow.params.contains_key(name));
    let mut known =
        content::whole(known, store.blobs()).map_err(|error| RpcError::refused(format!("param {error}")))?;
    known.extend(other.clone());
    let is_new = |(name, param): &(&String, &Param)| param.default.is_none() && !known.contains_key(*name);
    if let Some((name, param)) = plan.workflow.params.iter().find(is_new) {
        return Err(RpcError::new(
            ErrorCode::BadParams,
            format!(
                "param `{name}` ({}) is required, and {} has no value for it; give the param a default, or start the file \
                 with `fanlight run`",
                param.ty,
                run.name()
            ),
        ));
    }
    let params = check_params(&plan.workflow, &known)
        .map_err(|errors| RpcError::new(ErrorCode::BadParams, errors.join("\n")))?;
    let mut files = Files::new(store.blobs());
    let params = files.import(&plan.workflow, params, open.path.as_deref().map(Path::new))?;
    let params = files.store_large(params)?;
    let touched = match read(&open.document, open.environment.engine(), types) {
        Ok(old) => reuse::touched((&old, &run.params), (&plan, &params)),
        // If they can't be compared, everything counts as changed.
        Err(_) => (0..plan.nodes.len()).collect(),
    };
    let hints = gone.keys().map(|name| format!("the file no longer has the param `{name}`")).collect();
    Ok(Source { document, plan, params, blobs: files.published, touched, hints })
}

/// Reads and checks a workflow file, whose commands run on the engine that was chosen for a run.
pub(super) fn read(document: &str, engine: Option<&str>, types: &NodeTypeSet) -> Result<Plan, RpcError> {
    submit::read(document, types)
        .and_then(|workflow| Plan::new(workflow.on_engine(engine), types).map_err(RpcError::internal))
}

/// Returns whether the file at this path exists and has another version.
fn is_changed(path: &Path, version: &Version) -> bool {
    children::open(path).is_ok_and(|(_, text)| Version::of(&text) != *version)
}
