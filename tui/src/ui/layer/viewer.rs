//! One product, full screen, with its recipe beside it; moves to products of other runs and nodes.

mod text;
mod view;

use std::collections::HashSet;

use crossterm::event::{KeyCode, KeyEvent, MouseEvent, MouseEventKind};
use fanlight_shared::asset::{Asset, AssetKind, PreviewState, Recipe};
use fanlight_shared::event::DaemonEvent;
use fanlight_shared::id::AssetId;
use fanlight_shared::media::is_text;
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::sanitise;
use fanlight_shared::time::Time;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use self::text::Text;
use super::changes::Changes;
use super::confirm;
use crate::ui::action::{Action, Scope};
use crate::ui::address::Address;
use crate::ui::areas::{Areas, Hit};
use crate::ui::assets::{self, AssetsOfRun};
use crate::ui::effect::Effect;
use crate::ui::layer::product_actions;
use crate::ui::message::{Response, Why};
use crate::ui::model::Model;
use crate::ui::model::component::{Component, Step};
use crate::ui::model::gallery::list;
use crate::ui::picture::zoom::Zoom;
use crate::ui::picture::{PictureRequest, WHOLE};
use crate::ui::theme::Theme;
use crate::ui::toast::Tone;

/// How far a key pans, as a fraction of the visible part.
const PAN: f32 = 0.25;

/// One product, full screen.
#[derive(Debug)]
pub struct Viewer {
    asset: Asset,
    zoom: Zoom,
    /// The first line of text in view.
    scroll: usize,
    recipe_shown: bool,
    recipe: Option<Recipe>,
    /// The full text, if it is a text file.
    text: Option<Text>,
    /// The products of the same run.
    of_run: AssetsOfRun,
    /// Products that were deleted while they were shown.
    deleted: HashSet<AssetId>,
}

impl Viewer {
    /// Opens the viewer of this product.
    #[must_use]
    pub fn new(asset: Asset) -> Self {
        Self {
            asset,
            zoom: Zoom::default(),
            scroll: 0,
            recipe_shown: false,
            recipe: None,
            text: None,
            of_run: AssetsOfRun::default(),
            deleted: HashSet::new(),
        }
    }

    /// Returns the effects of opening it.
    #[must_use]
    pub fn begin(&self) -> Vec<Effect> {
        std::iter::once(self.read()).chain(self.ask()).collect()
    }

    fn read(&self) -> Effect {
        assets::read(self.asset.run_id, Address::Viewer(self.asset.run_id))
    }

    fn ask(&self) -> Vec<Effect> {
        let mut effects = vec![Effect::GetRecipe(self.asset.id)];
        let has_text = self.asset.kind == AssetKind::File && is_text(&self.asset.mime);
        if has_text {
            effects.push(Effect::GetText(self.asset.id));
        }
        effects
    }

    fn go(&mut self, asset: Asset) -> Step {
        let other_run = asset.run_id != self.asset.run_id;
        let (zoom, recipe_shown) = (self.zoom, self.recipe_shown);
        let of_run = if other_run { AssetsOfRun::default() } else { std::mem::take(&mut self.of_run) };
        let deleted = std::mem::take(&mut self.deleted);
        *self = Self { zoom, recipe_shown, of_run, deleted, ..Self::new(asset) };
        Step::with(if other_run { self.begin() } else { self.ask() })
    }

    /// Moves to the same product of an older or newer run, among those that were read.
    fn other_run(&mut self, model: &mut Model, older: bool) -> Step {
        let same = |it: &&Asset| {
            it.workflow_id == self.asset.workflow_id
                && (&it.node, it.port.as_str(), it.item, it.ordinal)
                    == (&self.asset.node, self.asset.port.as_str(), self.asset.item, self.asset.ordinal)
        };
        let row: Vec<&Asset> = model.gallery.assets.iter().filter(same).collect();
        let at = row.iter().position(|it| it.id == self.asset.id);
        let next = match (at, older) {
            (Some(at), true) => row.get(at + 1),
            (Some(at), false) => at.checked_sub(1).and_then(|at| row.get(at)),
            (None, _) => row.first(),
        };
        if let Some(next) = next.map(|it| (*it).clone()) {
            return self.go(next);
        }
        let effects = if older { list::more(model) } else { Vec::new() };
        if effects.is_empty() {
            let end = if older { "this is the oldest run" } else { "this is the newest run" };
            model.say(Tone::Note, end);
        }
        Step::with(effects)
    }

