//! Every name that goes over the wire, once. Grouped by what the name is used as.

pub mod annotation;
pub mod condition;
pub mod event;
pub mod reason;
pub mod secret_key;

/// API groups and versions.
pub mod group {
    /// Group of the source kinds.
    pub const SOURCE: &str = "source.toolkit.fluxcd.io";
    /// Group of HelmRelease.
    pub const HELM: &str = "helm.toolkit.fluxcd.io";
    /// Group of Kustomization.
    pub const KUSTOMIZE: &str = "kustomize.toolkit.fluxcd.io";
    /// Group of the Helm operator's HelmRelease.
    pub const HELM_OPERATOR: &str = "helm.fluxcd.io";
    /// `apiVersion` of the source kinds.
    pub const SOURCE_V1: &str = "source.toolkit.fluxcd.io/v1";
    /// `apiVersion` of HelmRelease.
    pub const HELM_V2: &str = "helm.toolkit.fluxcd.io/v2";
    /// `apiVersion` of the Helm operator's HelmRelease.
    pub const HELM_OPERATOR_V1: &str = "helm.fluxcd.io/v1";
}

/// Finalizers.
pub mod finalizer {
    /// The finalizer of every toolkit object.
    pub const FLUX: &str = "finalizers.fluxcd.io";
    /// The finalizer on Helm operator releases. The operator had none and missed deletions while it was down.
    pub const HELM_OPERATOR: &str = "helm.fluxcd.io/finalizer";
}

/// Names of the controllers: their Deployments, Services, event sources and reporting components.
pub mod controller {
    /// source-controller.
    pub const SOURCE: &str = "source-controller";
    /// kustomize-controller.
    pub const KUSTOMIZE: &str = "kustomize-controller";
    /// helm-controller.
    pub const HELM: &str = "helm-controller";
    /// The container every controller's Pod runs, by which logs are found.
    pub const CONTAINER: &str = "manager";
}

/// Field managers of writes.
pub mod field_manager {
    /// source-controller's own objects and status.
    pub const SOURCE: &str = "source-controller";
    /// helm-controller's own objects and status.
    pub const HELM: &str = "helm-controller";
    /// kustomize-controller's applied objects.
    pub const KUSTOMIZE: &str = "kustomize-controller";
    /// kustomize-controller's status.
    pub const KUSTOMIZE_STATUS: &str = "gotk-kustomize-controller";
    /// What our command line writes with.
    pub const TOWLINE_CLI: &str = "towline";
    /// What Helm's own command line writes with.
    pub const HELM_CLI: &str = "helm";
    /// The Helm operator's objects.
    pub const HELM_OPERATOR: &str = "helm-operator";
    /// What the Terraform provider for Helm writes with begins like this; its version follows.
    pub const TERRAFORM_HELM: &str = "terraform-provider-helm";
    /// Command line edits that are not to be taken over.
    pub const FLUX_CLIENT_SIDE_APPLY: &str = "flux-client-side-apply";

    /// Whether objects of Helm releases are written under this name: by default Helm calls itself as its program is called.
    pub fn is_helm(manager: &str) -> bool {
        [HELM, HELM_CLI, HELM_OPERATOR].contains(&manager) || manager.starts_with(TERRAFORM_HELM)
    }
}

/// Leases by which replicas agree on a leader.
pub mod lease {
    /// source-controller's lease.
    pub const SOURCE: &str = "source-controller-leader-election";
    /// helm-controller's lease.
    pub const HELM: &str = "helm-controller-leader-election";
    /// kustomize-controller's lease.
    pub const KUSTOMIZE: &str = "kustomize-controller-leader-election";

    /// The lease of a controller by name; a shard (watching by label selector) adds its suffix.
    #[must_use]
    pub fn of(controller: &str, shard_suffix: Option<&str>) -> String {
        match shard_suffix {
            Some(suffix) if !suffix.is_empty() => format!("{controller}-leader-election-{suffix}"),
            _ => format!("{controller}-leader-election"),
        }
    }
}

/// Labels.
pub mod label {
    /// On every object of a Helm release: its HelmRelease.
    pub const HELM_NAME: &str = "helm.toolkit.fluxcd.io/name";
    /// On every object of a Helm release: its HelmRelease's namespace.
    pub const HELM_NAMESPACE: &str = "helm.toolkit.fluxcd.io/namespace";
    /// On every object a Kustomization applies: its name.
    pub const KUSTOMIZE_NAME: &str = "kustomize.toolkit.fluxcd.io/name";
    /// On every object a Kustomization applies: its namespace.
    pub const KUSTOMIZE_NAMESPACE: &str = "kustomize.toolkit.fluxcd.io/namespace";
    /// On ConfigMaps and Secrets whose changes wake the objects that read them.
    pub const WATCH: &str = "reconcile.fluxcd.io/watch";
    /// The value of [`WATCH`] that turns it on.
    pub const WATCH_ENABLED: &str = "Enabled";
    /// Which shard of controllers an object belongs to.
    pub const SHARD_KEY: &str = "sharding.fluxcd.io/key";
    /// Who manages an object; Helm writes [`MANAGED_BY_HELM`].
    pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
    /// Helm's value of [`MANAGED_BY`].
    pub const MANAGED_BY_HELM: &str = "Helm";
    /// The suite a Deployment or CRD belongs to, by which command line tools find them.
    pub const PART_OF: &str = "app.kubernetes.io/part-of";
    /// The value of [`PART_OF`] those tools look for.
    pub const PART_OF_FLUX: &str = "flux";
    /// The component a Deployment is.
    pub const COMPONENT: &str = "app.kubernetes.io/component";
    /// The instance (namespace) of the suite.
    pub const INSTANCE: &str = "app.kubernetes.io/instance";
    /// The suite's version.
    pub const VERSION: &str = "app.kubernetes.io/version";
}

/// Network ports of the controllers.
pub mod port {
    /// Artifacts over HTTP and gRPC.
    pub const ARTIFACTS: u16 = 9090;
    /// Prometheus metrics.
    pub const METRICS: u16 = 8080;
    /// Health probes.
    pub const HEALTH: u16 = 9440;
}

/// Metadata keys of artifacts.
pub mod metadata_key {
    /// The revision of the origin the artifact was made from.
    pub const OCI_REVISION: &str = "org.opencontainers.image.revision";
    /// Where the origin lives.
    pub const OCI_SOURCE: &str = "org.opencontainers.image.source";
    /// When the origin was made.
    pub const OCI_CREATED: &str = "org.opencontainers.image.created";
}

/// The audience of service-account tokens that callers of the artifact service present.
pub const ARTIFACT_AUDIENCE: &str = "towline-artifact";
