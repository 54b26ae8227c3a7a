//! What an object says of itself, read from its JSON: health, message, revision, and what it is made from.
//!
//! Read leniently and not through the typed kinds: a command line must also show objects whose spec is malformed or newer.

use common::names::{condition, group, reason};
use kube::ResourceExt as _;
use kube::core::DynamicObject;
use serde_json::Value;

use crate::kinds::{Kind, Requests};

/// An object of a known kind.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) kind: &'static Kind,
    pub(crate) data: DynamicObject,
}

/// Which object, across kinds and namespaces.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) group: String,
    pub(crate) kind: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// How an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// As its spec asks.
    Ready,
    /// On its way, or not looked at yet.
    Progressing,
    /// Not as its spec asks, and nothing is going on or the last attempt failed.
    Failed,
    /// Left alone on request.
    Suspended,
}

impl Object {
    /// Its key.
    pub(crate) fn key(&self) -> Key {
        Key {
            group: self.kind.group.to_owned(),
            kind: self.kind.kind.to_owned(),
            namespace: self.data.namespace().unwrap_or_default(),
            name: self.data.name_any(),
        }
    }

    /// Kind, namespace and name for people.
    pub(crate) fn title(&self) -> String {
        format!("{} {}/{}", self.kind.title(), self.data.namespace().unwrap_or_default(), self.data.name_any())
    }

    /// A value by JSON pointer.
    pub(crate) fn at(&self, pointer: &str) -> Option<&Value> {
        self.data.data.pointer(pointer)
    }

