//! `remember:` of commands.

use super::nodes::Places;
use super::reading::{Reading, is_null};
use super::yaml::{Kind, Node as Part};
use crate::node_type::Effects;
use crate::value::cut;
use crate::workflow::{Dir, Node, Remember};

const KEYS: [&str; 3] = ["files", "env", "tools"];

impl Reading<'_> {
    /// Reads `remember:` of a command; `None` if its results are not reused.
    pub(super) fn remember(&mut self, node: &Part) -> Option<Remember> {
        let Kind::Map(fields) = &node.kind else {
            return self.bool(node, "`remember`")?.then(Remember::default);
        };
        let mut remember = Remember::default();
        for field in fields {
            let (value, what) = (&field.value, format!("`{}` of `remember`", cut(&field.key, 60)));
            match field.key.as_str() {
                "files" => {
                    remember.files = self.names(value, &what, "a list such as `[src/**]`", Self::pattern)
                }
                "env" => remember.env = self.variable_names(value, &what),
                "tools" => remember.tools = self.names(value, &what, "a list such as `[ffmpeg]`", Self::tool),
                _ => self.unknown_key(field, "`remember`", &KEYS, None),
            }
        }
        Some(remember)
    }

    /// Reads one text or a list of them, each of which `check` accepts.
    pub(super) fn names(
        &mut self,
        node: &Part,
        what: &str,
        wanted: &str,
        check: fn(&mut Self, &Part, &str, &str) -> bool,
    ) -> Vec<String> {
        let items = match &node.kind {
            Kind::List(items) => items.as_slice(),
            Kind::Scalar(scalar) if !is_null(scalar) => std::slice::from_ref(node),
            _ => {
                self.wrong_kind(node, what, wanted);
                return Vec::new();
            }
        };
        let mut names = Vec::new();
        for item in items {
            let Some(name) = self.plain_text(item, what) else { continue };
            if check(self, item, what, &name) && !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Checks a pattern of files below the folder of the workflow file.
    pub(super) fn pattern(&mut self, node: &Part, what: &str, pattern: &str) -> bool {
        let shown = cut(pattern, 60);
        let problem = if pattern.trim().is_empty() {
            "is empty".to_owned()
        } else if pattern.starts_with(['/', '~']) {
            format!("is absolute: `{shown}`")
        } else if pattern.split(['/', '\\']).any(|part| part == "..") {
            format!("climbs out of the folder: `{shown}`")
        } else {
            return true;
        };
        let hint = "write files below the folder, such as `src/**` or `data/*.csv`";
        self.error_hint("bad_path", node.span, format!("{what} {problem}"), hint);
        false
    }

    /// Checks the name of a program.
    fn tool(&mut self, node: &Part, what: &str, name: &str) -> bool {
        let is_name = !name.is_empty()
            && !name.contains(|letter: char| letter == '/' || letter.is_whitespace() || letter.is_control());
        if !is_name {
            let message = format!("{what} takes names of programs, got `{}`", cut(name, 60));
            let hint = "write a name that is found in `PATH`, such as `ffmpeg`; name a program in the folder of this file in `files`";
            self.error_hint("bad_name", node.span, message, hint);
        }
        is_name
    }
}

/// Refuses `remember` for a command whose reuse would leave something out.
pub(super) fn check(reading: &mut Reading<'_>, node: &Node, places: &Places) {
    if node.remember.is_none() || places.broken {
        return;
    }
    let mut refuse = |message: &str, hint: &str| {
        reading.error_hint("remember_not_here", places.remember, message, hint);
    };
    match &node.dir {
        None | Some(Dir::Copy { .. }) => {}
        Some(Dir::Worktree { .. }) => refuse(
            "a command with `worktree` can't have `remember`: the files of its work tree are not compared with those of earlier ones",
            "write `dir: { copy: . }`, or remove `remember`",
        ),
        Some(Dir::Shared(_)) => refuse(
            "a command with `dir` can't have `remember`: what it changes in that folder would be missing when its result is reused",
            "write `dir: { copy: . }`, or read the files by `$FANLIGHT_PROJECT`, or remove `remember`",
        ),
    }
    if matches!(node.effects, Some(Effects::Idempotent | Effects::External)) {
        refuse(
            "a command with effects can't have `remember`: they would be missing when its result is reused",
            "remove `effects` if its outputs are all that it makes, or remove `remember`",
        );
    }
    if !node.secrets().is_empty() {
        refuse(
            "a command that reads a secret can't have `remember`: nothing that is made of secrets is compared or kept",
            "take the secret out, or remove `remember`",
        );
    }
}
