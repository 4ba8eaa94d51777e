//! The files of the user that an ended run read: a resumed run takes over what was made of them only while they are the same.

use std::cell::RefCell;
use std::collections::BTreeMap;

use fanlight_shared::value::Value;

use crate::engine::plan::Plan;
use crate::store::blob::Blobs;

/// Looks at the files that values refer to, each once. Blocks.
pub(super) struct Inputs<'a> {
    plan: &'a Plan,
    blobs: &'a Blobs,
    /// By path: whether it still holds what was read.
    seen: RefCell<BTreeMap<String, bool>>,
}

impl<'a> Inputs<'a> {
    pub(super) fn new(plan: &'a Plan, blobs: &'a Blobs) -> Self {
        Self { plan, blobs, seen: RefCell::default() }
    }

    /// Returns whether a new run can take over this value of a port: its files are what they were, and none of them is
    /// to become an asset, which only the node itself makes of it.
    pub(super) fn are_there(&self, node: &str, port: &str, value: &Value) -> bool {
        if !value.has_source() {
            return true;
        }
        let node = self.plan.index.get(node).map(|at| &self.plan.nodes[*at]);
        !node.is_some_and(|node| node.keeps_media(port))
            && value.media().into_iter().all(|media| {
                let Some(source) = &media.source else { return true };
                let mut seen = self.seen.borrow_mut();
                *seen.entry(source.path.clone()).or_insert_with(|| self.blobs.is_unchanged(media, source))
            })
    }

    /// Names files that are not what they were.
    pub(super) fn hint(&self) -> Option<String> {
        let seen = self.seen.borrow();
        let mut changed = seen.iter().filter(|(_, same)| !**same).map(|(path, _)| path);
        let first = changed.next()?;
        Some(match changed.count() {
            0 => format!("{first} has changed since, so what was made of it is made again"),
            1 => {
                format!("{first} and 1 more file have changed since, so what was made of them is made again")
            }
            more => format!(
                "{first} and {more} more files have changed since, so what was made of them is made again"
            ),
        })
    }
}
