//! A connection to the daemon that can be cut: a socket that forwards to the daemon's.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use fanlight_shared::home::Home;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::AbortHandle;

pub(crate) struct Line {
    /// The home with this socket.
    pub(crate) home: Home,
    calls: Arc<Mutex<Vec<AbortHandle>>>,
    open: Arc<tokio::sync::watch::Sender<bool>>,
}

impl Line {
    pub(crate) fn to(home: &Home, socket: PathBuf) -> Self {
        let listener = UnixListener::bind(&socket).unwrap();
        let there = home.socket.clone();
        let calls: Arc<Mutex<Vec<AbortHandle>>> = Arc::default();
        let open = Arc::new(tokio::sync::watch::Sender::new(true));
        let (kept, mut is_open) = (Arc::clone(&calls), open.subscribe());
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                if is_open.wait_for(|open| *open).await.is_err() {
                    return;
                }
                let there = there.clone();
                let call = tokio::spawn(async move {
                    let Ok(mut far) = UnixStream::connect(there).await else { return };
                    let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                });
                kept.lock().unwrap().push(call.abort_handle());
            }
        });
        Self { home: Home { socket, ..home.clone() }, calls, open }
    }

    /// Cuts every connection; new ones wait until it is restored.
    pub(crate) fn cut(&self) {
        self.open.send_replace(false);
        self.calls.lock().unwrap().drain(..).for_each(|call| call.abort());
    }

    pub(crate) fn mend(&self) {
        self.open.send_replace(true);
    }
}
