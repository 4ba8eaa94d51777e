//! The row under the cursor: movements, folding and marks.

use fanlight_shared::id::RunId;

use super::sections::fold_sweep;
use crate::ui::children;
use crate::ui::effect::Effect;
use crate::ui::model::Model;
use crate::ui::model::queue::rows::{Row, Rows};
use crate::ui::model::queue::{At, Section};
use crate::ui::toast::Tone;

pub(super) fn step(model: &mut Model, to: impl Fn(usize, usize) -> usize) {
    let rows = Rows::of(&model.queue);
    go(model, &rows, to(rows.cursor(model), rows.len.saturating_sub(1)));
}

fn go(model: &mut Model, rows: &Rows, row: usize) {
    model.queue.row = row;
    model.queue.cursor = rows.row(&model.queue, row).map(|it| match it {
        Row::Heading(section) => At::Section(section),
        Row::Sweep(sweep) => At::Sweep(sweep),
        Row::Run(run) => At::Run(run),
    });
}

pub(super) fn toggle(model: &mut Model, section: Section) {
    let folded = &mut model.queue.folded[section as usize];
    *folded = !*folded;
    model.queue.cursor = Some(At::Section(section));
}

/// Folds the innermost of what the row is in: the runs below a run, a sweep, a section.
pub(super) fn fold(model: &mut Model) -> Vec<Effect> {
    let rows = Rows::of(&model.queue);
    let row = rows.cursor(model);
    if let Some(Row::Run(run)) = rows.row(&model.queue, row) {
        let known = model.projection.run(run);
        let sections = &model.queue.sections;
        let parent = known.and_then(|run| run.parent.as_ref()).map(|parent| parent.run);
        let to = if sections.is_open(run) && sections.children(run) > 0 {
            Some(run)
        } else {
            parent.filter(|_| sections.depth(run) > 0)
        };
        if let Some(to) = to {
            model.queue.sections.open(to, false, &model.projection, &model.queue.numbers);
            model.queue.cursor = Some(At::Run(to));
            return Vec::new();
        }
        let sweep = known.and_then(|run| sections.sweeps.of(run)).filter(|_| sections.filter.is_empty());
        if let Some(sweep) = sweep {
            return fold_sweep(model, sweep, true);
        }
    }
    let Some(section) = rows.section(row) else { return Vec::new() };
    model.queue.folded[section as usize] = true;
    let row = rows.heading(section).unwrap_or(0);
    go(model, &rows, row);
    Vec::new()
}

/// Unfolds the row.
pub(super) fn unfold(model: &mut Model) -> Vec<Effect> {
    let rows = Rows::of(&model.queue);
    match rows.row(&model.queue, rows.cursor(model)) {
        Some(Row::Heading(section)) => model.queue.folded[section as usize] = false,
        Some(Row::Sweep(sweep)) => return fold_sweep(model, sweep, false),
        Some(Row::Run(run)) if !model.queue.sections.is_open(run) => {
            model.queue.sections.open(run, true, &model.projection, &model.queue.numbers);
            return vec![children::list(run)];
        }
        Some(Row::Run(_)) | None => {}
    }
    Vec::new()
}

pub(super) fn mark(model: &mut Model) {
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
            let rows = (0..queue.sections.len(section)).filter_map(|index| queue.sections.at(section, index));
            let runs = rows.filter_map(|row| if let Row::Run(run) = row { Some(run) } else { None });
            let runs: Vec<RunId> = runs.collect();
            if runs.iter().all(|run| queue.marks.contains(run)) {
                queue.marks.retain(|run| !runs.contains(run));
            } else {
                queue.marks.extend(runs);
            }
        }
        // Only a part of its runs may be known here, and an action on marks is about all of them.
        Some(Row::Sweep(_)) => model.say(Tone::Note, "unfold the sweep to mark its runs"),
        None => {}
    }
}
