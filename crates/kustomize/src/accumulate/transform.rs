//! The built-in transformers of one kustomization, in kustomize's order.

use super::{Accumulator, Target};
use crate::{
    error::{Context, Error},
    field_spec::FieldSpec,
    plugin,
    transform::{
        affix::{self, End},
        image, metadata,
        namespace::{self, Settings},
        replacement, replica,
    },
};

impl Target<'_> {
    pub(super) fn transform(&self, all: &mut Accumulator) -> Result<(), Error> {
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
            crate::config::merge_specs(&mut specs, all.config.labels.clone())?;
            if label.include_selectors {
                crate::config::merge_specs(&mut specs, all.config.common_labels.clone())?;
            } else if label.include_templates {
                crate::config::merge_specs(&mut specs, all.config.template_labels.clone())?;
            }
            metadata::apply(&mut all.resources, &label.pairs, &specs).context(|| "labels".to_owned())?;
            self.note(all, "LabelTransformer", true);
        }
        metadata::apply(&mut all.resources, &k.common_labels, &all.config.common_labels)
            .context(|| "commonLabels".to_owned())?;
        self.note(all, "LabelTransformer", !(k.labels.is_empty() && k.common_labels.is_empty()));
        Ok(())
    }
}
