//! Loads of the simulator.

use fanlight_shared::id::WorkflowId;
use fanlight_shared::resources::Gpus;
use fanlight_shared::rng::Rng;

use super::{Demand, Settings, Submission, Tick};
use crate::engine::pools::{Amounts, Need, Resource, needs};
use crate::engine::queue::Limit;

/// The longest attempt.
pub(super) const LONGEST: Tick = 60;

/// The engine of the loads.
pub(super) const ENGINE: &str = "engine.cluster";

/// Returns a daemon with an engine, on a machine with 16 CPUs and 8 GPUs.
pub(super) fn settings() -> Settings {
    let pools = [("process", 8), ("camera", 2), (ENGINE, 12)];
    Settings {
        cap: 20,
        pools: pools.map(|(name, size)| (name.to_owned(), size)).into(),
        cpus: 16_000,
        memory: 64,
        gpus: 8,
    }
}

/// Returns an attempt that needs these.
pub(super) fn demand(rng: &mut Rng, resources: impl IntoIterator<Item = Resource>) -> Demand {
    Demand { needs: needs(resources), lasts: 1 + rng.below(LONGEST as usize) as Tick }
}

/// Returns CPUs with memory.
pub(super) fn amounts(cpus: i64, memory: i64) -> Resource {
    Resource::Machine(Need::Amounts(Amounts { cpus: cpus * 1000, memory }))
}

/// Returns GPUs: whole ones, or a part of one in thousandths.
pub(super) fn gpus(of: Gpus) -> Resource {
    Resource::Machine(Need::Gpus(of))
}

/// Returns a run with one attempt.
pub(super) fn single(at: Tick, demand: Demand) -> Submission {
    Submission { at, sweep: None, priority: 0, limit: None, runs: vec![vec![vec![demand]]] }
}

/// Returns a sweep of runs with one attempt each.
pub(super) fn sweep(at: Tick, name: &str, runs: Vec<Demand>) -> Submission {
    let runs = runs.into_iter().map(|demand| vec![vec![demand]]).collect();
    Submission { at, sweep: Some(name.to_owned()), priority: 0, limit: None, runs }
}

/// Returns the needs of one attempt of any kind.
fn any(rng: &mut Rng) -> Vec<Resource> {
    let process = || Resource::pool("process");
    match rng.below(10) {
        0 => vec![amounts(16, 64)],
        1 => vec![gpus(Gpus::Whole(8)), process()],
        2 => vec![gpus(Gpus::Whole(1 + rng.below(3) as u32)), amounts(2, 8)],
        3 => vec![gpus(Gpus::Part(250 * (1 + rng.below(3) as u32)))],
        4 => vec![Resource::pool(ENGINE)],
        5 => vec![Resource::pool("camera"), process()],
        6 => vec![Resource::Lock(format!("board-{}", rng.below(3))), process()],
        7 => vec![Resource::Own("plugin".to_owned(), 3), amounts(1 + rng.below(4) as i64, 1)],
        8 => vec![amounts(1 + rng.below(4) as i64, rng.below(17) as i64), process()],
        _ => vec![process()],
    }
}

/// Returns this many runs or a few more: of sweeps and single ones, of several priorities, some of workflows with a limit, with
/// stages and items, which need anything and come at any time.
pub(super) fn mixed(seed: i64, runs: usize) -> Vec<Submission> {
    let mut rng = Rng::new(seed);
    let workflows: Vec<WorkflowId> = (0..3).map(|_| WorkflowId::new()).collect();
    let (mut load, mut count, mut at) = (Vec::new(), 0, 0);
    while count < runs {
        at += rng.below(2 * LONGEST as usize) as Tick;
        let is_sweep = rng.below(4) == 0;
        let size = if is_sweep { 1 + rng.below(60) } else { 1 };
        let stage = |rng: &mut Rng| {
            let items = if rng.below(6) == 0 { 1 + rng.below(12) } else { 1 };
            (0..items)
                .map(|_| {
                    let resources = any(rng);
                    demand(rng, resources)
                })
                .collect()
        };
        let limit = (rng.below(5) == 0).then(|| {
            let nth = rng.below(workflows.len());
            Limit { workflow: workflows[nth], runs: 1 + nth as u32 }
        });
        let run = |rng: &mut Rng| (0..1 + rng.below(3)).map(|_| stage(rng)).collect();
        load.push(Submission {
            at,
            // Those of a sweep have a limit or not.
            sweep: is_sweep.then(|| format!("{}sweep-{}", limit.map_or("", |_| "limited "), rng.below(8))),
            priority: [0, 0, 0, 0, 1, -1][rng.below(6)],
            limit,
            runs: (0..size).map(|_| run(&mut rng)).collect(),
        });
        count += size;
    }
    load
}
