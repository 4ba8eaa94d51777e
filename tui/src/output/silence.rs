//! Says on stderr that the daemon doesn't respond, and that it does again. Commands wait meanwhile.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use fanlight_shared::client::{Client, SILENCE_LIMIT};
use tokio::sync::watch;

/// Set while something else shows it, since a line would tear the picture on the terminal.
static SHOWN: AtomicBool = AtomicBool::new(false);
/// Whether the daemon doesn't respond.
static SILENT: LazyLock<watch::Sender<bool>> = LazyLock::new(|| watch::Sender::new(false));

/// Returns the sentence.
pub(crate) fn sentence(silent: bool) -> &'static str {
    if silent {
        "fanlight: the daemon doesn't respond; waiting for it (Ctrl-C leaves)"
    } else {
        "fanlight: the daemon responds again"
    }
}

/// Says it no longer by itself: from now on the caller does.
pub(crate) fn take_over() {
    SHOWN.store(true, Ordering::Relaxed);
}

/// Says it whenever that changes, until the connection is lost.
pub(crate) fn watch(client: &Client) {
    let mut silence = client.silence();
    tokio::spawn(async move {
        while silence.changed().await.is_ok() {
            let silent = silence.borrow_and_update().is_some();
            SILENT.send_replace(silent);
            if !SHOWN.load(Ordering::Relaxed) {
                super::note(sentence(silent));
            }
        }
        SILENT.send_replace(false);
    });
}

/// Returns whether the daemon doesn't respond.
pub(crate) fn is_silent() -> watch::Receiver<bool> {
    SILENT.subscribe()
}

/// Waits for a first response, and says if that takes long.
pub(crate) async fn said<T>(response: impl Future<Output = T>) -> T {
    let mut response = std::pin::pin!(response);
    tokio::select! {
        response = &mut response => return response,
        () = tokio::time::sleep(SILENCE_LIMIT) => super::note(sentence(true)),
    }
    response.await
}
