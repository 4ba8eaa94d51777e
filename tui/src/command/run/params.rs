//! From the options that give params to the params of each run.

mod preview;
mod rows;

use std::path::{Path, PathBuf};

use fanlight_shared::document::{ranges, rows as row};
use fanlight_shared::problem::near;
use fanlight_shared::rpc::runs::ParamSet;
use fanlight_shared::sweep::{Combinations, Combine, Matrix, Sample};
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};
use fanlight_shared::workflow::{Param, Workflow};
use indexmap::IndexMap;

use crate::failure::Failure;
use crate::text_file::{self, MAX_TEXT_BYTES};
pub(in crate::command) use preview::print as preview;

/// The params of the runs.
#[derive(clap::Args, Debug)]
pub(in crate::command) struct ParamOptions {
    /// Set a param; `key=@file` reads its text from a file.
    #[arg(short, long = "param", value_name = "KEY=VALUE")]
    params: Vec<String>,
    /// Start a run for each value: `1..8`, `0..1/0.25`, `a,b,c` or `@file` (a value per line). Several sweeps are combined.
    #[arg(long, value_name = "KEY=VALUES")]
    sweep: Vec<String>,
    /// Start a run for each row of a file (`-` is stdin): CSV with a column for each param, a JSON list of objects, or a JSON
    /// object per line. An empty cell leaves the param as it is. Rows are combined with sweeps.
    #[arg(long, value_name = "FILE")]
    rows: Option<PathBuf>,
    /// Combine sweeps pairwise (first with first, second with second) instead of each with each.
    #[arg(long)]
    zip: bool,
    /// Use the sweep under `matrix:` in the file.
    #[arg(long)]
    matrix: bool,
    /// Leave out the combinations that have all these values, such as `seed=3,place=Hove`.
    #[arg(long, value_name = "KEY=VALUE,…")]
    exclude: Vec<String>,
    /// Also run this combination; params that it doesn't name are not swept in it.
    #[arg(long, value_name = "KEY=VALUE,…")]
    include: Vec<String>,
    /// Choose this many of the combinations at random, none of them twice.
    #[arg(long, value_name = "N", group = "seeded", value_parser = clap::value_parser!(u32).range(1..))]
    sample: Option<u32>,
    /// Choose another sample, or search differently; equal seeds choose the same. The default is 1 for a sample, 0 for a search.
    #[arg(long, value_name = "S", requires = "seeded", allow_negative_numbers = true)]
    pub(super) seed: Option<i64>,
    /// Run each set of params this many times.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    repeat: Option<u32>,
    /// Skip the sets of params with which this version of the workflow has completed a run already.
    #[arg(long)]
    pub(in crate::command) missing: bool,
    /// Print the params of the runs, and start nothing.
    #[arg(long)]
    pub(in crate::command) dry_run: bool,
}

impl ParamOptions {
    /// Returns whether nothing is given.
    pub(in crate::command) fn are_none(&self) -> bool {
        let lists = [&self.params, &self.sweep, &self.include];
        let given = self.rows.is_some() || self.matrix || self.repeat.is_some();
        !given && lists.iter().all(|list| list.is_empty())
    }

    /// Returns whether `-p` or `--sweep` names a param.
    pub(in crate::command) fn gives(&self, param: &str) -> bool {
        let mut texts = self.params.iter().chain(&self.sweep);
        texts.any(|text| text.split_once('=').is_some_and(|(name, _)| name == param))
    }
}

/// Returns the sets of params of all runs, in their order. Params that are not given have the values of `base`.
pub(in crate::command) fn sets(
    args: &ParamOptions,
    workflow: &Workflow,
    base: Values,
) -> Result<Vec<ParamSet>, Failure> {
    let combinations = combinations(args, workflow, base)?;
    let sets = combinations.expand().map_err(|why| {
        let is_hinted = combinations.sample.is_none() && combinations.are_too_many();
        Failure::usage(why).maybe_hint(is_hinted.then_some("`--sample N` runs some of them".to_owned()))
    })?;
    for params in &sets {
        ranges::check_params(workflow, params).map_err(|wrong| Failure::usage(wrong.join("; ")))?;
    }
    ParamSet::repeated(sets, args.repeat.unwrap_or(1)).map_err(Failure::usage)
}

