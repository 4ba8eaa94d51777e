//! A connection to the daemon that can be cut or held up: a socket that forwards to the daemon's.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use fanlight_shared::home::Home;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

pub(crate) struct Line {
    /// The home with this socket.
    pub(crate) home: Home,
    calls: Arc<Mutex<Vec<AbortHandle>>>,
    open: Arc<watch::Sender<bool>>,
    flows: Arc<watch::Sender<bool>>,
}

impl Line {
    pub(crate) fn to(home: &Home, socket: PathBuf) -> Self {
        let listener = UnixListener::bind(&socket).unwrap();
        let there = home.socket.clone();
        let calls: Arc<Mutex<Vec<AbortHandle>>> = Arc::default();
        let [open, flows] = [(); 2].map(|()| Arc::new(watch::Sender::new(true)));
        let (kept, mut is_open, flowing) = (Arc::clone(&calls), open.subscribe(), flows.subscribe());
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                if is_open.wait_for(|open| *open).await.is_err() {
                    return;
                }
                let (there, flows) = (there.clone(), [flowing.clone(), flowing.clone()]);
                let call = tokio::spawn(async move {
                    let Ok(far) = UnixStream::connect(there).await else { return };
                    let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
                    let [there, back] = flows;
                    tokio::join!(forward(from_near, to_far, there), forward(from_far, to_near, back));
                });
                kept.lock().unwrap().push(call.abort_handle());
            }
        });
        Self { home: Home { socket, ..home.clone() }, calls, open, flows }
    }

    /// Holds up whatever is sent, as a process does that was stopped.
    pub(crate) fn hold(&self) {
        self.flows.send_replace(false);
    }

    pub(crate) fn release(&self) {
        self.flows.send_replace(true);
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

async fn forward(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut flows: watch::Receiver<bool>,
) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        if flows.wait_for(|flows| *flows).await.is_err() || to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
