//! `image.text`

use fanlight_shared::types::Type;
use fanlight_shared::value::Values;
use image::DynamicImage;

use super::build::{Build, ty};
use super::lettering::{Area, Style, write};
use super::typed_inputs::{TypedInputs, one};
use super::{NodeType, Runner, Workspace};
use crate::file_error::FileError;

const POSITIONS: [(&str, (f32, f32)); 9] = [
    ("top_left", (0.0, 0.0)),
    ("top", (0.5, 0.0)),
    ("top_right", (1.0, 0.0)),
    ("left", (0.0, 0.5)),
    ("center", (0.5, 0.5)),
    ("right", (1.0, 0.5)),
    ("bottom_left", (0.0, 1.0)),
    ("bottom", (0.5, 1.0)),
    ("bottom_right", (1.0, 1.0)),
];

pub(super) fn node_type() -> NodeType {
    Build::new("image.text", "Writes text on a picture; it is wrapped, and made smaller if it does not fit.")
        .input("image", ty::image(), "The picture.")
        .input("text", Type::Text, "The text to write; line breaks are kept.")
        .input("position", Type::Choice, "The position of the text.")
        .default("bottom")
        .choices(&POSITIONS.map(|it| it.0))
        .input("size", Type::Float, "The height of a line, as a fraction of the picture's height.")
        .default(0.1)
        .range(0.005, 1.0)
        .input("color", Type::Text, "The colour: `#rrggbb`, `#rrggbbaa` or a name such as `white`.")
        .default("white")
        .input("outline", Type::Float, "The width of the outline, as a fraction of `size`; 0 for none.")
        .default(0.0)
        .range(0.0, 0.3)
        .input("outline_color", Type::Text, "The colour of the outline.")
        .default("black")
        .input("shadow", Type::Float, "The darkness of the soft shadow; 0 for none.")
        .default(0.5)
        .range(0.0, 1.0)
        .input("spacing", Type::Float, "Additional space between letters, as a fraction of `size`.")
        .default(0.0)
        .range(-0.1, 2.0)
        .input("margin", Type::Float, "The distance from the edges, as a fraction of the shorter side.")
        .default(0.06)
        .range(0.0, 0.45)
        .input(
            "offset",
            Type::Float,
            "The distance to move the text down, as a fraction of the picture's height; up if negative.",
        )
        .default(0.0)
        .range(-1.0, 1.0)
        .output("image", ty::image(), "The picture with the text.")
        .remember()
        .run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let given = inputs.value("image")?;
    let mut picture = workspace.picture(given)?.into_rgba8();
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let share = |name: &str| inputs.float(name).map(|it| it as f32);
    let style = Style {
        size: share("size")? * height,
        color: inputs.colour("color")?,
        outline: share("outline")?,
        outline_color: inputs.colour("outline_color")?,
        shadow: share("shadow")?,
        spacing: share("spacing")?,
    };
    let margin = share("margin")? * width.min(height);
    let position = inputs.text("position")?;
    let place = POSITIONS.iter().find(|it| it.0 == position);
    let (across, down) = place.ok_or_else(|| format!("`{position}` is not a position"))?.1;
    let area = Area {
        x: margin,
        y: margin + share("offset")? * height,
        width: width - 2.0 * margin,
        height: height - 2.0 * margin,
        across,
        down,
    };
    write(&mut picture, inputs.text("text")?, area, &style)?;
    Ok(one("image", workspace.put_picture(Workspace::name_of(given), &DynamicImage::from(picture))?))
}
