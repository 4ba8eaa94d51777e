//! The connection to the daemon: connecting, starting one, notifications, reconnecting.
//!
//! The link is a task of its own. It connects, starts a daemon where none runs, and after a loss tries again, later and
//! later; it then asks for what was watched, from where it was lost.

pub(super) mod ask;

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use fanlight_shared::client::{Client, ClientError, start_daemon};
use fanlight_shared::home::Home;
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::watch::{Notification, Since, Watch};
use tokio::sync::{mpsc, watch};

use super::effect::Effect;
use super::message::{Link as State, Message, Response, Why};

/// How long a lost connection waits before it is tried again, at first and at most.
const FIRST_RETRY_DELAY: Duration = Duration::from_millis(100);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(5);
/// Notifications that may wait for the loop; the daemon copes with a client that does not read.
const MAX_NOTIFICATIONS: usize = 1024;

/// The link as the loop holds it.
#[derive(Debug)]
pub(super) struct Link {
    watched: watch::Sender<Watch>,
    client: watch::Receiver<Option<Client>>,
    notification: mpsc::Receiver<Message>,
}

impl Link {
    /// Starts to connect; returns at once.
    pub(super) fn begin(home: Home, exe: PathBuf) -> Self {
        let (watched, wanted) = watch::channel(Watch::default());
        let (connected, client) = watch::channel(None);
        let (out, notification) = mpsc::channel(MAX_NOTIFICATIONS);
        let known = Known::default();
        tokio::spawn(Actor { home, exe, wanted, connected, out, known }.run());
        Self { watched, client, notification }
    }

    /// Sets the subscription.
    pub(super) fn watch(&self, watch: Watch) {
        self.watched.send_replace(watch);
    }

    /// The connection of the moment; it changes with every reconnection.
    pub(super) fn client(&self) -> watch::Receiver<Option<Client>> {
        self.client.clone()
    }

    /// Returns the next notification.
    pub(super) async fn recv(&mut self) -> Option<Message> {
        self.notification.recv().await
    }

    /// Returns a notification, if one waits.
    pub(super) fn try_recv(&mut self) -> Option<Message> {
        self.notification.try_recv().ok()
    }
}

/// How far the client knows what it watches, to go on from there.
#[derive(Debug, Default)]
struct Known {
    instance: Option<String>,
    seq: Option<u64>,
    runs: HashMap<RunId, Received>,
}

/// What was received of a run: everything up to this event, but for so many items.
#[derive(Clone, Copy, Debug)]
struct Received {
    seq: u64,
    items_left: u64,
}

impl Known {
    fn apply(&mut self, notification: &Notification) {
        match notification {
            Notification::Registry { seq, .. } | Notification::Daemon { seq, .. } => self.seq = Some(*seq),
            Notification::Snapshot { run_id, state, .. } => {
                self.runs.insert(*run_id, Received { seq: state.seq, items_left: state.items_left });
            }
            Notification::SnapshotItems { run_id, seq, items, .. } => {
                if let Some(had) = self.runs.get_mut(run_id).filter(|had| had.seq == *seq) {
                    had.items_left = had.items_left.saturating_sub(items.len() as u64);
                }
            }
            Notification::State { run_id, event, .. } => {
                self.runs.insert(*run_id, Received { seq: event.seq, items_left: 0 });
            }
            Notification::RegistryRuns { .. }
            | Notification::SnapshotNodes { .. }
            | Notification::Live { .. }
            | Notification::Lagged {}
            | Notification::Bye { .. } => {}
        }
    }

    /// What is asked for, from where it is known. `again`: after a loss, so that telemetry goes on too.
    fn complete(&mut self, mut watch: Watch, again: bool) -> Watch {
        if let (Some(instance), Some(seq)) = (&self.instance, self.seq) {
            watch.since = Some(Since { instance: instance.clone(), seq });
        }
        self.runs.retain(|run, _| watch.telemetry.iter().any(|it| it.run_id == *run));
        if again {
            for of in &mut watch.telemetry {
                let had = self.runs.get(&of.run_id).filter(|had| had.items_left == 0);
                of.seq = had.map(|had| had.seq);
            }
        }
        watch
    }
}

struct Actor {
    home: Home,
    exe: PathBuf,
    wanted: watch::Receiver<Watch>,
    connected: watch::Sender<Option<Client>>,
    out: mpsc::Sender<Message>,
    known: Known,
}

/// The loop is gone: so is the link.
struct Over;

