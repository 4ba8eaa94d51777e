//! An executor for tests of the engine: what its attempts do is said in their scripts, or by the test.
//!
//! The first word of a script says what it does: `done` and `fail` end at once, `hang` waits for [`Fake::finish`] or for
//! a signal, `lost` ends without anybody seeing how. After `once`, the first attempt fails and makes the output `ckpt`, and
//! the later ones do what the second word says.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fanlight_shared::event::NodeError;
use fanlight_shared::id::AttemptId;
use fanlight_shared::run::AttemptEnd;
use fanlight_shared::value::{Value, Values};
use futures_util::future::BoxFuture;
use tokio::sync::watch;

use super::{
    Adopted, Capabilities, End, Execution, Executor, Program, Signal, Signalled, Surroundings, Work,
};
use crate::attempt::{Attempt, Outcome, RunFacts};

/// The executor; clones are the same one. It outlives engines, as a supervisor outlives daemons.
#[derive(Clone, Default)]
pub(crate) struct Fake {
    state: Arc<Mutex<State>>,
    changed: Arc<watch::Sender<()>>,
}

struct State {
    log: Vec<String>,
    attempts: HashMap<AttemptId, Known>,
    /// Attempts that something is left of.
    left: HashSet<AttemptId>,
    /// Attempts whose remains can't be removed.
    stuck: HashSet<AttemptId>,
    /// What results of commands depend on besides their inputs, or what is wrong with it.
    surroundings: Result<Surroundings, String>,
}

impl Default for State {
    fn default() -> Self {
        let (log, attempts, left, stuck) = Default::default();
        Self { log, attempts, left, stuck, surroundings: Ok(Surroundings::default()) }
    }
}

struct Known {
    node: String,
    end: Option<(End, &'static str)>,
}

impl Fake {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let answer = change(&mut self.state());
        self.changed.send_replace(());
        answer
    }

    /// Returns the calls that it got: `prepare a`, `start a`, `adopt a`, `stop a`, `collect a`, `release`.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.state().log.clone()
    }

    /// Waits until this was asked of it.
    pub(crate) async fn until(&self, call: &str) {
        self.until_log(|log| log.iter().any(|it| it == call)).await;
    }

    /// Waits until it was asked for the same this many times.
    pub(crate) async fn until_times(&self, call: &str, times: usize) {
        self.until_log(|log| log.iter().filter(|it| *it == call).count() >= times).await;
    }

    /// Waits until so much was asked of it.
    pub(crate) async fn until_calls(&self, count: usize) {
        self.until_log(|log| log.len() >= count).await;
    }

    async fn until_log(&self, condition: impl Fn(&[String]) -> bool) {
        let mut changed = self.changed.subscribe();
        let look = async {
            while !condition(&self.state().log) {
                let _ = changed.changed().await;
            }
        };
        let limit = std::time::Duration::from_secs(30);
        let seen = tokio::time::timeout(limit, look).await;
        assert!(seen.is_ok(), "it was asked for {:?}", self.calls());
    }

    /// Completes the living attempt of this node.
    pub(crate) fn finish(&self, node: &str) {
        self.change(|state| {
            let living = state.attempts.values_mut().find(|it| it.node == node && it.end.is_none());
            living.expect("the node should have a living attempt").end = Some((End::Ended, "done"));
        });
    }

    /// Completes a living attempt, if there is one.
    pub(crate) fn finish_one(&self) {
        self.change(|state| {
            if let Some(living) = state.attempts.values_mut().find(|it| it.end.is_none()) {
                living.end = Some((End::Ended, "done"));
            }
        });
    }

    /// Forgets every attempt.
    pub(crate) fn lose_everything(&self) {
        self.change(|state| state.attempts.clear());
    }

    /// Leaves something of this attempt behind, which can be removed or not.
    pub(crate) fn leave(&self, attempt: AttemptId, removable: bool) {
        self.change(|state| {
            state.left.insert(attempt);
            if removable {
                state.stuck.remove(&attempt)
            } else {
                state.stuck.insert(attempt)
            };
        });
    }

    /// Changes the file that results of commands depend on, or says what is wrong with it.
    pub(crate) fn set_file(&self, content: Result<&str, &str>, written: i64) {
        let parts = |content: &str| vec![("file a".to_owned(), content.as_bytes().to_vec())];
        let seen = content.map(|content| Surroundings { parts: parts(content), times: vec![written] });
        self.change(|state| state.surroundings = seen.map_err(str::to_owned));
    }

    /// Returns whether something of this attempt is left.
    pub(crate) fn has(&self, attempt: AttemptId) -> bool {
        self.state().left.contains(&attempt)
    }
}

impl Executor for Fake {
    fn capabilities(&self) -> Capabilities {
        Capabilities { adopts: true, ..Capabilities::default() }
    }

