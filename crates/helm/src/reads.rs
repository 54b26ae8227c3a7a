//! Which values paths templates read, as far as their text tells. Nothing is executed: what a template reaches through
//! variables counts as reading everything below the last path that is written out.

use std::collections::{BTreeMap, BTreeSet};

/// What one piece of template text reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reads {
    /// Paths below `.Values`, dotted; the empty path is `.Values` as a whole.
    pub(crate) paths: BTreeSet<String>,
    /// Named templates it calls.
    pub(crate) calls: BTreeSet<String>,
}

/// The reads of a template file: of its own text, and of each template it defines.
#[derive(Clone, Debug, Default)]
pub(crate) struct FileReads {
    pub(crate) own: Reads,
    pub(crate) defines: BTreeMap<String, Reads>,
}

/// Scans a template file.
pub(crate) fn scan(text: &str) -> FileReads {
    let mut reads = FileReads::default();
    let mut current: Option<String> = None;
    let mut depth = 0_u32;
    for action in actions(text) {
        let words = action.trim_start_matches('-').trim_start();
        let keyword = words.split(|character: char| !character.is_ascii_alphabetic()).next().unwrap_or_default();
        match keyword {
            "define" if current.is_none() => {
                current = first_string(words);
                depth = 0;
                continue;
            }
            "if" | "with" | "range" | "block" => depth += 1,
            "end" if depth == 0 => current = None,
            "end" => depth -= 1,
            _ => {}
        }
        let target = match &current {
            Some(name) => reads.defines.entry(name.clone()).or_default(),
            None => &mut reads.own,
        };
        scan_action(words, target);
    }
    reads
}

/// The texts between `{{` and `}}`.
fn actions(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once("{{")?;
        let (action, after) = after.split_once("}}")?;
        rest = after;
        Some(action)
    })
}

fn first_string(text: &str) -> Option<String> {
    let (_, after) = text.split_once(['"', '`'])?;
    let (string, _) = after.split_once(['"', '`'])?;
    Some(string.to_owned())
}

fn scan_action(action: &str, reads: &mut Reads) {
    for (position, _) in action.match_indices(".Values") {
        let before = action.get(..position).unwrap_or_default();
        let after = action.get(position + ".Values".len()..).unwrap_or_default();
        let end = after
            .find(|character: char| !(character.is_alphanumeric() || matches!(character, '_' | '.')))
            .unwrap_or(after.len());
        let (fields, rest) = after.split_at(end);
        if !fields.is_empty() && !fields.starts_with('.') {
            continue;
        }
        let mut path = fields.trim_matches('.').to_owned();
        if path.is_empty() || before.trim_end().ends_with("index") || before.trim_end().ends_with("index $") {
            // `index .Values "a" "b"`, `get .Values "a"`: strings right behind name the keys.
            for key in leading_strings(rest) {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(key);
            }
        }
        reads.paths.insert(path);
    }
    for keyword in ["include", "template", "block"] {
        for (position, _) in action.match_indices(keyword) {
            let after = action.get(position + keyword.len()..).unwrap_or_default().trim_start();
            if after.starts_with(['"', '`'])
                && let Some(name) = first_string(after)
            {
                reads.calls.insert(name);
            }
        }
    }
}

fn leading_strings(mut text: &str) -> Vec<&str> {
    let mut strings = Vec::new();
    while let Some(rest) = text.trim_start().strip_prefix('"') {
        let Some((string, after)) = rest.split_once('"') else { break };
        strings.push(string);
        text = after;
    }
    strings
}

/// What a file's text reads, itself and through every template it calls.
pub(crate) fn reachable(own: &Reads, defines: &BTreeMap<String, Reads>) -> BTreeSet<String> {
    let mut paths = own.paths.clone();
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut pending: Vec<&str> = own.calls.iter().map(String::as_str).collect();
    while let Some(name) = pending.pop() {
        if seen.insert(name)
            && let Some(reads) = defines.get(name)
        {
            paths.extend(reads.paths.iter().cloned());
            pending.extend(reads.calls.iter().map(String::as_str));
        }
    }
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_found() {
        let reads = scan(
            r#"{{ define "x.y" }}{{ if .Values.inner.a }}{{ .Values.b }}{{ end }}{{ end -}}
            {{- $.Values.image.tag | quote }} {{ index .Values "a-b" "c" }} {{ include "x.y" . }} {{ get .Values.m "k" }}
            {{ with .Values }}{{ end }} {{ .ValuesX }} text .Values.not "#,
        );
        assert_eq!(reads.own.paths.iter().collect::<Vec<_>>(), ["", "a-b.c", "image.tag", "m"]);
        assert_eq!(reads.defines["x.y"].paths.iter().collect::<Vec<_>>(), ["b", "inner.a"]);
        let all = reachable(&reads.own, &reads.defines);
        assert!(all.contains("inner.a") && all.contains("image.tag"));
    }
}
