//! `dir:` of commands.

use super::reading::{Reading, is_null};
use super::template::Plain;
use super::yaml::{Entry, Kind, Node as Part};
use crate::problem::Span;
use crate::value::{Value, cut};
use crate::workflow::{Changes, CommandOutput, Dir, Node, OutputSource, Template, check_revision};

const COPY_KEYS: [&str; 3] = ["copy", "exclude", "collect"];
const WORKTREE_KEYS: [&str; 3] = ["worktree", "repo", "collect"];
const KEYS: [&str; 5] = ["copy", "exclude", "worktree", "repo", "collect"];
const WANTED: &str = "a folder relative to this file, `{ copy: . }` or `{ worktree: HEAD }`";

/// `dir:` as it was read.
pub(super) struct Read {
    pub(super) dir: Dir,
    /// `collect:` in it, each with its place.
    pub(super) collect: Vec<(Changes, Span)>,
}

impl Reading<'_> {
    /// Reads the folder in which a command works.
    pub(super) fn dir(&mut self, node: &Part) -> Option<Read> {
        match &node.kind {
            Kind::Map(fields) => self.separate_dir(node, fields),
            Kind::Scalar(_) => {
                let dir = Dir::Shared(self.folder(node, "`dir`")?);
                Some(Read { dir, collect: Vec::new() })
            }
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
    fn separate_dir(&mut self, node: &Part, fields: &[Entry]) -> Option<Read> {
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
        let mut collect = Vec::new();
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
                "collect" => collect = self.collect(value, &what, other == "copy"),
                _ if KEYS.contains(&key) => {
                    let message = format!("{what} belongs to `{other}`");
                    self.error_hint("not_here", field.key_span, message, "remove it");
                }
                _ => self.unknown_key(field, "`dir`", keys, None),
            }
        }
        if self.failed_since(before) {
            return None;
        }
        let dir = match (from, revision) {
            (Some(from), _) => Dir::Copy { from, exclude },
            (None, Some(revision)) => {
                Dir::Worktree { revision, repo: repo.unwrap_or_else(|| ".".to_owned()) }
            }
            (None, None) => return None,
        };
        Some(Read { dir, collect })
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

    /// Reads what is collected: a word, or several.
    fn collect(&mut self, node: &Part, what: &str, has_repository: bool) -> Vec<(Changes, Span)> {
        let items = match &node.kind {
            Kind::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut collect: Vec<(Changes, Span)> = Vec::new();
        for item in items {
            let Some(changes) = self.word(item, what, &Changes::WORDS) else { continue };
            if changes == Changes::Branch && !has_repository {
                let message = "`collect: branch` of `dir` needs `worktree`: a copy belongs to no repository";
                let hint = "write `worktree: HEAD` instead of `copy`, or `collect: patch`";
                self.error_hint("not_here", item.span, message, hint);
            } else if !collect.iter().any(|(known, _)| *known == changes) {
                collect.push((changes, item.span));
            }
        }
        collect
    }

    /// Adds the outputs of `collect`.
    pub(super) fn add_changes(&mut self, node: &mut Node, collect: Vec<(Changes, Span)>) {
        for (changes, span) in collect {
            let name = changes.word();
            if node.outputs.contains_key(name) {
                let message =
                    format!("`collect: {name}` makes an output `{name}`, which the node declares too");
                self.error_hint("duplicate_output", span, message, "give the declared output another name");
                continue;
            }
            let source = OutputSource::Changes(changes);
            let output = CommandOutput { source, ty: changes.ty(), name: None, take_unchanged: false, span };
            node.outputs.insert(name.to_owned(), output);
        }
    }
}
