//! The open questions and their answers: a question with its attachments beside it, and yes or no, an editor, or a list
//! to pick from.

mod draft;
mod keys;
mod layout;
mod view;

use std::collections::HashMap;

use crossterm::event::{KeyEvent, MouseButton, MouseEvent, MouseEventKind};
use fanlight_shared::id::RunId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::question::QuestionKind;
use fanlight_shared::rpc::questions::OpenQuestion;
use fanlight_shared::rpc::runs;
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::run::Asks;
use fanlight_shared::value::Value;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::action::{Action, Scope};
use crate::ui::areas::{Areas, Hit};
use crate::ui::effect::Effect;
use crate::ui::layer::inspector::Inspector;
use crate::ui::message::Response;
use crate::ui::model::Model;
use crate::ui::model::component::{Component, Step};
use crate::ui::model::queue;
use crate::ui::pane::Pane;
use crate::ui::picture::{PictureRequest, WHOLE};
use crate::ui::theme::Theme;
use draft::Draft;
use layout::Layout;

/// The click targets of `yes` and `no`.
const YES: usize = 0;
const NO: usize = 1;

/// Names a question.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Key {
    run: RunId,
    node: String,
    item: ItemPath,
    attempt: u32,
}

impl Key {
    fn of(question: &OpenQuestion) -> Self {
        let OpenQuestion { run_id, node, item, attempt, .. } = question;
        Self { run: *run_id, node: node.clone(), item: *item, attempt: *attempt }
    }
}

/// The open questions and their answers.
#[derive(Debug, Default)]
pub struct Questions {
    /// The run, with the node and item, whose question is shown first.
    wanted: Option<(RunId, Option<(String, ItemPath)>)>,
    questions: Vec<OpenQuestion>,
    /// Whether they were read.
    read: bool,
    at: usize,
    /// The draft answer of each question.
    drafts: HashMap<Key, Draft>,
    /// The question whose answer is being sent.
    sent: Option<Key>,
    /// Why the answer isn't valid.
    refused: Option<String>,
    /// Escape was pressed once with unsaved input.
    leaving: bool,
    /// The summaries of the questions when they were read.
    asks: HashMap<RunId, Asks>,
}

impl Questions {
    /// Opens the questions at the one that the user most likely means.
    pub fn open(model: &mut Model) -> Vec<Effect> {
        if model.layers.iter().any(|layer| layer.is::<Self>()) {
            return Vec::new();
        }
        let layer = Self { wanted: wanted(model), ..Self::default() };
        model.layers.push(layer.into());
        vec![Effect::ListQuestions]
    }

