//! What the queue pane does.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use fanlight_shared::event::DaemonEvent;
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::run::{Run, RunStatus};

use super::numbers::MARK;
use super::rows::{self, Row, Rows};
use super::{At, Filter, Section, Sort, ask, thumbs};
use crate::ui::action::Action;
use crate::ui::effect::Effect;
use crate::ui::layer::compare::Compare;
use crate::ui::layer::prompt::Prompt;
use crate::ui::lens;
use crate::ui::message::Came;
use crate::ui::model::Model;
use crate::ui::picture::Wanted;
use crate::ui::toast::Tone;
use crate::ui::update::say;
use crate::ui::view::Hit;

/// How many rows ahead of the last one in view the next page is asked for.
const AHEAD: usize = 60;

/// Carries out an action of this pane, or one that works everywhere and moves in the pane that has the keys.
pub fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let page = usize::from(model.areas.queue.map_or(10, |area| area.height));
    match action {
        Action::Down | Action::NextMatch => step(model, |row, last| (row + 1).min(last)),
        Action::Up | Action::PreviousMatch => step(model, |row, _| row.saturating_sub(1)),
        Action::HalfPageDown => step(model, |row, last| (row + (page / 2).max(1)).min(last)),
        Action::HalfPageUp => step(model, |row, _| row.saturating_sub((page / 2).max(1))),
        Action::First => step(model, |_, _| 0),
        Action::Last => step(model, |_, last| last),
        Action::Fold | Action::Left => fold(model, true),
        Action::Unfold | Action::Right => fold(model, false),
        Action::PinRun | Action::Open => match rows::current(model) {
            Some(Row::Heading(section)) => toggle(model, section),
            Some(Row::Run(run)) => return pin(model, run),
            None => {}
        },
        Action::Mark => mark(model),
        Action::Search => search(model),
        Action::Copy => {
            let names: Vec<String> = ask::targets(model).iter().map(Run::name).collect();
            if !names.is_empty() {
                return vec![Effect::Copy(names.join("\n"))];
            }
        }
        Action::CancelRun => return ask::cancel(model),
        Action::CancelQueued => return ask::cancel_queued(model),
        Action::Resume => return ask::resume(model),
        Action::PauseQueue => return ask::pause(model),
        Action::Cap => ask::cap(model),
        Action::Label => ask::label(model),
        Action::DeleteRun => return ask::delete(model),
        Action::Sort => sort(model),
        Action::Thumbnails => model.queue.thumbs.hidden = !model.queue.thumbs.hidden,
        Action::CompareRuns => {
            let compare = Compare::of_runs(&ask::targets(model));
            let effects = compare.begin();
            model.layers.push(compare.into());
            return effects;
        }
        _ => {}
    }
    Vec::new()
}

/// One step back inside the pane (a filter, marks); `false` if there is nothing to go back from.
pub fn back(model: &mut Model) -> bool {
    if !model.queue.marks.is_empty() {
        model.queue.marks.clear();
        return true;
    }
    if model.queue.shelves.filter.typed().is_empty() {
        return false;
    }
    filter(model, "");
    true
}

/// Whether an action of this pane does something now; hints, help and palette go by it.
#[must_use]
pub fn enabled(model: &Model, action: Action) -> bool {
    let any = |wanted: &dyn Fn(RunStatus) -> bool| ask::targets(model).iter().any(|run| wanted(run.state));
    match action {
        Action::PinRun | Action::Fold | Action::Unfold => Rows::of(&model.queue).len > 0,
        Action::CancelRun => any(&|state| !state.is_ended()),
        Action::CancelQueued => model.registry.queue().queued > 0,
        Action::Resume => any(&|state| matches!(state, RunStatus::Failed | RunStatus::Cancelled)),
        Action::DeleteRun | Action::Label => any(&|_| true),
        Action::CompareRuns => model.queue.marks.len() > 1,
        Action::PauseQueue | Action::Cap => model.is_up(),
        Action::Thumbnails => model.queue.thumbs.any() && !model.pictures.is_off(),
        Action::Sort => model.queue.shelves.len(Section::Done) > 1,
        _ => true,
    }
}

