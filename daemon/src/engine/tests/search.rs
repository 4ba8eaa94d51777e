//! Searches.

use fanlight_shared::metric::Goal;
use fanlight_shared::rpc::runs::{Cancel, Delete, SweepOptions};
use fanlight_shared::rpc::sweeps::{Detail, Set, SweepState};
use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::search::{Objective, Outcome, Range, Sampler, Search, Trial};
use fanlight_shared::sweep::Pause;
use fanlight_shared::value::{Value, Values};
use rusqlite::Connection;

use super::world::World;

/// The loss is smallest at x = 0.3 and n = 5.
const BOWL: &str = "
params: { x: { type: float, default: 0 }, n: { type: int, default: 1 } }
nodes: { wait: { uses: util.sleep, with: { seconds: 0.001 } } }
outputs: { loss: '${{ (params.x - 0.3) * (params.x - 0.3) + (params.n - 5) * (params.n - 5) }}' }
";

/// Runs until it is cancelled.
const LONG: &str = "
params: { x: { type: float, default: 0 }, n: { type: int, default: 1 } }
nodes: { wait: { uses: util.sleep, with: { seconds: 3600 } } }
";

fn search(trials: u32, parallel: u32) -> Search {
    let x = Range::Float { from: 0.0, to: 1.0, log: false };
    let n = Range::Int { from: 1, to: 9, log: false };
    Search {
        space: [("x".to_owned(), x), ("n".to_owned(), n)].into_iter().collect(),
        objectives: vec![Objective { name: "loss".into(), goal: Goal::Min }],
        trials: Some(trials),
        sampler: Sampler::Tpe,
        pruner: None,
        seed: 7,
        parallel: Some(parallel),
    }
}

async fn start(world: &World, document: &str, search: Search) -> Run {
    let options = SweepOptions { name: Some("scan".into()), search: Some(search), ..SweepOptions::default() };
    world.submit(document, &[&[]], |start| start.sweep = Some(options)).await.unwrap().remove(0)
}

fn detail(world: &World) -> Detail {
    world.store.sweep("scan").unwrap()
}

async fn until_ended(world: &World) {
    world.until_stored(|store| store.sweep("scan").unwrap().sweep.state == SweepState::Ended).await;
}

