//! `table.group`

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values, cut};
use indexmap::IndexMap;

use super::measure::Measure;
use super::rows::{Row, Table, column_names};
use crate::node_type::bound::Bound;
use crate::node_type::build::{Build, MAX_BYTES};
use crate::node_type::compare::identity;
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner};

pub(super) fn node_type() -> NodeType {
    Build::new("table.group", "Groups rows by columns and computes sums, means and other measures of each group.")
        .input("rows", Type::Json.list(), "The rows.")
        .input("by", Type::Any, "The column to group by, or a list of columns; all rows are one group by default.")
        .optional()
        .input(
            "measures",
            Type::Json,
            "The measures to compute, by the names of their columns: `{ orders: count, revenue: { sum: price } }`. They are `count`, `sum`, `mean`, `median`, `min`, `max`, `first`, `last`, `distinct` (the number of different values) and `list`. Empty cells are ignored.",
        )
        .output("rows", Type::Json.list(), "A row for each group, in the order in which the groups first appear.")
        .output("count", Type::Int, "The number of groups.")
        .remember()
        .run(Runner::inline(run))
}

fn run(inputs: Values) -> Result<Values, String> {
    let table = Table::of(inputs.list("rows")?)?;
    let by = column_names(&inputs, "by")?.unwrap_or_default();
    table.check_columns(&by)?;
    let Value::Object(given) = inputs.value("measures")? else {
        return Err("`measures` is not an object; write `{ orders: count, revenue: { sum: price } }`".into());
    };
    let mut measures: Vec<(&String, Measure)> = Vec::new();
    for (name, measure) in given {
        let failed = |error: String| format!("measure `{}`: {error}", cut(name, 60));
        let measure = Measure::of(measure).map_err(failed)?;
        table.check_columns(measure.column.as_slice()).map_err(failed)?;
        if by.contains(name) {
            return Err(failed("a column of `by` has this name; choose another name".into()));
        }
        measures.push((name, measure));
    }
    let mut groups: IndexMap<String, (Row, Vec<usize>)> = IndexMap::new();
    for (at, row) in table.rows().enumerate() {
        let cells: Vec<Value> =
            by.iter().map(|column| row.get(column).cloned().unwrap_or_default()).collect();
        let key = identity(&Value::List(cells.clone()));
        let new = || (by.iter().cloned().zip(cells).collect(), Vec::new());
        groups.entry(key).or_insert_with(new).1.push(at);
    }
    if by.is_empty() && groups.is_empty() {
        groups.insert(String::new(), (Row::new(), Vec::new()));
    }
    let mut bound = Bound::new(MAX_BYTES);
    let mut rows = Vec::with_capacity(groups.len());
    for (mut cells, members) in groups.into_values() {
        for (name, measure) in &measures {
            let value = measure
                .compute(&table, &members)
                .map_err(|error| format!("measure `{}`: {error}", cut(name, 60)))?;
            bound.add(&value)?;
            cells.insert((*name).clone(), value);
        }
        rows.push(Value::Object(cells));
    }
    let count = Value::Int(i64::try_from(rows.len()).unwrap_or(i64::MAX));
    Ok(Values::from([("rows".to_owned(), rows.into()), ("count".to_owned(), count)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_type::fixture::{json, made};

    const ROWS: &str = r#"[{"k": "b", "n": 1, "x": 0.1}, {"k": "a", "n": 5, "x": 0.2}, {"k": "b", "n": 3, "x": null}, {"k": null, "n": null, "x": 0.3}]"#;

    fn group(by: Option<&str>, measures: &str) -> Result<String, String> {
        let mut given = vec![("rows", json(ROWS)), ("measures", json(measures))];
        given.extend(by.map(|by| ("by", by.into())));
        made(&node_type(), &given).map(|made| made["rows"].to_json().to_string())
    }

    #[test]
    fn every_group_has_its_measures() {
        let measures = r#"{"rows": "count", "n": {"sum": "n"}, "mean": {"mean": "x"}, "all": {"list": "n"}}"#;
        let expected = r#"[{"k":"b","rows":2,"n":4,"mean":0.1,"all":[1,3]},{"k":"a","rows":1,"n":5,"mean":0.2,"all":[5]},{"k":null,"rows":1,"n":0,"mean":0.3,"all":[]}]"#;
        assert_eq!(group(Some("k"), measures).unwrap(), expected);
        let measures = r#"{"n": {"max": "n"}, "k": {"min": "k"}, "d": {"distinct": "k"}, "m": {"median": "n"}, "c": {"count": "x"}, "first": {"first": "n"}, "last": {"last": "n"}, "s": {"sum": "x"}}"#;
        assert_eq!(
            group(None, measures).unwrap(),
            r#"[{"n":5,"k":"a","d":2,"m":3.0,"c":3,"first":1,"last":3,"s":0.6}]"#
        );
    }

    #[test]
    fn a_measure_that_cannot_be_computed_is_named() {
        assert!(
            group(Some("k"), r#"{"s": {"sun": "n"}}"#)
                .unwrap_err()
                .contains("measure `s`: there is no measure `sun`; did you mean `sum`?")
        );
        assert!(
            group(Some("k"), r#"{"s": {"sum": "k"}}"#)
                .unwrap_err()
                .contains("row 0, column `k`: `b` is not a number")
        );
        assert!(group(Some("k"), r#"{"s": "sum"}"#).unwrap_err().contains("name the column"));
        assert!(group(Some("k"), r#"{"k": "count"}"#).unwrap_err().contains("choose another name"));
        assert!(group(Some("q"), r#"{"s": "count"}"#).unwrap_err().contains("no column `q`"));
    }

    #[test]
    fn measures_that_copy_too_much_are_refused_early() {
        let rows =
            Value::from(vec![Value::Object([("x".to_owned(), "y".repeat(60_000).into())].into()); 100]);
        let measures = (0..200).map(|nth| (format!("m{nth}"), json(r#"{"list": "x"}"#))).collect();
        let given = [("rows", rows), ("measures", Value::Object(measures))];
        assert!(made(&node_type(), &given).unwrap_err().contains("more than 16 MiB"));
    }

    #[test]
    fn values_without_an_order_have_no_minimum_and_nan_is_not_ignored() {
        for cells in [r#"[{"x": [1]}, {"x": [0]}]"#, r#"[{"x": {"a": 1}}]"#, r#"[{"x": true}, {"x": [0]}]"#] {
            let given = [("rows", json(cells)), ("measures", json(r#"{"m": {"min": "x"}}"#))];
            let error = made(&node_type(), &given).unwrap_err();
            assert!(error.contains("column `x`") && error.contains("be ordered"), "{error}");
        }
        let given = [
            ("rows", json(r#"[{"x": 1}, {"x": NaN}, {"x": 2}]"#)),
            (
                "measures",
                json(r#"{"m": {"median": "x"}, "n": {"mean": "x"}, "a": {"min": "x"}, "z": {"max": "x"}}"#),
            ),
        ];
        assert_eq!(
            made(&node_type(), &given).unwrap()["rows"].to_json().to_string(),
            r#"[{"m":"NaN","n":"NaN","a":"NaN","z":"NaN"}]"#
        );
    }
}
