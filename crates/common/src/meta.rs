//! What the API groups share: artifacts, references, and how to read conditions off any object.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::conditions;
use crate::digest::{Digest, ParseDigestError};
use crate::duration::GoDuration;
use crate::names::{annotation, condition};
use crate::revision::Revision;
use crate::schema;

/// The output of a source: where its content is, and what it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// Path relative to the storage root.
    pub path: String,
    /// Where the content is served over HTTP.
    pub url: String,
    /// Human-readable name of the content: a Git revision, a chart version, a checksum.
    pub revision: String,
    /// Digest of the content in the form `<algorithm>:<hex>`.
    #[schemars(extend("pattern" = schema::DIGEST))]
    pub digest: String,
    /// When the artifact was made.
    pub last_update_time: Time,
    /// Size of the content in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<i64>,
    /// What is known of the content's origin.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

impl Artifact {
    /// The revision, in today's form.
    #[must_use]
    pub fn revision(&self) -> Revision {
        Revision::from(self.revision.as_str()).from_legacy()
    }

    /// The digest, read as consumers do.
    ///
    /// # Errors
    /// When it is empty or not a digest.
    pub fn digest(&self) -> Result<Digest, ParseDigestError> {
        Digest::parse_lenient(&self.digest)
    }
}

/// An object of a known kind in the same namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct LocalObjectReference {
    /// Name of the object.
    pub name: String,
}

/// An object of a known kind, perhaps in another namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct NamespacedObjectReference {
    /// Name of the object.
    pub name: String,
    /// Namespace of the object; the referring object's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
}

/// One key of a Secret in the same namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct SecretKeyReference {
    /// Name of the Secret.
    pub name: String,
    /// Key in the Secret; what is used when absent is up to the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// Where to find access to another cluster. Exactly one of the two must be given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {
        "rule": "has(self.configMapRef) || has(self.secretRef)",
        "message": "exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified",
    },
    {
        "rule": "!has(self.configMapRef) || !has(self.secretRef)",
        "message": "exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified",
    },
]))]
pub struct KubeConfigReference {
    /// A ConfigMap that describes the cluster and whose identity to use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_map_ref: Option<LocalObjectReference>,
    /// A Secret with a kubeconfig, under the given key or else `value` or `value.yaml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<SecretKeyReference>,
}

/// Another object of the same kind that must be ready first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DependencyReference {
    /// Name of the dependency.
    pub name: String,
    /// Namespace of the dependency; the dependent's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// CEL expression that says whether the dependency is ready; `self` is the dependent, `dep` the dependency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_expr: Option<String>,
}

/// Labels and annotations put on every object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommonMetadata {
    /// Annotations to add.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
    /// Labels to add.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// How the health of objects of one kind is told, in CEL over the object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CustomHealthCheck {
    /// API version of the objects.
    pub api_version: String,
    /// Kind of the objects; every kind of the group when absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// True when the object is in progress.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub in_progress: String,
    /// True when the object has failed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub failed: String,
    /// True when the object is as it should be.
    pub current: String,
}

/// Selects objects; names are regular expressions, anchored on both ends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Selector {
    /// API group.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub group: String,
    /// API version.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    /// Kind.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Namespace.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub namespace: String,
    /// Name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Expression over annotations, as label selectors are written.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub annotation_selector: String,
    /// Expression over labels.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label_selector: String,
}

/// A strategic merge or JSON 6902 patch, and the objects it is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Patch {
    /// The patch as YAML text.
    pub patch: String,
    /// The objects to patch; required for JSON 6902 patches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Selector>,
}

/// Another name, tag or digest for a container image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// The image's name without its tag.
    pub name: String,
    /// The new name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub new_name: String,
    /// The new tag.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub new_tag: String,
    /// The new digest; the tag is then ignored.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub digest: String,
}

/// One object that was applied.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct ResourceReference {
    /// `<namespace>_<name>_<group>_<kind>`.
    pub id: String,
    /// API version without its group.
    pub v: String,
}

/// Every object that was applied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResourceInventory {
    /// The objects.
    pub entries: Vec<ResourceReference>,
}

