//! Hooks: objects that run at a moment of a release's life instead of belonging to it.

use crate::go_json::{ObjectWriter, write_list};
use crate::release::Time;
use serde::Deserialize;

/// The annotations Helm reads on manifests.
pub mod annotation {
    /// Makes an object a hook: a comma list of events.
    pub const HOOK: &str = "helm.sh/hook";
    /// Orders hooks of one event.
    pub const HOOK_WEIGHT: &str = "helm.sh/hook-weight";
    /// When a hook's object is deleted.
    pub const HOOK_DELETE_POLICY: &str = "helm.sh/hook-delete-policy";
    /// When a hook's logs are shown.
    pub const HOOK_OUTPUT_LOG_POLICY: &str = "helm.sh/hook-output-log-policy";
    /// `keep` leaves an object behind.
    pub const RESOURCE_POLICY: &str = "helm.sh/resource-policy";
}

/// Declares an enum whose variants are words on the wire.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_meta])* $variant,)* }

        impl $name {
            /// The word on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The value of a word.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}
pub(crate) use words;

words! {
    /// When a hook runs.
    HookEvent {
        /// After templates are rendered, before objects are created.
        PreInstall = "pre-install",
        /// After all objects are there.
        PostInstall = "post-install",
        /// Before objects are deleted.
        PreDelete = "pre-delete",
        /// After objects are deleted.
        PostDelete = "post-delete",
        /// Before objects are changed.
        PreUpgrade = "pre-upgrade",
        /// After objects are changed.
        PostUpgrade = "post-upgrade",
        /// Before a rollback changes objects.
        PreRollback = "pre-rollback",
        /// After a rollback changed objects.
        PostRollback = "post-rollback",
        /// On request.
        Test = "test",
    }
}

words! {
    /// When a hook's object is deleted. Other words may stand in a record; they mean nothing.
    HookDeletePolicy {
        /// When the hook succeeded.
        HookSucceeded = "hook-succeeded",
        /// When the hook failed.
        HookFailed = "hook-failed",
        /// Before the hook is created anew.
        BeforeHookCreation = "before-hook-creation",
    }
}

words! {
    /// When a hook's logs are shown.
    HookOutputLogPolicy {
        /// When the hook succeeded.
        HookSucceeded = "hook-succeeded",
        /// When the hook failed.
        HookFailed = "hook-failed",
    }
}

words! {
    /// How far a hook's last run came.
    HookPhase {
        /// Not known.
        Unknown = "Unknown",
        /// Started.
        Running = "Running",
        /// Ended well.
        Succeeded = "Succeeded",
        /// Ended badly.
        Failed = "Failed",
    }
}

/// The last run of a hook.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct HookExecution {
    /// When it started.
    #[serde(deserialize_with = "crate::release::time::optional")]
    pub started_at: Option<Time>,
    /// When it ended.
    #[serde(deserialize_with = "crate::release::time::optional")]
    pub completed_at: Option<Time>,
    /// How far it came; empty when it never ran.
    #[serde(deserialize_with = "crate::release::null_default")]
    pub phase: String,
}

/// A hook of a release. Events and policies are kept as written, so that records survive unchanged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Hook {
    /// The object's name.
    #[serde(deserialize_with = "crate::release::null_default")]
    pub name: String,
    /// The object's kind.
    #[serde(deserialize_with = "crate::release::null_default")]
    pub kind: String,
    /// The template it came from.
    #[serde(deserialize_with = "crate::release::null_default")]
    pub path: String,
    /// The object's YAML.
    #[serde(deserialize_with = "crate::release::null_default")]
    pub manifest: String,
    /// When it runs.
    #[serde(deserialize_with = "crate::release::null_default")]
    pub events: Vec<String>,
    /// Its last run.
    #[serde(deserialize_with = "crate::release::null_default")]
    pub last_run: HookExecution,
    /// Its place among hooks of the same event.
    #[serde(deserialize_with = "crate::release::null_default")]
    pub weight: i64,
    /// When its object is deleted.
    #[serde(deserialize_with = "crate::release::null_default")]
    pub delete_policies: Vec<String>,
    /// When its logs are shown.
    #[serde(deserialize_with = "crate::release::null_default")]
    pub output_log_policies: Vec<String>,
}

impl Hook {
    /// Whether the hook runs at this event.
    #[must_use]
    pub fn runs_at(&self, event: HookEvent) -> bool {
        self.events.iter().any(|word| word == event.as_str())
    }

    /// Whether the hook has this delete policy; without any, `before-hook-creation` applies.
    #[must_use]
    pub fn has_delete_policy(&self, policy: HookDeletePolicy) -> bool {
        if self.delete_policies.is_empty() {
            return policy == HookDeletePolicy::BeforeHookCreation;
        }
        self.delete_policies.iter().any(|word| word == policy.as_str())
    }

    /// Whether the hook has this log policy.
    #[must_use]
    pub fn has_output_log_policy(&self, policy: HookOutputLogPolicy) -> bool {
        self.output_log_policies.iter().any(|word| word == policy.as_str())
    }

    /// The phase of the last run.
    #[must_use]
    pub fn phase(&self) -> Option<HookPhase> {
        HookPhase::parse(&self.last_run.phase)
    }

    /// Orders hooks of one event for execution: by weight, then by name. The sort that uses it must be stable, so that
    /// the kind order underneath shows through.
    #[must_use]
    pub fn compare_execution(left: &Self, right: &Self) -> std::cmp::Ordering {
        left.weight.cmp(&right.weight).then_with(|| left.name.cmp(&right.name))
    }

    /// Appends the Go JSON of the hook.
    pub fn write_json(&self, out: &mut String) {
        let mut object = ObjectWriter::new(out);
        object.optional_string("name", &self.name);
        object.optional_string("kind", &self.kind);
        object.optional_string("path", &self.path);
        object.optional_string("manifest", &self.manifest);
        object.optional_strings("events", &self.events);
        let mut run = ObjectWriter::new(object.field("last_run"));
        run.optional_time("started_at", self.last_run.started_at);
        run.optional_time("completed_at", self.last_run.completed_at);
        run.string("phase", &self.last_run.phase);
        run.end();
        object.optional_integer("weight", self.weight);
        object.optional_strings("delete_policies", &self.delete_policies);
        object.optional_strings("output_log_policies", &self.output_log_policies);
        object.end();
    }
}

/// Appends the Go JSON of a list of hooks.
pub(crate) fn write_hooks<'a>(out: &mut String, hooks: impl IntoIterator<Item = &'a Hook>) {
    let hooks: Vec<&Hook> = hooks.into_iter().collect();
    write_list(out, &hooks, |out, hook| hook.write_json(out));
}
