//! Turns a request into runs: checks the file, converts params to values and files to blobs, and makes labels.

mod sweep;
mod trial;

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use fanlight_shared::document;
use fanlight_shared::document::ranges::check_params;
use fanlight_shared::host_path;
use fanlight_shared::id::{BlobHash, RunId, SubmissionId};
use fanlight_shared::label::{self, Labelled};
use fanlight_shared::media::{Media, MediaKind};
use fanlight_shared::origin::Fresh;
use fanlight_shared::problem::no_node;
use fanlight_shared::rpc::{ErrorCode, Request, RpcError, runs};
use fanlight_shared::run::check_priority;
use fanlight_shared::sweep::RUN_LIMIT;
use fanlight_shared::time::Time;
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};
use fanlight_shared::workflow::Workflow;
use indexmap::IndexMap;

use super::elsewhere::host_of;
use super::errors::{invalid, refused};
use super::plan::Plan;
use super::{child_files, requirements};
use crate::config::Config;
use crate::content;
use crate::media;
use crate::node_type::NodeTypeSet;
use crate::store::blob::{Blobs, Published};
use crate::store::{ChildFiles, NewRun, Store, Submit, SweepOf};

/// A submission that is ready to be stored.
pub(super) struct Prepared {
    pub(super) submit: Submit,
    pub(super) plan: Arc<Plan>,
}

/// Checks a request and creates its runs. Blocks: reads and stores files.
pub(super) fn prepare(
    request: runs::Start,
    config: &Config,
    store: &Store,
    types: &NodeTypeSet,
) -> Result<Prepared, RpcError> {
    let digest = digest(&request);
    let search = request.sweep.as_ref().and_then(|sweep| sweep.search.clone());
    if request.sets.is_empty() {
        return Err(RpcError::new(ErrorCode::BadParams, "no runs requested: `sets` is empty"));
    }
    check_count(&request.sets)?;
    check_request_key(&request.request_key)?;
    if let Some(priority) = request.priority {
        check_priority(priority).map_err(|why| RpcError::new(ErrorCode::BadParams, why))?;
    }
    request.environment.check().map_err(|error| RpcError::new(ErrorCode::BadParams, error))?;
    let path = request.path.as_deref().map(canonical).transpose()?;
    if let Some(path) = &path {
        check_there(path, store)?;
    }
    let workflow = read(&request.document, types)?.on_engine(request.environment.engine());
    requirements::check(&workflow, path.as_deref(), config, types, request.missing_secrets)?;
    check_fresh(&workflow, &request.fresh)?;
    let extended = request.sweep.as_ref().and_then(|sweep| sweep.extends.as_deref());
    let files = match extended {
        // The runs of a sweep are compared, so all of them run the same files.
        Some(sweep) => ChildFiles::Of(store.run_of_sweep(sweep).map_err(|error| refused(&error))?),
        None => {
            let path = path.as_deref();
            let accepts = request.missing_secrets;
            ChildFiles::Read(child_files::read(&workflow, path, &request.files, config, types, accepts)?)
        }
    };
    let title = title(&workflow, path.as_deref());
    let slug = slug(&workflow, path.as_deref());
    let mut media = Files::new(store.blobs());
    let defaults: IndexMap<String, Option<Value>> =
        workflow.params.iter().map(|(name, param)| (name.clone(), param.default.clone())).collect();
    let mut sets = request.sets;
    let own_label = request.label.as_deref().map(check_label).transpose()?;
    let first = match (&search, sets.as_mut_slice()) {
        (None, _) => None,
        (Some(search), [set]) if set.repeat.is_none() && own_label.is_none() => {
            Some(trial::first(search, &workflow, &mut set.params)?)
        }
        (Some(_), _) => {
            let why = "a search has one set of params, without repeats and without a label";
            return Err(RpcError::new(ErrorCode::BadParams, why));
        }
    };
    let given: Vec<IndexMap<String, Value>> = sets.iter().map(|set| set.params.clone()).collect();
    let sweep = sweep::of(request.sweep.as_ref(), &given, store)?;
    let swept = sweep.as_ref().map(SweepOf::swept).unwrap_or_default();
    let mut new = Vec::with_capacity(sets.len());
    for set in &sets {
        let params = check_params(&workflow, &set.params)
            .map_err(|errors| RpcError::new(ErrorCode::BadParams, errors.join("\n")))?;
        let repeat = set.repeat.map(|repeat| (repeat.nth, repeat.of));
        let label = label::label(&Labelled {
            own: own_label.as_deref(),
            title: &title,
            defaults: &defaults,
            params: &params,
            swept,
            repeat,
        });
        let params = media.import(&workflow, params, path.as_deref())?;
        let params = media.store_large(params)?;
        new.push(NewRun { id: RunId::new(), label, params });
    }
    label::number_equal(new.iter_mut().map(|run| &mut run.label));
    let plan = Plan::new(workflow, types).map_err(RpcError::internal)?;
    let submit = Submit {
        request_key: request.request_key,
        workflow_id: plan.workflow.id,
        path: path.map(|path| path.to_string_lossy().into_owned()),
        slug,
        title,
        version: plan.version(request.document),
        digest,
        submission: SubmissionId::new(),
        at: Time::now(),
        runs: new,
        blobs: media.published,
        environment: request.environment,
        made_with: plan.made_with(),
        fresh: request.fresh,
        next: request.next,
        priority: request.priority,
        sweep,
        trial: first,
        resume: None,
        parent: None,
        files,
    };
    Ok(Prepared { submit, plan: Arc::new(plan) })
}

