//! What runs and nodes wait for at the moment. Every state in which something waits has a reason.

use std::collections::HashMap;

use fanlight_shared::id::{RunId, WorkflowId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::problem::near;
use fanlight_shared::rpc::RpcError;
use fanlight_shared::rpc::why::{Explanation, HOLDER_LIMIT, REASON_LIMIT, Reason, ReasonKind, Why};
use fanlight_shared::run::{NodeStatus, RunStatus};
use fanlight_shared::time::Time;
use indexmap::IndexMap;

use super::active::{ActiveInstance, ActiveRun};
use super::core::Core;
use super::key::Key;
use super::plan::Plan;
use super::pools::Resource;
use super::queue::Limit;

/// A reason, and the resource that is waited for.
type Waits = (Reason, Option<Resource>);

impl Core {
    /// Returns what a run waits for; `None` if it isn't open.
    pub(super) fn why(&self, request: &Why) -> Result<Option<Explanation>, RpcError> {
        if let Some(queued) = self.queued.get(&request.run) {
            let run = fanlight_shared::run::Run::clone(&queued.run);
            node_named(&queued.plan, &run.name(), request.node.as_deref())?;
            let reasons = vec![self.why_queued(run.id, queued.plan.limit(run.workflow_id))];
            let nodes_after = if request.node.is_some() { 0 } else { queued.plan.nodes.len() as u32 };
            return Ok(Some(Explanation { run, reasons, reasons_left: 0, nodes_after }));
        }
        let Some(run) = self.active.get(&request.run) else { return Ok(None) };
        let only = node_named(&run.plan, &run.run.name(), request.node.as_deref())?;
        let (mut waits, nodes_after) = self.why_active(run, only);
        let reasons_left = waits.len().saturating_sub(REASON_LIMIT) as u32;
        waits.truncate(REASON_LIMIT);
        let reasons = self.with_holders(waits);
        Ok(Some(Explanation { run: run.run.clone(), reasons, reasons_left, nodes_after }))
    }

    /// Returns what an active run or one of its nodes waits for, and how many nodes wait for these only.
    fn why_active(&self, run: &ActiveRun, only: Option<usize>) -> (Vec<Waits>, u32) {
        let mut reasons: Vec<Waits> = self.why_whole(run).map(|reason| (reason, None)).into_iter().collect();
        let mut nodes_after = 0;
        for node in 0..run.nodes.len() {
            if only.is_some_and(|only| only != node) {
                continue;
            }
            let of_node = self.why_node(run, node, only.is_some());
            nodes_after += u32::from(of_node.is_empty() && !run.nodes[node].whole.status.is_ended());
            reasons.extend(of_node);
        }
        (reasons, nodes_after)
    }

    /// Asserts that an active run never waits without a reason.
    #[cfg(test)]
    pub(super) fn assert_explained(&self, run: &ActiveRun) {
        assert_ne!(self.why_active(run, None).0, [], "{} waits for nothing", run.run.name());
    }

    /// Returns what a run in the queue waits for.
    fn why_queued(&self, id: RunId, limit: Option<Limit>) -> Reason {
        if let Some(why) = self.context.halted_by() {
            return Reason::new(ReasonKind::Storage, format!("waits until it can be stored: {why}"));
        }
        let mut reason = if self.queue.closed {
            Reason::new(ReasonKind::Paused, "waits because the daemon is about to end")
        } else if self.queue.paused {
            Reason::new(ReasonKind::Paused, "waits because the queue is paused")
        } else if let Some((sweep, pause)) = self.pause_of(id) {
            Reason::new(ReasonKind::Sweep, format!("waits because the sweep `{sweep}` is paused: {pause}"))
        } else {
            self.why_no_slot(limit)
        };
        match self.queue.position(id) {
            Some(2) => reason.text.push_str("; one run is before it"),
            Some(position) if position > 2 => {
                reason.text.push_str(&format!("; {} runs are before it", position - 1));
            }
            _ => {}
        }
        match self.queued.get(&id).map_or(0, |queued| queued.run.priority) {
            0 => {}
            priority => reason.text.push_str(&format!("; its priority is {priority}")),
        }
        reason
    }

    /// Returns why a run gets no slot that nobody holds back.
    fn why_no_slot(&self, limit: Option<Limit>) -> Reason {
        if let Some(limit) = limit.filter(|limit| self.queue.is_at(*limit)) {
            let text = format!("waits because `concurrency: {}` of its workflow is reached", limit.runs);
            Reason { holders: self.slots(Some(limit.workflow)), ..Reason::new(ReasonKind::Concurrency, text) }
        } else if self.running() >= self.queue.cap as usize {
            let text = format!("waits for a slot: {} at once", self.queue.cap);
            Reason { holders: self.slots(None), ..Reason::new(ReasonKind::Slots, text) }
        } else {
            Reason::new(ReasonKind::Starting, "starts in a moment")
        }
    }

    /// Returns what holds up an active run as a whole.
    fn why_whole(&self, run: &ActiveRun) -> Option<Reason> {
        if let Some(why) = self.context.halted_by() {
            return Some(Reason::new(ReasonKind::Storage, format!("waits until it can be stored: {why}")));
        }
        if run.storing_outputs {
            return Some(Reason::new(ReasonKind::Running, "stores its outputs"));
        }
        if run.cancelling {
            return Some(Reason::new(ReasonKind::Cancelling, "is being cancelled"));
        }
        if self.following.returns(run.run.id) {
            return Some(self.why_no_slot(run.plan.limit(run.run.workflow_id)));
        }
        let is_queued = run.run.state == RunStatus::Parked && self.queue.position(run.run.id).is_some();
        is_queued.then(|| self.why_queued(run.run.id, run.plan.limit(run.run.workflow_id)))
    }

    /// Returns what a node and its items wait for. A node that only waits for others is left out unless `all`.
    fn why_node(&self, run: &ActiveRun, node: usize, all: bool) -> Vec<Waits> {
        let state = &run.nodes[node];
        let name = &run.plan.nodes[node].name;
        let named = |(reason, resource): Waits| (Reason { node: Some(name.clone()), ..reason }, resource);
        if state.whole.status.is_ended() {
            let text = format!("has {}", state.whole.status.word());
            return if all { vec![named((Reason::new(ReasonKind::Ended, text), None))] } else { Vec::new() };
        }
        let wanted = |waits: &Waits| all || waits.0.kind != ReasonKind::Upstream;
        let Some(items) = &state.items else {
            let waits = self.why_instance(run, run.key(node, ItemPath::WHOLE), &state.whole);
            return waits.into_iter().filter(wanted).map(named).collect();
        };
        let mut groups: IndexMap<(ReasonKind, String), Waits> = IndexMap::new();
        for (index, item) in (0..).zip(&items.runs) {
            let Some(waits) = self.why_instance(run, run.key(node, ItemPath::item(index)), item) else {
                continue;
            };
            let group = groups.entry((waits.0.kind, waits.0.text.clone())).or_insert_with(|| waits.clone());
            group.0.items += 1;
            group.0.since = group.0.since.min(waits.0.since);
            group.0.until = group.0.until.min(waits.0.until);
        }
        groups.into_values().filter(wanted).map(named).collect()
    }

    /// Returns what an instance waits for; `None` if it has ended.
    fn why_instance(&self, run: &ActiveRun, key: Key, instance: &ActiveInstance) -> Option<Waits> {
        let plain = |kind, text: String| Some((Reason::new(kind, text), None));
        if instance.status.is_ended() {
            return None;
        }
        if let Some(live) = &instance.live {
            let text = match instance.attempts {
                1 => "runs".to_owned(),
                attempt => format!("runs, attempt {attempt}"),
            };
            let since = Some(live.started.at);
            if let Some(child) = self.child_of(run.run.id, &run.plan.nodes[key.node].name, key.item) {
                let name = child.run.name();
                let reason = match instance.child_is_parked {
                    true => {
                        Reason::new(ReasonKind::Person, format!("waits for {name}, which waits for a person"))
                    }
                    false => Reason::new(ReasonKind::Running, format!("waits for the end of {name}")),
                };
                return Some((Reason { since, ..reason }, None));
            }
            #[cfg(feature = "llm")]
            if let Some(wait) = live.lent.ticket().and_then(|ticket| self.context.pools.wait(ticket)) {
                return Some((Reason::new(wait.kind, wait.text), Some(wait.resource)));
            }
            let plan = &run.plan.nodes[key.node];
            let waits =
                (!plan.is_here()).then(|| self.context.hub.waits_for(run.run.id, &plan.name)).flatten();
            if let Some(waits) = waits {
                return Some((Reason { since, ..Reason::new(ReasonKind::Engine, waits) }, None));
            }
            return Some((Reason { since, ..Reason::new(ReasonKind::Running, text) }, None));
        }
        if let Some(question) = &instance.question {
            let until = question.deadline;
            let reason = Reason::new(ReasonKind::Person, "waits for the answer of a person");
            return Some((Reason { until, ..reason }, None));
        }
        if let Some(wait) = instance.ticket.and_then(|ticket| self.context.pools.wait(ticket)) {
            let kept_for = wait.kept_for.and_then(|who| self.instance_name(who));
            let kept_for = kept_for.map(|name| format!(", kept for {name}, which came earlier"));
            let text = wait.text + kept_for.as_deref().unwrap_or_default();
            return Some((Reason::new(wait.kind, text), Some(wait.resource)));
        }
        let needed = instance.needed.as_deref().filter(|needed| needed.is_in_flight());
        if let Some(leader) = needed
            .and_then(|needed| self.context.in_flight.leader(needed.key))
            .filter(|leader| *leader != key)
        {
            let name = self.instance_name(leader);
            let text = format!("waits for the same result of {}", name.clone().unwrap_or_default());
            let holders = name.into_iter().collect();
            return Some((Reason { holders, ..Reason::new(ReasonKind::Result, text) }, None));
        }
        let is_retried = instance.status == NodeStatus::Waiting && instance.attempts > 0;
        match instance.retry_at.filter(|at| is_retried && *at > Time::now()) {
            Some(at) => {
                let text = format!("has failed, and is tried again as attempt {}", instance.attempts + 1);
                let until = Some(at);
                Some((Reason { until, ..Reason::new(ReasonKind::Retry, text) }, None))
            }
            None if instance.answered => {
                plain(ReasonKind::Starting, "has its answer, and continues with its run".into())
            }
            None if is_retried || instance.status == NodeStatus::Ready => {
                plain(ReasonKind::Starting, "starts in a moment".into())
            }
            None => plain(ReasonKind::Upstream, upstream(run, key)),
        }
    }

    /// Adds who holds the resources; each is searched for once.
    fn with_holders(&self, waits: Vec<Waits>) -> Vec<Reason> {
        let mut known: HashMap<Resource, Vec<String>> = HashMap::new();
        let reasons = waits.into_iter().map(|(reason, resource)| {
            let Some(resource) = resource.filter(|_| reason.kind != ReasonKind::Rate) else { return reason };
            let holders = known.entry(resource).or_insert_with_key(|resource| self.holders(resource)).clone();
            Reason { holders, ..reason }
        });
        reasons.collect()
    }

    /// Returns some of the instances that hold a resource.
    fn holders(&self, resource: &Resource) -> Vec<String> {
        if let Some(holders) = self.context.pools.users(resource) {
            return holders
                .into_iter()
                .filter_map(|key| self.instance_name(key))
                .take(HOLDER_LIMIT)
                .collect();
        }
        let mut holders = Vec::new();
        for run in self.active.values().filter(|run| run.live > 0) {
            for (node, state) in run.nodes.iter().enumerate() {
                let items = state.items.iter().flat_map(|items| (0..).zip(&items.runs));
                let items = items.map(|(index, instance)| (ItemPath::item(index), instance));
                let instances = items.chain([(ItemPath::WHOLE, &state.whole)]);
                for (item, _) in instances.filter(|(_, instance)| instance.live.is_some()) {
                    if run.resources(node, item).contains(resource) {
                        holders.extend(self.instance_name(run.key(node, item)));
                    }
                    if holders.len() == HOLDER_LIMIT {
                        return holders;
                    }
                }
            }
        }
        holders
    }

    /// Returns the name of an instance with that of its run.
    fn instance_name(&self, key: Key) -> Option<String> {
        let run = self.active.get(&key.run)?;
        Some(format!("{} {}{}", run.run.name(), run.plan.nodes[key.node].name, key.item))
    }

    /// Returns some of the runs that have a slot.
    fn slots(&self, workflow: Option<WorkflowId>) -> Vec<String> {
        // A child has no slot of its own.
        let has_slot = |run: &&ActiveRun| {
            let id = run.run.id;
            run.run.parent.is_none() && !self.parked.contains(&id) && !self.following.contains(id)
        };
        let runs = self.active.values().filter(has_slot);
        let mut runs: Vec<_> =
            runs.filter(|run| workflow.is_none_or(|only| only == run.run.workflow_id)).collect();
        runs.sort_by_key(|run| run.run.start_order);
        runs.into_iter().take(HOLDER_LIMIT).map(|run| run.run.name()).collect()
    }
}

/// Returns the index of a node with this name.
fn node_named(plan: &Plan, run: &str, name: Option<&str>) -> Result<Option<usize>, RpcError> {
    let Some(name) = name else { return Ok(None) };
    if let Some(index) = plan.index.get(name) {
        return Ok(Some(*index));
    }
    let near = near(name, plan.nodes.iter().map(|node| node.name.as_str()));
    let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    Err(RpcError::not_found(format!("{run} has no node `{name}`{hint}")))
}

/// Returns which nodes an instance waits for.
fn upstream(run: &ActiveRun, key: Key) -> String {
    let plan = &run.plan.nodes[key.node];
    let open = |dep: &&usize| !run.nodes[**dep].whole.status.is_ended();
    let names: Vec<&str> =
        plan.deps.iter().filter(open).map(|dep| run.plan.nodes[*dep].name.as_str()).collect();
    match names.as_slice() {
        [] => "starts in a moment".to_owned(),
        [one] => format!("waits for `{one}`"),
        [first, second] => format!("waits for `{first}` and `{second}`"),
        [first, second, ..] => format!("waits for `{first}`, `{second}` and {} more", names.len() - 2),
    }
}
