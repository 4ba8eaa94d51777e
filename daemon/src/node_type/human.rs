//! Shared code of the types that ask a person: the question, its deadline and the answer.

use std::sync::Arc;
use std::time::Duration;

use fanlight_shared::expression::Content;
use fanlight_shared::question::{MAX_CHOICES, Question, QuestionKind};
use fanlight_shared::time::{Time, exact_duration, read_duration};
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values, cut};

use super::NodeCall;
use super::build::Build;
use super::typed_inputs::TypedInputs;
use crate::content::Loader;

/// Characters of a long text that are the question.
const MAX_HEAD: usize = 1_000;

/// Adds the input that says how long the answer is waited for.
pub(super) fn within(build: Build) -> Build {
    build
        .input(
            "within",
            Type::Text,
            "How long to wait for an answer, such as `2h`; after that, `default` is the answer, or the node fails. By default it \
             waits forever.",
        )
        .optional()
}

/// Returns the answer. Where there is none yet, it is asked for, and the error ends the attempt.
///
/// # Errors
/// A sentence: an input is wrong, or nobody answered.
pub(super) fn answer(
    call: &NodeCall,
    question: impl FnOnce() -> Result<Question, String>,
) -> Result<Value, String> {
    let within = duration(&call.inputs)?;
    if let Some(answer) = call.services.answer() {
        let nobody = || match within {
            Some(within) => format!("nobody answered within {}", exact_duration(within)),
            None => "nobody answered".to_owned(),
        };
        return answer.value.clone().ok_or_else(nobody);
    }
    let mut question = question()?;
    if let QuestionKind::Choice { choices, .. } = &question.kind {
        check_choices(choices)?;
    }
    if let Some(default) = call.inputs.maybe("default") {
        let checked = question.check(default.clone());
        question.default = Some(checked.map_err(|why| format!("input `default`: {why}"))?);
    }
    question.deadline = within.map(|within| Time::now().plus(within));
    call.services.ask(question);
    Err("it waits for an answer".into())
}

/// Returns the text of the question.
pub(super) fn text(inputs: &Values) -> Result<String, String> {
    match inputs.value("question")? {
        Value::Large(large) => Ok(cut(&large.head, MAX_HEAD)),
        _ => Ok(inputs.text("question")?.to_owned()),
    }
}

/// Returns the values that an input shows with the question: the items of a list, or a single value.
pub(super) fn shown(inputs: &Values, name: &str) -> Vec<Value> {
    match inputs.maybe(name) {
        Some(Value::List(items)) => items.clone(),
        Some(value) => vec![value.clone()],
        None => Vec::new(),
    }
}

/// Returns the items of an input that is a list; a long one is read from the store. Blocks.
pub(super) fn items(call: &NodeCall, name: &str) -> Result<Vec<Value>, String> {
    let content = Content::new(Some(Arc::new(Loader(call.blobs.clone()))));
    let value =
        content.resolve(call.inputs.value(name)?.clone()).map_err(|why| format!("input `{name}`: {why}"))?;
    match value {
        Value::List(items) => Ok(items),
        other => Err(format!("input `{name}` is not a list but {}", other.type_of())),
    }
}

/// Returns the item at the position in an answer.
pub(super) fn picked(items: &[Value], place: &Value) -> Result<(i64, Value), String> {
    let at = place.as_int().unwrap_or(-1);
    let item = usize::try_from(at).ok().and_then(|at| items.get(at));
    item.map(|item| (at, item.clone())).ok_or_else(|| "the list is not the one in the question".to_owned())
}

fn check_choices(choices: &[Value]) -> Result<(), String> {
    match choices.len() {
        0 => Err("there is nothing to pick from: the list is empty".into()),
        1..=MAX_CHOICES => Ok(()),
        many => {
            Err(format!("there are {many} items to pick from, more than {MAX_CHOICES}; filter them first"))
        }
    }
}

fn duration(inputs: &Values) -> Result<Option<Duration>, String> {
    let Some(text) = inputs.maybe("within") else { return Ok(None) };
    let text = text.as_text().unwrap_or_default();
    let wrong = |why| format!("input `within`: {why}; write `30s`, `5m` or `2h`");
    read_duration(text).map(Some).map_err(wrong)
}