/// The actions for the hint line, the most useful first; those that are not enabled are left out by the caller.
#[must_use]
pub fn hints(model: &Model) -> Vec<Action> {
    let mut hints = match rows::current(model) {
        Some(Row::Run(run)) => match model.registry.run(run).map(|run| Section::of(run.state)) {
            Some(Section::Running | Section::Enqueued) => {
                vec![Action::PinRun, Action::CancelRun, Action::Mark]
            }
            _ => vec![Action::PinRun, Action::Resume, Action::Mark, Action::DeleteRun, Action::Sort],
        },
        _ => vec![Action::Fold, Action::Unfold],
    };
    if model.queue.marks.len() > 1 {
        hints.insert(0, Action::CompareRuns);
    }
    hints.extend([Action::CancelQueued, Action::PauseQueue, Action::Cap, Action::Thumbnails]);
    hints
}

/// Takes an answer it waits for. It comes before the shell's turn, so what it holds is made known first.
pub fn came(model: &mut Model, came: &mut Came) -> Vec<Effect> {
    match came {
        Came::Runs { generation, page } => {
            model.queue.feeds.came(*generation, page.cursor.as_ref());
            model.registry.know(page.rows.iter().cloned());
            for run in &page.rows {
                place(model, run.id);
            }
        }
        Came::Run { detail, .. } => {
            model.registry.know([detail.run.clone()]);
            place(model, detail.run.id);
        }
        Came::Known(run, known) => {
            match known {
                Some(run) => model.registry.know([(**run).clone()]),
                None => model.registry.remove(*run),
            }
            place(model, *run);
        }
        Came::Assets { generation, page } => {
            let output = thumbs::output(model);
            let workflow = model.queue.thumbs.asked(*generation).and_then(|run| model.registry.run(run));
            let workflow = workflow.map(|run| run.workflow_id);
            model.queue.thumbs.came(*generation, &page.rows, workflow, output.as_ref());
            let mut numbers = Vec::new();
            for asset in &page.rows {
                if take_number(model, asset) {
                    numbers.push(asset.run_id);
                }
            }
            if !numbers.is_empty() {
                rebuild(model);
            }
            let next = model.queue.numbers.page(*generation, page.cursor.as_ref(), model.workflow_id());
            return next.into_iter().collect();
        }
        Came::Started(_) => model.queue.submitted = None,
        Came::Failed { request, error, .. } => match **request {
            Effect::ListAssets { generation, .. } => model.queue.thumbs.failed(generation),
            Effect::Start(_) => {
                if let Some(mut form) = model.queue.submitted.take() {
                    form.refused(error);
                    model.layers.push((*form).into());
                }
            }
            _ => {}
        },
        _ => {}
    }
    Vec::new()
}

fn take_number(model: &mut Model, asset: &fanlight_shared::asset::Asset) -> bool {
    if Some(asset.workflow_id) != model.workflow_id() {
        return false;
    }
    let workflow = model.drawn().map(|(workflow, _)| workflow.clone());
    model.queue.numbers.take(asset, workflow.as_deref())
}

/// Hears what the daemon told, after registry and lens heard it.
pub fn told(model: &mut Model, told: &Notification) -> Vec<Effect> {
    match told {
        Notification::Registry { .. } => {
            // The daemon may have gone on without us: what ended meanwhile is in the lists.
            let workflow = model.workflow_id();
            model.queue.feeds.reset(workflow);
            rebuild(model);
            return begin(model);
        }
        Notification::Daemon { event: DaemonEvent::RunUpdate { run }, .. } => place(model, run.id),
        Notification::Daemon { event: DaemonEvent::RunDelete { run_id, .. }, .. } => {
            model.queue.marks.remove(run_id);
            model.queue.numbers.forget(*run_id);
            model.queue.thumbs.forget(*run_id);
            place(model, *run_id);
        }
        Notification::Daemon { event: DaemonEvent::AssetUpdate { asset }, .. } => {
            model.queue.thumbs.stored(asset);
            // Its key is made of the numbers, so it is found by the old ones no more.
            let sorted = matches!(model.queue.shelves.sort, Sort::Greatest(_) | Sort::Least(_));
            match take_number(model, asset) {
                true if sorted => rebuild(model),
                true => place(model, asset.run_id),
                false => {}
            }
        }
        Notification::Daemon { event: DaemonEvent::AssetDelete { asset_id, .. }, .. } => {
            model.queue.thumbs.deleted(*asset_id);
        }
        Notification::Snapshot { run_id, .. } => place(model, *run_id),
        _ => {}
    }
    Vec::new()
}

