//! The plugin NAME: change its node type, and add others. `fanlight docs plugins` describes the protocol.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{json, Value};

fn node_types() -> Value {
    json!([{
        "name": "NAME.repeat",
        "summary": "Repeats a text.",
        "effects": "none",
        "inputs": {
            "text": { "type": "text", "summary": "The text." },
            "times": { "type": "int", "summary": "How often it is repeated.", "default": 2, "min": 1, "max": 1000 },
        },
        "outputs": { "text": { "type": "text", "summary": "The repeated text." } },
    }])
}

fn repeat(inputs: &Value, attempt: &Attempt) -> Result<Value, String> {
    let text = inputs["text"].as_str().ok_or("`text` is missing")?;
    let times = inputs["times"].as_u64().ok_or("`times` is missing")?;
    let mut parts = Vec::new();
    for done in 1..=times {
        parts.push(text);
        attempt.report("progress", json!({ "value": done as f64 / times as f64 }))?;
    }
    Ok(json!({ "text": parts.join(" ") }))
}

fn execute(params: &Value, attempt: &Attempt) -> Result<Value, String> {
    match params["type"].as_str() {
        Some("NAME.repeat") => repeat(&params["inputs"], attempt),
        _ => Err("there is no such node type".into()),
    }
}

/// Descriptor 4, to which messages are written.
#[derive(Clone)]
struct Channel(Arc<Mutex<File>>);

impl Channel {
    fn say(&self, mut message: Value) {
        message["jsonrpc"] = "2.0".into();
        let mut file = self.0.lock().unwrap_or_else(|lock| lock.into_inner());
        // Without Fanlight there is nobody to hear of it.
        let _ = file.write_all(format!("{message}\n").as_bytes());
    }
}

struct Attempt {
    id: Value,
    channel: Channel,
    cancelled: Arc<AtomicBool>,
}

impl Attempt {
    /// Sends a notification, or returns an error if the attempt is no longer wanted.
    fn report(&self, method: &str, mut params: Value) -> Result<(), String> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Err("cancelled".into());
        }
        params["id"] = self.id.clone();
        self.channel.say(json!({ "method": method, "params": params }));
        Ok(())
    }
}

fn main() -> std::io::Result<()> {
    let requests = BufReader::new(File::open("/dev/fd/3")?);
    let channel = Channel(Arc::new(Mutex::new(OpenOptions::new().write(true).open("/dev/fd/4")?)));
    let mut running: HashMap<u64, Arc<AtomicBool>> = HashMap::new();
    for line in requests.lines() {
        let Value::Object(mut message) = serde_json::from_str(&line?)? else { continue };
        let id = message.remove("id").unwrap_or_default();
        let params = message.remove("params").unwrap_or_default();
        match message["method"].as_str().unwrap_or_default() {
            "hello" => channel.say(json!({ "id": id, "result": { "protocol": 1, "name": "NAME" } })),
            "describe" => channel.say(json!({ "id": id, "result": { "node_types": node_types() } })),
            "execute" => {
                let cancelled = Arc::new(AtomicBool::new(false));
                running.retain(|_, it| Arc::strong_count(it) > 1);
                running.insert(id.as_u64().unwrap_or_default(), cancelled.clone());
                let attempt = Attempt { id, channel: channel.clone(), cancelled };
                std::thread::spawn(move || {
                    let answer = match execute(&params, &attempt) {
                        Ok(outputs) => json!({ "id": attempt.id, "result": { "outputs": outputs } }),
                        Err(message) => json!({ "id": attempt.id, "error": { "code": 1, "message": message } }),
                    };
                    attempt.channel.say(answer);
                });
            }
            "cancel" => {
                if let Some(cancelled) = params["id"].as_u64().and_then(|id| running.get(&id)) {
                    cancelled.store(true, Ordering::Relaxed);
                }
            }
            _ if id.is_null() => {}
            method => {
                let message = format!("there is no method {method}");
                channel.say(json!({ "id": id, "error": { "code": -32601, "message": message } }));
            }
        }
    }
    Ok(())
}
