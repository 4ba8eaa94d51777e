//! Evaluates the templates of a node into the work for its executor.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use fanlight_shared::environment::MAX_VALUE_BYTES;
use fanlight_shared::expression::{Content, Scope as _};
use fanlight_shared::resources::Resources;
use fanlight_shared::sanitise;
use fanlight_shared::value::{Value, Values, cut};
use fanlight_shared::workflow::{Action, CommandOutput, Dir, Template, check_revision};
use indexmap::IndexMap;

use super::active::{Prepared, RunScope};
use super::plan::{Kind, PlanNode};
use super::sealed::Sealed;
use crate::executor::{Argument, CommandWork, Program, Work, WorkDir};
use crate::node_type::NodeType;

/// Why an instance does not run.
pub(super) enum NotPrepared {
    /// A required input, named here, is absent.
    Absent(String),
    /// Something is wrong with an input.
    Wrong(String),
}

impl From<String> for NotPrepared {
    fn from(error: String) -> Self {
        Self::Wrong(error)
    }
}

/// Evaluates everything that this instance reads, except what is built from secrets. `lenient`: its condition checks the
/// outcome itself, so an absent value is `none` instead of a reason to skip.
pub(super) fn prepare(plan: &PlanNode, scope: &RunScope<'_>, lenient: bool) -> Result<Prepared, NotPrepared> {
    let sealed = if plan.has_secrets { Sealed::new(&plan.node, scope) } else { Sealed::default() };
    let work = match &plan.kind {
        Kind::Native(native) => native_inputs(native, plan, scope, &sealed, lenient)
            .map(|it| Work::Native(Arc::clone(native), it)),
        Kind::Command => {
            let work = command(plan, scope, &sealed, lenient);
            work.map(|work| Work::Command(Arc::new(work)))
        }
    }?;
    let sealed = (!sealed.is_empty()).then(|| Arc::new(sealed));
    let resources = match &plan.node.resources {
        Some(templates) => Some(Arc::new(resources(&templates.0, scope, lenient)?)),
        None => None,
    };
    Ok(Prepared { work: Arc::new(work), sealed, resources })
}

fn resources(
    templates: &[(&str, Template)],
    scope: &RunScope<'_>,
    lenient: bool,
) -> Result<Resources, NotPrepared> {
    let mut resources = Resources::default();
    for (key, template) in templates {
        let what = format!("`resources.{key}`");
        match template.evaluate(scope).map_err(|error| format!("{what}: {error}"))? {
            None if !lenient => return Err(NotPrepared::Absent(what)),
            None => {}
            Some(value) => resources.set(key, &value).map_err(|why| format!("{what} {why}"))?,
        }
    }
    Ok(resources)
}

fn native_inputs(
    native: &NodeType,
    plan: &PlanNode,
    scope: &RunScope<'_>,
    sealed: &Sealed,
    lenient: bool,
) -> Result<Values, NotPrepared> {
    let mut inputs = Values::new();
    for (name, spec) in &native.spec.inputs {
        let given = match plan.node.with.get(name) {
            Some(_) if sealed.has_input(name) => continue,
            Some(template) => template.evaluate(scope).map_err(|error| format!("input `{name}`: {error}"))?,
            None => None,
        };
        match (given, &spec.default) {
            (Some(value), _) => {
                let value = require_complete(value)
                    .and_then(|value| spec.check(value))
                    .map_err(|error| format!("input `{name}`: {error}"))?;
                inputs.insert(name.clone(), value);
            }
            (None, Some(default)) => {
                inputs.insert(name.clone(), default.clone());
            }
            (None, None) if spec.optional => {}
            (None, None) if lenient && spec.check(Value::None).is_ok() => {
                inputs.insert(name.clone(), Value::None);
            }
            (None, None) => return Err(NotPrepared::Absent(name.clone())),
        }
    }
    if native.spec.more_inputs {
        for (name, template) in
            plan.node.with.iter().filter(|(name, _)| !native.spec.inputs.contains_key(*name))
        {
            match template.evaluate(scope).map_err(|error| format!("input `{name}`: {error}"))? {
                Some(value) => {
                    let value =
                        require_complete(value).map_err(|error| format!("input `{name}`: {error}"))?;
                    inputs.insert(name.clone(), value)
                }
                None if lenient => inputs.insert(name.clone(), Value::None),
                None => return Err(NotPrepared::Absent(name.clone())),
            };
        }
    }
    Ok(inputs)
}

