use std::cmp::Reverse;

use proptest::prelude::*;

use super::*;

const ROUND: Turn = Turn::Round(Reverse(0));

fn drain(queue: &mut RunQueue) -> Vec<RunId> {
    std::iter::from_fn(|| queue.take(0)).collect()
}

fn runs(n: usize) -> Vec<RunId> {
    (0..n).map(|_| RunId::new()).collect()
}

#[test]
fn runs_above_the_cap_wait_and_start_first_in_first_out() {
    let mut queue = RunQueue::new(2, false);
    let all = runs(4);
    queue.add(&all, None, ROUND, None);
    assert_eq!(queue.take(0), Some(all[0]));
    assert_eq!(queue.take(1), Some(all[1]));
    assert_eq!(queue.take(2), None);
    assert_eq!(queue.take(1), Some(all[2]));
}

#[test]
fn next_puts_runs_at_the_head_in_their_order() {
    let mut queue = RunQueue::new(1, false);
    let (first, urgent) = (runs(2), runs(2));
    queue.add(&first, None, ROUND, None);
    queue.add(&urgent, None, Turn::Next, None);
    let order: Vec<_> = std::iter::from_fn(|| queue.take(0)).collect();
    assert_eq!(order, [urgent[0], urgent[1], first[0], first[1]]);
}

#[test]
fn runs_are_moved_before_and_after_all_others() {
    let mut queue = RunQueue::new(1, false);
    let (sweep, single) = (runs(3), runs(2));
    queue.add(&sweep, Some("a"), ROUND, None);
    queue.add(&single, None, ROUND, None);
    assert_eq!(queue.move_to(&[sweep[0], single[0]], Turn::Later), [sweep[0], single[0]]);
    assert_eq!(queue.move_to(&[sweep[2]], Turn::Next), [sweep[2]]);
    assert_eq!(queue.move_to(&runs(1), Turn::Next), []);
    let (more, last) = (runs(1), runs(1));
    queue.add(&more, Some("a"), ROUND, None);
    queue.add(&last, None, ROUND, None);
    let places = [sweep[2], single[1], last[0], sweep[1], more[0], sweep[0], single[0]];
    let positions: Vec<_> = places.iter().map(|run| queue.position(*run)).collect();
    assert_eq!(positions, (1..=7).map(Some).collect::<Vec<_>>());
    assert_eq!(drain(&mut queue), places);
}

#[test]
fn runs_of_a_held_sweep_are_moved_within_it() {
    let mut queue = RunQueue::new(1, false);
    let (sweep, single) = (runs(3), runs(1));
    queue.add(&sweep, Some("a"), ROUND, None);
    queue.hold("a");
    queue.add(&single, None, ROUND, None);
    assert_eq!(queue.move_to(&[sweep[0]], Turn::Later), [sweep[0]]);
    assert_eq!(queue.move_to(&[sweep[2]], Turn::Next), [sweep[2]]);
    queue.release("a");
    assert_eq!(drain(&mut queue), [sweep[2], single[0], sweep[1], sweep[0]]);
}

#[test]
fn runs_of_a_held_sweep_that_are_moved_together_keep_the_order_that_was_asked_for() {
    let mut queue = RunQueue::new(1, false);
    let sweep = runs(4);
    queue.add(&sweep, Some("a"), ROUND, None);
    queue.hold("a");
    assert_eq!(queue.move_to(&[sweep[3], sweep[1]], Turn::Next), [sweep[3], sweep[1]]);
    queue.release("a");
    assert_eq!(drain(&mut queue), [sweep[3], sweep[1], sweep[0], sweep[2]]);
}

#[test]
fn a_paused_queue_keeps_its_runs() {
    let mut queue = RunQueue::new(8, true);
    queue.add(&runs(3), None, ROUND, None);
    assert_eq!((queue.take(0), queue.len()), (None, 3));
}

#[test]
fn runs_above_the_limit_of_their_workflow_are_passed_over() {
    let mut queue = RunQueue::new(8, false);
    let limit = Limit { workflow: WorkflowId::new(), runs: 1 };
    let (limited, other) = (runs(3), runs(1));
    queue.add(&limited, None, ROUND, Some(limit));
    queue.add(&other, None, ROUND, None);
    assert_eq!(queue.take(0), Some(limited[0]));
    queue.started(limit.workflow);
    assert_eq!(queue.take(1), Some(other[0]));
    assert!(!queue.may_start(2));
    assert_eq!(queue.take(2), None);
    assert_eq!(queue.position(limited[1]), Some(1));
    queue.ended(limit.workflow);
    assert_eq!(queue.take(1), Some(limited[1]));
}

