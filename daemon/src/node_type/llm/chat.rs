//! `llm.chat`

use fanlight_shared::media::MediaKind;
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};
use indexmap::IndexMap;

use super::ask::Asker;
use super::attach::attach;
use super::structured::{self, Wanted};
use super::{build, stand_in, tuning, usage, with_whole_inputs};
use crate::config::Purpose;
use crate::llm::chat::{Role, Turn};
use crate::node_type::build::ty;
use crate::node_type::http::within;
use crate::node_type::typed_inputs::TypedInputs as _;
use crate::node_type::{Made, NodeCall, NodeType, Runner};

pub(super) fn node_type() -> NodeType {
    let build = build("llm.chat", "Asks a language model, and streams its answer.")
        .input("prompt", Type::Text, "What is asked.")
        .input("system", Type::Text, "Instructions that hold for the whole conversation.")
        .optional()
        .input(
            "history",
            Type::Json,
            "The conversation so far: a list of `{role, content}` with the roles `user` and `assistant`.",
        )
        .optional()
        .input("images", ty::image().list(), "Pictures, for models that see.")
        .optional()
        .input("audio", Type::Media(MediaKind::Audio).list(), "Sound, for models that hear.")
        .optional()
        .input("files", ty::file().list(), "Text and PDF files.")
        .optional()
        .input(
            "schema",
            Type::Json,
            "A JSON Schema that the answer must fit; one that does not is corrected once.",
        )
        .optional();
    stand_in(tuning(build))
        .output("text", Type::Text, "The answer.")
        .output("json", Type::Json, "The answer as JSON, if there is a schema.")
        .output("reasoning", Type::Text, "What the model thought, if it shows that.")
        .output("history", Type::Json, "The conversation with this question and its answer.")
        .output("usage", Type::Json, "Provider, model, tokens, and the cost if it is known.")
        .run(Runner::daemon(run))
}

async fn run(call: NodeCall) -> Made {
    let (services, timeout) = (call.services.clone(), call.inputs.float("timeout")?);
    within(&services, timeout, chat(call)).await
}

async fn chat(call: NodeCall) -> Made {
    let call = with_whole_inputs(call).await?;
    let inputs = &call.inputs;
    let mut asker = Asker::new(&call, Purpose::Text)?;
    let mut chat = asker.chat(inputs)?;
    chat.system = inputs.maybe("system").and_then(Value::as_text).map(str::to_owned);
    let (mut turns, mut history) = past(inputs)?;
    let prompt = inputs.text("prompt")?.to_owned();
    turns.push(attach(&call, Turn::new(Role::User, prompt.as_str())).await?);
    chat.turns = turns;
    let mut values = Values::new();
    let (text, reasoning) = match inputs.maybe("schema") {
        Some(schema) => {
            let answer = structured::ask(&mut asker, chat, Wanted::new(schema.to_json())).await?;
            values.insert("json".to_owned(), Value::from_json(answer.json));
            (answer.text, answer.reasoning)
        }
        None => {
            let reply = asker.ask(&chat).await?;
            (reply.text, reply.reasoning)
        }
    };
    history.push(entry(Role::User, &prompt));
    history.push(entry(Role::Assistant, &text));
    values.insert("history".to_owned(), Value::List(history));
    values.insert("text".to_owned(), text.into());
    if !reasoning.is_empty() {
        values.insert("reasoning".to_owned(), reasoning.into());
    }
    values.insert("usage".to_owned(), usage(&asker));
    Ok((values, Vec::new()))
}

/// Reads the conversation so far: for the model, and as it is put out again.
fn past(inputs: &Values) -> Result<(Vec<Turn>, Vec<Value>), String> {
    let Some(history) = inputs.maybe("history") else { return Ok((Vec::new(), Vec::new())) };
    let list = history.as_list().ok_or("input `history` is not a list of `{role, content}`")?;
    let mut turns = Vec::new();
    for (at, one) in list.iter().enumerate() {
        let Value::Object(fields) = one else {
            return Err(format!("input `history`: item {at} is not an object with `role` and `content`"));
        };
        let role = match fields.get("role").and_then(Value::as_text) {
            Some("user") => Role::User,
            Some("assistant") => Role::Assistant,
            Some("system") => {
                return Err(format!(
                    "input `history`: item {at} has the role `system`, which is the input `system`"
                ));
            }
            _ => return Err(format!("input `history`: the role of item {at} is not `user` or `assistant`")),
        };
        let text = fields.get("content").and_then(Value::as_text);
        let text = text.ok_or_else(|| format!("input `history`: the content of item {at} is not text"))?;
        turns.push(Turn::new(role, text));
    }
    Ok((turns, list.to_vec()))
}

fn entry(role: Role, text: &str) -> Value {
    Value::Object(IndexMap::from([
        ("role".to_owned(), Value::from(role.word())),
        ("content".to_owned(), Value::from(text)),
    ]))
}
