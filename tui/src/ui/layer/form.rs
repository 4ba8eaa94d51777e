//! The form that starts runs: a field per param, and how often and where in the queue.

mod field;
mod fork;
mod models;
mod paths;
mod sets;
mod submit;
#[cfg(test)]
mod tests;
mod view;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use fanlight_shared::id::RunId;
use fanlight_shared::run::Run;
use fanlight_shared::sweep::Matrix;
use fanlight_shared::value::Values;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::action::{Action, Scope};
use crate::ui::areas::{Areas, Hit};
use crate::ui::document::Document;
use crate::ui::effect::Effect;
use crate::ui::input::Input;
use crate::ui::input::lines::Lines;
use crate::ui::message::{Response, Why};
use crate::ui::model::Model;
use crate::ui::model::component::{Component, Step};
use crate::ui::theme::Theme;
use field::{Field, Kind};
use fork::Fork;
use models::Models;
use paths::Paths;

/// The form that starts runs.
#[derive(Debug)]
pub struct Form {
    document: Document,
    /// The run that it forks.
    fork: Option<Fork>,
    /// The params of the newest run, as far as they are known.
    last: Values,
    /// The newest run, while its params are being read.
    reading: Option<RunId>,
    folder: std::path::PathBuf,
    fields: Vec<Field>,
    paths: Paths,
    models: Models,
    at: usize,
    typed: bool,
    /// Whether the file's `matrix:` was filled in.
    has_filled: bool,
    asking: Option<Question>,
    /// How many runs it starts, or what is wrong.
    count: Result<usize, String>,
    /// The error of the daemon.
    refused: Option<String>,
    /// The error of a request that the daemon was away for; shown until it is back.
    away: Option<String>,
    /// The last request. While it stays the same it is sent with the same keys, because its runs may exist.
    sent: Option<Effect>,
}

/// The question in its last line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Question {
    /// Whether to discard the input.
    Leave,
    /// Whether to start this many runs.
    Many(usize),
}

impl Form {
    /// Returns the form for the workflow on screen, filled with the last values or defaults; `None` if the workflow
    /// can't run. Also returns the effect that reads the last values, if only previews of them are known.
    #[must_use]
    pub fn open(model: &Model) -> Option<(Self, Option<Effect>)> {
        let document = model.workflow.as_ref()?.document.clone();
        document.workflow.as_ref()?;
        let of_workflow = model.projection.runs().filter(|run| Some(run.workflow_id) == model.workflow_id());
        let newest = of_workflow.max_by_key(|run| run.number);
        Some(Self::new(model, document, newest, None))
    }

    /// Returns the form for a document, filled with the params of a run.
    fn new(
        model: &Model,
        document: Document,
        run: Option<&Run>,
        fork: Option<Fork>,
    ) -> (Self, Option<Effect>) {
        let (last, reading) = match run {
            Some(run) if run.params_short => (Values::new(), Some(run.id)),
            Some(run) => (run.params.clone(), None),
            None => (Values::new(), None),
        };
        let workflow = document.workflow.as_deref();
        let fields = workflow.map(|workflow| field::all(workflow, &last, fork.is_some())).unwrap_or_default();
        let mut form = Self {
            document,
            fork,
            last,
            reading,
            folder: model.options.folder.clone(),
            fields,
            paths: Paths::default(),
            models: Models::default(),
            at: 0,
            typed: false,
            has_filled: false,
            asking: None,
            count: Ok(1),
            refused: None,
            away: None,
            sent: None,
        };
        form.check();
        (form, reading.map(Effect::GetParams))
    }

    /// Takes the params of the newest run, or that they can't be read.
    fn take_params(&mut self, of: RunId, params: Result<&Values, &str>) {
        if self.reading.take_if(|run| *run == of).is_none() {
            return;
        }
        match (params, self.document.workflow.clone()) {
            (Ok(params), Some(workflow)) => {
                self.last.clone_from(params);
                self.replace(field::all(&workflow, params, self.fork.is_some()));
            }
            (Ok(_), None) => {}
            (Err(error), _) => {
                let error = fanlight_shared::sanitise::line(error);
                self.refused = Some(format!("the last values can't be read: {error}"));
            }
        }
    }

