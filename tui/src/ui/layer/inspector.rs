//! One node of the focused run: outputs, inputs, items, metrics, what an agent does, log, error, attempts.

mod activity;
mod content;
mod copy;
mod curves;
mod log;
mod page;
mod products;
mod question;
mod search;
mod tab;
mod view;
mod wait;

use std::time::Duration;

use crossterm::event::{KeyEvent, MouseEvent, MouseEventKind};
use fanlight_shared::event::{LiveEvent, Numbered, StateEvent};
use fanlight_shared::id::RunId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::watch::{Metrics, Notification};
use fanlight_shared::run::NodeStatus;
use fanlight_shared::run_state::{Attempt, InstanceState};
use fanlight_shared::time::Time;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::action::{Action, Scope};
use crate::ui::address::Address;
use crate::ui::areas::{Areas, Hit};
use crate::ui::children;
use crate::ui::curves::lines::Lines;
use crate::ui::effect::Effect;
use crate::ui::message::Response;
use crate::ui::model::Model;
use crate::ui::model::component::{Component, Step};
use crate::ui::picture::PictureRequest;
use crate::ui::theme::Theme;
use crate::ui::toast::Tone;
use log::{Log, Of};
use page::Page;
use products::Products;
use tab::Tab;

/// How long a command runs before what it uses is sampled.
const SAMPLED_AFTER: Duration = Duration::from_secs(3);

/// One node of the focused run: outputs, inputs, items, metrics, what an agent does, log, error, attempts.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Inspector {
    node: String,
    item: ItemPath,
    tab: Tab,
    log: Log,
    products: Products,
    curves: Lines,
    /// The first line in view, if it doesn't follow.
    top: usize,
    /// Whether the end of the log stays in view.
    follow: bool,
    wrap: bool,
    search: String,
}

impl Inspector {
    /// Opens the inspector of a node on its most useful page.
    #[must_use]
    pub fn open(model: &mut Model, node: String) -> (Self, Vec<Effect>) {
        let mut inspector = Self { node, follow: true, wrap: true, ..Self::default() };
        let status = inspector.instance(model).map(|instance| instance.status);
        inspector.tab = match status {
            Some(NodeStatus::Running | NodeStatus::Failed) => Tab::Log,
            Some(_) => Tab::Outputs,
            None => Tab::Inputs,
        };
        let effects = inspector.sync(model);
        (inspector, effects)
    }

