//! Runs or products side by side: the params that differ, then each output in turn.

mod diff;
mod mode;
mod view;

use std::collections::HashSet;

use crossterm::event::{KeyCode, KeyEvent, MouseEvent, MouseEventKind};
use fanlight_shared::asset::{Asset, AssetKind};
use fanlight_shared::id::RunId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::runs;
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::run::Run;
use fanlight_shared::value::Values;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::changes::Changes;
use super::sheet::SheetOfRuns;
use crate::ui::action::{Action, Scope};
use crate::ui::address::Address;
use crate::ui::areas::{Areas, Hit};
use crate::ui::assets::{self, AssetsOfRun};
use crate::ui::effect::Effect;
use crate::ui::message::{Response, Why};
use crate::ui::model::Model;
use crate::ui::model::component::{Component, Step};
use crate::ui::picture::zoom::Zoom;
use crate::ui::picture::{PictureRequest, WHOLE};
use crate::ui::theme::Theme;
use crate::ui::toast::Tone;
use mode::Mode;

const PAN: f32 = 0.25;
/// How far a key moves the slider, as a share of the width.
const SLIDE: f32 = 0.05;

/// One of the compared runs or products.
#[derive(Clone, Debug)]
struct Side {
    run: RunId,
    /// `poster#12`
    name: String,
    label: String,
    /// Known for runs, read for products.
    params: Option<Values>,
    assets: AssetsOfRun,
    /// Whether they were read.
    read: bool,
}

impl Side {
    /// Requests its products.
    fn read(&self) -> Effect {
        assets::read(self.run, Address::Comparison(self.run))
    }
}

/// Which output is compared: node, item, port, ordinal.
type Output = (String, ItemPath, String, u32);

/// Runs or products side by side.
#[derive(Debug, Default)]
pub struct Compare {
    sides: Vec<Side>,
    /// Whether products are compared, one per side, whatever their outputs.
    of_products: bool,
    /// The output that is shown.
    at: usize,
    zoom: Zoom,
    mode: Mode,
    scroll: usize,
}

impl Compare {
    /// Compares these products, one per column.
    #[must_use]
    pub fn of_products(products: Vec<Asset>) -> Self {
        let side = |asset: Asset| Side {
            run: asset.run_id,
            name: asset.run.clone(),
            label: String::new(),
            params: None,
            assets: AssetsOfRun::only(asset),
            read: true,
        };
        Self { sides: products.into_iter().map(side).collect(), of_products: true, ..Self::default() }
    }

