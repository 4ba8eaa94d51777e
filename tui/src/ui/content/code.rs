//! Colours code line by line: comments, texts, numbers and keywords. One set of rules for all languages, which differ in how a
//! comment begins, and in what goes over several lines.

mod long;

pub use long::{Long, Within};
use ratatui::style::Style;
use ratatui::text::Span;

use crate::ui::content::json;
use crate::ui::theme::Theme;

/// The beginnings of comments, by the endings of files.
const COMMENTS: &[(&str, &[&str])] = &[
    (
        "//",
        &[
            "c", "cc", "cpp", "cs", "cu", "dart", "go", "h", "hpp", "java", "js", "jsx", "kt", "mjs", "php",
            "rs", "scala",
        ],
    ),
    ("//", &["scss", "swift", "ts", "tsx", "zig"]),
    (
        "#",
        &[
            "bash",
            "cfg",
            "conf",
            "dockerfile",
            "ini",
            "jl",
            "makefile",
            "mk",
            "nix",
            "pl",
            "py",
            "r",
            "rb",
            "sh",
            "tf",
        ],
    ),
    ("#", &["toml", "yaml", "yml", "zsh"]),
    ("--", &["elm", "hs", "lua", "sql"]),
    ("%", &["erl", "tex"]),
];

/// Words that mean something in many languages.
const KEYWORDS: &[&str] = &[
    "abstract",
    "and",
    "as",
    "async",
    "await",
    "begin",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "crate",
    "def",
    "default",
    "defer",
    "del",
    "do",
    "done",
    "elif",
    "else",
    "elsif",
    "end",
    "enum",
    "except",
    "export",
    "extends",
    "extern",
    "false",
    "False",
    "fi",
    "final",
    "finally",
    "fn",
    "for",
    "foreach",
    "from",
    "func",
    "function",
    "global",
    "go",
    "goto",
    "if",
    "impl",
    "implements",
    "import",
    "in",
    "inline",
    "instanceof",
    "interface",
    "is",
    "lambda",
    "let",
    "local",
    "loop",
    "match",
    "mod",
    "module",
    "move",
    "mut",
    "namespace",
    "new",
    "nil",
    "None",
    "not",
    "null",
    "operator",
    "or",
    "package",
    "pass",
    "private",
    "protected",
    "pub",
    "public",
    "raise",
    "ref",
    "require",
    "return",
    "select",
    "self",
    "Self",
    "sizeof",
    "static",
    "struct",
    "super",
    "switch",
    "template",
    "then",
    "this",
    "throw",
    "throws",
    "trait",
    "true",
    "True",
    "try",
    "type",
    "typedef",
    "typename",
    "union",
    "unsafe",
    "use",
    "using",
    "var",
    "virtual",
    "void",
    "volatile",
    "when",
    "where",
    "while",
    "with",
    "yield",
];

/// How the lines of a file are coloured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Language {
    /// Not at all.
    Plain,
    /// As JSON.
    Json,
    /// As code.
    Code {
        /// How comments begin.
        comment: &'static str,
        /// Whether single quotes are around a single letter only; elsewhere they begin other names.
        letters: bool,
        /// What may go over several lines.
        long: &'static [Long],
    },
}

impl Language {
    /// Returns the language of a file.
    #[must_use]
    pub fn of(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
        let ending = name.rsplit('.').next().unwrap_or(&name);
        if matches!(ending, "json" | "ndjson" | "jsonl") {
            return Self::Json;
        }
        let found = COMMENTS.iter().find(|(_, endings)| endings.contains(&ending));
        let long = long::of(ending);
        found.map_or(Self::Plain, |(comment, _)| Self::Code { comment, letters: ending == "rs", long })
    }

    /// Returns the parts of a line that begins within something.
    #[must_use]
    pub fn spans<'a>(self, line: &str, within: Within, theme: &Theme) -> Vec<Span<'a>> {
        match self {
            Self::Plain => vec![Span::styled(line.to_owned(), theme.text)],
            Self::Json => json::spans(line, theme),
            Self::Code { .. } => self.code(line, within, theme).0,
        }
    }

    /// Returns what the line after this one begins within.
    #[must_use]
    pub fn after(self, line: &str, within: Within) -> Within {
        match self {
            Self::Code { long: [_, ..], .. } => self.code(line, within, &Theme::default()).1,
            _ => None,
        }
    }

    fn code<'a>(self, line: &str, within: Within, theme: &Theme) -> (Vec<Span<'a>>, Within) {
        let Self::Code { comment, letters, long } = self else { return (Vec::new(), None) };
        code(line, (comment, letters, long), within, theme)
    }
}