fn command(
    plan: &PlanNode,
    scope: &RunScope<'_>,
    sealed: &Sealed,
    lenient: bool,
) -> Result<CommandWork, NotPrepared> {
    let given = |what: &str, template: &Template| -> Result<Option<Value>, NotPrepared> {
        match template.evaluate(scope).map_err(|error| format!("{what}: {error}"))? {
            None if !lenient => Err(NotPrepared::Absent(what.to_owned())),
            None => Ok(None),
            Some(value) => Ok(Some(require_complete(value).map_err(|error| format!("{what}: {error}"))?)),
        }
    };
    let mut inputs = Values::new();
    for (name, template) in &plan.node.with {
        if sealed.has_input(name) {
            continue;
        }
        if let Some(value) = given(&format!("input `{name}`"), template)? {
            inputs.insert(name.clone(), value);
        }
    }
    let mut env = IndexMap::new();
    for (name, template) in &plan.node.env {
        if sealed.has_env(name) {
            continue;
        }
        if let Some(value) = given(&format!("env `{name}`"), template)? {
            let text = short(value, scope).and_then(|value| value.to_text());
            env.insert(name.clone(), text.map_err(|error| format!("env `{name}`: {error}"))?);
        }
    }
    let program = match &plan.node.action {
        Action::Run { script, shell } => Program::Script { text: script.clone(), shell: shell.clone() },
        Action::Cmd(templates) => {
            let mut arguments = Vec::new();
            for (at, template) in templates.iter().enumerate() {
                if let Some(value) = given(&format!("argument {at} of `cmd`"), template)? {
                    short(value, scope)
                        .and_then(|value| add_argument(&mut arguments, value))
                        .map_err(|error| format!("argument {at} of `cmd`: {error}"))?;
                }
            }
            Program::Arguments(arguments)
        }
        Action::Uses(_) => return Err(NotPrepared::Wrong("not a command".into())),
    };
    let project = scope.run.facts.project.as_deref();
    let dir = match &plan.node.dir {
        None => None,
        Some(Dir::Shared(dir)) => Some(WorkDir::Shared(resolve_dir(dir, project)?)),
        Some(Dir::Copy { from, exclude }) => {
            Some(WorkDir::Copy { from: resolve_dir(from, project)?, exclude: exclude.clone() })
        }
        Some(Dir::Worktree { revision, repo }) => {
            let what = "`worktree` of `dir`";
            let revision = match given(what, revision)? {
                Some(value) => short(value, scope).and_then(|value| value.to_text()),
                None => Ok(String::new()),
            };
            let revision = revision.and_then(|it| check_revision(&it).map(|()| it));
            let revision = revision.map_err(|error| format!("{what}: {error}"))?;
            Some(WorkDir::Worktree { repo: resolve_dir(repo, project)?, revision })
        }
    };
    let mut outputs = plan.node.outputs.clone();
    for (name, output) in &mut outputs {
        let what = format!("`name` of output `{name}`");
        let Some(template) = output.name.take() else { continue };
        let Some(value) = given(&what, &template)? else { continue };
        let text = short(value, scope).and_then(|value| value.to_text());
        let text = text.map_err(|error| format!("{what}: {error}"))?;
        if !CommandOutput::is_file_name(&text) {
            let shown = cut(&sanitise::line(&text), 60);
            return Err(NotPrepared::Wrong(format!("{what}: `{shown}` is not a file name without folders")));
        }
        output.name = Some(Template::Literal(Value::Text(text)));
    }
    let (metrics, remember) = (plan.node.metrics.clone(), plan.node.remember.clone());
    Ok(CommandWork { program, inputs, env, dir, outputs, metrics, remember })
}

/// Refuses a value of which only the beginning was kept.
fn require_complete(value: Value) -> Result<Value, String> {
    match &value {
        Value::Large(large) => large.check_whole().map(|()| value),
        _ => Ok(value),
    }
}

/// Returns a value with its content, if it is short enough for an argument or a variable.
fn short(value: Value, scope: &RunScope<'_>) -> Result<Value, String> {
    if !value.has_large() {
        return Ok(value);
    }
    let bytes = value.content_bytes();
    if bytes > MAX_VALUE_BYTES as u64 {
        return Err(format!(
            "it is {bytes} bytes long, and at most {MAX_VALUE_BYTES} fit; pass it by `with:`, where a long value becomes a file"
        ));
    }
    Content::new(scope.loader()).resolve(value)
}

/// Adds a value as one argument, which is never split; a list becomes several arguments.
fn add_argument(arguments: &mut Vec<Argument>, value: Value) -> Result<(), String> {
    match value {
        Value::Media(media) => arguments.push(Argument::Media(*media)),
        Value::List(items) => {
            for item in items {
                match item {
                    Value::Media(media) => arguments.push(Argument::Media(*media)),
                    item => arguments.push(Argument::Text(item.to_text()?)),
                }
            }
        }
        value => arguments.push(Argument::Text(value.to_text()?)),
    }
    Ok(())
}

fn resolve_dir(dir: &str, project: Option<&Path>) -> Result<PathBuf, String> {
    let project = project.ok_or("`dir:` needs a workflow file with a path")?;
    let dir = Path::new(dir);
    if dir
        .components()
        .any(|part| !matches!(part, Component::Normal(_) | Component::CurDir | Component::ParentDir))
    {
        return Err(format!("`dir: {}` must be relative to the workflow file", dir.display()));
    }
    let folder = project.join(dir);
    if !folder.is_dir() {
        return Err(format!("the folder {} of `dir:` does not exist", folder.display()));
    }
    Ok(folder)
}
