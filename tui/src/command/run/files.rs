//! The file names under which the outputs of a run are saved.

use std::collections::HashSet;

use fanlight_shared::large::Large;
use fanlight_shared::media::{Media, MediaKind};
use fanlight_shared::value::Value;

/// A file (or folder) to be saved.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct File {
    /// What is printed for it: the output's name, with an index for an element of a list.
    pub(super) output: String,
    /// That output.
    pub(super) of: String,
    /// Its index, for an element of a list.
    pub(super) index: Option<usize>,
    /// Its path below the folder of the run.
    pub(super) name: String,
    /// What is in it.
    pub(super) content: Content,
}

/// What is in a file.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Content {
    /// Bytes that lie in the daemon's store.
    Media(Media),
    /// This text.
    Text(String),
    /// A text that lies in the daemon's store.
    Large(Large),
}

/// Returns the files of one output: `poster.png`; of a list of files `poster/a.png`, `poster/b.png` … if they have
/// different names, else `poster-0.png`, `poster-1.png` …; text as `.txt`, other values as `.json`.
pub(super) fn of(output: &str, value: &Value) -> Vec<File> {
    let stem = safe(output);
    match value {
        Value::None => Vec::new(),
        // Each medium or text of a list gets its own file; the number of a missing element is skipped.
        Value::List(items) if items.iter().any(is_file) => {
            let names = own_names(items);
            let items = items.iter().enumerate().filter(|(_, item)| **item != Value::None);
            let mut names = names.into_iter().flatten();
            items
                .flat_map(|(at, item)| {
                    let element = format!("{output}[{at}]");
                    let mut files = of_one(output, &element, &format!("{stem}-{at}"), item);
                    for file in &mut files {
                        file.index = Some(at);
                        if let Some(name) = names.next() {
                            file.name = format!("{stem}/{name}");
                        }
                    }
                    files
                })
                .collect()
        }
        value => of_one(output, output, &stem, value),
    }
}

/// Returns the own names of the files in a list, if it holds nothing else and they differ.
fn own_names(items: &[Value]) -> Option<Vec<String>> {
    let items = items.iter().filter(|item| **item != Value::None);
    let names = items.map(|item| Some(safe(&item.as_media()?.name))).collect::<Option<Vec<_>>>()?;
    // Some file systems don't tell upper from lower case.
    let different: HashSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
    (different.len() == names.len()).then_some(names)
}

fn is_file(value: &Value) -> bool {
    matches!(value, Value::Media(_) | Value::Text(_) | Value::Large(_)) || value.has_media()
}

/// Returns the files of an output, or of an element of it; `output` is its name in what is printed.
fn of_one(of: &str, output: &str, stem: &str, value: &Value) -> Vec<File> {
    let file = |name: String, content: Content| File {
        output: output.to_owned(),
        of: of.to_owned(),
        index: None,
        name,
        content,
    };
    match value {
        Value::Media(media) => vec![file(media_name(stem, media), Content::Media((**media).clone()))],
        Value::Large(large) if large.is_text() => {
            vec![file(format!("{stem}.txt"), Content::Large((**large).clone()))]
        }
        Value::Text(text) => vec![file(format!("{stem}.txt"), Content::Text(text.clone()))],
        value => {
            let text = serde_json::to_string_pretty(&value.to_json()).unwrap_or_default();
            let mut files = vec![file(format!("{stem}.json"), Content::Text(format!("{text}\n")))];
            // Media inside nested lists or objects, numbered in order.
            files.extend(value.media().into_iter().enumerate().map(|(at, media)| {
                file(media_name(&format!("{stem}-{at}"), media), Content::Media(media.clone()))
            }));
            files
        }
    }
}

fn media_name(stem: &str, media: &Media) -> String {
    if media.kind == MediaKind::Dir {
        return stem.to_owned();
    }
    format!("{stem}.{}", ending(media))
}

