//! `llm.agent`: a model that calls tools until it has an answer.

mod calls;
mod files;
mod plan;
mod tools;

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};
use serde_json::{Value as Json, json};

use super::ask::Asker;
use super::runs::Runs;
use super::{build, stand_in, tuning, usage, with_whole_inputs};
use crate::config::Purpose;
use crate::file_error::FileError;
use crate::llm::chat::{Role, Turn};
use crate::llm::tool::{Call, Returned};
use crate::node_type::http::within;
use crate::node_type::typed_inputs::TypedInputs as _;
use crate::node_type::{Made, NodeCall, NodeType, Runner};
use calls::Calls;
use tools::{Servers, Tools};

/// The longest result that a model gets, in bytes.
const MAX_RESULT_BYTES: usize = 64 << 10;
/// The most calls of one step.
const MAX_CALLS: usize = 32;

pub(super) fn node_type() -> NodeType {
    let build = build("llm.agent", "Asks a language model that calls tools until it has an answer.")
        .input("prompt", Type::Text, "What it is asked.")
        .input("system", Type::Text, "Instructions that hold for the whole conversation.")
        .optional()
        .input(
            "tools",
            Type::Any,
            "A list of `plan`, `http.fetch`, `{files: FOLDER}`, `{files: FOLDER, write: true}`, names of node types, \
             `{node: TYPE, with: {…}}` with inputs that the model can't choose, `{workflow: FILE}`, `{shell: FOLDER}`, and \
             `{mcp: NAME, tools: […]}`; by default none.",
        )
        .optional()
        .input("max_steps", Type::Int, "How often the model is asked at most.")
        .default(20_i64)
        .range(1.0, 1000.0)
        .input("max_cost_usd", Type::Float, "What it may cost, if the cost of the model is known.")
        .optional()
        .range(0.0, 1e6);
    let mut node_type = stand_in(tuning(build))
        .output("text", Type::Text, "Its answer.")
        .output("steps", Type::Int, "How often the model was asked.")
        .output(
            "calls",
            Type::Json,
            "The calls of tools: a list of tool, arguments, result and whether it failed. Long arguments and results are \
             shortened; the log has them whole.",
        )
        .output(
            "files",
            Type::Any,
            "The files that its tools made, by the names under which the model knows them.",
        )
        .output("usage", Type::Json, "Provider, model, tokens, and the cost if it is known.")
        .run(Runner::daemon(run));
    // Whoever answers, its tools may have effects.
    node_type.safe.clear();
    node_type
}

async fn run(call: NodeCall) -> Made {
    let (services, timeout) = (call.services.clone(), call.inputs.float("timeout")?);
    let (mut servers, runs) = (Servers::new(), Runs::new(services.cancel()));
    let made = within(&services, timeout, agent(call, &mut servers, &runs)).await;
    // However it ended: no run and no server is left.
    runs.close().await;
    for server in servers {
        server.close().await;
    }
    made
}

async fn agent(call: NodeCall, servers: &mut Servers, runs: &Runs) -> Made {
    let call = with_whole_inputs(call).await?;
    let inputs = &call.inputs;
    let tools = Tools::new(&call, servers).await?;
    let mut asker = Asker::new(&call, Purpose::Text)?;
    let mut chat = asker.chat(inputs)?;
    chat.system = inputs.maybe("system").and_then(Value::as_text).map(str::to_owned);
    chat.tools = tools.offered();
    chat.turns.push(Turn::new(Role::User, inputs.text("prompt")?));
    let (max_steps, max_cost) =
        (inputs.count("max_steps")?, inputs.maybe("max_cost_usd").and_then(Value::as_float));
    let mut done = Calls::default();
    for step in 1..=max_steps {
        let spent = [call.services.cost_usd(), call.attempt.spent_before];
        check_cost(&asker, spent.into_iter().flatten().reduce(|a, b| a + b), max_cost, done.len())?;
        let reply = asker.ask(&chat).await?;
        if reply.calls.is_empty() {
            return Ok((
                Values::from([
                    ("text".to_owned(), reply.text.into()),
                    ("steps".to_owned(), Value::Int(step.into())),
                    ("calls".to_owned(), done.into_value()),
                    ("files".to_owned(), tools.made().all()),
                    ("usage".to_owned(), usage(&asker)),
                ]),
                tools.made().take_held(),
            ));
        }
        if reply.calls.len() > MAX_CALLS {
            return Err(format!(
                "the model called {} tools at once, and at most {MAX_CALLS} are",
                reply.calls.len()
            )
            .into());
        }
        if !reply.text.is_empty() {
            call.services.chunk("\n");
        }
        let mut turn = Turn::new(Role::User, "");
        for one in &reply.calls {
            turn.results.push(perform(&call, &tools, runs, one, &mut done).await?);
        }
        chat.turns.push(Turn {
            calls: reply.calls,
            thoughts: reply.thoughts,
            ..Turn::new(Role::Assistant, reply.text)
        });
        chat.turns.push(turn);
    }
    Err(format!(
        "the model has no answer after {max_steps} steps and {} calls, the limit set by `max_steps`; the log has them",
        done.len()
    )
    .into())
}

/// Refuses another request if what was spent, by tools too, has reached the limit.
fn check_cost(asker: &Asker, spent: Option<f64>, max: Option<f64>, calls: usize) -> Result<(), FileError> {
    let Some(max) = max else { return Ok(()) };
    if asker.spent().cost_usd.is_none() && asker.has_asked() && !asker.is_offline() {
        return Err("`max_cost_usd` can't be kept, because the cost of the model is not known; set its `prices` in the config"
            .into());
    }
    match spent {
        Some(usd) if usd >= max => Err(format!(
            "it has cost ${usd:.4} after {calls} calls, and `max_cost_usd` is {max}; the log has what was done"
        )
        .into()),
        _ => Ok(()),
    }
}

/// Calls a tool. What goes wrong is said to the model, which may correct it.
async fn perform(
    call: &NodeCall,
    tools: &Tools,
    runs: &Runs,
    one: &Call,
    done: &mut Calls,
) -> Result<Returned, FileError> {
    let services = &call.services;
    let number = services.tool_call(&one.name, &one.arguments);
    let result = match arguments(one) {
        Ok(arguments) => tools.call(call, runs, &one.name, arguments).await?,
        Err(why) => Err(why),
    };
    services.tool_result(number, result.as_deref().map_err(String::as_str));
    let failed = result.is_err();
    let (Ok(text) | Err(text)) = result;
    let text = shortened(text);
    done.add(one, &text, failed);
    services.partial("calls", done.shown());
    Ok(Returned { id: one.id.clone(), name: one.name.clone(), text, failed })
}

fn arguments(call: &Call) -> Result<Json, String> {
    if call.arguments.trim().is_empty() {
        return Ok(json!({}));
    }
    match fanlight_shared::value::json::parse(&call.arguments) {
        Ok(json @ Json::Object(_)) => Ok(json),
        Ok(_) => Err("the arguments are not an object".to_owned()),
        Err(error) => Err(format!("the arguments are not JSON: {error}")),
    }
}

/// Returns a result that a model can be given; one that is cut says so.
fn shortened(mut text: String) -> String {
    let bytes = text.len();
    if bytes > MAX_RESULT_BYTES {
        text.truncate(text.floor_char_boundary(MAX_RESULT_BYTES));
        text.push_str(&format!("\n(cut: this is the beginning of {bytes} bytes)"));
    }
    text
}