impl Actor {
    async fn run(mut self) {
        let mut pause = FIRST_RETRY_DELAY;
        loop {
            let ended = match self.connect().await {
                Ok(client) => {
                    pause = FIRST_RETRY_DELAY;
                    self.serve(client).await
                }
                Err(error) => self.say(State::Down(error.to_string())).await,
            };
            if ended.is_err() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(MAX_RETRY_DELAY),
                () = self.out.closed() => return,
            }
        }
    }

    async fn connect(&mut self) -> Result<Client, ClientError> {
        match Client::connect(&self.home).await {
            Err(error) if error.is_no_daemon() => {
                let _ = self.say(State::Starting).await;
                start_daemon(&self.home, &self.exe, &["--linger"]).await
            }
            other => other,
        }
    }

    async fn say(&self, state: State) -> Result<(), Over> {
        self.out.send(Message::Link(state)).await.map_err(|_| Over)
    }

    /// Until the connection is lost.
    async fn serve(&mut self, client: Client) -> Result<(), Over> {
        let Some(mut notifications) = client.notifications() else { return Ok(()) };
        let hello = client.hello().clone();
        let same = self.known.instance.as_ref() == Some(&hello.instance);
        if !same {
            // Another daemon counts anew; what is known of runs is as durable as they are.
            self.known.seq = None;
            self.known.instance = Some(hello.instance.clone());
        }
        self.connected.send_replace(Some(client.clone()));
        self.say(State::Up(hello)).await?;
        let mut again = true;
        let mut changed = true;
        loop {
            if changed {
                let wanted = self.wanted.borrow_and_update().clone();
                if wanted != Watch::default() {
                    let watch = self.known.complete(wanted, again);
                    again = false;
                    // A lost connection is told below, and what is watched is asked for again with the next one.
                    if let Err(error) = client.call(watch.clone()).await
                        && !matches!(error, ClientError::Disconnected(_))
                    {
                        let request = Box::new(Effect::Watch(watch));
                        let failed = Response::Failed { request, error: error.to_string(), why: Why::Other };
                        self.out.send(Message::Response(Box::new(failed))).await.map_err(|_| Over)?;
                    }
                }
                changed = false;
            }
            tokio::select! {
                biased;
                notification = notifications.recv() => match notification {
                    None => break,
                    Some(notification) => {
                        self.known.apply(&notification);
                        self.out.send(Message::Notification(Box::new(notification))).await.map_err(|_| Over)?;
                    }
                },
                wanted = self.wanted.changed() => {
                    wanted.map_err(|_| Over)?;
                    changed = true;
                }
            }
        }
        self.connected.send_replace(None);
        let why = client.closed().await;
        self.say(State::Down(why)).await
    }
}

#[cfg(test)]
mod tests {
    use fanlight_shared::rpc::watch::TelemetryOf;
    use fanlight_shared::run::RunStatus;
    use fanlight_shared::run_state::Instance;

    use super::*;
    use crate::ui::testing;

    fn snapshot(seq: u64) -> Notification {
        let run = testing::run(1, RunStatus::Running);
        let mut state = testing::state(&run);
        state.seq = seq;
        Notification::Snapshot {
            workflow_id: run.workflow_id,
            run_id: run.id,
            run: Box::new(run),
            state: Box::new(state),
        }
    }

    fn watch() -> Watch {
        let telemetry = vec![TelemetryOf { run_id: testing::run_id(1), seq: None }];
        Watch { registry: true, telemetry, ..Watch::default() }
    }

    #[test]
    fn after_a_loss_it_goes_on_from_where_it_was() {
        let mut known = Known { instance: Some("one".to_owned()), ..Known::default() };
        known.apply(&snapshot(7));
        known.apply(&Notification::Registry {
            seq: 40,
            runs: Vec::new(),
            runs_left: 0,
            queue: fanlight_shared::event::Queue::default(),
            banners: Vec::new(),
        });
        let again = known.complete(watch(), true);
        assert_eq!(again.telemetry[0].seq, Some(7));
        assert_eq!(again.since, Some(Since { instance: "one".to_owned(), seq: 40 }));
    }

    #[test]
    fn a_snapshot_whose_parts_were_lost_is_asked_for_anew() {
        let mut known = Known::default();
        let Notification::Snapshot { workflow_id, run_id, run, mut state } = snapshot(7) else { panic!() };
        state.items_left = 2;
        known.apply(&Notification::Snapshot { workflow_id, run_id, run, state });
        let part = |index: u32| Notification::SnapshotItems {
            workflow_id,
            run_id,
            seq: 7,
            node: "framed".to_owned(),
            items: [(index, Instance::default())].into(),
        };
        known.apply(&part(0));
        assert_eq!(known.complete(watch(), true).telemetry[0].seq, None);
        known.apply(&part(1));
        assert_eq!(known.complete(watch(), true).telemetry[0].seq, Some(7));
    }

    #[test]
    fn a_run_that_is_asked_for_anew_comes_with_a_snapshot() {
        let mut known = Known::default();
        known.apply(&snapshot(7));
        assert_eq!(known.complete(watch(), false).telemetry[0].seq, None);
    }
}