    fn instance<'a>(&self, model: &'a Model) -> Option<&'a InstanceState> {
        model.lens()?.state.instance(&self.node, self.item)
    }

    /// Returns the shown node and item.
    #[must_use]
    pub fn place_of(&self) -> (String, ItemPath) {
        (self.node.clone(), self.item)
    }

    fn item_count(&self, model: &Model) -> Option<u32> {
        model.lens()?.state.nodes.get(&self.node)?.item_count
    }

    /// Returns whether it is a command that was sampled while it ran.
    fn was_sampled(&self, instance: &InstanceState, model: &Model) -> bool {
        let node = model.drawn().and_then(|(workflow, _)| workflow.nodes.get(&self.node));
        let ran = |attempt: &Attempt| attempt.ended_at.unwrap_or(model.now).since(attempt.started_at);
        node.is_some_and(|node| node.action.is_command())
            && instance.attempts.last().is_some_and(|attempt| ran(attempt) >= SAMPLED_AFTER)
    }

    fn tabs(&self, model: &Model) -> Vec<Tab> {
        let instance = self.instance(model);
        let ran = instance.is_some_and(|it| !it.attempts.is_empty());
        let failed = instance.is_some_and(|it| it.error.is_some());
        let mut tabs = vec![Tab::Outputs, Tab::Inputs];
        tabs.extend(self.item_count(model).map(|_| Tab::Items));
        tabs.extend(
            instance.filter(|it| !it.metrics.is_empty() || self.was_sampled(it, model)).map(|_| Tab::Metrics),
        );
        tabs.extend(instance.and_then(|it| it.activity.as_deref()).into_iter().flat_map(activity::tabs));
        tabs.extend(ran.then_some(Tab::Log));
        tabs.extend(failed.then_some(Tab::Error));
        tabs.extend(ran.then_some(Tab::Attempts));
        tabs
    }

    /// Requests the data of the run in focus, the item and its newest attempt.
    fn sync(&mut self, model: &Model) -> Vec<Effect> {
        if !self.tabs(model).contains(&self.tab) {
            self.show(Tab::Outputs);
        }
        let (Some(lens), Some(instance)) = (model.lens(), self.instance(model)) else { return Vec::new() };
        let mut effects: Vec<Effect> = self.products.follow(lens.run.id).into_iter().collect();
        if self.tab == Tab::Metrics {
            let run = (lens.run.id, lens.run.started_at.unwrap_or(lens.run.submitted_at));
            let of = curves::of(run, &self.node, self.item, Self::place(model).width);
            effects.extend(self.curves.follow(of, model.now));
        }
        if self.tab != Tab::Log || instance.attempts.is_empty() {
            return effects;
        }
        let attempt = Some(instance.attempt());
        let of = Of { run: lens.run.id, node: self.node.clone(), item: self.item, attempt };
        if self.log.is_of(&of) {
            return effects;
        }
        let (log, read) = Log::begin(of, instance.log_end);
        self.log = log;
        self.follow = true;
        effects.push(Effect::ReadLog(read));
        effects
    }

    /// Returns whether the log in this run may be longer now.
    fn log_may_have_grown(&self, run: RunId, notification: &Notification) -> bool {
        let is_here = |node: &String, item: ItemPath| *node == self.node && item == self.item;
        match notification {
            Notification::Live { run_id, event: LiveEvent::LogUpdate { node, item, .. }, .. } => {
                *run_id == run && is_here(node, *item)
            }
            // What is written while there is no connection is told by no update of the log.
            Notification::State {
                run_id,
                event: Numbered { event: StateEvent::NodeUpdate(update), .. },
                ..
            } => *run_id == run && is_here(&update.node, update.item),
            Notification::Snapshot { run_id, .. } => *run_id == run,
            _ => false,
        }
    }

    fn show(&mut self, tab: Tab) {
        self.tab = tab;
        self.top = 0;
        self.search.clear();
    }

    fn turn(&mut self, model: &Model, forward: bool) -> Vec<Effect> {
        let tabs = self.tabs(model);
        let at = tabs.iter().position(|tab| *tab == self.tab).unwrap_or(0);
        let by = if forward { 1 } else { tabs.len() - 1 };
        self.show(tabs[(at + by) % tabs.len()]);
        self.sync(model)
    }

    /// Goes to the next or previous item; before the first item is the node as a whole.
    fn turn_item(&mut self, model: &Model, forward: bool) -> Vec<Effect> {
        let Some(count) = self.item_count(model).filter(|count| *count > 0) else { return Vec::new() };
        self.item = match (self.item.0, forward) {
            (None, true) => ItemPath::item(0),
            (None, false) => ItemPath::item(count - 1),
            (Some(index), true) if index + 1 < count => ItemPath::item(index + 1),
            (Some(index), false) if index > 0 => ItemPath::item(index - 1),
            _ => ItemPath::WHOLE,
        };
        self.top = 0;
        self.sync(model)
    }

    fn page<'a>(&'a self, model: &Model) -> Page<'a> {
        content::page(self, model, &Theme::default())
    }

    fn place(model: &Model) -> Rect {
        view::place(model.areas.layer.unwrap_or(Rect::new(0, 0, 80, 24)))
    }

    fn scroll(&mut self, model: &Model, to: impl Fn(usize, usize) -> usize) -> Vec<Effect> {
        let place = Self::place(model);
        let ending = self.page(model).ending(place, self.wrap);
        let following = self.tab == Tab::Log && self.follow;
        let at = if following { ending } else { self.top };
        let to = to(at, usize::from(place.height));
        self.top = to.min(ending);
        self.follow = self.tab == Tab::Log && self.top >= ending && (following || to > at);
        if self.tab == Tab::Log && self.top == 0 {
            return self.log.older().map(Effect::ReadLog).into_iter().collect();
        }
        Vec::new()
    }
}

impl Inspector {
    /// Moves the lens into the run that the node or item started.
    fn enter(&self, model: &mut Model) -> Step {
        match children::enter(model, &self.node, self.item) {
            Some(effects) => Step::close_with(effects),
            None if children::any(model, &self.node) => {
                let key = model.keymap.keys(Action::NextItem).into_iter().next().unwrap_or_default();
                model.say(Tone::Note, format!("its items started runs: choose one ({key})"));
                Step::stay()
            }
            None => Step::stay(),
        }
    }
}

impl Component for Inspector {
    fn key(&mut self, model: &mut Model, _key: KeyEvent, action: Option<Action>) -> Step {
        let Some(action) = action else { return Step::stay() };
        Step::with(match action {
            Action::Back if !self.search.is_empty() => {
                self.search.clear();
                Vec::new()
            }
            Action::Back | Action::Quit => return Step::close(),
            Action::Up => self.scroll(model, |at, _| at.saturating_sub(1)),
            Action::Down => self.scroll(model, |at, _| at + 1),
            Action::HalfPageUp => self.scroll(model, |at, height| at.saturating_sub(height / 2)),
            Action::HalfPageDown => self.scroll(model, |at, height| at + height / 2),
            Action::First => self.scroll(model, |_, _| 0),
            Action::Last => self.scroll(model, |_, _| usize::MAX),
            Action::NextTab => self.turn(model, true),
            Action::PreviousTab => self.turn(model, false),
            Action::NextItem => self.turn_item(model, true),
            Action::PreviousItem => self.turn_item(model, false),
            Action::FollowLog => {
                self.follow = !self.follow;
                if !self.follow {
                    self.top = self.page(model).ending(Self::place(model), self.wrap);
                }
                Vec::new()
            }
            Action::Reasoning => {
                let above = self.page(model).len() - self.log.shown().len();
                let row = self.log.turn_reasoning(self.top.saturating_sub(above));
                if self.top >= above {
                    self.top = above + row;
                }
                Vec::new()
            }
            Action::Wrap => {
                self.wrap = !self.wrap;
                Vec::new()
            }
            Action::Find => return self.ask_search(),
            Action::NextMatch | Action::PreviousMatch => {
                self.find(model, action == Action::NextMatch);
                Vec::new()
            }
            Action::Open => return self.enter(model),
            Action::Copy => return self.copy(model),
            Action::Pager => {
                let name = format!("{}-{}", self.node, self.tab.title().to_lowercase());
                vec![Effect::Pager { name, text: self.text(model) }]
            }
            _ => return Step::pass(),
        })
    }

