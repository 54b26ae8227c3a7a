//! Keys that a user set and no template reads: most often a misspelt name.

use crate::chart::Chart;
use crate::reads;
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

/// Finds keys that are neither in the chart's own values and schema nor read by its templates. Errs on the side of silence:
/// whatever a template passes on as a whole counts as read.
#[must_use]
pub fn unknown_keys(chart: &Chart, values: &Map) -> Vec<UnknownKey> {
    let mut found = Vec::new();
    if values.is_empty() {
        return found;
    }
    let mut in_values = BTreeSet::new();
    collect_from_map(values, &mut in_values);
    check_chart(chart, values, "", &in_values, &[], &mut found);
    found
}

/// A chart above the one looked at: what it knows, and the path of the section from there.
struct Above<'a> {
    known: &'a Known,
    defaults: &'a Map,
    path: String,
}

fn check_chart(
    chart: &Chart,
    values: &Map,
    prefix: &str,
    in_values: &BTreeSet<String>,
    above: &[Above<'_>],
    found: &mut Vec<UnknownKey>,
) {
    let known = Known::of(chart, in_values);
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
            (Some(subchart), Value::Map(section)) => {
                let mut all: Vec<Above<'_>> = above
                    .iter()
                    .map(|one| Above { known: one.known, defaults: one.defaults, path: join(&one.path, key) })
                    .collect();
                all.push(Above { known: &known, defaults, path: key.to_string() });
                check_chart(subchart, section, &join(prefix, key), in_values, &all, found);
            }
            (Some(_), _) => {}
            (None, _) if matches!(&**key, "global" | "tags" | "exports") => {}
            (None, _) => Check { known: &known, prefix, above, found }.key(defaults, "", key, value),
        }
    }
}

/// The check of one chart's section.
struct Check<'a, 'b> {
    known: &'a Known,
    prefix: &'a str,
    above: &'a [Above<'a>],
    found: &'b mut Vec<UnknownKey>,
}

impl Check<'_, '_> {
    fn key(&mut self, defaults: &Map, parent: &str, key: &str, value: &Value) {
        let path = join(parent, key);
        match defaults.get(key) {
            // An empty table or a null in the chart's values is a place for anything.
            Some(Value::Map(inner)) if !inner.is_empty() && !self.known.reads_exactly(&path) => {
                if let Value::Map(section) = value {
                    for (key, value) in section.iter() {
                        self.key(inner, &path, key, value);
                    }
                }
            }
            Some(_) => {}
            None if self.known.reads(&path) || self.is_known_above(&path) => {}
            None => {
                let candidates = defaults.keys().map(|key| join(parent, key)).chain(self.known.paths.iter().cloned());
                let closest = closest(&path, candidates).map(|closest| join(self.prefix, &closest));
                self.found.push(UnknownKey { path: join(self.prefix, &path), closest });
            }
        }
    }

    fn is_known_above(&self, path: &str) -> bool {
        self.above.iter().any(|above| {
            let path = join(&above.path, path);
            above.known.reads(&path)
                || above.defaults.table(&path).is_some()
                || above.defaults.path_value(&path).is_some()
        })
    }
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}

struct Known {
    paths: BTreeSet<String>,
}

