//! Comments and texts that go over several lines.

/// A comment or a text that may go over several lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Long {
    pub(super) open: &'static str,
    close: &'static str,
    pub(super) is_comment: bool,
}

impl Long {
    /// Returns where it ends in a text, which it begins or goes on in before `from`; `None` if it goes on after the text.
    pub(super) fn end(self, text: &str, from: usize) -> Option<usize> {
        let mut at = from;
        while let Some(rest) = text.get(at..) {
            if rest.starts_with(self.close) {
                return Some(at + self.close.len());
            }
            let mut letters = rest.chars();
            let first = letters.next()?;
            // What follows a backslash ends no text; in a raw one, it is an ordinary letter.
            let is_escape = first == '\\' && !self.is_comment && !self.is_raw();
            let escaped = if is_escape { letters.next().map_or(0, char::len_utf8) } else { 0 };
            at += first.len_utf8() + escaped;
        }
        None
    }

    fn is_raw(self) -> bool {
        self.open.starts_with(['r', 'b'])
    }

    /// Returns whether its end differs from its beginning.
    #[must_use]
    pub fn has_two_ends(self) -> bool {
        self.open != self.close
    }
}

const fn long(open: &'static str, close: &'static str) -> Long {
    Long { open, close, is_comment: false }
}

const fn comment(open: &'static str, close: &'static str) -> Long {
    Long { open, close, is_comment: true }
}

/// What may go over several lines, by the endings of files; of two that begin alike, the longer one first.
const LONG: &[(&[&str], &[Long])] = &[
    (&["py", "toml", "jl"], &[long("\"\"\"", "\"\"\""), long("'''", "'''")]),
    (
        &["rs"],
        &[
            comment("/*", "*/"),
            long("r##\"", "\"##"),
            long("r#\"", "\"#"),
            long("br#\"", "\"#"),
            long("br\"", "\""),
            long("r\"", "\""),
            long("\"", "\""),
        ],
    ),
    (&["js", "jsx", "mjs", "ts", "tsx", "go"], &[comment("/*", "*/"), long("`", "`")]),
    (&["java", "kt", "scala", "swift", "dart"], &[comment("/*", "*/"), long("\"\"\"", "\"\"\"")]),
    (&["c", "cc", "cpp", "cs", "cu", "h", "hpp", "php", "scss", "sql"], &[comment("/*", "*/")]),
    (&["lua"], &[comment("--[[", "]]"), long("[[", "]]")]),
    (&["hs", "elm"], &[comment("{-", "-}")]),
];

/// What a line begins within, which an earlier line began.
pub type Within = Option<Long>;

/// Returns what may go over several lines in files with this ending.
pub(super) fn of(ending: &str) -> &'static [Long] {
    LONG.iter().find(|(endings, _)| endings.contains(&ending)).map_or(&[][..], |(_, long)| long)
}