    /// Moves to another product of the same run.
    fn other_node(&mut self, next: bool) -> Step {
        let of_run = self.of_run.all();
        let at = of_run.iter().position(|it| it.id == self.asset.id);
        let to = match (at, next) {
            (Some(at), true) => of_run.get(at + 1),
            (Some(at), false) => at.checked_sub(1).and_then(|at| of_run.get(at)),
            (None, _) => None,
        };
        to.cloned().map_or_else(Step::stay, |asset| self.go(asset))
    }

    /// Returns whether the product was deleted, and no other took its place.
    fn is_deleted(&self) -> bool {
        self.deleted.contains(&self.asset.id)
    }

    /// Handles the deletion of the product: shows the newest one of the same node. After the last one there is nothing to
    /// show.
    fn product_deleted(&mut self, model: &Model) -> Vec<Effect> {
        self.deleted.insert(self.asset.id);
        let is_there = |it: &&Asset| it.run_id != self.asset.run_id || self.of_run.get(it.id).is_some();
        let mut of_node = model.gallery.assets.iter().filter(|it| it.node == self.asset.node);
        let next = of_node.find(|it| !self.deleted.contains(&it.id) && is_there(it)).cloned();
        next.map(|next| self.go(next).effects).unwrap_or_default()
    }

    /// Takes what is known of the product by the products of its run.
    fn check(&mut self, is_gone: impl Fn(AssetId, Time) -> bool, model: &Model) -> Vec<Effect> {
        match self.of_run.get(self.asset.id) {
            Some(asset) => self.asset = asset.clone(),
            None if !self.is_deleted() && is_gone(self.asset.id, self.asset.created_at) => {
                return self.product_deleted(model);
            }
            None => {}
        }
        Vec::new()
    }

    fn is_picture(&self) -> bool {
        matches!(self.asset.kind, AssetKind::Image | AssetKind::Video)
    }

    /// Returns the picture for this area.
    fn wanted(&self, model: &Model, area: Rect) -> PictureRequest {
        let cells = (area.width, area.height);
        if self.asset.kind == AssetKind::Video {
            return PictureRequest::thumbnail(self.asset.id, cells);
        }
        let media = self.asset.value.as_media();
        let said = media.and_then(|media| Some((media.width?, media.height?)));
        let pixels = model.pictures.pixels(self.asset.id).or(said);
        let part = pixels.map_or(WHOLE, |it| self.zoom.part(it, cells, model.pictures.drawing().font));
        PictureRequest::whole(self.asset.id, cells, part)
    }

    fn scroll(&mut self, by: isize) {
        self.scroll = self.scroll.saturating_add_signed(by);
    }

    /// Pans a zoomed picture, or scrolls text, by `HJKL`.
    fn pan(&mut self, key: KeyEvent) -> bool {
        let (right, down) = match key.code {
            KeyCode::Char('H') => (-PAN, 0.0),
            KeyCode::Char('L') => (PAN, 0.0),
            KeyCode::Char('J') => (0.0, PAN),
            KeyCode::Char('K') => (0.0, -PAN),
            _ => return false,
        };
        if self.is_picture() {
            self.zoom.pan(right, down);
        } else if down != 0.0 {
            self.scroll(if down > 0.0 { 1 } else { -1 });
        }
        true
    }
}

impl Component for Viewer {
    fn key(&mut self, model: &mut Model, key: KeyEvent, action: Option<Action>) -> Step {
        let Some(action) = action else {
            return if self.pan(key) { Step::stay() } else { Step::pass() };
        };
        let half = isize::try_from(model.areas.layer.map_or(10, |it| it.height / 2)).unwrap_or(10);
        match action {
            Action::Back | Action::Quit => return Step::close(),
            Action::ViewOlder => return self.other_run(model, true),
            Action::ViewNewer => return self.other_run(model, false),
            Action::ViewNextNode => return self.other_node(true),
            Action::ViewPreviousNode => return self.other_node(false),
            Action::ViewZoomIn => self.zoom.closer(),
            Action::ViewZoomOut => self.zoom.farther(),
            Action::ViewFit => self.zoom = Zoom::default(),
            Action::HalfPageDown => self.scroll(half),
            Action::HalfPageUp => self.scroll(-half),
            Action::First => self.scroll = 0,
            Action::Last => self.scroll = usize::MAX,
            Action::Recipe => self.recipe_shown = !self.recipe_shown,
            Action::ViewStar => return Step::with(product_actions::star(&[&self.asset])),
            Action::ViewOpenOutside => return Step::with(vec![Effect::OpenOutside(self.asset.id)]),
            Action::ViewSaveAs => return Step::open(product_actions::save(&self.asset, model)),
            Action::Copy => {
                let text = self.text.as_ref().map(|text| vec![Effect::Copy(text.whole().to_owned())]);
                return Step::with(text.unwrap_or_else(|| product_actions::copy(&self.asset)));
            }
            Action::ViewChanges => {
                return match Changes::of(&self.asset) {
                    Some(changes) => Step { effects: changes.begin(), ..Step::open(changes.into()) },
                    None => Step::stay(),
                };
            }
            Action::ViewPin => return Step::with(model.pin(self.asset.run_id)),
            Action::ViewDelete => {
                return match product_actions::delete(&[&self.asset]) {
                    Some(question) => Step::with(confirm::ask(model, question)),
                    None => Step::stay(),
                };
            }
            Action::Help | Action::Palette | Action::Mouse | Action::Retry => return Step::pass(),
            _ => {}
        }
        Step::stay()
    }

