//! Notifications of the daemon, and requests for the rows in view.

use std::collections::BTreeSet;

use fanlight_shared::event::{DaemonEvent, StateEvent};
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::run::Run;

use super::sections::{begin, place, rebuild};
use crate::ui::address::Address;
use crate::ui::areas::Hit;
use crate::ui::effect::Effect;
use crate::ui::layer::form::Form;
use crate::ui::message::{Response, Why};
use crate::ui::model::Model;
use crate::ui::model::queue::rows::Rows;
use crate::ui::model::queue::sweeps::{SweepId, Wanted};
use crate::ui::model::queue::{Section, Sort, thumbs};
use crate::ui::pane::Pane;
use crate::ui::picture::PictureRequest;
use crate::ui::queue::unconfirmed;

/// How many rows ahead of the last one in view the next page is asked for.
const READ_AHEAD: usize = 60;

/// Takes a response that it requested. It is called before the shell, so that its data is applied first.
pub fn response(model: &mut Model, response: &mut Response) -> Vec<Effect> {
    match response {
        Response::Runs { to, page } => {
            let of = model.queue.feeds.response(*to, page.cursor.as_ref());
            model.projection.add(page.rows.iter().cloned());
            for run in &page.rows {
                place(model, run.id);
            }
            let last = page.cursor.is_none();
            let missing = of.and_then(|of| unconfirmed::read(model, of, &page.rows, last));
            return missing.into_iter().chain(parents(model, &page.rows)).collect();
        }
        Response::Run { detail, .. } => {
            model.projection.add([detail.run.clone()]);
            place(model, detail.run.id);
        }
        Response::Known(run, known) => {
            match known {
                Some(run) => model.projection.add([(**run).clone()]),
                None => {
                    model.projection.remove(*run);
                    forget(model, *run);
                }
            }
            place(model, *run);
        }
        Response::Assets { to, page } => {
            if let Address::QueueThumbnail(run) = *to {
                let output = thumbs::output(model);
                let workflow = model.projection.run(run).map(|run| run.workflow_id);
                model.queue.thumbs.response(run, &page.rows, workflow, output.as_ref());
            }
            let mut numbers = Vec::new();
            for asset in &page.rows {
                if take_number(model, asset) {
                    numbers.push(asset.run_id);
                }
            }
            if !numbers.is_empty() {
                rebuild(model);
            }
            let next = model.queue.numbers.page(*to, page.cursor.as_ref(), model.workflow_id());
            return next.into_iter().collect();
        }
        Response::Sweep { name, request, runs, best, search } => {
            let sections = &mut model.queue.sections;
            let read = sections.sweeps.read((name, *request), runs, best.as_ref(), search.take());
            let Some((id, sweep)) = read.and_then(|id| Some((id, sections.sweeps.get(id)?))) else {
                return Vec::new();
            };
            let of_sweep = model.projection.runs().filter(|run| run.sweep.as_ref() == Some(name));
            let gone = of_sweep.filter(|run| !sweep.tally.contains(run.number)).map(|run| run.id);
            let gone: Vec<RunId> = gone.collect();
            sections.sweep_changed(id, &model.projection, &model.queue.numbers);
            return (!gone.is_empty()).then_some(Effect::CheckRuns(gone)).into_iter().collect();
        }
        Response::Failed { request, error, why } => match **request {
            Effect::ReadSweep { ref name, request, .. } => {
                model.queue.sections.sweeps.failed((name, request), *why);
                rebuild(model);
            }
            Effect::ListAssets { to: Address::QueueThumbnail(run), .. } => model.queue.thumbs.failed(run),
            Effect::Start(_) | Effect::Fork(_) | Effect::Resume(_) => {
                if let Some(mut layer) = model.queue.submissions.failed(request, *why) {
                    match layer.downcast_mut::<Form>() {
                        Some(form) if *why == Why::Away => form.away(error),
                        Some(form) => form.refused(error),
                        None => {}
                    }
                    // Keys that are being typed into another layer must not get into this one.
                    model.layers.insert(0, layer);
                }
            }
            _ => {}
        },
        _ => {}
    }
    Vec::new()
}

/// Handles the deletion of a run.
fn forget(model: &mut Model, run: RunId) {
    model.queue.marks.remove(&run);
    model.queue.numbers.forget(run);
    model.queue.thumbs.forget(run);
}

fn take_number(model: &mut Model, asset: &fanlight_shared::asset::Asset) -> bool {
    if Some(asset.workflow_id) != model.workflow_id() {
        return false;
    }
    let workflow = model.drawn().map(|(workflow, _)| workflow.clone());
    model.queue.numbers.take(asset, workflow.as_deref())
}