    /// Returns whether all questions are answered.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.read && self.questions.is_empty()
    }

    fn question(&self) -> Option<&OpenQuestion> {
        self.questions.get(self.at)
    }

    fn draft(&self) -> Option<&Draft> {
        self.drafts.get(&Key::of(self.question()?))
    }

    fn draft_mut(&mut self) -> Option<&mut Draft> {
        let key = Key::of(self.questions.get(self.at)?);
        self.drafts.get_mut(&key)
    }

    fn is_sending(&self) -> bool {
        self.sent.is_some()
    }

    fn turn(&mut self, by: usize) {
        if !self.questions.is_empty() {
            self.at = (self.at + by) % self.questions.len();
        }
        (self.refused, self.leaving) = (None, false);
    }

    /// Sends an answer, if it is valid.
    fn send(&mut self, value: Result<Value, String>) -> Step {
        let Some(open) = self.question() else { return Step::stay() };
        match value.and_then(|value| open.question.check(value)) {
            Ok(value) => {
                let key = Key::of(open);
                let answer = runs::Answer {
                    run_id: key.run,
                    node: key.node.clone(),
                    item: key.item,
                    attempt: Some(key.attempt),
                    value,
                    request_key: String::new(),
                };
                self.refused = None;
                self.sent = Some(key);
                Step::with(vec![Effect::Answer(Box::new(answer))])
            }
            Err(why) => {
                self.refused = Some(why);
                Step::stay()
            }
        }
    }

    /// Sends the draft.
    fn give(&mut self) -> Step {
        let (Some(open), Some(draft)) = (self.question(), self.draft()) else { return Step::stay() };
        let value = draft.value(&open.question);
        self.send(value)
    }

    fn leave(&mut self) -> Step {
        if self.leaving || !self.drafts.values().any(Draft::is_written) {
            return Step::close();
        }
        self.leaving = true;
        self.refused = Some("esc again throws away what you wrote".to_owned());
        Step::stay()
    }

    fn layout(&self, inside: Rect) -> Option<Layout> {
        let cursor = self.draft().map_or(0, Draft::cursor);
        Some(layout::layout(&self.question()?.question, cursor, inside))
    }

    fn place(model: &Model) -> Rect {
        model.areas.layer.unwrap_or(Rect::new(0, 0, 80, 24))
    }

    /// Takes the current questions, and keeps the shown one.
    fn take(&mut self, model: &Model, questions: &[OpenQuestion]) {
        let shown = self.question().map(Key::of);
        self.questions = questions.to_vec();
        for open in &self.questions {
            self.drafts.entry(Key::of(open)).or_insert_with(|| Draft::new(&open.question));
        }
        let there: Vec<Key> = self.questions.iter().map(Key::of).collect();
        self.drafts.retain(|key, _| there.contains(key));
        let same = shown.and_then(|shown| there.iter().position(|key| *key == shown));
        self.at = same.or_else(|| self.first()).unwrap_or(self.at).min(there.len().saturating_sub(1));
        self.read = true;
        self.asks = model
            .projection
            .active()
            .filter_map(|run| Some((run.id, run.asks.as_deref()?.clone())))
            .collect();
    }

    /// Returns the index of the wanted question: of the item, else of the node, else of the run.
    fn first(&mut self) -> Option<usize> {
        let (run, node) = self.wanted.take()?;
        let of_run = |it: &&(usize, &OpenQuestion)| it.1.run_id == run;
        let all: Vec<(usize, &OpenQuestion)> = self.questions.iter().enumerate().collect();
        let nearness = |it: &(usize, &OpenQuestion)| match &node {
            Some((name, item)) => (it.1.node == *name, it.1.node == *name && it.1.item == *item),
            None => (false, false),
        };
        let best = all.iter().filter(of_run).map(nearness).max()?;
        all.iter().filter(of_run).find(|it| nearness(it) == best).map(|it| it.0)
    }
}

/// Returns the question that the user most likely means: of the node on screen, the run under the cursor or the run in
/// focus.
fn wanted(model: &Model) -> Option<(RunId, Option<(String, ItemPath)>)> {
    let asks = |run: &RunId| model.projection.run(*run).is_some_and(|run| run.asks.is_some());
    let focused = model.lens().map(|lens| lens.run.id).filter(asks);
    if let Some(inspector) = model.layers.last().and_then(|layer| layer.downcast_ref::<Inspector>()) {
        return Some((focused?, Some(inspector.place_of())));
    }
    if model.layers.is_empty()
        && model.pane == Pane::Queue
        && let Some(run) = queue::current_run(model).filter(asks)
    {
        return Some((run, None));
    }
    let node = model.grid.selected.clone().map(|node| (node, ItemPath::WHOLE));
    Some((focused?, node))
}

impl Component for Questions {
    fn key(&mut self, model: &mut Model, key: KeyEvent, action: Option<Action>) -> Step {
        match action {
            Some(Action::Back) => return self.leave(),
            Some(Action::NextQuestion) => self.turn(1),
            Some(Action::PreviousQuestion) => self.turn(self.questions.len().saturating_sub(1)),
            _ if self.is_sending() => return Step::stay(),
            _ => {
                self.leaving = false;
                return self.edit(model, key, action);
            }
        }
        Step::stay()
    }

    fn paste(&mut self, _model: &mut Model, text: &str) -> Step {
        if let Some(Draft::Text { lines, written, .. }) = self.draft_mut() {
            lines.insert(text);
            *written = true;
            (self.refused, self.leaving) = (None, false);
        }
        Step::stay()
    }

