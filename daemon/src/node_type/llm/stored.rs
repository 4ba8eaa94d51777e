//! Files from and for providers.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use fanlight_shared::media::{Media, MediaKind};
use fanlight_shared::value::{Value, cut};

use crate::file_error::FileError;
use crate::media;
use crate::node_type::NodeCall;
use crate::node_type::http::Body;
use crate::store::blob::Published;

/// The most bytes of a file that is sent: what most providers accept.
const MAX_SENT_BYTES: u64 = 25 << 20;

/// Stores what a provider sent. Its bytes say what it is; a worker checks that they are whole.
///
/// # Errors
/// It is not of this kind, or damaged; the sentence says what it is.
pub(super) async fn store(
    call: &NodeCall,
    bytes: Vec<u8>,
    stem: &'static str,
    kind: MediaKind,
) -> Result<(Value, Published), FileError> {
    let bytes = Arc::new(bytes);
    let (value, published) = store_made(call, stem, kind, move |path| {
        let written = File::create(path).and_then(|mut file| file.write_all(&bytes));
        written.map_err(|error| FileError::of("the response can't be stored", &error))
    })
    .await?;
    if let Some(media) = value.as_media() {
        check_whole(call, media).await?;
    }
    Ok((value, published))
}

/// Checks what a provider or a server sent.
async fn check_whole(call: &NodeCall, media: &Media) -> Result<(), FileError> {
    call.services.check_whole(media).await.map_err(|error| match error {
        FileError::Other(why) => {
            format!("`{}`, which was received, can't be used: {why}", cut(&media.name, 60)).into()
        }
        full @ FileError::Full(_) => full,
    })
}

/// Stores the file that `make` writes.
///
/// # Errors
/// It can't be written, or is not of this kind.
pub(super) async fn store_made(
    call: &NodeCall,
    stem: &'static str,
    kind: MediaKind,
    make: impl Fn(&Path) -> Result<(), FileError> + Send + Sync + 'static,
) -> Result<(Value, Published), FileError> {
    let (services, blobs) = (call.services.clone(), call.blobs.clone());
    let work = move || {
        let failed = |error| FileError::of("the response can't be stored", &error);
        let path = services.scratch().map_err(failed)?.join(stem);
        make(&path)?;
        let (found, published) = media::publish(&blobs, File::open(&path).map_err(failed)?, stem)?;
        if found.kind != kind {
            let what = if found.bytes == 0 { "nothing" } else { &found.mime };
            return Err(format!("the provider sent {what} instead of {}", word(kind)).into());
        }
        let name = format!("{stem}.{}", extension(&found.mime).unwrap_or("bin"));
        Ok((Value::from(Media { name, executable: false, ..found }), published))
    };
    call.services.blocking(work).await
}

/// Publishes a file that was received. Its bytes say what it is; a worker checks that they are whole.
///
/// # Errors
/// It can't be stored, or is damaged.
pub(super) async fn received(
    call: &NodeCall,
    body: Body,
    name: &str,
) -> Result<(Media, Published), FileError> {
    let (blobs, name, received) = (call.blobs.clone(), name.to_owned(), body.file);
    let publish = move || {
        let failed = |error| FileError::of("the file can't be read", &error);
        let mut received: File = received.try_clone().map_err(failed)?;
        std::io::Seek::rewind(&mut received).map_err(failed)?;
        media::publish(&blobs, received, &name)
    };
    let (media, published) = call.services.blocking(publish).await?;
    check_whole(call, &media).await?;
    Ok((media, published))
}

/// Reads a file to send. Returns its bytes, and a name with the extension of what it is.
///
/// # Errors
/// It is too large, or of a format that providers don't read.
pub(super) async fn sendable(
    call: &NodeCall,
    input: &'static str,
    value: &Value,
    stem: &str,
) -> Result<(Vec<u8>, String, String), FileError> {
    let Some(found) = value.as_media().cloned() else {
        return Err(format!("input `{input}` is not a file").into());
    };
    let Some(extension) = extension(&found.mime) else {
        return Err(format!(
            "input `{input}`: `{}` is {}, which providers don't read",
            found.name, found.mime
        )
        .into());
    };
    if found.bytes > MAX_SENT_BYTES {
        return Err(format!(
            "input `{input}`: `{}` has {} MiB, and at most {} are sent; split it, or write it as FLAC or MP3",
            found.name,
            found.bytes >> 20,
            MAX_SENT_BYTES >> 20
        )
        .into());
    }
    let (mime, blobs) = (found.mime.clone(), call.blobs.clone());
    let read = move || {
        let mut reader = blobs.open_media(&found).map_err(|error| error.to_string())?;
        Ok(reader.next(MAX_SENT_BYTES).map_err(|error| error.to_string())?)
    };
    Ok((call.services.blocking(read).await?, mime, format!("{stem}.{extension}")))
}

pub(super) fn word(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "a picture",
        MediaKind::Audio => "a sound",
        MediaKind::Video => "a video",
        other => other.word(),
    }
}

pub(super) fn extension(mime: &str) -> Option<&'static str> {
    Some(match mime {
        "image/png" => "png",
        "image/jpeg" => "jpg",
        "image/webp" => "webp",
        "image/gif" => "gif",
        "audio/x-wav" => "wav",
        "audio/x-flac" => "flac",
        "audio/mpeg" => "mp3",
        "audio/ogg" | "audio/opus" => "ogg",
        "audio/m4a" => "m4a",
        "audio/aac" => "aac",
        "video/mp4" => "mp4",
        "video/webm" => "webm",
        _ => return None,
    })
}
