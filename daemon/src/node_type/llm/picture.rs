//! The picture of the stand-in: painted from a seed, and labelled with what was asked for.

use std::path::Path;

use fanlight_shared::id::BlobHash;
use fanlight_shared::media::MediaKind;
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values, cut};
use image::{DynamicImage, Rgba};

use super::ask::Asker;
use super::stored::store_made;
use super::{options, requests, usage};
use crate::file_error::FileError;
use crate::node_type::build::{Build, ty};
use crate::node_type::image_generate::paint;
use crate::node_type::lettering::{Area, Style, write};
use crate::node_type::typed_inputs::TypedInputs as _;
use crate::node_type::{Made, NodeCall};
use crate::picture::encode;
use crate::store::blob::Published;

/// The size of a picture for which nothing is said.
const SIDE: u32 = 1024;

/// Adds the inputs and outputs of a type that makes a picture.
pub(super) fn picturing(build: Build) -> Build {
    let build = build
        .input(
            "size",
            Type::Text,
            "The size in pixels, such as `1536x1024`; by default what the model makes.",
        )
        .optional()
        .input("seed", Type::Int, "The seed of the stand-in; each one gives another picture.")
        .default(1_i64);
    requests(options(build)).output("image", ty::image(), "The picture.").output(
        "usage",
        Type::Json,
        "Provider, model, tokens, and the cost if it is known.",
    )
}

/// Paints the picture of the stand-in.
///
/// # Errors
/// The size is not one.
pub(super) async fn stand_in(
    call: &NodeCall,
    prompt: &str,
    of: &str,
) -> Result<(Value, Published), FileError> {
    let painted = Painted {
        of: format!("{of}{prompt}"),
        label: prompt.to_owned(),
        seed: call.inputs.int("seed")?,
        size: size(call.inputs.maybe("size").and_then(Value::as_text), (SIDE, SIDE))?,
    };
    store_made(call, "picture", MediaKind::Image, move |path| paint_labelled(&painted, path)).await
}

/// A picture of the stand-in.
pub(super) struct Painted {
    /// What it is made of, besides the seed: another text gives another picture.
    pub(super) of: String,
    /// What was asked for.
    pub(super) label: String,
    pub(super) seed: i64,
    /// Width and height in pixels.
    pub(super) size: (u32, u32),
}

/// Paints a picture that says what it is. Blocks.
pub(super) fn paint_labelled(painted: &Painted, path: &Path) -> Result<(), FileError> {
    let (width, height) = painted.size;
    let mixed = mixed(&painted.of, painted.seed);
    let label = label(&painted.label);
    let style = ["sea", "hills", "plasma", "voronoi", "gradient"][mixed.rem_euclid(5) as usize];
    let mut picture = DynamicImage::from(paint(style, width, height, mixed, "auto")?).into_rgba8();
    let (w, h) = (width as f32, height as f32);
    let letters = Style {
        size: h * 0.05,
        color: Rgba([255, 255, 255, 255]),
        outline: 0.0,
        outline_color: Rgba([0, 0, 0, 255]),
        shadow: 0.6,
        spacing: 0.0,
    };
    let margin = w.min(h) * 0.04;
    let area = Area {
        x: margin,
        y: margin,
        width: w - 2.0 * margin,
        height: h - 2.0 * margin,
        across: 0.0,
        down: 0.0,
    };
    write(&mut picture, &label, area, &letters)?;
    // A try that found the disk full may have left it.
    let _ = std::fs::remove_file(path);
    encode(&DynamicImage::from(picture), path)
}

/// Returns a seed that another text makes another one.
pub(super) fn mixed(of: &str, seed: i64) -> i64 {
    let hash = BlobHash::of(of.as_bytes()).to_string();
    hash.bytes().take(12).fold(seed, |sum, byte| sum.wrapping_mul(31).wrapping_add(i64::from(byte)))
}

/// Returns the words that say what was asked for, and that no model made it.
pub(super) fn label(prompt: &str) -> String {
    format!("stand-in: {}", cut(&fanlight_shared::sanitise::line(prompt), 80))
}

/// Returns the width and the height that an input says.
pub(super) fn size(given: Option<&str>, by_default: (u32, u32)) -> Result<(u32, u32), String> {
    let Some(text) = given.filter(|text| *text != "auto") else { return Ok(by_default) };
    let sides =
        text.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    sides
        .filter(|(width, height)| (16..=4096).contains(width) && (16..=4096).contains(height))
        .ok_or_else(|| format!("input `size`: `{}` is not a size such as `1024x1024`", cut(text, 40)))
}

/// Returns the outputs.
pub(super) fn made(asker: &Asker, (image, published): (Value, Published)) -> Made {
    let values = Values::from([("image".to_owned(), image), ("usage".to_owned(), usage(asker))]);
    Ok((values, vec![published]))
}
