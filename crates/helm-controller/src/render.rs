//! From chart and values to a release record's content: rendering, sorting, post-rendering.

use std::sync::Arc;

use apply::{Cluster, Gvk, ObjectRef};
use common::helm::v2::{PostRenderStrategy, PostRenderer};
use helm::{
    capabilities::Capabilities,
    chart::Chart,
    engine::{Lookup, ReleaseOptions, RenderRequest},
    manifest::Hook,
    removed_apis,
    value::Map,
};
use jiff::Timestamp;
use tokio::sync::Semaphore;

use crate::{
    manifest::{self, Document},
    postrender::Additions,
    renderers,
};

/// What to render.
pub struct Job {
    /// The chart.
    pub chart: Arc<Chart>,
    /// The composed values.
    pub values: Map,
    /// The release.
    pub release: ReleaseOptions,
    /// What the cluster can do.
    pub capabilities: Capabilities,
    /// The present time.
    pub now: Timestamp,
    /// Do not check values against the chart's schema.
    pub skip_schema: bool,
    /// Map API versions that the cluster no longer serves.
    pub map_removed_apis: bool,
    /// What is done to the rendered files.
    pub post_renderers: Vec<PostRenderer>,
    /// Whether hooks are among them.
    pub post_render_strategy: PostRenderStrategy,
    /// Labels and annotations of every object.
    pub common: Option<common::meta::CommonMetadata>,
    /// Name and namespace of the HelmRelease.
    pub owner: (String, String),
    /// More annotations.
    pub annotations: Vec<(&'static str, String)>,
    /// The cluster for `lookup`.
    pub cluster: Cluster,
}

/// What a release consists of.
pub struct Output {
    /// The chart as rendered: without disabled subcharts.
    pub chart: Arc<Chart>,
    /// Objects in install order.
    pub documents: Vec<Document>,
    /// Their text.
    pub manifest: String,
    /// Hooks.
    pub hooks: Vec<Hook>,
    /// Notes.
    pub notes: String,
    /// What people should know.
    pub warnings: Vec<String>,
    /// Objects whose API version was mapped, in words.
    pub mapped: Vec<String>,
}

/// Renderings at a time: each takes a core.
static RENDERERS: Semaphore = Semaphore::const_new(2);

/// Renders off the asynchronous threads.
pub async fn render(job: Job) -> Result<Output, String> {
    let handle = tokio::runtime::Handle::current();
    let _permit = RENDERERS.acquire().await.map_err(|error| error.to_string())?;
    tokio::task::spawn_blocking(move || render_here(&job, handle))
        .await
        .map_err(|error| format!("rendering was interrupted: {error}"))?
}

struct ClusterLookup {
    cluster: Cluster,
    handle: tokio::runtime::Handle,
}

impl Lookup for ClusterLookup {
    fn lookup(
        &self,
        api_version: &str,
        kind: &str,
        namespace: &str,
        name: &str,
    ) -> Result<Option<serde_json::Value>, String> {
        let object =
            ObjectRef { gvk: Gvk::new(api_version, kind), namespace: namespace.to_owned(), name: name.to_owned() };
        let answer = self.handle.block_on(async {
            if name.is_empty() { self.cluster.list(&object).await } else { self.cluster.get(&object).await }
        });
        answer.map_err(|error| error.to_string())
    }
}

fn render_here(job: &Job, handle: tokio::runtime::Handle) -> Result<Output, String> {
    let installable = job.chart.check_installable().and_then(|()| job.chart.check_dependencies());
    installable.map_err(|error| error.to_string())?;
    let mut request = RenderRequest::new(&job.chart, &job.values, job.release.clone(), &job.capabilities, job.now);
    request.lookup = Some(Arc::new(ClusterLookup { cluster: job.cluster.clone(), handle }));
    request.skip_schema_validation = job.skip_schema;
    let rendered = helm::engine::render(&request).map_err(|error| error.to_string())?;
    let mut sorted = renderers::sorted(&rendered.files, &job.post_renderers, job.post_render_strategy)?;
    let additions = Additions {
        common: job.common.as_ref(),
        name: &job.owner.0,
        namespace: &job.owner.1,
        annotations: &job.annotations,
    };
    let mut mapped = Vec::new();
    let mut documents = Vec::new();
    for found in &sorted.manifests {
        let object = manifest::parse_document(&found.content)
            .map_err(|problem| format!("YAML parse error on {}: {problem}", found.path))?;
        let first = documents.len();
        manifest::flatten(&found.path, object, &mut documents).map_err(|error| error.to_string())?;
        for document in documents.iter_mut().skip(first) {
            check(&found.path, &document.object)?;
            map_removed(job, &found.path, &mut document.object, &mut mapped)?;
            additions.add(&mut document.object);
        }
    }
    for hook in &mut sorted.hooks {
        let mut object = manifest::parse_document(&hook.manifest)
            .map_err(|problem| format!("YAML parse error on {}: {problem}", hook.path))?;
        check(&hook.path, &object)?;
        map_removed(job, &hook.path, &mut object, &mut mapped)?;
        additions.add(&mut object);
        hook.manifest = manifest::to_yaml(&object);
    }
    let manifest = manifest::to_text(&documents);
    let mut warnings = rendered.warnings;
    warnings.extend(
        sorted
            .unknown_hooks
            .iter()
            .map(|(path, hook)| format!("{path}: unknown hook \"{hook}\": the document is left out")),
    );
    Ok(Output {
        chart: Arc::new(rendered.chart),
        documents,
        manifest,
        hooks: sorted.hooks,
        notes: rendered.notes,
        warnings,
        mapped,
    })
}

/// An object that nobody could apply is named with its template.
fn check(path: &str, object: &serde_json::Value) -> Result<(), String> {
    match ObjectRef::of(object) {
        Ok(_) => Ok(()),
        Err(_) if !apply::object::text(object, "/metadata/generateName").is_empty() => Ok(()),
        Err(error) => Err(format!("unable to build kubernetes objects from release manifest: {path}: {error}")),
    }
}

fn map_removed(job: &Job, path: &str, object: &mut serde_json::Value, mapped: &mut Vec<String>) -> Result<(), String> {
    let (api_version, kind) =
        (apply::object::text(object, "/apiVersion").to_owned(), apply::object::text(object, "/kind").to_owned());
    let Some(removed) = removed_apis::find(&api_version, &kind) else { return Ok(()) };
    if job.capabilities.has(&format!("{api_version}/{kind}")) {
        return Ok(());
    }
    let name = apply::object::text(object, "/metadata/name").to_owned();
    let successor = removed.replacement.unwrap_or("none");
    if !job.map_removed_apis {
        return Err(format!(
            "{path}: {kind} \"{name}\": {api_version} is not served since Kubernetes 1.{}; its successor is {successor} \
             (the flag --map-removed-apis maps it where the schema carries over)",
            removed.removed_in
        ));
    }
    removed_apis::convert(object).map_err(|error| format!("{path}: {kind} \"{name}\": {error}"))?;
    mapped.push(format!("{kind} \"{name}\" from {api_version} to {successor}"));
    Ok(())
}
