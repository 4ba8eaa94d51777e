//! Work on values outside the engine's loop, which can be cancelled: for types that evaluate expressions of the user.

use std::sync::Arc;

use fanlight_shared::expression::{Content, Element, ElementExpression, Load};
use fanlight_shared::problem::Span;
use fanlight_shared::value::{Value, Values};
use tokio_util::sync::CancellationToken;

use super::Runner;
use super::typed_inputs::TypedInputs;
use crate::content::Loader;

/// The inputs and services of a node that works outside the loop.
pub(super) struct OffLoop {
    /// The inputs; what is large among them is a handle.
    pub(super) inputs: Values,
    content: Arc<Content>,
    load: Option<Arc<dyn Load>>,
    cancel: CancellationToken,
}

/// Runs work outside the engine's loop.
pub(super) fn off_loop(run: fn(&OffLoop) -> Result<Values, String>) -> Runner {
    Runner::daemon(move |call| async move {
        let services = call.services;
        let (inputs, cancel) = (call.inputs, services.cancel().clone());
        let load: Arc<dyn Load> = Arc::new(Loader(call.blobs));
        let work = move || {
            let work = OffLoop::new(inputs.clone(), Some(Arc::clone(&load)), cancel.clone());
            Ok((run(&work)?, Vec::new()))
        };
        services.blocking(work).await
    })
}

impl OffLoop {
    pub(super) fn new(inputs: Values, load: Option<Arc<dyn Load>>, cancel: CancellationToken) -> Self {
        Self { inputs, content: Content::new(load.clone()), load, cancel }
    }

    /// Returns the list of an input. Large items in it stay handles.
    pub(super) fn list(&self, name: &str) -> Result<Vec<Value>, String> {
        let value = match self.inputs.value(name)? {
            large @ Value::Large(_) => self.content.resolve(large.clone()),
            value => Ok(value.clone()),
        };
        match value.map_err(|error| format!("input `{name}`: {error}"))? {
            Value::List(items) => Ok(items),
            other => Err(format!("input `{name}`: expected a list, got {}", other.type_of())),
        }
    }

    /// Reads an expression over one element of a list.
    pub(super) fn expression<'a>(
        &'a self,
        source: &'a str,
        element: Element,
    ) -> Result<impl Fn(&Value, usize) -> Result<Option<Value>, String> + 'a, String> {
        let names = self.inputs.keys().map(String::as_str);
        let expression = ElementExpression::parse(source, element, names, Span::default());
        let expression = expression.map_err(|problems| {
            problems
                .first()
                .map_or_else(|| "the expression can't be read".to_owned(), |it| it.message.clone())
        })?;
        Ok(move |value: &Value, index: usize| {
            if self.cancel.is_cancelled() {
                return Err("cancelled".to_owned());
            }
            expression
                .evaluate(value, index, &self.inputs, self.load.as_ref())
                .map_err(|error| format!("{} {index}: {error}", element.word()))
        })
    }
}