#[test]
fn runs_of_a_higher_priority_start_first_and_take_turns_among_themselves() {
    let mut queue = RunQueue::new(1, false);
    let (low, usual, high, sweep, next) = (runs(1), runs(2), runs(1), runs(2), runs(1));
    queue.add(&low, None, Turn::of(-1), None);
    queue.add(&usual, None, ROUND, None);
    queue.add(&sweep, Some("a"), Turn::of(5), None);
    queue.add(&high, None, Turn::of(5), None);
    queue.add(&next, None, Turn::Next, None);
    let expected = [next[0], sweep[0], high[0], sweep[1], usual[0], usual[1], low[0]];
    assert_eq!(queue.position(low[0]), Some(7));
    assert_eq!(drain(&mut queue), expected);
}

#[test]
fn a_priority_that_changes_puts_a_run_after_those_that_have_it() {
    let mut queue = RunQueue::new(1, false);
    let (first, sweep, later) = (runs(2), runs(4), runs(1));
    queue.add(&first, None, Turn::of(3), None);
    queue.add(&sweep, Some("a"), ROUND, None);
    queue.add(&later, None, ROUND, None);
    queue.move_to(&later, Turn::Later);
    assert_eq!(queue.move_to(&[later[0], sweep[2], sweep[3]], Turn::of(3)), [later[0], sweep[2], sweep[3]]);
    assert_eq!(drain(&mut queue), [first[0], first[1], later[0], sweep[2], sweep[3], sweep[0], sweep[1]]);
}

#[test]
fn the_runs_of_one_priority_do_not_move_the_turns_of_another() {
    let mut queue = RunQueue::new(1, false);
    let (many, few, single) = (runs(100), runs(10), runs(1));
    queue.add(&few, Some("few"), ROUND, None);
    queue.add(&many, Some("many"), Turn::of(1), None);
    (0..100).for_each(|at| assert_eq!(queue.take(0), Some(many[at])));
    queue.add(&single, None, ROUND, None);
    assert_eq!(queue.position(single[0]), Some(2));
}

#[test]
fn the_priority_of_a_run_of_a_held_sweep_counts_once_the_sweep_continues() {
    let mut queue = RunQueue::new(1, false);
    let (sweep, single) = (runs(3), runs(1));
    queue.add(&sweep, Some("a"), ROUND, None);
    queue.hold("a");
    queue.add(&single, None, Turn::of(1), None);
    assert_eq!(queue.move_to(&[sweep[2]], Turn::of(2)), [sweep[2]]);
    queue.release("a");
    assert_eq!(drain(&mut queue), [sweep[2], single[0], sweep[0], sweep[1]]);
}

#[test]
fn a_single_run_does_not_wait_for_a_whole_sweep() {
    let mut queue = RunQueue::new(1, false);
    let (sweep, single) = (runs(10_000), runs(2));
    queue.add(&sweep, Some("a"), ROUND, None);
    assert_eq!(queue.take(0), Some(sweep[0]));
    queue.add(&single[..1], None, ROUND, None);
    queue.add(&single[1..], None, ROUND, None);
    assert_eq!((queue.position(single[0]), queue.position(single[1])), (Some(2), Some(3)));
    assert_eq!(drain(&mut queue)[..4], [sweep[1], single[0], single[1], sweep[2]]);
}

#[test]
fn sweeps_take_turns_and_a_later_submission_to_one_follows_the_earlier() {
    let mut queue = RunQueue::new(1, false);
    let (a, b, more) = (runs(3), runs(2), runs(1));
    queue.add(&a, Some("a"), ROUND, None);
    queue.add(&b, Some("b"), ROUND, None);
    queue.add(&more, Some("a"), ROUND, None);
    assert_eq!(drain(&mut queue), [a[0], b[0], a[1], b[1], a[2], more[0]]);
}

#[test]
fn a_sweep_that_is_held_takes_no_slot_and_then_no_more_than_its_turns() {
    let mut queue = RunQueue::new(1, false);
    let (a, b, single) = (runs(4), runs(4), runs(1));
    queue.add(&a, Some("a"), ROUND, None);
    queue.add(&b, Some("b"), ROUND, None);
    queue.hold("a");
    let more = runs(1);
    queue.add(&more, Some("a"), ROUND, None);
    assert_eq!((queue.position(a[0]), queue.position(b[1]), queue.len()), (None, Some(2), 9));
    assert_eq!([queue.take(0), queue.take(0)], [Some(b[0]), Some(b[1])]);
    assert!(queue.remove(a[1]) && !queue.remove(a[1]));
    queue.add(&single, None, ROUND, None);
    assert_eq!(queue.release("a"), [a[0], a[2], a[3], more[0]]);
    // It has not saved up the turns that it missed.
    assert_eq!(drain(&mut queue), [b[2], single[0], a[0], b[3], a[2], a[3], more[0]]);
}

