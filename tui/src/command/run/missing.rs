//! `--missing`: leaves out the runs that have a result already.

use fanlight_shared::client::Client;
use fanlight_shared::rpc::runs::{Missing, ParamSet, Start, SweepOptions};
use fanlight_shared::workflow::Workflow;

use super::source::Source;
use crate::failure::Failure;
use crate::{elsewhere, output, text};

/// Returns the sets of params with which this version of the workflow has not completed a run, and says how many have
/// been skipped.
pub(super) async fn of(
    client: &Client,
    source: &Source,
    workflow: &Workflow,
    sweep: Option<&SweepOptions>,
    sets: Vec<ParamSet>,
) -> Result<Vec<ParamSet>, Failure> {
    let start =
        Start { document: source.document.clone(), path: source.path.clone(), sets, ..Start::default() };
    let Start { document, path, sets, files, .. } = elsewhere::sent(client, workflow, start).await?;
    let extends = sweep.and_then(|sweep| sweep.extends.clone());
    let request = Missing { document, path, sets: sets.clone(), files, extends };
    let found = client.call(request).await?.found;
    let mut found = found.iter().flat_map(|range| range.from..range.to).peekable();
    let is_missing = |place: u32| found.next_if_eq(&place).is_none();
    let places: Vec<bool> = (0..).take(sets.len()).map(is_missing).collect();
    let all = sets.len();
    let missing: Vec<ParamSet> =
        sets.into_iter().zip(places).filter(|(_, missing)| *missing).map(|(set, _)| set).collect();
    let skipped = all - missing.len();
    if skipped > 0 {
        let verb = if skipped == 1 { "has" } else { "have" };
        output::note(&format!("skipped {}, which {verb} a result already", text::count(skipped, "run")));
    }
    Ok(missing)
}