/// Checks the number of the runs of a request.
pub(super) fn check_count(sets: &[runs::ParamSet]) -> Result<(), RpcError> {
    if sets.len() > RUN_LIMIT {
        let message = format!("at most {RUN_LIMIT} runs are accepted at once");
        return Err(RpcError::new(ErrorCode::BadParams, message));
    }
    Ok(())
}

/// Checks a client's own key for a request.
pub(super) fn check_request_key(key: &str) -> Result<(), RpcError> {
    match key.len() {
        1..=200 => Ok(()),
        _ => Err(RpcError::new(ErrorCode::BadParams, "`request_key` must have 1 to 200 bytes")),
    }
}

/// Returns a digest of a request: of its method and all its params.
pub(super) fn digest<R: Request>(request: &R) -> BlobHash {
    // Our own types always serialise.
    let params = serde_json::to_vec(request).unwrap_or_default();
    BlobHash::of(&[R::METHOD.as_bytes(), &params].concat())
}

/// Reads and checks a file.
pub(super) fn read(text: &str, types: &NodeTypeSet) -> Result<Workflow, RpcError> {
    match document::read(text, types.catalogue()) {
        Ok(checked) => Ok(checked.workflow),
        Err(problems) => Err(invalid(problems)),
    }
}

/// Checks the path of a workflow file.
pub(super) fn canonical(path: &str) -> Result<PathBuf, RpcError> {
    let wrong = |why: &str| RpcError::new(ErrorCode::BadParams, format!("the path `{path}` {why}"));
    let there = host_path::split(path).map_or(path, |(_, there)| there);
    if !Path::new(there).is_absolute() {
        return Err(wrong("is not absolute"));
    }
    let path = Path::new(path);
    if path.components().any(|part| matches!(part, Component::ParentDir)) {
        return Err(wrong("is not canonical"));
    }
    Ok(path.to_owned())
}

/// Checks that a workflow file on this computer is there. One that has run before can still run when its file is gone: its
/// path identifies it.
fn check_there(path: &Path, store: &Store) -> Result<(), RpcError> {
    let path = path.to_string_lossy();
    if !path.starts_with('/') || std::fs::symlink_metadata(&*path).is_ok() || store.workflow(&path).is_ok() {
        return Ok(());
    }
    let message = format!("`path`: there is no file {path}; leave it out for a document without a file");
    Err(RpcError::new(ErrorCode::BadParams, message))
}

/// Checks the names of the nodes that reuse no results.
fn check_fresh(workflow: &Workflow, fresh: &Fresh) -> Result<(), RpcError> {
    let Fresh::Nodes(names) = fresh else { return Ok(()) };
    let Some(unknown) = names.iter().find(|name| !workflow.nodes.contains_key(*name)) else { return Ok(()) };
    Err(unknown_node("fresh", unknown, workflow.nodes.keys().map(String::as_str)))
}

/// Returns the error if a field of a request names a node that the workflow doesn't have.
pub(super) fn unknown_node<'a>(field: &str, name: &str, nodes: impl Iterator<Item = &'a str>) -> RpcError {
    let (message, hint) = no_node("the workflow", name, nodes);
    let hint = hint.map(|hint| format!("; {hint}")).unwrap_or_default();
    RpcError::new(ErrorCode::BadParams, format!("`{field}`: {message}{hint}"))
}

/// Checks the user's own label.
pub(super) fn check_label(label: &str) -> Result<String, RpcError> {
    let label = label.trim();
    if label.is_empty() || label.chars().count() > 200 || label.chars().any(char::is_control) {
        return Err(RpcError::new(ErrorCode::BadParams, "a label is one line of 1 to 200 characters"));
    }
    Ok(label.to_owned())
}

fn stem(path: &Path) -> Option<String> {
    Some(path.file_stem()?.to_string_lossy().into_owned())
}

pub(super) fn title(workflow: &Workflow, path: Option<&Path>) -> String {
    workflow.name.clone().or_else(|| path.and_then(stem)).unwrap_or_else(|| "untitled".to_owned())
}

