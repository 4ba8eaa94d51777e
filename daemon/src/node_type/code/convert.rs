//! Values of JavaScript: what can't be kept exactly is an error that names its place.

use std::cell::Cell;

use fanlight_shared::value::{DEPTH_LIMIT, Value, Values};
use rquickjs::object::{Filter, Property};
use rquickjs::{Array, BigInt, Coerced, Ctx, Error, Object, Type, Value as Js};

use super::VALUE;

/// The greatest whole number that a number of JavaScript holds exactly with all before it.
const MAX_SAFE_INT: i64 = (1 << 53) - 1;

/// Returns inputs as an object. An int that is not exact as a number becomes a BigInt.
pub(super) fn inputs<'js>(ctx: &Ctx<'js>, inputs: &Values) -> rquickjs::Result<Object<'js>> {
    fields(ctx, inputs)
}

fn fields<'js>(ctx: &Ctx<'js>, fields: &Values) -> rquickjs::Result<Object<'js>> {
    let object = Object::new(ctx.clone())?;
    for (name, value) in fields {
        // Defined, not set: a field `__proto__` is a field.
        let property = Property::from(to_js(ctx, value)?).writable().enumerable().configurable();
        object.prop(name.as_str(), property)?;
    }
    Ok(object)
}

fn to_js<'js>(ctx: &Ctx<'js>, value: &Value) -> rquickjs::Result<Js<'js>> {
    let text = |text: &str| Ok(rquickjs::String::from_str(ctx.clone(), text)?.into_value());
    Ok(match value {
        Value::None => Js::new_null(ctx.clone()),
        Value::Bool(it) => Js::new_bool(ctx.clone(), *it),
        Value::Int(it) if (-MAX_SAFE_INT..=MAX_SAFE_INT).contains(it) =>
        {
            #[allow(clippy::cast_precision_loss)]
            Js::new_number(ctx.clone(), *it as f64)
        }
        Value::Int(it) => BigInt::from_i64(ctx.clone(), *it)?.into_value(),
        Value::Float(it) => Js::new_float(ctx.clone(), *it),
        Value::Text(it) => return text(it),
        Value::List(items) => {
            let array = Array::new(ctx.clone())?;
            for (at, item) in items.iter().enumerate() {
                array.set(at, to_js(ctx, item)?)?;
            }
            array.into_value()
        }
        Value::Object(map) => fields(ctx, map)?.into_value(),
        // Files were refused, and what is large was read.
        Value::Media(media) => return text(&media.name),
        Value::Large(large) => return text(&large.head),
    })
}

/// Why a returned value can't be read.
pub(super) enum Unreadable {
    /// It is of a kind that has no exact value; the sentence names its place.
    Wrong(String),
    /// Reading it ran code that failed.
    Thrown(Error),
}

impl From<Error> for Unreadable {
    fn from(error: Error) -> Self {
        Self::Thrown(error)
    }
}

type Read<T> = Result<T, Unreadable>;

fn wrong<T>(sentence: impl Into<String>) -> Read<T> {
    Err(Unreadable::Wrong(sentence.into()))
}

/// The prototypes of plain objects and arrays, as they were before the code ran.
pub(super) struct Plain<'js> {
    object: Object<'js>,
    array: Object<'js>,
}

impl<'js> Plain<'js> {
    pub(super) fn of(ctx: &Ctx<'js>) -> rquickjs::Result<Self> {
        let prototype = |name: &str| ctx.globals().get::<_, Object<'js>>(name)?.get("prototype");
        Ok(Self { object: prototype("Object")?, array: prototype("Array")? })
    }
}

/// Reads what the code returned.
pub(super) struct Reading<'a, 'js> {
    plain: &'a Plain<'js>,
    max_bytes: u64,
    bytes: Cell<u64>,
}

/// Where a value is: `rows[3].name`, and the lists and objects that it is in.
struct Place<'a, 'js> {
    path: String,
    inside: &'a mut Vec<Object<'js>>,
}

