//! Errands: what a step asks of the world and what takes time, carried out beside the loop. Each ends in a message.

mod ask;
mod file;

use std::future::Future;
use std::sync::Arc;

use fanlight_shared::client::ClientError;
use fanlight_shared::home::Home;
use fanlight_shared::id::RunId;
use fanlight_shared::node_type::Catalogue;
use fanlight_shared::rpc::Request;
use tokio::sync::mpsc;

use super::effect::Effect;
use super::graph;
use super::link::Daemon;
use super::message::{Came, Message};

/// Carries out errands: cheap to clone.
#[derive(Clone)]
pub(super) struct Errands {
    daemon: Daemon,
    home: Home,
    catalogue: Arc<Catalogue>,
    messages: mpsc::UnboundedSender<Message>,
}

impl Errands {
    pub(super) fn new(
        daemon: Daemon,
        home: Home,
        catalogue: Arc<Catalogue>,
        messages: mpsc::UnboundedSender<Message>,
    ) -> Self {
        Self { daemon, home, catalogue, messages }
    }

    /// Carries out an effect that is none of the loop's own.
    pub(super) fn run(&self, effect: Effect) {
        match effect {
            Effect::Watch(watch) => self.daemon.watch(watch),
            Effect::Layout(topology) => {
                self.aside(move || Ok(vec![Came::Graph(topology.0.version.clone(), Arc::new(graph::layout(&topology.0)))]));
            }
            effect => {
                if let Some(effect) = self.file(effect) {
                    self.request(effect);
                }
            }
        }
    }

    /// Does something that blocks, on a thread of its own.
    fn aside(&self, work: impl FnOnce() -> Result<Vec<Came>, (String, String)> + Send + 'static) {
        let this = self.clone();
        tokio::spawn(async move {
            let done = tokio::task::spawn_blocking(work).await;
            match done {
                Ok(Ok(came)) => came.into_iter().for_each(|came| this.tell(came)),
                Ok(Err((what, error))) => this.tell(Came::Failed { what, error }),
                Err(error) => this.tell(Came::Failed { what: "internal".into(), error: error.to_string() }),
            }
        });
    }

    /// Asks the daemon; `what` is being done, for the message when it fails.
    fn ask<R: Request + Send + Sync + 'static>(
        &self,
        what: impl Into<String>,
        request: R,
        then: impl FnOnce(R::Answer) -> Option<Came> + Send + 'static,
    ) where
        R::Answer: Send,
    {
        let (this, what) = (self.clone(), what.into());
        tokio::spawn(async move {
            match this.call(request).await {
                Ok(answer) => {
                    if let Some(came) = then(answer) {
                        this.tell(came);
                    }
                }
                Err(error) => this.tell(Came::Failed { what, error }),
            }
        });
    }

    async fn call<R: Request>(&self, request: R) -> Result<R::Answer, String> {
        let client = self.daemon.client().await?;
        client.call(request).await.map_err(|error| sentence(&error))
    }

    /// Does something with the daemon that is more than one request.
    fn go<F>(&self, what: impl Into<String>, work: F)
    where
        F: Future<Output = Result<Vec<Came>, String>> + Send + 'static,
    {
        let (this, what) = (self.clone(), what.into());
        tokio::spawn(async move {
            match work.await {
                Ok(came) => came.into_iter().for_each(|came| this.tell(came)),
                Err(error) => this.tell(Came::Failed { what, error }),
            }
        });
    }

    fn tell(&self, came: Came) {
        // Only fails when the UI ends.
        let _ = self.messages.send(Message::Came(Box::new(came)));
    }
}

fn sentence(error: &ClientError) -> String {
    match error {
        ClientError::Rpc(error) => error.message.clone(),
        other => other.to_string(),
    }
}

fn runs(count: usize, first: Option<&RunId>) -> String {
    match (count, first) {
        (1, Some(run)) => format!("run {}", &run.to_string()[..8]),
        (count, _) => format!("{count} runs"),
    }
}
