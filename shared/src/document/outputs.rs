//! Reads the declared outputs of commands.

use indexmap::IndexMap;

use super::reading::Reading;
use super::template::Plain;
use super::yaml::{Entry, Kind, Node};
use crate::media::MediaKind;
use crate::node_type::DeclaredOutputs;
use crate::types::Type;
use crate::value::{Value, cut};
use crate::workflow::{COMMAND_PORTS, CommandOutput, OutputSource, STATUS_PORT, Template};

const OUTPUT_KEYS: [&str; 7] = ["path", "glob", "json", "event", "type", "name", "unchanged"];

impl Reading<'_> {
    /// Reads the declared outputs of a command.
    pub(super) fn command_outputs(&mut self, node: &Node) -> IndexMap<String, CommandOutput> {
        let mut outputs = IndexMap::new();
        let Some(entries) =
            self.map(node, "`outputs`", "a map such as `image: { path: out.png, type: image }`")
        else {
            return outputs;
        };
        for entry in entries {
            let name = entry.key.as_str();
            self.name(entry, "an output", true);
            if COMMAND_PORTS.iter().any(|(own, _)| *own == name) {
                let message = format!("`{name}` is a port that every command has");
                self.error_hint("reserved_name", entry.key_span, message, "choose another name");
                continue;
            }
            // An output with errors still has its port, so that its readers aren't reported too.
            let output = self.command_output(entry).unwrap_or(CommandOutput {
                source: OutputSource::Path(String::new()),
                ty: Type::Any,
                name: None,
                take_unchanged: false,
                span: entry.key_span,
            });
            outputs.insert(name.to_owned(), output);
        }
        outputs
    }

    /// Reads the declared outputs of a native node.
    pub(super) fn native_outputs(
        &mut self,
        node: &Node,
        declared: DeclaredOutputs,
    ) -> IndexMap<String, Type> {
        let mut outputs = IndexMap::new();
        let Some(entries) = self.map(node, "`outputs`", "a map such as `total: float`") else {
            return outputs;
        };
        if entries.is_empty() {
            self.error_hint("no_outputs", node.span, "`outputs` is empty", "remove it, or declare an output");
        }
        for entry in entries {
            let name = entry.key.as_str();
            self.name(entry, "an output", true);
            if name == STATUS_PORT {
                let message = format!("`{name}` is a port that every node has");
                self.error_hint("reserved_name", entry.key_span, message, "choose another name");
                continue;
            }
            let ty = self.native_output(entry).unwrap_or(Type::Any);
            if !declared.allow(&ty) {
                let message = format!("output `{name}` is {ty}, but this node makes values, not files");
                self.error("bad_output_type", entry.value.span, message);
            }
            outputs.insert(name.to_owned(), ty);
        }
        outputs
    }

    /// Reads the type of a declared output: `float` or `{ type: float }`.
    fn native_output(&mut self, entry: &Entry) -> Option<Type> {
        let what = format!("output `{}`", cut(&entry.key, 60));
        let Kind::Map(fields) = &entry.value.kind else { return self.type_of(&entry.value, &what) };
        let mut ty = None;
        for field in fields {
            match field.key.as_str() {
                "type" => ty = Some(self.type_of(&field.value, &format!("`type` of {what}"))),
                _ => self.unknown_key(field, &what, &["type"], None),
            }
        }
        if ty.is_none() {
            let hint = format!("write `{}: float`, or another of {}", entry.key, Type::WORDS.join(", "));
            self.error_hint("missing_type", entry.key_span, format!("{what} has no type"), hint);
        }
        ty?
    }

    /// Reads the name of a file, which may have expressions in it.
    fn file_name(&mut self, node: &Node, what: &str) -> Option<Template> {
        let template = match &node.kind {
            Kind::Scalar(scalar) if scalar.text.contains("${{") => {
                return Some(self.template(node, Plain::Text));
            }
            _ => self.plain_text(node, what)?,
        };
        if !CommandOutput::is_file_name(&template) {
            let message = format!("{what} must be a file name without folders, got `{}`", cut(&template, 60));
            self.error("bad_path", node.span, message);
        }
        Some(Template::Literal(Value::Text(template)))
    }

    fn command_output(&mut self, entry: &Entry) -> Option<CommandOutput> {
        let name = entry.key.as_str();
        let wanted = "a map such as `{ path: out.png, type: image }`";
        let fields = self.map(&entry.value, &format!("output `{name}`"), wanted)?;
        let (mut sources, mut typed, mut file_name, mut failed) = (Vec::new(), None, None, false);
        let mut unchanged = None;
        for field in fields {
            let what = format!("`{}` of output `{name}`", field.key);
            match field.key.as_str() {
                "path" | "glob" => match self.output_path(&field.value, &what) {
                    Some(path) if field.key == "path" => sources.push(OutputSource::Path(path)),
                    Some(path) => sources.push(OutputSource::Glob(path)),
                    None => failed = true,
                },
                "json" => match self.plain_text(&field.value, &what) {
                    Some(path) => match json_path(&path) {
                        Ok(()) => sources.push(OutputSource::Json(path)),
                        Err(why) => {
                            self.error("bad_path", field.value.span, format!("{what}: {why}"));
                            failed = true;
                        }
                    },
                    None => failed = true,
                },
                "event" => match self.bool(&field.value, &what) {
                    Some(true) => sources.push(OutputSource::Event),
                    Some(false) => {
                        self.error_hint(
                            "output_source",
                            field.value.span,
                            format!("{what} can't be false"),
                            "remove it",
                        );
                        failed = true;
                    }
                    None => failed = true,
                },
                "type" => {
                    typed = self.type_of(&field.value, &what);
                    failed |= typed.is_none();
                }
                "name" => file_name = self.file_name(&field.value, &what),
                "unchanged" => {
                    let take = self.word(&field.value, &what, &[("take", true), ("leave", false)]);
                    unchanged = take.map(|take| (take, field.key_span));
                    failed |= take.is_none();
                }
                "from" | "file" | "value" => {
                    let hint = "write `path:`, `glob:`, `json:` or `event: true`";
                    self.unknown_key(field, &format!("output `{name}`"), &OUTPUT_KEYS, Some(hint));
                }
                _ => self.unknown_key(field, &format!("output `{name}`"), &OUTPUT_KEYS, None),
            }
        }
        if failed {
            return None;
        }
        if sources.len() != 1 {
            let message = format!(
                "output `{name}` needs exactly one of `path`, `glob`, `json` and `event`, got {}",
                sources.len()
            );
            self.error_hint(
                "output_source",
                entry.key_span,
                message,
                "write where its value comes from: `path: out.png`",
            );
            return None;
        }
        let source = sources.pop()?;
        let Some(ty) = typed else {
            let message = format!("output `{name}` has no type");
            let hint = format!("add `type:`, one of {}", Type::WORDS.join(", "));
            self.error_hint("missing_type", entry.key_span, message, hint);
            return None;
        };
        // A glob makes a list; its type names the list or one item.
        let ty = match (&source, ty) {
            (OutputSource::Glob(_), ty @ Type::List(_)) => ty,
            (OutputSource::Glob(_), ty) => ty.list(),
            (_, ty) => ty,
        };
        if matches!((&source, &ty), (OutputSource::Glob(_), Type::List(of)) if **of == Type::Media(MediaKind::Dir))
        {
            self.error_hint(
                "bad_output_type",
                entry.key_span,
                format!("output `{name}` is a `glob:`, which collects files and no folders"),
                "name the folder by `path:`, or collect its files by `glob:`",
            );
        }
        if let Some((_, span)) = unchanged
            && !matches!(source, OutputSource::Glob(_))
        {
            self.error_hint(
                "not_here",
                span,
                format!("`unchanged` belongs to `glob:`, not to output `{name}`"),
                "remove it: a `path:` takes what a successful command left unchanged",
            );
        }
        if matches!(source, OutputSource::Json(_)) && ty.has_media() {
            let message = format!("output `{name}` is a field of JSON, which can't be {ty}");
            self.error_hint(
                "bad_output_type",
                entry.key_span,
                message,
                "write the file and name it by `path:`",
            );
        }
        if matches!(source, OutputSource::Path(_)) && matches!(&ty, Type::List(of) if of.has_media()) {
            let message = format!("output `{name}` is one path, which can't be {ty}");
            self.error_hint("bad_output_type", entry.key_span, message, "write `glob:` for several files");
        }
        let take_unchanged = unchanged.is_some_and(|(take, _)| take);
        Some(CommandOutput { source, ty, name: file_name, take_unchanged, span: entry.key_span })
    }

    fn output_path(&mut self, node: &Node, what: &str) -> Option<String> {
        let path = self.plain_text(node, what)?;
        let shown = cut(&path, 60);
        let problem = if path.trim().is_empty() {
            "is empty".to_owned()
        } else if path.starts_with(['/', '~']) {
            format!("is absolute: `{shown}`")
        } else if path.split(['/', '\\']).any(|part| part == "..") {
            format!("climbs out of the work folder: `{shown}`")
        } else {
            return Some(path);
        };
        self.error_hint(
            "bad_path",
            node.span,
            format!("{what} {problem}"),
            "outputs are files below the work folder, such as `out/picture.png`",
        );
        None
    }
}

/// Checks names and indexes with dots between them; `.` is the whole value.
fn json_path(path: &str) -> Result<(), String> {
    if path == "." {
        return Ok(());
    }
    let inner = path.strip_prefix('.').unwrap_or(path);
    if inner.is_empty() || inner.split('.').any(str::is_empty) {
        return Err(format!(
            "`{}` is not a path; write names and indexes with dots, as in `results.0.score`, or `.` for all",
            cut(path, 60)
        ));
    }
    if let Some(sign) = inner.chars().find(|it| matches!(it, '[' | ']' | '*' | '$' | '|')) {
        return Err(format!(
            "`{sign}` can't stand in a path; write indexes with dots, as in `results.0.score`"
        ));
    }
    Ok(())
}
