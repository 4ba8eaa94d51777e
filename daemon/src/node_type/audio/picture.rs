//! What pictures of sounds have in common.

use fanlight_shared::types::Type;

use crate::node_type::build::{Build, ty};
use crate::picture::SIDE;

/// Adds the inputs and the output of a picture of a sound.
pub(super) fn picturing(build: Build, width: i64, height: i64) -> Build {
    build
        .input("audio", ty::audio(), "The sound.")
        .input("width", Type::Int, "The width in pixels.")
        .default(width)
        .range(1.0, f64::from(SIDE))
        .input("height", Type::Int, "The height in pixels.")
        .default(height)
        .range(1.0, f64::from(SIDE))
        .output("image", ty::image(), "The picture.")
}
