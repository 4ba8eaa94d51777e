use proptest::prelude::*;

use super::*;

fn runs(n: usize) -> Vec<RunId> {
    (0..n).map(|_| RunId::new()).collect()
}

#[test]
fn runs_above_the_cap_wait_and_start_first_in_first_out() {
    let mut queue = RunQueue::new(2, false);
    let all = runs(4);
    queue.add(&all, false, None);
    assert_eq!(queue.take(0), Some(all[0]));
    assert_eq!(queue.take(1), Some(all[1]));
    assert_eq!(queue.take(2), None);
    assert_eq!(queue.take(1), Some(all[2]));
}

#[test]
fn next_puts_runs_at_the_head_in_their_order() {
    let mut queue = RunQueue::new(1, false);
    let (first, urgent) = (runs(2), runs(2));
    queue.add(&first, false, None);
    queue.add(&urgent, true, None);
    let order: Vec<_> = std::iter::from_fn(|| queue.take(0)).collect();
    assert_eq!(order, [urgent[0], urgent[1], first[0], first[1]]);
}

#[test]
fn a_paused_queue_keeps_its_runs() {
    let mut queue = RunQueue::new(8, true);
    queue.add(&runs(3), false, None);
    assert_eq!((queue.take(0), queue.len()), (None, 3));
}

#[test]
fn runs_above_the_limit_of_their_workflow_are_passed_over() {
    let mut queue = RunQueue::new(8, false);
    let limit = Limit { workflow: WorkflowId::new(), runs: 1 };
    let (limited, other) = (runs(3), runs(1));
    queue.add(&limited, false, Some(limit));
    queue.add(&other, false, None);
    assert_eq!(queue.take(0), Some(limited[0]));
    queue.started(limit.workflow);
    assert_eq!(queue.take(1), Some(other[0]));
    assert!(!queue.may_start(2));
    assert_eq!(queue.take(2), None);
    assert_eq!(queue.position(limited[1]), Some(1));
    queue.ended(limit.workflow);
    assert_eq!(queue.take(1), Some(limited[1]));
}

#[derive(Clone, Debug)]
enum Act {
    Add { count: usize, next: bool, workflow: usize },
    Start,
    End(usize),
    Cancel(usize),
    Cap(u32),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (1..4usize, any::<bool>(), 0..3usize).prop_map(|(count, next, workflow)| Act::Add {
            count,
            next,
            workflow
        }),
        Just(Act::Start),
        (0..8usize).prop_map(Act::End),
        (0..8usize).prop_map(Act::Cancel),
        (1..6u32).prop_map(Act::Cap),
    ]
}

proptest! {
    /// Whatever happens, cap and limits hold, no run is lost or started twice, and the order is that of a list in which
    /// runs over their limit are passed over.
    #[test]
    fn the_queue_behaves_like_a_list_with_a_cap_and_limits(acts in prop::collection::vec(act(), 0..80)) {
        let mut queue = RunQueue::new(3, false);
        // The first workflow has no limit, the others allow one and two runs.
        let workflows: Vec<WorkflowId> = (0..3).map(|_| WorkflowId::new()).collect();
        let limit = |at: usize| (at > 0).then(|| Limit { workflow: workflows[at], runs: at as u32 });
        let mut model: Vec<(RunId, usize)> = Vec::new();
        let mut running: Vec<usize> = Vec::new();
        for act in acts {
            match act {
                Act::Add { count, next, workflow } => {
                    let new = runs(count);
                    queue.add(&new, next, limit(workflow));
                    let at = if next { 0 } else { model.len() };
                    model.splice(at..at, new.into_iter().map(|run| (run, workflow)));
                }
                Act::Start => {
                    let fits = |workflow: usize| {
                        let now = running.iter().filter(|it| **it == workflow).count();
                        limit(workflow).is_none_or(|limit| now < limit.runs as usize)
                    };
                    let at = model.iter().position(|(_, workflow)| fits(*workflow));
                    let at = at.filter(|_| running.len() < queue.cap as usize);
                    prop_assert_eq!(queue.may_start(running.len()), at.is_some());
                    let expected = at.map(|at| model.remove(at));
                    prop_assert_eq!(queue.take(running.len()), expected.map(|(run, _)| run));
                    if let Some((_, workflow)) = expected {
                        running.push(workflow);
                        queue.started(workflows[workflow]);
                    }
                }
                Act::End(at) if at < running.len() => {
                    let workflow = running.remove(at);
                    queue.ended(workflows[workflow]);
                }
                Act::Cancel(at) if at < model.len() => {
                    let (run, _) = model.remove(at);
                    prop_assert!(queue.remove(run));
                    prop_assert!(!queue.remove(run));
                }
                Act::End(_) | Act::Cancel(_) => {}
                Act::Cap(cap) => queue.cap = cap,
            }
            prop_assert_eq!(queue.len(), model.len());
            for ((run, _), place) in model.iter().zip(1..) {
                prop_assert_eq!(queue.position(*run), Some(place));
            }
        }
        // If every started run ends, all of them start.
        for workflow in running.drain(..) {
            queue.ended(workflows[workflow]);
        }
        let drained = std::iter::from_fn(|| queue.take(0)).count();
        prop_assert_eq!(drained, model.len());
    }
}
