//! The order of runs and their first pages.

use fanlight_shared::id::RunId;
use fanlight_shared::run::Run;

use crate::ui::effect::Effect;
use crate::ui::layer::prompt::Prompt;
use crate::ui::model::Model;
use crate::ui::model::queue::sweeps::SweepId;
use crate::ui::model::queue::{At, Filter, Section, Sort};

pub(super) fn place(model: &mut Model, run: RunId) {
    let queue = &mut model.queue;
    queue.sections.place(run, &model.projection, &queue.numbers);
}

pub(super) fn rebuild(model: &mut Model) {
    let of = model.workflow_id();
    let queue = &mut model.queue;
    queue.sections.rebuild(&model.projection, &queue.numbers, of);
}

/// Requests the first pages, so that the headings have counts.
pub(super) fn begin(model: &mut Model) -> Vec<Effect> {
    if !model.is_up() {
        return Vec::new();
    }
    let whole = model.queue.sections.sort != Sort::Newest;
    let queue = &mut model.queue;
    let sections = [Section::Done, Section::Cancelled];
    let more = |section| queue.feeds.more(section, &queue.sections.filter, &queue.sections.sweeps, whole);
    sections.into_iter().filter_map(more).collect()
}

pub(super) fn sort(model: &mut Model) {
    let queue = &mut model.queue;
    // The pane's title shows the order.
    queue.sections.sort = queue.sections.sort.next(queue.numbers.columns());
    rebuild(model);
}

pub(super) fn filter(model: &mut Model, typed: &str) -> Vec<Effect> {
    let workflow = model.workflow_id();
    model.queue.sections.filter = Filter::read(typed);
    model.queue.feeds.reset(workflow);
    rebuild(model);
    begin(model)
}

/// Folds a sweep into one row, or shows its runs, which may have to be read.
pub(super) fn fold_sweep(model: &mut Model, sweep: SweepId, folded: bool) -> Vec<Effect> {
    model.queue.sections.sweeps.fold(sweep, folded);
    rebuild(model);
    if folded {
        model.queue.cursor = Some(At::Sweep(sweep));
        return Vec::new();
    }
    let (sections, focus) = (&model.queue.sections, model.focus());
    let runs = model.projection.runs().filter(|run| sections.sweeps.of(run) == Some(sweep));
    let place = |run: &Run| {
        let (section, index) = sections.find(run.id, &model.projection)?;
        Some((Some(run.id) != focus, section as usize, index, run.id))
    };
    // The run in focus, else the first.
    let first = runs.filter_map(place).min().map(|(.., run)| At::Run(run));
    model.queue.cursor = first.or(model.queue.cursor);
    let workflow = model.workflow_id();
    model.queue.feeds.reset(workflow);
    begin(model)
}

pub(super) fn search(model: &mut Model) {
    let before = model.queue.sections.filter.typed().to_owned();
    let prompt = Prompt::new("Filter runs", before, |_, _| Ok(Vec::new()));
    let hint = "label, #number, workflow, or a state such as failed";
    model.layers.push(prompt.hint(hint).live(filter).into());
}