/// Handles a notification, after the projection has applied it.
pub fn notification(model: &mut Model, notification: &Notification) -> Vec<Effect> {
    match notification {
        Notification::Daemon { event: DaemonEvent::RunUpdate { run }, .. } => place(model, run.id),
        // Its waiting runs leave the queue, or have places again.
        Notification::Daemon { event: DaemonEvent::SweepUpdate { .. }, .. } => rebuild(model),
        Notification::Daemon { event: DaemonEvent::RunDelete { run_id, .. }, .. } => {
            forget(model, *run_id);
            place(model, *run_id);
        }
        Notification::Daemon { event: DaemonEvent::AssetUpdate { asset }, .. } => {
            model.queue.thumbs.stored(asset);
            // Its key contains the numbers, so that it can't be found by the new ones.
            let sorted = matches!(model.queue.sections.sort, Sort::Greatest(_) | Sort::Least(_));
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
        // The telemetry of a run may be ahead of the registry.
        Notification::State { run_id, event, .. } if matches!(event.event, StateEvent::RunUpdate(_)) => {
            place(model, *run_id);
        }
        _ => {}
    }
    Vec::new()
}

/// Reads the lists again: runs may have ended, and made numbers and pictures.
pub fn missed(model: &mut Model) -> Vec<Effect> {
    let workflow = model.workflow_id();
    model.queue.feeds.reset(workflow);
    model.queue.sections.sweeps.missed();
    model.queue.thumbs.missed();
    rebuild(model);
    model.queue.numbers.read(workflow).into_iter().chain(begin(model)).collect()
}

/// Handles a change of the workflow on screen or of the run in focus.
pub fn moved(model: &mut Model) -> Vec<Effect> {
    let workflow = model.workflow_id();
    if model.queue.sections.of() == workflow {
        return Vec::new();
    }
    (model.queue.cursor, model.queue.row) = (None, 0);
    model.queue.feeds.reset(workflow);
    rebuild(model);
    let mut effects: Vec<Effect> = model.queue.numbers.reset(workflow).into_iter().collect();
    effects.extend(begin(model));
    effects
}

/// Called after each frame: requests the pages that come into view next.
pub fn shown(model: &mut Model) -> Vec<Effect> {
    let mut effects = moved(model);
    if !model.is_up() {
        return effects;
    }
    let rows = Rows::of(&model.queue);
    let height = usize::from(model.areas.pane(Pane::Queue).map_or(0, |area| area.height));
    let reach = rows.cursor(model) + height + READ_AHEAD;
    let known = model.queue.sections.counts().queued as usize;
    let queued = model.projection.queue().queued as usize;
    let sorted = model.queue.sections.sort != Sort::Newest;
    for section in [Section::Enqueued, Section::Done, Section::Cancelled] {
        if section == Section::Enqueued && known >= queued {
            continue;
        }
        let queue = &mut model.queue;
        let whole = sorted && section == Section::Done;
        let near = rows.end(section).is_some_and(|end| end <= reach) && !queue.is_folded(section);
        if near || whole {
            effects.extend(queue.feeds.more(section, &queue.sections.filter, &queue.sections.sweeps, whole));
        }
    }
    effects.extend(sweeps(model));
    effects.extend(pictures(model));
    effects
}

/// Reads the sweeps in view, and those whose size is unknown, one after the other.
fn sweeps(model: &mut Model) -> Option<Effect> {
    let in_view = model.areas.hits.iter().filter_map(|(_, hit)| match hit {
        Hit::Sweep(sweep) => Some(*sweep),
        Hit::Run(run) => model.projection.run(*run).and_then(|run| model.queue.sections.sweeps.of(run)),
        _ => None,
    });
    let in_view: Vec<SweepId> = in_view.collect();
    match model.queue.sections.sweeps.want(in_view.into_iter(), model.now)? {
        Ok(Wanted { name, request, best }) => Some(Effect::ReadSweep { name, request, best }),
        Err(wait) => Some(Effect::TickIn(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))),
    }
}

/// Asks for the runs whose nodes started some of these, if they are unknown.
fn parents(model: &Model, rows: &[Run]) -> Option<Effect> {
    let parents = rows.iter().filter_map(|run| run.parent.as_ref()).map(|parent| parent.run);
    let missing: BTreeSet<RunId> = parents.filter(|run| model.projection.run(*run).is_none()).collect();
    (!missing.is_empty()).then(|| Effect::CheckRuns(missing.into_iter().collect()))
}

/// Returns the pictures of the ended runs in view.
fn pictures(model: &mut Model) -> Vec<Effect> {
    if model.pictures.is_off() {
        return Vec::new();
    }
    let (mut effects, mut wanted) = (Vec::new(), Vec::new());
    for (place, hit) in &model.areas.hits {
        let Hit::Run(id) = hit else { continue };
        let Some(run) = model.projection.run(*id).filter(|run| run.state.is_ended()) else { continue };
        effects.extend(model.queue.thumbs.want(run.id, run.workflow_id));
        if place.height >= thumbs::CELLS.1
            && let Some(asset) = model.queue.thumbs.of(run.id)
        {
            wanted.push(PictureRequest::thumbnail(asset, thumbs::CELLS));
        }
    }
    effects.extend(model.pictures.want(wanted));
    effects
}
