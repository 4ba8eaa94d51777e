//! One field of the form: its content, its keys and its check.

use std::path::Path;

use crossterm::event::{KeyCode, KeyEvent};
use fanlight_shared::document::ranges;
use fanlight_shared::media::MediaKind;
use fanlight_shared::node_type::check_range;
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};
use fanlight_shared::workflow::{Param, Workflow};

use super::paths::{Of, Paths};
use crate::ui::input::Input;
use crate::ui::input::lines::Lines;

/// The name of the label's field; no param has this name, because names of params don't end with a blank.
pub(super) const LABEL: &str = "label ";
/// How often each set of params runs.
pub(super) const REPEAT: &str = "repeat ";
/// Whether the runs go to the head of the queue.
pub(super) const NEXT: &str = "next ";

/// The widget of a field.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Kind {
    /// One line.
    Line(Input),
    /// Text of several lines.
    Lines(Lines),
    /// One of several choices, or several of them, one run each.
    Choice { at: usize, picked: Vec<bool> },
    /// `true`, `false` or one run for each.
    Bool(Option<bool>),
    /// On or off.
    Toggle(bool),
}

/// One field.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Field {
    /// The param's name, or one of the extras.
    pub(super) name: String,
    /// The param, unless it is an extra.
    pub(super) param: Option<Param>,
    pub(super) kind: Kind,
    /// The value that it was filled with, which is used unchanged until it is edited.
    filled: Option<Value>,
    /// Its values, one per run; none if the default is used.
    pub(super) values: Vec<Value>,
    /// Whether something was typed or chosen in it.
    pub(super) edited: bool,
    /// What is wrong with it.
    pub(super) error: Option<String>,
}

/// Returns the fields of a workflow, with the last values of its params; for a fork only those that it can have.
pub(super) fn all(workflow: &Workflow, last: &Values, is_fork: bool) -> Vec<Field> {
    let params = workflow.params.iter();
    let mut fields: Vec<Field> =
        params.map(|(name, param)| Field::of_param(name, param, last.get(name))).collect();
    if is_fork {
        // It has no label of its own, and no place in the queue.
        fields.extend(Field::extras().into_iter().filter(|field| field.name == REPEAT));
    } else {
        fields.extend(Field::extras());
    }
    fields
}

impl Field {
    /// Creates the field of a param, with its last value or its default.
    pub(super) fn of_param(name: &str, param: &Param, last: Option<&Value>) -> Self {
        let usable = |value: &&Value| **value != Value::None && !value.has_media();
        let value = last.filter(usable).or(param.default.as_ref().filter(usable));
        let kind = match &param.ty {
            Type::Bool => Kind::Bool(Some(value.and_then(Value::as_bool).unwrap_or(false))),
            Type::Choice if !param.choices.is_empty() => {
                let is_it = |choice: &String| value.and_then(Value::as_text) == Some(choice);
                let at = param.choices.iter().position(is_it).unwrap_or(0);
                Kind::Choice { at, picked: vec![false; param.choices.len()] }
            }
            Type::Text => Kind::Lines(Lines::new(value.and_then(Value::as_text).unwrap_or_default())),
            _ => Kind::Line(Input::new(value.map(written).unwrap_or_default())),
        };
        Self {
            name: name.to_owned(),
            param: Some(param.clone()),
            kind,
            filled: value.and_then(|value| value.clone().convert(&param.ty).ok()),
            values: Vec::new(),
            edited: false,
            error: None,
        }
    }

    /// Returns the fields below the params: label, repeat, next.
    pub(super) fn extras() -> [Self; 3] {
        let extra = |name: &str, kind| Self {
            name: name.to_owned(),
            param: None,
            kind,
            filled: None,
            values: Vec::new(),
            edited: false,
            error: None,
        };
        [
            extra(LABEL, Kind::Line(Input::default())),
            extra(REPEAT, Kind::Line(Input::new("1"))),
            extra(NEXT, Kind::Toggle(false)),
        ]
    }

