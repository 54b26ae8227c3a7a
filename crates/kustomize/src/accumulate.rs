//! Carries out one kustomization on top of the resources, configuration and vars collected so far.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    build::Session,
    config::Config,
    error::{Context, Error},
    explain::Setter,
    field_spec::FieldSpec,
    generate::{Generated, generate},
    go_json::{self, Manner},
    id::{Gvk, ResId},
    kustomization::{Kustomization, Patch, PatchOptions, ReplacementField, Var},
    loader::{Loader, is_url},
    node::Node,
    plugin,
    res_map::ResMap,
    resource::{Origin, Resource},
    text,
    transform::{
        affix::{self, End},
        image, metadata,
        namespace::{self, Settings},
        patch::{self, Content, Patched},
        path, replacement, replica, var,
    },
};

/// What has been collected.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accumulator {
    pub(crate) resources: ResMap,
    pub(crate) config: Arc<Config>,
    pub(crate) vars: Vec<Var>,
}

/// One kustomization being carried out.
pub(crate) struct Target<'a> {
    pub(crate) session: &'a Session,
    pub(crate) loader: Loader,
    pub(crate) kustomization: Kustomization,
    pub(crate) path: String,
    /// The nearest namespace of a kustomization on the way here, which charts fall back to.
    pub(crate) namespace: String,
}

impl<'a> Target<'a> {
    /// Reads the kustomization of the loader's directory.
    pub(crate) fn load(session: &'a Session, loader: Loader, namespace: String) -> Result<Self, Error> {
        let (path, bytes) = loader.kustomization()?;
        let (mut kustomization, warnings) = Kustomization::parse(&bytes, &path)?;
        session.warn(warnings);
        if let Some(metadata) = session.build_metadata() {
            kustomization.build_metadata = metadata;
        } else {
            session.set_build_metadata(kustomization.build_metadata.clone());
        }
        bring_schema(session, &loader, &kustomization).context(|| format!("{path}: openapi"))?;
        let namespace = if kustomization.namespace.is_empty() { namespace } else { kustomization.namespace.clone() };
        Ok(Self { session, loader, kustomization, path, namespace })
    }

    /// Everything this kustomization yields by itself.
    pub(crate) fn accumulate(self) -> Result<Accumulator, Error> {
        self.accumulate_onto(Accumulator::default())
    }

    /// The same on top of what is there (a component sees its parent's resources).
    fn accumulate_onto(self, mut all: Accumulator) -> Result<Accumulator, Error> {
        for path in &self.kustomization.resources {
            let added = self.resource(&mut all, path);
            self.in_field("resources", added.context(|| format!("accumulating resources from '{path}'")))?;
        }
        let mut config =
            if all.config.name_references.is_empty() { Config::builtin() } else { Arc::clone(&all.config) };
        for path in &self.kustomization.configurations {
            let read = self.loader.file(path).and_then(|bytes| Config::parse(&bytes, path));
            self.in_field("configurations", read.and_then(|more| Arc::make_mut(&mut config).merge(more)))?;
        }
        for path in &self.kustomization.crds {
            let read = self.loader.file(path).and_then(|bytes| crate::crds::config_from(&bytes, path));
            self.in_field("crds", read.and_then(|more| Arc::make_mut(&mut config).merge(more)))?;
        }
        all.config = self.in_field("configurations", merged(all.config, config))?;
        self.generate(&mut all)?;
        for path in &self.kustomization.components {
            let added = self.component(all, path);
            let context = || format!("accumulating components: accumulateDirectory: \"{path}\"");
            all = self.in_field("components", added.context(context))?;
        }
        self.transform(&mut all)?;
        self.in_field("validators", plugin::validate(&self, &mut all))?;
        self.in_field("vars", self.register_vars(&mut all))?;
        Ok(all)
    }

    /// Says of an error in which field of which kustomization the reason stands.
    fn in_field<T>(&self, field: &str, result: Result<T, Error>) -> Result<T, Error> {
        result.context(|| format!("{}: {field}", self.setter("", "").file))
    }

    fn child(&self, path: &str) -> Result<Self, Error> {
        let loader = self.loader.child(path)?;
        Self::load(self.session, loader, self.namespace.clone())
    }