/// The workflow on screen or the run in focus is another one now.
pub fn moved(model: &mut Model) -> Vec<Effect> {
    let workflow = model.workflow_id();
    if model.queue.shelves.of() == workflow {
        return Vec::new();
    }
    model.queue.feeds.reset(workflow);
    rebuild(model);
    let mut effects: Vec<Effect> = model.queue.numbers.reset(workflow).into_iter().collect();
    effects.extend(begin(model));
    effects
}

/// The first pages, so that the counts in the headings say something.
fn begin(model: &mut Model) -> Vec<Effect> {
    if !model.is_up() {
        return Vec::new();
    }
    let whole = model.queue.shelves.sort != Sort::Newest;
    let queue = &mut model.queue;
    let sections = [Section::Done, Section::Cancelled];
    sections.into_iter().filter_map(|it| queue.feeds.more(it, &queue.shelves.filter, whole)).collect()
}

/// A frame was painted: the pages that come next into view.
pub fn shown(model: &mut Model) -> Vec<Effect> {
    let mut effects = moved(model);
    if !model.is_up() {
        return effects;
    }
    let rows = Rows::of(&model.queue);
    let height = usize::from(model.areas.queue.map_or(0, |area| area.height));
    let reach = rows.cursor(model) + height + AHEAD;
    let known = model.queue.shelves.len(Section::Enqueued);
    let queued = model.registry.queue().queued as usize;
    let sorted = model.queue.shelves.sort != Sort::Newest;
    for section in [Section::Enqueued, Section::Done, Section::Cancelled] {
        if section == Section::Enqueued && known >= queued {
            continue;
        }
        let queue = &mut model.queue;
        let whole = sorted && section == Section::Done;
        let near = rows.end(section).is_some_and(|end| end <= reach) && !queue.is_folded(section);
        if near || whole {
            effects.extend(queue.feeds.more(section, &queue.shelves.filter, whole));
        }
    }
    effects.extend(pictures(model));
    effects
}

/// The pictures of the ended runs in view.
fn pictures(model: &mut Model) -> Vec<Effect> {
    if model.pictures.is_off() {
        return Vec::new();
    }
    let (mut effects, mut wanted) = (Vec::new(), Vec::new());
    for (place, hit) in &model.areas.hits {
        let Hit::Run(id) = hit else { continue };
        let Some(run) = model.registry.run(*id).filter(|run| run.state.is_ended()) else { continue };
        effects.extend(model.queue.thumbs.want(run.id, run.workflow_id));
        if place.height >= thumbs::CELLS.1
            && let Some(asset) = model.queue.thumbs.of(run.id)
        {
            wanted.push(Wanted::thumbnail(asset, thumbs::CELLS));
        }
    }
    effects.extend(model.pictures.want(wanted));
    effects
}

/// Handles the mouse over this pane: clicks, wheel. `hit` is what lies there, as the view marked it.
pub fn mouse(model: &mut Model, mouse: MouseEvent, hit: Option<&Hit>) -> Vec<Effect> {
    match (mouse.kind, hit) {
        (MouseEventKind::ScrollDown, _) => step(model, |row, last| (row + 3).min(last)),
        (MouseEventKind::ScrollUp, _) => step(model, |row, _| row.saturating_sub(3)),
        (MouseEventKind::Down(MouseButton::Left), Some(Hit::Section(index))) => {
            if let Some(section) = Section::ALL.get(*index) {
                toggle(model, *section);
            }
        }
        (MouseEventKind::Down(MouseButton::Left), Some(Hit::Run(run))) => {
            model.queue.cursor = Some(At::Run(*run));
            return pin(model, *run);
        }
        (MouseEventKind::Down(MouseButton::Right), Some(Hit::Run(run))) => {
            model.queue.cursor = Some(At::Run(*run));
            mark(model);
        }
        _ => {}
    }
    Vec::new()
}