#[test]
fn clearing_the_queue_removes_held_runs_too_and_their_sweep_stays_held() {
    let mut queue = RunQueue::new(1, false);
    let (a, other) = (runs(2), runs(1));
    queue.add(&a, Some("a"), ROUND, None);
    queue.hold("a");
    queue.add(&other, None, ROUND, None);
    assert_eq!(queue.clear().len(), 3);
    queue.add(&a, Some("a"), ROUND, None);
    assert_eq!((queue.len(), queue.take(0)), (2, None));
}

#[test]
fn a_sweep_that_was_cancelled_does_not_wait_for_the_turns_that_it_had() {
    let mut queue = RunQueue::new(1, false);
    let (a, b, more) = (runs(100), runs(100), runs(1));
    queue.add(&a, Some("a"), ROUND, None);
    queue.add(&b, Some("b"), ROUND, None);
    a[1..].iter().for_each(|run| assert!(queue.remove(*run)));
    queue.add(&more, Some("a"), ROUND, None);
    assert_eq!(drain(&mut queue)[..4], [a[0], b[0], b[1], more[0]]);
}

#[derive(Clone, Debug)]
enum Act {
    Add {
        count: usize,
        next: bool,
        priority: i32,
        workflow: usize,
        sweep: Option<usize>,
    },
    /// Gives a priority to every second one of some waiting runs.
    Prioritise {
        from: usize,
        count: usize,
        priority: i32,
    },
    Start,
    End(usize),
    Cancel(usize),
    Cap(u32),
    Hold(usize),
    Release(usize),
}

fn act() -> impl Strategy<Value = Act> {
    let priority = || prop_oneof![3 => Just(0), 1 => -1..2i32];
    let add = (1..5usize, prop::bool::weighted(0.2), priority(), 0..3usize, prop::option::of(0..3usize));
    prop_oneof![
        4 => add.prop_map(|(count, next, priority, workflow, sweep)| {
            Act::Add { count, next, priority, workflow, sweep }
        }),
        1 => (0..8usize, 1..5usize, priority())
            .prop_map(|(from, count, priority)| Act::Prioritise { from, count, priority }),
        6 => Just(Act::Start),
        3 => (0..8usize).prop_map(Act::End),
        1 => (0..8usize).prop_map(Act::Cancel),
        1 => (1..6u32).prop_map(Act::Cap),
        1 => (0..3usize).prop_map(Act::Hold),
        1 => (0..3usize).prop_map(Act::Release),
    ]
}

/// A waiting run of the model, in the order of submission or of the last change of its priority.
#[derive(Clone, Debug)]
struct Waits {
    run: RunId,
    workflow: usize,
    sweep: Option<usize>,
    /// `None` before all others.
    priority: Option<i32>,
    /// How many runs of others have started while it was the first of its sweep and could start.
    passed: usize,
}

const SWEEPS: [&str; 3] = ["a", "b", "c"];

