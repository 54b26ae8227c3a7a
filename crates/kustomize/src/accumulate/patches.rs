//! Patches and replacements of one kustomization: their text, from the kustomization or a file, onto the resources.

use super::Target;
use crate::{
    error::{Context, Error},
    go_json::{self, Manner},
    kustomization::{Patch, ReplacementField},
    plugin,
    res_map::ResMap,
    text,
    transform::patch::{self, Content, Patched},
};

impl Target<'_> {
    pub(super) fn strategic_merge_patch(&self, resources: &mut ResMap, entry: &str) -> Result<(), Error> {
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
        let done = patch::apply_merge_by_id(resources, &patches, &self.session.schema())?;
        self.patched(&format!("patchesStrategicMerge: [{}]", shortened(entry)), done);
        Ok(())
    }

    /// Says so when a patch has found what it is for, and changed nothing of it.
    fn patched(&self, source: &str, done: Patched) {
        if done.count > 0 && !done.is_effective {
            self.advise(&format!("{source} changes nothing"));
        }
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

    pub(super) fn json_patch(&self, resources: &mut ResMap, entry: &Patch) -> Result<(), Error> {
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
        if field.source.is_some()
            || field.source_value.is_some()
            || field.targets.as_ref().is_some_and(|targets| !targets.is_empty())
        {
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
}

/// The beginning of a patch that is written in the kustomization itself.
fn shortened(source: &str) -> String {
    const LENGTH: usize = 60;
    let line = source.lines().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LENGTH { line } else { line.chars().take(LENGTH).chain("...".chars()).collect() }
}
