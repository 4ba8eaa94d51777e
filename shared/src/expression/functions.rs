//! The functions of expressions, and minijinja's settings.

use std::cmp::Ordering;
use std::sync::LazyLock;

use minijinja::value::{Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value as Jinja};

use super::convert;

/// The functions that expressions may call.
pub const FUNCTIONS: [&str; 8] =
    ["range", "zip", "argmax", "argmin", "first", "success", "failure", "always"];

/// The functions that ask for the outcome of the nodes before.
pub(super) const OUTCOMES: [&str; 3] = ["success", "failure", "always"];

/// The filters that expressions may use. Those that only make sense for HTML are left out.
pub(super) const FILTERS: [&str; 44] = [
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "count",
    "d",
    "default",
    "dictsort",
    "first",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "tojson",
    "trim",
    "unique",
    "upper",
    "zip",
];

/// The tests that expressions may use after `is`.
pub(super) const TESTS: [&str; 29] = [
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "equalto",
    "even",
    "false",
    "float",
    "ge",
    "gt",
    "in",
    "int",
    "integer",
    "iterable",
    "le",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "sequence",
    "startingwith",
    "string",
    "true",
    "undefined",
    "upper",
];

/// The longest list that `range` makes.
const RANGE_LIMIT: i64 = 100_000;

/// The most steps of one evaluation; a step is an instruction, or one unit of the size of a growing value.
const FUEL: u64 = 2_000_000;

/// Holds the filters, tests and functions of expressions. Absent values never get here.
pub(super) static EXPRESSIONS: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = environment();
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment
});

/// Renders templates, where a missing variable is an error, and values are written as `${{ }}` writes them.
pub(super) static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = environment();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_formatter(|out, state, value| match value.kind() {
        // minijinja writes `True` and `{'a': 1}`.
        ValueKind::Bool | ValueKind::None | ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => {
            out.write_str(&convert::written(value).map_err(invalid)?).map_err(Error::from)
        }
        _ => minijinja::escape_formatter(out, state, value),
    });
    environment
});

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    environment.set_debug(true);
    environment.set_recursion_limit(100);
    for global in ["namespace", "dict", "debug"] {
        environment.remove_global(global);
    }
    environment.add_filter("tojson", super::json::tojson);
    environment.add_function("range", range);
    environment.add_function("zip", zip);
    environment.add_function("argmax", |list: Jinja| extreme(&list, Ordering::Greater));
    environment.add_function("argmin", |list: Jinja| extreme(&list, Ordering::Less));
    // Templates of `text.template` have no absent values, so the first argument is the result.
    environment.add_function("first", |values: Rest<Jinja>| {
        values.0.into_iter().find(|value| !value.is_undefined()).unwrap_or(Jinja::UNDEFINED)
    });
    environment
}

pub(super) fn invalid(sentence: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, sentence.into())
}

fn range(start: i64, end: Option<i64>, step: Option<i64>) -> Result<Jinja, Error> {
    let (start, end) = end.map_or((0, start), |end| (start, end));
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(invalid("the step of `range` can't be 0"));
    }
    let (low, high) = if step > 0 { (start, end) } else { (end, start) };
    let span = i128::from(high) - i128::from(low);
    let wide = i128::from(step).abs();
    let count = if span <= 0 { 0 } else { (span + wide - 1) / wide };
    if count > i128::from(RANGE_LIMIT) {
        return Err(invalid(format!("`range` would make {count} values; at most {RANGE_LIMIT} are allowed")));
    }
    let values = std::iter::successors(Some(start), |at| at.checked_add(step));
    let within = values.take(usize::try_from(count).unwrap_or(0));
    Ok(Jinja::from(within.map(Jinja::from).collect::<Vec<_>>()))
}

fn zip(lists: Rest<Jinja>) -> Result<Jinja, Error> {
    let lists = lists.0.iter().map(list).collect::<Result<Vec<_>, _>>()?;
    let length = lists.first().map_or(0, Vec::len);
    if let Some(other) = lists.iter().find(|other| other.len() != length) {
        return Err(invalid(format!(
            "`zip` needs lists of equal length, got {length} and {} items",
            other.len()
        )));
    }
    let row = |at: usize| lists.iter().map(|list| list[at].clone()).collect::<Vec<_>>();
    Ok(Jinja::from((0..length).map(|at| Jinja::from(row(at))).collect::<Vec<_>>()))
}

fn list(value: &Jinja) -> Result<Vec<Jinja>, Error> {
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => value.try_iter()?.checked().collect(),
        other => Err(invalid(format!("expected a list, got {other}"))),
    }
}

/// Returns the index of the greatest or least number, or of the first of several. NaN is ignored.
fn extreme(value: &Jinja, wanted: Ordering) -> Result<Jinja, Error> {
    let (mut best, mut some): (Option<(usize, f64)>, bool) = (None, false);
    for (at, item) in list(value)?.into_iter().enumerate() {
        let number = f64::try_from(item.clone())
            .ok()
            .filter(|_| item.is_number())
            .ok_or_else(|| invalid(format!("item {at} is {}, not a number", item.kind())))?;
        some = true;
        if !number.is_nan() && best.is_none_or(|(_, so_far)| number.partial_cmp(&so_far) == Some(wanted)) {
            best = Some((at, number));
        }
    }
    let nothing = if some { "every item of the list is NaN" } else { "the list is empty" };
    best.map(|(at, _)| Jinja::from(at)).ok_or_else(|| invalid(nothing))
}
