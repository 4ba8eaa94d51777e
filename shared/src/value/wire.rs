//! Values as JSON on the wire and in the store. Media and floats such as NaN have forms that no other value can have.

use indexmap::IndexMap;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Value, float};

pub(super) const MEDIA_KEY: &str = "$media";
const FLOAT_KEY: &str = "$float";
pub(super) const LARGE_KEY: &str = "$large";

impl Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::{SerializeMap, SerializeSeq};
        match self {
            Self::None => serializer.serialize_unit(),
            Self::Bool(it) => serializer.serialize_bool(*it),
            Self::Int(it) => serializer.serialize_i64(*it),
            Self::Float(it) => match float::word(*it) {
                Some(word) => {
                    let mut out = serializer.serialize_map(Some(1))?;
                    out.serialize_entry(FLOAT_KEY, word)?;
                    out.end()
                }
                None => serializer.serialize_f64(*it),
            },
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    seq.serialize_element(item)?;
                }
                seq.end()
            }
            Self::Object(map) => {
                let mut out = serializer.serialize_map(Some(map.len()))?;
                for (key, value) in map {
                    if key.starts_with('$') {
                        out.serialize_entry(&format!("${key}"), value)?;
                    } else {
                        out.serialize_entry(key, value)?;
                    }
                }
                out.end()
            }
            Self::Media(media) => {
                let mut out = serializer.serialize_map(Some(1))?;
                out.serialize_entry(MEDIA_KEY, media)?;
                out.end()
            }
            Self::Large(large) => {
                let mut out = serializer.serialize_map(Some(1))?;
                out.serialize_entry(LARGE_KEY, large)?;
                out.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_wire(Json::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

fn from_wire(json: Json) -> Result<Value, serde_json::Error> {
    Ok(match json {
        Json::Array(items) => Value::List(items.into_iter().map(from_wire).collect::<Result<_, _>>()?),
        Json::Object(mut map) => {
            if map.len() == 1
                && let Some(media) = map.remove(MEDIA_KEY)
            {
                return Ok(Value::Media(serde_json::from_value(media)?));
            }
            if map.len() == 1
                && let Some(float) = map.get(FLOAT_KEY).and_then(Json::as_str).and_then(float::of_word)
            {
                return Ok(Value::Float(float));
            }
            if map.len() == 1
                && let Some(large) = map.remove(LARGE_KEY)
            {
                return Ok(Value::Large(serde_json::from_value(large)?));
            }
            let mut object = IndexMap::with_capacity(map.len());
            for (key, value) in map {
                let key = if key.starts_with("$$") { key[1..].to_owned() } else { key };
                object.insert(key, from_wire(value)?);
            }
            Value::Object(object)
        }
        plain => Value::from_json(plain),
    })
}

#[cfg(feature = "schema")]
impl JsonSchema for Value {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Value".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "description": "any JSON; media is {\"$media\": {…}}, a large value {\"$large\": {…}}, a float that JSON can't write {\"$float\": \"NaN\"}" })
    }
}
