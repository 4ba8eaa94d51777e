//! The workflow on screen.

use fanlight_shared::rpc::runs;

use super::{moved, say};
use crate::ui::address::Address;
use crate::ui::document::{Document, Purpose, Request, Source};
use crate::ui::effect::{Effect, Topology};
use crate::ui::layer::Layer;
use crate::ui::layer::form::Form;
use crate::ui::layer::home::Home;
use crate::ui::model::{Model, OpenWorkflow};
use crate::ui::toast::Tone;

/// How many runs of a workflow are read when it is opened; scrolling reads older ones.
const MAX_HISTORY: u32 = 100;

/// Opens the list of workflows.
pub(super) fn home(model: &mut Model) -> Vec<Effect> {
    let (home, effects) = Home::open(model);
    model.layers.push(home.into());
    effects
}

/// Reads a workflow to open it, instead of one that is still being read.
pub fn open(model: &mut Model, source: Source, purpose: Purpose) -> Vec<Effect> {
    model.opening = Some(source.clone());
    vec![Effect::ReadWorkflow(Request { source, purpose })]
}

/// Takes a workflow that was read, as its purpose says.
pub(super) fn read(model: &mut Model, request: &Request, document: &Document) -> Vec<Effect> {
    match request.purpose {
        Purpose::Preview => Vec::new(),
        Purpose::Refresh => refresh(model, document),
        Purpose::Open | Purpose::Form => {
            if model.opening.take_if(|it| *it == request.source).is_none() {
                return Vec::new();
            }
            model.layers.retain(|layer| !matches!(layer, Layer::Home(_)));
            let effects = show_document(model, document.clone());
            if request.purpose == Purpose::Form {
                open_form(model);
            }
            effects
        }
    }
}

/// Takes the new version of the file on screen.
fn refresh(model: &mut Model, document: &Document) -> Vec<Effect> {
    let Some(open) = &model.workflow else { return Vec::new() };
    if open.document.source != document.source || open.document.text == document.text {
        return Vec::new();
    }
    let effects = show_document(model, document.clone());
    if document.workflow.is_some() {
        let text = format!("{} changed and was read again", document.name);
        about(model, document, Tone::Note, text);
    }
    effects
}

/// Shows a message about a workflow's file, instead of the previous one.
fn about(model: &mut Model, document: &Document, tone: Tone, text: String) {
    match &document.path {
        Some(path) => model.toasts.about(path, tone, text, model.now),
        None => say(model, tone, text),
    }
}

/// Watches the file of the workflow on screen.
pub(super) fn watch_file(model: &mut Model) -> Option<Effect> {
    let file = model.workflow.as_ref().and_then(|open| open.document.file()).cloned();
    (file != model.watched_file).then(|| {
        model.watched_file.clone_from(&file);
        Effect::WatchFile(file)
    })
}

/// Opens the form that starts runs of the workflow on screen, and reads its file again.
pub(super) fn form(model: &mut Model) -> Vec<Effect> {
    let Some(document) = model.workflow.as_ref().map(|open| &open.document) else {
        return home(model);
    };
    let file = document.file().cloned().map(Source::File);
    if document.workflow.is_none()
        && let Some(file) = file
    {
        // It may have been repaired.
        return open(model, file, Purpose::Form);
    }
    open_form(model);
    let again = |source| Effect::ReadWorkflow(Request { source, purpose: Purpose::Refresh });
    file.map(again).into_iter().collect()
}

fn open_form(model: &mut Model) {
    let Some(document) = model.workflow.as_ref().map(|open| open.document.clone()) else { return };
    if let Some(refusal) = document.refusal() {
        about(model, &document, Tone::Bad, refusal);
    } else if let Some(form) = Form::open(model) {
        model.layers.push(form.into());
    }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Shows a workflow, with its own lens and products.
pub fn show_document(model: &mut Model, mut document: Document) -> Vec<Effect> {
    let before = model.workflow.take();
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
    if document.workflow.is_none() {
        let count = document.problems.len();
        let text = format!("{}: {count} problem{}", document.name, plural(count));
        about(model, &document, Tone::Bad, text);
    } else if let Some(path) = &document.path {
        model.toasts.resolve(path);
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

/// Requests the newest runs of a workflow, so that the lens has a run to show.
fn history(workflow: Option<fanlight_shared::id::WorkflowId>) -> Option<Effect> {
    let list = runs::List { workflow_id: Some(workflow?), limit: Some(MAX_HISTORY), ..runs::List::default() };
    Some(Effect::ListRuns { to: Address::History, list })
}

/// Returns the id under which the daemon knows a file.
fn known_id(model: &Model, document: &Document) -> Option<fanlight_shared::id::WorkflowId> {
    let of_file = document.workflow.as_ref().and_then(|workflow| workflow.id);
    let path = document.path.as_ref().and_then(|path| path.to_str());
    of_file.or_else(|| {
        let known = model.workflows.iter();
        known.filter(|it| path.is_some() && it.path.as_deref() == path).map(|it| it.id).next()
    })
}

/// Looks up the workflow on screen among those that the daemon knows.
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
