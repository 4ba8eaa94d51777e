//! The workflow on screen.

use std::sync::Arc;

use fanlight_shared::id::WorkflowId;
use fanlight_shared::rpc::runs;

use super::Model;
use crate::text;
use crate::ui::address::Address;
use crate::ui::document::{Document, Purpose, Request, Source};
use crate::ui::effect::{Effect, Topology};
use crate::ui::graph::Layout;
use crate::ui::toast::Tone;

/// How many runs of a workflow are read when it is opened; scrolling reads older ones.
const MAX_HISTORY: u32 = 100;

/// The workflow on screen.
#[derive(Clone, Debug)]
pub struct OpenWorkflow {
    /// Its file as last read; runs keep the version they were submitted with.
    pub document: Document,
    /// The layout of its graph, once computed.
    pub layout: Option<Arc<Layout>>,
}

impl Model {
    /// Reads a workflow to open it, instead of one that is still being read.
    pub fn open(&mut self, source: Source, purpose: Purpose) -> Vec<Effect> {
        self.opening = Some(source.clone());
        vec![Effect::ReadWorkflow(Request { source, purpose })]
    }

    /// Shows a workflow, with its own lens and products.
    pub fn show(&mut self, mut document: Document) -> Vec<Effect> {
        let before = self.workflow.take();
        if document.workflow_id.is_none() {
            document.workflow_id = self.known_id(&document);
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
            let count = text::count(document.problems.len(), "problem");
            let text = format!("{}: {count}", document.name);
            self.say_about(&document, Tone::Bad, text);
        } else if let Some(path) = &document.path {
            self.toasts.resolve(path);
        }
        let changed =
            before.as_ref().map(|it| it.document.workflow_id) != Some(document.workflow_id) || !same_file;
        let id = document.workflow_id;
        self.workflow = Some(OpenWorkflow { document, layout });
        if changed {
            effects.extend(history(id));
        }
        effects
    }

    /// Looks up the workflow on screen among those that the daemon knows.
    pub fn identify(&mut self) -> Vec<Effect> {
        let Some(open) = self.workflow.as_ref().filter(|open| open.document.workflow_id.is_none()) else {
            return Vec::new();
        };
        let Some(id) = self.known_id(&open.document) else { return Vec::new() };
        if let Some(open) = self.workflow.as_mut() {
            open.document.workflow_id = Some(id);
        }
        history(Some(id)).into_iter().collect()
    }

    /// Shows a message about a workflow's file, instead of the previous one.
    pub(in crate::ui) fn say_about(&mut self, document: &Document, tone: Tone, text: String) {
        match &document.path {
            Some(path) => self.toasts.about(path, tone, text, self.now),
            None => self.say(tone, text),
        }
    }

    /// Returns the id under which the daemon knows a file.
    fn known_id(&self, document: &Document) -> Option<WorkflowId> {
        let of_file = document.workflow.as_ref().and_then(|workflow| workflow.id);
        let path = document.path.as_ref().and_then(|path| path.to_str());
        of_file.or_else(|| {
            let known = self.workflows.iter();
            known.filter(|it| path.is_some() && it.path.as_deref() == path).map(|it| it.id).next()
        })
    }
}

/// Requests the newest runs of a workflow, so that the lens has a run to show.
fn history(workflow: Option<WorkflowId>) -> Option<Effect> {
    let list = runs::List { workflow_id: Some(workflow?), limit: Some(MAX_HISTORY), ..runs::List::default() };
    Some(Effect::ListRuns { to: Address::History, list })
}
