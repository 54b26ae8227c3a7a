//! What a release needs before it can be released: its HelmChart, its dependencies, its source.

use std::{sync::Arc, time::Duration};

use common::{
    helm::v2::HelmRelease,
    meta::{Artifact, FluxObject},
    names::{
        event, field_manager,
        label::{HELM_NAME, HELM_NAMESPACE},
    },
    source::v1::HelmChart,
};
use kube::{
    Api,
    api::{DeleteParams, Patch, PatchParams},
};
use runtime::ObjectKey;

use super::Context;
use crate::{engine::EngineError, plan::outcome::Notice, sources, template};

/// How long a chart that was just written may be unready before the status says so.
pub(super) const GRACE: Duration = Duration::from_secs(1);

/// Says why a dependency keeps the release waiting.
pub(super) fn unready_dependency(context: &Context, release: &HelmRelease) -> Option<String> {
    let own = release.metadata.namespace.as_deref().unwrap_or_default();
    release.spec.depends_on.iter().find_map(|dependency| {
        let key = ObjectKey::new(dependency.namespace.as_deref().unwrap_or(own), &dependency.name);
        match context.releases.get(&key) {
            None => Some(format!("unable to get '{key}' dependency: HelmRelease '{key}' not found")),
            Some(found) if found.is_ready() => None,
            Some(_) => Some(format!("dependency '{key}' is not ready")),
        }
    })
}

/// A reference across namespaces where that is forbidden.
pub(super) fn forbidden_reference(context: &Context, release: &HelmRelease) -> Option<String> {
    if !context.flags.no_cross_namespace_refs {
        return None;
    }
    let own = release.metadata.namespace.as_deref().unwrap_or_default();
    let (kind, name, namespace) = if let Some(chart) = &release.spec.chart {
        let reference = &chart.spec.source_ref;
        (reference.kind.as_str(), &reference.name, reference.namespace.as_deref())
    } else {
        let reference = release.spec.chart_ref.as_ref()?;
        (reference.kind.as_str(), &reference.name, reference.namespace.as_deref())
    };
    let namespace = namespace.filter(|namespace| !namespace.is_empty() && *namespace != own)?;
    Some(format!("can't access '{kind}/{namespace}/{name}', cross-namespace references have been blocked"))
}

/// Makes the release's HelmChart what the template says. Returns what happened, for an event.
pub(super) async fn apply_chart(context: &Context, release: &HelmRelease) -> Result<Option<Notice>, EngineError> {
    let Some(wanted) = template::helm_chart(release) else { return Ok(None) };
    let namespace = release.helm_chart_namespace().unwrap_or_default();
    let name = release.helm_chart_name();
    let existing = context.charts.get(&ObjectKey::new(&namespace, &name));
    if existing.as_ref().is_some_and(|existing| template::matches(&wanted, existing)) {
        return Ok(None);
    }
    let api: Api<HelmChart> = Api::namespaced(context.client.clone(), &namespace);
    let params = PatchParams::apply(field_manager::HELM).force();
    let stored = runtime::patch::object(&api, &name, &params, &Patch::Apply(&wanted))
        .await
        .map_err(EngineError::object("apply the HelmChart"))?;
    let is_new = existing.is_none()
        && stored.metadata.generation == Some(1)
        && stored.status.as_ref().is_none_or(|status| status.artifact.is_none());
    let _ = context.charts.observe(stored);
    let (reason, word) =
        if is_new { (event::HELM_CHART_CREATED, "Created") } else { (event::HELM_CHART_CONFIGURED, "Configured") };
    Ok(Some(Notice::normal(reason, format!("{word} HelmChart/{namespace}/{name} with SSA"))))
}

/// Deletes the HelmChart that `status.helmChart` names, if it was made for this release.
pub(super) async fn delete_chart(context: &Context, release: &HelmRelease) -> Result<Option<Notice>, EngineError> {
    let Some((namespace, name)) = release.status.as_ref().and_then(|status| status.helm_chart.split_once('/')) else {
        return Ok(None);
    };
    let key = ObjectKey::new(namespace, name);
    if let Some(chart) = context.charts.get(&key) {
        let label = |key: &str| chart.metadata.labels.as_ref().and_then(|labels| labels.get(key)).cloned();
        if label(HELM_NAME) != release.metadata.name || label(HELM_NAMESPACE) != release.metadata.namespace {
            return Ok(None);
        }
    }
    let api: Api<HelmChart> = Api::namespaced(context.client.clone(), namespace);
    match api.delete(name, &DeleteParams::default()).await {
        Ok(_) => {}
        Err(kube::Error::Api(status)) if status.code == 404 => {}
        Err(error) => return Err(EngineError::object("delete the HelmChart")(error)),
    }
    context.charts.remove(&key);
    Ok(Some(Notice::normal(event::HELM_CHART_DELETED, format!("deleted HelmChart '{key}'"))))
}

/// The artifact of the release's chart, or why there is none yet.
pub(super) fn artifact(context: &Context, release: &HelmRelease) -> Result<(Arc<HelmChart>, Artifact), String> {
    let own = release.metadata.namespace.clone().unwrap_or_default();
    let key = match &release.spec.chart_ref {
        Some(reference) => ObjectKey::new(reference.namespace.clone().unwrap_or(own), &reference.name),
        None => ObjectKey::new(release.helm_chart_namespace().unwrap_or(own), release.helm_chart_name()),
    };
    let chart = context.charts.get(&key).ok_or_else(|| format!("HelmChart '{key}' is not ready: it does not exist"))?;
    let artifact = sources::ready(&chart)?.clone();
    Ok((chart, artifact))
}
