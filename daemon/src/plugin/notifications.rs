//! What a plugin says of one attempt while that runs.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use fanlight_shared::node_type::NodeTypeSpec;
use fanlight_shared::sanitise;
use fanlight_shared::value::{Value, cut};
use serde_json::{Map, Value as Json};

use crate::command::{CommandEvent, EVENT_TYPES, EventEffect, event_of_json};
use crate::services::{Report, Reporter, Stream, pieces};

/// Takes the notifications about one attempt, and keeps its outputs.
pub(super) struct Notifications {
    spec: NodeTypeSpec,
    reporter: Reporter,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    outputs: BTreeMap<String, Json>,
    /// The sizes of those outputs, in bytes.
    sizes: BTreeMap<String, u64>,
    /// The first thing that is wrong with what the plugin said.
    fault: Option<String>,
    /// Why the first bad notification was ignored; others are not explained.
    ignored: Option<String>,
}

impl Notifications {
    pub(super) fn new(spec: NodeTypeSpec, reporter: Reporter) -> Self {
        Self { spec, reporter, state: Mutex::default() }
    }

    /// Locks it. Each change leaves it whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends what the plugin's process printed to the log.
    pub(super) fn print(&self, text: &str) {
        self.text(Stream::Log, text);
    }

    fn text(&self, stream: Stream, text: &str) {
        for text in pieces(text) {
            self.reporter.take(Report::Text { stream, text: text.to_owned() });
        }
    }

    fn note(&self, line: &str) {
        self.text(Stream::Log, &format!("{}\n", sanitise::line(line)));
    }

    /// Takes a notification; one that is not known is ignored, because a later protocol may have it.
    pub(super) fn notify(&self, method: &str, mut params: Map<String, Json>, bytes: u64) {
        if method == "chunk" {
            return match params.get("text").and_then(Json::as_str) {
                Some(text) => self.text(Stream::Output, text),
                None => self.explain("a chunk has no text"),
            };
        }
        // A preview is a file of a command.
        if !EVENT_TYPES.contains(&method) || method == "preview" {
            return;
        }
        params.insert("type".into(), method.into());
        if method == "output" {
            return self.output(&params, bytes);
        }
        match event_of_json(Json::Object(params)) {
            Ok(event) => self.event(event),
            Err(why) => self.explain(&why),
        }
    }

    fn explain(&self, why: &str) {
        let first = self.state().ignored.is_none();
        if first {
            self.state().ignored = Some(why.to_owned());
            self.note(&format!("warn: a notification of the plugin was ignored: {why}"));
        }
    }

    fn event(&self, event: CommandEvent) {
        match event.effect() {
            EventEffect::Report(report) => self.reporter.take(report),
            EventEffect::Line(line) => self.note(&line),
            EventEffect::Output(_) => {}
        }
    }

    /// Keeps the value of a port; the last one counts.
    fn output(&self, params: &Map<String, Json>, bytes: u64) {
        let name = params.get("name").and_then(Json::as_str).unwrap_or_default();
        let value = params.get("value");
        let mut state = self.state();
        let Some(declared) = self.spec.outputs.get(name) else {
            let fault = undeclared(name, &self.spec);
            state.fault.get_or_insert(fault);
            return;
        };
        let Some(value) = value else {
            state.fault.get_or_insert(format!("it gave the output `{name}` without a value"));
            return;
        };
        state.sizes.insert(name.to_owned(), bytes);
        if state.sizes.values().sum::<u64>() > self.spec.max_bytes {
            state.fault.get_or_insert(crate::content::too_large(self.spec.max_bytes));
            state.outputs.clear();
            return;
        }
        state.outputs.insert(name.to_owned(), value.clone());
        drop(state);
        // What is shown before the end is small; the value counts all the same.
        if bytes <= crate::content::LIMIT as u64 && !declared.ty.has_media() {
            let value = Value::from_json(value.clone());
            self.reporter.take(Report::Partial { port: name.to_owned(), value });
        }
    }

    /// Returns the outputs that were given, with those of the result of `execute`.
    ///
    /// # Errors
    /// A sentence: something that was given is not an output.
    pub(super) fn outputs(&self, result: Json) -> Result<BTreeMap<String, Json>, String> {
        let mut state = self.state();
        if let Some(fault) = state.fault.take() {
            return Err(fault);
        }
        let mut outputs = std::mem::take(&mut state.outputs);
        let Json::Object(mut result) = result else {
            return Err("its result is not an object such as {\"outputs\": {…}}".into());
        };
        match result.remove("outputs") {
            None => {}
            Some(Json::Object(given)) => {
                if let Some(name) = given.keys().find(|name| !self.spec.outputs.contains_key(*name)) {
                    return Err(undeclared(name, &self.spec));
                }
                outputs.extend(given);
            }
            Some(_) => return Err("the `outputs` of its result are not an object".into()),
        }
        Ok(outputs)
    }

    /// Returns why a bad notification was ignored.
    pub(super) fn ignored(&self) -> Option<String> {
        self.state().ignored.clone()
    }

    /// Returns the cost so far, if the plugin reported one.
    pub(super) fn cost_usd(&self) -> Option<f64> {
        self.reporter.cost_usd()
    }

    /// Ends the log.
    pub(super) fn finish(&self) {
        self.reporter.finish();
    }
}

fn undeclared(name: &str, spec: &NodeTypeSpec) -> String {
    let names: Vec<&str> = spec.outputs.keys().map(String::as_str).collect();
    format!("it gave the output `{}`, but it declares {}", cut(&sanitise::line(name), 60), names.join(", "))
}
