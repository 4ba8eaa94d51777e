//! Parts of an expression: their shapes and their trees.

use minijinja::machinery::ast::{BinOpKind, CompareOpKind};
use minijinja::value::ValueKind;

use crate::expression::Shape;
use crate::expression::operator::{Comparison, Operator};
use crate::expression::tree::Tree;
use crate::types::Type;

/// A part of an expression: the shape of its value, and its tree.
pub(super) struct Part {
    pub(super) shape: Shape,
    pub(super) tree: Tree,
}

impl Part {
    /// Stands for a part with a problem.
    pub(super) const BROKEN: Self = Self { shape: Shape::Known(Type::Any), tree: Tree::BROKEN };

    pub(super) fn known(ty: Type, tree: Tree) -> Self {
        Self { shape: Shape::Known(ty), tree }
    }
}

pub(super) fn constant(value: &minijinja::Value) -> Part {
    let ty = match value.kind() {
        ValueKind::Bool => Type::Bool,
        ValueKind::Number if value.is_integer() => Type::Int,
        ValueKind::Number => Type::Float,
        ValueKind::String => Type::Text,
        _ => Type::Any,
    };
    Part::known(ty, Tree::Constant(value.clone()))
}

pub(super) fn binary(kind: BinOpKind, left: Part, right: Part) -> Part {
    let (left_tree, right_tree) = (Box::new(left.tree), Box::new(right.tree));
    let operator = |operator, ty| (operator, Shape::Known(ty));
    let comparison = match kind {
        BinOpKind::ScAnd | BinOpKind::ScOr => {
            let shape = Shape::OneOf(vec![left.shape, right.shape]);
            let and = matches!(kind, BinOpKind::ScAnd);
            let tree = if and { Tree::And(left_tree, right_tree) } else { Tree::Or(left_tree, right_tree) };
            return Part { shape, tree };
        }
        BinOpKind::Eq => Comparison::Equal,
        BinOpKind::Ne => Comparison::Unequal,
        BinOpKind::Lt => Comparison::Less,
        BinOpKind::Lte => Comparison::LessOrEqual,
        BinOpKind::Gt => Comparison::Greater,
        BinOpKind::Gte => Comparison::GreaterOrEqual,
        BinOpKind::In => Comparison::In,
        arithmetic => {
            let (operator, shape) = match arithmetic {
                BinOpKind::Add => operator(Operator::Add, Type::Any),
                BinOpKind::Sub => operator(Operator::Subtract, Type::Any),
                BinOpKind::Mul => operator(Operator::Multiply, Type::Any),
                BinOpKind::Div => operator(Operator::Divide, Type::Float),
                BinOpKind::FloorDiv => operator(Operator::DivideWhole, Type::Any),
                BinOpKind::Rem => operator(Operator::Remainder, Type::Any),
                BinOpKind::Pow => operator(Operator::Power, Type::Any),
                _ => operator(Operator::Concatenate, Type::Text),
            };
            return Part { shape, tree: Tree::Binary(operator, left_tree, right_tree) };
        }
    };
    Part::known(Type::Bool, Tree::Compare(left_tree, vec![(comparison, *right_tree)]))
}

pub(super) fn comparison(kind: CompareOpKind) -> Comparison {
    match kind {
        CompareOpKind::Eq => Comparison::Equal,
        CompareOpKind::Ne => Comparison::Unequal,
        CompareOpKind::Lt => Comparison::Less,
        CompareOpKind::Lte => Comparison::LessOrEqual,
        CompareOpKind::Gt => Comparison::Greater,
        CompareOpKind::Gte => Comparison::GreaterOrEqual,
        CompareOpKind::In => Comparison::In,
        CompareOpKind::NotIn => Comparison::NotIn,
    }
}

impl Shape {
    pub(super) fn list(self) -> Self {
        Self::List(Box::new(self))
    }
}

/// Returns the shape of a filter's result.
pub(super) fn filtered(name: &str, shape: Shape) -> Shape {
    match name {
        "length" | "count" | "int" => Shape::Known(Type::Int),
        "float" => Shape::Known(Type::Float),
        "bool" => Shape::Known(Type::Bool),
        "capitalize" | "format" | "indent" | "join" | "lower" | "replace" | "string" | "title" | "tojson"
        | "trim" | "upper" => Shape::Known(Type::Text),
        "first" | "last" | "min" | "max" => Shape::Element(Box::new(shape)),
        "sort" | "reverse" | "unique" | "select" | "reject" | "selectattr" | "rejectattr" => shape,
        _ => Shape::Known(Type::Any),
    }
}
