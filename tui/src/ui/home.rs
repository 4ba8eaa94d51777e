//! Workflows: files of this folder, workflows with runs, examples. The selected one is previewed.

mod entry;
mod view;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::action::{Action, Scope};
use crate::ui::areas::{Areas, Hit};
use crate::ui::document::{Document, Purpose, Request, Source};
use crate::ui::effect::{Effect, Topology};
use crate::ui::fuzzy;
use crate::ui::graph::Layout;
use crate::ui::input::Input;
use crate::ui::layer::list::Cursor;
use crate::ui::layer::prompt::Prompt;
use crate::ui::message::Response;
use crate::ui::model::Model;
use crate::ui::model::component::{Component, Step};
use crate::ui::theme::Theme;
use crate::ui::toast::Tone;
use entry::{Entry, Section};

/// Workflows to choose from.
#[derive(Debug)]
pub struct Home {
    entries: Vec<Entry>,
    files: Vec<PathBuf>,
    filter: Input,
    typing: bool,
    cursor: Cursor,
    /// The workflows read so far.
    read: HashMap<Source, Read>,
    /// Until the user moves the cursor it stays on the first.
    touched: bool,
}

#[derive(Debug)]
struct Read {
    document: Document,
    layout: Option<Arc<Layout>>,
}

/// A row of the list.
enum Row<'a> {
    Heading(Section),
    Entry(&'a Entry, Vec<usize>),
}

impl Home {
    /// Opens the list with what is known, and the effects that read the rest.
    #[must_use]
    pub fn open(model: &Model) -> (Self, Vec<Effect>) {
        let mut home = Self {
            entries: Vec::new(),
            files: Vec::new(),
            filter: Input::default(),
            typing: false,
            cursor: Cursor { at: 1 },
            read: HashMap::new(),
            touched: false,
        };
        home.fill(model);
        let mut effects = vec![Effect::ListFiles];
        if model.is_up() {
            effects.push(Effect::ListWorkflows);
        }
        effects.extend(home.wanted());
        (home, effects)
    }

    fn fill(&mut self, model: &Model) {
        let selected = self.selected().map(|entry| entry.source.clone());
        self.entries = entry::entries(&self.files, &model.workflows, &model.options);
        let at = self.rows().iter().position(|row| match row {
            Row::Entry(entry, _) => self.touched && Some(&entry.source) == selected.as_ref(),
            Row::Heading(_) => false,
        });
        self.cursor.at = at.unwrap_or(1);
    }

    /// Returns the headings and the entries below them.
    fn rows(&self) -> Vec<Row<'_>> {
        let mut rows = Vec::new();
        for section in Section::ALL {
            let of_section: Vec<&Entry> = self.entries.iter().filter(|it| it.section == section).collect();
            let found = fuzzy::filter(self.filter.text(), &of_section, |entry| entry.name.clone());
            if !found.is_empty() {
                rows.push(Row::Heading(section));
                rows.extend(found.into_iter().map(|(_, entry, places)| Row::Entry(entry, places)));
            }
        }
        rows
    }

    fn selected(&self) -> Option<&Entry> {
        match self.rows().into_iter().nth(self.cursor.at)? {
            Row::Entry(entry, _) => Some(entry),
            Row::Heading(_) => None,
        }
    }

    /// Reads the selected workflow, if it was not read yet.
    fn wanted(&self) -> Option<Effect> {
        let entry = self.selected().filter(|entry| !self.read.contains_key(&entry.source))?;
        let source = entry.source.clone();
        Some(Effect::ReadWorkflow(Request { source, purpose: Purpose::Preview }))
    }

    /// Moves the cursor off a heading, and reads what it selects.
    fn settle(&mut self, down: bool) -> Step {
        let rows = self.rows();
        let is_heading = |at: usize| matches!(rows.get(at), Some(Row::Heading(_)));
        let mut at = self.cursor.at.min(rows.len().saturating_sub(1));
        if is_heading(at) {
            at = if down || at == 0 { at + 1 } else { at - 1 };
        }
        self.cursor.at = at;
        self.touched = true;
        Step::with(self.wanted().into_iter().collect())
    }

    /// Opens the selected workflow for this purpose.
    fn choose(&mut self, model: &mut Model, purpose: Purpose) -> Step {
        let Some(source) = self.selected().map(|entry| entry.source.clone()) else { return Step::stay() };
        let Some(read) = self.read.remove(&source) else {
            return Step::with(model.open(source, purpose));
        };
        model.opening = None;
        let mut effects = model.show(read.document);
        if let (Some(open), Some(layout)) = (model.workflow.as_mut(), read.layout) {
            open.layout = Some(layout);
            effects.retain(|effect| !matches!(effect, Effect::Layout(_)));
        }
        let choose = (purpose == Purpose::Form).then_some(Action::Run);
        Step { effects, close: true, choose, ..Step::default() }
    }

    fn new_file(&mut self, model: &mut Model) -> Step {
        let Some(Source::Example(example)) = self.selected().map(|entry| entry.source.clone()) else {
            let first = self.rows().iter().position(|row| match row {
                Row::Entry(entry, _) => entry.section == Section::Examples,
                Row::Heading(_) => false,
            });
            self.cursor.at = first.unwrap_or(self.cursor.at);
            model.say(Tone::Note, "choose the example to begin from, then N");
            return self.settle(true);
        };
        let file = format!("{example}.yaml");
        let title = format!("New workflow from {example}");
        let prompt = Prompt::new(title, file, move |model, name| {
            let name = name.trim();
            if name.is_empty() {
                return Err("a file name is needed".to_owned());
            }
            let path = model.options.folder.join(name);
            Ok(model.open(Source::New { example: example.clone(), path }, Purpose::Open))
        });
        Step::open(prompt.hint("a file in this folder; one that is there is never overwritten").into())
    }
}

