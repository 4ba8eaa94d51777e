//! The list of products: pages from the daemon, and products that are stored, changed and deleted meanwhile.

use std::collections::HashSet;

use fanlight_shared::asset::Asset;
use fanlight_shared::expression::Root;
use fanlight_shared::id::AssetId;
use fanlight_shared::rpc::{Page, assets};

use crate::ui::address::Address;
use crate::ui::assets::gone;
use crate::ui::effect::Effect;
use crate::ui::model::Model;
use crate::ui::model::gallery::{Filter, Gallery, Scope};

/// How many are read at a time.
const PAGE: u32 = 100;

/// How far a list has been read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Paging {
    /// Not at all, or the list is outdated.
    #[default]
    Unread,
    /// A page is being read; `fresh` is the first.
    Reading {
        /// Whether it replaces the list.
        fresh: bool,
    },
    /// There is more.
    More(String),
    /// All of it.
    All,
}

/// Returns the node whose products are shown, if they are limited to one node.
#[must_use]
pub fn node(model: &Model) -> Option<String> {
    let filter = &model.gallery.filter;
    match filter.scope {
        Scope::Node => filter.node.clone().or_else(|| output_node(model)),
        Scope::Workflow | Scope::Everything => None,
    }
}

/// Returns the node that makes the first output of the workflow, else its last node.
fn output_node(model: &Model) -> Option<String> {
    let workflow = model.workflow.as_ref()?.document.workflow.as_ref()?;
    let expressions = workflow.outputs.values().flat_map(|output| output.value.expressions());
    let mut nodes =
        expressions.flat_map(|it| it.references()).filter_map(|reference| match &reference.root {
            Root::Node(node) => Some(node.clone()),
            _ => None,
        });
    nodes.next().or_else(|| workflow.nodes.keys().last().cloned())
}

/// Reads the list from the beginning if the scope has changed.
pub fn follow(model: &mut Model) -> Vec<Effect> {
    let of = (model.workflow_id(), node(model), model.gallery.filter.clone());
    let gallery = &mut model.gallery;
    let changed = gallery.of.as_ref() != Some(&of);
    if changed {
        let kept = gallery.of.as_ref().is_some_and(|old| old.0 == of.0);
        let unread = Gallery { filter: of.2.clone(), generation: gallery.generation, ..Gallery::default() };
        let old = std::mem::replace(gallery, unread);
        gallery.previews = old.previews;
        if kept {
            gallery.marked = old.marked;
            gallery.interim_values = old.interim_values;
            gallery.interim = old.interim;
        }
        gallery.of = Some(of);
    }
    let known = model.workflow_id().is_some() || model.gallery.filter.scope == Scope::Everything;
    if model.gallery.paging != Paging::Unread || !known || !model.is_up() {
        return Vec::new();
    }
    read(model, None)
}

/// Reads the next page, if there is one and none is being read.
pub fn more(model: &mut Model) -> Vec<Effect> {
    match &model.gallery.paging {
        Paging::More(cursor) => {
            let cursor = cursor.clone();
            read(model, Some(cursor))
        }
        Paging::Unread | Paging::Reading { .. } | Paging::All => Vec::new(),
    }
}

fn read(model: &mut Model, cursor: Option<String>) -> Vec<Effect> {
    let Filter { scope, kind, starred, text, .. } = model.gallery.filter.clone();
    let list = assets::List {
        workflow_id: model.workflow_id().filter(|_| scope != Scope::Everything),
        node: node(model),
        kind,
        starred,
        text: (!text.is_empty()).then_some(text),
        limit: Some(PAGE),
        run_id: None,
        cursor,
    };
    let gallery = &mut model.gallery;
    let fresh = list.cursor.is_none();
    gallery.generation += 1;
    gallery.paging = Paging::Reading { fresh };
    if fresh {
        gallery.arrived.clear();
    }
    vec![Effect::ListAssets { to: Address::GalleryPage(gallery.generation), list }]
}

