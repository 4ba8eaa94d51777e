//! Reads searches: `search:`, which the file proposes, and the values of params on the command line.

use indexmap::IndexMap;

use super::ranges::{fit_param, sweep_values};
use super::reading::{Reading, is_null};
use super::yaml::{Kind, Node};
use crate::metric::Goal;
use crate::problem::Problem;
use crate::search::{MAX_TRIALS, Objective, Pruner, Range, Sampler, Search};
use crate::types::Type;
use crate::value::{Value, cut};
use crate::workflow::{Param, Workflow};

const KEYS: [&str; 8] = ["space", "maximize", "minimize", "trials", "sampler", "pruner", "seed", "parallel"];

/// The largest number of trials at once.
const MAX_PARALLEL: i64 = 1_000_000;

/// Reads the values of a param: `1e-5..1e-1`, `log:1e-5..1e-1`, `2..8`, or values as of a sweep, such as `relu,gelu` or
/// `0..1/0.25`.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn range(text: &str, param: &Param) -> Result<Range, String> {
    let text = text.trim();
    let shown = cut(text, 60);
    let (rest, log) = text.strip_prefix("log:").map_or((text, false), |rest| (rest.trim(), true));
    let numbers = matches!(param.ty, Type::Int | Type::Float) && !rest.contains([',', '/', '"', '[']);
    let wrong = |end: &str, kind: &str| format!("`{}` in `{shown}` is not {kind}", cut(end.trim(), 40));
    let range = match rest.split_once("..").filter(|_| numbers) {
        Some((from, to)) if param.ty == Type::Int => {
            let read = |end: &str| end.trim().parse().map_err(|_| wrong(end, "a whole number"));
            Range::Int { from: read(from)?, to: read(to)?, log }
        }
        Some((from, to)) => {
            let read = |end: &str| end.trim().parse().map_err(|_| wrong(end, "a number"));
            Range::Float { from: read(from)?, to: read(to)?, log }
        }
        None if log => {
            return Err(format!(
                "`{shown}` is not a range of numbers; write `log:1e-5..1e-1`, for a param of type int or float"
            ));
        }
        None => return choice(sweep_values(text, &param.ty)?, param),
    };
    fits(&range, param)?;
    Ok(range)
}

/// Returns a choice among values, each once.
fn choice(values: Vec<Value>, param: &Param) -> Result<Range, String> {
    let mut fitting: Vec<Value> = Vec::with_capacity(values.len());
    for value in values {
        let value = fit_param(value, param)?;
        if !fitting.contains(&value) {
            fitting.push(value);
        }
    }
    let range = Range::Choice { values: fitting };
    range.check()?;
    Ok(range)
}

/// Checks that a param may have all values of a range.
fn fits(range: &Range, param: &Param) -> Result<(), String> {
    range.check()?;
    let whole = matches!(range, Range::Int { .. });
    if param.ty.has_media() || (param.ty == Type::Int && !whole && matches!(range, Range::Float { .. })) {
        return Err(format!("a param of type {} can't be searched like this", param.ty));
    }
    range.ends().into_iter().try_for_each(|end| fit_param(end, param).map(drop))
}

/// Checks a search of a workflow.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn check(search: &Search, workflow: &Workflow) -> Result<(), String> {
    search.check()?;
    search.space.iter().try_for_each(|(name, range)| {
        let shown = cut(name, 60);
        let param = workflow.params.get(name).ok_or_else(|| format!("there is no param `{shown}`"))?;
        fits(range, param).map_err(|why| format!("the search of `{shown}`: {why}"))
    })
}

impl Reading<'_> {
    pub(super) fn search(&mut self, node: &Node, params: &IndexMap<String, Param>) -> Option<Search> {
        let mut search = Search::default();
        for field in self.map(node, "`search`", "a map with `space:`")? {
            let (value, what) = (&field.value, format!("`{}` of `search`", cut(&field.key, 60)));
            let unsigned = |number: i64| u32::try_from(number).ok();
            match field.key.as_str() {
                "space" => search.space = self.space(value, params),
                "maximize" => self.objectives(value, &what, Goal::Max, &mut search.objectives),
                "minimize" => self.objectives(value, &what, Goal::Min, &mut search.objectives),
                "trials" => search.trials = self.int(value, &what, 1, MAX_TRIALS.into()).and_then(unsigned),
                "sampler" => search.sampler = self.word(value, &what, &Sampler::ALL).unwrap_or_default(),
                "pruner" => {
                    let text = self.plain_text(value, &what)?;
                    match text.parse::<Pruner>() {
                        Ok(pruner) => search.pruner = Some(pruner),
                        Err(why) => self.error("bad_search", value.span, why),
                    }
                }
                "seed" => search.seed = self.int(value, &what, i64::MIN, i64::MAX).unwrap_or_default(),
                "parallel" => {
                    search.parallel = self.int(value, &what, 1, MAX_PARALLEL).and_then(unsigned);
                }
                _ => self.unknown_key(field, "`search`", &KEYS, None),
            }
        }
        Some(search)
    }

    fn space(&mut self, node: &Node, params: &IndexMap<String, Param>) -> IndexMap<String, Range> {
        let mut space = IndexMap::new();
        let wanted = "a map from params to values, such as `lr: log:1e-5..1e-1`";
        let entries = self.map(node, "`space` of `search`", wanted);
        if entries.is_some_and(<[_]>::is_empty) {
            let hint = "name a param with its values, such as `lr: log:1e-5..1e-1`";
            self.error_hint("bad_search", node.span, "the search has no params to choose", hint);
        }
        for entry in entries.unwrap_or_default() {
            let name = entry.key.as_str();
            let Some(param) = params.get(name) else {
                let message = format!("`search` names `{}`, which is not a param", cut(name, 60));
                let problem = Problem::error("unknown_param", entry.key_span, message);
                let problem = self.near(problem, name, params.keys().map(String::as_str));
                self.report(problem);
                continue;
            };
            let found = match &entry.value.kind {
                Kind::Scalar(scalar) if !is_null(scalar) => range(&scalar.text, param),
                Kind::List(items) => choice(self.literals_for(items, &param.ty), param),
                _ => Err("expected a range such as `1e-5..1e-1`, or a list".into()),
            };
            match found {
                Ok(range) => drop(space.insert(name.to_owned(), range)),
                Err(why) => {
                    self.error("bad_search", entry.value.span, format!("the search of `{name}`: {why}"));
                }
            }
        }
        space
    }

    /// Reads one name or several.
    fn objectives(&mut self, node: &Node, what: &str, goal: Goal, objectives: &mut Vec<Objective>) {
        let items = match &node.kind {
            Kind::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        for item in items {
            if let Some(name) = self.plain_text(item, what) {
                objectives.push(Objective { name, goal });
            }
        }
    }
}
