//! From `-p`, `--sweep`, `--matrix` and `--repeat` to the params of each run.

use std::path::Path;

use fanlight_shared::document::ranges;
use fanlight_shared::problem::near;
use fanlight_shared::rpc::runs::{ParamSet, Repeat};
use fanlight_shared::sweep::{Combine, RUN_LIMIT, expand};
use fanlight_shared::types::Type;
use fanlight_shared::value::Value;
use fanlight_shared::workflow::{Param, Workflow};
use indexmap::IndexMap;

use super::Args;
use crate::failure::Failure;
use crate::text_file::{self, MAX_TEXT_BYTES};

/// Returns the sets of params of all runs, in their order.
pub(super) fn sets(args: &Args, workflow: &Workflow) -> Result<Vec<ParamSet>, Failure> {
    let fixed = given(&args.params, workflow)?;
    let mut axes = if args.matrix { matrix(workflow)? } else { IndexMap::new() };
    // A param that is given or swept here is not swept by the file.
    axes.retain(|key, _| !fixed.contains_key(key));
    let mut swept: Vec<&str> = Vec::new();
    for text in &args.sweep {
        let (key, values) = split("--sweep", text)?;
        if fixed.contains_key(key) || swept.contains(&key) {
            return Err(Failure::usage(format!("the param `{key}` is given twice"))
                .hint("a param has one `-p` or one `--sweep`"));
        }
        swept.push(key);
        let values = values_of(param(workflow, key)?, key, values)?;
        axes.insert(key.to_owned(), values);
    }
    let combine = if args.zip { Combine::Zip } else { Combine::Product };
    let sets = expand(&axes, combine).map_err(Failure::usage)?;
    let mut all = Vec::new();
    for swept in sets {
        let mut params = fixed.clone();
        params.extend(swept);
        ranges::check_params(workflow, &params).map_err(|wrong| Failure::usage(wrong.join("; ")))?;
        all.push(params);
    }
    repeat(all, args.repeat)
}

/// Returns the params of `-p key=value`, each given once.
pub(in crate::command) fn given(
    params: &[String],
    workflow: &Workflow,
) -> Result<IndexMap<String, Value>, Failure> {
    let mut given: IndexMap<String, Value> = IndexMap::new();
    for text in params {
        let (key, value) = split("-p", text)?;
        let value = value_of(param(workflow, key)?, key, value)?;
        if given.insert(key.to_owned(), value).is_some() {
            return Err(Failure::usage(format!("the param `{key}` is given twice"))
                .hint(format!("for several runs use `--sweep {key}=a,b`")));
        }
    }
    Ok(given)
}

fn repeat(sets: Vec<IndexMap<String, Value>>, times: Option<u32>) -> Result<Vec<ParamSet>, Failure> {
    let Some(of) = times.filter(|times| *times > 1) else {
        return Ok(sets.into_iter().map(|params| ParamSet { params, ..ParamSet::default() }).collect());
    };
    let runs = sets.len().saturating_mul(of as usize);
    if runs > RUN_LIMIT {
        return Err(Failure::usage(format!(
            "this would make {runs} runs; at most {RUN_LIMIT} are accepted at once"
        )));
    }
    let repeated = |params: IndexMap<String, Value>| {
        (1..=of).map(move |nth| ParamSet {
            params: params.clone(),
            repeat: Some(Repeat { nth, of }),
            ..ParamSet::default()
        })
    };
    Ok(sets.into_iter().flat_map(repeated).collect())
}

fn split<'a>(option: &str, text: &'a str) -> Result<(&'a str, &'a str), Failure> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key, value)),
        _ => Err(Failure::usage(format!("`{option} {text}` names no value"))
            .hint(format!("write `{option} key=value`"))),
    }
}