fn combinations(args: &ParamOptions, workflow: &Workflow, base: Values) -> Result<Combinations, Failure> {
    let fixed = given(&args.params, workflow)?;
    let mut matrix = if args.matrix { matrix(workflow)? } else { Matrix::default() };
    let rows = args.rows.as_deref().map(|file| rows::read(file, workflow)).transpose()?;
    let in_rows = |key: &str| rows.iter().flatten().any(|row| row.params.contains_key(key));
    // What is given here is not swept by the file.
    matrix.axes.retain(|key, _| !fixed.contains_key(key) && !in_rows(key));
    for entry in &mut matrix.include {
        entry.retain(|key, _| !fixed.contains_key(key));
    }
    matrix.include.retain(|entry| !entry.is_empty());
    let twice = |key: &str| {
        Failure::usage(format!("the param `{key}` is given twice"))
            .hint("a param has one `-p`, one `--sweep` or one column of `--rows`")
    };
    if let Some(key) = fixed.keys().find(|key| in_rows(key)) {
        return Err(twice(key));
    }
    let mut swept: Vec<&str> = Vec::new();
    for text in &args.sweep {
        let (key, values) = split("--sweep", text)?;
        if fixed.contains_key(key) || in_rows(key) || swept.contains(&key) {
            return Err(twice(key));
        }
        swept.push(key);
        let values = values_of(param(workflow, key)?, key, values)?;
        matrix.axes.insert(key.to_owned(), values);
    }
    for text in &args.include {
        let entry = entry("--include", text, workflow)?;
        if let Some(key) = entry.keys().find(|key| fixed.contains_key(*key)) {
            return Err(twice(key));
        }
        matrix.include.push(entry);
    }
    let sample = args.sample.map(|count| Sample { count: count as usize, seed: args.seed.unwrap_or(1) });
    let given_rows = rows.as_deref();
    let mut combinations = Combinations {
        fixed,
        rows: given_rows.map(|rows| rows.iter().map(|row| row.params.clone()).collect()),
        axes: matrix.axes,
        combine: if args.zip { Combine::Zip } else { Combine::Product },
        exclude: matrix.exclude,
        include: matrix.include,
        sample,
    };
    for text in &args.exclude {
        let entry = entry("--exclude", text, workflow)?;
        if let Some(key) = entry.keys().find(|key| !combinations.has(key)) {
            return Err(Failure::usage(format!(
                "`--exclude {text}` names `{key}`, which has no values here"
            )));
        }
        combinations.exclude.push(entry);
    }
    for (name, value) in base {
        if !combinations.axes.contains_key(&name) {
            combinations.fixed.entry(name).or_insert(value);
        }
    }
    if let (Some(file), Some(rows)) = (&args.rows, given_rows) {
        rows::check_required(file, rows, workflow, &combinations)?;
    }
    Ok(combinations)
}

/// Returns the params of an `--include` or `--exclude`.
fn entry(option: &str, text: &str, workflow: &Workflow) -> Result<Values, Failure> {
    let mut entry = row::entry(text, &workflow.params)
        .map_err(|why| Failure::usage(format!("`{option} {text}`: {why}")))?;
    for (key, value) in &mut entry {
        if workflow.params.get(key).is_some_and(|param| param.ty.has_media()) {
            *value = resolved(key, std::mem::take(value))?;
        }
    }
    Ok(entry)
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

pub(super) fn split<'a>(option: &str, text: &'a str) -> Result<(&'a str, &'a str), Failure> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key, value)),
        _ => Err(Failure::usage(format!("`{option} {text}` names no value"))
            .hint(format!("write `{option} key=value`"))),
    }
}

pub(super) fn param<'a>(workflow: &'a Workflow, key: &str) -> Result<&'a Param, Failure> {
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

pub(super) fn bad(key: &str, error: &str) -> Failure {
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

fn matrix(workflow: &Workflow) -> Result<Matrix, Failure> {
    if workflow.matrix.is_empty() {
        return Err(Failure::usage("the file has no `matrix:`, so `--matrix` has nothing to sweep over")
            .hint("sweep with `--sweep key=1..6`, or add `matrix: { key: 1..6 }` to the file"));
    }
    Ok(workflow.matrix.clone())
}

#[cfg(test)]
mod tests;
