//! The CRDs of every kind, finished so that the API server sees what upstream's own CRDs say.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool,
};
use kube_core::CustomResourceExt;

use crate::{helm, helm_operator, source};

/// The CRDs of the source kinds.
#[must_use]
pub fn source() -> Vec<CustomResourceDefinition> {
    vec![
        finished::<source::v1::GitRepository>(),
        finished::<source::v1::HelmRepository>(),
        finished::<source::v1::HelmChart>(),
        finished::<source::v1::Bucket>(),
        finished::<source::v1::OciRepository>(),
        finished::<source::v1::ExternalArtifact>(),
    ]
}

/// The CRDs of the release kinds.
#[must_use]
pub fn helm() -> Vec<CustomResourceDefinition> {
    vec![finished::<helm::v2::HelmRelease>(), finished::<helm_operator::v1::HelmRelease>()]
}

/// Every CRD.
#[must_use]
pub fn all() -> Vec<CustomResourceDefinition> {
    source().into_iter().chain(helm()).collect()
}

/// The CRD of a kind without what serde's and schemars' view of the Rust type adds to it.
fn finished<K: CustomResourceExt>() -> CustomResourceDefinition {
    let mut crd = K::crd();
    crd.spec.names.list_kind = Some(format!("{}List", crd.spec.names.kind));
    // Go's serialiser leaves the root's spec optional; the Helm operator alone asks for it.
    let asks_for_spec = crd.spec.group == crate::names::group::HELM_OPERATOR;
    for version in &mut crd.spec.versions {
        if let Some(schema) = version.schema.as_mut().and_then(|schema| schema.open_api_v3_schema.as_mut()) {
            finish_schema(schema);
            describe_root(schema);
            schema.required = asks_for_spec.then(|| vec!["metadata".to_owned(), "spec".to_owned()]);
        }
    }
    crd
}

/// Adds the three properties every object has, for `kubectl explain`.
fn describe_root(schema: &mut JSONSchemaProps) {
    let properties = schema.properties.get_or_insert_default();
    let property = |type_: &str, description: Option<&str>| JSONSchemaProps {
        type_: Some(type_.to_owned()),
        description: description.map(str::to_owned),
        ..JSONSchemaProps::default()
    };
    properties.insert("apiVersion".to_owned(), property("string", Some("Group and version of the object's kind.")));
    properties.insert("kind".to_owned(), property("string", Some("Kind of the object.")));
    properties.insert("metadata".to_owned(), property("object", None));
}

fn finish_schema(schema: &mut JSONSchemaProps) {
    // `Option` is how Rust says "may be absent", not "may be null".
    schema.nullable = None;
    schema.title = None;
    if let Some(values) = &mut schema.enum_ {
        values.retain(|value| !value.0.is_null());
    }
    for property in schema.properties.iter_mut().flat_map(|properties| properties.values_mut()) {
        finish_schema(property);
    }
    match &mut schema.items {
        Some(JSONSchemaPropsOrArray::Schema(item)) => finish_schema(item),
        Some(JSONSchemaPropsOrArray::Schemas(items)) => items.iter_mut().for_each(finish_schema),
        None => {}
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        finish_schema(values);
    }
}
