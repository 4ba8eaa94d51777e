//! One process of a plugin, seen from the daemon.

mod pipes;
mod reason;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::guard::Ended;
use super::launch::{Launch, Started};
use super::message;
use super::notifications::Notifications;
use super::printed::Printed;
use crate::secret::Secrets;
use pipes::{listen, print, write};
use reason::reason;

/// How much of the end of what it printed is kept, in bytes.
const MAX_TAIL_BYTES: usize = 4 << 10;
/// How long the guard may take to say how the program ended.
const END_TIMEOUT: Duration = Duration::from_secs(10);

/// Takes what a process prints.
pub(super) type Print = Box<dyn Fn(&str) + Send + Sync>;

/// A process; clones are the same one. Without any it is ended.
pub(super) struct Process {
    shared: Arc<Shared>,
    /// The secrets that it was given: only attempts with the same ones may use it.
    pub(super) secrets: Secrets,
}

struct Shared {
    state: Mutex<State>,
    /// Takes what it prints, besides the attempts that run in it.
    printed: Option<Print>,
    /// Ends the process with everything that it started.
    kill: CancellationToken,
    over: CancellationToken,
}

#[derive(Default)]
struct State {
    last_id: u64,
    /// How many requests of the process were refused.
    refused: u32,
    calls: HashMap<u64, Call>,
    /// How many lines it has not read yet.
    unread: usize,
    /// The end of the channel to the process; `None` when nothing more is said to it.
    requests: Option<mpsc::UnboundedSender<Vec<u8>>>,
    /// The last bytes that it printed.
    tail: Vec<u8>,
    /// Whether it was read slowly, because it wrote too much.
    slowed: bool,
    /// Why it is over.
    end: Option<End>,
    /// How its program ended.
    ended: Option<Ended>,
    /// Why the daemon ended it.
    killed: Option<End>,
}

struct Call {
    answer: oneshot::Sender<Result<Json, Failure>>,
    notifications: Option<Arc<Notifications>>,
}

/// Why a process is over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// It ended by itself, or broke the protocol.
    Fault(String),
    /// Somebody else ended it, which says nothing about its attempts.
    Outside(String),
}

/// Why there is no result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Failure {
    /// The plugin refused; its sentence.
    Refused(String),
    /// The process is over.
    Over(End),
    /// It was cancelled.
    Cancelled,
}

impl Shared {
    /// Locks it. Each change leaves it whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, line: Vec<u8>) {
        // An exited process gets no more input; its calls fail.
        let mut state = self.state();
        let said = state.requests.as_ref().is_some_and(|requests| requests.send(line).is_ok());
        state.unread += usize::from(said);
    }

    /// Appends what the process printed to the logs of the attempts that run in it.
    fn print(&self, text: &str) {
        let mut state = self.state();
        state.tail.extend_from_slice(text.as_bytes());
        let over = state.tail.len().saturating_sub(MAX_TAIL_BYTES);
        state.tail.drain(..over);
        let listeners: Vec<Arc<Notifications>> =
            state.calls.values().filter_map(|call| call.notifications.clone()).collect();
        drop(state);
        listeners.iter().for_each(|notifications| notifications.print(text));
        if let Some(take) = &self.printed {
            take(text);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.shared.kill.cancel();
    }
}

