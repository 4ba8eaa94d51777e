//! Slow effects: files and layouts on threads, requests on the link. Results come back as messages.

use std::path::PathBuf;

use fanlight_shared::client::Client;
use fanlight_shared::home::Home;
use fanlight_shared::node_type::Catalogue;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinHandle};

use super::watch_file::{INTERVAL, watch_file};
use crate::node_types;
use crate::ui::app::painter::{Fetching, Painter};
use crate::ui::document::{Purpose, Request, Source, Submission};
use crate::ui::effect::{Effect, Topology};
use crate::ui::files;
use crate::ui::graph;
use crate::ui::link::ask;
use crate::ui::message::{Message, Response, Why};
use crate::ui::picture::probe::Drawing;

/// Slow effects, and their results.
#[derive(Debug)]
pub(super) struct Work {
    home: Home,
    client: watch::Receiver<Option<Client>>,
    painter: Painter,
    watched_file: watch::Sender<Option<PathBuf>>,
    out: mpsc::UnboundedSender<Message>,
    done: mpsc::UnboundedReceiver<Message>,
}

impl Work {
    pub(super) fn new(home: Home, client: watch::Receiver<Option<Client>>, drawing: Drawing) -> Self {
        let (out, done) = mpsc::unbounded_channel();
        let current = client.clone();
        let fetch = move |of, thumbnail| -> Fetching {
            Box::pin(ask::picture(current.borrow().clone(), of, thumbnail))
        };
        let painted = out.clone();
        let tell = move |response| {
            let _ = painted.send(Message::Response(Box::new(response)));
        };
        let painter = Painter::start(drawing, std::sync::Arc::new(fetch), Box::new(tell));
        let (watched_file, wanted) = watch::channel(None);
        let (changed, daemon) = (out.clone(), client.clone());
        tokio::spawn(watch_file(wanted, INTERVAL, move |path| {
            let changed = changed.clone();
            with_types(daemon.clone(), move |types| {
                // If it can't be read, it is about to be replaced, or gone; a submission reports that.
                if let Ok(document) = files::read(&path, types).map(Box::new) {
                    let request = Request { source: Source::File(path), purpose: Purpose::Refresh };
                    let _ =
                        changed.send(Message::Response(Box::new(Response::Document { request, document })));
                }
            });
        }));
        Self { home, client, painter, watched_file, out, done }
    }

    /// Returns the next result. Never ends: this holds a sender itself.
    pub(super) async fn recv(&mut self) -> Message {
        match self.done.recv().await {
            Some(message) => message,
            None => std::future::pending().await,
        }
    }

    pub(super) fn try_recv(&mut self) -> Option<Message> {
        self.done.try_recv().ok()
    }

    /// Reports a failure.
    pub(super) fn failed(&self, request: Effect, error: String) {
        let _ = self.out.send(failed(request, error));
    }

    /// Saves a copied text, and reports the path.
    pub(super) fn save_copied(&self, text: &str) {
        let (home, text) = (self.home.clone(), text.to_owned());
        self.thread(Effect::Copy(text.clone()), move || {
            let path = files::keep_copied(&home, &text)?;
            Ok(Response::Done(format!("copied; also in {}", path.display())))
        });
    }

    /// Starts to carry out an effect.
    pub(super) fn begin(&self, effect: Effect) {
        let (home, request) = (self.home.clone(), effect.clone());
        match effect {
            Effect::Paint(wanted) => self.painter.paint(wanted),
            Effect::ListFiles => {
                let folder = std::env::current_dir();
                self.thread(request, move || {
                    let folder = folder.map_err(|error| error.to_string())?;
                    Ok(Response::Files(files::list(&folder)))
                });
            }
            Effect::ListFolder(folder) => self.thread(request, move || {
                let names = files::names(&folder);
                Ok(Response::Folder(folder, names))
            }),
            Effect::ReadWorkflow(of) if !matches!(of.source, Source::Stored(_)) => {
                let out = self.out.clone();
                with_types(self.client.clone(), move |types| {
                    let read = files::document(&home, &of.source, types);
                    let document =
                        read.map(|document| Response::Document { request: of, document: Box::new(document) });
                    let _ = out.send(done(request, document));
                });
            }
            Effect::WatchFile(path) => {
                self.watched_file.send_replace(path);
            }
            Effect::Layout(Topology(workflow)) => {
                let out = self.out.clone();
                with_types(self.client.clone(), move |types| {
                    let layout = graph::layout::layout(&workflow, types);
                    let graph = Response::Graph(workflow.version.clone(), std::sync::Arc::new(layout));
                    let _ = out.send(done(request, Ok(graph)));
                });
            }
            Effect::CheckRuns(runs) => {
                let (client, out) = (self.client.clone(), self.out.clone());
                tokio::spawn(ask::check_runs(client, runs, move |response| {
                    let _ = out.send(Message::Response(Box::new(response)));
                }));
            }
            Effect::Start(submission) => self.start(*submission),
            effect => {
                let (client, out) = (self.client.clone(), self.out.clone());
                tokio::spawn(async move {
                    if let Some(response) = ask::ask(client, effect).await {
                        let _ = out.send(Message::Response(Box::new(response)));
                    }
                });
            }
        }
    }

    /// Submits runs of the file as it is on disk now.
    fn start(&self, submission: Submission) {
        let (home, client, out) = (self.home.clone(), self.client.clone(), self.out.clone());
        let request = Effect::Start(Box::new(submission.clone()));
        let current = with_types(client.clone(), move |types| files::current(&home, submission, types));
        tokio::spawn(async move {
            let current = current.await.and_then(|current| current).map_err(|error| error.to_string());
            let (submission, changed) = match current {
                Ok(Ok(current)) => current,
                Ok(Err(error)) | Err(error) => {
                    let _ = out.send(failed(request, error));
                    return;
                }
            };
            if let Some(document) = changed {
                let request = Request { source: submission.source.clone(), purpose: Purpose::Refresh };
                let _ = out.send(Message::Response(Box::new(Response::Document { request, document })));
            }
            if let Some(response) = ask::ask(client, Effect::Start(Box::new(submission))).await {
                let _ = out.send(Message::Response(Box::new(response)));
            }
        });
    }

    /// Sets how pictures are drawn.
    pub(super) fn draw_by(&self, drawing: Drawing) {
        self.painter.begin(drawing);
    }

    fn thread(&self, request: Effect, work: impl FnOnce() -> Result<Response, String> + Send + 'static) {
        let out = self.out.clone();
        tokio::task::spawn_blocking(move || {
            let _ = out.send(done(request, work()));
        });
    }
}

/// Does blocking work with the node types that files are checked against.
fn with_types<T: Send + 'static>(
    client: watch::Receiver<Option<Client>>,
    work: impl FnOnce(&Catalogue) -> T + Send + 'static,
) -> JoinHandle<Result<T, JoinError>> {
    tokio::spawn(async move {
        let client = client.borrow().clone();
        let types = node_types::of(client.as_ref()).await;
        tokio::task::spawn_blocking(move || work(&types)).await
    })
}

fn done(request: Effect, result: Result<Response, String>) -> Message {
    match result {
        Ok(response) => Message::Response(Box::new(response)),
        Err(error) => failed(request, error),
    }
}

fn failed(request: Effect, error: String) -> Message {
    Message::Response(Box::new(Response::Failed { request: Box::new(request), error, why: Why::Other }))
}
