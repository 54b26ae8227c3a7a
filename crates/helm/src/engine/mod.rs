//! Rendering: all templates of a chart and its subcharts, as one set, over the coalesced values.

mod error;
mod files;
mod functions;
mod glob;
mod lookup;
mod objects;
mod prepared;
mod scope;

pub use error::TemplateError;
pub use lookup::Lookup;
pub(crate) use prepared::Prepared;
pub use scope::ReleaseOptions;

use crate::capabilities::Capabilities;
use crate::chart::Chart;
use crate::dependencies::{is_compatible_range, process_dependencies};
use crate::go_text::base_name;
use crate::schema::{SchemaError, validate_values};
use crate::value::Map;
use crate::values::{ValuesError, coalesce_values, from_template};
use functions::RenderState;
use gotemplate::context::{Environment, Limits};
use gotemplate::value::Value as TemplateValue;
use gotemplate::{Executor, MissingKey, Templates};
use jiff::Timestamp;
use scope::Renderable;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// The functions of templates that need no chart: sprig's, and Helm's for data formats.
#[must_use]
pub fn data_functions() -> gotemplate::function::FunctionMap {
    gotemplate::sprig::functions().with(gotemplate::data::FUNCTIONS)
}

/// The names of all functions of templates.
pub(crate) fn function_names() -> Vec<String> {
    functions::functions().names().map(str::to_owned).collect()
}

/// Stack for rendering: enough for Helm's 1000 nested includes.
const STACK_BYTES: usize = 96 << 20;
/// The part of it that templates may use.
const USABLE_STACK_BYTES: usize = 92 << 20;
/// Steps of one render; the largest charts known take a few hundred thousand.
const MOST_STEPS: u64 = 20_000_000;
/// The end of the name of templates that are shown to people instead of applied.
const NOTES: &str = "NOTES.txt";

/// What to render, and under which circumstances.
#[derive(Clone)]
pub struct RenderRequest<'a> {
    /// The chart, as loaded.
    pub chart: &'a Chart,
    /// The user's values.
    pub values: &'a Map,
    /// The release.
    pub release: ReleaseOptions,
    /// The cluster's capabilities.
    pub capabilities: &'a Capabilities,
    /// The present time.
    pub now: Timestamp,
    /// Answers `lookup`; without it every lookup finds nothing.
    pub lookup: Option<Arc<dyn Lookup>>,
    /// Do not check values against schemas.
    pub skip_schema_validation: bool,
    /// Keep the notes of subcharts too.
    pub sub_notes: bool,
    /// Let `required` and `fail` pass, as linting does.
    pub lint: bool,
    /// Make a missing map key an error.
    pub strict: bool,
    /// Bounds on the templates.
    pub limits: Limits,
}

impl<'a> RenderRequest<'a> {
    /// A request with everything else at Helm's defaults.
    #[must_use]
    pub fn new(
        chart: &'a Chart,
        values: &'a Map,
        release: ReleaseOptions,
        capabilities: &'a Capabilities,
        now: Timestamp,
    ) -> Self {
        Self {
            chart,
            values,
            release,
            capabilities,
            now,
            lookup: None,
            skip_schema_validation: false,
            sub_notes: false,
            lint: false,
            strict: false,
            limits: Limits { stack_bytes: USABLE_STACK_BYTES, steps: MOST_STEPS, ..Limits::default() },
        }
    }
}

/// What rendering gave.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The chart without disabled subcharts and with imported values: what a release record keeps.
    pub chart: Chart,
    /// Rendered files by template name, without notes.
    pub files: BTreeMap<Arc<str>, String>,
    /// The rendered notes.
    pub notes: String,
    /// What Helm logs as warnings.
    pub warnings: Vec<String>,
    /// Whether a template asked for the cluster's objects, so that the result depends on more than its inputs.
    pub looked_up: bool,
}

/// Why a chart could not be rendered; the wording is Helm's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// Dependencies could not be processed.
    #[error("chart dependencies processing failed: {0}")]
    Dependencies(ValuesError),
    /// Values could not be combined.
    #[error(transparent)]
    Values(ValuesError),
    /// Values do not fit the schema.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The cluster's version is outside the chart's range.
    #[error("chart requires kubeVersion: {required} which is incompatible with Kubernetes {found}")]
    KubeVersion {
        /// The chart's range.
        required: String,
        /// The cluster's version.
        found: String,
    },
    /// A template failed.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// No thread for rendering could be started.
    #[error("cannot start a thread for rendering: {0}")]
    Thread(String),
}

/// Renders a chart.
///
/// # Errors
/// With Helm's wording, when dependencies, values, schema, Kubernetes version or a template is not in order.
pub fn render(request: &RenderRequest<'_>) -> Result<Rendered, RenderError> {
    gotemplate::stack::with_stack(STACK_BYTES, || render_here(request))
        .map_err(|error| RenderError::Thread(error.to_string()))?
}

