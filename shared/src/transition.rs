//! The table of permitted transitions of runs, nodes and attempts.

use crate::run::{AttemptEnd, NodeStatus, RunStatus};

/// A state in the table.
pub trait State: Copy + Eq + 'static {
    /// Returns the states that may follow this one; none follows a terminal state.
    fn next(self) -> &'static [Self];

    /// Returns the word used on the wire and on screen.
    fn word(self) -> &'static str;

    /// Returns whether `next` may follow; a non-terminal state may be reported again.
    fn may_become(self, next: Self) -> bool {
        self.next().contains(&next) || self == next && !self.next().is_empty()
    }
}

/// A transition that isn't in the table.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{from} can't become {to}")]
pub struct Forbidden {
    from: &'static str,
    to: &'static str,
}

/// Moves on to the next state.
///
/// # Errors
/// The transition isn't in the table; the state stays as it is.
pub fn enter<S: State>(state: &mut S, next: S) -> Result<(), Forbidden> {
    if !state.may_become(next) {
        return Err(Forbidden { from: state.word(), to: next.word() });
    }
    *state = next;
    Ok(())
}

impl State for RunStatus {
    fn next(self) -> &'static [Self] {
        match self {
            // Failed: its stored document can no longer be read.
            Self::Queued => &[Self::Running, Self::Failed, Self::Cancelled],
            Self::Running => &[Self::Parked, Self::Cancelling, Self::Completed, Self::Failed],
            // Failed: for the same reason as a queued run.
            Self::Parked => &[Self::Running, Self::Cancelling, Self::Failed],
            Self::Cancelling => &[Self::Cancelled, Self::Failed],
            Self::Completed | Self::Failed | Self::Cancelled => &[],
        }
    }
    fn word(self) -> &'static str {
        self.word()
    }
}

impl State for NodeStatus {
    fn next(self) -> &'static [Self] {
        match self {
            // Decided without an attempt: reused, skipped, or an invalid input.
            Self::Waiting => &[
                Self::Ready,
                Self::Running,
                Self::Completed,
                Self::Cached,
                Self::Failed,
                Self::Skipped,
                Self::Cancelled,
            ],
            // Waiting: its attempt failed immediately and another follows.
            Self::Ready => &[
                Self::Running,
                Self::Waiting,
                Self::Completed,
                Self::Cached,
                Self::Failed,
                Self::Skipped,
                Self::Cancelled,
            ],
            // Skipped: a node with `each` that reads an item that failed.
            Self::Running => &[Self::Waiting, Self::Completed, Self::Failed, Self::Skipped, Self::Cancelled],
            Self::Completed | Self::Cached | Self::Failed | Self::Skipped | Self::Cancelled => &[],
        }
    }
    fn word(self) -> &'static str {
        self.word()
    }
}

impl AttemptEnd {
    /// Returns the states in which an attempt with this end leaves its node: waiting, if another attempt follows.
    #[must_use]
    pub fn leaves(self) -> &'static [NodeStatus] {
        match self {
            Self::Completed => &[NodeStatus::Completed],
            Self::Failed | Self::Lost => &[NodeStatus::Waiting, NodeStatus::Failed, NodeStatus::Cancelled],
            Self::Cancelled => &[NodeStatus::Cancelled],
            Self::Parked => &[NodeStatus::Waiting, NodeStatus::Cancelled],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: [RunStatus; 7] = [
        RunStatus::Queued,
        RunStatus::Running,
        RunStatus::Parked,
        RunStatus::Cancelling,
        RunStatus::Completed,
        RunStatus::Failed,
        RunStatus::Cancelled,
    ];
    const NODE: [NodeStatus; 8] = [
        NodeStatus::Waiting,
        NodeStatus::Ready,
        NodeStatus::Running,
        NodeStatus::Completed,
        NodeStatus::Cached,
        NodeStatus::Failed,
        NodeStatus::Skipped,
        NodeStatus::Cancelled,
    ];

    fn table<S: State>(states: &[S]) -> Vec<String> {
        let row = |state: &S| {
            let next: Vec<&str> = state.next().iter().map(|next| next.word()).collect();
            format!("{} → {}", state.word(), next.join(" "))
        };
        states.iter().map(row).collect()
    }

    #[test]
    fn the_table_of_transitions_is_this_one() {
        assert_eq!(
            table(&RUN),
            [
                "queued → running failed cancelled",
                "running → parked cancelling completed failed",
                "parked → running cancelling failed",
                "cancelling → cancelled failed",
                "completed → ",
                "failed → ",
                "cancelled → ",
            ]
        );
        assert_eq!(
            table(&NODE),
            [
                "waiting → ready running completed cached failed skipped cancelled",
                "ready → running waiting completed cached failed skipped cancelled",
                "running → waiting completed failed skipped cancelled",
                "completed → ",
                "cached → ",
                "failed → ",
                "skipped → ",
                "cancelled → ",
            ]
        );
    }

    #[test]
    fn a_terminal_state_never_changes_and_every_other_can_end() {
        fn check<S: State + std::fmt::Debug>(states: &[S], is_ended: impl Fn(S) -> bool) {
            for from in states {
                assert_eq!(from.next().is_empty(), is_ended(*from), "{from:?}");
                assert_eq!(is_ended(*from), !from.may_become(*from));
                assert!(is_ended(*from) || from.next().iter().any(|next| is_ended(*next)), "{from:?}");
                for to in states {
                    let mut state = *from;
                    let entered = enter(&mut state, *to).is_ok();
                    assert_eq!((entered, state), (from.may_become(*to), if entered { *to } else { *from }));
                }
            }
        }
        check(&RUN, RunStatus::is_ended);
        check(&NODE, NodeStatus::is_ended);
    }

    #[test]
    fn an_attempt_leaves_its_node_in_a_state_that_can_follow_running() {
        for end in [
            AttemptEnd::Completed,
            AttemptEnd::Failed,
            AttemptEnd::Cancelled,
            AttemptEnd::Lost,
            AttemptEnd::Parked,
        ] {
            assert!(end.leaves().iter().all(|state| NodeStatus::Running.may_become(*state)), "{end:?}");
        }
    }
}
