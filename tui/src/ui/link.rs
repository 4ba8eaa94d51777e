//! The connection to the daemon: connecting, starting one, notifications, reconnecting.
//!
//! The link is a task of its own. It connects, starts a daemon if none runs, and after a loss retries with growing delays.
//! The model says what to watch on each connection.

pub(super) mod ask;

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use fanlight_shared::client::{Client, ClientError, SILENCE_LIMIT, start_daemon};
use fanlight_shared::home::Home;
use fanlight_shared::rpc::watch::Watch;
use fanlight_shared::time::Time;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::effect::Effect;
use super::message::{Link as State, Message, Response, Why};
use crate::host::Host;

/// The first delay before a reconnection, and the maximum.
const FIRST_RETRY_DELAY: Duration = Duration::from_millis(100);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(5);
/// The maximum delay before a new login at another computer.
const MAX_REMOTE_DELAY: Duration = Duration::from_secs(30);
/// The minimum time between two subscriptions: of runs that the lens passes by, none is read in between.
const SUBSCRIPTION_INTERVAL: Duration = Duration::from_millis(33);
/// Notifications that may wait for the event loop; the daemon copes with a client that doesn't read.
const MAX_NOTIFICATIONS: usize = 1024;

/// The event loop's handle of the link.
#[derive(Debug)]
pub(super) struct Link {
    watched: watch::Sender<Watch>,
    events: watch::Sender<bool>,
    client: watch::Receiver<Option<Client>>,
    notification: mpsc::Receiver<Message>,
}

impl Link {
    /// Starts connecting and returns at once.
    pub(super) fn begin(home: Home, exe: PathBuf, host: Option<Arc<Host>>) -> Self {
        let (watched, wanted) = watch::channel(Watch::default());
        let (events, expected) = watch::channel(false);
        let (connected, client) = watch::channel(None);
        let (out, notification) = mpsc::channel(MAX_NOTIFICATIONS);
        tokio::spawn(Actor { home, exe, host, wanted, expected, connected, out, silent_since: None }.run());
        Self { watched, events, client, notification }
    }

    /// Sets whether the daemon should send something from time to time.
    pub(super) fn expect_events(&self, events: bool) {
        self.events.send_if_modified(|expected| std::mem::replace(expected, events) != events);
    }

    /// Sets the subscription.
    pub(super) fn watch(&self, watch: Watch) {
        self.watched.send_replace(watch);
    }

    /// Returns the current connection; it changes with every reconnection.
    pub(super) fn client(&self) -> watch::Receiver<Option<Client>> {
        self.client.clone()
    }

    /// Returns the next notification.
    pub(super) async fn recv(&mut self) -> Option<Message> {
        self.notification.recv().await
    }

    /// Returns a notification, if one is waiting.
    pub(super) fn try_recv(&mut self) -> Option<Message> {
        self.notification.try_recv().ok()
    }
}

/// Returns when that was.
fn ago(time: Duration) -> Time {
    Time(Time::now().0.saturating_sub(i64::try_from(time.as_millis()).unwrap_or(i64::MAX)))
}

struct Actor {
    home: Home,
    exe: PathBuf,
    host: Option<Arc<Host>>,
    wanted: watch::Receiver<Watch>,
    /// Whether events are expected.
    expected: watch::Receiver<bool>,
    connected: watch::Sender<Option<Client>>,
    out: mpsc::Sender<Message>,
    /// Since when the daemon has accepted connections without a response, while it does.
    silent_since: Option<Time>,
}

/// The event loop is gone, so that the link ends.
struct Over;

