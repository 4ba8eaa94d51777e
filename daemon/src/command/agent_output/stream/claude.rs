//! `claude -p --output-format stream-json --verbose`.

use fanlight_shared::event::TaskStatus;
use serde_json::Value as Json;

use super::{Dialect, End, Said, count, reason, text_of};
use crate::services::Report;

/// Takes a line.
///
/// # Errors
/// It has no type.
pub(super) fn take(json: &Json, said: &mut Said) -> Result<(), String> {
    match json["type"].as_str().ok_or("it has no \"type\"")? {
        "system" if json["subtype"] == "init" => {
            if let Some(model) = json["model"].as_str() {
                said.model = Some(model.to_owned());
            }
        }
        "assistant" => {
            let message = &json["message"];
            for block in message["content"].as_array().into_iter().flatten() {
                content(block, said);
            }
            usage(message, said);
        }
        "user" => {
            for block in json["message"]["content"].as_array().into_iter().flatten() {
                if block["type"] == "tool_result" {
                    let failed = block["is_error"] == true;
                    said.result(text_of(block, "tool_use_id"), &flat(&block["content"]), failed);
                }
            }
        }
        "result" => return result(json, said),
        // Parts of messages, which come again as a whole; hooks and limits.
        _ => {}
    }
    Ok(())
}

fn content(block: &Json, said: &mut Said) {
    match text_of(block, "type") {
        "text" => said.message(text_of(block, "text")),
        "thinking" => said.reasoning(text_of(block, "thinking")),
        "tool_use" | "server_tool_use" | "mcp_tool_use" => {
            let (tool, input) = (text_of(block, "name"), &block["input"]);
            match tool {
                "TodoWrite" => said.tasks(todos(input)),
                "TaskCreate" => {
                    let title = text_of(input, "subject").to_owned();
                    said.task(said.tasks.len(), title, TaskStatus::Waiting);
                }
                "TaskUpdate" => update(input, said),
                "ExitPlanMode" => {
                    if let Some(plan) = input["plan"].as_str() {
                        said.reports.push(Report::Plan(plan.to_owned()));
                    }
                }
                _ => {}
            }
            said.call(text_of(block, "id"), tool, input);
        }
        _ => {}
    }
}

fn todos(input: &Json) -> Vec<(String, TaskStatus)> {
    let todos = input["todos"].as_array().into_iter().flatten();
    todos.map(|todo| (text_of(todo, "content").to_owned(), status(text_of(todo, "status")))).collect()
}

fn update(input: &Json, said: &mut Said) {
    let id = &input["taskId"];
    let number = id.as_str().and_then(|id| id.parse::<usize>().ok()).or(id.as_u64().map(|id| id as usize));
    let Some(at) = number.and_then(|number| number.checked_sub(1)) else { return };
    let Some((title, known)) = said.tasks.get(at).cloned() else { return };
    let title = input["subject"].as_str().map_or(title, str::to_owned);
    said.task(at, title, input["status"].as_str().map_or(known, status));
}

fn status(word: &str) -> TaskStatus {
    match word {
        "in_progress" => TaskStatus::Running,
        "completed" => TaskStatus::Completed,
        "deleted" | "cancelled" => TaskStatus::Failed,
        _ => TaskStatus::Waiting,
    }
}

/// Adds the tokens of a message. It comes once for each block of its content, with more tokens each time.
fn usage(message: &Json, said: &mut Said) {
    let (Some(id), Some(model)) = (message["id"].as_str(), message["model"].as_str()) else { return };
    let (input, output) = tokens(&message["usage"]);
    let known = said.messages.entry(id.to_owned()).or_default();
    let more = (input.saturating_sub(known.0), output.saturating_sub(known.1));
    *known = (known.0.max(input), known.1.max(output));
    said.spend(Dialect::Claude, model, more.0, more.1, None);
}

fn tokens(usage: &Json) -> (u64, u64) {
    let input = ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"];
    (input.iter().map(|name| count(usage, name)).sum(), count(usage, "output_tokens"))
}

/// Takes the end of a turn. Its sums are those of the whole process, also if another turn followed an earlier end.
fn result(json: &Json, said: &mut Said) -> Result<(), String> {
    for (model, usage) in json["modelUsage"].as_object().into_iter().flatten() {
        let input = ["inputTokens", "cacheReadInputTokens", "cacheCreationInputTokens"];
        let input = input.iter().map(|name| count(usage, name)).sum();
        let (output, cost) = (count(usage, "outputTokens"), usage["costUSD"].as_f64());
        said.spent_in_all(Dialect::Claude, model, input, output, cost);
    }
    let known_cost: f64 = said.spent.totals().iter().filter_map(|it| it.cost_usd).sum();
    if let Some(total) = json["total_cost_usd"].as_f64().filter(|total| *total > known_cost + 1e-9) {
        // An older version does not say which model it was for.
        let model = said.model();
        said.spend(Dialect::Claude, &model, 0, 0, Some(total - known_cost));
    }
    let subtype = text_of(json, "subtype");
    if subtype == "success" && json["is_error"] != true {
        return said.ended(End::Completed, json["result"].as_str());
    }
    let why = json["result"].as_str().or_else(|| json["errors"][0].as_str());
    let why = match (why, subtype) {
        (Some(why), "success" | "") => reason(&Json::from(why)),
        (Some(why), subtype) => format!("{} ({subtype})", reason(&Json::from(why))),
        (None, "") => "it gave no reason".to_owned(),
        (None, subtype) => reason(&Json::from(subtype)),
    };
    said.ended(End::Failed(why), None)
}

/// Returns the text of a result: a text, or a list of blocks.
fn flat(content: &Json) -> String {
    match content {
        Json::String(text) => text.clone(),
        Json::Array(blocks) => {
            let blocks = blocks.iter().map(|block| match block["text"].as_str() {
                Some(text) => text.to_owned(),
                None => format!("({})", text_of(block, "type")),
            });
            blocks.collect::<Vec<_>>().join("\n")
        }
        Json::Null => String::new(),
        other => other.to_string(),
    }
}
