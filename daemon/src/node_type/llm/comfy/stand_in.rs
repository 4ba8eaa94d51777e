//! The stand-in: it paints as many pictures as the graph would save.

use std::path::Path;

use fanlight_shared::event::Prediction;
use fanlight_shared::id::BlobHash;
use fanlight_shared::value::Value;
use serde_json::{Value as Json, json};

use super::super::picture::{Painted, paint_labelled};
use super::files::outputs;
use crate::comfy::Graph;
use crate::file_error::FileError;
use crate::media;
use crate::node_type::{Made, NodeCall};
use crate::services::Level;

/// The size of a picture for which the graph says nothing.
const SIDE: u32 = 512;
/// The most pictures of one node.
const MAX_BATCH: u64 = 16;

/// Paints the pictures of a graph.
pub(super) async fn run(call: &NodeCall, graph: &Graph, take: Option<&[String]>) -> Made {
    let services = &call.services;
    services.log(Level::Info, "the stand-in `offline` paints, no server");
    let stand_in = "offline".to_owned();
    services.prediction(&Prediction { provider: stand_in.clone(), model: stand_in, ..Prediction::default() });
    let saves = |id: &&str| match take {
        Some(take) => take.iter().any(|it| it == id),
        None => {
            graph.class(id).is_some_and(|class| class.contains("SaveImage") || class.contains("PreviewImage"))
        }
    };
    let nodes: Vec<&str> = graph.ids().filter(saves).collect();
    if nodes.is_empty() {
        return Err("the stand-in `offline` only paints pictures, and the graph has no SaveImage".into());
    }
    let number = |wanted: &[&str]| {
        let mut inputs =
            graph.inputs().filter(|(class, name, _)| class.contains("Latent") && wanted.contains(name));
        inputs.find_map(|(_, _, value)| value.as_u64())
    };
    let side =
        |name: &str| number(&[name]).and_then(|it| u32::try_from(it).ok()).unwrap_or(SIDE).clamp(16, 2048);
    let (size, batch) =
        ((side("width"), side("height")), number(&["batch_size"]).unwrap_or(1).clamp(1, MAX_BATCH));
    let prompt = graph.inputs().find_map(|(_, name, value)| value.as_str().filter(|_| name == "text"));
    let label = prompt.unwrap_or("a graph").to_owned();
    let hash = BlobHash::of(graph.json().to_string().as_bytes()).to_string();
    let (mut found, mut shown) = (Vec::new(), serde_json::Map::new());
    for id in nodes {
        let mut images = Vec::new();
        for number in 0..batch {
            let name = format!("stand-in_{id}_{number:05}.png");
            let painted = Painted { of: format!("{hash}{id}{number}"), label: label.clone(), seed: 0, size };
            found.push(picture(call, &name, painted).await?);
            images.push(json!({"filename": name, "subfolder": "", "type": "output"}));
        }
        shown.insert(id.to_owned(), json!({"images": images}));
    }
    Ok(outputs(found, Value::from_json(Json::Object(shown))))
}

async fn picture(
    call: &NodeCall,
    name: &str,
    painted: Painted,
) -> Result<(fanlight_shared::media::Media, crate::store::blob::Published), FileError> {
    let (services, blobs, name) = (call.services.clone(), call.blobs.clone(), name.to_owned());
    let work = move || {
        let failed = |error| FileError::of("the picture can't be stored", &error);
        let path = services.scratch().map_err(failed)?.join("painted.png");
        paint_labelled(&painted, Path::new(&path))?;
        media::publish(&blobs, std::fs::File::open(&path).map_err(failed)?, &name)
    };
    call.services.blocking(work).await
}
