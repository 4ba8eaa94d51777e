//! `json.query`

use std::time::Duration;

use fanlight_shared::node_type::Code;
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use super::content;
use super::jq::{self, Ended};
use crate::file_error::FileError;
use crate::node_type::build::Build;
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};

/// The longest time of a filter.
const MAX_TIME: Duration = Duration::from_secs(60);
/// The most bytes of all results.
const MAX_BYTES: u64 = 16 << 20;

pub(super) fn node_type() -> NodeType {
    Build::new("json.query", "Queries a value with a jq filter.")
        .input("value", Type::Any, "The value, or a JSON file.")
        .input(
            "filter",
            Type::Text,
            "The filter: `.items[] | select(.price > $least) | .name`. All other inputs are its variables.",
        )
        .code(Code::Jq)
        .more_inputs()
        .output("value", Type::Any, "The first result; absent if there is none.")
        .output("values", Type::Any.list(), "All results.")
        .output("count", Type::Int, "The number of results.")
        .max_bytes(2 * MAX_BYTES)
        .remember()
        .run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let value = content(workspace, inputs.value("value")?)?;
    query(workspace, value, inputs, MAX_TIME)
}

fn query(
    workspace: &mut Workspace,
    value: Value,
    mut inputs: Values,
    time: Duration,
) -> Result<Values, FileError> {
    let filter = inputs.text("filter")?.to_owned();
    inputs.retain(|name, _| name != "value" && name != "filter");
    if let Some((name, _)) = inputs.iter().find(|(_, value)| value.has_media()) {
        return Err(format!("input `{name}` contains a file, which a filter can't use as a variable").into());
    }
    let results = match jq::run(filter, value, inputs, MAX_BYTES, time)? {
        Ended::Done(results) => results?,
        Ended::TooLong => {
            workspace.give_up();
            let seconds = time.as_secs();
            return Err(format!("the filter takes more than {seconds} s, or never ends").into());
        }
    };
    let count = Value::Int(i64::try_from(results.len()).unwrap_or(i64::MAX));
    let mut outputs = Values::new();
    if let Some(first) = results.first() {
        outputs.insert("value".to_owned(), first.clone());
    }
    outputs.insert("values".to_owned(), results.into());
    outputs.insert("count".to_owned(), count);
    Ok(outputs)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::node_type::fixture::{inputs, json};

    fn ask(value: &str, filter: &str) -> Result<Values, String> {
        let given = [("value", json(value)), ("filter", filter.into()), ("least", Value::Int(3))];
        let mut workspace = Workspace::of_test("/nowhere".into(), BTreeMap::new());
        run(&mut workspace, inputs(&node_type(), &given)?).map_err(String::from)
    }

    fn values(value: &str, filter: &str) -> String {
        ask(value, filter).unwrap()["values"].to_json().to_string()
    }

    #[test]
    fn a_filter_returns_all_its_results() {
        let items = r#"{"items": [{"name": "pen", "price": 2}, {"name": "ink", "price": 5.5}]}"#;
        let made = ask(items, ".items[] | select(.price > $least) | .name").unwrap();
        assert_eq!((&made["value"], &made["count"]), (&"ink".into(), &Value::Int(1)));
        assert_eq!(values(items, "[.items[].price] | add, length"), "[7.5,2]");
        assert_eq!(
            values(r#"{"b": 1, "a": {"c": [null, true]}}"#, ". as $x | {z: $x.b, a: $x.a}"),
            r#"[{"z":1,"a":{"c":[null,true]}}]"#
        );
        assert_eq!(values("9007199254740993", "., . + 1"), "[9007199254740993,9007199254740994]");
        assert_eq!(
            values(r#""2024-05-06""#, r#"capture("(?<y>\\d{4})") | .y, ("a,b" | split(","))"#),
            r#"["2024",["a","b"]]"#
        );
        let none = ask("[]", ".[]").unwrap();
        assert_eq!((none.get("value"), &none["count"]), (None, &Value::Int(0)));
    }

    #[test]
    fn an_error_in_a_filter_says_where_it_is() {
        assert_eq!(ask("1", ".a | | .b").unwrap_err(), "the filter, character 6: expected term, at `| .b`");
        assert_eq!(
            ask("1", ".a |\n  foo(1)").unwrap_err(),
            "the filter, line 2, character 3: there is no filter `foo`, at `foo(1)`"
        );
        assert!(ask("1", "$most").unwrap_err().contains("there is no variable `$most`"));
        assert!(ask("1", "(.a").unwrap_err().starts_with("the filter, character "));
        assert_eq!(
            ask(r#"{"a": "x"}"#, ".a + 1").unwrap_err(),
            "the filter failed: cannot calculate \"x\" + 1"
        );
        assert_eq!(ask("1", r#"error("no " + "luck")"#).unwrap_err(), "the filter failed: no luck");
    }

    #[test]
    fn a_filter_sees_only_its_value() {
        for filter in [
            "env",
            "$ENV.PATH",
            "now",
            "halt",
            "input",
            r#"include "a"; 1"#,
            "localtime",
            "input_filename",
            "debug",
        ] {
            assert!(ask("1", filter).is_err(), "{filter}");
        }
    }

    #[test]
    fn a_filter_that_never_ends_or_makes_too_much_is_stopped() {
        let mut workspace = Workspace::of_test("/nowhere".into(), BTreeMap::new());
        // It does end, so that no thread outlives the tests.
        let given = [("value", json("1")), ("filter", "last(range(3e6))".into())];
        let inputs = inputs(&node_type(), &given).unwrap();
        let error = query(&mut workspace, json("1"), inputs, Duration::from_millis(5)).unwrap_err();
        assert!(String::from(error).contains("or never ends"));
        assert!(workspace.was_given_up());
        let error = ask("1", r#"range(1e9) | "a long text that is made again and again""#).unwrap_err();
        assert!(error.contains("more than 16 MiB"), "{error}");
    }
}