impl Component for Home {
    fn key(&mut self, model: &mut Model, key: KeyEvent, action: Option<Action>) -> Step {
        let count = self.rows().len();
        let down = key.code == KeyCode::Down || matches!(action, Some(Action::Down | Action::HalfPageDown));
        match key.code {
            KeyCode::Esc if self.typing || !self.filter.text().is_empty() => {
                self.typing = false;
                self.filter = Input::default();
                return self.settle(true);
            }
            KeyCode::Enter => return self.choose(model, Purpose::Open),
            _ => {}
        }
        if self.cursor.key(key, action, count, 16) {
            return self.settle(down);
        }
        if self.typing {
            if self.filter.key(key) {
                self.cursor.at = 1;
                return self.settle(true);
            }
            return Step::stay();
        }
        match action {
            Some(Action::Open) => self.choose(model, Purpose::Open),
            Some(Action::RunSelected) => self.choose(model, Purpose::Form),
            Some(Action::NewWorkflow) => self.new_file(model),
            Some(Action::EditSelected) => match self.selected().map(|entry| &entry.source) {
                Some(Source::File(path)) => {
                    let effect = Effect::Edit(path.clone());
                    self.read.clear();
                    Step::with(vec![effect])
                }
                _ => {
                    model.say(Tone::Note, "only a file can be edited; N makes one of an example");
                    Step::stay()
                }
            },
            Some(Action::Search) => {
                self.typing = true;
                Step::stay()
            }
            Some(Action::Back | Action::Workflows) if model.workflow.is_some() => {
                model.opening = None;
                Step::close()
            }
            Some(
                Action::Quit
                | Action::Help
                | Action::Palette
                | Action::Messages
                | Action::Mouse
                | Action::Retry
                | Action::Dismiss
                | Action::Back,
            ) => Step::pass(),
            _ => Step::stay(),
        }
    }

    fn paste(&mut self, _model: &mut Model, text: &str) -> Step {
        self.filter.insert(text);
        self.cursor.at = 1;
        self.settle(true)
    }

    fn mouse(&mut self, model: &mut Model, mouse: MouseEvent, hit: Option<&Hit>) -> Step {
        let count = self.rows().len();
        match (mouse.kind, hit) {
            (MouseEventKind::Down(MouseButton::Left), Some(Hit::Row(row))) => {
                if self.cursor.at == *row {
                    return self.choose(model, Purpose::Open);
                }
                self.cursor.at = *row;
                self.settle(true)
            }
            (MouseEventKind::ScrollDown, _) => {
                self.cursor.wheel(true, count);
                self.settle(true)
            }
            (MouseEventKind::ScrollUp, _) => {
                self.cursor.wheel(false, count);
                self.settle(false)
            }
            _ => Step::stay(),
        }
    }

    fn response(&mut self, model: &mut Model, response: &mut Response) -> Vec<Effect> {
        match response {
            Response::Files(files) => {
                self.files.clone_from(files);
                self.fill(model);
                self.wanted().into_iter().collect()
            }
            Response::Workflows(workflows) => {
                model.workflows.clone_from(workflows);
                // They may have been checked before the daemon's node types were known.
                self.read.retain(|_, read| read.document.problems.is_empty());
                self.fill(model);
                self.wanted().into_iter().collect()
            }
            Response::Document { request, document } => {
                if !self.entries.iter().any(|entry| entry.source == request.source) {
                    return Vec::new();
                }
                let source = request.source.clone();
                let layout = document.workflow.clone().map(|workflow| Effect::Layout(Topology(workflow)));
                self.read.insert(source, Read { document: (**document).clone(), layout: None });
                layout.into_iter().collect()
            }
            Response::Graph(version, layout) => {
                for read in self.read.values_mut() {
                    if read.document.workflow.as_ref().is_some_and(|it| it.version == *version) {
                        read.layout = Some(layout.clone());
                    }
                }
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn scope(&self) -> Option<Scope> {
        Some(Scope::Home)
    }

    fn file(&self) -> Option<&Path> {
        match &self.selected()?.source {
            Source::File(path) => Some(path),
            Source::Stored(_) | Source::Example(_) | Source::New { .. } => None,
        }
    }

    fn takes_text(&self) -> bool {
        self.typing
    }

    fn holds_lens(&self) -> bool {
        false
    }

    fn hints(&self, _model: &Model) -> Vec<Action> {
        let mut hints = vec![Action::Open, Action::RunSelected, Action::NewWorkflow];
        if matches!(self.selected().map(|entry| &entry.source), Some(Source::File(_))) {
            hints.push(Action::EditSelected);
        }
        hints.extend([Action::Search, Action::Palette, Action::Help, Action::Quit]);
        hints
    }

    fn view(&self, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
        view::view(self, model, theme, area, buffer, areas);
    }
}