/// Reads the record of a search.
fn recorded<T>(world: &World, sql: &str, read: impl Fn(&rusqlite::Row<'_>) -> T) -> Vec<T> {
    let db = Connection::open(world.store.home().database()).unwrap();
    let mut query = db.prepare(sql).unwrap();
    query.query_map([], |row| Ok(read(row))).unwrap().collect::<Result<_, _>>().unwrap()
}

fn json<T: serde::de::DeserializeOwned>(row: &rusqlite::Row<'_>, column: usize) -> T {
    serde_json::from_str(&row.get::<_, String>(column).unwrap()).unwrap()
}

/// Returns the params that were proposed, in the order of the trials.
fn proposed(world: &World) -> Vec<Values> {
    recorded(world, "SELECT params FROM trial ORDER BY number", |row| json(row, 0))
}

/// Proposes all trials again from the record, and checks that they are the same.
fn assert_replays(world: &World, search: &Search) {
    let ended = recorded(world, "SELECT run, params, outcome FROM observation ORDER BY place", |row| {
        let trial = Trial { params: json(row, 1), outcome: Some(json::<Outcome>(row, 2)) };
        (row.get::<_, Vec<u8>>(0).unwrap(), trial)
    });
    let trials = recorded(world, "SELECT run, params, seen FROM trial ORDER BY number", |row| {
        (row.get::<_, Vec<u8>>(0).unwrap(), json::<Values>(row, 1), row.get::<_, usize>(2).unwrap())
    });
    for (number, (_, params, seen)) in trials.iter().enumerate() {
        let known = &ended[..*seen];
        let open = trials[..number].iter().filter(|trial| known.iter().all(|(run, _)| *run != trial.0));
        let open = open.map(|trial| Trial { params: trial.1.clone(), outcome: None });
        let known: Vec<Trial> = known.iter().map(|(_, trial)| trial.clone()).chain(open).collect();
        let again = search.propose(u32::try_from(number).unwrap(), &known);
        assert_eq!(again.as_ref(), Some(params), "trial {number}");
    }
}

#[tokio::test]
async fn each_run_is_proposed_from_the_results_of_those_before() {
    let world = World::new().await;
    start(&world, BOWL, search(30, 1)).await;
    until_ended(&world).await;
    let Detail { sweep, search: found, .. } = detail(&world);
    let progress = sweep.search.unwrap();
    assert_eq!(
        (progress.trials, progress.proposed, progress.completed, sweep.runs.completed),
        (30, 30, 30, 30)
    );
    let best = found.unwrap().best.remove(0);
    assert!(best.values[0].0 < 0.05, "{best:?}");
    assert_eq!(best.params["n"], Value::Int(5));
    let seen: Vec<u32> =
        recorded(&world, "SELECT seen FROM trial ORDER BY number", |row| row.get(0).unwrap());
    assert_eq!(seen, (0..30).collect::<Vec<u32>>());
    // No later daemon reads it at its start.
    let ended: Vec<bool> = recorded(&world, "SELECT search_ended FROM sweep", |row| row.get(0).unwrap());
    assert_eq!(ended, [true]);
    assert_replays(&world, &search(30, 1));
}

#[tokio::test]
async fn a_daemon_that_dies_during_a_search_changes_no_decision() {
    let mut world = World::new().await;
    let first = start(&world, BOWL, search(20, 1)).await;
    for number in [3, 7, 12] {
        world.until_stored(|store| store.sweep("scan").unwrap().sweep.runs.all() >= number).await;
        world.restart().await;
    }
    until_ended(&world).await;
    let whole = World::new().await;
    start(&whole, BOWL, search(20, 1)).await;
    until_ended(&whole).await;
    assert_eq!(proposed(&world), proposed(&whole));
    assert_eq!(world.ended(first.id).run.state, RunStatus::Completed);
    assert_eq!(detail(&world).sweep.runs.all(), 20);
}

#[tokio::test]
async fn several_trials_at_once_replay_from_their_record() {
    let mut world = World::new().await;
    start(&world, BOWL, search(40, 4)).await;
    world.until_stored(|store| store.sweep("scan").unwrap().sweep.runs.all() >= 15).await;
    world.restart().await;
    until_ended(&world).await;
    assert_eq!(detail(&world).sweep.runs.completed, 40);
    assert_replays(&world, &search(40, 4));
}

#[tokio::test]
async fn no_more_trials_wait_or_run_than_there_are_slots_for() {
    let world = World::with_cap(3).await;
    start(&world, LONG, search(40, 8)).await;
    world.until(|now| now.running == 3 && now.proposing == 0).await;
    assert_eq!((detail(&world).sweep.runs.running, detail(&world).sweep.runs.queued), (3, 0));
    world.engine.cancel(Cancel { sweep: Some("scan".into()), ..Cancel::default() }).await.unwrap();
    world.idle().await;
    let sweep = detail(&world).sweep;
    assert_eq!(
        (sweep.state, sweep.runs.cancelled, sweep.search.unwrap().cancelled),
        (SweepState::Ended, 3, 3)
    );
}

#[tokio::test]
async fn a_failed_trial_is_an_observation_and_the_search_continues() {
    let bad =
        "nodes:\n  bad: { uses: util.fail, if: '${{ params.n > 6 }}', with: { message: too many } }\n  wait";
    let failing = BOWL.replace("nodes: { wait", bad).replace("0.001 } } }", "0.001 } }");
    let world = World::new().await;
    start(&world, &failing, search(12, 1)).await;
    until_ended(&world).await;
    let progress = detail(&world).sweep.search.unwrap();
    assert!(progress.failed > 0 && progress.failed + progress.completed == 12, "{progress:?}");
    assert_replays(&world, &search(12, 1));
}

#[tokio::test]
async fn a_search_pauses_if_its_runs_have_no_value() {
    let mut world = World::new().await;
    let mut unknown = search(9, 1);
    unknown.objectives[0].name = "accuracy".into();
    start(&world, BOWL, unknown).await;
    let paused =
        |store: &crate::store::Store| store.sweep("scan").unwrap().sweep.paused == Some(Pause::Unmeasured);
    world.until_stored(paused).await;
    let Detail { sweep, search: found, .. } = detail(&world);
    assert_eq!((sweep.state, sweep.runs.all()), (SweepState::Paused, 1));
    assert_eq!(found.unwrap().unmeasured.unwrap(), "story#1 has no output `accuracy`, and no metrics");
    world.restart().await;
    assert_eq!(detail(&world).sweep.runs.all(), 1);
    world.engine.set_sweep(Set { sweep: "scan".into(), paused: false }).await.unwrap();
    until_ended(&world).await;
    assert_eq!(detail(&world).sweep.search.unwrap().unmeasured, 9);
}

#[tokio::test]
async fn a_deleted_search_leaves_nothing_to_the_next_one_of_its_name() {
    let world = World::new().await;
    let mut unknown = search(9, 1);
    unknown.objectives[0].name = "accuracy".into();
    let first = start(&world, BOWL, unknown).await;
    world.until_stored(|store| store.sweep("scan").unwrap().sweep.paused.is_some()).await;
    let delete = || Delete { runs: vec![first.id], assets: false };
    let refused = world.engine.delete(delete()).await.unwrap_err().message;
    assert!(refused.contains("the search `scan` has not ended"), "{refused}");
    world.engine.cancel(Cancel { sweep: Some("scan".into()), ..Cancel::default() }).await.unwrap();
    until_ended(&world).await;
    world.engine.delete(delete()).await.unwrap();
    start(&world, BOWL, search(3, 1)).await;
    until_ended(&world).await;
    let progress = detail(&world).sweep.search.unwrap();
    assert_eq!((progress.trials, progress.completed), (3, 3));
}

#[tokio::test]
async fn what_no_search_can_do_is_refused_before_anything_runs() {
    let world = World::new().await;
    let refused = async |search: Search, sets: &[&[(&str, Value)]], label: Option<String>| {
        let options = SweepOptions { search: Some(search), ..SweepOptions::default() };
        let more = |start: &mut fanlight_shared::rpc::runs::Start| {
            (start.sweep, start.label) = (Some(options), label);
        };
        world.submit(BOWL, sets, more).await.unwrap_err().message
    };
    let mut unknown = search(9, 1);
    unknown.space.insert("sede".into(), Range::Int { from: 1, to: 2, log: false });
    assert!(refused(unknown, &[&[]], None).await.contains("there is no param `sede`"));
    assert!(refused(search(0, 1), &[&[]], None).await.contains("at least 1 trial"));
    assert!(refused(search(9, 1), &[&[], &[]], None).await.contains("one set of params"));
    assert!(refused(search(9, 1), &[&[]], Some("mine".into())).await.contains("without a label"));
    assert!(refused(search(9, 1), &[&[("x", Value::Int(1))]], None).await.contains("the param `x` is given"));
    assert_eq!(world.store.runs(&Default::default()).unwrap().rows.len(), 0);
}
