//! The spelling of numbers: `3.10` is the number 3.1, and only as a text is it `3.10`.
//!
//! Values have no spelling. So it is decided where the file is read, by what becomes of a number: where only text is made of it,
//! it is a text as it is written; where a number is wanted, it is a number; and where neither is known, it is a number, with a
//! warning if it is written as numbers seldom are.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::reading::{Reading, is_null, resolve};
use super::yaml::{Kind, Node, Scalar};
use crate::expression::{Expression, Root};
use crate::node_type::Catalogue;
use crate::problem::{Problem, Span};
use crate::types::Type;
use crate::value::{Value, cut};
use crate::workflow::{self, Action, Piece, Template};

/// Returns whether values of this type are texts, which are as they are written.
pub(super) fn is_text(ty: &Type) -> bool {
    matches!(ty, Type::Text | Type::Choice | Type::Media(_))
}

/// Returns whether it is a number that would be another text than the one that is written.
pub(super) fn changes_as_text(scalar: &Scalar) -> bool {
    scalar.plain
        && match resolve(scalar) {
            Some(number @ (Value::Int(_) | Value::Float(_))) => number.to_text() != Ok(scalar.text.clone()),
            // A number that is too large.
            None => true,
            Some(_) => false,
        }
}

fn is_number(scalar: &Scalar) -> bool {
    matches!(resolve(scalar), None | Some(Value::Int(_) | Value::Float(_)))
}

/// Returns whether it is written with digits and a point only.
fn is_decimal(scalar: &Scalar) -> bool {
    let digits = scalar.text.strip_prefix(['-', '+']).unwrap_or(&scalar.text);
    scalar.plain && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && is_number(scalar)
}

