//! The params of a converted workflow: nodes for input.

use serde_json::Value as Json;

use super::super::draft::Param;
use super::value::{is_empty, shown};
use super::{Conversion, Made};

impl Conversion {
    pub(super) fn param(&mut self, id: &str, ty: &str) {
        let node = self.graph.nodes[id].clone();
        let text = |field: &str| node.properties.get(field).and_then(Json::as_str).unwrap_or_default();
        let name =
            [text("name"), node.title.as_str(), id].into_iter().find(|it| !it.is_empty()).unwrap_or(id);
        let mut param =
            Param { ty: ty.to_owned(), description: text("description").to_owned(), ..Param::default() };
        let value = node.properties.get("value").cloned().unwrap_or_default();
        let fits = match ty {
            "text" | "choice" => value.is_string(),
            "int" => value.is_i64(),
            "float" => value.is_number(),
            "bool" => value.is_boolean(),
            "list<text>" => value.as_array().is_some_and(|items| items.iter().all(Json::is_string)),
            "json" => !value.is_null(),
            _ => false,
        };
        if fits {
            param.default = Some(value.clone());
        } else if !is_empty(&value) {
            self.draft.lost.push(format!("the default of param `{name}`: {}", shown(&value)));
        }
        if ty == "choice" {
            let options =
                node.properties.get("options").and_then(Json::as_array).cloned().unwrap_or_default();
            if options.is_empty() {
                param.ty = "text".to_owned();
            } else {
                let of = param.default.clone().filter(|default| options.contains(default));
                param.default = of.or_else(|| options.first().cloned());
                param.limits.push(("choices", Json::Array(options)));
            }
        }
        if ["int", "float"].contains(&ty) {
            for limit in ["min", "max"] {
                let given = node.properties.get(limit).filter(|it| it.is_number() && param.default.is_some());
                let keeps = |bound: &&Json| {
                    let (bound, value) = (bound.as_f64(), param.default.as_ref().and_then(Json::as_f64));
                    if limit == "min" { bound <= value } else { bound >= value }
                };
                if let Some(bound) = given.filter(keeps) {
                    param.limits.push((limit, bound.clone()));
                }
            }
        }
        let name = self.draft.param(name, param);
        let made = Made { expression: format!("params.{name}"), stream: None };
        for output in ["output", "value", "document"] {
            self.makes(id, output, made.clone());
        }
    }
}
