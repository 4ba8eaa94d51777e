//! Reads what only commands have: scripts, shells, arguments, the environment, locks.

use indexmap::IndexMap;

use super::reading::{Reading, is_null};
use super::template::Plain;
use super::yaml::traps::position_of;
use super::yaml::{Kind, Node};
use crate::environment;
use crate::expression::Root;
use crate::problem::{Position, Problem, Span};
use crate::value::{Value, cut};
use crate::workflow::{Shell, Template};

/// The longest name of a lock, in characters.
const LOCK_NAME_LIMIT: usize = 100;
/// The programs that take the options of a POSIX shell.
const SHELL_PROGRAMS: [&str; 7] = ["sh", "bash", "dash", "ash", "ksh", "mksh", "zsh"];
const SHELLS: [&str; 3] = ["bash", "sh", "python"];

impl Reading<'_> {
    /// Reads a script; it is never interpolated.
    pub(super) fn script(&mut self, node: &Node) -> Option<String> {
        let script = self.text(node, "`run`")?;
        if script.contains("${{") {
            let at = self.text.get(node.raw.clone()).and_then(|raw| raw.find("${{"));
            let start = at.map_or(node.span.start, |at| position_of(self.text, node.raw.start + at));
            let span = Span { start, end: Position { column: start.column + 3, ..start } };
            self.error_hint(
                "expression_in_run",
                span,
                "a script is never interpolated, so `${{ }}` can't stand inside `run:`",
                "pass it by `with: { name: \"${{ … }}\" }` and read \"$name\" in the script",
            );
            return None;
        }
        if script.trim().is_empty() {
            self.error("empty_script", node.span, "the script is empty");
            return None;
        }
        Some(script)
    }

    pub(super) fn shell(&mut self, node: &Node) -> Shell {
        match &node.kind {
            Kind::List(items) if !items.is_empty() => {
                let words: Vec<String> =
                    items.iter().filter_map(|item| self.plain_text(item, "`shell`")).collect();
                if let Some(why) = not_for_scripts(&words) {
                    let message = format!("`shell: [{}]` {why}", cut(&words.join(", "), 60));
                    let hint = "the path of the script is the last argument: write `[node]`, `[awk, -f]` or `[ruby]`";
                    self.error_hint("bad_shell", node.span, message, hint);
                }
                Shell::Program(words)
            }
            Kind::Scalar(scalar) if !is_null(scalar) => match scalar.text.as_str() {
                "bash" => Shell::Bash,
                "sh" => Shell::Sh,
                "python" => Shell::Python,
                word => {
                    let message = format!("there is no shell `{}`", cut(word, 60));
                    let problem = Problem::error("unknown_shell", node.span, message).hint(format!(
                        "the shells are {}; another program is a list: `shell: [program, argument]`",
                        SHELLS.join(", ")
                    ));
                    let problem = self.near(problem, word, SHELLS);
                    self.report(problem);
                    Shell::Default
                }
            },
            _ => {
                self.wrong_kind(
                    node,
                    "`shell`",
                    "`bash`, `sh`, `python` or a list with a program and its arguments",
                );
                Shell::Default
            }
        }
    }

    /// Reads a program and its arguments.
    pub(super) fn cmd(&mut self, node: &Node) -> Option<Vec<Template>> {
        let Kind::List(items) = &node.kind else {
            let message = format!(
                "`cmd` must be a list: a program and its arguments, got {}",
                super::reading::describe(node)
            );
            self.error_hint(
                "wrong_kind",
                node.span,
                message,
                "write `cmd: [program, argument]`, or `run:` for a line of shell",
            );
            return None;
        };
        if items.is_empty() {
            self.error("empty_cmd", node.span, "`cmd` has no program");
            return None;
        }
        let mut arguments = Vec::with_capacity(items.len());
        for item in items {
            match &item.kind {
                Kind::Scalar(scalar) if !is_null(scalar) => arguments.push(self.template(item, Plain::Text)),
                _ => self.wrong_kind(item, "an argument of `cmd`", "text or an expression"),
            }
        }
        Some(arguments)
    }

    pub(super) fn env(&mut self, node: &Node) -> IndexMap<String, Template> {
        let mut env = IndexMap::new();
        let Some(entries) = self.map(node, "`env`", "a map from names to values") else { return env };
        for entry in entries {
            let name = entry.key.as_str();
            self.variable(name, entry.key_span);
            match &entry.value.kind {
                Kind::Scalar(_) => {
                    env.insert(name.to_owned(), self.template(&entry.value, Plain::Text));
                }
                _ => self.wrong_kind(
                    &entry.value,
                    &format!("`env.{}`", cut(name, 60)),
                    "text or an expression",
                ),
            }
        }
        env
    }

    /// Reads a list of names of variables, such as those that the submitter passes.
    pub(super) fn variable_names(&mut self, node: &Node, what: &str) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let items = match &node.kind {
            Kind::List(items) => items.as_slice(),
            Kind::Scalar(scalar) if !is_null(scalar) => std::slice::from_ref(node),
            _ => {
                self.wrong_kind(node, what, "a list of names such as `[CUDA_HOME]`");
                return names;
            }
        };
        for item in items {
            let Some(name) = self.plain_text(item, what) else { continue };
            if let Some((name, _)) = name.split_once('=') {
                let message = format!("{what} takes names, not values: `{}`", cut(name, 60));
                self.error_hint(
                    "bad_name",
                    item.span,
                    message,
                    "write `env: { NAME: value }` for a fixed value",
                );
            } else if self.variable(&name, item.span) && !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Checks the name of an environment variable.
    fn variable(&mut self, name: &str, span: Span) -> bool {
        let checked = environment::check_name(name);
        if let Err(message) = &checked {
            if name.starts_with("FANLIGHT_") {
                self.error("reserved_name", span, message.clone());
            } else {
                self.error_hint("bad_name", span, message.clone(), environment::NAMES);
            }
        }
        checked.is_ok()
    }

    /// Reads the lock that the attempts of a node hold: a text with params.
    pub(super) fn lock(&mut self, node: &Node) -> Option<Template> {
        match &node.kind {
            Kind::Scalar(scalar) if !is_null(scalar) => {}
            _ => {
                self.wrong_kind(node, "`lock`", "a name such as `build`");
                return None;
            }
        }
        let before = self.problems.len();
        let template = self.template(node, Plain::Text);
        if self.failed_since(before) {
            return None;
        }
        let other = template.expressions().into_iter().flat_map(|it| it.references());
        let other = other.into_iter().find(|it| it.root != Root::Params).map(|it| it.span);
        if let Some(span) = other {
            self.error_hint(
                "bad_lock",
                span,
                "`lock` can only read params, so that it is known before the node is ready",
                "write a name, or one with a param in it: `lock: build-${{ params.target }}`",
            );
            return None;
        }
        if let Template::Literal(Value::Text(name)) = &template
            && let Err(why) = lock_name(name)
        {
            self.error_hint(
                "bad_lock",
                node.span,
                format!("`lock` {why}"),
                "write a name such as `lock: build`",
            );
            return None;
        }
        Some(template)
    }
}

