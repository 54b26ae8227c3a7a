//! `Chart.yaml` and the lock file: their fields and Helm's checks on them.

use super::ChartError;
use super::decode::{DecodeError, Fields, items, plain};
use crate::go_json::{ObjectWriter, write_list, write_value};
use crate::go_text::{base_name, is_print, is_space, quote};
use crate::release::Time;
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A maintainer of a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maintainer {
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// Web address.
    pub url: String,
}

/// One entry of a dependency's `import-values`.
#[derive(Clone, Debug, PartialEq)]
pub struct ImportValues(pub Value);

/// A chart that a chart depends on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dependency {
    /// The name in the dependency's own `Chart.yaml`; after processing the alias.
    pub name: String,
    /// A version or range.
    pub version: String,
    /// Where it is found.
    pub repository: String,
    /// Comma-separated values paths; the first that is a boolean decides.
    pub condition: String,
    /// Tags which enable or disable it together with others.
    pub tags: Vec<String>,
    /// Whether it is enabled; set while dependencies are processed.
    pub enabled: bool,
    /// Values to import into the parent.
    pub import_values: Vec<ImportValues>,
    /// Another name, so that one chart can be used several times.
    pub alias: String,
}

/// What `Chart.yaml` says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metadata {
    /// The chart's name.
    pub name: String,
    /// The project's web page.
    pub home: String,
    /// Where the sources are.
    pub sources: Vec<String>,
    /// The chart's version.
    pub version: String,
    /// One sentence.
    pub description: String,
    /// Search words.
    pub keywords: Vec<String>,
    /// Who maintains it.
    pub maintainers: Vec<Maintainer>,
    /// A picture.
    pub icon: String,
    /// `v1` or `v2`.
    pub api_version: String,
    /// A condition on the chart itself (unused by Helm).
    pub condition: String,
    /// Tags of the chart itself (unused by Helm).
    pub tags: String,
    /// The version of what is inside.
    pub app_version: String,
    /// Whether the chart is no longer maintained.
    pub deprecated: bool,
    /// Free annotations; `None` when there are none at all.
    pub annotations: BTreeMap<String, String>,
    /// The range of Kubernetes versions it works with.
    pub kube_version: String,
    /// The charts it depends on.
    pub dependencies: Vec<Dependency>,
    /// Whether there is a list of dependencies at all, be it empty: Helm looks into subcharts only then.
    pub declares_dependencies: bool,
    /// `application` (also when empty) or `library`.
    pub chart_type: String,
}

/// `Chart.lock`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lock {
    /// When it was made.
    pub generated: Option<Time>,
    /// Digest of the declared dependencies.
    pub digest: String,
    /// The locked dependencies.
    pub dependencies: Vec<Dependency>,
    /// Whether there is a list of dependencies at all, be it empty.
    pub declares_dependencies: bool,
}

impl Metadata {
    /// Reads YAML over what is set already, as `requirements.yaml` is read over `Chart.yaml`.
    pub(super) fn read(&mut self, yaml: &yaml::Value) -> Result<(), DecodeError> {
        let Some(fields) = Fields::of(yaml, "Metadata")? else { return Ok(()) };
        fields.string("name", &mut self.name)?;
        fields.string("home", &mut self.home)?;
        fields.strings("sources", &mut self.sources)?;
        fields.string("version", &mut self.version)?;
        fields.string("description", &mut self.description)?;
        fields.strings("keywords", &mut self.keywords)?;
        if let Some(value) = fields.get("maintainers") {
            self.maintainers = Vec::new();
            for item in items(value, "Metadata.maintainers", "[]*v2.Maintainer")? {
                if item.is_null() {
                    return Err(DecodeError::Rule("maintainers must not contain empty or null nodes".into()));
                }
                self.maintainers.push(Maintainer::read(item)?);
            }
        }
        fields.string("icon", &mut self.icon)?;
        fields.string("apiVersion", &mut self.api_version)?;
        fields.string("condition", &mut self.condition)?;
        fields.string("tags", &mut self.tags)?;
        fields.string("appVersion", &mut self.app_version)?;
        fields.boolean("deprecated", &mut self.deprecated)?;
        fields.string_map("annotations", &mut self.annotations)?;
        fields.string("kubeVersion", &mut self.kube_version)?;
        if let Some(value) = fields.get("dependencies") {
            self.dependencies = Dependency::read_list(value, "Metadata.dependencies")?;
            self.declares_dependencies = true;
        }
        fields.string("type", &mut self.chart_type)
    }

