//! Runs that the tools of agents start.

use std::sync::{Arc, Mutex, PoisonError};

use fanlight_shared::id::RunId;
use fanlight_shared::node_type::NodeTypeSpec;
use fanlight_shared::value::Values;
use fanlight_shared::workflow::Workflow;
use futures_util::future::BoxFuture;
use indexmap::IndexMap;
use tokio::sync::oneshot;

use super::execution::{ChildRun, Children, Parts};
use super::prepare::Source;
use crate::attempt::Attempt;
use crate::child::{self, Ended, StartRuns};
use crate::engine::message::{Caller, Message};
use crate::engine::submit;
use crate::executor;

impl StartRuns for Children {
    fn node_type(&self, name: &str) -> Option<NodeTypeSpec> {
        self.node_types.now().get(name).map(|it| it.spec.clone())
    }

    fn workflow(&self, run: RunId, file: &str) -> Result<Workflow, String> {
        let (_, document) = self.store.child_file(run, file).map_err(|error| error.to_string())?;
        submit::read(&document, &self.node_types.now()).map_err(|error| format!("{file}: {}", error.message))
    }

    fn run(&self, attempt: Attempt, source: child::Source, params: Values) -> BoxFuture<'static, Ended> {
        let of = self.clone();
        Box::pin(async move {
            let predictions = Arc::new(Mutex::new(Vec::new()));
            let taken = Arc::clone(&predictions);
            let report = move |one| taken.lock().unwrap_or_else(PoisonError::into_inner).push(one);
            let parts = Parts {
                source: match source {
                    child::Source::File(file) => Source::File(file),
                    child::Source::Document { text, tool } => Source::Document { text, tool },
                },
                params,
                is_tool: true,
                // It is a run of this call, and of no other one.
                request_key: format!("child.{}.{}", attempt.id, RunId::new()),
                declared: IndexMap::new(),
                report: Box::new(report),
            };
            let _ = of.messages.send(Message::Lend(Caller::of(&attempt)));
            let run = Box::new(ChildRun::new(attempt.clone(), parts, of.clone()));
            let outcome = executor::drive(run, &attempt).await;
            of.regain(&attempt).await;
            let predictions =
                std::mem::take(&mut *predictions.lock().unwrap_or_else(PoisonError::into_inner));
            Ended { outcome, predictions }
        })
    }
}

impl Children {
    /// Waits until an attempt has its places in pools again, unless it is stopped.
    async fn regain(&self, attempt: &Attempt) {
        let (tell, has) = oneshot::channel();
        if self.messages.send(Message::Regain { caller: Caller::of(attempt), tell }).is_err() {
            return;
        }
        tokio::select! {
            () = attempt.cancel.cancelled() => {}
            _ = has => {}
        }
    }
}
