//! The scopes of a render: what `.` is for the templates of each chart.

use super::files::Files;
use super::objects::{CapabilitiesObject, VALUES};
use crate::capabilities::Capabilities;
use crate::chart::{Chart, File, Metadata};
use crate::value::Value as Tree;
use gotemplate::value::types::STRING_MAP;
use gotemplate::value::{Map, Value};
use std::sync::Arc;

/// The release a chart is rendered for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReleaseOptions {
    /// The release's name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// The revision.
    pub revision: i64,
    /// Whether this is an upgrade (or rollback) instead of an install.
    pub is_upgrade: bool,
}

/// One template with what it sees.
pub(super) struct Renderable<'a> {
    /// The full name: chart path and template path.
    pub(super) name: Arc<str>,
    pub(super) file: &'a File,
    pub(super) chart: &'a Chart,
    /// `.` of the template's chart, shared by all of its templates.
    pub(super) scope: Map,
    /// `.Template.BasePath`.
    pub(super) base_path: Arc<str>,
}

/// Everything that is rendered, in no particular order.
pub(super) fn renderables<'a>(
    chart: &'a Chart,
    values: &Map,
    release: &ReleaseOptions,
    capabilities: &Capabilities,
) -> Vec<Renderable<'a>> {
    let shared = Shared { release: release_map(release), capabilities: CapabilitiesObject::value(capabilities) };
    let mut found = Vec::new();
    collect(chart, chart.name(), true, &values.converted(&VALUES), &shared, &mut found);
    found
}

struct Shared {
    release: Value,
    capabilities: Value,
}

fn release_map(release: &ReleaseOptions) -> Value {
    Value::map([
        ("Name", Value::from(release.name.as_str())),
        ("Namespace", Value::from(release.namespace.as_str())),
        ("IsUpgrade", Value::Bool(release.is_upgrade)),
        // Without a revision there is no release: that is so when linting.
        ("IsInstall", Value::Bool(!release.is_upgrade && release.revision > 0)),
        ("Revision", Value::Int(release.revision)),
        ("Service", Value::from("Helm")),
    ])
}

fn collect<'a>(
    chart: &'a Chart,
    path: &str,
    is_root: bool,
    values: &Map,
    shared: &Shared,
    found: &mut Vec<Renderable<'a>>,
) -> Map {
    let metadata = metadata_map(&chart.metadata, is_root);
    let subcharts = Map::new();
    let scope = Map::from_entries([
        ("Chart", metadata),
        ("Files", Files::value(&chart.files)),
        ("Release", shared.release.clone()),
        ("Capabilities", shared.capabilities.clone()),
        ("Values", Value::Map(values.clone())),
        ("Subcharts", Value::Map(subcharts.clone())),
    ]);
    for subchart in &chart.dependencies {
        // A table of another type than Helm's own maps is not found, and a subchart without one sees an empty map.
        let values = match values.get(subchart.name()) {
            Some(Value::Map(table)) => table.converted(&VALUES),
            _ => Map::typed(&VALUES),
        };
        let path = format!("{path}/charts/{}", subchart.name());
        let inner = collect(subchart, &path, false, &values, shared, found);
        subcharts.insert(subchart.name(), Value::Map(inner));
    }
    let base_path: Arc<str> = format!("{path}/templates").into();
    let library = chart.is_library();
    for file in &chart.templates {
        if library && !crate::go_text::base_name(&file.name).starts_with('_') {
            continue;
        }
        let name = crate::go_text::clean_path(&format!("{path}/{}", file.name)).into();
        found.push(Renderable { name, file, chart, scope: scope.converted(&VALUES), base_path: base_path.clone() });
    }
    scope
}

/// The metadata as the map of Go field names that Helm 4 gives to templates.
fn metadata_map(metadata: &Metadata, is_root: bool) -> Value {
    let text = |text: &str| Value::from(text);
    let list = |items: &[String]| Value::list(items.iter().map(|item| Value::from(item.as_str())).collect());
    let maintainers = metadata
        .maintainers
        .iter()
        .map(|maintainer| {
            Value::map([
                ("Email", text(&maintainer.email)),
                ("Name", text(&maintainer.name)),
                ("URL", text(&maintainer.url)),
            ])
        })
        .collect();
    let dependencies = metadata
        .dependencies
        .iter()
        .map(|dependency| {
            Value::map([
                ("Name", text(&dependency.name)),
                ("Version", text(&dependency.version)),
                ("Repository", text(&dependency.repository)),
                ("Condition", text(&dependency.condition)),
                ("Tags", list(&dependency.tags)),
                ("Enabled", Value::Bool(dependency.enabled)),
                (
                    "ImportValues",
                    Value::list(dependency.import_values.iter().map(|import| imported(&import.0)).collect()),
                ),
                ("Alias", text(&dependency.alias)),
            ])
        })
        .collect();
    let annotations = if metadata.annotations.is_empty() {
        Map::nil(&STRING_MAP)
    } else {
        let entries = metadata.annotations.iter().map(|(key, value)| (key.as_str(), text(value)));
        Map::typed_from_entries(&STRING_MAP, entries)
    };
    Value::map([
        ("Name", text(&metadata.name)),
        ("Home", text(&metadata.home)),
        ("Sources", list(&metadata.sources)),
        ("Version", text(&metadata.version)),
        ("Description", text(&metadata.description)),
        ("Keywords", list(&metadata.keywords)),
        ("Maintainers", Value::list(maintainers)),
        ("Icon", text(&metadata.icon)),
        ("APIVersion", text(&metadata.api_version)),
        ("Condition", text(&metadata.condition)),
        ("Tags", text(&metadata.tags)),
        ("AppVersion", text(&metadata.app_version)),
        ("Deprecated", Value::Bool(metadata.deprecated)),
        ("Annotations", Value::Map(annotations)),
        ("KubeVersion", text(&metadata.kube_version)),
        ("Dependencies", Value::list(dependencies)),
        ("Type", text(&metadata.chart_type)),
        ("IsRoot", Value::Bool(is_root)),
    ])
}

/// Processed imports are string maps, anything else is as it was written.
fn imported(import: &Tree) -> Value {
    match import {
        Tree::Map(entries) if entries.values().all(|value| matches!(value, Tree::String(_))) => {
            Value::Map(Map::typed_from_entries(
                &STRING_MAP,
                entries.iter().map(|(key, value)| (&**key, Value::from(value.as_str().unwrap_or_default()))),
            ))
        }
        other => crate::values::to_template(other),
    }
}
