//! HelmChart: one chart of a chart repository or of a Git repository, packed.

use std::sync::Arc;

use artifact::source::SourceKind as ArtifactKind;
use common::error::chain;
use common::meta::{Artifact, FluxObject as _, SourceObject as _};
use common::names::{group, reason};
use common::source::v1::{HelmChart, HelmRepository, SourceKind};
use kube::ResourceExt as _;
use runtime::{Action, ObjectKey, Reconcile};

use super::context::Context;
use super::driver::{Built, Kind, drive, replace_artifact, source_of};
use super::plan::{check_helm_chart, effective_values_files, version_metadata};
use super::{helm_repository, remote_chart};
use crate::charts::build::{self, Build, Options, SourceFiles};
use crate::charts::merge::clean;
use crate::failure::{Error, Failure};
use crate::outcome::Success;
use crate::store::StoreError;

/// Largest content of a chart and its values files in a source.
const LARGEST_SOURCE: usize = 128 << 20;

impl Kind for HelmChart {
    const KIND: ArtifactKind = ArtifactKind::HelmChart;

    fn clear_url(&mut self) {
        if let Some(status) = &mut self.status {
            status.url = None;
        }
    }
}

/// Reconciles HelmCharts.
pub struct HelmChartReconciler(pub Arc<Context>);

impl Reconcile<HelmChart> for HelmChartReconciler {
    type Error = Error;

    async fn reconcile(&self, object: Arc<HelmChart>) -> Result<Action, Error> {
        let context = &self.0;
        drive(context, &context.kinds.helm_charts, object, async |next| build(context, next).await).await
    }

    fn is_relevant(&self, old: &HelmChart, new: &HelmChart) -> bool {
        super::driver::is_relevant(old, new)
    }

    fn gone(&self, key: &ObjectKey) {
        super::git_repository::forget(&self.0, ArtifactKind::HelmChart, key);
    }
}

/// Wakes the charts of a source that has a new artifact.
pub(super) fn wake_for(context: &Context, kind: SourceKind, source: &ObjectKey) {
    let charts = context.kinds.helm_charts.keys_where(|chart| {
        let reference = &chart.spec.source_ref;
        reference.kind == kind
            && reference.name == source.name
            && chart.namespace().as_deref() == Some(&*source.namespace)
    });
    for chart in charts {
        context.kinds.wake_helm_chart.wake(chart);
    }
}

async fn build(context: &Context, object: &mut HelmChart) -> Result<Built, Failure> {
    check_helm_chart(object)?;
    let namespace = object.namespace().unwrap_or_default();
    let key = ObjectKey::new(&*namespace, &*object.spec.source_ref.name);
    let built = match object.spec.source_ref.kind {
        SourceKind::HelmRepository => {
            let repository = context
                .kinds
                .helm_repositories
                .get(&key)
                .ok_or_else(|| no_source(context, object, "helmrepositories"))?;
            if repository.spec.is_oci() {
                return Err(Failure::fetch(
                    reason::UNSUPPORTED_SOURCE_KIND,
                    format!(
                        "HelmRepository '{}' is of type 'oci', which is not supported by this release of Towline",
                        key.name
                    ),
                )
                .stalled());
            }
            let artifact = source_artifact(context, object, repository.artifact())?;
            from_repository(context, object, &repository, &artifact).await?
        }
        SourceKind::GitRepository => {
            let repository = context
                .kinds
                .git_repositories
                .get(&key)
                .ok_or_else(|| no_source(context, object, "gitrepositories"))?;
            let artifact = source_artifact(context, object, repository.artifact())?;
            from_source(context, object, &artifact).await?
        }
        SourceKind::Bucket => return Err(no_source(context, object, "buckets")),
    };
    Ok(Built {
        success: Success { reason: built.reason(), message: built.summary() },
        event_reason: built.reason(),
        recovery_reason: built.reason(),
        event_message: built.summary(),
    })
}

/// The source object does not exist; its creation wakes us.
fn no_source(context: &Context, object: &HelmChart, resource: &str) -> Failure {
    let name = &object.spec.source_ref.name;
    Failure::fetch(
        reason::SOURCE_UNAVAILABLE,
        format!("failed to get source: {resource}.{} \"{name}\" not found", group::SOURCE),
    )
    .waiting(context.settings.requeue_dependency)
}

/// The source's artifact, which must lie in storage; noted as what this reconcile is about.
fn source_artifact(
    context: &Context,
    object: &mut HelmChart,
    artifact: Option<&Artifact>,
) -> Result<Artifact, Failure> {
    let stored = artifact.filter(|artifact| context.store.local_path(artifact).is_file()).cloned();
    let artifact = stored.ok_or_else(|| {
        let reference = &object.spec.source_ref;
        Failure::fetch(
            reason::NO_SOURCE_ARTIFACT,
            format!("no artifact available for {} source '{}'", reference.kind.as_str(), reference.name),
        )
        .waiting(context.settings.requeue_dependency)
    })?;
    object.status.get_or_insert_default().observed_source_artifact_revision = Some(artifact.revision.clone());
    Ok(artifact)
}

fn options(object: &HelmChart, source_revision: &str) -> Options {
    Options {
        values_files: effective_values_files(object),
        ignore_missing: object.spec.ignore_missing_values_files,
        metadata: version_metadata(object, source_revision),
    }
}

