//! The pictures and sounds that large cards show: those of the run in focus, and the newest of each node.

use std::collections::{BTreeMap, HashMap, HashSet};

use fanlight_shared::asset::{Asset, AssetKind, PreviewState};
use fanlight_shared::id::{AssetId, RunId, WorkflowId};
use fanlight_shared::rpc::{Page, assets};
use fanlight_shared::time::Time;

use crate::ui::address::Address;
use crate::ui::assets::gone;
use crate::ui::effect::Effect;

/// How many products of the run in focus are read, the newest first.
const MAX_OF_RUN: u32 = 1_000;
/// How many products of a node are searched for its newest picture.
const MAX_OF_NODE: u32 = 16;

/// A product with a stored preview: a picture, or the peaks of a sound.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct NodePicture {
    /// The product.
    pub asset: AssetId,
    /// Its kind: picture, video or sound.
    pub kind: AssetKind,
    at: Time,
    ready: bool,
    /// Whether it may have been deleted unnoticed.
    doubtful: bool,
}

/// Those of one node, by port.
type Ports = BTreeMap<String, NodePicture>;

/// The pictures and sounds of the nodes of one workflow.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct NodePictures {
    workflow: Option<WorkflowId>,
    focus: Option<RunId>,
    /// Whether the products of that run must be read again.
    stale: bool,
    of_focus: HashMap<String, Ports>,
    newest: HashMap<String, (RunId, Ports)>,
    /// The nodes whose newest picture was requested.
    asked: HashSet<String>,
    /// The requests under way, by number: of a node, or of the run in focus.
    requests: HashMap<u64, Option<String>>,
    /// The number of the last one.
    number: u64,
}

impl NodePictures {
    /// Starts over for another workflow.
    pub fn of(&mut self, workflow: Option<WorkflowId>) {
        if self.workflow != workflow {
            *self = Self { workflow, number: self.number, ..Self::default() };
        }
    }

    /// Requests the products of the run in focus, once: if that fails, the model repeats it.
    pub fn follow(&mut self, focus: Option<RunId>) -> Option<Effect> {
        if self.focus != focus {
            self.of_focus.clear();
        } else if !self.stale {
            return None;
        }
        (self.focus, self.stale) = (focus, false);
        self.of_focus.values_mut().for_each(doubt);
        let list = assets::List { run_id: Some(focus?), limit: Some(MAX_OF_RUN), ..assets::List::default() };
        Some(self.request(None, list))
    }

    fn request(&mut self, node: Option<String>, list: assets::List) -> Effect {
        self.number += 1;
        self.requests.insert(self.number, node);
        Effect::ListAssets { to: Address::Cards(self.number), list }
    }

    /// Requests the newest products of a node in any run, once: if that fails, the model repeats it.
    pub fn want(&mut self, node: &str) -> Option<Effect> {
        if self.workflow.is_none() || self.asked.contains(node) {
            return None;
        }
        self.asked.insert(node.to_owned());
        if let Some((_, ports)) = self.newest.get_mut(node) {
            doubt(ports);
        }
        let (workflow_id, node) = (self.workflow, Some(node.to_owned()));
        let list = assets::List {
            workflow_id,
            node: node.clone(),
            limit: Some(MAX_OF_NODE),
            ..assets::List::default()
        };
        Some(self.request(node, list))
    }

    /// Requests them again, because changes were missed. What is shown stays until then.
    pub fn missed(&mut self) {
        self.asked.clear();
        self.stale = true;
    }

    /// Takes products as they were read.
    pub fn take(&mut self, number: u64, page: &Page<Asset>) {
        let Some(of) = self.requests.remove(&number) else { return };
        let gone = gone(page);
        let confirm = |ports: &mut Ports| ports.retain(|_, it| !(it.doubtful && gone(it.asset, it.at)));
        match of {
            None => self.of_focus.values_mut().for_each(confirm),
            Some(node) => {
                if let Some((_, ports)) = self.newest.get_mut(&node) {
                    confirm(ports);
                }
                self.newest.retain(|_, (_, ports)| !ports.is_empty());
            }
        }
        page.rows.iter().for_each(|asset| self.stored(asset));
    }

    /// Handles a product that was stored or changed.
    pub fn stored(&mut self, asset: &Asset) {
        let shown = matches!(asset.kind, AssetKind::Image | AssetKind::Video | AssetKind::Audio);
        if !shown || asset.preview == PreviewState::None || self.workflow != Some(asset.workflow_id) {
            return;
        }
        if self.focus == Some(asset.run_id) {
            put(self.of_focus.entry(asset.node.clone()).or_default(), asset);
        }
        let fresh = || (asset.run_id, Ports::new());
        let newest = self.newest.entry(asset.node.clone()).or_insert_with(fresh);
        // Ids of runs are ordered by creation.
        if newest.0 < asset.run_id && asset.preview == PreviewState::Ready {
            *newest = fresh();
        }
        if newest.0 == asset.run_id {
            put(&mut newest.1, asset);
        }
    }

