//! The columns of a CSV table: their names, which of them are taken, and their types.

use csv::StringRecord;
use fanlight_shared::problem::near;
use fanlight_shared::value::{Value, Values, cut};
use indexmap::IndexMap;

use super::cells::Kind;
use super::records::Records;
use crate::node_type::typed_inputs::TypedInputs;

/// The most columns.
const MAX_COLUMNS: usize = 10_000;

/// A column that is taken.
pub(super) struct Column {
    pub(super) name: String,
    /// Its place in the table.
    at: usize,
    kind: Kind,
}

/// The texts that stand for an empty cell.
pub(super) struct Empty<'a>(Vec<&'a str>);

impl<'a> Empty<'a> {
    pub(super) fn read(inputs: &'a Values) -> Result<Self, String> {
        Ok(Self(inputs.list("empty")?.iter().filter_map(Value::as_text).collect()))
    }

    fn cell<'b>(&self, record: &'b StringRecord, at: usize) -> &'b str {
        let cell = record.get(at).unwrap_or_default();
        if self.0.contains(&cell) { "" } else { cell }
    }
}

impl Column {
    /// Returns the columns that are taken, in their order.
    ///
    /// # Errors
    /// A sentence: a name is missing or occurs twice, a type is unknown.
    pub(super) fn taken(
        records: &mut Records,
        empty: &Empty<'_>,
        inputs: &Values,
    ) -> Result<Vec<Self>, String> {
        let names = names(std::mem::take(&mut records.names))?;
        let places = match inputs.maybe("columns").and_then(Value::as_list) {
            None => (0..names.len()).collect(),
            Some(wanted) => wanted
                .iter()
                .map(|it| place(&names, it.as_text().unwrap_or_default()))
                .collect::<Result<Vec<_>, _>>()?,
        };
        let given = given_kinds(&names, inputs)?;
        let found =
            |at: usize| Kind::of_column(records.rows.iter().map(|(_, record)| empty.cell(record, at)));
        let column = |at: usize| Self {
            name: names[at].clone(),
            at,
            kind: given.get(&at).copied().unwrap_or_else(|| found(at)),
        };
        Ok(places.into_iter().map(column).collect())
    }

    /// Returns the value of this column's cell in a record.
    ///
    /// # Errors
    /// A sentence: the cell is not of the column's type.
    pub(super) fn value(&self, record: &StringRecord, empty: &Empty<'_>) -> Result<Value, String> {
        let value = self.kind.value(empty.cell(record, self.at));
        value.map_err(|error| format!("column `{}`: {error}", cut(&self.name, 60)))
    }
}

/// Returns the names of the columns: each once, none empty.
fn names(names: Vec<String>) -> Result<Vec<String>, String> {
    if names.len() > MAX_COLUMNS {
        return Err(format!("the table has {} columns; at most {MAX_COLUMNS} are read", names.len()));
    }
    let named = names.into_iter().enumerate();
    let names: Vec<String> =
        named.map(|(at, name)| if name.is_empty() { format!("column{}", at + 1) } else { name }).collect();
    let mut known = IndexMap::new();
    for (at, name) in names.iter().enumerate() {
        if let Some(before) = known.insert(name, at) {
            return Err(format!(
                "columns {} and {} are both named `{}`; name all columns with `names`",
                before + 1,
                at + 1,
                cut(name, 60)
            ));
        }
    }
    Ok(names)
}

fn place(names: &[String], wanted: &str) -> Result<usize, String> {
    names.iter().position(|name| name == wanted).ok_or_else(|| {
        let hint = near(wanted, names.iter().map(String::as_str)).map_or_else(
            || format!("; it has {}", cut(&names.join(", "), 200)),
            |near| format!("; did you mean `{near}`?"),
        );
        format!("the table has no column `{}`{hint}", cut(wanted, 60))
    })
}

/// Returns the types that the input `types` gives, by the places of their columns.
fn given_kinds(names: &[String], inputs: &Values) -> Result<IndexMap<usize, Kind>, String> {
    let mut given = IndexMap::new();
    match inputs.maybe("types") {
        None => {}
        Some(Value::Object(types)) => {
            for (name, kind) in types {
                let kind =
                    kind.as_text().ok_or_else(|| format!("the type of `{}` is not text", cut(name, 60)))?;
                let column = place(names, name)?;
                given.extend(Kind::named(kind)?.map(|kind| (column, kind)));
            }
        }
        Some(_) => return Err("`types` is not an object; write `{ price: float }`".into()),
    }
    Ok(given)
}
