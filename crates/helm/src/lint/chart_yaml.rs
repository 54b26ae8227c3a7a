//! Rules about `Chart.yaml`.

use super::urls::{has_scheme, is_email, is_web_address};
use super::{ChartFiles, Findings, Severity};
use crate::chart::{Maintainer, Metadata, metadata_of};
use crate::go_text::{base_name, quote};
use crate::yaml_text::{parse, parse_strict};

const FILE: &str = "Chart.yaml";

pub(super) fn check(files: &ChartFiles, findings: &mut Findings) {
    if files.directories.contains(FILE) {
        findings.error(FILE, "should be a file, not a directory");
        let place = format!("{}/{FILE}", files.directory);
        return findings.error(FILE, format!("unable to parse YAML\n\tread {place}: is a directory"));
    }
    let text = files.files.get(FILE).map(Vec::as_slice).unwrap_or_default();
    let read = parse(text).and_then(|mut raw| {
        let empty_maintainer = without_nulls(&mut raw);
        metadata_of(&raw).map(|metadata| (raw, metadata, empty_maintainer))
    });
    let (raw, metadata, empty_maintainer) = match read {
        Ok(read) => read,
        Err(error) => return findings.error(FILE, format!("unable to parse YAML\n\t{error}")),
    };
    if let Err(error) = parse_strict(text).and_then(|_| known_fields(&raw)) {
        findings.warning(FILE, format!("failed to strictly parse chart metadata file\n\t{error}"));
    }
    for rule in RULES {
        if let Some((severity, message)) = rule(&Subject { raw: &raw, metadata: &metadata, empty_maintainer }) {
            findings.add(severity, FILE, message);
        }
    }
}

/// What the rules look at.
struct Subject<'a> {
    raw: &'a yaml::Value,
    metadata: &'a Metadata,
    /// The place of the first maintainer that is null.
    empty_maintainer: Option<usize>,
}

type Finding = Option<(Severity, String)>;

/// The rules in the order of their messages.
const RULES: &[fn(&Subject<'_>) -> Finding] = &[
    name,
    api_version,
    version_type,
    version,
    app_version_type,
    maintainers,
    sources,
    icon_present,
    icon,
    chart_type,
    dependencies,
    strict_version,
];

fn error(message: impl Into<String>) -> Finding {
    Some((Severity::Error, message.into()))
}

fn name(subject: &Subject<'_>) -> Finding {
    let name = &subject.metadata.name;
    if name.is_empty() {
        return error("name is required");
    }
    (base_name(name) != name).then(|| (Severity::Error, format!("chart name {} is invalid", quote(name))))
}

fn api_version(subject: &Subject<'_>) -> Finding {
    match subject.metadata.api_version.as_str() {
        "" => error("apiVersion is required. The value must be either \"v1\" or \"v2\""),
        "v1" | "v2" => None,
        other => error(format!("apiVersion '{other}' is not valid. The value must be either \"v1\" or \"v2\"")),
    }
}

fn version_type(subject: &Subject<'_>) -> Finding {
    string_type(subject.raw, "version")
}

fn app_version_type(subject: &Subject<'_>) -> Finding {
    string_type(subject.raw, "appVersion")
}

fn string_type(raw: &yaml::Value, field: &str) -> Finding {
    let yaml::Value::Mapping(fields) = raw else { return None };
    let found = match fields.get(field)? {
        yaml::Value::String(_) => return None,
        yaml::Value::Null => "<nil>",
        yaml::Value::Bool(_) => "bool",
        yaml::Value::Int(_) | yaml::Value::Uint(_) | yaml::Value::Float(_) => "float64",
        yaml::Value::Sequence(_) => "[]interface {}",
        yaml::Value::Mapping(_) => "map[string]interface {}",
    };
    error(format!("{field} should be of type string but it's of type {found}"))
}

fn version(subject: &Subject<'_>) -> Finding {
    let text = &subject.metadata.version;
    if text.is_empty() {
        return error("version is required");
    }
    let Ok(version) = version::Version::parse(text) else {
        return error(format!("version '{text}' is not a valid SemVer"));
    };
    let above_least = version::Constraints::parse(">0.0.0-0").is_ok_and(|range| range.check(&version));
    if above_least { None } else { error(format!("version {} is less than or equal to \"0.0.0-0\"", quote(text))) }
}

fn maintainers(subject: &Subject<'_>) -> Finding {
    let until = subject.empty_maintainer.unwrap_or(usize::MAX);
    let wrong = |maintainer: &Maintainer| {
        let Maintainer { name, email, url } = maintainer;
        if name.is_empty() {
            return Some("each maintainer requires a name".to_owned());
        }
        if !email.is_empty() && !is_email(email) {
            return Some(format!("invalid email '{email}' for maintainer '{name}'"));
        }
        (!url.is_empty() && !is_web_address(url)).then(|| format!("invalid url '{url}' for maintainer '{name}'"))
    };
    let found = subject.metadata.maintainers.iter().take(until).find_map(wrong);
    let empty = subject.empty_maintainer.map(|_| "a maintainer entry is empty".to_owned());
    found.or(empty).map(|message| (Severity::Error, message))
}

fn sources(subject: &Subject<'_>) -> Finding {
    let wrong = subject.metadata.sources.iter().find(|source| !has_scheme(source))?;
    error(format!("invalid source URL '{wrong}'"))
}

fn icon_present(subject: &Subject<'_>) -> Finding {
    subject.metadata.icon.is_empty().then(|| (Severity::Info, "icon is recommended".to_owned()))
}

fn icon(subject: &Subject<'_>) -> Finding {
    let icon = &subject.metadata.icon;
    if icon.is_empty() || has_scheme(icon) { None } else { error(format!("invalid icon URL '{icon}'")) }
}

fn chart_type(subject: &Subject<'_>) -> Finding {
    let Metadata { chart_type, api_version, .. } = subject.metadata;
    if chart_type.is_empty() || api_version == "v2" {
        return None;
    }
    error(format!("chart type is not valid in apiVersion '{api_version}'. It is valid in apiVersion 'v2'"))
}

fn dependencies(subject: &Subject<'_>) -> Finding {
    let Metadata { dependencies, api_version, .. } = subject.metadata;
    if dependencies.is_empty() || api_version == "v2" {
        return None;
    }
    error(format!(
        "dependencies are not valid in the Chart file with apiVersion '{api_version}'. They are valid in apiVersion 'v2'"
    ))
}

/// Semantic versions to the letter: three numbers, nothing before them.
fn strict_version(subject: &Subject<'_>) -> Finding {
    let text = &subject.metadata.version;
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let number = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()) && (part == "0" || !part.starts_with('0'))
    };
    let is_strict =
        core.split('.').count() == 3 && core.split('.').all(number) && version::Version::parse(text).is_ok();
    (!is_strict).then(|| (Severity::Warning, format!("version '{text}' is not a valid SemVerV2")))
}

