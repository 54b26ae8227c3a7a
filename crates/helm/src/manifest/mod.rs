//! From rendered files to Kubernetes objects in order: splitting, heads, hooks, kinds.

mod head;
pub(crate) mod hook;
mod kind_order;
mod outline;
mod sort;
mod split;

pub use head::ManifestHead;
pub use hook::{Hook, HookDeletePolicy, HookEvent, HookExecution, HookOutputLogPolicy, HookPhase, annotation};
pub(crate) use hook::{words, write_hooks};
pub use kind_order::{KindOrder, compare_kinds};
pub use sort::{Manifest, SortError, SortedManifests, sort_manifests};
pub use split::split_manifests;

/// What `helm.sh/resource-policy` on a manifest means for an uninstall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourcePolicy {
    /// No annotation: the object is deleted.
    Delete,
    /// `keep`: the object stays and is reported as kept.
    Keep,
    /// Any other value: Helm neither deletes the object nor reports it.
    Ignore,
}

impl ManifestHead {
    /// What the resource policy annotation means for an uninstall.
    #[must_use]
    pub fn resource_policy(&self) -> ResourcePolicy {
        match self.annotations.get(annotation::RESOURCE_POLICY) {
            None => ResourcePolicy::Delete,
            Some(policy) if crate::go_text::trim_space(policy).to_lowercase() == "keep" => ResourcePolicy::Keep,
            Some(_) => ResourcePolicy::Ignore,
        }
    }
}
