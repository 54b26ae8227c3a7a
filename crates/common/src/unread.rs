//! Objects as they came from the API server, read no further than somebody needs.
//!
//! A watch brings every change of an object, most of them our own writes whose answers we have seen. An [`Unread`] object
//! costs a scan of its text; whoever wants the object reads it, without its managed fields, which are often half of it.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube_core::Resource;
use kube_core::error_boundary::InvalidObject;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// An object's identity and version, and its text.
///
/// It can only be read from JSON text (as clients of the API server do), and always can: what is wrong with the object
/// itself comes to light when it is [read](Self::read), and so is the problem of that object alone.
pub struct Unread<K> {
    /// Name, namespace, uid and resource version; nothing else is filled in.
    metadata: ObjectMeta,
    text: Box<RawValue>,
    kind: PhantomData<fn() -> K>,
}

/// What is read of every object.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    metadata: Identity,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Identity {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
}

impl<'de, K> Deserialize<'de> for Unread<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let Head { metadata } = serde_json::from_str(text.get()).map_err(D::Error::custom)?;
        let metadata = ObjectMeta {
            name: metadata.name,
            namespace: metadata.namespace,
            uid: metadata.uid,
            resource_version: metadata.resource_version,
            ..ObjectMeta::default()
        };
        Ok(Self { metadata, text, kind: PhantomData })
    }
}

impl<K> Unread<K> {
    /// The object, without managed fields.
    ///
    /// # Errors
    /// When it does not have the form of `K`: its metadata and what is wrong.
    pub fn read(&self) -> Result<K, Box<InvalidObject>>
    where
        K: DeserializeOwned,
    {
        self.read_as()
    }

    /// The same in another form, of which `K` is only the kind.
    ///
    /// # Errors
    /// When the object does not have that form.
    pub fn read_as<T: DeserializeOwned>(&self) -> Result<T, Box<InvalidObject>> {
        let text = without_managed_fields(self.text.get());
        serde_json::from_str(&text).map_err(|error| {
            let error = error.to_string();
            // The place in a text of one line, which nobody sees, helps nobody.
            let error = error.rsplit_once(" at line ").map_or(error.as_str(), |(problem, _)| problem).to_owned();
            let metadata = whole_metadata(&text).unwrap_or_else(|| self.metadata.clone());
            Box::new(InvalidObject { error, metadata })
        })
    }
}

/// All metadata of an object of which little else can be read.
fn whole_metadata(text: &str) -> Option<ObjectMeta> {
    #[derive(Deserialize)]
    struct Envelope {
        metadata: ObjectMeta,
    }
    serde_json::from_str::<Envelope>(text).ok().map(|envelope| envelope.metadata)
}

/// The text with `null` for the managed fields.
fn without_managed_fields(text: &str) -> Cow<'_, str> {
    let cut = managed_fields(text).and_then(|range| Some((text.get(..range.start)?, text.get(range.end..)?)));
    match cut {
        Some((before, after)) => [before, "null", after].concat().into(),
        None => text.into(),
    }
}

/// Where the value of `metadata.managedFields` stands.
fn managed_fields(text: &str) -> Option<Range<usize>> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow)]
        metadata: Option<Metadata<'a>>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Metadata<'a> {
        #[serde(borrow)]
        managed_fields: Option<&'a RawValue>,
    }
    let envelope: Envelope<'_> = serde_json::from_str(text).ok()?;
    let value = envelope.metadata?.managed_fields?.get();
    // The value is borrowed from the text, so the distance of the two is its place.
    let start = (value.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    Some(start..start + value.len())
}

impl<K> Clone for Unread<K> {
    fn clone(&self) -> Self {
        Self { metadata: self.metadata.clone(), text: self.text.clone(), kind: PhantomData }
    }
}

impl<K> fmt::Debug for Unread<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the text: it may be a Secret's.
        f.debug_struct("Unread").field("metadata", &self.metadata).finish_non_exhaustive()
    }
}

impl<K: Resource> Resource for Unread<K> {
    type DynamicType = K::DynamicType;
    type Scope = K::Scope;

    fn kind(dynamic: &Self::DynamicType) -> Cow<'_, str> {
        K::kind(dynamic)
    }

    fn group(dynamic: &Self::DynamicType) -> Cow<'_, str> {
        K::group(dynamic)
    }

    fn version(dynamic: &Self::DynamicType) -> Cow<'_, str> {
        K::version(dynamic)
    }

    fn plural(dynamic: &Self::DynamicType) -> Cow<'_, str> {
        K::plural(dynamic)
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube_core::WatchEvent;

    use super::*;

    const TEXT: &str = r#"{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"a\"b","namespace":"n","uid":"u","resourceVersion":"7","labels":{"x":"managedFields"},"managedFields":[{"manager":"m","fieldsV1":{"f:data":{}}}],"annotations":{"managedFields":"[]"}},"data":{"metadata":"{\"managedFields\":[]}"}}"#;

    #[test]
    fn identity_is_read_at_once_and_the_rest_without_managed_fields() {
        let unread: Unread<ConfigMap> = serde_json::from_str(TEXT).unwrap();
        assert_eq!(unread.metadata.name.as_deref(), Some("a\"b"));
        assert_eq!(unread.metadata.resource_version.as_deref(), Some("7"));
        assert!(unread.metadata.labels.is_none());
        let mut expected: ConfigMap = serde_json::from_str(TEXT).unwrap();
        expected.metadata.managed_fields = None;
        assert_eq!(unread.read().unwrap(), expected);
    }

    #[test]
    fn watch_events_and_lists_hold_them() {
        let line = format!(r#"{{"type":"ADDED","object":{TEXT}}}"#);
        let WatchEvent::Added(object) = serde_json::from_str::<WatchEvent<Unread<ConfigMap>>>(&line).unwrap() else {
            panic!("not an addition");
        };
        assert!(object.read().is_ok());
        let list =
            format!(r#"{{"kind":"List","apiVersion":"v1","metadata":{{"resourceVersion":"9"}},"items":[{TEXT}]}}"#);
        let list: kube_core::ObjectList<Unread<ConfigMap>> = serde_json::from_str(&list).unwrap();
        assert_eq!(list.items[0].meta().uid.as_deref(), Some("u"));
    }

    #[test]
    fn what_does_not_have_the_form_is_an_error_with_metadata() {
        let text = r#"{"metadata":{"name":"a","generation":3,"managedFields":[]},"data":5}"#;
        let unread: Unread<ConfigMap> = serde_json::from_str(text).unwrap();
        let invalid = unread.read().unwrap_err();
        assert_eq!(invalid.metadata.generation, Some(3));
        assert_eq!(invalid.error, "invalid type: integer `5`, expected a map");
    }

    #[test]
    fn objects_without_managed_fields_are_taken_as_they_are() {
        for text in ["{}", r#"{"metadata":{}}"#, r#"{"metadata":{"managedFields":null}}"#] {
            let unread: Unread<ConfigMap> = serde_json::from_str(text).unwrap();
            assert!(unread.read().is_ok(), "{text}");
        }
    }
}
