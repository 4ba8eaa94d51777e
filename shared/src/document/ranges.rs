//! Reads the values of params: from the command line, a form, `matrix:` or a request.

use indexmap::IndexMap;

use super::csv;
use super::spelling::is_text;
use crate::node_type::check_range;
use crate::problem::near;
use crate::sweep::RUN_LIMIT;
use crate::types::Type;
use crate::value::json::JsonError;
use crate::value::{Value, cut};
use crate::workflow::{Param, Workflow};

/// Returns the values of a sweep: `1..8`, `0..1/0.25`, `a,b,c`, `"a, b","c"` with quotes as in CSV, JSON lists, or a
/// single value. A range includes both ends and counts down if the second end is smaller; one of floats without a step
/// must reach its end in steps of 1. Lists are swept as JSON:
/// `[1],[2,3]` or `[[1],[2,3]]`.
///
/// # Errors
/// A sentence that says what is expected.
pub fn sweep_values(text: &str, ty: &Type) -> Result<Vec<Value>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("there is no value; write `1..8`, `0..1/0.25` or `a,b,c`".into());
    }
    if let Some(values) = json_values(text, ty)? {
        limit(values.len() as f64)?;
        return Ok(values);
    }
    if matches!(ty, Type::List(_) | Type::Json) {
        return Ok(vec![value_of(text, ty)?]);
    }
    let numbers = matches!(ty, Type::Int | Type::Float | Type::Any);
    let mut values = Vec::new();
    for part in csv::split(text)? {
        match part.text.split_once("..") {
            Some((from, to)) if numbers && !part.quoted => {
                let whole = matches!(ty, Type::Int)
                    || matches!(ty, Type::Any)
                        && part.text.bytes().all(|byte| !matches!(byte, b'e' | b'E'))
                        && !part.text.replace("..", "").contains('.');
                range(&part.text, from, to, whole, &mut values)?;
            }
            _ => values.push(value_of(&part.text, ty)?),
        }
        limit(values.len() as f64)?;
    }
    Ok(values)
}

/// Returns the values of comma-separated JSON lists: the items of a single list if they have the type, otherwise the
/// lists themselves.
fn json_values(text: &str, ty: &Type) -> Result<Option<Vec<Value>>, String> {
    if !text.starts_with('[') && !matches!(ty, Type::Json) {
        return Ok(None);
    }
    let Ok(Value::List(mut all)) = json_of(&format!("[{text}]"), ty) else { return Ok(None) };
    let fitting =
        |values: &[Value]| values.iter().map(|it| fit(it.clone(), ty)).collect::<Result<Vec<_>, _>>();
    if let [Value::List(items)] = all.as_mut_slice() {
        match fitting(items) {
            Ok(values) if !values.is_empty() => return Ok(Some(values)),
            Err(why) if !matches!(ty, Type::List(_)) => return Err(why),
            _ => {}
        }
    }
    Ok(fitting(&all).ok())
}

fn limit(count: f64) -> Result<(), String> {
    if count > RUN_LIMIT as f64 {
        return Err(format!("these are more than {RUN_LIMIT} values, the limit of one sweep"));
    }
    Ok(())
}

fn range(part: &str, from: &str, to: &str, whole: bool, values: &mut Vec<Value>) -> Result<(), String> {
    let (to, step) = to.split_once('/').map_or((to, None), |(to, step)| (to, Some(step)));
    let wrong = |text: &str| {
        let kind = if whole { "a whole number" } else { "a number" };
        format!(
            "`{}` in the range `{}` is not {kind}; write `1..8` or `0..1/0.25`",
            cut(text, 40),
            cut(part, 60)
        )
    };
    let bad_step =
        || format!("the step of `{}` must be more than 0; the direction comes from the ends", cut(part, 60));
    if whole {
        let read = |text: &str| text.trim().parse::<i64>().map_err(|_| wrong(text));
        let (from, to, step) = (read(from)?, read(to)?, step.map_or(Ok(1), read)?);
        if step <= 0 {
            return Err(bad_step());
        }
        let step = if from <= to { step } else { -step };
        limit((i128::from(to) - i128::from(from)).unsigned_abs() as f64 / step.unsigned_abs() as f64 + 1.0)?;
        let within = move |at: &i64| if step > 0 { *at <= to } else { *at >= to };
        let steps = std::iter::successors(Some(from), move |at| at.checked_add(step));
        values.extend(steps.take_while(within).map(Value::Int));
        return Ok(());
    }
    let read = |text: &str| {
        text.trim().parse::<f64>().ok().filter(|number| number.is_finite()).ok_or_else(|| wrong(text))
    };
    let places = [from, to, step.unwrap_or("1")].into_iter().map(decimals).max().unwrap_or(0);
    let is_given = step.is_some();
    let (from, to, step) = (read(from)?, read(to)?, step.map_or(Ok(1.0), read)?);
    if step <= 0.0 {
        return Err(bad_step());
    }
    let steps = (to - from).abs() / step;
    // Add a little, because 0.3 / 0.1 is slightly less than 3.
    let count = (steps + 1e-9).floor();
    limit(count + 1.0)?;
    let is_reached = steps - count <= 1e-9;
    if !is_reached && (!is_given || count < 1.0) {
        return Err(format!(
            "the range `{}` does not reach its end in steps of {step}; write a smaller step, as in `0.1..0.5/0.1`",
            cut(part, 60)
        ));
    }
    let direction = if from <= to { step } else { -step };
    let mut at = 0.0;
    while at <= count {
        let exact = from + at * direction;
        let tidy = format!("{exact:.places$}").parse().unwrap_or(exact);
        values.push(Value::Float(tidy));
        at += 1.0;
    }
    Ok(())
}