    fn mouse(&mut self, _model: &mut Model, mouse: MouseEvent, _hit: Option<&Hit>) -> Step {
        let down = match mouse.kind {
            MouseEventKind::ScrollDown => true,
            MouseEventKind::ScrollUp => false,
            _ => return Step::stay(),
        };
        match (self.is_picture(), down) {
            (true, true) => self.zoom.farther(),
            (true, false) => self.zoom.closer(),
            (false, true) => self.scroll(3),
            (false, false) => self.scroll(-3),
        }
        Step::stay()
    }

    fn response(&mut self, model: &mut Model, response: &mut Response) -> Vec<Effect> {
        match response {
            Response::Recipe(id, recipe) if *id == self.asset.id => self.recipe = Some((**recipe).clone()),
            Response::Text(id, text) if *id == self.asset.id => {
                self.text = Some(Text::new(sanitise::plain(text), self.asset.mime.contains("json")));
            }
            Response::Assets { to: Address::Viewer(run), page } if *run == self.asset.run_id => {
                self.of_run.take(page);
                return self.check(assets::gone(page), model);
            }
            Response::Failed { request, why: Why::Gone, .. } => match &**request {
                Effect::ListAssets { to: Address::Viewer(run), .. } if *run == self.asset.run_id => {
                    self.of_run = AssetsOfRun::default();
                    return self.check(|_, _| true, model);
                }
                _ => {}
            },
            _ => {}
        }
        Vec::new()
    }

    fn notification(&mut self, model: &mut Model, notification: &Notification) -> Vec<Effect> {
        self.of_run.notification(self.asset.run_id, notification);
        let Notification::Daemon { event, .. } = notification else { return Vec::new() };
        match event {
            DaemonEvent::AssetUpdate { asset } if asset.id == self.asset.id => self.asset = (**asset).clone(),
            DaemonEvent::AssetDelete { asset_id, .. } if *asset_id == self.asset.id => {
                return self.product_deleted(model);
            }
            DaemonEvent::RunDelete { run_id, .. } if *run_id == self.asset.run_id => {
                return self.product_deleted(model);
            }
            _ => {}
        }
        Vec::new()
    }

    fn missed(&mut self, _model: &mut Model) -> Vec<Effect> {
        self.of_run.missed();
        vec![self.read()]
    }

    fn shown(&mut self, model: &mut Model) -> Vec<Effect> {
        if self.is_deleted() {
            return Vec::new();
        }
        if !self.is_picture() {
            return model.gallery.previews.want(&self.asset).into_iter().collect();
        }
        if self.asset.kind == AssetKind::Video && self.asset.preview != PreviewState::Ready {
            return Vec::new();
        }
        let Some(inside) = model.areas.layer else { return Vec::new() };
        let wanted = self.wanted(model, view::places(inside, self.recipe_shown).0);
        model.pictures.want([wanted])
    }

    fn scope(&self) -> Option<Scope> {
        Some(Scope::Viewer)
    }

    fn hints(&self, _model: &Model) -> Vec<Action> {
        let mut hints = vec![Action::ViewNewer, Action::ViewOlder, Action::ViewNextNode];
        if Changes::can_list(&self.asset) {
            hints.insert(0, Action::ViewChanges);
        }
        if self.is_picture() {
            hints.extend([Action::ViewZoomIn, Action::ViewZoomOut]);
        }
        hints.extend([
            Action::Recipe,
            Action::ViewStar,
            Action::ViewPin,
            Action::ViewSaveAs,
            Action::Copy,
            Action::Back,
        ]);
        hints
    }

    fn view(&self, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
        view::view(self, model, theme, area, buffer, areas);
    }
}

#[cfg(test)]
mod tests;
