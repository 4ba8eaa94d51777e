//! Where a graph is on its server, read from the server's queue and history.

use fanlight_shared::sanitise;
use fanlight_shared::value::cut;
use serde_json::{Map, Value as Json};

use super::Ticket;

/// Where a graph is.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Place {
    /// In the queue, with this many before it, those that run included.
    Waiting {
        id: String,
        before: usize,
    },
    Running {
        id: String,
    },
    Ended(Entry),
    /// Neither in the queue nor in the history.
    Nowhere,
}

/// How a graph ended.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Entry {
    /// What each node shows, by the id of the node.
    pub(crate) outputs: Map<String, Json>,
    /// Why it did not succeed.
    pub(crate) failed: Option<Failed>,
}

/// The failure of a graph.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Failed {
    pub(crate) sentence: String,
    /// The lines of Python's traceback.
    pub(crate) traceback: Vec<String>,
}

/// A file that a graph made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct MadeFile {
    pub(crate) name: String,
    pub(crate) subfolder: String,
    /// `output`, or `temp` for a picture that is only shown.
    pub(crate) folder: String,
}

impl Place {
    /// Finds a graph in a response of `/queue`.
    ///
    /// # Errors
    /// A sentence: it is not a queue.
    pub(super) fn in_queue(queue: &Json, ticket: &Ticket) -> Result<Option<Self>, String> {
        let list = |name: &str| {
            let items = queue.get(name).and_then(Json::as_array);
            items.ok_or_else(|| format!("its queue has no `{name}`"))
        };
        let (running, waiting) = (list("queue_running")?, list("queue_pending")?);
        if let Some(item) = running.iter().find(|item| is_of(item, ticket)) {
            return Ok(Some(Self::Running { id: id(item)? }));
        }
        let Some(item) = waiting.iter().find(|item| is_of(item, ticket)) else { return Ok(None) };
        // The list is a heap.
        let number = |item: &Json| item.get(0).and_then(Json::as_f64).unwrap_or(f64::MAX);
        let earlier = waiting.iter().filter(|other| number(other) < number(item)).count();
        Ok(Some(Self::Waiting { id: id(item)?, before: running.len() + earlier }))
    }

    /// Finds a graph in a response of `/history/ID`.
    ///
    /// # Errors
    /// A sentence: it is not a history, or the id is that of another graph.
    pub(super) fn in_history(history: &Json, ticket: &Ticket, prompt: &str) -> Result<Self, String> {
        let history = history.as_object().ok_or("its history is not an object")?;
        let Some(entry) = history.get(prompt) else { return Ok(Self::Nowhere) };
        if !entry.get("prompt").is_some_and(|item| is_of(item, ticket)) {
            return Err("it has the id of the graph for another one".to_owned());
        }
        let outputs = entry.get("outputs").and_then(Json::as_object).cloned();
        let outputs = outputs.ok_or("its history has no `outputs`")?;
        let status = entry.get("status").ok_or("its history has no `status`; update ComfyUI")?;
        let text = status.get("status_str").and_then(Json::as_str).unwrap_or_default();
        let completed = status.get("completed").and_then(Json::as_bool) == Some(true);
        let failed = (text != "success" || !completed).then(|| Failed::of(status));
        Ok(Self::Ended(Entry { outputs, failed }))
    }
}

/// Returns whether an item of a queue or history was submitted by the holder of this ticket.
fn is_of(item: &Json, ticket: &Ticket) -> bool {
    item.get(3).and_then(|extra| extra.get("client_id")).and_then(Json::as_str) == Some(&ticket.client)
}

fn id(item: &Json) -> Result<String, String> {
    let id = item.get(1).and_then(Json::as_str);
    id.map(str::to_owned).ok_or_else(|| "its queue has an item without an id".to_owned())
}

impl Failed {
    /// Reads the messages of a graph that did not succeed.
    fn of(status: &Json) -> Self {
        let messages = status.get("messages").and_then(Json::as_array).into_iter().flatten();
        let mut pairs = messages.filter_map(|pair| Some((pair.get(0)?.as_str()?, pair.get(1)?)));
        let ends = ["execution_error", "execution_interrupted"];
        let Some((kind, data)) = pairs.find(|(kind, _)| ends.contains(kind)) else {
            return Self {
                sentence: "the server does not say why the graph failed".to_owned(),
                ..Self::default()
            };
        };
        let word =
            |name: &str| cut(&sanitise::line(data.get(name).and_then(Json::as_str).unwrap_or("?")), 400);
        let node = format!("node `{}` ({})", word("node_id"), word("node_type"));
        if kind == "execution_interrupted" {
            return Self {
                sentence: format!("the graph was interrupted on the server, at {node}"),
                ..Self::default()
            };
        }
        let lines = data.get("traceback").and_then(Json::as_array).into_iter().flatten();
        let lines =
            lines.filter_map(Json::as_str).flat_map(str::lines).map(|it| cut(&sanitise::line(it), 400));
        let why = word("exception_message");
        Self {
            sentence: format!("{node} failed: {}: {}", word("exception_type"), why.trim()),
            traceback: lines.take(200).collect(),
        }
    }
}

