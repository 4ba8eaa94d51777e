//! Which workflow is on screen.

use fanlight_shared::rpc::runs;

use super::{moved, say};
use crate::ui::effect::{Effect, Topology};
use crate::ui::layer::form::Form;
use crate::ui::layer::home::Home;
use crate::ui::message::Document;
use crate::ui::model::{Model, OpenWorkflow, Then};
use crate::ui::toast::Tone;

/// How many runs of a workflow are asked for when it comes on screen; older ones come as lists scroll.
const HISTORY: u32 = 100;

/// Opens the list of workflows.
pub(super) fn home(model: &mut Model) -> Vec<Effect> {
    let (home, effects) = Home::open(model);
    model.layers.push(home.into());
    effects
}

/// A file was read: it goes where it was wanted.
pub(super) fn read(model: &mut Model, document: &Document) -> Vec<Effect> {
    let open = model.workflow.as_ref();
    let again = open.is_some_and(|open| open.document.path.is_some() && open.document.path == document.path);
    match model.then.take() {
        Some(then) => {
            let mut effects = show_document(model, document.clone());
            match then {
                Then::Open => {}
                Then::Form => effects.extend(form(model)),
                Then::Pin(run) => {
                    model.registry.pin(run);
                }
            }
            effects
        }
        None if again => show_document(model, document.clone()),
        None => Vec::new(),
    }
}

/// Opens the form that starts runs of the workflow on screen.
pub(super) fn form(model: &mut Model) -> Vec<Effect> {
    let Some(document) = model.workflow.as_ref().map(|open| &open.document) else {
        return home(model);
    };
    if document.workflow.is_none() {
        let count = document.problems.len();
        let first = document.problems.first().map(|it| format!(": {it}")).unwrap_or_default();
        let text = format!("{} can't run, it has {count} problem{}{first}", document.name, plural(count));
        say(model, Tone::Bad, text);
        return Vec::new();
    }
    if let Some(form) = Form::open(model) {
        model.layers.push(form.into());
    }
    Vec::new()
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Puts a workflow on screen: home goes, the lens and the products are its own.
pub fn show_document(model: &mut Model, mut document: Document) -> Vec<Effect> {
    let before = model.workflow.take();
    model.layers.retain(|layer| !matches!(layer, crate::ui::layer::Layer::Home(_)));
    if document.workflow_id.is_none() {
        document.workflow_id = known_id(model, &document);
    }
    let same_file = before.as_ref().is_some_and(|it| it.document.path == document.path);
    if document.workflow_id.is_none() && same_file {
        document.workflow_id = before.as_ref().and_then(|it| it.document.workflow_id);
    }
    let mut effects = Vec::new();
    let mut layout = None;
    if let Some(workflow) = &document.workflow {
        let same = before.as_ref().filter(|it| {
            it.document.workflow.as_ref().is_some_and(|before| before.version == workflow.version)
        });
        layout = same.and_then(|it| it.layout.clone());
        if layout.is_none() {
            effects.push(Effect::Layout(Topology(workflow.clone())));
        }
    }
    let errors = document.workflow.is_none().then_some(document.problems.len());
    if let Some(count) = errors {
        let text = format!("{}: {count} problem{}", document.name, plural(count));
        say(model, Tone::Bad, text);
    }
    let changed =
        before.as_ref().map(|it| it.document.workflow_id) != Some(document.workflow_id) || !same_file;
    let id = document.workflow_id;
    model.workflow = Some(OpenWorkflow { document, layout });
    if changed {
        effects.extend(history(id));
        effects.extend(moved(model));
    }
    effects
}

/// Asks for the newest runs of a workflow, so that the lens has something to fall back on.
fn history(workflow: Option<fanlight_shared::id::WorkflowId>) -> Option<Effect> {
    let list = runs::List { workflow_id: Some(workflow?), limit: Some(HISTORY), ..runs::List::default() };
    Some(Effect::ListRuns { generation: 0, list })
}

/// The id under which the daemon knows a file.
fn known_id(model: &Model, document: &Document) -> Option<fanlight_shared::id::WorkflowId> {
    let of_file = document.workflow.as_ref().and_then(|workflow| workflow.id);
    let path = document.path.as_ref().and_then(|path| path.to_str());
    of_file.or_else(|| {
        let known = model.workflows.iter();
        known.filter(|it| path.is_some() && it.path.as_deref() == path).map(|it| it.id).next()
    })
}

/// The daemon said which workflows it knows: the one on screen may be among them.
pub(super) fn identify(model: &mut Model) -> Vec<Effect> {
    let Some(open) = model.workflow.as_ref().filter(|open| open.document.workflow_id.is_none()) else {
        return Vec::new();
    };
    let Some(id) = known_id(model, &open.document) else { return Vec::new() };
    if let Some(open) = model.workflow.as_mut() {
        open.document.workflow_id = Some(id);
    }
    let mut effects: Vec<Effect> = history(Some(id)).into_iter().collect();
    effects.extend(moved(model));
    effects
}
