//! Laying a user's values over the charts' own, the way Helm 4.2.4 does it: nulls that delete, subchart sections, globals.
//!
//! Works on the maps templates will see, because Helm's sharing of nested maps between a chart and its subcharts is
//! visible: what a subchart's defaults add to a shared nested table of `global`, the parent sees as well.

use super::ValuesError;
use super::convert::to_template_map;
use crate::chart::Chart;
use crate::value::Map as Tree;
use gotemplate::value::{Map, Str, Value};

/// Collects what Helm logs as warnings while values are combined.
pub(crate) type Warnings = Vec<String>;

const GLOBAL: &str = "global";

/// The chart's values with the user's over them, nulls removed as Helm removes them.
pub(crate) fn coalesce_values(chart: &Chart, values: &Tree, warnings: &mut Warnings) -> Result<Map, ValuesError> {
    let copy = to_template_map(values);
    coalesce(chart, &copy, "", false, warnings)?;
    Ok(copy)
}

/// The same with nulls kept, for the processing of dependencies.
pub(crate) fn merge_values(chart: &Chart, warnings: &mut Warnings) -> Result<Map, ValuesError> {
    let copy = Map::new();
    coalesce(chart, &copy, "", true, warnings)?;
    Ok(copy)
}

/// Merges `source` into `destination`, which wins; nulls are kept.
pub(crate) fn merge_tables(destination: &Map, source: &Map, warnings: &mut Warnings) {
    coalesce_tables(destination, source, "", true, warnings);
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}

fn coalesce(
    chart: &Chart,
    destination: &Map,
    prefix: &str,
    merge: bool,
    warnings: &mut Warnings,
) -> Result<(), ValuesError> {
    coalesce_own(chart, destination, prefix, merge, warnings);
    for subchart in &chart.dependencies {
        let name = subchart.name();
        let section = match destination.get(name) {
            None => {
                let section = Map::new();
                destination.insert(name, Value::Map(section.clone()));
                section
            }
            Some(Value::Map(section)) => section,
            Some(other) => {
                return Err(ValuesError::Section { name: name.to_owned(), found: describe(&other) });
            }
        };
        let prefix = join(prefix, chart.name());
        coalesce_globals(&section, destination, &prefix, warnings);
        coalesce(subchart, &section, &prefix, merge, warnings)?;
    }
    Ok(())
}

/// Go's `%t` of something that is not a boolean.
fn describe(value: &Value) -> String {
    match value {
        Value::Nil => "%!t(<nil>)".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::String(text) => format!("%!t(string={text})"),
        Value::Float(number) => format!("%!t(float64={})", crate::yaml_text::float_g(*number)),
        Value::Int64(number) | Value::Int(number) => format!("%!t({}={number})", value.type_name()),
        other => format!("%!t({})", other.type_name()),
    }
}

/// Pushes the parent's globals down into a subchart's section; the parent wins.
fn coalesce_globals(destination: &Map, source: &Map, prefix: &str, warnings: &mut Warnings) {
    let below = match destination.get(GLOBAL) {
        None => Map::new(),
        Some(Value::Map(map)) => map,
        Some(_) => {
            warnings.push(format!("warning: skipping globals because destination {GLOBAL} is not a table."));
            return;
        }
    };
    let above = match source.get(GLOBAL) {
        None => Map::new(),
        Some(Value::Map(map)) => map,
        Some(_) => {
            warnings.push(format!("warning: skipping globals because source {GLOBAL} is not a table."));
            return;
        }
    };
    for (key, value) in above.snapshot() {
        let existing = below.get_bytes(key.as_bytes());
        match (&value, existing) {
            (Value::Map(table), existing) => {
                // A copy of the table itself; the tables in it stay shared with the parent.
                let copy = Map::from_entries(table.snapshot());
                match existing {
                    None => {}
                    Some(Value::Map(existing)) => {
                        let prefix = join(prefix, &key.lossy());
                        coalesce_tables(&copy, &existing, &prefix, true, warnings);
                    }
                    Some(_) => {
                        warnings.push(format!(
                            "Conflict: cannot merge map onto non-map for {}. Skipping.",
                            crate::go_text::quote(&key.lossy())
                        ));
                        continue;
                    }
                }
                below.insert(key, Value::Map(copy));
            }
            (_, Some(Value::Map(_))) => warnings.push(format!("key {key} is table. Skipping")),
            _ => {
                below.insert(key, value);
            }
        }
    }
    destination.insert(GLOBAL, Value::Map(below));
}

