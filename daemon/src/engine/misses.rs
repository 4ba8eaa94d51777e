//! Says which nodes of a run reused results, and why the others were computed.

use fanlight_shared::item::ItemPath;
use fanlight_shared::origin::Fresh;
use fanlight_shared::rpc::Page;
use fanlight_shared::rpc::cache::{DIFFERENCES_LIMIT, Explain, Explained, Miss, MissKind};
use fanlight_shared::run::NodeStatus;
use fanlight_shared::run_state::{InstanceState, NodeState};

use super::plan::{Kind, PlanNode};
use super::{recover, resume};
use crate::node_type::NodeTypeSet;
use crate::store::{Nearest, OpenRun, Store, StoreError, page};

const LIST: page::List = page::List("cache.explain");

/// Returns a page of the nodes of a run. Blocks.
///
/// # Errors
/// There is no such run, the cursor is invalid, or this daemon can't read the file of the run any more.
pub(crate) fn explain(
    store: &Store,
    types: &NodeTypeSet,
    request: &Explain,
) -> Result<Page<Explained>, StoreError> {
    let first = LIST.parse(request.cursor.as_deref(), |last| last.parse::<usize>().ok()?.checked_add(1))?;
    let open = store.run(request.run_id)?;
    let plan = resume::read(&open.document, open.environment.engine(), types).map_err(|error| {
        let name = open.run.name();
        StoreError::Unreadable(format!("the workflow of {name} can't be read any more: {}", error.message))
    })?;
    let state = recover::fold(&plan, &open);
    let mut page = LIST.page(page::limit(request.limit));
    for (at, node) in plan.nodes.iter().enumerate().skip(first.unwrap_or(0)) {
        let Some(seen) = state.nodes.get(&node.name) else { continue };
        let explained = Node { store, open: &open, plan: node, seen }.explained()?;
        if !page.add(at, explained) {
            break;
        }
    }
    Ok(page.finish(usize::to_string))
}

/// A node of a run.
struct Node<'a> {
    store: &'a Store,
    open: &'a OpenRun,
    plan: &'a PlanNode,
    seen: &'a NodeState,
}

impl Node<'_> {
    fn explained(&self) -> Result<Explained, StoreError> {
        let Self { plan, seen, .. } = self;
        let items = seen.items.iter().map(|(index, item)| (ItemPath::item(*index), item));
        let whole = seen.item_count.is_none().then_some((ItemPath::WHOLE, &seen.whole));
        let instances: Vec<_> = items.chain(whole).collect();
        let is_cached = |(_, it): &&(ItemPath, &InstanceState)| it.status == NodeStatus::Cached;
        let is_computed = |(_, it): &&(ItemPath, &InstanceState)| {
            it.status != NodeStatus::Cached && !it.attempts.is_empty() && it.status.is_ended()
        };
        let count = |count: usize| seen.item_count.map(|_| u32::try_from(count).unwrap_or(u32::MAX));
        let miss = match instances.iter().find(is_computed) {
            Some((item, instance)) => Some(self.miss(*item, instance)?),
            None => None,
        };
        let origin = instances.iter().filter(is_cached).find_map(|(_, it)| it.origin.as_deref().cloned());
        Ok(Explained {
            node: plan.name.clone(),
            state: seen.whole.status,
            origin,
            items_cached: count(instances.iter().filter(is_cached).count()),
            items_computed: count(instances.iter().filter(is_computed).count()),
            miss,
        })
    }

    /// Returns why an instance was computed.
    fn miss(&self, item: ItemPath, instance: &InstanceState) -> Result<Miss, StoreError> {
        if let Some(text) = never(self.plan) {
            return Ok(miss(MissKind::Never, text));
        }
        if self.open.fresh.has(&self.plan.name) {
            let text = match &*self.open.fresh {
                Fresh::All(_) => "was computed because the run is fresh",
                Fresh::Nodes(_) => "was computed because it is fresh in this run",
            };
            return Ok(miss(MissKind::Fresh, text));
        }
        if instance.status != NodeStatus::Completed {
            return Ok(miss(
                MissKind::Failed,
                format!("ended in the state {}; only completed results are reused", instance.status.word()),
            ));
        }
        let started = instance.started_at().or(instance.ended_at).unwrap_or_default();
        Ok(match self.store.nearest_result(self.open.run.id, &self.plan.name, item, started)? {
            Nearest::NotStored => miss(
                MissKind::NotStored,
                "has no stored result: it was removed since, or could not be kept; `fanlight docs cache` says what is kept",
            ),
            Nearest::Damaged(earlier) => Miss {
                nearest: Some(earlier),
                ..miss(MissKind::Damaged, "found an earlier result with the same key gone or damaged")
            },
            Nearest::First => miss(MissKind::First, "found no earlier result of this node"),
            Nearest::Differs(origin, parts) => {
                let mut differs: Vec<String> = parts.iter().map(|part| words(part)).collect();
                let differs_left = differs.len().saturating_sub(DIFFERENCES_LIMIT);
                differs.truncate(DIFFERENCES_LIMIT);
                let text = match parts.len() {
                    // It was computed by a fresh run at the same time.
                    0 => "found no usable result, although an earlier one has the same key".to_owned(),
                    _ => "found no result with the same key".to_owned(),
                };
                let differs_left = u32::try_from(differs_left).unwrap_or(u32::MAX);
                Miss { nearest: Some(origin), differs, differs_left, ..miss(MissKind::Differs, text) }
            }
        })
    }
}

