//! Detects the type of bytes: MIME type, kind, and the size of pictures, all from the head of a file.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek};

use fanlight_shared::media::{JSON, MediaKind};
use fanlight_shared::value::json;
use image::{ImageFormat, ImageReader, Limits};

/// How much of a file is read. This is enough for every header except those after huge embedded metadata; the size of
/// such pictures is unknown.
pub(super) const HEAD_BYTES: u64 = 1 << 20;

/// The kind of some bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sniffed {
    /// Their kind; never a folder.
    pub kind: MediaKind,
    /// Their MIME type.
    pub mime: String,
    /// In pixels, from the header of a picture.
    pub width: Option<u32>,
    /// In pixels, from the header of a picture.
    pub height: Option<u32>,
}

/// Inspects the head of an open file, and rewinds it.
///
/// # Errors
/// It can't be read.
pub fn sniff(file: &mut File) -> io::Result<Sniffed> {
    let mut head = Vec::new();
    file.rewind()?;
    file.by_ref().take(HEAD_BYTES).read_to_end(&mut head)?;
    let whole = (head.len() as u64) < HEAD_BYTES;
    file.rewind()?;
    Ok(sniff_head(&head, whole))
}

pub(super) fn sniff_head(head: &[u8], whole: bool) -> Sniffed {
    let mime = mime(head, whole);
    let kind = match mime.split('/').next() {
        // Workers can't draw it, so Fanlight doesn't treat it as a picture.
        Some("image") if mime == "image/svg+xml" => MediaKind::File,
        Some("image") => MediaKind::Image,
        Some("audio") => MediaKind::Audio,
        Some("video") => MediaKind::Video,
        _ => MediaKind::File,
    };
    let size = if kind == MediaKind::Image { size(head) } else { None };
    Sniffed { kind, mime: mime.to_owned(), width: size.map(|it| it.0), height: size.map(|it| it.1) }
}

fn mime(head: &[u8], whole: bool) -> &'static str {
    if head.is_empty() {
        return "application/x-empty";
    }
    let text = is_text(head, whole);
    if text {
        let begin = String::from_utf8_lossy(&head[..head.len().min(1024)]);
        let begin = begin.trim_start_matches('\u{feff}').trim_start();
        if begin.starts_with("<svg") || begin.starts_with("<?xml") && begin.contains("<svg") {
            return "image/svg+xml";
        }
        let is_json = |head| std::str::from_utf8(head).is_ok_and(json::is_document);
        if whole && begin.starts_with(['{', '[']) && is_json(head) {
            return JSON;
        }
    }
    match infer::get(head) {
        // Some text begins like a binary format: `BM…` is also a word.
        Some(found) if !text || found.mime_type().starts_with("text/") => found.mime_type(),
        Some(found) if matches!(found.mime_type(), "application/pdf" | "application/rtf") => {
            found.mime_type()
        }
        _ if text => "text/plain",
        _ => "application/octet-stream",
    }
}

/// Returns whether the head is UTF-8 without NUL; it may end inside a character if the file is longer.
fn is_text(head: &[u8], whole: bool) -> bool {
    let utf8 = match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => !whole && error.error_len().is_none(),
    };
    utf8 && !head.contains(&0)
}

/// Returns the size in the header of a picture. If the decoder panics, there is none.
fn size(head: &[u8]) -> Option<(u32, u32)> {
    let format = image::guess_format(head).ok()?;
    let known = [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::Gif,
        ImageFormat::WebP,
        ImageFormat::Bmp,
        ImageFormat::Tiff,
    ];
    if !known.contains(&format) {
        return None;
    }
    let head = head.to_vec();
    std::panic::catch_unwind(move || {
        let mut reader = ImageReader::with_format(Cursor::new(head), format);
        let mut limits = Limits::default();
        limits.max_alloc = Some(16 << 20);
        reader.limits(limits);
        reader.into_dimensions().ok()
    })
    .ok()
    .flatten()
}