    fn resource(&self, all: &mut Accumulator, path: &str) -> Result<(), Error> {
        let is_directory = !is_url(path) && self.loader.is_directory(path);
        let as_file = if is_directory { None } else { Some(self.loader.file(path)) };
        let file_error = match as_file {
            Some(Ok(bytes)) => match resources_from(self.session, &bytes, path) {
                Ok(nodes) => {
                    let origin = Arc::new(self.origin(path));
                    for node in nodes {
                        let mut resource = Resource::new(node);
                        self.session.saw_kind(&resource.id().gvk);
                        resource.origin = Some(Arc::clone(&origin));
                        self.session.set_by(&mut resource, || self.setter(path, ""));
                        all.resources.append(resource)?;
                    }
                    return Ok(());
                }
                Err(error) if is_url(path) => Some(error),
                Err(error) => return Err(error),
            },
            Some(Err(error)) => Some(error),
            None => None,
        };
        let child = match (self.child(path), file_error) {
            (Ok(child), _) => child,
            // A repository, as its URL says: why it is no file matters less.
            (Err(error), Some(Error::Read(file))) if crate::RepositorySpec::parse(path).is_some() => {
                return Err(error.context(format!("accumulation err='{file}'")));
            }
            // What was meant as a file is told as a file.
            (Err(_), Some(error)) if !matches!(error, Error::Refused(_)) => return Err(error),
            (Err(error), _) => return Err(error),
        };
        if child.kustomization.is_component() {
            return Err(Error::message(format!(
                "expected kind != 'Component' for path '{path}': list components under 'components'"
            )));
        }
        let below = child.accumulate()?;
        all.resources.append_all(below.resources)?;
        all.config = merged(std::mem::take(&mut all.config), below.config)?;
        for var in below.vars {
            add_var(&mut all.vars, var)?;
        }
        Ok(())
    }

    fn component(&self, all: Accumulator, path: &str) -> Result<Accumulator, Error> {
        if is_url(path) && crate::repository::RepositorySpec::parse(path).is_none() {
            return Err(Error::message(format!("'{path}' is not a directory or repository")));
        }
        let child = self.child(path)?;
        if !child.kustomization.is_component() {
            return Err(Error::message(format!("expected kind 'Component' for path '{path}' but got 'Kustomization'")));
        }
        child.accumulate_onto(all)
    }

    fn generate(&self, all: &mut Accumulator) -> Result<(), Error> {
        let k = &self.kustomization;
        let globals = k.generator_options.as_ref();
        let builtin = k
            .config_map_generator
            .iter()
            .map(|arguments| (Generated::ConfigMap, arguments))
            .chain(k.secret_generator.iter().map(|arguments| (Generated::Secret, arguments)));
        for (kind, arguments) in builtin {
            let (generator, field) = match kind {
                Generated::ConfigMap => ("ConfigMapGenerator", "configMapGenerator"),
                Generated::Secret => ("SecretGenerator", "secretGenerator"),
            };
            let made = generate(kind, arguments, globals, &self.loader);
            let mut resource = self.in_field(field, made)?;
            resource.origin = Some(Arc::new(self.generator_origin(generator)));
            self.session.set_by(&mut resource, || self.setter("", generator));
            let mut one = ResMap::default();
            one.append(resource)?;
            self.in_field(field, all.resources.absorb_all(one))?;
        }
        self.in_field("helmCharts", crate::chart::generate(self, all))?;
        self.in_field("generators", plugin::generate(self, all))
    }

