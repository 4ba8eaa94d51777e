//! From the fields to the params of each run.

use fanlight_shared::document::check_params;
use fanlight_shared::rpc::runs::ParamSet;
use fanlight_shared::sweep::{Combinations, Matrix, RUN_LIMIT};
use fanlight_shared::workflow::Workflow;

use super::field::{Field, Kind, LABEL, NEXT, REPEAT};

fn named<'a>(fields: &'a [Field], name: &str) -> Option<&'a Field> {
    fields.iter().find(|field| field.name == name)
}

fn repeat(fields: &[Field]) -> u32 {
    let times = named(fields, REPEAT).and_then(|field| field.values.first()?.as_int());
    times.and_then(|it| u32::try_from(it).ok()).unwrap_or(1)
}

/// Returns the label for all runs, if one is written.
pub(super) fn label(fields: &[Field]) -> Option<String> {
    let text = named(fields, LABEL)?.text();
    let label = text.trim();
    (!label.is_empty()).then(|| label.to_owned())
}

/// Returns whether the runs go to the head of the queue.
pub(super) fn next(fields: &[Field]) -> bool {
    named(fields, NEXT).is_some_and(|field| field.kind == Kind::Toggle(true))
}

/// Returns the combinations of the values in the fields, with what the file's matrix includes and excludes.
fn combinations(fields: &[Field], matrix: Option<&Matrix>) -> Result<Combinations, String> {
    if fields.iter().any(|field| field.error.is_some()) {
        return Err("something is not right yet".to_owned());
    }
    let axes = fields
        .iter()
        .filter(|field| field.param.is_some() && !field.values.is_empty())
        .map(|field| (field.name.clone(), field.values.clone()));
    let Matrix { include, exclude, .. } = matrix.cloned().unwrap_or_default();
    Ok(Combinations { axes: axes.collect(), include, exclude, ..Combinations::default() })
}

/// Returns how many runs it makes.
pub(super) fn count(fields: &[Field], matrix: Option<&Matrix>) -> Result<usize, String> {
    match combinations(fields, matrix)?.count()?.checked_mul(repeat(fields) as usize) {
        Some(count) if count <= RUN_LIMIT => Ok(count),
        _ => Err(format!("these are more than {RUN_LIMIT} runs, the most at once")),
    }
}

/// Returns the params of each run.
pub(super) fn sets(
    fields: &[Field],
    matrix: Option<&Matrix>,
    workflow: &Workflow,
) -> Result<Vec<ParamSet>, String> {
    count(fields, matrix)?;
    let sets = combinations(fields, matrix)?.expand()?;
    for params in &sets {
        check_params(workflow, params).map_err(|wrong| wrong.join("; "))?;
    }
    ParamSet::repeated(sets, repeat(fields))
}
