//! `image.crop`

use fanlight_shared::types::Type;
use fanlight_shared::value::Values;

use super::build::{Build, ty};
use super::typed_inputs::{TypedInputs, one};
use super::{NodeType, Runner, Workspace};
use crate::file_error::FileError;
use crate::picture::SIDE;

pub(super) fn node_type() -> NodeType {
    let side = f64::from(SIDE);
    Build::new("image.crop", "Cuts a rectangle out of a picture.")
        .input("image", ty::image(), "The picture.")
        .input("x", Type::Int, "The left edge of the rectangle, in pixels.")
        .default(0_i64)
        .range(0.0, side)
        .input("y", Type::Int, "The top edge of the rectangle, in pixels.")
        .default(0_i64)
        .range(0.0, side)
        .input("width", Type::Int, "The width in pixels; up to the right edge of the picture by default.")
        .optional()
        .range(1.0, side)
        .input(
            "height",
            Type::Int,
            "The height in pixels; down to the bottom edge of the picture by default.",
        )
        .optional()
        .range(1.0, side)
        .output("image", ty::image(), "The rectangle, without what is outside of the picture.")
        .remember()
        .run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let given = inputs.value("image")?;
    let (x, y) = (inputs.count("x")?, inputs.count("y")?);
    let side = |name: &str| inputs.maybe(name).map_or(Ok(SIDE), |_| inputs.count(name));
    let (width, height) = (side("width")?, side("height")?);
    let picture = workspace.picture(given)?;
    let (w, h) = (picture.width(), picture.height());
    if x >= w || y >= h {
        return Err(
            format!("the rectangle begins at {x}, {y}, outside the picture of {w} × {h} pixels").into()
        );
    }
    let made = picture.crop_imm(x, y, width.min(w - x), height.min(h - y));
    Ok(one("image", workspace.put_picture(Workspace::name_of(given), &made)?))
}
