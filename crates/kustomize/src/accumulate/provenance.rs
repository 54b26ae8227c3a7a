//! Where resources come from and who changed them: origins, transformations, blame and advice.

use std::sync::Arc;

use super::{Accumulator, Target};
use crate::{
    explain::Setter,
    generate,
    kustomization::GeneratorArguments,
    loader::is_url,
    resource::{ConfiguredBy, Origin, Resource},
};

impl Target<'_> {
    /// Notes on every resource that a built-in transformer ran, for `transformerAnnotations`.
    pub(super) fn note(&self, all: &mut Accumulator, kind: &str, ran: bool) {
        if !ran {
            return;
        }
        self.session.all_set_by(&mut all.resources, || self.setter("", kind));
        let is_sourceless = all.resources.take_unsourced() && all.resources.iter().any(|r| r.origin.is_none());
        if self.session.keeps_notes() || is_sourceless {
            self.note_configured(all, self.builtin_origin(kind));
        }
    }

    /// Notes, when the build is to be explained, who has made a generated resource: of what is from a file, that file.
    pub(crate) fn generated_by(&self, resource: &mut Resource, generator: &str, arguments: &GeneratorArguments) {
        self.session.set_by(resource, || self.setter("", generator));
        if resource.trace.is_none() {
            return;
        }
        for (key, file) in generate::keys_of_files(arguments, &self.loader) {
            let by = self.session.number(self.setter(&file, generator));
            if let Some((trace, by)) = resource.trace.as_mut().zip(by) {
                generate::DATA.iter().for_each(|field| trace.correct(field, &key, by));
            }
        }
    }

    pub(crate) fn note_configured(&self, all: &mut Accumulator, origin: Origin) {
        let origin = Arc::new(origin);
        let keeps = self.session.keeps_notes();
        for resource in all.resources.iter_mut() {
            // Who has no origin (any more) counts as made by the transformer.
            if resource.origin.is_none() {
                resource.origin = Some(Arc::clone(&origin));
            } else if keeps {
                resource.transformations.push(Arc::clone(&origin));
            }
            if keeps {
                resource.track();
            }
        }
    }

    /// Notes something in this kustomization that has no effect.
    pub(super) fn advise(&self, advice: &str) {
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

    /// Where what a built-in plugin of this kustomization file makes or does comes from.
    pub(crate) fn builtin_origin(&self, kind: &str) -> Origin {
        let configured_by =
            ConfiguredBy { api_version: "builtin".into(), kind: kind.into(), ..ConfiguredBy::default() };
        Origin { configured_by: Some(configured_by), ..self.own_origin() }
    }
}