    fn open(&self, attempt: Attempt, work: Arc<Work>) -> Box<dyn Execution> {
        let script = match &*work {
            Work::Command(work) => match &work.program {
                Program::Script { text, .. } => text.trim().to_owned(),
                Program::Arguments(_) => "done".to_owned(),
            },
            Work::Native(_, inputs) => inputs["script"].as_text().unwrap().to_owned(),
        };
        Box::new(FakeExecution { fake: self.clone(), attempt, script })
    }

    fn surroundings(
        &self,
        _run: Arc<RunFacts>,
        _withheld: Arc<[String]>,
        _work: Arc<Work>,
    ) -> BoxFuture<'_, Result<Option<Surroundings>, String>> {
        let seen = self.change(|state| {
            state.log.push("look".into());
            state.surroundings.clone()
        });
        Box::pin(std::future::ready(seen.map(Some)))
    }

    fn release(&self, _attempt: AttemptId) -> BoxFuture<'_, ()> {
        self.change(|state| state.log.push("release".into()));
        Box::pin(std::future::ready(()))
    }

    fn forget(&self, attempts: Vec<AttemptId>) -> BoxFuture<'_, Vec<AttemptId>> {
        let gone = self.change(|state| {
            let gone: Vec<_> = attempts.into_iter().filter(|it| !state.stuck.contains(it)).collect();
            state.left.retain(|it| !gone.contains(it));
            gone
        });
        Box::pin(std::future::ready(gone))
    }
}

struct FakeExecution {
    fake: Fake,
    attempt: Attempt,
    script: String,
}

impl FakeExecution {
    fn note(&self, what: &str) {
        self.fake.change(|state| state.log.push(format!("{what} {}", self.attempt.node)));
    }

    fn makes_checkpoint(&self) -> bool {
        self.attempt.number == 1 && self.script.starts_with("once ")
    }

    /// Returns what it does, and the rest of its script.
    fn words(&self) -> (&str, &str) {
        if self.makes_checkpoint() {
            return ("fail", "");
        }
        let script = self.script.strip_prefix("once ").unwrap_or(&self.script);
        let (does, rest) = script.split_once(char::is_whitespace).unwrap_or((script, ""));
        (does, rest.trim())
    }
}

impl Execution for FakeExecution {
    fn prepare(&self) -> BoxFuture<'_, Result<(), Outcome>> {
        self.note("prepare");
        Box::pin(std::future::ready(Ok(())))
    }

    fn start(&self) -> BoxFuture<'_, Result<(), Outcome>> {
        let end = match self.words().0 {
            "hang" => None,
            "lost" => Some((End::Lost("nobody saw how it ended".into()), "lost")),
            "fail" => Some((End::Ended, "fail")),
            _ => Some((End::Ended, "done")),
        };
        let known = Known { node: self.attempt.node.clone(), end };
        self.fake.change(|state| state.attempts.entry(self.attempt.id).or_insert(known).end.is_some());
        self.note("start");
        Box::pin(std::future::ready(Ok(())))
    }

    fn adopt(&self) -> BoxFuture<'_, Result<Adopted, Outcome>> {
        self.note("adopt");
        let known = self.fake.state().attempts.contains_key(&self.attempt.id);
        Box::pin(std::future::ready(Ok(if known { Adopted::Known } else { Adopted::Unknown })))
    }

    fn wait(&self) -> BoxFuture<'_, End> {
        Box::pin(async {
            let mut changed = self.fake.changed.subscribe();
            loop {
                let end = match self.fake.state().attempts.get(&self.attempt.id) {
                    Some(known) => known.end.clone().map(|(end, _)| end),
                    None => Some(End::Lost("its executor no longer knows it".into())),
                };
                match end {
                    Some(end) => return end,
                    None => drop(changed.changed().await),
                }
            }
        })
    }

    fn signal(&self, Signal::Stop: Signal) -> BoxFuture<'_, Signalled> {
        let known = self.fake.change(|state| {
            let known = state.attempts.get_mut(&self.attempt.id);
            known.map(|known| known.end.get_or_insert((End::Ended, "stopped")).1)
        });
        self.note("stop");
        Box::pin(std::future::ready(match known {
            Some(_) => Signalled::Delivered,
            None => Signalled::Unknown,
        }))
    }

    fn collect(&self) -> BoxFuture<'_, Outcome> {
        self.note("collect");
        let how = self.fake.state().attempts.get(&self.attempt.id).and_then(|it| it.end.clone());
        let said = self.words().1;
        let how = how.map_or("gone", |(_, how)| how);
        let ok = how == "done";
        let mut values = Values::from([
            ("stdout".to_owned(), Value::from(said)),
            ("exit_code".to_owned(), Value::Int(i64::from(!ok))),
        ]);
        if self.makes_checkpoint() {
            values.insert("ckpt".to_owned(), Value::from("half"));
        }
        let mut outcome = Outcome::completed(values, Vec::new());
        if how == "stopped" {
            outcome.end = AttemptEnd::Cancelled;
        } else if !ok {
            outcome.end = AttemptEnd::Failed;
            outcome.error = Some(NodeError { exit_code: Some(1), ..NodeError::new("exit code 1") });
        }
        Box::pin(std::future::ready(outcome))
    }
}
