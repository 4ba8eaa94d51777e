//! Intermediate pictures of runs, for their live tiles.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use fanlight_shared::asset::{Asset, AssetKind, PreviewState};
use fanlight_shared::expression::Root;
use fanlight_shared::id::{AssetId, RunId};
use fanlight_shared::rpc::assets;
use fanlight_shared::time::Time;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

use super::list;
use crate::ui::address::Address;
use crate::ui::effect::Effect;
use crate::ui::model::Model;
use crate::ui::picture::probe::GraphicsProtocol;

/// How many pictures of a run are read, the newest first.
const PAGE: u32 = 100;
/// How long a run is in view before its pictures are read. Of many short runs that go by none is asked for.
const MIN_VIEW: Duration = Duration::from_millis(250);

/// The newest picture of each node of each running run.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Interim {
    of: HashMap<RunId, HashMap<String, Picture>>,
    /// Since when each run has been in view.
    in_view: HashMap<RunId, Time>,
    asked: HashSet<RunId>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
struct Picture {
    asset: AssetId,
    at: Time,
    ready: bool,
}

impl Interim {
    /// A run is in view: requests the pictures that it made before it was watched, once.
    pub fn want(&mut self, run: RunId, now: Time) -> Option<Effect> {
        let since = *self.in_view.entry(run).or_insert(now);
        (now.since(since) >= MIN_VIEW && self.asked.insert(run)).then(|| {
            let (run_id, kind, limit) = (Some(run), Some(AssetKind::Image), Some(PAGE));
            let list = assets::List { run_id, kind, limit, ..assets::List::default() };
            Effect::ListAssets { to: Address::LiveTile(run), list }
        })
    }

    /// Adds interim products of a run.
    pub fn response(&mut self, run: RunId, rows: &[Asset]) {
        if self.asked.contains(&run) {
            rows.iter().for_each(|asset| self.stored(asset));
        }
    }

    /// Handles a failed request, which is repeated with the next frame.
    pub fn failed(&mut self, run: RunId) {
        self.asked.remove(&run);
    }

    /// Handles a product that was stored or changed.
    pub fn stored(&mut self, asset: &Asset) {
        if asset.kind != AssetKind::Image || asset.preview == PreviewState::None {
            return;
        }
        let ready = asset.preview == PreviewState::Ready;
        let picture = Picture { asset: asset.id, at: asset.created_at, ready };
        let known = self.of.entry(asset.run_id).or_default().entry(asset.node.clone()).or_insert(picture);
        // The previous one stays until the new one can be fetched.
        if known.asset == asset.id || (known.at <= picture.at && (ready || !known.ready)) {
            *known = picture;
        }
    }

    /// Handles the deletion of a product.
    pub fn deleted(&mut self, asset: AssetId) {
        for nodes in self.of.values_mut() {
            nodes.retain(|_, picture| picture.asset != asset);
        }
    }

    /// A run ended.
    pub fn forget(&mut self, run: RunId) {
        self.of.remove(&run);
        self.in_view.remove(&run);
        self.asked.remove(&run);
    }
}

/// Returns the newest intermediate picture of a run: of the node that is shown, or of a node upstream of it.
#[must_use]
pub fn picture(model: &Model, run: RunId) -> Option<AssetId> {
    let nodes = model.gallery.interim.of.get(&run)?;
    let shown = list::node(model);
    let upstream = shown.as_deref().and_then(|node| upstream(model, node));
    let counts = |node: &String| upstream.as_ref().is_none_or(|upstream| upstream.contains(node));
    let pictures = nodes.iter().filter(|(node, picture)| picture.ready && counts(node));
    pictures.max_by_key(|(_, picture)| (picture.at, picture.asset)).map(|(_, picture)| picture.asset)
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

/// Draws an intermediate picture, dimmed. Returns whether it is ready.
pub fn draw(model: &Model, asset: AssetId, area: Rect, buffer: &mut Buffer) -> bool {
    if !model.pictures.draw(asset, area, buffer) {
        return false;
    }
    // If the terminal draws pictures itself, the colours of cells don't affect them.
    if model.pictures.drawing().protocol == GraphicsProtocol::Blocks {
        for position in area.positions() {
            let Some(cell) = buffer.cell_mut(position) else { continue };
            (cell.fg, cell.bg) = (half(cell.fg), half(cell.bg));
            cell.modifier.insert(Modifier::DIM);
        }
    }
    true
}

fn half(colour: Color) -> Color {
    match colour {
        Color::Rgb(red, green, blue) => Color::Rgb(red / 2, green / 2, blue / 2),
        other => other,
    }
}
