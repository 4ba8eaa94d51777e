//! `chart.heatmap`

use fanlight_shared::types::Type;
use fanlight_shared::value::{Values, cut};
use indexmap::IndexSet;

use super::axis::Axis;
use super::color::on;
use super::data::{ends, number, text};
use super::frame::{Around, LABEL, room_for};
use super::look::{self, Look};
use super::scene::{Anchor, Area, Color, Scene};
use super::ticks::short;
use crate::file_error::FileError;
use crate::node_type::build::Build;
use crate::node_type::table::rows::Table;
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};

/// The most cells.
const MAX_CELLS: usize = 250_000;
/// Room for the scale of colours.
const SCALE: f32 = 92.0;

pub(super) fn node_type() -> NodeType {
    let build = Build::new("chart.heatmap", "Draws a heat map: the number for each pair of names as a colour.")
        .input("rows", Type::Json.list(), "The rows of a table, each with a pair of names and a number.")
        .input("x", Type::Text, "The column with the names along the x axis.")
        .input("y", Type::Text, "The column with the names along the y axis, from the top.")
        .input("value", Type::Text, "The column with the numbers; a pair without one is grey.")
        .input("colors", Type::Choice, "The colours: `low_high` goes from light to dark, `around_zero` from blue through white at 0 to red; `auto` depends on whether there are numbers on both sides of 0.")
        .default("auto")
        .choices(&["auto", "low_high", "around_zero"])
        .input("values", Type::Choice, "Whether to write the numbers in the cells; `auto` does so if there is room.")
        .default("auto")
        .choices(&["auto", "always", "never"]);
    look::outputs(look::inputs(build)).remember().run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let scene = draw(&inputs)?;
    look::put(workspace, &inputs, &scene, "heatmap")
}

/// Numbers by row and column.
struct Cells {
    across: Vec<String>,
    down: Vec<String>,
    numbers: Vec<(usize, usize, f64)>,
}

pub(super) fn draw(inputs: &Values) -> Result<Scene, String> {
    let look = Look::read(inputs)?;
    let cells = Cells::read(inputs)?;
    let (low, high) = ends(cells.numbers.iter().map(|(_, _, number)| *number));
    let both_ways = match inputs.text("colors")? {
        "auto" => low < 0.0 && high > 0.0,
        colors => colors == "around_zero",
    };
    let scale = Axis::around(low, high, room_for(look.height, 75.0));
    let most = low.abs().max(high.abs()).max(f64::MIN_POSITIVE);
    let color = |number: f64| match both_ways {
        true => look.theme.both_ways(0.5 + number / most / 2.0),
        false if high > low => look.theme.ramp((number - low) / (high - low)),
        false => look.theme.ramp(0.5),
    };
    let x = Axis::bands(&cells.across);
    let y = Axis::bands(&cells.down.iter().rev().cloned().collect::<Vec<_>>());
    let around = Around {
        look: &look,
        x: &x,
        y: &y,
        x_label: look.x_label.as_deref().unwrap_or_default(),
        y_label: look.y_label.as_deref().unwrap_or_default(),
        legend: Vec::new(),
        right: SCALE,
        grid: (false, false),
    };
    let mut frame = around.draw();
    let plot = frame.plot;
    let (width, height) = (plot.width / cells.across.len() as f32, plot.height / cells.down.len() as f32);
    let gap = if width > 6.0 && height > 6.0 { 1.5 } else { 0.0 };
    frame.scene.rect(plot, 0.0, look.theme.nothing);
    let place = |across: usize, down: usize| Area {
        x: plot.x + across as f32 * width,
        y: plot.y + down as f32 * height,
        width: width - gap,
        height: height - gap,
    };
    let labels: Vec<String> = cells.numbers.iter().map(|(_, _, number)| short(*number)).collect();
    let widest = labels.iter().map(|it| LABEL.width(it)).fold(0.0, f32::max);
    let written = match inputs.text("values")? {
        "always" => true,
        "never" => false,
        _ => widest + 8.0 <= width && height >= 18.0,
    };
    for ((across, down, number), label) in cells.numbers.iter().zip(&labels) {
        let (area, fill) = (place(*across, *down), color(*number));
        frame.scene.rect(area, gap, fill);
        if written {
            let at = (area.x + area.width / 2.0, area.y + area.height / 2.0 + LABEL.middle());
            frame.scene.text(label, at, LABEL, on(fill), Anchor::Middle);
        }
    }
    draw_scale(&mut frame.scene, plot, &scale, (low, high), &color, &look);
    Ok(frame.scene)
}

/// Draws which colour means which number.
fn draw_scale(
    scene: &mut Scene,
    plot: Area,
    ticks: &Axis,
    (low, high): (f64, f64),
    color: &dyn Fn(f64) -> Color,
    look: &Look,
) {
    let (x, width) = ((plot.right() + 20.0).round(), 14.0);
    // Each step ends where a pixel does, so that no line shows between two.
    let steps = ((plot.height / 3.0) as u16).max(2);
    let edge = |nth: u16| (plot.bottom() - f32::from(nth) / f32::from(steps) * plot.height).round();
    for nth in 0..steps {
        let share = (f64::from(nth) + 0.5) / f64::from(steps);
        let area = Area { x, y: edge(nth + 1), width, height: edge(nth) - edge(nth + 1) };
        scene.rect(area, 0.0, color(low + (high - low) * share));
    }
    let (bottom, top) = (ticks.share(low), ticks.share(high));
    for tick in &ticks.ticks {
        let share = if top > bottom { (tick.at - bottom) / (top - bottom) } else { 0.5 };
        if (-0.001..=1.001).contains(&share) {
            let y = plot.bottom() - share * plot.height;
            scene.text(
                &tick.label,
                (x + width + 7.0, y + LABEL.middle()),
                LABEL,
                look.theme.text,
                Anchor::Start,
            );
        }
    }
}

impl Cells {
    fn read(inputs: &Values) -> Result<Self, String> {
        let table = Table::of(inputs.list("rows")?)?;
        let (x, y, value) = (inputs.text("x")?, inputs.text("y")?, inputs.text("value")?);
        table.check_columns(&[x, y, value].map(str::to_owned))?;
        let (mut across, mut down, mut seen) = (IndexSet::new(), IndexSet::new(), IndexSet::new());
        let mut numbers = Vec::new();
        for at in 0..table.len() {
            let column = across.insert_full(text(table.cell(at, x))).0;
            let row = down.insert_full(text(table.cell(at, y))).0;
            if !seen.insert((column, row)) {
                return Err(format!(
                    "two rows have the same cell, `{}` and `{}`; combine them with `table.group`",
                    cut(&across[column], 40),
                    cut(&down[row], 40)
                ));
            }
            if let Some(number) = number(&table, at, value)? {
                numbers.push((column, row, number));
            }
        }
        if numbers.is_empty() {
            return Err("no row has a number to show".into());
        }
        if across.len() * down.len() > MAX_CELLS {
            return Err(format!(
                "{} × {} are more than {MAX_CELLS} cells; group or filter the rows",
                across.len(),
                down.len()
            ));
        }
        Ok(Self { across: across.into_iter().collect(), down: down.into_iter().collect(), numbers })
    }
}
