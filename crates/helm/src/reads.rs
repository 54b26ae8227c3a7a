//! Which values paths templates read, as far as their text tells. Nothing is executed: what a template reaches through
//! variables counts as reading everything below the last path that is written out.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// What one piece of template text reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reads {
    /// Paths below `.Values`, dotted; the empty path is `.Values` as a whole.
    pub(crate) paths: BTreeSet<String>,
    /// Named templates it calls.
    pub(crate) calls: BTreeSet<String>,
}

impl Reads {
    pub(crate) fn extend(&mut self, other: &Self) {
        self.paths.extend(other.paths.iter().cloned());
        self.calls.extend(other.calls.iter().cloned());
    }
}

/// What one action reads, and the lines on which that matters: its own, or those of the block it opens.
#[derive(Clone, Debug)]
struct Span {
    first: usize,
    last: usize,
    /// The variable it declares: it matters only where that is used.
    variable: Option<String>,
    reads: Reads,
}

/// A `define` and what its text reads.
#[derive(Clone, Debug)]
pub(crate) struct Define {
    pub(crate) name: String,
    /// The line of `define`.
    pub(crate) first: usize,
    /// The line of its `end`.
    pub(crate) last: usize,
    pub(crate) reads: Reads,
}

/// The reads of a template file: of its own text, and of each template it defines.
#[derive(Clone, Debug, Default)]
pub(crate) struct FileReads {
    own: Vec<Span>,
    pub(crate) defines: Vec<Define>,
}

impl FileReads {
    /// Everything the file's own text reads.
    pub(crate) fn all(&self) -> Reads {
        let mut all = Reads::default();
        self.own.iter().for_each(|span| all.extend(&span.reads));
        all
    }

    /// What some lines read: the actions on them, the blocks around them, the variables they use.
    pub(crate) fn within(&self, lines: &Range<usize>, text: &str) -> Reads {
        let mut found = Reads::default();
        for span in &self.own {
            let before = span.first < lines.start && span.last >= lines.start;
            let matters = match &span.variable {
                Some(variable) if before => uses(text, variable),
                _ => before || lines.contains(&span.first),
            };
            if matters {
                found.extend(&span.reads);
            }
        }
        found
    }
}

fn uses(text: &str, variable: &str) -> bool {
    text.match_indices(variable).any(|(start, _)| {
        let after = text.get(start + variable.len()..).unwrap_or_default();
        !after.starts_with(|next: char| next.is_alphanumeric() || next == '_')
    })
}

/// Scans a template file.
pub(crate) fn scan(text: &str) -> FileReads {
    let mut reads = FileReads::default();
    let mut define: Option<Define> = None;
    // The spans that each open block ends.
    let mut open: Vec<Vec<usize>> = vec![Vec::new()];
    let last_line = text.lines().count().max(1);
    let close = |own: &mut Vec<Span>, spans: Vec<usize>, line: usize| {
        for index in spans {
            if let Some(span) = own.get_mut(index) {
                span.last = line;
            }
        }
    };
    let mut position = Position::default();
    for action in actions(text) {
        let line = position.line_of(text, action.start);
        let words = inside(text, &action);
        let keyword = words.split(|character: char| !character.is_ascii_alphabetic()).next().unwrap_or_default();
        let mut found = Reads::default();
        scan_action(words, &mut found);
        if keyword == "define" && define.is_none() {
            define = Some(Define {
                name: first_string(words).unwrap_or_default(),
                first: line,
                last: last_line,
                reads: Reads::default(),
            });
            open.push(Vec::new());
            continue;
        }
        let depth = open.len();
        match keyword {
            "end" => {
                let spans = if depth > 1 { open.pop().unwrap_or_default() } else { Vec::new() };
                close(&mut reads.own, spans, line);
                // A define stands at the top, so the first block that closes back to the top is its own.
                if open.len() == 1
                    && let Some(done) = define.take()
                {
                    reads.defines.push(Define { last: line, ..done });
                }
                continue;
            }
            "if" | "with" | "range" | "block" => open.push(Vec::new()),
            _ => {}
        }
        match &mut define {
            Some(define) => define.reads.extend(&found),
            None => {
                let variable = declared(words);
                let lasts = keyword == "else" || depth < open.len() || variable.is_some();
                if lasts && let Some(spans) = open.last_mut() {
                    spans.push(reads.own.len());
                }
                reads.own.push(Span { first: line, last: line, variable, reads: found });
            }
        }
    }
    for spans in open {
        close(&mut reads.own, spans, last_line);
    }
    reads.defines.extend(define);
    reads
}

