//! Carries out one kustomization on top of the resources, configuration and vars collected so far.

mod files;
mod patches;
mod provenance;
mod transform;
mod vars;

use std::sync::Arc;

use crate::{
    build::Session,
    config::Config,
    error::{Context, Error},
    generate::{Generated, generate},
    kustomization::{Kustomization, Var},
    loader::{Loader, is_url},
    plugin,
    res_map::ResMap,
    resource::Resource,
    text,
};

pub(crate) use files::{check_resource, resources_from};
use vars::add_var;
pub(crate) use vars::var_values;

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
                        self.session.comes_from(&mut resource, &origin);
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
        let all = child.accumulate_onto(all)?;
        // Resources are added anew here, so ids that JSON patches have made equal are found out.
        all.resources.check_distinct()?;
        Ok(all)
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
            self.session.comes_from(&mut resource, &Arc::new(self.builtin_origin(generator)));
            self.generated_by(&mut resource, generator, arguments);
            let mut one = ResMap::default();
            one.append(resource)?;
            self.in_field(field, all.resources.absorb_all(one))?;
        }
        self.in_field("helmCharts", crate::chart::generate(self, all))?;
        self.in_field("generators", plugin::generate(self, all))
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
