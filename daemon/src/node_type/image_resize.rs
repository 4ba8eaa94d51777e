//! `image.resize`

use fanlight_shared::types::Type;
use fanlight_shared::value::Values;
use image::DynamicImage;

use super::build::{Build, ty};
use super::typed_inputs::{TypedInputs, one};
use super::{NodeType, Runner, Workspace};
use crate::file_error::FileError;
use crate::picture::{SIDE, scaled};

pub(super) fn node_type() -> NodeType {
    Build::new("image.resize", "Makes a picture larger or smaller.")
        .input("image", ty::image(), "The picture.")
        .input("width", Type::Int, "The width in pixels; by default it follows from the height.")
        .optional()
        .range(1.0, f64::from(SIDE))
        .input("height", Type::Int, "The height in pixels; by default it follows from the width.")
        .optional()
        .range(1.0, f64::from(SIDE))
        .input(
            "mode",
            Type::Choice,
            "What to do if both are given: `fit` fits the picture inside, `fill` covers the area and crops the rest, `stretch` distorts.",
        )
        .default("fit")
        .choices(&["fit", "fill", "stretch"])
        .output("image", ty::image(), "The resized picture.")
        .remember()
        .run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let given = inputs.value("image")?;
    let side = |name: &str| inputs.maybe(name).map(|_| inputs.count(name)).transpose();
    let (width, height) = (side("width")?, side("height")?);
    if width.is_none() && height.is_none() {
        return Err("neither `width` nor `height` is given; set one of them".into());
    }
    let picture = workspace.picture(given)?;
    let made = resize(picture, width, height, inputs.text("mode")?)?;
    Ok(one("image", workspace.put_picture(Workspace::name_of(given), &made)?))
}

fn resize(
    picture: DynamicImage,
    width: Option<u32>,
    height: Option<u32>,
    mode: &str,
) -> Result<DynamicImage, String> {
    let (w, h) = (f64::from(picture.width()), f64::from(picture.height()));
    let across = width.map(|it| f64::from(it) / w);
    let down = height.map(|it| f64::from(it) / h);
    let (Some(x), Some(y)) = (across.or(down), down.or(across)) else { return Ok(picture) };
    match mode {
        "stretch" => scaled(&picture, pixels(w * x), pixels(h * y)),
        "fill" => {
            let scale = x.max(y);
            let (width, height) = (pixels(w * x), pixels(h * y));
            // Cropping first keeps the resized picture as small as the result.
            let (cut_w, cut_h) = (pixels(w * x / scale), pixels(h * y / scale));
            let (left, top) = (
                (picture.width() - cut_w.min(picture.width())) / 2,
                (picture.height() - cut_h.min(picture.height())) / 2,
            );
            scaled(&picture.crop_imm(left, top, cut_w, cut_h), width, height)
        }
        _ => {
            let scale = x.min(y);
            scaled(&picture, pixels(w * scale), pixels(h * scale))
        }
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn pixels(length: f64) -> u32 {
    (length.round() as u32).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(width: Option<u32>, height: Option<u32>, mode: &str) -> (u32, u32) {
        let made = resize(DynamicImage::new_rgb8(40, 20), width, height, mode).unwrap();
        (made.width(), made.height())
    }

    #[test]
    fn modes_give_the_sizes_they_promise() {
        assert_eq!(size(Some(20), None, "fit"), (20, 10));
        assert_eq!(size(None, Some(40), "fill"), (80, 40));
        assert_eq!(size(Some(10), Some(10), "fit"), (10, 5));
        assert_eq!(size(Some(10), Some(10), "fill"), (10, 10));
        assert_eq!(size(Some(10), Some(10), "stretch"), (10, 10));
    }

    #[test]
    fn a_huge_result_is_refused_before_it_is_made() {
        let error = resize(DynamicImage::new_rgb8(10, 10_000), Some(1000), None, "fit").unwrap_err();
        assert!(error.contains("too large"), "{error}");
    }

    #[test]
    fn fill_keeps_the_middle() {
        let mut wide = image::RgbImage::new(30, 10);
        for (x, _, pixel) in wide.enumerate_pixels_mut() {
            *pixel = if (10..20).contains(&x) { image::Rgb([255, 0, 0]) } else { image::Rgb([0, 0, 255]) };
        }
        let made = resize(wide.into(), Some(10), Some(10), "fill").unwrap().to_rgb8();
        assert!(made.pixels().all(|pixel| pixel.0 == [255, 0, 0]));
    }
}