/// The build that is in storage, when nothing asks for another: same name and version, and no change of the spec.
fn stored(object: &HelmChart, name: &str, version: &str, is_packaged: bool, options: &Options) -> Option<Build> {
    let status = object.status.as_ref()?;
    let artifact = status.artifact.as_ref()?;
    let is_current = object.observed_generation() == object.generation()
        && status.observed_chart_name.as_deref() == Some(name)
        && artifact.revision == version;
    let values_files = if status.observed_values_files.is_empty() {
        options.values_files.clone()
    } else {
        status.observed_values_files.clone()
    };
    is_current.then(|| Build { name: name.to_owned(), version: version.to_owned(), values_files, is_packaged })
}

async fn from_repository(
    context: &Context,
    object: &mut HelmChart,
    repository: &HelmRepository,
    index: &Artifact,
) -> Result<Build, Failure> {
    let options = options(object, &index.revision);
    let chart =
        remote_chart::find(context, context.store.local_path(index), &object.spec.chart, &object.spec.version).await?;
    let version = build::version_with(&chart.version, &options.metadata)?;
    if let Some(build) = stored(object, &chart.name, &version, !options.is_plain(), &options) {
        return Ok(build);
    }
    let access = helm_repository::access(context, repository).await?;
    let archive = remote_chart::download(context, &access, &chart).await?;
    let built = context.block(move || build::from_archive(&archive, &chart.name, &chart.version, &options)).await?;
    store(context, object, built).await
}

async fn from_source(context: &Context, object: &mut HelmChart, source: &Artifact) -> Result<Build, Failure> {
    let options = options(object, &source.revision);
    let (archive, path) = (context.store.local_path(source), object.spec.chart.clone());
    let (chart_options, values_files) = (options.clone(), options.values_files.clone());
    let (mut chart, mut files) = context
        .block(move || {
            let root = clean(&path);
            let mut wanted: Vec<String> = values_files.iter().map(|file| clean(file)).collect();
            wanted.push(root);
            let files = read_source(&archive, &wanted)?;
            Ok((build::load_local(&files, &path, &chart_options)?, files))
        })
        .await?;
    if let Some(build) = stored(object, chart.name(), chart.version(), chart.is_packaged(&options), &options) {
        return Ok(build);
    }
    let missing = chart.missing(&object.spec.chart);
    let local: Vec<String> = missing.iter().filter_map(|missing| missing.local.clone()).collect();
    if !local.is_empty() {
        let archive = context.store.local_path(source);
        let more = context.block(move || read_source(&archive, &local)).await?;
        files.extend(more);
    }
    let namespace = object.namespace().unwrap_or_default();
    for missing in missing {
        match &missing.local {
            Some(directory) => chart.add_local(&files, directory, &missing.dependency)?,
            None => {
                let archive = remote_chart::dependency(context, &namespace, &missing.dependency).await?;
                chart.add_archive(&archive, &missing.dependency)?;
            }
        }
    }
    let built = context.block(move || chart.build(&files, &options)).await?;
    store(context, object, built).await
}

/// The files of a source that are wanted, or that lie below a wanted directory.
fn read_source(archive: &std::path::Path, wanted: &[String]) -> Result<SourceFiles, Failure> {
    let open = |error: std::io::Error| {
        Failure::fetch(reason::READ_OPERATION_FAILED, format!("failed to open source artifact: {error}"))
    };
    let file = fs_err::File::open(archive).map_err(open)?;
    let mut files = SourceFiles::new();
    let mut total = 0_usize;
    archive::visit_tar_gz(file, &archive::Policy::source(), |info, content| {
        let is_wanted = wanted.iter().any(|path| {
            path.is_empty()
                || info.path.strip_prefix(path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        if !is_wanted || info.kind == archive::EntryKind::Directory {
            return Ok(());
        }
        let mut data = Vec::new();
        content.read_to_end(&mut data)?;
        total += data.len();
        if total > LARGEST_SOURCE {
            return Err(std::io::Error::other(format!("the chart's files are larger than {LARGEST_SOURCE} bytes")));
        }
        files.insert(info.path.clone(), data);
        Ok::<(), std::io::Error>(())
    })
    .map_err(|error| Failure::fetch(reason::FAILED, format!("artifact untar error: {}", chain(&error))))?;
    Ok(files)
}

/// Stores a built chart and notes it in the status.
async fn store(context: &Context, object: &mut HelmChart, built: (Build, Vec<u8>)) -> Result<Build, Failure> {
    let (store, source, now) = (context.store.clone(), source_of(object), context.clock.now());
    let (artifact, url, build) = context
        .block(move || {
            let (build, bytes) = built;
            let name = format!("{}-{}.tgz", build.name, build.version);
            let artifact = store
                .write(&source, &name, &build.version, now, |target| target.write_all(&bytes).map_err(StoreError::from))
                .map_err(|error| {
                    Failure::storage(
                        reason::ARCHIVE_OPERATION_FAILED,
                        format!("unable to copy Helm chart to storage: {}", chain(&error)),
                    )
                })?;
            let url = store
                .link(&artifact, "latest.tar.gz")
                .map_err(|error| Failure::storage(reason::SYMLINK_UPDATE_FAILED, error.to_string()))?;
            Ok((artifact, url, build))
        })
        .await?;
    replace_artifact(context, object, artifact);
    let ignore_missing = object.spec.ignore_missing_values_files;
    let status = object.status.get_or_insert_default();
    status.url = Some(url);
    status.observed_chart_name = Some(build.name.clone());
    status.observed_values_files = if ignore_missing { build.values_files.clone() } else { Vec::new() };
    Ok(build)
}
