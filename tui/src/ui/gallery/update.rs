//! Update of the gallery pane.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use fanlight_shared::asset::{Asset, AssetKind, PreviewState};
use fanlight_shared::event::{DaemonEvent, LiveEvent};
use fanlight_shared::id::RunId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::watch::{Notification, Products};
use fanlight_shared::value::Value;

use super::filters::{ask_filters, set_text};
use super::tiles::{self, Layout};
use crate::ui::action::Action;
use crate::ui::address::Address;
use crate::ui::areas::Hit;
use crate::ui::effect::Effect;
use crate::ui::gallery::interim;
use crate::ui::layer::compare::Compare;
use crate::ui::layer::confirm;
use crate::ui::layer::product_actions;
use crate::ui::layer::prompt::Prompt;
use crate::ui::layer::viewer::Viewer;
use crate::ui::message::Response;
use crate::ui::model::Model;
use crate::ui::model::gallery::list::{self, Paging};
use crate::ui::model::gallery::{InterimValue, Scope, Tile};
use crate::ui::pane::Pane;
use crate::ui::picture::PictureRequest;
use crate::ui::toast::Tone;

/// How many rows before the end of the list the next page is read.
const READ_AHEAD: usize = 4;
/// How many intermediate values of running runs are kept.
const MAX_INTERIM_VALUES: usize = 256;