impl<'js> Reading<'_, 'js> {
    pub(super) fn new<'a>(plain: &'a Plain<'js>, max_bytes: u64) -> Reading<'a, 'js> {
        Reading { plain, max_bytes, bytes: Cell::new(0) }
    }

    /// Returns the declared outputs, which are the fields of what was returned; without any, all of it as `value`.
    pub(super) fn outputs(&self, returned: &Js<'js>, declared: &[String]) -> Read<Values> {
        if returned.is_undefined() {
            return wrong("the code returns nothing; end it with `return`");
        }
        let mut inside = Vec::new();
        let mut read = |path: &str, value: &Js<'js>| {
            let value = self.value(value, &mut Place { path: path.to_owned(), inside: &mut inside })?;
            Ok::<_, Unreadable>((path.to_owned(), value))
        };
        if declared.is_empty() {
            return Ok(Values::from([read(VALUE, returned)?]));
        }
        let names = || declared.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let object = match self.kind(returned) {
            Some(Kind::Object(object)) => object,
            _ => return wrong(format!("the code must return an object with the outputs {}", names())),
        };
        let mut values = Values::new();
        for name in object.keys::<Js<'js>>() {
            let name = text(&name?, "a name of an output")?;
            if !declared.contains(&name) {
                return wrong(format!(
                    "the code returns `{name}`, which is not among the declared outputs {}",
                    names()
                ));
            }
        }
        for name in declared {
            let (name, value) = read(name, &object.get(name.as_str())?)?;
            values.insert(name, value);
        }
        Ok(values)
    }

    fn count(&self, bytes: u64) -> Read<()> {
        self.bytes.set(self.bytes.get() + bytes);
        if self.bytes.get() > self.max_bytes {
            return wrong(format!("the code returns more than {} MiB", self.max_bytes >> 20));
        }
        Ok(())
    }

    fn value(&self, value: &Js<'js>, place: &mut Place<'_, 'js>) -> Read<Value> {
        self.count(8)?;
        let what = match value.type_of() {
            Type::Null => return Ok(Value::None),
            Type::Bool => return Ok(Value::Bool(value.as_bool().unwrap_or_default())),
            Type::Int | Type::Float => return Ok(number(value.as_number().unwrap_or(f64::NAN))),
            Type::String => {
                let text = text(value, &format!("`{}`", place.path))?;
                self.count(text.len() as u64)?;
                return Ok(Value::Text(text));
            }
            Type::BigInt => return big(value, &place.path),
            Type::Uninitialized | Type::Undefined => "undefined; leave it out, or return null".to_owned(),
            Type::Symbol => "a symbol".to_owned(),
            Type::Function | Type::Constructor => "a function".to_owned(),
            Type::Promise => "a promise; `await` it".to_owned(),
            Type::Proxy => "a proxy; return a plain object".to_owned(),
            _ => match self.kind(value) {
                Some(kind) => return self.nested(&kind, place),
                None => class(value),
            },
        };
        wrong(format!("the code returns `{}`, which is {what}", place.path))
    }

    /// Returns whether it is a list or a plain object.
    fn kind(&self, value: &Js<'js>) -> Option<Kind<'js>> {
        if value.is_proxy() || value.is_function() {
            return None;
        }
        let object = value.as_object()?.clone();
        let prototype = object.get_prototype();
        match object.clone().into_array() {
            Some(array) => (prototype.as_ref() == Some(&self.plain.array)).then_some(Kind::List(array)),
            None => prototype.is_none_or(|it| it == self.plain.object).then_some(Kind::Object(object)),
        }
    }

    fn nested(&self, kind: &Kind<'js>, place: &mut Place<'_, 'js>) -> Read<Value> {
        let object = match kind {
            Kind::List(array) => array.as_object().clone(),
            Kind::Object(object) => object.clone(),
        };
        if place.inside.contains(&object) {
            return wrong(format!("the code returns `{}`, which contains itself", place.path));
        }
        if place.inside.len() >= DEPTH_LIMIT {
            return wrong(format!("the code nests lists and objects more than {DEPTH_LIMIT} levels deep"));
        }
        if object.own_keys::<Js<'js>>(Filter::new().symbol().enum_only()).next().is_some() {
            return wrong(format!(
                "the code returns `{}`, a field of which is named by a symbol",
                place.path
            ));
        }
        place.inside.push(object.clone());
        let read = match kind {
            Kind::List(array) => self.list(array, place),
            Kind::Object(object) => self.object(object, place),
        };
        place.inside.pop();
        read
    }

    fn list(&self, array: &Array<'js>, place: &mut Place<'_, 'js>) -> Read<Value> {
        // The length of a list of holes may be greater than an `i32`, which `Array::len` returns.
        let length: f64 = array.as_object().get("length")?;
        let length = length as usize;
        let mut items = Vec::new();
        for at in 0..length {
            let length = place.path.len();
            place.path.push_str(&format!("[{at}]"));
            items.push(self.value(&array.get(at)?, place)?);
            place.path.truncate(length);
        }
        // The result of a match has fields besides its items.
        if array.as_object().keys::<Js<'js>>().count() > items.len() {
            return wrong(format!(
                "the code returns `{path}`, a list with named fields; return `[...{path}]` or an object",
                path = place.path
            ));
        }
        Ok(Value::List(items))
    }

    fn object(&self, object: &Object<'js>, place: &mut Place<'_, 'js>) -> Read<Value> {
        let mut fields = Values::new();
        for name in object.keys::<Js<'js>>() {
            let name = name?;
            let length = place.path.len();
            let key = text(&name, &format!("the name of a field of `{}`", place.path))?;
            self.count(key.len() as u64)?;
            place.path.push_str(&format!(".{}", fanlight_shared::value::cut(&key, 40)));
            let field = self.value(&object.get(name)?, place)?;
            place.path.truncate(length);
            fields.insert(key, field);
        }
        Ok(Value::Object(fields))
    }
}

