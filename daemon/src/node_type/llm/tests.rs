//! Language models, played by a server in this process.

mod agent;
mod answers;
mod comfy;
mod json;
mod media;
mod others;
mod trouble;

use std::sync::Arc;

use fanlight_shared::home::Home;
use fanlight_shared::run::AttemptEnd;
use fanlight_shared::testing::in_time;
use fanlight_shared::value::{Value, Values};

use crate::attempt::{Attempt, Outcome};
use crate::command::fixture;
use crate::config::{Config, Price, ProviderKind, ProviderSettings};
use crate::executor::{Execution, Executor as _, NativeNodes, Work};
use crate::http::Http;
use crate::http::server::{Server, Step};
use crate::llm::Providers;
use crate::node_type::NodeTypes;
use crate::rate::Rates;
use crate::store::Store;
use crate::supervisor::log::{self, StreamTag};

/// The nodes of a daemon whose provider `house` is a server of the test.
struct Place {
    store: Store,
    native: NativeNodes,
    rates: Rates,
    home: Home,
    _temp: tempfile::TempDir,
}

impl Place {
    fn new(kind: ProviderKind, server: &Server) -> Self {
        Self::with(kind, server, |_| {})
    }

    fn with(kind: ProviderKind, server: &Server, change: impl FnOnce(&mut ProviderSettings)) -> Self {
        Self::at(kind, &server.url("/v1"), change)
    }

    fn at(kind: ProviderKind, url: &str, change: impl FnOnce(&mut ProviderSettings)) -> Self {
        let temp = tempfile::tempdir().unwrap();
        let home = Home::below(temp.path()).unwrap();
        let store = Store::open(&home).unwrap();
        let mut house = ProviderSettings::new(kind, url);
        // Cargo sets it for tests.
        house.key = Some(crate::config::KeySource::Variable("CARGO_PKG_NAME".into()));
        let price = Price { input: 1e6, output: 1e6, cached_input: None, up_to: None };
        house.prices.insert("priced".into(), price);
        change(&mut house);
        let mut config = Config::default();
        // The server under a known name, with the models and the prices of that.
        let groq = ProviderSettings { prices: Default::default(), ..house.clone() };
        config.providers.extend([("house".into(), house), ("groq".into(), groq)]);
        let (http, rates) = (Http::default(), Rates::new(&config));
        let native = NativeNodes {
            blobs: store.blobs().clone(),
            writable: Vec::new(),
            attempts: home.attempts(),
            http: http.clone(),
            providers: Providers::new(&config, http, rates.clone()),
            mcp: Default::default(),
            child_runs: Default::default(),
            checker: Arc::new(crate::worker::InProcess(store.blobs().clone())),
        };
        Self { store, native, rates, home, _temp: temp }
    }

    fn open(&self, name: &str, given: &[(&str, Value)]) -> (Attempt, Box<dyn Execution>) {
        self.open_as(fixture::attempt(), name, given)
    }

    fn open_as(
        &self,
        attempt: Attempt,
        name: &str,
        given: &[(&str, Value)],
    ) -> (Attempt, Box<dyn Execution>) {
        let node_type = Arc::clone(NodeTypes::built_in().now().get(name).unwrap());
        let declared = node_type.spec.inputs.iter();
        let mut inputs: Values =
            declared.filter_map(|(name, input)| Some((name.clone(), input.default.clone()?))).collect();
        inputs.insert("provider".into(), "house".into());
        inputs.insert("model".into(), "m".into());
        inputs.extend(given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        (attempt.clone(), self.native.open(attempt, Arc::new(Work::Native(node_type, inputs))))
    }

    /// Runs a node to its end. Returns its outcome and what it wrote.
    async fn run(&self, name: &str, given: &[(&str, Value)]) -> Done {
        let (attempt, execution) = self.open(name, given);
        in_time("its end", execution.wait()).await;
        let outcome = execution.collect().await;
        Done { outcome, log: self.log(&attempt) }
    }

    async fn chat(&self, given: &[(&str, Value)]) -> Done {
        let prompt = [("prompt", Value::from("Say it"))];
        self.run("llm.chat", &[&prompt[..], given].concat()).await
    }

    fn log(&self, attempt: &Attempt) -> Vec<(StreamTag, String)> {
        let folder = self.home.attempts().join(attempt.id.to_string());
        let pieces = log::read(&folder, 0, 1 << 20).map(|part| part.pieces).unwrap_or_default();
        pieces.into_iter().map(|(tag, bytes)| (tag, String::from_utf8(bytes).unwrap())).collect()
    }
}

struct Done {
    outcome: Outcome,
    log: Vec<(StreamTag, String)>,
}

impl Done {
    fn value(&self, port: &str) -> &Value {
        assert_eq!((self.outcome.end, &self.outcome.error), (AttemptEnd::Completed, &None));
        &self.outcome.values[port]
    }

    fn text(&self) -> &str {
        self.value("text").as_text().unwrap()
    }

    fn error(&self) -> &str {
        assert_eq!(self.outcome.end, AttemptEnd::Failed, "{:?}", self.outcome);
        &self.outcome.error.as_ref().unwrap().message
    }

    /// Returns what the node wrote to one stream.
    fn wrote(&self, stream: StreamTag) -> String {
        self.log.iter().filter(|(tag, _)| *tag == stream).map(|(_, text)| text.as_str()).collect()
    }
}

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";

/// A stream of these bytes, which ends when the connection is closed.
fn stream(text: &str) -> Vec<Step> {
    vec![Step::Write(format!("{HEAD}{text}").into_bytes())]
}

/// An answer of OpenAI's protocol, a word an event.
fn said(text: &str) -> String {
    let words = text.split_inclusive(' ');
    let events = words
        .map(|word| format!("data: {}\n\n", serde_json::json!({"choices": [{"delta": {"content": word}}]})));
    let end = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n\
               data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}\n\ndata: [DONE]\n\n";
    events.chain([end.to_owned()]).collect()
}

fn body(request: &str) -> serde_json::Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
}
