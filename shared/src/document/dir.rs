//! `dir:` of commands.

use super::reading::{Reading, is_null};
use super::template::Plain;
use super::yaml::{Entry, Kind, Node as Part};
use crate::value::{Value, cut};
use crate::workflow::{Dir, Template, check_revision};

const COPY_KEYS: [&str; 2] = ["copy", "exclude"];
const WORKTREE_KEYS: [&str; 2] = ["worktree", "repo"];
const KEYS: [&str; 4] = ["copy", "exclude", "worktree", "repo"];
const WANTED: &str = "a folder relative to this file, `{ copy: . }` or `{ worktree: HEAD }`";

impl Reading<'_> {
    /// Reads the folder in which a command works.
    pub(super) fn dir(&mut self, node: &Part) -> Option<Dir> {
        match &node.kind {
            Kind::Map(fields) => self.separate_dir(node, fields),
            Kind::Scalar(_) => self.folder(node, "`dir`").map(Dir::Shared),
            Kind::List(_) => {
                self.wrong_kind(node, "`dir`", WANTED);
                None
            }
        }
    }

    /// Reads a folder relative to the file.
    fn folder(&mut self, node: &Part, what: &str) -> Option<String> {
        let dir = self.plain_text(node, what)?;
        if dir.starts_with(['/', '~']) {
            let message = format!("{what} must be relative to this file, got `{}`", cut(&dir, 60));
            let key = what.trim_matches('`').split('`').next().unwrap_or("dir");
            self.error_hint(
                "bad_path",
                node.span,
                message,
                format!("write `{key}: .` for this file's folder, or a folder below it"),
            );
            return None;
        }
        if dir.is_empty() {
            self.wrong_kind(node, what, "a folder relative to this file");
            return None;
        }
        Some(dir)
    }

    /// Reads the folder of which each attempt gets its own copy.
    fn separate_dir(&mut self, node: &Part, fields: &[Entry]) -> Option<Dir> {
        let has = |key: &str| fields.iter().any(|field| field.key == key);
        let (keys, other): (&[&str], _) = match (has("copy"), has("worktree")) {
            (true, false) => (&COPY_KEYS, "worktree"),
            (false, true) => (&WORKTREE_KEYS, "copy"),
            (both, _) => {
                let message = match both {
                    true => "`dir` has `copy` and `worktree`",
                    false => "`dir` needs `copy` or `worktree`",
                };
                let hint = "write `dir: { copy: . }` for a copy of this file's folder, `dir: { worktree: HEAD }` for a work \
                            tree of its git repository, or `dir: .` for the folder itself";
                self.error_hint("wrong_kind", node.span, message, hint);
                return None;
            }
        };
        let before = self.problems.len();
        let (mut from, mut exclude, mut revision, mut repo) = (None, Vec::new(), None, None);
        for field in fields {
            let (key, value) = (field.key.as_str(), &field.value);
            let what = format!("`{}` of `dir`", cut(key, 60));
            match key {
                "copy" => from = self.folder(value, &what),
                "repo" if keys.contains(&key) => repo = self.folder(value, &what),
                "worktree" => revision = self.revision(value, &what),
                "exclude" if keys.contains(&key) => {
                    exclude = self.names(value, &what, "a list such as `[target, .git]`", Self::pattern);
                }
                _ if KEYS.contains(&key) => {
                    let message = format!("{what} belongs to `{other}`");
                    self.error_hint("not_here", field.key_span, message, "remove it");
                }
                _ => self.unknown_key(field, "`dir`", keys, None),
            }
        }
        if self.problems.len() > before {
            return None;
        }
        match (from, revision) {
            (Some(from), _) => Some(Dir::Copy { from, exclude }),
            (None, Some(revision)) => {
                Some(Dir::Worktree { revision, repo: repo.unwrap_or_else(|| ".".to_owned()) })
            }
            (None, None) => None,
        }
    }

    fn revision(&mut self, node: &Part, what: &str) -> Option<Template> {
        match &node.kind {
            Kind::Scalar(scalar) if !is_null(scalar) => {}
            _ => {
                self.wrong_kind(node, what, "a branch, a tag or a commit, such as `HEAD`");
                return None;
            }
        }
        let template = self.template(node, Plain::Text);
        if let Template::Literal(Value::Text(revision)) = &template
            && let Err(why) = check_revision(revision)
        {
            self.error("bad_revision", node.span, format!("{what}: {why}"));
            return None;
        }
        Some(template)
    }
}
