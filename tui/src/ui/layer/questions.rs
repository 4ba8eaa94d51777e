//! The open questions and their answers: a question with its attachments beside it, and yes or no, an editor, or a list
//! to pick from.

mod current;
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
use crate::ui::message::{Response, Why};
use crate::ui::model::Model;
use crate::ui::model::component::{Component, Step};
use crate::ui::model::queue;
use crate::ui::pane::Pane;
use crate::ui::picture::{PictureRequest, WHOLE};
use crate::ui::theme::Theme;
use current::Key;
use draft::Draft;
use layout::Layout;

/// The click targets of `yes` and `no`.
const YES: usize = 0;
const NO: usize = 1;

/// The open questions and their answers.
#[derive(Debug, Default)]
pub struct Questions {
    /// The run, with the node and item, whose question is shown first.
    wanted: Option<(RunId, Option<(String, ItemPath)>)>,
    questions: Vec<OpenQuestion>,
    /// Whether they were read.
    read: bool,
    /// Whether they are being read, and whether something has changed since they were requested.
    asked: bool,
    again: bool,
    /// The question under the cursor. What arrives never puts another one in its place.
    shown: Option<Key>,
    /// Why that question takes no answer any more. It stays until the user moves on.
    closed: Option<String>,
    /// The draft answer of each question, also of those that are gone: a question may come back.
    drafts: HashMap<Key, Draft>,
    /// The question whose answer is being sent.
    sent: Option<Key>,
    /// The last answer of which nobody knows whether it was stored.
    unsure: Option<Key>,
    /// Why the answer isn't valid.
    refused: Option<String>,
    /// Why the answer could not be sent, until the questions are read again.
    away: Option<String>,
    /// Escape was pressed once with unsaved input.
    leaving: bool,
    /// The summaries of the questions when they were last requested.
    asks: HashMap<RunId, Asks>,
}

impl Questions {
    /// Opens the questions at the one that the user most likely means.
    pub fn open(model: &mut Model) -> Vec<Effect> {
        if model.layers.iter().any(|layer| layer.is::<Self>()) {
            return Vec::new();
        }
        let mut layer = Self { wanted: wanted(model), asks: current::asks(model), ..Self::default() };
        let effects = layer.ask();
        model.layers.push(layer.into());
        effects
    }

    /// Requests the questions, once the response to the last request is there.
    fn ask(&mut self) -> Vec<Effect> {
        self.again = std::mem::replace(&mut self.asked, true);
        if self.again { Vec::new() } else { vec![Effect::ListQuestions] }
    }

    /// Returns whether all questions are answered.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.read && self.questions.is_empty()
    }

    fn question(&self) -> Option<&OpenQuestion> {
        self.questions.get(self.at()?)
    }

    fn draft(&self) -> Option<&Draft> {
        self.drafts.get(self.shown.as_ref()?)
    }

    fn draft_mut(&mut self) -> Option<&mut Draft> {
        self.drafts.get_mut(self.shown.as_ref()?)
    }

    fn is_sending(&self) -> bool {
        self.sent.is_some()
    }

    /// Forgets what was said about the answer.
    fn quiet(&mut self) {
        (self.refused, self.away, self.leaving) = (None, None, false);
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
                self.quiet();
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
        let mut drafts = self.questions.iter().filter_map(|open| self.drafts.get(&Key::of(open)));
        if self.leaving || !drafts.any(Draft::is_written) {
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
            Some(Action::Back) => self.leave(),
            Some(Action::NextQuestion) => self.turn(false),
            Some(Action::PreviousQuestion) => self.turn(true),
            _ if self.is_sending() => Step::stay(),
            _ => {
                self.leaving = false;
                if self.closed.is_some() { self.read(key, action) } else { self.edit(model, key, action) }
            }
        }
    }

    fn paste(&mut self, _model: &mut Model, text: &str) -> Step {
        if self.refuse_closed() || self.is_sending() {
            return Step::stay();
        }
        if let Some(Draft::Text { lines, written, .. }) = self.draft_mut() {
            lines.insert(text);
            *written = true;
            self.quiet();
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
        if self.refuse_closed() {
            return Step::stay();
        }
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
            Response::Questions(questions) => {
                self.take(model, questions);
                self.asked = false;
                if self.again {
                    return self.ask();
                }
            }
            Response::Answered(answer) => {
                let is =
                    |key: &Key| (key.run, &key.node, key.item) == (answer.run_id, &answer.node, answer.item);
                if let Some(key) = self.sent.take_if(|key| is(key)) {
                    self.remove(&key);
                }
            }
            Response::Failed { request, error, why } => {
                if matches!(**request, Effect::Answer(_)) {
                    // The draft is kept.
                    let sent = self.sent.take();
                    let said = (sent == self.shown).then(|| error.clone());
                    if *why == Why::Away {
                        (self.unsure, self.away) = (sent, said);
                    } else {
                        self.refused = said;
                    }
                    return self.ask();
                }
                // The model repeats the request when the daemon is back.
                if **request == Effect::ListQuestions && *why != Why::Away {
                    self.asked = false;
                }
            }
            // It may have been answered, or have ended, while the daemon could not be reached.
            Response::Known(run, known) => {
                let asks = known.as_deref().and_then(|run| run.asks.as_deref());
                if self.questions.iter().any(|open| open.run_id == *run) && self.asks.get(run) != asks {
                    return self.ask();
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn notification(&mut self, model: &mut Model, notification: &Notification) -> Vec<Effect> {
        if !matches!(notification, Notification::Daemon { .. }) || current::is_same(&self.asks, model) {
            return Vec::new();
        }
        self.asks = current::asks(model);
        self.ask()
    }

    fn missed(&mut self, model: &mut Model) -> Vec<Effect> {
        self.asks = current::asks(model);
        self.ask()
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
        if self.closed.is_some() {
            return vec![Action::NextQuestion, Action::Back];
        }
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