    /// Compares these runs, one per column.
    #[must_use]
    pub fn of_runs<'a>(runs: impl IntoIterator<Item = &'a Run>) -> Self {
        let side = |run: &Run| Side {
            run: run.id,
            name: run.name(),
            label: run.label.clone(),
            params: Some(run.params.clone()),
            assets: AssetsOfRun::default(),
            read: false,
        };
        Self { sides: runs.into_iter().map(side).collect(), ..Self::default() }
    }

    /// Returns the effects of opening it.
    #[must_use]
    pub fn begin(&self) -> Vec<Effect> {
        let ask = |side: &Side| match side.assets.all().first() {
            Some(asset) if self.of_products => Effect::GetRecipe(asset.id),
            _ => side.read(),
        };
        self.sides.iter().map(ask).collect()
    }

    /// Handles a change of what is compared: stays in reach of it.
    fn settle(&mut self) {
        self.at = self.at.min(self.count().saturating_sub(1));
        if self.is_read() && self.mode != Mode::Sides && self.shown_sides().is_none() {
            self.mode = Mode::Sides;
        }
    }

    /// Returns whether the products of every side were read.
    fn is_read(&self) -> bool {
        self.sides.iter().all(|side| side.read)
    }

    /// Returns the outputs that any side has, in the order in which they were made.
    fn outputs(&self) -> Vec<Output> {
        let mut outputs: Vec<Output> = Vec::new();
        for asset in self.sides.iter().flat_map(|side| side.assets.all()) {
            let output = output(asset);
            if !outputs.contains(&output) {
                outputs.push(output);
            }
        }
        outputs
    }

    /// Returns the product of each side for the shown output.
    fn row(&self) -> Vec<Option<&Asset>> {
        if self.of_products {
            return self.sides.iter().map(|side| side.assets.all().first()).collect();
        }
        let shown = self.outputs().into_iter().nth(self.at);
        let of = |side| -> Option<&Asset> {
            let side: &Side = side;
            side.assets.all().iter().find(|asset| Some(output(asset)) == shown)
        };
        self.sides.iter().map(of).collect()
    }

    fn count(&self) -> usize {
        if self.of_products { 1 } else { self.outputs().len() }
    }

    fn wanted(&self, asset: &Asset, model: &Model, area: Rect) -> PictureRequest {
        let cells = (area.width, area.height);
        if asset.kind == AssetKind::Video {
            return PictureRequest::thumbnail(asset.id, cells);
        }
        let said = asset.value.as_media().and_then(|media| Some((media.width?, media.height?)));
        let pixels = model.pictures.pixels(asset.id).or(said);
        let part = pixels.map_or(WHOLE, |it| self.zoom.part(it, cells, model.pictures.drawing().font));
        PictureRequest::whole(asset.id, cells, part)
    }

    /// Opens what differs between the first two products, if these are texts, folders or patches.
    fn changes(&self, model: &mut Model) -> Step {
        let row = self.row();
        let mut there = row.into_iter().flatten();
        match there.next().zip(there.next()).and_then(|(a, b)| Changes::between(a, b)) {
            Some(changes) => Step { effects: changes.begin(), ..Step::open(changes.into()) },
            None => {
                model
                    .say(Tone::Note, "this needs two texts, folders or patches; h and l show other products");
                Step::stay()
            }
        }
    }

    /// Opens the sheet of the compared runs.
    fn sheet(&self) -> Step {
        let mut run_ids: Vec<RunId> = self.sides.iter().map(|side| side.run).collect();
        run_ids.sort_unstable();
        run_ids.dedup();
        let (sheet, effect) = SheetOfRuns::read(runs::Table { run_ids, ..runs::Table::default() });
        Step { effects: vec![effect], ..Step::open(sheet.into()) }
    }

    fn turn(&mut self, next: bool) {
        self.at =
            if next { (self.at + 1).min(self.count().saturating_sub(1)) } else { self.at.saturating_sub(1) };
        (self.scroll, self.mode) = (0, Mode::Sides);
    }
}

fn output(asset: &Asset) -> Output {
    (asset.node.clone(), asset.item, asset.port.clone(), asset.ordinal)
}

impl Component for Compare {
    fn key(&mut self, model: &mut Model, key: KeyEvent, action: Option<Action>) -> Step {
        match (action, key.code) {
            (Some(Action::Back), _) if self.mode != Mode::Sides => self.mode = Mode::Sides,
            (Some(Action::Back | Action::Quit), _) => return Step::close(),
            (Some(Action::Flicker), _) => self.flick(),
            (Some(Action::Difference), _) => self.turn_difference(model),
            (Some(Action::Slider), _) => self.turn_slider(model),
            (Some(Action::SliderLeft), _) => self.slide(-SLIDE),
            (Some(Action::SliderRight), _) => self.slide(SLIDE),
            (Some(Action::CompareNext), _) => self.turn(true),
            (Some(Action::ComparePrevious), _) => self.turn(false),
            (Some(Action::CompareZoomIn), _) => self.zoom.closer(),
            (Some(Action::CompareZoomOut), _) => self.zoom.farther(),
            (Some(Action::CompareFit), _) => self.zoom = Zoom::default(),
            (Some(Action::Down), _) => self.scroll += 1,
            (Some(Action::Up), _) => self.scroll = self.scroll.saturating_sub(1),
            (None, KeyCode::Char('H')) => self.zoom.pan(-PAN, 0.0),
            (None, KeyCode::Char('L')) => self.zoom.pan(PAN, 0.0),
            (None, KeyCode::Char('J')) => self.zoom.pan(0.0, PAN),
            (None, KeyCode::Char('K')) => self.zoom.pan(0.0, -PAN),
            (Some(Action::Sheet), _) => return self.sheet(),
            (Some(Action::CompareChanges), _) => return self.changes(model),
            (Some(Action::Help | Action::Palette | Action::Mouse | Action::Retry), _) => return Step::pass(),
            _ => {}
        }
        Step::stay()
    }

