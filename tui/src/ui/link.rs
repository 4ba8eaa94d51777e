//! The daemon: connecting, starting one, being told, coming back.

use std::sync::Arc;
use std::time::Duration;

use fanlight_shared::client::{Client, ClientError, start_daemon};
use fanlight_shared::home::Home;
use fanlight_shared::rpc::watch::Watch;
use tokio::sync::{mpsc, watch};

use super::message::{Link, Message};

/// The first wait before a lost daemon is looked for again; doubled each time.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The longest of these waits.
const LONGEST_WAIT: Duration = Duration::from_secs(3);

/// The connection to the daemon: cheap to clone.
#[derive(Clone)]
pub(super) struct Daemon {
    client: watch::Receiver<Option<Client>>,
    watched: Arc<watch::Sender<Watch>>,
}

impl Daemon {
    /// Begins to connect; whatever happens is told by messages.
    pub(super) fn begin(home: Home, messages: mpsc::UnboundedSender<Message>) -> Self {
        let (tell_client, client) = watch::channel(None);
        let (watched, watch) = watch::channel(Watch::default());
        tokio::spawn(stay(home, messages, tell_client, watch));
        Self { client, watched: Arc::new(watched) }
    }

    /// The connection, as soon as there is one.
    pub(super) async fn client(&self) -> Result<Client, String> {
        let mut client = self.client.clone();
        let there = client.wait_for(Option::is_some).await.map_err(|_| "the daemon is away".to_owned())?;
        there.clone().ok_or_else(|| "the daemon is away".to_owned())
    }

    /// Replaces what the daemon is asked to tell, now and after every reconnection.
    pub(super) fn watch(&self, watch: Watch) {
        self.watched.send_replace(watch);
    }
}

/// Connects, stays connected, and comes back after a loss, until the UI ends.
async fn stay(
    home: Home,
    messages: mpsc::UnboundedSender<Message>,
    tell_client: watch::Sender<Option<Client>>,
    mut watch: watch::Receiver<Watch>,
) {
    let mut wait = FIRST_WAIT;
    let say = |link| messages.send(Message::Link(link)).is_ok();
    loop {
        match connect(&home, &say).await {
            Ok(client) => {
                wait = FIRST_WAIT;
                if !say(Link::Up(client.hello().clone())) {
                    return;
                }
                tell_client.send_replace(Some(client.clone()));
                let why = attend(&client, &messages, &mut watch).await;
                tell_client.send_replace(None);
                if !say(Link::Down(why)) {
                    return;
                }
            }
            Err(error) => {
                if !say(Link::Down(error.to_string())) {
                    return;
                }
            }
        }
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

async fn connect(home: &Home, say: &impl Fn(Link) -> bool) -> Result<Client, ClientError> {
    match Client::connect(home).await {
        Err(error) if error.is_no_daemon() => {
            say(Link::Starting);
            let exe = std::env::current_exe()
                .map_err(|error| ClientError::Start(format!("this program can't find itself: {error}")))?;
            start_daemon(home, &exe, &["--linger"]).await
        }
        other => other,
    }
}

/// Hands on what the daemon tells, and asks it anew whenever something else is to be watched. Answers why it ended.
async fn attend(
    client: &Client,
    messages: &mpsc::UnboundedSender<Message>,
    watch: &mut watch::Receiver<Watch>,
) -> String {
    let Some(mut notifications) = client.notifications() else { return "the connection is in use".to_owned() };
    watch.mark_changed();
    loop {
        tokio::select! {
            told = notifications.recv() => match told {
                Some(told) => {
                    if messages.send(Message::Told(Box::new(told))).is_err() {
                        return String::new();
                    }
                }
                None => return client.closed().await,
            },
            changed = watch.changed() => {
                if changed.is_err() {
                    return String::new();
                }
                let wanted = watch.borrow_and_update().clone();
                if let Err(error) = client.call(wanted).await
                    && matches!(error, ClientError::Rpc(_))
                {
                    tracing::warn!("the daemon refused to be watched: {error}");
                }
            }
        }
    }
}
