//! `image.load`

use fanlight_shared::value::Values;

use super::build::{Build, ty};
use super::given::{Given, one};
use super::{NodeType, Runner};
use crate::worker::Bench;

pub(super) fn node_type() -> NodeType {
    Build::new("image.load", "Decodes a file as a picture, turned upright as its EXIF data says.")
        .input("file", ty::file(), "PNG, JPEG, GIF (its first frame), WebP, BMP or TIFF.")
        .output("image", ty::image(), "The picture, as PNG.")
        .run(Runner::Worker(run))
}

fn run(bench: &mut Bench, inputs: Values) -> Result<Values, String> {
    let file = inputs.value("file")?;
    let picture = bench.picture(file)?;
    Ok(one("image", bench.put_picture(Bench::name_of(file), &picture)?))
}
