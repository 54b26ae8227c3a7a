//! Which subcharts take part in a release: aliases, tags, conditions; and what parents import from them.

use crate::chart::{Chart, Dependency, ImportValues};
use crate::value::{Map, Value};
use crate::values::{ValuesError, Warnings, coalesce_values, from_template, merge_tables, merge_values};
use gotemplate::value as template;
use std::collections::BTreeSet;

/// A chart ready for rendering with certain values: disabled subcharts removed, aliases applied, values imported.
#[derive(Clone, Debug)]
pub struct ProcessedChart {
    /// The chart.
    pub chart: Chart,
    /// What Helm logs as warnings on the way.
    pub warnings: Vec<String>,
}

/// Helm's `ProcessDependencies`.
///
/// # Errors
/// When values for a subchart are not a table.
pub fn process_dependencies(chart: &Chart, values: &Map) -> Result<ProcessedChart, ValuesError> {
    let mut chart = chart.clone();
    let mut warnings = Warnings::new();
    enable(&mut chart, values, "", &mut warnings)?;
    import(&mut chart, &mut warnings)?;
    Ok(ProcessedChart { chart, warnings })
}

/// Whether a version lies in a range; anything unreadable does not.
#[must_use]
pub fn is_compatible_range(range: &str, version: &str) -> bool {
    let Ok(version) = version::Version::parse(version) else { return false };
    version::Constraints::parse(range).is_ok_and(|constraints| constraints.check(&version))
}

/// Removes disabled subcharts, at every level, and applies aliases.
fn enable(chart: &mut Chart, values: &Map, path: &str, warnings: &mut Warnings) -> Result<(), ValuesError> {
    if !chart.metadata.declares_dependencies && chart.metadata.dependencies.is_empty() {
        return Ok(());
    }
    let mut declared = std::mem::take(&mut chart.metadata.dependencies);
    let present = std::mem::take(&mut chart.dependencies);
    let mut subcharts: Vec<Chart> = Vec::with_capacity(present.len());
    let matches = |subchart: &Chart, dependency: &Dependency| {
        subchart.name() == dependency.name && is_compatible_range(&dependency.version, &subchart.metadata.version)
    };
    for subchart in &present {
        if !declared.iter().any(|dependency| matches(subchart, dependency)) {
            subcharts.push(subchart.clone());
        }
    }
    for dependency in &mut declared {
        if let Some(subchart) = present.iter().find(|subchart| matches(subchart, dependency)) {
            let mut subchart = subchart.clone();
            if !dependency.alias.is_empty() {
                subchart.metadata.name.clone_from(&dependency.alias);
            }
            subcharts.push(subchart);
        }
        if !dependency.alias.is_empty() {
            dependency.name.clone_from(&dependency.alias);
        }
        dependency.enabled = true;
    }
    chart.dependencies = subcharts;
    let coalesced = coalesce_values(chart, values, warnings)?;
    let template::Value::Map(coalesced) = template::Value::Map(coalesced) else { return Ok(()) };
    apply_tags(&mut declared, &coalesced, warnings);
    apply_conditions(&mut declared, &coalesced, path, warnings);
    let removed: BTreeSet<String> =
        declared.iter().filter(|dependency| !dependency.enabled).map(|dependency| dependency.name.clone()).collect();
    chart.dependencies.retain(|subchart| !removed.contains(subchart.name()));
    declared.retain(|dependency| !removed.contains(&dependency.name));
    let declares = |chart: &Chart| chart.metadata.declares_dependencies || !chart.metadata.dependencies.is_empty();
    if chart.dependencies.iter().any(declares) {
        let Value::Map(coalesced) = from_template(&template::Value::Map(coalesced)) else { return Ok(()) };
        for subchart in &mut chart.dependencies {
            let path = format!("{path}{}.", subchart.name());
            enable(subchart, &coalesced, &path, warnings)?;
        }
    }
    chart.metadata.declares_dependencies = !declared.is_empty();
    chart.metadata.dependencies = declared;
    Ok(())
}