/// Puts the chart's own default values below what is there.
fn coalesce_own(chart: &Chart, values: &Map, prefix: &str, merge: bool, warnings: &mut Warnings) {
    let Some(defaults) = &chart.values else { return };
    let defaults = to_template_map(defaults);
    let prefix = join(prefix, chart.name());
    for (key, default) in defaults.snapshot() {
        match values.get_bytes(key.as_bytes()) {
            Some(Value::Nil) if !merge => {
                values.remove(key.as_bytes());
            }
            Some(Value::Map(table)) => match &default {
                Value::Map(default) => {
                    // Below a subchart's name nulls are kept, for the subchart itself to apply.
                    let is_subchart = chart.dependencies.iter().any(|subchart| key == subchart.name());
                    let merge = merge || is_subchart;
                    if !merge {
                        remove_nulls(default);
                    }
                    coalesce_tables(&table, default, &join(&prefix, &key.lossy()), merge, warnings);
                }
                Value::Nil => {}
                _ => warnings.push(format!("warning: skipped value for {prefix}.{key}: Not a table.")),
            },
            Some(_) => {}
            None => {
                if !merge {
                    match &default {
                        Value::Nil => continue,
                        Value::Map(default) => remove_nulls(default),
                        _ => {}
                    }
                }
                values.insert(key, default);
            }
        }
    }
}

fn remove_nulls(map: &Map) {
    for (key, value) in map.snapshot() {
        match value {
            Value::Nil => {
                map.remove(key.as_bytes());
            }
            Value::Map(inner) => remove_nulls(&inner),
            _ => {}
        }
    }
}

fn coalesce_tables(destination: &Map, source: &Map, prefix: &str, merge: bool, warnings: &mut Warnings) {
    if source.is_nil() || destination.is_nil() {
        return;
    }
    let original = source.snapshot();
    let nulls: Vec<Str> = destination.entries().map_or_else(Vec::new, |entries| {
        entries.iter().filter(|entry| entry.1.is_nil()).map(|entry| entry.0.clone()).collect()
    });
    for key in nulls {
        // Helm writes the null into the source as well, which a later user of that table can see.
        source.insert(key, Value::Nil);
    }
    for (key, value) in original {
        match (destination.get_bytes(key.as_bytes()), &value) {
            (None, _) => {
                destination.insert(key, value);
            }
            // A null over a default deletes the key; when the default is null as well, it stays.
            (Some(Value::Nil), Value::Nil) => {}
            (Some(Value::Nil), _) if merge => {}
            (Some(Value::Nil), _) => {
                destination.remove(key.as_bytes());
            }
            (Some(Value::Map(table)), Value::Map(default)) if table.same(default) => {}
            (Some(Value::Map(table)), Value::Map(default)) => {
                coalesce_tables(&table, default, &join(prefix, &key.lossy()), merge, warnings);
            }
            (Some(_), Value::Map(_)) => {
                let name = join(prefix, &key.lossy());
                warnings
                    .push(format!("warning: cannot overwrite table with non table for {name} ({})", go_value(&value)));
            }
            (Some(Value::Map(_)), default) if !default.is_nil() => {
                let name = join(prefix, &key.lossy());
                warnings.push(format!(
                    "warning: destination for {name} is a table. Ignoring non-table value ({})",
                    go_value(default)
                ));
            }
            _ => {}
        }
    }
}

/// Go's `%v` of the value, short enough for a warning.
fn go_value(value: &Value) -> String {
    crate::go_print::print(value)
}
