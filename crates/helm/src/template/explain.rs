//! Where each manifest comes from: template file, lines, and the values read there.
//!
//! Lines are found by rendering once more with a comment behind every line of `---` in the templates, which says which
//! line it is. Where that does not lead to the same documents, the whole file is named.

use crate::chart::{Chart, File};
use crate::manifest::{ManifestHead, split_manifests};
use crate::reads::{self, FileReads, Reads};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// The origin of one manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The object's API version.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Whether it is a hook.
    pub hook: bool,
    /// The template file, as `# Source:` names it.
    pub template: String,
    /// The file the lines are of: another one when a named template makes the whole document.
    pub file: String,
    /// The first line, from 1.
    pub first_line: usize,
    /// The last line.
    pub last_line: usize,
    /// The values paths read on these lines and by the named templates they call, from the root chart's `.Values` on.
    pub values: BTreeSet<String>,
    /// Whether `.Values` is read as a whole besides.
    pub all_values: bool,
}

impl fmt::Display for Explanation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hook = if self.hook { " (hook)" } else { "" };
        let kind = if self.kind.is_empty() { "(no kind)" } else { &self.kind };
        let name = if self.name.is_empty() { "(no name)" } else { &self.name };
        writeln!(formatter, "{kind} {name}{hook}")?;
        if self.file == self.template {
            writeln!(formatter, "  from  {}, lines {} to {}", self.template, self.first_line, self.last_line)?;
        } else {
            let (first, last) = (self.first_line, self.last_line);
            writeln!(formatter, "  from  {}, by {}, lines {first} to {last}", self.template, self.file)?;
        }
        let mut names: Vec<&str> = self.values.iter().map(String::as_str).collect();
        if self.all_values {
            names.push("(all)");
        }
        let names = if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
        writeln!(formatter, "  reads {names}")
    }
}

/// A document to be explained.
pub(super) struct Subject<'a> {
    pub(super) path: &'a str,
    pub(super) content: &'a str,
    pub(super) head: &'a ManifestHead,
    pub(super) hook: bool,
}

type Files = BTreeMap<Arc<str>, String>;

const MARK: &str = "# towline-line ";

/// The chart with a mark behind every separator line.
pub(super) fn marked(chart: &Chart) -> Chart {
    fn mark(chart: &mut Chart, path: &str) {
        chart.prepared = Arc::default();
        for file in &mut chart.templates {
            let name = format!("{path}/{}", file.name);
            *file = File {
                data: mark_text(&String::from_utf8_lossy(&file.data), &name).into_bytes().into(),
                ..file.clone()
            };
        }
        for subchart in &mut chart.dependencies {
            let path = format!("{path}/charts/{}", subchart.name());
            mark(subchart, &path);
        }
    }
    let mut chart = chart.clone();
    let name = chart.name().to_owned();
    mark(&mut chart, &name);
    chart
}

fn mark_text(text: &str, name: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (number, line, is_separator) in lines(text) {
        out.push_str(line);
        if is_separator {
            out.push_str(&format!("{MARK}{number} {name};\n"));
        }
    }
    out
}

/// The lines with their numbers, and whether they are separators outside of actions.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str, bool)> {
    let mut actions = reads::actions(text).peekable();
    let mut start = 0;
    text.split_inclusive('\n').enumerate().map(move |(index, line)| {
        while actions.next_if(|action| action.end <= start).is_some() {}
        let inside = actions.peek().is_some_and(|action| action.start < start);
        let is_separator = !inside && line.ends_with('\n') && line.trim_end() == "---";
        start += line.len();
        (index + 1, line, is_separator)
    })
}

/// A template file's text and what it reads.
struct Source {
    text: String,
    reads: FileReads,
    /// The path of its chart's values from the root's.
    prefix: String,
}

impl Source {
    /// The lines of the document that begins behind this line, without what leads to the next.
    fn document(&self, separator: usize) -> Range<usize> {
        let define = self.reads.defines.iter().find(|define| (define.first..define.last).contains(&separator));
        let count = self.text.lines().count();
        let limit = define.map_or(count, |define| define.last);
        let next = lines(&self.text).find(|(number, _, is_separator)| *is_separator && *number > separator);
        let mut last = next.map_or(limit, |(number, _, _)| (number - 1).min(limit));
        let mut first = separator + 1;
        let all: Vec<&str> = self.text.lines().collect();
        let line = |number: usize| all.get(number - 1).copied().unwrap_or_default().trim();
        while first < last && line(first).is_empty() {
            first += 1;
        }
        while first < last && leads_on(line(last)) {
            last -= 1;
        }
        first..last + 1
    }

    fn part(&self, lines: &Range<usize>) -> String {
        let part: Vec<&str> = self.text.lines().skip(lines.start - 1).take(lines.len()).collect();
        part.join("\n")
    }
}

/// Whether a line only opens what follows it.
fn leads_on(line: &str) -> bool {
    let Some(words) = line.strip_prefix("{{").filter(|_| line.ends_with("}}")) else { return line.is_empty() };
    let words = words.trim_start_matches('-').trim_start();
    ["if ", "range ", "with ", "define "].iter().any(|keyword| words.starts_with(keyword)) && !words.contains("{{")
}