impl Known {
    fn of(chart: &Chart, in_values: &BTreeSet<String>) -> Self {
        let mut paths = in_values.clone();
        collect(chart, true, &mut paths);
        for dependency in &chart.metadata.dependencies {
            let conditions = dependency.condition.split(',').map(|path| path.trim().to_owned());
            let names = [dependency.name.clone(), dependency.alias.clone()];
            paths.extend(conditions.chain(names).filter(|path| !path.is_empty()));
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

    /// Whether a template reads the path, or something above it, as a whole: then keys below may mean something.
    fn reads_exactly(&self, path: &str) -> bool {
        self.paths.iter().any(|read| {
            read.is_empty()
                || read == path
                || path.strip_prefix(read.as_str()).is_some_and(|rest| rest.starts_with('.'))
        })
    }
}

/// The reads of a chart's own templates and of the library charts below it, which read the parent's values.
fn collect(chart: &Chart, own: bool, paths: &mut BTreeSet<String>) {
    if own || chart.is_library() {
        // Any file may be given to `tpl`.
        for file in chart.templates.iter().chain(&chart.files) {
            if mentions_values(&file.data) {
                collect_from_text(&String::from_utf8_lossy(&file.data), paths);
            }
        }
        if let Some(values) = &chart.values {
            collect_from_map(values, paths);
        }
        if let Some(schema) = chart.schema.as_ref().and_then(|schema| serde_json::from_slice(schema).ok()) {
            collect_from_schema(&schema, "", paths);
        }
    }
    for subchart in &chart.dependencies {
        collect(subchart, false, paths);
    }
}

/// Whether a file can read values at all.
fn mentions_values(data: &[u8]) -> bool {
    data.windows(7).any(|window| window == b".Values")
}

fn collect_from_text(text: &str, paths: &mut BTreeSet<String>) {
    let scanned = reads::scan(text);
    paths.extend(scanned.all().paths);
    paths.extend(scanned.defines.into_iter().flat_map(|define| define.reads.paths));
}

/// Strings among values may be templates themselves.
fn collect_from_map(values: &Map, paths: &mut BTreeSet<String>) {
    values.values().for_each(|value| collect_from_value(value, paths));
}

fn collect_from_value(value: &Value, paths: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.contains("{{") => collect_from_text(text, paths),
        Value::List(items) => items.iter().for_each(|item| collect_from_value(item, paths)),
        Value::Map(map) => collect_from_map(map, paths),
        _ => {}
    }
}

/// The properties that a schema names.
fn collect_from_schema(schema: &serde_json::Value, prefix: &str, paths: &mut BTreeSet<String>) {
    const LONGEST: usize = 500;
    let Some(properties) = schema.get("properties").and_then(serde_json::Value::as_object) else {
        // Nothing is said about what is inside.
        if !prefix.is_empty() {
            paths.insert(prefix.to_owned());
        }
        return;
    };
    for (name, inner) in properties {
        let path = join(prefix, name);
        if path.len() < LONGEST {
            collect_from_schema(inner, &path, paths);
        }
    }
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
pub(crate) fn edits(left: &str, right: &str) -> usize {
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

    fn found(files: &[(&str, &str)], values: &str) -> Vec<String> {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
        let chart = load_directory(files).unwrap();
        let values = crate::values::load_values(values.as_bytes()).unwrap();
        unknown_keys(&chart, &values).iter().map(ToString::to_string).collect()
    }

    const CHART: (&str, &str) = ("Chart.yaml", "apiVersion: v2\nname: a\nversion: 1.0.0\n");

    #[test]
    fn misspelt_keys_are_found_with_the_name_that_was_meant() {
        let files = [
            CHART,
            ("values.yaml", "replicaCount: 1\nimage: {repository: r, tag: t}\nresources: {}\nsub: {extra: 1}\n"),
            ("templates/a.yaml", "{{ .Values.extra.flag }}{{ toYaml .Values.podLabels }}{{ .Values.sub.more }}"),
            ("charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 1.0.0\n"),
            ("charts/sub/values.yaml", "port: 80\n"),
        ];
        let values = "replicacount: 2\nimage: {tga: x, tag: y}\nresources: {limits: {}}\nextra: {flag: 1, flga: 2}\n\
                      podLabels: {any: 1}\nsub: {prot: 1, extra: 2, more: 3}\nglobal: {x: 1}\nzzz: 1\n";
        assert_eq!(
            found(&files, values),
            [
                "no template reads the value image.tga; did you mean image.tag?",
                "no template reads the value replicacount; did you mean replicaCount?",
                "no template reads the value sub.prot; did you mean sub.port?",
                "no template reads the value zzz",
            ]
        );
    }

    #[test]
    fn what_may_be_read_another_way_is_left_alone() {
        for (template, defaults, values) in [
            ("{{ toYaml .Values.x }}", "x: {a: 1}\n", "x: {b: 1}\n"),
            ("{{ index .Values $key }}", "", "anything: 1\n"),
            ("{{ range $k, $v := .Values.m }}{{ end }}", "m: {a: 1}\n", "m: {b: 1}\n"),
            ("{{ tpl .Values.text . }}", "text: ''\n", "text: '{{ .Values.mine }}'\nmine: 1\n"),
            ("{{ tpl (.Files.Get \"f.txt\") . }}", "", "inFile: 1\n"),
            ("{{ with .Values.w }}{{ .any }}{{ end }}", "w: {a: 1}\n", "w: {any: 1}\n"),
            ("{{ .Values.list }}", "list: []\n", "list: [{a: 1}]\n"),
            ("none", "", "inSchema: {a: 1}\n"),
        ] {
            let schema = "{\"properties\": {\"inSchema\": {\"type\": \"object\"}}}";
            let files = [
                CHART,
                ("values.yaml", defaults),
                ("templates/a.yaml", template),
                ("f.txt", "{{ .Values.inFile }}"),
                ("values.schema.json", schema),
            ];
            assert_eq!(found(&files, values), [""; 0], "{template}");
        }
    }
}
