//! `chart.histogram`

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use super::axis::Axis;
use super::color::series;
use super::data::{self, number};
use super::frame::{Around, room_for};
use super::look::{self, Look};
use super::scene::{Area, Scene};
use super::ticks::Ticks;
use crate::file_error::FileError;
use crate::node_type::build::Build;
use crate::node_type::table::rows::Table;
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};

pub(super) fn node_type() -> NodeType {
    let build =
        Build::new("chart.histogram", "Draws a histogram: how many numbers are in each range.")
            .input("rows", Type::Any.list(), "The rows of a table, or a list of numbers.")
            .input("x", Type::Text, "The column with the numbers; required for the rows of a table. Cells that are empty, NaN or infinite are ignored.")
            .optional()
            .input(
                "bins",
                Type::Int,
                "The approximate number of ranges, whose limits are round numbers; by default it depends on the data.",
            )
            .optional()
            .range(1.0, 500.0);
    look::outputs(look::inputs(build))
        .output(
            "bins",
            Type::Json.list(),
            "The ranges: `from`, `to` (exclusive, except in the last range) and `count`.",
        )
        .remember()
        .run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let (scene, bins) = draw(&inputs)?;
    let mut outputs = look::put(workspace, &inputs, &scene, "histogram")?;
    let row = |bin: &Bin| {
        let count = Value::Int(i64::try_from(bin.count).unwrap_or(i64::MAX));
        let cells = [
            ("from".to_owned(), Value::Float(bin.from)),
            ("to".to_owned(), Value::Float(bin.to)),
            ("count".to_owned(), count),
        ];
        Value::Object(cells.into_iter().collect())
    };
    outputs.insert("bins".to_owned(), Value::List(bins.iter().map(row).collect()));
    Ok(outputs)
}

/// A range, and how many numbers lie within it.
#[derive(PartialEq, Debug)]
pub(super) struct Bin {
    from: f64,
    to: f64,
    count: usize,
}

pub(super) fn draw(inputs: &Values) -> Result<(Scene, Vec<Bin>), String> {
    let look = Look::read(inputs)?;
    let column = inputs.maybe("x").and_then(Value::as_text).unwrap_or_default();
    let numbers = numbers(inputs, column)?;
    let wanted = inputs.maybe("bins").and_then(Value::as_int).and_then(|it| usize::try_from(it).ok());
    let bins = bins(&numbers, wanted);
    let most = bins.iter().map(|bin| bin.count).max().unwrap_or_default();
    let y = Axis::around(0.0, most as f64, room_for(look.height, 75.0));
    let (low, high) = (bins.first().map_or(0.0, |it| it.from), bins.last().map_or(1.0, |it| it.to));
    let x = Axis::within(low, high, 0.0, room_for(look.width, 85.0));
    let around = Around {
        look: &look,
        x: &x,
        y: &y,
        x_label: look.x_label.as_deref().unwrap_or(column),
        y_label: look.y_label.as_deref().unwrap_or("count"),
        legend: Vec::new(),
        right: 8.0,
        grid: (false, true),
    };
    let mut frame = around.draw();
    let plot = frame.plot;
    for bin in &bins {
        let (from, to) = (x.share(bin.from), x.share(bin.to));
        let height = y.share(bin.count as f64) * plot.height;
        let gap = if (to - from) * plot.width > 4.0 { 1.0 } else { 0.0 };
        let area = Area {
            x: plot.x + from * plot.width + gap / 2.0,
            y: plot.bottom() - height,
            width: (to - from) * plot.width - gap,
            height,
        };
        frame.scene.rect(area, 0.0, series(0));
    }
    around.base(&mut frame, false, 0.0);
    Ok((frame.scene, bins))
}

fn numbers(inputs: &Values, column: &str) -> Result<Vec<f64>, String> {
    let rows = inputs.list("rows")?;
    let cells = if rows.iter().all(|row| matches!(row, Value::Int(_) | Value::Float(_) | Value::None)) {
        data::numbers(rows)?
    } else if column.is_empty() {
        return Err("name the column with the numbers in `x`".into());
    } else {
        let table = Table::of(rows)?;
        table.check_columns(&[column.to_owned()])?;
        (0..table.len()).map(|at| number(&table, at, column)).collect::<Result<_, _>>()?
    };
    let numbers: Vec<f64> = cells.into_iter().flatten().collect();
    if numbers.is_empty() { Err("there are no numbers to show".into()) } else { Ok(numbers) }
}

fn bins(numbers: &[f64], wanted: Option<usize>) -> Vec<Bin> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (sorted[0], sorted[sorted.len() - 1]);
    let borders = Ticks::around(low, high, wanted.unwrap_or_else(|| usual_count(&sorted))).values;
    let mut bins: Vec<Bin> =
        borders.windows(2).map(|pair| Bin { from: pair[0], to: pair[1], count: 0 }).collect();
    let last = bins.len() - 1;
    for number in sorted {
        let at = bins.partition_point(|bin| bin.to <= number).min(last);
        bins[at].count += 1;
    }
    bins
}

/// Returns the number of bins by the rule of Freedman and Diaconis: more for more numbers, fewer for spread ones.
fn usual_count(sorted: &[f64]) -> usize {
    let quartile = |share: f64| sorted[((sorted.len() - 1) as f64 * share) as usize];
    let width = 2.0 * (quartile(0.75) - quartile(0.25)) / (sorted.len() as f64).cbrt();
    let span = sorted[sorted.len() - 1] - sorted[0];
    let by_spread = if width > 0.0 { (span / width).ceil() } else { 0.0 };
    let least = (sorted.len() as f64).log2().ceil() + 1.0;
    by_spread.clamp(least, 60.0_f64.max(least)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_in_one_range_with_round_limits() {
        let numbers: Vec<f64> = (0..=100).map(f64::from).collect();
        let made = bins(&numbers, Some(10));
        assert_eq!((made.len(), made[0].from, made[9].to), (10, 0.0, 100.0));
        assert_eq!(
            made.iter().map(|bin| bin.count).collect::<Vec<_>>(),
            [10, 10, 10, 10, 10, 10, 10, 10, 10, 11]
        );
        assert_eq!(bins(&[3.0], None).iter().map(|bin| bin.count).sum::<usize>(), 1);
        let spread: Vec<f64> = (0..1_000).map(|it| f64::from(it % 37) * 0.1).collect();
        let made = bins(&spread, None);
        assert_eq!(made.iter().map(|bin| bin.count).sum::<usize>(), 1_000);
        assert!((6..=60).contains(&made.len()), "{}", made.len());
    }
}
