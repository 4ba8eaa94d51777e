//! `chart.scatter`

use fanlight_shared::types::Type;
use fanlight_shared::value::{Values, cut};

use super::axis::Axis;
use super::color::{self, series};
use super::data::{Along, Data, Series, ends};
use super::frame::{Around, room_for};
use super::look::{self, Look};
use super::scene::Scene;
use crate::file_error::FileError;
use crate::node_type::build::Build;
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};

pub(super) fn node_type() -> NodeType {
    let build = Build::new("chart.scatter", "Draws a scatter plot: a dot for each row.")
        .input("rows", Type::Json.list(), "The rows of a table.")
        .input("x", Type::Text, "The column for the x axis: numbers, or dates such as `2024-05-06`.")
        .input("y", Type::Any, "The column for the y axis, or a list of columns with dots each. A cell that is empty, NaN or infinite has no dot.")
        .input("series", Type::Text, "A column; each of its values gets a colour of its own.")
        .optional()
        .input("size", Type::Float, "The diameter of a dot, in pixels.")
        .default(8.0)
        .range(1.0, 60.0)
        .input(
            "trend",
            Type::Bool,
            "Whether to draw the trend of each series: its least-squares line.",
        )
        .default(false);
    look::outputs(look::inputs(build)).remember().run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let scene = draw(&inputs)?;
    look::put(workspace, &inputs, &scene, "scatter-chart")
}

pub(super) fn draw(inputs: &Values) -> Result<Scene, String> {
    let look = Look::read(inputs)?;
    let data = Data::read(inputs, false)?;
    if matches!(data.along, Along::Names(_)) {
        return Err(format!(
            "column `{}` has names; dots need numbers or dates: use `chart.bar` or `chart.line`",
            cut(&data.x_name, 60)
        ));
    }
    let x = data.x_axis(0.03, look.width);
    let (low, high) = ends(data.values());
    let beyond = (high - low) * 0.02;
    let y = Axis::around(low - beyond, high + beyond, room_for(look.height, 75.0));
    let around = Around {
        look: &look,
        x: &x,
        y: &y,
        x_label: look.x_label.as_deref().unwrap_or(data.x_label()),
        y_label: look.y_label.as_deref().unwrap_or(&data.y_name),
        legend: data.legend(),
        right: 4.0,
        grid: (true, true),
    };
    let mut frame = around.draw();
    around.base(&mut frame, false, 0.0);
    around.base(&mut frame, true, 0.0);
    let plot = frame.plot;
    let place = |along: f64, up: f64| {
        (plot.x + x.share(along) * plot.width, plot.bottom() - y.share(up) * plot.height)
    };
    let radius = inputs.float("size")? as f32 / 2.0;
    // Many dots lie over each other: where they do, it is darker.
    let opacity = if data.series.iter().map(|it| it.points.len()).sum::<usize>() > 400 { 110 } else { 190 };
    for (nth, dots) in data.series.iter().enumerate() {
        for (along, up) in &dots.points {
            if let Some(up) = up {
                frame.scene.circle(place(*along, *up), radius, color::sheer(series(nth), opacity));
            }
        }
    }
    if inputs.flag("trend")? {
        for (nth, dots) in data.series.iter().enumerate() {
            let Some((start, end)) = trend(dots) else { continue };
            let (from, to) = (place(start.0, start.1), place(end.0, end.1));
            frame.scene.line(vec![from, to], 4.4, look.theme.background);
            frame.scene.line(vec![from, to], 2.2, series(nth));
        }
    }
    Ok(frame.scene)
}

/// Returns the ends of the least-squares line; `None` for fewer than two places.
fn trend(dots: &Series) -> Option<((f64, f64), (f64, f64))> {
    let points: Vec<(f64, f64)> = dots.points.iter().filter_map(|(x, y)| Some((*x, (*y)?))).collect();
    let count = points.len() as f64;
    let (mean_x, mean_y) = (
        points.iter().map(|it| it.0).sum::<f64>() / count,
        points.iter().map(|it| it.1).sum::<f64>() / count,
    );
    let spread: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    if points.len() < 2 || spread <= 0.0 {
        return None;
    }
    let slope = points.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum::<f64>() / spread;
    let (low, high) = ends(points.iter().map(|(x, _)| *x));
    Some(((low, mean_y + slope * (low - mean_x)), (high, mean_y + slope * (high - mean_x))))
}
