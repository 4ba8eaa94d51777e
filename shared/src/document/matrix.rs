//! Reads `matrix:`, the sweep that the file proposes.

use indexmap::IndexMap;

use super::ranges::{fit_param, sweep_values};
use super::reading::{Reading, is_null};
use super::yaml::{Kind, Node};
use crate::problem::Problem;
use crate::sweep::RUN_LIMIT;
use crate::value::Value;
use crate::workflow::Param;

impl Reading<'_> {
    pub(super) fn matrix(
        &mut self,
        node: &Node,
        params: &IndexMap<String, Param>,
    ) -> IndexMap<String, Vec<Value>> {
        let mut matrix = IndexMap::new();
        let Some(entries) = self.map(node, "`matrix`", "a map from params to values, such as `seed: 1..6`")
        else {
            return matrix;
        };
        for entry in entries {
            let name = entry.key.as_str();
            let Some(param) = params.get(name) else {
                let message = format!("`matrix` names `{name}`, which is not a param");
                let problem = Problem::error("unknown_param", entry.key_span, message);
                let problem = self.near(problem, name, params.keys().map(String::as_str));
                self.report(problem);
                continue;
            };
            match self.axis(&entry.value, param) {
                Ok(values) if values.is_empty() => {
                    self.error("bad_matrix", entry.value.span, format!("`matrix` gives `{name}` no values"));
                }
                Ok(values) => {
                    matrix.insert(name.to_owned(), values);
                }
                Err(why) => {
                    self.error("bad_matrix", entry.value.span, format!("`matrix` of `{name}`: {why}"))
                }
            }
        }
        let runs = matrix.values().try_fold(1usize, |all, values| all.checked_mul(values.len()));
        if runs.is_none_or(|runs| runs > RUN_LIMIT) {
            let message = format!("this matrix makes more than {RUN_LIMIT} runs, the limit of one sweep");
            self.error("bad_matrix", node.span, message);
        }
        matrix
    }

    fn axis(&mut self, node: &Node, param: &Param) -> Result<Vec<Value>, String> {
        let values = match &node.kind {
            Kind::Scalar(scalar) if is_null(scalar) => Vec::new(),
            Kind::Scalar(scalar) if scalar.text.contains("${{") => {
                return Err("values can't be computed; write them out, or a range such as `1..6`".into());
            }
            Kind::Scalar(scalar) => sweep_values(&scalar.text, &param.ty)?,
            Kind::List(items) => items.iter().map(|item| self.literal(item)).collect(),
            Kind::Map(_) => return Err("expected a range such as `1..6`, or a list".into()),
        };
        values.into_iter().map(|value| fit_param(value, param)).collect()
    }
}