/// Explains manifests, given what the marked chart rendered to.
pub(super) fn explain(
    chart: &Chart,
    subjects: &[Subject<'_>],
    files: &Files,
    marked: Option<&Files>,
) -> Vec<Explanation> {
    let mut sources: BTreeMap<String, Source> = BTreeMap::new();
    collect(chart, chart.name(), "", &mut sources);
    let mut defines: BTreeMap<String, Reads> = BTreeMap::new();
    for define in sources.values().flat_map(|source| &source.reads.defines) {
        defines.entry(define.name.clone()).or_default().extend(&define.reads);
    }
    let mut origins: BTreeMap<&str, Vec<(&str, Option<Origin>)>> = BTreeMap::new();
    let mut explained = Vec::with_capacity(subjects.len());
    for subject in subjects {
        let documents = origins.entry(subject.path).or_insert_with(|| {
            let text = files.get(subject.path).map(String::as_str).unwrap_or_default();
            with_origins(text, marked.and_then(|marked| marked.get(subject.path)).map(String::as_str))
        });
        let place = documents.iter().position(|(content, _)| *content == subject.content);
        let origin = place.and_then(|place| documents.remove(place).1);
        explained.push(one(subject, origin, &sources, &defines));
    }
    explained
}

fn one(
    subject: &Subject<'_>,
    origin: Option<Origin>,
    sources: &BTreeMap<String, Source>,
    defines: &BTreeMap<String, Reads>,
) -> Explanation {
    let mut origin = origin.unwrap_or_else(|| Origin { file: subject.path.to_owned(), line: 0 });
    if !sources.contains_key(&origin.file) {
        origin.file = under_alias(subject.path, &origin.file).unwrap_or(origin.file);
    }
    let source = sources.get(&origin.file);
    let lines = source.map_or(1..2, |source| source.document(origin.line));
    let mut own = Reads::default();
    if let Some(source) = source {
        own = source.reads.within(&lines, &source.part(&lines));
        let around = source.reads.defines.iter().filter(|define| (define.first..define.last).contains(&lines.start));
        around.for_each(|define| own.extend(&define.reads));
    }
    // What a named template reads are the values of the chart that calls it.
    let prefix = sources.get(subject.path).map(|source| source.prefix.as_str()).unwrap_or_default();
    let mut values = reads::reachable(&own, defines);
    let all_values = values.remove("");
    let values = values
        .into_iter()
        .map(|path| {
            let is_global = path == "global" || path.starts_with("global.");
            if prefix.is_empty() || is_global { path } else { format!("{prefix}.{path}") }
        })
        .collect();
    Explanation {
        api_version: subject.head.api_version.clone(),
        kind: subject.head.kind.clone(),
        name: subject.head.name.clone(),
        hook: subject.hook,
        template: subject.path.to_owned(),
        file: origin.file,
        first_line: lines.start,
        last_line: lines.end - 1,
        values,
        all_values,
    }
}

/// A file marked under its chart's own name, in the chart that a template is of: there the chart has an alias.
fn under_alias(template: &str, file: &str) -> Option<String> {
    const TEMPLATES: &str = "/templates/";
    let chart = template.get(..template.rfind(TEMPLATES)?)?;
    Some(format!("{chart}{}", file.get(file.rfind(TEMPLATES)?..)?))
}

fn collect(chart: &Chart, path: &str, prefix: &str, sources: &mut BTreeMap<String, Source>) {
    for file in &chart.templates {
        let text = String::from_utf8_lossy(&file.data).into_owned();
        let reads = reads::scan(&text);
        sources.insert(format!("{path}/{}", file.name), Source { text, reads, prefix: prefix.to_owned() });
    }
    for subchart in &chart.dependencies {
        let name = subchart.name();
        let prefix = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
        collect(subchart, &format!("{path}/charts/{name}"), &prefix, sources);
    }
}

/// Where a document begins.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    file: String,
    /// The line of the separator before it; 0 at the beginning of a file.
    line: usize,
}

/// The documents of a rendered file, each with its origin as far as the marks tell.
fn with_origins<'a>(text: &'a str, marked: Option<&str>) -> Vec<(&'a str, Option<Origin>)> {
    let documents = split_manifests(text);
    let mut origins: Vec<Option<Origin>> = Vec::new();
    for document in marked.map(split_manifests).unwrap_or_default() {
        let (origin, rest) = match document.strip_prefix(MARK).and_then(|rest| rest.split_once(';')) {
            Some((place, rest)) => (read_mark(place), rest),
            None => (None, document),
        };
        if !rest.trim().is_empty() {
            origins.push(origin);
        }
    }
    if origins.len() != documents.len() {
        return documents.into_iter().map(|document| (document, None)).collect();
    }
    documents.into_iter().zip(origins).collect()
}

fn read_mark(place: &str) -> Option<Origin> {
    let (line, file) = place.split_once(' ')?;
    Some(Origin { file: file.to_owned(), line: line.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_are_marked_outside_of_actions() {
        let text = "---\na: 1\n{{- if x }}\n---\n{{/*\n---\n*/}}\nb: 2 ---\n--- # c\n---";
        let marked = mark_text(text, "f");
        assert_eq!(
            marked,
            "---\n# towline-line 1 f;\na: 1\n{{- if x }}\n---\n# towline-line 4 f;\n{{/*\n---\n# towline-line 6 f;\n*/}}\nb: 2 ---\n--- # c\n---"
        );
    }
}
