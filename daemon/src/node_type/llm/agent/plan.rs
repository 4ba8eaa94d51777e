//! The tool with which a model shows its plan and its tasks to those who watch.

use std::sync::atomic::{AtomicUsize, Ordering};

use fanlight_shared::event::{MAX_ENTRIES, TaskStatus};
use serde_json::{Value as Json, json};

use crate::services::DaemonServices;

/// The name in `tools`, and that of the tool.
pub(super) const NAME: &str = "plan";

/// The response to the model.
pub(super) const DESCRIPTION: &str = "Shows your plan to the person who watches. Call it before you begin, and again whenever the \
     state of a task changes. Give all tasks each time, in the same order; new ones are added at the end.";

/// The words for the states of a task.
const STATES: [(&str, TaskStatus); 4] = [
    ("waiting", TaskStatus::Waiting),
    ("running", TaskStatus::Running),
    ("completed", TaskStatus::Completed),
    ("failed", TaskStatus::Failed),
];

/// The tasks that were shown.
#[derive(Debug, Default)]
pub(super) struct Plan {
    tasks: AtomicUsize,
}

/// Returns the schema of the arguments.
pub(super) fn schema() -> Json {
    let states: Vec<&str> = STATES.iter().map(|(word, _)| *word).collect();
    let task = json!({
        "type": "object",
        "properties": {"title": {"type": "string"}, "state": {"type": "string", "enum": states}},
        "required": ["title", "state"],
        "additionalProperties": false,
    });
    json!({
        "type": "object",
        "properties": {
            "plan": {"type": "string", "description": "The plan in a few sentences."},
            "tasks": {"type": "array", "items": task, "maxItems": MAX_ENTRIES, "description": "All tasks, in order."},
        },
        "required": ["tasks"],
        "additionalProperties": false,
    })
}

impl Plan {
    /// Shows the plan and the tasks of a call whose arguments fit the schema.
    pub(super) fn show(&self, services: &DaemonServices, arguments: &Json) -> Result<String, String> {
        let tasks = arguments["tasks"].as_array().map(Vec::as_slice).unwrap_or_default();
        let before = self.tasks.load(Ordering::Relaxed);
        if tasks.len() < before {
            // Those that are shown already would stay as they were.
            return Err(format!(
                "there are {before} tasks already; give all of them, and mark those that you drop as failed"
            ));
        }
        self.tasks.store(tasks.len(), Ordering::Relaxed);
        if let Some(plan) = arguments["plan"].as_str().filter(|plan| !plan.trim().is_empty()) {
            services.plan(plan);
        }
        for (number, task) in (1..).zip(tasks) {
            let word = task["state"].as_str().unwrap_or_default();
            let status =
                STATES.iter().find(|(known, _)| *known == word).map_or(TaskStatus::Waiting, |it| it.1);
            services.task(number, task["title"].as_str().unwrap_or_default(), status);
        }
        Ok("shown".to_owned())
    }
}