/// Carries out an action of this pane, or a movement in the pane that has the focus.
pub fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    if step(model, action) {
        return Vec::new();
    }
    match action {
        Action::ViewTile | Action::Open => open(model),
        Action::PinTile => tiles::run_at(model).map(|run| model.pin(run)).unwrap_or_default(),
        Action::Mark => {
            mark(model);
            Vec::new()
        }
        Action::CompareTiles => {
            let marked = chosen(model).into_iter().cloned().collect();
            let compare = Compare::of_products(marked);
            let effects = compare.begin();
            model.layers.push(compare.into());
            effects
        }
        Action::Star => product_actions::star(&chosen(model)),
        Action::OpenOutside => product(model).map(|it| Effect::OpenOutside(it.id)).into_iter().collect(),
        Action::Copy => product(model).map(product_actions::copy).unwrap_or_default(),
        Action::SaveAs => {
            if let Some(prompt) = product(model).map(|asset| product_actions::save(asset, model)) {
                model.layers.push(prompt);
            }
            Vec::new()
        }
        Action::DeleteAsset => match product_actions::delete(&chosen(model)) {
            Some(question) => confirm::ask(model, question),
            None => Vec::new(),
        },
        Action::GalleryScope => {
            let filter = &mut model.gallery.filter;
            filter.scope = match filter.scope {
                Scope::Node => Scope::Workflow,
                Scope::Workflow => Scope::Everything,
                Scope::Everything => Scope::Node,
            };
            list::follow(model)
        }
        Action::Filters => {
            ask_filters(model);
            Vec::new()
        }
        Action::Search => {
            let prompt = Prompt::new("Filter the gallery", model.gallery.filter.text.clone(), set_text)
                .live(|model, text| set_text(model, text).unwrap_or_default())
                .hint("whose name or text has this");
            model.layers.push(prompt.into());
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Moves the cursor. Returns whether the action moves it.
fn step(model: &mut Model, action: Action) -> bool {
    let live = tiles::live(model);
    let count = live.len() + model.gallery.assets.len();
    let layout = Layout::of(model.areas.pane(Pane::Gallery).unwrap_or_default(), count);
    let (at, last) = (tiles::at(model), count.saturating_sub(1));
    let row = layout.columns;
    let half = row * (layout.rows / 2).max(1);
    let to = match action {
        Action::Left => at.saturating_sub(1),
        Action::Right => (at + 1).min(last),
        Action::Up => at.checked_sub(row).unwrap_or(at),
        Action::Down if at + row <= last => at + row,
        // From above an incomplete last row, down moves to its end.
        Action::Down if at / row < last / row => last,
        Action::Down => at,
        Action::HalfPageDown => (at + half).min(last),
        Action::HalfPageUp => at.saturating_sub(half),
        Action::First => 0,
        Action::Last => last,
        _ => return false,
    };
    let tile = tiles::tile(model, &live, to);
    model.gallery.at = tile;
    model.gallery.top = tiles::top(model, &layout);
    true
}

/// Returns the product under the cursor.
fn product(model: &Model) -> Option<&Asset> {
    match tiles::tile(model, &tiles::live(model), tiles::at(model))? {
        Tile::Asset(id) => model.gallery.asset(id),
        Tile::Live(_) => None,
    }
}

/// Returns the marked products, else the one under the cursor.
fn chosen(model: &Model) -> Vec<&Asset> {
    let marked: Vec<&Asset> = model.gallery.marked.iter().filter_map(|id| model.gallery.asset(*id)).collect();
    if marked.is_empty() { product(model).into_iter().collect() } else { marked }
}

fn open(model: &mut Model) -> Vec<Effect> {
    let Some(asset) = product(model) else {
        if tiles::run_at(model).is_some() {
            model.say(Tone::Note, "it is not made yet");
        }
        return Vec::new();
    };
    let viewer = Viewer::new(asset.clone());
    let effects = viewer.begin();
    model.layers.push(viewer.into());
    effects
}

/// Marks or unmarks the product under the cursor, and moves to the next.
fn mark(model: &mut Model) {
    let Some(id) = product(model).map(|asset| asset.id) else { return };
    let marked = &mut model.gallery.marked;
    match marked.iter().position(|it| *it == id) {
        Some(place) => {
            marked.remove(place);
        }
        None => marked.push(id),
    }
    step(model, Action::Right);
}

/// Goes one step back inside the pane (clears a filter or marks). Returns `false` if there is nothing to undo.
pub fn back(model: &mut Model) -> bool {
    let gallery = &mut model.gallery;
    if !gallery.marked.is_empty() {
        gallery.marked.clear();
        return true;
    }
    let filter = &mut gallery.filter;
    let narrowed =
        filter.kind.is_some() || filter.starred || !filter.text.is_empty() || filter.node.is_some();
    // The list is read again after the next frame.
    (filter.kind, filter.starred, filter.node) = (None, false, None);
    filter.text.clear();
    narrowed
}

/// Returns whether an action of this pane is enabled; hints, help and palette use it.
#[must_use]
pub fn enabled(model: &Model, action: Action) -> bool {
    match action {
        Action::ViewTile | Action::OpenOutside | Action::SaveAs => product(model).is_some(),
        Action::PinTile => model.is_one_of_many() && tiles::run_at(model).is_some(),
        Action::CompareTiles => model.gallery.marked.len() > 1,
        Action::Star | Action::DeleteAsset => !chosen(model).is_empty(),
        _ => true,
    }
}

/// Returns the actions for the hint line, the most useful first; those that are not enabled are left out by the caller.
#[must_use]
pub fn hints(model: &Model) -> Vec<Action> {
    let mut hints = vec![Action::ViewTile];
    if product(model).is_some() {
        hints.push(Action::Mark);
    }
    hints.extend([
        Action::CompareTiles,
        Action::Star,
        Action::PinTile,
        Action::GalleryScope,
        Action::Filters,
    ]);
    hints.extend([Action::SaveAs, Action::OpenOutside, Action::DeleteAsset]);
    hints
}

/// Takes a response that it requested.
pub fn response(model: &mut Model, response: &mut Response) -> Vec<Effect> {
    match response {
        Response::Assets { to: Address::LiveTile(run), page } => {
            model.gallery.interim.response(*run, &page.rows);
        }
        Response::Assets { to, page } => list::page(model, *to, page),
        Response::PreviewText(asset, text) => model.gallery.previews.response(*asset, text),
        Response::Painted(painted) => return model.pictures.painted(painted),
        Response::NotPainted(of, why) => model.pictures.not_painted(*of, why),
        _ => {}
    }
    Vec::new()
}

/// Handles a notification, after the projection has applied it.
pub fn notification(model: &mut Model, notification: &Notification) -> Vec<Effect> {
    match notification {
        Notification::Daemon { event: DaemonEvent::AssetUpdate { asset }, .. } => {
            let had = model.gallery.asset(asset.id).map(|it| it.preview);
            if had == Some(PreviewState::Pending) && asset.preview != PreviewState::Pending {
                model.pictures.forget(asset.id);
                model.gallery.previews.forget(asset.id);
            }
            model.gallery.interim.stored(asset);
            list::stored(model, asset);
        }
        Notification::Daemon { event: DaemonEvent::AssetDelete { asset_id, .. }, .. } => {
            model.gallery.interim.deleted(*asset_id);
            list::deleted(model, *asset_id);
        }
        Notification::Daemon { event: DaemonEvent::RunUpdate { run }, .. } if run.state.is_ended() => {
            model.gallery.interim_values.retain(|it| it.run != run.id);
            model.gallery.interim.forget(run.id);
        }
        Notification::Daemon {
            event: DaemonEvent::OutputUpdate { run_id, node, item, value, .. }, ..
        } => interim_value(model, *run_id, node, *item, value),
        Notification::Live { run_id, event: LiveEvent::PreviewUpdate { node, item, value, .. }, .. } => {
            interim_value(model, *run_id, node, *item, value);
        }
        _ => {}
    }
    Vec::new()
}

/// Reads the list again.
pub fn missed(model: &mut Model) -> Vec<Effect> {
    model.gallery.paging = Paging::Unread;
    model.gallery.interim.missed();
    list::follow(model)
}

fn interim_value(model: &mut Model, run: RunId, node: &str, item: ItemPath, value: &Value) {
    let interim_values = &mut model.gallery.interim_values;
    let here = |it: &InterimValue| it.run == run && it.node == node && it.item == item;
    if let Some(known) = interim_values.iter_mut().find(|it| here(it)) {
        known.value = value.clone();
        return;
    }
    if interim_values.len() == MAX_INTERIM_VALUES {
        interim_values.remove(0);
    }
    interim_values.push(InterimValue { run, node: node.to_owned(), item, value: value.clone() });
}

/// Handles a change of the workflow on screen or of the run in focus.
pub fn moved(model: &mut Model) -> Vec<Effect> {
    list::follow(model)
}

/// Called after each frame: requests what it needs.
pub fn shown(model: &mut Model) -> Vec<Effect> {
    let mut effects = list::follow(model);
    let live = tiles::live(model).len();
    let count = live + model.gallery.assets.len();
    let layout = Layout::of(model.areas.pane(Pane::Gallery).unwrap_or_default(), count);
    let first = tiles::first(model, &layout, count);
    let end = (first + layout.columns * layout.rows).min(count);
    if end + READ_AHEAD * layout.columns >= count {
        effects.extend(list::more(model));
    }
    let frame = if layout.height < 4 { 1 } else { 2 };
    let cells = (layout.width.saturating_sub(2), layout.height.saturating_sub(frame));
    let mut pictures = Vec::new();
    let waiting: Vec<RunId> =
        tiles::live(model).get(first..end.min(live)).unwrap_or_default().iter().map(|run| run.id).collect();
    for run in waiting {
        effects.extend(model.gallery.interim.want(run, model.now));
        pictures.extend(interim::picture(model, run).map(|asset| interim::request(asset, cells)));
    }
    let in_view = first.saturating_sub(live)..end.saturating_sub(live);
    for asset in model.gallery.assets.get(in_view).unwrap_or_default() {
        let picture = matches!(asset.kind, AssetKind::Image | AssetKind::Video);
        if picture && asset.preview == PreviewState::Ready {
            pictures.push(PictureRequest::thumbnail(asset.id, cells));
        } else {
            effects.extend(model.gallery.previews.want(asset));
        }
    }
    effects.extend(model.pictures.want(pictures));
    effects
}

/// Handles clicks and the wheel over this pane. `hit` is the marked area under the mouse.
pub fn mouse(model: &mut Model, mouse: MouseEvent, hit: Option<&Hit>) -> Vec<Effect> {
    match (mouse.kind, hit) {
        (MouseEventKind::ScrollDown, _) => {
            step(model, Action::Down);
        }
        (MouseEventKind::ScrollUp, _) => {
            step(model, Action::Up);
        }
        (MouseEventKind::Down(button), Some(Hit::Asset(id))) => {
            let again = model.gallery.at == Some(Tile::Asset(*id));
            model.pane = Pane::Gallery;
            model.gallery.at = Some(Tile::Asset(*id));
            if button == MouseButton::Right {
                mark(model);
            } else if again {
                return open(model);
            }
        }
        (MouseEventKind::Down(_), Some(Hit::Row(index))) => {
            let tile = tiles::tile(model, &tiles::live(model), *index);
            model.gallery.at = tile;
        }
        _ => {}
    }
    Vec::new()
}

/// Returns the subscription of products.
#[must_use]
pub fn products(model: &Model) -> Option<Products> {
    match model.gallery.filter.scope {
        Scope::Everything => Some(Products { workflow_id: None }),
        Scope::Node | Scope::Workflow => model.workflow_id().map(|it| Products { workflow_id: Some(it) }),
    }
}
