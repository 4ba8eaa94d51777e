//! `file.read`

use std::io::{Read, Seek};

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use super::build::{Build, ty};
use super::typed_inputs::TypedInputs;
use super::{Made, NodeCall, NodeType, Runner, file};
use crate::media;

/// The longest file that becomes a text.
const MAX_TEXT_BYTES: u64 = 1 << 20;

pub(super) fn node_type() -> NodeType {
    Build::new("file.read", "Reads a file.")
        .source()
        .input(
            "path",
            Type::Text,
            "The path of the file: absolute, or relative to the workflow file and below its folder.",
        )
        .output("file", ty::file(), "The file.")
        .output("text", Type::Text, "Its text; absent if it is not UTF-8 or larger than 1 MiB.")
        .run(Runner::daemon(run))
}

async fn run(call: NodeCall) -> Made {
    let services = call.services.clone();
    let work = move || {
        let path = file::readable(&call, call.inputs.text("path")?)?;
        let mut open = file::open(&path)?;
        let mut bytes = Vec::new();
        open.by_ref()
            .take(MAX_TEXT_BYTES + 1)
            .read_to_end(&mut bytes)
            .and_then(|_| open.rewind())
            .map_err(|error| file::sentence(&path, &error))?;
        let text = if bytes.len() as u64 > MAX_TEXT_BYTES { None } else { String::from_utf8(bytes).ok() };
        let (media, blob) = media::refer(&call.blobs, open, &path, &file::name(&path))?;
        let mut values = Values::from([("file".to_owned(), Value::from(media))]);
        if let Some(text) = text {
            values.insert("text".to_owned(), text.into());
        }
        Ok((values, blob.into_iter().collect()))
    };
    services.blocking(work).await
}
