//! Effects that take time: files and layouts on threads, requests on the link. Results come back as messages.

use fanlight_shared::client::Client;
use fanlight_shared::home::Home;
use tokio::sync::{mpsc, watch};

use super::files;
use crate::ui::effect::{Effect, Topology};
use crate::ui::graph;
use crate::ui::link::ask;
use crate::ui::message::{Came, Message};
use crate::ui::picture::painter::{Fetching, Painter};
use crate::ui::picture::probe::Drawing;

/// Slow work, and what it gave.
#[derive(Debug)]
pub(super) struct Work {
    home: Home,
    client: watch::Receiver<Option<Client>>,
    painter: Painter,
    out: mpsc::UnboundedSender<Message>,
    done: mpsc::UnboundedReceiver<Message>,
}

impl Work {
    pub(super) fn new(home: Home, client: watch::Receiver<Option<Client>>, drawing: Drawing) -> Self {
        let (out, done) = mpsc::unbounded_channel();
        let current = client.clone();
        let fetch = move |asset, thumbnail| -> Fetching {
            Box::pin(ask::picture(current.borrow().clone(), asset, thumbnail))
        };
        let painted = out.clone();
        let tell = move |came| {
            let _ = painted.send(Message::Came(Box::new(came)));
        };
        let painter = Painter::start(drawing, std::sync::Arc::new(fetch), Box::new(tell));
        Self { home, client, painter, out, done }
    }

    /// What came next. Never ends: this holds a sender itself.
    pub(super) async fn recv(&mut self) -> Message {
        match self.done.recv().await {
            Some(message) => message,
            None => std::future::pending().await,
        }
    }

    pub(super) fn try_recv(&mut self) -> Option<Message> {
        self.done.try_recv().ok()
    }

    /// Says that something failed.
    pub(super) fn failed(&self, what: &str, error: String) {
        self.tell(Came::Failed { what: what.to_owned(), error });
    }

    fn tell(&self, came: Came) {
        let _ = self.out.send(Message::Came(Box::new(came)));
    }

    /// Keeps a text that was copied, and says where.
    pub(super) fn kept(&self, text: &str) {
        let (home, text) = (self.home.clone(), text.to_owned());
        self.thread("copy", move || {
            let path = files::keep_copied(&home, &text)?;
            Ok(Came::Done(format!("copied; also in {}", path.display())))
        });
    }

    /// Begins to carry out an effect.
    pub(super) fn begin(&self, effect: Effect) {
        let home = self.home.clone();
        match effect {
            Effect::Paint(wanted) => self.painter.paint(wanted),
            Effect::ListFiles => {
                let folder = std::env::current_dir();
                self.thread("folder", move || {
                    let folder = folder.map_err(|error| error.to_string())?;
                    Ok(Came::Files(files::list(&folder)))
                });
            }
            Effect::ReadFile(path) => {
                self.thread("read", move || files::read(&path).map(|it| Came::Document(Box::new(it))));
            }
            Effect::ReadExample(name) => self.thread("read", move || {
                files::read_example(&home, &name).map(|it| Came::Document(Box::new(it)))
            }),
            Effect::NewFile { example, path } => self.thread("new", move || {
                let path = files::new_file(&example, &path)?;
                files::read(&path).map(|it| Came::Document(Box::new(it)))
            }),
            Effect::Layout(Topology(workflow)) => self.thread("layout", move || {
                let layout = graph::layout::layout(&workflow);
                Ok(Came::Graph(workflow.version.clone(), std::sync::Arc::new(layout)))
            }),
            Effect::LookAfter(runs) => {
                let (client, out) = (self.client.borrow().clone(), self.out.clone());
                let Some(client) = client else { return };
                tokio::spawn(async move {
                    for run in runs {
                        if let Some(came) = ask::look_after(&client, run).await {
                            let _ = out.send(Message::Came(Box::new(came)));
                        }
                    }
                });
            }
            Effect::Start(start) => {
                let placed = start.path.clone();
                self.ask(Effect::Start(start), move || match placed {
                    Some(path) => files::place_example(&home, &path),
                    None => Ok(()),
                });
            }
            effect => self.ask(effect, || Ok(())),
        }
    }

    /// Asks the daemon, after something that may fail.
    fn ask(&self, effect: Effect, before: impl FnOnce() -> Result<(), String> + Send + 'static) {
        let (client, out) = (self.client.clone(), self.out.clone());
        tokio::spawn(async move {
            let came = match tokio::task::spawn_blocking(before).await {
                Ok(Err(error)) => Some(Came::Failed { what: "start".to_owned(), error }),
                _ => ask::ask(client, effect).await,
            };
            if let Some(came) = came {
                let _ = out.send(Message::Came(Box::new(came)));
            }
        });
    }

    fn thread(&self, what: &'static str, work: impl FnOnce() -> Result<Came, String> + Send + 'static) {
        let out = self.out.clone();
        tokio::task::spawn_blocking(move || {
            let came = work().unwrap_or_else(|error| Came::Failed { what: what.to_owned(), error });
            let _ = out.send(Message::Came(Box::new(came)));
        });
    }
}
