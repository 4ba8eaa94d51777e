//! The products of a run as elements of the page.

use std::io::Read as _;
use std::path::Path;

use fanlight_shared::sanitise;

use super::html::{escape, line, url};

/// How much of a text is shown.
const MAX_TEXT_BYTES: u64 = 2_000;

/// Returns an output as an element. `root`: the folder of the report while it is being made.
pub(super) fn element(output: &str, path: &Path, root: &Path) -> String {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let (link, name) = (url(path), line(output));
    match ending.as_str() {
        "png" | "jpg" | "jpeg" | "gif" | "webp" | "bmp" | "avif" => format!(
            "<figure><a class=\"zoom\" href=\"{link}\"><img loading=\"lazy\" src=\"{link}\" alt=\"{name}\"></a>\
             <figcaption>{name}</figcaption></figure>"
        ),
        // As a page of its own it could run scripts.
        "svg" => format!(
            "<figure><img loading=\"lazy\" src=\"{link}\" alt=\"{name}\">\
             <figcaption><a download href=\"{link}\">{name}</a></figcaption></figure>"
        ),
        "wav" | "mp3" | "flac" | "ogg" | "m4a" | "opus" => format!(
            "<figure><audio controls preload=\"none\" src=\"{link}\"></audio><figcaption>{name}</figcaption></figure>"
        ),
        "mp4" | "webm" | "mov" => format!(
            "<figure><video controls preload=\"metadata\" src=\"{link}\"></video><figcaption>{name}</figcaption></figure>"
        ),
        "txt" | "json" => {
            let text = beginning(&root.join(path));
            format!(
                "<figure><pre>{}</pre><figcaption><a download href=\"{link}\">{name}</a></figcaption></figure>",
                escape(&text)
            )
        }
        // A browser would run a page: it is only saved.
        _ => format!("<p><a download href=\"{link}\">{name}</a></p>"),
    }
}

fn beginning(path: &Path) -> String {
    let mut bytes = Vec::new();
    let read =
        std::fs::File::open(path).and_then(|file| file.take(MAX_TEXT_BYTES + 1).read_to_end(&mut bytes));
    if read.is_err() {
        return String::new();
    }
    let is_cut = bytes.len() as u64 > MAX_TEXT_BYTES;
    bytes.truncate(MAX_TEXT_BYTES as usize);
    let text = sanitise::plain(&String::from_utf8_lossy(&bytes));
    if is_cut { format!("{text}…") } else { text }
}
