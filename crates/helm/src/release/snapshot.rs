//! The digest by which Flux's helm-controller knows that a stored release is the one it made.

use super::Release;
use crate::go_json::{ObjectWriter, write_map};
use crate::manifest::{HookEvent, write_hooks};
use sha2::{Digest as _, Sha256};

/// What Flux observes of a release.
#[derive(Clone, Copy, Debug)]
pub struct Snapshot<'a> {
    /// The release.
    pub release: &'a Release,
    /// The digest of the OCI artifact the chart came from, or empty.
    pub oci_digest: &'a str,
}

impl Snapshot<'_> {
    /// The JSON that is digested, with the trailing newline of Go's encoder. Test hooks are left out.
    #[must_use]
    pub fn json(&self) -> String {
        let release = self.release;
        let mut out = String::new();
        let mut object = ObjectWriter::new(&mut out);
        object.string("name", &release.name);
        object.field("version").push_str(&release.version.to_string());
        release.info.write_json(object.field("info"));
        release.chart.metadata.write_json(object.field("chartMetadata"));
        let out_config = object.field("config");
        match release.config.as_ref().filter(|config| !config.is_empty()) {
            Some(config) => write_map(out_config, config),
            None => out_config.push_str("null"),
        }
        object.string("manifest", &release.manifest);
        let hooks: Vec<_> = release.hooks.iter().filter(|hook| !hook.runs_at(HookEvent::Test)).collect();
        let out_hooks = object.field("hooks");
        if hooks.is_empty() {
            out_hooks.push_str("null");
        } else {
            write_hooks(out_hooks, hooks);
        }
        object.string("namespace", &release.namespace);
        object.optional_string("ociDigest", self.oci_digest);
        object.end();
        out.push('\n');
        out
    }

    /// `sha256:` of the JSON.
    #[must_use]
    pub fn digest(&self) -> String {
        format!("sha256:{}", hex::encode(Sha256::digest(self.json())))
    }
}
