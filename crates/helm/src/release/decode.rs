//! Reading the JSON of a release record, of Helm 3 and of Helm 4.

use super::{ApplyMethod, Info, Release, Time, null_default, time};
use crate::chart::{Chart, Dependency, File, ImportValues, Lock, Maintainer, Metadata};
use crate::manifest::Hook;
use crate::value::{Map, Value};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Deserialize, Default)]
#[serde(default)]
struct ReleaseRecord {
    #[serde(deserialize_with = "null_default")]
    name: String,
    #[serde(deserialize_with = "null_default")]
    info: InfoRecord,
    #[serde(deserialize_with = "null_default")]
    chart: ChartRecord,
    config: Option<serde_json::Value>,
    #[serde(deserialize_with = "null_default")]
    manifest: String,
    #[serde(deserialize_with = "null_default")]
    hooks: Vec<Hook>,
    #[serde(deserialize_with = "null_default")]
    version: i64,
    #[serde(deserialize_with = "null_default")]
    namespace: String,
    #[serde(deserialize_with = "null_default")]
    apply_method: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct InfoRecord {
    #[serde(deserialize_with = "time::optional")]
    first_deployed: Option<Time>,
    #[serde(deserialize_with = "time::optional")]
    last_deployed: Option<Time>,
    #[serde(deserialize_with = "time::optional")]
    deleted: Option<Time>,
    #[serde(deserialize_with = "null_default")]
    description: String,
    #[serde(deserialize_with = "null_default")]
    status: String,
    #[serde(deserialize_with = "null_default")]
    notes: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ChartRecord {
    #[serde(deserialize_with = "null_default")]
    metadata: MetadataRecord,
    lock: Option<LockRecord>,
    #[serde(deserialize_with = "null_default")]
    templates: Vec<FileRecord>,
    values: Option<serde_json::Value>,
    #[serde(deserialize_with = "base64_bytes")]
    schema: Option<Vec<u8>>,
    #[serde(deserialize_with = "time::kept")]
    schemamodtime: Option<Time>,
    #[serde(deserialize_with = "null_default")]
    files: Vec<FileRecord>,
    #[serde(deserialize_with = "time::required")]
    modtime: Option<Time>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct FileRecord {
    #[serde(deserialize_with = "null_default")]
    name: String,
    #[serde(deserialize_with = "base64_bytes")]
    data: Option<Vec<u8>>,
    #[serde(deserialize_with = "time::required")]
    modtime: Option<Time>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct MetadataRecord {
    #[serde(deserialize_with = "null_default")]
    name: String,
    #[serde(deserialize_with = "null_default")]
    home: String,
    #[serde(deserialize_with = "null_default")]
    sources: Vec<String>,
    #[serde(deserialize_with = "null_default")]
    version: String,
    #[serde(deserialize_with = "null_default")]
    description: String,
    #[serde(deserialize_with = "null_default")]
    keywords: Vec<String>,
    #[serde(deserialize_with = "null_default")]
    maintainers: Vec<MaintainerRecord>,
    #[serde(deserialize_with = "null_default")]
    icon: String,
    #[serde(deserialize_with = "null_default")]
    api_version: String,
    #[serde(deserialize_with = "null_default")]
    condition: String,
    #[serde(deserialize_with = "null_default")]
    tags: String,
    #[serde(deserialize_with = "null_default")]
    app_version: String,
    #[serde(deserialize_with = "null_default")]
    deprecated: bool,
    #[serde(deserialize_with = "null_default")]
    annotations: BTreeMap<String, String>,
    #[serde(deserialize_with = "null_default")]
    kube_version: String,
    #[serde(deserialize_with = "null_default")]
    dependencies: Vec<DependencyRecord>,
    #[serde(rename = "type", deserialize_with = "null_default")]
    chart_type: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct MaintainerRecord {
    #[serde(deserialize_with = "null_default")]
    name: String,
    #[serde(deserialize_with = "null_default")]
    email: String,
    #[serde(deserialize_with = "null_default")]
    url: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct DependencyRecord {
    #[serde(deserialize_with = "null_default")]
    name: String,
    #[serde(deserialize_with = "null_default")]
    version: String,
    #[serde(deserialize_with = "null_default")]
    repository: String,
    #[serde(deserialize_with = "null_default")]
    condition: String,
    #[serde(deserialize_with = "null_default")]
    tags: Vec<String>,
    #[serde(deserialize_with = "null_default")]
    enabled: bool,
    #[serde(rename = "import-values", deserialize_with = "null_default")]
    import_values: Vec<serde_json::Value>,
    #[serde(deserialize_with = "null_default")]
    alias: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct LockRecord {
    #[serde(deserialize_with = "time::kept")]
    generated: Option<Time>,
    #[serde(deserialize_with = "null_default")]
    digest: String,
    dependencies: Option<Vec<DependencyRecord>>,
}

fn base64_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    // Go's decoder passes over line ends.
    let text: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    STANDARD.decode(text).map(Some).map_err(serde::de::Error::custom)
}

/// Reads the JSON of a record.
pub(super) fn from_json(json: &[u8]) -> Result<Release, serde_json::Error> {
    let record: ReleaseRecord = serde_json::from_slice(json)?;
    Ok(Release {
        name: record.name,
        info: Info {
            first_deployed: record.info.first_deployed,
            last_deployed: record.info.last_deployed,
            deleted: record.info.deleted,
            description: record.info.description,
            status: record.info.status,
            notes: record.info.notes,
        },
        chart: Arc::new(chart(record.chart)),
        config: record.config.as_ref().and_then(map),
        manifest: record.manifest,
        hooks: record.hooks,
        version: record.version,
        namespace: record.namespace,
        apply_method: ApplyMethod::parse(&record.apply_method),
        labels: BTreeMap::new(),
    })
}

fn map(json: &serde_json::Value) -> Option<Map> {
    match Value::from_json(json) {
        Value::Map(map) => Some(map),
        _ => None,
    }
}

fn chart(record: ChartRecord) -> Chart {
    let files = |files: Vec<FileRecord>| {
        let file =
            |file: FileRecord| File { modified: file.modtime, ..File::new(file.name, file.data.unwrap_or_default()) };
        files.into_iter().map(file).collect()
    };
    Chart {
        metadata: metadata(record.metadata),
        lock: record.lock.map(|lock| Lock {
            generated: lock.generated,
            digest: lock.digest,
            declares_dependencies: lock.dependencies.is_some(),
            dependencies: lock.dependencies.unwrap_or_default().into_iter().map(dependency).collect(),
        }),
        templates: files(record.templates),
        values: record.values.as_ref().and_then(map),
        schema: record.schema.map(Into::into),
        schema_modified: record.schemamodtime,
        files: files(record.files),
        modified: record.modtime,
        ..Chart::default()
    }
}

fn metadata(record: MetadataRecord) -> Metadata {
    Metadata {
        name: record.name,
        home: record.home,
        sources: record.sources,
        version: record.version,
        description: record.description,
        keywords: record.keywords,
        maintainers: record
            .maintainers
            .into_iter()
            .map(|maintainer| Maintainer { name: maintainer.name, email: maintainer.email, url: maintainer.url })
            .collect(),
        icon: record.icon,
        api_version: record.api_version,
        condition: record.condition,
        tags: record.tags,
        app_version: record.app_version,
        deprecated: record.deprecated,
        annotations: record.annotations,
        kube_version: record.kube_version,
        declares_dependencies: !record.dependencies.is_empty(),
        dependencies: record.dependencies.into_iter().map(dependency).collect(),
        chart_type: record.chart_type,
    }
}

fn dependency(record: DependencyRecord) -> Dependency {
    Dependency {
        name: record.name,
        version: record.version,
        repository: record.repository,
        condition: record.condition,
        tags: record.tags,
        enabled: record.enabled,
        import_values: record.import_values.iter().map(|value| ImportValues(Value::from_json(value))).collect(),
        alias: record.alias,
    }
}