/// Returns the number of decimals in a written number.
fn decimals(text: &str) -> usize {
    let text = text.trim();
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let behind = mantissa.split_once('.').map_or(0, |(_, behind)| behind.len());
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let places = i64::try_from(behind).unwrap_or(0).saturating_sub(exponent);
    usize::try_from(places.clamp(0, 300)).unwrap_or(0)
}

/// Returns the value that a text gives to a param. For media the text is a path.
///
/// # Errors
/// A sentence without the param's name.
pub fn param_value(text: &str, param: &Param) -> Result<Value, String> {
    fit_param(value_of(text, &param.ty)?, param)
}

/// Returns the value that a text gives to a type. For media the text is a path.
///
/// # Errors
/// A sentence that says what would be right.
pub fn value_of(text: &str, ty: &Type) -> Result<Value, String> {
    let trimmed = text.trim();
    let shown = cut(text, 60);
    match ty {
        Type::Text | Type::Choice => Ok(Value::from(text)),
        Type::Int => match trimmed.parse::<i64>() {
            Ok(int) => Ok(Value::Int(int)),
            Err(error)
                if trimmed.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
                    && !trimmed.is_empty() =>
            {
                Err(format!("`{shown}` is not an int: {error}"))
            }
            Err(_) => Err(format!("`{shown}` is not an int")),
        },
        Type::Float => {
            trimmed.parse::<f64>().map(Value::Float).map_err(|_| format!("`{shown}` is not a number"))
        }
        Type::Bool => match trimmed {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(format!("`{shown}` is not a bool; write `true` or `false`")),
        },
        Type::Json => Value::parse_json(trimmed).map_err(|error| format!("`{shown}` is not JSON: {error}")),
        Type::Any => Ok(Value::parse_json(trimmed).unwrap_or_else(|_| Value::from(text))),
        Type::Media(_) => fit(Value::from(text), ty),
        Type::List(of) => {
            if trimmed.starts_with('[') {
                let list =
                    json_of(trimmed, ty).map_err(|error| format!("`{shown}` is not a JSON list: {error}"))?;
                return fit(list, ty);
            }
            if trimmed.is_empty() {
                return Ok(Value::List(Vec::new()));
            }
            if matches!(**of, Type::List(_)) {
                return Err(format!("`{shown}` is not a list of lists; write it as JSON: `[[1, 2], [3]]`"));
            }
            let parts = csv::split(trimmed)?;
            parts.iter().map(|part| value_of(&part.text, of)).collect::<Result<_, _>>().map(Value::List)
        }
    }
}

/// Parses JSON for a type: in lists of texts, numbers are texts as they are written.
pub(super) fn json_of(text: &str, ty: &Type) -> Result<Value, JsonError> {
    if is_text(ty.innermost()) { Value::parse_json_texts(text) } else { Value::parse_json(text) }
}

/// Converts a value to a type; for media, a text is a path.
fn fit(value: Value, ty: &Type) -> Result<Value, String> {
    match (ty, value) {
        (Type::Media(kind), Value::Text(path)) => {
            if path.trim().is_empty() {
                return Err(format!("the path of the {} is empty", kind.word()));
            }
            Ok(Value::Text(path))
        }
        (Type::List(of), Value::List(items)) => {
            items.into_iter().map(|item| fit(item, of)).collect::<Result<_, _>>().map(Value::List)
        }
        (Type::Choice, value @ (Value::Int(_) | Value::Float(_) | Value::Bool(_))) => {
            value.to_text().map(Value::Text)
        }
        (ty, value) => value.convert(ty),
    }
}

/// Converts a value to the type of a param and checks range and choices.
pub(super) fn fit_param(value: Value, param: &Param) -> Result<Value, String> {
    fn within(value: &Value, param: &Param) -> Result<(), String> {
        match value {
            Value::List(items) => items.iter().try_for_each(|item| within(item, param)),
            value => check_range(value, param.min, param.max, &param.choices),
        }
    }
    value.extent().check_depth()?;
    let value = fit(value, &param.ty)?;
    within(&value, param)?;
    Ok(value)
}

/// Returns all params of a run, in the order of the file: the given ones, checked, and the defaults of the others.
///
/// # Errors
/// A sentence for each unknown key, wrong value and missing param.
pub fn check_params(
    workflow: &Workflow,
    given: &IndexMap<String, Value>,
) -> Result<IndexMap<String, Value>, Vec<String>> {
    let mut wrong = Vec::new();
    for name in given.keys().filter(|name| !workflow.params.contains_key(*name)) {
        let shown = cut(name, 60);
        let known = || workflow.params.keys().map(String::as_str);
        wrong.push(match near(name, known()) {
            Some(near) => format!("there is no param `{shown}`; did you mean `{near}`?"),
            None if workflow.params.is_empty() => {
                format!("there is no param `{shown}`; this workflow has none")
            }
            None => format!(
                "there is no param `{shown}`; the params are {}",
                known().collect::<Vec<_>>().join(", ")
            ),
        });
    }
    let mut all = IndexMap::with_capacity(workflow.params.len());
    for (name, param) in &workflow.params {
        let nothing = |value: &&Value| **value != Value::None || matches!(param.ty, Type::Json | Type::Any);
        match (given.get(name).filter(nothing), &param.default) {
            (Some(value), _) => match fit_param(value.clone(), param) {
                Ok(value) => {
                    all.insert(name.clone(), value);
                }
                Err(why) => wrong.push(format!("param `{name}`: {why}")),
            },
            (None, Some(default)) => {
                all.insert(name.clone(), default.clone());
            }
            (None, None) => {
                wrong.push(format!("param `{name}` ({}) is required: give it with `-p {name}=…`", param.ty))
            }
        }
    }
    if wrong.is_empty() { Ok(all) } else { Err(wrong) }
}

#[cfg(test)]
mod tests;
