//! Tables of other programs are read, and damaged ones are refused.

use super::*;
use crate::node_type::fixture::{inputs, json};

fn table(bytes: &[u8], given: &[(&str, Value)]) -> Result<Values, String> {
    let mut all = vec![("file", "".into())];
    all.extend(given.iter().cloned());
    let inputs = inputs(&node_type(), &all)?;
    read(&decode(bytes, inputs.text("encoding")? == "windows-1252")?, &inputs)
}

fn rows(text: &str, given: &[(&str, Value)]) -> Result<String, String> {
    table(text.as_bytes(), given).map(|made| made["rows"].to_json().to_string())
}

#[test]
fn a_column_has_numbers_if_all_its_cells_are_and_nothing_is_lost() {
    let text = "name,zip,n,price,ok\r\nAda,01234,1,9.90,true\r\n\"Bob, \"\"B\"\"\",99999,,10,false\r\n";
    let expected = r#"[{"name":"Ada","zip":"01234","n":1,"price":9.9,"ok":true},{"name":"Bob, \"B\"","zip":"99999","n":null,"price":10.0,"ok":false}]"#;
    assert_eq!(rows(text, &[]).unwrap(), expected);
    let typed = [("types", json(r#"{"n": "text", "zip": "int"}"#)), ("columns", json(r#"["zip", "n"]"#))];
    assert_eq!(rows(text, &typed).unwrap(), r#"[{"zip":1234,"n":"1"},{"zip":99999,"n":null}]"#);
}

#[test]
fn delimiters_and_quotes_of_other_programs_are_read() {
    assert_eq!(rows("\u{feff}a;b\n1,5;x", &[]).unwrap(), r#"[{"a":"1,5","b":"x"}]"#);
    assert_eq!(
        rows("# by hand\na\tb\n1\t2\n\n", &[("skip_lines", Value::Int(1))]).unwrap(),
        r#"[{"a":1,"b":2}]"#
    );
    assert_eq!(rows("a|b\n1|2", &[("delimiter", "tab".into())]).unwrap(), r#"[{"a|b":"1|2"}]"#);
    assert_eq!(rows("a,b\n'1,2',3", &[("quote", "'".into())]).unwrap(), r#"[{"a":"1,2","b":3}]"#);
}

#[test]
fn tables_without_a_header_and_empty_tables_are_read() {
    assert_eq!(
        rows("1,x\n2,NA", &[("header", false.into()), ("empty", json(r#"["NA"]"#))]).unwrap(),
        r#"[{"column1":1,"column2":"x"},{"column1":2,"column2":null}]"#
    );
    assert_eq!(rows("a,b\n1,2", &[("names", json(r#"["x", "y"]"#))]).unwrap(), r#"[{"x":1,"y":2}]"#);
    assert_eq!(rows("a,\n1,2\n3,4", &[("limit", Value::Int(1))]).unwrap(), r#"[{"a":1,"column2":2}]"#);
    let made = table(b"a,b\n", &[]).unwrap();
    assert_eq!((&made["columns"], &made["count"]), (&json(r#"["a", "b"]"#), &Value::Int(0)));
    assert_eq!(table(b"", &[]).unwrap()["columns"], json("[]"));
}

#[test]
fn a_bad_row_is_named_by_its_line_or_skipped() {
    let text = "# note\na,b\n\"x\ny\",1\n2\n3,4,5\n6,7\n";
    let given = [("skip_lines", Value::Int(1))];
    assert_eq!(
        rows(text, &given).unwrap_err(),
        "line 5: it has 1 cell, and the table has 2 columns; correct it, or set `bad_rows: skip`"
    );
    let skip =
        [("skip_lines", Value::Int(1)), ("bad_rows", "skip".into()), ("types", json(r#"{"a": "int"}"#))];
    let made = table(text.as_bytes(), &skip).unwrap();
    assert_eq!(made["rows"], json(r#"[{"a": 6, "b": 7}]"#));
    let lines: Vec<i64> = made["skipped"]
        .as_list()
        .unwrap()
        .iter()
        .map(|it| match it {
            Value::Object(fields) => fields["line"].as_int().unwrap(),
            _ => 0,
        })
        .collect();
    assert_eq!(lines, [3, 5, 6]);
    let typed = [("types", json(r#"{"b": "int"}"#))];
    assert!(
        rows("a,b\n1,2\n1,x\n", &typed)
            .unwrap_err()
            .starts_with("line 3: column `b`: `x` is not a whole number")
    );
}

#[test]
fn a_table_that_does_not_match_its_inputs_is_refused() {
    assert!(rows("a,a\n1,2", &[]).unwrap_err().contains("columns 1 and 2 are both named `a`"));
    assert!(
        rows("price,n\n1,2", &[("columns", json(r#"["prize"]"#))])
            .unwrap_err()
            .contains("did you mean `price`?")
    );
    assert!(
        rows("a\n1", &[("types", json(r#"{"a": "date"}"#))]).unwrap_err().contains("is not a column type")
    );
    assert!(rows("a\n1", &[("delimiter", "ab".into())]).unwrap_err().contains("is not a delimiter"));
    let open = "a,b\n1,\"open\n2,3\n4,5\n";
    assert!(rows(open, &[]).unwrap_err().starts_with("line 2: a quote is opened and never closed"));
    let long = format!("a\n{}", format!("{}\n", "x".repeat(1_000)).repeat(17_000));
    assert!(rows(&long, &[]).unwrap_err().contains("more than 16 MiB"));
}

#[test]
fn a_file_that_was_cut_within_a_quote_is_refused() {
    for (cut, line) in [
        ("a,b\n1,\"open", 2),
        ("\"a,b\n1,2\n3,4\n", 1),
        ("a,b\n\"x\"\"\",1\n\"y\"\"", 3),
        ("a,b\r\n1,2\r\n3,\"", 3),
    ] {
        let error = rows(cut, &[]).unwrap_err();
        assert!(
            error.starts_with(&format!("line {line}: a quote is opened and never closed")),
            "{cut:?}: {error}"
        );
    }
    assert_eq!(rows("size\n5\" pipe", &[]).unwrap(), r#"[{"size":"5\" pipe"}]"#);
    assert_eq!(rows("a\n\"x\"y\"", &[]).unwrap(), r#"[{"a":"xy\""}]"#);
    let beyond = [("limit", Value::Int(1))];
    assert_eq!(rows("a\n1\n\"open\n2", &beyond).unwrap(), r#"[{"a":1}]"#, "the rest is not read");
}

#[test]
fn lines_are_counted_as_an_editor_counts_them() {
    for text in ["a,b\r1,2\r\r3\r", "a,b\r\n1,2\r\n\r\n3\r\n", "a,b\n1,2\n\n3\n", "\na,b\n\n3\n"] {
        let error = rows(text, &[]).unwrap_err();
        assert!(error.starts_with("line 4: it has 1 cell"), "{text:?}: {error}");
    }
}

#[test]
fn text_is_not_decoded_again() {
    let given = [("file", "\u{feff}ä\n€".into()), ("encoding", "windows-1252".into())];
    let mut workspace = Workspace::of_test("/nowhere".into(), std::collections::BTreeMap::new());
    let made = run(&mut workspace, inputs(&node_type(), &given).unwrap()).map_err(String::from).unwrap();
    assert_eq!(made["rows"], json(r#"[{"ä": "€"}]"#));
    let utf16: Vec<u8> = "a,b\n1,2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(table(&utf16, &[]).unwrap_err().contains("UTF-16"));
}
