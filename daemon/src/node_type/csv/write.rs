//! `csv.write`

use csv::{Terminator, WriterBuilder};
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use super::delimiter;
use crate::file_error::FileError;
use crate::node_type::build::{Build, ty};
use crate::node_type::table::rows::Table;
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};

pub(super) fn node_type() -> NodeType {
    Build::new("csv.write", "Writes rows as a CSV table.")
        .input("rows", Type::Json.list(), "The rows: each is an object with a cell per field. Lists and objects in cells are written as JSON.")
        .input("columns", Type::Text.list(), "The columns to write, in this order; by default all, in the order in which they first appear.")
        .optional()
        .input("header", Type::Bool, "Whether to write the names of the columns in the first line.")
        .default(true)
        .input("delimiter", Type::Text, "The character between cells, or `tab`.")
        .default(",")
        .input("line_ends", Type::Choice, "The line ending.")
        .default("lf")
        .choices(&["lf", "crlf"])
        .input("mark", Type::Bool, "Whether to begin with a byte order mark, which Excel needs to recognise UTF-8.")
        .default(false)
        .input("name", Type::Text, "The name of the file.")
        .default("table.csv")
        .output("file", ty::file(), "The file.")
        .output("text", Type::Text, "The contents of the file.")
        .max_bytes(48 << 20)
        .remember()
        .run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let text = write(&inputs)?;
    let file = workspace.put_file(inputs.text("name")?, text.as_bytes())?;
    Ok(Values::from([("file".to_owned(), file), ("text".to_owned(), text.into())]))
}

fn write(inputs: &Values) -> Result<String, String> {
    let table = Table::of(inputs.list("rows")?)?;
    let columns = match inputs.maybe("columns").and_then(Value::as_list) {
        Some(columns) => {
            let columns: Vec<String> = columns.iter().filter_map(Value::as_text).map(str::to_owned).collect();
            table.check_columns(&columns)?;
            columns
        }
        None => table.columns(),
    };
    let terminator =
        if inputs.text("line_ends")? == "crlf" { Terminator::CRLF } else { Terminator::Any(b'\n') };
    let mark = if inputs.flag("mark")? { "\u{feff}" } else { "" };
    let mut writer = WriterBuilder::new()
        .delimiter(delimiter(inputs.text("delimiter")?)?)
        .terminator(terminator)
        .from_writer(mark.as_bytes().to_vec());
    let failed = |error: csv::Error| format!("the table can't be written: {error}");
    if inputs.flag("header")? && !columns.is_empty() {
        writer.write_record(&columns).map_err(failed)?;
    }
    for (at, row) in table.rows().enumerate() {
        let cells = columns.iter().map(|column| match row.get(column) {
            None | Some(Value::None) => Ok(String::new()),
            Some(value) => value.to_text().map_err(|error| format!("row {at}, column `{column}`: {error}")),
        });
        let cells: Vec<String> = cells.collect::<Result<_, String>>()?;
        if !cells.is_empty() {
            writer.write_record(&cells).map_err(failed)?;
        }
    }
    let bytes = writer.into_inner().map_err(|error| format!("the table can't be written: {error}"))?;
    String::from_utf8(bytes).map_err(|_| "the table is not UTF-8".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_type::fixture::{inputs, json};

    fn written(rows: &str, given: &[(&str, Value)]) -> Result<String, String> {
        let mut all = vec![("rows", json(rows))];
        all.extend(given.iter().cloned());
        write(&inputs(&node_type(), &all)?)
    }

    #[test]
    fn cells_are_written_so_that_they_can_be_read_again() {
        let rows = r#"[{"a": 1, "b": "x, \"y\""}, {"b": null, "c": [1, {"d": true}], "a": 2.5}]"#;
        assert_eq!(
            written(rows, &[]).unwrap(),
            "a,b,c\n1,\"x, \"\"y\"\"\",\n2.5,,\"[1,{\"\"d\"\":true}]\"\n"
        );
        let given = [
            ("columns", json(r#"["c", "a"]"#)),
            ("delimiter", ";".into()),
            ("line_ends", "crlf".into()),
            ("mark", true.into()),
        ];
        assert_eq!(written(r#"[{"a": 1, "c": ";"}]"#, &given).unwrap(), "\u{feff}c;a\r\n\";\";1\r\n");
        assert_eq!(written("[]", &[]).unwrap(), "");
        assert_eq!(
            written(r#"[{"a": null}]"#, &[("header", false.into())]).unwrap(),
            "\"\"\n",
            "an empty line would be no row"
        );
    }

    #[test]
    fn items_that_are_not_rows_and_missing_columns_are_named() {
        assert_eq!(written(r#"[{"a": 1}, 2]"#, &[]).unwrap_err(), "row 1 is int, not an object with cells");
        assert!(
            written(r#"[{"price": 1}]"#, &[("columns", json(r#"["prize"]"#))])
                .unwrap_err()
                .contains("did you mean `price`?")
        );
    }
}