/// Takes null entries out of lists of structs, as their own rule is about them; gives the place of the first maintainer.
fn without_nulls(raw: &mut yaml::Value) -> Option<usize> {
    let yaml::Value::Mapping(fields) = raw else { return None };
    let mut first = None;
    for (name, value) in fields.iter_mut() {
        let yaml::Value::Sequence(items) = value else { continue };
        if name == "maintainers" {
            first = items.iter().position(yaml::Value::is_null);
        }
        if matches!(name.as_str(), "maintainers" | "dependencies") {
            items.retain(|item| !item.is_null());
        }
    }
    first
}

const METADATA: &[&str] = &[
    "name",
    "home",
    "sources",
    "version",
    "description",
    "keywords",
    "maintainers",
    "icon",
    "apiVersion",
    "condition",
    "tags",
    "appVersion",
    "deprecated",
    "annotations",
    "kubeVersion",
    "dependencies",
    "type",
];
const MAINTAINER: &[&str] = &["name", "email", "url"];
const DEPENDENCY: &[&str] =
    &["name", "version", "repository", "condition", "tags", "enabled", "import-values", "alias"];

/// The first field Helm does not know, in the order of the names.
fn known_fields(raw: &yaml::Value) -> Result<(), String> {
    let yaml::Value::Mapping(fields) = raw else { return Ok(()) };
    for (name, value) in fields {
        known(name, METADATA)?;
        let inner = if name.eq_ignore_ascii_case("maintainers") {
            MAINTAINER
        } else if name.eq_ignore_ascii_case("dependencies") {
            DEPENDENCY
        } else {
            continue;
        };
        let yaml::Value::Sequence(items) = value else { continue };
        for item in items {
            let yaml::Value::Mapping(fields) = item else { continue };
            fields.keys().try_for_each(|name| known(name, inner))?;
        }
    }
    Ok(())
}

fn known(name: &str, fields: &[&str]) -> Result<(), String> {
    if fields.iter().any(|field| field.eq_ignore_ascii_case(name)) {
        return Ok(());
    }
    Err(format!("error unmarshaling JSON: while decoding JSON: json: unknown field {}", quote(name)))
}
