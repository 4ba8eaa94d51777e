//! Results that nodes reuse instead of computing them again: from the store, or from another node that computes the same at
//! this moment.

use std::sync::Arc;

use fanlight_shared::event::NodeError;
use fanlight_shared::id::AttemptId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::origin::Origin;
use fanlight_shared::run::{AttemptEnd, NodeStatus};
use fanlight_shared::time::Time;
use fanlight_shared::value::Value;

use super::active::{ActiveRun, Made, Needed};
use super::cache_key;
use super::cache_key::KeyParts;
use super::context::{After, Context};
use super::core::Core;
use super::in_flight::Turn;
use super::key::Key;
use super::message::Message;
use crate::attempt::Outcome;
use crate::content;
use crate::executor::Work;
use crate::store::{AttemptKey, CacheKey, Cached, NewEntry, Op, PartsDigest};

impl ActiveRun {
    /// Finds the result of an instance that is ready, or starts its attempt if nobody has computed it.
    pub(super) fn find_or_start(&mut self, context: &mut Context, node: usize, item: ItemPath) {
        let key = self.key(node, item);
        self.note_result(node, item);
        match self.remembered(node, item) {
            Some(command) => self.look_around(context, key, command),
            None => self.join_or_start(context, key),
        }
    }

    /// Finds the result that an instance needs, or starts its attempt.
    pub(super) fn join_or_start(&mut self, context: &mut Context, key: Key) {
        let is_fresh = self.is_fresh(key.node);
        let needed = self.instance_mut(key.node, key.item).and_then(|it| it.needed.as_deref_mut());
        match needed.filter(|_| !is_fresh) {
            Some(needed) => {
                needed.in_flight = true;
                context.in_flight.join(needed.key, key);
            }
            None => self.enter_pools(context, key),
        }
    }

    /// Returns whether a node reuses no results.
    pub(super) fn is_fresh(&self, node: usize) -> bool {
        self.fresh.has(&self.plan.nodes[node].name)
    }

    /// Records which result an instance computes, so that it is kept.
    fn note_result(&mut self, node: usize, item: ItemPath) {
        let parts = self.native_parts(node, item);
        if let Some(instance) = self.instance_mut(node, item) {
            instance.needed = parts.map(|parts| Box::new(Needed::of_native(&parts)));
        }
    }

    /// Stores which result an attempt computes, if the next daemon may adopt it. That one can't find it out: files may have
    /// changed since.
    pub(super) fn store_key(&mut self, context: &mut Context, key: Key, attempt: AttemptId) {
        let executor = context.executors.get(&self.plan.nodes[key.node].executor);
        if !executor.is_some_and(|it| it.capabilities().adopts) {
            return;
        }
        if let Some(needed) = self.instance_mut(key.node, key.item).and_then(|it| it.needed.as_deref_mut()) {
            needed.stored = true;
            let stored = AttemptKey { key: needed.key, parts: needed.parts.clone(), seen: needed.seen };
            context.op(Op::AttemptKey { attempt, key: Some(Box::new(stored)) });
        }
    }

    /// Forgets which result an attempt computes that has ended.
    pub(super) fn forget_key(&mut self, context: &mut Context, key: Key) {
        let Some(instance) = self.instance_mut(key.node, key.item) else { return };
        if let (Some(live), Some(needed)) =
            (&instance.live, instance.needed.as_deref_mut().filter(|it| it.stored))
        {
            needed.stored = false;
            context.op(Op::AttemptKey { attempt: live.id, key: None });
        }
    }

    /// Restores which result an adopted attempt computes, as it was stored when the attempt started. It leads again.
    pub(super) fn restore_key(&mut self, context: &mut Context, key: Key, attempt: AttemptId) {
        let Some(stored) = context.attempt_keys.remove(&attempt) else { return };
        let is_command = self.remembered(key.node, key.item).is_some();
        if is_command != stored.seen.is_some() {
            // Nobody would notice that its files have changed.
            return;
        }
        let leads = !self.cancelling && !self.is_fresh(key.node);
        let in_flight = leads && context.in_flight.lead(stored.key, key);
        if let Some(instance) = self.instance_mut(key.node, key.item) {
            instance.needed = Some(Box::new(Needed { in_flight, ..stored.into() }));
        }
        self.store_key(context, key, attempt);
    }

    /// Returns the parts of the key of the result of a native instance, if it may be reused.
    fn native_parts(&self, node: usize, item: ItemPath) -> Option<KeyParts> {
        let instance = self.instance(node, item)?;
        let prepared = instance.prepared.as_ref().filter(|it| it.sealed.is_none())?;
        match &*prepared.work {
            Work::Native(native, inputs) if native.is_remembered(inputs) && instance.answer.is_none() => {
                cache_key::of_native(native, inputs, content::limit(item))
            }
            _ => None,
        }
    }

