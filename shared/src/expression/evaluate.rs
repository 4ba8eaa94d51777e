//! Evaluates expressions.
//!
//! A missing value (a port of a skipped node, a field that an object lacks) is absent, and so is every expression that
//! reads it. Only `first()`, the filter `default` and the tests `defined`, `undefined` and `none` accept an absent
//! value. minijinja itself would continue with an empty value, so its evaluator isn't used; its values, operators,
//! filters and tests are.

mod measure;

use std::sync::Arc;

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, ErrorKind, State, Value as Jinja};

use super::convert::{self, sentence};
use super::functions::{EXPRESSIONS, OUTCOMES};
use super::operator::{self, Comparison, Operator};
use super::tree::{Call, Tree};
use super::{Content, Outcome, Reference, Root, Scope};
use crate::value::Value;
use measure::bounded;

/// Why there is no value.
enum Stop {
    /// A value that was read is absent.
    Absent,
    /// A sentence.
    Wrong(String),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Wrong(match error.kind() {
            ErrorKind::OutOfFuel => too_much_work(),
            _ => sentence(&error),
        })
    }
}

fn too_much_work() -> String {
    "it takes too much work; do this in a command".into()
}

/// Returns the value of an expression, or `None` if it is absent.
pub(super) fn evaluate(
    tree: &Tree,
    references: &[Reference],
    scope: &dyn Scope,
) -> Result<Option<Value>, String> {
    let content = Content::new(scope.loader());
    let state = EXPRESSIONS.empty_state();
    let mut evaluation = Evaluation { references, scope, content: content.clone(), state };
    let value =
        evaluation.value(tree).and_then(|value| convert::from_jinja(&value, &content).map_err(Stop::Wrong));
    // If a value could not be read, the result is void.
    match content.failure().map_or(value, |sentence| Err(Stop::Wrong(sentence))) {
        Ok(value) => Ok(value),
        Err(Stop::Absent) => Ok(None),
        Err(Stop::Wrong(sentence)) => Err(sentence),
    }
}

struct Evaluation<'a> {
    references: &'a [Reference],
    scope: &'a dyn Scope,
    /// The large values that it reads.
    content: Arc<Content>,
    /// Counts the work of filters and of [`Evaluation::measure`].
    state: State<'static, 'static>,
}

