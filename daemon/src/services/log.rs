//! What a native node writes: the text that it makes, what it thinks and the lines of its log, in order of arrival, in the
//! log of its attempt.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;

use fanlight_shared::sanitise;

use crate::supervisor::log::{LogWriter, StreamTag};

/// How many characters of the last line are shown.
const MAX_LINE: usize = 500;

/// The writing end; the log is kept as that of a command, with its beginning and its end.
pub(super) struct Log {
    folder: PathBuf,
    writer: Option<LogWriter>,
    /// The line of each stream that is being written.
    lines: [String; 2],
}

impl Log {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, writer: None, lines: Default::default() }
    }

    /// Appends a text. On a full disk the text is lost, and the node continues. Returns where the log ends now, in
    /// bytes, and the last line that shows anything, unless it is reasoning.
    pub(super) fn append(&mut self, stream: StreamTag, text: &str) -> (u64, Option<String>) {
        let folder = &self.folder;
        let writer = self.writer.get_or_insert_with(|| {
            let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
            if let Err(error) = made {
                tracing::warn!(%error, folder = %folder.display(), "what a node writes can't be stored");
            }
            LogWriter::new(folder.clone())
        });
        writer.write(stream, text.as_bytes());
        let end = writer.end();
        let line = match stream {
            StreamTag::Stdout => &mut self.lines[0],
            StreamTag::Stderr => &mut self.lines[1],
            StreamTag::Reasoning => return (end, None),
        };
        (end, last_line(line, text))
    }
}

/// Continues the current line. Returns the last line that is not empty.
fn last_line(line: &mut String, text: &str) -> Option<String> {
    let mut last = None;
    for part in text.split_inclusive('\n') {
        line.push_str(part);
        // A line without an end takes no memory either; its end is what is new.
        if line.len() > 8 * MAX_LINE {
            *line = cut_start(line, MAX_LINE);
        }
        let shown = sanitise::line(line);
        if !shown.trim().is_empty() {
            last = Some(cut_start(&shown, MAX_LINE));
        }
        if part.ends_with('\n') {
            line.clear();
        }
    }
    last
}

/// Returns the last characters of a text, after `…` if it has more.
fn cut_start(text: &str, characters: usize) -> String {
    match text.char_indices().rev().nth(characters.saturating_sub(1)) {
        Some((at, _)) if at > 0 => format!("…{}", text[at..].trim_start_matches('…')),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::supervisor::log as stored;

    #[test]
    fn text_is_appended_and_the_last_line_grows_with_it() {
        let temp = tempfile::tempdir().unwrap();
        let folder = temp.path().join("attempts/one");
        let mut log = Log::new(folder.clone());
        assert_eq!(log.append(StreamTag::Stdout, "Grü"), (4, Some("Grü".into())));
        assert_eq!(log.append(StreamTag::Stderr, "warn: slow\n"), (15, Some("warn: slow".into())));
        assert_eq!(log.append(StreamTag::Reasoning, "so"), (17, None), "it is folded");
        assert_eq!(log.append(StreamTag::Stdout, "ße\n\u{1b}[2Jbye\n\n"), (30, Some("bye".into())));
        let part = stored::read(&folder, 4, 1000).unwrap();
        assert_eq!(
            (part.offset, part.end, part.pieces[0].clone()),
            (4, 30, (StreamTag::Stderr, b"warn: slow\n".to_vec()))
        );
        assert_eq!(
            std::fs::metadata(&folder)
                .map(|it| std::os::unix::fs::PermissionsExt::mode(&it.permissions()) & 0o777)
                .unwrap(),
            0o700
        );
    }

    #[test]
    fn a_line_without_an_end_takes_bounded_memory() {
        let mut line = String::new();
        for number in 0..10_000 {
            let last = last_line(&mut line, &format!("word {number} ")).unwrap();
            assert!(last.ends_with(&format!("word {number} ")), "the newest words are shown: {last}");
            assert!(last.chars().count() <= MAX_LINE + 1);
        }
        assert!(line.len() <= 8 * MAX_LINE);
    }
}