    /// Takes the parts of the key of the result that an instance has: there may be 100,000 instances in memory.
    fn take_parts(&mut self, key: Key) -> PartsDigest {
        let needed = self.instance_mut(key.node, key.item).and_then(|it| it.needed.as_deref_mut());
        needed.map(|needed| std::mem::take(&mut needed.parts)).unwrap_or_default()
    }

    /// Applies the decision for an instance that needs a result. `reason`: what it waits for, if it follows another one.
    pub(super) fn take_turn(
        &mut self,
        context: &mut Context,
        key: Key,
        cache_key: CacheKey,
        turn: Turn<Key>,
        reason: Option<String>,
    ) {
        if !self.needs(key, cache_key) {
            return context.in_flight.leave(cache_key, key);
        }
        match turn {
            Turn::Follow(_) => self.wait_in_flight(context, key, reason),
            Turn::Lead => {
                self.end_wait_in_flight(context, key);
                self.enter_pools(context, key);
            }
            Turn::Take(cached) => self.reuse(context, key, &cached),
        }
    }

    /// Returns whether an instance still needs a result that is in flight.
    fn needs(&self, key: Key, cache_key: CacheKey) -> bool {
        let in_flight = |needed: &Needed| needed.in_flight && needed.key == cache_key;
        let instance = self.instance(key.node, key.item).filter(|it| it.status == NodeStatus::Ready);
        !self.cancelling && instance.and_then(|it| it.needed.as_deref()).is_some_and(in_flight)
    }

    /// Looks again for a result that was there earlier.
    pub(super) fn join_again(&mut self, context: &mut Context, key: Key, cache_key: CacheKey) {
        if self.needs(key, cache_key) {
            self.end_wait_in_flight(context, key);
            context.in_flight.join(cache_key, key);
        }
    }

    fn wait_in_flight(&mut self, context: &mut Context, key: Key, reason: Option<String>) {
        let needed = self.instance_mut(key.node, key.item).and_then(|it| it.needed.as_deref_mut());
        if let Some(needed) = needed.filter(|needed| !needed.waits) {
            needed.waits = true;
            self.nodes[key.node].in_line += 1;
        }
        self.tell_wait(context, key.node, reason);
    }

    fn end_wait_in_flight(&mut self, context: &mut Context, key: Key) {
        let needed = self.instance_mut(key.node, key.item).and_then(|it| it.needed.as_deref_mut());
        if let Some(needed) = needed.filter(|needed| needed.waits) {
            needed.waits = false;
            self.end_wait(context, key.node);
        }
    }

    /// Ends an instance with the result that another one computed.
    fn reuse(&mut self, context: &mut Context, key: Key, cached: &Cached) {
        self.leave_flight(context, key);
        self.take_parts(key);
        let outcome = Outcome {
            bodies: cached.bodies.clone(),
            ..Outcome::completed(cached.values.clone(), cached.blobs.clone())
        };
        let Outcome { end, error, values, blobs, bodies, .. } = self.within_memory(outcome);
        if end != AttemptEnd::Completed {
            return self.fail(context, key.node, key.item, error.unwrap_or_else(|| NodeError::new("failed")));
        }
        blobs.into_iter().for_each(|blob| context.op(Op::Blob(blob)));
        let cache_key = self.needed_key(key);
        let shown = self.publish(context, key, values, bodies, Made { cache_key, ..Made::default() });
        if let Some(key) = cache_key {
            context.op(Op::CacheUsed { key, at: Time::now() });
        }
        self.end_instance(context, key.node, key.item, NodeStatus::Cached, None, |update| {
            update.outputs = shown;
            update.origin = Some(Box::new(cached.origin.clone()));
        });
    }

    /// Returns the key of the result that an instance needs.
    pub(super) fn needed_key(&self, key: Key) -> Option<CacheKey> {
        Some(self.instance(key.node, key.item)?.needed.as_ref()?.key)
    }

    /// Keeps the result of an attempt that completed, whose values are stored in this batch, for later nodes and for those that
    /// wait for it. `cached`: from [`Self::to_be_cached`].
    pub(super) fn keep_result(&mut self, context: &mut Context, key: Key, cached: Option<Cached>) {
        let (Some(cached), Some(cache_key)) = (cached, self.needed_key(key)) else {
            return self.leave_flight(context, key);
        };
        let node_type = self.plan.nodes[key.node].node.action.word().to_owned();
        let values = cached.values.values().map(size).sum::<u64>();
        let long = cached.bodies.values().map(|body| body.bytes).sum::<u64>();
        context.op(Op::CacheEntry(Box::new(NewEntry {
            key: cache_key,
            node_type,
            origin: cached.origin.clone(),
            ports: cached.values.keys().cloned().collect(),
            parts: self.take_parts(key),
            damaged: context.in_flight.damaged(cache_key, key),
            bytes: values.saturating_add(long),
            limit: context.config.cache_bytes,
        })));
        if context.in_flight.made(cache_key, key, &Arc::new(cached)) {
            let messages = context.messages.clone();
            context.after(After::Do(Box::new(move || {
                let _ = messages.send(Message::ResultStored(cache_key));
            })));
        }
        self.leave_flight(context, key);
    }

