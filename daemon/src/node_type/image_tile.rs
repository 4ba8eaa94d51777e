//! `image.tile`

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};
use image::{DynamicImage, Rgba, RgbaImage, imageops};

use super::build::{Build, ty};
use super::lettering::{Area, Style, write};
use super::typed_inputs::{TypedInputs, check_lengths, one};
use super::{NodeType, Runner, Workspace};
use crate::file_error::FileError;
use crate::picture::{check_size, scaled};

pub(super) fn node_type() -> NodeType {
    Build::new("image.tile", "Arranges pictures as a contact sheet.")
        .input("images", ty::image().list(), "The pictures, in order.")
        .input("columns", Type::Int, "The number of columns; 0 makes the sheet about square.")
        .default(0_i64)
        .range(0.0, 1000.0)
        .input(
            "width",
            Type::Int,
            "The width of each picture in pixels; the first one determines the height.",
        )
        .default(320_i64)
        .range(8.0, 4096.0)
        .input("gap", Type::Int, "The space between pictures and around the sheet, in pixels.")
        .default(20_i64)
        .range(0.0, 1000.0)
        .input("background", Type::Text, "The colour of the sheet.")
        .default("#16181d")
        .input("labels", Type::Text.list(), "The labels below the pictures: one text for each.")
        .optional()
        .input("label_color", Type::Text, "The colour of the labels.")
        .default("#d7dae0")
        .input("title", Type::Text, "The title above the pictures.")
        .default("")
        .output("image", ty::image(), "The sheet.")
        .remember()
        .run(Runner::worker(run))
}

struct Grid {
    columns: u32,
    gap: u32,
    width: u32,
    height: u32,
    label: u32,
    title: u32,
}

impl Grid {
    /// Returns the size of the sheet, saturated to 32 bits.
    fn size(&self, count: u32) -> (u32, u32) {
        let rows = count.div_ceil(self.columns);
        let across = u64::from(self.columns) * u64::from(self.width + self.gap) + u64::from(self.gap);
        let down = u64::from(rows) * u64::from(self.height + self.label + self.gap)
            + u64::from(self.gap)
            + u64::from(self.title);
        let fits = |length: u64| u32::try_from(length).unwrap_or(u32::MAX);
        (fits(across), fits(down))
    }

    fn corner(&self, nth: u32) -> (u32, u32) {
        let (row, column) = (nth / self.columns, nth % self.columns);
        (
            self.gap + column * (self.width + self.gap),
            self.title + self.gap + row * (self.height + self.label + self.gap),
        )
    }
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let given = inputs.list("images")?;
    let labels = inputs.maybe("labels").and_then(Value::as_list);
    if let Some(labels) = labels {
        check_lengths(("images", given), ("labels", labels))?;
    }
    let label_of = |at: usize| labels.and_then(|labels| labels[at].as_text());
    let (images, labels): (Vec<&Value>, Vec<Option<&str>>) = given
        .iter()
        .enumerate()
        .filter(|(_, image)| **image != Value::None)
        .map(|(at, image)| (image, label_of(at)))
        .unzip();
    let first = images.first().ok_or("there are no pictures to lay out")?;
    let count = u32::try_from(images.len()).map_err(|_| "there are too many pictures")?;
    let columns = match inputs.count("columns")? {
        0 => (f64::from(count)).sqrt().ceil() as u32,
        given => given.min(count),
    };
    let width = inputs.count("width")?;
    let shape = workspace.picture(first)?;
    let ratio = f64::from(shape.height()) / f64::from(shape.width());
    let height = ((f64::from(width) * ratio).round() as u32).clamp(1, 4 * width);
    let text = (f64::from(width) * 0.075).clamp(11.0, 40.0) as u32;
    let title = inputs.text("title")?;
    let grid = Grid {
        columns,
        gap: inputs.count("gap")?,
        width,
        height,
        label: if labels.iter().any(Option::is_some) { text * 2 } else { 0 },
        title: if title.is_empty() { 0 } else { text * 4 },
    };
    let (w, h) = grid.size(count);
    check_size(w, h)
        .map_err(|error| format!("the sheet: {error}; give a smaller `width` or fewer pictures"))?;
    let mut sheet = RgbaImage::from_pixel(w, h, inputs.colour("background")?);
    let color = inputs.colour("label_color")?;
    let mut shape = Some(shape);
    for (nth, (image, label)) in (0..).zip(images.iter().zip(&labels)) {
        let (x, y) = grid.corner(nth);
        let picture = match shape.take() {
            Some(first) => first,
            None => workspace.picture(image)?,
        };
        let picture = fit(&picture, width, height)?;
        let (left, top) = (x + (width - picture.width()) / 2, y + (height - picture.height()) / 2);
        imageops::overlay(&mut sheet, &picture, i64::from(left), i64::from(top));
        if let Some(label) = label {
            let below = (x as f32, (y + height) as f32, width as f32, grid.label as f32);
            letter(&mut sheet, label, below, text as f32, color)?;
        }
    }
    let above =
        (grid.gap as f32, grid.gap as f32 * 0.5, (w - 2 * grid.gap.min(w / 2)) as f32, grid.title as f32);
    letter(&mut sheet, title, above, text as f32 * 1.9, color)?;
    Ok(one("image", workspace.put_picture("sheet", &DynamicImage::from(sheet))?))
}

/// Returns the picture scaled to fit into a box.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn fit(picture: &DynamicImage, width: u32, height: u32) -> Result<RgbaImage, String> {
    let (w, h) = (f64::from(picture.width()), f64::from(picture.height()));
    let scale = (f64::from(width) / w).min(f64::from(height) / h);
    let pixels = |length: f64, most: u32| ((length * scale).round() as u32).clamp(1, most);
    let picture = DynamicImage::from(picture.to_rgba8());
    Ok(scaled(&picture, pixels(w, width), pixels(h, height))?.into_rgba8())
}

/// Writes a text into the middle of an area.
pub(super) fn letter(
    sheet: &mut RgbaImage,
    text: &str,
    (x, y, width, height): (f32, f32, f32, f32),
    size: f32,
    color: Rgba<u8>,
) -> Result<(), String> {
    let style = Style { size, color, outline: 0.0, outline_color: color, shadow: 0.0, spacing: 0.01 };
    write(sheet, text, Area { x, y, width, height, across: 0.5, down: 0.5 }, &style)
}
