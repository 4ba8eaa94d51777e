//! Reads values with `${{ }}` in them.

use super::reading::Reading;
use super::spelling::changes_as_text;
use super::yaml::{Kind, Node, Scalar};
use crate::expression::Expression;
use crate::problem::{Position, Problem, Span};
use crate::types::Type;
use crate::value::Value;
use crate::workflow::{Piece, Template};

/// How to read scalars without quotes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Plain<'t> {
    /// As numbers and bools if they look like them.
    Typed,
    /// As values of this type, where texts are as written.
    As(&'t Type),
    /// As the text as written: `1.50` stays `1.50`.
    Text,
    /// As a variable of a command shows them: numbers as written, lists and objects as JSON.
    Variable,
}

impl Plain<'_> {
    /// Returns how to read the items of a list that is read like this.
    fn of_items(self) -> Self {
        match self {
            Self::As(Type::List(of)) => Self::As(of),
            plain => plain.of_fields(),
        }
    }

    /// Returns how to read the fields of an object that is read like this.
    fn of_fields(self) -> Self {
        match self {
            Self::Variable | Self::As(Type::Any) => Self::As(&Type::Any),
            Self::As(_) => Self::Typed,
            plain => plain,
        }
    }
}

impl Reading<'_> {
    /// Reads a value with expressions in it.
    pub(super) fn template(&mut self, node: &Node, plain: Plain<'_>) -> Template {
        let template = self.part(node, plain);
        self.warn_about_spelling();
        template
    }

    fn part(&mut self, node: &Node, plain: Plain<'_>) -> Template {
        match &node.kind {
            Kind::Scalar(scalar) if scalar.text.contains("${{") => self.interpolated(node, scalar),
            Kind::Scalar(scalar) => {
                self.warn_about_bare_braces(node, scalar);
                Template::Literal(match plain {
                    Plain::Text => Value::from(scalar.text.as_str()),
                    Plain::Typed => self.literal(node),
                    Plain::As(ty) => self.literal_part(node, ty),
                    Plain::Variable if changes_as_text(scalar) => Value::from(scalar.text.as_str()),
                    Plain::Variable => self.literal(node),
                })
            }
            Kind::List(items) => {
                let plain = plain.of_items();
                let items: Vec<Template> = items.iter().map(|item| self.part(item, plain)).collect();
                if items.iter().all(|item| matches!(item, Template::Literal(_))) {
                    Template::Literal(Value::List(items.into_iter().map(literal).collect()))
                } else {
                    Template::List(items)
                }
            }
            Kind::Map(entries) => {
                let plain = plain.of_fields();
                let fields: Vec<(String, Template)> =
                    entries.iter().map(|it| (it.key.clone(), self.part(&it.value, plain))).collect();
                if fields.iter().all(|(_, value)| matches!(value, Template::Literal(_))) {
                    Template::Literal(Value::Object(
                        fields.into_iter().map(|(key, value)| (key, literal(value))).collect(),
                    ))
                } else {
                    Template::Object(fields.into_iter().collect())
                }
            }
        }
    }

    /// Reads an expression, where `${{ }}` may be left out.
    pub(super) fn bare_expression(&mut self, node: &Node, scalar: &Scalar, what: &str) -> Option<Expression> {
        let text = scalar.text.trim();
        if text.contains("${{") {
            return match self.interpolated(node, scalar) {
                Template::Expression(expression) => Some(expression),
                Template::Literal(_) => None,
                _ => {
                    let message = format!("{what} is one expression, not a text around one");
                    self.error_hint(
                        "not_one_expression",
                        node.span,
                        message,
                        "put all of it into one `${{ }}`",
                    );
                    None
                }
            };
        }
        let places = Places::new(self.text, node).all_positions(text);
        self.expression(text, &places)
    }

    fn interpolated(&mut self, node: &Node, scalar: &Scalar) -> Template {
        let whole = scalar.text.as_str();
        let mut places = Places::new(self.text, node);
        let mut pieces = Vec::new();
        let mut failed = false;
        let mut rest = whole;
        while let Some(open) = rest.find("${{") {
            if open > 0 {
                pieces.push(Piece::Text(rest[..open].to_owned()));
            }
            let inside = &rest[open + 3..];
            let Some(end) = end_of_expression(inside) else {
                let start = places.positions_after_open("").first().copied().unwrap_or(node.span.start);
                let column = start.column.saturating_sub(3).max(1);
                let span = Span { start: Position { column, ..start }, end: start };
                self.error_hint("open_expression", span, "`${{` is not closed", "close it with `}}`");
                return Template::Literal(Value::None);
            };
            let source = inside[..end].trim();
            let at = places.positions_after_open(source);
            match self.expression(source, &at) {
                Some(expression) => pieces.push(Piece::Expression(expression)),
                None => failed = true,
            }
            rest = &inside[end + 2..];
        }
        if failed {
            return Template::Literal(Value::None);
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        let blank = |piece: &Piece| matches!(piece, Piece::Text(text) if text.trim().is_empty());
        let mut solid = pieces.iter().filter(|piece| !blank(piece));
        if let (Some(Piece::Expression(expression)), None) = (solid.next(), solid.next()) {
            return Template::Expression(expression.clone());
        }
        Template::Text(pieces)
    }

    fn expression(&mut self, source: &str, places: &[Position]) -> Option<Expression> {
        let last = places.last().copied().unwrap_or_default();
        match Expression::parse_at(source, &|offset| places.get(offset).copied().unwrap_or(last)) {
            Ok(expression) => Some(expression),
            Err(problems) => {
                problems.into_iter().for_each(|problem| self.report(problem));
                None
            }
        }
    }

    /// Warns about `{{ params.x }}` without its `$`.
    fn warn_about_bare_braces(&mut self, node: &Node, scalar: &Scalar) {
        let Some(at) = scalar.text.find("{{") else { return };
        let inside = scalar.text[at + 2..].trim_start();
        if ["params.", "run.", "item.", "secrets."].iter().any(|root| inside.starts_with(root)) {
            let message = "this is plain text: an expression begins with `${{`";
            self.report(
                Problem::warning("bare_braces", node.span, message).hint("put a `$` before the `{{`"),
            );
        }
    }
}