    fn transform(&self, all: &mut Accumulator) -> Result<(), Error> {
        let k = &self.kustomization;
        for path in &k.patches_strategic_merge {
            self.in_field("patchesStrategicMerge", self.strategic_merge_patch(&mut all.resources, path))?;
            let file = if path.contains('\n') { "" } else { path };
            self.session.all_set_by(&mut all.resources, || self.setter(file, "PatchStrategicMergeTransformer"));
        }
        self.note(all, "PatchStrategicMergeTransformer", !k.patches_strategic_merge.is_empty());
        for patch in &k.patches {
            self.in_field("patches", self.patch(&mut all.resources, patch))?;
            self.session.all_set_by(&mut all.resources, || self.setter(&patch.path, "PatchTransformer"));
            self.note(all, "PatchTransformer", true);
        }
        let settings = Settings { namespace: k.namespace.clone(), ..Settings::default() };
        self.in_field("namespace", namespace::apply(&mut all.resources, &settings, &all.config.namespace))?;
        self.note(all, "NamespaceTransformer", !k.namespace.is_empty());
        if !k.name_prefix.is_empty() {
            let done = affix::apply(&mut all.resources, End::Prefix, &k.name_prefix, &all.config.name_prefix);
            self.in_field("namePrefix", done)?;
            self.note(all, "PrefixTransformer", true);
        }
        if !k.name_suffix.is_empty() {
            let done = affix::apply(&mut all.resources, End::Suffix, &k.name_suffix, &all.config.name_suffix);
            self.in_field("nameSuffix", done)?;
            self.note(all, "SuffixTransformer", true);
        }
        self.in_field("labels", self.labels(all))?;
        let done = metadata::apply(&mut all.resources, &k.common_annotations, &all.config.common_annotations);
        self.in_field("commonAnnotations", done)?;
        self.note(all, "AnnotationsTransformer", !k.common_annotations.is_empty());
        for patch in &k.patches_json6902 {
            self.in_field("patchesJson6902", self.json_patch(&mut all.resources, patch))?;
            self.session.all_set_by(&mut all.resources, || self.setter(&patch.path, "PatchJson6902Transformer"));
            self.note(all, "PatchJson6902Transformer", true);
        }
        for replica in &k.replicas {
            self.in_field("replicas", replica::apply(&mut all.resources, replica, &all.config.replicas))?;
            self.note(all, "ReplicaCountTransformer", true);
        }
        for image in &k.images {
            if !self.in_field("images", image::apply(&mut all.resources, image, &all.config.images))? {
                self.advise(&format!("images: no image is named '{}'", image.name));
            }
            self.note(all, "ImageTagTransformer", true);
        }
        for field in &k.replacements {
            for replacement in self.in_field("replacements", self.replacements(field))? {
                self.in_field("replacements", replacement::apply(&mut all.resources, &replacement))?;
            }
        }
        self.note(all, "ReplacementTransformer", !k.replacements.is_empty());
        self.in_field("transformers", plugin::transform(self, all))
    }

    fn labels(&self, all: &mut Accumulator) -> Result<(), Error> {
        let k = &self.kustomization;
        for label in &k.labels {
            let mut specs: Vec<FieldSpec> = label.fields.iter().cloned().map(FieldSpec::from).collect();
            let (base, templates): (&[FieldSpec], &[FieldSpec]) = if label.include_selectors {
                (&all.config.common_labels, &[])
            } else {
                let templates: &[FieldSpec] = if label.include_templates { &all.config.template_labels } else { &[] };
                (&all.config.labels, templates)
            };
            crate::config::merge_specs(&mut specs, base.to_vec())?;
            crate::config::merge_specs(&mut specs, templates.to_vec())?;
            metadata::apply(&mut all.resources, &label.pairs, &specs).context(|| "labels".to_owned())?;
            self.note(all, "LabelTransformer", true);
        }
        metadata::apply(&mut all.resources, &k.common_labels, &all.config.common_labels)
            .context(|| "commonLabels".to_owned())?;
        self.note(all, "LabelTransformer", !(k.labels.is_empty() && k.common_labels.is_empty()));
        Ok(())
    }

    /// Notes on every resource that a built-in transformer ran, for `transformerAnnotations`.
    fn note(&self, all: &mut Accumulator, kind: &str, ran: bool) {
        if !ran {
            return;
        }
        self.session.all_set_by(&mut all.resources, || self.setter("", kind));
        let is_sourceless = all.resources.take_unsourced() && all.resources.iter().any(|r| r.origin.is_none());
        if self.session.notes_transformations() || is_sourceless {
            let configured_by = crate::resource::ConfiguredBy {
                api_version: "builtin".into(),
                kind: kind.into(),
                ..crate::resource::ConfiguredBy::default()
            };
            let origin = Origin { configured_by: Some(configured_by), ..self.own_origin() };
            self.note_configured(all, origin);
        }
    }

    pub(crate) fn note_configured(&self, all: &mut Accumulator, origin: Origin) {
        let origin = Arc::new(origin);
        let push = self.session.notes_transformations();
        for resource in all.resources.iter_mut() {
            // Who has no origin (any more) counts as made by the transformer.
            if resource.origin.is_none() {
                resource.origin = Some(Arc::clone(&origin));
            } else if push {
                resource.transformations.push(Arc::clone(&origin));
            }
        }
    }

