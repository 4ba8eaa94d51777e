//! The curves of metrics as SVG.

use std::collections::{BTreeMap, HashMap};

use fanlight_shared::client::Client;
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::metrics::{Curve, List, MAX_RUNS, Read, Series};

use super::html::line;
use super::{Report, Shown};
use crate::failure::Failure;
use crate::text;

/// How many buckets a curve has.
const WIDTH: u32 = 300;
/// The most metrics that get a chart; all are in the table.
const MAX_CHARTS: usize = 40;
/// The size of a chart, and the least space for the numbers at its axes.
const SIZE: (f64, f64) = (640.0, 260.0);
const MARGIN: (f64, f64) = (60.0, 24.0);
/// The most that a digit is wide, at the size of the texts in `page.css`.
const DIGIT: f64 = 7.5;
/// How many runs a legend names.
const MAX_LEGEND: usize = 24;

/// Reads the series of runs.
pub(super) async fn series(client: &Client, runs: &[Shown]) -> Result<Vec<Series>, Failure> {
    let mut found = Vec::new();
    for some in runs.chunks(MAX_RUNS) {
        let run_ids = some.iter().map(|it| it.run.id).collect();
        let mut list = List { run_ids, limit: Some(1000), ..List::default() };
        loop {
            let page = client.call(list.clone()).await?;
            found.extend(page.rows);
            list.cursor = page.cursor;
            if list.cursor.is_none() {
                break;
            }
        }
    }
    Ok(found)
}

/// Reads the curves of all metrics with more than one point.
pub(super) async fn read(
    client: &Client,
    runs: &[Shown],
    series: &[Series],
) -> Result<BTreeMap<String, Vec<Curve>>, Failure> {
    let mut names: Vec<&str> = series.iter().filter(|it| it.count > 1).map(|it| it.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let mut curves = BTreeMap::new();
    for name in names.into_iter().take(MAX_CHARTS) {
        let mut found = Vec::new();
        for some in runs.chunks(MAX_RUNS) {
            let run_ids = some.iter().map(|it| it.run.id).collect();
            let mut read = Read { run_ids, name: name.to_owned(), width: WIDTH, ..Read::default() };
            loop {
                let page = client.call(read.clone()).await?;
                found.extend(page.rows);
                read.cursor = page.cursor;
                if read.cursor.is_none() {
                    break;
                }
            }
        }
        curves.insert(name.to_owned(), found);
    }
    Ok(curves)
}

/// Returns the chart of one metric.
pub(super) fn svg(report: &Report, name: &str, curves: &[Curve]) -> String {
    let order: HashMap<RunId, usize> =
        report.runs.iter().enumerate().map(|(at, it)| (it.run.id, at)).collect();
    let points = || curves.iter().flat_map(|curve| &curve.buckets).filter(|it| it.last.is_finite());
    let range = |of: fn(&fanlight_shared::rpc::metrics::Bucket) -> f64| {
        points()
            .map(of)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), it| (low.min(it), high.max(it)))
    };
    let ((left, right), (low, high)) = (range(|it| it.x), range(|it| it.last));
    if !left.is_finite() || !low.is_finite() {
        return String::new();
    }
    let scale = |value: f64, from: f64, to: f64, length: f64| {
        if to > from { (value - from) / (to - from) * length } else { length / 2.0 }
    };
    let (top, foot) = (text::number(high), text::number(low));
    #[allow(clippy::cast_precision_loss)]
    let margin = (top.len().max(foot.len()) as f64 * DIGIT + 8.0).max(MARGIN.0);
    let (width, height) = (SIZE.0 - margin - 8.0, SIZE.1 - MARGIN.1 - 8.0);
    let place =
        |x: f64, y: f64| (margin + scale(x, left, right, width), 8.0 + height - scale(y, low, high, height));
    let mut out = format!(
        "<figure class=\"chart\"><figcaption>{}</figcaption><svg viewBox=\"0 0 {} {}\" role=\"img\">",
        line(name),
        SIZE.0,
        SIZE.1
    );
    let (bottom, end) = (8.0 + height, margin + width);
    out.push_str(&format!(
        "<path class=\"axis\" d=\"M{} 8V{bottom}H{end}\"/>\
         <text x=\"{}\" y=\"18\" text-anchor=\"end\">{}</text><text x=\"{}\" y=\"{bottom}\" text-anchor=\"end\">{}</text>\
         <text x=\"{}\" y=\"{}\">{}</text><text x=\"{end}\" y=\"{}\" text-anchor=\"end\">{}</text>",
        margin,
        margin - 6.0,
        top,
        margin - 6.0,
        foot,
        margin,
        SIZE.1 - 4.0,
        text::number(left),
        SIZE.1 - 4.0,
        text::number(right),
    ));
    for curve in curves {
        let Some(at) = order.get(&curve.run_id) else { continue };
        let run = &report.runs[*at].run;
        let mut path = String::new();
        let mut pen = 'M';
        for bucket in &curve.buckets {
            // NaN is a gap.
            if !bucket.last.is_finite() {
                pen = 'M';
                continue;
            }
            let (x, y) = place(bucket.x, bucket.last);
            path.push_str(&format!("{pen}{x:.1} {y:.1}"));
            pen = 'L';
        }
        let place = format!("{}{}", curve.node, curve.item);
        let title = line(&format!("{} · {place} · {}", run.name(), run.label));
        out.push_str(&format!("<path d=\"{path}\" stroke=\"{}\"><title>{title}</title></path>", colour(*at)));
    }
    out.push_str("</svg>");
    out.push_str(&legend(report, curves, &order));
    out.push_str("</figure>\n");
    out
}

fn legend(report: &Report, curves: &[Curve], order: &HashMap<RunId, usize>) -> String {
    let mut runs: Vec<usize> = curves.iter().filter_map(|curve| order.get(&curve.run_id).copied()).collect();
    runs.sort_unstable();
    runs.dedup();
    let mut out = String::from("<ul class=\"legend\">");
    for at in runs.iter().take(MAX_LEGEND) {
        let run = &report.runs[*at].run;
        out.push_str(&format!(
            "<li><i style=\"background:{}\"></i>{} {}</li>",
            colour(*at),
            line(&run.name()),
            line(&run.label)
        ));
    }
    if runs.len() > MAX_LEGEND {
        out.push_str(&format!("<li>and {} more</li>", runs.len() - MAX_LEGEND));
    }
    out.push_str("</ul>");
    out
}

/// Returns the colour of a run, which differs from those of its neighbours.
fn colour(at: usize) -> String {
    #[allow(clippy::cast_precision_loss)]
    let hue = (at as f64 * 137.508) % 360.0;
    format!("hsl({hue:.0} 65% 50%)")
}