fn apply_tags(dependencies: &mut [Dependency], values: &template::Map, warnings: &mut Warnings) {
    let Some(template::Value::Map(tags)) = values.get("tags") else { return };
    for dependency in dependencies {
        let (mut any_true, mut any_false) = (false, false);
        for tag in &dependency.tags {
            match tags.get(tag) {
                None => {}
                Some(template::Value::Bool(flag)) => {
                    any_true |= flag;
                    any_false |= !flag;
                }
                Some(_) => warnings.push(format!(
                    "returned non-bool value: tag {tag} of chart {}: set it to true or false",
                    dependency.name
                )),
            }
        }
        dependency.enabled = any_true || !any_false;
    }
}

fn apply_conditions(dependencies: &mut [Dependency], values: &template::Map, path: &str, warnings: &mut Warnings) {
    for dependency in dependencies {
        for condition in crate::go_text::trim_space(&dependency.condition).split(',') {
            if condition.is_empty() {
                continue;
            }
            match path_value(values, &format!("{path}{condition}")) {
                None => {}
                Some(template::Value::Bool(flag)) => {
                    dependency.enabled = flag;
                    break;
                }
                Some(_) => warnings.push(format!(
                    "returned non-bool value: condition {condition} of chart {}: set it to true or false",
                    dependency.name
                )),
            }
        }
    }
}

fn table(values: &template::Map, path: &str) -> Option<template::Map> {
    let mut current = values.clone();
    for name in path.split('.') {
        current = match current.get(name) {
            Some(template::Value::Map(map)) => map,
            _ => return None,
        };
    }
    Some(current)
}

fn path_value(values: &template::Map, path: &str) -> Option<template::Value> {
    let (table, key) = match path.rsplit_once('.') {
        Some((tables, key)) => (table(values, tables)?, key),
        None => (values.clone(), path),
    };
    table.get(key).filter(|value| !matches!(value, template::Value::Map(_)))
}

/// Imports values from subcharts into their parents, deepest first. As Helm does it, every chart that declares
/// dependencies thereby takes the merged values of its subcharts into its own.
fn import(chart: &mut Chart, warnings: &mut Warnings) -> Result<(), ValuesError> {
    for subchart in &mut chart.dependencies {
        import(subchart, warnings)?;
    }
    if chart.metadata.dependencies.is_empty() {
        return Ok(());
    }
    let merged = merge_values(chart, warnings)?;
    let imported = template::Map::new();
    for dependency in &mut chart.metadata.dependencies {
        let mut processed = Vec::new();
        for import in &dependency.import_values {
            let (child, parent) = match &import.0 {
                Value::Map(entry) => {
                    let text = |name: &str| entry.get(name).map_or_else(|| "<nil>".to_owned(), go_value);
                    (text("child"), text("parent"))
                }
                Value::String(name) => (format!("exports.{name}"), ".".to_owned()),
                _ => continue,
            };
            let mut entry = Map::new();
            entry.insert("child", child.as_str());
            entry.insert("parent", parent.as_str());
            processed.push(ImportValues(Value::Map(entry)));
            match table(&merged, &format!("{}.{child}", dependency.name)) {
                Some(found) => {
                    merge_tables(&imported, &nest(&parent, found), warnings);
                }
                None => warnings.push(format!("ImportValues missing table {child} of chart {}", dependency.name)),
            }
        }
        dependency.import_values = processed;
    }
    let mut own = from_template(&template::Value::Map(merged));
    if !imported.is_empty() {
        // Merged into a copy, because the imported tables are parts of what they are merged into.
        let copy = crate::values::to_template(&own);
        if let template::Value::Map(copy) = &copy {
            merge_tables(copy, &imported, warnings);
        }
        own = from_template(&copy);
    }
    if let Value::Map(values) = own {
        chart.values = Some(values);
    }
    Ok(())
}

/// The table inside maps named by the path's parts; `.` is the root.
fn nest(path: &str, table: template::Map) -> template::Map {
    if path == "." {
        return table;
    }
    path.split('.').rev().fold(table, |inner, name| template::Map::from_entries([(name, template::Value::Map(inner))]))
}

fn go_value(value: &Value) -> String {
    crate::go_print::print(&crate::values::to_template(value))
}
