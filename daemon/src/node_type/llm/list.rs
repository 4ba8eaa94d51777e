//! `llm.list`

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};
use serde_json::json;

use super::ask::Asker;
use super::structured::{self, Wanted};
use super::{build, stand_in, tuning, usage, with_whole_inputs};
use crate::config::Purpose;
use crate::llm::chat::{Role, Turn};
use crate::node_type::http::within;
use crate::node_type::typed_inputs::TypedInputs as _;
use crate::node_type::{Made, NodeCall, NodeType, Runner};

pub(super) fn node_type() -> NodeType {
    let build = build("llm.list", "Asks a language model for a list of texts, for `each`.")
        .input("prompt", Type::Text, "What the list is of.")
        .input("count", Type::Int, "How many items it has; by default as many as the model thinks fit.")
        .optional()
        .range(1.0, 1000.0)
        .input("system", Type::Text, "Instructions.")
        .optional();
    stand_in(tuning(build))
        .output("items", Type::Text.list(), "The items.")
        .output("usage", Type::Json, "Provider, model, tokens, and the cost if it is known.")
        .run(Runner::daemon(run))
}

async fn run(call: NodeCall) -> Made {
    let (services, timeout) = (call.services.clone(), call.inputs.float("timeout")?);
    within(&services, timeout, list(call)).await
}

async fn list(call: NodeCall) -> Made {
    let call = with_whole_inputs(call).await?;
    let inputs = &call.inputs;
    let mut asker = Asker::new(&call, Purpose::Text)?;
    let mut chat = asker.chat(inputs)?;
    let count = inputs.maybe("count").map(|_| inputs.count("count")).transpose()?;
    let how = match count {
        Some(1) => "Give a list with exactly 1 item.".to_owned(),
        Some(count) => format!("Give a list with exactly {count} different items."),
        None => "Give a list.".to_owned(),
    };
    let system = inputs.maybe("system").and_then(Value::as_text);
    chat.system = Some(system.map_or_else(|| how.clone(), |system| format!("{system}\n\n{how}")));
    chat.turns = vec![Turn::new(Role::User, inputs.text("prompt")?)];
    let mut items = json!({"type": "array", "items": {"type": "string"}});
    if let Some(count) = count {
        items["minItems"] = count.into();
        items["maxItems"] = count.into();
    }
    let schema = json!({
        "type": "object",
        "properties": {"items": items},
        "required": ["items"],
        "additionalProperties": false,
    });
    let answer = structured::ask(&mut asker, chat, Wanted::new(schema)).await?;
    let items = answer.json["items"].as_array().into_iter().flatten();
    let items: Vec<Value> = items.filter_map(|item| Some(item.as_str()?.into())).collect();
    let values =
        Values::from([("items".to_owned(), Value::List(items)), ("usage".to_owned(), usage(&asker))]);
    Ok((values, Vec::new()))
}
