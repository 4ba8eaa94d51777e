//! Pictures: wanted by the update, decoded and encoded off the loop, drawn by the view once they are there.
//!
//! - [`PictureRequest`]: which picture, in how many cells; the model has those that are ready, and `Effect::Paint` requests others
//! - [`encode`]: from pixels to cells; [`probe`]: which protocol this terminal has; [`query`]: what it says itself
//! - [`overlay`]: keeps pictures that are drawn over cells (sixel, iTerm2) clean when something lies over them

pub mod difference;
pub mod encode;
mod mode;
pub mod overlay;
pub mod probe;
pub mod query;
pub mod zoom;

use std::sync::Arc;

use fanlight_shared::id::{AssetId, BlobHash};
use ratatui::buffer::Buffer;

use difference::Difference;
pub use mode::PictureMode;

/// Whose picture it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PictureOf {
    /// Of a product, which may have a stored preview.
    Asset(AssetId),
    /// Of a value that isn't a product, by its hash.
    Blob(BlobHash),
    /// Of the difference of two products.
    Difference(AssetId, AssetId),
}

impl From<AssetId> for PictureOf {
    fn from(asset: AssetId) -> Self {
        Self::Asset(asset)
    }
}

impl From<BlobHash> for PictureOf {
    fn from(hash: BlobHash) -> Self {
        Self::Blob(hash)
    }
}

/// A request for a picture in this many cells.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct PictureRequest {
    /// Whose picture.
    pub of: PictureOf,
    /// Its size, in cells.
    pub cells: (u16, u16),
    /// Whether the stored preview is enough; otherwise the original is fetched.
    pub thumbnail: bool,
    /// The visible part of the picture: left, top, width, height, each between 0 and 1.
    pub part: [f32; 4],
    /// Whether it is drawn dark, because it is not the product that belongs there.
    pub dimmed: bool,
}

/// The part that is the whole picture.
pub const WHOLE: [f32; 4] = [0.0, 0.0, 1.0, 1.0];

impl PictureRequest {
    /// Requests the stored preview, for a tile of this many cells.
    #[must_use]
    pub fn thumbnail(of: impl Into<PictureOf>, cells: (u16, u16)) -> Self {
        Self { of: of.into(), cells, thumbnail: true, part: WHOLE, dimmed: false }
    }

    /// Requests the original picture, or a part of it.
    #[must_use]
    pub fn whole(of: impl Into<PictureOf>, cells: (u16, u16), part: [f32; 4]) -> Self {
        Self { of: of.into(), cells, thumbnail: false, part, dimmed: false }
    }

    /// Requests the same picture, drawn dark.
    #[must_use]
    pub fn dimmed(self) -> Self {
        Self { dimmed: true, ..self }
    }
}

/// A picture that is ready to be drawn.
#[derive(Clone, Debug)]
pub struct Painted {
    /// What was wanted.
    pub wanted: PictureRequest,
    /// How it is drawn.
    pub frame: Arc<Frame>,
}

/// A picture as cells.
#[derive(Debug)]
pub struct Frame {
    /// The cells it covers: at most those requested, in the picture's aspect ratio.
    pub cells: Buffer,
    /// The sequence that is sent to the terminal once, before these cells are shown.
    pub transmit: Option<Arc<str>>,
    /// Its image id in the terminal, for kitty.
    pub id: Option<u32>,
    /// Whether it can only be drawn in full, because one cell carries all of it.
    pub in_one_piece: bool,
    /// Width and height of the original picture, in pixels.
    pub pixels: (u32, u32),
    /// How much two pictures differ, if this is their difference.
    pub difference: Option<Difference>,
}

impl Frame {
    /// Returns its approximate size in memory, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let cells = self.cells.content.len() * size_of::<ratatui::buffer::Cell>();
        let symbols: usize = self.cells.content.iter().map(|cell| cell.symbol().len()).sum();
        cells + symbols + self.transmit.as_ref().map_or(0, |it| it.len())
    }
}

/// The error of a request that was dropped in favour of newer ones. It may be repeated.
pub const DROPPED: &str = "";
