//! A workflow file that is written: params, nodes and outputs, and what has no counterpart in them.

use std::fmt::Write as _;

use indexmap::IndexMap;
use serde_json::Value as Json;

/// Names that mean something else in expressions.
const TAKEN: [&str; 26] = [
    "always", "and", "argmax", "argmin", "else", "failure", "false", "first", "for", "if", "in", "index",
    "is", "item", "loop", "none", "not", "or", "params", "range", "run", "secrets", "self", "success",
    "true", "zip",
];

/// A workflow file that is written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(super) name: String,
    pub(super) description: String,
    /// What people wrote beside the graph.
    pub(super) notes: Vec<String>,
    pub(super) params: IndexMap<String, Param>,
    pub(super) nodes: IndexMap<String, Node>,
    /// Expressions by name.
    pub(super) outputs: IndexMap<String, String>,
    /// What has no counterpart, a sentence each.
    pub(crate) lost: Vec<String>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Param {
    pub(super) ty: String,
    pub(super) default: Option<Json>,
    /// `min`, `max`, `choices`.
    pub(super) limits: Vec<(&'static str, Json)>,
    pub(super) description: String,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    pub(super) uses: String,
    pub(super) each: Option<Json>,
    pub(super) with: IndexMap<String, Json>,
    /// The types of the outputs that it declares.
    pub(super) outputs: IndexMap<String, String>,
}

impl Draft {
    /// Adds a param under a name near this one. Returns its name.
    pub(super) fn param(&mut self, name: &str, mut param: Param) -> String {
        let name = free(name, |name| self.params.contains_key(name));
        if let Some(default) = &mut param.default {
            self.clean(&format!("the default of `{name}`"), default);
        }
        self.params.insert(name.clone(), param);
        name
    }

    /// Returns a name near this one that no node has.
    pub(super) fn node_name(&self, name: &str) -> String {
        free(name, |name| self.nodes.contains_key(name))
    }

    /// Adds an output under a name near this one.
    pub(super) fn output(&mut self, name: &str, expression: String) {
        let name = free(name, |name| self.outputs.contains_key(name));
        self.outputs.insert(name, expression);
    }

    /// Makes a value one that a workflow file can have: its numbers fit, and its texts are not expressions. Returns
    /// nothing; what changed is listed.
    pub(super) fn clean(&mut self, whose: &str, value: &mut Json) {
        match value {
            Json::Number(number) if number.as_i64().is_none() => {
                if let Some(large) = number.as_u64() {
                    let fitting = large & i64::MAX.unsigned_abs();
                    self.lost.push(format!("{whose} is {large}, too large for an int; it became {fitting}"));
                    *value = fitting.into();
                }
            }
            Json::String(text) => {
                // Such a text marks something else, here and in a workflow file.
                if text.starts_with('\0') {
                    self.lost.push(format!("{whose} begins with a NUL, which is left out"));
                    *text = text.trim_start_matches('\0').to_owned();
                }
                if text.contains("${{") {
                    self.lost.push(format!(
                        "{whose} contains `${{{{`, which begins an expression; it became `$ {{{{`"
                    ));
                    *text = text.replace("${{", "$ {{");
                }
            }
            Json::Array(items) => items.iter_mut().for_each(|item| self.clean(whose, item)),
            Json::Object(fields) => fields.values_mut().for_each(|field| self.clean(whose, field)),
            _ => {}
        }
    }

    /// Returns the text of the file.
    pub(crate) fn document(&self) -> String {
        let mut text = String::new();
        for line in self.notes.iter().flat_map(|note| note.lines().chain([""])) {
            comment(&mut text, line);
        }
        if !self.lost.is_empty() {
            comment(&mut text, "Parts of the original that this file lacks:");
            self.lost.iter().for_each(|lost| comment(&mut text, &format!("- {lost}")));
        }
        field(&mut text, 0, "name", &self.name.as_str().into());
        if !self.description.is_empty() {
            field(&mut text, 0, "description", &self.description.as_str().into());
        }
        if !self.params.is_empty() {
            text.push_str("\nparams:\n");
        }
        for (name, param) in &self.params {
            let _ = writeln!(text, "  {name}:");
            field(&mut text, 4, "type", &param.ty.as_str().into());
            if let Some(default) = &param.default {
                field(&mut text, 4, "default", default);
            }
            param.limits.iter().for_each(|(limit, value)| field(&mut text, 4, limit, value));
            if !param.description.is_empty() {
                field(&mut text, 4, "description", &param.description.as_str().into());
            }
        }
        text.push_str("\nnodes:\n");
        for (name, node) in &self.nodes {
            let _ = writeln!(text, "  {name}:\n    uses: {}", node.uses);
            if let Some(each) = &node.each {
                field(&mut text, 4, "each", each);
            }
            text.push_str("    with:\n");
            for (input, value) in &node.with {
                match value {
                    // A graph has a line for each node.
                    Json::Object(fields) if !fields.is_empty() => {
                        let _ = writeln!(text, "      {input}:");
                        fields.iter().for_each(|(key, value)| field(&mut text, 8, &quoted(key), value));
                    }
                    value => field(&mut text, 6, input, value),
                }
            }
            if !node.outputs.is_empty() {
                text.push_str("    outputs:\n");
            }
            node.outputs.iter().for_each(|(name, ty)| field(&mut text, 6, name, &ty.as_str().into()));
        }
        if !self.outputs.is_empty() {
            text.push_str("\noutputs:\n");
        }
        for (name, expression) in &self.outputs {
            field(&mut text, 2, name, &format!("${{{{ {expression} }}}}").into());
        }
        text
    }
}

/// Returns a name for expressions that begins as this text, and that is not taken.
pub(super) fn free(text: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let words = text.to_lowercase();
    let words = words.trim_start_matches(|first: char| !first.is_ascii_lowercase());
    let words = words.split(|it: char| !it.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut name: String = words.collect::<Vec<_>>().join("_").chars().take(60).collect();
    if name.is_empty() {
        name.push('x');
    }
    let numbered = std::iter::once(name.clone()).chain((2..).map(|number| format!("{name}_{number}")));
    let mut free = numbered.filter(|name| !is_taken(name) && !TAKEN.contains(&name.as_str()));
    free.next().unwrap_or(name)
}

fn comment(text: &mut String, line: &str) {
    let line: String = line.chars().filter(|it| !it.is_control()).collect();
    let _ = writeln!(text, "{}", format!("# {line}").trim_end());
}

/// Writes a field. Strings are those of JSON, which YAML has too; a text of several lines is a block if it is kept whole
/// by one.
fn field(text: &mut String, indent: usize, key: &str, value: &Json) {
    let _ = write!(text, "{:indent$}{key}: ", "");
    match value {
        Json::String(lines) if is_block(lines) => {
            text.push_str("|-\n");
            for line in lines.lines() {
                let _ = writeln!(text, "{}", format!("{:1$}{line}", "", indent + 2).trim_end());
            }
        }
        Json::String(word) if is_plain(word) => {
            let _ = writeln!(text, "{word}");
        }
        value => {
            let _ = writeln!(text, "{value}");
        }
    }
}

fn is_block(text: &str) -> bool {
    let is_line = |line: &str| line.trim_end() == line && !line.chars().any(char::is_control);
    let begins = text.starts_with(|first: char| !first.is_whitespace());
    text.contains('\n') && !text.ends_with('\n') && begins && text.split('\n').all(is_line)
}

/// Returns whether a word is the same text without quotation marks.
fn is_plain(word: &str) -> bool {
    let letters = word.bytes().all(|it| it.is_ascii_lowercase() || it == b'_');
    letters && word.len() > 2 && !["true", "false", "null", "yes", "off"].contains(&word)
}

fn quoted(key: &str) -> String {
    if is_plain(key) { key.to_owned() } else { Json::from(key).to_string() }
}
