//! `image.generate`

mod gradient;
mod hills;
mod mandelbrot;
mod noise;
mod palette;
mod plasma;
mod relief;
mod sea;
mod voronoi;

use fanlight_shared::types::Type;
use fanlight_shared::value::Values;
use image::{DynamicImage, Rgb, RgbImage};

use self::palette::{Linear, Palette};
use super::build::{Build, ty};
use super::typed_inputs::{TypedInputs, one};
use super::{NodeType, Runner, Workspace};
use crate::file_error::FileError;
use crate::picture::{SIDE, byte, check_size};
use fanlight_shared::rng::Rng;

/// A picture as a function: the colour at a point. `y` runs from -1 at the top to 1 at the bottom, and `x` has the same
/// scale, so that the same seed gives the same composition in every size.
type Scene = Box<dyn Fn(f32, f32) -> Linear>;

const STYLES: [&str; 7] = ["plasma", "gradient", "noise", "voronoi", "mandelbrot", "hills", "sea"];

pub(super) fn node_type() -> NodeType {
    Build::new("image.generate", "Paints a picture from a seed; the same inputs give the same picture.")
        .input(
            "style",
            Type::Choice,
            "The style: `plasma` flows, `gradient` is soft, `noise` looks like a relief, `voronoi` like glass, `hills` and `sea` are landscapes.",
        )
        .default("plasma")
        .choices(&STYLES)
        .input("width", Type::Int, "The width in pixels.")
        .default(768_i64)
        .range(1.0, f64::from(SIDE))
        .input("height", Type::Int, "The height in pixels.")
        .default(512_i64)
        .range(1.0, f64::from(SIDE))
        .input("seed", Type::Int, "The seed; each one gives another picture.")
        .default(1_i64)
        .input("palette", Type::Choice, "The colours; `auto` lets the seed choose.")
        .default("auto")
        .choices(&palette::names())
        .output("image", ty::image(), "The picture.")
        .remember()
        .run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let style = inputs.text("style")?;
    let (width, height) = (inputs.count("width")?, inputs.count("height")?);
    let picture = paint(style, width, height, inputs.int("seed")?, inputs.text("palette")?)?;
    Ok(one("image", workspace.put_picture(style, &DynamicImage::from(picture))?))
}

/// Paints a picture.
///
/// # Errors
/// It is too large.
pub(super) fn paint(
    style: &str,
    width: u32,
    height: u32,
    seed: i64,
    palette: &str,
) -> Result<RgbImage, String> {
    check_size(width, height)?;
    let mut rng = Rng::new(seed);
    let palette = Palette::named(palette, &mut rng);
    let scene = match style {
        "plasma" => plasma::scene(&mut rng, palette),
        "gradient" => gradient::scene(&mut rng, palette),
        "noise" => relief::scene(&mut rng, palette),
        "voronoi" => voronoi::scene(&mut rng, palette),
        "mandelbrot" => mandelbrot::scene(&mut rng, palette),
        "hills" => hills::scene(&mut rng, palette),
        "sea" => sea::scene(&mut rng, palette),
        other => return Err(format!("`{other}` is not a style")),
    };
    Ok(render(&scene, width, height, rng.seed()))
}

/// The additional samples of a pixel with an edge: a rotated square, so that near-horizontal edges are smooth.
const AROUND: [(f32, f32); 4] = [(-0.125, -0.375), (0.375, -0.125), (0.125, 0.375), (-0.375, 0.125)];
/// The difference between neighbours above which there is an edge, in display values of 0..255.
const EDGE: f32 = 9.0;

/// The samples of a row of pixels.
struct Row {
    colours: Vec<Linear>,
    /// As they are shown: each is compared with its four neighbours.
    shown: Vec<[f32; 3]>,
}

impl Row {
    fn new(colours: Vec<Linear>) -> Self {
        let shown = colours.iter().map(|colour| palette::display(*colour)).collect();
        Self { colours, shown }
    }
}

/// Samples every pixel once, those at edges five times, and dithers so that soft gradients show no bands.
#[allow(clippy::cast_precision_loss)]
fn render(scene: &Scene, width: u32, height: u32, seed: u32) -> RgbImage {
    let scale = 2.0 / height as f32;
    let aspect = width as f32 / height as f32;
    let sample = |x: f32, y: f32| scene(x * scale - aspect, y * scale - 1.0);
    let (w, h) = (width as usize, height as usize);
    let row = |y: usize| Row::new((0..w).map(|x| sample(x as f32 + 0.5, y as f32 + 0.5)).collect());
    let mut picture = RgbImage::new(width, height);
    let mut above: Option<Row> = None;
    let mut here = row(0);
    for y in 0..h {
        let below = (y + 1 < h).then(|| row(y + 1));
        for x in 0..w {
            let shown = here.shown[x];
            let neighbours = [
                x.checked_sub(1).map(|left| here.shown[left]),
                here.shown.get(x + 1).copied(),
                above.as_ref().map(|it| it.shown[x]),
                below.as_ref().map(|it| it.shown[x]),
            ];
            let edge = neighbours
                .into_iter()
                .flatten()
                .any(|other| (0..3).any(|channel| (other[channel] - shown[channel]).abs() > EDGE));
            let colour = if edge {
                let mut sum = here.colours[x];
                for (dx, dy) in AROUND {
                    let more = sample(x as f32 + 0.5 + dx, y as f32 + 0.5 + dy);
                    sum = palette::channels(|channel| sum[channel] + more[channel].clamp(0.0, 1.0));
                }
                palette::display(palette::channels(|channel| sum[channel] / 5.0))
            } else {
                shown
            };
            let grain = noise::unit(x as i32, y as i32, seed) - 0.5;
            let [r, g, b] = colour;
            let pixel = Rgb([byte(r + grain), byte(g + grain), byte(b + grain)]);
            picture.put_pixel(x as u32, y as u32, pixel);
        }
        above = Some(here);
        match below {
            Some(next) => here = next,
            None => break,
        }
    }
    picture
}

#[cfg(test)]
mod tests;