impl Actor {
    async fn run(mut self) {
        let mut pause = FIRST_RETRY_DELAY;
        let longest = if self.host.is_some() { MAX_REMOTE_DELAY } else { MAX_RETRY_DELAY };
        loop {
            let ended = match self.connect().await {
                Ok(client) => {
                    (pause, self.silent_since) = (FIRST_RETRY_DELAY, None);
                    self.serve(client).await
                }
                // It was said already.
                Err(ClientError::Silent(_)) if self.silent_since.is_some() => Ok(()),
                Err(error) => {
                    self.silent_since = None;
                    self.say(State::Down(error.to_string())).await
                }
            };
            if ended.is_err() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(longest),
                () = self.out.closed() => return,
            }
        }
    }

    async fn connect(&mut self) -> Result<Client, ClientError> {
        if let Some(host) = &self.host {
            return host.connect().await;
        }
        match self.reach().await {
            Err(error) if error.is_no_daemon() => {
                let _ = self.say(State::Starting).await;
                start_daemon(&self.home, &self.exe, &["--linger"]).await
            }
            other => other,
        }
    }

    /// Connects to a daemon that runs, and says if it takes long to respond.
    async fn reach(&mut self) -> Result<Client, ClientError> {
        let home = self.home.clone();
        let mut connecting = std::pin::pin!(Client::connect(&home));
        tokio::select! {
            reached = &mut connecting => return reached,
            () = tokio::time::sleep(SILENCE_LIMIT) => {}
        }
        let since = *self.silent_since.get_or_insert_with(|| ago(SILENCE_LIMIT));
        let _ = self.out.send(Message::Silence(Some(since))).await;
        connecting.await
    }

    async fn say(&self, state: State) -> Result<(), Over> {
        self.out.send(Message::Link(state)).await.map_err(|_| Over)
    }

    /// Serves a connection until it is lost.
    async fn serve(&mut self, client: Client) -> Result<(), Over> {
        let Some(mut notifications) = client.notifications() else { return Ok(()) };
        let hello = client.hello().clone();
        self.connected.send_replace(Some(client.clone()));
        // Drops the subscription of the last connection; the model sends a new one, from the last event.
        self.wanted.mark_unchanged();
        self.say(State::Up(hello)).await?;
        let (mut due, mut silence) = (Instant::now(), client.silence());
        self.expected.mark_changed();
        loop {
            // Neither waits for the other: a new subscription may be what ends a flood of notifications.
            tokio::select! {
                notification = notifications.recv() => match notification {
                    None => break,
                    Some(notification) => {
                        self.out.send(Message::Notification(Box::new(notification))).await.map_err(|_| Over)?;
                    }
                },
                Ok(()) = silence.changed() => self.say_silence(&mut silence).await?,
                Ok(()) = self.expected.changed() => client.expect_events(*self.expected.borrow_and_update()),
                wanted = async { sleep_until(due).await; self.wanted.changed().await } => {
                    wanted.map_err(|_| Over)?;
                    self.watch(&client, &mut silence).await?;
                    due = Instant::now() + SUBSCRIPTION_INTERVAL;
                }
            }
        }
        self.connected.send_replace(None);
        let why = client.closed().await;
        self.say(State::Down(why)).await
    }

    async fn say_silence(&mut self, silence: &mut watch::Receiver<Option<Instant>>) -> Result<(), Over> {
        let since = silence.borrow_and_update().map(|since| ago(since.elapsed()));
        self.out.send(Message::Silence(since)).await.map_err(|_| Over)
    }

    /// Sends the subscription. A daemon that doesn't respond to it is shown meanwhile.
    async fn watch(
        &mut self,
        client: &Client,
        silence: &mut watch::Receiver<Option<Instant>>,
    ) -> Result<(), Over> {
        let watch = self.wanted.borrow_and_update().clone();
        let mut response = pin!(client.call(watch.clone()));
        let response = loop {
            tokio::select! {
                response = &mut response => break response,
                Ok(()) = silence.changed() => self.say_silence(silence).await?,
            }
        };
        match response {
            // The end of the connection is handled elsewhere, and the next connection subscribes again.
            Ok(_) | Err(ClientError::Disconnected(_)) => Ok(()),
            Err(error) => {
                let request = Box::new(Effect::Watch(watch));
                let failed = Response::Failed { request, error: error.to_string(), why: Why::Other };
                self.out.send(Message::Response(Box::new(failed))).await.map_err(|_| Over)
            }
        }
    }
}
