//! `image.blend`

use fanlight_shared::types::Type;
use fanlight_shared::value::Values;
use image::{DynamicImage, Rgba, RgbaImage};

use super::build::{Build, ty};
use super::typed_inputs::{TypedInputs, one};
use super::{NodeType, Runner, Workspace};
use crate::file_error::FileError;
use crate::picture::{byte, scaled};

const MODES: [&str; 9] =
    ["normal", "multiply", "screen", "overlay", "soft_light", "darken", "lighten", "add", "difference"];

pub(super) fn node_type() -> NodeType {
    Build::new("image.blend", "Blends one picture over another.")
        .input("image", ty::image(), "The picture below, which determines the size.")
        .input("over", ty::image(), "The picture above, stretched to the size of the one below.")
        .input("mode", Type::Choice, "How to combine the colours.")
        .default("normal")
        .choices(&MODES)
        .input("opacity", Type::Float, "The opacity of the upper picture.")
        .default(0.5)
        .range(0.0, 1.0)
        .output("image", ty::image(), "The blended picture.")
        .remember()
        .run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let given = inputs.value("image")?;
    let mut below = workspace.picture(given)?.into_rgba8();
    let over = DynamicImage::from(workspace.picture(inputs.value("over")?)?.into_rgba8());
    let over = scaled(&over, below.width(), below.height())?.into_rgba8();
    blend(&mut below, &over, inputs.text("mode")?, inputs.float("opacity")? as f32);
    Ok(one("image", workspace.put_picture(Workspace::name_of(given), &DynamicImage::from(below))?))
}

fn blend(below: &mut RgbaImage, over: &RgbaImage, mode: &str, opacity: f32) {
    let combine = formula(mode);
    for (pixel, upper) in below.pixels_mut().zip(over.pixels()) {
        *pixel = one_pixel(*pixel, *upper, combine, opacity);
    }
}

/// Blends one pixel by the compositing formula of the W3C: the mode applies where both pictures are opaque, and
/// transparent parts show the other.
fn one_pixel(below: Rgba<u8>, over: Rgba<u8>, combine: fn(f32, f32) -> f32, opacity: f32) -> Rgba<u8> {
    let share = |byte: u8| f32::from(byte) / 255.0;
    let (ab, ao) = (share(below.0[3]), share(over.0[3]) * opacity);
    let alpha = ab + ao - ab * ao;
    if alpha <= 0.0 {
        return Rgba([0; 4]);
    }
    let channel = |i: usize| {
        let (b, o) = (share(below.0[i]), share(over.0[i]));
        let mixed = (1.0 - ab) * o + ab * combine(b, o).clamp(0.0, 1.0);
        byte(((1.0 - ao) * ab * b + ao * mixed) / alpha * 255.0)
    };
    Rgba([channel(0), channel(1), channel(2), byte(alpha * 255.0)])
}

fn formula(mode: &str) -> fn(f32, f32) -> f32 {
    match mode {
        "multiply" => |b, o| b * o,
        "screen" => |b, o| b + o - b * o,
        "overlay" => |b, o| if b < 0.5 { 2.0 * b * o } else { 1.0 - 2.0 * (1.0 - b) * (1.0 - o) },
        "soft_light" => |b, o| (1.0 - 2.0 * o) * b * b + 2.0 * o * b,
        "darken" => f32::min,
        "lighten" => f32::max,
        "add" => |b, o| b + o,
        "difference" => |b, o| (b - o).abs(),
        _ => |_, o| o,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(mode: &str, opacity: f32, below: [u8; 4], over: [u8; 4]) -> [u8; 4] {
        one_pixel(Rgba(below), Rgba(over), formula(mode), opacity).0
    }

    #[test]
    fn modes_do_what_they_are_known_for() {
        let (grey, white, black) = ([128, 128, 128, 255], [255; 4], [0, 0, 0, 255]);
        assert_eq!(of("normal", 1.0, grey, white), white);
        assert_eq!(of("multiply", 1.0, grey, white), grey);
        assert_eq!(of("screen", 1.0, grey, black), grey);
        assert_eq!(of("difference", 1.0, grey, grey), black);
        assert_eq!(of("darken", 1.0, grey, white), grey);
        assert_eq!(of("lighten", 1.0, grey, white), white);
        assert_eq!(of("add", 1.0, grey, white), white);
        for mode in MODES {
            assert_eq!(of(mode, 0.0, grey, white), grey, "{mode} at no opacity");
        }
    }

    #[test]
    fn transparency_is_respected() {
        assert_eq!(of("normal", 1.0, [0, 0, 0, 0], [10, 20, 30, 255]), [10, 20, 30, 255]);
        assert_eq!(of("multiply", 1.0, [10, 20, 30, 255], [0, 0, 0, 0]), [10, 20, 30, 255]);
        assert_eq!(of("normal", 1.0, [9, 9, 9, 0], [9, 9, 9, 0]), [0; 4]);
    }
}