proptest! {
    /// Whatever happens: cap and limits hold, a held sweep takes no slot, no run is lost or started twice, no run starts before
    /// one of a higher priority, each sweep is first in, first out, positions are the order, and nobody starves among those of
    /// a priority.
    #[test]
    fn slots_rotate_among_sweeps_and_single_runs(acts in prop::collection::vec(act(), 0..120)) {
        let mut queue = RunQueue::new(3, false);
        // The first workflow has no limit, the others allow one and two runs.
        let workflows: Vec<WorkflowId> = (0..3).map(|_| WorkflowId::new()).collect();
        let limit = |at: usize| (at > 0).then(|| Limit { workflow: workflows[at], runs: at as u32 });
        let mut model: Vec<Waits> = Vec::new();
        let mut running: Vec<usize> = Vec::new();
        let mut held = [false; 3];
        for act in acts {
            match act {
                Act::Add { count, next, priority, workflow, sweep } => {
                    let (new, name) = (runs(count), sweep.map(|at| SWEEPS[at]));
                    let turn = if next { Turn::Next } else { Turn::of(priority) };
                    queue.add(&new, name, turn, limit(workflow));
                    let priority = (!next).then_some(priority);
                    model.extend(new.into_iter().map(|run| Waits { run, workflow, sweep, priority, passed: 0 }));
                }
                Act::Prioritise { from, count, priority } => {
                    let chosen: Vec<RunId> = model.iter().skip(from).step_by(2).take(count).map(|it| it.run).collect();
                    prop_assert_eq!(&queue.move_to(&chosen, Turn::of(priority)), &chosen);
                    let (moved, rest): (Vec<Waits>, _) = model.into_iter().partition(|it| chosen.contains(&it.run));
                    model = rest;
                    model.extend(moved.into_iter().map(|it| Waits { priority: Some(priority), passed: 0, ..it }));
                }
                Act::Start => {
                    let may_start = |it: &Waits| {
                        let now = running.iter().filter(|other| **other == it.workflow).count();
                        it.sweep.is_none_or(|sweep| !held[sweep])
                            && limit(it.workflow).is_none_or(|limit| now < limit.runs as usize)
                    };
                    let possible: Vec<usize> = (0..model.len()).filter(|at| may_start(&model[*at])).collect();
                    let expected = running.len() < queue.cap as usize && !possible.is_empty();
                    prop_assert_eq!(queue.may_start(running.len()), expected);
                    let first = (1..).map_while(|place| queue.waiting.at(place)).find(|run| {
                        possible.iter().any(|at| model[*at].run == *run)
                    });
                    let taken = queue.take(running.len());
                    prop_assert_eq!(taken, first.filter(|_| expected), "positions are the order");
                    let Some(taken) = taken else { continue };
                    let at = model.iter().position(|it| it.run == taken).unwrap();
                    let started = model.remove(at);
                    prop_assert!(possible.contains(&at));
                    // First in, first out: none of the same kind that could start waited before it.
                    let same = |it: &&Waits| {
                        it.sweep == started.sweep
                            && it.workflow == started.workflow
                            && it.priority == started.priority
                    };
                    if let Some(priority) = started.priority {
                        prop_assert!(!model[..at].iter().any(|it| same(&it)));
                        let possible = possible.iter().filter(|it| **it != at);
                        let mut others = possible.map(|it| &model[if *it < at { *it } else { it - 1 }]);
                        prop_assert!(others.all(|it| it.priority.is_some_and(|other| other <= priority)));
                    }
                    let mut heads: Vec<Option<usize>> = vec![started.sweep.or(Some(9))];
                    let participants = model.iter().filter(|it| it.sweep.is_none()).count() + 4;
                    for it in model.iter_mut().filter(|it| it.priority.is_some() && it.priority == started.priority) {
                        let own = it.sweep.or(Some(10));
                        if it.sweep.is_some() && heads.contains(&own) {
                            continue;
                        }
                        heads.push(own);
                        let now = running.iter().filter(|other| **other == it.workflow).count();
                        let blocked = it.sweep.is_some_and(|sweep| held[sweep])
                            || limit(it.workflow).is_some_and(|limit| now >= limit.runs as usize);
                        if !blocked {
                            it.passed += 1;
                            prop_assert!(it.passed <= 3 * participants + 20, "it starves");
                        }
                    }
                    running.push(started.workflow);
                    queue.started(workflows[started.workflow]);
                }
                Act::End(at) if at < running.len() => {
                    let workflow = running.remove(at);
                    queue.ended(workflows[workflow]);
                }
                Act::Cancel(at) if at < model.len() => {
                    let run = model.remove(at).run;
                    prop_assert!(queue.remove(run));
                    prop_assert!(!queue.remove(run));
                }
                Act::End(_) | Act::Cancel(_) => {}
                Act::Cap(cap) => queue.cap = cap,
                Act::Hold(sweep) => {
                    held[sweep] = true;
                    queue.hold(SWEEPS[sweep]);
                }
                Act::Release(sweep) => {
                    held[sweep] = false;
                    queue.release(SWEEPS[sweep]);
                }
            }
            prop_assert_eq!(queue.len(), model.len());
            for it in &model {
                let outside = it.sweep.is_some_and(|sweep| held[sweep]);
                prop_assert_eq!(queue.position(it.run).is_none(), outside);
            }
        }
        // If every started run ends and every sweep continues, all of them start.
        SWEEPS.iter().for_each(|sweep| drop(queue.release(sweep)));
        for workflow in running.drain(..) {
            queue.ended(workflows[workflow]);
        }
        prop_assert_eq!(drain(&mut queue).len(), model.len());
    }

    /// While a sweep waits, a single run of the same priority starts after at most one run of each sweep, and the single runs before it.
    #[test]
    fn no_sweep_of_any_size_starves_a_single_run(sizes in prop::collection::vec(1..200usize, 1..6), started in 0..50usize) {
        let mut queue = RunQueue::new(1, false);
        for (at, size) in sizes.iter().enumerate() {
            queue.add(&runs(*size), Some(&format!("sweep-{at}")), ROUND, None);
        }
        (0..started).for_each(|_| {
            queue.take(0);
        });
        let single = runs(1);
        queue.add(&single, None, ROUND, None);
        let place = queue.position(single[0]).unwrap() as usize;
        // The rest of this round, and the next one.
        prop_assert!(place <= 2 * sizes.len() + 1, "{}", place);
    }
}
