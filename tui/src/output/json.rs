//! The stable output of `--json`: one object per line.

use fanlight_shared::asset::Asset;
use fanlight_shared::client::Client;
use fanlight_shared::question::{Question, QuestionKind};
use fanlight_shared::rpc::daemon::DaemonStatus;
use fanlight_shared::rpc::sweeps::Sweep;
use fanlight_shared::run::Run;
use fanlight_shared::spent::Spent;
use fanlight_shared::value::Value;
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use super::Out;
use crate::failure::Failure;

/// Writes one object on a line of its own.
pub(crate) fn print<T: Serialize>(out: &mut Out, value: &T) -> Result<(), Failure> {
    out.json(&line(value)?)
}

/// Returns one object as a line.
pub(crate) fn line<T: Serialize>(value: &T) -> Result<String, Failure> {
    serde_json::to_string(value)
        .map_err(|error| Failure::failed(format!("the answer can't be written as JSON: {error}")))
}

/// Returns a run.
pub(crate) fn run(run: &Run) -> Json {
    json!({
        "id": run.id,
        "workflow": run.workflow,
        "number": run.number,
        "label": run.label,
        "state": run.state,
        "params": values(&run.params),
        "params_short": run.params_short,
        "submitted_at": run.submitted_at,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "error": run.error,
        "asks": run.asks,
        "waits_for": run.waits_for,
        "parent": run.parent,
        "spent": spent(&run.spent),
        "sweep": run.sweep,
        "paused": run.paused,
        "position": run.position,
        "priority": run.priority,
    })
}

/// Returns a sweep.
pub(crate) fn sweep(sweep: &Sweep) -> Json {
    json!({
        "name": sweep.name,
        "workflow": sweep.workflow,
        "version": sweep.version,
        "created_at": sweep.created_at,
        "state": sweep.state,
        "paused": sweep.paused,
        "limits": sweep.limits,
        "swept": sweep.swept,
        "runs": sweep.runs,
        "spent": spent(&sweep.spent),
        "time_ms": sweep.time_ms,
        "search": sweep.search,
    })
}

/// Returns the stable JSON of a cost and its tokens; the cost is null while it is unknown, and `unpriced` says whether some
/// of the tokens have no known cost.
pub(crate) fn spent(spent: &Spent) -> Json {
    json!({
        "cost_usd": spent.cost_usd,
        "input_tokens": spent.input_tokens,
        "output_tokens": spent.output_tokens,
        "unpriced": spent.unpriced,
    })
}

/// Returns the JSON of a question; media is an object with its fields.
pub(crate) fn question(question: &Question) -> Json {
    let list = |values: &[Value]| values.iter().map(Value::to_json).collect::<Vec<_>>();
    let mut object = json!({
        "text": question.text,
        "show": list(&question.show),
        "default": question.default.as_ref().map(Value::to_json),
        "deadline": question.deadline,
    });
    let kind = match &question.kind {
        QuestionKind::YesNo => json!({ "kind": "yes_no" }),
        QuestionKind::Value { ty } => json!({ "kind": "value", "type": ty }),
        QuestionKind::Choice { choices, several } => {
            json!({ "kind": "choice", "choices": list(choices), "several": several })
        }
    };
    if let (Some(object), Json::Object(kind)) = (object.as_object_mut(), kind) {
        object.extend(kind);
    }
    object
}

/// Returns an asset.
pub(crate) fn asset(asset: &Asset) -> Json {
    json!({
        "id": asset.id,
        "workflow": asset.workflow,
        "run": asset.run,
        "node": asset.node,
        "item": asset.item,
        "port": asset.port,
        "kind": asset.kind,
        "mime": asset.mime,
        "bytes": asset.bytes,
        "name": asset.name,
        "created_at": asset.created_at,
        "starred": asset.starred,
    })
}

/// Returns the object that `daemon status` prints.
pub(crate) fn status(status: &DaemonStatus) -> Json {
    json!({
        "pid": status.pid,
        "version": status.version,
        "home": status.home,
        "socket": status.socket,
        "running": status.running,
        "queued": status.queued,
        "clients": status.clients,
        "banners": status.banners,
    })
}

/// Values by name; media is an object of its fields.
pub(crate) fn values(values: &IndexMap<String, Value>) -> Map<String, Json> {
    values.iter().map(|(name, value)| (name.clone(), value.to_json())).collect()
}

/// Values by name, with the whole content of large ones.
pub(crate) async fn full_values(
    client: &Client,
    values: &IndexMap<String, Value>,
) -> Result<Map<String, Json>, Failure> {
    let mut whole = Map::new();
    for (name, value) in values {
        whole.insert(name.clone(), client.full_value(value.clone()).await?.to_json());
    }
    Ok(whole)
}
