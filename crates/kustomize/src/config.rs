//! Transformer configuration: which fields each built-in transformer touches, by default and as `configurations` and
//! `crds` add to it. The defaults are those of kustomize 5.8.1 (reference sections 3 and 5).

use std::sync::{Arc, LazyLock};

use serde::Deserialize;

use crate::{error::Error, field_spec::FieldSpec, go_json, id::Gvk, kustomization::FieldSpecForm};

/// All field specs in force.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    pub(crate) name_prefix: Vec<FieldSpec>,
    pub(crate) name_suffix: Vec<FieldSpec>,
    pub(crate) namespace: Vec<FieldSpec>,
    pub(crate) common_labels: Vec<FieldSpec>,
    pub(crate) labels: Vec<FieldSpec>,
    pub(crate) template_labels: Vec<FieldSpec>,
    pub(crate) common_annotations: Vec<FieldSpec>,
    pub(crate) name_references: Vec<NameReference>,
    pub(crate) var_references: Vec<FieldSpec>,
    pub(crate) images: Vec<FieldSpec>,
    pub(crate) replicas: Vec<FieldSpec>,
}

/// Fields that hold the name of a resource of some kind.
#[derive(Clone, Debug)]
pub(crate) struct NameReference {
    /// The kind that is referred to.
    pub target: Gvk,
    /// Where others name it.
    pub referrers: Vec<FieldSpec>,
}

/// A `configurations` file.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct File {
    name_prefix: Vec<FieldSpecForm>,
    name_suffix: Vec<FieldSpecForm>,
    namespace: Vec<FieldSpecForm>,
    common_labels: Vec<FieldSpecForm>,
    labels: Vec<FieldSpecForm>,
    template_labels: Vec<FieldSpecForm>,
    common_annotations: Vec<FieldSpecForm>,
    name_reference: Vec<NameReferenceForm>,
    var_reference: Vec<FieldSpecForm>,
    images: Vec<FieldSpecForm>,
    replicas: Vec<FieldSpecForm>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct NameReferenceForm {
    group: String,
    version: String,
    kind: String,
    field_specs: Vec<FieldSpecForm>,
}

impl From<FieldSpecForm> for FieldSpec {
    fn from(form: FieldSpecForm) -> Self {
        Self::new(&form.group, &form.version, &form.kind, &form.path, form.create)
    }
}

impl Config {
    /// Reads a `configurations` file.
    pub(crate) fn parse(bytes: &[u8], path: &str) -> Result<Self, Error> {
        let wrong = |message: String| Error::Yaml { path: path.to_owned(), message };
        let value = crate::text::yaml_to_json(bytes).map_err(wrong)?;
        if value.is_null() {
            return Ok(Self::default());
        }
        let file: File = go_json::decode(&value, go_json::Manner::Strict).map_err(|error| Error::Yaml {
            path: path.to_owned(),
            message: format!("not a transformer configuration: {error}"),
        })?;
        let specs = |forms: Vec<FieldSpecForm>| forms.into_iter().map(FieldSpec::from).collect();
        Ok(Self {
            name_prefix: specs(file.name_prefix),
            name_suffix: specs(file.name_suffix),
            namespace: specs(file.namespace),
            common_labels: specs(file.common_labels),
            labels: specs(file.labels),
            template_labels: specs(file.template_labels),
            common_annotations: specs(file.common_annotations),
            name_references: file
                .name_reference
                .into_iter()
                .map(|form| NameReference {
                    target: Gvk { group: form.group.into(), version: form.version.into(), kind: form.kind.into() },
                    referrers: specs(form.field_specs),
                })
                .collect(),
            var_references: specs(file.var_reference),
            images: specs(file.images),
            replicas: specs(file.replicas),
        })
    }

    /// Adds another configuration; two specs of one field that disagree on `create` are an error.
    pub(crate) fn merge(&mut self, other: Self) -> Result<(), Error> {
        // Without `..`, so that a new list cannot be forgotten here.
        let Self {
            name_prefix,
            name_suffix,
            namespace,
            common_labels,
            labels,
            template_labels,
            common_annotations,
            name_references,
            var_references,
            images,
            replicas,
        } = other;
        merge_specs(&mut self.name_prefix, name_prefix)?;
        merge_specs(&mut self.name_suffix, name_suffix)?;
        merge_specs(&mut self.namespace, namespace)?;
        merge_specs(&mut self.common_labels, common_labels)?;
        merge_specs(&mut self.labels, labels)?;
        merge_specs(&mut self.template_labels, template_labels)?;
        merge_specs(&mut self.common_annotations, common_annotations)?;
        merge_specs(&mut self.var_references, var_references)?;
        merge_specs(&mut self.images, images)?;
        merge_specs(&mut self.replicas, replicas)?;
        for reference in name_references {
            self.merge_reference(reference)?;
        }
        Ok(())
    }

