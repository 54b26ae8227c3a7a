//! Keys that a user set and no template reads: most often a misspelt name.

use crate::chart::Chart;
use crate::reads::{self, Reads};
use crate::value::{Map, Value};
use std::collections::BTreeSet;
use std::fmt;

/// A key of the user's values that nothing reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownKey {
    /// The dotted path.
    pub path: String,
    /// The known key it resembles most, if any comes close.
    pub closest: Option<String>,
}

impl fmt::Display for UnknownKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "no template reads the value {}", self.path)?;
        match &self.closest {
            Some(closest) => write!(formatter, "; did you mean {closest}?"),
            None => Ok(()),
        }
    }
}

/// Finds keys that are neither in the chart's own values nor read by its templates. Errs on the side of silence: whatever
/// a template passes on as a whole counts as read.
#[must_use]
pub fn unknown_keys(chart: &Chart, values: &Map) -> Vec<UnknownKey> {
    let mut found = Vec::new();
    check_chart(chart, values, "", &mut found);
    found
}

fn check_chart(chart: &Chart, values: &Map, prefix: &str, found: &mut Vec<UnknownKey>) {
    let known = Known::of(chart);
    let empty = Map::new();
    let defaults = chart.values.as_ref().unwrap_or(&empty);
    for (key, value) in values.iter() {
        let subchart = chart.dependencies.iter().find(|subchart| {
            let alias = |dependency: &&crate::chart::Dependency| {
                *dependency.alias == **key && dependency.name == subchart.name()
            };
            subchart.name() == &**key || chart.metadata.dependencies.iter().any(|dependency| alias(&dependency))
        });
        match (subchart, value) {
            (Some(subchart), Value::Map(section)) => check_chart(subchart, section, &join(prefix, key), found),
            (Some(_), _) => {}
            (None, _) if matches!(&**key, "global" | "tags" | "exports") => {}
            (None, _) => check(&known, defaults, "", key, value, prefix, found),
        }
    }
}

fn check(
    known: &Known,
    defaults: &Map,
    parent: &str,
    key: &str,
    value: &Value,
    prefix: &str,
    found: &mut Vec<UnknownKey>,
) {
    let path = join(parent, key);
    match defaults.get(key) {
        // An empty table or a null in the chart's values is a place for anything.
        Some(Value::Map(inner)) if !inner.is_empty() => {
            if let Value::Map(section) = value {
                for (key, value) in section.iter() {
                    check(known, inner, &path, key, value, prefix, found);
                }
            }
        }
        Some(_) => {}
        None if known.reads(&path) => {}
        None => {
            let candidates = defaults.keys().map(|key| join(parent, key)).chain(known.paths.iter().cloned());
            let closest = closest(&path, candidates).map(|closest| join(prefix, &closest));
            found.push(UnknownKey { path: join(prefix, &path), closest });
        }
    }
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}

struct Known {
    paths: BTreeSet<String>,
}

impl Known {
    fn of(chart: &Chart) -> Self {
        let mut paths = BTreeSet::new();
        collect(chart, true, &mut paths);
        for dependency in &chart.metadata.dependencies {
            paths.extend(dependency.condition.split(',').map(|path| path.trim().to_owned()));
            paths.insert(dependency.name.clone());
            paths.insert(dependency.alias.clone());
        }
        paths.remove("");
        if whole_values_are_read(chart) {
            paths.insert(String::new());
        }
        Self { paths }
    }

    /// Whether a template reads the path, something above it as a whole, or something below it.
    fn reads(&self, path: &str) -> bool {
        self.paths.iter().any(|read| {
            read.is_empty()
                || read == path
                || path.strip_prefix(read.as_str()).is_some_and(|rest| rest.starts_with('.'))
                || read.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'))
        })
    }
}

/// The reads of a chart's own templates and of the library charts below it, which read the parent's values.
fn collect(chart: &Chart, own: bool, paths: &mut BTreeSet<String>) {
    if own || chart.is_library() {
        for file in &chart.templates {
            let text = String::from_utf8_lossy(&file.data);
            let scanned = reads::scan(&text);
            let mut add = |reads: &Reads| paths.extend(reads.paths.iter().cloned());
            add(&scanned.own);
            scanned.defines.values().for_each(&mut add);
        }
    }
    for subchart in &chart.dependencies {
        collect(subchart, false, paths);
    }
}

fn whole_values_are_read(chart: &Chart) -> bool {
    let mut paths = BTreeSet::new();
    collect(chart, true, &mut paths);
    paths.contains("")
}

/// The candidate with the fewest edits, when they are few enough to be a slip.
fn closest(path: &str, candidates: impl Iterator<Item = String>) -> Option<String> {
    let most = if path.chars().count() < 4 { 1 } else { (path.chars().count() / 4).clamp(2, 3) };
    candidates
        .filter(|candidate| !candidate.is_empty() && candidate.chars().count().abs_diff(path.chars().count()) <= most)
        .filter(|candidate| candidate != path)
        .map(|candidate| (edits(path, &candidate), candidate))
        .filter(|(edits, _)| *edits <= most)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance ignoring case, over short texts.
fn edits(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.to_lowercase().chars().take(100).collect();
    let right: Vec<char> = right.to_lowercase().chars().take(100).collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, first) in left.iter().enumerate() {
        let mut previous = index;
        let mut next = Vec::with_capacity(row.len());
        next.push(index + 1);
        for (position, second) in right.iter().enumerate() {
            let above = row.get(position + 1).copied().unwrap_or(usize::MAX - 1);
            let beside = next.last().copied().unwrap_or(usize::MAX - 1);
            next.push((previous + usize::from(first != second)).min(above + 1).min(beside + 1));
            previous = above;
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::load_directory;

    #[test]
    fn misspelt_keys_are_found_with_the_name_that_was_meant() {
        let files = [
            ("Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\n"),
            ("values.yaml", "replicaCount: 1\nimage: {repository: r, tag: t}\nresources: {}\n"),
            ("templates/a.yaml", "{{ .Values.extra.flag }}{{ toYaml .Values.podLabels }}"),
            ("charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 1.0.0\n"),
            ("charts/sub/values.yaml", "port: 80\n"),
        ];
        let chart = load_directory(files.map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()))).unwrap();
        let values = crate::values::load_values(
            b"replicacount: 2\nimage: {tga: x, tag: y}\nresources: {limits: {}}\nextra: {flag: 1, flga: 2}\npodLabels: {any: 1}\nsub: {prot: 1}\nglobal: {x: 1}\nzzz: 1\n",
        )
        .unwrap();
        let found: Vec<String> = unknown_keys(&chart, &values).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                "no template reads the value image.tga; did you mean image.tag?",
                "no template reads the value replicacount; did you mean replicaCount?",
                "no template reads the value sub.prot; did you mean sub.port?",
                "no template reads the value zzz",
            ]
        );
    }
}
