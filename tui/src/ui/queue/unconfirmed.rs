//! Ended runs that the daemon may have deleted during a lost connection: if a page doesn't contain an expected run,
//! that run is requested.

use fanlight_shared::id::WorkflowId;
use fanlight_shared::run::Run;

use crate::ui::effect::Effect;
use crate::ui::model::Model;
use crate::ui::model::queue::Section;

/// Checks a page of a section, of one workflow or of all; `last` marks the last page.
pub(super) fn read(
    model: &mut Model,
    (of, workflow): (Section, Option<WorkflowId>),
    rows: &[Run],
    last: bool,
) -> Option<Effect> {
    // Ids grow with time, so that the page covers everything down to its last row. If a clock went back, a run may be
    // requested needlessly.
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
    (!missing.is_empty()).then_some(Effect::CheckRuns(missing))
}
