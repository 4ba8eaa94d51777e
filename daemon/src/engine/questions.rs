//! Questions of nodes to people, their answers, and deadlines that pass without an answer.

use std::time::Duration;

use fanlight_shared::event::NodeUpdate;
use fanlight_shared::id::BlobHash;
use fanlight_shared::item::ItemPath;
use fanlight_shared::preview;
use fanlight_shared::problem::no_node;
use fanlight_shared::question::{Answer, Question};
use fanlight_shared::rpc::{ErrorCode, RpcError, runs};
use fanlight_shared::run::{Asks, NodeStatus, Run, RunStatus};
use fanlight_shared::run_state::{Attempt, RunState};
use fanlight_shared::sanitise;
use fanlight_shared::time::Time;
use fanlight_shared::value::cut;

use super::active::{ActiveRun, enter};
use super::context::{After, Context};
use super::core::Core;
use super::key::Key;
use super::message::{Message, Reply};
use super::{errors, submit};
use crate::store::Store;

/// The most characters of a question in the registry.
const MAX_SHOWN: usize = 120;
/// How often deadlines are checked. They are by the wall clock, which may be set and which continues while the machine
/// sleeps.
const DEADLINE_INTERVAL: Duration = Duration::from_secs(60);

/// Estimates the memory that a question takes.
pub(super) fn memory_of(question: &Question) -> usize {
    preview::json_bytes(question)
}

impl ActiveRun {
    /// Makes an instance wait for an answer, after an attempt that ended with a question.
    pub(super) fn wait_for_answer(&mut self, context: &mut Context, key: Key, update: NodeUpdate) {
        let Some(instance) = self.instance_mut(key.node, key.item) else { return };
        enter(&mut instance.status, NodeStatus::Waiting);
        instance.answer = None;
        instance.question.clone_from(&update.question);
        let attempt = instance.attempts;
        let deadline = update.question.as_ref().and_then(|question| question.deadline);
        self.asking += 1;
        self.due += usize::from(deadline.is_some());
        self.listing_changed = true;
        self.record_node(context, update);
        if let Some(deadline) = deadline {
            context.look_at(key, attempt, deadline);
        }
    }

    /// Restores the questions that an earlier daemon stored, and waits for their deadlines.
    pub(super) fn restore_questions(&mut self, context: &mut Context) {
        let mut open = Vec::new();
        for (at, node) in self.nodes.iter().enumerate() {
            let items = node.items.iter().flat_map(|items| (0..).map(ItemPath::item).zip(&items.runs));
            for (item, instance) in items.chain([(ItemPath::WHOLE, &node.whole)]) {
                if let Some(question) = &instance.question {
                    open.push((at, item, instance.attempts, question.deadline, memory_of(question)));
                }
            }
        }
        self.asking = open.len();
        for (node, item, attempt, deadline, memory) in open {
            self.memory = self.memory.saturating_add(memory);
            if let Some(deadline) = deadline {
                self.due += 1;
                context.look_at(self.key(node, item), attempt, deadline);
            }
        }
    }

    /// Returns its questions as the registry shows them.
    pub(super) fn asks(&self) -> Option<Asks> {
        if self.asking == 0 || self.cancelling {
            return None;
        }
        let open = self.plan.nodes.iter().zip(&self.nodes).find_map(|(plan, node)| {
            let items = node.items.iter().flat_map(|items| (0..).map(ItemPath::item).zip(&items.runs));
            let mut all = items.chain([(ItemPath::WHOLE, &node.whole)]);
            all.find_map(|(item, instance)| Some((&plan.name, item, instance.question.as_ref()?)))
        });
        let (node, item, question) = open?;
        Some(Asks {
            count: u32::try_from(self.asking).unwrap_or(u32::MAX),
            node: node.clone(),
            item,
            text: cut(&sanitise::line(&question.text), MAX_SHOWN),
        })
    }

    /// Accepts a person's answer.
    fn take_answer(
        &mut self,
        context: &mut Context,
        key: Key,
        request: &runs::Answer,
    ) -> Result<(), RpcError> {
        let digest = submit::digest(request);
        let name = format!("`{}{}` of {}", request.node, request.item, self.run.name());
        let Some(instance) = self.instance(key.node, key.item) else {
            return Err(RpcError::not_found(format!("there is no {name}")));
        };
        let is_repeated = |answer: &Answer| answer.request == Some(digest);
        let state = context.hub.run_state(self.run.id);
        let seen = state.as_ref().and_then(|state| state.instance(&request.node, request.item));
        let attempts = seen.map(|seen| seen.attempts.as_slice()).unwrap_or_default();
        if instance.answer.as_ref().is_some_and(is_repeated) || was_answered_by(attempts, digest) {
            return Ok(());
        }
        if self.cancelling {
            return Err(RpcError::refused(format!("{} is being cancelled", self.run.name())));
        }
        let Some(question) = &instance.question else {
            return Err(match instance.answer.is_some() || attempts.iter().any(|it| it.answer.is_some()) {
                true => answered_already(&name),
                false => RpcError::refused(format!("{name} asks nothing")),
            });
        };
        if request.attempt.is_some_and(|attempt| attempt != instance.attempts) {
            return Err(RpcError::refused(format!("{name} now asks a different question")));
        }
        let value = question
            .check(request.value.clone())
            .map_err(|why| RpcError::new(ErrorCode::BadParams, format!("{name}: {why}")))?;
        self.record_answer(context, key, Answer { value: Some(value), request: Some(digest) });
        Ok(())
    }

