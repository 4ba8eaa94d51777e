//! Converts values to minijinja's and back, without changing them.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr, ValueKind};
use minijinja::{Error, ErrorKind, Value as Jinja};

use super::Content;
use crate::large::Large;
use crate::media::Media;
use crate::value::{Extent, Value};

/// The fields of media in expressions.
pub const MEDIA_FIELDS: [&str; 5] = ["path", "name", "stem", "ext", "size"];

/// Media inside minijinja: it has fields, and comes back as the same media.
#[derive(Debug)]
struct MediaObject(Media);

impl Object for MediaObject {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        let media = &self.0;
        Some(match key.as_str()? {
            // Outside a command there is no path yet; the name is what the last part of that path would be.
            "path" | "name" => Jinja::from(media.name.as_str()),
            "stem" => Jinja::from(media.stem()),
            "ext" => Jinja::from(media.ext()),
            "size" => Jinja::from(media.bytes),
            _ => return None,
        })
    }
    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        let other = other.downcast_ref::<Self>()?;
        Some((&self.0.hash, &self.0.name).cmp(&(&other.0.hash, &other.0.name)))
    }
    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.name)
    }
}

/// A list inside minijinja: its items are converted on demand.
#[derive(Debug)]
struct Items {
    items: Vec<Value>,
    /// The handle, if the list is a large value.
    large: Option<Large>,
    content: Arc<Content>,
}

impl Object for Items {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        self.items.get(key.as_usize()?).cloned().map(|item| to_jinja(item, &self.content))
    }
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.items.len())
    }
    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_json(Value::List(self.items.clone()), &self.content, f)
    }
}

/// An object inside minijinja; keeps the order of its fields.
#[derive(Debug)]
struct Fields {
    map: IndexMap<String, Value>,
    /// The handle, if the object is a large value.
    large: Option<Large>,
    content: Arc<Content>,
}

impl Object for Fields {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        self.map.get(key.as_str()?).cloned().map(|field| to_jinja(field, &self.content))
    }
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.map.keys().map(|key| Jinja::from(key.as_str())).collect())
    }
    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_json(Value::Object(self.map.clone()), &self.content, f)
    }
}

/// Writes a list or an object within a text, as `${{ }}` does.
fn write_json(value: Value, content: &Content, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match content.resolve(value) {
        Ok(value) => f.write_str(&json_text(value)),
        // The failure is recorded, and makes the result void.
        Err(_) => Ok(()),
    }
}

/// Returns a value as JSON. Media is written as its name.
fn json_text(value: Value) -> String {
    fn named(value: Value) -> Value {
        match value {
            Value::Media(media) => Value::Text(media.name),
            Value::List(items) => Value::List(items.into_iter().map(named).collect()),
            Value::Object(map) => {
                Value::Object(map.into_iter().map(|(key, value)| (key, named(value))).collect())
            }
            other => other,
        }
    }
    named(value).to_json().to_string()
}

/// Returns what a template writes for a value that is neither a text nor a number.
///
/// # Errors
/// A sentence: it contains what is not a value.
pub(super) fn written(value: &Jinja) -> Result<String, String> {
    let content = Content::new(None);
    let value = from_jinja(value, &content)?.unwrap_or_default();
    Ok(json_text(content.resolve(value)?))
}

/// Returns an object that an expression constructs.
pub(super) fn object(fields: Vec<(String, Jinja)>) -> Jinja {
    Jinja::from_object(Written(fields.into_iter().collect()))
}

#[derive(Debug)]
struct Written(IndexMap<String, Jinja>);

impl Object for Written {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        self.0.get(key.as_str()?).cloned()
    }
    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.keys().map(|key| Jinja::from(key.as_str())).collect())
    }
}

/// Measures a text, list or object that was converted into minijinja.
pub(super) fn extent(value: &Jinja) -> Option<Extent> {
    if let Some(text) = value.as_str() {
        return Some(Extent::of_text(text));
    }
    if let Some(items) = value.downcast_object_ref::<Items>() {
        return Some(Extent::of_all(items.items.iter()));
    }
    value.downcast_object_ref::<Fields>().map(|fields| Extent::of_fields(&fields.map))
}