fn code<'a>(
    line: &str,
    (comment, letters, long): (&str, bool, &[Long]),
    mut within: Within,
    theme: &Theme,
) -> (Vec<Span<'a>>, Within) {
    let mut spans: Vec<Span<'a>> = Vec::new();
    let mut rest = line;
    let mut after_word = false;
    while let Some(first) = rest.chars().next() {
        let began = long.iter().find(|it| rest.starts_with(it.open) && !(after_word && is_word(first)));
        let (length, style): (usize, Style) = if let Some(inside) = within.or(began.copied()) {
            let from = if within.is_some() { 0 } else { inside.open.len() };
            let end = inside.end(rest, from);
            within = if end.is_none() { Some(inside) } else { None };
            (end.unwrap_or(rest.len()), if inside.is_comment { theme.dim } else { theme.good })
        } else if rest.starts_with(comment) && !after_word {
            (rest.len(), theme.dim)
        } else if matches!(first, '"' | '`') || first == '\'' && (!letters || is_letter(rest)) {
            (end_of_quote(rest, first), theme.good)
        } else if first.is_ascii_digit() && !after_word {
            (run(rest, |it| it.is_ascii_alphanumeric() || it == '.' || it == '_'), theme.matched)
        } else if is_word(first) {
            let length = run(rest, is_word);
            (length, if KEYWORDS.contains(&&rest[..length]) { theme.marked } else { theme.text })
        } else {
            (first.len_utf8(), theme.text)
        };
        let (part, after) = rest.split_at(length.max(first.len_utf8()));
        after_word = part.chars().next_back().is_some_and(is_word);
        match spans.last_mut() {
            Some(last) if last.style == style => last.content.to_mut().push_str(part),
            _ => spans.push(Span::styled(part.to_owned(), style)),
        }
        rest = after;
    }
    (spans, within)
}

fn is_word(it: char) -> bool {
    it.is_alphanumeric() || it == '_'
}

fn run(text: &str, of: impl Fn(char) -> bool) -> usize {
    text.find(|it| !of(it)).unwrap_or(text.len())
}

/// Returns whether a text begins with a single letter in quotes.
fn is_letter(text: &str) -> bool {
    let mut inner = text.chars().skip(1);
    matches!((inner.next(), inner.next()), (Some('\\'), _) | (Some(_), Some('\'')))
}

fn end_of_quote(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, it) in text.char_indices().skip(1) {
        match it {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            it if it == quote => return at + it.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn styled<'a>(path: &str, line: &str, style: Style) -> Vec<Span<'a>> {
        let mut spans = Language::of(path).spans(line, None, &Theme::default());
        spans.retain(|span| span.style == style);
        spans
    }

    #[test]
    fn code_has_keywords_texts_numbers_and_comments() {
        let theme = Theme::default();
        let line = "let a = f(\"x \\\" // y\", 0x1f); // the end";
        assert_eq!(styled("a/b.rs", line, theme.marked)[0].content, "let");
        assert_eq!(styled("a/b.rs", line, theme.good)[0].content, "\"x \\\" // y\"");
        assert_eq!(styled("a/b.rs", line, theme.matched)[0].content, "0x1f");
        assert_eq!(styled("a/b.rs", line, theme.dim)[0].content, "// the end");
        assert_eq!(styled("Makefile", "all: # say", theme.dim)[0].content, "# say");
        assert_eq!(styled("x.json", "\"a\": 1", theme.key)[0].content, "\"a\"");
        assert_eq!(styled("a.rs", "f::<'a>('b', &'a c)", theme.good)[0].content, "'b'");
        assert_eq!(styled("a.js", "f('b c')", theme.good)[0].content, "'b c'");
        assert_eq!(Language::of("notes.txt"), Language::Plain);
    }

    #[test]
    fn comments_and_texts_go_over_several_lines() {
        let theme = Theme::default();
        let styles = |path: &str, lines: &[&str]| {
            let language = Language::of(path);
            let mut within = None;
            let style = |line: &&str| {
                let first = language.spans(line, within, &theme).first().map(|span| span.style);
                within = language.after(line, within);
                first.unwrap_or_default()
            };
            lines.iter().map(style).collect::<Vec<_>>()
        };
        let of_c = styles("a.c", &["x /* a", "b 'c", "*/ y", "int z; /* d */"]);
        assert_eq!(of_c, [theme.text, theme.dim, theme.dim, theme.text]);
        let of_python = styles("a.py", &["\"\"\"Says", "it's so", "\"\"\"", "x = '''a''' + \"b\"", "x"]);
        assert_eq!(of_python, [theme.good, theme.good, theme.good, theme.text, theme.text]);
        let of_rust = styles("a.rs", &["f(\"a \\\" \\", "b\");", "f('\"', r#\"a \"", "b\"#);", "x"]);
        assert_eq!(of_rust, [theme.text, theme.good, theme.text, theme.good, theme.text]);
        let of_raw = styles("a.rs", &["f(r\"C:\\\");", "x"]);
        assert_eq!(of_raw, [theme.text; 2], "a backslash ends no raw text");
        let of_script = styles("a.sh", &["echo \"open", "x"]);
        assert_eq!(of_script, [theme.text; 2], "only what is known to go on is followed");
    }

    #[test]
    fn nothing_is_lost() {
        for line in
            ["fn f<'a>(x: &'a str) -> 'x'", "\"open", "'", "日本 = '語' # ß", "", "a\\\"b`", "x#y a1b2 1.5e3"]
        {
            for path in ["a.rs", "a.py", "a.sql", "a.json", "a"] {
                let spans = Language::of(path).spans(line, None, &Theme::default());
                assert_eq!(spans.iter().map(|it| it.content.as_ref()).collect::<String>(), line, "{path}");
            }
        }
    }
}
