//! Composing a release's values: reading what `valuesFrom` names, and handing it to Flux's rules.

use common::{
    helm::v2::{ValuesReference, ValuesReferenceKind},
    names::secret_key::VALUES_YAML,
};
use helm::{
    value::Map,
    values::flux::{ValuesSource, compose, inline_values},
};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{Api, Client};

/// Why values could not be composed.
#[derive(Debug, thiserror::Error)]
pub enum ValuesError {
    /// The object does not exist.
    #[error("could not resolve {kind} chart values reference '{namespace}/{name}' with key '{key}': {kind} not found")]
    Missing {
        /// Secret or ConfigMap.
        kind: &'static str,
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// The key wanted.
        key: String,
    },
    /// The object has no such key.
    #[error("could not resolve {kind} chart values reference '{namespace}/{name}' with key '{key}': missing key {key}")]
    MissingKey {
        /// Secret or ConfigMap.
        kind: &'static str,
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// The key wanted.
        key: String,
    },
    /// It cannot be read.
    #[error("cannot read {kind} '{namespace}/{name}': {source}")]
    Read {
        /// Secret or ConfigMap.
        kind: &'static str,
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// The client's error.
        #[source]
        source: Box<kube::Error>,
    },
    /// Its content is of no use. The content itself is never quoted: it may be secret.
    #[error("unable to use chart values from {kind} '{namespace}/{name}' with key '{key}': {problem}")]
    Content {
        /// Secret or ConfigMap.
        kind: &'static str,
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
        /// The key.
        key: String,
        /// What is wrong.
        problem: String,
    },
}

impl ValuesError {
    /// Whether reading again may help by itself.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Read { .. })
    }
}

/// The content of one reference; `None` when it is optional and missing.
async fn content(
    client: &Client,
    namespace: &str,
    reference: &ValuesReference,
) -> Result<Option<Vec<u8>>, ValuesError> {
    let key = key(reference);
    let kind = reference.kind.as_str();
    let read_failed = |source| ValuesError::Read {
        kind,
        namespace: namespace.to_owned(),
        name: reference.name.clone(),
        source: Box::new(source),
    };
    let found = match reference.kind {
        ValuesReferenceKind::ConfigMap => {
            let api: Api<ConfigMap> = Api::namespaced(client.clone(), namespace);
            api.get_opt(&reference.name).await.map_err(read_failed)?.map(|object| {
                object
                    .data
                    .and_then(|mut data| data.remove(key))
                    .map(String::into_bytes)
                    .or_else(|| object.binary_data.and_then(|mut data| data.remove(key)).map(|bytes| bytes.0))
            })
        }
        ValuesReferenceKind::Secret => {
            let api: Api<Secret> = Api::namespaced(client.clone(), namespace);
            api.get_opt(&reference.name)
                .await
                .map_err(read_failed)?
                .map(|object| object.data.and_then(|mut data| data.remove(key)).map(|bytes| bytes.0))
        }
    };
    let (namespace, name, key) = (namespace.to_owned(), reference.name.clone(), key.to_owned());
    match found {
        Some(Some(content)) => Ok(Some(content)),
        _ if reference.optional => Ok(None),
        Some(None) => Err(ValuesError::MissingKey { kind, namespace, name, key }),
        None => Err(ValuesError::Missing { kind, namespace, name, key }),
    }
}

fn key(reference: &ValuesReference) -> &str {
    reference.values_key.as_deref().filter(|key| !key.is_empty()).unwrap_or(VALUES_YAML)
}

/// The values of a release: references in order, inline values last.
pub async fn resolve(
    client: &Client,
    namespace: &str,
    references: &[ValuesReference],
    inline: Option<&serde_json::Value>,
) -> Result<Map, ValuesError> {
    let mut contents = Vec::with_capacity(references.len());
    for reference in references {
        if let Some(content) = content(client, namespace, reference).await? {
            contents.push((reference, content));
        }
    }
    let inline = inline.map(inline_values).unwrap_or_default();
    let sources = contents.iter().map(|(reference, content)| ValuesSource {
        data: content,
        target_path: reference.target_path.as_deref().filter(|path| !path.is_empty()),
        literal: reference.literal,
    });
    compose(sources, &inline).map_err(|(index, error)| {
        let reference = contents.get(index).map(|(reference, _)| *reference);
        ValuesError::Content {
            kind: reference.map_or("", |reference| reference.kind.as_str()),
            namespace: namespace.to_owned(),
            name: reference.map(|reference| reference.name.clone()).unwrap_or_default(),
            key: reference.map(key).unwrap_or_default().to_owned(),
            problem: redact(reference.map(|reference| reference.kind), &error.to_string()),
        }
    })
}

/// Parsers quote what they stumble over; what comes from a Secret must not be repeated.
fn redact(kind: Option<ValuesReferenceKind>, problem: &str) -> String {
    if kind == Some(ValuesReferenceKind::Secret) {
        "the content is not a YAML map of values (it is not shown, because it comes from a Secret)".to_owned()
    } else {
        problem.to_owned()
    }
}