/// Checks the name of a lock.
///
/// # Errors
/// What is wrong, to follow its name.
pub fn lock_name(name: &str) -> Result<(), String> {
    if name.trim().is_empty() {
        return Err("is empty".into());
    }
    if name.chars().count() > LOCK_NAME_LIMIT || name.chars().any(char::is_control) {
        return Err(format!("must be one line of at most {LOCK_NAME_LIMIT} characters"));
    }
    Ok(())
}

/// Returns why these words can't run a script whose path is appended.
fn not_for_scripts(words: &[String]) -> Option<&'static str> {
    let program = words.first()?.rsplit('/').next().unwrap_or_default();
    match words.last().map(String::as_str) {
        Some("-") => Some("reads its program from standard input, which is empty, and not from the script"),
        Some("-c") => Some("takes the path of the script for a program"),
        Some("-e" | "--eval" | "-p" | "--print")
            if ["node", "perl", "ruby", "deno", "bun"].contains(&program) =>
        {
            Some("takes the path of the script for a program")
        }
        Some("-r" | "--run") if program == "php" => Some("takes the path of the script for a program"),
        _ => shell_option(words),
    }
}

/// Returns why a shell with these options doesn't run a script whose path is appended.
fn shell_option(words: &[String]) -> Option<&'static str> {
    // Before the shell there may be a program that runs it, such as `env -S`, with its own options.
    let mut options = words.iter().flat_map(|word| word.split_whitespace());
    options.find(|word| SHELL_PROGRAMS.contains(&word.rsplit('/').next().unwrap_or_default()))?;
    while let Some(word) = options.next() {
        match word {
            "--" => return None,
            // Its value follows.
            "-o" | "+o" | "-O" | "+O" | "--rcfile" | "--init-file" => drop(options.next()),
            word if word.starts_with("--") => {}
            word => {
                let letters = word.strip_prefix('-')?;
                if letters.contains('c') {
                    return Some("takes the path of the script for a program");
                }
                if letters.contains('s') {
                    return Some(
                        "reads its program from standard input, which is empty, and not from the script",
                    );
                }
                if letters.contains('n') {
                    return Some("only checks the script and does not run it");
                }
            }
        }
    }
    None
}
