//! `chart.bar`

use fanlight_shared::types::Type;
use fanlight_shared::value::{Values, cut};

use super::axis::Axis;
use super::color::{self, series};
use super::data::{Along, Data};
use super::frame::{Around, LABEL, room_for};
use super::look::{self, Look};
use super::scene::{Anchor, Area, Scene};
use super::ticks::short;
use crate::file_error::FileError;
use crate::node_type::build::Build;
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};

/// The most bars.
const MAX_BARS: usize = 500;
/// The part of a band that is left free.
const GAP: f32 = 0.28;

pub(super) fn node_type() -> NodeType {
    let build = Build::new("chart.bar", "Draws a bar chart: a bar for each name.")
        .input("rows", Type::Any.list(), "The rows of a table, or a list of numbers.")
        .input("x", Type::Text, "The column with the names of the bars; required for the rows of a table.")
        .optional()
        .input("y", Type::Any, "The column to show, or a list of columns with a bar each; all columns with numbers by default. A cell that is empty, NaN or infinite has no bar.")
        .optional()
        .input("series", Type::Text, "A column; each of its values gets a bar of its own.")
        .optional()
        .input("stacked", Type::Bool, "Whether to stack the bars of a name instead of placing them side by side.")
        .default(false)
        .input("horizontal", Type::Bool, "Whether the bars are horizontal, which leaves room for long names.")
        .default(false)
        .input("values", Type::Choice, "Whether to write the numbers at the bars; `auto` does so if there is room.")
        .default("auto")
        .choices(&["auto", "always", "never"]);
    look::outputs(look::inputs(build)).remember().run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let scene = draw(&inputs)?;
    look::put(workspace, &inputs, &scene, "bar-chart")
}

/// A bar: which name, which series, from where to where.
struct Bar {
    name: usize,
    series: usize,
    from: f64,
    to: f64,
    value: f64,
}

pub(super) fn draw(inputs: &Values) -> Result<Scene, String> {
    let look = Look::read(inputs)?;
    let data = Data::read(inputs, true)?;
    let Along::Names(names) = &data.along else { return Err("the bars have no names".into()) };
    let (stacked, lying) = (inputs.flag("stacked")?, inputs.flag("horizontal")?);
    let bars = bars(&data, names, stacked)?;
    let ends = bars.iter().flat_map(|bar| [bar.from, bar.to]);
    let (low, high) = ends.fold((0.0_f64, 0.0_f64), |(low, high), it| (low.min(it), high.max(it)));
    let length = if lying { look.width } else { look.height };
    let numbers = Axis::around(low, high, room_for(length, if lying { 95.0 } else { 75.0 }));
    // Lying bars are read from the top.
    let shown: Vec<String> = if lying { names.iter().rev().cloned().collect() } else { names.clone() };
    let bands = Axis::bands(&shown);
    let (x, y) = if lying { (&numbers, &bands) } else { (&bands, &numbers) };
    let many = data.series.len() > 1;
    let name_of_numbers = if many { "" } else { data.y_name.as_str() };
    let around = Around {
        look: &look,
        x,
        y,
        x_label: look.x_label.as_deref().unwrap_or(if lying { name_of_numbers } else { "" }),
        y_label: look.y_label.as_deref().unwrap_or(if lying { "" } else { name_of_numbers }),
        legend: data.legend(),
        right: if lying { 34.0 } else { 0.0 },
        grid: (lying, !lying),
    };
    let mut frame = around.draw();
    let plot = frame.plot;
    let band = if lying { plot.height } else { plot.width } / names.len() as f32;
    let beside = if stacked { 1 } else { data.series.len() };
    // Few bars are not as broad as a table.
    let broad = (band * (1.0 - GAP)).min(96.0 * beside as f32).max(1.0);
    let each = broad / beside as f32;
    let inner = if beside > 1 && each > 6.0 { 2.0 } else { 0.0 };
    let along = |bar: &Bar| {
        let start = bar.name as f32 * band + (band - broad) / 2.0;
        start + if stacked { 0.0 } else { bar.series as f32 * each } + inner / 2.0
    };
    let area = |bar: &Bar| {
        let (from, to) = (numbers.share(bar.from.min(bar.to)), numbers.share(bar.from.max(bar.to)));
        if lying {
            Area {
                x: plot.x + from * plot.width,
                y: plot.y + along(bar),
                width: (to - from) * plot.width,
                height: each - inner,
            }
        } else {
            Area {
                x: plot.x + along(bar),
                y: plot.bottom() - to * plot.height,
                width: each - inner,
                height: (to - from) * plot.height,
            }
        }
    };
    let radius = if stacked { 0.0 } else { (each / 6.0).min(3.0) };
    for bar in &bars {
        frame.scene.rect(area(bar), radius, series(bar.series));
    }
    around.base(&mut frame, lying, numbers.share(0.0));
    let labels: Vec<String> = bars.iter().map(|bar| short(bar.value)).collect();
    let widest = labels.iter().map(|it| LABEL.width(it)).fold(0.0, f32::max);
    let fits = if lying { each >= 13.0 } else { each >= widest + 4.0 } && !stacked;
    let wanted = match inputs.text("values")? {
        "always" => true,
        "never" => false,
        _ => fits && bars.len() <= 40,
    };
    if wanted {
        for (bar, label) in bars.iter().zip(&labels) {
            write_value(&mut frame.scene, area(bar), bar, label, (lying, stacked), &look);
        }
    }
    Ok(frame.scene)
}

