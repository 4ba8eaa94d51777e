//! The inputs and outputs that all charts have.

use fanlight_shared::types::Type;
use fanlight_shared::value::Values;
use image::DynamicImage;

use super::color::Theme;
use super::scene::Scene;
use super::{paint, svg};
use crate::file_error::FileError;
use crate::node_type::Workspace;
use crate::node_type::build::{Build, ty};
use crate::node_type::typed_inputs::TypedInputs;
use crate::picture::check_size;

/// The title, labels, size and theme of a chart.
pub(super) struct Look {
    pub(super) title: String,
    pub(super) subtitle: String,
    /// Nothing where the chart's own is wanted.
    pub(super) x_label: Option<String>,
    pub(super) y_label: Option<String>,
    pub(super) width: f32,
    pub(super) height: f32,
    pub(super) theme: Theme,
}

/// Declares the inputs.
pub(super) fn inputs(build: Build) -> Build {
    build
        .input("title", Type::Text, "The title above the chart.")
        .default("")
        .input("subtitle", Type::Text, "The line below the title.")
        .default("")
        .input(
            "x_label",
            Type::Text,
            "The label of the x axis; by default the name of the column, unless the axis needs none.",
        )
        .optional()
        .input(
            "y_label",
            Type::Text,
            "The label of the y axis; by default the name of the column, unless there are several.",
        )
        .optional()
        .input("width", Type::Int, "The width in pixels.")
        .default(800_i64)
        .range(200.0, 4_000.0)
        .input("height", Type::Int, "The height in pixels.")
        .default(500_i64)
        .range(150.0, 4_000.0)
        .input(
            "scale",
            Type::Float,
            "The number of pixels in the picture for each of these: 2 for print and high-resolution screens.",
        )
        .default(1.0)
        .range(0.5, 4.0)
        .input("theme", Type::Choice, "The background: light or dark.")
        .default("light")
        .choices(&["light", "dark"])
}

/// Declares the outputs.
pub(super) fn outputs(build: Build) -> Build {
    build.output("image", ty::image(), "The chart as a PNG picture.").output(
        "svg",
        ty::file(),
        "The chart as SVG, which stays sharp when enlarged.",
    )
}

impl Look {
    pub(super) fn read(inputs: &Values) -> Result<Self, String> {
        let label = |name: &str| inputs.maybe(name).and_then(|it| it.as_text()).map(str::to_owned);
        Ok(Self {
            title: inputs.text("title")?.to_owned(),
            subtitle: inputs.text("subtitle")?.to_owned(),
            x_label: label("x_label"),
            y_label: label("y_label"),
            width: inputs.count("width")? as f32,
            height: inputs.count("height")? as f32,
            theme: Theme::named(inputs.text("theme")?),
        })
    }
}

/// Writes a chart as a picture and as SVG.
pub(super) fn put(
    workspace: &mut Workspace,
    inputs: &Values,
    scene: &Scene,
    kind: &str,
) -> Result<Values, FileError> {
    let scale = inputs.float("scale")? as f32;
    check_size((scene.width * scale) as u32, (scene.height * scale) as u32)?;
    let name = name(&scene.title, kind);
    let picture = paint::paint(scene, scale)?;
    let image = workspace.put_picture(&format!("{name}.png"), &DynamicImage::from(picture))?;
    let file = workspace.put_file(&format!("{name}.svg"), svg::write(scene).as_bytes())?;
    Ok(Values::from([("image".to_owned(), image), ("svg".to_owned(), file)]))
}

/// Returns the name of the files: the title in lowercase letters and digits.
fn name(title: &str, kind: &str) -> String {
    let words = title.to_lowercase();
    let words: Vec<&str> = words.split(|c: char| !c.is_alphanumeric()).filter(|it| !it.is_empty()).collect();
    let name: String = words.join("-").chars().take(60).collect();
    if name.is_empty() { kind.to_owned() } else { name }
}