/// Counts lines on the way through a text.
#[derive(Default)]
struct Position {
    offset: usize,
    line: usize,
}

impl Position {
    /// The line, from 1, of an offset that is not before the last one asked for.
    fn line_of(&mut self, text: &str, offset: usize) -> usize {
        let between = text.as_bytes().get(self.offset..offset).unwrap_or_default();
        self.line += between.iter().filter(|byte| **byte == b'\n').count();
        self.offset = offset;
        self.line + 1
    }
}

/// Where the actions are, delimiters included; comments are left out.
pub(crate) fn actions(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let start = from + text.get(from..)?.find("{{")?;
            let after = start + 2;
            let inner = text.get(after..)?;
            let is_comment = inner.trim_start_matches('-').trim_start().starts_with("/*");
            let end = if is_comment { inner.find("*/").map(|end| end + 2) } else { Some(0) };
            let end = after + end? + action_end(inner.get(end?..)?, is_comment)?;
            from = end;
            if !is_comment {
                return Some(start..end);
            }
        }
    })
}

/// The length up to and with `}}`, which does not count inside strings.
fn action_end(text: &str, is_comment: bool) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut index = 0;
    while let Some(byte) = bytes.get(index) {
        match byte {
            b'}' if bytes.get(index + 1) == Some(&b'}') => return Some(index + 2),
            quote @ (b'"' | b'`' | b'\'') if !is_comment => {
                index += 1;
                while let Some(inner) = bytes.get(index).filter(|inner| *inner != quote) {
                    index += if *inner == b'\\' && *quote != b'`' { 2 } else { 1 };
                }
            }
            _ => {}
        }
        index += 1;
    }
    None
}

/// An action's text without delimiters and trim marks.
fn inside<'a>(text: &'a str, action: &Range<usize>) -> &'a str {
    let inner = text.get(action.start + 2..action.end.saturating_sub(2)).unwrap_or_default();
    inner.trim_start_matches('-').trim_start()
}

/// The variable that an action declares.
fn declared(words: &str) -> Option<String> {
    let rest = words.strip_prefix('$')?;
    let end = rest.find(|character: char| !(character.is_alphanumeric() || character == '_'))?;
    let (name, after) = rest.split_at(end);
    let after = after.trim_start();
    (after.starts_with(":=") || after.starts_with('=')).then(|| format!("${name}"))
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
        let before = before.trim_end_matches(|character: char| character == '$' || character.is_alphanumeric());
        let before = before.trim_end_matches(['$', '.']).trim_end();
        if ["index", "get", "dig", "hasKey"].iter().any(|function| before.ends_with(function)) {
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
            {{ with .Values }}{{ end }} {{ .ValuesX }} text .Values.not {{/* .Values.comment }} */}} {{ "}} {{" }}
            {{ index $.Values.deep "k" }} {{ toYaml .Values.last }}"#,
        );
        let own = reads.all();
        let expected = ["", "a-b.c", "deep.k", "image.tag", "last", "m.k"];
        assert_eq!(own.paths.iter().collect::<Vec<_>>(), expected);
        let defines: BTreeMap<String, Reads> =
            reads.defines.iter().map(|define| (define.name.clone(), define.reads.clone())).collect();
        assert_eq!(defines["x.y"].paths.iter().collect::<Vec<_>>(), ["b", "inner.a"]);
        let all = reachable(&own, &defines);
        assert!(all.contains("inner.a") && all.contains("image.tag"));
    }

    #[test]
    fn lines_read_what_stands_on_them_and_around_them() {
        let text = "{{ $name := .Values.name }}\n{{ $other := .Values.other }}\n{{ if .Values.on }}\na: {{ .Values.a }}\n\
                    n: {{ $name }}\n{{ else if .Values.off }}\nb: {{ .Values.b }}\n{{ end }}\nc: {{ .Values.c }}\n";
        let reads = scan(text);
        let within = |lines: Range<usize>| {
            let part: Vec<&str> = text.lines().skip(lines.start - 1).take(lines.len()).collect();
            reads.within(&lines, &part.join("\n")).paths.into_iter().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(within(4..6), "a name on");
        assert_eq!(within(7..8), "b off on");
        assert_eq!(within(9..10), "c");
    }
}