/// A list or a plain object.
enum Kind<'js> {
    List(Array<'js>),
    Object(Object<'js>),
}

/// Converts a number. A whole one that is exact becomes an int: JavaScript does not distinguish `3` from `3.0`.
fn number(it: f64) -> Value {
    let negative_zero = it == 0.0 && it.is_sign_negative();
    #[allow(clippy::cast_precision_loss)]
    if it.fract() == 0.0 && it.abs() <= MAX_SAFE_INT as f64 && !negative_zero {
        return Value::Int(it as i64);
    }
    Value::Float(it)
}

fn big<'js>(value: &Js<'js>, path: &str) -> Read<Value> {
    let Coerced(digits) = value.get::<Coerced<String>>()?;
    match digits.parse() {
        Ok(it) => Ok(Value::Int(it)),
        Err(_) => wrong(format!(
            "the code returns `{path}`, a BigInt that has more than 64 bits; return it as text, `String(…)`"
        )),
    }
}

fn text(value: &Js<'_>, what: &str) -> Read<String> {
    let Some(text) = value.as_string() else { return wrong(format!("{what} is not text")) };
    match text.to_string() {
        Err(Error::Utf8(_)) => {
            wrong(format!("{what} contains half of a character; text that is cut by `slice` may"))
        }
        text => Ok(text?),
    }
}

/// Describes an object that is not plain.
fn class(value: &Js<'_>) -> String {
    let name = value.as_object().and_then(|object| {
        let constructor = object.get::<_, Object<'_>>("constructor").ok()?;
        constructor.get::<_, String>("name").ok()
    });
    match name.as_deref() {
        Some("Date") => "a Date; return its text, `.toISOString()`".to_owned(),
        Some("Map") => "a Map; return `Object.fromEntries(…)`".to_owned(),
        Some("Set") => "a Set; return `[...…]`".to_owned(),
        Some(name) if !name.is_empty() => {
            format!("an object of {}; return a plain object", fanlight_shared::value::cut(name, 40))
        }
        _ => "not a plain object".to_owned(),
    }
}
