//! Reads `matrix:`, the sweep that the file proposes.

use indexmap::IndexMap;

use super::ranges::{fit_param, sweep_values};
use super::reading::{Reading, is_null};
use super::yaml::{Entry, Kind, Node};
use crate::problem::Problem;
use crate::sweep::Matrix;
use crate::value::{Value, Values};
use crate::workflow::Param;

type Params = IndexMap<String, Param>;

impl Reading<'_> {
    pub(super) fn matrix(&mut self, node: &Node, params: &Params) -> Matrix {
        let mut matrix = Matrix::default();
        let Some(entries) = self.map(node, "`matrix`", "a map from params to values, such as `seed: 1..6`")
        else {
            return matrix;
        };
        // A param may have one of these names.
        let is_list = |entry: &&Entry| {
            matches!(entry.key.as_str(), "include" | "exclude") && !params.contains_key(&entry.key)
        };
        for entry in entries.iter().filter(|entry| !is_list(entry)) {
            let name = entry.key.as_str();
            let Some(param) = self.param_of_matrix(entry, params) else { continue };
            match self.axis(&entry.value, param) {
                Ok(values) if values.is_empty() => {
                    self.error("bad_matrix", entry.value.span, format!("`matrix` gives `{name}` no values"));
                }
                Ok(values) => {
                    matrix.axes.insert(name.to_owned(), values);
                }
                Err(why) => {
                    self.error("bad_matrix", entry.value.span, format!("`matrix` of `{name}`: {why}"))
                }
            }
        }
        for entry in entries.iter().filter(is_list) {
            let excludes = entry.key == "exclude";
            let read = self.combinations(entry, params, excludes.then_some(&matrix));
            if excludes { matrix.exclude = read } else { matrix.include = read }
        }
        matrix
    }

    fn param_of_matrix<'p>(&mut self, entry: &Entry, params: &'p Params) -> Option<&'p Param> {
        let name = entry.key.as_str();
        if let Some(param) = params.get(name) {
            return Some(param);
        }
        let message = format!("`matrix` names `{name}`, which is not a param");
        let problem = Problem::error("unknown_param", entry.key_span, message);
        let problem = self.near(problem, name, params.keys().map(String::as_str));
        self.report(problem);
        None
    }

    /// Reads `include` or `exclude`: a list of maps. Those that are excluded have only params that `swept` varies.
    fn combinations(&mut self, entry: &Entry, params: &Params, swept: Option<&Matrix>) -> Vec<Values> {
        let key = &entry.key;
        let wanted = "a list of maps from params to values, such as `- { seed: 3 }`";
        let Kind::List(items) = &entry.value.kind else {
            self.error("bad_matrix", entry.value.span, format!("`{key}` of `matrix` must be {wanted}"));
            return Vec::new();
        };
        let mut read = Vec::new();
        for item in items {
            let mut values = Values::new();
            let what = format!("an entry of `{key}`");
            let entries = self.map(item, &what, "a map from params to values, such as `seed: 3`");
            for entry in entries.unwrap_or_default() {
                let name = entry.key.as_str();
                let Some(param) = self.param_of_matrix(entry, params) else { continue };
                if swept.is_some_and(|matrix| !matrix.axes.contains_key(name)) {
                    let message = format!("`exclude` names `{name}`, which `matrix` gives no values");
                    self.error("bad_matrix", entry.key_span, message);
                    continue;
                }
                match self.single(&entry.value, param) {
                    Ok(value) => {
                        values.insert(name.to_owned(), value);
                    }
                    Err(why) => {
                        self.error("bad_matrix", entry.value.span, format!("`{key}` of `{name}`: {why}"));
                    }
                }
            }
            // An empty one would exclude everything.
            if !values.is_empty() {
                read.push(values);
            } else if entries.is_some_and(<[Entry]>::is_empty) {
                self.error("bad_matrix", item.span, format!("{what} names no param"));
            }
        }
        read
    }

    fn single(&mut self, node: &Node, param: &Param) -> Result<Value, String> {
        computed(node)?;
        fit_param(self.literal_for(node, &param.ty), param)
    }

    fn axis(&mut self, node: &Node, param: &Param) -> Result<Vec<Value>, String> {
        computed(node)?;
        let values = match &node.kind {
            Kind::Scalar(scalar) if is_null(scalar) => Vec::new(),
            Kind::Scalar(scalar) => sweep_values(&scalar.text, &param.ty)?,
            Kind::List(items) => self.literals_for(items, &param.ty),
            Kind::Map(_) => return Err("expected a range such as `1..6`, or a list".into()),
        };
        values.into_iter().map(|value| fit_param(value, param)).collect()
    }
}

/// Refuses expressions.
fn computed(node: &Node) -> Result<(), String> {
    match &node.kind {
        Kind::Scalar(scalar) if scalar.text.contains("${{") => {
            Err("values can't be computed; write them out, or a range such as `1..6`".into())
        }
        _ => Ok(()),
    }
}