    /// Stores an answer; the next attempt of the instance gets it.
    fn record_answer(&mut self, context: &mut Context, key: Key, answer: Answer) {
        let node = self.plan.nodes[key.node].name.clone();
        let Some(instance) = self.instance_mut(key.node, key.item) else { return };
        let Some(question) = instance.question.take() else { return };
        instance.answer = Some(answer.clone());
        instance.answered = true;
        self.asking -= 1;
        self.due -= usize::from(question.deadline.is_some());
        self.memory = self.memory.saturating_sub(memory_of(&question));
        self.listing_changed = true;
        let mut update = NodeUpdate::new(&node, key.item, NodeStatus::Waiting, Time::now());
        update.answer = Some(Box::new(answer));
        self.record_node(context, update);
        if self.run.state == RunStatus::Running {
            self.start_answered(context);
        }
    }

    /// Checks whether a deadline has passed; the question is then answered with its default, or without a value.
    fn pass_deadline(&mut self, context: &mut Context, key: Key, attempt: u32) {
        if self.cancelling {
            return;
        }
        let Some(instance) = self.instance(key.node, key.item) else { return };
        let Some(question) = instance.question.as_ref().filter(|_| instance.attempts == attempt) else {
            return;
        };
        let Some(deadline) = question.deadline else { return };
        if deadline > Time::now() {
            return context.look_at(key, attempt, deadline);
        }
        let value = question.default.clone();
        self.record_answer(context, key, Answer { value, request: None });
    }
}

impl Core {
    /// Handles an answer to a question of a node.
    pub(super) fn answer(&mut self, request: runs::Answer, reply: Reply<()>) {
        let id = request.run_id;
        let Some(run) = self.active.get(&id) else { return self.answer_inactive(request, reply) };
        let names = || run.plan.index.keys().map(String::as_str);
        let key = match run.plan.index.get(&request.node) {
            Some(node) => Ok(run.key(*node, request.item)),
            None => Err(unknown_node(&run.run, &request.node, names())),
        };
        let mut result = key.as_ref().map(|_| ()).map_err(Clone::clone);
        if let Ok(key) = key {
            self.with(id, |run, context| result = run.take_answer(context, key, &request));
            self.requeue(id);
        }
        self.context.after(After::Do(Box::new(move || {
            let _ = reply.send(result);
        })));
    }

    /// Handles an answer to a run that is queued or has ended, which asks nothing: the store knows whether this answer
    /// was already given.
    fn answer_inactive(&self, request: runs::Answer, reply: Reply<()>) {
        let store = self.context.store.clone();
        self.context.runtime.spawn_blocking(move || {
            let _ = reply.send(inactive(&store, &request));
        });
    }

    /// Handles a deadline that may have passed.
    pub(super) fn deadline(&mut self, key: Key, attempt: u32) {
        self.with(key.run, |run, context| run.pass_deadline(context, key, attempt));
        self.requeue(key.run);
    }
}

impl Context {
    /// Schedules the check of a deadline, once the question is committed.
    fn look_at(&mut self, key: Key, attempt: u32, deadline: Time) {
        let (messages, runtime) = (self.messages.clone(), self.runtime.clone());
        self.after(After::Do(Box::new(move || {
            runtime.spawn(async move {
                loop {
                    let left = deadline.since(Time::now());
                    if left.is_zero() {
                        break;
                    }
                    tokio::time::sleep(left.min(DEADLINE_INTERVAL)).await;
                    if messages.is_closed() {
                        return;
                    }
                }
                let _ = messages.send(Message::Deadline { key, attempt });
            });
        })));
    }
}

/// Returns the response to an answer for a run that is not active. Blocks.
fn inactive(store: &Store, request: &runs::Answer) -> Result<(), RpcError> {
    let refused = |error| errors::refused(&error);
    let run = store.listed(request.run_id).map_err(refused)?;
    let state: RunState = store.run_state(request.run_id).map_err(refused)?;
    let Some(node) = state.nodes.get(&request.node) else {
        return Err(unknown_node(&run, &request.node, state.nodes.keys().map(String::as_str)));
    };
    let instance = match request.item.0 {
        None => Some(&node.whole),
        Some(index) => node.items.get(&index),
    };
    let attempts = instance.map(|instance| instance.attempts.as_slice()).unwrap_or_default();
    if was_answered_by(attempts, submit::digest(request)) {
        return Ok(());
    }
    let name = format!("`{}{}` of {}", request.node, request.item, run.name());
    Err(match attempts.iter().any(|attempt| attempt.answer.is_some()) {
        true => answered_already(&name),
        false => RpcError::refused(format!("{name} asks nothing: the run is {}", run.state.word())),
    })
}

fn was_answered_by(attempts: &[Attempt], request: BlobHash) -> bool {
    let answers = attempts.iter().filter_map(|attempt| attempt.answer.as_ref());
    answers.into_iter().any(|answer| answer.request == Some(request))
}

fn answered_already(name: &str) -> RpcError {
    RpcError::refused(format!("{name} has already been answered"))
}

fn unknown_node<'a>(run: &Run, node: &str, known: impl Iterator<Item = &'a str>) -> RpcError {
    let (message, hint) = no_node(&run.name(), node, known);
    RpcError::not_found(format!("{message}{}", hint.map(|hint| format!("; {hint}")).unwrap_or_default()))
}