fn literal(template: Template) -> Value {
    match template {
        Template::Literal(value) => value,
        _ => Value::None,
    }
}

/// Returns the position of the `}}` that ends an expression: outside its quotes and braces.
fn end_of_expression(inside: &str) -> Option<usize> {
    let (mut quote, mut depth, mut escaped) = (None, 0usize, false);
    for (at, character) in inside.char_indices() {
        match (quote, character) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), it) if it == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(character),
            (None, '{') => depth += 1,
            (None, '}') if depth > 0 => depth -= 1,
            (None, '}') if inside[at..].starts_with("}}") => return Some(at),
            _ => {}
        }
    }
    // An unclosed quote hides the end; the error of the expression itself says more than "not closed".
    inside.find("}}")
}

/// Finds the position in the file of each byte of an expression, by walking along the raw scalar. Indentation, escapes
/// and quotes are skipped.
struct Places<'t> {
    rest: std::str::Chars<'t>,
    at: Position,
}

impl<'t> Places<'t> {
    fn new(text: &'t str, node: &Node) -> Self {
        let raw = text.get(node.raw.clone()).unwrap_or("");
        Self { rest: raw.chars(), at: node.span.start }
    }

    fn step(&mut self) -> Option<char> {
        let character = self.rest.next()?;
        if character == '\n' {
            self.at = Position { line: self.at.line + 1, column: 1 };
        } else {
            self.at.column += 1;
        }
        Some(character)
    }

    /// Returns the positions of the bytes of `source`, which follows the next `${{`, and of its end.
    fn positions_after_open(&mut self, source: &str) -> Vec<Position> {
        while !self.rest.as_str().starts_with("${{") {
            if self.step().is_none() {
                break;
            }
        }
        for _ in 0..3 {
            self.step();
        }
        self.positions(source)
    }

    /// Returns the positions of the bytes of `source`, which is the whole scalar, and of its end.
    fn all_positions(mut self, source: &str) -> Vec<Position> {
        self.positions(source)
    }

    fn positions(&mut self, source: &str) -> Vec<Position> {
        let mut places = Vec::with_capacity(source.len() + 1);
        for wanted in source.chars() {
            if !wanted.is_whitespace() {
                while self.rest.as_str().chars().next().is_some_and(|here| here != wanted) {
                    self.step();
                }
            }
            places.extend(std::iter::repeat_n(self.at, wanted.len_utf8()));
            if !wanted.is_whitespace() || self.rest.as_str().starts_with(wanted) {
                self.step();
            }
        }
        places.push(self.at);
        places
    }
}
