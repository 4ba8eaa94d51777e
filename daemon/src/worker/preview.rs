//! Previews, made inside a worker: thumbnails, waveforms, first frames, heads of texts.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use fanlight_shared::media::{Media, MediaKind, is_text};
use image::{DynamicImage, GenericImageView};

use super::peaks;
use crate::ffmpeg::Ffmpeg;
use crate::picture;

/// Longest side of a thumbnail, in pixels.
const MAX_SIDE: u32 = 256;
/// How much of a text is shown, in bytes.
const MAX_TEXT_BYTES: u64 = 4096;
/// How long the first frame of a video may take.
const FRAME_TIMEOUT: Duration = Duration::from_secs(20);

/// Makes a preview in `folder`: its MIME type and file name, or `None` if there is nothing to show.
pub(super) fn make(media: &Media, file: &Path, folder: &Path) -> Result<Option<(String, String)>, String> {
    match media.kind {
        MediaKind::Image => thumbnail(&picture::decode(file)?, folder).map(Some),
        MediaKind::Audio => {
            let json = peaks::of(file)?;
            put(folder, "peaks.json", json.as_bytes(), peaks::MIME).map(Some)
        }
        MediaKind::Video => first_frame(file, folder),
        MediaKind::File if is_text(&media.mime) => {
            let mut head = Vec::new();
            let read = File::open(file).and_then(|file| file.take(MAX_TEXT_BYTES).read_to_end(&mut head));
            read.map_err(|error| format!("the text can't be read: {error}"))?;
            let text = String::from_utf8_lossy(&head);
            // The head may end inside a character.
            let text =
                if head.len() as u64 == MAX_TEXT_BYTES { text.trim_end_matches('\u{fffd}') } else { &text };
            put(folder, "head.txt", text.as_bytes(), "text/plain").map(Some)
        }
        MediaKind::File | MediaKind::Dir => Ok(None),
    }
}

fn put(folder: &Path, name: &str, bytes: &[u8], mime: &str) -> Result<(String, String), String> {
    picture::new_file(&folder.join(name))
        .and_then(|mut file| file.write_all(bytes))
        .map_err(|error| format!("the preview can't be written: {error}"))?;
    Ok((mime.to_owned(), name.to_owned()))
}

fn thumbnail(picture: &DynamicImage, folder: &Path) -> Result<(String, String), String> {
    let (width, height) = picture.dimensions();
    let small = if width.max(height) > MAX_SIDE {
        let scale = f64::from(MAX_SIDE) / f64::from(width.max(height));
        picture::scaled(picture, scaled(width, scale), scaled(height, scale))?
    } else {
        picture.clone()
    };
    picture::encode(&DynamicImage::from(small.to_rgba8()), &folder.join("thumbnail.png"))?;
    Ok(("image/png".into(), "thumbnail.png".into()))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn scaled(length: u32, scale: f64) -> u32 {
    ((f64::from(length) * scale).round() as u32).max(1)
}

/// Returns the first frame, if ffmpeg is installed.
fn first_frame(file: &Path, folder: &Path) -> Result<Option<(String, String)>, String> {
    let frame = folder.join("frame.png");
    let mut ffmpeg = Ffmpeg::new();
    ffmpeg.input(file);
    ffmpeg.args(["-frames:v", "1", "-vf", "scale='min(1024,iw)':-2", "-f", "image2", "-c:v", "png"]);
    ffmpeg.args([&frame]);
    let mut child = match ffmpeg.spawn() {
        Ok(child) => child,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("ffmpeg can't be started: {error}")),
    };
    let begin = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if begin.elapsed() < FRAME_TIMEOUT => std::thread::sleep(Duration::from_millis(20)),
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("ffmpeg took more than {} seconds", FRAME_TIMEOUT.as_secs()));
            }
            Err(error) => return Err(format!("ffmpeg can't be waited for: {error}")),
        }
    };
    if !status.success() {
        return Err(format!("ffmpeg found no frame ({status})"));
    }
    thumbnail(&picture::decode(&frame)?, folder).map(Some)
}
