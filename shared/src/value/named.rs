//! The blobs that the JSON of a value names, found without the value: short JSON may be a value that takes much memory.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Value;
use super::wire::{LARGE_KEY, MEDIA_KEY};
use crate::id::BlobHash;

impl Value {
    /// Calls `take` with each blob that a value names, and whether it is a folder, from the JSON of the store.
    ///
    /// # Errors
    /// It is not the JSON of a value.
    pub fn each_blob(json: &[u8], mut take: impl FnMut(BlobHash, bool)) -> Result<(), serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        Named(&mut take).deserialize(&mut deserializer)?;
        deserializer.end()
    }
}

struct Named<'a>(&'a mut dyn FnMut(BlobHash, bool));

impl Named<'_> {
    fn take(&mut self, value: &Value) {
        value.blobs().into_iter().for_each(|(hash, folder)| (self.0)(hash, folder));
    }
}

impl<'de> DeserializeSeed<'de> for Named<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Named<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Named(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<(), A::Error> {
        while let Some(key) = fields.next_key::<String>()? {
            match key.as_str() {
                MEDIA_KEY => self.take(&Value::Media(fields.next_value()?)),
                LARGE_KEY => self.take(&Value::Large(fields.next_value()?)),
                _ => {
                    fields.next_value_seed(Named(self.0))?;
                    continue;
                }
            }
            // A key of the value itself would have a second `$`.
            return match fields.next_entry::<IgnoredAny, IgnoredAny>()? {
                None => Ok(()),
                Some(_) => Err(A::Error::custom(format!("`{key}` has something beside it"))),
            };
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(json: &str) -> Result<Vec<(BlobHash, bool)>, serde_json::Error> {
        let mut found = Vec::new();
        Value::each_blob(json.as_bytes(), |hash, folder| found.push((hash, folder)))?;
        Ok(found)
    }

    #[test]
    fn the_blobs_that_json_names_are_those_of_its_value() {
        let (one, other, third) = (BlobHash::of(b"1"), BlobHash::of(b"2"), BlobHash::of(b"3"));
        let media = |kind: &str, hash: BlobHash| {
            format!(r#"{{"$media":{{"kind":"{kind}","hash":"{hash}","mime":"a/b","bytes":1,"name":"a"}}}}"#)
        };
        let large = format!(r#"{{"$large":{{"type":"text","hash":"{third}","bytes":9,"head":"a"}}}}"#);
        let (image, folder) = (media("image", one), media("dir", other));
        let json = format!(
            r#"[null,true,-1,1.5,"a\n",{{"$float":"NaN"}},{{"a":{image},"$$media":{{"b":[{folder}]}}}},{large}]"#
        );
        let value: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(named(&json).unwrap(), value.blobs());
        assert_eq!(value.blobs(), [(one, false), (other, true), (third, false)]);
    }

    #[test]
    fn json_that_no_value_is_written_as_is_refused() {
        for json in ["", "[1", "[] []", r#"{"$media":1}"#, r#"{"a":1,"$large":{}}"#] {
            assert!(named(json).is_err(), "{json}");
        }
        assert!(named(&("[".repeat(200) + &"]".repeat(200))).is_err());
    }
}