    fn strategic_merge_patch(&self, resources: &mut ResMap, entry: &str) -> Result<(), Error> {
        let patches = match patch::resources_of(entry, "patchesStrategicMerge") {
            Ok(inline) if !inline.is_empty() => inline,
            _ => {
                let bytes = self.loader.file(entry)?;
                let text = String::from_utf8(bytes)
                    .map_err(|_| Error::Yaml { path: entry.to_owned(), message: "not UTF-8 text".into() })?;
                let nodes = patch::resources_of(&text, entry)?;
                if nodes.is_empty() {
                    return Err(Error::message(format!("patch appears to be empty; files=[{entry}], Patch=\"\"")));
                }
                nodes
            }
        };
        let done = patch::apply_merge_to_named(resources, &patches, PatchOptions::default(), &self.session.schema())?;
        self.patched(&format!("patchesStrategicMerge: [{}]", shortened(entry)), done);
        Ok(())
    }

    /// Says so when a patch has found what it is for, and changed nothing of it.
    fn patched(&self, source: &str, done: Patched) {
        if done.count > 0 && !done.is_effective {
            self.advise(&format!("{source} changes nothing"));
        }
    }

    /// Notes something in this kustomization that has no effect.
    fn advise(&self, advice: &str) {
        self.session.advise(format!("{}: {advice}", self.setter("", "").file));
    }

    /// Who sets what a step of this kustomization sets: the file that it names for that, or else the kustomization itself.
    pub(crate) fn setter(&self, file: &str, transformer: &str) -> Setter {
        let shown = |origin: Origin| match (origin.repo.is_empty(), origin.reference.is_empty()) {
            (true, _) => origin.path,
            (false, true) => format!("{}//{}", origin.repo, origin.path),
            (false, false) => format!("{}//{}?ref={}", origin.repo, origin.path, origin.reference),
        };
        let own = shown(self.origin(self.path.rsplit('/').next().unwrap_or_default()));
        let transformer = transformer.to_owned();
        if file.is_empty() {
            return Setter { file: own, transformer, configured_in: String::new() };
        }
        Setter { file: shown(self.origin(file)), transformer, configured_in: own }
    }

    /// The text of a patch, and what to call it.
    pub(crate) fn patch_text(&self, patch: &Patch) -> Result<(String, String), Error> {
        match (patch.path.is_empty(), patch.patch.trim().is_empty()) {
            (true, true) => Err(Error::message("must specify one of patch and path in PatchTransformer")),
            (false, false) => Err(Error::message("patch and path can't be set at the same time")),
            (true, false) => Ok((patch.patch.trim().to_owned(), format!("patch: {:?}", patch.patch.trim()))),
            (false, true) => {
                let bytes = self
                    .loader
                    .file(&patch.path)
                    .context(|| format!("failed to get the patch file from path({})", patch.path))?;
                let text = String::from_utf8(bytes)
                    .map_err(|_| Error::Yaml { path: patch.path.clone(), message: "not UTF-8 text".into() })?;
                Ok((text, format!("path: {:?}", patch.path)))
            }
        }
    }

    pub(crate) fn patch(&self, resources: &mut ResMap, entry: &Patch) -> Result<(), Error> {
        let (text, source) = self.patch_text(entry)?;
        let options = entry.options.unwrap_or_default();
        match (patch::parse(&text, &source)?, &entry.target) {
            (None, _) => Ok(()),
            (Some(Content::Merge(nodes)), None) => {
                let done = patch::apply_merge_to_named(resources, &nodes, options, &self.session.schema())?;
                self.patched(&format!("patches: [{}]", shortened(&source)), done);
                Ok(())
            }
            (Some(Content::Merge(nodes)), Some(target)) => {
                let [node] = nodes.as_slice() else {
                    return Err(Error::message(format!(
                        "Multiple Strategic-Merge Patches in one `patches` entry is not allowed to set `patches.target` field: [{source}]"
                    )));
                };
                let done = patch::apply_merge_to_selected(resources, node, target, options, &self.session.schema())?;
                self.session.patched(&source, done.count);
                self.patched(&format!("patches: [{}]", shortened(&source)), done);
                Ok(())
            }
            (Some(Content::Json(_)), None) => {
                Err(Error::message(format!("must specify a target for JSON patch [{source}]")))
            }
            (Some(Content::Json(operations)), Some(target)) => {
                let done = patch::apply_json_to_selected(resources, &operations, target, true)?;
                self.session.patched(&source, done.count);
                self.patched(&format!("patches: [{}]", shortened(&source)), done);
                Ok(())
            }
        }
    }

    fn json_patch(&self, resources: &mut ResMap, entry: &Patch) -> Result<(), Error> {
        let Some(target) = entry.target.as_ref().filter(|target| !target.name.is_empty()) else {
            return Err(Error::message("must specify the target name of a patchesJson6902 entry"));
        };
        let (text, source) = self.patch_text(entry)?;
        let done = plugin::json_patch_quietly(resources, &text, target)?;
        self.patched(&format!("patchesJson6902: [{}]", shortened(&source)), done);
        Ok(())
    }