    fn mouse(&mut self, _model: &mut Model, mouse: MouseEvent, hit: Option<&Hit>) -> Step {
        if self.is_sending() {
            return Step::stay();
        }
        let (MouseEventKind::Down(MouseButton::Left), Some(Hit::Row(row))) = (mouse.kind, hit) else {
            return Step::stay();
        };
        match self.draft_mut() {
            Some(Draft::YesNo) => self.send(Ok(Value::Bool(*row == YES))),
            Some(Draft::Pick { cursor, marked, several, .. }) => {
                if *several {
                    draft::toggle(marked, *row);
                } else if *cursor == *row {
                    return self.give();
                }
                *cursor = *row;
                Step::stay()
            }
            Some(Draft::Text { .. }) | None => Step::stay(),
        }
    }

    fn response(&mut self, model: &mut Model, response: &mut Response) -> Vec<Effect> {
        match response {
            Response::Questions(questions) => self.take(model, questions),
            Response::Answered(answer) => {
                let is =
                    |key: &Key| (key.run, &key.node, key.item) == (answer.run_id, &answer.node, answer.item);
                if let Some(key) = self.sent.take_if(|key| is(key)) {
                    self.questions.retain(|open| Key::of(open) != key);
                    self.drafts.remove(&key);
                    self.at = self.at.min(self.questions.len().saturating_sub(1));
                }
            }
            Response::Failed { request, error, .. } => {
                if matches!(**request, Effect::Answer(_)) {
                    // The draft is kept.
                    self.sent = None;
                    self.refused = Some(error.clone());
                    return vec![Effect::ListQuestions];
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn notification(&mut self, model: &mut Model, notification: &Notification) -> Vec<Effect> {
        if !matches!(notification, Notification::Daemon { .. } | Notification::Registry { .. }) || !self.read
        {
            return Vec::new();
        }
        let asking = model.projection.active().filter_map(|run| Some((run.id, run.asks.as_deref()?)));
        let mut count = 0;
        let same = asking.inspect(|_| count += 1).all(|(run, asks)| self.asks.get(&run) == Some(asks));
        if same && count == self.asks.len() {
            return Vec::new();
        }
        self.asks = model
            .projection
            .active()
            .filter_map(|run| Some((run.id, run.asks.as_deref()?.clone())))
            .collect();
        vec![Effect::ListQuestions]
    }

    fn shown(&mut self, model: &mut Model) -> Vec<Effect> {
        let Some(layout) = self.layout(Self::place(model)) else { return Vec::new() };
        let Some(open) = self.question() else { return Vec::new() };
        let choices = match &open.question.kind {
            QuestionKind::Choice { choices, .. } => choices.as_slice(),
            QuestionKind::YesNo | QuestionKind::Value { .. } => &[],
        };
        let tiles = layout.tiles.iter().filter_map(|(at, place)| Some((choices.get(*at)?, *place)));
        let beside =
            layout.show.iter().filter_map(|(at, place)| Some((open.question.show.get(*at)?, *place)));
        let wanted: Vec<PictureRequest> =
            tiles.chain(beside).filter_map(|(value, place)| picture(value, layout::inner(place))).collect();
        model.pictures.want(wanted)
    }

    fn scope(&self) -> Option<Scope> {
        Some(Scope::Questions)
    }

    fn takes_text(&self) -> bool {
        matches!(self.draft(), Some(Draft::Text { .. }))
    }

    fn hints(&self, _model: &Model) -> Vec<Action> {
        let mut hints = match self.draft() {
            Some(Draft::YesNo) => vec![Action::SayYes, Action::SayNo],
            Some(Draft::Pick { several: true, .. }) => vec![Action::Give, Action::Mark],
            Some(_) => vec![Action::Give],
            None => Vec::new(),
        };
        if self.questions.len() > 1 {
            hints.push(Action::NextQuestion);
        }
        hints.push(Action::Back);
        hints
    }

    fn view(&self, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
        view::view(self, model, theme, area, buffer, areas);
    }
}

/// Returns the picture of a value for an area, if it is a picture.
fn picture(value: &Value, place: Rect) -> Option<PictureRequest> {
    let media = value.as_media().filter(|media| media.mime.starts_with("image/"))?;
    Some(PictureRequest::whole(media.hash, (place.width, place.height), WHOLE))
}

#[cfg(test)]
mod tests;
