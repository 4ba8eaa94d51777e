//! `codex exec --json`.

use fanlight_shared::event::TaskStatus;
use serde_json::{Value as Json, json};

use super::{Dialect, End, Said, count, reason, text_of};

/// Takes a line.
///
/// # Errors
/// It has no type.
pub(super) fn take(json: &Json, said: &mut Said) -> Result<(), String> {
    match json["type"].as_str().ok_or("it has no \"type\"")? {
        "turn.started" if said.end == Some(End::Completed) => said.end = None,
        "item.started" | "item.updated" => item(&json["item"], said, false),
        "item.completed" => item(&json["item"], said, true),
        "turn.completed" => {
            let usage = &json["usage"];
            let model = said.model();
            let (input, output) = (count(usage, "input_tokens"), count(usage, "output_tokens"));
            // The sums of all turns so far.
            said.spent_in_all(Dialect::Codex, &model, input, output, None);
            return said.ended(End::Completed, None);
        }
        "turn.failed" => return said.ended(End::Failed(reason(&json["error"])), None),
        // It may be a connection that is tried again: the end of the turn decides.
        "error" => said.note(&format!("error: {}", reason(json))),
        _ => {}
    }
    Ok(())
}

fn item(item: &Json, said: &mut Said, done: bool) {
    let id = text_of(item, "id");
    let failed = item["status"] == "failed" || item["status"] == "declined";
    match text_of(item, "type") {
        "agent_message" if done => said.message(text_of(item, "text")),
        "reasoning" if done => said.reasoning(text_of(item, "text")),
        "command_execution" => {
            said.call(id, "shell", &item["command"]);
            if done {
                let code = item["exit_code"].as_i64();
                let output = text_of(item, "aggregated_output");
                let text = match code {
                    Some(code) if code != 0 => format!("exit code {code}: {output}"),
                    _ => output.to_owned(),
                };
                said.result(id, &text, failed || code.is_some_and(|code| code != 0));
            }
        }
        "file_change" => {
            said.call(id, "file_change", &item["changes"]);
            if done {
                said.result(id, text_of(item, "status"), failed);
            }
        }
        "mcp_tool_call" => {
            let tool = format!("{}.{}", text_of(item, "server"), text_of(item, "tool"));
            said.call(id, &tool, &item["arguments"]);
            if done {
                let error = &item["error"];
                let text = if error.is_null() { item["result"].to_string() } else { reason(error) };
                said.result(id, &text, failed || !error.is_null());
            }
        }
        "web_search" => {
            said.call(id, "web_search", &json!(item["query"]));
            if done {
                said.result(id, "", failed);
            }
        }
        "todo_list" => said.tasks(todos(&item["items"])),
        "error" => said.note(&format!("error: {}", reason(item))),
        _ => {}
    }
}

/// Returns the tasks: the first that is not done is being worked on.
fn todos(items: &Json) -> Vec<(String, TaskStatus)> {
    let mut running = false;
    let items = items.as_array().into_iter().flatten();
    items
        .map(|item| {
            let status = match item["completed"] == true {
                true => TaskStatus::Completed,
                false if std::mem::replace(&mut running, true) => TaskStatus::Waiting,
                false => TaskStatus::Running,
            };
            (text_of(item, "text").to_owned(), status)
        })
        .collect()
}