    pub(crate) fn replacements(&self, field: &ReplacementField) -> Result<Vec<ReplacementField>, Error> {
        if field.path.is_empty() {
            return Ok(vec![field.clone()]);
        }
        if field.source.is_some() || field.source_value.is_some() || !field.targets.is_empty() {
            return Err(Error::message("cannot specify both path and inline replacement"));
        }
        let wrong = |message: String| Error::Yaml { path: field.path.clone(), message };
        let value = text::yaml_to_json(&self.loader.file(&field.path)?).map_err(wrong)?;
        let decoded = match value {
            serde_json::Value::Array(_) => go_json::decode(&value, Manner::Strict),
            serde_json::Value::Object(_) => go_json::decode(&value, Manner::Strict).map(|one| vec![one]),
            _ => return Err(wrong("unsupported replacement type: a replacement or a list of them is needed".into())),
        };
        decoded.map_err(|error| wrong(error.to_string()))
    }

    fn register_vars(&self, all: &mut Accumulator) -> Result<(), Error> {
        for var in &self.kustomization.vars {
            let target = &var.objref;
            let mut gvk = Gvk::parse(&target.api_version, &target.kind);
            if gvk.group.is_empty() && !target.group.is_empty() {
                gvk.group = target.group.as_str().into();
            }
            if gvk.version.is_empty() && !target.version.is_empty() {
                gvk.version = target.version.as_str().into();
            }
            let wanted = |id: &ResId| {
                id.gvk.is_selected(&gvk)
                    && *id.name == *target.name
                    && (target.namespace.is_empty() || id.effective_namespace() == target.namespace)
            };
            let matching: Vec<usize> = (0..)
                .zip(all.resources.iter())
                .filter(|(_, resource)| wanted(resource.id()) || resource.previous_ids().any(|id| wanted(&id)))
                .map(|(at, _)| at)
                .collect();
            match matching.as_slice() {
                [] => {}
                [one] => {
                    if let Some(resource) = all.resources.get_mut(*one) {
                        resource.bound_vars.push(var.name.clone());
                    }
                }
                _ => {
                    return Err(Error::message(format!(
                        "found {} resId matches for var {} (unable to disambiguate)",
                        matching.len(),
                        var.name
                    )));
                }
            }
            add_var(&mut all.vars, var.clone())?;
        }
        Ok(())
    }

    /// Where a resource read from a file of this kustomization comes from.
    pub(crate) fn origin(&self, path: &str) -> Origin {
        let repository = self.loader.repository();
        let base = match repository {
            Some(_) => self.loader.path_in_repository(),
            None => crate::loader::relative(self.loader.root(), self.session.root()),
        };
        Origin {
            path: if is_url(path) { path.to_owned() } else { crate::fs::clean(&format!("{base}/{path}")) },
            repo: repository.map(crate::repository::RepositorySpec::clone_url).unwrap_or_default(),
            reference: repository.map(|spec| spec.reference.clone()).unwrap_or_default(),
            ..Origin::default()
        }
    }

    /// Where something that this kustomization file makes or does comes from.
    pub(crate) fn own_origin(&self) -> Origin {
        let file = self.path.rsplit('/').next().unwrap_or_default();
        let origin = self.origin(file);
        Origin { configured_in: origin.path, path: String::new(), ..origin }
    }

    pub(crate) fn generator_origin(&self, kind: &str) -> Origin {
        let configured_by = crate::resource::ConfiguredBy {
            api_version: "builtin".into(),
            kind: kind.into(),
            ..crate::resource::ConfiguredBy::default()
        };
        Origin { configured_by: Some(configured_by), ..self.own_origin() }
    }
}

fn merged(mut base: Arc<Config>, other: Arc<Config>) -> Result<Arc<Config>, Error> {
    if base.name_references.is_empty() {
        return Ok(other);
    }
    // Most kustomizations bring no configuration: theirs is the built-in one, and the same.
    if !Arc::ptr_eq(&base, &other) {
        Arc::make_mut(&mut base).merge(Arc::unwrap_or_clone(other))?;
    }
    Ok(base)
}

/// The beginning of a patch that is written in the kustomization itself.
fn shortened(source: &str) -> String {
    const LENGTH: usize = 60;
    let line = source.lines().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LENGTH { line } else { line.chars().take(LENGTH).chain("...".chars()).collect() }
}