/// Returns the ending of the media's own name, if it is a plain one; else that of its MIME type.
fn ending(media: &Media) -> &str {
    let own = media.ext();
    if !own.is_empty() && own.len() <= 12 && own.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return own;
    }
    match media.mime.as_str() {
        "image/png" => "png",
        "image/jpeg" => "jpg",
        "image/gif" => "gif",
        "image/webp" => "webp",
        "image/svg+xml" => "svg",
        "audio/wav" | "audio/x-wav" => "wav",
        "audio/mpeg" => "mp3",
        "audio/flac" | "audio/x-flac" => "flac",
        "audio/ogg" => "ogg",
        "video/mp4" => "mp4",
        "video/webm" => "webm",
        "application/json" => "json",
        "application/pdf" => "pdf",
        mime if mime.starts_with("text/") => "txt",
        _ => "bin",
    }
}

/// Returns the name as a single path component, whatever the daemon sent.
pub(super) fn safe(name: &str) -> String {
    let safe: String = name
        .chars()
        .map(|it| if it.is_alphanumeric() || matches!(it, '-' | '_' | '.') { it } else { '_' })
        .take(100)
        .collect();
    if safe.is_empty() || safe.starts_with('.') { format!("_{safe}") } else { safe }
}

#[cfg(test)]
mod tests {
    use fanlight_shared::id::BlobHash;

    use super::*;

    fn media(name: &str, mime: &str, kind: MediaKind) -> Value {
        Value::from(Media {
            kind,
            hash: BlobHash::of(name.as_bytes()),
            mime: mime.into(),
            bytes: 1,
            name: name.into(),
            width: None,
            height: None,
            executable: false,
            source: None,
        })
    }

    fn names(value: &Value) -> Vec<String> {
        of("poster", value).into_iter().map(|file| file.name).collect()
    }

    #[test]
    fn a_single_picture_is_named_after_its_output() {
        assert_eq!(names(&media("out.png", "image/png", MediaKind::Image)), ["poster.png"]);
        assert_eq!(names(&media("photo", "image/jpeg", MediaKind::Image)), ["poster.jpg"]);
        assert_eq!(names(&media("x.tar/../../gz", "application/x", MediaKind::File)), ["poster.bin"]);
        assert_eq!(names(&media("prints", "inode/directory", MediaKind::Dir)), ["poster"]);
    }

    #[test]
    fn the_items_of_a_list_are_numbered_and_holes_keep_their_numbers() {
        let picture = || media("a.png", "image/png", MediaKind::Image);
        let list = Value::List(vec![picture(), Value::None, picture()]);
        assert_eq!(names(&list), ["poster-0.png", "poster-2.png"]);
        let files = of("poster", &list);
        assert_eq!(files[1].output, "poster[2]");
    }

    #[test]
    fn files_in_lists_keep_their_names_if_these_differ() {
        let file = |name: &str| media(name, "text/plain", MediaKind::File);
        let list = Value::List(vec![file("b.txt"), Value::None, file("a.txt")]);
        assert_eq!(names(&list), ["poster/b.txt", "poster/a.txt"]);
        assert_eq!(of("poster", &list)[1].output, "poster[2]");
        let alike = Value::List(vec![file("a.txt"), file("A.txt")]);
        assert_eq!(names(&alike), ["poster-0.txt", "poster-1.txt"]);
        let mixed = Value::List(vec![file("a.txt"), Value::from("text")]);
        assert_eq!(names(&mixed), ["poster-0.txt", "poster-1.txt"]);
        assert_eq!(names(&Value::List(vec![file("../../x"), file(".y")])), ["poster/_.._.._x", "poster/_.y"]);
    }

    #[test]
    fn other_values_are_text_or_json() {
        assert_eq!(names(&Value::from("hello")), ["poster.txt"]);
        assert_eq!(names(&Value::Float(0.5)), ["poster.json"]);
        assert_eq!(names(&Value::List(vec![Value::Int(1), Value::Int(2)])), ["poster.json"]);
        assert!(names(&Value::None).is_empty());
    }

    #[test]
    fn no_name_escapes_its_folder() {
        assert_eq!(safe("../../etc/passwd"), "_.._.._etc_passwd");
        assert_eq!(safe(".."), "_..");
        assert_eq!(safe(""), "_");
        assert_eq!(safe("contact_sheet"), "contact_sheet");
    }
}
