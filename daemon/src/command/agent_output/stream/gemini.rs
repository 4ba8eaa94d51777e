//! `gemini --output-format stream-json`.

use serde_json::Value as Json;

use super::{Dialect, End, Said, count, reason, text_of};

/// Takes a line.
///
/// # Errors
/// It has no type.
pub(super) fn take(json: &Json, said: &mut Said) -> Result<(), String> {
    match json["type"].as_str().ok_or("it has no \"type\"")? {
        "init" => {
            if let Some(model) = json["model"].as_str() {
                said.model = Some(model.to_owned());
            }
        }
        "message" if json["role"] == "assistant" => {
            let text = text_of(json, "content");
            if json["delta"] == true { said.text(text) } else { said.message(text) }
        }
        "tool_use" => said.call(text_of(json, "tool_id"), text_of(json, "tool_name"), &json["parameters"]),
        "tool_result" => {
            let failed = json["status"] == "error";
            let output = text_of(json, "output").to_owned();
            let text = if failed && output.is_empty() { reason(&json["error"]) } else { output };
            said.result(text_of(json, "tool_id"), &text, failed);
        }
        "error" => said.note(&format!("{}: {}", json["severity"].as_str().unwrap_or("error"), reason(json))),
        "result" => {
            usage(&json["stats"], said);
            let end = match json["status"] == "success" {
                true => End::Completed,
                false => End::Failed(reason(&json["error"])),
            };
            return said.ended(end, None);
        }
        _ => {}
    }
    Ok(())
}

fn usage(stats: &Json, said: &mut Said) {
    match stats["models"].as_object().filter(|models| !models.is_empty()) {
        Some(models) => {
            for (model, stats) in models {
                add(model, stats, said);
            }
        }
        None => {
            let model = said.model();
            add(&model, stats, said);
        }
    }
}

fn add(model: &str, stats: &Json, said: &mut Said) {
    let (input, output) = (count(stats, "input_tokens"), count(stats, "output_tokens"));
    // The sums of the whole session.
    said.spent_in_all(Dialect::Gemini, model, input, output, None);
}