    /// Helm's checks, which also clean strings of what cannot be printed.
    pub(super) fn validate(&mut self) -> Result<(), ChartError> {
        let fail = |message: &str| Err(ChartError::Metadata(message.to_owned()));
        for text in [
            &mut self.name,
            &mut self.description,
            &mut self.home,
            &mut self.icon,
            &mut self.condition,
            &mut self.tags,
            &mut self.app_version,
            &mut self.kube_version,
        ] {
            sanitize(text);
        }
        self.sources.iter_mut().for_each(sanitize);
        self.keywords.iter_mut().for_each(sanitize);
        if self.api_version.is_empty() {
            return fail("chart.metadata.apiVersion is required");
        }
        if self.name.is_empty() {
            return fail("chart.metadata.name is required");
        }
        if self.name == "." || self.name == ".." {
            return fail(&format!("chart.metadata.name {} is not allowed", quote(&self.name)));
        }
        if self.name != base_name(&self.name) {
            return fail(&format!("chart.metadata.name {} is invalid", quote(&self.name)));
        }
        if self.version.is_empty() {
            return fail("chart.metadata.version is required");
        }
        if version::Version::parse(&self.version).is_err() {
            return fail(&format!("chart.metadata.version {} is invalid", quote(&self.version)));
        }
        if !matches!(self.chart_type.as_str(), "" | "application" | "library") {
            return fail("chart.metadata.type must be application or library");
        }
        for maintainer in &mut self.maintainers {
            sanitize(&mut maintainer.name);
            sanitize(&mut maintainer.email);
            sanitize(&mut maintainer.url);
        }
        let mut seen = BTreeSet::new();
        for dependency in &mut self.dependencies {
            dependency.validate()?;
            let key = if dependency.alias.is_empty() { &dependency.name } else { &dependency.alias };
            if !seen.insert(key.clone()) {
                return fail(&format!("more than one dependency with name or alias {}", quote(key)));
            }
        }
        Ok(())
    }

    /// Appends the Go JSON of the metadata, as release records and snapshots hold it.
    pub fn write_json(&self, out: &mut String) {
        let mut object = ObjectWriter::new(out);
        object.optional_string("name", &self.name);
        object.optional_string("home", &self.home);
        object.optional_strings("sources", &self.sources);
        object.optional_string("version", &self.version);
        object.optional_string("description", &self.description);
        object.optional_strings("keywords", &self.keywords);
        if !self.maintainers.is_empty() {
            write_list(object.field("maintainers"), &self.maintainers, |out, maintainer| {
                let mut object = ObjectWriter::new(out);
                object.optional_string("name", &maintainer.name);
                object.optional_string("email", &maintainer.email);
                object.optional_string("url", &maintainer.url);
                object.end();
            });
        }
        object.optional_string("icon", &self.icon);
        object.optional_string("apiVersion", &self.api_version);
        object.optional_string("condition", &self.condition);
        object.optional_string("tags", &self.tags);
        object.optional_string("appVersion", &self.app_version);
        object.optional_bool("deprecated", self.deprecated);
        if !self.annotations.is_empty() {
            let out = object.field("annotations");
            let mut annotations = ObjectWriter::new(out);
            for (key, value) in &self.annotations {
                annotations.string(key, value);
            }
            annotations.end();
        }
        object.optional_string("kubeVersion", &self.kube_version);
        if !self.dependencies.is_empty() {
            write_list(object.field("dependencies"), &self.dependencies, |out, dependency| dependency.write_json(out));
        }
        object.optional_string("type", &self.chart_type);
        object.end();
    }
}

impl Maintainer {
    fn read(yaml: &yaml::Value) -> Result<Self, DecodeError> {
        let mut maintainer = Self::default();
        if let Some(fields) = Fields::of(yaml, "Maintainer")? {
            fields.string("name", &mut maintainer.name)?;
            fields.string("email", &mut maintainer.email)?;
            fields.string("url", &mut maintainer.url)?;
        }
        Ok(maintainer)
    }
}

