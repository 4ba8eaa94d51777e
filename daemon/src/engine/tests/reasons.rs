//! Nothing waits without a reason, whatever happens.

use fanlight_shared::id::RunId;
use fanlight_shared::rng::Rng;
use fanlight_shared::rpc::queue;
use fanlight_shared::rpc::why::{ReasonKind, Why};

use super::world::World;
use crate::config::Config;
use crate::machine::{Gpu, ResourceSettings};

/// Nodes that wait for something of their own, or keep others waiting.
const NODES: [&str; 13] = [
    "run: hang",
    "run: hang, lock: build",
    "run: hang, pool: scarce",
    "run: hang, resources: { cpus: 3 }",
    "run: hang, resources: { cpus: 1, memory: 5GB }",
    "run: hang, resources: { gpus: 1 }",
    "run: hang, resources: { gpus: 0.6, memory: 1GB }, lock: build",
    "run: hang, resources: { gpus: 2, cpus: 4 }, pool: scarce",
    "uses: util.fail, with: { message: no }, retry: { times: 3, backoff: 1h, max: 1h }",
    "uses: human.approve, with: { question: 'Send it?' }",
    "uses: test.remembered, with: { script: hang }",
    "each: '${{ [1, 2, 3] }}', run: hang, resources: { cpus: 2 }",
    "each: '${{ [1, 2] }}', run: hang, lock: items",
];

/// Returns a workflow of some of these nodes; each may also wait for the one before it.
fn workflow(rng: &mut Rng) -> String {
    let nodes = (0..1 + rng.below(5)).map(|number| {
        let needs =
            if number > 0 && rng.below(3) == 0 { format!(", needs: n{}", number - 1) } else { String::new() };
        format!("n{number}: {{ {}{needs} }}", rng.pick(&NODES))
    });
    format!("nodes: {{ {} }}", nodes.collect::<Vec<_>>().join(", "))
}

/// Returns a run or node that waits without a reason of its own.
async fn unexplained(world: &World, runs: &[RunId]) -> Option<String> {
    for run in runs {
        let Some(whole) = world.engine.why(Why { run: *run, node: None }).await.unwrap() else { continue };
        let nodes =
            world.ended(*run).state.nodes.into_iter().filter(|(_, node)| !node.whole.status.is_ended());
        let mut all = vec![whole];
        for (node, _) in nodes {
            all.extend(world.engine.why(Why { run: *run, node: Some(node) }).await.unwrap());
        }
        for explanation in all {
            let name = explanation.run.name();
            if explanation.reasons.is_empty() {
                return Some(format!("{name} has no reason"));
            }
            let vague = |kind| matches!(kind, ReasonKind::Starting);
            if let Some(reason) =
                explanation.reasons.into_iter().find(|it| vague(it.kind) || it.text.is_empty())
            {
                return Some(format!("{name} {:?}: {}", reason.node, reason.text));
            }
        }
    }
    None
}

/// Waits until nothing starts any more, and everything that waits says why.
async fn settle(world: &World, runs: &[RunId], seed: i64) {
    let mut last = None;
    let look = async {
        loop {
            last = unexplained(world, runs).await;
            if last.is_none() {
                return;
            }
            world.store.commit(Vec::new()).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let settled = tokio::time::timeout(fanlight_shared::testing::TIMEOUT, look).await;
    assert!(settled.is_ok(), "with the seed {seed}, {}", last.unwrap_or_default());
}

#[tokio::test]
async fn nothing_that_waits_is_without_a_reason() {
    for seed in 0..6 {
        let mut rng = Rng::new(seed);
        let gpu = |id: &str| Gpu { id: id.to_owned(), ..Gpu::default() };
        let gpus = Some(["0", "1"].map(gpu).into());
        let resources = ResourceSettings { cpus: Some(4000), memory: Some(8_000_000_000), gpus };
        let mut config = Config { max_concurrent_runs: 4, resources, ..Config::default() };
        config.pools.insert("scarce".into(), 1);
        config.pools.insert("process".into(), 3);
        let world = World::with(config).await;
        let mut runs = Vec::new();
        for step in 0..8 {
            match rng.below(5) {
                0 if step > 0 && !runs.is_empty() => drop(world.cancel(&[*rng.pick(&runs)]).await),
                1 => {
                    let pause = queue::Set { paused: Some(rng.below(2) == 0), ..queue::Set::default() };
                    world.engine.set_queue(pause).await.unwrap();
                }
                _ => runs.push(world.start(&workflow(&mut rng)).await.id),
            }
            settle(&world, &runs, seed).await;
            for _ in 0..rng.below(3) {
                world.fake.finish_one();
            }
            settle(&world, &runs, seed).await;
        }
    }
}
