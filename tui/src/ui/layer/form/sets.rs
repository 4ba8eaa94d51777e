//! From the fields to the params of each run.

use fanlight_shared::document::check_params;
use fanlight_shared::rpc::runs::{ParamSet, Repeat};
use fanlight_shared::sweep::{Combine, RUN_LIMIT, expand};
use fanlight_shared::value::Value;
use fanlight_shared::workflow::Workflow;
use indexmap::IndexMap;

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

/// Returns how many runs it makes.
pub(super) fn count(fields: &[Field]) -> Result<usize, String> {
    if fields.iter().any(|field| field.error.is_some()) {
        return Err("something is not right yet".to_owned());
    }
    let params = fields.iter().filter(|field| field.param.is_some());
    let all =
        params.map(|field| field.values.len().max(1)).try_fold(repeat(fields) as usize, usize::checked_mul);
    match all {
        Some(count) if count <= RUN_LIMIT => Ok(count),
        _ => Err(format!("these are more than {RUN_LIMIT} runs, the most at once")),
    }
}

/// Returns the params of each run.
pub(super) fn sets(fields: &[Field], workflow: &Workflow) -> Result<Vec<ParamSet>, String> {
    count(fields)?;
    let axes: IndexMap<String, Vec<Value>> = fields
        .iter()
        .filter(|field| field.param.is_some() && !field.values.is_empty())
        .map(|field| (field.name.clone(), field.values.clone()))
        .collect();
    let of = repeat(fields);
    let mut sets = Vec::new();
    for params in expand(&axes, Combine::Product)? {
        check_params(workflow, &params).map_err(|wrong| wrong.join("; "))?;
        if of == 1 {
            sets.push(ParamSet { params, ..ParamSet::default() });
        } else {
            let repeated = |nth| ParamSet {
                params: params.clone(),
                repeat: Some(Repeat { nth, of }),
                ..ParamSet::default()
            };
            sets.extend((1..=of).map(repeated));
        }
    }
    Ok(sets)
}