    /// A text by JSON pointer; empty when absent.
    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.at(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether it is suspended.
    pub(crate) fn suspended(&self) -> bool {
        self.at("/spec/suspend").and_then(Value::as_bool).unwrap_or(false)
    }

    fn condition(&self, type_: &str) -> Option<&Value> {
        self.at("/status/conditions")?.as_array()?.iter().find(|condition| condition["type"] == type_)
    }

    /// The condition that sums everything up. Releases of the Helm operator may have only `Released`.
    fn main_condition(&self) -> Option<&Value> {
        self.condition(condition::READY).or_else(|| {
            (self.kind.group == group::HELM_OPERATOR).then(|| self.condition(condition::RELEASED)).flatten()
        })
    }

    fn condition_is(&self, type_: &str, status: &str) -> bool {
        self.condition(type_).is_some_and(|condition| condition["status"] == status)
    }

    /// Whether the status speaks of the spec as it is now.
    fn observed(&self) -> bool {
        let generation = self.data.metadata.generation.unwrap_or_default();
        self.at("/status/observedGeneration").and_then(Value::as_i64).is_some_and(|observed| observed >= generation)
    }

    /// How it is, as its status says.
    pub(crate) fn health(&self) -> Health {
        if self.suspended() {
            return Health::Suspended;
        }
        if self.is_static() {
            return Health::Ready;
        }
        let Some(main) = self.main_condition() else { return Health::Progressing };
        // Upstream's controllers leave ExternalArtifacts without an observed generation.
        let current = self.observed() || self.kind.requests == Requests::None;
        if self.condition_is(condition::STALLED, condition::TRUE) && current {
            return Health::Failed;
        }
        let progressing = self.condition(condition::RECONCILING).filter(|found| found["status"] == condition::TRUE);
        match main["status"].as_str() {
            Some(condition::TRUE) if current && progressing.is_none() => Health::Ready,
            // A failed attempt that will be repeated has failed as far as the user is concerned.
            Some(condition::FALSE) if current => match progressing {
                Some(found) if found["reason"] != reason::PROGRESSING_WITH_RETRY => Health::Progressing,
                _ if main["reason"] == reason::DEPENDENCY_NOT_READY || main["reason"] == reason::PROGRESSING => {
                    Health::Progressing
                }
                _ => Health::Failed,
            },
            _ => Health::Progressing,
        }
    }

    /// Repositories of OCI charts are never reconciled and have no status.
    fn is_static(&self) -> bool {
        self.kind.kind == "HelmRepository" && self.text("/spec/type") == "oci" && self.main_condition().is_none()
    }

    /// Whether a request to reconcile with this token has been handled.
    pub(crate) fn handled(&self, token: &str) -> bool {
        match self.kind.requests {
            Requests::Acknowledged => self.text("/status/lastHandledReconcileAt") == token || self.is_static(),
            Requests::AcknowledgedByEngine => match self.at("/status/towline") {
                Some(_) => self.text("/status/towline/lastHandledReconcileAt") == token,
                None => self.at("/status/phase").is_some(),
            },
            Requests::None => true,
        }
    }

    /// What its main condition says, preceded by what is going on.
    pub(crate) fn message(&self) -> String {
        if let Some(progress) = self.condition(condition::RECONCILING)
            && self.health() == Health::Progressing
        {
            return one_line(progress["message"].as_str().unwrap_or_default());
        }
        self.main_condition().map(|main| one_line(main["message"].as_str().unwrap_or_default())).unwrap_or_default()
    }

    /// The main condition's reason.
    pub(crate) fn reason(&self) -> &str {
        self.main_condition().and_then(|main| main["reason"].as_str()).unwrap_or_default()
    }

    /// What a failed release says besides its main condition: the failure that led to a rollback, for instance.
    pub(crate) fn causes(&self) -> Vec<String> {
        let main = self.main_condition().and_then(|main| main["message"].as_str()).unwrap_or_default();
        [condition::RELEASED, condition::TEST_SUCCESS, condition::FETCH_FAILED, condition::BUILD_FAILED]
            .into_iter()
            .filter_map(|type_| {
                let found = self.condition(type_)?;
                let failed = if type_.ends_with("Failed") { condition::TRUE } else { condition::FALSE };
                let message = found["message"].as_str()?;
                (found["status"] == failed && message != main)
                    .then(|| format!("{}: {}", found["reason"].as_str().unwrap_or(type_), one_line(message)))
            })
            .collect()
    }

    /// The revision it stands at.
    pub(crate) fn revision(&self) -> &str {
        let pointers: &[&str] = match (self.kind.group, self.kind.kind) {
            (group::HELM, _) => &["/status/history/0/chartVersion", "/status/lastAttemptedRevision"],
            (group::HELM_OPERATOR, _) => &["/status/revision", "/status/lastAttemptedRevision"],
            _ => &["/status/artifact/revision"],
        };
        pointers.iter().map(|pointer| self.text(pointer)).find(|text| !text.is_empty()).unwrap_or_default()
    }

    /// Whether it has taken up what its source offers now. Watches reach controllers a moment after us, so a request may be
    /// handled with the source's state before.
    pub(crate) fn follows(&self, source: &Self) -> bool {
        let offered = source.text("/status/artifact/revision");
        let taken = match (self.kind.group, self.kind.kind) {
            (group::SOURCE, "HelmChart") => self.text("/status/observedSourceArtifactRevision"),
            (group::HELM | group::HELM_OPERATOR, _) if source.kind.kind == "HelmChart" => {
                self.text("/status/lastAttemptedRevision")
            }
            _ => return true,
        };
        offered.is_empty() || taken.is_empty() || taken == offered
    }

    /// The objects it is made from, directly.
    pub(crate) fn sources(&self) -> Vec<Key> {
        let namespace = self.data.namespace().unwrap_or_default();
        let source = |kind: &str, namespace: &str, name: &str| Key {
            group: group::SOURCE.to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        };
        let reference = |pointer: &str| {
            let found = self.at(pointer)?;
            let within = found["namespace"].as_str().filter(|text| !text.is_empty()).unwrap_or(&namespace);
            Some(source(found["kind"].as_str()?, within, found["name"].as_str()?))
        };
        let mut sources = Vec::new();
        match (self.kind.group, self.kind.kind) {
            (group::SOURCE, "HelmChart") => sources.extend(reference("/spec/sourceRef")),
            (group::SOURCE, "GitRepository") => {
                let included = self.at("/spec/include").and_then(Value::as_array).into_iter().flatten();
                sources.extend(
                    included
                        .filter_map(|include| include.pointer("/repository/name")?.as_str())
                        .map(|name| source("GitRepository", &namespace, name)),
                );
            }
            (group::HELM, _) => {
                sources.extend(reference("/spec/chartRef"));
                if let Some(from) = reference("/spec/chart/spec/sourceRef") {
                    let chart = format!("{namespace}-{}", self.data.name_any());
                    let (within, name) = self
                        .text("/status/helmChart")
                        .split_once('/')
                        .unwrap_or((from.namespace.as_str(), chart.as_str()));
                    sources.push(source("HelmChart", within, name));
                    sources.push(from);
                }
            }
            _ => {}
        }
        sources
    }

    /// Whether another object was generated for this one.
    pub(crate) fn owns(&self, other: &Self) -> bool {
        self.data.metadata.uid.is_some()
            && other.data.owner_references().iter().any(|owner| Some(&owner.uid) == self.data.metadata.uid.as_ref())
    }
}

/// A message without line breaks, so that a row stays a row.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Key {
    /// The kind it names, when it is a known one.
    pub(crate) fn known_kind(&self) -> Option<&'static Kind> {
        crate::kinds::KINDS.iter().find(|kind| kind.is(&self.group, &self.kind))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::called;

    /// An object of a kind from what differs.
    #[expect(clippy::needless_pass_by_value, reason = "so that callers can write json! in place")]
    pub(crate) fn object(kind: &str, namespace: &str, name: &str, spec: Value, status: Value) -> Object {
        let kind = called(kind).unwrap()[0];
        let data = serde_json::from_value(json!({
            "apiVersion": format!("{}/{}", kind.group, kind.version),
            "kind": kind.kind,
            "metadata": { "name": name, "namespace": namespace, "generation": 2, "uid": format!("uid-{name}") },
            "spec": spec,
            "status": status,
        }))
        .unwrap();
        Object { kind, data }
    }

    fn conditions(list: &[(&str, &str, &str)]) -> Value {
        json!({
            "observedGeneration": 2,
            "conditions": list
                .iter()
                .map(|(type_, status, reason)| json!({ "type": type_, "status": status, "reason": reason, "message": format!("{type_} is {status}") }))
                .collect::<Vec<_>>(),
        })
    }

