//! Between the protocol's messages and our own types.

use common::meta::Artifact;

use crate::proto::v1;
use crate::source::{Source, SourceError, SourceKind};

impl TryFrom<Option<v1::SourceRef>> for Source {
    type Error = SourceError;

    fn try_from(reference: Option<v1::SourceRef>) -> Result<Self, SourceError> {
        let v1::SourceRef { kind, namespace, name } = reference.ok_or(SourceError::Missing("the source"))?;
        let kind = SourceKind::from_name(&kind).ok_or(SourceError::Kind(kind))?;
        if namespace.is_empty() {
            return Err(SourceError::Missing("the namespace"));
        }
        if name.is_empty() {
            return Err(SourceError::Missing("the name"));
        }
        Ok(Self { kind, namespace, name })
    }
}

impl From<&Source> for v1::SourceRef {
    fn from(source: &Source) -> Self {
        Self { kind: source.kind.as_str().to_owned(), namespace: source.namespace.clone(), name: source.name.clone() }
    }
}

/// The artifact as a message.
pub(crate) fn artifact_message(source: &Source, artifact: &Artifact) -> v1::Artifact {
    let time = artifact.last_update_time.0;
    v1::Artifact {
        source: Some(source.into()),
        revision: artifact.revision.clone(),
        digest: artifact.digest.clone(),
        path: artifact.path.clone(),
        url: artifact.url.clone(),
        size: artifact.size.unwrap_or_default(),
        last_update_time: Some(prost_types::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() }),
        metadata: artifact.metadata.clone().into_iter().collect(),
    }
}