impl Dependency {
    fn read_list(yaml: &yaml::Value, place: &str) -> Result<Vec<Self>, DecodeError> {
        let mut dependencies = Vec::new();
        for item in items(yaml, place, "[]*v2.Dependency")? {
            if item.is_null() {
                return Err(DecodeError::Rule("dependencies must not contain empty or null nodes".into()));
            }
            let mut dependency = Self::default();
            if let Some(fields) = Fields::of(item, "Dependency")? {
                fields.string("name", &mut dependency.name)?;
                fields.string("version", &mut dependency.version)?;
                fields.string("repository", &mut dependency.repository)?;
                fields.string("condition", &mut dependency.condition)?;
                fields.strings("tags", &mut dependency.tags)?;
                fields.boolean("enabled", &mut dependency.enabled)?;
                if let Some(value) = fields.get("import-values") {
                    dependency.import_values = items(value, "Dependency.import-values", "[]interface {}")?
                        .iter()
                        .map(|item| ImportValues(plain(item)))
                        .collect();
                }
                fields.string("alias", &mut dependency.alias)?;
            }
            dependencies.push(dependency);
        }
        Ok(dependencies)
    }

    fn validate(&mut self) -> Result<(), ChartError> {
        for text in [&mut self.name, &mut self.version, &mut self.repository, &mut self.condition] {
            sanitize(text);
        }
        self.tags.iter_mut().for_each(sanitize);
        let allowed = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '-');
        if !self.alias.chars().all(allowed) {
            let message = format!("dependency {} has disallowed characters in the alias", quote(&self.name));
            return Err(ChartError::Metadata(message));
        }
        Ok(())
    }

    /// Appends the Go JSON of the dependency.
    pub fn write_json(&self, out: &mut String) {
        let mut object = ObjectWriter::new(out);
        object.string("name", &self.name);
        object.optional_string("version", &self.version);
        object.string("repository", &self.repository);
        object.optional_string("condition", &self.condition);
        object.optional_strings("tags", &self.tags);
        object.optional_bool("enabled", self.enabled);
        if !self.import_values.is_empty() {
            write_list(object.field("import-values"), &self.import_values, |out, import| write_value(out, &import.0));
        }
        object.optional_string("alias", &self.alias);
        object.end();
    }
}

impl Lock {
    pub(super) fn read(yaml: &yaml::Value) -> Result<Self, DecodeError> {
        let mut lock = Self::default();
        if let Some(fields) = Fields::of(yaml, "Lock")? {
            if let Some(value) = fields.get("generated") {
                lock.generated = read_time(value)?;
            }
            fields.string("digest", &mut lock.digest)?;
            if let Some(value) = fields.get("dependencies") {
                lock.dependencies = Dependency::read_list(value, "Lock.dependencies")?;
                lock.declares_dependencies = true;
            }
        }
        Ok(lock)
    }

    /// Appends the Go JSON of the lock.
    pub fn write_json(&self, out: &mut String) {
        let mut object = ObjectWriter::new(out);
        object.time("generated", self.generated);
        object.string("digest", &self.digest);
        if self.dependencies.is_empty() && !self.declares_dependencies {
            object.field("dependencies").push_str("null");
        } else {
            write_list(object.field("dependencies"), &self.dependencies, |out, dependency| dependency.write_json(out));
        }
        object.end();
    }
}

/// A time as Go's decoder takes it from a string.
fn read_time(yaml: &yaml::Value) -> Result<Option<Time>, DecodeError> {
    let fail =
        |reason: String| Err(DecodeError::Type(format!("error unmarshaling JSON: while decoding JSON: {reason}")));
    match yaml {
        yaml::Value::String(text) => match Time::parse(text) {
            Ok(time) => Ok(Some(time)),
            Err(error) => fail(error.to_string()),
        },
        _ => fail("Time.UnmarshalJSON: input is not a JSON string".to_owned()),
    }
}

/// Turns every kind of white space into a space and drops what cannot be printed.
fn sanitize(text: &mut String) {
    if text.chars().all(|character| character == ' ' || (is_print(character) && !is_space(character))) {
        return;
    }
    *text = text
        .chars()
        .filter_map(|character| match character {
            _ if is_space(character) => Some(' '),
            _ if is_print(character) => Some(character),
            _ => None,
        })
        .collect();
}