/// Returns whether it has zeros that numbers seldom have, as `3.10` and `007` but not `1.0`: most likely it is meant as a text.
fn is_padded(scalar: &Scalar) -> bool {
    let digits = scalar.text.strip_prefix(['-', '+']).unwrap_or(&scalar.text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_long = |part: &str| part.len() > 1;
    is_decimal(scalar)
        && (is_long(whole) && whole.starts_with('0') || is_long(fraction) && fraction.ends_with('0'))
}

/// What becomes of a value.
#[derive(Clone, Copy, Default)]
struct Uses {
    as_text: bool,
    /// Whether the texts in a list of it are used.
    as_texts: bool,
    /// Whether it must be a text, since a number is not converted to one there.
    as_choice: bool,
    as_number: bool,
    /// Whether something is computed from it, or something reads it that takes any value.
    unknown: bool,
}

impl Uses {
    fn only_as_text(self) -> bool {
        self.as_text && !self.as_number && !self.unknown
    }

    /// Returns whether this number, which is read as one, may be meant as a text.
    fn may_mean_text(self, scalar: &Scalar) -> bool {
        match (self.as_text, self.unknown) {
            (true, true) => is_decimal(scalar) && changes_as_text(scalar),
            (true, false) | (false, true) => is_padded(scalar),
            (false, false) => false,
        }
    }
}

/// What becomes of the item of a node, and of its fields, by their path in it.
#[derive(Default)]
struct ItemUses(HashMap<Vec<String>, Uses>);

impl ItemUses {
    fn of(node: &workflow::Node, catalogue: &Catalogue) -> Self {
        let mut found = Self::default();
        let spec = match &node.action {
            Action::Uses(name) => catalogue.get(name),
            _ => None,
        };
        for (name, template) in &node.with {
            let ty = match spec.and_then(|spec| spec.inputs.get(name)) {
                Some(input) => &input.ty,
                None if node.action.is_command() => &Type::Text,
                None => &Type::Any,
            };
            found.template(template, ty);
        }
        node.texts().for_each(|template| found.template(template, &Type::Text));
        for (_, template) in node.resources.iter().flat_map(|resources| &resources.0) {
            found.template(template, &Type::Float);
        }
        node.condition.iter().for_each(|condition| found.expression(condition, &Type::Any));
        found
    }

    fn template(&mut self, template: &Template, ty: &Type) {
        match template {
            Template::Literal(_) => {}
            Template::Expression(expression) => self.expression(expression, ty),
            Template::Text(pieces) => {
                for piece in pieces {
                    if let Piece::Expression(expression) = piece {
                        self.expression(expression, &Type::Text);
                    }
                }
            }
            Template::List(items) => {
                let of = if let Type::List(of) = ty { of } else { &Type::Any };
                items.iter().for_each(|item| self.template(item, of));
            }
            Template::Object(fields) => {
                fields.values().for_each(|field| self.template(field, &Type::Any));
            }
        }
    }

    /// Adds what an expression reads, whose result becomes this type.
    fn expression(&mut self, expression: &Expression, ty: &Type) {
        let ty = if expression.is_path() { ty } else { &Type::Any };
        for reference in expression.references().iter().filter(|it| it.root == Root::Item) {
            let uses = self.0.entry(reference.path.clone()).or_default();
            match ty {
                Type::List(of) if is_text(of) => uses.as_texts = true,
                ty if is_text(ty) => uses.as_text = true,
                Type::Int | Type::Float | Type::Bool | Type::Json => uses.as_number = true,
                _ => uses.unknown = true,
            }
            uses.as_choice |= matches!(ty.innermost(), Type::Choice | Type::Media(_));
        }
    }

    /// Returns what becomes of the value at this path, or of one that is this many lists deep there.
    fn at(&self, path: &[String], lists: usize) -> Uses {
        let mut all = Uses::default();
        for length in 0..=path.len() {
            let Some(uses) = self.0.get(&path[..length]) else { continue };
            let is_here = length == path.len();
            let (is_value, is_in_list) = (is_here && lists == 0, is_here && lists == 1);
            all.as_number |= uses.as_number;
            all.as_choice |= uses.as_choice;
            all.as_text |= uses.as_text && is_value || uses.as_texts && is_in_list;
            // The text of a list or an object is JSON, where numbers are numbers.
            all.unknown |= uses.unknown || uses.as_text && !is_value || uses.as_texts && !is_in_list;
        }
        all
    }
}

impl Reading<'_> {
    /// Returns the literal value of a part of the file that becomes this type. Texts stay as they are written: `1.50` does
    /// not become the number that YAML makes of it. Where any value may be, it does, with a warning.
    pub(super) fn literal_for(&mut self, node: &Node, ty: &Type) -> Value {
        let value = self.literal_part(node, ty);
        self.warn_about_spelling();
        value
    }

    /// Returns the literal values of a list, each of this type.
    pub(super) fn literals_for(&mut self, items: &[Node], ty: &Type) -> Vec<Value> {
        let values = items.iter().map(|item| self.literal_part(item, ty)).collect();
        self.warn_about_spelling();
        values
    }

    /// Returns the literal value of a part of a value, whose warning comes when all of it has been read.
    pub(super) fn literal_part(&mut self, node: &Node, ty: &Type) -> Value {
        match (&node.kind, ty) {
            (Kind::Scalar(scalar), ty) if is_text(ty) && !is_null(scalar) => {
                Value::from(scalar.text.as_str())
            }
            (Kind::List(items), Type::List(of)) => {
                Value::List(items.iter().map(|item| self.literal_part(item, of)).collect())
            }
            (_, Type::Any) => {
                self.note_numbers(node);
                self.literal(node)
            }
            _ => self.literal(node),
        }
    }

    /// Notes the numbers in a value that are most likely meant as texts, where it is not known what becomes of them.
    fn note_numbers(&mut self, node: &Node) {
        match &node.kind {
            Kind::Scalar(scalar) if is_padded(scalar) => self.note_number(node.span, scalar),
            Kind::Scalar(_) => {}
            Kind::List(items) => items.iter().for_each(|item| self.note_numbers(item)),
            Kind::Map(entries) => entries.iter().for_each(|entry| self.note_numbers(&entry.value)),
        }
    }

    fn note_number(&mut self, span: Span, scalar: &Scalar) {
        let Some(number) = resolve(scalar).and_then(|value| value.to_text().ok()) else { return };
        let written = cut(&scalar.text, 60);
        let problem =
            Problem::warning("number_spelling", span, format!("`{written}` is the number {number} here"));
        let problem = problem.hint(format!("write \"{written}\" for the text, or {number} for the number"));
        self.spelling = Some(match self.spelling.take() {
            Some((first, count)) if first.span.start <= span.start => (first, count + 1),
            Some((_, count)) => (problem, count + 1),
            None => (problem, 1),
        });
    }

    /// Warns once about all the numbers that were noted.
    pub(super) fn warn_about_spelling(&mut self) {
        let Some((mut problem, count)) = self.spelling.take() else { return };
        if count > 1 {
            problem.message.push_str(&format!(", and {} more like it", count - 1));
        }
        self.report(problem);
    }

    /// Returns the list, or the map of lists, of `each` with quotes around the numbers of which the node makes only texts.
    pub(super) fn items_with_quotes(&mut self, each: &Node, reader: &workflow::Node) -> Node {
        let mut each = each.clone();
        let uses = match each.kind {
            Kind::Scalar(_) => return each,
            _ => ItemUses::of(reader, self.catalogue),
        };
        match &mut each.kind {
            Kind::Scalar(_) => {}
            Kind::List(items) => self.quote(items.iter_mut().collect(), &mut Vec::new(), 0, &uses),
            Kind::Map(entries) => {
                for entry in entries {
                    if let Kind::List(items) = &mut entry.value.kind {
                        let mut path = vec![entry.key.clone()];
                        self.quote(items.iter_mut().collect(), &mut path, 0, &uses);
                    }
                }
            }
        }
        self.warn_about_spelling();
        each
    }

    /// Puts quotes around the numbers that are at the same path of all items and would be other texts, if only texts are made
    /// of them. The others stay numbers: so the keys of their results don't depend on what is beside them in the list.
    fn quote(&mut self, parts: Vec<&mut Node>, path: &mut Vec<String>, lists: usize, uses: &ItemUses) {
        let mut numbers = Vec::new();
        let mut items = Vec::new();
        let mut fields: IndexMap<&str, Vec<&mut Node>> = IndexMap::new();
        for part in parts {
            match &mut part.kind {
                Kind::Scalar(scalar) if is_number(scalar) => numbers.push((part.span, scalar)),
                Kind::Scalar(_) => {}
                Kind::List(list) => items.extend(list),
                Kind::Map(entries) => {
                    for entry in entries {
                        fields.entry(&entry.key).or_default().push(&mut entry.value);
                    }
                }
            }
        }
        if numbers.iter().any(|(_, scalar)| changes_as_text(scalar)) {
            let uses = uses.at(path, lists);
            for (span, scalar) in numbers {
                if uses.only_as_text() {
                    scalar.plain &= !(uses.as_choice || changes_as_text(scalar));
                } else if uses.may_mean_text(scalar) {
                    self.note_number(span, scalar);
                }
            }
        }
        if !items.is_empty() {
            self.quote(items, path, lists + 1, uses);
        }
        for (key, values) in fields {
            path.push(key.to_owned());
            self.quote(values, path, lists, uses);
            path.pop();
        }
    }
}

#[cfg(test)]
mod tests;