    /// Returns what is written in it.
    pub(super) fn text(&self) -> String {
        match &self.kind {
            Kind::Line(input) => input.text().to_owned(),
            Kind::Lines(lines) => lines.text(),
            Kind::Choice { .. } | Kind::Bool(_) | Kind::Toggle(_) => String::new(),
        }
    }

    /// Returns the kind of paths that it takes, if it takes paths.
    pub(super) fn paths(&self) -> Option<Of> {
        let of = |kind: &MediaKind, list| Of { folders: *kind == MediaKind::Dir, list };
        match &self.param.as_ref()?.ty {
            Type::Media(kind) => Some(of(kind, false)),
            Type::List(item) => match &**item {
                Type::Media(kind) => Some(of(kind, true)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Takes over the input of the field with the same name, if it still has the same kind.
    pub(super) fn take_over(&mut self, before: Self) {
        let of =
            |field: &Self| field.param.as_ref().map(|it| (it.ty.clone(), it.choices.clone(), it.multiline));
        if before.edited && of(self) == of(&before) {
            self.kind = before.kind;
            self.edited = true;
        }
    }

    /// Handles a key. Returns `false` if it doesn't use it.
    pub(super) fn key(&mut self, key: KeyEvent) -> bool {
        let changed = self.change(key);
        self.edited |= changed;
        changed
    }

    /// Handles pasted text. Returns `false` if it takes no text.
    pub(super) fn paste(&mut self, text: &str) -> bool {
        match &mut self.kind {
            Kind::Line(input) => input.insert(text),
            Kind::Lines(lines) => lines.insert(text),
            Kind::Choice { .. } | Kind::Bool(_) | Kind::Toggle(_) => return false,
        }
        self.edited = true;
        true
    }

    /// Returns whether enter begins a line in it.
    pub(super) fn has_lines(&self) -> bool {
        self.param.as_ref().is_some_and(|param| param.ty == Type::Text && param.multiline)
    }

    fn change(&mut self, key: KeyEvent) -> bool {
        match &mut self.kind {
            Kind::Line(input) => input.key(key),
            Kind::Lines(lines) => lines.key(key),
            Kind::Choice { at, picked } => {
                match key.code {
                    KeyCode::Right => *at = (*at + 1) % picked.len(),
                    KeyCode::Left => *at = (*at + picked.len() - 1) % picked.len(),
                    KeyCode::Char(' ') => picked[*at] = !picked[*at],
                    KeyCode::Char('*') => {
                        let all = picked.iter().all(|it| *it);
                        picked.fill(!all);
                    }
                    _ => return false,
                }
                true
            }
            Kind::Bool(value) => {
                *value = match (key.code, *value) {
                    (KeyCode::Char(' '), Some(value)) => Some(!value),
                    (KeyCode::Char(' '), None) | (KeyCode::Right, Some(true)) => Some(false),
                    (KeyCode::Right, Some(false)) | (KeyCode::Left, Some(true)) => None,
                    (KeyCode::Right, None) | (KeyCode::Left, Some(false)) => Some(true),
                    (KeyCode::Left, None) => Some(false),
                    _ => return false,
                };
                true
            }
            Kind::Toggle(on) => {
                if !matches!(key.code, KeyCode::Char(' ') | KeyCode::Left | KeyCode::Right) {
                    return false;
                }
                *on = !*on;
                true
            }
        }
    }

    /// Fills in several values, one run each.
    pub(super) fn fill(&mut self, values: &[Value]) {
        self.edited = true;
        let choices = self.param.as_ref().map(|param| param.choices.as_slice()).unwrap_or_default();
        match &mut self.kind {
            Kind::Choice { picked, .. } => {
                for (pick, choice) in picked.iter_mut().zip(choices) {
                    *pick = values.iter().any(|value| value.as_text() == Some(choice));
                }
            }
            Kind::Bool(value) => {
                *value = if values.len() == 1 { values[0].as_bool() } else { None };
            }
            Kind::Line(input) => {
                let plain = values.iter().all(|value| value.as_float().is_some());
                let text = if plain {
                    values.iter().map(written).collect::<Vec<_>>().join(",")
                } else {
                    Value::List(values.to_vec()).to_json().to_string()
                };
                *input = Input::new(text);
            }
            Kind::Lines(lines) => *lines = Lines::new(&Value::List(values.to_vec()).to_json().to_string()),
            Kind::Toggle(_) => {}
        }
    }

    /// Reads the input; `paths` knows the files.
    pub(super) fn check(&mut self, folder: &Path, paths: &Paths) {
        (self.values, self.error) = match self.read(folder) {
            Ok(values) => (values, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        if let Some(of) = self.paths().filter(|_| self.error.is_none()) {
            let text = self.text();
            let written: Vec<&str> = if of.list { text.split(',').collect() } else { vec![&text] };
            self.error = written.iter().find_map(|path| paths.error(folder, path, of.folders));
        }
    }

    fn read(&self, folder: &Path) -> Result<Vec<Value>, String> {
        let Some(param) = &self.param else { return self.read_extra() };
        let values = match &self.kind {
            Kind::Bool(Some(value)) => vec![Value::Bool(*value)],
            Kind::Bool(None) => vec![Value::Bool(false), Value::Bool(true)],
            Kind::Choice { at, picked } => {
                let several = picked.iter().any(|it| *it);
                let chosen = |index: usize| if several { picked[index] } else { index == *at };
                let choices = param.choices.iter().enumerate();
                choices.filter(|(index, _)| chosen(*index)).map(|(_, it)| Value::Text(it.clone())).collect()
            }
            _ => match &self.filled {
                Some(value) if !self.edited => vec![value.clone()],
                _ => read_text(&self.text(), param, folder)?,
            },
        };
        for value in &values {
            let items = value.as_list().unwrap_or(std::slice::from_ref(value));
            items.iter().try_for_each(|it| check_range(it, param.min, param.max, &param.choices))?;
        }
        Ok(values)
    }

    fn read_extra(&self) -> Result<Vec<Value>, String> {
        if self.name != REPEAT {
            return Ok(Vec::new());
        }
        match self.text().trim().parse::<u32>() {
            Ok(times) if times > 0 => Ok(vec![Value::Int(i64::from(times))]),
            _ => Err("write a whole number, at least 1".to_owned()),
        }
    }
}

/// Reads one or several values: ranges and commas for numbers, a JSON list for texts, which may contain commas.
fn read_text(text: &str, param: &Param, folder: &Path) -> Result<Vec<Value>, String> {
    if text.trim().is_empty() {
        return match (&param.default, &param.ty) {
            (Some(_), Type::Text) => Ok(vec![Value::from("")]),
            (Some(_), _) => Ok(Vec::new()),
            (None, ty) => Err(format!("a value of type {ty} is needed")),
        };
    }
    let several = text.trim_start().starts_with('[');
    match &param.ty {
        Type::Text if !several => Ok(vec![Value::from(text)]),
        Type::Media(_) if !several => Ok(vec![path(text.trim(), folder)?]),
        Type::List(of) if of.has_media() => text
            .split(',')
            .map(|part| path(part.trim(), folder))
            .collect::<Result<_, _>>()
            .map(|it| vec![Value::List(it)]),
        Type::Text if serde_json::from_str::<Vec<String>>(text).is_err() => Ok(vec![Value::from(text)]),
        ty => ranges::sweep_values(text, ty),
    }
}

fn path(text: &str, folder: &Path) -> Result<Value, String> {
    if text.starts_with('~') {
        return Err("write the path out: `~` is the shell's".to_owned());
    }
    let path = folder.join(text);
    path.to_str().map(Value::from).ok_or_else(|| "the path is not UTF-8".to_owned())
}

/// Returns a value as one writes it.
fn written(value: &Value) -> String {
    value.to_text().unwrap_or_default()
}
