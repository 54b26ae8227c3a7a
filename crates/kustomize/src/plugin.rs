//! Generators, transformers and validators given as configuration objects: the built-in ones are carried out here,
//! everything that would start a program is refused.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::{
    accumulate::{Accumulator, Target, resources_from},
    error::{Context, Error},
    field_spec::FieldSpec,
    generate::{Generated, generate as generate_one},
    go_json::{self, Manner},
    kustomization::{
        FieldSpecForm, GeneratorArguments, Image, Patch, PatchOptions, ReplacementField, Replica, Selector,
    },
    node::Node,
    res_map::ResMap,
    resource::{Behavior, Resource, internal},
    text,
    transform::{
        affix::{self, End},
        hash, image, json_patch, metadata,
        namespace::{self, Settings, SubjectMode},
        patch::{self, Patched},
        replacement, replica, value_add,
    },
};

/// Runs the `generators`.
pub(crate) fn generate(target: &Target<'_>, all: &mut Accumulator) -> Result<(), Error> {
    for config in configurations(target, &target.kustomization.generators)? {
        let mut made = ResMap::default();
        for resource in generate_by(target, &config)? {
            made.append(resource)?;
        }
        all.resources.absorb_all(made)?;
    }
    Ok(())
}

/// Runs the `transformers`.
pub(crate) fn transform(target: &Target<'_>, all: &mut Accumulator) -> Result<(), Error> {
    for config in configurations(target, &target.kustomization.transformers)? {
        transform_by(target, &config, &mut all.resources)?;
        all.resources.retain(|resource| !resource.node().is_empty());
        target.session.all_set_by(&mut all.resources, || target.setter("", config.node().text_at(&["kind"])));
        if target.session.keeps_notes() {
            target.note_configured(all, origin_by(target, &config));
        }
    }
    Ok(())
}

/// Runs the `validators`: transformers that may change nothing but a label of their own.
pub(crate) fn validate(target: &Target<'_>, all: &mut Accumulator) -> Result<(), Error> {
    for config in configurations(target, &target.kustomization.validators)? {
        let mut copy = all.resources.clone();
        transform_by(target, &config, &mut copy)?;
        let changed = copy.len() != all.resources.len()
            || copy.iter().zip(all.resources.iter()).any(|(new, old)| !is_only_marked(new, old));
        if changed {
            return Err(Error::message(format!("validator shouldn't modify the resource map; {} did", config.id())));
        }
        // Resources are compared by their ids, so two of one id are a change too.
        copy.check_distinct()?;
        all.resources = copy;
    }
    Ok(())
}

/// Whether a resource is what it was, but for the one label that a validator may add.
///
/// Taking that out again, upstream makes the other labels anew at the end of the metadata, and compares how all is written. So
/// it may be added only where there were no labels, or where transformers alone have made them, and just like that.
fn is_only_marked(new: &Resource, old: &Resource) -> bool {
    const MARK: &str = "validated-by";
    let labels = |resource: &Resource| resource.node().at(&["metadata", "labels"]).cloned();
    let Some(Node::Map(mut marked)) =
        labels(new).filter(|labels| labels.as_map().is_some_and(|map| map.contains(MARK)))
    else {
        return new.node() == old.node();
    };
    marked.remove(MARK);
    let mut node = new.node().clone();
    let Some(metadata) = node.map_at_mut(&["metadata"]) else { return false };
    if marked.entries.is_empty() {
        metadata.remove("labels");
    } else {
        metadata.set("labels", Node::Map(marked));
    }
    let is_last = old.node().at(&["metadata"]).and_then(Node::as_map).and_then(|map| map.entries.last());
    let as_made = match (labels(old), &old.made_labels) {
        (None, _) => true,
        (Some(labels), Some((made, had_notes))) => {
            labels == *made
                && has_sorted_keys(made)
                && !old.is_tracked
                && *had_notes == old.has_notes()
                && is_last.is_some_and(|(key, _)| &*key.text == "labels")
        }
        (Some(_), None) => false,
    };
    as_made && node == *old.node()
}

fn has_sorted_keys(node: &Node) -> bool {
    node.as_map().is_some_and(|map| map.entries.is_sorted_by_key(|(key, _)| &key.text))
}