    /// Replaces the fields, and keeps the input of those that were edited.
    fn replace(&mut self, fields: Vec<Field>) {
        let before = std::mem::replace(&mut self.fields, fields);
        let name = before.get(self.at).map(|field| field.name.clone());
        for field in before {
            if let Some(now) = self.fields.iter_mut().find(|it| it.name == field.name) {
                now.take_over(field);
            }
        }
        self.at = self.fields.iter().position(|field| Some(&field.name) == name.as_ref()).unwrap_or(0);
        self.check();
    }

    /// Takes a new version of the file, and keeps the input of the fields that it still has.
    fn refresh(&mut self, document: &Document) {
        let is_same = document.source != self.document.source || document.text == self.document.text;
        if is_same || self.fork.is_some() {
            return;
        }
        let Some(workflow) = &document.workflow else {
            self.refused = document.refusal().map(|it| fanlight_shared::sanitise::line(&it));
            return;
        };
        self.document = document.clone();
        self.refused = None;
        self.replace(field::all(workflow, &self.last, false));
    }

    /// Checks all fields again.
    fn check(&mut self) {
        for field in &mut self.fields {
            field.check(&self.folder, &self.paths);
        }
        self.count = sets::count(&self.fields, self.matrix());
    }

    /// Shows an error of the daemon at the field that it names.
    pub(crate) fn refused(&mut self, error: &str) {
        let error = fanlight_shared::sanitise::line(error);
        let named = self.fields.iter().position(|field| error.contains(&format!("`{}`", field.name)));
        match named {
            Some(at) => {
                self.at = at;
                self.fields[at].error = Some(error);
            }
            None => self.refused = Some(error),
        }
    }

    /// Returns why the last request failed, if that is still so.
    fn refusal(&self, model: &Model) -> Option<&str> {
        self.refused.as_deref().or_else(|| self.away.as_deref().filter(|_| !model.is_up()))
    }

    /// Shows that a request failed because the daemon was away.
    pub(crate) fn away(&mut self, error: &str) {
        self.away = Some(fanlight_shared::sanitise::line(error));
    }

    fn turn(&mut self, by: usize) {
        self.paths.typed();
        self.models.typed();
        self.at = (self.at + by) % self.fields.len().max(1);
    }

    fn answer(&mut self, model: &mut Model, question: Question, key: KeyEvent) -> Step {
        self.asking = None;
        match (question, key.code) {
            (Question::Leave, KeyCode::Char('y' | 'Y')) => Step::close(),
            (Question::Many(_), KeyCode::Char('y' | 'Y')) => self.submit(model, true),
            _ => Step::stay(),
        }
    }

    /// Passes a key to the field; a key that the field doesn't use may move to another field.
    fn edit(&mut self, key: KeyEvent) {
        let changed = self.fields.get_mut(self.at).is_some_and(|field| field.key(key));
        match key.code {
            _ if changed => self.changed(),
            KeyCode::Down => self.turn(1),
            KeyCode::Up => self.turn(self.fields.len().saturating_sub(1)),
            _ => {}
        }
    }

    /// Handles a change of the focused field.
    fn changed(&mut self) {
        self.typed = true;
        self.refused = None;
        self.paths.typed();
        self.models.typed();
        self.check();
    }

    /// Fills in the sweep from the file's `matrix:`.
    fn fill_matrix(&mut self) {
        let Some(workflow) = &self.document.workflow else { return };
        for (name, values) in &workflow.matrix.axes {
            if let Some(field) = self.fields.iter_mut().find(|field| field.name == *name) {
                field.fill(values);
            }
        }
        (self.typed, self.has_filled) = (true, true);
        self.check();
    }

    /// Returns the file's `matrix:` once it is filled in: what it includes and excludes is not in the fields.
    fn matrix(&self) -> Option<&Matrix> {
        self.document.workflow.as_ref().filter(|_| self.has_filled).map(|workflow| &workflow.matrix)
    }

    /// Completes the path or the model in the focused field. Returns `false` if there is nothing to complete.
    fn complete(&mut self) -> bool {
        let provider = self.fields.get(self.at).and_then(|field| self.provider(field));
        let Some(field) = self.fields.get_mut(self.at) else { return false };
        let text = field.text();
        match (field.paths(), provider, &mut field.kind) {
            (Some(of), _, Kind::Line(input)) => {
                let Some(text) = self.paths.complete(&self.folder, &text, of) else { return false };
                *input = Input::new(text);
            }
            (None, Some(provider), Kind::Lines(lines)) => {
                let Some(text) = self.models.complete(&provider, &text) else { return false };
                *lines = Lines::new(&text);
            }
            _ => return false,
        }
        field.edited = true;
        self.typed = true;
        self.refused = None;
        self.check();
        true
    }