/// Writes a number at its bar: beyond its end, or within it where the bars stand on each other.
fn write_value(
    scene: &mut Scene,
    area: Area,
    bar: &Bar,
    label: &str,
    (lying, stacked): (bool, bool),
    look: &Look,
) {
    let (x, y) = (area.x + area.width / 2.0, area.y + area.height / 2.0 + LABEL.middle());
    let positive = bar.value >= 0.0;
    let (at, anchor) = match (lying, stacked) {
        (_, true) => ((x, y), Anchor::Middle),
        (true, false) if positive => ((area.right() + 5.0, y), Anchor::Start),
        (true, false) => ((area.x - 5.0, y), Anchor::End),
        (false, false) if positive => ((x, area.y - 5.0), Anchor::Middle),
        (false, false) => ((x, area.bottom() + 14.0), Anchor::Middle),
    };
    let color = if stacked { color::on(series(bar.series)) } else { look.theme.text };
    let fits = if lying { area.width >= LABEL.width(label) + 4.0 } else { area.height >= 14.0 };
    if !stacked || fits {
        scene.text(label, at, LABEL, color, anchor);
    }
}

fn bars(data: &Data, names: &[String], stacked: bool) -> Result<Vec<Bar>, String> {
    let count = names.len() * if stacked { 1 } else { data.series.len() };
    if count > MAX_BARS {
        return Err(format!("there are {count} bars, more than {MAX_BARS}; group or filter the rows"));
    }
    // How high the bars of a name stand so far, upwards and downwards.
    let mut so_far = vec![(0.0_f64, 0.0_f64); names.len()];
    let mut bars = Vec::new();
    for (nth, series) in data.series.iter().enumerate() {
        let mut seen = vec![false; names.len()];
        for (name, value) in series.points.iter().map(|(along, value)| (*along as usize, *value)) {
            if std::mem::replace(&mut seen[name], true) {
                let of = if series.name.is_empty() {
                    String::new()
                } else {
                    format!(" of `{}`", cut(&series.name, 40))
                };
                return Err(format!(
                    "two rows have the same bar{of}, `{}`; combine them with `table.group`",
                    cut(&names[name], 40)
                ));
            }
            let Some(value) = value else { continue };
            let from = match (&mut so_far[name], stacked) {
                (_, false) => 0.0,
                ((up, _), true) if value >= 0.0 => std::mem::replace(up, *up + value),
                ((_, down), true) => std::mem::replace(down, *down + value),
            };
            bars.push(Bar { name, series: nth, from, to: from + value, value });
        }
    }
    Ok(bars)
}
