//! `chart.line`

use fanlight_shared::types::Type;
use fanlight_shared::value::Values;

use super::axis::Axis;
use super::color::{self, series};
use super::data::{Data, ends};
use super::frame::{Around, room_for};
use super::look::{self, Look};
use super::scene::Scene;
use crate::file_error::FileError;
use crate::node_type::build::Build;
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};

/// The most points of a series that are drawn with dots.
const MAX_DOTS: usize = 40;

pub(super) fn node_type() -> NodeType {
    let build = Build::new("chart.line", "Draws a line chart over numbers, dates or names.")
        .input("rows", Type::Any.list(), "The rows of a table, or a list of numbers.")
        .input("x", Type::Text, "The column for the x axis: numbers, dates such as `2024-05-06`, or names; the number of the row by default.")
        .optional()
        .input("y", Type::Any, "The column to show, or a list of columns with a line each; all columns with numbers by default. A cell that is empty, NaN or infinite makes a gap.")
        .optional()
        .input("series", Type::Text, "A column; each of its values gets a line of its own.")
        .optional()
        .input("zero", Type::Bool, "Whether the y axis includes 0.")
        .default(false)
        .input("area", Type::Bool, "Whether to fill the area between a line and 0.")
        .default(false);
    look::outputs(look::inputs(build)).remember().run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let scene = draw(&inputs)?;
    look::put(workspace, &inputs, &scene, "line-chart")
}

pub(super) fn draw(inputs: &Values) -> Result<Scene, String> {
    let look = Look::read(inputs)?;
    let data = Data::read(inputs, false)?;
    let (low, high) = ends(data.values());
    let area = inputs.flag("area")?;
    let zero = area || inputs.flag("zero")?;
    let (low, high) = if zero { (low.min(0.0), high.max(0.0)) } else { (low, high) };
    let y = Axis::around(low, high, room_for(look.height, 75.0));
    let x = data.x_axis(0.0, look.width);
    let many = data.series.len() > 1;
    let around = Around {
        look: &look,
        x: &x,
        y: &y,
        x_label: look.x_label.as_deref().unwrap_or(data.x_label()),
        y_label: look.y_label.as_deref().unwrap_or(if many { "" } else { &data.y_name }),
        legend: data.legend(),
        right: 8.0,
        grid: (false, true),
    };
    let mut frame = around.draw();
    around.base(&mut frame, false, if zero { y.share(0.0) } else { 0.0 });
    let plot = frame.plot;
    let place = |along: f64, up: f64| {
        (plot.x + x.share(along) * plot.width, plot.bottom() - y.share(up) * plot.height)
    };
    for (nth, line) in data.series.iter().enumerate() {
        let mut points = line.points.clone();
        points.sort_by(|one, other| one.0.total_cmp(&other.0));
        let color = series(nth);
        for piece in points.split(|(_, up)| up.is_none()) {
            let piece: Vec<(f32, f32)> =
                piece.iter().filter_map(|(along, up)| Some(place(*along, (*up)?))).collect();
            if area {
                frame.scene.below(
                    &piece,
                    plot.bottom() - y.share(0.0) * plot.height,
                    color::sheer(color, 44),
                );
            }
            if let [alone] = piece[..] {
                frame.scene.circle(alone, 3.5, color);
            }
            frame.scene.line(piece.clone(), 2.4, color);
            if points.len() <= MAX_DOTS {
                for point in piece {
                    frame.scene.circle(point, 4.6, look.theme.background);
                    frame.scene.circle(point, 3.4, color);
                }
            }
        }
    }
    Ok(frame.scene)
}
