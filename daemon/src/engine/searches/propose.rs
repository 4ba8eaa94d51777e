//! Turns what a search knows into its next run.

use std::sync::Arc;

use fanlight_shared::environment::Environment;
use fanlight_shared::id::{BlobHash, RunId, SubmissionId};
use fanlight_shared::label::{self, Labelled};
use fanlight_shared::origin::Fresh;
use fanlight_shared::search::Outcome;
use fanlight_shared::time::Time;
use fanlight_shared::value::Values;
use indexmap::IndexMap;

use crate::engine::message::Next;
use crate::engine::plan::Plan;
use crate::engine::submit::{self, Prepared};
use crate::node_type::NodeTypeSet;
use crate::store::{ChildFiles, KnownSearch, NewRun, NewTrial, OpenRun, Store, StoreError, Submit};

/// The next run of a search, or that there is none.
pub(super) enum Proposal {
    Trial(Box<Prepared>),
    Next(Next),
}

/// Proposes the next run of a search. Blocks.
pub(super) fn prepare(store: &Store, name: &str, types: &NodeTypeSet, insists: bool) -> Proposal {
    let read = || -> Result<_, StoreError> {
        let known = store.known_search(name)?;
        let like = store.run(known.like)?;
        Ok((known, like))
    };
    let (known, like) = match read() {
        Ok(read) => read,
        Err(StoreError::NotFound(_)) => return Proposal::Next(Next::Nothing),
        Err(error) => return Proposal::Next(Next::Stuck(error.to_string())),
    };
    if !insists && is_unmeasured(&known) {
        return Proposal::Next(Next::Unmeasured);
    }
    let Some(chosen) = known.search.propose(known.proposed, &known.trials) else {
        return Proposal::Next(Next::Nothing);
    };
    match trial(&known, like, chosen, types) {
        Ok(prepared) => Proposal::Trial(Box::new(prepared)),
        Err(why) => Proposal::Next(Next::Stuck(why)),
    }
}

/// Returns whether runs completed, but none with a value.
fn is_unmeasured(known: &KnownSearch) -> bool {
    let mut outcomes = known.trials.iter().filter_map(|trial| trial.outcome.as_ref());
    let without = |outcome: &Outcome| matches!(outcome, Outcome::Unmeasured { .. });
    let with = |outcome: &Outcome| matches!(outcome, Outcome::Completed { .. });
    outcomes.clone().any(without) && !outcomes.any(with)
}

/// Returns a run like an earlier one of the search, with other params.
fn trial(
    known: &KnownSearch,
    like: OpenRun,
    chosen: Values,
    types: &NodeTypeSet,
) -> Result<Prepared, String> {
    let workflow = submit::read(&like.document, types).map_err(|error| error.message)?;
    let workflow = workflow.on_engine(like.environment.engine());
    let path = like.path.as_deref().map(std::path::Path::new);
    let title = submit::title(&workflow, path);
    let defaults: IndexMap<_, _> =
        workflow.params.iter().map(|(name, it)| (name.clone(), it.default.clone())).collect();
    let swept: Vec<String> = known.search.space.keys().cloned().collect();
    let OpenRun { run, document, path, environment, fresh, .. } = like;
    let mut params = run.params;
    params.extend(chosen.clone());
    let label = label::label(&Labelled {
        own: None,
        title: &title,
        defaults: &defaults,
        params: &params,
        swept: &swept,
        repeat: None,
    });
    let plan = Plan::new(workflow, types)?;
    let request_key = format!("trial.{}.{}", known.key, known.proposed);
    let submit = Submit {
        digest: BlobHash::of(request_key.as_bytes()),
        request_key,
        workflow_id: Some(run.workflow_id),
        path,
        slug: run.workflow,
        title,
        version: plan.version(document),
        submission: SubmissionId::new(),
        at: Time::now(),
        runs: vec![NewRun { id: RunId::new(), label, params }],
        blobs: Vec::new(),
        environment: Environment::clone(&environment),
        fresh: Fresh::clone(&fresh),
        next: false,
        priority: None,
        sweep: None,
        made_with: plan.made_with(),
        trial: Some(NewTrial {
            sweep: Some(known.key),
            number: known.proposed,
            params: chosen,
            seen: known.seen,
        }),
        resume: None,
        parent: None,
        files: ChildFiles::Of(run.id),
    };
    Ok(Prepared { submit, plan: Arc::new(plan) })
}

#[cfg(test)]
mod tests {
    use fanlight_shared::search::{Search, Trial};
    use fanlight_shared::value::float::Number;

    use super::*;

    #[test]
    fn runs_that_were_pruned_say_nothing_about_whether_there_is_a_value_at_the_end() {
        let known = |outcomes: Vec<Outcome>| {
            let trial = |outcome| Trial { params: Values::new(), outcome: Some(outcome) };
            let trials: Vec<Trial> = outcomes.into_iter().map(trial).collect();
            let (search, like) = (Search::default(), RunId::new());
            is_unmeasured(&KnownSearch { key: 1, search, proposed: 3, seen: 3, trials, like })
        };
        let pruned = || Outcome::Pruned { step: 1, value: Number(0.5) };
        let without = || Outcome::Unmeasured { why: String::new() };
        assert!(known(vec![pruned(), without()]));
        assert!(!known(vec![pruned()]));
        assert!(!known(vec![without(), Outcome::Completed { values: vec![Number(0.5)] }]));
    }
}
