//! Pictures: wanted by the update, decoded and encoded off the loop, drawn by the view once they are there. PLACEHOLDER
//! bodies.

use fanlight_shared::id::AssetId;

/// A picture that is to be shown in so many cells.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Wanted {
    /// Whose picture.
    pub asset: AssetId,
    /// Its place, in cells.
    pub cells: (u16, u16),
    /// The stored preview is enough; else the whole picture is fetched.
    pub thumbnail: bool,
    /// The part of the picture that fills the place: left, top, width, height, each between 0 and 1.
    pub part: [f32; 4],
}

/// A picture that is ready to be drawn.
#[derive(Debug)]
pub struct Painted {
    /// What was wanted.
    pub wanted: Wanted,
}

/// Pictures that are ready to be drawn, by what was wanted; the update keeps them, the view draws them. PLACEHOLDER.
#[derive(Debug, Default)]
pub struct Pictures {}