/// The configuration objects that entries stand for: files, directories or inline YAML.
fn configurations(target: &Target<'_>, entries: &[String]) -> Result<Vec<Resource>, Error> {
    let mut all = Accumulator::default();
    // Upstream takes those that stand in the kustomization itself before those in files.
    let is_inline = |entry: &str| entry.contains('\n') || entry.contains(": ") || entry.starts_with('{');
    let (inline, files): (Vec<&String>, Vec<&String>) = entries.iter().partition(|entry| is_inline(entry));
    for entry in inline.into_iter().chain(files) {
        if is_inline(entry) {
            for node in resources_from(target.session, entry.as_bytes(), "inline configuration")? {
                let config = Resource::new(node);
                target.session.saw_kind(&config.id().gvk);
                all.resources.append(config)?;
            }
            continue;
        }
        if target.loader.is_directory(entry) || crate::repository::RepositorySpec::parse(entry).is_some() {
            let loader = target.loader.child(entry)?;
            let child = Target::load(target.session, loader, target.namespace.clone())?;
            all.resources.append_all(child.accumulate()?.resources)?;
            continue;
        }
        let bytes = target.loader.file(entry)?;
        let origin = Arc::new(target.origin(entry));
        for node in resources_from(target.session, &bytes, entry)? {
            let mut resource = Resource::new(node);
            target.session.saw_kind(&resource.id().gvk);
            target.session.comes_from(&mut resource, &origin);
            all.resources.append(resource)?;
        }
    }
    Ok(all.resources.into_resources())
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Form {
    field_specs: Vec<FieldSpecForm>,
    annotations: std::collections::BTreeMap<String, String>,
    labels: std::collections::BTreeMap<String, String>,
    image_tag: Image,
    prefix: String,
    suffix: String,
    unset_only: bool,
    set_role_binding_subjects: String,
    target: Option<Selector>,
    path: String,
    patch: String,
    json_op: String,
    options: Option<PatchOptions>,
    paths: Vec<String>,
    patches: Option<Value>,
    replacements: Vec<ReplacementField>,
    replica: Replica,
    value: String,
    target_file_path: String,
    targets: Vec<ValueAddTarget>,
    kubernetes_service: ServiceAccount,
    service_account: ServiceAccount,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ValueAddTarget {
    selector: Selector,
    field_path: String,
    file_path_position: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ValueAddTargets {
    targets: Vec<ValueAddTarget>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ServiceAccount {
    name: String,
    namespace: String,
    project_id: String,
}

/// A configuration object's fields.
fn form(config: &Resource) -> Result<Form, Error> {
    let value = text::to_json(config.node()).map_err(Error::Message)?;
    go_json::decode(&value, Manner::Lenient)
        .map_err(|error| Error::message(format!("trouble configuring {}: {error}", config.id())))
}

fn refuse(config: &Resource) -> Result<(), Error> {
    if config.annotation("config.kubernetes.io/function").is_some() {
        return Err(Error::Refused(format!(
            "{} is a KRM function, and functions are never run: use the built-in transformers, or run the function before the commit",
            config.id()
        )));
    }
    if config.node().text_at(&["apiVersion"]) != "builtin" {
        return Err(Error::Refused(format!(
            "external plugins disabled; unable to load external plugin '{}': only apiVersion builtin can be used, because programs are never started",
            config.node().text_at(&["kind"])
        )));
    }
    Ok(())
}

fn generate_by(target: &Target<'_>, config: &Resource) -> Result<Vec<Resource>, Error> {
    refuse(config)?;
    let kind = config.node().text_at(&["kind"]);
    let mut made = match kind {
        "ConfigMapGenerator" | "SecretGenerator" => {
            let generated = if kind == "ConfigMapGenerator" { Generated::ConfigMap } else { Generated::Secret };
            let arguments = generator_arguments(config)?;
            let mut resource = generate_one(generated, &arguments, None, &target.loader)?;
            target.generated_by(&mut resource, kind, &arguments);
            vec![resource]
        }
        "IAMPolicyGenerator" => service_account(config)?,
        "HelmChartInflationGenerator" => {
            return Err(Error::Refused(
                "HelmChartInflationGenerator as a generator is not supported: use helmCharts".into(),
            ));
        }
        _ => return Err(unknown_builtin(config)),
    };
    for resource in &mut made {
        target.session.comes_from(resource, &Arc::new(origin_by(target, config)));
        if resource.trace.is_none() {
            target.session.set_by(resource, || target.setter("", kind));
        }
        plugin_notes(resource);
    }
    Ok(made)
}

/// Where something that a configuration object makes or does comes from.
fn origin_by(target: &Target<'_>, config: &Resource) -> crate::resource::Origin {
    let own = target.own_origin();
    let file = config.origin.as_ref().map(|origin| origin.path.clone()).filter(|path| !path.is_empty());
    let configured_in = file.unwrap_or_else(|| own.configured_in.clone());
    crate::resource::Origin { configured_in, configured_by: Some(described(config)), ..own }
}

fn described(config: &Resource) -> crate::resource::ConfiguredBy {
    let text = |path: &[&str]| config.node().text_at(path).to_owned();
    crate::resource::ConfiguredBy {
        api_version: text(&["apiVersion"]),
        kind: text(&["kind"]),
        name: text(&["metadata", "name"]),
        namespace: text(&["metadata", "namespace"]),
    }
}

/// What plugins say of their output in annotations.
fn plugin_notes(resource: &mut Resource) {
    if resource.annotation(internal::PLUGIN_NEEDS_HASH) == Some("true") {
        resource.needs_hash = true;
    }
    if let Some(behavior) = resource.annotation(internal::PLUGIN_BEHAVIOR) {
        resource.behavior = Behavior::parse(behavior);
        resource.is_generated = true;
    }
    resource.drop_annotations(|key| key == internal::PLUGIN_NEEDS_HASH || key == internal::PLUGIN_BEHAVIOR);
}

fn generator_arguments(config: &Resource) -> Result<GeneratorArguments, Error> {
    let mut value = text::to_json(config.node()).map_err(Error::Message)?;
    if let Some(fields) = value.as_object_mut() {
        let metadata = fields.remove("metadata").unwrap_or_default();
        fields.remove("apiVersion");
        fields.remove("kind");
        for key in ["name", "namespace"] {
            if let Some(text) = metadata.get(key)
                && !fields.contains_key(key)
            {
                fields.insert(key.to_owned(), text.clone());
            }
        }
    }
    let mut arguments: GeneratorArguments = go_json::decode(&value, Manner::Lenient)
        .map_err(|error| Error::message(format!("trouble configuring {}: {error}", config.id())))?;
    if !arguments.env.is_empty() {
        arguments.envs.push(std::mem::take(&mut arguments.env));
    }
    Ok(arguments)
}

/// IAMPolicyGenerator: a ServiceAccount bound to one of Google Cloud.
fn service_account(config: &Resource) -> Result<Vec<Resource>, Error> {
    let form = form(config)?;
    let (kubernetes, cloud) = (form.kubernetes_service, form.service_account);
    let mut node = crate::node::Node::map();
    if let Some(root) = node.as_map_mut() {
        metadata::set_string(root, "apiVersion", "v1");
        metadata::set_string(root, "kind", "ServiceAccount");
    }
    if let Some(annotations) = node.map_at_mut(&["metadata", "annotations"]) {
        let account = format!("{}@{}.iam.gserviceaccount.com", cloud.name, cloud.project_id);
        metadata::set_string(annotations, "iam.gke.io/gcp-service-account", &account);
    }
    if let Some(map) = node.map_at_mut(&["metadata"]) {
        metadata::set_string(map, "name", &kubernetes.name);
        if !kubernetes.namespace.is_empty() {
            metadata::set_string(map, "namespace", &kubernetes.namespace);
        }
    }
    Ok(vec![Resource::new(node)])
}

fn transform_by(target: &Target<'_>, config: &Resource, resources: &mut ResMap) -> Result<(), Error> {
    refuse(config)?;
    let kind = config.node().text_at(&["kind"]).to_owned();
    let form = form(config)?;
    let specs: Vec<FieldSpec> = form.field_specs.iter().cloned().map(FieldSpec::from).collect();
    let named = |action: &str| format!("{action} of {}", config.id());
    match kind.as_str() {
        "AnnotationsTransformer" => metadata::apply(resources, &form.annotations, &specs),
        "LabelTransformer" => metadata::apply(resources, &form.labels, &specs),
        "HashTransformer" => hash::apply(resources),
        "ImageTagTransformer" => image::apply(resources, &form.image_tag, &specs).map(drop),
        "NamespaceTransformer" => {
            let subjects = match form.set_role_binding_subjects.as_str() {
                "" | "defaultOnly" => SubjectMode::DefaultOnly,
                "allServiceAccounts" => SubjectMode::AllServiceAccounts,
                "none" => SubjectMode::None,
                other => {
                    return Err(Error::message(format!(
                        "invalid value {other:?} for setRoleBindingSubjects: must be one of defaultOnly, allServiceAccounts or none"
                    )));
                }
            };
            let settings = Settings {
                namespace: config.node().text_at(&["metadata", "namespace"]).to_owned(),
                unset_only: form.unset_only,
                subjects,
            };
            namespace::apply(resources, &settings, &specs)
        }
        "PrefixTransformer" => affix::apply(resources, End::Prefix, &form.prefix, &required(specs)?),
        "SuffixTransformer" => affix::apply(resources, End::Suffix, &form.suffix, &required(specs)?),
        "PrefixSuffixTransformer" => {
            let specs = required(specs)?;
            if !form.prefix.is_empty() {
                affix::apply(resources, End::Prefix, &form.prefix, &specs)?;
            }
            if !form.suffix.is_empty() {
                affix::apply(resources, End::Suffix, &form.suffix, &specs)?;
            }
            Ok(())
        }
        "PatchTransformer" => {
            let entry = Patch { path: form.path, patch: form.patch, target: form.target, options: form.options };
            target.patch(resources, &entry)
        }
        "PatchJson6902Transformer" => {
            let entry = Patch { path: form.path, patch: form.json_op, target: form.target.clone(), options: None };
            let (text, _) = target.patch_text(&entry).context(|| named("configuration"))?;
            let selector =
                form.target.ok_or_else(|| Error::message("must specify a target in PatchJson6902Transformer"))?;
            json_patch_quietly(resources, &text, &selector).map(drop)
        }
        "PatchStrategicMergeTransformer" => strategic_merge(target, resources, &form),
        "ReplacementTransformer" => {
            for replacement in &form.replacements {
                for replacement in target.replacements(replacement)? {
                    replacement::apply(resources, &replacement)?;
                }
            }
            Ok(())
        }
        "ReplicaCountTransformer" => replica::apply(resources, &form.replica, &specs),
        "ValueAddTransformer" => {
            let mut listed = form.targets;
            if !form.target_file_path.is_empty() {
                listed.extend(value_add_targets(target, &form.target_file_path)?);
            }
            let targets: Vec<value_add::Target> = listed
                .into_iter()
                .map(|target| value_add::Target {
                    selector: target.selector,
                    field_path: target.field_path,
                    file_path_position: target.file_path_position,
                })
                .collect();
            let value = match form.value.trim() {
                // The name of the kustomization's directory.
                "" => match target.loader.root().rsplit('/').next() {
                    Some(name) if !name.is_empty() => name,
                    _ => "/",
                },
                value => value,
            };
            value_add::apply(resources, value, &targets)
        }
        _ => Err(unknown_builtin(config)),
    }
}

fn unknown_builtin(config: &Resource) -> Error {
    Error::message(format!("unable to load builtin {}", config.id()))
}

fn value_add_targets(target: &Target<'_>, path: &str) -> Result<Vec<ValueAddTarget>, Error> {
    let wrong = |message: String| Error::Yaml { path: path.to_owned(), message };
    let value = text::yaml_to_json(&target.loader.file(path)?).map_err(wrong)?;
    let file: ValueAddTargets = go_json::decode(&value, Manner::Lenient).map_err(|error| wrong(error.to_string()))?;
    Ok(file.targets)
}

fn required(specs: Vec<FieldSpec>) -> Result<Vec<FieldSpec>, Error> {
    if specs.is_empty() { Err(Error::message("fieldSpecs must be specified")) } else { Ok(specs) }
}

fn strategic_merge(target: &Target<'_>, resources: &mut ResMap, form: &Form) -> Result<(), Error> {
    let mut patches = Vec::new();
    for path in &form.paths {
        let bytes = target.loader.file(path)?;
        let text = String::from_utf8(bytes)
            .map_err(|_| Error::Yaml { path: path.clone(), message: "not UTF-8 text".into() })?;
        patches.extend(patch::resources_of(&text, path)?);
    }
    match &form.patches {
        Some(Value::String(text)) => patches.extend(patch::resources_of(text, "patches")?),
        Some(Value::Array(list)) => {
            for text in list.iter().filter_map(Value::as_str) {
                patches.extend(patch::resources_of(text, "patches")?);
            }
        }
        _ => {}
    }
    if patches.is_empty() {
        return Err(Error::message("empty file path and empty patch content"));
    }
    patch::apply_merge_by_id(resources, &patches, &target.session.schema()).map(drop)
}

/// A JSON patch on whatever a target selects, be it nothing; resources do not remember who they were before.
pub(crate) fn json_patch_quietly(resources: &mut ResMap, text: &str, target: &Selector) -> Result<Patched, Error> {
    let operations = json_patch::parse(text)?;
    patch::apply_json_to_selected(resources, &operations, target, false)
}
