use super::*;
use crate::document;
use crate::node_type::Catalogue;

const FILE: &str = "params:
  place: { type: text, default: Brighton }
  seed: { type: int, default: 1, min: 0 }
  rate: { type: float, default: 0.1 }
  tags: { type: list<text>, default: [] }
nodes: { a: { run: 'true' } }
";

fn rows(text: &str) -> Result<Vec<Row>, Vec<RowError>> {
    let workflow = document::read(FILE, &Catalogue::default()).expect("the file is good").workflow;
    read(text, &workflow.params)
}

/// Returns the rows as JSON, each with its line.
fn written(text: &str) -> Vec<String> {
    let line = |row: Row| format!("{} {}", row.line, Value::Object(row.params).to_json());
    rows(text).unwrap().into_iter().map(line).collect()
}

fn errors(text: &str) -> Vec<String> {
    rows(text).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn csv_has_a_column_for_each_param_and_empty_cells_leave_the_default() {
    let text = "place,seed,tags\nHove,3,\"a,b\"\n\n\"Lewes, by the Ouse\",,\n\"\",0,x\n";
    let expected = [
        r#"2 {"place":"Hove","seed":3,"tags":["a","b"]}"#,
        r#"4 {"place":"Lewes, by the Ouse"}"#,
        r#"5 {"place":"","seed":0,"tags":["x"]}"#,
    ];
    assert_eq!(written(text), expected);
}

#[test]
fn json_is_a_list_of_objects_or_an_object_per_line() {
    let expected = [r#"1 {"seed":3,"rate":1.0}"#, r#"2 {"place":"a ] \", }"}"#];
    assert_eq!(written("[{\"seed\": 3, \"rate\": 1},\n{\"place\": \"a ] \\\", }\"}]\n"), expected);
    let expected = [r#"1 {"seed":3}"#, r#"3 {"tags":["x"],"seed":4}"#];
    assert_eq!(written("{\"seed\": 3, \"place\": null}\n\n{\"tags\": [\"x\"], \"seed\": 4}"), expected);
}

#[test]
fn numbers_in_json_are_as_written_where_params_are_texts() {
    let text = r#"{"place": 3.10, "rate": 0.10, "seed": 7, "tags": [3.10, "3.20", 1e3]}"#;
    assert_eq!(written(text), [r#"1 {"place":"3.10","rate":0.1,"seed":7,"tags":["3.10","3.20","1e3"]}"#]);
}

#[test]
fn only_numbers_that_stay_numbers_have_a_limit() {
    let text = r#"{"place": 99999999999999999999, "tags": [18446744073709551616]}"#;
    let expected = r#"1 {"place":"99999999999999999999","tags":["18446744073709551616"]}"#;
    assert_eq!(written(text), [expected]);
    let said = errors(r#"{"tags": [99999999999999999999], "seed": 99999999999999999999}"#);
    assert!(
        said.len() == 1 && said[0].starts_with("line 1: param `seed`: 99999999999999999999 is too"),
        "{said:?}"
    );
}

#[test]
fn all_errors_are_reported_with_their_lines() {
    let text = "place,sede,seed\nHove,1,x\nLewes,2\n\"a\nb\",3,-1\n";
    let expected = [
        "line 1: there is no param `sede`; did you mean `seed`?",
        "line 2: param `seed`: `x` is not an int",
        "line 3: this row has 2 values for 3 columns",
        "line 4: param `seed`: -1 is less than 0",
    ];
    assert_eq!(errors(text), expected);
    assert_eq!(errors("place,seed\nHove\n"), ["line 2: this row has 1 value for 2 columns"]);
    let text = "[\n {\"sede\": 1},\n {\"sede\": 2, \"seed\": \"x\"},\n 5,\n {\"seed\" 1}\n]";
    let found = errors(text);
    assert_eq!(found[0], "line 2: there is no param `sede`; did you mean `seed`?");
    assert!(found[1].starts_with("line 3: param `seed`: "), "{found:?}");
    assert_eq!(found[2], "line 4: `5` is not an object of params");
    assert!(found[3].starts_with("line 5: `{\"seed\" 1}` is not a JSON object"), "{found:?}");
    assert_eq!(found.len(), 4, "an unknown param is reported once");
    let found = errors("[{\"seed\": 1},\n{\"seed\": 1, \"place\": \"x\", \"seed\": 2}]");
    assert_eq!(found, ["line 2: the key `seed` is there twice"]);
    let found = errors("{\"seed\": 1}\n{\"seed\": }\n{\"seed\": 2.5}");
    assert!(found[0].starts_with("line 2: ") && found[1].starts_with("line 3: "), "{found:?}");
}

#[test]
fn files_that_are_cut_off_or_empty_are_refused() {
    for (text, error) in [
        ("", "line 1: there are no rows"),
        (" \n", "line 1: there are no rows"),
        ("[]", "line 1: there are no rows"),
        ("seed\n", "line 1: there are no rows"),
        ("[{\"seed\": 1},\n", "line 2: the list is not closed with `]`"),
        ("[{\"seed\": 1}]\n5", "line 2: text follows the end of the list"),
        ("seed\n\"1", "line 2: a quote is not closed"),
        ("seed,seed\n1,2", "line 1: the column `seed` is there twice"),
        ("seed;rate\n1;2", "line 1: there is no param `seed;rate`; did you mean"),
        ("seed,\n1,2", "line 1: a column has no name"),
    ] {
        assert!(errors(text)[0].starts_with(error), "{text:?}: {:?}", errors(text));
    }
}

#[test]
fn an_entry_names_params_with_their_values() {
    let workflow = document::read(FILE, &Catalogue::default()).expect("the file is good").workflow;
    let entry = |text: &str| entry(text, &workflow.params);
    let written = |text: &str| Value::Object(entry(text).unwrap()).to_json().to_string();
    assert_eq!(written("seed=3, place=Hove"), r#"{"seed":3,"place":"Hove"}"#);
    assert_eq!(written(r#""place=Hove, by the sea""#), r#"{"place":"Hove, by the sea"}"#);
    let quoted = r#"{"place":"Hove, by \"the\" sea","seed":3,"tags":["a","b"]}"#;
    assert_eq!(written(r#"place="Hove, by ""the"" sea", seed=3, tags = "a,b""#), quoted);
    assert_eq!(written(r#"place="",seed=3"#), r#"{"place":"","seed":3}"#);
    assert_eq!(written(r#"place=a"b"#), r#"{"place":"a\"b"}"#);
    for (bad, why) in [
        (r#"place="Hove, by"#, "a quote in `place=\"Hove, by` is not closed"),
        (r#"place="Hove" x,seed=1"#, "text follows a closing quote"),
        ("seed=1,,place=x", "an empty place between its commas"),
        ("seed", "has no value"),
        ("sede=1", "did you mean `seed`?"),
        ("seed=1,seed=2", "is given twice"),
        ("seed=x", "param `seed`: `x` is not an int"),
    ] {
        assert!(entry(bad).unwrap_err().contains(why), "{bad}");
    }
}