    fn merge_reference(&mut self, reference: NameReference) -> Result<(), Error> {
        match self.name_references.iter_mut().find(|known| known.target == reference.target) {
            Some(known) => merge_specs(&mut known.referrers, reference.referrers),
            None => {
                self.name_references.push(reference);
                Ok(())
            }
        }
    }

    /// What is in force without any configuration.
    pub(crate) fn builtin() -> Arc<Self> {
        static BUILTIN: LazyLock<Arc<Config>> = LazyLock::new(|| Arc::new(Config::make_builtin()));
        Arc::clone(&BUILTIN)
    }

    fn make_builtin() -> Self {
        Self {
            name_prefix: vec![spec("", "", "", "metadata/name", false)],
            name_suffix: vec![spec("", "", "", "metadata/name", false)],
            namespace: namespace(),
            common_labels: common_labels(),
            labels: vec![spec("", "", "", "metadata/labels", true)],
            template_labels: template_labels(),
            common_annotations: common_annotations(),
            name_references: name_references(),
            var_references: var_references(),
            images: images(),
            replicas: [("Deployment", ""), ("ReplicationController", ""), ("ReplicaSet", ""), ("StatefulSet", "")]
                .iter()
                .map(|(kind, group)| spec(group, "", kind, "spec/replicas", true))
                .collect(),
        }
    }
}

/// Adds specs to a list; equal ones once.
pub(crate) fn merge_specs(list: &mut Vec<FieldSpec>, more: Vec<FieldSpec>) -> Result<(), Error> {
    for spec in more {
        match list.iter().find(|known| known.same_field(&spec)) {
            Some(known) if known.create != spec.create => {
                return Err(Error::message(format!(
                    "conflicting fieldspecs: path '{}' with create true and false",
                    spec.path
                )));
            }
            Some(_) => {}
            None => list.push(spec),
        }
    }
    Ok(())
}

fn spec(group: &'static str, version: &'static str, kind: &'static str, path: &'static str, create: bool) -> FieldSpec {
    FieldSpec::fixed(group, version, kind, path, create)
}

fn namespace() -> Vec<FieldSpec> {
    vec![
        spec("", "v1", "Namespace", "metadata/name", true),
        spec("", "", "", "metadata/namespace", true),
        spec("apiregistration.k8s.io", "", "APIService", "spec/service/namespace", true),
        spec(
            "apiextensions.k8s.io",
            "",
            "CustomResourceDefinition",
            "spec/conversion/webhook/clientConfig/service/namespace",
            false,
        ),
    ]
}

/// Where labels go in templates of pods and volume claims.
fn template_specs(stateful_set_group: &'static str, claims: bool) -> Vec<FieldSpec> {
    let mut out = vec![
        spec("", "", "", "metadata/labels", true),
        spec("", "v1", "ReplicationController", "spec/template/metadata/labels", true),
        spec("", "", "Deployment", "spec/template/metadata/labels", true),
        spec("", "", "ReplicaSet", "spec/template/metadata/labels", true),
        spec("", "", "DaemonSet", "spec/template/metadata/labels", true),
        spec(stateful_set_group, "", "StatefulSet", "spec/template/metadata/labels", true),
        spec("batch", "", "Job", "spec/template/metadata/labels", true),
        spec("batch", "", "CronJob", "spec/jobTemplate/metadata/labels", true),
        spec("batch", "", "CronJob", "spec/jobTemplate/spec/template/metadata/labels", true),
    ];
    if claims {
        out.push(spec("apps", "", "StatefulSet", "spec/volumeClaimTemplates[]/metadata/labels", true));
    }
    out
}

fn template_labels() -> Vec<FieldSpec> {
    template_specs("apps", true).into_iter().filter(|spec| spec.path != "metadata/labels").collect()
}

macro_rules! affinity {
    ($terms:literal) => {
        concat!("spec/template/spec/affinity/", $terms, "/labelSelector/matchLabels")
    };
}

