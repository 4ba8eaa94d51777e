//! Checks nodes that run other workflows, themselves or as tools of their agents, and reads the files of those.
//!
//! The files belong to the submission: what a run starts is known before it does.

mod tool;

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::FILE_LIMIT;
use super::check::{CheckContext, Reader};
use super::nodes::Places;
use super::reading::Reading;
use crate::node_type::{Catalogue, NodeTypeSpec, RUN_TYPE};
use crate::problem::{Problem, Severity, Span, near};
use crate::types::Type;
use crate::value::{Value, cut};
use crate::workflow::{Action, Node, Template, Workflow};
use tool::{Tool, tools};

/// The input that names the file, and the field of a tool that does; all other inputs are params of that workflow.
pub const FILE_INPUT: &str = "workflow";
/// The node type whose tools may be workflows.
pub const AGENT_TYPE: &str = "llm.agent";
/// The node type whose stand-in is a run.
const VIDEO_TYPE: &str = "video.create";
/// The input with the tools of an agent.
pub const TOOLS_INPUT: &str = "tools";
/// How deep runs may start runs: a run, its children, and so on.
pub const MAX_DEPTH: usize = 8;
/// The most nodes that run other workflows, in all files together.
pub const MAX_FILES: usize = 256;

/// A file that a node of another one runs.
#[derive(Clone, Debug)]
pub struct ChildFile {
    /// The canonical path of the file with the node.
    pub reader: String,
    /// The name of this file in that node.
    pub name: String,
    /// Its canonical path.
    pub path: String,
    /// Its text.
    pub document: String,
    /// The workflow in it.
    pub workflow: Workflow,
}

/// Reads a file: its canonical path and its text.
pub type Open<'a> = dyn FnMut(&Path) -> Result<(PathBuf, String), String> + 'a;

/// Returns the canonical path and the text of a file. Blocks.
///
/// # Errors
/// The end of a sentence that begins with the name of the file.
pub fn open(path: &Path) -> Result<(PathBuf, String), String> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => format!("does not exist: there is no {}", path.display()),
        io::ErrorKind::InvalidData => "is not a text in UTF-8".to_owned(),
        _ => format!("can't be read: {error}"),
    };
    let path = path.canonicalize().map_err(unreadable)?;
    // Opening a FIFO would block.
    if !path.metadata().map_err(unreadable)?.is_file() {
        return Err("is not a file".to_owned());
    }
    let mut text = String::new();
    let file = File::open(&path).map_err(unreadable)?;
    file.take(FILE_LIMIT as u64 + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() > FILE_LIMIT {
        return Err(format!("has more than {FILE_LIMIT} bytes"));
    }
    Ok((path, text))
}

/// Returns whether a node may start runs.
#[must_use]
pub fn starts_runs(node: &Node) -> bool {
    match &node.action {
        Action::Uses(uses) if uses == AGENT_TYPE => node.with.contains_key(TOOLS_INPUT),
        Action::Uses(uses) => uses == RUN_TYPE || uses == VIDEO_TYPE,
        _ => false,
    }
}

/// Checks the inputs of a node that runs another workflow, as far as its own file tells.
pub(super) fn check(reading: &mut Reading<'_>, spec: &NodeTypeSpec, node: &Node, places: &Places) {
    for ((input, template), place) in node.with.iter().zip(&places.with) {
        let (what, is_computed) = match (spec.name.as_str(), input.as_str()) {
            (RUN_TYPE, FILE_INPUT) => {
                (format!("input `{FILE_INPUT}` of `{RUN_TYPE}`"), !matches!(template, Template::Literal(_)))
            }
            (AGENT_TYPE, TOOLS_INPUT) => {
                (format!("`{FILE_INPUT}` of a tool"), tools(template).iter().any(Tool::is_computed))
            }
            _ => continue,
        };
        if is_computed && !place.broken {
            reading.error_hint(
                "computed_workflow",
                place.value,
                format!("{what} can't be computed: the file is read before the run starts"),
                "write the path of the file, relative to this one",
            );
        }
    }
}

/// Reads the files that the nodes of a checked workflow run, and those that these run in turn, and checks them.
/// `path` is the canonical path of the workflow's own file.
///
/// # Errors
/// The problems, each at the node of this workflow that leads to it.
pub fn read(
    workflow: &Workflow,
    path: Option<&Path>,
    catalogue: &Catalogue,
    open: &mut Open<'_>,
) -> Result<Vec<ChildFile>, Vec<Problem>> {
    let mut files = Files {
        catalogue,
        open,
        resolved: HashMap::new(),
        read: HashMap::new(),
        depths: HashMap::new(),
        found: Vec::new(),
    };
    let mut problems = Vec::new();
    for run in runs(workflow) {
        let Started { name, node, file, .. } = run;
        let problem = |message: String| Problem::error("child_workflow", node.span, message).of_node(name);
        let Some(path) = path else {
            problems.push(problem(format!(
                "node `{name}` runs `{}`, but this document has no file that this could be relative to",
                cut(file, 200)
            )));
            continue;
        };
        if let Err(why) = files.add(workflow, &[path.to_owned()], &run) {
            problems.push(problem(format!("node `{name}`: {why}")));
        }
    }
    if problems.is_empty() { Ok(files.found) } else { Err(problems) }
}

