//! Files of the user in a request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fanlight_shared::media::{Media, MediaKind};
use fanlight_shared::value::{Value, Values};

use crate::file_error::FileError;
use crate::llm::chat::{Attached, AttachedKind, Turn};
use crate::node_type::NodeCall;
use crate::node_type::typed_inputs::TypedInputs as _;
use crate::store::blob::Blobs;

/// The most bytes of files in a request.
const MAX_BYTES: u64 = 20 << 20;
/// The kinds of pictures that models read.
const IMAGES: [&str; 4] = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/// Reads the inputs `images`, `audio` and `files`, as far as a type has them, into a turn.
///
/// # Errors
/// A file is too large or of a kind that models don't read.
pub(super) async fn attach(call: &NodeCall, mut turn: Turn) -> Result<Turn, FileError> {
    let media = named(&call.inputs);
    if media.is_empty() {
        return Ok(turn);
    }
    let bytes: u64 = media.iter().map(|(_, media)| media.bytes).sum();
    if bytes > MAX_BYTES {
        return Err(format!(
            "the files have {bytes} bytes together, and at most {} MiB are sent",
            MAX_BYTES >> 20
        )
        .into());
    }
    let blobs = call.blobs.clone();
    let read =
        move || media.iter().map(|(input, media)| one(&blobs, input, media)).collect::<Result<Vec<_>, _>>();
    let mut texts = String::new();
    for part in call.services.blocking(read).await? {
        match part {
            Part::File(file) => turn.files.push(file),
            Part::Text { name, text } => texts.push_str(&format!("File `{name}`:\n\n{text}\n\n")),
        }
    }
    turn.text.insert_str(0, &texts);
    Ok(turn)
}

fn named(inputs: &Values) -> Vec<(&'static str, Media)> {
    let of = |input: &'static str| {
        let items = inputs.maybe(input).and_then(Value::as_list).unwrap_or_default();
        items.iter().filter_map(move |item| Some((input, item.as_media()?.clone())))
    };
    of("images").chain(of("audio")).chain(of("files")).collect()
}

enum Part {
    File(Attached),
    Text { name: String, text: String },
}

/// Reads one file. Blocks.
fn one(blobs: &Blobs, input: &str, media: &Media) -> Result<Part, FileError> {
    let name = media.name.clone();
    let kind = match (media.kind, media.mime.as_str()) {
        (MediaKind::Dir, _) => return Err(format!("input `{input}`: `{name}` is a folder").into()),
        (_, mime) if IMAGES.contains(&mime) => Some(AttachedKind::Image),
        (MediaKind::Audio, _) => Some(AttachedKind::Audio),
        (_, "application/pdf") => Some(AttachedKind::Document),
        (MediaKind::Image | MediaKind::Video, mime) => {
            return Err(format!(
                "input `{input}`: `{name}` is {mime}, and models read PNG, JPEG, GIF and WebP; `image.resize` makes a PNG"
            )
            .into());
        }
        _ => None,
    };
    let mut reader = blobs.open_media(media).map_err(|error| error.to_string())?;
    let bytes = reader.next(MAX_BYTES).map_err(|error| error.to_string())?;
    if reader.left() > 0 {
        return Err(format!("input `{input}`: `{name}` is larger than {} MiB", MAX_BYTES >> 20).into());
    }
    Ok(match kind {
        Some(kind) => {
            Part::File(Attached { kind, mime: media.mime.clone(), name, data: STANDARD.encode(bytes) })
        }
        None => match String::from_utf8(bytes) {
            Ok(text) => Part::Text { name, text },
            Err(_) => {
                return Err(format!(
                    "input `{input}`: `{name}` is {}, and models read text, PDF, pictures and sound",
                    media.mime
                )
                .into());
            }
        },
    })
}