    #[test]
    fn health_is_read_from_the_conditions() {
        type Conditions = [(&'static str, &'static str, &'static str)];
        let cases: &[(&Conditions, Health)] = &[
            (&[], Health::Progressing),
            (&[("Ready", "True", "Succeeded")], Health::Ready),
            (&[("Ready", "Unknown", "Progressing")], Health::Progressing),
            (&[("Ready", "True", "Succeeded"), ("Reconciling", "True", "Progressing")], Health::Progressing),
            (&[("Ready", "False", "InstallFailed")], Health::Failed),
            (&[("Ready", "False", "InstallFailed"), ("Reconciling", "True", "Progressing")], Health::Progressing),
            (&[("Ready", "False", "Failed"), ("Reconciling", "True", "ProgressingWithRetry")], Health::Failed),
            (&[("Ready", "False", "DependencyNotReady")], Health::Progressing),
            (&[("Ready", "False", "RollbackSucceeded"), ("Stalled", "True", "RetriesExceeded")], Health::Failed),
        ];
        for (list, expected) in cases {
            let found = object("hr", "apps", "web", json!({}), conditions(list)).health();
            assert_eq!(found, *expected, "{list:?}");
        }
    }

    #[test]
    fn a_status_of_an_older_generation_counts_for_nothing() {
        let mut status = conditions(&[("Ready", "True", "Succeeded"), ("Stalled", "True", "X")]);
        status["observedGeneration"] = json!(1);
        assert_eq!(object("hr", "apps", "web", json!({}), status).health(), Health::Progressing);
    }

    #[test]
    fn suspended_objects_and_static_repositories_are_told_apart() {
        let suspended = object("git", "apps", "web", json!({ "suspend": true }), json!({}));
        assert_eq!(suspended.health(), Health::Suspended);
        let oci = object("helmrepo", "apps", "oci", json!({ "type": "oci" }), Value::Null);
        assert_eq!((oci.health(), oci.handled("any")), (Health::Ready, true));
        let refused = conditions(&[("Ready", "False", "NotSupported"), ("Stalled", "True", "NotSupported")]);
        let oci = object("helmrepo", "apps", "oci", json!({ "type": "oci" }), refused);
        assert_eq!((oci.health(), oci.handled("any")), (Health::Failed, false));
    }

    #[test]
    fn requests_to_old_releases_are_acknowledged_below_the_engines_status() {
        for (status, handled) in [
            (json!({}), false),
            (json!({"towline": {}}), false),
            (json!({"phase": "Succeeded", "towline": {"lastHandledReconcileAt": "earlier"}}), false),
            (json!({"phase": "Succeeded", "towline": {"lastHandledReconcileAt": "token"}}), true),
            // The Helm operator's own status has no word for it.
            (json!({"phase": "Succeeded"}), true),
        ] {
            let release = object("helmrelease.helm.fluxcd.io", "apps", "web", json!({}), status.clone());
            assert_eq!(release.handled("token"), handled, "{status}");
        }
    }

    #[test]
    fn a_release_names_its_chart_and_its_source() {
        let spec = json!({ "chart": { "spec": { "sourceRef": { "kind": "GitRepository", "name": "repo", "namespace": "sources" } } } });
        let names = |object: &Object| {
            object
                .sources()
                .into_iter()
                .map(|key| format!("{} {}/{}", key.kind, key.namespace, key.name))
                .collect::<Vec<_>>()
        };
        let release = object("hr", "apps", "web", spec.clone(), json!({}));
        assert_eq!(names(&release), ["HelmChart sources/apps-web", "GitRepository sources/repo"]);
        let release = object("hr", "apps", "web", spec, json!({ "helmChart": "sources/other" }));
        assert_eq!(names(&release), ["HelmChart sources/other", "GitRepository sources/repo"]);
        let release =
            object("hr", "apps", "web", json!({ "chartRef": { "kind": "OCIRepository", "name": "x" } }), json!({}));
        assert_eq!(names(&release), ["OCIRepository apps/x"]);
        let chart =
            object("hc", "apps", "web", json!({ "sourceRef": { "kind": "HelmRepository", "name": "x" } }), json!({}));
        assert_eq!(names(&chart), ["HelmRepository apps/x"]);
    }

    #[test]
    fn a_chart_that_has_not_seen_the_new_commit_does_not_follow() {
        let source = object("git", "apps", "repo", json!({}), json!({ "artifact": { "revision": "main@sha1:b" } }));
        let chart = |revision: &str| {
            object("hc", "apps", "web", json!({}), json!({ "observedSourceArtifactRevision": revision }))
        };
        assert!(!chart("main@sha1:a").follows(&source));
        assert!(chart("main@sha1:b").follows(&source));
    }

    #[test]
    fn the_failure_behind_a_rollback_is_told() {
        let list = [("Ready", "False", "RollbackSucceeded"), ("Released", "False", "UpgradeFailed")];
        let release = object("hr", "apps", "web", json!({}), conditions(&list));
        assert_eq!(release.causes(), ["UpgradeFailed: Released is False"]);
    }
}