fn miss(kind: MissKind, text: impl Into<String>) -> Miss {
    Miss { kind, text: text.into(), nearest: None, differs: Vec::new(), differs_left: 0 }
}

/// Returns why no result of a node is reused, if its file says so.
fn never(plan: &PlanNode) -> Option<String> {
    let own = match &plan.kind {
        Kind::Native(native) if !native.spec.remember => {
            Some(format!("is of the type `{}`, whose results are not reused", native.spec.name))
        }
        Kind::Native(native) => match native.forgotten_input(&plan.node.with) {
            Some(input) => Some(format!("has an input `{input}` with which results are not reused")),
            None if plan.is_inline() => {
                Some("is computed at once, which takes no longer than to find a result".to_owned())
            }
            None => None,
        },
        Kind::Command if plan.node.remember.is_none() => Some("is a command without `remember`".to_owned()),
        Kind::Command if plan.node.with.contains_key("PATH") => {
            Some("has an input `PATH`, which changes where its programs are found".to_owned())
        }
        Kind::Command => None,
    };
    own.or_else(|| plan.has_secrets.then(|| "has inputs that are built from secrets".to_owned()))
}

/// Returns a part of a key in words.
fn words(part: &str) -> String {
    let (kind, name) = part.split_once(' ').unwrap_or((part, ""));
    match (kind, name) {
        ("type", _) => "the type".to_owned(),
        ("version", _) => "the version of the type".to_owned(),
        ("program", _) => "the version of Fanlight".to_owned(),
        ("limit", _) => "whether it is an item".to_owned(),
        ("script" | "shell", _) => format!("the {kind}"),
        ("argument", at) => format!("argument {at} of `cmd`"),
        ("dir", _) => "`dir`".to_owned(),
        ("output", name) => format!("the declared output `{name}`"),
        ("seen", "program") => "the program".to_owned(),
        ("seen", "name") => "the name of a file".to_owned(),
        ("seen", seen) => match seen.split_once(' ') {
            Some(("file", path)) => format!("the file `{path}`"),
            Some(("copied", "")) => "the copied folder".to_owned(),
            Some(("copied", path)) => format!("the copied file `{path}`"),
            Some(("tool", tool)) => format!("the program `{tool}`"),
            Some(("env", name)) => format!("env `{name}`"),
            Some((_, rest)) => format!("the daemon's env `{}`", rest.strip_prefix("env ").unwrap_or(rest)),
            None => seen.to_owned(),
        },
        ("others", _) => "a further part".to_owned(),
        (kind, name) => format!("{kind} `{name}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_keys_have_words() {
        for (part, expected) in [
            ("input image", "input `image`"),
            ("env LANG", "env `LANG`"),
            ("version", "the version of the type"),
            ("seen file notes/a b.txt", "the file `notes/a b.txt`"),
            ("seen copied src/a.c", "the copied file `src/a.c`"),
            ("seen copied ", "the copied folder"),
            ("seen tool ffmpeg", "the program `ffmpeg`"),
            ("seen env TOKEN", "env `TOKEN`"),
            ("seen daemon's env LANG", "the daemon's env `LANG`"),
            ("seen program", "the program"),
            ("argument 2", "argument 2 of `cmd`"),
        ] {
            assert_eq!(words(part), expected);
        }
    }
}
