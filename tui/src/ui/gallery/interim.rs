//! Intermediate pictures of runs in their live tiles.

use std::collections::HashSet;

use fanlight_shared::expression::Root;
use fanlight_shared::id::{AssetId, RunId};

use crate::ui::model::Model;
use crate::ui::model::gallery::list;
use crate::ui::picture::PictureRequest;

/// Returns the newest intermediate picture of a run: of the node that is shown, or of a node upstream of it.
#[must_use]
pub fn picture(model: &Model, run: RunId) -> Option<AssetId> {
    let shown = list::node(model);
    let upstream = shown.as_deref().and_then(|node| upstream(model, node));
    model.gallery.interim.newest(run, |node| upstream.as_ref().is_none_or(|upstream| upstream.contains(node)))
}

/// Returns a node and all that it waits for.
fn upstream(model: &Model, node: &str) -> Option<HashSet<String>> {
    let workflow = model.workflow.as_ref()?.document.workflow.as_ref()?;
    let mut found = HashSet::from([node.to_owned()]);
    let mut open = vec![node.to_owned()];
    while let Some(node) = open.pop() {
        let Some(node) = workflow.nodes.get(&node) else { continue };
        let read = node.references().filter_map(|(_, reference)| match &reference.root {
            Root::Node(from) => Some(from),
            _ => None,
        });
        for from in read.chain(&node.needs) {
            if found.insert(from.clone()) {
                open.push(from.clone());
            }
        }
    }
    Some(found)
}

/// Returns the request for an intermediate picture, dimmed, in a live tile with this inside: above its line of
/// progress.
#[must_use]
pub fn request(asset: AssetId, (columns, rows): (u16, u16)) -> PictureRequest {
    PictureRequest::thumbnail(asset, (columns, rows.saturating_sub(1))).dimmed()
}