fn param<'a>(workflow: &'a Workflow, key: &str) -> Result<&'a Param, Failure> {
    workflow.params.get(key).ok_or_else(|| {
        let known = || workflow.params.keys().map(String::as_str);
        let hint = match near(key, known()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if workflow.params.is_empty() => "it has no params".to_owned(),
            None => format!("it has {}", known().collect::<Vec<_>>().join(", ")),
        };
        Failure::usage(format!("the workflow has no param `{key}`")).hint(hint)
    })
}

fn bad(key: &str, error: &str) -> Failure {
    Failure::usage(format!("param `{key}`: {error}"))
}

/// Returns one value. `@file` is the text of a file, `@@…` is text that begins with `@`; media is a path.
fn value_of(param: &Param, key: &str, text: &str) -> Result<Value, Failure> {
    if param.ty.has_media() {
        return media_path(param, key, text);
    }
    let text = match text.strip_prefix('@') {
        Some(rest) if rest.starts_with('@') => rest.to_owned(),
        Some(file) => {
            let text = text_file::read(Path::new(file), MAX_TEXT_BYTES).map_err(Failure::usage)?;
            // Numbers and words from a file are trimmed; a text is used as it is.
            if param.ty == Type::Text { text } else { text.trim().to_owned() }
        }
        None => text.to_owned(),
    };
    ranges::param_value(&text, param).map_err(|error| bad(key, &error))
}

/// Returns several values: a range, a list, or the lines of a file.
fn values_of(param: &Param, key: &str, text: &str) -> Result<Vec<Value>, Failure> {
    if let Some(file) = text.strip_prefix('@').filter(|rest| !rest.starts_with('@')) {
        let text = text_file::read(Path::new(file), MAX_TEXT_BYTES).map_err(Failure::usage)?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        return lines.map(|line| one(param, key, line)).collect();
    }
    if param.ty.has_media() {
        let paths = ranges::sweep_values(text, &param.ty).map_err(|error| bad(key, &error))?;
        return paths.into_iter().map(|path| resolved(key, path)).collect();
    }
    let text = if text.starts_with("@@") { &text[1..] } else { text };
    ranges::sweep_values(text, &param.ty).map_err(|error| bad(key, &error))
}

fn one(param: &Param, key: &str, text: &str) -> Result<Value, Failure> {
    if param.ty.has_media() {
        return media_path(param, key, text);
    }
    ranges::param_value(text, param).map_err(|error| bad(key, &error))
}

/// Returns the absolute path of a file; of a list of media several, with commas between them.
fn media_path(param: &Param, key: &str, text: &str) -> Result<Value, Failure> {
    if matches!(param.ty, Type::List(_)) {
        let paths = ranges::param_value(text, param).map_err(|error| bad(key, &error))?;
        return resolved(key, paths);
    }
    absolute(key, text.strip_prefix('@').unwrap_or(text))
}

/// Makes paths absolute, in lists too.
fn resolved(key: &str, paths: Value) -> Result<Value, Failure> {
    match paths {
        Value::Text(path) => absolute(key, &path),
        Value::List(paths) => {
            paths.into_iter().map(|path| resolved(key, path)).collect::<Result<_, _>>().map(Value::List)
        }
        other => Ok(other),
    }
}

fn absolute(key: &str, path: &str) -> Result<Value, Failure> {
    let path = Path::new(path)
        .canonicalize()
        .map_err(|error| bad(key, &format!("the file `{path}` can't be read: {error}")))?;
    let text = path.to_str().ok_or_else(|| bad(key, "the path of the file is not UTF-8"))?;
    Ok(Value::from(text))
}

fn matrix(workflow: &Workflow) -> Result<IndexMap<String, Vec<Value>>, Failure> {
    if workflow.matrix.is_empty() {
        return Err(Failure::usage("the file has no `matrix:`, so `--matrix` has nothing to sweep over")
            .hint("sweep with `--sweep key=1..6`, or add `matrix: { key: 1..6 }` to the file"));
    }
    Ok(workflow.matrix.clone())
}

#[cfg(test)]
mod tests;
