//! Ended runs that the daemon may have deleted while it could not be heard: a page that should have one and has not
//! makes it be asked after.

use fanlight_shared::id::WorkflowId;
use fanlight_shared::run::Run;

use super::Section;
use crate::ui::effect::Effect;
use crate::ui::model::Model;

/// A page of a section came, of one workflow or of all; `last`: it is the last one.
pub(super) fn read(
    model: &mut Model,
    (of, workflow): (Section, Option<WorkflowId>),
    rows: &[Run],
    last: bool,
) -> Option<Effect> {
    // Ids grow with time, so the page goes down to its last row. Where a clock went back, one too many is asked after.
    let end = rows.last().map(|run| run.id).filter(|_| !last);
    let missing = |run: &&Run| {
        Section::of(run.state) == of
            && model.queue.sections.filter.shows(run)
            && workflow.is_none_or(|workflow| run.workflow_id == workflow)
            && end.is_none_or(|end| run.id > end)
    };
    let missing: Vec<_> = model.projection.unconfirmed().filter(missing).map(|run| run.id).collect();
    for run in &missing {
        model.projection.confirm(*run);
    }
    (!missing.is_empty()).then_some(Effect::LookAfter(missing))
}
