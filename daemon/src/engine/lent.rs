//! Attempts of agents that wait for a run which their tool has started: they have no place in pools meanwhile, because nodes of
//! that run may wait for the same pools. Locks and parts of the machine stay theirs.

use tokio::sync::oneshot;

use super::active::{ActiveInstance, Lent};
use super::core::Core;
use super::key::Key;
use super::message::Caller;
use super::pools::{self, Entry, Needs, Resource};

impl Core {
    /// Returns the instance of an attempt that still runs.
    fn caller(&self, caller: &Caller) -> Option<Key> {
        let run = self.active.get(&caller.run)?;
        let key = run.key(*run.plan.index.get(&caller.node)?, caller.item);
        let runs = |it: &&ActiveInstance| it.live.is_some() && it.attempts == caller.number;
        run.instance(key.node, key.item).filter(runs).map(|_| key)
    }

    fn lent(&mut self, key: Key) -> Option<&mut Lent> {
        let instance = self.active.get_mut(&key.run)?.instance_mut(key.node, key.item)?;
        Some(&mut instance.live.as_mut()?.lent)
    }

    /// Returns what an instance lends.
    fn pools_of(&self, key: Key) -> Needs {
        let needs = self.active.get(&key.run).map(|run| run.resources(key.node, key.item));
        let all = needs.iter().flat_map(|needs| needs.iter()).cloned();
        pools::needs(all.filter(|it| matches!(it, Resource::Pool(_))))
    }

    /// Releases the places of an attempt.
    pub(super) fn lend(&mut self, caller: &Caller) {
        let Some(key) = self.caller(caller) else { return };
        let needs = self.pools_of(key);
        let Some(lent @ Lent::No) = self.lent(key) else { return };
        *lent = Lent::Out;
        self.context.pools.leave(&needs, key);
        self.start_waiting();
    }

    /// Tells an attempt when it has its places again.
    pub(super) fn regain(&mut self, caller: &Caller, tell: oneshot::Sender<()>) {
        let Some(key) = self.caller(caller) else { return };
        let needs = self.pools_of(key);
        if !matches!(self.lent(key), Some(Lent::Out)) {
            return;
        }
        let next = match self.context.pools.enter(&needs, key) {
            Entry::Waits(ticket) => Lent::Waits(ticket, tell),
            Entry::Starts(_) => {
                let _ = tell.send(());
                Lent::No
            }
        };
        if let Some(lent) = self.lent(key) {
            *lent = next;
        }
    }

    /// Tells an attempt that has waited for its places; returns whether there is one.
    pub(super) fn has_regained(&mut self, key: Key) -> bool {
        let Some(lent @ Lent::Waits(..)) = self.lent(key) else { return false };
        if let Lent::Waits(_, tell) = std::mem::take(lent) {
            let _ = tell.send(());
        }
        true
    }

    /// Takes back the places of an attempt that has ended, so that they can be released with all others.
    pub(super) fn end_lending(&mut self, key: Key) {
        let ticket = match self.lent(key).map(std::mem::take) {
            None | Some(Lent::No) => return,
            Some(Lent::Waits(ticket, _)) => Some(ticket),
            Some(Lent::Out) => None,
        };
        if let Some(ticket) = ticket {
            self.context.pools.withdraw(ticket);
        }
        let needs = self.pools_of(key);
        self.context.pools.occupy(&needs, &[], key);
    }
}