fn common_labels() -> Vec<FieldSpec> {
    let mut out = template_specs("apps", true);
    out.extend([
        spec("", "v1", "Service", "spec/selector", true),
        spec("", "v1", "ReplicationController", "spec/selector", true),
        spec("", "", "Deployment", "spec/selector/matchLabels", true),
        spec("", "", "ReplicaSet", "spec/selector/matchLabels", true),
        spec("", "", "DaemonSet", "spec/selector/matchLabels", true),
        spec("apps", "", "StatefulSet", "spec/selector/matchLabels", true),
    ]);
    for kind in ["Deployment", "StatefulSet"] {
        for path in [
            affinity!("podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm"),
            affinity!("podAffinity/requiredDuringSchedulingIgnoredDuringExecution"),
            affinity!("podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm"),
            affinity!("podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution"),
            "spec/template/spec/topologySpreadConstraints/labelSelector/matchLabels",
        ] {
            out.push(spec("apps", "", kind, path, false));
        }
    }
    out.extend([
        spec("batch", "", "Job", "spec/selector/matchLabels", false),
        spec("batch", "", "CronJob", "spec/jobTemplate/spec/selector/matchLabels", false),
        spec("policy", "", "PodDisruptionBudget", "spec/selector/matchLabels", false),
        spec("networking.k8s.io", "", "NetworkPolicy", "spec/podSelector/matchLabels", false),
        spec("networking.k8s.io", "", "NetworkPolicy", "spec/ingress/from/podSelector/matchLabels", false),
        spec("networking.k8s.io", "", "NetworkPolicy", "spec/egress/to/podSelector/matchLabels", false),
    ]);
    out
}

fn common_annotations() -> Vec<FieldSpec> {
    template_specs("", false)
        .into_iter()
        .map(|spec| FieldSpec { path: spec.path.replace("metadata/labels", "metadata/annotations").into(), ..spec })
        .collect()
}

fn images() -> Vec<FieldSpec> {
    [
        "spec/containers[]/image",
        "spec/template/spec/containers[]/image",
        "spec/initContainers[]/image",
        "spec/template/spec/initContainers[]/image",
        "spec/volumes[]/image/reference",
        "spec/template/spec/volumes[]/image/reference",
    ]
    .map(|path| spec("", "", "", path, true))
    .to_vec()
}

/// Fields of the pod templates of all kinds that hold one.
macro_rules! at_pod_specs {
    ($($field:literal),+ $(,)?) => {
        vec![
            $(spec("", "", "Pod", concat!("spec/", $field), false),)+
            $(spec("", "", "PodTemplate", concat!("template/spec/", $field), false),)+
            $(spec("", "", "Deployment", concat!("spec/template/spec/", $field), false),)+
            $(spec("", "", "ReplicaSet", concat!("spec/template/spec/", $field), false),)+
            $(spec("", "", "DaemonSet", concat!("spec/template/spec/", $field), false),)+
            $(spec("", "", "StatefulSet", concat!("spec/template/spec/", $field), false),)+
            $(spec("", "", "Job", concat!("spec/template/spec/", $field), false),)+
            $(spec("", "", "CronJob", concat!("spec/jobTemplate/spec/template/spec/", $field), false),)+
        ]
    };
}

fn reference(
    version: &'static str,
    group: &'static str,
    kind: &'static str,
    referrers: Vec<FieldSpec>,
) -> NameReference {
    NameReference { target: Gvk::fixed(group, version, kind), referrers }
}

