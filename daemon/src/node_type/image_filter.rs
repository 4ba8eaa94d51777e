//! `image.filter`

use fanlight_shared::types::Type;
use fanlight_shared::value::Values;
use image::{DynamicImage, GrayImage, Luma, Rgba, RgbaImage, imageops};

use super::build::{Build, ty};
use super::typed_inputs::{TypedInputs, one};
use super::{NodeType, Runner, Workspace};
use crate::file_error::FileError;
use crate::picture::byte;

/// Filters that accept a negative amount.
const SIGNED: [&str; 3] = ["hue", "contrast", "brightness"];

pub(super) fn node_type() -> NodeType {
    Build::new("image.filter", "Applies a filter to a picture.")
        .input("image", ty::image(), "The picture.")
        .input("filter", Type::Choice, "The filter.")
        .choices(&["blur", "sharpen", "grayscale", "invert", "hue", "contrast", "brightness", "edges"])
        .input(
            "amount",
            Type::Float,
            "The strength; 0 changes nothing. For `hue`, 1 is a full turn. `hue`, `contrast` and `brightness` also accept negative amounts.",
        )
        .default(0.5)
        .range(-1.0, 1.0)
        .output("image", ty::image(), "The filtered picture, of the same size.")
        .remember()
        .run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let given = inputs.value("image")?;
    let (filter, amount) = (inputs.text("filter")?, inputs.float("amount")?);
    if amount < 0.0 && !SIGNED.contains(&filter) {
        return Err(
            format!("`{filter}` does not accept a negative amount; only {} do", SIGNED.join(", ")).into()
        );
    }
    let picture = workspace.picture(given)?.into_rgba8();
    let made = apply(picture, filter, amount as f32);
    Ok(one("image", workspace.put_picture(Workspace::name_of(given), &DynamicImage::from(made))?))
}

fn apply(mut picture: RgbaImage, filter: &str, amount: f32) -> RgbaImage {
    if amount == 0.0 {
        return picture;
    }
    let shorter = picture.width().min(picture.height()) as f32;
    match filter {
        // At most a twentieth of the shorter side, so that shapes are still recognisable.
        "blur" => blurred(&picture, amount * shorter / 20.0),
        "sharpen" => {
            let soft = blurred(&picture, (shorter / 400.0).max(0.8));
            mix(picture, &soft, |was, soft| was + (was - soft) * amount * 2.5)
        }
        "grayscale" => each(picture, |rgb| {
            let grey = luma(rgb);
            rgb.map(|it| it + (grey - it) * amount)
        }),
        "invert" => each(picture, |rgb| rgb.map(|it| it + (255.0 - 2.0 * it) * amount)),
        "contrast" => {
            let factor = if amount < 0.0 { 1.0 + amount } else { 1.0 + 2.0 * amount };
            each(picture, |rgb| rgb.map(|it| (it - 127.5) * factor + 127.5))
        }
        "brightness" => each(picture, |rgb| rgb.map(|it| it + 255.0 * 0.6 * amount)),
        "hue" => {
            imageops::colorops::huerotate_in_place(&mut picture, (amount * 360.0).round() as i32);
            picture
        }
        _ => {
            let grey = GrayImage::from_fn(picture.width(), picture.height(), |x, y| {
                let [r, g, b, _] = picture.get_pixel(x, y).0;
                Luma([byte(luma([r, g, b].map(f32::from)))])
            });
            let edges = RgbaImage::from_fn(picture.width(), picture.height(), |x, y| {
                let edge = byte(gradient(&grey, x, y) / 3.0);
                Rgba([edge, edge, edge, picture.get_pixel(x, y).0[3]])
            });
            mix(picture, &edges, |was, edge| was + (edge - was) * amount)
        }
    }
}

pub(super) fn blurred(picture: &RgbaImage, sigma: f32) -> RgbaImage {
    if sigma < 0.1 { picture.clone() } else { imageops::fast_blur(picture, sigma) }
}

/// Returns the magnitude of the Sobel gradient at a pixel, as an integer. Beyond the border, the nearest pixel is used.
fn gradient(grey: &GrayImage, x: u32, y: u32) -> f32 {
    let (left, right) = (x.saturating_sub(1), (x + 1).min(grey.width() - 1));
    let (above, below) = (y.saturating_sub(1), (y + 1).min(grey.height() - 1));
    let at = |x, y| f32::from(grey.get_pixel(x, y).0[0]);
    let column = |x| at(x, above) + 2.0 * at(x, y) + at(x, below);
    let row = |y| at(left, y) + 2.0 * at(x, y) + at(right, y);
    let (across, down) = (column(right) - column(left), row(below) - row(above));
    // The sum is an integer that `f32` holds exactly, so the root of a square is an integer too.
    (across * across + down * down).sqrt().trunc()
}

fn luma([r, g, b]: [f32; 3]) -> f32 {
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

fn each(mut picture: RgbaImage, change: impl Fn([f32; 3]) -> [f32; 3]) -> RgbaImage {
    for Rgba([r, g, b, _]) in picture.pixels_mut() {
        [*r, *g, *b] = change([*r, *g, *b].map(f32::from)).map(byte);
    }
    picture
}

fn mix(mut picture: RgbaImage, other: &RgbaImage, change: impl Fn(f32, f32) -> f32) -> RgbaImage {
    for (pixel, other) in picture.pixels_mut().zip(other.pixels()) {
        for channel in 0..3 {
            pixel.0[channel] = byte(change(f32::from(pixel.0[channel]), f32::from(other.0[channel])));
        }
    }
    picture
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_tone() -> RgbaImage {
        RgbaImage::from_fn(
            16,
            16,
            |x, _| if x < 8 { Rgba([200, 40, 40, 255]) } else { Rgba([20, 60, 90, 128]) },
        )
    }

    #[test]
    fn every_filter_changes_the_picture_and_keeps_size_and_alpha() {
        let spec = node_type().spec;
        for filter in &spec.inputs["filter"].choices {
            let made = apply(two_tone(), filter, 0.5);
            assert_eq!(made.dimensions(), (16, 16));
            assert_ne!(made, two_tone(), "{filter}");
            assert_eq!(apply(two_tone(), filter, 0.0), two_tone(), "{filter} by 0");
            if filter != "blur" {
                assert!(made.pixels().zip(two_tone().pixels()).all(|(a, b)| a.0[3] == b.0[3]), "{filter}");
            }
        }
    }

    #[test]
    fn a_gradient_is_the_length_of_both_differences() {
        let grey = GrayImage::from_raw(3, 3, vec![0, 0, 9, 0, 20, 9, 30, 30, 30]).unwrap();
        assert_eq!(gradient(&grey, 1, 1), 114.0, "27 across and 111 down");
        assert_eq!(gradient(&GrayImage::new(1, 1), 0, 0), 0.0);
    }

    #[test]
    fn a_filter_at_full_strength_does_what_its_name_says() {
        let grey = apply(two_tone(), "grayscale", 1.0);
        assert!(grey.pixels().all(|it| it.0[0] == it.0[1] && it.0[1] == it.0[2]));
        assert_eq!(apply(apply(two_tone(), "invert", 1.0), "invert", 1.0), two_tone());
        let edges = apply(two_tone(), "edges", 1.0);
        assert!(edges.get_pixel(8, 8).0[0] > 20 && edges.get_pixel(2, 8).0[0] == 0);
    }
}