    /// Returns what an attempt made, if later nodes may reuse it: files of the user may change.
    pub(super) fn to_be_cached(&self, key: Key, outcome: &Outcome) -> Option<Cached> {
        self.needed_key(key)?;
        let lasts = !outcome.values.values().any(Value::has_source) && outcome.unchanged.is_empty();
        lasts.then(|| Cached {
            values: outcome.values.clone(),
            blobs: outcome.blobs.clone(),
            bodies: outcome.bodies.clone(),
            origin: Origin {
                run_id: self.run.id,
                run: self.run.name(),
                node: self.plan.nodes[key.node].name.clone(),
                item: key.item,
            },
        })
    }

    /// Lets others compute the result that an instance leads or waits for; it takes no part in that any more.
    pub(super) fn leave_flight(&mut self, context: &mut Context, key: Key) {
        self.end_wait_in_flight(context, key);
        let needed = self.instance_mut(key.node, key.item).and_then(|it| it.needed.as_deref_mut());
        if let Some(needed) = needed.filter(|needed| needed.in_flight) {
            needed.in_flight = false;
            context.in_flight.leave(needed.key, key);
        }
    }

    /// Does the same for all instances, because the run is cancelled.
    pub(super) fn leave_all_flights(&mut self, context: &mut Context) {
        let mut keys = Vec::new();
        for (at, node) in self.nodes.iter().enumerate() {
            let items = node.items.iter().flat_map(|items| (0..).zip(&items.runs));
            let items = items.map(|(index, instance)| (ItemPath::item(index), instance));
            let instances = items.chain([(ItemPath::WHOLE, &node.whole)]);
            let needy = instances.filter(|(_, instance)| instance.needed.is_some());
            keys.extend(needy.map(|(item, instance)| (instance.live.is_some(), self.key(at, item))));
        }
        // Followers first, so that none of them leads only to leave.
        keys.sort_by_key(|(leads, _)| *leads);
        keys.into_iter().for_each(|(_, key)| self.leave_flight(context, key));
    }
}

impl Core {
    /// Lets those proceed whose result was found or computed, or who are to compute it.
    pub(super) fn share_results(&mut self) {
        while self.room > 0
            && let Some((cache_key, key, turn)) = self.context.in_flight.next()
        {
            self.room -= 1;
            if !self.active.contains_key(&key.run) {
                self.context.in_flight.leave(cache_key, key);
                continue;
            }
            if !self.may_take(cache_key, key, &turn) {
                continue;
            }
            let reason = match &turn {
                Turn::Follow(leader) => self.leader(key, *leader),
                Turn::Lead | Turn::Take(_) => None,
            };
            self.with(key.run, |run, context| run.take_turn(context, key, cache_key, turn, reason));
            self.drain();
        }
    }

    /// Names the instance that another one waits for.
    fn leader(&self, follower: Key, leader: Key) -> Option<String> {
        let (run, own) = (self.active.get(&leader.run)?, self.active.get(&follower.run)?);
        let node = format!("{}{}", run.plan.nodes[leader.node].name, leader.item);
        Some(if leader.run == follower.run {
            format!("waits for {node}")
        } else if run.run.workflow_id == own.run.workflow_id {
            format!("waits for #{} · {node}", run.run.number)
        } else {
            format!("waits for {} · {node}", run.run.name())
        })
    }
}

impl Context {
    /// Looks for results in the store, outside the engine's loop.
    pub(super) fn look_for_results(&mut self) {
        for key in self.in_flight.look() {
            let (store, messages, runtime) =
                (self.store.clone(), self.messages.clone(), self.runtime.clone());
            self.runtime.spawn(async move {
                let look = runtime.spawn_blocking(move || {
                    let found = store.cached(key).inspect_err(|error| {
                        tracing::warn!("a stored result can't be read, it is computed again: {error}");
                    });
                    found.unwrap_or_default()
                });
                let found = look.await.unwrap_or_default();
                let _ = messages.send(Message::ResultFound { key, found });
            });
        }
    }
}

/// Returns the size of a value and of everything that it refers to, in bytes.
fn size(value: &Value) -> u64 {
    let media = value.media().iter().fold(0, |sum: u64, media| sum.saturating_add(media.bytes));
    value.content_bytes().saturating_add(media)
}