/// A workflow that a node may start.
struct Started<'a> {
    name: &'a str,
    node: &'a Node,
    file: &'a str,
    /// The params that a tool has fixed; `None` if the inputs of the node are the params.
    fixed: Option<Vec<&'a str>>,
}

/// Returns the workflows that the nodes of another one may start.
fn runs(workflow: &Workflow) -> Vec<Started<'_>> {
    let mut found = Vec::new();
    for (name, node) in &workflow.nodes {
        let Action::Uses(uses) = &node.action else { continue };
        if let (RUN_TYPE, Some(Template::Literal(Value::Text(file)))) =
            (uses.as_str(), node.with.get(FILE_INPUT))
        {
            found.push(Started { name, node, file, fixed: None });
        }
        if let (AGENT_TYPE, Some(template)) = (uses.as_str(), node.with.get(TOOLS_INPUT)) {
            for tool in tools(template) {
                let Some(file) = tool.file() else { continue };
                found.push(Started { name, node, file, fixed: Some(tool.fixed()) });
            }
        }
    }
    found
}

struct Files<'a, 'o> {
    catalogue: &'a Catalogue,
    open: &'a mut Open<'o>,
    /// The canonical paths of those that were opened.
    resolved: HashMap<PathBuf, PathBuf>,
    /// By canonical path: each file is read once, so that it is the same one wherever it is run.
    read: HashMap<PathBuf, Rc<(String, Workflow)>>,
    /// How deep the reader of each found file has been seen.
    depths: HashMap<(String, String), usize>,
    found: Vec<ChildFile>,
}

