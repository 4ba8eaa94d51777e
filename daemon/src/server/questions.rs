//! `questions.*`

use std::sync::Arc;

use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::questions::{List, OpenQuestion};
use fanlight_shared::rpc::{Page, RpcError};
use fanlight_shared::run::Run;
use fanlight_shared::run_state::{InstanceState, RunState};
use fanlight_shared::time::Time;

use super::context::refusal;
use super::session::Session;
use crate::store::{Store, page};

const LIST: page::List = page::List("questions.list");

/// The position of a question: the start of its run, its node, and its item from 1; 0 is the node itself.
type Place = [u64; 3];

pub(super) async fn list(session: &Arc<Session>, list: List) -> Result<Page<OpenQuestion>, RpcError> {
    let from = LIST.parse(list.cursor.as_deref(), place).map_err(refusal)?;
    let (run, workflow) = (list.run_id, list.workflow_id);
    let known = move |store: &Store| {
        run.map_or(Ok(()), |run| store.check_runs(&[run]))?;
        workflow.map_or(Ok(()), |workflow| store.check_workflow(workflow))
    };
    session.context.read(known).await?;
    let mut page = LIST.page(page::limit(list.limit));
    'runs: for (of, state) in session.context.hub.asking() {
        if run.is_some_and(|run| run != of.id) || workflow.is_some_and(|workflow| workflow != of.workflow_id)
        {
            continue;
        }
        for (place, row) in questions(&of, &state) {
            if from.is_none_or(|from| place > from) && !page.add(place, row) {
                break 'runs;
            }
        }
    }
    Ok(page.finish(|[run, node, item]| format!("{run}.{node}.{item}")))
}

fn place(cursor: &str) -> Option<Place> {
    let numbers: Vec<u64> = cursor.split('.').map(|number| number.parse().ok()).collect::<Option<_>>()?;
    numbers.try_into().ok()
}

/// Returns the open questions of a run with their positions.
fn questions(run: &Run, state: &RunState) -> impl Iterator<Item = (Place, OpenQuestion)> {
    let start = run.start_order.unwrap_or(0);
    (0..).zip(&state.nodes).flat_map(move |(at, (name, node))| {
        let whole = (0, ItemPath::WHOLE, &node.whole);
        let items = node.items.iter().map(|(index, it)| (u64::from(*index) + 1, ItemPath::item(*index), it));
        std::iter::once(whole).chain(items).filter_map(move |(place, item, instance)| {
            Some(([start, at, place], question(run, name, item, instance)?))
        })
    })
}

fn question(run: &Run, node: &str, item: ItemPath, instance: &InstanceState) -> Option<OpenQuestion> {
    let question = instance.question.as_deref()?.clone();
    let asked_at = instance.attempts.last().and_then(|it| it.ended_at).unwrap_or_else(Time::now);
    Some(OpenQuestion {
        workflow_id: run.workflow_id,
        run_id: run.id,
        run: run.name(),
        label: run.label.clone(),
        node: node.to_owned(),
        item,
        attempt: instance.attempt(),
        asked_at,
        question,
    })
}