impl Process {
    /// Starts the program of a plugin.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn start(launch: &Launch, secrets: Secrets) -> Result<Self, String> {
        Self::start_printing(launch, secrets, None)
    }

    /// Starts a program; `printed` takes what it prints.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn start_printing(
        launch: &Launch,
        secrets: Secrets,
        printed: Option<Print>,
    ) -> Result<Self, String> {
        let started = launch.start().map_err(|error| format!("no process can be started now: {error}"))?;
        let (requests, lines) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            state: Mutex::new(State { requests: Some(requests), ..State::default() }),
            printed,
            kill: CancellationToken::new(),
            over: CancellationToken::new(),
        });
        tokio::spawn(attend(started, lines, Arc::clone(&shared)));
        Ok(Self { shared, secrets })
    }

    /// Returns whether it takes no more requests.
    pub(super) fn is_over(&self) -> bool {
        let state = self.shared.state();
        state.requests.is_none() || state.killed.is_some() || state.end.is_some()
    }

    /// Tells it something.
    pub(super) fn notify(&self, method: &str, params: &Json) {
        self.shared.say(message::notification(method, params));
    }

    /// Returns whether it was read slowly since the last time, because it wrote too much.
    pub(super) fn was_slowed(&self) -> bool {
        std::mem::take(&mut self.shared.state().slowed)
    }

    /// Asks it something that takes at most `most`.
    pub(super) async fn ask(&self, method: &str, params: &Json, most: Duration) -> Result<Json, Failure> {
        let (_, answer) = self.call(method, params, None)?;
        match timeout(most, answer).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(Failure::Over(self.end()))),
            Err(_) => {
                let sentence = format!("it did not answer `{method}` within {} s", most.as_secs());
                self.kill(End::Fault(sentence.clone()));
                Err(Failure::Over(End::Fault(sentence)))
            }
        }
    }

    /// Runs an attempt. After a cancel it has `grace` to answer; then the process is ended.
    pub(super) async fn execute(
        &self,
        params: &Json,
        notifications: Arc<Notifications>,
        cancel: &CancellationToken,
        grace: Duration,
    ) -> Result<Json, Failure> {
        let (id, mut answer) = self.call("execute", params, Some(notifications))?;
        tokio::select! {
            biased;
            answer = &mut answer => return answer.unwrap_or_else(|_| Err(Failure::Over(self.end()))),
            () = cancel.cancelled() => {}
        }
        self.notify("cancel", &json!({ "id": id }));
        if timeout(grace, answer).await.is_err() {
            let why = "the plugin's process was ended, because another attempt in it did not obey its cancel";
            self.kill(End::Outside(why.to_owned()));
            self.shared.over.cancelled().await;
        }
        Err(Failure::Cancelled)
    }

    fn call(
        &self,
        method: &str,
        params: &Json,
        notifications: Option<Arc<Notifications>>,
    ) -> Result<(u64, oneshot::Receiver<Result<Json, Failure>>), Failure> {
        let (answer, received) = oneshot::channel();
        let mut state = self.shared.state();
        if let Some(end) = state.killed.clone().or_else(|| state.end.clone()) {
            return Err(Failure::Over(end));
        }
        state.last_id += 1;
        let id = state.last_id;
        state.calls.insert(id, Call { answer, notifications });
        drop(state);
        self.shared.say(message::request(id, method, params));
        Ok((id, received))
    }

    fn end(&self) -> End {
        let end = self.shared.state().end.clone();
        end.unwrap_or_else(|| End::Outside("the plugin's process was ended".to_owned()))
    }

    /// Ends it with everything that it started.
    fn kill(&self, why: End) {
        self.shared.state().killed.get_or_insert(why);
        self.shared.kill.cancel();
    }

    /// Says that nothing more comes, waits until it ends by itself within `grace`, and ends it otherwise. Returns how
    /// its program ended, if by itself.
    pub(super) async fn stop(&self, grace: Duration) -> Option<Ended> {
        self.shared.state().requests = None;
        if timeout(grace, self.shared.over.cancelled()).await.is_err() {
            self.shared.kill.cancel();
            self.shared.over.cancelled().await;
            return None;
        }
        self.shared.state().ended.clone()
    }
}

/// Drives a process until it exits: sends requests to it, reads its output, and finds out how it ended.
async fn attend(started: Started, lines: mpsc::UnboundedReceiver<Vec<u8>>, shared: Arc<Shared>) {
    let Started { mut guard, mut control, requests, responses, output } = started;
    let writing = tokio::spawn(write(requests, lines, Arc::clone(&shared)));
    let printed = output.map(|pipe| Arc::new(Printed::new(pipe)));
    let printing = printed.each_ref().map(|pipe| tokio::spawn(print(Arc::clone(pipe), Arc::clone(&shared))));
    let mut fault = tokio::select! {
        biased;
        () = shared.kill.cancelled() => None,
        fault = listen(BufReader::new(responses), &printed, &shared) => fault,
    };
    // It takes no more attempts.
    shared.state().requests = None;
    // The guard ends the program, with all that it started, when this end of the socket is closed.
    if fault.is_some() || shared.kill.is_cancelled() {
        let _ = control.shutdown().await;
    }
    let mut ended = Vec::new();
    let said = timeout(END_TIMEOUT, control.read_to_end(&mut ended)).await;
    if said.is_err() {
        if !shared.kill.is_cancelled() {
            fault.get_or_insert_with(|| "it closed descriptor 4 and did not end".to_owned());
        }
        let _ = control.shutdown().await;
        let _ = timeout(END_TIMEOUT, control.read_to_end(&mut ended)).await;
    }
    drop(control);
    writing.abort();
    for printing in printing {
        // Nobody holds these pipes any more, unless a process escaped.
        let _ = timeout(Duration::from_secs(1), printing).await;
    }
    let _ = timeout(END_TIMEOUT, guard.wait()).await;
    let ended = serde_json::from_slice::<Ended>(&ended).ok();
    let mut state = shared.state();
    let end = match (state.killed.take(), fault) {
        (Some(killed), _) => killed,
        (None, Some(fault)) => End::Fault(fault),
        (None, None) => reason(ended.as_ref(), &state.tail),
    };
    state.requests = None;
    state.ended = ended;
    state.end = Some(end.clone());
    let calls: Vec<Call> = state.calls.drain().map(|(_, call)| call).collect();
    drop(state);
    for call in calls {
        // Who asked may have given up.
        let _ = call.answer.send(Err(Failure::Over(end.clone())));
    }
    shared.over.cancel();
}
