//! The contact sheet of a report: an output by the values of two params.

use fanlight_shared::asset::AssetKind;
use fanlight_shared::client::sheet::{RunOfSheet, Sheet};
use fanlight_shared::run::RunStatus;

use super::html::line;
use super::{Args, Report, Shown, files};
use crate::failure::Failure;

/// The sheet of an output; its runs are those of the report, the newest first.
pub(super) struct OfOutput {
    sheet: Sheet,
    output: String,
}

/// Returns the sheet that the user wants; without a wish one if exactly two params vary and it fits.
pub(super) fn choose(args: &Args, varied: &[String], runs: &[Shown]) -> Result<Option<OfOutput>, Failure> {
    let newest: Vec<RunOfSheet<'_>> = runs.iter().rev().map(|shown| RunOfSheet::from(&shown.run)).collect();
    let made = match (&args.x, varied) {
        (Some(x), _) => Sheet::of(&newest, x, args.y.as_deref()).map_err(Failure::usage)?,
        (None, [x, y]) => match Sheet::of(&newest, x, Some(y)) {
            Ok(sheet) => sheet,
            // Nobody asked for it.
            Err(_) => return Ok(None),
        },
        (None, _) if args.output.is_some() => {
            return Err(Failure::usage("`--output` is for the sheet, which needs `--x` here"));
        }
        (None, _) => return Ok(None),
    };
    let completed = || runs.iter().filter(|shown| shown.run.state == RunStatus::Completed);
    let outputs = || completed().flat_map(|shown| &shown.outputs);
    let output = match &args.output {
        Some(output) if outputs().any(|(name, _)| name == output) => Some(output),
        Some(output) => return Err(Failure::usage(format!("no completed run has an output `{output}`"))),
        None => {
            let picture = outputs().find(|(_, value)| AssetKind::of(value) == AssetKind::Image);
            picture.or_else(|| outputs().next()).map(|(name, _)| name)
        }
    };
    Ok(output.map(|output| OfOutput { sheet: made, output: output.clone() }))
}

/// Returns the section with the sheet.
pub(super) fn html(report: &Report, of: &OfOutput) -> String {
    let OfOutput { sheet, output } = of;
    let mut out = format!(
        "<section id=\"sheet\"><h2>Sheet of {}</h2><div class=\"scroll\"><table class=\"sheet\"><thead><tr><th></th>",
        line(output)
    );
    for column in 0..sheet.x.values.len() {
        out.push_str(&format!("<th>{}</th>", line(&sheet.x.label(column))));
    }
    out.push_str("</tr></thead><tbody>\n");
    for row in 0..sheet.y.values.len() {
        out.push_str(&format!("<tr><th>{}</th>", line(&sheet.y.label(row))));
        for column in 0..sheet.x.values.len() {
            out.push_str(&format!("<td>{}</td>", cell(report, of, column, row)));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div></section>\n");
    out
}

fn cell(report: &Report, of: &OfOutput, column: usize, row: usize) -> String {
    let Some(found) = of.sheet.found(column, row) else { return "<small>no run</small>".to_owned() };
    let Some(shown) = report.runs.iter().rev().nth(found.run) else { return String::new() };
    let others = if found.others > 0 { format!(" +{}", found.others) } else { String::new() };
    let name = line(&shown.run.name());
    let link = format!("<small><a href=\"#run-{}\">{name}</a>{others}</small>", shown.run.number);
    if found.state != RunStatus::Completed {
        return format!("{link} <small>{}</small>", shown.run.state.word());
    }
    let is_output = |name: &str| {
        // The files of a list are `OUTPUT[INDEX]`.
        name == of.output || name.strip_prefix(&of.output).is_some_and(|rest| rest.starts_with('['))
    };
    let file = shown.files.iter().find(|(name, _)| is_output(name));
    let element = match (file, shown.outputs.get(&of.output)) {
        (Some((output, path)), _) => files::element(output, path, &report.root),
        (None, Some(value)) => line(&value.summary(200)),
        (None, None) => "<small>nothing</small>".to_owned(),
    };
    format!("{element}{link}")
}