impl Evaluation<'_> {
    // Each kind has its own function, so that a deep expression needs little stack.
    fn value(&mut self, tree: &Tree) -> Result<Jinja, Stop> {
        match tree {
            Tree::Constant(value) => Ok(value.clone()),
            Tree::Reference(number) => self.reference(*number),
            Tree::Field(value, name) => self.field(value, name),
            Tree::Item(value, index) => self.item(value, index),
            Tree::Slice(value, bounds) => self.slice(value, bounds),
            Tree::Not(value) => Ok(Jinja::from(!self.value(value)?.is_true())),
            Tree::Negate(value) => self.negate(value),
            Tree::And(left, right) => self.either(left, right, false),
            Tree::Or(left, right) => self.either(left, right, true),
            Tree::Binary(operator, left, right) => self.binary(*operator, left, right),
            Tree::Compare(first, others) => self.compare(first, others),
            Tree::Choice(parts, no) => self.choice(parts, no.as_deref()),
            Tree::Filter(value, call) => self.filter(value, call),
            Tree::Test(value, call) => self.test(value, call),
            Tree::Function(call) => self.function(call),
            Tree::List(items) => self.list(items),
            Tree::Object(fields) => self.object(fields),
        }
    }

    fn field(&mut self, value: &Tree, name: &str) -> Result<Jinja, Stop> {
        present(self.value(value)?.get_attr(name)?)
    }

    fn item(&mut self, value: &Tree, index: &Tree) -> Result<Jinja, Stop> {
        let value = self.value(value)?;
        present(value.get_item(&self.value(index)?)?)
    }

    fn negate(&mut self, value: &Tree) -> Result<Jinja, Stop> {
        Ok(operator::negate(&self.value(value)?)?)
    }

    /// Evaluates `or` and `and`: returns `left` if its truth is `stops_at`, otherwise `right`.
    fn either(&mut self, left: &Tree, right: &Tree, stops_at: bool) -> Result<Jinja, Stop> {
        let left = self.value(left)?;
        if left.is_true() == stops_at { Ok(left) } else { self.value(right) }
    }

    fn binary(&mut self, operator: Operator, left: &Tree, right: &Tree) -> Result<Jinja, Stop> {
        let (left, right) = (self.value(left)?, self.value(right)?);
        if operator == Operator::Multiply {
            bounded(operator::repeated_size(&left, &right))?;
        }
        self.made(operator.apply(&left, &right)?)
    }

    fn choice(&mut self, parts: &[Tree; 2], no: Option<&Tree>) -> Result<Jinja, Stop> {
        let [test, yes] = parts;
        match (self.value(test)?.is_true(), no) {
            (true, _) => self.value(yes),
            (false, Some(no)) => self.value(no),
            (false, None) => Err(Stop::Absent),
        }
    }

    fn list(&mut self, items: &[Tree]) -> Result<Jinja, Stop> {
        let items = items.iter().map(|item| self.value(item)).collect::<Result<Vec<_>, _>>()?;
        self.made(Jinja::from(items))
    }

    /// Returns the value, or `None` if it is absent.
    fn maybe(&mut self, tree: &Tree) -> Result<Option<Jinja>, Stop> {
        match self.value(tree) {
            Ok(value) => Ok(Some(value)),
            Err(Stop::Absent) => Ok(None),
            Err(wrong) => Err(wrong),
        }
    }

    fn reference(&self, number: usize) -> Result<Jinja, Stop> {
        let reference = self.references.get(number).ok_or(Stop::Absent)?;
        if let (Root::Item, Some(name)) = (&reference.root, reference.port.as_deref())
            && let Some(large @ Value::Large(_)) = self.scope.get(&Root::Item, None)
        {
            return present(convert::to_jinja(large, &self.content).get_attr(name)?);
        }
        let value = self.scope.get(&reference.root, reference.port.as_deref());
        value.map(|value| convert::to_jinja(value, &self.content)).ok_or(Stop::Absent)
    }

    fn slice(&mut self, value: &Tree, bounds: &[Option<Box<Tree>>; 3]) -> Result<Jinja, Stop> {
        let value = self.value(value)?;
        let mut given = [Jinja::from(()), Jinja::from(()), Jinja::from(())];
        for (place, bound) in given.iter_mut().zip(bounds) {
            if let Some(bound) = bound {
                *place = self.value(bound)?;
            }
        }
        self.made(operator::slice(&value, given)?)
    }

    fn compare(&mut self, first: &Tree, others: &[(Comparison, Tree)]) -> Result<Jinja, Stop> {
        let mut left = self.value(first)?;
        for (comparison, right) in others {
            let right = self.value(right)?;
            if !comparison.holds(&left, &right)? {
                return Ok(Jinja::from(false));
            }
            left = right;
        }
        Ok(Jinja::from(true))
    }

    fn object(&mut self, fields: &[(Tree, Tree)]) -> Result<Jinja, Stop> {
        let mut pairs = Vec::with_capacity(fields.len());
        for (key, value) in fields {
            pairs.push((self.value(key)?.to_string(), self.value(value)?));
        }
        self.made(convert::object(pairs))
    }

    fn filter(&mut self, value: &Tree, call: &Call) -> Result<Jinja, Stop> {
        if matches!(call.name.as_str(), "default" | "d") {
            return self.default(value, call);
        }
        let mut value = self.value(value)?;
        if matches!(call.name.as_str(), "min" | "max") && call.arguments.is_empty() {
            value = without_nan(value)?;
        }
        let arguments = self.arguments(Some(value), call)?;
        let made = self.state.apply_filter(&call.name, &arguments)?;
        self.made(made)
    }

    /// Evaluates `value|default(other)`; with `true` as second argument, empty values are replaced too.
    fn default(&mut self, value: &Tree, call: &Call) -> Result<Jinja, Stop> {
        let mut arguments = call.arguments.iter().map(|(_, tree)| tree);
        let (other, also_empty) = (arguments.next(), arguments.next());
        if arguments.next().is_some() {
            return Err(Stop::Wrong("`default` takes at most two arguments".into()));
        }
        if let Some(value) = self.maybe(value)? {
            let also_empty = match also_empty {
                Some(tree) => self.value(tree)?.is_true(),
                None => false,
            };
            if !also_empty || value.is_true() {
                return Ok(value);
            }
        }
        other.map_or_else(|| Ok(Jinja::from("")), |tree| self.value(tree))
    }

    fn test(&mut self, value: &Tree, call: &Call) -> Result<Jinja, Stop> {
        let answer = match call.name.as_str() {
            "defined" => self.maybe(value)?.is_some(),
            "undefined" => self.maybe(value)?.is_none(),
            "none" => self.maybe(value)?.is_none_or(|value| value.is_none()),
            name => {
                let value = self.value(value)?;
                let arguments = self.arguments(Some(value), call)?;
                match (Comparison::of_test(name), arguments.as_slice()) {
                    (Some(comparison), [left, right]) => comparison.holds(left, right)?,
                    _ => self.state.perform_test(name, &arguments)?,
                }
            }
        };
        Ok(Jinja::from(answer))
    }

    fn function(&mut self, call: &Call) -> Result<Jinja, Stop> {
        let Outcome { failed, skipped } = match OUTCOMES.contains(&call.name.as_str()) {
            true => self.scope.outcome(),
            false => Outcome::default(),
        };
        match call.name.as_str() {
            "success" => Ok(Jinja::from(!failed && !skipped)),
            "failure" => Ok(Jinja::from(failed)),
            "always" => Ok(Jinja::from(true)),
            "first" => {
                for (_, tree) in &call.arguments {
                    if let Some(value) = self.maybe(tree)? {
                        return Ok(value);
                    }
                }
                Err(Stop::Absent)
            }
            name => {
                let arguments = self.arguments(None, call)?;
                let function = self.state.lookup(name).ok_or(Stop::Absent)?;
                let made = function.call(&mut self.state, &arguments)?;
                self.made(made)
            }
        }
    }

    fn arguments(&mut self, value: Option<Jinja>, call: &Call) -> Result<Vec<Jinja>, Stop> {
        let mut all: Vec<Jinja> = value.into_iter().collect();
        let mut named = Vec::new();
        for (name, tree) in &call.arguments {
            let value = self.value(tree)?;
            match name {
                Some(name) => named.push((name.as_str(), value)),
                None => all.push(value),
            }
        }
        if !named.is_empty() {
            all.push(Jinja::from(Kwargs::from_iter(named)));
        }
        Ok(all)
    }
}

fn present(value: Jinja) -> Result<Jinja, Stop> {
    if value.is_undefined() { Err(Stop::Absent) } else { Ok(value) }
}

/// Returns the list without NaN, unless it holds nothing else.
fn without_nan(list: Jinja) -> Result<Jinja, Stop> {
    if !matches!(list.kind(), ValueKind::Seq | ValueKind::Iterable) {
        return Ok(list);
    }
    let items = list.try_iter()?.checked().collect::<Result<Vec<_>, _>>()?;
    let numbers: Vec<Jinja> = items.iter().filter(|item| !operator::is_nan(item)).cloned().collect();
    Ok(if numbers.is_empty() || numbers.len() == items.len() { list } else { Jinja::from(numbers) })
}