/// Converts a value for minijinja. A large value is read here, its items and fields on demand; one that can't be read
/// is an error when it is used.
pub(super) fn to_jinja(value: Value, content: &Arc<Content>) -> Jinja {
    match value {
        Value::None => Jinja::from(()),
        Value::Bool(it) => Jinja::from(it),
        Value::Int(it) => Jinja::from(it),
        Value::Float(it) => Jinja::from(it),
        Value::Text(text) => Jinja::from(text),
        Value::List(items) => Jinja::from_object(Items { items, large: None, content: content.clone() }),
        Value::Object(map) => Jinja::from_object(Fields { map, large: None, content: content.clone() }),
        Value::Media(media) => Jinja::from_object(MediaObject(*media)),
        Value::Large(large) => read(*large, content)
            .unwrap_or_else(|sentence| Jinja::from(Error::new(ErrorKind::InvalidOperation, sentence))),
    }
}

fn read(large: Large, content: &Arc<Content>) -> Result<Jinja, String> {
    if large.is_text() {
        return content.text(&large).map(Jinja::from);
    }
    let (content, large_as_it_was) = (content.clone(), Some(large.clone()));
    Ok(match content.json(&large)? {
        Value::List(items) => Jinja::from_object(Items { items, large: large_as_it_was, content }),
        Value::Object(map) => Jinja::from_object(Fields { map, large: large_as_it_was, content }),
        plain => to_jinja(plain, &content),
    })
}

/// Converts a value back from minijinja; returns `None` if it is undefined.
pub(super) fn from_jinja(value: &Jinja, content: &Content) -> Result<Option<Value>, String> {
    Ok(Some(match value.kind() {
        ValueKind::Undefined => return Ok(None),
        ValueKind::None => Value::None,
        ValueKind::Bool => Value::Bool(value.is_true()),
        ValueKind::Number => return number(value).map(Some),
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default();
            content.handle(text).unwrap_or_else(|| Value::Text(text.to_owned()))
        }
        ValueKind::Plain => match value.downcast_object_ref::<MediaObject>() {
            Some(media) => Value::from(media.0.clone()),
            None => return Err("the result is a function, not a value; call it with `()`".into()),
        },
        ValueKind::Seq | ValueKind::Iterable => match value.downcast_object_ref::<Items>() {
            Some(Items { large: Some(large), .. }) => Value::from(large.clone()),
            Some(list) => Value::List(list.items.clone()),
            None => {
                let items = value.try_iter().map_err(|error| sentence(&error))?;
                let item = |item: Result<Jinja, _>| {
                    from_jinja(&item.map_err(|error| sentence(&error))?, content)
                        .map(Option::unwrap_or_default)
                };
                Value::List(items.checked().map(item).collect::<Result<_, String>>()?)
            }
        },
        ValueKind::Map => match value.downcast_object_ref::<Fields>() {
            Some(Fields { large: Some(large), .. }) => Value::from(large.clone()),
            Some(object) => Value::Object(object.map.clone()),
            None => {
                let keys = value.try_iter().map_err(|error| sentence(&error))?;
                let field = |key: Jinja| {
                    let field = value.get_item(&key).map_err(|error| sentence(&error))?;
                    Ok((key.to_string(), from_jinja(&field, content)?.unwrap_or_default()))
                };
                Value::Object(keys.map(field).collect::<Result<_, String>>()?)
            }
        },
        other => return Err(format!("the result is {other}, which is not a value of a workflow")),
    }))
}

fn number(value: &Jinja) -> Result<Value, String> {
    if value.is_integer() {
        return value
            .as_i64()
            .map(Value::Int)
            .ok_or_else(|| format!("the result {value} is too large for an int"));
    }
    f64::try_from(value.clone()).map(Value::Float).map_err(|error| sentence(&error))
}

/// Returns minijinja's message without its file names.
pub(super) fn sentence(error: &minijinja::Error) -> String {
    let kind = error.kind().to_string();
    match error.detail() {
        Some(detail) if kind == "syntax error" || kind == "invalid operation" => detail.to_owned(),
        Some(detail) => format!("{kind}: {detail}"),
        None => kind,
    }
}
