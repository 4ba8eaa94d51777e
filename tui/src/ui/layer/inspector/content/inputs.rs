//! The inputs of a node as its file writes them, with what they read.

use fanlight_shared::expression::Root;
use fanlight_shared::item::ItemPath;
use fanlight_shared::sanitise;
use fanlight_shared::value::Value;
use fanlight_shared::workflow::{Action, Piece, Template};

use super::super::Inspector;
use super::super::page::Row;
use super::{MAX_PICTURES, text};
use crate::ui::model::Model;
use crate::ui::node;
use crate::ui::theme::Theme;

pub(super) fn rows(inspector: &Inspector, model: &Model, theme: &Theme) -> Vec<Row> {
    let Some((workflow, _)) = model.drawn() else { return Vec::new() };
    let Some(node) = workflow.nodes.get(&inspector.node) else { return Vec::new() };
    let mut rows = vec![text(node.action.word(), theme.dim), text("", theme.text)];
    for (name, template) in &node.with {
        rows.push(text(sanitise::line(name), theme.accent));
        rows.push(text(format!("  {}", sanitise::line(&source(template))), theme.text));
        for expression in template.expressions() {
            for reference in expression.references() {
                let Some((from, value)) = read(reference, model) else { continue };
                rows.push(text(format!("  {from} = {}", node::summary(value, 200)), theme.dim));
                if let (Root::Node(node), Some(port)) = (&reference.root, &reference.port) {
                    let pictures = inspector.products.pictures(node, ItemPath::WHOLE, port);
                    rows.extend(pictures.iter().take(MAX_PICTURES).map(|asset| Row::Picture(*asset)));
                }
            }
        }
        rows.push(text("", theme.text));
    }
    if !node.needs.is_empty() {
        rows.push(text("needs", theme.accent));
        rows.push(text(format!("  {}", node.needs.join(", ")), theme.text));
    }
    if let Action::Run { script, .. } = &node.action {
        rows.push(text("", theme.text));
        rows.push(text("script", theme.accent));
        let script = sanitise::plain(script);
        rows.extend(script.trim_end().lines().map(|line| text(format!("  {line}"), theme.text)));
    }
    rows
}

/// Returns the value of a reference in the focused run.
fn read<'a>(
    reference: &fanlight_shared::expression::Reference,
    model: &'a Model,
) -> Option<(String, &'a Value)> {
    let lens = model.lens()?;
    let port = reference.port.as_ref()?;
    match &reference.root {
        Root::Node(from) => {
            let value = lens.state.nodes.get(from)?.whole.outputs.get(port)?;
            Some((format!("{from}.{port}"), value))
        }
        Root::Params => Some((format!("params.{port}"), lens.run.params.get(port)?)),
        _ => None,
    }
}

/// Returns a value as the file writes it.
fn source(template: &Template) -> String {
    match template {
        Template::Literal(value) => value.to_text().unwrap_or_else(|_| value.summary(200)),
        Template::Expression(expression) => format!("${{{{ {} }}}}", expression.source()),
        Template::Text(pieces) => pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Expression(expression) => format!("${{{{ {} }}}}", expression.source()),
            })
            .collect(),
        Template::List(items) => {
            format!("[{}]", items.iter().map(source).collect::<Vec<_>>().join(", "))
        }
        Template::Object(map) => {
            let entries = map.iter().map(|(name, value)| format!("{name}: {}", source(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}