fn render_here(request: &RenderRequest<'_>) -> Result<Rendered, RenderError> {
    let processed = process_dependencies(request.chart, request.values).map_err(RenderError::Dependencies)?;
    let (chart, mut warnings) = (processed.chart, processed.warnings);
    let values = coalesce_values(&chart, request.values, &mut warnings).map_err(RenderError::Values)?;
    if !request.skip_schema_validation
        && has_schema(&chart)
        && let crate::value::Value::Map(values) = from_template(&TemplateValue::Map(values.clone()))
    {
        validate_values(&chart, &values)?;
    }
    let version = &request.capabilities.kube_version;
    let required = &chart.metadata.kube_version;
    if !required.is_empty() && !is_compatible_range(required, version.as_str()) {
        return Err(RenderError::KubeVersion { required: required.clone(), found: version.version.clone() });
    }
    let mut renderables = scope::renderables(&chart, &values, &request.release, request.capabilities);
    renderables.sort_by(|left, right| parse_order(&right.name).cmp(&parse_order(&left.name)));
    let state = Rc::new(RenderState::new(request.lint, request.lookup.clone()));
    let mut files = execute(request, &renderables, &state)?;
    drop(renderables);
    warnings.append(&mut state.warnings.borrow_mut());
    let notes = take_notes(&mut files, chart.name(), request.sub_notes);
    warnings.sort();
    warnings.dedup();
    Ok(Rendered { chart, files, notes, warnings, looked_up: state.looked_up.get() })
}

fn has_schema(chart: &Chart) -> bool {
    chart.schema.is_some() || chart.dependencies.iter().any(has_schema)
}

/// Templates are parsed and executed in the reverse of this order: depth first, then name.
fn parse_order(name: &str) -> (usize, &str) {
    (name.matches('/').count(), name)
}

/// Less text than this is parsed sooner than a thread is there.
const WORTH_A_THREAD: usize = 256 << 10;

/// Parses half of a large chart's templates while a second thread parses the other half: that is nearly half of a render.
/// What cannot be parsed is left to whoever needs it, who is told why.
fn prepare(renderables: &[Renderable<'_>]) {
    let work: Vec<_> = renderables
        .iter()
        .map(|renderable| (&renderable.chart.prepared, &renderable.name, &renderable.file.data))
        .filter(|(prepared, name, _)| !prepared.has(name))
        .collect();
    let parse = |(prepared, name, text): &(&Arc<Prepared>, &Arc<str>, &Arc<[u8]>)| {
        let _ = prepared.trees(name, text);
    };
    let sizes = || work.iter().map(|(_, _, text)| text.len());
    let total: usize = sizes().sum();
    if total < WORTH_A_THREAD {
        return;
    }
    let half = sizes().scan(0, |sum, size| (*sum < total / 2).then(|| *sum += size)).count();
    let (here, there) = work.split_at(half);
    std::thread::scope(|scope| {
        // Without a second thread the templates are parsed as they are needed.
        let _ = std::thread::Builder::new().spawn_scoped(scope, || there.iter().for_each(parse));
        here.iter().for_each(parse);
    });
}

fn execute(
    request: &RenderRequest<'_>,
    renderables: &[Renderable<'_>],
    state: &Rc<RenderState>,
) -> Result<BTreeMap<Arc<str>, String>, TemplateError> {
    prepare(renderables);
    let mut trees = Vec::new();
    for renderable in renderables {
        let parsed = renderable
            .chart
            .prepared
            .trees(&renderable.name, &renderable.file.data)
            .map_err(|error| TemplateError::parse(&renderable.name, &error))?;
        trees.extend_from_slice(&parsed);
    }
    let templates = Templates::new(functions::functions()).extended(&trees);
    let mut environment = Environment::new(request.now);
    environment.limits = request.limits;
    environment.extension = Some(state.clone());
    let missing_key = if request.strict { MissingKey::Error } else { MissingKey::Zero };
    let mut executor = Executor::new(templates, environment).with_missing_key(missing_key);
    let mut files = BTreeMap::new();
    let mut output = Vec::new();
    for renderable in renderables {
        if base_name(&renderable.name).starts_with('_') {
            continue;
        }
        let template = TemplateValue::Map(
            gotemplate::value::Map::from_entries([
                ("BasePath", TemplateValue::from(&*renderable.base_path)),
                ("Name", TemplateValue::from(&*renderable.name)),
            ])
            .converted(&objects::VALUES),
        );
        renderable.scope.insert("Template", template);
        output.clear();
        executor
            .execute_into(&renderable.name, TemplateValue::Map(renderable.scope.clone()), &mut output)
            .map_err(|error| TemplateError::execute(&error))?;
        // Checking first is much faster than looking for what to replace.
        let text = std::str::from_utf8(&output).map_or_else(|_| String::from_utf8_lossy(&output), Cow::Borrowed);
        let text = if text.contains("<no value>") { text.replace("<no value>", "") } else { text.into_owned() };
        files.insert(renderable.name.clone(), text);
    }
    Ok(files)
}

/// Takes the notes out of the rendered files: the root chart's, and with `sub_notes` all of them.
fn take_notes(files: &mut BTreeMap<Arc<str>, String>, chart: &str, sub_notes: bool) -> String {
    let root = format!("{chart}/templates/{NOTES}");
    let names: Vec<Arc<str>> = files.keys().filter(|name| name.ends_with(NOTES)).cloned().collect();
    let mut notes = String::new();
    for name in names {
        let Some(text) = files.remove(&name) else { continue };
        if sub_notes || *name == *root {
            if !notes.is_empty() {
                notes.push('\n');
            }
            notes.push_str(&text);
        }
    }
    notes
}