    /// Returns the provider whose models a field takes.
    fn provider(&self, field: &Field) -> Option<String> {
        models::provider(self.document.workflow.as_deref()?, &self.fields, field)
    }

    /// Reads the folder of the path that is being typed, or the models of the provider.
    fn want(&mut self) -> Vec<Effect> {
        let Some(field) = self.fields.get(self.at) else { return Vec::new() };
        let Some(of) = field.paths() else {
            let provider = self.provider(field);
            return provider.and_then(|provider| self.models.want(&provider)).into_iter().collect();
        };
        self.paths.want(&self.folder, &field.text(), of.list).into_iter().collect()
    }

    fn has_matrix(&self) -> bool {
        self.document.workflow.as_ref().is_some_and(|workflow| !workflow.matrix.is_empty())
    }
}

impl Component for Form {
    fn key(&mut self, model: &mut Model, key: KeyEvent, action: Option<Action>) -> Step {
        if let Some(question) = self.asking {
            return self.answer(model, question, key);
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        match key.code {
            // Enter inserts a line break in fields of several lines; elsewhere that needs alt.
            KeyCode::Enter if alt || self.fields.get(self.at).is_some_and(Field::has_lines) => self.edit(key),
            KeyCode::Char('j') if control => self.edit(KeyEvent::from(KeyCode::Enter)),
            _ if action == Some(Action::Submit) => return self.submit(model, false),
            KeyCode::Char('x') if control => self.fill_matrix(),
            KeyCode::Esc if self.typed && model.options.confirm => self.asking = Some(Question::Leave),
            KeyCode::Esc => return Step::close(),
            _ if action == Some(Action::NextField) => {
                if !self.complete() {
                    self.turn(1);
                }
            }
            _ if action == Some(Action::PreviousField) => {
                self.turn(self.fields.len().saturating_sub(1));
            }
            _ => self.edit(key),
        }
        Step::with(self.want())
    }

    fn paste(&mut self, _model: &mut Model, text: &str) -> Step {
        if self.asking.is_none() && self.fields.get_mut(self.at).is_some_and(|field| field.paste(text)) {
            self.changed();
        }
        Step::with(self.want())
    }

    fn mouse(&mut self, _model: &mut Model, mouse: MouseEvent, hit: Option<&Hit>) -> Step {
        match (mouse.kind, hit) {
            (MouseEventKind::Down(MouseButton::Left), Some(Hit::Row(row))) if *row < self.fields.len() => {
                self.at = *row;
            }
            (MouseEventKind::ScrollDown, _) => {
                self.at = (self.at + 1).min(self.fields.len().saturating_sub(1))
            }
            (MouseEventKind::ScrollUp, _) => self.at = self.at.saturating_sub(1),
            _ => {}
        }
        Step::stay()
    }

    fn response(&mut self, _model: &mut Model, response: &mut Response) -> Vec<Effect> {
        match response {
            Response::Folder(folder, entries) => {
                self.paths.response(folder, entries);
                self.check();
            }
            Response::Models(providers) => providers.iter().for_each(|it| self.models.response(it)),
            Response::Document { document, .. } => self.refresh(document),
            Response::Params(run, params) => self.take_params(*run, Ok(params)),
            // If the daemon is away, the request is repeated.
            Response::Failed { request, error, why } if *why != Why::Away => {
                if let Effect::GetParams(run) = **request {
                    self.take_params(run, Err(error));
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn shown(&mut self, _model: &mut Model) -> Vec<Effect> {
        self.want()
    }

    fn scope(&self) -> Option<Scope> {
        Some(Scope::Form)
    }
    fn takes_text(&self) -> bool {
        true
    }
    fn hints(&self, _model: &Model) -> Vec<Action> {
        vec![Action::Submit, Action::NextField, Action::Back]
    }
    fn view(&self, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
        view::view(self, model, theme, area, buffer, areas);
    }
}