/// Adds a page.
pub fn page(model: &mut Model, to: Address, page: &mut Page<Asset>) {
    if to != Address::GalleryPage(model.gallery.generation) {
        return;
    }
    if model.gallery.paging == (Paging::Reading { fresh: true }) {
        // Those that were deleted while changes were missed.
        let (gone, gallery) = (gone(page), &model.gallery);
        let gone = |it: &&Asset| gone(it.id, it.created_at) && !gallery.arrived.contains(&it.id);
        let deleted = gallery.assets.iter().filter(gone);
        for id in deleted.map(|asset| asset.id).collect::<Vec<_>>() {
            self::deleted(model, id);
        }
    }
    let gallery = &mut model.gallery;
    let rows = std::mem::take(&mut page.rows);
    if gallery.paging == (Paging::Reading { fresh: true }) {
        let there: HashSet<AssetId> = rows.iter().map(|asset| asset.id).collect();
        gallery.assets.retain(|asset| gallery.arrived.contains(&asset.id) && !there.contains(&asset.id));
        gallery.assets.extend(rows);
    } else {
        let there: HashSet<AssetId> = gallery.assets.iter().map(|asset| asset.id).collect();
        gallery.assets.extend(rows.into_iter().filter(|asset| !there.contains(&asset.id)));
    }
    gallery.landed = gallery.assets.iter().map(|asset| asset.run_id).collect();
    gallery.paging = page.cursor.clone().map_or(Paging::All, Paging::More);
}

/// Handles a product that was stored or changed.
pub fn stored(model: &mut Model, asset: &Asset) {
    let fits = fits(model, asset);
    let gallery = &mut model.gallery;
    let place = gallery.assets.iter().position(|it| it.id == asset.id);
    match (place, fits) {
        (Some(place), true) => gallery.assets[place] = asset.clone(),
        (Some(place), false) => {
            gallery.assets.remove(place);
        }
        (None, true) => {
            // A change of an old product that was not read yet isn't new.
            let newest = gallery.assets.first().is_none_or(|first| first.created_at <= asset.created_at);
            let unread = matches!(gallery.paging, Paging::Unread | Paging::Reading { fresh: true });
            if newest || unread || gallery.paging == Paging::All {
                let at = gallery.assets.partition_point(|it| it.created_at > asset.created_at);
                gallery.assets.insert(at, asset.clone());
                gallery.landed.insert(asset.run_id);
                gallery.arrived.push(asset.id);
            }
        }
        (None, false) => {}
    }
    gallery
        .interim_values
        .retain(|it| it.run != asset.run_id || it.node != asset.node || it.item != asset.item);
}

fn fits(model: &Model, asset: &Asset) -> bool {
    let filter = &model.gallery.filter;
    let of_workflow = filter.scope == Scope::Everything || model.workflow_id() == Some(asset.workflow_id);
    let of_node = node(model).is_none_or(|node| node == asset.node);
    let text = filter.text.to_lowercase();
    let has_text = text.is_empty()
        || asset.name.to_lowercase().contains(&text)
        || asset.value.as_text().is_some_and(|it| it.to_lowercase().contains(&text));
    of_workflow
        && of_node
        && has_text
        && filter.kind.is_none_or(|kind| kind == asset.kind)
        && (!filter.starred || asset.starred)
}

/// Handles the deletion of a product. The cursor moves to the next one.
pub fn deleted(model: &mut Model, id: AssetId) {
    model.pictures.forget(id);
    let gallery = &mut model.gallery;
    gallery.marked.retain(|it| *it != id);
    gallery.previews.forget(id);
    let Some(place) = gallery.assets.iter().position(|asset| asset.id == id) else { return };
    gallery.assets.remove(place);
    if gallery.at == Some(super::Tile::Asset(id)) {
        let next = gallery.assets.get(place).or(gallery.assets.last());
        gallery.at = next.map(|asset| super::Tile::Asset(asset.id));
    }
}