/// A field of several kinds.
fn of_kinds(kinds: &[&'static str], path: &'static str) -> Vec<FieldSpec> {
    kinds.iter().map(|kind| spec("", "", kind, path, false)).collect()
}

fn name_references() -> Vec<NameReference> {
    let scale_target = || vec![spec("", "", "HorizontalPodAutoscaler", "spec/scaleTargetRef/name", false)];
    let role = || {
        let mut out = vec![spec("rbac.authorization.k8s.io", "", "RoleBinding", "roleRef/name", false)];
        out.push(spec("rbac.authorization.k8s.io", "", "ClusterRoleBinding", "roleRef/name", false));
        out
    };
    vec![
        reference("", "", "Deployment", scale_target()),
        reference("", "", "ReplicationController", scale_target()),
        reference("", "", "ReplicaSet", scale_target()),
        reference("", "", "StatefulSet", scale_target()),
        reference("v1", "", "ConfigMap", config_map_referrers()),
        reference("v1", "", "Secret", secret_referrers()),
        reference("v1", "", "Service", service_referrers()),
        reference("", "rbac.authorization.k8s.io", "Role", vec![role().swap_remove(0)]),
        reference("", "rbac.authorization.k8s.io", "ClusterRole", role()),
        reference("v1", "", "ServiceAccount", service_account_referrers()),
        reference("v1", "", "PersistentVolumeClaim", claim_referrers()),
        reference(
            "v1",
            "",
            "PersistentVolume",
            vec![
                spec("", "", "PersistentVolumeClaim", "spec/volumeName", false),
                spec("rbac.authorization.k8s.io", "", "ClusterRole", "rules/resourceNames", false),
            ],
        ),
        reference(
            "v1",
            "storage.k8s.io",
            "StorageClass",
            vec![
                spec("", "", "PersistentVolume", "spec/storageClassName", false),
                spec("", "", "PersistentVolumeClaim", "spec/storageClassName", false),
                spec("", "", "StatefulSet", "spec/volumeClaimTemplates/spec/storageClassName", false),
            ],
        ),
        reference(
            "v1",
            "scheduling.k8s.io",
            "PriorityClass",
            at_pod_specs!("priorityClassName")
                .into_iter()
                .filter(|spec| !matches!(spec.gvk.kind.as_str(), "ReplicaSet" | "PodTemplate"))
                .collect(),
        ),
        // kustomize writes the group so, which no resource has; kept, because it decides what is not renamed.
        reference(
            "",
            "networking.k8s.io/v1",
            "IngressClass",
            vec![spec("", "", "Ingress", "spec/ingressClassName", false)],
        ),
        reference(
            "",
            "admissionregistration.k8s.io",
            "ValidatingAdmissionPolicy",
            vec![spec("", "", "ValidatingAdmissionPolicyBinding", "spec/policyName", false)],
        ),
    ]
}

fn config_map_referrers() -> Vec<FieldSpec> {
    let mut out = at_pod_specs![
        "volumes/configMap/name",
        "containers/env/valueFrom/configMapKeyRef/name",
        "initContainers/env/valueFrom/configMapKeyRef/name",
        "containers/envFrom/configMapRef/name",
        "initContainers/envFrom/configMapRef/name",
        "volumes/projected/sources/configMap/name",
    ];
    out.extend([
        spec("", "", "Node", "spec/configSource/configMap", false),
        spec("", "", "Role", "rules/resourceNames", false),
        spec("", "", "ClusterRole", "rules/resourceNames", false),
        spec("", "", "Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap", false),
    ]);
    out
}

fn secret_referrers() -> Vec<FieldSpec> {
    let mut out = at_pod_specs![
        "volumes/secret/secretName",
        "containers/env/valueFrom/secretKeyRef/name",
        "initContainers/env/valueFrom/secretKeyRef/name",
        "containers/envFrom/secretRef/name",
        "initContainers/envFrom/secretRef/name",
        "imagePullSecrets/name",
        "volumes/projected/sources/secret/name",
    ];
    out.extend([
        spec("", "", "Ingress", "spec/tls/secretName", false),
        // Upstream has it twice, which shows where the name that is found was another's before.
        spec("", "", "Ingress", "spec/tls/secretName", false),
        spec("", "", "Ingress", "metadata/annotations/ingress.kubernetes.io\\/auth-secret", false),
        spec("", "", "Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-secret", false),
        spec("", "", "Ingress", "metadata/annotations/nginx.ingress.kubernetes.io\\/auth-tls-secret", false),
        spec("", "", "ServiceAccount", "imagePullSecrets/name", false),
        spec("", "", "StorageClass", "parameters/secretName", false),
        spec("", "", "StorageClass", "parameters/adminSecretName", false),
        spec("", "", "StorageClass", "parameters/userSecretName", false),
        spec("", "", "StorageClass", "parameters/secretRef", false),
        spec("", "", "Role", "rules/resourceNames", false),
        spec("", "", "ClusterRole", "rules/resourceNames", false),
        spec(
            "serving.knative.dev",
            "v1",
            "Service",
            "spec/template/spec/containers/env/valueFrom/secretKeyRef/name",
            false,
        ),
        spec("", "", "PersistentVolume", "spec/azureFile/secretName", false),
    ]);
    out
}

fn service_referrers() -> Vec<FieldSpec> {
    let webhooks =
        |kind: &'static str| spec("admissionregistration.k8s.io", "", kind, "webhooks/clientConfig/service", false);
    vec![
        spec("apps", "", "StatefulSet", "spec/serviceName", false),
        spec("", "", "Ingress", "spec/rules/http/paths/backend/serviceName", false),
        spec("", "", "Ingress", "spec/backend/serviceName", false),
        spec("", "", "Ingress", "spec/rules/http/paths/backend/service/name", false),
        spec("", "", "Ingress", "spec/defaultBackend/service/name", false),
        spec("apiregistration.k8s.io", "", "APIService", "spec/service/name", false),
        webhooks("ValidatingWebhookConfiguration"),
        webhooks("MutatingWebhookConfiguration"),
    ]
}

fn service_account_referrers() -> Vec<FieldSpec> {
    let mut out = vec![
        spec("rbac.authorization.k8s.io", "", "RoleBinding", "subjects", false),
        spec("rbac.authorization.k8s.io", "", "ClusterRoleBinding", "subjects", false),
        spec("", "", "Pod", "spec/serviceAccountName", false),
    ];
    out.extend(of_kinds(
        &["StatefulSet", "Deployment", "ReplicationController", "Job", "DaemonSet"],
        "spec/template/spec/serviceAccountName",
    ));
    out.push(spec("", "", "CronJob", "spec/jobTemplate/spec/template/spec/serviceAccountName", false));
    out
}

fn claim_referrers() -> Vec<FieldSpec> {
    let mut out = vec![spec("", "", "Pod", "spec/volumes/persistentVolumeClaim/claimName", false)];
    out.extend(of_kinds(
        &["StatefulSet", "Deployment", "ReplicationController", "Job", "DaemonSet"],
        "spec/template/spec/volumes/persistentVolumeClaim/claimName",
    ));
    let path = "spec/jobTemplate/spec/template/spec/volumes/persistentVolumeClaim/claimName";
    out.push(spec("", "", "CronJob", path, false));
    out
}

/// Fields of a pod in which vars are replaced.
macro_rules! of_pods {
    ($kind:literal, $root:literal) => {
        [
            concat!($root, "/containers/args"),
            concat!($root, "/containers/command"),
            concat!($root, "/containers/env/value"),
            concat!($root, "/containers/volumeMounts/mountPath"),
            concat!($root, "/initContainers/args"),
            concat!($root, "/initContainers/command"),
            concat!($root, "/initContainers/env/value"),
            concat!($root, "/initContainers/volumeMounts/mountPath"),
            concat!($root, "/volumes/nfs/server"),
        ]
        .map(|path| spec("", "", $kind, path, false))
    };
}

fn var_references() -> Vec<FieldSpec> {
    let mut out = Vec::with_capacity(80);
    out.extend(of_pods!("CronJob", "spec/jobTemplate/spec/template/spec"));
    out.extend(of_pods!("DaemonSet", "spec/template/spec"));
    out.extend(of_pods!("Deployment", "spec/template/spec"));
    out.extend(of_pods!("Job", "spec/template/spec"));
    out.extend(of_pods!("Pod", "spec"));
    out.extend(of_pods!("ReplicaSet", "spec/template/spec"));
    out.extend(of_pods!("StatefulSet", "spec/template/spec"));
    out.extend([
        spec("", "", "CronJob", "spec/jobTemplate/spec/template/volumes/nfs/server", false),
        spec("", "", "StatefulSet", "spec/volumeClaimTemplates/spec/nfs/server", false),
        spec("", "", "Deployment", "spec/template/metadata/annotations", false),
        spec("", "", "Ingress", "spec/rules/host", false),
        spec("", "", "Ingress", "spec/tls/hosts", false),
        spec("", "", "Ingress", "spec/tls/secretName", false),
        spec("", "", "Service", "spec/ports/port", false),
        spec("", "", "Service", "spec/ports/targetPort", false),
        spec("", "", "PersistentVolume", "spec/nfs/path", false),
        spec("", "", "PersistentVolume", "spec/nfs/server", false),
        spec("", "", "", "metadata/labels", false),
        spec("", "", "", "metadata/annotations", false),
    ]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specs_that_disagree_are_refused() {
        let mut list = vec![spec("", "", "A", "x", true)];
        merge_specs(&mut list, vec![spec("", "", "A", "x", true), spec("", "", "B", "x", true)]).unwrap();
        assert_eq!(list.len(), 2);
        assert!(merge_specs(&mut list, vec![spec("", "", "A", "x", false)]).is_err());
    }

    #[test]
    fn references_to_one_kind_are_united() {
        let mut config = Config::make_builtin();
        let before = config.name_references.len();
        let file =
            b"nameReference:\n- kind: Secret\n  version: v1\n  fieldSpecs:\n  - kind: Foo\n    path: spec/secret\n";
        config.merge(Config::parse(file, "c.yaml").unwrap()).unwrap();
        assert_eq!(config.name_references.len(), before);
    }
}
