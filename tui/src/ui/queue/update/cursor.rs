//! The row under the cursor: movements, folding and marks.

use fanlight_shared::id::RunId;

use crate::ui::model::Model;
use crate::ui::model::queue::rows::{Row, Rows};
use crate::ui::model::queue::{At, Section};

pub(super) fn step(model: &mut Model, to: impl Fn(usize, usize) -> usize) {
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

pub(super) fn toggle(model: &mut Model, section: Section) {
    let folded = &mut model.queue.folded[section as usize];
    *folded = !*folded;
    model.queue.cursor = Some(At::Section(section));
}

pub(super) fn fold(model: &mut Model, folded: bool) {
    let rows = Rows::of(&model.queue);
    let Some(section) = rows.section(rows.cursor(model)) else { return };
    model.queue.folded[section as usize] = folded;
    if folded {
        let row = rows.heading(section).unwrap_or(0);
        go(model, &rows, row);
    }
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
            let runs = (0..queue.sections.len(section)).filter_map(|index| queue.sections.at(section, index));
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
