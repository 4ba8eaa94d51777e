//! The published schema: every request with its response, and the notifications.

use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value as Json, json};

use super::watch::Notification;
use super::{
    Request, RpcError, assets, cache, daemon, engines, logs, metrics, models, plugins, previews, questions,
    queue, runs, sweeps, uploads, values, watch, why, workflows,
};

macro_rules! all {
    ($($request:ty,)*) => {
        /// Returns the names of all methods, in the order of the docs.
        #[must_use]
        pub fn methods() -> Vec<&'static str> {
            vec![$(<$request as Request>::METHOD),*]
        }

        /// Checks that these are the params and the result of a method.
        #[cfg(test)]
        fn decode(method: &str, params: Json, result: Json) -> Result<(), serde_json::Error> {
            $(if method == <$request as Request>::METHOD {
                serde_json::from_value::<$request>(params)?;
                serde_json::from_value::<<$request as Request>::Response>(result)?;
                return Ok(());
            })*
            Err(serde::de::Error::custom("no such method"))
        }

        fn requests(generator: &mut SchemaGenerator) -> Map<String, Json> {
            let mut methods = Map::new();
            $({
                let params = generator.subschema_for::<$request>();
                let result = generator.subschema_for::<<$request as Request>::Response>();
                let schemas = json!({ "params": params, "result": result });
                methods.insert(<$request as Request>::METHOD.to_owned(), schemas);
            })*
            methods
        }
    };
}

all! {
    daemon::Hello,
    watch::Watch,
    runs::Start,
    runs::Missing,
    runs::List,
    runs::Get,
    runs::Totals,
    runs::Table,
    runs::Nodes,
    runs::Items,
    runs::Cancel,
    runs::Answer,
    runs::Resume,
    runs::Delete,
    runs::Prune,
    runs::Export,
    runs::Import,
    runs::Label,
    why::Why,
    sweeps::List,
    sweeps::Get,
    sweeps::Runs,
    sweeps::Trials,
    sweeps::Find,
    sweeps::Set,
    questions::List,
    queue::Move,
    queue::Get,
    queue::Set,
    models::List,
    engines::List,
    engines::Check,
    plugins::List,
    plugins::Add,
    plugins::Remove,
    workflows::List,
    workflows::Get,
    workflows::Read,
    workflows::Check,
    workflows::NodeTypes,
    uploads::Start,
    uploads::Check,
    uploads::End,
    values::List,
    values::Read,
    values::Content,
    metrics::List,
    metrics::Read,
    metrics::Points,
    logs::Read,
    assets::List,
    assets::Get,
    assets::Lineage,
    assets::Read,
    assets::Thumbnail,
    previews::Thumbnail,
    assets::Star,
    assets::Delete,
    cache::List,
    cache::Explain,
    cache::Stats,
    cache::Remove,
    daemon::Status,
    daemon::Stop,
    daemon::Doctor,
}

/// Returns the schema: `methods` by name with the schemas of `params` and `result`, `event` for the params of
/// notifications, `error` for the error of a request.
#[must_use]
pub fn schema() -> Json {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let methods = requests(&mut generator);
    let event = generator.subschema_for::<Notification>();
    let error = generator.subschema_for::<RpcError>();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Fanlight protocol",
        "protocol": super::PROTOCOL_VERSION,
        "methods": methods,
        "event": event,
        "error": error,
        "$defs": generator.take_definitions(true),
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::Value as Json;

    use crate::rpc::watch::Notification;
    use crate::rpc::{ErrorCode, RpcError};

    /// `UPDATE_DOCS=1 cargo test -p fanlight-shared schema` updates the file.
    #[test]
    fn the_published_schema_is_up_to_date() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol.schema.json");
        let mut text = serde_json::to_string_pretty(&super::schema()).unwrap();
        text.push('\n');
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let published = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(published == text, "docs/protocol.schema.json is old: run this test with UPDATE_DOCS=1");
    }

    fn frozen(name: &str) -> Vec<Json> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/frames/v1");
        let text = std::fs::read_to_string(folder.join(format!("{name}.json")));
        serde_json::from_str(&text.unwrap_or_else(|_| panic!("no frozen frames of {name}"))).unwrap()
    }

    /// Frames of a released version never change: code that can't read them would break users' scripts.
    #[test]
    fn frames_of_version_1_can_always_be_decoded() {
        for method in super::methods() {
            for call in frozen(method) {
                super::decode(method, call["params"].clone(), call["result"].clone())
                    .unwrap_or_else(|error| panic!("{method}: {error}"));
            }
        }
        for frame in frozen("event") {
            // Decode it from the wire and compare.
            let event: Notification =
                serde_json::from_str(&frame.to_string()).unwrap_or_else(|error| panic!("{frame}: {error}"));
            let again: Notification = serde_json::from_value(serde_json::to_value(&event).unwrap()).unwrap();
            assert_eq!(again, event);
        }
        for frame in frozen("error") {
            let error: RpcError = serde_json::from_value(frame).unwrap();
            assert_eq!(error.problems.len(), usize::from(error.is(ErrorCode::InvalidWorkflow)));
        }
    }

    #[test]
    fn the_protocol_page_names_every_method() {
        let page = include_str!("../../../docs/protocol.md");
        for method in super::methods() {
            assert!(page.contains(&format!("`{method}`")), "docs/protocol.md does not name `{method}`");
        }
    }
}
