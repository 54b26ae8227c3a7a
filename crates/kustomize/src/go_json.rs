//! Decodes JSON values into structures as Go's decoder does: field names in any case, nulls as "not given", and, for
//! plugin configurations, unknown fields ignored and plain values taken as texts where a text is wanted.

use std::borrow::Cow;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess, Visitor},
    forward_to_deserialize_any,
};
use serde_json::{Error, Value};

/// How strictly a value is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Unknown fields are errors and nothing is converted: a kustomization.
    Strict,
    /// Unknown fields are ignored and plain values become texts where needed: the configuration of a plugin.
    Lenient,
}

/// Decodes `value`.
pub(crate) fn decode<'de, T: Deserialize<'de>>(value: &'de Value, manner: Manner) -> Result<T, Error> {
    T::deserialize(GoValue { value, manner })
}

#[derive(Clone, Copy)]
struct GoValue<'de> {
    value: &'de Value,
    manner: Manner,
}

impl<'de> GoValue<'de> {
    fn with(self, value: &'de Value) -> Self {
        Self { value, ..self }
    }

    /// The text that a plain value stands for where a text is wanted.
    fn as_text(self) -> Option<String> {
        match self.value {
            Value::Bool(flag) if self.manner == Manner::Lenient => Some(flag.to_string()),
            Value::Number(number) if self.manner == Manner::Lenient => Some(number.to_string()),
            Value::Null => Some(String::new()),
            _ => None,
        }
    }
}

impl<'de> Deserializer<'de> for GoValue<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.value.deserialize_any(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.as_text() {
            Some(text) => visitor.visit_string(text),
            None => self.value.deserialize_str(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Array(list) => visitor.visit_seq(Elements { parent: self, rest: list.iter() }),
            Value::Null => visitor.visit_seq(Elements { parent: self, rest: [].iter() }),
            other => other.deserialize_seq(visitor),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::Object(map) => {
                let entries: Vec<(Cow<'de, str>, &'de Value)> =
                    map.iter().map(|(key, value)| (Cow::Borrowed(key.as_str()), value)).collect();
                visitor.visit_map(Entries { parent: self, rest: entries.into_iter(), value: None })
            }
            other => other.deserialize_map(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let map = match self.value {
            Value::Object(map) => map,
            // A null element of a list is an empty structure.
            Value::Null => {
                return visitor.visit_map(Entries { parent: self, rest: Vec::new().into_iter(), value: None });
            }
            other => return other.deserialize_struct(name, fields, visitor),
        };
        let mut entries: Vec<(Cow<'de, str>, &'de Value)> = Vec::with_capacity(map.len());
        for (key, value) in map {
            let exact = fields.iter().find(|field| **field == key);
            let field = exact.or_else(|| fields.iter().find(|field| field.eq_ignore_ascii_case(key)));
            let key: &'de str = match field {
                Some(field) => field,
                None if self.manner == Manner::Lenient => continue,
                None => key,
            };
            if value.is_null() && field.is_some() {
                continue;
            }
            match entries.iter_mut().find(|(known, _)| known == key) {
                Some(entry) => entry.1 = value,
                None => entries.push((Cow::Borrowed(key), value)),
            }
        }
        visitor.visit_map(Entries { parent: self, rest: entries.into_iter(), value: None })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct
        enum identifier ignored_any
    }
}

struct Elements<'de> {
    parent: GoValue<'de>,
    rest: std::slice::Iter<'de, Value>,
}

impl<'de> SeqAccess<'de> for Elements<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let parent = self.parent;
        self.rest.next().map(|value| seed.deserialize(parent.with(value))).transpose()
    }
}

struct Entries<'de> {
    parent: GoValue<'de>,
    rest: std::vec::IntoIter<(Cow<'de, str>, &'de Value)>,
    value: Option<&'de Value>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((key, value)) = self.rest.next() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(key.into_deserializer()).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let value = self.value.take().unwrap_or(&Value::Null);
        seed.deserialize(self.parent.with(value))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(rename_all = "camelCase", default, deny_unknown_fields)]
    struct Sample {
        new_name: String,
        pairs: BTreeMap<String, String>,
        list: Vec<String>,
        count: i64,
        below: Option<Box<Self>>,
    }

    #[test]
    fn names_match_in_any_case_and_nulls_are_nothing() {
        let value = json!({"NewNAME": "x", "list": null, "below": {"Count": 3}, "pairs": {"a": null}});
        let sample: Sample = decode(&value, Manner::Strict).unwrap();
        assert_eq!((sample.new_name.as_str(), sample.below.unwrap().count), ("x", 3));
        assert_eq!(sample.pairs["a"], "");
    }

    #[test]
    fn only_the_lenient_manner_converts_and_ignores() {
        let value = json!({"newName": 12, "other": 1, "list": [true, 1.5, null]});
        let sample: Sample = decode(&value, Manner::Lenient).unwrap();
        assert_eq!((sample.new_name.as_str(), sample.list.join("|")), ("12", "true|1.5|".to_owned()));
        assert!(decode::<Sample>(&json!({"newName": 12}), Manner::Strict).is_err());
        let error = decode::<Sample>(&json!({"other": 12}), Manner::Strict).unwrap_err();
        assert!(error.to_string().starts_with("unknown field `other`"), "{error}");
        assert!(decode::<Sample>(&json!({"list": "x"}), Manner::Lenient).is_err());
    }
}