    /// Handles the deletion of a product. An older one takes its place after the next frame.
    pub fn deleted(&mut self, asset: AssetId) {
        let keep = |ports: &mut Ports| ports.retain(|_, picture| picture.asset != asset);
        self.of_focus.values_mut().for_each(keep);
        self.newest.retain(|node, (_, ports)| {
            let before = ports.len();
            ports.retain(|_, picture| picture.asset != asset);
            if ports.len() != before {
                self.asked.remove(node);
            }
            !ports.is_empty()
        });
    }

    /// Returns whether any node has a picture or a sound.
    #[must_use]
    pub fn any(&self) -> bool {
        !self.newest.is_empty()
    }

    /// Returns the picture of a node in the run in focus, if it can be fetched: of this port, else of another one.
    #[must_use]
    pub fn own(&self, focus: RunId, node: &str, port: Option<&str>) -> Option<NodePicture> {
        let read = self.of_focus.get(node).filter(|_| self.focus == Some(focus));
        // Its products may not have been read yet.
        let newest = self.newest.get(node).filter(|(run, _)| *run == focus).map(|(_, ports)| ports);
        read.into_iter().chain(newest).find_map(|ports| choose(ports, port))
    }

    /// Returns the newest picture of a node in any run.
    #[must_use]
    pub fn newest(&self, node: &str, port: Option<&str>) -> Option<NodePicture> {
        choose(&self.newest.get(node)?.1, port)
    }
}

fn put(ports: &mut Ports, asset: &Asset) {
    let ready = asset.preview == PreviewState::Ready;
    let picture =
        NodePicture { asset: asset.id, kind: asset.kind, at: asset.created_at, ready, doubtful: false };
    let known = ports.entry(asset.port.clone()).or_insert(picture);
    let newer = (known.at, known.asset) <= (picture.at, picture.asset);
    // The previous one stays until the new one can be fetched.
    if known.asset == asset.id || newer && (ready || !known.ready) {
        *known = picture;
    }
}

fn doubt(ports: &mut Ports) {
    ports.values_mut().for_each(|picture| picture.doubtful = true);
}

fn choose(ports: &Ports, port: Option<&str>) -> Option<NodePicture> {
    let named = port.and_then(|port| ports.get(port)).filter(|picture| picture.ready);
    let other = || ports.values().filter(|picture| picture.ready).max_by_key(|it| (it.at, it.asset));
    named.or_else(other).copied()
}

#[cfg(test)]
mod tests {
    use fanlight_shared::run::RunStatus;

    use super::*;
    use crate::ui::testing::{asset, run, run_id, workflow_id};

    fn picture(id: u32, number: u32, preview: PreviewState) -> Asset {
        let made = asset(id, &run(number, RunStatus::Completed), "sky", AssetKind::Image);
        Asset { preview, ..made }
    }

    fn pictures(focus: u32) -> NodePictures {
        let mut pictures = NodePictures::default();
        pictures.of(Some(workflow_id()));
        assert!(pictures.follow(Some(run_id(focus))).is_some());
        assert_eq!(pictures.follow(Some(run_id(focus))), None);
        pictures
    }

    #[test]
    fn a_node_has_the_picture_of_its_run_and_the_newest_of_any() {
        let mut pictures = pictures(1);
        for (id, number) in [(1, 1), (3, 3), (2, 2)] {
            pictures.stored(&picture(id, number, PreviewState::Ready));
        }
        let id = |picture: Option<NodePicture>| picture.map(|it| it.asset);
        assert_eq!(id(pictures.own(run_id(1), "sky", None)), Some(crate::ui::testing::asset_id(1)));
        assert_eq!(id(pictures.newest("sky", None)), Some(crate::ui::testing::asset_id(3)));
        assert!(pictures.own(run_id(1), "title", None).is_none());
    }

    #[test]
    fn a_picture_stays_until_the_next_one_can_be_fetched() {
        let mut pictures = pictures(1);
        pictures.stored(&picture(1, 1, PreviewState::Ready));
        pictures.stored(&picture(2, 1, PreviewState::Pending));
        assert_eq!(pictures.own(run_id(1), "sky", None).unwrap().asset, crate::ui::testing::asset_id(1));
        pictures.stored(&picture(2, 1, PreviewState::Ready));
        assert_eq!(pictures.own(run_id(1), "sky", None).unwrap().asset, crate::ui::testing::asset_id(2));
    }

    #[test]
    fn after_a_deletion_the_next_newest_is_requested() {
        let mut pictures = pictures(1);
        assert!(pictures.want("sky").is_some());
        assert_eq!(pictures.want("sky"), None);
        pictures.stored(&picture(1, 1, PreviewState::Ready));
        pictures.deleted(crate::ui::testing::asset_id(1));
        assert!(!pictures.any() && pictures.own(run_id(1), "sky", None).is_none());
        assert!(pictures.want("sky").is_some());
    }
}
