//! A model of the lens that keeps nothing but the history and goes through it from the beginning for every question.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Copy, Debug)]
enum Step {
    Submit(usize),
    Start(usize),
    End(usize),
    Cancel(usize),
    Delete(usize),
    Pin(usize),
    Unpin,
    Busy(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (1..4_usize).prop_map(Step::Submit),
        4 => any::<usize>().prop_map(Step::Start),
        3 => any::<usize>().prop_map(Step::End),
        1 => any::<usize>().prop_map(Step::Cancel),
        1 => any::<usize>().prop_map(Step::Delete),
        1 => any::<usize>().prop_map(Step::Pin),
        1 => Just(Step::Unpin),
        1 => any::<bool>().prop_map(Step::Busy),
    ]
}

/// What happened, as a person would write it down.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Fact {
    Started(RunId, SubmissionId),
    Ended(RunId),
    Gone(RunId),
    Pinned(RunId),
    Unpinned,
    Busy(bool),
}

/// Returns the run in focus after these facts.
fn lens(facts: &[Fact]) -> Option<RunId> {
    let (mut free, mut pin, mut frozen, mut busy) = (None, None, None, false);
    // Where the history begins: once no started run is left, it begins anew.
    let mut since = 0;
    for (at, fact) in facts.iter().enumerate() {
        let past = &facts[since..=at];
        let starts = || {
            past.iter()
                .filter_map(|it| if let Fact::Started(run, of) = it { Some((*run, *of)) } else { None })
        };
        let submission = |run| starts().find(|it| it.0 == run).map(|it| it.1);
        let is_active = |run| !past.contains(&Fact::Ended(run)) && !past.contains(&Fact::Gone(run));
        let there = || starts().filter(|it| !past.contains(&Fact::Gone(it.0)));
        let sibling =
            |run| there().find(|it| is_active(it.0) && submission(run) == Some(it.1)).map(|it| it.0);
        let looks_at = pin.or(if busy { frozen } else { free });
        match *fact {
            Fact::Started(run, of) => match free {
                None => free = Some(run),
                Some(now) if submission(now) == Some(of) => {
                    if !is_active(now) {
                        free = sibling(now);
                    }
                }
                Some(_) => {
                    if starts().find(|it| it.1 == of).map(|it| it.0) == Some(run) {
                        free = Some(run);
                    }
                }
            },
            Fact::Ended(run) => {
                if free == Some(run) {
                    free = sibling(run).or(free);
                }
            }
            Fact::Gone(run) => {
                if pin == Some(run) {
                    pin = None;
                }
                if free == Some(run) || looks_at == Some(run) {
                    // The submissions by their starts, the newest first.
                    let mut by_start = Vec::new();
                    for (_, of) in starts().filter(|start| there().any(|it| it.1 == start.1)) {
                        if !by_start.contains(&of) {
                            by_start.insert(0, of);
                        }
                    }
                    let active = |of: &SubmissionId| there().find(|it| it.1 == *of && is_active(it.0));
                    let ended = |of: &SubmissionId| {
                        let ends = past
                            .iter()
                            .rev()
                            .filter_map(|it| if let Fact::Ended(run) = it { Some(*run) } else { None });
                        ends.clone().find(|run| there().any(|it| it == (*run, *of)))
                    };
                    let first_active = by_start.iter().find_map(active).map(|it| it.0);
                    free = first_active.or_else(|| by_start.first().and_then(ended));
                }
                if frozen == Some(run) || (busy && looks_at == Some(run)) {
                    frozen = free;
                }
                if there().next().is_none() {
                    since = at + 1;
                }
            }
            Fact::Pinned(run) => pin = Some(run),
            Fact::Unpinned => {
                pin = None;
                frozen = free;
            }
            Fact::Busy(now) => {
                if now && !busy {
                    frozen = free;
                }
                busy = now;
            }
        }
    }
    pin.or(if busy { frozen } else { free })
}

proptest! {
    #[test]
    fn the_lens_follows_from_the_whole_history(steps in proptest::collection::vec(step(), 1..60)) {
        let mut story = Story::new();
        let mut facts = Vec::new();
        for step in steps {
            let pick = |nth: usize, state: fn(&Run) -> bool| {
                let runs: Vec<RunId> = story.runs.iter().filter(|run| state(run)).map(|run| run.id).collect();
                (!runs.is_empty()).then(|| runs[nth % runs.len()])
            };
            match step {
                Step::Submit(count) => {
                    story.submit(count);
                }
                Step::Start(nth) => {
                    let Some(run) = pick(nth, |run| run.state == RunStatus::Queued) else { continue };
                    let of = story.runs.iter().find(|it| it.id == run).unwrap().submission;
                    facts.push(Fact::Started(run, of));
                    story.start(run);
                }
                Step::End(nth) => {
                    let Some(run) = pick(nth, |run| run.state.is_active()) else { continue };
                    facts.push(Fact::Ended(run));
                    story.complete(run);
                }
                Step::Cancel(nth) => {
                    let Some(run) = pick(nth, |run| run.state == RunStatus::Queued) else { continue };
                    facts.push(Fact::Gone(run));
                    story.cancel(run);
                }
                Step::Delete(nth) => {
                    let Some(run) = pick(nth, |run| run.state.is_ended()) else { continue };
                    facts.push(Fact::Gone(run));
                    story.delete(run);
                }
                Step::Pin(nth) => {
                    let Some(run) = pick(nth, |_| true) else { continue };
                    facts.push(Fact::Pinned(run));
                    story.projection.pin(run);
                }
                Step::Unpin => {
                    facts.push(Fact::Unpinned);
                    story.projection.unpin(story.workflow);
                }
                Step::Busy(busy) => {
                    facts.push(Fact::Busy(busy));
                    story.projection.set_busy(busy);
                }
            }
            prop_assert_eq!(story.focus(), lens(&facts), "after {:?}", facts);
        }
    }
}

proptest! {
    /// Messages may be late, repeated, reordered, or lost, as long as the list at the end is whole.
    #[test]
    fn the_lens_does_not_depend_on_the_order_of_messages(
        steps in proptest::collection::vec(step(), 1..60),
        ways in proptest::collection::vec((0..4_u8, any::<prop::sample::Index>()), 60),
    ) {
        let mut story = Story::new();
        let mut other = Projection::default();
        let mut rows = Vec::new();
        for (step, (way, nth)) in steps.into_iter().zip(ways) {
            let (nth_run, state) = match step {
                Step::Submit(count) => {
                    story.submit(count);
                    continue;
                }
                Step::Start(nth) => (nth, RunStatus::Running),
                Step::End(nth) => (nth, RunStatus::Completed),
                _ => continue,
            };
            let from = if state == RunStatus::Running { RunStatus::Queued } else { RunStatus::Running };
            let runs: Vec<RunId> = story.runs.iter().filter(|run| run.state == from).map(|run| run.id).collect();
            let Some(run) = nth_run.checked_rem(runs.len()).map(|at| runs[at]) else { continue };
            story.set(run, state);
            rows.push(story.row(run));
            let told = nth.get(&rows).clone();
            match way {
                0 => drop(hear(&mut other, DaemonEvent::RunUpdate { run: Box::new(told) })),
                1 => other.add([told]),
                2 => drop(hear_all(&mut other, vec![told], Queue::default())),
                _ => {}
            }
        }
        other.add(story.runs.iter().rev().cloned());
        prop_assert_eq!(other.focus(story.workflow), story.focus());
    }
}