fn pin(model: &mut Model, run: RunId) -> Vec<Effect> {
    let gone = model
        .registry
        .run(run)
        .is_some_and(|it| it.state == RunStatus::Cancelled && it.start_order.is_none());
    if gone {
        say(model, Tone::Note, "it was cancelled before it started: there is nothing to look at");
        return Vec::new();
    }
    lens::pin(model, run)
}

fn place(model: &mut Model, run: RunId) {
    let queue = &mut model.queue;
    queue.shelves.place(run, &model.registry, &queue.numbers);
}

fn rebuild(model: &mut Model) {
    let of = model.workflow_id();
    let queue = &mut model.queue;
    queue.shelves.rebuild(&model.registry, &queue.numbers, of);
}

fn step(model: &mut Model, to: impl Fn(usize, usize) -> usize) {
    let rows = Rows::of(&model.queue);
    go(model, &rows, to(rows.cursor(model), rows.len.saturating_sub(1)));
}

fn go(model: &mut Model, rows: &Rows, row: usize) {
    model.queue.row = row;
    model.queue.cursor = rows.row(&model.queue, row).map(|it| match it {
        Row::Heading(section) => At::Section(section),
        Row::Run(run) => At::Run(run),
    });
}

fn toggle(model: &mut Model, section: Section) {
    let folded = &mut model.queue.folded[section as usize];
    *folded = !*folded;
    model.queue.cursor = Some(At::Section(section));
}

fn fold(model: &mut Model, folded: bool) {
    let rows = Rows::of(&model.queue);
    let Some(section) = rows.section(rows.cursor(model)) else { return };
    model.queue.folded[section as usize] = folded;
    if folded {
        let row = rows.heading(section).unwrap_or(0);
        go(model, &rows, row);
    }
}

fn mark(model: &mut Model) {
    let rows = Rows::of(&model.queue);
    let row = rows.cursor(model);
    match rows.row(&model.queue, row) {
        Some(Row::Run(run)) => {
            if !model.queue.marks.remove(&run) {
                model.queue.marks.insert(run);
            }
            go(model, &rows, (row + 1).min(rows.len.saturating_sub(1)));
        }
        Some(Row::Heading(section)) => {
            let queue = &mut model.queue;
            let runs = (0..queue.shelves.len(section)).filter_map(|index| queue.shelves.at(section, index));
            let runs: Vec<RunId> = runs.collect();
            if runs.iter().all(|run| queue.marks.contains(run)) {
                queue.marks.retain(|run| !runs.contains(run));
            } else {
                queue.marks.extend(runs);
            }
        }
        None => {}
    }
}

fn sort(model: &mut Model) {
    let queue = &mut model.queue;
    // The pane's title says which order it is.
    queue.shelves.sort = queue.shelves.sort.next(queue.numbers.columns());
    rebuild(model);
}

fn filter(model: &mut Model, typed: &str) -> Vec<Effect> {
    let workflow = model.workflow_id();
    model.queue.shelves.filter = Filter::read(typed);
    model.queue.feeds.reset(workflow);
    rebuild(model);
    begin(model)
}

fn search(model: &mut Model) {
    let before = model.queue.shelves.filter.typed().to_owned();
    let prompt = Prompt::new("Filter runs", before, |_, _| Ok(Vec::new()));
    let hint = "label, #number, workflow, or a state such as failed";
    model.layers.push(prompt.hint(hint).live(filter).into());
}

/// Whether a request for assets is one of this pane.
#[must_use]
pub fn is_ours(generation: u64) -> bool {
    generation & MARK != 0
}