fn add_var(vars: &mut Vec<Var>, var: Var) -> Result<(), Error> {
    if vars.iter().any(|known| known.name == var.name) {
        return Err(Error::message(format!("var '{}' already encountered", var.name)));
    }
    vars.push(var);
    Ok(())
}

/// Takes in the schema that a kustomization brings.
fn bring_schema(session: &Session, loader: &Loader, kustomization: &Kustomization) -> Result<(), Error> {
    let (path, version) = (kustomization.openapi.get("path"), kustomization.openapi.get("version"));
    match (path, version) {
        (Some(_), Some(_)) => Err(Error::message("builtin version and custom schema provided, cannot use both")),
        (Some(path), None) => {
            let document = text::yaml_to_json(&loader.file(path)?)
                .map_err(|message| Error::Yaml { path: path.clone(), message })?;
            session.bring_schema(&document);
            Ok(())
        }
        (None, Some(version)) if version != "v1.21.2" => Err(Error::message(format!(
            "the specified OpenAPI version is not built in: {version} (use v1.21.2 or a path)"
        ))),
        _ => Ok(()),
    }
}

/// The resources in a file's text, lists taken apart.
pub(crate) fn resources_from(session: &Session, bytes: &[u8], path: &str) -> Result<Vec<Node>, Error> {
    let documents = session.documents(bytes, path)?;
    let mut out = Vec::with_capacity(documents.len());
    let mut queue: std::collections::VecDeque<Node> = documents.into();
    while let Some(mut node) = queue.pop_front() {
        let is_list = node.text_at(&["kind"]).ends_with("List");
        if is_list && let Some(items) = node.as_map_mut().and_then(|map| map.get_mut("items")) {
            match std::mem::replace(items, Node::null()) {
                Node::Seq(items) => {
                    queue.extend(items);
                    continue;
                }
                other if other.is_null() => continue,
                other => {
                    return Err(Error::NotAResource {
                        path: path.to_owned(),
                        message: format!(
                            "expected a list in {}/items, but found {}",
                            node.text_at(&["kind"]),
                            other.kind()
                        ),
                    });
                }
            }
        }
        check_resource(&node, path)?;
        out.push(node);
    }
    Ok(out)
}

/// Refuses what is no Kubernetes object.
pub(crate) fn check_resource(node: &Node, path: &str) -> Result<(), Error> {
    let wrong = |message: String| Error::NotAResource { path: path.to_owned(), message };
    if node.as_map().is_none() {
        return Err(wrong(format!("not a Kubernetes object: expected a mapping, found {}", node.kind())));
    }
    let kind = node.text_at(&["kind"]);
    if kind.is_empty() {
        return Err(wrong(format!("missing kind in object {}", described(node))));
    }
    if node.text_at(&["metadata", "name"]).is_empty() && !kind.ends_with("List") {
        return Err(wrong(format!("missing metadata.name in object {}", described(node))));
    }
    Ok(())
}

fn described(node: &Node) -> String {
    let part = |key: &str| node.text_at(&[key]).to_owned();
    format!("{{{{{} {}}} {{{{ }} map[] map[]}}}}", part("apiVersion"), part("kind"))
}

/// The values of all vars, read at the end of the build.
pub(crate) fn var_values(all: &mut Accumulator) -> Result<var::Values, Error> {
    let mut out = BTreeMap::new();
    for var in std::mem::take(&mut all.vars) {
        let bound = |resource: &&Resource| resource.bound_vars.contains(&var.name);
        let Some(resource) = all.resources.iter().find(bound) else {
            return Err(Error::message(format!(
                "var '{}' cannot be mapped to a field in the set of known resources: no resource matches its objref",
                var.name
            )));
        };
        let field = if var.fieldref.field_path.is_empty() { "metadata.name" } else { &var.fieldref.field_path };
        let found = path::find(resource.node(), &path::parse(&field.replace('[', ".").replace(']', "")))?;
        let missing = || {
            Error::message(format!(
                "field '{field}' specified in var '{}' not found in corresponding resource {}",
                var.name,
                resource.id()
            ))
        };
        match found {
            None => return Err(missing()),
            // Only plain values can stand in for a reference; with others it stays as it is.
            Some(Node::Scalar(scalar)) if !scalar.is_null() => {
                let value = var::Value::of(scalar).ok_or_else(missing)?;
                out.insert(var.name, value);
            }
            Some(_) => {}
        }
    }
    Ok(out)
}
