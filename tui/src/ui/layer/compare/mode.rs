//! How two of the compared products are shown: side by side, one after the other, as their difference, or with a slider.

use fanlight_shared::asset::{Asset, AssetKind};
use ratatui::layout::Rect;

use super::Compare;
use crate::ui::model::Model;
use crate::ui::picture::encode::fit;
use crate::ui::picture::probe::GraphicsProtocol;
use crate::ui::picture::{PictureOf, PictureRequest, WHOLE};
use crate::ui::toast::Tone;

/// How the products are shown.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) enum Mode {
    /// Side by side.
    #[default]
    Sides,
    /// One of two, which takes the place of the other with a key.
    Flicker(usize),
    /// The heat map of the difference of two pictures.
    Difference,
    /// The left part of one picture and the right part of another. Between 0 and 1.
    Slider(f32),
}

impl Compare {
    /// Returns the first two sides that have this output.
    fn two(&self) -> Option<[usize; 2]> {
        let row = self.row();
        let mut there = row.iter().enumerate().filter(|(_, it)| it.is_some()).map(|(at, _)| at);
        Some([there.next()?, there.next()?])
    }

    /// Returns the sides of the two products that are shown in one place.
    pub(super) fn shown_sides(&self) -> Option<[usize; 2]> {
        match self.mode {
            Mode::Sides => None,
            Mode::Flicker(_) | Mode::Difference | Mode::Slider(_) => self.two(),
        }
    }

    /// Returns the first two products, if both are pictures.
    pub(super) fn pair(&self) -> Option<[&Asset; 2]> {
        let row = self.row();
        let [a, b] = self.two()?.map(|at| row.get(at).copied().flatten());
        let pair = [a?, b?];
        pair.iter().all(|asset| asset.kind == AssetKind::Image).then_some(pair)
    }

    /// Shows the other one of the two that flicker.
    pub(super) fn flick(&mut self) {
        self.mode = match (self.mode, self.two()) {
            (Mode::Flicker(now), Some([first, second])) => {
                Mode::Flicker(if now == first { second } else { first })
            }
            (_, Some([first, _])) => Mode::Flicker(first),
            (_, None) => Mode::Sides,
        };
    }

    pub(super) fn turn_difference(&mut self, model: &mut Model) {
        self.mode = match self.mode {
            Mode::Difference => Mode::Sides,
            _ if self.has_pair(model) => Mode::Difference,
            mode => mode,
        };
    }

    pub(super) fn turn_slider(&mut self, model: &mut Model) {
        self.mode = match self.mode {
            Mode::Slider(_) => Mode::Sides,
            _ if self.has_pair(model) => Mode::Slider(0.5),
            mode => mode,
        };
    }

    /// Returns whether there are two pictures, and says so if not.
    fn has_pair(&self, model: &mut Model) -> bool {
        let there = self.is_read() && self.pair().is_some();
        if !self.is_read() {
            model.say(Tone::Note, "the products are still being read");
        } else if !there {
            model.say(Tone::Note, "this needs two pictures; h and l show other products");
        }
        there
    }

    /// Moves the slider by a share of the width.
    pub(super) fn slide(&mut self, by: f32) {
        if let Mode::Slider(at) = &mut self.mode {
            *at = (*at + by).clamp(0.0, 1.0);
        }
    }

    /// Moves the slider to a column of the screen; the pictures are in `place`.
    pub(super) fn slide_to(&mut self, place: Rect, column: u16) {
        if let Mode::Slider(at) = &mut self.mode
            && place.width > 0
        {
            let from_left = f32::from(column.saturating_sub(place.x));
            *at = (from_left / f32::from(place.width)).clamp(0.0, 1.0);
        }
    }

    pub(super) fn wanted_difference(
        &self,
        [a, b]: [&Asset; 2],
        model: &Model,
        place: Rect,
    ) -> PictureRequest {
        let of = PictureOf::Difference(a.id, b.id);
        let cells = (place.width, place.height);
        let font = model.pictures.drawing().font;
        let part = model.pictures.pixels(of).map_or(WHOLE, |it| self.zoom.part(it, cells, font));
        PictureRequest::whole(of, cells, part)
    }

    /// Returns the pictures of the slider. Some terminals draw a picture only as a whole: they get the parts.
    pub(super) fn wanted_parts(
        &self,
        pair: [&Asset; 2],
        at: f32,
        model: &Model,
        place: Rect,
    ) -> [PictureRequest; 2] {
        let wanted = pair.map(|asset| self.wanted(asset, model, place));
        if !is_in_one_piece(model) {
            return wanted;
        }
        let place = covered(wanted[0], pair[0], model, place);
        let [left, right] = divided(place, at).map(|it| (it.width, it.height));
        let [[ax, ay, aw, ah], [bx, by, bw, bh]] = wanted.map(|it| it.part);
        let of = |request: PictureRequest, cells, part| PictureRequest { cells, part, ..request };
        [
            of(wanted[0], left, [ax, ay, aw * at, ah]),
            of(wanted[1], right, [bx + bw * at, by, bw * (1.0 - at), bh]),
        ]
    }
}

/// Returns whether the terminal draws pictures only as a whole.
pub(super) fn is_in_one_piece(model: &Model) -> bool {
    matches!(model.pictures.drawing().protocol, GraphicsProtocol::Iterm | GraphicsProtocol::Sixel)
}

/// Returns the cells that a picture covers in the middle of an area, so that its parts meet at the slider.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
pub(super) fn covered(wanted: PictureRequest, asset: &Asset, model: &Model, place: Rect) -> Rect {
    let said = asset.value.as_media().and_then(|media| Some((media.width?, media.height?)));
    let Some((width, height)) = model.pictures.pixels(asset.id).or(said) else { return place };
    let [_, _, across, down] = wanted.part;
    let pixels = ((width as f32 * across).round() as u32, (height as f32 * down).round() as u32);
    let (columns, rows) = fit(pixels, (place.width, place.height), model.pictures.drawing().font);
    let (columns, rows) = (columns.min(place.width), rows.min(place.height));
    let (x, y) = (place.x + (place.width - columns) / 2, place.y + (place.height - rows) / 2);
    Rect { x, y, width: columns, height: rows }
}

/// Returns the two parts of an area beside the slider.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn divided(place: Rect, at: f32) -> [Rect; 2] {
    let width = (f32::from(place.width) * at).round() as u16;
    let width = width.min(place.width);
    let right = Rect { x: place.x + width, width: place.width - width, ..place };
    [Rect { width, ..place }, right]
}
