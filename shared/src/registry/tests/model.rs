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

/// Where the lens is after these facts.
fn lens(facts: &[Fact]) -> Option<RunId> {
    let (mut free, mut pin, mut frozen, mut busy) = (None, None, None, false);
    for (at, fact) in facts.iter().enumerate() {
        let past = &facts[..=at];
        let submission = |run| {
            past.iter().find_map(|fact| match fact {
                Fact::Started(it, submission) if *it == run => Some(*submission),
                _ => None,
            })
        };
        let gone = |run| past.contains(&Fact::Gone(run));
        let ended = |run| past.contains(&Fact::Ended(run));
        let started: Vec<RunId> = past
            .iter()
            .filter_map(|fact| if let Fact::Started(run, _) = fact { Some(*run) } else { None })
            .filter(|run| !gone(*run))
            .collect();
        let sibling =
            |run| started.iter().copied().find(|it| !ended(*it) && submission(*it) == submission(run));
        let looks_at = pin.or(if busy { frozen } else { free });
        match *fact {
            Fact::Started(run, of) => match free {
                None => free = Some(run),
                Some(now) if submission(now) == Some(of) => {
                    if ended(now) {
                        free = sibling(now);
                    }
                }
                Some(_) => {
                    if started.iter().find(|it| submission(**it) == Some(of)) == Some(&run) {
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
                let newest = started.iter().rev();
                let fallback = newest.clone().find(|it| !ended(**it)).or(newest.clone().next()).copied();
                if pin == Some(run) {
                    pin = None;
                }
                if free == Some(run) || looks_at == Some(run) {
                    free = fallback;
                }
                if frozen == Some(run) || (busy && looks_at == Some(run)) {
                    frozen = free;
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
    fn the_lens_is_where_the_whole_history_says(steps in proptest::collection::vec(step(), 1..60)) {
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
                    story.registry.pin(run);
                }
                Step::Unpin => {
                    facts.push(Fact::Unpinned);
                    story.registry.unpin(story.workflow);
                }
                Step::Busy(busy) => {
                    facts.push(Fact::Busy(busy));
                    story.registry.set_busy(busy);
                }
            }
            prop_assert_eq!(story.focus(), lens(&facts), "after {:?}", facts);
        }
    }
}