    fn mouse(&mut self, model: &mut Model, mouse: MouseEvent, _hit: Option<&Hit>) -> Step {
        match mouse.kind {
            MouseEventKind::ScrollUp => self.zoom.closer(),
            MouseEventKind::ScrollDown => self.zoom.farther(),
            MouseEventKind::Down(_) | MouseEventKind::Drag(_) => {
                if let Some(place) = model.areas.layer.and_then(|it| view::places(self, it).first().copied())
                {
                    self.slide_to(place, mouse.column);
                }
            }
            _ => {}
        }
        Step::stay()
    }

    fn response(&mut self, _model: &mut Model, response: &mut Response) -> Vec<Effect> {
        match response {
            Response::Recipe(id, recipe) => {
                let of = |side: &&mut Side| side.assets.get(*id).is_some();
                for side in self.sides.iter_mut().filter(of) {
                    side.label.clone_from(&recipe.label);
                    side.params = Some(recipe.params.clone());
                }
            }
            Response::Assets { to: Address::Comparison(run), page } => {
                for side in self.sides.iter_mut().filter(|side| side.run == *run) {
                    side.assets.take(page);
                    side.read = true;
                }
                self.settle();
            }
            Response::Failed { request, why: Why::Gone, .. } => {
                if let Effect::ListAssets { to: Address::Comparison(run), .. } = &**request {
                    for side in self.sides.iter_mut().filter(|side| side.run == *run) {
                        (side.assets, side.read) = (AssetsOfRun::default(), true);
                    }
                    self.settle();
                }
            }
            _ => {}
        }
        Vec::new()
    }

    fn notification(&mut self, _model: &mut Model, notification: &Notification) -> Vec<Effect> {
        for side in &mut self.sides {
            side.assets.notification(side.run, notification);
        }
        self.settle();
        Vec::new()
    }

    fn missed(&mut self, _model: &mut Model) -> Vec<Effect> {
        self.sides.iter_mut().for_each(|side| side.assets.missed());
        let mut seen = HashSet::new();
        self.sides.iter().filter(|side| seen.insert(side.run)).map(Side::read).collect()
    }

    fn shown(&mut self, model: &mut Model) -> Vec<Effect> {
        let Some(inside) = model.areas.layer else { return Vec::new() };
        let places = view::places(self, inside);
        if let Some((pair, place)) = self.pair().zip(places.first().copied()) {
            match self.mode {
                Mode::Difference => {
                    let wanted = self.wanted_difference(pair, model, place);
                    return model.pictures.want([wanted]);
                }
                Mode::Slider(at) => {
                    let wanted = self.wanted_parts(pair, at, model, place);
                    return model.pictures.want(wanted);
                }
                _ => {}
            }
        }
        let pictures: Vec<PictureRequest> = self
            .row()
            .into_iter()
            .zip(places)
            .filter_map(|(asset, place)| Some((asset?, place)))
            .filter(|(asset, _)| matches!(asset.kind, AssetKind::Image | AssetKind::Video))
            .map(|(asset, place)| self.wanted(asset, model, place))
            .collect();
        model.pictures.want(pictures)
    }

    fn scope(&self) -> Option<Scope> {
        Some(Scope::Compare)
    }

    fn hints(&self, _model: &Model) -> Vec<Action> {
        let mut hints = vec![Action::Flicker];
        let row = self.row();
        let mut there = row.into_iter().flatten();
        if there.next().zip(there.next()).is_some_and(|(a, b)| Changes::can_compare(a, b)) {
            hints.insert(0, Action::CompareChanges);
        }
        if self.pair().is_some() {
            hints.extend([Action::Difference, Action::Slider]);
        }
        if matches!(self.mode, Mode::Slider(_)) {
            hints.extend([Action::SliderLeft, Action::SliderRight]);
        }
        hints.extend([Action::CompareZoomIn, Action::CompareZoomOut]);
        if self.count() > 1 {
            hints.extend([Action::CompareNext, Action::ComparePrevious]);
        }
        hints.extend([Action::Sheet, Action::Back]);
        hints
    }

    fn view(&self, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
        view::view(self, model, theme, area, buffer, areas);
    }
}

#[cfg(test)]
mod tests;