/// What every reconciled kind has, whatever its group.
pub trait FluxObject: kube_core::Resource<DynamicType = ()> {
    /// The conditions in the status.
    fn conditions(&self) -> &[Condition];
    /// The conditions in the status, made when there is none.
    fn conditions_mut(&mut self) -> &mut Vec<Condition>;
    /// The generation the status speaks of; -1 when there never was one.
    fn observed_generation(&self) -> i64;
    /// Records the generation the status speaks of.
    fn set_observed_generation(&mut self, generation: i64);
    /// How often the object is reconciled without being asked; none for kinds that are not.
    fn interval(&self) -> Option<GoDuration>;
    /// Whether the object is to be left alone.
    fn is_suspended(&self) -> bool;
    /// The last request to reconcile that was handled.
    fn last_handled_reconcile_at(&self) -> Option<&str>;
    /// Records the last request to reconcile that was handled.
    fn set_last_handled_reconcile_at(&mut self, value: Option<String>);

    /// The object's generation; 0 for one that was never stored.
    fn generation(&self) -> i64 {
        self.meta().generation.unwrap_or_default()
    }

    /// The request to reconcile that waits to be handled.
    fn pending_reconcile_request(&self) -> Option<&str> {
        let requested = annotation_value(self, annotation::REQUESTED_AT)?;
        (self.last_handled_reconcile_at() != Some(requested)).then_some(requested)
    }

    /// Whether the object is ready for the generation it has now.
    fn is_ready(&self) -> bool {
        self.observed_generation() == self.generation() && conditions::is_true(self.conditions(), condition::READY)
    }
}

/// A kind that publishes an artifact.
pub trait SourceObject: FluxObject {
    /// The artifact in the status.
    fn artifact(&self) -> Option<&Artifact>;
    /// Replaces the artifact in the status.
    fn set_artifact(&mut self, artifact: Option<Artifact>);
}

/// The value of an annotation.
pub fn annotation_value<'a, K: kube_core::Resource + ?Sized>(object: &'a K, key: &str) -> Option<&'a str> {
    object.meta().annotations.as_ref()?.get(key).map(String::as_str)
}

/// Implements [`FluxObject`] for a kind whose status has the usual fields.
macro_rules! flux_object {
    ($kind:ty, $interval:expr, $suspended:expr) => {
        impl $crate::meta::FluxObject for $kind {
            fn conditions(&self) -> &[$crate::Condition] {
                self.status.as_ref().map_or(&[], |status| &status.conditions)
            }
            fn conditions_mut(&mut self) -> &mut Vec<$crate::Condition> {
                &mut self.status.get_or_insert_default().conditions
            }
            fn observed_generation(&self) -> i64 {
                self.status.as_ref().and_then(|status| status.observed_generation).unwrap_or(-1)
            }
            fn set_observed_generation(&mut self, generation: i64) {
                self.status.get_or_insert_default().observed_generation = Some(generation);
            }
            fn interval(&self) -> Option<$crate::duration::GoDuration> {
                let interval: fn(&Self) -> Option<$crate::duration::GoDuration> = $interval;
                interval(self)
            }
            fn is_suspended(&self) -> bool {
                let suspended: fn(&Self) -> bool = $suspended;
                suspended(self)
            }
            fn last_handled_reconcile_at(&self) -> Option<&str> {
                self.status.as_ref()?.last_handled_reconcile_at.as_deref()
            }
            fn set_last_handled_reconcile_at(&mut self, value: Option<String>) {
                self.status.get_or_insert_default().last_handled_reconcile_at = value;
            }
        }
    };
}
pub(crate) use flux_object;

/// Implements [`SourceObject`] for a kind whose status has an artifact.
macro_rules! source_object {
    ($kind:ty) => {
        impl $crate::meta::SourceObject for $kind {
            fn artifact(&self) -> Option<&$crate::meta::Artifact> {
                self.status.as_ref()?.artifact.as_ref()
            }
            fn set_artifact(&mut self, artifact: Option<$crate::meta::Artifact>) {
                self.status.get_or_insert_default().artifact = artifact;
            }
        }
    };
}
pub(crate) use source_object;

/// For `skip_serializing_if` of flags that Go omits when false.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(crate) fn is_false(value: &bool) -> bool {
    !*value
}