/// Returns the short name: from the file's name, else from the workflow's.
pub(super) fn slug(workflow: &Workflow, path: Option<&Path>) -> String {
    let from = path.and_then(stem).or_else(|| workflow.name.clone()).unwrap_or_default();
    let mut slug = String::new();
    for letter in from.to_lowercase().chars() {
        match letter {
            'a'..='z' | '0'..='9' | '_' => slug.push(letter),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    let slug: String = slug.trim_end_matches('-').chars().take(40).collect();
    if slug.is_empty() { "workflow".to_owned() } else { slug }
}

/// The files that params name, and the content of large params, each stored once.
pub(super) struct Files<'a> {
    blobs: &'a Blobs,
    seen: HashMap<PathBuf, Media>,
    /// Media whose bytes a client has sent: by hash, declared kind, name, and whether it can be executed.
    sent: HashMap<(BlobHash, MediaKind, String, bool), Media>,
    /// The last large value of each param, and its handle: the runs of a submission often share it.
    large: HashMap<String, (Value, Value)>,
    pub(super) published: Vec<Published>,
}

impl<'a> Files<'a> {
    pub(super) fn new(blobs: &'a Blobs) -> Self {
        Self {
            blobs,
            seen: HashMap::new(),
            sent: HashMap::new(),
            large: HashMap::new(),
            published: Vec::new(),
        }
    }

    /// Stores the content of large params, so that runs hold handles.
    pub(super) fn store_large(&mut self, mut params: Values) -> Result<Values, RpcError> {
        for (name, value) in &mut params {
            if !content::is_long(value, content::LIMIT) {
                continue;
            }
            if let Some((_, handle)) = self.large.get(name).filter(|(whole, _)| whole == value) {
                value.clone_from(handle);
                continue;
            }
            let (handle, published) = content::stored(value, self.blobs).map_err(|error| refused(&error))?;
            self.published.push(published);
            let whole = std::mem::replace(value, handle.clone());
            self.large.insert(name.clone(), (whole, handle));
        }
        Ok(params)
    }

    /// Imports the files of params with media types into the store.
    pub(super) fn import(
        &mut self,
        workflow: &Workflow,
        mut params: IndexMap<String, Value>,
        path: Option<&Path>,
    ) -> Result<IndexMap<String, Value>, RpcError> {
        for (name, value) in &mut params {
            if let Some(param) = workflow.params.get(name).filter(|param| param.ty.has_media()) {
                self.replace(value, &param.ty, path).map_err(|error| {
                    RpcError::new(ErrorCode::BadParams, format!("param `{name}`: {error}"))
                })?;
            }
        }
        Ok(params)
    }

    fn replace(&mut self, value: &mut Value, ty: &Type, path: Option<&Path>) -> Result<(), String> {
        match (ty, value) {
            (Type::List(of), Value::List(items)) => {
                items.iter_mut().try_for_each(|item| self.replace(item, of, path))
            }
            (Type::Media(kind), value @ Value::Media(_)) => {
                let Some(given) = value.as_media().filter(|given| given.source.is_none()) else {
                    return Ok(());
                };
                let key = (given.hash, *kind, given.name.clone(), given.executable);
                if let Some(media) = self.sent.get(&key) {
                    *value = Value::from(media.clone());
                } else if let Some((media, published)) = media::uploaded(given, *kind, self.blobs)? {
                    self.published.extend(published);
                    *value = Value::from(media.clone());
                    self.sent.insert(key, media);
                } else {
                    let stored = self.blobs.open_blob(given.hash);
                    stored.map_err(|error| format!("`{}`: {error}", given.name))?;
                }
                Ok(())
            }
            (Type::Media(kind), value @ Value::Text(_)) => {
                if let Some(host) = path.and_then(host_of) {
                    return Err(format!("a file on {host} is given by its content"));
                }
                let folder = path.and_then(Path::parent);
                let file = match (Path::new(value.as_text().unwrap_or_default()), folder) {
                    (file, _) if file.is_absolute() => file.to_owned(),
                    (file, Some(folder)) => folder.join(file),
                    (file, None) => return Err(format!("the path {} is not absolute", file.display())),
                };
                let media = match self.seen.get(&file) {
                    Some(media) => media.clone(),
                    None => {
                        let (media, published) = media::import(&file, *kind, self.blobs)?;
                        self.published.extend(published);
                        self.seen.insert(file, media.clone());
                        media
                    }
                };
                *value = Value::from(media);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slug_of(path: &str) -> String {
        let workflow = Workflow {
            id: None,
            name: Some("Seaside poster".into()),
            description: None,
            version: fanlight_shared::id::Version::of(""),
            params: IndexMap::new(),
            matrix: fanlight_shared::sweep::Matrix::default(),
            search: None,
            pass_env: Vec::new(),
            engine: None,
            concurrency: None,
            on_end: Vec::new(),
            nodes: IndexMap::new(),
            outputs: IndexMap::new(),
        };
        slug(&workflow, (!path.is_empty()).then(|| Path::new(path)))
    }

    #[test]
    fn slugs_are_short_and_plain() {
        assert_eq!(slug_of("/a/poster.yaml"), "poster");
        assert_eq!(slug_of("/a/My Grüße (2).yaml"), "my-gr-e-2");
        assert_eq!(slug_of("/a/---.yaml"), "workflow");
        assert_eq!(slug_of(""), "seaside-poster");
    }
}