impl Files<'_, '_> {
    /// Adds the file that a node runs, and those that it leads to. `above`: the files that lead to the node.
    fn add(&mut self, parent: &Workflow, above: &[PathBuf], run: &Started<'_>) -> Result<(), String> {
        let file = run.file;
        let Some(reader) = above.last() else { return Ok(()) };
        let shown = cut(file, 200);
        let (path, child) = self.file(&reader.parent().unwrap_or(reader).join(file), &shown)?;
        if above.contains(&path) {
            return Err(format!("`{shown}` leads back to itself: a workflow can't run itself"));
        }
        if above.len() >= MAX_DEPTH {
            return Err(format!("`{shown}` is too deep: runs start runs at most {MAX_DEPTH} deep"));
        }
        self.check(parent, run, &child.1).map_err(|why| format!("`{shown}` {why}"))?;
        let text = |path: &Path| {
            path.to_str().map(str::to_owned).ok_or_else(|| format!("`{shown}`: its path is not valid UTF-8"))
        };
        let key = (text(reader)?, file.to_owned());
        match self.depths.get(&key) {
            Some(depth) if *depth >= above.len() => return Ok(()),
            Some(_) => {}
            None if self.found.len() >= MAX_FILES => {
                return Err(format!("`{shown}` can't be added: a workflow runs at most {MAX_FILES} others"));
            }
            None => self.found.push(ChildFile {
                reader: key.0.clone(),
                name: key.1.clone(),
                path: text(&path)?,
                document: child.0.clone(),
                workflow: child.1.clone(),
            }),
        }
        self.depths.insert(key, above.len());
        let above: Vec<PathBuf> = above.iter().cloned().chain([path]).collect();
        for run in runs(&child.1) {
            self.add(&child.1, &above, &run)
                .map_err(|why| format!("`{shown}`: node `{}`: {why}", run.name))?;
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, shown: &str) -> Result<(PathBuf, Rc<(String, Workflow)>), String> {
        if let Some(known) = self.resolved.get(path) {
            return Ok((known.clone(), Rc::clone(&self.read[known])));
        }
        let named = path.to_owned();
        let (path, document) = (self.open)(path).map_err(|why| format!("`{shown}` {why}"))?;
        if let Some(known) = self.read.get(&path) {
            self.resolved.insert(named, path.clone());
            return Ok((path, Rc::clone(known)));
        }
        let checked = super::read(&document, self.catalogue).map_err(|problems| first(shown, &problems))?;
        let read = Rc::new((document, checked.workflow));
        self.read.insert(path.clone(), Rc::clone(&read));
        self.resolved.insert(named, path.clone());
        Ok((path, read))
    }

    /// Checks what a node gives to a workflow and takes from it.
    fn check(&self, parent: &Workflow, run: &Started<'_>, child: &Workflow) -> Result<(), String> {
        let Started { name, node, fixed, .. } = run;
        if child.concurrency.is_some() {
            return Err(
                "has `concurrency:`, which a run that another one starts can't obey; remove it, or set \
                        `lock:` on its nodes"
                    .to_owned(),
            );
        }
        if let Some(variable) =
            child.passed_variables().into_iter().find(|it| !parent.pass_env.iter().any(|own| own == it))
        {
            return Err(format!(
                "takes the variable `{variable}`; add it to `pass_env:` of the file that runs it"
            ));
        }
        if let Some(fixed) = fixed {
            return check_tool(node, fixed, child);
        }
        let given = |param: &str| param != FILE_INPUT && node.with.contains_key(param);
        let missing = child.params.iter().find(|(param, it)| it.default.is_none() && !given(param));
        if let Some((param, it)) = missing {
            return Err(match param == FILE_INPUT {
                true => {
                    format!("has a param `{param}` without a default, and no input can give it; rename it")
                }
                false => format!("needs its param `{param}` ({}); add `{param}: …` to `with:`", it.ty),
            });
        }
        let context = CheckContext::of(parent, self.catalogue);
        let reader =
            Reader { node: parent.nodes.get_index_of(*name).map(|at| (at, *name, *node)), each: false };
        for (param, template) in node.with.iter().filter(|(input, _)| *input != FILE_INPUT) {
            let Some(wanted) = child.params.get(param) else {
                let known = || child.params.keys().map(String::as_str);
                return Err(unknown("param", param, known().collect()));
            };
            let ty = context.template_type(template, reader);
            if !wanted.ty.accepts(&ty) {
                return Err(format!("has the param `{param}` ({}), and is given {ty}", wanted.ty));
            }
        }
        let outputs = outputs(child, self.catalogue);
        for (output, ty) in &node.native_outputs {
            let Some((_, made)) = outputs.iter().find(|(name, _)| name == output) else {
                return Err(unknown(
                    "output",
                    output,
                    outputs.iter().map(|(name, _)| name.as_str()).collect(),
                ));
            };
            if !ty.accepts(made) {
                return Err(format!("has the output `{output}` ({made}), but the node declares {ty}"));
            }
        }
        Ok(())
    }
}

/// Checks a workflow that a model may start.
fn check_tool(node: &Node, fixed: &[&str], child: &Workflow) -> Result<(), String> {
    if let Some(param) = fixed.iter().find(|param| !child.params.contains_key(**param)) {
        return Err(unknown("param", param, child.params.keys().map(String::as_str).collect()));
    }
    let held = [("lock", node.lock.is_some()), ("resources", node.resources.is_some())];
    let waits = |key: &str| {
        child.nodes.values().any(|it| match key {
            "lock" => it.lock.is_some(),
            _ => it.resources.is_some(),
        })
    };
    match held.into_iter().find(|(key, held)| *held && waits(key)) {
        Some((key, _)) => Err(format!(
            "has nodes with `{key}:`, and so has the node whose tool it is: they could wait for each other forever"
        )),
        None => Ok(()),
    }
}

/// Returns the outputs of a workflow with their types, as far as these are known.
fn outputs(workflow: &Workflow, catalogue: &Catalogue) -> Vec<(String, Type)> {
    let context = CheckContext::of(workflow, catalogue);
    let reader = Reader { node: None, each: false };
    let output = |(name, output): (&String, &crate::workflow::Output)| {
        (name.clone(), context.template_type(&output.value, reader))
    };
    workflow.outputs.iter().map(output).collect()
}

fn unknown(what: &str, name: &str, known: Vec<&str>) -> String {
    let shown = cut(name, 60);
    match near(name, known.iter().copied()) {
        Some(near) => format!("has no {what} `{shown}`; did you mean `{near}`?"),
        None if known.is_empty() => format!("has no {what} `{shown}`; it has none"),
        None => format!("has no {what} `{shown}`; it has {}", known.join(", ")),
    }
}

/// Returns the first error of a file, with its place.
fn first(file: &str, problems: &[Problem]) -> String {
    let errors = || problems.iter().filter(|problem| problem.severity == Severity::Error);
    let more = match errors().count() {
        0 | 1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    let Some(error) = errors().next() else { return format!("`{file}` has errors") };
    let Span { start, .. } = error.span;
    format!("`{file}` line {}, column {}: {}{more}", start.line, start.column, error.message)
}

#[cfg(test)]
mod tests;
