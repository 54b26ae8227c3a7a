//! Single steps of a build, for tests that compare them with upstream's library. Not part of the public interface.

use serde::Deserialize;
use serde_json::Value;

use crate::{
    error::Error,
    field_spec::FieldSpec,
    go_json::{self, Manner},
    id::Gvk,
    kustomization::{Image, ReplacementField, Replica},
    merge::{self, NewElements},
    node::{Node, Scalar, Tag},
    res_map::ResMap,
    resource::Resource,
    schema::Schema,
    text,
    transform::{
        affix::{self, End},
        image, json_patch, metadata, patch, replacement, replica, value_add,
    },
};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Form {
    image_tag: Image,
    fs_slice: Vec<Spec>,
    field_spec: Spec,
    labels: std::collections::BTreeMap<String, String>,
    prefix: String,
    suffix: String,
    replica: Replica,
    value: String,
    field_path: String,
    file_path_position: i64,
    patch: Value,
    replacements: Vec<ReplacementField>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    gvk: SpecKind,
    path: String,
    create_if_not_present: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SpecKind {
    group: String,
    version: String,
    kind: String,
}

impl From<&Spec> for FieldSpec {
    fn from(spec: &Spec) -> Self {
        Self::new(&spec.gvk.group, &spec.gvk.version, &spec.gvk.kind, &spec.path, spec.create_if_not_present)
    }
}

/// The documents of a text as data.
pub fn documents(text: &str) -> Result<Vec<Value>, String> {
    let nodes = text::parse_documents(text.as_bytes(), "text").map_err(|error| error.to_string())?;
    nodes.iter().map(data).collect()
}

/// A tree as data. A key that is no text has no JSON form: it is told apart by its type.
fn data(node: &Node) -> Result<Value, String> {
    let mut node = node.clone();
    name_keys(&mut node);
    text::to_json(&node)
}

fn name_keys(node: &mut Node) {
    match node {
        Node::Map(map) => {
            for (key, value) in &mut map.entries {
                let tag = if key.tag == Tag::Open { text::tag_of(&key.text) } else { key.tag };
                if tag != Tag::Str {
                    *key = Scalar::string(format!("{tag:?} {}", key.text));
                }
                name_keys(value);
            }
        }
        Node::Seq(list) => list.iter_mut().for_each(name_keys),
        Node::Scalar(_) => {}
    }
}

/// Runs one transformer on documents that need not be whole resources.
pub fn filter(name: &str, config: &Value, input: &str) -> Result<Vec<Value>, String> {
    let resources = run(name, config, input).map_err(|error| error.to_string())?;
    resources.iter().filter(|resource| !resource.node().is_empty()).map(|r| data(r.node())).collect()
}

fn run(name: &str, config: &Value, input: &str) -> Result<ResMap, Error> {
    let from_text = |text: &Value| text.as_str().map(|text| text::yaml_to_json(text.as_bytes()));
    let whole = from_text(&config["_yaml"]).transpose().map_err(Error::Message)?;
    let form: Form = go_json::decode(whole.as_ref().unwrap_or(config), Manner::Lenient)
        .map_err(|error| Error::message(error.to_string()))?;
    let nodes = text::parse_documents(input.as_bytes(), "input")?;
    let mut all = ResMap::from(nodes.into_iter().map(Resource::new).collect::<Vec<_>>());
    let list: Vec<FieldSpec> = form.fs_slice.iter().map(FieldSpec::from).collect();
    let one = [FieldSpec::from(&form.field_spec)];
    match name {
        "replacement" => form.replacements.iter().try_for_each(|each| replacement::apply(&mut all, each))?,
        "imagetag" => image::apply(&mut all, &form.image_tag, &list).map(drop)?,
        "labels" => metadata::apply(&mut all, &form.labels, &list)?,
        "prefix" => affix::apply(&mut all, End::Prefix, &form.prefix, &one)?,
        "suffix" => affix::apply(&mut all, End::Suffix, &form.suffix, &one)?,
        "replicacount" => {
            let any_name = |all: &mut ResMap| {
                all.iter_mut().try_for_each(|resource| replica::set(resource, &form.replica, &one[0]))
            };
            any_name(&mut all)?;
        }
        "valueadd" => {
            let target = value_add::Target {
                field_path: form.field_path,
                file_path_position: form.file_path_position,
                ..value_add::Target::default()
            };
            value_add::apply(&mut all, &form.value, &[target])?;
        }
        "patchjson6902" => {
            let operations = json_patch::parse(form.patch.as_str().unwrap_or_default())?;
            all.iter_mut().try_for_each(|resource| patch::apply_json(resource, &operations))?;
        }
        "patchstrategicmerge" => {
            let text = form.patch["_yaml"].as_str().unwrap_or_default();
            let patch = first(text)?;
            for resource in all.iter_mut() {
                let merged = merge::merge(&Schema::Builtin, resource.take_node(), &patch, merge::Options::default())?;
                *resource.node_mut() = merged.unwrap_or_else(Node::map);
            }
        }
        other => return Err(Error::message(format!("no filter {other}"))),
    }
    Ok(all)
}

fn first(text: &str) -> Result<Node, Error> {
    let nodes = text::parse_documents(text.as_bytes(), "text")?;
    Ok(nodes.into_iter().next().unwrap_or_else(Node::null))
}

/// One strategic merge.
pub fn merge(patch: &str, destination: &str, infer_keys: bool, append: bool) -> Result<Vec<Value>, String> {
    let one = || -> Result<Option<Node>, Error> {
        let new_elements = if append { NewElements::Append } else { NewElements::Prepend };
        let options = merge::Options { new_elements, infer_keys };
        merge::merge(&Schema::Builtin, first(destination)?, &first(patch)?, options)
    };
    let merged = one().map_err(|error| error.to_string())?;
    merged.iter().filter(|node| !node.is_null()).map(data).collect()
}

/// Whether objects of a kind are known to live outside namespaces.
pub fn is_cluster_scoped(api_version: &str, kind: &str) -> bool {
    Gvk::parse(api_version, kind).is_cluster_scoped()
}