    fn mouse(&mut self, model: &mut Model, mouse: MouseEvent, hit: Option<&Hit>) -> Step {
        Step::with(match (mouse.kind, hit) {
            (MouseEventKind::Down(_), Some(Hit::Tab(index))) => {
                if let Some(tab) = self.tabs(model).get(*index) {
                    self.show(*tab);
                }
                self.sync(model)
            }
            (MouseEventKind::ScrollDown, _) => self.scroll(model, |at, _| at + 3),
            (MouseEventKind::ScrollUp, _) => self.scroll(model, |at, _| at.saturating_sub(3)),
            _ => Vec::new(),
        })
    }

    fn response(&mut self, _model: &mut Model, response: &mut Response) -> Vec<Effect> {
        match response {
            Response::Log(read, part) => {
                let before = self.log.shown().len();
                let older = self.log.read && read.offset < part.end && self.top == 0 && !self.follow;
                let next = self.log.take(read, part).map(Effect::ReadLog);
                if older {
                    // Older lines move the first line down; the view stays on it.
                    self.top = self.log.shown().len().saturating_sub(before);
                }
                next.into_iter().collect()
            }
            Response::Failed { request, error, .. } => {
                match &**request {
                    Effect::ReadLog(read) => self.log.failed(read, error),
                    Effect::ReadMetrics(of) => self.curves.failed(of, error),
                    _ => {}
                }
                Vec::new()
            }
            Response::Metrics(of, read) => {
                self.curves.response(of, read);
                Vec::new()
            }
            Response::Assets { to: Address::Inspector(run), page } => {
                self.products.response(*run, page);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn notification(&mut self, model: &mut Model, notification: &Notification) -> Vec<Effect> {
        self.curves.notification(notification);
        let mut effects = self.sync(model);
        self.products.notification(notification);
        if model.lens().is_some_and(|lens| self.log_may_have_grown(lens.run.id, notification)) {
            effects.extend(self.log.after().map(Effect::ReadLog));
        }
        effects
    }

    fn missed(&mut self, _model: &mut Model) -> Vec<Effect> {
        self.curves.refresh();
        let log = self.log.after().map(Effect::ReadLog);
        self.products.missed().into_iter().chain(log).collect()
    }

    fn shown(&mut self, model: &mut Model) -> Vec<Effect> {
        let mut effects = self.sync(model);
        let place = page::picture(Self::place(model));
        let page = self.page(model);
        let cells = (place.width, place.height);
        let wanted: Vec<PictureRequest> =
            page.pictures().map(|asset| PictureRequest::thumbnail(asset, cells)).collect();
        effects.extend(model.pictures.want(wanted));
        effects
    }

    fn scope(&self) -> Option<Scope> {
        Some(Scope::Inspector)
    }

    fn watched(&mut self, _now: Time) {
        self.curves.refresh();
    }

    fn metrics(&self, model: &Model) -> Option<Metrics> {
        let lens = model.lens().filter(|_| self.tab == Tab::Metrics)?;
        Some(curves::watched(lens.run.id, &self.node, self.item))
    }

    fn hints(&self, model: &Model) -> Vec<Action> {
        let mut hints = Vec::new();
        if self.instance(model).is_some_and(|instance| instance.question.is_some()) {
            hints.push(Action::Answer);
        }
        hints.push(Action::NextTab);
        hints.extend(children::any(model, &self.node).then_some(Action::Open));
        if self.tab == Tab::Log {
            hints.extend([Action::FollowLog, Action::Find, Action::Wrap]);
            hints.extend(self.log.has_reasoning().then_some(Action::Reasoning));
        }
        hints.extend([Action::Copy, Action::Pager]);
        if self.item_count(model).is_some_and(|count| count > 0) {
            hints.push(Action::NextItem);
        }
        hints.push(Action::Back);
        hints
    }

    fn view(&self, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
        view::view(self, model, theme, area, buffer, areas);
    }
}

#[cfg(test)]
mod tests;
