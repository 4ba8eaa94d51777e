//! The workflow on screen.

use std::path::{Path, PathBuf};

use crate::ui::document::{Document, Purpose, Request, Source};
use crate::ui::effect::Effect;
use crate::ui::home::Home;
use crate::ui::layer::form::Form;
use crate::ui::model::Model;
use crate::ui::toast::Tone;

/// Opens the list of workflows.
pub(super) fn home(model: &mut Model) -> Vec<Effect> {
    let (home, effects) = Home::open(model);
    model.layers.push(home.into());
    effects
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
            model.layers.retain(|layer| !layer.is::<Home>());
            let mut effects = model.show(document.clone());
            if request.purpose == Purpose::Form {
                effects.extend(open_form(model));
            }
            effects
        }
    }
}

/// Takes the new version of the file on screen.
fn refresh(model: &mut Model, document: &Document) -> Vec<Effect> {
    let Some(open) = &model.workflow else { return Vec::new() };
    let same_text = open.document.text == document.text;
    let same = same_text && open.document.problems == document.problems;
    if open.document.source != document.source || same {
        return Vec::new();
    }
    let effects = model.show(document.clone());
    if document.workflow.is_some() && !same_text {
        let text = format!("{} changed and was read again", document.name);
        model.say_about(document, Tone::Note, text);
    }
    effects
}

/// Watches the file on screen: that of a layer, or of the workflow.
pub(super) fn watch_file(model: &mut Model) -> Vec<Effect> {
    let of_workflow = || model.workflow.as_ref().and_then(|open| open.document.file()).map(PathBuf::as_path);
    let of_layer = model.layers.iter().find_map(|layer| layer.file());
    let file = of_layer.or_else(of_workflow).map(Path::to_owned);
    if file == model.watched_file {
        return Vec::new();
    }
    // It may have changed while another one was watched.
    let again = of_layer.is_none() && model.watched_file.is_some();
    model.watched_file.clone_from(&file);
    let again = again.then(|| read_again(model)).flatten();
    [Effect::WatchFile(file)].into_iter().chain(again).collect()
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
        return model.open(file, Purpose::Form);
    }
    open_form(model).into_iter().chain(read_again(model)).collect()
}

/// Reads the file on screen again, to check it.
pub(super) fn read_again(model: &Model) -> Option<Effect> {
    let file = model.workflow.as_ref().and_then(|open| open.document.file())?;
    let source = Source::File(file.clone());
    Some(Effect::ReadWorkflow(Request { source, purpose: Purpose::Refresh }))
}

fn open_form(model: &mut Model) -> Option<Effect> {
    let document = model.workflow.as_ref().map(|open| open.document.clone())?;
    if let Some(refusal) = document.refusal() {
        model.say_about(&document, Tone::Bad, refusal);
        return None;
    }
    let (form, read) = Form::open(model)?;
    model.layers.push(form.into());
    read
}
