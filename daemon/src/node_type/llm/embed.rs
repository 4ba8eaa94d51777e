//! `llm.embed`

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use super::ask::Asker;
use super::{build, requests, texts, usage, with_whole_inputs};
use crate::config::Purpose;
use crate::node_type::http::within;
use crate::node_type::typed_inputs::TypedInputs as _;
use crate::node_type::{Made, NodeCall, NodeType, Runner};

/// How many texts a request has by default.
const BATCH: i64 = 64;

pub(super) fn node_type() -> NodeType {
    let build = build("llm.embed", "Turns texts into vectors: those of similar texts are near each other.")
        .input("texts", Type::Text.list(), "The texts.")
        .input("batch", Type::Int, "How many texts are sent at once.")
        .default(BATCH)
        .range(1.0, 2048.0);
    requests(build)
        .output("vectors", Type::Float.list().list(), "A vector for each text, in their order.")
        .output("dimensions", Type::Int, "The length of the vectors.")
        .output("usage", Type::Json, "Provider, model, tokens, and the cost if it is known.")
        .run(Runner::daemon(run))
}

async fn run(call: NodeCall) -> Made {
    let (services, timeout) = (call.services.clone(), call.inputs.float("timeout")?);
    within(&services, timeout, embed(call)).await
}

async fn embed(call: NodeCall) -> Made {
    let call = with_whole_inputs(call).await?;
    let texts = texts(&call.inputs, "texts")?;
    if let Some(at) = texts.iter().position(|text| text.trim().is_empty()) {
        return Err(format!("input `texts`: item {at} is empty, and has no vector").into());
    }
    let mut asker = Asker::new(&call, Purpose::Embeddings)?;
    let batch = usize::try_from(call.inputs.count("batch")?).unwrap_or(1).max(1);
    let mut vectors: Vec<Value> = Vec::with_capacity(texts.len());
    let mut dimensions = None;
    for some in texts.chunks(batch) {
        for vector in asker.embed(some).await? {
            if *dimensions.get_or_insert(vector.len()) != vector.len() {
                return Err("the provider sent embeddings of different lengths".into());
            }
            vectors.push(Value::List(vector.into_iter().map(Value::from).collect()));
        }
        call.services.progress(Some(vectors.len() as f64 / texts.len().max(1) as f64), None);
    }
    let dimensions = i64::try_from(dimensions.unwrap_or_default()).unwrap_or_default();
    let values = Values::from([
        ("vectors".to_owned(), Value::List(vectors)),
        ("dimensions".to_owned(), Value::Int(dimensions)),
        ("usage".to_owned(), usage(&asker)),
    ]);
    Ok((values, Vec::new()))
}