impl Entry {
    /// Returns the files that a node made, field by field.
    pub(crate) fn files(&self, node: &str) -> Vec<(String, MadeFile)> {
        let fields = self.outputs.get(node).and_then(Json::as_object).into_iter().flatten();
        let files = fields.flat_map(|(field, items)| {
            let items = items.as_array().into_iter().flatten();
            items.filter_map(move |item| Some((field.clone(), MadeFile::read(item)?)))
        });
        files.collect()
    }
}

impl MadeFile {
    fn read(item: &Json) -> Option<Self> {
        let text = |name: &str| item.get(name).and_then(Json::as_str).map(str::to_owned);
        let folder = text("type").filter(|folder| folder == "output" || folder == "temp")?;
        let name = text("filename").filter(|name| !name.is_empty())?;
        Some(Self { name, subfolder: text("subfolder").unwrap_or_default(), folder })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ticket() -> Ticket {
        Ticket { client: "me".into(), prompt: "p".into() }
    }

    fn item(number: f64, id: &str, client: &str) -> Json {
        json!([number, id, {}, {"client_id": client}, ["9"]])
    }

    #[test]
    fn the_place_in_the_queue_counts_those_before_it() {
        let pending = json!([
            item(1.0, "b", "you"),
            item(3.0, "p", "me"),
            item(2.0, "c", "you"),
            item(4.0, "d", "you")
        ]);
        let queue = json!({"queue_running": [item(0.0, "a", "you")], "queue_pending": pending});
        let found = Place::in_queue(&queue, &ticket()).unwrap();
        assert_eq!(found, Some(Place::Waiting { id: "p".into(), before: 3 }));
        let queue = json!({"queue_running": [item(0.0, "p", "me")], "queue_pending": []});
        assert_eq!(Place::in_queue(&queue, &ticket()).unwrap(), Some(Place::Running { id: "p".into() }));
        let queue = json!({"queue_running": [], "queue_pending": [item(0.0, "p", "you")]});
        assert_eq!(Place::in_queue(&queue, &ticket()).unwrap(), None, "it is the graph of somebody else");
        assert!(Place::in_queue(&json!({}), &ticket()).is_err());
    }

    #[test]
    fn a_history_says_how_the_graph_ended() {
        let entry = |client: &str, status: Json| {
            json!({"p": {"prompt": item(0.0, "p", client), "outputs": {"9": {"images": [
                {"filename": "a.png", "subfolder": "s", "type": "output"}, {"filename": "", "type": "output"}, 3]}},
                "status": status}})
        };
        let of = |json: Json| Place::in_history(&json, &ticket(), "p");
        let success = json!({"status_str": "success", "completed": true, "messages": []});
        let Place::Ended(ended) = of(entry("me", success.clone())).unwrap() else { panic!() };
        let file = MadeFile { name: "a.png".into(), subfolder: "s".into(), folder: "output".into() };
        assert_eq!((ended.files("9"), &ended.failed), (vec![("images".to_owned(), file)], &None));
        assert_eq!(of(json!({})).unwrap(), Place::Nowhere);
        assert!(of(entry("you", success)).unwrap_err().contains("another one"), "ids are used again");
        let error = json!({"status_str": "error", "completed": false, "messages": [["execution_start", {}],
            ["execution_error", {"node_id": "3", "node_type": "KSampler", "exception_type": "RuntimeError",
             "exception_message": "out of memory\n", "traceback": ["  File a\n", "  File b\n"]}]]});
        let Place::Ended(ended) = of(entry("me", error)).unwrap() else { panic!() };
        let failed = ended.failed.unwrap();
        assert_eq!(failed.sentence, "node `3` (KSampler) failed: RuntimeError: out of memory");
        assert_eq!(failed.traceback.len(), 2);
        for undecided in [json!({"status_str": "success"}), json!({"completed": true}), json!({})] {
            let Place::Ended(ended) = of(entry("me", undecided)).unwrap() else { panic!() };
            assert!(ended.failed.is_some());
        }
        assert!(of(json!({"p": {"prompt": item(0.0, "p", "me"), "outputs": {}}})).is_err());
    }
}
